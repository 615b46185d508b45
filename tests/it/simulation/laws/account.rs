//! The outcome of a run equals what the service saw.

use super::{RunCheck, decoded, stood_in};
use crate::simulation::remote::{Actor, Name, Write, WriteKind};
use crate::simulation::run::Record;
use annosync::api::Method;
use annosync::apply::{ItemOutcome, Subject};
use annosync::plan::{Action, Operation, Touched, is_as_wanted};
use serde_json::Value;
use std::collections::BTreeMap;

impl RunCheck<'_> {
    /// The outcome equals what the remote saw.
    pub(super) fn account(&mut self, record: &Record, writes: &[Write]) {
        let Some(plan) = &record.plan else { return };
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (at, operation) in plan.operations.iter().enumerate() {
            let name = (operation.input_id.to_string(), operation.id.to_string());
            let subject = Subject::Operation(at as u32);
            let endings = record.endings.get(&subject).map_or(&[][..], Vec::as_slice);
            let reported_once = endings.len() == usize::from(record.outcome.is_some())
                || (record.outcome.is_none() && endings.len() <= 1);
            self.hold("every operation is reported once", reported_once, || {
                format!("run {}: {name:?}: {endings:?}", record.number)
            });
            let Some((tick, ended)) = endings.first() else {
                continue;
            };
            *counts.entry(word(ended)).or_default() += 1;
            // The same id may belong to a stand-in of this run.
            if stood_in(plan, &name).is_none() {
                self.ended(record, operation, &name, *tick, ended, writes);
            }
        }
        for (at, purge) in plan.purges.iter().enumerate() {
            let subject = Subject::Purge(at as u32);
            let endings = record.endings.get(&subject).map_or(&[][..], Vec::as_slice);
            let Some((_, ended)) = endings.first() else {
                continue;
            };
            *counts.entry(word(ended)).or_default() += 1;
            let written = writes.iter().any(|it| {
                it.name.0 == purge.input_id.as_str()
                    && matches!(it.who, Actor::Run { run, .. } if run == record.number)
            });
            let untouched = match ended {
                ItemOutcome::AlreadyUpToDate | ItemOutcome::NotAttempted => true,
                ItemOutcome::Stale { touched, .. } | ItemOutcome::Failed { touched, .. } => {
                    touched.is_nothing()
                }
                ItemOutcome::Applied => false,
            };
            self.hold(
                "the outcome equals what the remote saw",
                !(untouched && written),
                || {
                    format!(
                        "run {}: the purge of {} ended {ended:?}, and it was purged",
                        record.number, purge.input_id
                    )
                },
            );
        }
        let Some(outcome) = &record.outcome else {
            return;
        };
        let all = (plan.operations.len() + plan.purges.len()) as u64;
        let of = |word: &str| counts.get(word).copied().unwrap_or_default();
        let adds_up = outcome.operations() == all
            && outcome.applied.total() == of("applied")
            && outcome.already_so == of("already up to date")
            && outcome.stale_count() == of("stale")
            && outcome.failed_count() == of("failed")
            && outcome.not_attempted == of("not attempted");
        self.hold("every operation is counted once", adds_up, || {
            format!(
                "run {}: {counts:?} of {all}, and {outcome:?}",
                record.number
            )
        });
    }

    fn ended(
        &mut self,
        record: &Record,
        operation: &Operation,
        name: &Name,
        tick: u64,
        ended: &ItemOutcome,
        writes: &[Write],
    ) {
        let by_run = |who: Actor| matches!(who, Actor::Run { run, .. } if run == record.number);
        let mine: Vec<&Write> = writes
            .iter()
            .filter(|it| it.name == *name && by_run(it.who))
            .collect();
        let wanted = |state: Option<&Value>| match (operation.action(), state) {
            (Action::Delete, state) => state.is_none(),
            (_, Some(state)) => is_as_wanted(operation, &decoded(state)),
            (_, None) => false,
        };
        let from = record.listed.unwrap_or_default();
        let states = || {
            let changes = writes
                .iter()
                .filter(|it| it.name == *name && it.tick > from && it.tick < tick);
            let mut states = vec![self.scene.remote.at(name, from)];
            states.extend(changes.map(|it| it.after.clone()));
            states
        };
        let law = "the outcome equals what the remote saw";
        let told = || {
            let writes: Vec<String> = mine
                .iter()
                .map(|it| format!("{:?} at {}", it.how, it.tick))
                .collect();
            format!(
                "run {}: {} {name:?} ended {ended:?}; it wrote {writes:?}",
                record.number,
                operation.action()
            )
        };
        let was_so = || states().iter().any(|state| wanted(state.as_ref()));
        let holds = match ended {
            ItemOutcome::Applied => was_so(),
            ItemOutcome::AlreadyUpToDate => mine.is_empty() && was_so(),
            ItemOutcome::NotAttempted => mine.is_empty() && !self.sent(record, name),
            ItemOutcome::Stale { touched, .. } | ItemOutcome::Failed { touched, .. } => {
                match touched {
                    Touched::Nothing => mine.is_empty(),
                    Touched::Unknown => self.was_lost(record, name),
                    // If somebody else deleted it after the read, the service reports success for our delete. The same
                    // holds if another run of this replacement deleted it: then the stand-in holds it until a run finishes.
                    Touched::Deleted => {
                        let may_be_ours =
                            operation.action() == Action::Replace || self.sent(record, name);
                        mine.iter().any(|it| it.how == WriteKind::Delete)
                            || (may_be_ours && states().iter().any(Option::is_none))
                    }
                    Touched::ConceptsRemoved => !mine.is_empty(),
                    // The service accepted it, but the result is unknown.
                    Touched::Incomplete => self.sent(record, name),
                }
            }
        };
        let how = told();
        self.hold(law, holds, || how);
    }

    fn sent(&self, record: &Record, name: &Name) -> bool {
        let mut all = self.scene.exchanges.iter();
        all.any(|it| {
            it.run == record.number && it.method != Method::GET && it.subject.names.contains(name)
        })
    }

    /// Whether an answer that should report it was lost, was garbled, or omitted it.
    fn was_lost(&self, record: &Record, name: &Name) -> bool {
        let mut of_run = self
            .scene
            .exchanges
            .iter()
            .filter(|it| it.run == record.number);
        of_run.any(|it| {
            let said_nothing = it.method == Method::GET && !it.succeeded;
            (!it.intact || said_nothing) && it.subject.names.contains(name)
        })
    }
}

fn word(ended: &ItemOutcome) -> &'static str {
    match ended {
        ItemOutcome::Applied => "applied",
        ItemOutcome::AlreadyUpToDate => "already up to date",
        ItemOutcome::Stale { .. } => "stale",
        ItemOutcome::Failed { .. } => "failed",
        ItemOutcome::NotAttempted => "not attempted",
    }
}

//! Laws that hold for every run with any faults, checked against the journal of the remote and the outcomes of the runs.

use super::remote::{Actor, Name, Write, WriteKind};
use super::run::Record;
use super::scene::{Exchanged, Scene};
use super::service::{OWNER, body};
use super::world::{set_id, set_of};
use annosync::api::Method;
use annosync::apply::{ItemOutcome, Subject};
use annosync::model::{Fingerprint, Interner, ObservedAnnotation, fingerprint};
use annosync::plan::{
    Action, Operation, Plan, Reason, Touched, is_as_wanted, stand_in_body, stand_in_id_for,
};
use annosync::wire::decode;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A broken law, and the details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) law: &'static str,
    pub(super) how: String,
}

/// The scope of a manifest.
#[derive(Debug)]
pub(super) struct ManifestScope<'a> {
    pub(super) manifest: &'a Value,
    pub(super) caller: &'a str,
}

impl ManifestScope<'_> {
    fn owns(&self, user: &str) -> bool {
        let Some(listed) = self.manifest["owners"].as_array() else {
            return user == OWNER;
        };
        listed
            .iter()
            .map(|owner| owner.as_str().unwrap_or_default())
            .any(|owner| owner == "any" || owner == user || (owner == "me" && user == self.caller))
    }

    pub(super) fn input(&self, input: &str) -> Option<&Value> {
        let inputs = self.manifest["inputs"].as_array()?;
        inputs.iter().find(|declared| declared["id"] == *input)
    }

    fn purges(&self, input: &str) -> bool {
        self.input(input).is_some_and(|it| it["purge"] == true)
    }

    /// Whether the annotation belongs to the set, or to one of the owners and to no other set.
    pub(super) fn in_scope(&self, row: &Value) -> bool {
        is_a_persons(row)
            && match set_of(row["id"].as_str().unwrap_or_default()) {
                Some(set) => set == "street",
                None => self.owns(row["user_id"].as_str().unwrap_or_default()),
            }
    }

    /// The annotation that a declaration names by its id or key.
    pub(super) fn name_of(&self, input: &str, declared: &Value) -> Option<Name> {
        let set = self.manifest["set"].as_str().unwrap_or_default();
        let id = match (declared["id"].as_str(), declared["key"].as_str()) {
            (Some(id), _) => id.to_owned(),
            (None, Some(key)) => set_id(set, input, key),
            (None, None) => return None,
        };
        Some((input.to_owned(), id))
    }

    fn names_id(&self, input: &str, id: &str) -> bool {
        let all = self.input(input).map(|it| &it["annotations"]);
        let all = all.and_then(Value::as_array).into_iter().flatten();
        all.into_iter().any(|it| it["id"] == *id)
    }

    fn declares_level(&self, input: &str) -> bool {
        let all = self.input(input).map(|it| &it["annotations"]);
        let all = all.and_then(Value::as_array).into_iter().flatten();
        all.into_iter().any(|it| it["input_level"] == true)
    }
}

pub(super) fn is_a_persons(row: &Value) -> bool {
    row.get("model_version_id").is_none() && row.get("input_level").is_none()
}

pub(super) fn decoded(row: &Value) -> ObservedAnnotation {
    let wire = serde_json::from_value(row.clone()).unwrap();
    decode::annotation(wire, &mut Interner::default())
        .unwrap()
        .1
}

thread_local! {
    /// A cache: the laws compute the same fingerprints many times.
    static PRINTS: RefCell<HashMap<String, Fingerprint>> = RefCell::default();
}

fn print(row: &Value) -> Fingerprint {
    PRINTS.with_borrow_mut(|prints| {
        let made = || fingerprint(&decoded(row));
        *prints.entry(row.to_string()).or_insert_with(made)
    })
}

/// What an operation would have sent when it was planned.
fn planned<'a>(record: &'a Record, operation: &Operation) -> Option<&'a annosync::model::Json> {
    let name = (operation.input_id.to_string(), operation.id.to_string());
    record.bodies.get(&name)
}

/// One run, and what its laws are checked against.
pub(super) struct RunCheck<'a> {
    pub(super) scene: &'a Scene,
    pub(super) speaks: ManifestScope<'a>,
    pub(super) records: &'a [Record],
    pub(super) broken: Vec<Broken>,
}

impl RunCheck<'_> {
    fn hold(&mut self, law: &'static str, holds: bool, how: impl FnOnce() -> String) {
        if !holds {
            let how = how();
            self.broken.push(Broken { law, how });
        }
    }

    pub(super) fn judge(&mut self) {
        PRINTS.with_borrow_mut(HashMap::clear);
        let writes = self.scene.remote.journal.clone();
        for write in &writes {
            if let Actor::Run { run, exchange } = write.who {
                self.write(write, run, exchange);
            }
        }
        for record in self.records {
            self.listing(record);
            self.account(record, &writes);
        }
    }

    /// Laws of one write.
    fn write(&mut self, write: &Write, run: usize, exchange: usize) {
        let (input, id) = &write.name;
        let record = self.records.iter().find(|record| record.number == run);
        let plan = record.and_then(|record| record.plan.clone());
        let Some((record, plan)) = record.zip(plan) else {
            let how = || format!("run {run} wrote {input}/{id} without a plan");
            return self.hold("only planned writes are made", false, how);
        };
        let exchanged = &self.scene.exchanges[exchange];
        if let Some(operation) = stood_in(&plan, &write.name) {
            return self.stand_in(write, record, &plan, operation, exchanged);
        }
        self.scope(write, operation(&plan, &write.name));
        if write.how == WriteKind::Purge {
            return self.purged(write, record, &plan, exchanged);
        }
        let Some(operation) = operation(&plan, &write.name) else {
            let how = || format!("run {run} {:?} {input}/{id}: not planned", write.how);
            return self.hold("only planned writes are made", false, how);
        };
        self.said(write, record, operation, exchanged);
        if write.how != WriteKind::Post {
            self.looked(write, record, operation, exchanged);
        }
    }

    /// The stand-in of a replaced annotation is posted as planned, and deleted.
    fn stand_in(
        &mut self,
        write: &Write,
        record: &Record,
        plan: &Plan,
        operation: &Operation,
        by: &Exchanged,
    ) {
        let fits = matches!(write.how, WriteKind::Post | WriteKind::Delete);
        let how = || format!("{:?} of the stand-in {:?}", write.how, write.name);
        self.hold("only planned writes are made", fits, how);
        if write.how == WriteKind::Post {
            let planned = planned(record, operation)
                .map(|body| stand_in_body(&plan.set, operation, body).to_value());
            let same = sent(by, &write.name).iter().eq(planned.iter());
            self.hold("requests are as planned", same, how);
        }
    }

    /// The operation shows this write and its result.
    fn said(
        &mut self,
        write: &Write,
        record: &Record,
        operation: &Operation,
        exchanged: &Exchanged,
    ) {
        let fits = match write.how {
            WriteKind::Post => matches!(operation.action(), Action::Post | Action::Replace),
            WriteKind::Merge => operation.action() == Action::Merge,
            WriteKind::Overwrite => operation.action() == Action::Overwrite,
            WriteKind::Remove => matches!(operation.action(), Action::Remove | Action::Delete),
            WriteKind::Emptied => operation.action() == Action::Delete,
            WriteKind::Delete => matches!(operation.action(), Action::Delete | Action::Replace),
            WriteKind::Purge => false,
        };
        let named = || {
            format!(
                "{:?} {:?}: the plan says {}",
                write.how,
                write.name,
                operation.action()
            )
        };
        self.hold("only planned writes are made", fits, named);
        if write.how == WriteKind::Delete {
            return;
        }
        let planned = planned(record, operation).map(annosync::model::Json::to_value);
        let same = sent(exchanged, &write.name).iter().eq(planned.iter());
        self.hold("requests are as planned", same, named);
        let raced = match &write.before {
            Some(before) => Some(print(before)) != operation.fingerprint(),
            None => false,
        };
        if let (Some(after), false, true) = (&write.after, raced, operation.after().is_some()) {
            let wanted = is_as_wanted(operation, &decoded(after));
            self.hold("the stored result is as planned", wanted, || {
                format!("{:?} {:?}: {after}", write.how, write.name)
            });
        }
        if let (Some(before), Some(after)) = (&write.before, &write.after) {
            let kept = |row: &Value| {
                let data = &row["data"];
                (data["metadata"]["kept"].clone(), data["unmodelled"].clone())
            };
            let stays = raced || kept(before) == kept(after);
            self.hold("unmanaged data is kept", stays, || {
                format!("{:?} {:?}: {before} became {after}", write.how, write.name)
            });
        }
    }

    /// The annotation is in scope.
    fn scope(&mut self, write: &Write, operation: Option<&Operation>) {
        let (input, id) = &write.name;
        let Some(before) = &write.before else { return };
        let user = before["user_id"].as_str().unwrap_or_default();
        // A planned delete may be carried out by removing all concepts, and not every service then deletes the annotation.
        let deletes =
            write.after.is_none() || operation.is_some_and(|it| it.action() == Action::Delete);
        let ours = set_of(id) == Some("street");
        let is_left_behind = operation.is_some_and(|it| it.reason() == Reason::LeftBehind);
        let allowed = if is_left_behind {
            ours
        } else if write.how == WriteKind::Purge {
            self.speaks.purges(input) && before.get("input_level").is_none()
        } else if before.get("model_version_id").is_some() || set_of(id) == Some("trees") {
            false
        } else if before.get("input_level").is_some() {
            !deletes && self.speaks.declares_level(input)
        } else if self.speaks.input(input).is_none() {
            ours && deletes
        } else {
            self.speaks.owns(user) || self.speaks.names_id(input, id) || ours
        };
        self.hold("annotations out of scope are not changed", allowed, || {
            format!("{:?} of {before}", write.how)
        });
    }

    /// Before every patch and every delete the annotation was read, and it was as the plan saw it.
    fn looked(&mut self, write: &Write, record: &Record, operation: &Operation, by: &Exchanged) {
        let last_try = self
            .scene
            .exchanges
            .iter()
            .filter(|it| it.run == by.run && it.method != Method::GET && it.sent < by.sent)
            .filter(|it| it.subject.names.contains(&write.name))
            .map(|it| it.done.unwrap_or(u64::MAX))
            .max();
        let after = last_try.max(record.listed).unwrap_or_default();
        let look = self.scene.exchanges.iter().rfind(|it| {
            it.run == by.run
                && it.method == Method::GET
                && it.sent > after
                && it.done.is_some_and(|done| done < by.sent)
                && it.shown.contains(&write.name)
        });
        let Some(look) = look else {
            return self.hold("every write is preceded by a read", false, || {
                format!("{:?} {:?} by #{}", write.how, write.name, by.sent)
            });
        };
        let acted = look.acted.unwrap_or_default();
        let at_look = self.scene.remote.at(&write.name, acted);
        // An earlier write by this run itself (a removal that should have deleted it) is allowed.
        let last = self
            .scene
            .remote
            .journal
            .iter()
            .rfind(|it| it.name == write.name && it.tick <= acted);
        let mine = last.is_some_and(|it| matches!(it.who, Actor::Run { run, .. } if run == by.run));
        let as_planned = mine || at_look.as_ref().map(print) == operation.fingerprint();
        self.hold(
            "annotations changed since the plan are kept",
            as_planned,
            || {
                format!(
                    "{:?} {:?} although a look had shown {at_look:?}",
                    write.how, write.name
                )
            },
        );
    }

    /// A purged annotation was in the plan, or was created after the read.
    fn purged(&mut self, write: &Write, record: &Record, plan: &Plan, by: &Exchanged) {
        let purge = plan
            .purges
            .iter()
            .find(|it| it.input_id.as_str() == write.name.0);
        let Some(purge) = purge else {
            return self.hold("only planned writes are made", false, || {
                format!("{:?} was purged, and no purge was planned", write.name)
            });
        };
        let before = write.before.as_ref().map(print);
        let planned = purge
            .annotations
            .iter()
            .any(|it| it.id.as_str() == write.name.1 && Some(it.fingerprint) == before);
        let first_look = self
            .scene
            .exchanges
            .iter()
            .filter(|it| it.run == by.run && it.method == Method::GET)
            .filter(|it| Some(it.sent) > record.listed)
            .filter(|it| it.done.is_some_and(|done| done < by.sent))
            .filter(|it| it.subject.inputs.contains(&write.name.0))
            .filter_map(|it| it.acted)
            .min();
        let last = self
            .scene
            .remote
            .journal
            .iter()
            .rfind(|it| it.name == write.name && it.tick < write.tick);
        let raced = last.is_some_and(|it| first_look.is_some_and(|look| it.tick > look));
        let looked = first_look.is_some();
        self.hold("every write is preceded by a read", looked, || {
            format!("purge of {:?}", write.name)
        });
        self.hold(
            "annotations changed since the plan are kept",
            planned || raced,
            || format!("{:?} was purged, and was not planned so", write.name),
        );
    }

    /// A plan is never made from an incomplete listing.
    fn listing(&mut self, record: &Record) {
        let (Some(seen), Some(listed)) = (&record.seen, record.listed) else {
            return;
        };
        let journal = &self.scene.remote.journal;
        let mut names: BTreeSet<Name> = self
            .scene
            .remote
            .rows
            .iter()
            .map(super::remote::name_of)
            .collect();
        names.extend(journal.iter().map(|write| write.name.clone()));
        let mut broken = Vec::new();
        for name in names {
            let asked = record.whole_app || self.speaks.input(&name.0).is_some();
            let changes = journal
                .iter()
                .filter(|it| it.name == name && it.tick > record.from && it.tick < listed);
            let mut states = vec![self.scene.remote.at(&name, record.from)];
            states.extend(changes.map(|it| it.after.clone()));
            let always = states.iter().all(Option::is_some);
            match seen.get(&name) {
                None if always && asked => broken.push(format!("{name:?} was missed")),
                Some(shown) if !states.iter().flatten().any(|state| print(state) == *shown) => {
                    broken.push(format!("{name:?} was seen as it never was"));
                }
                _ => {}
            }
        }
        for how in broken {
            self.hold("no plan is made from an incomplete listing", false, || how);
        }
    }

    /// The outcome equals what the remote saw.
    fn account(&mut self, record: &Record, writes: &[Write]) {
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

/// The data sent for an annotation.
fn sent(by: &Exchanged, name: &Name) -> Vec<Value> {
    let body = body(&by.request);
    let items = body["annotations"].as_array().into_iter().flatten();
    items
        .filter(|item| super::remote::name_of(item) == *name)
        .cloned()
        .collect()
}

/// The replacement that this is the stand-in of.
fn stood_in<'a>(plan: &'a Plan, name: &Name) -> Option<&'a Operation> {
    plan.operations.iter().find(|it| {
        it.action() == Action::Replace
            && it.input_id.as_str() == name.0
            && stand_in_id_for(&plan.set, it).as_str() == name.1
    })
}

fn operation<'a>(plan: &'a Plan, name: &Name) -> Option<&'a Operation> {
    plan.operations
        .iter()
        .find(|it| it.input_id.as_str() == name.0 && it.id.as_str() == name.1)
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

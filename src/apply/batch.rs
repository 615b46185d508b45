//! One call of a plan: look again, and send. What the answers mean is in `settle`.

use crate::api::wire;
use crate::api::{ApiError, DeletePairs, ItemResult, PatchAction, Writer};
use crate::model::{Content, Fingerprint, Interner, Json, ObservedAnnotation, fingerprint};
use crate::observed;
use crate::plan::{Action, Call, Freshness, Operation, Plan, Touched, freshness, outlasts};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// What became of one operation.
#[derive(Debug)]
pub(super) enum Ending {
    /// It was carried out.
    Applied,
    /// There was nothing left to do.
    AlreadySo,
    /// The annotation is something else now, and is left alone.
    Stale(Option<Box<Content>>, Touched),
    /// It could not be carried out.
    Failed(String),
}

/// What became of one batch.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) call: Call,
    pub(super) endings: Vec<(u32, Ending)>,
    pub(super) calls: u64,
    /// Nothing else will go through either: the token is not accepted.
    pub(super) hopeless: bool,
}

/// Operations that are sent together, and how often that was tried.
pub(super) struct Group {
    /// How: mostly as the batch says, but for what cannot be sent so after all.
    pub(super) call: Call,
    pub(super) operations: Vec<u32>,
    /// 1 the first time.
    pub(super) attempt: u32,
}

/// How many attempts a call took, and what became of each annotation: as it is stored now, or nothing for a delete.
type Sent = (u32, Vec<ItemResult<Option<wire::Annotation>>>);

/// A call that is being carried out.
pub(super) struct Run {
    plan: Arc<Plan>,
    writer: Writer,
    pub(super) report: Report,
    interner: Interner,
    /// What annotations are once all their concepts are removed, by operation.
    emptied: HashMap<u32, Fingerprint>,
    /// Whether every removal of a shared call leaves something that is no concept.
    removals_outlast: bool,
}

/// Carries out some operations of one call.
pub(super) async fn run(
    plan: Arc<Plan>,
    writer: Writer,
    call: Call,
    operations: Vec<u32>,
) -> Report {
    let report = Report {
        call,
        endings: Vec::with_capacity(operations.len()),
        calls: 0,
        hopeless: false,
    };
    let mut run = Run {
        plan,
        writer,
        report,
        interner: Interner::default(),
        emptied: HashMap::new(),
        removals_outlast: true,
    };
    // The listing is seconds or, for a plan file, days old: what somebody changed since is not overwritten. A post needs
    // no second look: its id is its own, and the service refuses one that exists already.
    let fresh = if call == Call::Post {
        operations
    } else {
        run.look_again(operations).await
    };
    let mut groups = run.groups(call, fresh);
    while let Some(group) = groups.pop_front() {
        if !group.operations.is_empty() {
            run.send(group, &mut groups).await;
        }
    }
    run.report
}

impl Run {
    pub(super) fn operation(&self, at: u32) -> &Operation {
        &self.plan.operations[at as usize]
    }

    pub(super) fn end(&mut self, operation: u32, ending: Ending) {
        self.report.endings.push((operation, ending));
    }

    pub(super) fn fail_all(&mut self, operations: &[u32], error: &ApiError) {
        let hint = error
            .hint()
            .map(|hint| format!(" ({hint})"))
            .unwrap_or_default();
        for &operation in operations {
            self.end(operation, Ending::Failed(format!("{error}{hint}")));
        }
    }

    /// Input id and annotation id of each.
    fn names(&self, operations: &[u32]) -> Vec<(String, String)> {
        let name = |&at: &u32| {
            let operation = self.operation(at);
            (operation.input_id.to_string(), operation.id.to_string())
        };
        operations.iter().map(name).collect()
    }

    /// What these annotations are now; `None` for one that is not there.
    pub(super) async fn read(
        &mut self,
        operations: &[u32],
    ) -> Result<Vec<Option<ObservedAnnotation>>, ApiError> {
        let names = self.names(operations);
        let mut found = HashMap::new();
        for wire in self.writer.reader().by_ids(&names).await? {
            let (input, annotation) = self.decode(wire)?;
            found.insert((input, annotation.id.to_string()), annotation);
        }
        Ok(names.into_iter().map(|name| found.remove(&name)).collect())
    }

    pub(super) fn decode(
        &mut self,
        wire: wire::Annotation,
    ) -> Result<(String, ObservedAnnotation), ApiError> {
        let (input, annotation) = observed::annotation(wire, &mut self.interner)
            .map_err(|error| ApiError::Malformed(error.to_string()))?;
        Ok((input.to_string(), annotation))
    }

    /// Keeps the operations whose annotations are as the plan saw them.
    async fn look_again(&mut self, operations: Vec<u32>) -> Vec<u32> {
        let now = match self.read(&operations).await {
            Ok(now) => now,
            Err(error) => {
                self.fail_all(&operations, &error);
                self.report.hopeless |= is_hopeless(&error);
                return Vec::new();
            }
        };
        let mut fresh = Vec::with_capacity(operations.len());
        for (at, now) in operations.into_iter().zip(now) {
            match freshness(self.operation(at), now.as_ref()) {
                Freshness::AsPlanned => {
                    self.note(at, now);
                    fresh.push(at);
                }
                // The delete of a replacement is done already: that half counts as carried out.
                Freshness::HalfReplaced => self.end(at, Ending::Applied),
                Freshness::AsWanted => self.end(at, Ending::AlreadySo),
                Freshness::Stale => self.end(at, stale(now)),
            }
        }
        fresh
    }

    /// Keeps what a shared call has to know of an annotation that is as planned.
    fn note(&mut self, at: u32, now: Option<ObservedAnnotation>) {
        let (Call::RemoveOrDelete, Some(now)) = (self.report.call, now) else {
            return;
        };
        if self.operation(at).action == Action::Delete {
            let emptied = ObservedAnnotation { data: None, ..now };
            self.emptied.insert(at, fingerprint(&emptied));
        } else {
            self.removals_outlast &= outlasts(self.operation(at), &now);
        }
    }

    /// What is sent together. Removals and deletes share a call only as long as there are both, and no removal could
    /// empty an annotation that is to stay: a plan file may have been written by anybody.
    fn groups(&self, call: Call, operations: Vec<u32>) -> VecDeque<Group> {
        let group = |call, operations| Group {
            call,
            operations,
            attempt: 1,
        };
        if call != Call::RemoveOrDelete {
            return VecDeque::from([group(call, operations)]);
        }
        let (deletes, removals): (Vec<u32>, Vec<u32>) = operations
            .iter()
            .partition(|at| self.operation(**at).action == Action::Delete);
        if deletes.is_empty() || removals.is_empty() || !self.removals_outlast {
            return VecDeque::from([group(Call::Remove, removals), group(Call::Delete, deletes)]);
        }
        VecDeque::from([group(call, operations)])
    }

    /// Whether the operation's annotation is to be gone after a call of this kind.
    pub(super) fn goes(&self, call: Call, at: u32) -> bool {
        match call {
            Call::Delete | Call::DeleteReplaced => true,
            Call::RemoveOrDelete => self.operation(at).action == Action::Delete,
            _ => false,
        }
    }

    /// Whether all that happened to the annotation is that its concepts went.
    pub(super) fn is_emptied(&self, at: u32, now: &ObservedAnnotation) -> bool {
        self.emptied.get(&at) == Some(&fingerprint(now))
    }

    async fn send(&mut self, group: Group, more: &mut VecDeque<Group>) {
        let operations = &group.operations;
        let sent = match group.call {
            Call::DeleteReplaced | Call::Delete => self.send_deletes(operations).await,
            Call::Merge => self.send_bodies(Some(PatchAction::Merge), operations).await,
            Call::Remove => {
                self.send_bodies(Some(PatchAction::Remove), operations)
                    .await
            }
            Call::Overwrite => {
                self.send_bodies(Some(PatchAction::Overwrite), operations)
                    .await
            }
            Call::Post => self.send_bodies(None, operations).await,
            Call::RemoveOrDelete => {
                let action = PatchAction::RemoveOrDelete;
                self.send_bodies(Some(action), operations).await
            }
            Call::Purge => Err(ApiError::Unsendable(
                "a purge is no call of operations".to_owned(),
            )),
        };
        match sent {
            Ok((attempts, items)) => {
                self.report.calls += u64::from(attempts);
                self.settle(&group, attempts, items, more).await;
            }
            Err(error) => self.refused(group, &error, more).await,
        }
    }

    async fn send_deletes(&self, operations: &[u32]) -> Result<Sent, ApiError> {
        let pairs = DeletePairs::new(self.names(operations))
            .map_err(|error| ApiError::Unsendable(error.to_string()))?;
        let answer = self.writer.delete(&pairs).await?;
        let items = answer.items.into_iter().map(|item| item.map(|()| None));
        Ok((answer.attempts, items.collect()))
    }

    /// Sends the operations' bodies: a patch of this action, or a post.
    async fn send_bodies(
        &self,
        action: Option<PatchAction>,
        operations: &[u32],
    ) -> Result<Sent, ApiError> {
        let missing = || ApiError::Unsendable("the plan has no body for it".to_owned());
        let bodies = operations
            .iter()
            .map(|&at| {
                self.operation(at)
                    .body
                    .as_ref()
                    .map(Json::as_str)
                    .ok_or_else(missing)
            })
            .collect::<Result<Vec<&str>, ApiError>>()?;
        let answer = match action {
            Some(action) => self.writer.patch(action, &bodies).await?,
            None => self.writer.post(&bodies).await?,
        };
        let items = answer.items.into_iter().map(|item| item.map(Some));
        Ok((answer.attempts, items.collect()))
    }
}

pub(super) fn stale(now: Option<ObservedAnnotation>) -> Ending {
    Ending::Stale(now.map(|now| Box::new(now.content())), Touched::Not)
}

pub(super) fn is_hopeless(error: &ApiError) -> bool {
    matches!(error, ApiError::Unauthorised { .. })
}

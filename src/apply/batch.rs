//! One call of a plan: look again, and send. What the answers mean is in `settle`.

use crate::api::wire;
use crate::api::{ApiError, DeletePairs, ItemResult, PatchAction, Writer};
use crate::model::{Content, Interner, Json, ObservedAnnotation};
use crate::observed;
use crate::plan::{Call, Freshness, Operation, Plan, freshness};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// What became of one operation.
#[derive(Debug)]
pub(super) enum Ending {
    /// It was carried out.
    Applied,
    /// There was nothing left to do.
    AlreadySo,
    /// The annotation is something else now, and was left alone.
    Stale(Option<Box<Content>>),
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
    };
    // The listing is seconds or, for a plan file, days old: what somebody changed since is not overwritten. A post needs
    // no second look: its id is its own, and the service refuses one that exists already.
    let fresh = if call == Call::Post {
        operations
    } else {
        run.look_again(operations).await
    };
    let mut groups = VecDeque::from([Group {
        operations: fresh,
        attempt: 1,
    }]);
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
                Freshness::AsPlanned => fresh.push(at),
                // The delete of a replacement is done already: that half counts as carried out.
                Freshness::HalfReplaced => self.end(at, Ending::Applied),
                Freshness::AsWanted => self.end(at, Ending::AlreadySo),
                Freshness::Stale => self.end(at, stale(now)),
            }
        }
        fresh
    }

    async fn send(&mut self, group: Group, more: &mut VecDeque<Group>) {
        let operations = &group.operations;
        let sent = match self.report.call {
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
            Call::RemoveOrDelete | Call::Purge => Err(ApiError::Unsendable(
                "no plan holds such a call yet".to_owned(),
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
    Ending::Stale(now.map(|now| Box::new(now.content())))
}

pub(super) fn is_hopeless(error: &ApiError) -> bool {
    matches!(error, ApiError::Unauthorised { .. })
}

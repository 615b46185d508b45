//! How a call of each kind is sent.

use super::batch::{BatchRun, is_delete};
use super::queue::{Group, Queue};
use crate::api::{ApiError, DeletePairs, ItemResult, NamedBody, PatchAction};
use crate::plan::{Call, MAX_BYTES, stand_in_body};
use crate::wire;
use std::sync::Arc;

/// The result of each annotation of a call, as it is stored now; `None` for a delete.
type Results = Vec<ItemResult<Option<wire::Annotation>>>;

impl BatchRun {
    pub(super) async fn send(&mut self, group: Group, queue: &mut Queue) {
        // Batches were packed by the sizes that the plan knows, or that a plan file claims.
        if group.items.len() > 1 && self.bytes(&group) > MAX_BYTES {
            return queue.push_halves(group);
        }
        let operations = &group.items;
        let sent = match group.call {
            Call::DeleteLeftBehind | Call::DeleteReplaced | Call::Delete | Call::DeleteStandIn => {
                self.send_deletes(group.call, operations).await
            }
            Call::Merge
            | Call::Remove
            | Call::Overwrite
            | Call::RemoveOrDelete
            | Call::PostStandIn
            | Call::Post => self.send_bodies(group.call, operations).await,
            Call::Purge | Call::PostInputs | Call::DeleteInputs => Err(ApiError::Unsendable(
                "this call does not write annotations".to_owned(),
            )),
        };
        self.report.calls += 1;
        match sent {
            Ok(items) => self.settle(group, items, queue).await,
            Err(error) => self.settle_failed_call(group, error, queue).await,
        }
    }

    /// The bytes of the bodies that a call would carry.
    fn bytes(&self, group: &Group) -> usize {
        if is_delete(group.call) {
            return 0;
        }
        let bodies = group.items.iter().filter_map(|at| self.bodies.get(at));
        bodies.map(|body| body.as_str().len()).sum()
    }

    async fn send_deletes(&self, call: Call, operations: &[u32]) -> Result<Results, ApiError> {
        let names = self.names(call, operations).into_iter();
        let pairs = names.map(|(input, id)| (input.to_string(), id.to_string()));
        let pairs = DeletePairs::new(pairs.collect())
            .map_err(|error| ApiError::Unsendable(error.to_string()))?;
        let answer = self.writer.delete(&pairs).await?;
        Ok(answer.into_iter().map(|item| item.map(|()| None)).collect())
    }

    async fn send_bodies(&self, call: Call, operations: &[u32]) -> Result<Results, ApiError> {
        let named = operations.iter().zip(self.names(call, operations));
        let bodies = named.map(|(at, (input, id))| {
            let missing = || ApiError::Unsendable("an operation has no body".to_owned());
            let body = self.bodies.get(at).ok_or_else(missing)?;
            let json = match call {
                Call::PostStandIn => {
                    Arc::new(stand_in_body(&self.plan.set, self.operation(*at), body))
                }
                _ => Arc::clone(body),
            };
            Ok(NamedBody { input, id, json })
        });
        let bodies: Vec<NamedBody> = bodies.collect::<Result<_, ApiError>>()?;
        let answer = match patch_action(call) {
            Some(action) => self.writer.patch(action, &bodies).await?,
            None => self.writer.post(&bodies).await?,
        };
        Ok(answer.into_iter().map(|item| item.map(Some)).collect())
    }
}

/// How a call of this kind patches; `None` if it does not.
pub(super) fn patch_action(call: Call) -> Option<PatchAction> {
    match call {
        Call::Merge => Some(PatchAction::Merge),
        Call::Remove => Some(PatchAction::Remove),
        Call::RemoveOrDelete => Some(PatchAction::RemoveOrDelete),
        Call::Overwrite => Some(PatchAction::Overwrite),
        _ => None,
    }
}

//! How a call of each kind is sent.

use super::batch::{BatchRun, is_delete};
use super::queue::{Group, Queue};
use crate::api::{ApiError, DeletePairs, ItemResult, PatchAction};
use crate::model::Json;
use crate::plan::{Call, MAX_BYTES, stand_in_body};
use crate::wire;

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
            Call::Merge => self.send_patches(PatchAction::Merge, operations).await,
            Call::Remove => self.send_patches(PatchAction::Remove, operations).await,
            Call::Overwrite => self.send_patches(PatchAction::Overwrite, operations).await,
            Call::RemoveOrDelete => {
                let action = PatchAction::RemoveOrDelete;
                self.send_patches(action, operations).await
            }
            Call::PostStandIn | Call::Post => self.send_posts(group.call, operations).await,
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

    async fn send_patches(
        &self,
        action: PatchAction,
        operations: &[u32],
    ) -> Result<Results, ApiError> {
        let bodies = self.bodies_of(operations)?;
        let bodies: Vec<&str> = bodies.into_iter().map(Json::as_str).collect();
        let answer = self.writer.patch(action, &bodies).await?;
        Ok(answer.into_iter().map(|item| item.map(Some)).collect())
    }

    async fn send_posts(&self, call: Call, operations: &[u32]) -> Result<Results, ApiError> {
        let bodies = self.bodies_of(operations)?;
        let stand_ins: Vec<Json>;
        let bodies: Vec<&str> = if call == Call::PostStandIn {
            let with_bodies = operations.iter().zip(bodies);
            stand_ins = with_bodies
                .map(|(&at, body)| stand_in_body(&self.plan.set, self.operation(at), body))
                .collect();
            stand_ins.iter().map(Json::as_str).collect()
        } else {
            bodies.into_iter().map(Json::as_str).collect()
        };
        let answer = self.writer.post(&bodies).await?;
        Ok(answer.into_iter().map(|item| item.map(Some)).collect())
    }

    fn bodies_of(&self, operations: &[u32]) -> Result<Vec<&Json>, ApiError> {
        let missing = || ApiError::Unsendable("an operation has no body".to_owned());
        let body = |at: &u32| self.bodies.get(at).map(|body| &**body).ok_or_else(missing);
        operations.iter().map(body).collect()
    }
}

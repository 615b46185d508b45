//! How a call of each kind is sent.

use super::batch::{Group, Run};
use super::settle::split;
use crate::api::{ApiError, DeletePairs, ItemResult, PatchAction, wire};
use crate::model::Json;
use crate::plan::{Call, MAX_BYTES, stand_in_body};
use std::collections::VecDeque;

/// What became of each annotation of a call: as it is stored now, or nothing for a delete.
type Sent = Vec<ItemResult<Option<wire::Annotation>>>;

impl Run {
    pub(super) async fn send(&mut self, group: Group, more: &mut VecDeque<Group>) {
        // Calls were packed by what annotations were when they were planned, or by what a plan file says of that.
        if group.operations.len() > 1 && self.bytes(&group) > MAX_BYTES {
            return split(group, more);
        }
        let operations = &group.operations;
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
                "this call is not about operations".to_owned(),
            )),
        };
        self.report.calls += 1;
        match sent {
            Ok(items) => self.settle(group, items, more).await,
            Err(error) => self.refused(group, error, more).await,
        }
    }

    /// The bytes of the bodies that a call would carry.
    fn bytes(&self, group: &Group) -> usize {
        let deletes = matches!(
            group.call,
            Call::DeleteLeftBehind | Call::DeleteReplaced | Call::Delete | Call::DeleteStandIn
        );
        let bodies = group.operations.iter().filter_map(|at| self.bodies.get(at));
        let bytes = bodies.map(|body| body.as_str().len()).sum();
        if deletes { 0 } else { bytes }
    }

    async fn send_deletes(&self, call: Call, operations: &[u32]) -> Result<Sent, ApiError> {
        let pairs = DeletePairs::new(self.names(call, operations))
            .map_err(|error| ApiError::Unsendable(error.to_string()))?;
        let answer = self.writer.delete(&pairs).await?;
        Ok(answer.into_iter().map(|item| item.map(|()| None)).collect())
    }

    async fn send_patches(
        &self,
        action: PatchAction,
        operations: &[u32],
    ) -> Result<Sent, ApiError> {
        let bodies = self.texts(operations)?;
        let answer = self.writer.patch(action, &bodies).await?;
        Ok(answer.into_iter().map(|item| item.map(Some)).collect())
    }

    /// Posts what the operations make, or the stand-ins of what they replace.
    async fn send_posts(&self, call: Call, operations: &[u32]) -> Result<Sent, ApiError> {
        let answer = if call == Call::PostStandIn {
            let with_bodies = operations.iter().zip(self.bodies_of(operations)?);
            let stand_ins: Vec<Json> = with_bodies
                .map(|(&at, body)| stand_in_body(&self.plan.set, self.operation(at), body))
                .collect();
            let stand_ins: Vec<&str> = stand_ins.iter().map(Json::as_str).collect();
            self.writer.post(&stand_ins).await?
        } else {
            self.writer.post(&self.texts(operations)?).await?
        };
        Ok(answer.into_iter().map(|item| item.map(Some)).collect())
    }

    fn bodies_of(&self, operations: &[u32]) -> Result<Vec<&Json>, ApiError> {
        let missing =
            || ApiError::Unsendable("nothing was looked at that it is made of".to_owned());
        let body = |at: &u32| self.bodies.get(at).map(|body| &**body).ok_or_else(missing);
        operations.iter().map(body).collect()
    }

    fn texts(&self, operations: &[u32]) -> Result<Vec<&str>, ApiError> {
        let bodies = self.bodies_of(operations)?;
        Ok(bodies.into_iter().map(Json::as_str).collect())
    }
}

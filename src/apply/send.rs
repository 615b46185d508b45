//! How a call of each kind is sent.

use super::batch::{Group, Run};
use crate::api::{ApiError, DeletePairs, ItemResult, PatchAction, wire};
use crate::model::Json;
use crate::plan::{Call, stand_in_body};
use std::collections::VecDeque;

/// What became of each annotation of a call: as it is stored now, or nothing for a delete.
type Sent = Vec<ItemResult<Option<wire::Annotation>>>;

impl Run {
    pub(super) async fn send(&mut self, group: Group, more: &mut VecDeque<Group>) {
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
        let bodies = operations
            .iter()
            .map(|&at| self.operation(at).body.as_ref());
        let bodies = texts(bodies)?;
        let answer = self.writer.patch(action, &bodies).await?;
        Ok(answer.into_iter().map(|item| item.map(Some)).collect())
    }

    /// Posts what the operations make, or the stand-ins of what they replace.
    async fn send_posts(&self, call: Call, operations: &[u32]) -> Result<Sent, ApiError> {
        let stand_ins: Vec<Option<Json>> = match call {
            Call::PostStandIn => {
                let body = |&at: &u32| stand_in_body(&self.plan.set, self.operation(at));
                operations.iter().map(body).collect()
            }
            _ => Vec::new(),
        };
        let bodies = match call {
            Call::PostStandIn => texts(stand_ins.iter().map(Option::as_ref))?,
            _ => texts(
                operations
                    .iter()
                    .map(|&at| self.operation(at).body.as_ref()),
            )?,
        };
        let answer = self.writer.post(&bodies).await?;
        Ok(answer.into_iter().map(|item| item.map(Some)).collect())
    }
}

fn texts<'a>(bodies: impl Iterator<Item = Option<&'a Json>>) -> Result<Vec<&'a str>, ApiError> {
    let missing = || ApiError::Unsendable("the plan has no body for it".to_owned());
    bodies
        .map(|body| body.map(Json::as_str).ok_or_else(missing))
        .collect()
}

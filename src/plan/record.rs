//! The form of an operation in a plan file: one flat object; each kind of change has its own fields.

use super::operation::{
    Action, Cause, Change, DeleteReason, DoubledAnnotation, Edit, Observed, Operation, Reason,
    Restoration, Seen, UndoChange, Written, is_default,
};
use crate::matching::Matched;
use crate::model::{AnnotationId, Content, Fingerprint, InputId, Json, Key, UserId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One write to one annotation.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Record {
    /// The kind of the write.
    action: Action,
    /// The input of the annotation.
    input_id: InputId,
    /// The observed id, or the one that a post will give the annotation.
    id: AnnotationId,
    /// The name that the manifest gives the annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Key>,
    /// Why the operation is in the plan.
    reason: Reason,
    /// Whether the manifest or the app changed since the base; absent from a plan without a base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    /// The user who must apply the operation with their token, unless it is the app's owner. Absent if any token that may
    /// write to the app will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needs: Option<UserId>,
    /// The owner and the time of the last write; absent from a post, and from an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<Seen>,
    /// Why the declared annotation was matched with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    matched: Option<Matched>,
    /// For a post: an annotation of another user or set that it would double.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    double: Option<Box<DoubledAnnotation>>,
    /// The content before the write, in the manifest's notation: the managed fields, or all fields of an annotation that is
    /// deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Content>,
    /// The content after the write, in the manifest's notation: the managed fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Content>,
    /// The fingerprint of the observed annotation: one with another fingerprint is stale. Of a replacement that an earlier
    /// run did not finish, the stand-in's. Absent from an operation of an undo until the apply has written the annotation;
    /// `before` identifies it until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<Fingerprint>,
    /// The size in a call when the operation was planned: calls are packed by it. Absent from a delete, unless it shares a
    /// call with removals.
    #[serde(default, skip_serializing_if = "is_default")]
    bytes: u32,
    /// For an undo's post, overwrite or replacement: the annotation as it is sent. The body of any other operation is made
    /// from what the service stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Json>,
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Record::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Record::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Operation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Operation".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Record::json_schema(generator)
    }
}

/// The first operation of a plan file with contradictory fields, and the contradiction; `None` if there is none.
pub(super) fn contradiction(plan: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Records {
        operations: Vec<Record>,
    }
    let records: Records = serde_json::from_str(plan).ok()?;
    let mut operations = records.operations.into_iter().map(Operation::try_from);
    operations.find_map(Result::err)
}

impl From<&Operation> for Record {
    fn from(operation: &Operation) -> Self {
        Self {
            action: operation.action(),
            input_id: operation.input_id.clone(),
            id: operation.id.clone(),
            key: operation.key.clone(),
            reason: operation.reason(),
            cause: operation.cause,
            needs: operation.needs.clone(),
            seen: operation.seen().cloned(),
            matched: operation.matched(),
            double: operation.double().cloned().map(Box::new),
            before: operation.before().cloned(),
            after: operation.after().cloned(),
            fingerprint: operation.fingerprint(),
            bytes: operation.bytes,
            body: operation.body().cloned(),
        }
    }
}

impl TryFrom<Record> for Operation {
    type Error = String;

    fn try_from(mut record: Record) -> Result<Self, String> {
        let change = record.take_change().and_then(|change| {
            let spare = record.remaining_field();
            spare.map_or(Ok(change), |field| {
                Err(format!(
                    "`{field}` is not allowed in this kind of operation"
                ))
            })
        });
        let Record {
            action,
            input_id,
            id,
            key,
            cause,
            needs,
            bytes,
            ..
        } = record;
        match change {
            Ok(change) => Ok(Self {
                input_id,
                id,
                key,
                cause,
                needs,
                bytes,
                change,
            }),
            Err(what) => Err(format!("{action} {id} of input {input_id}: {what}")),
        }
    }
}

impl Record {
    /// Takes the fields that an operation of this action and reason has.
    fn take_change(&mut self) -> Result<Change, String> {
        Ok(match (self.action, self.reason) {
            (Action::Post, Reason::NotOnRemote) => Change::Post {
                after: take("after", &mut self.after)?,
                double: self.double.take(),
            },
            (Action::Merge, Reason::Differs) => Change::Merge(self.take_edit()?),
            (Action::Remove, Reason::Differs) => Change::Remove(self.take_edit()?),
            (Action::Overwrite, Reason::Differs) => Change::Overwrite(self.take_edit()?),
            (Action::Replace, Reason::Differs) => Change::Replace(self.take_edit()?),
            (Action::Replace, Reason::Unfinished) => Change::Finish {
                observed: Box::new(self.take_observed()?),
                after: take("after", &mut self.after)?,
                matched: self.matched.take(),
            },
            (Action::Delete, Reason::NotDeclared) => self.take_delete(DeleteReason::NotDeclared)?,
            (Action::Delete, Reason::InputNotDeclared) => {
                self.take_delete(DeleteReason::InputNotDeclared)?
            }
            (Action::Delete, Reason::LeftBehind) => self.take_delete(DeleteReason::LeftBehind)?,
            (Action::Post, Reason::Undone) => Change::Undo(UndoChange::Post {
                after: take("after", &mut self.after)?,
                body: take("body", &mut self.body)?,
            }),
            (Action::Overwrite, Reason::Undone) => {
                Change::Undo(UndoChange::Overwrite(self.take_restoration()?))
            }
            (Action::Replace, Reason::Undone) => {
                Change::Undo(UndoChange::Replace(self.take_restoration()?))
            }
            (Action::Delete, Reason::Undone) => {
                Change::Undo(UndoChange::Delete(Box::new(self.take_written()?)))
            }
            (_, reason) => {
                let reason = serde_json::to_string(&reason).unwrap_or_default();
                return Err(format!(
                    "an operation of this action cannot have the reason {reason}"
                ));
            }
        })
    }

    fn take_observed(&mut self) -> Result<Observed, String> {
        Ok(Observed {
            content: take("before", &mut self.before)?,
            seen: take("seen", &mut self.seen)?,
            fingerprint: take("fingerprint", &mut self.fingerprint)?,
        })
    }

    fn take_edit(&mut self) -> Result<Box<Edit>, String> {
        Ok(Box::new(Edit {
            observed: self.take_observed()?,
            after: take("after", &mut self.after)?,
            matched: take("matched", &mut self.matched)?,
        }))
    }

    fn take_delete(&mut self, reason: DeleteReason) -> Result<Change, String> {
        let observed = Box::new(self.take_observed()?);
        Ok(Change::Delete { observed, reason })
    }

    fn take_written(&mut self) -> Result<Written, String> {
        Ok(Written {
            content: take("before", &mut self.before)?,
            fingerprint: self.fingerprint.take(),
        })
    }

    fn take_restoration(&mut self) -> Result<Box<Restoration>, String> {
        Ok(Box::new(Restoration {
            written: self.take_written()?,
            after: take("after", &mut self.after)?,
            body: take("body", &mut self.body)?,
        }))
    }

    /// A field that [`Self::take_change`] did not take.
    fn remaining_field(&self) -> Option<&'static str> {
        let fields = [
            ("seen", self.seen.is_some()),
            ("matched", self.matched.is_some()),
            ("double", self.double.is_some()),
            ("before", self.before.is_some()),
            ("after", self.after.is_some()),
            ("fingerprint", self.fingerprint.is_some()),
            ("body", self.body.is_some()),
        ];
        let remaining = fields.into_iter().find(|(_, is_there)| *is_there);
        remaining.map(|(name, _)| name)
    }
}

fn take<T>(name: &str, field: &mut Option<T>) -> Result<T, String> {
    field.take().ok_or_else(|| format!("`{name}` is missing"))
}

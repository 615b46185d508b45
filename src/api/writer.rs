//! Writes to an app: posts, patches, deletes by name. Each call is sent once: before another attempt the caller has to read what
//! exists by then ([`Writer::pause`]).
//!
//! Answers are matched with what was sent by (input id, annotation id), not by position: servers reorder and omit items. An item
//! that an answer does not mention is [`ItemResult::Unknown`], and has to be read back.

use super::delete::DeletePairs;
use super::error::ApiError;
use super::item::ItemResult;
use super::reader::Reader;
use super::transport::Transport;
use crate::model::{AnnotationId, InputId, Json};
use crate::wire::Code;
use crate::wire::{Annotation, Annotations, WriteCall, WriteMethod, body};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PatchAction {
    /// Merges into what is stored; elements of lists by their ids.
    Merge,
    /// Replaces what is stored.
    Overwrite,
    /// Removes the elements of lists whose ids are given.
    Remove,
    /// Like `Remove`, and deletes annotations that are left with empty data (`delete_if_empty_data`), except input-level
    /// annotations.
    #[serde(rename = "remove")]
    RemoveOrDelete,
}

/// A client that writes. It shares one rate limit and one limit of calls at a time with its clones and readers.
#[derive(Debug, Clone)]
pub struct Writer(pub(super) Arc<Transport>);

/// An annotation to write: its JSON, and the ids that the JSON names.
#[derive(Debug, Clone)]
pub struct NamedBody {
    pub input: InputId,
    pub id: AnnotationId,
    pub json: Arc<Json>,
}

impl Writer {
    pub(super) fn over(transport: Arc<Transport>) -> Self {
        Self(transport)
    }

    /// How many calls this connection has sent, including a reader's; each attempt counts.
    pub fn calls(&self) -> u64 {
        self.0.calls()
    }

    /// A reader over the same connection.
    pub fn reader(&self) -> Reader {
        Reader::over(Arc::clone(&self.0))
    }

    /// The pause before the next attempt, if the last of `attempts` attempts failed with `error`.
    /// `None` if the error is permanent, or the attempts are used up.
    pub fn pause(&self, attempts: u32, error: &ApiError) -> Option<Duration> {
        self.0.pause(attempts, error)
    }

    /// Creates annotations, whose ids the client chose, which makes the call safe to repeat.
    pub async fn post(
        &self,
        annotations: &[NamedBody],
    ) -> Result<Vec<ItemResult<Annotation>>, ApiError> {
        self.send(None, annotations).await
    }

    /// Changes annotations. The call may be repeated, so a merge must not append to lists without ids.
    pub async fn patch(
        &self,
        action: PatchAction,
        annotations: &[NamedBody],
    ) -> Result<Vec<ItemResult<Annotation>>, ApiError> {
        self.send(Some(action), annotations).await
    }

    /// Deletes the named annotations; a single one by its path.
    pub async fn delete(&self, pairs: &DeletePairs) -> Result<Vec<ItemResult<()>>, ApiError> {
        let sent: Annotations = self.0.write(pairs.call()).await?;
        let names: Vec<(&str, &str)> = pairs
            .pairs()
            .iter()
            .map(|(input, id)| (input.as_str(), id.as_str()))
            .collect();
        let results = if sent.status.code == Code::SUCCESS && sent.annotations.is_empty() {
            names.iter().map(|_| ItemResult::Done(())).collect()
        } else {
            let whole = sent.status.code;
            align(&names, sent.annotations)
                .into_iter()
                .map(|answer| match answer {
                    None if whole == Code::SUCCESS => ItemResult::Done(()),
                    None => ItemResult::Unknown,
                    Some(annotation) => self.judge(whole, None, annotation).map(|_| ()),
                })
                .collect()
        };
        Ok(results)
    }

    async fn send(
        &self,
        action: Option<PatchAction>,
        annotations: &[NamedBody],
    ) -> Result<Vec<ItemResult<Annotation>>, ApiError> {
        if annotations.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<(&str, &str)> = annotations
            .iter()
            .map(|sent| (sent.input.as_str(), sent.id.as_str()))
            .collect();
        let call = annotations_call(action, annotations.iter().map(|sent| &*sent.json));
        let sent: Annotations = self.0.write(call).await?;
        let whole = sent.status.code;
        let items = align(&names, sent.annotations)
            .into_iter()
            .zip(annotations)
            .map(|(answer, sent)| match answer {
                None => ItemResult::Unknown,
                Some(annotation) => self.judge(whole, Some(&sent.json), annotation),
            })
            .collect();
        Ok(items)
    }

    /// Judges an annotation by its own status. If the answer repeats the status that was sent, it is the annotation's state and
    /// not a failure.
    fn judge(
        &self,
        whole: Code,
        sent: Option<&Json>,
        annotation: Annotation,
    ) -> ItemResult<Annotation> {
        let code = annotation
            .status
            .as_ref()
            .map_or(Code::default(), |status| status.code);
        let was_sent = || sent.and_then(body::status_code) == Some(code);
        let succeeded = code == Code::SUCCESS || is_state(code) || was_sent();
        match whole {
            Code::SUCCESS if succeeded || code == Code::default() => ItemResult::Done(annotation),
            Code::MIXED_STATUS if succeeded => ItemResult::Done(annotation),
            // The answer says nothing about it, or only what was stored before.
            _ if succeeded || code == Code::default() => ItemResult::Unknown,
            _ => ItemResult::Failed(self.0.item_error(&annotation.status.unwrap_or_default())),
        }
    }
}

/// Codes that describe the labelling work, not a failed write.
fn is_state(code: Code) -> bool {
    matches!(
        code,
        Code::ANNOTATION_SUCCESS
            | Code::ANNOTATION_PENDING
            | Code::ANNOTATION_AWAITING_REVIEW
            | Code::ANNOTATION_REVIEW_DENIED
            | Code::ANNOTATION_AWAITING_CONSENSUS_REVIEW
            | Code::ANNOTATION_MODIFY_SUCCESS
            | Code::ANNOTATION_MODIFY_PENDING
    )
}

/// The call that posts or patches these annotations. They are joined as text, because they are JSON already.
pub fn annotations_call<'a>(
    patch: Option<PatchAction>,
    annotations: impl IntoIterator<Item = &'a Json>,
) -> WriteCall {
    let mut text = "{".to_owned();
    if let Some(action) = patch {
        let word = serde_json::to_string(&action).expect("a word always serialises");
        text.push_str(r#""action":"#);
        text.push_str(&word);
        text.push(',');
        if action == PatchAction::RemoveOrDelete {
            text.push_str(r#""delete_if_empty_data":true,"#);
        }
    }
    let annotations: Vec<&str> = annotations.into_iter().map(Json::as_str).collect();
    text.push_str(r#""annotations":["#);
    text.push_str(&annotations.join(","));
    text.push_str("]}");
    let method = match patch {
        Some(_) => WriteMethod::Patch,
        None => WriteMethod::Post,
    };
    WriteCall::new(method, &["annotations"], Some(text))
}

/// The answer to each of `names`; `None` unless there is exactly one.
fn align(names: &[(&str, &str)], answers: Vec<Annotation>) -> Vec<Option<Annotation>> {
    let mut places: HashMap<(&str, &str), Option<usize>> = HashMap::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        // The answers to a name that was sent twice cannot be told apart.
        places
            .entry(*name)
            .and_modify(|place| *place = None)
            .or_insert(Some(at));
    }
    let mut aligned: Vec<Option<Annotation>> = names.iter().map(|_| None).collect();
    let mut answered = vec![0_u32; names.len()];
    for annotation in answers {
        let name = (annotation.input_id.as_str(), annotation.id.as_str());
        if let Some(Some(at)) = places.get(&name).copied() {
            answered[at] += 1;
            aligned[at] = Some(annotation);
        }
    }
    for (answer, times) in aligned.iter_mut().zip(answered) {
        if times > 1 {
            *answer = None;
        }
    }
    aligned
}

#[cfg(test)]
mod tests;

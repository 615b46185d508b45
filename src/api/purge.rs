//! The only call that deletes annotations without naming them: everything on some inputs.
//!
//! This file holds all of it, from the type to the body, so that there is one place to look for a way to delete everything.
//! Whether an input may be purged is not decided here.

use super::error::ApiError;
use super::item::ItemError;
use super::writer::Writer;
use crate::wire::{Annotations, WriteCall, WriteMethod};
use serde::Serialize;

/// Ids that a purge cannot name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPurge {
    /// No input.
    #[error("a purge must name at least one input")]
    NoInput,
    /// An empty id.
    #[error("a purge must name each input by its id")]
    NoId,
    /// More than one call takes.
    #[error("a purge of {0} inputs; a call takes at most {most}", most = PurgeInputs::MOST)]
    TooMany(usize),
}

/// The inputs that a purge names: 1 to 128 ids, none of them empty.
///
/// The API reads a delete with only `input_ids` as "everything on these inputs except their input-level annotations",
/// whoever made it. Only this type is written in that form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgeInputs(Vec<String>);

impl PurgeInputs {
    /// The API's documented limit for a call.
    pub const MOST: usize = 128;

    pub fn new(input_ids: Vec<String>) -> Result<Self, InvalidPurge> {
        if input_ids.is_empty() {
            return Err(InvalidPurge::NoInput);
        }
        if input_ids.len() > Self::MOST {
            return Err(InvalidPurge::TooMany(input_ids.len()));
        }
        if input_ids.iter().any(|id| id.trim().is_empty()) {
            return Err(InvalidPurge::NoId);
        }
        Ok(Self(input_ids))
    }

    /// The call that purges them.
    pub fn call(&self) -> WriteCall {
        #[derive(Serialize)]
        struct Body<'a> {
            input_ids: &'a [String],
        }
        let body =
            serde_json::to_string(&Body { input_ids: &self.0 }).expect("text always serialises");
        WriteCall::new(WriteMethod::Delete, &["annotations"], Some(body))
    }
}

impl Writer {
    /// Deletes everything on these inputs except their input-level annotations, whoever made it. Returns the service's
    /// objection, if any. The answer does not name the inputs, so list what is left.
    pub async fn purge(&self, inputs: &PurgeInputs) -> Result<Option<ItemError>, ApiError> {
        let sent: Annotations = self.0.write(inputs.call()).await?;
        Ok(self.0.objection(&sent.status))
    }
}

#[cfg(test)]
mod tests {
    use super::super::connect::connect;
    use super::super::scripted::{Reply, Scripted};
    use super::*;
    use crate::wire::Code;

    fn inputs(ids: &[&str]) -> PurgeInputs {
        PurgeInputs::new(ids.iter().map(|id| (*id).to_owned()).collect()).unwrap()
    }

    #[test]
    fn a_purge_names_1_to_128_inputs() {
        let of = |count: usize| PurgeInputs::new((0..count).map(|n| n.to_string()).collect());
        assert_eq!(of(0), Err(InvalidPurge::NoInput));
        assert!(of(1).is_ok() && of(128).is_ok());
        assert_eq!(of(129), Err(InvalidPurge::TooMany(129)));
        for bad in ["", " "] {
            let ids = vec!["in".to_owned(), bad.to_owned()];
            assert_eq!(PurgeInputs::new(ids), Err(InvalidPurge::NoId));
        }
    }

    #[tokio::test]
    async fn a_purge_is_sent_as_the_api_documents_it_and_once() {
        let server = Scripted::start(|call| match call.number {
            0 => Reply::Text(200, r#"{"status":{"code":10000}}"#.into()),
            _ => Reply::Text(429, r#"{"status":{"code":"CONN_THROTTLED"}}"#.into()),
        });
        let (_, writer) = connect(&server.connection()).unwrap();
        let inputs = inputs(&["in-1", "in-2"]);
        assert_eq!(writer.purge(&inputs).await, Ok(None));
        let busy = writer.purge(&inputs).await.unwrap_err();
        assert!(busy.is_transient(), "{busy}");
        assert_eq!(server.calls().len(), 2);
        for call in server.calls() {
            assert_eq!(call.method, "DELETE");
            assert_eq!(call.path, "/v2/users/ann/apps/street/annotations");
            assert_eq!(call.body, r#"{"input_ids":["in-1","in-2"]}"#);
        }
    }

    #[tokio::test]
    async fn an_objection_of_the_service_is_returned() {
        let server = Scripted::start(|call| match call.number {
            0 => Reply::Text(
                200,
                r#"{"status":{"code":10010,"description":"of to\u001bpsecret"}}"#.into(),
            ),
            _ => Reply::Text(
                403,
                r#"{"status":{"code":24156,"description":"not yours"}}"#.into(),
            ),
        });
        let (_, writer) = connect(&server.connection()).unwrap();
        let mixed = writer.purge(&inputs(&["in"])).await.unwrap();
        let objection = mixed.unwrap();
        assert_eq!(objection.code, Code::MIXED_STATUS);
        assert!(!objection.to_string().contains('\u{1b}'));
        let refused = writer.purge(&inputs(&["in"])).await.unwrap_err();
        assert!(refused.is_rejection(), "{refused}");
    }
}

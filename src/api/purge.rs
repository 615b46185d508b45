//! The one call that deletes without naming annotations: everything on some inputs.
//!
//! All of it is in this file, from the type that it takes to the body that is sent, so that whoever looks for a way to
//! delete everything finds one place. Whether an input may be purged is not decided here.

use super::code::Code;
use super::error::ApiError;
use super::writer::{ItemError, Writer};
use reqwest::Method;
use serde::Serialize;

/// Inputs that a purge cannot be sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPurgeable {
    /// No input at all.
    #[error("a purge has to name at least one input")]
    NoInput,
    /// An input without an id.
    #[error("a purge has to name each input by its id")]
    NoId,
    /// More than a call takes.
    #[error("a purge of {0} inputs; a call takes {most}", most = PurgeInputs::MOST)]
    TooMany(usize),
}

/// The inputs that a purge names: 1 to 128 ids, none of them empty.
///
/// The API reads a delete with `input_ids` alone as "everything on these inputs but their input-level annotations",
/// whoever made it. This type is the only one that is written so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgeInputs(Vec<String>);

impl PurgeInputs {
    /// As many as the API documents for a call.
    pub const MOST: usize = 128;

    /// Checks the ids.
    pub fn new(input_ids: Vec<String>) -> Result<Self, NotPurgeable> {
        if input_ids.is_empty() {
            return Err(NotPurgeable::NoInput);
        }
        if input_ids.len() > Self::MOST {
            return Err(NotPurgeable::TooMany(input_ids.len()));
        }
        if input_ids.iter().any(|id| id.trim().is_empty()) {
            return Err(NotPurgeable::NoId);
        }
        Ok(Self(input_ids))
    }

    fn body(&self) -> String {
        #[derive(Serialize)]
        struct Body<'a> {
            input_ids: &'a [String],
        }
        serde_json::to_string(&Body { input_ids: &self.0 }).expect("text always serialises")
    }
}

impl Writer {
    /// Deletes everything on these inputs but their input-level annotations, whoever made it. Gives what the
    /// service says where it does not say success. Which of the inputs that is about, it does not say, and nothing of
    /// single annotations: what is left has to be listed.
    pub async fn purge(&self, inputs: &PurgeInputs) -> Result<Option<ItemError>, ApiError> {
        let sent = self
            .call(Method::DELETE, &["annotations"], Some(inputs.body()))
            .await?;
        let status = sent.status;
        Ok((status.code != Code::SUCCESS).then(|| self.complaint(&status)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::connect;
    use super::super::scripted::{Reply, Scripted};
    use super::*;

    fn inputs(ids: &[&str]) -> PurgeInputs {
        PurgeInputs::new(ids.iter().map(|id| (*id).to_owned()).collect()).unwrap()
    }

    #[test]
    fn a_purge_names_1_to_128_inputs() {
        let of = |count: usize| PurgeInputs::new((0..count).map(|n| n.to_string()).collect());
        assert_eq!(of(0), Err(NotPurgeable::NoInput));
        assert!(of(1).is_ok() && of(128).is_ok());
        assert_eq!(of(129), Err(NotPurgeable::TooMany(129)));
        for bad in ["", " "] {
            let ids = vec!["in".to_owned(), bad.to_owned()];
            assert_eq!(PurgeInputs::new(ids), Err(NotPurgeable::NoId));
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
    async fn what_the_service_has_against_it_is_kept() {
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
        let complaint = mixed.unwrap();
        assert_eq!(complaint.code, Code::MIXED_STATUS);
        assert!(!complaint.to_string().contains('\u{1b}'));
        let refused = writer.purge(&inputs(&["in"])).await.unwrap_err();
        assert!(refused.is_rejection(), "{refused}");
    }
}

//! Writing to an app: posts, patches, deletes by name. Each call is sent once: whether one that failed is worth another
//! attempt depends on what is there by then, which the caller has to look at first ([`Writer::pause`]).
//!
//! An answer is aligned with what was sent by (input id, annotation id), never by position: servers re-order, and
//! leave things out. What an answer does not mention is [`ItemResult::Unknown`], and has to be read back.

use super::code::Code;
use super::delete::DeletePairs;
use super::error::ApiError;
use super::exchange::HttpRequest;
use super::reader::Reader;
use super::request::{Partial, Request};
use super::transport::Transport;
use super::wire::{Annotation, Annotations, Status};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What a patch does to what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PatchAction {
    /// What is given is merged into it; elements of lists by their ids.
    Merge,
    /// What is given takes its place.
    Overwrite,
    /// The elements of lists whose ids are given go.
    Remove,
    /// The same; and what is left with empty data is deleted, but never an input-level annotation
    /// (`delete_if_empty_data`).
    #[serde(rename = "remove")]
    RemoveOrDelete,
}

/// Why one annotation was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct ItemError {
    /// The API's code.
    pub code: Code,
    /// What the service says.
    pub description: String,
}

/// What became of one annotation of a call.
#[derive(Debug)]
pub enum ItemResult<T> {
    /// It was written: as it is stored now, for posts and patches.
    Done(T),
    /// It was not.
    Failed(ItemError),
    /// The answer does not say. It has to be read back.
    Unknown,
}

impl<T> ItemResult<T> {
    /// The same result with something else made of what was written.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> ItemResult<U> {
        match self {
            Self::Done(written) => ItemResult::Done(make(written)),
            Self::Failed(error) => ItemResult::Failed(error),
            Self::Unknown => ItemResult::Unknown,
        }
    }
}

/// A client that writes. Clones share one pace and one bound on calls at a time, with its readers too.
#[derive(Debug, Clone)]
pub struct Writer(pub(super) Arc<Transport>);

/// What has to be known of an annotation that is sent.
#[derive(Deserialize)]
struct Sent {
    #[serde(default)]
    id: String,
    #[serde(default)]
    input_id: String,
    status: Option<Status>,
}

impl Writer {
    pub(super) fn over(transport: Arc<Transport>) -> Self {
        Self(transport)
    }

    /// How many calls were sent so far through this connection, a reader's too; each attempt counts.
    pub fn calls(&self) -> u64 {
        self.0.calls()
    }

    /// A reader over the same connection.
    pub fn reader(&self) -> Reader {
        Reader::over(Arc::clone(&self.0))
    }

    /// How long to wait before another look and another attempt, when a call failed so in its attempt of this number
    /// (from 1). Nothing where the failure does not pass, or was waited for often enough.
    pub fn pause(&self, attempts: u32, error: &ApiError) -> Option<Duration> {
        self.0.pause(attempts, error)
    }

    /// Makes annotations: JSON objects, each with `input_id` and an `id` of the client's choosing, which makes the
    /// call safe to repeat.
    pub async fn post(
        &self,
        annotations: &[&str],
    ) -> Result<Vec<ItemResult<Annotation>>, ApiError> {
        self.send(Method::POST, None, annotations).await
    }

    /// Changes annotations: JSON objects, each with `input_id`, `id` and what the action is to take. The call may be
    /// repeated, so that a merge must not append to lists without ids.
    pub async fn patch(
        &self,
        action: PatchAction,
        annotations: &[&str],
    ) -> Result<Vec<ItemResult<Annotation>>, ApiError> {
        self.send(Method::PATCH, Some(action), annotations).await
    }

    /// Deletes the annotations named, and nothing else; a single one by its path.
    pub async fn delete(&self, pairs: &DeletePairs) -> Result<Vec<ItemResult<()>>, ApiError> {
        let sent = if let Some((input, id)) = pairs.alone() {
            let path = ["inputs", input, "annotations", id];
            self.call(Method::DELETE, &path, None).await?
        } else {
            let body = Some(pairs.body());
            self.call(Method::DELETE, &["annotations"], body).await?
        };
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
        method: Method,
        action: Option<PatchAction>,
        annotations: &[&str],
    ) -> Result<Vec<ItemResult<Annotation>>, ApiError> {
        if annotations.is_empty() {
            return Ok(Vec::new());
        }
        let given = annotations
            .iter()
            .map(|text| self.read(text))
            .collect::<Result<Vec<Sent>, ApiError>>()?;
        let names: Vec<(&str, &str)> = given
            .iter()
            .map(|sent| (sent.input_id.as_str(), sent.id.as_str()))
            .collect();
        let body = Some(body(action, annotations));
        let sent = self.call(method, &["annotations"], body).await?;
        let whole = sent.status.code;
        let items = align(&names, sent.annotations)
            .into_iter()
            .zip(&given)
            .map(|(answer, given)| match answer {
                None => ItemResult::Unknown,
                Some(annotation) => {
                    let status = given.status.as_ref().map(|status| status.code);
                    self.judge(whole, status, annotation)
                }
            })
            .collect();
        Ok(items)
    }

    fn read(&self, text: &str) -> Result<Sent, ApiError> {
        let sent: Sent = serde_json::from_str(text).map_err(|error| {
            ApiError::Unsendable(format!(
                "an annotation is not valid JSON: {}",
                self.0.shown(&error.to_string(), 200)
            ))
        })?;
        if sent.id.is_empty() || sent.input_id.is_empty() {
            return Err(ApiError::Unsendable(
                "an annotation has no id or no input".to_owned(),
            ));
        }
        Ok(sent)
    }

    pub(super) async fn call(
        &self,
        method: Method,
        path: &[&str],
        body: Option<String>,
    ) -> Result<Annotations, ApiError> {
        self.0
            .send_once(&Request {
                http: HttpRequest {
                    method,
                    url: self.0.app_url(path),
                    body,
                },
                about: self.0.app(),
                partial: Partial::Answers,
            })
            .await
    }

    /// What an annotation's own status says. `given` is the status that was sent with it: it comes back as its state,
    /// and is no failure then, whatever it is called.
    fn judge(
        &self,
        whole: Code,
        given: Option<Code>,
        annotation: Annotation,
    ) -> ItemResult<Annotation> {
        let code = annotation
            .status
            .as_ref()
            .map_or(Code::default(), |status| status.code);
        let succeeded = code == Code::SUCCESS || is_state(code) || given == Some(code);
        match whole {
            Code::SUCCESS if succeeded || code == Code::default() => ItemResult::Done(annotation),
            Code::MIXED_STATUS if succeeded => ItemResult::Done(annotation),
            // Nothing was said of it, or only what was stored before.
            _ if succeeded || code == Code::default() => ItemResult::Unknown,
            _ => ItemResult::Failed(self.complaint(&annotation.status.unwrap_or_default())),
        }
    }

    /// What the service has against it, as it may be shown.
    pub(super) fn complaint(&self, status: &Status) -> ItemError {
        ItemError {
            code: status.code,
            description: self.0.shown(&status.text(), 500),
        }
    }
}

/// Codes that describe the labelling work, not a write that failed.
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

/// The annotations are JSON already; they are put together as text.
fn body(action: Option<PatchAction>, annotations: &[&str]) -> String {
    let mut text =
        String::with_capacity(annotations.iter().map(|a| a.len() + 1).sum::<usize>() + 64);
    text.push('{');
    if let Some(action) = action {
        let word = serde_json::to_string(&action).expect("a word always serialises");
        text.push_str(r#""action":"#);
        text.push_str(&word);
        text.push(',');
        if action == PatchAction::RemoveOrDelete {
            text.push_str(r#""delete_if_empty_data":true,"#);
        }
    }
    text.push_str(r#""annotations":["#);
    for (at, annotation) in annotations.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(annotation);
    }
    text.push_str("]}");
    text
}

/// The answer to each of `names`, where there is exactly one.
fn align(names: &[(&str, &str)], answers: Vec<Annotation>) -> Vec<Option<Annotation>> {
    let mut places: HashMap<(&str, &str), Option<usize>> = HashMap::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        // What was sent twice cannot be told apart in the answer.
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
mod tests {
    use super::super::connect;
    use super::super::scripted::{Reply, Scripted};
    use super::*;

    fn mark(items: &[ItemResult<impl Sized>]) -> String {
        items
            .iter()
            .map(|item| match item {
                ItemResult::Done(_) => 'd',
                ItemResult::Failed(_) => 'f',
                ItemResult::Unknown => 'u',
            })
            .collect()
    }

    fn writer(server: &Scripted) -> Writer {
        connect(&server.connection()).unwrap().1
    }

    const THREE: [&str; 3] = [
        r#"{"id":"a","input_id":"in"}"#,
        r#"{"id":"b","input_id":"in"}"#,
        r#"{"id":"a","input_id":"other"}"#,
    ];

    async fn post(http: u16, body: &'static str) -> Result<Vec<ItemResult<Annotation>>, ApiError> {
        let server = Scripted::start(move |_| Reply::Text(http, body.into()));
        writer(&server).post(&THREE).await
    }

    #[tokio::test]
    async fn answers_are_aligned_by_name_whatever_their_order() {
        let answer = post(
            200,
            r#"{"status":{"code":10000},"annotations":[
                {"id":"a","input_id":"other","user_id":"third","status":{"code":24150}},
                {"id":"b","input_id":"in","user_id":"second","status":{"code":"ANNOTATION_PENDING"}},
                {"id":"z","input_id":"in"},
                {"id":"a","input_id":"in","user_id":"first"}]}"#,
        )
        .await
        .unwrap();
        let users: Vec<&str> = answer
            .iter()
            .map(|item| match item {
                ItemResult::Done(annotation) => annotation.user(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(users, ["first", "second", "third"]);
    }

    #[tokio::test]
    async fn what_an_answer_leaves_out_or_says_twice_is_unknown() {
        let answer = post(
            200,
            r#"{"status":{"code":10000},"annotations":[
                {"id":"b","input_id":"in"},{"id":"b","input_id":"in"},{"id":"a","input_id":"other"}]}"#,
        )
        .await
        .unwrap();
        assert_eq!(mark(&answer), "uud");
        let silent = post(200, r#"{"status":{"code":10000}}"#).await.unwrap();
        assert_eq!(mark(&silent), "uuu");
    }

    #[tokio::test]
    async fn each_annotation_of_a_mixed_answer_counts_for_itself() {
        let answer = post(
            207,
            r#"{"status":{"code":"MIXED_STATUS"},"annotations":[
                {"id":"a","input_id":"in","status":{"code":24150}},
                {"id":"b","input_id":"in","status":{"code":24155,"description":"dupli\u001bcate id","details":"of topsecret"}},
                {"id":"a","input_id":"other"}]}"#,
        )
        .await
        .unwrap();
        assert_eq!(mark(&answer), "dfu");
        let ItemResult::Failed(error) = &answer[1] else {
            panic!("not failed");
        };
        assert_eq!(
            error.to_string(),
            "24155 ANNOTATION_INVALID_ARGUMENT: duplicate id: of [token]"
        );
    }

    #[tokio::test]
    async fn a_call_that_failed_as_a_whole_wrote_nothing_for_sure() {
        let answer = post(
            400,
            r#"{"status":{"code":10020},"annotations":[
                {"id":"a","input_id":"in","status":{"code":24150}},
                {"id":"b","input_id":"in","status":{"code":24156}}]}"#,
        )
        .await
        .unwrap();
        assert_eq!(mark(&answer), "ufu");
        let error = post(400, r#"{"status":{"code":11102,"description":"too many"}}"#)
            .await
            .unwrap_err();
        assert!(error.is_rejection());
        assert!(!error.may_have_taken_effect());
    }

    #[tokio::test]
    async fn the_status_that_was_sent_is_no_failure_when_it_comes_back() {
        let server = Scripted::start(|_| {
            Reply::Text(
                200,
                r#"{"status":{"code":10000},"annotations":[
                    {"id":"a","input_id":"in","status":{"code":24152}},
                    {"id":"b","input_id":"in","status":{"code":24152}}]}"#
                    .into(),
            )
        });
        let answer = writer(&server)
            .patch(
                PatchAction::Merge,
                &[
                    r#"{"id":"a","input_id":"in","status":{"code":24152}}"#,
                    r#"{"id":"b","input_id":"in"}"#,
                ],
            )
            .await
            .unwrap();
        assert_eq!(mark(&answer), "df");
    }

    #[tokio::test]
    async fn a_write_is_sent_once_whatever_comes_of_it() {
        let server = Scripted::start(|call| match call.number {
            0 => Reply::Hangup,
            1 => Reply::Text(429, r#"{"status":{"code":"CONN_THROTTLED"}}"#.into()),
            _ => Reply::Headed(503, "Retry-After: 7\r\n", String::new()),
        });
        let writer = writer(&server);
        let dropped = writer.post(&THREE[..1]).await.unwrap_err();
        assert!(dropped.is_transient() && dropped.may_have_taken_effect());
        let throttled = writer.patch(PatchAction::Merge, &THREE[..1]).await;
        assert!(!throttled.unwrap_err().may_have_taken_effect());
        let busy = writer.delete(&pair("in", "a")).await.unwrap_err();
        assert_eq!(server.calls().len(), 3);
        // The server's wish counts where it is longer than the pause that would be due; in vain, nothing is waited for.
        assert_eq!(busy.wait(), Some(Duration::from_secs(7)));
        assert_eq!(writer.pause(1, &busy), None, "longer than it may ask for");
        assert!(writer.pause(1, &dropped).unwrap() < Duration::from_millis(10));
        assert_eq!(writer.pause(4, &dropped), None, "often enough");
    }

    #[tokio::test]
    async fn requests_are_as_the_api_documents_them() {
        let server = Scripted::start(|_| Reply::Text(200, r#"{"status":{"code":10000}}"#.into()));
        let writer = writer(&server);
        writer.post(&THREE[..2]).await.unwrap();
        writer
            .patch(PatchAction::Overwrite, &THREE[..1])
            .await
            .unwrap();
        let doomed =
            DeletePairs::new(vec![("in".into(), "a".into()), ("in".into(), "b".into())]).unwrap();
        let answer = writer.delete(&doomed).await.unwrap();
        assert_eq!(mark(&answer), "dd");
        writer
            .patch(PatchAction::RemoveOrDelete, &THREE[..1])
            .await
            .unwrap();
        let calls = server.calls();
        assert!(
            calls
                .iter()
                .all(|call| call.path == "/v2/users/ann/apps/street/annotations")
        );
        assert_eq!(
            calls
                .iter()
                .map(|call| (call.method.as_str(), call.body.as_str()))
                .collect::<Vec<_>>(),
            [
                (
                    "POST",
                    r#"{"annotations":[{"id":"a","input_id":"in"},{"id":"b","input_id":"in"}]}"#
                ),
                (
                    "PATCH",
                    r#"{"action":"overwrite","annotations":[{"id":"a","input_id":"in"}]}"#
                ),
                ("DELETE", r#"{"input_ids":["in","in"],"ids":["a","b"]}"#),
                (
                    "PATCH",
                    r#"{"action":"remove","delete_if_empty_data":true,"annotations":[{"id":"a","input_id":"in"}]}"#
                ),
            ]
        );
    }

    fn pair(input: &str, id: &str) -> DeletePairs {
        DeletePairs::new(vec![(input.into(), id.into())]).unwrap()
    }

    #[tokio::test]
    async fn a_single_delete_goes_by_its_path_unless_its_ids_would_bend_it() {
        let server = Scripted::start(|_| Reply::Text(200, r#"{"status":{"code":10000}}"#.into()));
        let writer = writer(&server);
        let prefix = "/v2/users/ann/apps/street";
        for (input, id, path) in [
            ("in", "a", "/inputs/in/annotations/a"),
            ("in 1?", "ä#", "/inputs/in%201%3F/annotations/%C3%A4%23"),
            ("in", "..", "/annotations"),
            (".", "a", "/annotations"),
            ("in", "a/b", "/annotations"),
            ("a\\b", "a", "/annotations"),
            ("in", "%2e%2e", "/annotations"),
            ("in", "a\tb", "/annotations"),
        ] {
            let answer = writer.delete(&pair(input, id)).await.unwrap();
            assert_eq!(mark(&answer), "d");
            let call = server.calls().pop().unwrap();
            assert_eq!(
                (call.method.as_str(), call.path),
                ("DELETE", format!("{prefix}{path}"))
            );
            let bulk = serde_json::json!({"input_ids": [input], "ids": [id]}).to_string();
            let body = if path == "/annotations" {
                bulk
            } else {
                String::new()
            };
            assert_eq!(call.body, body);
        }
    }

    #[tokio::test]
    async fn a_single_delete_of_what_is_gone_is_not_found_and_in_part_is_unknown() {
        let server = Scripted::start(|call| match call.number {
            0 => Reply::Text(
                404,
                r#"{"status":{"code":11101,"description":"gone"}}"#.into(),
            ),
            1 => Reply::Text(200, r#"{"status":{"code":10010}}"#.into()),
            _ => Reply::Text(403, r#"{"status":{"code":24156}}"#.into()),
        });
        let writer = writer(&server);
        let gone = writer.delete(&pair("in", "a")).await.unwrap_err();
        assert!(matches!(gone, ApiError::NotFound { .. }), "{gone}");
        let mixed = writer.delete(&pair("in", "a")).await.unwrap();
        assert_eq!(mark(&mixed), "u");
        let refused = writer.delete(&pair("in", "a")).await.unwrap_err();
        assert!(matches!(refused, ApiError::Refused { .. }), "{refused}");
    }

    #[tokio::test]
    async fn a_delete_that_failed_in_part_says_of_which() {
        let server = Scripted::start(|call| {
            Reply::Text(
                200,
                match call.number {
                    0 => r#"{"status":{"code":10010},"annotations":[{"id":"b","input_id":"in","status":{"code":24156}}]}"#,
                    _ => r#"{"status":{"code":10010}}"#,
                }
                .into(),
            )
        });
        let writer = writer(&server);
        let doomed =
            DeletePairs::new(vec![("in".into(), "a".into()), ("in".into(), "b".into())]).unwrap();
        assert_eq!(mark(&writer.delete(&doomed).await.unwrap()), "uf");
        assert_eq!(mark(&writer.delete(&doomed).await.unwrap()), "uu");
    }

    #[tokio::test]
    async fn what_is_no_annotation_is_not_sent() {
        let server = Scripted::start(|_| Reply::Hangup);
        let writer = writer(&server);
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"id":"a"}"#,
            r#"{"input_id":"in"}"#,
            r#"{"id":"a","input_id":"in"},{"id":"b","input_id":"in"}"#,
        ] {
            assert!(
                matches!(writer.post(&[bad]).await, Err(ApiError::Unsendable(_))),
                "{bad}"
            );
        }
        assert!(writer.post(&[]).await.unwrap().is_empty());
        assert!(server.calls().is_empty());
    }
}

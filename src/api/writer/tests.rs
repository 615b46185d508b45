//! The writer against servers with scripted answers.

use super::super::connect::connect;
use super::super::error::ApiError;
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

fn named(text: &str) -> NamedBody {
    let json = Json::new(text).unwrap();
    let text = |field: &str| json.to_value()[field].as_str().unwrap().to_owned();
    NamedBody {
        input: InputId::new(text("input_id")).unwrap(),
        id: AnnotationId::new(text("id")).unwrap(),
        json: Arc::new(json),
    }
}

fn three() -> [NamedBody; 3] {
    [
        r#"{"id":"a","input_id":"in"}"#,
        r#"{"id":"b","input_id":"in"}"#,
        r#"{"id":"a","input_id":"other"}"#,
    ]
    .map(named)
}

async fn post(http: u16, body: &'static str) -> Result<Vec<ItemResult<Annotation>>, ApiError> {
    let server = Scripted::start(move |_| Reply::Text(http, body.into()));
    writer(&server).post(&three()).await
}

#[tokio::test]
async fn answers_are_matched_by_name_in_any_order() {
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
async fn an_item_that_an_answer_omits_or_repeats_is_unknown() {
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
async fn each_annotation_of_a_mixed_answer_is_judged_by_its_status() {
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
async fn a_failed_call_proves_no_write() {
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
async fn a_status_that_was_sent_is_not_a_failure_in_the_answer() {
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
                named(r#"{"id":"a","input_id":"in","status":{"code":24152}}"#),
                named(r#"{"id":"b","input_id":"in"}"#),
            ],
        )
        .await
        .unwrap();
    assert_eq!(mark(&answer), "df");
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_its_result() {
    let server = Scripted::start(|call| match call.number {
        0 => Reply::Hangup,
        1 => Reply::Text(429, r#"{"status":{"code":"CONN_THROTTLED"}}"#.into()),
        _ => Reply::Headed(503, "Retry-After: 7\r\n", String::new()),
    });
    let writer = writer(&server);
    let dropped = writer.post(&three()[..1]).await.unwrap_err();
    assert!(dropped.is_transient() && dropped.may_have_taken_effect());
    let throttled = writer.patch(PatchAction::Merge, &three()[..1]).await;
    assert!(!throttled.unwrap_err().may_have_taken_effect());
    let busy = writer.delete(&pair("in", "a")).await.unwrap_err();
    assert_eq!(server.calls().len(), 3);
    // The server's `Retry-After` counts if it is longer than our pause; too long a one means giving up.
    assert_eq!(busy.wait(), Some(Duration::from_secs(7)));
    assert_eq!(writer.pause(1, &busy), None, "longer than it may ask for");
    assert!(writer.pause(1, &dropped).unwrap() < Duration::from_millis(10));
    assert_eq!(writer.pause(4, &dropped), None, "often enough");
}

#[tokio::test]
async fn requests_have_the_documented_form() {
    let server = Scripted::start(|_| Reply::Text(200, r#"{"status":{"code":10000}}"#.into()));
    let writer = writer(&server);
    writer.post(&three()[..2]).await.unwrap();
    writer
        .patch(PatchAction::Overwrite, &three()[..1])
        .await
        .unwrap();
    let both =
        DeletePairs::new(vec![("in".into(), "a".into()), ("in".into(), "b".into())]).unwrap();
    let answer = writer.delete(&both).await.unwrap();
    assert_eq!(mark(&answer), "dd");
    writer
        .patch(PatchAction::RemoveOrDelete, &three()[..1])
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
async fn a_single_delete_uses_its_path_unless_its_ids_would_change_that() {
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
async fn a_single_delete_may_be_not_found_unknown_or_refused() {
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
async fn a_partly_failed_delete_names_the_failures() {
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
    let both =
        DeletePairs::new(vec![("in".into(), "a".into()), ("in".into(), "b".into())]).unwrap();
    assert_eq!(mark(&writer.delete(&both).await.unwrap()), "uf");
    assert_eq!(mark(&writer.delete(&both).await.unwrap()), "uu");
}

#[tokio::test]
async fn a_call_without_annotations_is_not_sent() {
    let server = Scripted::start(|_| Reply::Hangup);
    let writer = writer(&server);
    assert!(writer.post(&[]).await.unwrap().is_empty());
    assert!(server.calls().is_empty());
}

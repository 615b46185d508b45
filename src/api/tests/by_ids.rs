//! Single annotations, by their ids.

use super::{filtered, pairs};
use crate::api::scripted::{Reply, Scripted, named, page_of};
use crate::api::{ApiError, Reader};

#[tokio::test]
async fn single_annotations_are_read_by_pairs_and_missing_ones_are_absent() {
    let all = pairs(300);
    let server = Scripted::start(move |call| filtered(&all, call, 20));
    let reader = Reader::new(&server.connection()).unwrap();
    let mut wanted = pairs(300);
    wanted.push(("input number 0".into(), "nowhere".into()));
    // The same id on another input is another annotation.
    wanted.push(("input number 9".into(), "a00000".into()));
    wanted.reverse();
    let read = reader.by_ids(&wanted).await.unwrap();
    let mut names = pairs(300);
    names.sort();
    assert_eq!(
        read.iter()
            .map(|a| (a.input_id.clone(), a.id.clone()))
            .collect::<Vec<_>>(),
        names
    );
    assert!(reader.by_ids(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn existing_annotations_take_one_call() {
    let all = pairs(30);
    let server = Scripted::start(move |call| filtered(&all, call, 1000));
    let reader = Reader::new(&server.connection()).unwrap();
    assert_eq!(reader.by_ids(&pairs(30)).await.unwrap().len(), 30);
    assert_eq!(server.calls().len(), 1);
}

fn name(input: &str, id: &str) -> [(String, String); 1] {
    [(input.to_owned(), id.to_owned())]
}

#[tokio::test]
async fn a_single_annotation_is_read_by_its_path() {
    let server = Scripted::start(|call| match call.path.rsplit('/').next() {
        Some("a") => Reply::Text(
            200,
            r#"{"status":{"code":10000},"annotation":{"id":"a","input_id":"in","user_id":"ann"}}"#
                .into(),
        ),
        Some("other") => Reply::Text(
            200,
            r#"{"status":{"code":10000},"annotation":{"id":"a","input_id":"in"}}"#.into(),
        ),
        Some("silent") => Reply::Text(200, r#"{"status":{"code":10000}}"#.into()),
        _ => Reply::Text(403, r#"{"status":{"code":11007}}"#.into()),
    });
    let reader = Reader::new(&server.connection()).unwrap();
    let read = reader.by_ids(&name("in", "a")).await.unwrap();
    assert_eq!(read[0].user(), "ann");
    assert_eq!(server.calls().len(), 1);
    let path = "/v2/users/ann/apps/street/inputs/in/annotations/a";
    assert_eq!(
        (
            server.calls()[0].method.as_str(),
            server.calls()[0].path.as_str()
        ),
        ("GET", path)
    );
    for wrong in ["other", "silent"] {
        let error = reader.by_ids(&name("in", wrong)).await.unwrap_err();
        assert!(matches!(error, ApiError::Malformed(_)), "{error}");
    }
    assert!(reader.by_ids(&name("in", "forbidden")).await.is_err());
}

#[tokio::test]
async fn not_found_by_path_is_checked_by_a_listing() {
    for (http, body) in [
        (404, r#"{"status":{"code":11101}}"#),
        (200, r#"{"status":{"code":"CONN_DOES_NOT_EXIST"}}"#),
        (404, "<html>no such page</html>"),
    ] {
        for there in [vec![], vec![named("in", "a")]] {
            let count = there.len();
            let server = Scripted::start(move |call| {
                if call.path.ends_with("/a") {
                    Reply::Text(http, body.into())
                } else {
                    page_of(&there, call, 1_000)
                }
            });
            let reader = Reader::new(&server.connection()).unwrap();
            let read = reader.by_ids(&name("in", "a")).await.unwrap();
            assert_eq!(read.len(), count, "{http} {body}");
        }
    }
}

#[tokio::test]
async fn an_id_that_would_change_a_path_is_read_by_listing() {
    for (input, id) in [("in", ".."), ("a/b", "a"), ("in", "%2e"), ("in", "a\\b")] {
        let all = vec![serde_json::json!({"id": id, "input_id": input}).to_string()];
        let server = Scripted::start(move |call| page_of(&all, call, 1_000));
        let reader = Reader::new(&server.connection()).unwrap();
        assert_eq!(reader.by_ids(&name(input, id)).await.unwrap().len(), 1);
        let calls = server.calls();
        assert_eq!(calls.len(), 1, "{input} {id}");
        assert_eq!(calls[0].path, "/v2/users/ann/apps/street/annotations");
        assert_eq!(calls[0].all("ids"), [id]);
    }
}

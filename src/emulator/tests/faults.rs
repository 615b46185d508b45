//! Injected faults as a client sees them.

use super::{OWNER, Server, code, codes, config, tagged};
use crate::emulator::{ConcurrentChange, Config, Endpoint, Fault, Faults, Scope};
use crate::wire::Code;
use reqwest::Method;
use serde_json::{Value, json};

async fn filled(count: usize) -> Server {
    let server = Server::start().await;
    let batch: Vec<_> = (0..count)
        .map(|n| tagged(&format!("a{n}"), "i", "car"))
        .collect();
    server.post(OWNER, json!(batch)).await;
    server
}

#[tokio::test]
async fn a_connection_is_dropped_before_or_after_the_write() {
    for (fault, done) in [(Fault::DropBefore, false), (Fault::DropAfter, true)] {
        let server = filled(1).await;
        server
            .emulator
            .faults()
            .next(Endpoint::PostAnnotations, fault.clone());
        let body = json!({"annotations": [tagged("b", "i", "car")]});
        let path = "/v2/users/owner/apps/app/annotations";
        let error = server
            .try_call(OWNER, Method::POST, path, body)
            .await
            .unwrap_err();
        assert!(error.is_request() && error.status().is_none(), "{error:?}");
        assert_eq!(server.emulator.calls().last().unwrap().status, None);
        let expected: &[&str] = if done { &["a0", "b"] } else { &["a0"] };
        assert_eq!(server.ids("").await, expected, "{fault:?}");
    }
}

#[tokio::test]
async fn planned_errors_occur_once_and_change_nothing() {
    let server = filled(0).await;
    let faults = server.emulator.faults();
    let post = async || server.post(OWNER, json!([tagged("b", "i", "car")])).await;
    faults.next(
        Endpoint::PostAnnotations,
        Fault::Throttle {
            retry_after: Some(2),
        },
    );
    let (http, body) = post().await;
    assert_eq!((http, code(&body)), (429, 11005));
    faults.next(Endpoint::PostAnnotations, Fault::Internal(Code(98_010)));
    let (http, body) = post().await;
    assert_eq!((http, code(&body)), (500, 98_010));
    faults.next(Endpoint::PostAnnotations, Fault::TryAgain);
    let (http, body) = post().await;
    assert_eq!((http, code(&body)), (200, 10030));
    faults.next(Scope::Any, Fault::Unavailable(502));
    let url = format!("{}/v2/annotations", server.emulator.url());
    let response = server.client.get(url).send().await.unwrap();
    assert_eq!(response.status(), 502);
    assert!(response.json::<Value>().await.is_err());
    assert_eq!(server.ids("").await, Vec::<String>::new());
    assert_eq!(post().await.0, 200);
    assert_eq!(faults.pending(), 0);
}

#[tokio::test]
async fn one_item_fails_and_the_others_succeed() {
    let server = filled(2).await;
    let faults = server.emulator.faults();
    let fail = |item, code| Fault::FailItems {
        items: vec![item],
        code,
    };
    faults.next(Endpoint::PostAnnotations, fail(1, Code::TRY_AGAIN));
    let (http, body) = server
        .post(
            OWNER,
            json!([tagged("b", "i", "car"), tagged("c", "i", "car")]),
        )
        .await;
    assert_eq!(
        (http, code(&body), codes(&body)),
        (200, 10010, vec![24150, 10030])
    );
    faults.next(Endpoint::PatchAnnotations, fail(0, Code::ANNOTATION_FAILED));
    let (_, body) = server
        .patch(OWNER, "merge", json!([tagged("b", "i", "van")]))
        .await;
    assert_eq!(codes(&body), [24152]);
    faults.next(Endpoint::DeleteAnnotations, fail(0, Code::TRY_AGAIN));
    let (_, body) = server
        .delete(OWNER, json!({"input_ids": ["i", "i"], "ids": ["a0", "a1"]}))
        .await;
    assert_eq!(code(&body), 10010);
    assert_eq!(server.ids("").await, ["a0", "b"]);
}

#[tokio::test]
async fn the_app_changes_while_it_is_listed() {
    let server = filled(6).await;
    let name = |id: &str| ("i".to_owned(), id.to_owned());
    let (input_id, id) = name("a0");
    let delete = ConcurrentChange::Delete { input_id, id };
    let insert =
        ConcurrentChange::Insert(json!({"id": "new", "input_id": "k", "user_id": "someone"}));
    let (input_id, id) = name("a5");
    let hide = ConcurrentChange::Hide { input_id, id };
    server.emulator.faults().next(
        Scope::Page(1),
        Fault::ChangeAfterRead(vec![delete, insert, hide]),
    );
    assert_eq!(
        server.ids("per_page=3&page=1").await,
        ["a0", "a1"],
        "the page itself is unchanged"
    );
    assert_eq!(
        server.ids("per_page=3&page=2").await,
        ["a3", "a4"],
        "a2 moved up, a5 is hidden"
    );
    assert_eq!(server.ids("per_page=3&page=3").await, ["new"]);
    let (http, _) = server.get(OWNER, "/inputs/i/annotations/a5").await;
    assert_eq!(http, 200, "hidden, but not deleted");
    server.emulator.faults().show("i", "a5");
    assert_eq!(server.ids("").await, ["a1", "a2", "a3", "a4", "a5", "new"]);
}

#[tokio::test]
async fn pages_can_be_short_or_empty() {
    let server = filled(5).await;
    let faults = server.emulator.faults();
    faults.next(Scope::Page(2), Fault::EmptyPage);
    faults.next(Scope::Page(3), Fault::ShortPage(1));
    assert_eq!(server.ids("per_page=2&page=2").await, Vec::<String>::new());
    assert_eq!(server.ids("per_page=2&page=3").await, ["a3"]);
    assert_eq!(server.ids("per_page=2&page=2").await, ["a1", "a2"]);
    assert_eq!(server.ids("per_page=2&page=3").await, ["a3", "a4"]);
}

#[tokio::test]
async fn random_faults_are_the_same_for_the_same_seed() {
    let run = async |seed| {
        let faults = Faults {
            seed,
            unavailable: 0.5,
            ..Faults::default()
        };
        let server = Server::with(Config { faults, ..config() }).await;
        let url = format!("{}/v2/users/me", server.emulator.url());
        let mut seen = Vec::new();
        for _ in 0..20 {
            let request = server
                .client
                .get(&url)
                .header("Authorization", "Key owner-key");
            seen.push(request.send().await.unwrap().status().as_u16());
        }
        seen
    };
    let seen = run(3).await;
    assert_eq!(seen, run(3).await);
    assert_ne!(seen, run(4).await);
    assert!(seen.contains(&200) && seen.contains(&503));
}

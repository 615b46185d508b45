//! What a call sends, and how failures are retried and reported.

use super::{annotations, expected, ids};
use crate::api::scripted::{Reply, Scripted, named, page_of, success};
use crate::api::{
    ApiError, Connection, Endpoint, Filter, InsecureHttp, NamedBody, Reader, connect,
};
use crate::model::{AnnotationId, InputId, Json};
use std::time::Duration;

#[tokio::test]
async fn calls_go_to_the_app_with_the_token() {
    let server = Scripted::start(|call| match call.path.as_str() {
        "/v2/users/me" => Reply::Text(
            200,
            r#"{"status":{"code":"SUCCESS"},"user":{"id":"bea"}}"#.into(),
        ),
        _ => success(&[]),
    });
    let reader = Reader::new(&server.connection()).unwrap();
    assert_eq!(reader.caller().await.unwrap(), "bea");
    assert!(
        reader
            .list(&Filter::default())
            .await
            .unwrap()
            .items()
            .is_empty()
    );
    for call in server.calls() {
        assert_eq!(call.authorization, "Key topsecret");
        assert!(
            call.path == "/v2/users/me" || call.path == "/v2/users/ann/apps/street/annotations"
        );
    }
}

#[tokio::test]
async fn transient_failures_are_retried() {
    let replies: [fn() -> Reply; 8] = [
        || Reply::Text(500, String::new()),
        || Reply::Text(502, "<html>bad gateway</html>".into()),
        || Reply::Text(429, "slow down".into()),
        || {
            Reply::Headed(
                429,
                "Retry-After: 0\r\n",
                r#"{"status":{"code":"CONN_THROTTLED"}}"#.into(),
            )
        },
        || Reply::Text(200, r#"{"status":{"code":10030}}"#.into()),
        || Reply::Hangup,
        || Reply::BreakOff(r#"{"status":{"code":10000}"#.into()),
        || {
            Reply::Text(
                200,
                r#"{"status":{"code":10000},"annotations":[{"id":"#.into(),
            )
        },
    ];
    for (at, reply) in replies.into_iter().enumerate() {
        let all = annotations(15);
        let server = Scripted::start(move |call| {
            if call.number % 3 == 1 {
                reply()
            } else {
                page_of(&all, call, 10)
            }
        });
        let listed = ids(&server, &Filter::default()).await;
        assert_eq!(listed.unwrap(), expected(15), "reply {at}");
    }
}

#[tokio::test]
async fn a_permanent_failure_fails_the_listing() {
    let replies: [fn() -> Reply; 6] = [
        || Reply::Text(200, "<html>please log in</html>".into()),
        || {
            Reply::Text(
                200,
                r#"{"status":{"code":10000},"annotations":null}"#.into(),
            )
        },
        || Reply::Text(200, r#"{"annotations":[]}"#.into()),
        || Reply::Text(200, r#"{"status":{"code":10020},"annotations":[]}"#.into()),
        || success(&[r#"{"id":"","input_id":"in"}"#.into()]),
        || Reply::Hangup,
    ];
    for (at, reply) in replies.into_iter().enumerate() {
        // The second page always fails: the first one must not count as the whole listing.
        let all = annotations(15);
        let server = Scripted::start(move |call| {
            if call.number("page") == 2 {
                reply()
            } else {
                page_of(&all, call, 10)
            }
        });
        assert!(
            ids(&server, &Filter::default()).await.is_err(),
            "reply {at}"
        );
    }
}

#[tokio::test]
async fn attempts_are_limited_and_the_last_error_is_shown() {
    let server = Scripted::start(|_| {
        Reply::Text(
            503,
            r#"{"status":{"code":98010,"description":"maintenance"}}"#.into(),
        )
    });
    let error = Reader::new(&server.connection())
        .unwrap()
        .caller()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "gave up after 4 attempts: service unavailable (HTTP 503, code 98010): maintenance"
    );
    assert_eq!(server.calls().len(), 4);
}

#[tokio::test]
async fn the_client_gives_up_if_a_server_asks_to_wait_an_hour() {
    let server = Scripted::start(|_| Reply::Headed(429, "Retry-After: 3600\r\n", String::new()));
    let reader = Reader::new(&server.connection()).unwrap();
    assert!(matches!(
        reader.caller().await,
        Err(ApiError::GaveUp { attempts: 1, .. })
    ));
}

#[tokio::test]
async fn the_client_waits_for_retry_after() {
    let server = Scripted::start(|call| match call.number {
        0 => Reply::Headed(429, "Retry-After: 1\r\n", String::new()),
        _ => Reply::Text(
            200,
            r#"{"status":{"code":10000},"user":{"id":"bea"}}"#.into(),
        ),
    });
    let reader = Reader::new(&server.connection()).unwrap();
    let start = std::time::Instant::now();
    reader.caller().await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = Scripted::start(|_| {
        Reply::Headed(
            307,
            "Location: http://127.0.0.1:9/elsewhere\r\n",
            String::new(),
        )
    });
    let reader = Reader::new(&server.connection()).unwrap();
    let error = reader.caller().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server redirects to `http://127.0.0.1:9/elsewhere`"
    );
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn the_client_gives_up_early_on_a_host_that_never_answered() {
    // Bound, so that no other process gets the port, but not listening: connections are refused.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let server = Scripted::start(|_| Reply::Hangup);
    let connection = Connection {
        endpoint: Endpoint::new(&format!("http://127.0.0.1:{port}"), InsecureHttp::Refuse).unwrap(),
        ..server.connection()
    };
    let error = Reader::new(&connection)
        .unwrap()
        .caller()
        .await
        .unwrap_err();
    assert!(
        matches!(error, ApiError::GaveUp { attempts: 3, .. }),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("endpoint"));
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let server = Scripted::start(|_| Reply::Silence(Duration::from_secs(5)));
    let connection = Connection {
        timeout: Duration::from_millis(50),
        ..server.connection()
    };
    let error = Reader::new(&connection)
        .unwrap()
        .caller()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ApiError::GaveUp { last, .. } if matches!(**last, ApiError::TimedOut { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn no_error_contains_the_token() {
    let server = Scripted::start(|_| {
        Reply::Text(
            401,
            r#"{"status":{"code":11001,"description":"Key topsecret?"}}"#.into(),
        )
    });
    let (reader, writer) = connect(&server.connection()).unwrap();
    let error = reader.caller().await.unwrap_err();
    assert!(!format!("{error} {error:?} {reader:?} {writer:?}").contains("topsecret"));
    assert!(matches!(error, ApiError::Unauthorised { .. }));
}

#[tokio::test]
async fn reader_and_writer_count_their_calls_together() {
    let server = Scripted::start(|call| match call.number {
        0 => Reply::Hangup,
        _ => success(&[named("in-1", "a1")]),
    });
    let (reader, writer) = connect(&server.connection()).unwrap();
    let mut pages = reader.pages(&Filter::default());
    pages.next().await.unwrap();
    writer
        .post(&[NamedBody {
            input: InputId::new("in-1").unwrap(),
            id: AnnotationId::new("a1").unwrap(),
            json: Json::new(r#"{"id":"a1","input_id":"in-1"}"#)
                .unwrap()
                .into(),
        }])
        .await
        .unwrap();
    assert_eq!(server.calls().len(), 3);
    assert_eq!((reader.calls(), writer.calls()), (3, 3));
}

//! The reader and the transport under it, against servers with habits.

use super::scripted::{Call, Reply, Scripted, named, page_of, success};
use super::*;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

fn annotations(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| named(&format!("in-{}", n / 3), &format!("a{n:05}")))
        .collect()
}

async fn ids(server: &Scripted, filter: &Filter) -> Result<Vec<String>, ApiError> {
    let reader = Reader::new(&server.connection())?;
    let listing = reader
        .list_with(filter, |a| Ok::<_, ApiError>(a.id))
        .await?;
    Ok(listing.into_parts().1)
}

fn expected(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("a{n:05}")).collect()
}

#[tokio::test]
async fn everything_is_listed_in_order_whatever_the_servers_page_size() {
    for (count, cap) in [
        (0, 1000),
        (1, 1000),
        (1000, 1000),
        (1001, 1000),
        (2500, 1000),
        (20_000, 1000),
        (990, 128),
        (57, 10),
        (60, 10),
        (23, 1),
        (200, 7),
    ] {
        let all = annotations(count);
        let server = Scripted::start(move |call| page_of(&all, call, cap));
        let listed = ids(&server, &Filter::default()).await.unwrap();
        assert_eq!(listed, expected(count), "{count} by {cap}");
        let calls = server.calls();
        let pages = count.div_ceil(cap);
        // One page is read twice, as the empty one behind it. Of more, each is read once; some more for the overlap, for
        // the first and the last again, and behind the end. Small pages cannot overlap, and are all read twice.
        let most = match cap {
            _ if count < cap => 5,
            0..20 => 4 + 2 * pages + 3,
            _ => pages + pages / 8 + 12,
        };
        assert!(calls.len() <= most, "{count} by {cap}: {}", calls.len());
    }
}

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

/// The pages of `count` annotations by 10, of which the one at `at` is deleted after `after` calls were answered.
fn shifting(count: usize, at: usize, after: usize) -> Scripted {
    let all = Mutex::new(annotations(count));
    Scripted::start(move |call| {
        let mut all = all.lock().unwrap();
        if call.number == after {
            all.remove(at);
        }
        page_of(&all, call, 10)
    })
}

#[tokio::test]
async fn an_annotation_deleted_at_any_moment_hides_no_other() {
    // Wherever the delete falls, what comes is the app before it or after it, and nothing else.
    for after in 0..24 {
        for at in [0, 9, 31, 54] {
            let server = shifting(55, at, after);
            let listed = ids(&server, &Filter::default()).await.unwrap();
            let mut left = expected(55);
            if listed.len() == 54 {
                left.remove(at);
            }
            assert_eq!(listed, left, "{at} deleted before call {after}");
        }
    }
}

#[tokio::test]
async fn an_app_that_keeps_changing_is_not_listed() {
    let all = Mutex::new(annotations(400));
    let server = Scripted::start(move |call| {
        let mut all = all.lock().unwrap();
        if call.number % 3 == 2 {
            all.remove(0);
        }
        page_of(&all, call, 10)
    });
    let error = ids(&server, &Filter::default()).await.unwrap_err();
    assert!(
        matches!(error, ApiError::IncompleteListing { attempts: 3, .. }),
        "{error}"
    );
    assert!(error.hint().is_some());
}

/// An annotation that says when it was made.
fn timed(number: u64) -> String {
    format!(
        r#"{{"id":"a{number:05}","input_id":"in","created_at":"{number}","modified_at":"{number}"}}"#
    )
}

#[tokio::test]
async fn pages_that_overlap_prove_a_listing_although_the_app_never_holds_still() {
    // Newest first: each call finds a new annotation in front, and another one is gone from somewhere.
    let all = Mutex::new((0..1_000).rev().map(timed).collect::<Vec<_>>());
    let server = Scripted::start(move |call| {
        let mut all = all.lock().unwrap();
        all.insert(0, timed(10_000 + call.number as u64));
        let gone = (call.number * 37) % 990;
        if gone % 10 != 0 {
            all.retain(|it| *it != timed(gone as u64));
        }
        page_of(&all, call, 100)
    });
    // One call at a time: what is inserted between two pages is the same in every run.
    let connection = Connection {
        concurrency: 1,
        ..server.connection()
    };
    let listing = Reader::new(&connection)
        .unwrap()
        .list_with(&Filter::default(), |a| Ok::<_, ApiError>(a.id))
        .await
        .unwrap();
    let listed = listing.into_parts().1;
    for number in (0..1_000).step_by(10) {
        let id = format!("a{number:05}");
        assert_eq!(listed.iter().filter(|it| **it == id).count(), 1, "{id}");
    }
}

#[tokio::test]
async fn a_changing_order_of_equal_times_is_no_proof_and_few_inputs_are_the_way_on() {
    // All are of the same time, and come in another order in each call.
    let all: Vec<(String, String)> = (0..60)
        .map(|n| (format!("in-{}", n / 2), format!("a{n:05}")))
        .collect();
    let server = Scripted::start(move |call| {
        let mut all = all.clone();
        let mix = (call.number * 2 + 1) as u64;
        all.sort_by_key(|(_, id)| id[1..].parse::<u64>().unwrap().wrapping_mul(mix) % 61);
        if call.all("input_ids").is_empty() {
            let all: Vec<String> = all.iter().map(|(input, id)| named(input, id)).collect();
            return page_of(&all, call, 20);
        }
        filtered(&all, call, 20)
    });
    let error = ids(&server, &Filter::default()).await.unwrap_err();
    assert!(
        matches!(error, ApiError::IncompleteListing { .. }),
        "{error}"
    );
    let hint = error.hint().unwrap();
    assert!(hint.contains("--declared-only"), "{hint}");
    let inputs = (0..30).map(|n| format!("in-{n}"));
    let mut listed = ids(&server, &Filter::inputs(inputs)).await.unwrap();
    listed.sort();
    assert_eq!(listed, expected(60));
}

#[tokio::test]
async fn an_annotation_made_meanwhile_is_listed_or_not_and_hides_no_other() {
    for after in 0..24 {
        let all = Mutex::new(annotations(30));
        let server = Scripted::start(move |call| {
            let mut all = all.lock().unwrap();
            if call.number == after {
                all.push(named("in-new", "a00030"));
            }
            page_of(&all, call, 10)
        });
        let listed = ids(&server, &Filter::default()).await.unwrap();
        assert!(
            listed == expected(30) || listed == expected(31),
            "made before call {after}: {}",
            listed.len()
        );
    }
}

#[tokio::test]
async fn a_page_served_twice_is_noticed() {
    let all = annotations(50);
    let server = Scripted::start(move |call| {
        let mut call = call.clone();
        if call.number("page") == 3 {
            for (name, value) in &mut call.query {
                if name == "page" {
                    "2".clone_into(value);
                }
            }
        }
        page_of(&all, &call, 10)
    });
    let error = ids(&server, &Filter::default()).await.unwrap_err();
    assert!(error.to_string().contains("came twice"), "{error}");
}

#[tokio::test]
async fn a_server_that_ignores_the_page_is_noticed() {
    let all = annotations(5);
    let server = Scripted::start(move |_| success(&all));
    let error = ids(&server, &Filter::default()).await.unwrap_err();
    assert!(error.to_string().contains("came twice"), "{error}");
    assert!(server.calls().len() <= 13);
}

#[tokio::test]
async fn a_page_that_a_filter_leaves_empty_ends_nothing() {
    let all = annotations(80);
    let server = Scripted::start(move |call| match call.number("page") {
        2 | 7 => success(&[]),
        _ => page_of(&all, call, 10),
    });
    let listed = ids(&server, &Filter::default()).await.unwrap();
    assert_eq!(listed.len(), 60);
}

#[tokio::test]
async fn a_page_that_is_empty_by_mistake_is_noticed_wherever_it_is() {
    for page in 1..=6 {
        let all = annotations(55);
        let failed = AtomicBool::new(false);
        let server = Scripted::start(move |call| {
            if call.number("page") == page && !failed.swap(true, Ordering::SeqCst) {
                success(&[])
            } else {
                page_of(&all, call, 10)
            }
        });
        let listed = ids(&server, &Filter::default()).await.unwrap();
        assert_eq!(listed, expected(55), "page {page}");
    }
}

#[tokio::test]
async fn a_page_that_is_short_by_mistake_is_noticed_whenever_it_is_read() {
    for page in 1..=6 {
        for reading in 1..=2 {
            let all = annotations(55);
            let readings = AtomicUsize::new(0);
            let server = Scripted::start(move |call| {
                let is_it = call.number("page") == page
                    && readings.fetch_add(1, Ordering::SeqCst) + 1 == reading;
                // A part of this page; the rest of it is on no other.
                let first = (page - 1) * 10;
                if is_it {
                    success(&all[first..first + 3])
                } else {
                    page_of(&all, call, 10)
                }
            });
            let listed = ids(&server, &Filter::default()).await.unwrap();
            assert_eq!(listed, expected(55), "page {page}, reading {reading}");
        }
    }
}

#[tokio::test]
async fn what_passes_is_tried_again() {
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
async fn what_stays_fails_the_listing() {
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
        // The second page fails each time: what the first one held must not pass for the whole.
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
async fn attempts_are_bounded_and_the_last_cause_is_told() {
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
async fn a_server_that_asks_for_an_hour_is_given_up_on() {
    let server = Scripted::start(|_| Reply::Headed(429, "Retry-After: 3600\r\n", String::new()));
    let reader = Reader::new(&server.connection()).unwrap();
    assert!(matches!(
        reader.caller().await,
        Err(ApiError::GaveUp { attempts: 1, .. })
    ));
}

#[tokio::test]
async fn retry_after_is_waited_for() {
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
async fn no_redirect_is_followed() {
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
async fn a_host_that_never_answers_is_soon_given_up_on() {
    // Bound, so that nobody else gets the port, and not listening: connections are refused.
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
async fn the_token_is_in_no_error() {
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

fn filtered(all: &[(String, String)], call: &Call, cap: usize) -> Reply {
    let inputs: Vec<&str> = call.all("input_ids");
    let ids: Vec<&str> = call.all("ids");
    let admitted: Vec<String> = all
        .iter()
        .filter(|(input, id)| {
            if ids.is_empty() {
                inputs.contains(&input.as_str())
            } else {
                inputs.iter().zip(&ids).any(|(i, a)| i == input && a == id)
            }
        })
        .map(|(input, id)| named(input, id))
        .collect();
    page_of(&admitted, call, cap)
}

fn pairs(count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|n| (format!("input number {}", n / 2), format!("a{n:05}")))
        .collect()
}

#[tokio::test]
async fn declared_inputs_are_listed_in_chunks_with_short_urls() {
    let all = pairs(2_000);
    let server = Scripted::start(move |call| filtered(&all, call, 100));
    let inputs: BTreeSet<String> = pairs(1_200).into_iter().map(|(input, _)| input).collect();
    let listed = ids(&server, &Filter::inputs(inputs)).await.unwrap();
    assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), 1_200);
    assert_eq!(listed.len(), 1_200);
    for call in server.calls() {
        let length: usize = call.query.iter().map(|(n, v)| n.len() + v.len() + 2).sum();
        assert!(length < 6_000, "{length}");
    }
}

#[tokio::test]
async fn what_was_not_asked_for_is_an_error() {
    let all = annotations(5);
    let server = Scripted::start(move |call| page_of(&all, call, 10));
    let error = ids(&server, &Filter::inputs(["in-0".to_owned()]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not asked for"), "{error}");
}

#[tokio::test]
async fn single_annotations_are_read_by_pairs_and_missing_ones_are_absent() {
    let all = pairs(300);
    let server = Scripted::start(move |call| filtered(&all, call, 20));
    let reader = Reader::new(&server.connection()).unwrap();
    let mut wanted = pairs(300);
    wanted.push(("input number 0".into(), "nowhere".into()));
    // An id of one input does not name an annotation of another.
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
async fn annotations_that_are_all_there_take_one_call() {
    let all = pairs(30);
    let server = Scripted::start(move |call| filtered(&all, call, 1000));
    let reader = Reader::new(&server.connection()).unwrap();
    assert_eq!(reader.by_ids(&pairs(30)).await.unwrap().len(), 30);
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn pages_stream_to_the_end() {
    let all = annotations(35);
    let server = Scripted::start(move |call| match call.number("page") {
        3 => success(&[]),
        _ => page_of(&all, call, 10),
    });
    let reader = Reader::new(&server.connection()).unwrap();
    let mut pages = reader.pages(&Filter::default());
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        sizes.push(page.len());
    }
    assert_eq!(sizes, [10, 10, 5]);
}

fn name(input: &str, id: &str) -> [(String, String); 1] {
    [(input.to_owned(), id.to_owned())]
}

#[tokio::test]
async fn a_single_annotation_is_asked_for_by_its_path() {
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
async fn a_path_that_leads_nowhere_proves_nothing_and_a_listing_does() {
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
async fn an_id_that_would_bend_a_path_is_listed_by() {
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

#[tokio::test]
async fn reader_and_writer_count_their_calls_together_and_each_attempt() {
    let server = Scripted::start(|call| match call.number {
        0 => Reply::Hangup,
        _ => success(&[named("in-1", "a1")]),
    });
    let (reader, writer) = connect(&server.connection()).unwrap();
    let mut pages = reader.pages(&Filter::default());
    pages.next().await.unwrap();
    writer
        .post(&[r#"{"id":"a1","input_id":"in-1"}"#])
        .await
        .unwrap();
    assert_eq!(server.calls().len(), 3);
    assert_eq!((reader.calls(), writer.calls()), (3, 3));
}

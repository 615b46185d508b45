//! Listings: every page size, and apps and servers that change while they are read.

use super::{annotations, expected, filtered, ids, pairs};
use crate::api::scripted::{Scripted, named, page_of, success};
use crate::api::windows::windows;
use crate::api::{ApiError, Connection, Filter, Reader};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[tokio::test]
async fn everything_is_listed_in_order_for_any_page_size() {
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
        // A single page and the empty one after it are read twice. Several pages are read once, plus calls for the overlap, for
        // the first and last page again, and after the end. Small pages cannot overlap, and are all read twice.
        let most = match cap {
            _ if count < cap => 5,
            0..20 => 4 + 2 * pages + 3,
            _ => pages + pages / 8 + 12,
        };
        assert!(calls.len() <= most, "{count} by {cap}: {}", calls.len());
    }
}

/// How many calls a listing takes of an app with `count` annotations and pages of 1,000, if about so many are expected.
async fn calls(count: usize, expected: &[usize]) -> usize {
    let all = annotations(count);
    let server = Scripted::start(move |call| page_of(&all, call, 1000));
    let connection = Connection {
        concurrency: 8,
        ..server.connection()
    };
    let filter = Filter {
        expected: expected.iter().map(|it| *it as u64).collect(),
        ..Filter::default()
    };
    let reader = Reader::new(&connection).unwrap();
    let listed = reader.list(&filter).await.unwrap();
    assert_eq!(listed.items().len(), count);
    server.calls().len()
}

/// The least: each page that is not empty, two empty ones after them, and the first and the last page again.
fn least_calls(count: usize) -> usize {
    let pages = windows(1000).take_while(|page| page.start() < count as u64);
    pages.count() + 2 + 2
}

#[tokio::test]
async fn a_listing_of_the_expected_length_takes_the_least_calls() {
    for count in [1_000, 1_001, 1_990, 2_500, 9_300, 20_000] {
        // It may also be that labels were not applied yet, or that they were.
        for expected in [&[count][..], &[count, 20 * count], &[count / 20, count]] {
            assert_eq!(
                calls(count, expected).await,
                least_calls(count),
                "{count} of {expected:?}"
            );
        }
        // Few annotations more or less are on the same pages, or on one more.
        for expected in [count - 100, count + 100] {
            let calls = calls(count, &[expected]).await;
            assert!(
                calls <= least_calls(count) + 1,
                "{count} of {expected}: {calls}"
            );
        }
    }
}

#[tokio::test]
async fn a_short_listing_of_unknown_length_takes_one_call_more_at_most() {
    for pages in 2..8 {
        let count = pages * 980;
        let calls = calls(count, &[]).await;
        assert!(calls <= least_calls(count) + 1, "{pages}: {calls}");
    }
}

#[tokio::test]
async fn few_pages_are_read_beyond_a_listing_of_another_length_than_expected() {
    for expected in [&[][..], &[4_000], &[9_000], &[50_000]] {
        let calls = calls(20_000, expected).await;
        // Of eight pages read at a time, one is the last, and two are the empty ones that follow it.
        assert!(calls <= least_calls(20_000) + 5, "{expected:?}: {calls}");
    }
}

#[tokio::test]
async fn a_listing_that_ends_where_two_pages_overlap_is_read_once() {
    // The pages overlap by 2 to 16 annotations; somewhere among these counts the listing ends within an overlap.
    for count in (1_980..2_020).chain(2_940..2_960) {
        let all = annotations(count);
        let server = Scripted::start(move |call| page_of(&all, call, 1000));
        let listed = ids(&server, &Filter::default()).await.unwrap();
        assert_eq!(listed, expected(count), "{count}");
        let calls = server.calls().len();
        assert!(calls <= 12, "{count}: {calls}");
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
    // The listing is the app before the delete or after it.
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

/// An annotation with times.
fn timed(number: u64) -> String {
    format!(
        r#"{{"id":"a{number:05}","input_id":"in","created_at":"{number}","modified_at":"{number}"}}"#
    )
}

#[tokio::test]
async fn overlapping_pages_prove_a_listing_of_a_changing_app() {
    // Newest first: before each call an annotation is added at the front, and another one deleted.
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
async fn a_changing_order_of_equal_times_is_not_proved_and_a_listing_by_inputs_is() {
    // All have the same time, and each call lists them in a different order.
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
async fn an_annotation_created_at_any_moment_hides_no_other() {
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
    assert!(error.to_string().contains("listed twice"), "{error}");
}

#[tokio::test]
async fn a_server_that_ignores_the_page_is_noticed() {
    let all = annotations(5);
    let server = Scripted::start(move |_| success(&all));
    let error = ids(&server, &Filter::default()).await.unwrap_err();
    assert!(error.to_string().contains("listed twice"), "{error}");
    assert!(server.calls().len() <= 13);
}

#[tokio::test]
async fn an_empty_page_in_the_middle_does_not_end_a_listing() {
    let all = annotations(80);
    let server = Scripted::start(move |call| match call.number("page") {
        2 | 7 => success(&[]),
        _ => page_of(&all, call, 10),
    });
    let listed = ids(&server, &Filter::default()).await.unwrap();
    assert_eq!(listed.len(), 60);
}

#[tokio::test]
async fn a_page_that_is_empty_by_mistake_is_noticed() {
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
async fn a_page_that_is_short_by_mistake_is_noticed_in_either_reading() {
    for page in 1..=6 {
        for reading in 1..=2 {
            let all = annotations(55);
            let readings = AtomicUsize::new(0);
            let server = Scripted::start(move |call| {
                let is_it = call.number("page") == page
                    && readings.fetch_add(1, Ordering::SeqCst) + 1 == reading;
                // A part of this page; the rest is on no other page.
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
async fn a_page_that_is_short_by_mistake_twice_is_noticed_before_the_last() {
    for page in 4..=5 {
        for wrong in [[1, 2], [1, 3]] {
            let all = annotations(55);
            let readings = AtomicUsize::new(0);
            let server = Scripted::start(move |call| {
                let is_it = call.number("page") == page
                    && wrong.contains(&(readings.fetch_add(1, Ordering::SeqCst) + 1));
                if is_it {
                    success(&[])
                } else {
                    page_of(&all, call, 10)
                }
            });
            let listed = ids(&server, &Filter::default()).await.unwrap();
            assert_eq!(listed, expected(55), "page {page}, readings {wrong:?}");
        }
    }
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
async fn annotations_that_were_not_asked_for_are_an_error() {
    let all = annotations(5);
    let server = Scripted::start(move |call| page_of(&all, call, 10));
    let error = ids(&server, &Filter::inputs(["in-0".to_owned()]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not requested"), "{error}");
}

#[tokio::test]
async fn pages_are_streamed_to_the_end() {
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

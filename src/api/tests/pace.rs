//! Listings and writes at the rate of the service, on a paused clock: 15 calls in any second, answered after 80 ms.

use super::annotations;
use crate::api::exchange::{Exchange, ExchangeFuture, HttpRequest, HttpResponse, Method};
use crate::api::windows::windows;
use crate::api::{
    Connection, Endpoint, Filter, InsecureHttp, NamedBody, Reader, Token, Writer, connect_through,
};
use crate::model::{AnnotationId, InputId, Json};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const RATE: usize = 15;
const LATENCY: Duration = Duration::from_millis(80);
/// The maximum number of annotations of a page.
const CAP: usize = 100;

#[derive(Debug, Default)]
struct Service {
    /// The time from a call to its answer.
    latency: Duration,
    stored: Vec<String>,
    /// When the calls of the last second arrived.
    arrived: Mutex<VecDeque<Instant>>,
    calls: AtomicUsize,
    refused: AtomicUsize,
}

impl Service {
    fn with(count: usize, latency: Duration) -> Arc<Self> {
        Arc::new(Self {
            latency,
            stored: annotations(count),
            ..Self::default()
        })
    }

    fn admits(&self) -> bool {
        let (mut arrived, now) = (self.arrived.lock().unwrap(), Instant::now());
        arrived.retain(|at| now - *at < Duration::from_secs(1));
        arrived.push_back(now);
        arrived.len() <= RATE
    }

    fn answer(&self, request: &HttpRequest) -> String {
        const SUCCESS: &str = r#"{"status":{"code":10000},"#;
        if request.method == Method::POST {
            return format!("{SUCCESS}{}", &request.body.as_ref().unwrap()[1..]);
        }
        let field = |name: &str| -> usize {
            let mut fields = request.url.query_pairs();
            fields.find(|it| it.0 == name).unwrap().1.parse().unwrap()
        };
        let size = field("per_page").min(CAP);
        let page = self.stored.chunks(size).nth(field("page") - 1);
        format!(
            r#"{SUCCESS}"annotations":[{}]}}"#,
            page.unwrap_or_default().join(",")
        )
    }
}

impl Exchange for Service {
    fn exchange(&self, request: HttpRequest) -> ExchangeFuture<'_> {
        Box::pin(async move {
            self.calls.fetch_add(1, Relaxed);
            sleep(self.latency / 2).await;
            let is_admitted = self.admits();
            let mut answer = HttpResponse {
                status: 200,
                ..HttpResponse::default()
            };
            if is_admitted {
                answer.body = self.answer(&request).into_bytes();
            } else {
                self.refused.fetch_add(1, Relaxed);
                answer.status = 429;
            }
            sleep(self.latency / 2).await;
            Ok(answer)
        })
    }
}

fn connected(service: &Arc<Service>) -> (Reader, Writer) {
    let endpoint = Endpoint::new("http://localhost", InsecureHttp::Refuse).unwrap();
    let token = Token::new("topsecret").unwrap();
    let connection = Connection::new(endpoint, "ann".into(), "street".into(), token);
    connect_through(&connection, Arc::clone(service) as Arc<dyn Exchange>).unwrap()
}

/// Lists everything, of which about so much is expected.
async fn list(service: &Arc<Service>, expected: Vec<u64>) {
    let filter = Filter {
        expected,
        ..Filter::default()
    };
    let listing = connected(service).0.list(&filter).await.unwrap();
    assert_eq!(listing.items().len(), service.stored.len());
}

/// Checks that the calls so far took at most this many times as long as the rate makes them, and that none was refused.
fn is_as_fast_as_the_rate(service: &Service, start: Instant, most: f64) {
    let calls = service.calls.load(Relaxed);
    assert_eq!(service.refused.load(Relaxed), 0, "of {calls} calls");
    // Each second begins with as many calls as the rate allows.
    let least = ((calls - 1) / RATE) as f64;
    let took = start.elapsed().as_secs_f64();
    // Some calls wait for the answers to others.
    assert!(took <= most * least + 0.4, "{took} s, at least {least} s");
}

#[tokio::test(start_paused = true)]
async fn a_listing_takes_as_long_as_the_rate_makes_it() {
    for expected in [vec![], vec![10_000]] {
        let service = Service::with(10_000, LATENCY);
        let start = Instant::now();
        list(&service, expected).await;
        assert!(service.calls.load(Relaxed) >= 100);
        is_as_fast_as_the_rate(&service, start, 1.05);
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_of_any_length_takes_one_call_more_than_the_least_at_most() {
    for pages in [2, 3, 5, 20, 100] {
        let count = pages * 98;
        let read = windows(CAP as u64).take_while(|page| page.start() < count as u64);
        // Four show how large the pages are, two are empty, and the first and the last page are read again.
        let least = 4 + read.count() + 2 + 2;
        for expected in [vec![], vec![count as u64 / 3], vec![100_000]] {
            let service = Service::with(count, LATENCY);
            list(&service, expected.clone()).await;
            let calls = service.calls.load(Relaxed);
            assert!(
                calls <= least + 1,
                "{pages} pages, {expected:?}: {calls} calls"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_of_slow_pages_reads_as_many_at_a_time_as_are_allowed() {
    const SLOW: Duration = Duration::from_millis(800);
    for expected in [vec![], vec![10_000]] {
        let service = Service::with(10_000, SLOW);
        let start = Instant::now();
        list(&service, expected).await;
        // Eight at a time; some wait for the answers to others.
        let waits = service.calls.load(Relaxed) as u32 / 8 + 7;
        let took = start.elapsed();
        assert!(took <= SLOW * waits, "{took:?}, {waits} times {SLOW:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn posts_take_as_long_as_the_rate_makes_them() {
    let service = Service::with(0, LATENCY);
    let (_, writer) = connected(&service);
    let start = Instant::now();
    let mut posts = JoinSet::new();
    for at in 0..150 {
        if posts.len() == 8 {
            posts.join_next().await.unwrap().unwrap();
        }
        let writer = writer.clone();
        posts.spawn(async move {
            let json = Json::new(&format!(r#"{{"id":"a{at}","input_id":"in"}}"#)).unwrap();
            let body = NamedBody {
                input: InputId::new("in").unwrap(),
                id: AnnotationId::new(format!("a{at}")).unwrap(),
                json: json.into(),
            };
            writer.post(&[body]).await.unwrap();
        });
    }
    posts.join_all().await;
    assert_eq!(service.calls.load(Relaxed), 150);
    is_as_fast_as_the_rate(&service, start, 1.03);
}

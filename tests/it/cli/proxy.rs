//! A proxy between the binary and the emulator that changes requests and answers, for faults that the emulator cannot
//! produce.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

/// How a page of a listing is corrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoil {
    /// The connection breaks in the middle of it.
    BreakOff,
    /// The JSON ends in the middle, with a matching content length.
    CutOff,
    /// An HTML page instead, with HTTP 200.
    Html,
    /// The same, with HTTP 502.
    BadGateway,
    /// HTTP 200 with all annotations, but the status FAILURE.
    Failure,
    /// The same, with MIXED_STATUS.
    Mixed,
    /// HTTP 200, and no status.
    NoStatus,
    /// The previous page instead (for page 1, page 2).
    Neighbour,
    /// Its annotations are in reverse order.
    Reversed,
    /// Its first annotation is missing.
    Short,
    /// It is empty.
    Empty,
    /// It contains one annotation twice.
    Repeated,
}

/// The point at which a call is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Before the server receives it.
    Before,
    /// After the server has processed it, before its answer is passed on.
    After,
}

/// How the proxy changes calls: only writes, unless noted otherwise.
pub(crate) enum ProxyAction {
    /// The listing with this number (from 0) is corrupted.
    Page(usize, Spoil),
    /// The call with this number (from 0, reads included) gets no answer; its arrival is reported.
    NeverAnswer(usize, When, Sender<()>),
    /// The call passes, and its answer is changed in this way.
    Answer(fn(&mut Value)),
    /// All calls pass, and the answers to reads are changed in this way.
    Read(fn(&mut Value)),
    /// The call passes, and in all answers each of these texts is replaced by the other.
    Replace(&'static [(&'static str, &'static str)]),
    /// A call with this text in its body or path is refused with HTTP 400.
    RefuseWith(&'static str),
    /// The call passes without this field of its body.
    Without(&'static str),
    /// Each call is reported and held, before it is passed on and again before its answer is.
    Step(Sender<RunEvent>),
    /// The first call is reported and held until it is released.
    Hold(Sender<()>, Mutex<Option<oneshot::Receiver<()>>>),
    /// The same for the write after this number of writes.
    HoldAfter(
        AtomicUsize,
        Sender<()>,
        Mutex<Option<oneshot::Receiver<()>>>,
    ),
    /// The same for the call with this number (from 0, reads included).
    HoldAt(usize, Sender<()>, Mutex<Option<oneshot::Receiver<()>>>),
    /// All calls pass, reads included, and concurrent calls are counted.
    Count(Arc<ConcurrentCalls>),
}

/// Counts concurrent calls.
#[derive(Debug, Default)]
pub(crate) struct ConcurrentCalls {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl ConcurrentCalls {
    /// The highest number of concurrent calls so far.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// Counts a call until the guard is dropped. Waits, so that other calls can arrive.
    async fn enter(&self) -> Inside<'_> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let inside = Inside(self);
        tokio::time::sleep(Duration::from_millis(10)).await;
        inside
    }
}

/// A counted call.
struct Inside<'a>(&'a ConcurrentCalls);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Events of a run with held writes.
pub(crate) enum RunEvent {
    /// A write is held at this point until it is released; it fails if the sender is dropped.
    Write(When, oneshot::Sender<()>),
    /// The run has ended.
    Ended(std::process::Output),
}

/// Reports a write, and waits until it is released; `false` if the test has ended.
async fn hold_write(events: &Sender<RunEvent>, when: When) -> bool {
    let (go, released) = oneshot::channel();
    events.send(RunEvent::Write(when, go)).is_ok() && released.await.is_ok()
}

/// Whether one more call passes.
fn passes(left: &AtomicUsize) -> bool {
    let less = |left: usize| left.checked_sub(1);
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        .is_ok()
}

impl ProxyAction {
    pub(crate) fn hold(arrived: Sender<()>, release: oneshot::Receiver<()>) -> Self {
        Self::Hold(arrived, Mutex::new(Some(release)))
    }

    pub(crate) fn hold_after(
        before: usize,
        arrived: Sender<()>,
        release: oneshot::Receiver<()>,
    ) -> Self {
        let release = Mutex::new(Some(release));
        Self::HoldAfter(AtomicUsize::new(before), arrived, release)
    }

    pub(crate) fn hold_at(
        number: usize,
        arrived: Sender<()>,
        release: oneshot::Receiver<()>,
    ) -> Self {
        Self::HoldAt(number, arrived, Mutex::new(Some(release)))
    }
}

/// Starts a proxy before the server at this URL; calls that read pass untouched.
pub(crate) async fn start(target: String, proxy_action: ProxyAction) -> String {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listener = listener.await.unwrap();
    let address = listener.local_addr().unwrap();
    // Installing it a second time fails, and the same provider is in place.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    let proxy = Arc::new(Proxy {
        client,
        target,
        action: proxy_action,
        calls: AtomicUsize::new(0),
        listings: AtomicUsize::new(0),
    });
    let app = Router::new().fallback(move |request: Request| {
        let proxy = Arc::clone(&proxy);
        async move { proxy.pass(request).await }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

/// Starts a server that answers every call with a redirect of this status.
pub(crate) async fn redirect(target: String, status: u16) -> String {
    let status = StatusCode::from_u16(status).unwrap();
    answering(move |request| {
        let to = format!("{target}{}", request.uri());
        (status, [(header::LOCATION, to)]).into_response()
    })
    .await
}

/// Starts a server whose answers depend on the request except its body.
pub(crate) async fn answering(
    answer: impl Fn(&Request) -> Response + Clone + Send + Sync + 'static,
) -> String {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listener = listener.await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(move |request: Request| {
        let answer = answer(&request);
        async move { answer }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

struct Proxy {
    client: reqwest::Client,
    target: String,
    action: ProxyAction,
    calls: AtomicUsize,
    listings: AtomicUsize,
}

/// A call that never returns.
async fn never_answer(arrived: &Sender<()>) -> ! {
    arrived.send(()).unwrap();
    std::future::pending().await
}

impl Proxy {
    async fn pass(&self, request: Request) -> Response {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let _inside = match &self.action {
            ProxyAction::Count(crowd) => Some(crowd.enter().await),
            _ => None,
        };
        let (head, body) = request.into_parts();
        let mut body = to_bytes(body, usize::MAX).await.unwrap();
        let writes = head.method != Method::GET;
        let mut target = format!("{}{}", self.target, head.uri);
        let mut spoil = None;
        match &self.action {
            ProxyAction::RefuseWith(text)
                if writes
                    && (String::from_utf8_lossy(&body).contains(text)
                        || head.uri.path().contains(text)) =>
            {
                let refusal =
                    r#"{"status":{"code":11102,"description":"one of these is not to be taken"}}"#;
                return (StatusCode::BAD_REQUEST, refusal).into_response();
            }
            ProxyAction::Without(field) => {
                if let Ok(mut json) = serde_json::from_slice::<Value>(&body)
                    && let Some(fields) = json.as_object_mut()
                {
                    fields.remove(*field);
                    body = json.to_string().into();
                }
            }
            ProxyAction::HoldAt(at, ..) if *at != number => {}
            ProxyAction::Hold(..) | ProxyAction::HoldAfter(..) if !writes => {}
            ProxyAction::HoldAfter(before, ..) if passes(before) => {}
            ProxyAction::Hold(arrived, release)
            | ProxyAction::HoldAfter(_, arrived, release)
            | ProxyAction::HoldAt(_, arrived, release) => {
                let release = release.lock().unwrap().take();
                if let Some(release) = release {
                    arrived.send(()).unwrap();
                    if release.await.is_err() {
                        return StatusCode::BAD_GATEWAY.into_response();
                    }
                }
            }
            ProxyAction::Step(events) if writes && !hold_write(events, When::Before).await => {
                return StatusCode::BAD_GATEWAY.into_response();
            }
            ProxyAction::NeverAnswer(at, When::Before, arrived) if *at == number => {
                never_answer(arrived).await;
            }
            ProxyAction::Page(at, how)
                if !writes
                    && head.uri.path().ends_with("/annotations")
                    && self.listings.fetch_add(1, Ordering::SeqCst) == *at =>
            {
                spoil = Some(*how);
                if *how == Spoil::Neighbour {
                    target = neighbour(&target);
                }
            }
            _ => {}
        }
        let answer = self
            .client
            .request(head.method, target)
            .header(header::AUTHORIZATION, &head.headers[header::AUTHORIZATION])
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text: Bytes = answer.bytes().await.unwrap();
        if let Some(spoil) = spoil {
            return spoiled(spoil, &text);
        }
        match &self.action {
            ProxyAction::Answer(change) | ProxyAction::Read(change)
                if writes == matches!(self.action, ProxyAction::Answer(_)) =>
            {
                let mut json: Value = serde_json::from_slice(&text).unwrap();
                change(&mut json);
                (status, json.to_string()).into_response()
            }
            ProxyAction::Replace(pairs) => {
                let text = String::from_utf8(text.to_vec()).unwrap();
                let text = pairs
                    .iter()
                    .fold(text, |text, (from, to)| text.replace(from, to));
                (status, text).into_response()
            }
            ProxyAction::Step(events) if writes && !hold_write(events, When::After).await => {
                StatusCode::BAD_GATEWAY.into_response()
            }
            ProxyAction::NeverAnswer(at, When::After, arrived) if *at == number => {
                never_answer(arrived).await;
            }
            _ => (status, text).into_response(),
        }
    }
}

/// The URL of the previous page; for the first page, of the second.
fn neighbour(url: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    let fields: Vec<(String, String)> = url
        .query_pairs()
        .map(
            |(name, value)| match (name.as_ref(), value.parse::<u64>()) {
                ("page", Ok(1)) => (name.into_owned(), "2".to_owned()),
                ("page", Ok(page)) => (name.into_owned(), (page - 1).to_string()),
                _ => (name.into_owned(), value.into_owned()),
            },
        )
        .collect();
    url.query_pairs_mut().clear().extend_pairs(fields);
    url.into()
}

fn spoiled(spoil: Spoil, text: &Bytes) -> Response {
    let mut page: Value = serde_json::from_slice(text).unwrap();
    let half = text.slice(..text.len() / 2);
    match spoil {
        Spoil::BreakOff => {
            // A server that fails in the middle of an answer closes the connection.
            let length = [(header::CONTENT_LENGTH, text.len().to_string())];
            // Mapped, because a body of known length would be sent as if it were whole.
            let body = Full::new(half).map_frame(|frame| frame);
            let body = body.map_err(|never| match never {});
            let end = std::future::ready(Some(Err(std::io::Error::other("broken off"))));
            return (length, Body::new(body.with_trailers(end))).into_response();
        }
        Spoil::CutOff => return half.into_response(),
        Spoil::Html => return "<html><body>Please log in</body></html>".into_response(),
        Spoil::BadGateway => {
            return (StatusCode::BAD_GATEWAY, "<html>Bad gateway</html>").into_response();
        }
        Spoil::Failure => page["status"]["code"] = 10020.into(),
        Spoil::Mixed => page["status"]["code"] = "MIXED_STATUS".into(),
        Spoil::NoStatus => page["status"] = serde_json::json!({}),
        Spoil::Neighbour => {}
        Spoil::Reversed | Spoil::Short | Spoil::Empty | Spoil::Repeated => {
            let Some(annotations) = page["annotations"].as_array_mut() else {
                return text.clone().into_response();
            };
            match spoil {
                Spoil::Reversed => annotations.reverse(),
                Spoil::Short => drop(annotations.drain(..1.min(annotations.len()))),
                Spoil::Repeated => annotations.extend(annotations.first().cloned()),
                _ => annotations.clear(),
            }
        }
    }
    page.to_string().into_response()
}

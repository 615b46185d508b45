//! A server between the binary and the emulator that meddles with what passes through it: for what no emulator does
//! by itself.

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// What is done to a call that writes.
pub(crate) enum Meddling {
    /// It goes through, and this is done to its answer.
    Answer(fn(&mut Value)),
    /// It is refused as a whole, with HTTP 400, when its body or its path holds this text.
    RefuseWith(&'static str),
    /// It goes through without this field of its body.
    Without(&'static str),
    /// One is held: that it came is told, and it goes through when it is let go.
    Hold(Sender<()>, Mutex<Held>),
}

/// Which call is held, and until when.
pub(crate) struct Held {
    /// So many go through before it.
    before: usize,
    release: Option<oneshot::Receiver<()>>,
}

impl Meddling {
    /// Holds the first one.
    pub(crate) fn hold(arrived: Sender<()>, release: oneshot::Receiver<()>) -> Self {
        Self::hold_after(0, arrived, release)
    }

    /// Holds the one that comes after so many.
    pub(crate) fn hold_after(
        before: usize,
        arrived: Sender<()>,
        release: oneshot::Receiver<()>,
    ) -> Self {
        let release = Some(release);
        Self::Hold(arrived, Mutex::new(Held { before, release }))
    }
}

/// Starts a proxy before the server at this URL; calls that read pass untouched.
pub(crate) async fn start(target: String, meddling: Meddling) -> String {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listener = listener.await.unwrap();
    let address = listener.local_addr().unwrap();
    // Whoever comes second finds the same provider in place.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    let shared = Arc::new((client, target, meddling));
    let app = Router::new().fallback(move |request: Request| {
        let shared = Arc::clone(&shared);
        async move { pass(&shared.0, &shared.1, &shared.2, request).await }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

/// Starts a server that points to another one, whatever it is asked.
pub(crate) async fn redirect(target: String) -> String {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listener = listener.await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(move |request: Request| {
        let to = format!("{target}{}", request.uri());
        async move { axum::response::Redirect::temporary(&to) }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

async fn pass(
    client: &reqwest::Client,
    target: &str,
    meddling: &Meddling,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let mut body = to_bytes(body, usize::MAX).await.unwrap();
    let writes = head.method != Method::GET;
    if let Meddling::RefuseWith(text) = meddling
        && writes
        && (String::from_utf8_lossy(&body).contains(text) || head.uri.path().contains(text))
    {
        let refusal =
            r#"{"status":{"code":11102,"description":"one of these is not to be taken"}}"#;
        return (StatusCode::BAD_REQUEST, refusal).into_response();
    }
    if let Meddling::Without(field) = meddling
        && let Ok(mut json) = serde_json::from_slice::<Value>(&body)
        && let Some(fields) = json.as_object_mut()
    {
        fields.remove(*field);
        body = json.to_string().into();
    }
    if let Meddling::Hold(arrived, which) = meddling
        && writes
    {
        let release = {
            let mut which = which.lock().unwrap();
            match which.before.checked_sub(1) {
                Some(before) => {
                    which.before = before;
                    None
                }
                None => which.release.take(),
            }
        };
        if let Some(release) = release {
            arrived.send(()).unwrap();
            if release.await.is_err() {
                return StatusCode::BAD_GATEWAY.into_response();
            }
        }
    }
    let answer = client
        .request(head.method, format!("{target}{}", head.uri))
        .header(header::AUTHORIZATION, &head.headers[header::AUTHORIZATION])
        .body(body)
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let text: Bytes = answer.bytes().await.unwrap();
    match meddling {
        Meddling::Answer(change) if writes => {
            let mut json: Value = serde_json::from_slice(&text).unwrap();
            change(&mut json);
            (status, json.to_string()).into_response()
        }
        _ => (status, text).into_response(),
    }
}

//! The HTTP server: routes, and requests and answers in JSON. `grpc` has those in protobuf; `dispatch` carries both out.

use super::call::RequestParts;
use super::connection::{Connections, Cut};
use super::control::{self, Action};
use super::dispatch::{Incoming, Protocol, Reply};
use super::endpoint::Endpoint;
use super::grpc;
use super::listing::Query;
use super::protobuf;
use super::reply::Refusal;
use super::shared::Shared;
use super::traffic;
use crate::wire::Code;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{ConnectInfo, Path, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::{get, on, post};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Larger bodies are read up to this size before they are rejected, because a client sees the answer only then.
const MAX_READ: usize = 64 << 20;

/// Serves until `stop` resolves, then finishes running calls.
pub(super) async fn serve(
    connections: Connections,
    shared: Arc<Shared>,
    stop: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let service = router(shared).into_make_service_with_connect_info::<Cut>();
    axum::serve(connections, service)
        .with_graceful_shutdown(async move {
            // An error means that the emulator was dropped, which stops it too.
            let _ = stop.await;
        })
        .await
}

fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new();
    for endpoint in Endpoint::ALL {
        for (method, _, path) in endpoint.routes() {
            let handler = || on(*method, handler(*endpoint));
            if path.starts_with("/v2/") {
                router = router.route(path, handler());
                continue;
            }
            for prefix in ["/v2/users/{user_id}/apps/{app_id}", "/v2"] {
                router = router.route(&format!("{prefix}{path}"), handler());
            }
        }
    }
    if shared.config.control {
        for (action, method, path) in Action::ALL {
            router = router.route(path, on(method, control_handler(action)));
        }
    }
    router
        .route(
            &format!("/{}/{{method}}", protobuf::SERVICE),
            post(answer_grpc),
        )
        .route("/media/{hash}", get(answer_media))
        .fallback(handler(Endpoint::Unknown))
        .method_not_allowed_fallback(handler(Endpoint::WrongMethod))
        .with_state(shared)
}

type PathParams = Result<RawPathParams, RawPathParamsRejection>;

type ResponseFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

/// The handler of a call in JSON.
fn handler(
    endpoint: Endpoint,
) -> impl Fn(State<Arc<Shared>>, ConnectInfo<Cut>, PathParams, Request) -> ResponseFuture
+ Clone
+ Send
+ Sync {
    move |State(shared), ConnectInfo(cut), params, request| {
        Box::pin(async move { answer_json(&shared, endpoint, &cut, params, request).await })
    }
}

/// The handler of a path for tests.
fn control_handler(
    action: Action,
) -> impl Fn(State<Arc<Shared>>, Request) -> ResponseFuture + Clone + Send + Sync {
    move |State(shared), request| {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let address = shared.base_url(&head);
            respond(match axum::body::to_bytes(body, MAX_READ).await {
                Ok(body) => control::answer(&shared, action, &head.headers, &body, address).await,
                Err(_) => control::too_large(&shared, MAX_READ),
            })
        })
    }
}

async fn answer_json(
    shared: &Arc<Shared>,
    endpoint: Endpoint,
    cut: &Cut,
    params: PathParams,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let read = axum::body::to_bytes(body, MAX_READ).await;
    // A body that was not read completely counts as too large, not as empty.
    let whole = read
        .as_ref()
        .is_ok_and(|bytes| bytes.len() <= endpoint.max_body());
    let bytes = read.unwrap_or_default();
    let query = head.uri.query().unwrap_or_default();
    let sent = if whole {
        read_sent(shared, endpoint, &params, &head, &bytes)
    } else {
        let details = format!("the body has more than {} bytes", endpoint.max_body());
        Err(Refusal::new(413, Code::CONN_BAD_REQUEST_FORMAT, details))
    };
    let incoming = Incoming {
        protocol: Protocol::Rest,
        endpoint,
        headers: &head.headers,
        method: head.method.as_str(),
        path: head.uri.path(),
        query,
        bytes: &bytes,
        sent,
    };
    respond(traffic::answer(shared, cut, incoming).await)
}

fn read_sent(
    shared: &Shared,
    endpoint: Endpoint,
    params: &PathParams,
    head: &Parts,
    bytes: &[u8],
) -> Result<RequestParts, Refusal> {
    let path = match params {
        Ok(params) => params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => {
            return Err(Refusal::format("the path is not UTF-8"));
        }
        // A path without parameters.
        Err(_) => HashMap::new(),
    };
    let query = Query::parse(head.uri.query().unwrap_or_default());
    let body = parse_body(endpoint, bytes)?;
    if shared.config.strict {
        refuse_unknown_fields(endpoint, &query, &body)?;
    }
    Ok(RequestParts {
        path,
        query,
        body,
        base_url: shared.base_url(head),
    })
}

fn parse_body(endpoint: Endpoint, bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    // The bodies of other calls are ignored, as in any HTTP server.
    if !endpoint.takes_body() || bytes.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(bytes).map_err(|error| Refusal::format(error.to_string()))
}

fn refuse_unknown_fields(
    endpoint: Endpoint,
    query: &Query,
    body: &Map<String, Value>,
) -> Result<(), Refusal> {
    let mut names = query.names();
    let of_query = names.find(|name| !protobuf::has_query_field(endpoint, name));
    let unknown = of_query
        .map(ToOwned::to_owned)
        .or_else(|| protobuf::unknown_name(endpoint, body));
    match unknown {
        Some(name) if !endpoint.name().is_empty() => {
            Err(Refusal::format(format!("unknown field `{name}`")))
        }
        _ => Ok(()),
    }
}

async fn answer_grpc(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    match grpc::answer(&shared, &cut, request).await {
        Ok(response) => response,
        // A proxy's answer, which is neither JSON nor protobuf.
        Err(reply) => respond(reply),
    }
}

/// A file that was uploaded with an input. As with the service, its URL is secret and needs no key.
async fn answer_media(State(shared): State<Arc<Shared>>, Path(hash): Path<String>) -> Response {
    let mut response = match traffic::read_media(&shared, hash).await {
        Ok(Some(bytes)) => {
            let kind = image::guess_format(&bytes)
                .map_or("application/octet-stream", |it| it.to_mime_type());
            let mut response = Response::new(Body::from(bytes));
            let kind = header::HeaderValue::from_static(kind);
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            return response;
        }
        Ok(None) => Response::new(Body::from("no such file")),
        Err(refusal) => Response::new(Body::from(refusal.into_answer().details)),
    };
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn respond(reply: Reply) -> Response {
    let kind = if reply.is_json() {
        "application/json"
    } else {
        "text/html"
    };
    let status = StatusCode::from_u16(reply.http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    if let Some(seconds) = reply.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

//! The HTTP server: routes, keys, limits, and faults that do not concern operations. The operations are in `read`,
//! `search`, `write`, `task`, `delete`, `inputs` and `concepts`.

use super::call::{Call, OperationFaults, RequestParts};
use super::config::Config;
use super::connection::{Connections, Cut};
use super::endpoint::Endpoint;
use super::faults::{CallKey, ConcurrentChange, Fault};
use super::hash::hex_id;
use super::listing::Query;
use super::reply::{Answer, INJECTED, Refusal};
use super::session::Session;
use super::shared::{CallRecord, Shared};
use super::store::Access;
use super::{concepts, delete, inputs, read, search, task, write};
use crate::wire::Code;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{ConnectInfo, OriginalUri, RawPathParams, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodRouter, delete as on_delete, get, patch as on_patch, post};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The largest accepted body, in bytes.
const MAX_BODY: usize = 8 << 20;
/// Larger bodies are read up to this size before they are rejected, because a client sees the answer only then.
const MAX_READ: usize = 64 << 20;

/// Serves until `stop` resolves, then finishes running calls.
pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    stop: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let service = router(shared).into_make_service_with_connect_info::<Cut>();
    axum::serve(Connections(listener), service)
        .with_graceful_shutdown(async move {
            // An error means that the emulator was dropped, which stops it too.
            let _ = stop.await;
        })
        .await
}

fn router(shared: Arc<Shared>) -> Router {
    let app = Router::new()
        .route(
            "/annotations",
            post(on(Endpoint::PostAnnotations))
                .get(on(Endpoint::ListAnnotations))
                .patch(on(Endpoint::PatchAnnotations))
                .delete(on(Endpoint::DeleteAnnotations)),
        )
        .route(
            "/inputs/annotations",
            on_delete(on(Endpoint::DeleteAnnotations)),
        )
        .route(
            "/inputs/{input_id}/annotations/{id}",
            get(on(Endpoint::GetAnnotation)).delete(on(Endpoint::DeleteAnnotation)),
        )
        .route(
            "/annotations/searches",
            post(on(Endpoint::PostAnnotationsSearches)),
        )
        .route(
            "/task/{task_id}/annotations/status",
            on_patch(on(Endpoint::PatchAnnotationsStatus)),
        )
        .route(
            "/inputs",
            post(on(Endpoint::PostInputs))
                .get(on(Endpoint::ListInputs))
                .delete(on(Endpoint::DeleteInputs)),
        )
        .route("/inputs/stream", get(on(Endpoint::StreamInputs)))
        .route("/inputs/status", get(on(Endpoint::GetInputCount)))
        .route(
            "/inputs/{input_id}",
            get(on(Endpoint::GetInput)).delete(on(Endpoint::DeleteInput)),
        )
        .route(
            "/concepts",
            post(on(Endpoint::PostConcepts)).get(on(Endpoint::ListConcepts)),
        )
        .route("/concepts/{concept_id}", get(on(Endpoint::GetConcept)));
    let users: MethodRouter<Arc<Shared>> = get(on(Endpoint::GetUser));
    Router::new()
        .nest("/v2/users/{user_id}/apps/{app_id}", app.clone())
        .nest("/v2", app)
        .route("/v2/users/{user_id}", users)
        .fallback(on(Endpoint::Unknown))
        .method_not_allowed_fallback(on(Endpoint::Unknown))
        .with_state(shared)
}

type PathParams = Result<RawPathParams, RawPathParamsRejection>;

type ResponseFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

/// The handler of an endpoint.
fn on(
    endpoint: Endpoint,
) -> impl Fn(State<Arc<Shared>>, ConnectInfo<Cut>, PathParams, Request) -> ResponseFuture
+ Clone
+ Send
+ Sync {
    move |State(shared), ConnectInfo(cut), params, request| {
        Box::pin(async move { answer_call(&shared, endpoint, &cut, params, request).await })
    }
}

/// An answer as it is sent.
struct Reply {
    http: u16,
    code: Code,
    retry_after: Option<u32>,
    body: String,
}

async fn answer_call(
    shared: &Arc<Shared>,
    endpoint: Endpoint,
    cut: &Cut,
    params: PathParams,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    // A nested router sees only its part of the path.
    let uri = head
        .extensions
        .get::<OriginalUri>()
        .map_or(&head.uri, |original| &original.0);
    let read = axum::body::to_bytes(body, MAX_READ).await;
    // A body that was not read completely counts as too large, not as empty.
    let whole = read.as_ref().is_ok_and(|bytes| bytes.len() <= MAX_BODY);
    let bytes = read.unwrap_or_default();
    let query_text = uri.query().unwrap_or_default();
    let query = Query::parse(query_text);
    let parsed = parse_body(endpoint, &bytes);
    let items = count_items(endpoint, parsed.as_ref().ok());
    let faults = shared.faults.decide(&CallKey {
        endpoint,
        page: query.last("page").map_or(Some(1), |page| page.parse().ok()),
        items,
        text: &[
            head.method.as_str().as_bytes(),
            uri.path().as_bytes(),
            query_text.as_bytes(),
            &bytes,
        ],
    });
    for fault in &faults {
        if let Fault::Latency(delay) = fault {
            tokio::time::sleep(*delay).await;
        }
    }
    let reply = if let Some(reply) = early_reply(shared, &faults) {
        reply
    } else {
        let sent = read_sent(whole, &params, query, parsed);
        execute(shared, endpoint, &head.headers, sent, &faults).await
    };
    let dropped = faults.contains(&Fault::DropBefore) || faults.contains(&Fault::DropAfter);
    let record = CallRecord {
        endpoint,
        method: head.method.to_string(),
        path: uri.path().to_owned(),
        query: query_text.to_owned(),
        items,
        status: Some(reply.http).filter(|_| !dropped),
        code: reply.code,
    };
    shared.remember(record);
    if dropped {
        cut.now();
    }
    respond(reply)
}

/// The answer of a fault that prevents the call from being executed.
fn early_reply(shared: &Shared, faults: &[Fault]) -> Option<Reply> {
    let answer = |answer: Answer| Some(finish(shared, answer));
    faults.iter().find_map(|fault| match fault {
        Fault::Throttle { retry_after } => Some(throttled(shared, *retry_after)),
        Fault::Unavailable(http) => Some(Reply {
            http: *http,
            code: Code(0),
            retry_after: None,
            body: "<html><body>upstream unavailable</body></html>".to_owned(),
        }),
        Fault::Internal(code) => answer(Refusal::new(500, *code, INJECTED).into_answer()),
        Fault::TryAgain => answer(Refusal::new(200, Code::TRY_AGAIN, "try again").into_answer()),
        Fault::DropBefore => Some(Reply {
            http: 0,
            code: Code(0),
            retry_after: None,
            body: String::new(),
        }),
        _ => None,
    })
}

fn throttled(shared: &Shared, retry_after: Option<u32>) -> Reply {
    let limit = shared.config.rate_limit.unwrap_or(15);
    let details = format!("exceeded limit of {limit} requests per second");
    let refusal = Refusal::new(429, Code::CONN_THROTTLED, details);
    Reply {
        retry_after,
        ..finish(shared, refusal.into_answer())
    }
}

fn finish(shared: &Shared, answer: Answer) -> Reply {
    let req_id = hex_id(shared.config.seed, "request", shared.next_request());
    Reply {
        http: answer.http,
        code: answer.code,
        retry_after: None,
        body: answer
            .body(&req_id, shared.config.response_style)
            .to_string(),
    }
}

fn respond(reply: Reply) -> Response {
    let kind = if reply.body.starts_with('<') {
        "text/html"
    } else {
        "application/json"
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

fn parse_body(endpoint: Endpoint, bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    // The bodies of other calls are ignored, as in any HTTP server.
    if !endpoint.takes_body() || bytes.is_empty() || bytes.len() > MAX_BODY {
        return Ok(Map::new());
    }
    serde_json::from_slice(bytes).map_err(|error| Refusal::format(error.to_string()))
}

fn count_items(endpoint: Endpoint, body: Option<&Map<String, Value>>) -> usize {
    let list = endpoint.item_list().and_then(|name| body?.get(name));
    list.and_then(Value::as_array).map_or(0, Vec::len)
}

fn read_sent(
    whole: bool,
    params: &PathParams,
    query: Query,
    body: Result<Map<String, Value>, Refusal>,
) -> Result<RequestParts, Refusal> {
    if !whole {
        let details = format!("the body has more than {MAX_BODY} bytes");
        return Err(Refusal::new(413, Code::CONN_BAD_REQUEST_FORMAT, details));
    }
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
    Ok(RequestParts {
        path,
        query,
        body: body?,
    })
}

/// Executes a call: key, rate limit, operation.
async fn execute(
    shared: &Arc<Shared>,
    endpoint: Endpoint,
    headers: &HeaderMap,
    sent: Result<RequestParts, Refusal>,
    faults: &[Fault],
) -> Reply {
    let caller = match caller(&shared.config, headers) {
        Ok(caller) => caller.to_owned(),
        Err(refusal) => return finish(shared, refusal.into_answer()),
    };
    if !shared.admit(&caller) {
        return throttled(shared, shared.config.retry_after);
    }
    let outcome = match sent {
        Ok(sent) => operate(shared, endpoint, caller, sent, faults).await,
        Err(refusal) => Err(refusal),
    };
    finish(shared, outcome.unwrap_or_else(Refusal::into_answer))
}

/// The user of the call's key.
fn caller<'a>(config: &'a Config, headers: &HeaderMap) -> Result<&'a str, Refusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Key "));
    let Some(token) = token else {
        let details = "no header `Authorization: Key <token>`";
        return Err(Refusal::new(401, Code::CONN_TOKEN_INVALID, details));
    };
    config
        .user_of_key(token.trim())
        .ok_or_else(|| Refusal::new(401, Code::CONN_KEY_INVALID, "unknown key"))
}

async fn operate(
    shared: &Arc<Shared>,
    endpoint: Endpoint,
    caller: String,
    sent: RequestParts,
    faults: &[Fault],
) -> Result<Answer, Refusal> {
    type Operation = fn(&mut Session<'_>, &Call<'_>) -> Result<Answer, Refusal>;
    let (access, operation): (Access, Operation) = match endpoint {
        Endpoint::PostAnnotations => (Access::Writes, write::post_annotations),
        Endpoint::PatchAnnotations => (Access::Writes, write::patch_annotations),
        Endpoint::PatchAnnotationsStatus => (Access::Writes, task::patch_status),
        Endpoint::PostInputs => (Access::Writes, inputs::post_inputs),
        Endpoint::DeleteInput => (Access::Writes, inputs::delete_input),
        Endpoint::DeleteInputs => (Access::Writes, inputs::delete_inputs),
        Endpoint::PostConcepts => (Access::Writes, concepts::post_concepts),
        Endpoint::DeleteAnnotation => (Access::Writes, delete::delete_annotation),
        Endpoint::DeleteAnnotations => (Access::Writes, delete::delete_annotations),
        Endpoint::ListAnnotations => (Access::Reads, read::list_annotations),
        Endpoint::GetAnnotation => (Access::Reads, read::get_annotation),
        Endpoint::PostAnnotationsSearches => (Access::Reads, search::post_searches),
        // A read of a pending input is counted.
        Endpoint::ListInputs => (Access::Writes, inputs::list_inputs),
        Endpoint::GetInput => (Access::Writes, inputs::get_input),
        Endpoint::StreamInputs => (Access::Reads, inputs::stream_inputs),
        Endpoint::GetInputCount => (Access::Reads, inputs::get_input_count),
        Endpoint::ListConcepts => (Access::Reads, concepts::list_concepts),
        Endpoint::GetConcept => (Access::Reads, concepts::get_concept),
        Endpoint::GetUser => {
            let user = sent.path.get("user_id").map_or("me", String::as_str);
            return read::get_user(&shared.config, &caller, user);
        }
        Endpoint::Unknown => return Err(Refusal::missing("unknown path or method")),
    };
    let faults = OperationFaults::of(faults, shared.faults.hidden());
    let changes = faults.changes.clone();
    // Concurrent changes are made in the transaction of the call.
    let access = if changes.is_empty() {
        access
    } else {
        Access::Writes
    };
    let answer = shared
        .run(access, move |session, config| {
            let call = Call::new(session, config, &caller, &sent, &faults)?;
            operation(session, &call)
        })
        .await;
    for change in &changes {
        match change {
            ConcurrentChange::Hide { input_id, id } => shared.faults.hide(input_id, id),
            ConcurrentChange::Show { input_id, id } => shared.faults.show(input_id, id),
            ConcurrentChange::Delete { .. } | ConcurrentChange::Insert(_) => {}
        }
    }
    answer
}

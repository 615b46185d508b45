//! What happens to every call, of HTTP and of gRPC alike: faults, key, rate limit, operation, log.

use super::call::{Call, OperationFaults, RequestParts};
use super::config::Config;
use super::connection::Cut;
use super::endpoint::Endpoint;
use super::faults::{CallKey, ConcurrentChange, Fault};
use super::hash::hex_id;
use super::reply::{Answer, INJECTED, Refusal};
use super::session::Session;
use super::shared::{CallRecord, Shared};
use super::store::Access;
use super::{apps, concepts, datasets, delete, inputs, jobs, read, search, task, write};
use crate::wire::Code;
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// JSON; method, path and query are those of the call.
    Rest,
    /// Protobuf; only `sent` names the objects of the call.
    Grpc,
}

/// A call as it was received.
#[derive(Debug)]
pub(super) struct Incoming<'a> {
    pub(super) protocol: Protocol,
    pub(super) endpoint: Endpoint,
    pub(super) headers: &'a HeaderMap,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// Without the question mark.
    pub(super) query: &'a str,
    pub(super) bytes: &'a [u8],
    /// The decoded request, or why it cannot be decoded.
    pub(super) sent: Result<RequestParts, Refusal>,
}

impl Incoming<'_> {
    /// Whether the body is too large. `bytes` may lack a part of it then.
    pub(super) fn is_too_large(&self) -> bool {
        matches!(&self.sent, Err(Refusal::Answer(answer)) if answer.http == 413)
    }
}

/// An answer as it is sent over HTTP.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) http: u16,
    pub(super) code: Code,
    /// The header `Retry-After`, in seconds.
    pub(super) retry_after: Option<u32>,
    /// A JSON object, or what a proxy sends: HTML, or another text.
    pub(super) body: String,
}

impl Reply {
    pub(super) fn is_json(&self) -> bool {
        self.body.starts_with('{')
    }
}

/// Answers a call, or cuts its connection.
pub(super) async fn answer(shared: &Arc<Shared>, cut: &Cut, incoming: Incoming<'_>) -> Reply {
    let Incoming {
        protocol: _,
        endpoint,
        headers,
        method,
        path,
        query,
        bytes,
        sent,
    } = incoming;
    let items = count_items(endpoint, sent.as_ref().ok().map(|sent| &sent.body));
    let page = sent.as_ref().ok().and_then(|sent| sent.query.last("page"));
    let faults = shared.faults.decide(&CallKey {
        endpoint,
        page: page.map_or(Some(1), |page| page.parse().ok()),
        items,
        text: &[method.as_bytes(), path.as_bytes(), query.as_bytes(), bytes],
    });
    for fault in &faults {
        if let Fault::Latency(delay) = fault {
            tokio::time::sleep(*delay).await;
        }
    }
    let reply = match early_reply(shared, &faults) {
        Some(reply) => reply,
        None => execute(shared, endpoint, headers, sent, &faults).await,
    };
    let dropped = faults.contains(&Fault::DropBefore) || faults.contains(&Fault::DropAfter);
    shared.remember(CallRecord {
        endpoint,
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        items,
        status: Some(reply.http).filter(|_| !dropped),
        code: reply.code,
    });
    if dropped {
        cut.now();
    }
    reply
}

fn count_items(endpoint: Endpoint, body: Option<&Map<String, Value>>) -> usize {
    let list = endpoint.item_list().and_then(|name| body?.get(name));
    list.and_then(Value::as_array).map_or(0, Vec::len)
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

pub(super) fn finish(shared: &Shared, answer: Answer) -> Reply {
    let req_id = hex_id(shared.config.seed, "request", shared.next_request());
    let write = |answer: Answer| {
        Ok::<_, rusqlite::Error>(Reply {
            http: answer.http,
            code: answer.code,
            retry_after: None,
            body: answer.body(&req_id, shared.config.response_style)?,
        })
    };
    write(answer)
        .or_else(|error| write(Refusal::from(error).into_answer()))
        .expect("an answer without annotations is written without errors")
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
pub(super) fn caller<'a>(config: &'a Config, headers: &HeaderMap) -> Result<&'a str, Refusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Key "));
    let Some(token) = token else {
        let details = "no header `Authorization: Key <token>`";
        return Err(Refusal::new(401, Code::CONN_KEY_INVALID, details));
    };
    config
        .user_of_key(token.trim())
        .ok_or_else(|| Refusal::new(401, Code::CONN_KEY_INVALID, "unknown key"))
}

async fn operate(
    shared: &Arc<Shared>,
    endpoint: Endpoint,
    caller: String,
    mut sent: RequestParts,
    faults: &[Fault],
) -> Result<Answer, Refusal> {
    type Operation = fn(&mut Session<'_>, &Call<'_>) -> Result<Answer, Refusal>;
    let (access, operation): (Access, Operation) = match endpoint {
        Endpoint::PostAnnotations => (Access::Writes, write::post_annotations),
        Endpoint::PatchAnnotations => (Access::Writes, write::patch_annotations),
        Endpoint::PatchAnnotationsStatus => (Access::Writes, task::patch_status),
        Endpoint::PostInputs => (Access::Writes, inputs::post_inputs),
        Endpoint::PatchInputs => (Access::Writes, inputs::patch_inputs),
        Endpoint::DeleteInput => (Access::Writes, inputs::delete_input),
        Endpoint::DeleteInputs => (Access::Writes, inputs::delete_inputs),
        Endpoint::PostConcepts => (Access::Writes, concepts::post_concepts),
        Endpoint::PatchConcepts => (Access::Writes, concepts::patch_concepts),
        Endpoint::PostDatasets => (Access::Writes, datasets::post_datasets),
        Endpoint::PatchDatasets => (Access::Writes, datasets::patch_datasets),
        Endpoint::DeleteDatasets => (Access::Writes, datasets::delete_datasets),
        Endpoint::PostDatasetInputs => (Access::Writes, datasets::post_inputs),
        Endpoint::DeleteDatasetInputs => (Access::Writes, datasets::delete_inputs),
        Endpoint::CancelInputsAddJob => (Access::Writes, jobs::cancel_job),
        Endpoint::PostApps => (Access::Writes, apps::post_apps),
        Endpoint::PatchApps => (Access::Writes, apps::patch_apps),
        Endpoint::PatchApp => (Access::Writes, apps::patch_app),
        Endpoint::DeleteApp => (Access::Writes, apps::delete_app),
        Endpoint::DeleteAnnotation => (Access::Writes, delete::delete_annotation),
        Endpoint::DeleteAnnotations => (Access::Writes, delete::delete_annotations),
        Endpoint::ListAnnotations => (Access::Reads, read::list_annotations),
        Endpoint::GetAnnotation => (Access::Reads, read::get_annotation),
        Endpoint::PostAnnotationsSearches => (Access::Reads, search::post_searches),
        Endpoint::ListDatasets => (Access::Reads, datasets::list_datasets),
        Endpoint::GetDataset => (Access::Reads, datasets::get_dataset),
        Endpoint::ListDatasetInputs => (Access::Reads, datasets::list_inputs),
        Endpoint::ListApps => (Access::Reads, apps::list_apps),
        Endpoint::GetApp => (Access::Reads, apps::get_app),
        Endpoint::MyScopes => (Access::Reads, apps::my_scopes),
        // A read of a pending input is counted.
        Endpoint::ListInputs => (Access::Writes, inputs::list_inputs),
        Endpoint::GetInput => (Access::Writes, inputs::get_input),
        Endpoint::GetInputsAddJob => (Access::Writes, jobs::get_job),
        Endpoint::ListInputsAddJobs => (Access::Reads, jobs::list_jobs),
        Endpoint::StreamInputs => (Access::Reads, inputs::stream_inputs),
        Endpoint::GetInputCount => (Access::Reads, inputs::get_input_count),
        Endpoint::ListConcepts => (Access::Reads, concepts::list_concepts),
        Endpoint::GetConcept => (Access::Reads, concepts::get_concept),
        Endpoint::GetUser => {
            let user = sent.path.get("user_id").map_or("me", String::as_str);
            return read::get_user(&shared.config, &caller, user);
        }
        Endpoint::WrongMethod => {
            let details = "the path has no such method";
            return Err(Refusal::new(405, Code::CONN_METHOD_NOT_ALLOWED, details));
        }
        Endpoint::Unknown => return Err(Refusal::missing("unknown path")),
    };
    let faults = OperationFaults::of(faults, shared.faults.hidden());
    let changes = faults.changes.clone();
    // Concurrent changes are made in the transaction of the call.
    let access = if changes.is_empty() {
        access
    } else {
        Access::Writes
    };
    // Calls wait for each other's transactions, so what needs none is done before.
    let items = sent.take_items(endpoint);
    let answer = shared
        .run(access, move |session, config| {
            let call = Call::new(session, endpoint, config, &caller, &sent, &faults, items)?;
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

//! Where the answer of a call comes from: the emulator, a real endpoint, or a recording. Writes recordings.

use super::connection::Cut;
use super::dispatch::{self, Incoming, Protocol, Reply};
use super::media;
use super::recorder::{self, Recorder};
use super::recording::{Answer, Exchange, Request};
use super::replacements::Replacements;
use super::replay::Replay;
use super::reply::Refusal;
use super::rest::{RestCall, rest_form};
use super::shared::{Mode, Shared};
use crate::wire::Code;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

/// Answers a call, or cuts its connection.
pub(super) async fn answer(shared: &Arc<Shared>, cut: &Cut, incoming: Incoming<'_>) -> Reply {
    match &shared.mode {
        Mode::Serve => dispatch::answer(shared, cut, incoming).await,
        Mode::Record { .. } => {
            let recorded = record(shared, cut, incoming).await;
            recorded.unwrap_or_else(|refusal| dispatch::finish(shared, refusal.into_answer()))
        }
        Mode::Replay(replay) => {
            let repeated = repeat(replay, incoming);
            repeated.unwrap_or_else(|refusal| dispatch::finish(shared, refusal.into_answer()))
        }
    }
}

/// The file of an uploaded input with this hash.
pub(super) async fn read_media(
    shared: &Arc<Shared>,
    hash: String,
) -> Result<Option<Vec<u8>>, Refusal> {
    let path = format!("/media/{hash}");
    let request = || Request::new("GET", &path, "", b"", &Replacements::default());
    match &shared.mode {
        Mode::Serve => media::read(shared, hash).await,
        Mode::Record { recorder, .. } => {
            let bytes = media::read(shared, hash).await?;
            if let Some(bytes) = &bytes {
                let answer = Answer {
                    status: 200,
                    base64: Some(STANDARD.encode(bytes)),
                    ..Answer::default()
                };
                keep(recorder, request(), answer)?;
            }
            Ok(bytes)
        }
        Mode::Replay(replay) => {
            let recorded = replay.answer(&request()).ok();
            let bytes = recorded.and_then(|answer| answer.base64.as_ref());
            Ok(bytes.and_then(|bytes| STANDARD.decode(bytes).ok()))
        }
    }
}

async fn record(shared: &Arc<Shared>, cut: &Cut, incoming: Incoming<'_>) -> Result<Reply, Refusal> {
    let Mode::Record { recorder, forward } = &shared.mode else {
        return Ok(dispatch::answer(shared, cut, incoming).await);
    };
    let replaced = recorder.replacements(incoming.headers, address(&incoming));
    let Some(call) = as_rest(&incoming) else {
        return match forward {
            Some(_) => incoming.sent.and(Err(Refusal::invalid(NO_PATH))),
            None => Ok(dispatch::answer(shared, cut, incoming).await),
        };
    };
    // The answers of these calls are tokens.
    let is_secret = call.path.split('/').any(|segment| segment == "keys");
    let new = |call: &RestCall<'_>| {
        Request::new(call.method, &call.path, &call.query, &call.body, &replaced)
    };
    let (request, reply) = match forward {
        None => {
            let request = new(&call);
            (request, dispatch::answer(shared, cut, incoming).await)
        }
        Some(forward) => {
            let sent = forward.send(incoming.headers, &call).await;
            let answer = sent.map_err(|problem| {
                Refusal::new(
                    502,
                    Code::FAILURE,
                    format!("cannot forward the call: {problem}"),
                )
            })?;
            let reply = Reply {
                http: answer.status,
                code: Code::default(),
                retry_after: answer.retry_after,
                body: answer.body,
            };
            (new(&call), reply)
        }
    };
    // Calls whose connection was cut before they were carried out have no answer.
    if reply.http != 0 && !is_secret {
        let answer = Answer::new(reply.http, reply.retry_after, &reply.body, &replaced);
        keep(recorder, request, answer)?;
    }
    Ok(reply)
}

/// A recording with gaps is not to be mistaken for a whole one, so the call fails, although it was carried out.
fn keep(recorder: &Recorder, request: Request, answer: Answer) -> Result<(), Refusal> {
    let written = recorder.write(&Exchange { request, answer });
    written.map_err(|error| {
        let problem = format!("the call was carried out, but cannot be recorded: {error}");
        Refusal::new(400, Code::FAILURE, problem)
    })
}

fn repeat(replay: &Replay, incoming: Incoming<'_>) -> Result<Reply, Refusal> {
    let Some(call) = as_rest(&incoming) else {
        return incoming.sent.and(Err(Refusal::invalid(NO_PATH)));
    };
    let address = address(&incoming);
    let replaced = Replacements::new(recorder::token(incoming.headers), address);
    let request = Request::new(call.method, &call.path, &call.query, &call.body, &replaced);
    // Not the code of a missing object, which a client could take for an answer.
    let unknown = |details| Refusal::new(404, Code::CONN_INVALID_REQUEST, details);
    let answer = replay.answer(&request).map_err(unknown)?;
    Ok(Reply {
        http: answer.status,
        code: Code::default(),
        retry_after: answer.retry_after,
        body: answer.body(address),
    })
}

const NO_PATH: &str = "the message lacks an id that the path of its REST call needs";

/// The call as it is over REST. `None` if its body is too large, its message cannot be read, or the message lacks an id
/// that the path needs.
fn as_rest<'a>(incoming: &Incoming<'a>) -> Option<RestCall<'a>> {
    if incoming.is_too_large() {
        return None;
    }
    match incoming.protocol {
        Protocol::Rest => Some(RestCall {
            method: incoming.method,
            path: incoming.path.into(),
            query: incoming.query.into(),
            body: incoming.bytes.into(),
        }),
        Protocol::Grpc => rest_form(incoming.endpoint, incoming.sent.as_ref().ok()?),
    }
}

/// The emulator's address as the caller knows it.
fn address<'a>(incoming: &'a Incoming<'_>) -> &'a str {
    let sent = incoming.sent.as_ref();
    sent.map_or("", |sent| sent.base_url.as_str())
}

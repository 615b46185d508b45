//! gRPC: the calls of `protobuf/clarifai.proto` over HTTP/2, carried out by the operations of the calls in JSON.
//!
//! An error of the API is a message with its status, and gRPC's own status is OK. Only what is not a call of the API at
//! all has another one.

use super::call::RequestParts;
use super::connection::Cut;
use super::dispatch::{Incoming, Protocol, Reply};
use super::endpoint::Endpoint;
use super::listing::Query;
use super::protobuf;
use super::reply::Refusal;
use super::shared::Shared;
use super::traffic;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use http_body_util::{BodyExt as _, Full};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");
const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
/// A flag and the length of the message stand before each message.
const PREFIX: usize = 5;

/// gRPC's own statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    InvalidArgument = 3,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
}

/// Answers a call. The error is an answer that is not a message.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    cut: &Cut,
    request: Request,
) -> Result<Response, Reply> {
    let (head, body) = request.into_parts();
    let name = head.uri.path().rsplit('/').next().unwrap_or_default();
    let known = Endpoint::named(name).and_then(|it| Some((it, protobuf::method(it)?)));
    let Some((endpoint, method)) = known else {
        return Ok(refuse(Status::Unimplemented, &format!("no method {name}")));
    };
    let max = endpoint.max_body();
    let Ok(bytes) = axum::body::to_bytes(body, max).await else {
        let problem = format!("the message has more than {max} bytes");
        return Ok(refuse(Status::ResourceExhausted, &problem));
    };
    let message = match read_message(&method, &bytes) {
        Ok(message) => message,
        Err((status, problem)) => return Ok(refuse(status, &problem)),
    };
    let incoming = Incoming {
        protocol: Protocol::Grpc,
        endpoint,
        headers: &head.headers,
        method: head.method.as_str(),
        path: head.uri.path(),
        query: "",
        bytes: &bytes,
        sent: read_sent(shared, endpoint, &head, &message),
    };
    let reply = traffic::answer(shared, cut, incoming).await;
    if !reply.is_json() {
        return Err(reply);
    }
    Ok(match protobuf::encode(&method, &reply.body) {
        Ok(message) => respond(&message, reply.retry_after),
        Err(error) => refuse(
            Status::Internal,
            &format!("the answer does not fit its message: {error}"),
        ),
    })
}

/// Takes the only message out of a request's body.
fn read_message(
    method: &MethodDescriptor,
    body: &[u8],
) -> Result<DynamicMessage, (Status, String)> {
    let invalid = |problem: String| (Status::InvalidArgument, problem);
    let Some((prefix, message)) = body.split_first_chunk::<PREFIX>() else {
        return Err(invalid("the body has no message".into()));
    };
    let [compressed, length @ ..] = prefix;
    if *compressed != 0 {
        let problem = "compressed messages are not supported".to_owned();
        return Err((Status::Unimplemented, problem));
    }
    let length = u32::from_be_bytes(*length) as usize;
    if length != message.len() {
        let found = message.len();
        let problem = format!("the message has {found} bytes, but its prefix says {length}");
        return Err(invalid(problem));
    }
    protobuf::decode(method, message).map_err(|error| invalid(error.to_string()))
}

/// The parts of a request where a call in JSON has them. Each operation reads the parts that it knows.
fn read_sent(
    shared: &Shared,
    endpoint: Endpoint,
    head: &Parts,
    message: &DynamicMessage,
) -> Result<RequestParts, Refusal> {
    if shared.config.strict
        && let Some(unknown) = protobuf::unknown_number(message)
    {
        return Err(Refusal::format(format!("unknown field {unknown}")));
    }
    let body = protobuf::to_json(message);
    let mut path = HashMap::new();
    let app = body.get("user_app_id").and_then(Value::as_object);
    for (name, value) in body.iter().chain(app.into_iter().flatten()) {
        if let Value::String(text) = value {
            path.insert(name.clone(), text.clone());
        }
    }
    let mut query = Vec::new();
    if !endpoint.takes_body() {
        write_query("", &body, &mut query);
    }
    Ok(RequestParts {
        path,
        query: Query::of(query),
        body,
        base_url: shared.base_url(head),
    })
}

fn write_query(prefix: &str, object: &Map<String, Value>, query: &mut Vec<(String, String)>) {
    for (name, value) in object {
        let name = format!("{prefix}{name}");
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values {
            match value {
                Value::Object(object) => write_query(&format!("{name}."), object, query),
                Value::String(text) => query.push((name.clone(), text.clone())),
                value => query.push((name.clone(), value.to_string())),
            }
        }
    }
}

fn respond(message: &[u8], retry_after: Option<u32>) -> Response {
    let mut framed = Vec::with_capacity(PREFIX + message.len());
    framed.push(0);
    framed.extend((message.len() as u32).to_be_bytes());
    framed.extend(message);
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, 0.into());
    let body = Full::new(Bytes::from(framed));
    let body = body.with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// An answer without a message, whose status is in the headers.
fn refuse(status: Status, problem: &str) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    headers.insert(STATUS, (status as u16).into());
    let encoded: String = url::form_urlencoded::byte_serialize(problem.as_bytes()).collect();
    if let Ok(text) = HeaderValue::from_str(&encoded.replace('+', "%20")) {
        headers.insert(MESSAGE, text);
    }
    response
}

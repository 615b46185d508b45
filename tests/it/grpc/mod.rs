//! The emulator over gRPC: a client in protobuf, next to one in JSON.

mod agreement;
mod connections;
mod official;
mod recording;
mod requests;

use annosync::emulator::{Clock, Config, Emulator};
use http_body_util::BodyExt as _;
use prost_reflect::prost::Message as _;
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, MethodDescriptor, SerializeOptions,
};
use reqwest::{Client, Method};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

const KEY: &str = "Key owner-key";

/// An emulator with a client for gRPC and one for JSON.
struct Server {
    emulator: Emulator,
    grpc: Client,
    json: Client,
    pool: DescriptorPool,
}

/// The answer to a call over gRPC.
struct Answer {
    http: u16,
    /// gRPC's own status, from the trailers or the headers.
    grpc: Option<String>,
    /// Without the prefix.
    message: Vec<u8>,
}

/// The same calls give the same ids and times.
fn config() -> Config {
    Config {
        clock: Clock::Ticking(1_700_000_000_000),
        ..Config::default()
    }
}

impl Server {
    async fn start(config: Config) -> Self {
        Self::with(config, |builder| builder).await
    }

    async fn with(
        config: Config,
        adapt: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Self {
        // A second installation fails without effect.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let secure = config.tls.is_some();
        let emulator = Emulator::start(config, listen).await.unwrap();
        let client = || adapt(Client::builder().no_proxy());
        // With TLS, HTTP/2 is negotiated.
        let grpc = if secure {
            client()
        } else {
            client().http2_prior_knowledge()
        };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emulator/protobuf/clarifai.bin");
        let descriptors = std::fs::read(file).unwrap();
        Self {
            emulator,
            grpc: grpc.build().unwrap(),
            json: client().http1_only().build().unwrap(),
            pool: DescriptorPool::decode(descriptors.as_slice()).unwrap(),
        }
    }

    fn method(&self, name: &str) -> MethodDescriptor {
        let service = self.pool.get_service_by_name("clarifai.api.V2").unwrap();
        let mut methods = service.methods();
        methods.find(|method| method.name() == name).unwrap()
    }

    /// The request of a call, given as JSON, in the binary form.
    fn request(&self, name: &str, request: &Value) -> Vec<u8> {
        DynamicMessage::deserialize(self.method(name).input(), request)
            .unwrap()
            .encode_to_vec()
    }

    /// Sends bytes as the body of a call over gRPC.
    async fn send(&self, name: &str, body: Vec<u8>) -> reqwest::Result<Answer> {
        let url = format!("{}/clarifai.api.V2/{name}", self.emulator.url());
        let request = self
            .grpc
            .post(url)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", KEY);
        let response = request.body(body).send().await?;
        let http = response.status().as_u16();
        let status = |headers: &reqwest::header::HeaderMap| {
            let status = headers.get("grpc-status")?.to_str().ok()?;
            Some(status.to_owned())
        };
        let of_headers = status(response.headers());
        let body = reqwest::Body::from(response).collect().await?;
        let grpc = of_headers.or_else(|| status(body.trailers()?));
        let bytes = body.to_bytes();
        let message = bytes.get(5..).unwrap_or_default().to_vec();
        Ok(Answer {
            http,
            grpc,
            message,
        })
    }

    /// A call over gRPC whose request is given as JSON. The answer is its message.
    async fn message(&self, name: &str, request: &Value) -> DynamicMessage {
        let message = self.request(name, request);
        let answer = self.send(name, framed(&message)).await.unwrap();
        assert_eq!(
            (answer.http, answer.grpc.as_deref()),
            (200, Some("0")),
            "{name}"
        );
        DynamicMessage::decode(self.method(name).output(), answer.message.as_slice()).unwrap()
    }

    /// [`Self::message`] as JSON.
    async fn call(&self, name: &str, request: &Value) -> Value {
        to_json(&self.message(name, request).await)
    }

    /// A call in JSON, below the app.
    async fn rest(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/v2/users/owner/apps/app{path}", self.emulator.url());
        let mut request = self.json.request(method, url).header("authorization", KEY);
        if !body.is_null() {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// The answer of a call in JSON as the message of that call.
    fn read(&self, name: &str, answer: &Value) -> DynamicMessage {
        let options = DeserializeOptions::new().deny_unknown_fields(true);
        DynamicMessage::deserialize_with_options(self.method(name).output(), answer, &options)
            .unwrap_or_else(|error| panic!("{name}: {error}: {answer}"))
    }
}

/// A message with its prefix.
fn framed(message: &[u8]) -> Vec<u8> {
    let mut framed = vec![0];
    framed.extend((message.len() as u32).to_be_bytes());
    framed.extend(message);
    framed
}

fn to_json(message: &DynamicMessage) -> Value {
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .use_enum_numbers(true);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .unwrap()
}

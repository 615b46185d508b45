//! Carries one HTTP request and its answer.
//!
//! The rest of the client (pages and their proof, retries, rate limit, what an answer means) uses the trait [`Exchange`] and
//! does not know whether the network or a test's server is behind it.

use super::connection::{Connection, Endpoint, Token};
use super::error::ApiError;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER,
};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use reqwest::Method;
pub use url::Url;

pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A request, without authorisation: the exchange adds that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: Method,
    /// With its query.
    pub url: Url,
    /// JSON.
    pub body: Option<String>,
}

impl HttpRequest {
    pub(super) fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            body: None,
        }
    }
}

/// A complete answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`: seconds, or an HTTP date.
    pub retry_after: Option<String>,
    /// The header `Location` of a redirect.
    pub location: Option<String>,
    /// The header `Date`: the server's clock, an HTTP date.
    pub date: Option<String>,
    /// The bytes that were received, decompressed.
    pub body: Vec<u8>,
}

/// Why there is no complete answer. The request may have taken effect nevertheless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// There was no connection, or it broke; the cause.
    #[error("{0}")]
    Unreachable(String),
    /// The limit in bytes, after decompression.
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
}

/// The future of an exchange.
pub type ExchangeFuture<'a> =
    Pin<Box<dyn Future<Output = Result<HttpResponse, ExchangeError>> + Send + 'a>>;

/// Sends one request once: it follows no redirect and does not retry.
pub trait Exchange: fmt::Debug + Send + Sync {
    /// Sends the request and waits for the complete answer.
    fn exchange(&self, request: HttpRequest) -> ExchangeFuture<'_>;
}

/// The network. It follows no redirect, because the token may only be sent to the endpoint, and uses no proxy for this
/// machine.
#[derive(Debug)]
pub(super) struct Network {
    client: reqwest::Client,
    token: Token,
    timeout: Duration,
    max_answer_bytes: u64,
}

impl Network {
    pub(super) fn new(connection: &Connection) -> Result<Self, ApiError> {
        // An error means that the same provider was installed before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let endpoint: &Endpoint = &connection.endpoint;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("annosync/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(connection.timeout);
        if endpoint.is_loopback() {
            builder = builder.no_proxy();
        }
        if endpoint.is_plain() {
            // No certificate will be checked; loading the machine's takes time, and fails if there are none.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self {
            client: builder
                .build()
                .map_err(|error| ApiError::Setup(root_cause(&error)))?,
            token: connection.token.clone(),
            timeout: connection.timeout,
            max_answer_bytes: connection.max_answer_bytes,
        })
    }

    fn failure(&self, error: &reqwest::Error) -> ExchangeError {
        if error.is_timeout() && !error.is_connect() {
            ExchangeError::TimedOut(self.timeout)
        } else {
            ExchangeError::Unreachable(root_cause(error))
        }
    }

    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        let mut builder = self
            .client
            .request(request.method, request.url)
            .header(AUTHORIZATION, self.token.header());
        if let Some(body) = request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        let mut response = builder.send().await.map_err(|error| self.failure(&error))?;
        let mut answer = HttpResponse {
            status: response.status().as_u16(),
            retry_after: header(response.headers(), &RETRY_AFTER),
            location: header(response.headers(), &LOCATION),
            date: header(response.headers(), &DATE),
            body: Vec::new(),
        };
        // Decompressed piece by piece, so that a small answer that expands to a huge one never fills the memory.
        while let Some(piece) = (response.chunk().await).map_err(|error| self.failure(&error))? {
            if (answer.body.len() + piece.len()) as u64 > self.max_answer_bytes {
                return Err(ExchangeError::TooLarge(self.max_answer_bytes));
            }
            answer.body.extend_from_slice(&piece);
        }
        Ok(answer)
    }
}

impl Exchange for Network {
    fn exchange(&self, request: HttpRequest) -> ExchangeFuture<'_> {
        Box::pin(self.carry(request))
    }
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The innermost cause: the outer ones repeat the URL and say that an error occurred.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

//! How one HTTP request travels, and its answer comes back.
//!
//! Everything else of the client (pages and their proof, retries, pace, what an answer means) is above this line and does
//! not know what is below it: the network, or a server within a test, on a clock of its own.

use super::connection::{Connection, Endpoint, Token};
use super::error::ApiError;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use reqwest::Method;
pub use url::Url;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One request. Authorisation is the business of what carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// GET, POST, PATCH or DELETE.
    pub method: Method,
    /// All of it, query included.
    pub url: Url,
    /// JSON.
    pub body: Option<String>,
}

impl HttpRequest {
    /// A request that reads.
    pub(super) fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            body: None,
        }
    }
}

/// One answer, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// The header of that name: seconds, or an HTTP date.
    pub retry_after: Option<String>,
    /// Where a redirect points.
    pub location: Option<String>,
    /// As many bytes as came.
    pub body: Vec<u8>,
}

/// Why no whole answer came. The request may have taken effect all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// Not in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// No connection, or one that broke; the cause.
    #[error("{0}")]
    Unreachable(String),
    /// It has more bytes than these, unpacked.
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
}

/// An exchange under way.
pub type Exchanging<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, Lost>> + Send + 'a>>;

/// Carries one request and brings its answer: once, without following a redirect, without trying again.
pub trait Exchange: fmt::Debug + Send + Sync {
    /// Sends the request and waits for all of the answer.
    fn exchange(&self, request: HttpRequest) -> Exchanging<'_>;
}

/// The network. It follows no redirect, because the token belongs to the endpoint alone, and uses no proxy to reach this
/// machine.
#[derive(Debug)]
pub(super) struct Network {
    client: reqwest::Client,
    token: Token,
    timeout: Duration,
    largest_answer: u64,
}

impl Network {
    pub(super) fn new(connection: &Connection) -> Result<Self, ApiError> {
        // Whoever comes second finds the same provider in place.
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
            // No certificate will be checked; reading the machine's takes time and may fail where there are none.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self {
            client: builder
                .build()
                .map_err(|error| ApiError::Setup(root_cause(&error)))?,
            token: connection.token.clone(),
            timeout: connection.timeout,
            largest_answer: connection.largest_answer,
        })
    }

    fn lost(&self, error: &reqwest::Error) -> Lost {
        if error.is_timeout() && !error.is_connect() {
            Lost::TimedOut(self.timeout)
        } else {
            Lost::Unreachable(root_cause(error))
        }
    }

    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, Lost> {
        let mut builder = self
            .client
            .request(request.method, request.url)
            .header(AUTHORIZATION, self.token.header());
        if let Some(body) = request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        let mut response = builder.send().await.map_err(|error| self.lost(&error))?;
        let mut answer = HttpResponse {
            status: response.status().as_u16(),
            retry_after: header(response.headers(), &RETRY_AFTER),
            location: header(response.headers(), &LOCATION),
            body: Vec::new(),
        };
        // What comes is unpacked piece by piece: a little that unpacks to a lot is never there as a whole.
        while let Some(piece) = (response.chunk().await).map_err(|error| self.lost(&error))? {
            if (answer.body.len() + piece.len()) as u64 > self.largest_answer {
                return Err(Lost::TooLarge(self.largest_answer));
            }
            answer.body.extend_from_slice(&piece);
        }
        Ok(answer)
    }
}

impl Exchange for Network {
    fn exchange(&self, request: HttpRequest) -> Exchanging<'_> {
        Box::pin(self.carry(request))
    }
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The innermost cause: the outer ones repeat the URL and say that an error occurred.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

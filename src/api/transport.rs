//! The one place that sends: authorisation, pace, retries, time-outs, and the judgement of what came back.
//!
//! Reader and writer share one of these. It follows no redirect, because the token belongs to the endpoint alone, and
//! uses no proxy to reach this machine.

use super::code::Code;
use super::connection::{Connection, Endpoint, Token};
use super::error::{ApiError, shown};
use super::rate::RateLimiter;
use super::request::{Reply, Request, Response};
use super::retry::{RetryPolicy, retry_after};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Semaphore;
use url::Url;

/// A host that never answered is likelier a typing error than an outage: it is tried this often.
const ATTEMPTS_AT_A_SILENT_HOST: u32 = 3;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What sends calls.
#[derive(Debug)]
pub(super) struct Transport {
    client: reqwest::Client,
    endpoint: Endpoint,
    user_id: String,
    app_id: String,
    token: Token,
    authorization: HeaderValue,
    limiter: RateLimiter,
    retry: RetryPolicy,
    timeout: Duration,
    concurrency: usize,
    slots: Semaphore,
    heard: AtomicBool,
}

/// An answer, and how many attempts it took.
#[derive(Debug)]
pub(super) struct Sent<R> {
    /// 1 when the first attempt was answered.
    pub(super) attempts: u32,
    /// The answer.
    pub(super) reply: R,
}

/// One attempt that failed, and how long the server asks to be left alone.
struct Failure {
    error: ApiError,
    wait: Option<Duration>,
}

impl Transport {
    /// Sets up the client. Nothing is sent yet.
    pub(super) fn new(connection: &Connection) -> Result<Self, ApiError> {
        connection.check()?;
        // Whoever comes second finds the same provider in place.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let endpoint = connection.endpoint.clone();
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
        let concurrency = connection.concurrency.max(1);
        Ok(Self {
            client: builder
                .build()
                .map_err(|error| ApiError::Setup(root_cause(&error)))?,
            authorization: connection.token.header(),
            token: connection.token.clone(),
            user_id: connection.user_id.clone(),
            app_id: connection.app_id.clone(),
            limiter: RateLimiter::new(connection.rate_limit),
            retry: connection.retry,
            timeout: connection.timeout,
            concurrency,
            slots: Semaphore::new(concurrency),
            heard: AtomicBool::new(false),
            endpoint,
        })
    }

    /// The URL of a path of the app.
    pub(super) fn app_url(&self, path: &[&str]) -> Url {
        let mut segments = vec!["v2", "users", &self.user_id, "apps", &self.app_id];
        segments.extend(path);
        self.endpoint.join(&segments)
    }

    /// The URL of a path outside the app.
    pub(super) fn url(&self, path: &[&str]) -> Url {
        self.endpoint.join(path)
    }

    /// The app, in words.
    pub(super) fn app(&self) -> String {
        format!(
            "app `{}` of user `{}`",
            self.shown(&self.app_id, 100),
            self.shown(&self.user_id, 100)
        )
    }

    /// How many calls may run at a time.
    pub(super) fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Text of the server as it may be shown.
    pub(super) fn shown(&self, text: &str, most: usize) -> String {
        shown(text, self.token.expose(), most)
    }

    /// Whether a text of the server holds the token. The service's are longer than what any text holds by chance.
    pub(super) fn holds_token(&self, text: &str) -> bool {
        let token = self.token.expose();
        token.len() >= 8 && text.contains(token)
    }

    /// Sends a call, again where that may help, and reads its answer.
    pub(super) async fn send<R: Reply>(&self, request: Request) -> Result<Sent<R>, ApiError> {
        let about = request.about;
        let partial = request.partial;
        let mut builder = self
            .client
            .request(request.method, request.url)
            .header(AUTHORIZATION, self.authorization.clone());
        if let Some(body) = request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        let request = builder
            .build()
            .map_err(|error| ApiError::Setup(root_cause(&error)))?;

        let mut pauses = self.retry.pauses();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let attempt = request
                .try_clone()
                .expect("a body of bytes can be sent again");
            let failure = match self.attempt(attempt, |r| r.read(&about, partial)).await {
                Ok(reply) => return Ok(Sent { attempts, reply }),
                Err(failure) => failure,
            };
            if !failure.error.is_transient() {
                return Err(failure.error);
            }
            let Some(pause) = pauses
                .next()
                .filter(|_| self.is_worth_another(&failure, attempts))
            else {
                return Err(ApiError::GaveUp {
                    attempts,
                    last: Box::new(failure.error),
                });
            };
            let pause = pause.max(failure.wait.unwrap_or_default());
            tracing::debug!(error = %failure.error, ms = pause.as_millis() as u64, "trying again");
            tokio::time::sleep(pause).await;
        }
    }

    fn is_worth_another(&self, failure: &Failure, attempts: u32) -> bool {
        let silent = matches!(failure.error, ApiError::Unreachable { .. })
            && !self.heard.load(Ordering::Relaxed);
        !(silent && attempts >= ATTEMPTS_AT_A_SILENT_HOST)
            && failure
                .wait
                .is_none_or(|wait| wait <= self.retry.longest_wait)
    }

    async fn attempt<R>(
        &self,
        request: reqwest::Request,
        read: impl FnOnce(Response<'_>) -> Result<R, ApiError>,
    ) -> Result<R, Failure> {
        let _slot = self
            .slots
            .acquire()
            .await
            .expect("the semaphore is never closed");
        self.limiter.turn().await;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let start = Instant::now();
        let lost = |error: &reqwest::Error| Failure {
            error: self.lost(error),
            wait: None,
        };
        tracing::trace!(%method, path, "sending");
        let response = self
            .client
            .execute(request)
            .await
            .map_err(|error| lost(&error))?;
        self.heard.store(true, Ordering::Relaxed);
        let http = response.status().as_u16();
        let wait = retry_after(response.headers(), SystemTime::now());
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = response.bytes().await.map_err(|error| lost(&error))?;
        tracing::debug!(
            %method,
            path,
            http,
            bytes = body.len(),
            ms = start.elapsed().as_millis() as u64,
            "called"
        );
        let read = read(Response {
            http,
            body: &body,
            location: location.as_deref(),
            token: self.token.expose(),
        });
        match &read {
            Err(error) if http == 429 || error.code() == Some(Code::CONN_THROTTLED) => {
                self.limiter
                    .throttled(wait.filter(|wait| *wait <= self.retry.longest_wait));
            }
            _ => self.limiter.went_through(),
        }
        read.map_err(|error| Failure { error, wait })
    }

    /// What a call that brought no whole answer failed of.
    fn lost(&self, error: &reqwest::Error) -> ApiError {
        let host = self.endpoint.host();
        if error.is_timeout() && !error.is_connect() {
            ApiError::TimedOut {
                host,
                seconds: self.timeout.as_secs(),
            }
        } else {
            ApiError::Unreachable {
                host,
                cause: self.shown(&root_cause(error), 200),
            }
        }
    }
}

/// The innermost cause: the outer ones repeat the URL and say that an error occurred.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

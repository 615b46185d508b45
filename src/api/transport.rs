//! The one place that sends: authorisation, pace, retries, time-outs, and the judgement of what came back.
//!
//! Reader and writer share one of these. How a request gets there is `exchange`'s.

use super::code::Code;
use super::connection::{Connection, Endpoint, Token};
use super::error::{ApiError, shown};
use super::exchange::{Exchange, HttpRequest, Lost};
use super::rate::RateLimiter;
use super::request::{Reply, Request, Response};
use super::retry::{RetryPolicy, retry_after};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

/// A host that never answered is likelier a typing error than an outage: it is tried this often.
const ATTEMPTS_AT_A_SILENT_HOST: u32 = 3;

/// What sends calls.
#[derive(Debug)]
pub(super) struct Transport {
    exchange: Arc<dyn Exchange>,
    endpoint: Endpoint,
    user_id: String,
    app_id: String,
    token: Token,
    limiter: RateLimiter,
    retry: RetryPolicy,
    concurrency: usize,
    most_pages: u64,
    slots: Semaphore,
    heard: AtomicBool,
    calls: AtomicU64,
}

impl Transport {
    /// Sets up the client over what carries its requests. Nothing is sent yet.
    pub(super) fn new(
        connection: &Connection,
        exchange: Arc<dyn Exchange>,
    ) -> Result<Self, ApiError> {
        connection.check()?;
        let concurrency = connection.concurrency.max(1);
        Ok(Self {
            exchange,
            token: connection.token.clone(),
            user_id: connection.user_id.clone(),
            app_id: connection.app_id.clone(),
            limiter: RateLimiter::new(connection.rate_limit),
            retry: connection.retry,
            concurrency,
            most_pages: connection.most_pages,
            slots: Semaphore::new(concurrency),
            heard: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            endpoint: connection.endpoint.clone(),
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

    /// Refuses a page behind the last one that a listing may have: a server may have pages without end.
    pub(super) fn check_page(&self, number: u64) -> Result<(), ApiError> {
        let most = self.most_pages;
        if number > most {
            return Err(ApiError::TooManyPages { most });
        }
        Ok(())
    }

    /// How many calls were sent so far, each attempt by itself.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
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

    /// Sends a call that reads, again where that may help, and reads its answer.
    pub(super) async fn send<R: Reply>(&self, request: Request) -> Result<R, ApiError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match self.send_once(&request).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let Some(pause) = self.pause(attempts, &error) else {
                return Err(error.given_up_after(attempts));
            };
            tracing::debug!(%error, ms = pause.as_millis() as u64, "trying again");
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends a call, and reads its answer. One that writes is sent so: whether it is to be sent again depends on what is
    /// there by then.
    pub(super) async fn send_once<R: Reply>(&self, request: &Request) -> Result<R, ApiError> {
        let read = |response: Response<'_>| response.read(&request.about, request.partial);
        self.attempt(request.http.clone(), read).await
    }

    /// How long to wait before a call that failed so in its attempt of this number (from 1) is made again; nothing where
    /// it was made often enough, or cannot go through later.
    pub(super) fn pause(&self, attempts: u32, error: &ApiError) -> Option<Duration> {
        let silent =
            matches!(error, ApiError::Unreachable { .. }) && !self.heard.load(Ordering::Relaxed);
        let wait = error.wait().unwrap_or_default();
        let hopeless = !error.is_transient()
            || (silent && attempts >= ATTEMPTS_AT_A_SILENT_HOST)
            || wait > self.retry.longest_wait;
        let mut pauses = self.retry.pauses().skip(attempts as usize - 1);
        let pause = pauses.next().filter(|_| !hopeless)?;
        Some(pause.max(wait))
    }

    async fn attempt<R>(
        &self,
        request: HttpRequest,
        read: impl FnOnce(Response<'_>) -> Result<R, ApiError>,
    ) -> Result<R, ApiError> {
        let _slot = self
            .slots
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let turn = self.limiter.turn().await;
        let (method, path) = (request.method.clone(), request.url.path().to_owned());
        self.calls.fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        tracing::trace!(%method, path, "sending");
        let answer = self.exchange.exchange(request).await;
        let answer = answer.map_err(|lost| self.lost(lost))?;
        self.heard.store(true, Ordering::Relaxed);
        let http = answer.status;
        tracing::debug!(
            %method,
            path,
            http,
            bytes = answer.body.len(),
            ms = start.elapsed().as_millis() as u64,
            "called"
        );
        let wait = answer
            .retry_after
            .as_deref()
            .and_then(|text| retry_after(text, SystemTime::now()));
        let read = read(Response {
            http,
            body: &answer.body,
            location: answer.location.as_deref(),
            wait,
            token: self.token.expose(),
        });
        match &read {
            Err(error) if http == 429 || error.code() == Some(Code::CONN_THROTTLED) => {
                turn.refused(wait.filter(|wait| *wait <= self.retry.longest_wait));
            }
            _ => turn.went_through(),
        }
        read
    }

    /// What a call that brought no whole answer failed of.
    fn lost(&self, lost: Lost) -> ApiError {
        let host = self.endpoint.host();
        match lost {
            Lost::TimedOut(time) => ApiError::TimedOut {
                host,
                seconds: time.as_secs(),
            },
            Lost::TooLarge(bytes) => ApiError::TooLarge { host, bytes },
            Lost::Unreachable(cause) => ApiError::Unreachable {
                host,
                cause: self.shown(&cause, 200),
            },
        }
    }
}

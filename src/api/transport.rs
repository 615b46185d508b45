//! Sends calls: rate limit, calls at a time, retries, and the judgement of answers. Reader and writer share one transport.
//! `exchange` carries the requests.

use super::connection::{Connection, Endpoint, Token};
use super::error::{ApiError, shown};
use super::exchange::{Exchange, ExchangeError, HttpRequest, Network};
use super::item::ItemError;
use super::rate::RateLimiter;
use super::request::{Partial, Reply, Request, Response};
use super::retry::{RetryPolicy, retry_after};
use crate::wire::Code;
use crate::wire::{Status, WriteCall, WriteMethod, app_path};
use reqwest::Method;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

/// How often a host that never answered is tried: a typing error is likelier than an outage.
const ATTEMPTS_AT_A_SILENT_HOST: u32 = 3;

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
    max_pages: u64,
    slots: Semaphore,
    /// Whether the host has ever answered.
    has_answered: AtomicBool,
    calls: AtomicU64,
    /// Seconds by which the server's clock was ahead of this machine's at the first answer.
    clock_ahead: OnceLock<i64>,
}

impl Transport {
    /// A transport over the network. Sends nothing yet.
    pub(super) fn over_network(connection: &Connection) -> Result<Arc<Self>, ApiError> {
        let network = Network::new(connection)?;
        Ok(Arc::new(Self::new(connection, Arc::new(network))?))
    }

    /// A transport over an exchange. Sends nothing yet.
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
            limiter: RateLimiter::new(connection.rate_limit, connection.rate_shares),
            retry: connection.retry,
            concurrency,
            max_pages: connection.max_pages,
            slots: Semaphore::new(concurrency),
            has_answered: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            clock_ahead: OnceLock::new(),
            endpoint: connection.endpoint.clone(),
        })
    }

    /// The URL of a path below the app.
    pub(super) fn app_url(&self, path: &[&str]) -> Url {
        let app = app_path(&self.user_id, &self.app_id);
        self.endpoint.join(&[&app, path].concat())
    }

    /// The URL of a path below the endpoint.
    pub(super) fn url(&self, path: &[&str]) -> Url {
        self.endpoint.join(path)
    }

    /// The app, for messages.
    pub(super) fn app(&self) -> String {
        format!(
            "app `{}` of user `{}`",
            self.shown(&self.app_id, 100),
            self.shown(&self.user_id, 100)
        )
    }

    pub(super) fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// How many reads at a time are as fast as any number of them.
    pub(super) fn enough_at_a_time(&self) -> usize {
        self.limiter.enough_at_a_time().min(self.concurrency)
    }

    /// Refuses page numbers above the limit: a server might return pages without end.
    pub(super) fn check_page(&self, number: u64) -> Result<(), ApiError> {
        let most = self.max_pages;
        if number > most {
            return Err(ApiError::TooManyPages { most });
        }
        Ok(())
    }

    /// How many calls were sent; each attempt counts.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Seconds by which the server's clock is ahead; `None` if it did not say.
    pub(super) fn clock_ahead(&self) -> Option<i64> {
        self.clock_ahead.get().copied()
    }

    /// Text of the server that may be shown; see [`shown`].
    pub(super) fn shown(&self, text: &str, most: usize) -> String {
        shown(text, self.token.expose(), most)
    }

    /// Whether a text of the server contains the token. Shorter tokens than the service's could be there by chance.
    pub(super) fn holds_token(&self, text: &str) -> bool {
        let token = self.token.expose();
        token.len() >= 8 && text.contains(token)
    }

    /// The error of an item with this status.
    pub(super) fn item_error(&self, status: &Status) -> ItemError {
        ItemError {
            code: status.code,
            description: self.shown(&status.text(), 500),
        }
    }

    /// The service's objection to a call as a whole; `None` if it succeeded.
    pub(super) fn objection(&self, status: &Status) -> Option<ItemError> {
        (status.code != Code::SUCCESS).then(|| self.item_error(status))
    }

    /// Reads a path below the app. `query` may be empty.
    pub(super) async fn get<R: Reply>(&self, path: &[&str], query: &str) -> Result<R, ApiError> {
        let mut url = self.app_url(path);
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        self.read(url, self.app()).await
    }

    /// Reads a URL. `about` is the object that a "not found" is about.
    pub(super) async fn read<R: Reply>(&self, url: Url, about: String) -> Result<R, ApiError> {
        self.send(Request {
            http: HttpRequest::get(url),
            about,
            partial: Partial::Refuse,
        })
        .await
    }

    /// Sends a call that writes, once: whether to retry depends on what exists by then.
    pub(super) async fn write<R: Reply>(&self, call: WriteCall) -> Result<R, ApiError> {
        let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
        let method = match call.method {
            WriteMethod::Post => Method::POST,
            WriteMethod::Patch => Method::PATCH,
            WriteMethod::Delete => Method::DELETE,
        };
        self.send_once(&Request {
            http: HttpRequest {
                method,
                url: self.app_url(&path),
                body: call.body,
            },
            about: self.app(),
            partial: Partial::Accept,
        })
        .await
    }

    /// Sends a call that reads, with retries.
    async fn send<R: Reply>(&self, request: Request) -> Result<R, ApiError> {
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

    async fn send_once<R: Reply>(&self, request: &Request) -> Result<R, ApiError> {
        let read = |response: Response<'_>| response.read(&request.about, request.partial);
        self.attempt(request.http.clone(), read).await
    }

    /// The pause before the next attempt, after `attempts` attempts of which the last failed with `error`. `None` if there is
    /// to be no other: the error is permanent, or the attempts are used up.
    pub(super) fn pause(&self, attempts: u32, error: &ApiError) -> Option<Duration> {
        let silent = matches!(error, ApiError::Unreachable { .. })
            && !self.has_answered.load(Ordering::Relaxed);
        let wait = error.wait().unwrap_or_default();
        let gives_up = !error.is_transient()
            || (silent && attempts >= ATTEMPTS_AT_A_SILENT_HOST)
            || wait > self.retry.max_wait;
        let mut pauses = self.retry.pauses().skip(attempts as usize - 1);
        let pause = pauses.next().filter(|_| !gives_up)?;
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
        let answer = answer.map_err(|failure| self.error(failure))?;
        self.has_answered.store(true, Ordering::Relaxed);
        if let Some(ahead) = answer
            .date
            .as_deref()
            .and_then(|date| ahead(date, SystemTime::now()))
        {
            self.clock_ahead.get_or_init(|| ahead);
        }
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
                turn.refused(wait.filter(|wait| *wait <= self.retry.max_wait));
            }
            _ => turn.succeeded(),
        }
        read
    }

    fn error(&self, failure: ExchangeError) -> ApiError {
        let host = self.endpoint.host();
        match failure {
            ExchangeError::TimedOut(time) => ApiError::TimedOut {
                host,
                seconds: time.as_secs(),
            },
            ExchangeError::TooLarge(bytes) => ApiError::TooLarge { host, bytes },
            ExchangeError::Unreachable(cause) => ApiError::Unreachable {
                host,
                cause: self.shown(&cause, 200),
            },
        }
    }
}

/// Seconds by which an HTTP date is after `now`.
fn ahead(date: &str, now: SystemTime) -> Option<i64> {
    let date = httpdate::parse_http_date(date).ok()?;
    let (seconds, sign) = match date.duration_since(now) {
        Ok(ahead) => (ahead.as_secs(), 1),
        Err(behind) => (behind.duration().as_secs(), -1),
    };
    Some(sign * i64::try_from(seconds).ok()?)
}

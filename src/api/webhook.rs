//! Posts JSON to a webhook. The app's token is not sent there.

use super::connection::{Token, is_loopback};
use super::error::ApiError;
use super::exchange::{CONNECT_TIMEOUT, root_cause};
use super::retry::RetryPolicy;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use std::time::Duration;
use url::Url;

/// The longest time for one attempt.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Three attempts within about 20 seconds: a run must not wait for its notification.
const RETRY: RetryPolicy = RetryPolicy {
    attempts: 3,
    first_pause: Duration::from_millis(500),
    max_pause: Duration::from_secs(1),
    max_wait: Duration::ZERO,
    seed: None,
};

/// Where to post. Its URL may hold a secret, so that no message repeats it, only its host.
#[derive(Clone)]
pub struct Webhook {
    client: reqwest::Client,
    url: Url,
    token: Option<Token>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Webhook({})", self.host())
    }
}

impl Webhook {
    /// Accepts https URLs, and plain http on this machine. `token` is sent as a bearer token. Sends nothing yet.
    pub fn new(url: &str, token: Option<Token>) -> Result<Self, ApiError> {
        let invalid = |why: &str| ApiError::Webhook(why.to_owned());
        let url = Url::parse(url).map_err(|cause| invalid(&cause.to_string()))?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            _ => return Err(invalid("it does not begin with https://")),
        }
        // An error means that the same provider was installed before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("annosync/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT.min(TIMEOUT))
            .timeout(TIMEOUT);
        if is_loopback(&url) {
            builder = builder.no_proxy().tls_certs_only([]);
        }
        let client = builder
            .build()
            .map_err(|error| ApiError::Setup(root_cause(&error)))?;
        Ok(Self { client, url, token })
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Posts JSON, with retries while the host is unreachable, busy or broken.
    ///
    /// # Errors
    ///
    /// Why it was not accepted, in words.
    pub async fn post(&self, json: &str) -> Result<(), String> {
        let mut pauses = RETRY.pauses();
        loop {
            let (why, may_retry) = match self.attempt(json).await {
                Ok(status) if status.is_success() => return Ok(()),
                Ok(status) => (
                    format!("{} answered with HTTP {status}", self.host()),
                    status.is_server_error() || status.as_u16() == 429,
                ),
                Err(error) if error.is_timeout() => (
                    format!(
                        "{} did not answer within {} s",
                        self.host(),
                        TIMEOUT.as_secs()
                    ),
                    true,
                ),
                Err(error) => (
                    format!("cannot reach {}: {}", self.host(), root_cause(&error)),
                    true,
                ),
            };
            match pauses.next().filter(|_| may_retry) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(why),
            }
        }
    }

    async fn attempt(&self, json: &str) -> reqwest::Result<reqwest::StatusCode> {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(json.to_owned());
        if let Some(token) = &self.token {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                .expect("a token is printable ASCII");
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        Ok(request.send().await?.status())
    }
}

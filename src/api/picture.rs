//! Fetches picture files. No token is sent, not even to the endpoint's host, and nothing is asked of hosts of a private
//! network: a URL from a manifest or an app must not reach what only this machine can reach.

use super::error::ApiError;
use super::exchange::{CONNECT_TIMEOUT, root_cause};
use super::public::{Hosts, Refused};
use reqwest::redirect::{Attempt, Policy};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The longest time for one picture, with its redirects.
const TIMEOUT: Duration = Duration::from_secs(30);
const MOST_REDIRECTS: usize = 5;

/// A client that knows no token.
#[derive(Debug, Clone)]
pub struct PictureClient {
    client: reqwest::Client,
    hosts: Arc<Hosts>,
    most_bytes: u64,
}

impl PictureClient {
    /// A client that reads pictures of at most this many bytes, from public addresses and from the host of `endpoint`. Sends
    /// nothing yet.
    pub fn new(most_bytes: u64, endpoint: &str) -> Result<Self, ApiError> {
        // An error means that the same provider was installed before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let hosts = Arc::new(Hosts::new(endpoint));
        let of_redirects = Arc::clone(&hosts);
        let client = reqwest::Client::builder()
            .user_agent(concat!("annosync/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::custom(move |attempt| {
                redirect(attempt, &of_redirects)
            }))
            .dns_resolver(Arc::clone(&hosts))
            // A proxy would resolve names itself, and reach what it can reach.
            .no_proxy()
            // The URL of a picture may hold a signature.
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| ApiError::Setup(root_cause(&error)))?;
        Ok(Self {
            client,
            hosts,
            most_bytes,
        })
    }

    /// The bytes at an http or https URL.
    ///
    /// # Errors
    ///
    /// Why there are none, in words that do not repeat the URL: it may hold a signature.
    pub async fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let url = Url::parse(url).map_err(|error| format!("its URL is not valid: {error}"))?;
        if !is_web(&url) {
            return Err("its URL does not begin with http:// or https://".to_owned());
        }
        self.hosts.check(&url).map_err(|it| it.to_string())?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let failed = |error: &reqwest::Error| {
            if let Some(refused) = refused(error) {
                return refused.to_string();
            }
            if error.is_timeout() && !error.is_connect() {
                format!("{host} did not send it within {} s", TIMEOUT.as_secs())
            } else {
                format!("it cannot be fetched from {host}: {}", root_cause(error))
            }
        };
        let mut answer = self
            .client
            .get(url)
            .send()
            .await
            .map_err(|it| failed(&it))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(match status.as_u16() {
                300..=399 => {
                    format!(
                        "{host} redirects to something that is not http or https (HTTP {status})"
                    )
                }
                401 | 403 => format!(
                    "{host} refuses access (HTTP {status}); no token is sent to hosts of pictures"
                ),
                _ => format!("{host} answered with HTTP {status}"),
            });
        }
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|it| failed(&it))? {
            if (bytes.len() + piece.len()) as u64 > self.most_bytes {
                return Err(format!("it has more than {} MB", self.most_bytes >> 20));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// The host that was refused, if that is why a request failed.
fn refused(error: &reqwest::Error) -> Option<&Refused> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return Some(refused);
        }
        cause = error.source();
    }
    None
}

/// Follows redirects to http and https, and from https to https only.
fn redirect(attempt: Attempt<'_>, hosts: &Hosts) -> reqwest::redirect::Action {
    let from_https = attempt.previous().iter().any(|url| url.scheme() == "https");
    if attempt.previous().len() > MOST_REDIRECTS {
        return attempt.error("too many redirects");
    }
    if !is_web(attempt.url()) || (from_https && attempt.url().scheme() == "http") {
        let message = format!("a redirect leads to {}", attempt.url().scheme());
        return attempt.error(message);
    }
    match hosts.check(attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(refused) => attempt.error(refused),
    }
}

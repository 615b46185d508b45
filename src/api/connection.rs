//! How to reach an app: endpoint, token, ids, and limits.
//!
//! Everything is checked here, before anything is sent: the token must not travel in plain text, nor to another host.

use super::error::ApiError;
use super::retry::RetryPolicy;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::time::Duration;
use url::{Host, Url};

/// Whether plain http may be used with other machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsecureHttp {
    /// Only loopback addresses.
    Refuse,
    /// Any host: the token and the labels travel unencrypted.
    Allow,
}

/// The base URL of an API, such as `https://api.clarifai.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// The service itself.
    pub const SERVICE: &str = "https://api.clarifai.com";

    /// Accepts http and https URLs with a host, and without credentials or a query. Plain http is accepted for this machine
    /// only, unless `insecure` allows it.
    pub fn new(text: &str, insecure: InsecureHttp) -> Result<Self, ApiError> {
        let error = |why: &str| ApiError::Endpoint {
            // The part before an `@` may be a password.
            endpoint: super::error::shown(
                text.rsplit_once('@').map_or(text, |(_, host)| host),
                "\0",
                200,
            ),
            why: why.to_owned(),
        };
        let url = Url::parse(text.trim()).map_err(|cause| error(&cause.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(error("it does not begin with https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(error("it must not contain credentials"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(error("it must not have a query or a fragment"));
        }
        let endpoint = Self(url);
        if endpoint.is_plain() && !endpoint.is_loopback() && insecure == InsecureHttp::Refuse {
            return Err(error(
                "plain http would send the token unprotected; use https, or allow it with --insecure-http",
            ));
        }
        Ok(endpoint)
    }

    pub(super) fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The host, with the port unless that is the default.
    pub(super) fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The URL of a path under this endpoint; each segment is percent-encoded.
    pub(super) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut()
            .expect("http and https URLs have a path")
            .pop_if_empty()
            .extend(segments);
        url
    }
}

/// Whether a URL leads to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str().trim_end_matches('/'))
    }
}

/// A personal access token. Its `Debug` output does not show it.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// Reads the value of a variable or the content of a file; surrounding white space is removed.
    pub fn new(text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ApiError::Token("is empty"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ApiError::Token(
                "contains characters that are not allowed in a token",
            ));
        }
        Ok(Self(SecretString::from(text)))
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The value of the `Authorization` header, marked so that no log shows it.
    pub(super) fn header(&self) -> HeaderValue {
        let mut value = HeaderValue::from_str(&format!("Key {}", self.expose()))
            .expect("a token is printable ASCII");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Which app to reach, with which token, and within which limits.
#[derive(Debug, Clone)]
pub struct Connection {
    pub endpoint: Endpoint,
    /// The app's owner; `me` is the calling user.
    pub user_id: String,
    pub app_id: String,
    pub token: Token,
    /// Calls per second; at least 1.
    pub rate_limit: u32,
    /// How many runs share the rate; at least 1.
    pub rate_shares: u32,
    /// Calls at a time; at least 1.
    pub concurrency: usize,
    /// The time limit of one attempt of a call.
    pub timeout: Duration,
    /// The largest answer, in bytes after decompression.
    pub max_answer_bytes: u64,
    /// The maximum number of pages of a listing.
    pub max_pages: u64,
    pub retry: RetryPolicy,
}

impl Connection {
    /// The API's documented limit for every user.
    pub const DEFAULT_RATE_LIMIT: u32 = 15;
    /// 256 KiB for each annotation of a full page of 1,000.
    pub const DEFAULT_MAX_ANSWER_BYTES: u64 = 256 << 20;
    /// 20 million annotations in pages of 1,000, more than fit into memory.
    pub const DEFAULT_MAX_PAGES: u64 = 20_000;

    /// A connection with the default limits: 15 calls per second, 8 at a time, one minute for each.
    pub fn new(endpoint: Endpoint, user_id: String, app_id: String, token: Token) -> Self {
        Self {
            endpoint,
            user_id,
            app_id,
            token,
            rate_limit: Self::DEFAULT_RATE_LIMIT,
            rate_shares: 1,
            concurrency: 8,
            timeout: Duration::from_secs(60),
            max_answer_bytes: Self::DEFAULT_MAX_ANSWER_BYTES,
            max_pages: Self::DEFAULT_MAX_PAGES,
            retry: RetryPolicy::default(),
        }
    }

    /// Refuses ids that would change the path of a URL.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        for (what, value) in [("a user id", &self.user_id), ("an app id", &self.app_id)] {
            if matches!(value.as_str(), "" | "." | "..") || value.chars().any(char::is_control) {
                return Err(ApiError::Name {
                    what,
                    value: super::error::shown(value, self.token.expose(), 80),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine_unless_allowed() {
        for text in [
            "http://127.0.0.1:8080",
            "http://127.8.9.1",
            "http://localhost:1",
            "http://[::1]:8080/",
        ] {
            assert!(Endpoint::new(text, InsecureHttp::Refuse).is_ok(), "{text}");
        }
        for text in [
            "http://api.clarifai.com",
            "http://192.168.0.1",
            "http://127.0.0.1.example.org",
            "http://localhost.example.org",
        ] {
            let error = Endpoint::new(text, InsecureHttp::Refuse).unwrap_err();
            assert!(error.to_string().contains("--insecure-http"), "{error}");
            assert!(Endpoint::new(text, InsecureHttp::Allow).is_ok(), "{text}");
        }
    }

    #[test]
    fn invalid_endpoints_are_refused_and_passwords_not_shown() {
        for text in [
            "api.clarifai.com",
            "localhost:8080",
            "ftp://example.org",
            "https://example.org/?a=1",
            "https://",
            "",
        ] {
            assert!(Endpoint::new(text, InsecureHttp::Allow).is_err(), "{text}");
        }
        let error =
            Endpoint::new("https://ann:hunter2@example.org", InsecureHttp::Refuse).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn segments_are_encoded_and_a_prefix_is_kept() {
        let endpoint = Endpoint::new("https://example.org/base/", InsecureHttp::Refuse).unwrap();
        assert_eq!(
            endpoint.join(&["v2", "a/b?c"]).as_str(),
            "https://example.org/base/v2/a%2Fb%3Fc"
        );
        assert_eq!(endpoint.to_string(), "https://example.org/base");
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::new(" topsecret\n").unwrap();
        assert_eq!(token.expose(), "topsecret");
        let endpoint = Endpoint::new("https://example.org", InsecureHttp::Refuse).unwrap();
        let connection = Connection::new(endpoint, "ann".into(), "app".into(), token.clone());
        assert!(!format!("{token:?} {connection:?} {:?}", token.header()).contains("topsecret"));
        for bad in ["", " \n", "a b", "ä", "a\u{1b}b"] {
            assert!(Token::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ids_that_would_change_the_path_are_refused() {
        let endpoint = Endpoint::new("https://example.org", InsecureHttp::Refuse).unwrap();
        for bad in ["", ".", "..", "a\nb"] {
            let connection = Connection::new(
                endpoint.clone(),
                "ann".into(),
                bad.into(),
                Token::new("t").unwrap(),
            );
            assert!(connection.check().is_err(), "{bad:?}");
        }
    }
}

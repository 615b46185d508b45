//! What it takes to reach an app: endpoint, token, whose app, and how hard to pull.
//!
//! Everything is checked here, before a byte is sent: the token must not travel in plain text, nor to another host.

use super::error::ApiError;
use super::retry::RetryPolicy;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::time::Duration;
use url::{Host, Url};

/// Whether plain http may leave this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsecureHttp {
    /// Only to loopback addresses.
    Refuse,
    /// To any host: the token and the labels travel in plain text.
    Allow,
}

/// The base URL of an API, `https://api.clarifai.com` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Checks a base URL: http or https, a host, no credentials, no query. Plain http only to this machine, unless
    /// it is allowed.
    pub fn new(text: &str, insecure: InsecureHttp) -> Result<Self, ApiError> {
        let error = |why: &str| ApiError::Endpoint {
            // What stands before an `@` may be a password.
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
            return Err(error("credentials do not belong into it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(error("a query or fragment does not belong into it"));
        }
        let endpoint = Self(url);
        if endpoint.is_plain() && !endpoint.is_loopback() && insecure == InsecureHttp::Refuse {
            return Err(error(
                "plain http would send the token unprotected; use https, or allow it with --insecure-http",
            ));
        }
        Ok(endpoint)
    }

    /// Whether nothing is encrypted.
    pub(super) fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Whether this is the machine itself.
    pub(super) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Host and, where it is not the usual one, port.
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

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str().trim_end_matches('/'))
    }
}

/// A personal access token. Nothing prints it.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// Takes a token as it stands in a variable or a file; white space around it is not part of it.
    pub fn new(text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ApiError::Token("is empty"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ApiError::Token("holds characters that no token has"));
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

/// Which app, as whom, and how fast.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Where the API is.
    pub endpoint: Endpoint,
    /// The app's owner; `me` is the calling user.
    pub user_id: String,
    /// The app.
    pub app_id: String,
    /// What authorises the calls.
    pub token: Token,
    /// Calls a second; at least 1.
    pub rate_limit: u32,
    /// Calls at a time; at least 1.
    pub concurrency: usize,
    /// How long one attempt of one call may take.
    pub timeout: Duration,
    /// How many bytes one answer may have, unpacked.
    pub largest_answer: u64,
    /// How many pages one listing may have.
    pub most_pages: u64,
    /// How often, and after how long, a call is tried again.
    pub retry: RetryPolicy,
}

impl Connection {
    /// The API documents 15 calls a second for every user.
    pub const DEFAULT_RATE_LIMIT: u32 = 15;
    /// A page of 1,000 annotations has 256 KiB for each.
    pub const DEFAULT_LARGEST_ANSWER: u64 = 256 << 20;
    /// 20 million annotations in pages of 1,000, which is more than fits into memory.
    pub const DEFAULT_MOST_PAGES: u64 = 20_000;

    /// A connection with the default pace and bounds: 15 calls a second, 8 at a time, a minute for each.
    pub fn new(endpoint: Endpoint, user_id: String, app_id: String, token: Token) -> Self {
        Self {
            endpoint,
            user_id,
            app_id,
            token,
            rate_limit: Self::DEFAULT_RATE_LIMIT,
            concurrency: 8,
            timeout: Duration::from_secs(60),
            largest_answer: Self::DEFAULT_LARGEST_ANSWER,
            most_pages: Self::DEFAULT_MOST_PAGES,
            retry: RetryPolicy::default(),
        }
    }

    /// An id that stands in a path: `.` and `..` would make another path of it, an empty one none.
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
    fn what_is_no_endpoint_is_refused_and_a_password_is_not_shown() {
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
    fn ids_that_would_bend_the_path_are_refused() {
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

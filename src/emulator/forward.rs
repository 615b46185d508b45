//! Passes calls on to a real endpoint, with the caller's own token.

use super::recording::RecordingError;
use super::rest::RestCall;
use axum::http::{HeaderMap, header};
use reqwest::redirect::Policy;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(120);
/// The largest answer, in bytes after decompression.
const MAX_ANSWER: usize = 256 << 20;

#[derive(Debug)]
pub(super) struct Forward {
    client: reqwest::Client,
    endpoint: Url,
}

/// The answer of the endpoint.
#[derive(Debug)]
pub(super) struct Forwarded {
    pub(super) status: u16,
    pub(super) retry_after: Option<u32>,
    pub(super) body: String,
}

impl Forward {
    pub(super) fn new(endpoint: &Url) -> Result<Self, RecordingError> {
        // An error means that the same provider was installed before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A redirect would send the token to another place.
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT);
        if endpoint.scheme() == "http" {
            // No certificate is checked, and a proxy does not reach this machine.
            builder = builder.no_proxy().tls_certs_only([]);
        }
        Ok(Self {
            client: builder.build().map_err(RecordingError::Forward)?,
            endpoint: endpoint.clone(),
        })
    }

    /// Sends a call. The error says why there is no answer.
    pub(super) async fn send(
        &self,
        headers: &HeaderMap,
        call: &RestCall<'_>,
    ) -> Result<Forwarded, String> {
        let base = self.endpoint.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}{}", call.path)).map_err(|it| it.to_string())?;
        url.set_query(Some(&*call.query).filter(|query| !query.is_empty()));
        let method = reqwest::Method::from_bytes(call.method.as_bytes());
        let mut request = self
            .client
            .request(method.map_err(|it| it.to_string())?, url);
        if let Some(token) = headers.get(header::AUTHORIZATION) {
            request = request.header(header::AUTHORIZATION, token);
        }
        if !call.body.is_empty() {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(call.body.to_vec());
        }
        let failed = |error: reqwest::Error| format!("{}: {}", self.endpoint, root_cause(&error));
        let mut response = request.send().await.map_err(failed)?;
        let mut body = Vec::new();
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|it| it.to_str().ok()?.parse().ok());
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(format!("the answer has more than {MAX_ANSWER} bytes"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Forwarded {
            status: response.status().as_u16(),
            retry_after,
            body: String::from_utf8(body).map_err(|_| "the answer is not text".to_owned())?,
        })
    }
}

/// Whether an endpoint is the emulator that listens on this address: then each call would be passed on again and again.
pub(super) fn is_own(endpoint: &Url, listening: SocketAddr) -> bool {
    let own = listening.ip().to_canonical();
    let is_served = |ip: IpAddr| {
        let ip = ip.to_canonical();
        // The unspecified address receives the calls to every address of this machine, of which only these are known.
        let is_here = ip.is_loopback() || ip.is_unspecified();
        ip == own || is_here && own.is_unspecified() || ip.is_unspecified() && own.is_loopback()
    };
    endpoint.port_or_known_default() == Some(listening.port())
        && match endpoint.host() {
            Some(Host::Ipv4(ip)) => is_served(ip.into()),
            Some(Host::Ipv6(ip)) => is_served(ip.into()),
            // It may be the address of either family.
            Some(Host::Domain(name)) => {
                let is_local = name == "localhost" || name.ends_with(".localhost");
                is_local && (own.is_loopback() || own.is_unspecified())
            }
            None => false,
        }
}

/// The innermost cause: the outer ones repeat the URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn an_endpoint_is_the_emulator_itself() {
        for (listening, endpoint, expected) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("127.0.0.1:8080", "http://127.0.0.1:8080/base/", true),
            ("127.0.0.1:8080", "http://localhost:8080", true),
            ("127.0.0.1:8080", "http://[::ffff:127.0.0.1]:8080", true),
            ("127.0.0.1:8080", "http://0.0.0.0:8080", true),
            ("127.0.0.1:443", "https://localhost", true),
            ("[::1]:8080", "http://localhost:8080", true),
            ("[::1]:8080", "http://[::1]:8080", true),
            ("0.0.0.0:8080", "http://127.0.0.1:8080", true),
            ("[::]:8080", "http://127.0.0.1:8080", true),
            ("192.0.2.7:8080", "https://192.0.2.7:8080", true),
            ("127.0.0.1:8080", "http://127.0.0.1:8081", false),
            ("127.0.0.1:8080", "http://127.0.0.2:8080", false),
            ("127.0.0.1:8080", "http://[::1]:8080", false),
            ("192.0.2.7:8080", "http://localhost:8080", false),
            ("127.0.0.1:443", "https://api.clarifai.com", false),
        ] {
            let own = is_own(&endpoint.parse().unwrap(), listening.parse().unwrap());
            assert_eq!(own, expected, "{endpoint} at {listening}");
        }
    }
}

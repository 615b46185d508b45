//! Passes calls on to a real endpoint, with the caller's own token.

use super::recording::RecordingError;
use super::rest::RestCall;
use axum::http::{HeaderMap, header};
use reqwest::redirect::Policy;
use std::error::Error;
use std::time::Duration;
use url::Url;

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

/// The innermost cause: the outer ones repeat the URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

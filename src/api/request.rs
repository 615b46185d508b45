//! One call, and how its answer is judged.

use super::error::{ApiError, shown};
use super::exchange::HttpRequest;
use crate::wire::Code;
use crate::wire::{
    Annotations, Concepts, InputCounts, InputImages, Inputs, Page, SingleAnnotation, SingleUser,
    Status, StatusOnly,
};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Whether an answer may report success for only a part of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Partial {
    /// Anything except complete success is an error.
    Refuse,
    /// Each item has its own status.
    Accept,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) http: HttpRequest,
    /// The object that a "not found" is about.
    pub(super) about: String,
    pub(super) partial: Partial,
}

pub(super) trait Reply: DeserializeOwned + Send {
    /// Of the call as a whole.
    fn status(&self) -> &Status;
    /// Whether it reports on single items.
    fn has_items(&self) -> bool {
        false
    }
}

macro_rules! replies {
    ($($reply:ty $(, $items:ident)?;)*) => {
        $(impl Reply for $reply {
            fn status(&self) -> &Status {
                &self.status
            }
            $(fn has_items(&self) -> bool {
                !self.$items.is_empty()
            })?
        })*
    };
}

replies! {
    Annotations, annotations;
    Page, annotations;
    Inputs, inputs;
    SingleAnnotation;
    SingleUser;
    InputCounts;
    InputImages;
    Concepts;
}

/// An HTTP answer, and what is needed to judge it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Response<'a> {
    /// The status.
    pub(super) http: u16,
    pub(super) body: &'a [u8],
    /// Where a redirect points.
    pub(super) location: Option<&'a str>,
    /// How long the service asks to wait.
    pub(super) wait: Option<Duration>,
    /// The token, to keep it out of messages.
    pub(super) token: &'a str,
}

impl Response<'_> {
    /// Reads a complete, well-formed success; anything else is an error.
    pub(super) fn read<R: Reply>(&self, about: &str, partial: Partial) -> Result<R, ApiError> {
        if (300..400).contains(&self.http) {
            let to = self.shown(self.location.unwrap_or_default(), 200);
            return Err(ApiError::Redirected { to });
        }
        let ok = (200..300).contains(&self.http);
        match serde_json::from_slice::<R>(self.body) {
            Ok(reply) => {
                let code = reply.status().code;
                let answered = (ok && code == Code::SUCCESS)
                    || (partial == Partial::Accept
                        && self.http < 500
                        && self.http != 429
                        && (code == Code::MIXED_STATUS
                            || (code == Code::FAILURE && reply.has_items())));
                if answered {
                    Ok(reply)
                } else {
                    Err(self.refusal(reply.status(), about))
                }
            }
            // The answer to a failed call may have another form.
            Err(error) => match serde_json::from_slice::<StatusOnly>(self.body) {
                Ok(StatusOnly { status }) if !ok || !matches!(status.code.0, 0 | 10000) => {
                    Err(self.refusal(&status, about))
                }
                _ => Err(self.unreadable(&error, about)),
            },
        }
    }

    /// The error for a status that is not success.
    fn refusal(&self, status: &Status, about: &str) -> ApiError {
        let (http, code) = (self.http, status.code);
        let description = self.description(status);
        match code {
            Code::CONN_EXCEED_HOURLY_LIMIT
            | Code::CONN_EXCEED_MONTHLY_LIMIT
            | Code::CONN_EXCEEDS_LIMITS => {
                return ApiError::Refused {
                    http,
                    code,
                    description,
                };
            }
            Code::CONN_TOKEN_INVALID
            | Code::CONN_CREDENTIALS_INVALID
            | Code::CONN_KEY_INVALID
            | Code::CONN_KEY_NOT_FOUND => return ApiError::Unauthorised { description },
            _ => {}
        }
        match http {
            408 | 429 | 500 | 502..=599 => ApiError::Unavailable {
                http,
                code,
                description,
                wait: self.wait,
            },
            _ if code.is_transient() => ApiError::Unavailable {
                http,
                code,
                description,
                wait: self.wait,
            },
            401 => ApiError::Unauthorised { description },
            _ if http == 404 || code == Code::CONN_DOES_NOT_EXIST => ApiError::NotFound {
                what: about.to_owned(),
                description,
            },
            200..=299 if code == Code::default() => {
                ApiError::Malformed("it has no status code".to_owned())
            }
            _ => ApiError::Refused {
                http,
                code,
                description,
            },
        }
    }

    /// The error for an answer that cannot be parsed.
    fn unreadable(&self, error: &serde_json::Error, about: &str) -> ApiError {
        // Spaces go before the cut, and only these: a token that the cut parted would not be recognised, and what is shown ends
        // long before it.
        let body = self.body.trim_ascii_start();
        let text = String::from_utf8_lossy(&body[..body.len().min(2_000)]);
        let start = self.shown(text.trim_end(), 80);
        let status = Status {
            description: start.clone(),
            ..Status::default()
        };
        match self.http {
            200..=299 if self.body.is_empty() || (text.starts_with('{') && error.is_eof()) => {
                ApiError::CutOff {
                    bytes: self.body.len(),
                }
            }
            200..=299 if text.trim_start().starts_with('{') => {
                ApiError::Malformed(self.shown(&error.to_string(), 200))
            }
            401 | 404 | 408 | 429 | 500 | 502..=599 => self.refusal(&status, about),
            http => ApiError::NotJson { http, start },
        }
    }

    fn description(&self, status: &Status) -> String {
        match status.text().as_str() {
            "" => "the service gives no reason".to_owned(),
            text => self.shown(text, 500),
        }
    }

    fn shown(&self, text: &str, most: usize) -> String {
        shown(text, self.token, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(http: u16, body: &str) -> Result<Annotations, ApiError> {
        read_as(http, body, Partial::Refuse)
    }

    fn read_as(http: u16, body: &str, partial: Partial) -> Result<Annotations, ApiError> {
        Response {
            http,
            body: body.as_bytes(),
            location: None,
            wait: None,
            token: "secret",
        }
        .read("app `a` of user `u`", partial)
    }

    #[test]
    fn an_empty_page_is_a_success_and_a_broken_answer_is_not() {
        for body in [
            r#"{"status":{"code":10000},"annotations":[]}"#,
            r#"{"status":{"code":"SUCCESS"}}"#,
        ] {
            assert!(read(200, body).unwrap().annotations.is_empty());
        }
        for (http, body) in [
            (200, r#"{"status":{"code":10000},"annotations":null}"#),
            (200, r#"{"status":{"code":10000},"annotations":{}}"#),
            (200, r#"{"status":{},"annotations":[]}"#),
            (200, r#"{"annotations":[]}"#),
            (200, "{}"),
            (200, "[]"),
            (200, "null"),
            (200, r#"{"status":{"code":10020},"annotations":[]}"#),
            (200, r#"{"status":{"code":10010},"annotations":[]}"#),
            (200, r#"{"status":{"code":"SOMETHING_NEW"}}"#),
            (404, r#"{"status":{"code":10000},"annotations":[]}"#),
            (200, r#"{"status":{"code":10000},"annotations":[{"#),
            (200, ""),
            (204, ""),
            (200, "<html></html>"),
            (302, r#"{"status":{"code":10000},"annotations":[]}"#),
        ] {
            assert!(read(http, body).is_err(), "{http} {body}");
        }
    }

    #[test]
    fn transient_and_permanent_failures_are_distinguished() {
        let transient = [
            (429, "slow down"),
            (429, r#"{"status":{"code":"CONN_THROTTLED"}}"#),
            (200, r#"{"status":{"code":"TRY_AGAIN"}}"#),
            (200, r#"{"status":{"code":98010}}"#),
            (500, ""),
            (502, "<html>bad gateway</html>"),
            (503, r#"{"status":{"code":10020}}"#),
            (200, r#"{"status":{"code":10000},"annotations":[{"id":"a""#),
            (200, ""),
        ];
        for (http, body) in transient {
            assert!(
                read(http, body).unwrap_err().is_transient(),
                "{http} {body}"
            );
        }
        let permanent = [
            (501, ""),
            (429, r#"{"status":{"code":11004}}"#),
            (401, ""),
            (404, "<html>"),
            (400, r#"{"status":{"code":11102}}"#),
            (200, "<html>please log in</html>"),
            (200, r#"{"status":{"code":10000},"annotations":null}"#),
        ];
        for (http, body) in permanent {
            assert!(
                !read(http, body).unwrap_err().is_transient(),
                "{http} {body}"
            );
        }
    }

    #[test]
    fn messages_contain_neither_control_characters_nor_the_token() {
        let html = read(200, "<html>\u{1b}[31m secret \n in").unwrap_err();
        assert_eq!(
            html.to_string(),
            "the answer (HTTP 200) is not JSON, it begins with `<html>[31m [token]   in`"
        );
        let error = read(
            401,
            r#"{"status":{"code":11001,"description":"Key secret is unknown","details":"a\u001bb"}}"#,
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "not authorised: Key [token] is unknown: ab"
        );
        assert!(error.hint().unwrap().contains("CLARIFAI_PAT"));
        let missing = read(404, r#"{"status":{"code":11101,"description":"no app"}}"#).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "app `a` of user `u` was not found: no app"
        );
    }

    #[test]
    fn a_partly_failed_write_is_an_answer() {
        let mixed = r#"{"status":{"code":"MIXED_STATUS"},"annotations":[{"id":"a"}]}"#;
        let failed = r#"{"status":{"code":10020},"annotations":[{"id":"a"}]}"#;
        let whole = r#"{"status":{"code":10020}}"#;
        assert!(read_as(207, mixed, Partial::Accept).is_ok());
        assert!(read_as(400, failed, Partial::Accept).is_ok());
        assert!(
            read_as(400, whole, Partial::Accept)
                .unwrap_err()
                .is_rejection()
        );
        assert!(
            read_as(500, failed, Partial::Accept)
                .unwrap_err()
                .is_transient()
        );
        assert!(read_as(200, mixed, Partial::Refuse).is_err());
    }
}

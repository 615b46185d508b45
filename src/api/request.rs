//! One call before it is sent, and what may come back for it.

use super::code::Code;
use super::error::{ApiError, shown};
use super::exchange::HttpRequest;
use super::wire::{
    Annotations, Concepts, InputCounts, Inputs, Page, SingleAnnotation, SingleUser, Status,
    StatusOnly,
};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Whether an answer that is no success as a whole may still be an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Partial {
    /// No: anything but success is a failure.
    Fails,
    /// Yes: each annotation has a status of its own.
    Answers,
}

/// A call.
#[derive(Debug)]
pub(super) struct Request {
    /// What is sent.
    pub(super) http: HttpRequest,
    /// What a "not found" is about.
    pub(super) about: String,
    /// Which answers count.
    pub(super) partial: Partial,
}

/// Whether an id can be a segment of a path and stay itself. `.` and `..` mean other paths; a slash, a backslash and
/// a percent sign are encoded, which proxies on the way are known to undo.
pub(super) fn stands_in_a_path(id: &str) -> bool {
    !matches!(id, "" | "." | "..")
        && !id
            .chars()
            .any(|c| matches!(c, '/' | '\\' | '%') || c.is_control())
}

/// A response whose call status can be read.
pub(super) trait Reply: DeserializeOwned + Send {
    /// How the call went.
    fn status(&self) -> &Status;
    /// Whether it says something of single annotations.
    fn has_items(&self) -> bool {
        false
    }
}

impl Reply for Annotations {
    fn status(&self) -> &Status {
        &self.status
    }
    fn has_items(&self) -> bool {
        !self.annotations.is_empty()
    }
}

impl Reply for Page {
    fn status(&self) -> &Status {
        &self.status
    }
    fn has_items(&self) -> bool {
        !self.annotations.is_empty()
    }
}

impl Reply for SingleAnnotation {
    fn status(&self) -> &Status {
        &self.status
    }
}

impl Reply for SingleUser {
    fn status(&self) -> &Status {
        &self.status
    }
}

impl Reply for Inputs {
    fn status(&self) -> &Status {
        &self.status
    }
    fn has_items(&self) -> bool {
        !self.inputs.is_empty()
    }
}

impl Reply for InputCounts {
    fn status(&self) -> &Status {
        &self.status
    }
}

impl Reply for Concepts {
    fn status(&self) -> &Status {
        &self.status
    }
}

/// What came back over HTTP, and what is needed to judge it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Response<'a> {
    /// The HTTP status.
    pub(super) http: u16,
    /// The body.
    pub(super) body: &'a [u8],
    /// Where a redirect points.
    pub(super) location: Option<&'a str>,
    /// How long the service asks to be left alone.
    pub(super) wait: Option<Duration>,
    /// The token, to keep it out of every message.
    pub(super) token: &'a str,
}

impl Response<'_> {
    /// Judges the answer: a whole, well-formed success, or an error that says what it is instead.
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
                    || (partial == Partial::Answers
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
            // A failure may carry less than, or something other than, what a success does.
            Err(error) => match serde_json::from_slice::<StatusOnly>(self.body) {
                Ok(StatusOnly { status }) if !ok || !matches!(status.code.0, 0 | 10000) => {
                    Err(self.refusal(&status, about))
                }
                _ => Err(self.unreadable(&error, about)),
            },
        }
    }

    /// What a status that is no success means.
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
                ApiError::Malformed("it has no status code that says success".to_owned())
            }
            _ => ApiError::Refused {
                http,
                code,
                description,
            },
        }
    }

    /// What an answer that cannot be parsed means.
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
        read_as(http, body, Partial::Fails)
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
    fn an_empty_page_is_a_whole_success_and_nothing_else_is() {
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
    fn what_may_pass_is_told_from_what_stays() {
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
        let lasting = [
            (501, ""),
            (429, r#"{"status":{"code":11004}}"#),
            (401, ""),
            (404, "<html>"),
            (400, r#"{"status":{"code":11102}}"#),
            (200, "<html>please log in</html>"),
            (200, r#"{"status":{"code":10000},"annotations":null}"#),
        ];
        for (http, body) in lasting {
            assert!(
                !read(http, body).unwrap_err().is_transient(),
                "{http} {body}"
            );
        }
    }

    #[test]
    fn messages_are_clean_and_never_hold_the_token() {
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
    fn a_write_that_failed_in_part_is_an_answer() {
        let mixed = r#"{"status":{"code":"MIXED_STATUS"},"annotations":[{"id":"a"}]}"#;
        let failed = r#"{"status":{"code":10020},"annotations":[{"id":"a"}]}"#;
        let whole = r#"{"status":{"code":10020}}"#;
        assert!(read_as(207, mixed, Partial::Answers).is_ok());
        assert!(read_as(400, failed, Partial::Answers).is_ok());
        assert!(
            read_as(400, whole, Partial::Answers)
                .unwrap_err()
                .is_rejection()
        );
        assert!(
            read_as(500, failed, Partial::Answers)
                .unwrap_err()
                .is_transient()
        );
        assert!(read_as(200, mixed, Partial::Fails).is_err());
    }
}

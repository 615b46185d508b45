//! Errors of calls, with hints that say what to do next.
//!
//! No variant contains the token: text of the server gets here only through [`shown`], which removes it.

use crate::model::is_harmful;
use crate::wire::Code;
use std::time::Duration;

/// A call that failed, or could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    #[error("invalid endpoint `{endpoint}`: {why}")]
    Endpoint {
        /// The text, without credentials.
        endpoint: String,
        why: String,
    },
    /// Not a webhook. Its URL, which may hold a secret, is not shown.
    #[error("invalid URL of a webhook: {0}")]
    Webhook(String),
    /// A text that is not a token. It is not shown.
    #[error("the token {0}")]
    Token(&'static str),
    /// An id that would change the path of a URL.
    #[error("`{value}` is not valid as {what}")]
    Name {
        /// `a user id` or `an app id`.
        what: &'static str,
        value: String,
    },
    #[error("cannot set up the HTTP client: {0}")]
    Setup(String),
    /// The request is not one that the API accepts. Nothing was sent.
    #[error("not sent: {0}")]
    Unsendable(String),
    /// The service does not know the token, or does not accept it for this call.
    #[error("not authorised: {description}")]
    Unauthorised {
        /// The service's message.
        description: String,
    },
    /// The app, the user, or another object of the call does not exist.
    #[error("{what} was not found: {description}")]
    NotFound {
        /// The object, such as the app.
        what: String,
        /// The service's message.
        description: String,
    },
    /// The service understood the call and refused it.
    #[error("refused with HTTP {http}, code {code}: {description}")]
    Refused {
        /// The HTTP status.
        http: u16,
        /// The API's code.
        code: Code,
        /// The service's message.
        description: String,
    },
    /// The service is busy or broken at the moment.
    #[error("service unavailable (HTTP {http}, code {code}): {description}")]
    Unavailable {
        /// The HTTP status.
        http: u16,
        /// The API's code.
        code: Code,
        /// The service's message.
        description: String,
        /// How long the service asks to wait (`Retry-After`).
        wait: Option<Duration>,
    },
    /// There was no connection, or it broke.
    #[error("cannot reach {host}: {cause}")]
    Unreachable { host: String, cause: String },
    /// No complete answer in time.
    #[error("no answer from {host} within {seconds} s")]
    TimedOut { host: String, seconds: u64 },
    /// The server redirects. The token is sent only to the address that it was given for.
    #[error("the server redirects to `{to}`")]
    Redirected { to: String },
    /// Something other than the API answered.
    #[error("the answer (HTTP {http}) is not JSON, it begins with `{start}`")]
    NotJson {
        /// The HTTP status.
        http: u16,
        /// Its first characters, up to 80.
        start: String,
    },
    /// The answer is incomplete.
    #[error("the answer breaks off after {bytes} bytes")]
    CutOff {
        /// How many were received.
        bytes: usize,
    },
    /// The answer is larger than allowed.
    #[error("an answer from {host} has more than {} MB after decompression", bytes >> 20)]
    TooLarge {
        host: String,
        /// The limit.
        bytes: u64,
    },
    /// The listing has more pages than allowed.
    #[error("the listing has more than {most} pages")]
    TooManyPages {
        /// The limit.
        most: u64,
    },
    /// JSON, but not as the API documents it.
    #[error("the answer does not have the API's form: {0}")]
    Malformed(String),
    /// The app changed while it was listed, or the server pages wrongly.
    #[error("the listing could not be proved complete in {attempts} attempts: {reason}")]
    IncompleteListing {
        /// How often it was listed.
        attempts: u32,
        /// Of the last attempt.
        reason: String,
    },
    /// A transient failure that lasted through all attempts.
    #[error("gave up after {attempts} attempts: {last}")]
    GaveUp {
        /// How many were made.
        attempts: u32,
        last: Box<ApiError>,
    },
}

impl ApiError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::Unreachable { .. }
                | Self::TimedOut { .. }
                | Self::CutOff { .. }
        )
    }

    /// Whether the service refused this very call: with fewer or other annotations it may succeed.
    pub fn is_rejection(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::NotFound { .. })
    }

    /// Whether the call may have taken effect although no answer confirms it.
    pub fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::GaveUp { last, .. } => last.may_have_taken_effect(),
            Self::Unavailable { http, .. } => *http >= 500,
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::CutOff { .. }
            | Self::NotJson { .. }
            | Self::TooLarge { .. }
            | Self::Malformed(_) => true,
            _ => false,
        }
    }

    /// How long the service asks to wait, if it does.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { wait, .. } => *wait,
            _ => None,
        }
    }

    /// Wraps a transient error in [`ApiError::GaveUp`].
    #[must_use]
    pub fn given_up_after(self, attempts: u32) -> Self {
        if self.is_transient() {
            let last = Box::new(self);
            Self::GaveUp { attempts, last }
        } else {
            self
        }
    }

    /// The API's code, if the service gave one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } | Self::Unavailable { code, .. } => Some(*code),
            Self::GaveUp { last, .. } => last.code(),
            _ => None,
        }
    }

    /// Whether the service does not accept the token: no other call will succeed either.
    pub fn is_unauthorised(&self) -> bool {
        matches!(self, Self::Unauthorised { .. })
    }

    /// The message, with the hint in parentheses.
    pub fn with_hint(&self) -> String {
        match self.hint() {
            Some(hint) => format!("{self} ({hint})"),
            None => self.to_string(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Endpoint { .. } => "an endpoint looks like https://api.clarifai.com",
            Self::Webhook(_) => {
                "name an https URL, or http and the address of a server on this machine"
            }
            Self::Token(_) | Self::Unauthorised { .. } => {
                "set CLARIFAI_PAT to a personal access token of a user who may work on this app"
            }
            Self::Name { .. } => "check the target's user_id and app_id",
            Self::NotFound { .. } => {
                "check the target's user_id and app_id, and that the token's user may see the app"
            }
            Self::Refused { code, .. } => match *code {
                Code::CONN_INSUFFICIENT_SCOPES => {
                    "give the token the scopes for reading and writing annotations"
                }
                Code::CONN_EXCEED_HOURLY_LIMIT
                | Code::CONN_EXCEED_MONTHLY_LIMIT
                | Code::CONN_EXCEEDS_LIMITS => {
                    "the account's limit is used up: wait until it is renewed, then run again"
                }
                Code::FAILURE | Code::MIXED_STATUS => {
                    "the service failed and gave no other reason: run again later"
                }
                _ => return None,
            },
            Self::Unavailable { .. } => "run again later",
            Self::Unreachable { .. } => "check the endpoint and the network, then run again",
            Self::TimedOut { .. } | Self::CutOff { .. } => "check the network, then run again",
            Self::Redirected { .. } => "set the endpoint to the address of the API itself",
            Self::NotJson { .. } => {
                "check that the endpoint is the API's address, with no proxy or login page in front of it"
            }
            Self::IncompleteListing { .. } => {
                "run again when nothing else changes the app's annotations; if nothing does, the service lists \
                 annotations with equal times in a changing order: use --declared-only, which asks for few inputs at a time"
            }
            Self::GaveUp { last, .. } => return last.hint(),
            Self::Malformed(_) => {
                "check that the endpoint is the API's address; if it is, run again later"
            }
            Self::TooLarge { .. } => {
                "if the app's annotations are that large, raise --max-answer; otherwise check the endpoint"
            }
            Self::TooManyPages { .. } => {
                "if the app has that many annotations, raise --max-pages; otherwise check the endpoint"
            }
            Self::Setup(_) | Self::Unsendable(_) => return None,
        })
    }
}

/// Text of a server that may be printed: without the token and characters that could change what a terminal shows, and at
/// most `most` characters long.
pub(super) fn shown(text: &str, token: &str, most: usize) -> String {
    // Before the text is cut, which could leave half of the token.
    let text = text.replace(token, "[token]");
    let mut clean = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_harmful(*c));
    let mut short: String = clean.by_ref().take(most).collect();
    if clean.next().is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_server_is_shown_without_token_and_control_characters_and_cut() {
        assert_eq!(
            shown("\u{1b}[31mkey\nabc123\u{202e} is bad", "abc123", 80),
            "[31mkey [token] is bad"
        );
        assert_eq!(shown("aaaa", "x", 3), "aaa…");
        assert_eq!(shown("aaa", "x", 3), "aaa");
        assert_eq!(shown("12secret", "secret", 4), "12[t…");
    }

    #[test]
    fn giving_up_keeps_the_last_cause_and_its_hint() {
        let last = ApiError::Unreachable {
            host: "example.org".into(),
            cause: "connection refused".into(),
        };
        let error = ApiError::GaveUp {
            attempts: 3,
            last: Box::new(last.clone()),
        };
        assert_eq!(
            error.to_string(),
            "gave up after 3 attempts: cannot reach example.org: connection refused"
        );
        assert_eq!(error.hint(), last.hint());
        assert!(error.may_have_taken_effect());
        assert!(!error.is_transient());
    }
}

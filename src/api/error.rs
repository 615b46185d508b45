//! Everything that can go wrong between here and the service, in words that say what to do next.
//!
//! No variant ever holds the token: text of the server comes here only through [`shown`], which takes it out.

use super::code::Code;
use std::time::Duration;

/// A call, or the way to it, that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// A text that is no endpoint.
    #[error("`{endpoint}` cannot be the endpoint: {why}")]
    Endpoint {
        /// The text, without credentials.
        endpoint: String,
        /// What is wrong with it.
        why: String,
    },
    /// A text that cannot be a token. It is not shown.
    #[error("the token {0}")]
    Token(&'static str),
    /// A text that cannot stand in a path.
    #[error("`{value}` cannot be {what}")]
    Name {
        /// What it was to be.
        what: &'static str,
        /// The text.
        value: String,
    },
    /// The HTTP client could not be made.
    #[error("cannot set up the HTTP client: {0}")]
    Setup(String),
    /// What was to be sent is nothing that the API takes. Nothing was sent.
    #[error("not sent: {0}")]
    Unsendable(String),
    /// The token is not one that the service knows, or it is not for this.
    #[error("not authorised: {description}")]
    Unauthorised {
        /// What the service says.
        description: String,
    },
    /// The app, the user, or what a call is about is not there.
    #[error("{what} was not found: {description}")]
    NotFound {
        /// What was asked of.
        what: String,
        /// What the service says.
        description: String,
    },
    /// The service understood, and said no.
    #[error("refused with HTTP {http}, code {code}: {description}")]
    Refused {
        /// The HTTP status.
        http: u16,
        /// The API's code.
        code: Code,
        /// What the service says.
        description: String,
    },
    /// The service says that it is too busy, or broken, just now.
    #[error("service unavailable (HTTP {http}, code {code}): {description}")]
    Unavailable {
        /// The HTTP status.
        http: u16,
        /// The API's code.
        code: Code,
        /// What the service says.
        description: String,
        /// How long it asks to be left alone (`Retry-After`).
        wait: Option<Duration>,
    },
    /// No connection, or one that broke.
    #[error("cannot reach {host}: {cause}")]
    Unreachable {
        /// Which host.
        host: String,
        /// Why.
        cause: String,
    },
    /// No whole answer in time.
    #[error("no answer from {host} within {seconds} s")]
    TimedOut {
        /// Which host.
        host: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The server points elsewhere; the token goes to no other address than the one it was given for.
    #[error("the server redirects to `{to}`")]
    Redirected {
        /// Where to.
        to: String,
    },
    /// Something else answered.
    #[error("the answer (HTTP {http}) is not JSON, it begins with `{start}`")]
    NotJson {
        /// The HTTP status.
        http: u16,
        /// How it begins: up to 80 characters.
        start: String,
    },
    /// The answer ends before it is complete.
    #[error("the answer breaks off after {bytes} bytes")]
    CutOff {
        /// How much came.
        bytes: usize,
    },
    /// The answer does not end where one has to.
    #[error("an answer from {host} has more than {} MB, unpacked", bytes >> 20)]
    TooLarge {
        /// Which host.
        host: String,
        /// How many bytes it may have.
        bytes: u64,
    },
    /// The listing does not end where one has to.
    #[error("the listing has more than {most} pages")]
    TooManyPages {
        /// How many it may have.
        most: u64,
    },
    /// JSON, and not what the API documents.
    #[error("the answer is not of the API's form: {0}")]
    Malformed(String),
    /// The app changed while it was listed, or the server pages wrongly.
    #[error("the listing could not be proved complete in {attempts} attempts: {reason}")]
    IncompleteListing {
        /// How often it was listed.
        attempts: u32,
        /// What the last attempt saw.
        reason: String,
    },
    /// What may pass was tried as often as is sensible.
    #[error("gave up after {attempts} attempts: {last}")]
    GaveUp {
        /// How often.
        attempts: u32,
        /// The last failure.
        last: Box<ApiError>,
    },
}

impl ApiError {
    /// Whether the same call may go through later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::Unreachable { .. }
                | Self::TimedOut { .. }
                | Self::CutOff { .. }
        )
    }

    /// Whether the service turned this very call down: with fewer or other annotations it may go through.
    pub fn is_rejection(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::NotFound { .. })
    }

    /// Whether the call may have taken effect although no answer says so.
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

    /// How long the service asks to be left alone, where it does.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { wait, .. } => *wait,
            _ => None,
        }
    }

    /// The same; as given up on, if it was tried again in vain.
    #[must_use]
    pub fn given_up_after(self, attempts: u32) -> Self {
        if self.is_transient() {
            let last = Box::new(self);
            Self::GaveUp { attempts, last }
        } else {
            self
        }
    }

    /// The API's code, where the service gave one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } | Self::Unavailable { code, .. } => Some(*code),
            Self::GaveUp { last, .. } => last.code(),
            _ => None,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Endpoint { .. } => "an endpoint looks like https://api.clarifai.com",
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
            Self::Redirected { .. } => "set the endpoint to where the API itself answers",
            Self::NotJson { .. } => {
                "check that the endpoint is the API's address, without a proxy or login page before it"
            }
            Self::IncompleteListing { .. } => {
                "run again when nothing else changes the app's annotations; if nothing does, the service lists \
                 annotations of the same time in a changing order: use --declared-only, which asks for few inputs at a time"
            }
            Self::GaveUp { last, .. } => return last.hint(),
            Self::Malformed(_) => {
                "check that the endpoint is the API's address; if it is, run again later"
            }
            Self::TooLarge { .. } => {
                "if the app's annotations are as large as that, raise --max-answer; else check the endpoint"
            }
            Self::TooManyPages { .. } => {
                "if the app has as many annotations as that, raise --max-pages; else check the endpoint"
            }
            Self::Setup(_) | Self::Unsendable(_) => return None,
        })
    }
}

/// Characters that re-order what a terminal shows, or take no room. This room uses no other; a test holds the list to
/// the one of what people are shown.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text of a server as it may be shown: without the token, without control characters and marks that re-order what a
/// terminal shows, and no longer than `most` characters.
pub(super) fn shown(text: &str, token: &str, most: usize) -> String {
    // The token goes first: a cut through its middle would leave half of it.
    let text = text.replace(token, "[token]");
    let mut clean = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_mark(*c));
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
    fn text_of_a_server_is_shown_without_token_control_characters_or_end() {
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

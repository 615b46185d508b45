//! Why something that was listed cannot be understood.

use crate::api::ApiError;
use crate::model::{InvalidId, JsonFault};

/// A listing that is no basis for a plan.
#[derive(Debug, thiserror::Error)]
pub enum ObservedError {
    /// The listing failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The id of the caller, the app's owner or an input of the filter that cannot be one.
    #[error("the service names {what} `{text}`, which is not a valid name: it is {why}", text = .text.escape_debug())]
    Name {
        /// What it names.
        what: &'static str,
        /// The name.
        text: String,
        /// Why it is none.
        why: InvalidId,
    },
    /// An annotation of which nobody knows where it belongs.
    #[error("the service lists annotation `{}` without an input", .0.escape_debug())]
    NoInput(String),
    /// A listing that leaves out, on purpose, annotations of what it covers.
    #[error("this listing was made with filters and does not show everything")]
    Filtered,
    /// A file that is not a saved listing.
    #[error("not a saved listing: {0}")]
    NotSaved(String),
    /// A file that is not the JSON of a saved listing.
    #[error(transparent)]
    NotJson(JsonFault),
    /// A saved listing of another version of the format.
    #[error("this listing was saved in format {found}, and this version reads {known}")]
    Version {
        /// What the file says.
        found: String,
        /// What this version reads.
        known: &'static str,
    },
    /// A saved listing that could not be written.
    #[error("the listing could not be written: {0}")]
    Write(#[from] std::io::Error),
}

impl ObservedError {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Api(error) => error.hint(),
            Self::Filtered | Self::NotSaved(_) | Self::NotJson(_) | Self::Version { .. } => Some(
                "save a listing with `annosync list --format json > observed.json`, with no filter but --input-id",
            ),
            Self::Name { .. } | Self::NoInput(_) => {
                Some("look at it in the app; nothing was planned or changed")
            }
            Self::Write(_) => None,
        }
    }
}

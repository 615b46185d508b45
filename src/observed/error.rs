use crate::api::ApiError;
use crate::model::{InvalidId, JsonFault};

/// Why there is no observed state.
#[derive(Debug, thiserror::Error)]
pub enum ObservedError {
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Of the caller, the app's owner, or an input of the filter.
    #[error("the service reports the invalid {what} id `{text}`: {why}", text = .text.escape_debug())]
    InvalidId {
        what: &'static str,
        text: String,
        why: InvalidId,
    },
    #[error("the service lists annotation `{}` without an input", .0.escape_debug())]
    MissingInput(String),
    /// The listing omits annotations of its scope on purpose.
    #[error("this listing was made with filters and is not complete")]
    Filtered,
    #[error("not a saved listing: {0}")]
    NotAListing(String),
    #[error(transparent)]
    NotJson(JsonFault),
    #[error(
        "this listing has format {found}, but this version of annosync supports format {supported}"
    )]
    Version {
        found: String,
        supported: &'static str,
    },
    #[error("cannot write the listing: {0}")]
    Write(#[from] std::io::Error),
}

impl ObservedError {
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Api(error) => error.hint(),
            Self::Filtered | Self::NotAListing(_) | Self::NotJson(_) | Self::Version { .. } => {
                Some(
                    "save a listing with `annosync list --format json > observed.json`, without filters except --input-id",
                )
            }
            Self::InvalidId { .. } | Self::MissingInput(_) => {
                Some("check it in the app; nothing was planned or changed")
            }
            Self::Write(_) => None,
        }
    }
}

//! The result of one item of a call.

use crate::wire::Code;

/// Why one item was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct ItemError {
    /// The API's code.
    pub code: Code,
    /// The service's message.
    pub description: String,
}

impl ItemError {
    /// Whether an input was refused because one with its id exists.
    pub fn is_duplicate_input(&self) -> bool {
        self.code == Code::INPUT_DUPLICATE && !self.description.to_lowercase().contains("url")
    }
}

/// The result of one item of a call.
#[derive(Debug)]
pub enum ItemResult<T> {
    /// It was written. For posts and patches, with what is stored now.
    Done(T),
    /// It was not written.
    Failed(ItemError),
    /// The answer does not say. Read it back.
    Unknown,
}

impl<T> ItemResult<T> {
    /// Maps the value of `Done`.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> ItemResult<U> {
        match self {
            Self::Done(written) => ItemResult::Done(make(written)),
            Self::Failed(error) => ItemResult::Failed(error),
            Self::Unknown => ItemResult::Unknown,
        }
    }
}

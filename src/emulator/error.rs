//! Errors of starting, stopping and filling an emulator.

use super::recording::RecordingError;
use super::store::StoreError;
use std::net::SocketAddr;

#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Recording(#[from] RecordingError),
    #[error("cannot close the database")]
    Close(#[source] rusqlite::Error),
    /// A seeded annotation is invalid or exists already, or the database failed.
    #[error("cannot store the annotation: {0}")]
    Seed(String),
    #[error("not a list of annotations: {0}")]
    NotJson(serde_json::Error),
    #[error("not a list of annotations: {0}")]
    NotAnnotations(String),
}

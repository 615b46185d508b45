//! The emulator: an HTTP server that behaves as the API's documentation says, backed by a SQLite file. It is the store of
//! `embedded:` targets, and tests run against it.
//!
//! It follows the documented behaviour, not the convenience of a client. Where the documentation leaves a choice open,
//! [`Config`] has a setting. The only other module that it uses is `wire`, for status codes.
//!
//! A call passes through `connection` (TCP, TLS), `server` (routes, JSON) or `grpc` (with `protobuf`), `dispatch` (faults,
//! keys, rate limit) and `call` (app, items) to one of the operations in `read`, `search`, `write`, `task`, `delete`,
//! `inputs` (with `media` and `jobs`), `concepts`, `datasets` and `apps`. Their pure parts are `data`, `patch` and
//! `listing`. `store` runs a `session` (one transaction) for each call; the `_table` files hold the SQL on `rows`. `reply`,
//! `shown` (annotations) and `echo` write the JSON of the answer.
//!
//! Between `server` or `grpc` and `dispatch`, `traffic` records calls (`recorder`), passes them on (`forward`; `rest` turns
//! those over gRPC into calls over REST), or answers them from a recording (`replay`). `recording` is the file's format.
//! `control` serves paths for tests.

mod annotation_table;
mod apps;
mod call;
mod concept_table;
mod concepts;
mod concurrent;
mod config;
mod connection;
mod control;
mod data;
mod dataset_table;
mod datasets;
mod delete;
mod dispatch;
mod echo;
mod endpoint;
mod error;
mod faults;
mod forward;
mod grpc;
mod hash;
mod input_table;
mod inputs;
mod jobs;
mod listing;
mod media;
pub mod patch;
mod protobuf;
mod rate;
mod read;
mod recorder;
mod recording;
mod region;
mod replacements;
mod replay;
mod reply;
mod rest;
mod rows;
mod running;
mod search;
mod seed;
mod server;
mod session;
mod shared;
mod shown;
mod store;
mod task;
#[cfg(test)]
mod tests;
mod tls;
mod traffic;
mod write;

pub use config::{
    Authors, Clock, Codes, Collaborator, Config, Database, FloatEcho, ListingOrder, MissingDelete,
    Recording, RegionPlaces, ResponseStyle, WideNumbers, Zeros,
};
pub use endpoint::Endpoint;
pub use error::EmulatorError;
pub use faults::{ConcurrentChange, Fault, FaultControl, Faults, Scope};
pub use recording::RecordingError;
pub use running::Emulator;
pub use seed::annotations_in;
pub use shared::CallRecord;
pub use store::StoreError;
pub use tls::{TlsError, tls};

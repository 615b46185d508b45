//! The client of the service's REST API: a reader that cannot write, a writer, paging, retries, rate limit.
//!
//! It knows HTTP and the API's calls, and nothing about manifests, plans or matching. Uses `wire`, and `model` for the rules
//! about text.

mod connect;
mod connection;
mod delete;
mod error;
mod exchange;
mod filter;
mod inputs;
mod item;
mod listing;
mod ordered;
mod overlapping;
mod page;
mod picture;
mod public;
mod purge;
mod rate;
mod reader;
mod request;
mod rereading;
mod retry;
mod transport;
mod webhook;
mod windows;
mod writer;

#[cfg(test)]
pub(crate) mod scripted;

pub use connect::{connect, connect_through};
pub use connection::{Connection, Endpoint, InsecureHttp, Token};
pub use delete::{DeletePairs, InvalidDelete};
pub use error::ApiError;
pub use exchange::{
    Exchange, ExchangeError, ExchangeFuture, HttpRequest, HttpResponse, Method, Url,
};
pub use filter::{Filter, ModelMade, ModelOutput, Selection};
pub use inputs::{DeleteInputs, InputState, Processing, inputs_call};
pub use item::{ItemError, ItemResult};
pub use listing::CompleteListing;
pub use picture::PictureClient;
pub use purge::{InvalidPurge, PurgeInputs};
pub use reader::{Pages, Reader};
pub use retry::RetryPolicy;
pub use webhook::Webhook;
pub use writer::{NamedBody, PatchAction, Writer, annotations_call};

#[cfg(test)]
mod tests;

//! The client of the service's REST API: wire types, a reader that cannot write, a writer, paging, retry, rate limit.
//!
//! It knows HTTP and the API's JSON, and nothing of manifests, plans or matching; it uses no other room.

pub mod code;
mod connection;
mod delete;
mod error;
mod exchange;
mod filter;
mod inputs;
mod listing;
mod ordered;
mod overlapping;
mod page;
mod purge;
mod rate;
mod reader;
mod request;
mod rereading;
mod retry;
mod transport;
mod windows;
pub mod wire;
mod writer;

#[cfg(test)]
pub(crate) mod scripted;

pub use connection::{Connection, Endpoint, InsecureHttp, Token};
pub use delete::{DeletePairs, EmptyName};
pub use error::ApiError;
pub use exchange::{Exchange, Exchanging, HttpRequest, HttpResponse, Lost, Method, Url};
pub use filter::{Filter, ModelMade, ModelOutput, Selection};
pub use inputs::{DeleteInputs, InputState, Processing};
pub use listing::CompleteListing;
pub use purge::{NotPurgeable, PurgeInputs};
pub use reader::{Pages, Reader};
pub use retry::RetryPolicy;
use std::sync::Arc;
pub use writer::{ItemError, ItemResult, PatchAction, Writer};

/// A reader and a writer that share one client, one rate limit and one bound on calls at a time.
///
/// This is the only way to a [`Writer`]: whoever is given a [`Reader`] alone cannot write.
pub fn connect(connection: &Connection) -> Result<(Reader, Writer), ApiError> {
    connect_through(connection, Arc::new(exchange::Network::new(connection)?))
}

/// As [`connect`], with something else than the network to carry the requests. It is not given the token.
pub fn connect_through(
    connection: &Connection,
    exchange: Arc<dyn Exchange>,
) -> Result<(Reader, Writer), ApiError> {
    let transport = Arc::new(transport::Transport::new(connection, exchange)?);
    Ok((
        Reader::over(Arc::clone(&transport)),
        Writer::over(transport),
    ))
}

#[cfg(test)]
mod tests;

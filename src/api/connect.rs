//! Sets up readers and writers.

use super::connection::Connection;
use super::error::ApiError;
use super::exchange::Exchange;
use super::reader::Reader;
use super::transport::Transport;
use super::writer::Writer;
use std::sync::Arc;

/// A reader and a writer that share one client, one rate limit and one limit of calls at a time.
///
/// This is the only way to get a [`Writer`]: code that is given only a [`Reader`] cannot write.
pub fn connect(connection: &Connection) -> Result<(Reader, Writer), ApiError> {
    Ok(both(Transport::over_network(connection)?))
}

/// Like [`connect`], but over an exchange that is not the network. It is not given the token.
pub fn connect_through(
    connection: &Connection,
    exchange: Arc<dyn Exchange>,
) -> Result<(Reader, Writer), ApiError> {
    Ok(both(Arc::new(Transport::new(connection, exchange)?)))
}

fn both(transport: Arc<Transport>) -> (Reader, Writer) {
    (
        Reader::over(Arc::clone(&transport)),
        Writer::over(transport),
    )
}

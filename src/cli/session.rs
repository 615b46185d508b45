//! A connection that is open: to an app, or to an embedded store that was started for it.

use super::connection::{ConnectionArgs, Destination};
use super::exit::Failure;
use crate::api::{self, Connection, Endpoint, Filter, InsecureHttp, Reader, Token, Writer};
use crate::emulator::{Config, Database, Emulator};
use crate::manifest::Manifest;
use crate::model::{DesiredState, ObservedState};
use crate::observed;
use crate::plan::Target;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, SocketAddr};

/// Owner and app of an embedded store: it holds one of each.
const EMBEDDED_OWNER: &str = "local";
const EMBEDDED_APP: &str = "local";
/// The embedded store is as fast as the disk; this only keeps forecasts finite.
const EMBEDDED_RATE: u32 = 1_000;

/// How much of the app a plan looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// All of it.
    WholeApp,
    /// The declared inputs.
    DeclaredInputs,
}

pub(crate) struct Session {
    connection: Connection,
    pub(crate) target: Target,
    emulator: Option<Emulator>,
}

impl Session {
    /// Opens a connection; an embedded store is started for as long as the session lasts.
    pub(crate) async fn open(args: &ConnectionArgs, manifest: Option<&Manifest>) -> Result<Self, Failure> {
        match args.destination(manifest)? {
            Destination::App(connection) => {
                let target = Target {
                    endpoint: connection.endpoint.to_string(),
                    user_id: connection.user_id.clone(),
                    app_id: connection.app_id.clone(),
                };
                Ok(Self { connection: *connection, target, emulator: None })
            }
            Destination::Embedded(path) => {
                // Other users of the machine can reach the port: the key is a secret of this process.
                let key = format!("{:032x}", u128::from(secret()) << 64 | u128::from(secret()));
                let config = Config {
                    database: Database::File(path.clone()),
                    owner: EMBEDDED_OWNER.into(),
                    owner_key: key.clone(),
                    app_id: EMBEDDED_APP.into(),
                    ..Config::default()
                };
                let emulator = Emulator::start(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
                    .await
                    .map_err(|error| Failure::new(format!("cannot open the embedded store {}: {}", path.display(), chain(&error))))?;
                let endpoint = Endpoint::new(&emulator.url(), InsecureHttp::Refuse)?;
                let mut connection =
                    Connection::new(endpoint, EMBEDDED_OWNER.into(), EMBEDDED_APP.into(), Token::new(&key)?);
                connection.rate_limit = EMBEDDED_RATE;
                connection.concurrency = usize::from(args.concurrency);
                let target = Target {
                    endpoint: format!("embedded:{}", path.display()),
                    user_id: EMBEDDED_OWNER.into(),
                    app_id: EMBEDDED_APP.into(),
                };
                Ok(Self { connection, target, emulator: Some(emulator) })
            }
        }
    }

    pub(crate) fn rate_limit(&self) -> u32 {
        self.connection.rate_limit
    }

    /// What a plan gets: nothing that could write.
    pub(crate) fn reader(&self) -> Result<Reader, Failure> {
        Ok(Reader::new(&self.connection)?)
    }

    /// What an apply gets.
    pub(crate) fn writer(&self) -> Result<Writer, Failure> {
        Ok(api::connect(&self.connection)?.1)
    }

    /// Lists the app, proves the listing complete, and makes the observed state of it.
    pub(crate) async fn observe(&self, reader: &Reader, desired: &DesiredState, look: Look) -> Result<ObservedState, Failure> {
        let filter = match look {
            Look::WholeApp => Filter::everything(),
            Look::DeclaredInputs => Filter::inputs(desired.inputs.iter().map(|input| input.id.to_string())),
        };
        Ok(observed::observe(reader, &filter, &self.connection.user_id).await?)
    }

    /// Ends the session; an embedded store is closed.
    pub(crate) async fn close(self) {
        if let Some(emulator) = self.emulator {
            // Everything was answered, hence committed, before.
            let _ = emulator.stop().await;
        }
    }
}

/// 64 bits that others cannot guess: the keys of the standard library's hash maps come from the operating system.
fn secret() -> u64 {
    RandomState::new().hash_one(0_u8)
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

//! The emulator: an HTTP server that behaves as the API's documents say, over a `SQLite` file. It is the embedded
//! store, and what tests run against.
//!
//! Behaviour follows the documented facts, never what a client would find convenient; where the documents leave a
//! choice open, [`Config`] has it. This room uses nothing of the house but the API's status codes.
//!
//! A call goes through the files in this order: `connection` (TCP), `server` (route, faults, key, rate), `call`
//! (app, items), then `read`, `search`, `write`, `task`, `delete`, `inputs` or `concepts` with `data`, `patch` and
//! `listing` as their pure parts, `store` and `session` (one transaction), `reply` and `echo` (JSON).

mod call;
mod concepts;
mod config;
mod connection;
mod data;
mod delete;
mod echo;
mod endpoint;
mod faults;
mod inputs;
mod listing;
pub mod patch;
mod rate;
mod read;
mod region;
mod reply;
mod search;
mod seed;
mod server;
mod session;
mod shared;
mod shift;
mod store;
mod task;
#[cfg(test)]
mod tests;
mod write;

pub use config::{
    Authors, Clock, Codes, Collaborator, Config, Database, FloatEcho, Habits, ListingOrder,
    MissingDelete, RegionPlaces, WideNumbers, Zeros,
};
pub use endpoint::Endpoint;
pub use faults::{Fault, FaultControl, Faults, Scope, Shift};
pub use seed::annotations_in;
pub use shared::CallRecord;
pub use store::StoreError;

use reply::Refusal;
use serde_json::Value;
use session::Session;
use shared::Shared;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::{Access, App, Store};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long calls that were begun may take once the emulator is to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// What keeps an emulator from starting, stopping, or being filled.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database cannot be closed.
    #[error("cannot close the database")]
    Close(#[source] rusqlite::Error),
    /// What was to be stored directly is not valid or there already, or the database failed.
    #[error("cannot store the annotation: {0}")]
    Seed(String),
    /// A text is not JSON.
    #[error("no annotations to store: {0}")]
    NotJson(serde_json::Error),
    /// A text is not a list of annotations.
    #[error("no annotations to store: {0}")]
    NoAnnotations(String),
}

/// A running emulator. It stops when it is dropped; [`Emulator::stop`] waits until it has.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Emulator {
    /// Opens the database and listens. Port 0 takes any free port: see [`Emulator::address`]. Calls are answered as
    /// soon as this returns. Runs on the current tokio runtime.
    pub async fn start(config: Config, listen: SocketAddr) -> Result<Self, EmulatorError> {
        let failed = |source| EmulatorError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        // Short, and there is nobody to be kept waiting yet.
        let store = Store::open(&config)?;
        let shared = Arc::new(Shared::new(config, store));
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared), stopped));
        Ok(Self {
            address,
            shared,
            stop: Some(stop),
            server,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no new calls, finishes those that were begun (for up to ten seconds), and closes the database.
    pub async fn stop(mut self) -> Result<(), EmulatorError> {
        self.stop.take();
        if tokio::time::timeout(PATIENCE, &mut self.server)
            .await
            .is_err()
        {
            self.server.abort();
        }
        match self.shared.take_store() {
            Some(store) => store.close().map_err(EmulatorError::Close),
            None => Ok(()),
        }
    }

    /// Steers the faults while it runs.
    pub fn faults(&self) -> &FaultControl {
        &self.shared.faults
    }

    /// The calls that came so far, in the order in which they were answered; the latest 100,000.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.shared.calls()
    }

    /// Forgets the calls that came so far.
    pub fn forget_calls(&self) {
        self.shared.forget_calls();
    }

    /// Stores annotations of the configured app directly, in one transaction: JSON as in the API, with any field set,
    /// also those that only a server sets (`model_version_id`, `worker`, `input_level`, `created_at`, any `user_id`;
    /// by default the owner's). Listings have them in this order. Inputs are made as they are first named; an
    /// input-level annotation stands for the one that its input would else be made with. An annotation that exists
    /// already, and an input-level one of an input that has one, are refused, and then nothing is stored.
    pub async fn seed(&self, annotations: Vec<Value>) -> Result<(), EmulatorError> {
        let planted = self.shared.run(Access::Writes, move |session, config| {
            let app = configured_app(session, config)?;
            let mut planting = seed::Planting::new(session, &app);
            annotations
                .into_iter()
                .try_for_each(|annotation| planting.plant(annotation))
        });
        planted.await.map_err(seed_error)
    }

    /// Every annotation of the configured app, oldest first, model-made and hidden ones too, as the API shows them.
    pub async fn annotations(&self) -> Result<Vec<Value>, EmulatorError> {
        let read = self.shared.run(Access::Reads, |session, config| {
            let app = configured_app(session, config)?;
            let all = session.list(&app, &listing::Filter::everything(), 0, u64::MAX)?;
            let shown = |stored| reply::annotation(stored, config.habits);
            Ok(all.into_iter().map(shown).collect())
        });
        read.await.map_err(seed_error)
    }
}

fn configured_app(session: &Session<'_>, config: &Config) -> Result<App, Refusal> {
    let app = session.app(&config.owner, &config.app_id)?;
    app.ok_or_else(|| Refusal::missing("the app that the emulator was started with"))
}

fn seed_error(refusal: Refusal) -> EmulatorError {
    EmulatorError::Seed(refusal.into_answer().details)
}

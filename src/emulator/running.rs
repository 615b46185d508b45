//! A running emulator: start, stop, and access for tests.

use super::config::{Config, Recording};
use super::connection::Connections;
use super::error::EmulatorError;
use super::faults::FaultControl;
use super::forward;
use super::listing::Filter;
use super::recording::RecordingError;
use super::reply::Refusal;
use super::seed::{configured_app, store_all};
use super::server;
use super::shared::{CallRecord, Mode, Shared};
use super::shown;
use super::store::{Access, Store};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The time that running calls have to finish after a stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A running emulator. Dropping it stops it; [`Emulator::stop`] also waits for the end.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Emulator {
    /// Opens the database and starts to serve on the current tokio runtime. Port 0 selects a free port; see
    /// [`Emulator::address`].
    pub async fn start(config: Config, listen: SocketAddr) -> Result<Self, EmulatorError> {
        let failed = |source| EmulatorError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        if let Recording::Record {
            forward: Some(endpoint),
            ..
        } = &config.recording
            && forward::is_own(endpoint, address)
        {
            let endpoint = endpoint.clone();
            return Err(RecordingError::ForwardsToItself { endpoint, address }.into());
        }
        // Blocks only briefly, and no call is waiting yet.
        let store = Store::open(&config)?;
        let mode = Mode::open(&config)?;
        let shared = Arc::new(Shared::new(config, store, mode));
        let (stop, stopped) = oneshot::channel();
        let connections = Connections::new(listener, shared.config.tls.clone());
        let server = tokio::spawn(server::serve(connections, Arc::clone(&shared), stopped));
        Ok(Self {
            address,
            shared,
            stop: Some(stop),
            server,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, without a trailing slash.
    pub fn url(&self) -> String {
        let tls = self.shared.config.tls.is_some();
        format!("{}://{}", if tls { "https" } else { "http" }, self.address)
    }

    /// Accepts no new calls, lets running ones finish (for up to ten seconds), and closes the database.
    pub async fn stop(mut self) -> Result<(), EmulatorError> {
        self.stop.take();
        if tokio::time::timeout(STOP_TIMEOUT, &mut self.server)
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

    pub fn faults(&self) -> &FaultControl {
        &self.shared.faults
    }

    /// The latest 100,000 calls that the emulator itself answered, in the order of their answers. Calls that were forwarded,
    /// or answered from a recording, are not among them: see the recording.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.shared.calls()
    }

    /// Clears [`Emulator::calls`].
    pub fn forget_calls(&self) {
        self.shared.forget_calls();
    }

    /// Stores annotations in the configured app, in one transaction, without a call. They are JSON as in the API, and may
    /// contain fields that only the server sets (`model_version_id`, `worker`, `input_level`, `created_at`, any `user_id`; the
    /// default is the owner). Listings keep their order. Missing inputs are created; a given input-level annotation replaces
    /// the one that would be created with its input.
    ///
    /// # Errors
    ///
    /// If an annotation exists already, or its input has an input-level one already. Nothing is stored then.
    pub async fn seed(&self, annotations: Vec<Value>) -> Result<(), EmulatorError> {
        let stored = self.shared.run(Access::Writes, move |session, config| {
            store_all(session, config, annotations)
        });
        stored.await.map_err(seed_error)
    }

    /// All annotations of the configured app in the API's JSON, oldest first, including those of models and hidden ones.
    pub async fn annotations(&self) -> Result<Vec<Value>, EmulatorError> {
        let read = self.shared.run(Access::Reads, |session, config| {
            let app = configured_app(session, config)?;
            let all = session.list(&app, &Filter::everything(), 0, u64::MAX)?;
            let shown = |stored| shown::annotation(stored, config.response_style);
            Ok(all.into_iter().map(shown).collect())
        });
        read.await.map_err(seed_error)
    }
}

fn seed_error(refusal: Refusal) -> EmulatorError {
    EmulatorError::Seed(refusal.into_answer().details)
}

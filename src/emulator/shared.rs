//! The state that all calls of an emulator share: store, faults, rate limit, and a log of calls.

use super::config::{Config, Recording};
use super::endpoint::Endpoint;
use super::error::EmulatorError;
use super::faults::FaultControl;
use super::forward::Forward;
use super::rate::RateLimiter;
use super::recorder::Recorder;
use super::replay::Replay;
use super::reply::Refusal;
use super::session::Session;
use super::store::{Access, Store};
use crate::wire::Code;
use axum::http::header;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use url::Url;

/// The maximum number of calls in the log.
const MAX_CALLS: usize = 100_000;

/// One call and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    pub endpoint: Endpoint,
    pub method: String,
    /// As sent.
    pub path: String,
    /// As sent, without the question mark.
    pub query: String,
    /// The number of annotations, inputs or pairs in the request.
    pub items: usize,
    /// The HTTP status of the answer; `None` if the connection was cut.
    pub status: Option<u16>,
    /// The status code in the answer's body, even if it was not sent because the connection was cut.
    pub code: Code,
}

/// Where answers come from.
#[derive(Debug)]
pub(super) enum Mode {
    Serve,
    Record {
        recorder: Recorder,
        forward: Option<Forward>,
    },
    Replay(Replay),
}

impl Mode {
    /// Creates or reads the recording.
    pub(super) fn open(config: &Config) -> Result<Self, EmulatorError> {
        Ok(match &config.recording {
            Recording::Off => Self::Serve,
            Recording::Record { file, forward } => {
                let sender = forward.as_ref().map(Forward::new).transpose()?;
                let from = forward.as_ref().map_or("emulator", Url::as_str);
                // A forwarded call has none of the emulator's keys.
                let keys: Vec<String> = match forward {
                    Some(_) => Vec::new(),
                    None => config.keys().map(str::to_owned).collect(),
                };
                Self::Record {
                    recorder: Recorder::create(file, from.trim_end_matches('/'), keys)?,
                    forward: sender,
                }
            }
            Recording::Replay(file) => Self::Replay(Replay::read(file)?),
        })
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) mode: Mode,
    pub(super) faults: FaultControl,
    /// `None` once the server was stopped.
    store: Mutex<Option<Store>>,
    rate: Option<Mutex<RateLimiter>>,
    calls: Mutex<VecDeque<CallRecord>>,
    count: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Safe after a panic, because uncommitted transactions are rolled back.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(config: Config, store: Store, mode: Mode) -> Self {
        Self {
            mode,
            faults: FaultControl::new(config.faults),
            rate: config.rate_limit.map(|n| Mutex::new(RateLimiter::new(n))),
            store: Mutex::new(Some(store)),
            calls: Mutex::default(),
            count: AtomicU64::new(0),
            config,
        }
    }

    /// The emulator's URL in a request, without a trailing slash.
    pub(super) fn base_url(&self, head: &Parts) -> String {
        let scheme = if self.config.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let of_header = || head.headers.get(header::HOST)?.to_str().ok();
        let host = head
            .uri
            .authority()
            .map(Authority::as_str)
            .or_else(of_header);
        format!("{scheme}://{}", host.unwrap_or("localhost"))
    }

    pub(super) fn admit(&self, user: &str) -> bool {
        let now = Instant::now();
        self.rate
            .as_ref()
            .is_none_or(|rate| lock(rate).admit(user, now))
    }

    /// The number of the next request, for its id.
    pub(super) fn next_request(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst)
    }

    pub(super) fn remember(&self, record: CallRecord) {
        let mut calls = lock(&self.calls);
        if calls.len() == MAX_CALLS {
            calls.pop_front();
        }
        calls.push_back(record);
    }

    pub(super) fn calls(&self) -> Vec<CallRecord> {
        lock(&self.calls).iter().cloned().collect()
    }

    pub(super) fn forget_calls(&self) {
        lock(&self.calls).clear();
    }

    /// Takes the store; later calls are rejected.
    pub(super) fn take_store(&self) -> Option<Store> {
        lock(&self.store).take()
    }

    /// Runs `work` in one transaction on a thread that may block.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        access: Access,
        work: impl FnOnce(&mut Session<'_>, &Config) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let shared = Arc::clone(self);
        let job = tokio::task::spawn_blocking(move || match lock(&shared.store).as_mut() {
            Some(store) => store.run(access, |session| work(session, &shared.config)),
            None => Err(Refusal::new(503, Code(98_004), "the emulator is stopping")),
        });
        let lost = |_| Refusal::new(500, Code(98_004), "the emulator failed in this call");
        job.await.unwrap_or_else(|error| Err(lost(error)))
    }
}

//! How a plan is carried out, and how a run is stopped.

use super::watch::{Unwatched, Watch};
use crate::plan::{MediumKind, Permit};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// What happens to the rest of a plan after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Carry out the rest.
    Continue,
    /// Start nothing new.
    Stop,
}

/// Asks a running apply to finish the calls in flight and to start nothing new.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<(AtomicBool, Notify)>);

/// How a pause ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    /// The time is over.
    Over,
    /// The run was stopped.
    Stopped,
}

impl Stop {
    pub fn request(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        self.0.1.notify_waiters();
    }

    pub fn is_requested(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Waits until a stop is requested.
    pub async fn requested(&self) {
        // In this order, so that a request between the two is not missed.
        let notified = self.0.1.notified();
        if !self.is_requested() {
            notified.await;
        }
    }

    /// Waits for this time, or until a stop is requested.
    pub(super) async fn pause(&self, time: Duration) -> Pause {
        tracing::debug!(
            ms = time.as_millis() as u64,
            "waiting before another attempt"
        );
        match tokio::time::timeout(time, self.requested()).await {
            Ok(()) => Pause::Stopped,
            Err(_) => Pause::Over,
        }
    }
}

/// Reads the files that a plan posts as inputs.
pub trait InputFiles: fmt::Debug + Send + Sync {
    /// The bytes of a file by its path in the plan.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    fn read(&self, path: &str, kind: MediumKind) -> Result<Vec<u8>, String>;
}

/// Has no files: for plans that post none.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl InputFiles for NoFiles {
    fn read(&self, path: &str, _: MediumKind) -> Result<Vec<u8>, String> {
        Err(format!("the file `{path}` is not available"))
    }
}

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct Options {
    /// Calls at a time; at least 1.
    pub concurrency: usize,
    pub on_failure: OnFailure,
    pub stop: Stop,
    pub watch: Arc<dyn Watch>,
    /// How long to wait for inputs while the processing of none of them advances.
    pub input_timeout: Duration,
    pub files: Arc<dyn InputFiles>,
    /// Which annotations the plan may touch.
    pub permit: Arc<Permit>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 4,
            on_failure: OnFailure::Continue,
            stop: Stop::default(),
            watch: Arc::new(Unwatched),
            input_timeout: Duration::from_secs(600),
            files: Arc::new(NoFiles),
            permit: Arc::new(Permit::Planned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_a_pause() {
        let start = Instant::now();
        let stop = Stop::default();
        let hour = Duration::from_secs(3_600);
        assert_eq!(stop.pause(hour).await, Pause::Over);
        assert_eq!(start.elapsed(), hour);
        let (paused, ()) = tokio::join!(stop.pause(hour), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            stop.request();
        });
        assert_eq!(paused, Pause::Stopped);
        assert_eq!(stop.pause(hour).await, Pause::Stopped);
        assert_eq!(start.elapsed(), hour + Duration::from_secs(1));
    }
}

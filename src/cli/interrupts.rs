//! What asks the process to stop: Ctrl-C, SIGTERM, and the deadline of an apply.

use super::connection::Deadline;
use super::exit::Failure;
use super::{output, progress};
use crate::apply::Stop;
use std::io;

/// A stream of requests to stop.
#[cfg(unix)]
pub(crate) struct Interrupts {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Interrupts {
    /// From this call on, these signals do not end the process.
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next signal, and returns the exit status of a process that it ends.
    pub(crate) async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }
}

/// A stream of requests to stop.
#[cfg(not(unix))]
pub(crate) struct Interrupts(tokio::signal::windows::CtrlC);

#[cfg(not(unix))]
impl Interrupts {
    /// From this call on, Ctrl-C does not end the process.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?))
    }

    /// Waits for the next signal, and returns the exit status of a process that it ends.
    pub(crate) async fn next(&mut self) -> i32 {
        self.0.recv().await;
        130
    }
}

/// After the deadline, calls in flight are finished and no new ones are started.
pub(super) async fn stop_at(deadline: Deadline, stop: Stop) {
    deadline.wait().await;
    stop.request();
    output::message(&format!(
        "Stopping: {deadline}. Calls in flight are finished; run the same command again to continue."
    ));
}

/// Ctrl-C or SIGTERM lets calls in flight finish and starts no new ones; a second one ends the process.
pub(super) fn watch_for_interrupt(stop: Stop) -> Result<(), Failure> {
    let mut interrupts = Interrupts::new()
        .map_err(|error| Failure::new(format!("cannot wait for Ctrl-C: {error}")))?;
    tokio::spawn(async move {
        interrupts.next().await;
        stop.request();
        output::message("Stopping: calls in flight are finished. Press Ctrl-C again to end now.");
        let status = interrupts.next().await;
        progress::clear();
        std::process::exit(status);
    });
    Ok(())
}

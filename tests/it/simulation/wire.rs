//! The connection between one run of the client and the service: latencies, losses, and the end of the run.

use super::chance::Chance;
use super::faults::{ExchangeFaults, Fault};
use super::scene::{SharedScene, lock};
use super::service::Answer;
use annosync::api::{Exchange, ExchangeError, ExchangeFuture, HttpRequest, HttpResponse};
use annosync::apply::Stop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// The client's timeout.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// The delay after the timeout within which a server may still act.
const LATEST: u64 = 20_000;

/// Where a run is cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interruption {
    Never,
    /// Killed just before its exchange of this number.
    Before(u64),
    /// Killed when the server has acted on its exchange of this number.
    After(u64),
    /// Asked to stop at its exchange of this number.
    Stop(u64),
}

/// The connection of one run.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) shared: SharedScene,
    pub(super) run: usize,
    pub(super) cut: Interruption,
    pub(super) stop: Stop,
    /// Notified when the run is killed.
    pub(super) killed: Arc<Notify>,
    pub(super) dead: AtomicBool,
    pub(super) count: AtomicU64,
}

impl Wire {
    fn tell_of_the_kill(&self, fault: Fault) {
        let mut scene = lock(&self.shared);
        scene.counts.count(fault);
        scene.trace(&format!("run {} is killed", self.run));
    }

    async fn die(&self) -> ! {
        self.dead.store(true, Ordering::SeqCst);
        self.killed.notify_one();
        loop {
            std::future::pending::<()>().await;
        }
    }

    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, ExchangeError> {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        if self.dead.load(Ordering::SeqCst) {
            self.die().await;
        }
        match self.cut {
            Interruption::Before(at) if at == number => {
                self.tell_of_the_kill(Fault::CrashBefore);
                self.die().await;
            }
            Interruption::Stop(at) if at == number => {
                let mut scene = lock(&self.shared);
                scene.counts.count(Fault::Stopped);
                scene.trace(&format!("run {} is asked to stop", self.run));
                self.stop.request();
            }
            _ => {}
        }
        let (exchange, faults) = {
            let mut scene = lock(&self.shared);
            let exchange = scene.send(self.run, &request);
            let faults = scene.faults(self.run, number, &request);
            scene.trace(&format!(
                "run {} #{exchange} {} {}{} {} {}",
                self.run,
                request.method,
                request.url.path(),
                request
                    .url
                    .query()
                    .map_or(String::new(), |query| format!("?{query}")),
                request.body.as_deref().unwrap_or_default(),
                faults.fault.map_or("", Fault::words),
            ));
            (exchange, faults)
        };
        if faults.fault == Some(Fault::ActsLate) {
            let latest = PATIENCE + Duration::from_millis(2_000 + LATEST);
            let mut scene = lock(&self.shared);
            scene.late = scene.late.max(Instant::now() + latest);
        }
        let (answer, coming) = oneshot::channel();
        tokio::spawn(serve(Arc::clone(&self.shared), exchange, faults, answer));
        let came = tokio::time::timeout(PATIENCE, coming).await;
        if matches!(self.cut, Interruption::After(at) if at == number) {
            self.tell_of_the_kill(Fault::CrashAfter);
            self.die().await;
        }
        if self.dead.load(Ordering::SeqCst) {
            self.die().await;
        }
        let (result, intact) = match came {
            Ok(Ok((response, intact))) => (Ok(response), intact),
            Ok(Err(_)) => {
                let cause = "connection reset by peer".to_owned();
                (Err(ExchangeError::Unreachable(cause)), false)
            }
            Err(_) => (Err(ExchangeError::TimedOut(PATIENCE)), false),
        };
        let mut scene = lock(&self.shared);
        scene.finish(exchange, result.as_ref().ok(), intact);
        let told = match &result {
            Ok(response) => format!(
                "{} {}",
                response.status,
                String::from_utf8_lossy(&response.body)
            ),
            Err(lost) => lost.to_string(),
        };
        scene.trace(&format!("run {} #{exchange} <- {told}", self.run));
        result
    }
}

impl Exchange for Wire {
    fn exchange(&self, request: HttpRequest) -> ExchangeFuture<'_> {
        Box::pin(self.carry(request))
    }
}

/// The server's side: it continues even if the client is killed.
async fn serve(
    shared: SharedScene,
    exchange: usize,
    mut faults: ExchangeFaults,
    answer: oneshot::Sender<(HttpResponse, bool)>,
) {
    tokio::time::sleep(faults.there).await;
    let too_late = PATIENCE + Duration::from_secs(1);
    match faults.fault {
        Some(Fault::Slow) => {
            let time = 500 + faults.chance.below(50_000);
            tokio::time::sleep(Duration::from_millis(time)).await;
        }
        Some(Fault::TimedOutBefore) => return tokio::time::sleep(too_late).await,
        Some(Fault::DroppedBefore) => return,
        Some(Fault::ActsLate) => {
            let time = faults.chance.below(LATEST);
            tokio::time::sleep(too_late + Duration::from_millis(time)).await;
        }
        _ => {}
    }
    let instead = instead(&shared, &mut faults);
    let (response, intact) = if let Some(response) = instead {
        // A call that the service refuses has no effect.
        let unclear = matches!(faults.fault, Some(Fault::ServerErrorBefore | Fault::Html));
        (response, !unclear)
    } else {
        let served = lock(&shared).arrive(exchange, &faults);
        let mut response = write(&served);
        garble(&mut response, faults.fault, &mut faults.chance);
        (response, !is_garbled(faults.fault))
    };
    match faults.fault {
        Some(Fault::TimedOutAfter) => return tokio::time::sleep(too_late).await,
        Some(Fault::DroppedAfter) => return,
        _ => {}
    }
    tokio::time::sleep(faults.back).await;
    // The client may have ended.
    let _ = answer.send((response, intact));
}

/// The answer to a call that is not carried out.
fn instead(shared: &SharedScene, faults: &mut ExchangeFaults) -> Option<HttpResponse> {
    let scene = lock(shared);
    let mut answer = match faults.fault? {
        Fault::Throttled => scene.refuse(429, 11_005, "CONN_THROTTLED"),
        Fault::ThrottledWithWait => {
            let mut answer = scene.refuse(429, 11_005, "CONN_THROTTLED");
            answer.retry_after = Some(faults.chance.below(8));
            answer
        }
        Fault::ServerErrorBefore => {
            let http = *faults.chance.pick(&[500, 502, 503, 504]);
            scene.refuse(http, 98_010, "INTERNAL")
        }
        Fault::TryAgain => scene.refuse(200, 10_030, "TRY_AGAIN"),
        Fault::FailureCode => scene.refuse(200, 10_020, "FAILURE"),
        Fault::Html if faults.chance.one_in(2) => {
            return Some(HttpResponse {
                status: 200,
                body: b"<html>please log in</html>".to_vec(),
                ..HttpResponse::default()
            });
        }
        _ => return None,
    };
    if answer.http >= 500 && faults.chance.one_in(2) {
        answer.body = serde_json::Value::Null;
    }
    Some(write(&answer))
}

fn write(answer: &Answer) -> HttpResponse {
    HttpResponse {
        status: answer.http,
        retry_after: answer.retry_after.map(|seconds| seconds.to_string()),
        location: None,
        date: None,
        body: answer.body.to_string().into_bytes(),
    }
}

fn is_garbled(fault: Option<Fault>) -> bool {
    matches!(
        fault,
        Some(
            Fault::CutOff
                | Fault::Html
                | Fault::LeftOut
                | Fault::SaidTwice
                | Fault::ServerErrorAfter
        )
    )
}

/// Corrupts the answer to a call that was carried out.
fn garble(response: &mut HttpResponse, fault: Option<Fault>, chance: &mut Chance) {
    match fault {
        Some(Fault::CutOff) => {
            let length = chance.index(response.body.len());
            response.body.truncate(length);
        }
        Some(Fault::Html) => response.body = b"<html>please log in</html>".to_vec(),
        Some(Fault::ServerErrorAfter) => {
            response.status = *chance.pick(&[500, 502, 503, 504]);
            response.body = b"<html>bad gateway</html>".to_vec();
        }
        _ => {}
    }
}

//! The way between one run of the client and the service: latencies, losses, and the end of the run.

use super::chance::Chance;
use super::faults::{ApplyStatus, Fault};
use super::scene::{Stage, lock};
use super::service::Answer;
use annosync::api::{Exchange, ExchangeError, ExchangeFuture, HttpRequest, HttpResponse};
use annosync::apply::Stop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// How long the client waits for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How much later than that a server may still act.
const LATEST: u64 = 20_000;

/// Where a run is cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Never,
    /// Killed just before its exchange of this number.
    Before(u64),
    /// Killed when the server has acted on its exchange of this number.
    After(u64),
    /// Asked to stop at its exchange of this number.
    Stop(u64),
}

/// The wire of one run.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) stage: Stage,
    pub(super) run: usize,
    pub(super) cut: Cut,
    pub(super) stop: Stop,
    /// Told when the run is killed.
    pub(super) killed: Arc<Notify>,
    pub(super) dead: AtomicBool,
    pub(super) count: AtomicU64,
}

impl Wire {
    fn tell_of_the_kill(&self, fault: Fault) {
        let mut scene = lock(&self.stage);
        scene.counts.count(fault);
        scene.tell(&format!("run {} is killed", self.run));
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
            Cut::Before(at) if at == number => {
                self.tell_of_the_kill(Fault::CrashBefore);
                self.die().await;
            }
            Cut::Stop(at) if at == number => {
                let mut scene = lock(&self.stage);
                scene.counts.count(Fault::Stopped);
                scene.tell(&format!("run {} is asked to stop", self.run));
                self.stop.request();
            }
            _ => {}
        }
        let (exchange, fate) = {
            let mut scene = lock(&self.stage);
            let exchange = scene.send(self.run, &request);
            let fate = scene.fate(self.run, number, &request);
            scene.tell(&format!(
                "run {} #{exchange} {} {}{} {} {}",
                self.run,
                request.method,
                request.url.path(),
                request
                    .url
                    .query()
                    .map_or(String::new(), |query| format!("?{query}")),
                request.body.as_deref().unwrap_or_default(),
                fate.fault.map_or("", Fault::words),
            ));
            (exchange, fate)
        };
        if fate.fault == Some(Fault::ActsLate) {
            let latest = PATIENCE + Duration::from_millis(2_000 + LATEST);
            let mut scene = lock(&self.stage);
            scene.late = scene.late.max(Instant::now() + latest);
        }
        let (answer, coming) = oneshot::channel();
        tokio::spawn(serve(Arc::clone(&self.stage), exchange, fate, answer));
        let came = tokio::time::timeout(PATIENCE, coming).await;
        if matches!(self.cut, Cut::After(at) if at == number) {
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
        let mut scene = lock(&self.stage);
        scene.finish(exchange, result.as_ref().ok(), intact);
        let told = match &result {
            Ok(response) => format!(
                "{} {}",
                response.status,
                String::from_utf8_lossy(&response.body)
            ),
            Err(lost) => lost.to_string(),
        };
        scene.tell(&format!("run {} #{exchange} <- {told}", self.run));
        result
    }
}

impl Exchange for Wire {
    fn exchange(&self, request: HttpRequest) -> ExchangeFuture<'_> {
        Box::pin(self.carry(request))
    }
}

/// The server's side: it goes on whatever becomes of the client.
async fn serve(
    stage: Stage,
    exchange: usize,
    mut fate: ApplyStatus,
    answer: oneshot::Sender<(HttpResponse, bool)>,
) {
    tokio::time::sleep(fate.there).await;
    let too_late = PATIENCE + Duration::from_secs(1);
    match fate.fault {
        Some(Fault::Slow) => {
            let time = 500 + fate.chance.below(50_000);
            tokio::time::sleep(Duration::from_millis(time)).await;
        }
        Some(Fault::TimedOutBefore) => return tokio::time::sleep(too_late).await,
        Some(Fault::DroppedBefore) => return,
        Some(Fault::ActsLate) => {
            let time = fate.chance.below(LATEST);
            tokio::time::sleep(too_late + Duration::from_millis(time)).await;
        }
        _ => {}
    }
    let instead = instead(&stage, &mut fate);
    let (response, intact) = if let Some(response) = instead {
        // What the service itself turns down is not done.
        let unclear = matches!(fate.fault, Some(Fault::ServerErrorBefore | Fault::Html));
        (response, !unclear)
    } else {
        let served = lock(&stage).arrive(exchange, &fate);
        let mut response = write(&served);
        garble(&mut response, fate.fault, &mut fate.chance);
        (response, !is_garbled(fate.fault))
    };
    match fate.fault {
        Some(Fault::TimedOutAfter) => return tokio::time::sleep(too_late).await,
        Some(Fault::DroppedAfter) => return,
        _ => {}
    }
    tokio::time::sleep(fate.back).await;
    // Nobody may be there to take it.
    let _ = answer.send((response, intact));
}

/// What is answered without anything being done.
fn instead(stage: &Stage, fate: &mut ApplyStatus) -> Option<HttpResponse> {
    let scene = lock(stage);
    let mut answer = match fate.fault? {
        Fault::Throttled => scene.refuse(429, 11_005, "CONN_THROTTLED"),
        Fault::ThrottledWithWait => {
            let mut answer = scene.refuse(429, 11_005, "CONN_THROTTLED");
            answer.retry_after = Some(fate.chance.below(8));
            answer
        }
        Fault::ServerErrorBefore => {
            let http = *fate.chance.pick(&[500, 502, 503, 504]);
            scene.refuse(http, 98_010, "INTERNAL")
        }
        Fault::TryAgain => scene.refuse(200, 10_030, "TRY_AGAIN"),
        Fault::FailureCode => scene.refuse(200, 10_020, "FAILURE"),
        Fault::Html if fate.chance.one_in(2) => {
            return Some(HttpResponse {
                status: 200,
                body: b"<html>please log in</html>".to_vec(),
                ..HttpResponse::default()
            });
        }
        _ => return None,
    };
    if answer.http >= 500 && fate.chance.one_in(2) {
        answer.body = serde_json::Value::Null;
    }
    Some(write(&answer))
}

fn write(answer: &Answer) -> HttpResponse {
    HttpResponse {
        status: answer.http,
        retry_after: answer.retry_after.map(|seconds| seconds.to_string()),
        location: None,
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

/// What is left of an answer whose server has acted.
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

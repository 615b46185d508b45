//! The rate limiter: starts as many calls as the target allows, and fewer after a refusal.
//!
//! The service counts the calls that arrive in any second. A client knows only when it sent a call and when the answer came. So
//! a bucket holds one token for each call of a second, and a token returns one second after the latest moment at which its call
//! can have arrived, less the time that the next call takes at least. A short run starts with a burst. A refusal shows that the
//! limit is lower than configured: from then on calls are spaced evenly at the rate that succeeded, and from time to time a
//! higher rate is tried.
//!
//! A plain token bucket with back-off was measured to use 6 to 25 % less of a known limit: it does not know when a call arrived,
//! so its bursts are refused, and it pauses after each refusal.
//!
//! `Pace` takes the time as an argument and never sleeps; [`RateLimiter`] waits. Neither knows HTTP.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The time in which the service counts.
const WINDOW: Duration = Duration::from_secs(1);

/// Covers the resolution and the drift of two clocks over a window.
const MARGIN: Duration = Duration::from_millis(1);

/// The average time that a call may take to arrive. A token is away for this time plus one second, which leaves 95.6 % of the
/// rate.
const ALLOWANCE: Duration = Duration::from_millis(45);

/// What counts between two calls is not how long they take to arrive, but how much longer the first one takes. That is at most
/// the time by which its answer came later than the quickest possible one. The quickest of the answers so far is slower than
/// that by at most this time, divided by the root of their number: so it is if both ways vary by 50 ms each. Where answers vary
/// little, this leaves 98 % of the rate after 60 answers, and 99 % after 200.
const UNSEEN: Duration = Duration::from_millis(140);

/// The most allowance that may be saved for slow calls, as a fraction of a second's calls.
const MOST_SAVED: f64 = 0.5;

/// After this time without an answer, connections may have been closed.
const COLD: Duration = Duration::from_secs(5);

/// How long successful calls are remembered; longer than a refusal takes.
const MEMORY: Duration = Duration::from_secs(10);

/// When a higher rate is tried after the first refusal. This is short, because calls of another run just before look like a
/// low limit.
const FIRST_PATIENCE: Duration = Duration::from_secs(3);

/// When a higher rate is tried after the second refusal; each further one doubles it.
const PATIENCE: Duration = Duration::from_secs(20);
const LONGEST_PATIENCE: Duration = Duration::from_secs(160);

/// While a higher rate is tried, each successful call adds this many calls per second, so the rate grows by half in a second.
/// Below one call per second it adds this fraction of the rate.
const GROWTH: f64 = 0.5;

/// Some calls take longer than usual, so this many times as many are made at a time as use up the rate on average.
const SPARE: f64 = 1.5;

/// Calls per second if everything is refused.
const SLOWEST: f64 = 0.1;

/// A call that was sent and not answered.
#[derive(Debug)]
struct Unanswered {
    sent: Instant,
    /// Whether it may have waited for a connection first: then only its answer shows when it arrived.
    cold: bool,
}

/// The limit that refusals have shown.
#[derive(Debug)]
struct LearntLimit {
    /// The known limit, in calls per second.
    limit: f64,
    /// The current rate: above `limit` while a higher one is tried.
    rate: f64,
    /// When the next call may start.
    next: Instant,
    /// When a higher rate is tried.
    probe: Instant,
    /// The time between a refusal and `probe`.
    patience: Duration,
    overload: Overload,
}

/// The refusals of all calls that were sent before the first refusal was received.
#[derive(Debug)]
struct Overload {
    /// When the first refused call was sent.
    sent: Instant,
    /// When its refusal was received.
    refused_at: Instant,
    /// Successful calls sent from a second before `sent` until `refused_at`.
    passed: u32,
    /// `limit` and `rate` before it; `None` for the first overload.
    before: Option<(f64, f64)>,
}

impl Overload {
    fn covers(&self, sent: Instant) -> bool {
        sent <= self.refused_at && sent + WINDOW > self.sent
    }

    /// The limit that it suggests, in calls per second.
    fn estimate(&self) -> f64 {
        let passed = f64::from(self.passed.max(1));
        match self.before {
            None => passed,
            // A higher rate failed. A count that is not below the rate proves nothing: the time was too short for it.
            Some((limit, rate)) if rate > limit && passed < rate => passed.max(limit),
            Some((limit, rate)) if rate > limit => limit,
            // The known limit is too high. At such low rates there are no calls to count.
            Some((limit, _)) if limit > 2.0 => passed.min(limit - 1.0).min(limit * 0.9),
            Some((limit, _)) => limit * 0.5,
        }
    }
}

/// Decides when calls may start.
#[derive(Debug)]
struct Pace {
    /// The configured limit, in calls per second; a fraction if several runs share it.
    configured: f64,
    /// How many calls may have been sent at a time.
    tokens: u32,
    /// The time after which a token returns: as many calls in this time as there are tokens are the configured limit.
    period: Duration,
    /// Unanswered calls, oldest first.
    unanswered: BTreeMap<u64, Unanswered>,
    /// When the tokens of the other calls return.
    returning: BinaryHeap<Reverse<Instant>>,
    /// Allowance that quick answers have left over.
    saved: Duration,
    /// Calls that were answered since connections were last cold.
    warm: u32,
    /// The shortest time from a call over a warm connection to its answer, and the number of such answers.
    quickest: Duration,
    seen: u32,
    /// When the latest answer came.
    last_answer: Instant,
    /// The time from a call to its answer, averaged over the latest ones.
    usual: Duration,
    /// When recent successful calls were sent.
    passed: VecDeque<Instant>,
    learnt: Option<LearntLimit>,
    /// The number of calls so far.
    taken: u64,
}

/// Why a call may not start yet.
#[derive(Debug, PartialEq, Eq)]
enum Wait {
    /// Wait until this time.
    Until(Instant),
    /// Wait for an answer.
    ForAnAnswer,
}

impl Pace {
    fn new(rate: u32, shares: u32, now: Instant) -> Self {
        let (rate, shares) = (rate.max(1), shares.max(1));
        let configured = f64::from(rate) / f64::from(shares);
        let tokens = (rate / shares).max(1);
        Self {
            configured,
            tokens,
            period: WINDOW.mul_f64(f64::from(tokens) / configured),
            unanswered: BTreeMap::new(),
            returning: BinaryHeap::new(),
            saved: Duration::ZERO,
            warm: 0,
            quickest: Duration::MAX,
            seen: 0,
            last_answer: now,
            usual: Duration::ZERO,
            passed: VecDeque::new(),
            learnt: None,
            taken: 0,
        }
    }

    /// Starts a call, or says how long to wait.
    fn take(&mut self, now: Instant) -> Result<u64, Wait> {
        self.take_back(now);
        let rate = self
            .learnt
            .as_ref()
            .map_or(f64::from(self.tokens), |l| l.rate);
        if self.unanswered.len() + self.returning.len() >= rate.max(1.0) as usize {
            return Err(self.next_return().map_or(Wait::ForAnAnswer, Wait::Until));
        }
        if let Some(learnt) = &mut self.learnt {
            if now < learnt.next {
                return Err(Wait::Until(learnt.next));
            }
            let apart = (WINDOW + ALLOWANCE + MARGIN).div_f64(learnt.rate);
            // The lateness of timers must not add up.
            let late = (now - learnt.next).min(2 * MARGIN);
            learnt.next = now + apart - late;
        }
        if self.unanswered.is_empty() && now > self.last_answer + COLD {
            self.warm = 0;
        }
        self.taken += 1;
        let cold = self.warm < self.tokens;
        self.unanswered
            .insert(self.taken, Unanswered { sent: now, cold });
        Ok(self.taken)
    }

    /// When the next token returns, if that is known.
    fn next_return(&self) -> Option<Instant> {
        let warm = self.unanswered.values().find(|call| !call.cold);
        let overdue = warm.map(|call| call.sent + self.longest());
        let back = self.returning.peek().map(|Reverse(at)| *at);
        overdue.into_iter().chain(back).min()
    }

    /// The longest time that a token is away once connections are warm.
    fn longest(&self) -> Duration {
        self.period + MARGIN + ALLOWANCE + self.saved
    }

    fn take_back(&mut self, now: Instant) {
        while self.returning.peek().is_some_and(|Reverse(at)| *at <= now) {
            self.returning.pop();
        }
        loop {
            let longest = self.longest();
            let is_overdue = |call: &Unanswered| !call.cold && call.sent + longest <= now;
            let Some((&call, _)) = self.unanswered.iter().find(|(_, call)| is_overdue(call)) else {
                break;
            };
            self.unanswered.remove(&call);
            self.saved = Duration::ZERO;
        }
    }

    /// A call was answered, so it has arrived.
    fn answered(&mut self, call: u64, now: Instant) {
        self.warm = self.warm.saturating_add(1);
        self.last_answer = now;
        let longest = ALLOWANCE + self.saved;
        let Some(call) = self.unanswered.remove(&call) else {
            // Its token has returned already.
            return;
        };
        let mut underway = now - call.sent;
        if !call.cold {
            self.quickest = self.quickest.min(underway);
            self.seen = self.seen.saturating_add(1);
            let unseen = UNSEEN.div_f64(f64::from(self.seen).sqrt());
            let later = underway.saturating_sub(self.quickest) + unseen;
            underway = underway.min(longest);
            // Nothing is saved while calls are spaced evenly: they cannot make up for a token that is away for longer.
            let spent = match self.learnt {
                None => underway.min(later),
                Some(_) => underway,
            };
            underway = underway.min(later);
            let most = WINDOW.mul_f64(f64::from(self.tokens) * MOST_SAVED);
            self.saved = longest.saturating_sub(spent).min(most);
        }
        self.returning
            .push(Reverse(call.sent + underway + self.period + MARGIN));
    }

    fn succeeded(&mut self, call: u64, sent: Instant, now: Instant) {
        self.answered(call, now);
        self.usual = match self.usual {
            Duration::ZERO => now - sent,
            usual => (3 * usual + (now - sent)) / 4,
        };
        self.passed.push_back(sent);
        while self.passed.front().is_some_and(|at| *at + MEMORY < now) {
            self.passed.pop_front();
        }
        let full = self.configured;
        let Some(learnt) = &mut self.learnt else {
            return;
        };
        if learnt.overload.covers(sent) {
            learnt.overload.passed += 1;
            learnt.settle(full);
        } else if sent >= learnt.probe {
            learnt.rate = (learnt.rate + GROWTH * learnt.rate.min(1.0)).min(full);
        }
    }

    /// A call was refused; `wait` is how long the target asks to wait.
    fn refused(&mut self, call: u64, sent: Instant, now: Instant, wait: Option<Duration>) {
        self.answered(call, now);
        let pause = now + (WINDOW + MARGIN).max(wait.unwrap_or_default());
        if let Some(learnt) = &mut self.learnt
            && sent <= learnt.overload.refused_at
        {
            learnt.pause(pause);
            return;
        }
        let mut overload = Overload {
            sent,
            refused_at: now,
            passed: 0,
            before: self.learnt.as_ref().map(|l| (l.limit, l.rate)),
        };
        overload.passed = self
            .passed
            .iter()
            .filter(|at| overload.covers(**at))
            .count() as u32;
        let patience = match &self.learnt {
            None => FIRST_PATIENCE,
            // The full rate has succeeded for a long time.
            Some(before)
                if before.rate >= self.configured
                    && now > before.overload.refused_at + 4 * before.patience =>
            {
                FIRST_PATIENCE
            }
            Some(before) if before.rate > before.limit => {
                (before.patience * 2).clamp(PATIENCE, LONGEST_PATIENCE)
            }
            Some(before) => before.patience,
        };
        let mut learnt = LearntLimit {
            limit: 0.0,
            rate: 0.0,
            next: now,
            probe: now,
            patience,
            overload,
        };
        learnt.pause(pause);
        learnt.settle(self.configured);
        self.learnt = Some(learnt);
    }

    /// How many calls at a time use up the rate. More of them would only wait for their turn.
    fn enough_at_a_time(&self) -> usize {
        let rate = self.learnt.as_ref().map_or(self.configured, |it| it.rate);
        (rate * self.usual.as_secs_f64() * SPARE).ceil() as usize + 1
    }

    /// The answer was lost, or the caller has stopped waiting: the call may have arrived at any time up to now.
    fn lost(&mut self, call: u64, now: Instant) {
        if self.unanswered.remove(&call).is_some() {
            self.returning.push(Reverse(now + self.period + MARGIN));
        }
        self.warm = 0;
    }
}

impl LearntLimit {
    fn settle(&mut self, full: f64) {
        self.limit = self.overload.estimate().clamp(SLOWEST, full);
        self.rate = self.limit;
    }

    fn pause(&mut self, until: Instant) {
        self.next = self.next.max(until);
        self.probe = self.next + self.patience;
    }
}

/// Starts calls one by one, in the order in which they asked.
#[derive(Debug)]
pub(super) struct RateLimiter {
    pace: Mutex<Pace>,
    /// Its holder is the next to start.
    queue: tokio::sync::Mutex<()>,
    /// Notified when a call was answered or lost.
    changed: Notify,
}

/// A call that may be sent now. Dropping it means that the caller has stopped waiting for the answer.
#[derive(Debug)]
#[must_use = "a turn that is dropped immediately still counts as a call"]
pub(super) struct Turn<'a> {
    limiter: &'a RateLimiter,
    call: u64,
    sent: Instant,
    has_ended: bool,
}

impl RateLimiter {
    /// `rate` is in calls per second, of which `shares` runs have one share each.
    pub(super) fn new(rate: u32, shares: u32) -> Self {
        Self {
            pace: Mutex::new(Pace::new(rate, shares, Instant::now())),
            queue: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
        }
    }

    /// Waits until a call may be sent. The caller has to send it immediately.
    pub(super) async fn turn(&self) -> Turn<'_> {
        let _next = self.queue.lock().await;
        loop {
            let now = Instant::now();
            match self.pace(|pace| pace.take(now)) {
                Ok(call) => {
                    return Turn {
                        limiter: self,
                        call,
                        sent: now,
                        has_ended: false,
                    };
                }
                Err(Wait::ForAnAnswer) => self.changed.notified().await,
                Err(Wait::Until(at)) => tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = self.changed.notified() => {}
                },
            }
        }
    }

    /// See [`Pace::enough_at_a_time`].
    pub(super) fn enough_at_a_time(&self) -> usize {
        self.pace(|pace| pace.enough_at_a_time())
    }

    fn pace<T>(&self, change: impl FnOnce(&mut Pace) -> T) -> T {
        // A panic cannot leave the pace unusable.
        change(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Turn<'_> {
    /// The call was answered with anything except a refusal.
    pub(super) fn succeeded(self) {
        let (call, sent) = (self.call, self.sent);
        self.end(|pace| pace.succeeded(call, sent, Instant::now()));
    }

    /// The call was refused because of too many calls; `wait` is how long the target asks to wait.
    pub(super) fn refused(self, wait: Option<Duration>) {
        let (call, sent) = (self.call, self.sent);
        self.end(|pace| pace.refused(call, sent, Instant::now(), wait));
    }

    fn end(mut self, change: impl FnOnce(&mut Pace)) {
        self.has_ended = true;
        self.limiter.pace(change);
        self.limiter.changed.notify_one();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            let call = self.call;
            self.limiter.pace(|pace| pace.lost(call, Instant::now()));
            self.limiter.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;

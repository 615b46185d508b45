//! When calls may start: as many as the target allows, none that it would refuse, fewer once it refuses all the same.
//!
//! The service counts the calls that arrive in any second. A client knows only when it sent a call and when it was
//! answered, so a bucket holds one token for each call of a second, and a token that was taken comes back a second after
//! its call can have arrived at the latest. Nothing is spread out: a short run starts with a burst. A refusal shows that
//! less is allowed than was said; from then on calls are spread evenly, at the rate that was seen to go through, and now
//! and then a little more is tried.
//!
//! The arithmetic takes the time as an argument and never sleeps; [`RateLimiter`] is the thin shell that does. It knows
//! nothing of HTTP.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The span in which the service counts.
const WINDOW: Duration = Duration::from_secs(1);

/// Covers the steps and the drift of two clocks over a window.
const MARGIN: Duration = Duration::from_millis(1);

/// How long a call may be on its way for the average of all: a token is away for this long and a second, which leaves
/// 95.6 % of the rate.
const ALLOWANCE: Duration = Duration::from_millis(45);

/// What the stalls that saved allowances pay for may cost: this much of a second's calls.
const MOST_SAVED: f64 = 0.5;

/// After this long without an answer connections may have been closed.
const COLD: Duration = Duration::from_secs(5);

/// How long passed calls are remembered; longer than it takes to refuse one.
const MEMORY: Duration = Duration::from_secs(10);

/// When more is tried after the first refusal. Soon: what another run used up just before looks like a low limit.
const FIRST_PATIENCE: Duration = Duration::from_secs(3);

/// When more is tried after the second refusal; each further one doubles it.
const PATIENCE: Duration = Duration::from_secs(20);
const LONGEST_PATIENCE: Duration = Duration::from_secs(160);

/// While more is tried each call that goes through adds this many calls a second: half as many again in a second. Below
/// one call a second it adds this share.
const GROWTH: f64 = 0.5;

/// Calls a second, where everything is refused.
const SLOWEST: f64 = 0.1;

/// A call that was sent, as long as its token is away for an unknown time.
#[derive(Debug)]
struct Away {
    sent: Instant,
    /// Whether it may have had to wait for a connection first: then only its answer says when it arrived.
    cold: bool,
}

/// What a refusal taught.
#[derive(Debug)]
struct Learnt {
    /// Calls a second that are allowed, as far as is known.
    held: f64,
    /// Calls a second just now: more than `held` while more is tried.
    rate: f64,
    /// The next call may start then.
    next: Instant,
    /// More is tried from then on.
    probe: Instant,
    /// How long after a refusal that is.
    patience: Duration,
    /// The latest overload.
    overload: Overload,
}

/// All refusals of calls that were sent before the first of them was heard.
#[derive(Debug)]
struct Overload {
    /// When the first call that was heard to be refused was sent.
    sent: Instant,
    /// When that was heard.
    heard: Instant,
    /// Calls that went through although they were sent in the second before, or since.
    passed: u32,
    /// `held` and `rate` before it; nothing if there never was a refusal before.
    before: Option<(f64, f64)>,
}

impl Overload {
    fn covers(&self, sent: Instant) -> bool {
        sent <= self.heard && sent + WINDOW > self.sent
    }

    /// Calls a second that are allowed, judging by it.
    fn estimate(&self) -> f64 {
        let passed = f64::from(self.passed.max(1));
        match self.before {
            None => passed,
            // Trying more failed. A count that is no lower than the rate says nothing: the second was too short for it.
            Some((held, rate)) if rate > held && passed < rate => passed.max(held),
            Some((held, rate)) if rate > held => held,
            // What was thought to be allowed is not. Of one call in seconds there is nothing to count.
            Some((held, _)) if held > 2.0 => passed.min(held - 1.0).min(held * 0.9),
            Some((held, _)) => held * 0.5,
        }
    }
}

/// The pace of calls.
#[derive(Debug)]
struct Pace {
    /// Calls a second that the target is said to allow.
    full: u32,
    /// Calls whose tokens are away, oldest first.
    away: BTreeMap<u64, Away>,
    /// When the tokens of the others come back.
    back: BinaryHeap<Reverse<Instant>>,
    /// Allowance that quick answers left over.
    saved: Duration,
    /// Calls that were answered since connections may last have been cold.
    warm: u32,
    /// The latest answer.
    heard: Instant,
    /// When calls that went through lately were sent.
    passed: VecDeque<Instant>,
    learnt: Option<Learnt>,
    /// How many calls there were.
    taken: u64,
}

/// A call may not start yet.
#[derive(Debug, PartialEq, Eq)]
enum Wait {
    /// Not before then.
    Until(Instant),
    /// Not before something was answered.
    ForAnAnswer,
}

impl Pace {
    fn new(rate: u32, now: Instant) -> Self {
        Self {
            full: rate.max(1),
            away: BTreeMap::new(),
            back: BinaryHeap::new(),
            saved: Duration::ZERO,
            warm: 0,
            heard: now,
            passed: VecDeque::new(),
            learnt: None,
            taken: 0,
        }
    }

    /// Starts a call, or says when to ask again.
    fn take(&mut self, now: Instant) -> Result<u64, Wait> {
        self.take_back(now);
        let rate = self
            .learnt
            .as_ref()
            .map_or(f64::from(self.full), |l| l.rate);
        if self.away.len() + self.back.len() >= rate.max(1.0) as usize {
            return Err(self.next_back().map_or(Wait::ForAnAnswer, Wait::Until));
        }
        if let Some(learnt) = &mut self.learnt {
            if now < learnt.next {
                return Err(Wait::Until(learnt.next));
            }
            let apart = (WINDOW + ALLOWANCE + MARGIN).div_f64(learnt.rate);
            // A timer's lateness must not add up.
            let late = (now - learnt.next).min(2 * MARGIN);
            learnt.next = now + apart - late;
        }
        if self.away.is_empty() && now > self.heard + COLD {
            self.warm = 0;
        }
        self.taken += 1;
        let cold = self.warm < self.full;
        self.away.insert(self.taken, Away { sent: now, cold });
        Ok(self.taken)
    }

    /// When the next token comes back, if that can be told.
    fn next_back(&self) -> Option<Instant> {
        let warm = self.away.values().find(|away| !away.cold);
        let overdue = warm.map(|away| away.sent + self.longest());
        let back = self.back.peek().map(|Reverse(at)| *at);
        overdue.into_iter().chain(back).min()
    }

    /// How long a token is away at most, once connections are warm.
    fn longest(&self) -> Duration {
        WINDOW + MARGIN + ALLOWANCE + self.saved
    }

    fn take_back(&mut self, now: Instant) {
        while self.back.peek().is_some_and(|Reverse(at)| *at <= now) {
            self.back.pop();
        }
        loop {
            let longest = self.longest();
            let is_overdue = |away: &Away| !away.cold && away.sent + longest <= now;
            let Some((&call, _)) = self.away.iter().find(|(_, away)| is_overdue(away)) else {
                break;
            };
            self.away.remove(&call);
            self.saved = Duration::ZERO;
        }
    }

    /// A call was answered, hence has arrived.
    fn answered(&mut self, call: u64, now: Instant) {
        self.warm = self.warm.saturating_add(1);
        self.heard = now;
        let longest = ALLOWANCE + self.saved;
        let Some(away) = self.away.remove(&call) else {
            // It took so long that its token is back already.
            return;
        };
        let mut underway = now - away.sent;
        if !away.cold {
            underway = underway.min(longest);
            let most = WINDOW.mul_f64(f64::from(self.full) * MOST_SAVED);
            self.saved = longest.saturating_sub(underway).min(most);
        }
        self.back
            .push(Reverse(away.sent + underway + WINDOW + MARGIN));
    }

    /// A call that was sent then went through.
    fn went_through(&mut self, call: u64, sent: Instant, now: Instant) {
        self.answered(call, now);
        self.passed.push_back(sent);
        while self.passed.front().is_some_and(|at| *at + MEMORY < now) {
            self.passed.pop_front();
        }
        let full = f64::from(self.full);
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

    /// A call that was sent then was refused; the target may have said how long it wants to be left alone.
    fn refused(&mut self, call: u64, sent: Instant, now: Instant, wait: Option<Duration>) {
        self.answered(call, now);
        let pause = now + (WINDOW + MARGIN).max(wait.unwrap_or_default());
        if let Some(learnt) = &mut self.learnt
            && sent <= learnt.overload.heard
        {
            learnt.pause(pause);
            return;
        }
        let mut overload = Overload {
            sent,
            heard: now,
            passed: 0,
            before: self.learnt.as_ref().map(|l| (l.held, l.rate)),
        };
        overload.passed = self
            .passed
            .iter()
            .filter(|at| overload.covers(**at))
            .count() as u32;
        let patience = match &self.learnt {
            None => FIRST_PATIENCE,
            // All went well for long.
            Some(before)
                if before.rate >= f64::from(self.full)
                    && now > before.overload.heard + 4 * before.patience =>
            {
                FIRST_PATIENCE
            }
            Some(before) if before.rate > before.held => {
                (before.patience * 2).clamp(PATIENCE, LONGEST_PATIENCE)
            }
            Some(before) => before.patience,
        };
        let mut learnt = Learnt {
            held: 0.0,
            rate: 0.0,
            next: now,
            probe: now,
            patience,
            overload,
        };
        learnt.pause(pause);
        learnt.settle(f64::from(self.full));
        self.learnt = Some(learnt);
    }

    /// Nobody waits for the answer any more, or it was lost: it may have arrived until now.
    fn lost(&mut self, call: u64, now: Instant) {
        if self.away.remove(&call).is_some() {
            self.back.push(Reverse(now + WINDOW + MARGIN));
        }
        self.warm = 0;
    }
}

impl Learnt {
    fn settle(&mut self, full: f64) {
        self.held = self.overload.estimate().clamp(SLOWEST, full);
        self.rate = self.held;
    }

    fn pause(&mut self, until: Instant) {
        self.next = self.next.max(until);
        self.probe = self.next + self.patience;
    }
}

/// Lets calls start one by one, first come, first served.
#[derive(Debug)]
pub(super) struct RateLimiter {
    pace: Mutex<Pace>,
    /// Whoever holds it is the next to start.
    queue: tokio::sync::Mutex<()>,
    /// Tells the next one that a call was answered or lost.
    changed: Notify,
}

/// A call that may be sent now. Whoever drops it does not wait for the answer any more.
#[derive(Debug)]
#[must_use = "a turn that is dropped at once counts as a call all the same"]
pub(super) struct Turn<'a> {
    limiter: &'a RateLimiter,
    call: u64,
    sent: Instant,
    is_over: bool,
}

impl RateLimiter {
    /// A limiter for `rate` calls a second.
    pub(super) fn new(rate: u32) -> Self {
        Self {
            pace: Mutex::new(Pace::new(rate, Instant::now())),
            queue: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
        }
    }

    /// Waits until the next call may be sent, which the caller then does at once.
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
                        is_over: false,
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

    fn pace<T>(&self, change: impl FnOnce(&mut Pace) -> T) -> T {
        // A panic between two numbers leaves nothing that could not be used.
        change(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Turn<'_> {
    /// The call was answered, with anything but a refusal.
    pub(super) fn went_through(self) {
        let (call, sent) = (self.call, self.sent);
        self.end(|pace| pace.went_through(call, sent, Instant::now()));
    }

    /// The call was refused for too many calls, perhaps with the time that the target wants to be left alone.
    pub(super) fn refused(self, wait: Option<Duration>) {
        let (call, sent) = (self.call, self.sent);
        self.end(|pace| pace.refused(call, sent, Instant::now(), wait));
    }

    fn end(mut self, change: impl FnOnce(&mut Pace)) {
        self.is_over = true;
        self.limiter.pace(change);
        self.limiter.changed.notify_one();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let call = self.call;
            self.limiter.pace(|pace| pace.lost(call, Instant::now()));
            self.limiter.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;

//! How fast calls may start: steadily, at the target's rate, slower after a 429, and creeping up again.
//!
//! The arithmetic takes the time as an argument and never sleeps; [`RateLimiter`] is the thin shell that does.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A 429 halves the rate, but never to less than this share of the target's.
const SLOWEST: u32 = 32;

/// Each call that goes through takes the rate back up by this share of the target's.
const RECOVERY: f64 = 1.0 / 50.0;

/// The pace of calls.
#[derive(Debug)]
struct Pace {
    /// Calls a second that the target allows.
    full: f64,
    /// Calls a second just now.
    current: f64,
    /// How many calls may start at once after a pause.
    burst: f64,
    /// When the next call would start if all were evenly spaced.
    next: Instant,
    /// Until when a further 429 belongs to the same overload.
    settled: Instant,
}

impl Pace {
    fn new(rate: u32, now: Instant) -> Self {
        let full = f64::from(rate.max(1));
        Self {
            full,
            current: full,
            // A few, so that a short run is not slowed down; far fewer than a second's worth, so that a window of
            // one second never holds much more than the target allows.
            burst: (full / 5.0).max(1.0).floor(),
            next: now,
            settled: now,
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.current)
    }

    /// Takes a place in the queue: when this call may start.
    fn reserve(&mut self, now: Instant) -> Instant {
        let interval = self.interval();
        let early = interval.mul_f64(self.burst - 1.0);
        let start = self.next.checked_sub(early).map_or(now, |at| at.max(now));
        self.next = self.next.max(now) + interval;
        start
    }

    /// The target says that it was too fast. Calls in flight are answered alike; they slow down once.
    fn throttled(&mut self, now: Instant, wait: Option<Duration>) {
        if now >= self.settled {
            self.current = (self.current / 2.0).max(self.full / f64::from(SLOWEST));
            self.settled = now + Duration::from_secs(1);
        }
        self.burst = 1.0;
        let wait = wait.unwrap_or_else(|| self.interval());
        self.next = self.next.max(now + wait);
    }

    /// A call went through.
    fn went_through(&mut self) {
        self.current = (self.current + self.full * RECOVERY).min(self.full);
    }
}

/// Lets calls start one by one.
#[derive(Debug)]
pub(super) struct RateLimiter(Mutex<Pace>);

impl RateLimiter {
    /// A limiter for `rate` calls a second.
    pub(super) fn new(rate: u32) -> Self {
        Self(Mutex::new(Pace::new(rate, Instant::now())))
    }

    fn pace<T>(&self, change: impl FnOnce(&mut Pace) -> T) -> T {
        // A panic between two numbers leaves nothing that could not be used.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until the next call may start.
    pub(super) async fn turn(&self) {
        let start = self.pace(|pace| pace.reserve(Instant::now()));
        tokio::time::sleep_until(start).await;
    }

    /// A 429 came, perhaps with the time that the target wants to be left alone.
    pub(super) fn throttled(&self, wait: Option<Duration>) {
        self.pace(|pace| pace.throttled(Instant::now(), wait));
    }

    /// A call went through.
    pub(super) fn went_through(&self) {
        self.pace(Pace::went_through);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(pace: &mut Pace, now: Instant, calls: usize) -> Vec<Instant> {
        (0..calls).map(|_| pace.reserve(now)).collect()
    }

    #[test]
    fn calls_keep_the_rate_after_a_small_burst() {
        let now = Instant::now();
        let mut pace = Pace::new(15, now);
        let starts = starts(&mut pace, now, 1000);
        assert_eq!(
            starts.iter().filter(|at| **at == now).count(),
            3,
            "the burst"
        );
        let seconds = (starts[999] - now).as_secs_f64();
        assert!((66.0..67.0).contains(&seconds), "{seconds}");
        for window in starts.windows(19) {
            assert!(window[18] - window[0] >= Duration::from_secs(1));
        }
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let now = Instant::now();
        let mut pace = Pace::new(10, now);
        let later = now + Duration::from_secs(3600);
        let starts = starts(&mut pace, later, 10);
        assert_eq!(starts.iter().filter(|at| **at == later).count(), 2);
    }

    #[test]
    fn a_429_slows_down_once_and_waits_as_long_as_asked() {
        let now = Instant::now();
        let mut pace = Pace::new(10, now);
        for _ in 0..5 {
            pace.throttled(now, Some(Duration::from_secs(7)));
        }
        assert!((pace.current - 5.0).abs() < 1e-9);
        assert_eq!(pace.reserve(now), now + Duration::from_secs(7));
    }

    #[test]
    fn the_rate_never_falls_to_nothing_and_creeps_up_to_the_full_one() {
        let now = Instant::now();
        let mut pace = Pace::new(15, now);
        for second in 0..100 {
            pace.throttled(now + Duration::from_secs(second * 2), None);
        }
        assert!((pace.current - 15.0 / 32.0).abs() < 1e-9);
        let mut last = pace.current;
        for _ in 0..49 {
            pace.went_through();
            assert!(pace.current >= last);
            last = pace.current;
        }
        assert!((pace.current - 15.0).abs() < 1e-9);
    }
}

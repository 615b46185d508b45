//! The progress line on stderr, which is removed when the work is done.
//!
//! It is shown only on a terminal, one at a time. Other output goes through [`suspend`], which hides the line meanwhile.

use crate::api::{Reader, Writer};
use crate::apply::{ItemOutcome, Subject, Watch};
use crate::render::{counted, thousands};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often the line is redrawn.
const TICK: Duration = Duration::from_millis(125);

/// The time over which the current rate of calls is measured.
const RATE_WINDOW: Duration = Duration::from_secs(3);

/// The current line, if there is one.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic cannot leave these values inconsistent.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints while the line is hidden.
pub(crate) fn suspend<T>(print: impl FnOnce() -> T) -> T {
    let shown = lock(&SHOWN).clone();
    match shown {
        Some(line) => line.suspend(print),
        None => print(),
    }
}

/// Removes the line before the process exits.
pub(crate) fn clear() {
    if let Some(line) = lock(&SHOWN).take() {
        line.finish_and_clear();
    }
}

/// Shows the line until it is dropped.
#[derive(Debug)]
#[must_use = "the line is gone when this is dropped"]
pub(crate) struct Progress(());

impl Progress {
    /// Shows progress of reading an app.
    pub(crate) fn reading(reader: &Reader) -> Self {
        let reader = reader.clone();
        let before = reader.calls();
        Self::show("{spinner} {text}", None, move || {
            format!("Reading: {}", counted(reader.calls() - before, "call"))
        })
    }

    /// Shows progress of an apply.
    pub(crate) fn applying(writer: &Writer, done: Arc<Done>) -> Self {
        let writer = writer.clone();
        let before = writer.calls();
        let meter = Mutex::new(Meter::new(Instant::now()));
        Self::show("{text} [{wide_bar}]", Some(done.all), move || {
            let calls = writer.calls() - before;
            match done.waiting.load(Ordering::Relaxed) {
                0 => lock(&meter).text(Instant::now(), done.count(), done.all, calls),
                waiting => format!(
                    "Waiting: {} not processed yet, {}",
                    counted(waiting, "input"),
                    counted(calls, "call")
                ),
            }
        })
    }

    fn show(
        template: &str,
        length: Option<u64>,
        text: impl Fn() -> String + Send + Sync + 'static,
    ) -> Self {
        if !io::stderr().is_terminal() {
            return Self(());
        }
        let text = Arc::new(text);
        let write = move |_: &ProgressState, line: &mut dyn fmt::Write| {
            // The next redraw tries again.
            let _ = line.write_str(&text());
        };
        let style = ProgressStyle::with_template(template)
            .expect("the template is well formed")
            .tick_chars("|/-\\ ")
            .progress_chars("=> ")
            .with_key("text", write);
        let line = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        line.set_style(style);
        line.enable_steady_tick(TICK);
        *lock(&SHOWN) = Some(line);
        Self(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        clear();
    }
}

/// Counts the finished operations and purges of a plan.
#[derive(Debug)]
pub(crate) struct Done {
    all: u64,
    ended: AtomicU64,
    waiting: AtomicU64,
}

impl Done {
    /// Of a plan with this many operations and purges.
    pub(crate) fn of(all: usize) -> Self {
        Self {
            all: all as u64,
            ended: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
        }
    }

    fn count(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }
}

impl Watch for Done {
    fn waiting(&self, inputs: u64) {
        self.waiting.store(inputs, Ordering::Relaxed);
    }

    fn ended(&self, _: Subject, how: &ItemOutcome) {
        if *how != ItemOutcome::NotAttempted {
            let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
            if let Some(line) = &*lock(&SHOWN) {
                line.set_position(ended);
            }
        }
    }
}

/// Measures rate and remaining time.
#[derive(Debug)]
struct Meter {
    start: Instant,
    /// Number of calls at points in time; the first is the last one before the window of [`RATE_WINDOW`].
    calls: VecDeque<(Instant, u64)>,
}

impl Meter {
    fn new(start: Instant) -> Self {
        Self {
            start,
            calls: VecDeque::from([(start, 0)]),
        }
    }

    /// The current rate in calls per second.
    fn rate(&mut self, now: Instant, calls: u64) -> f64 {
        self.calls.push_back((now, calls));
        while self
            .calls
            .get(1)
            .is_some_and(|(at, _)| *at + RATE_WINDOW <= now)
        {
            self.calls.pop_front();
        }
        let (since, before) = self.calls[0];
        // At least one second, so that the first burst does not count as a rate.
        let seconds = (now - since).as_secs_f64().max(1.0);
        (calls - before) as f64 / seconds
    }

    /// The remaining time at the average speed; `None` before anything has ended.
    fn left(&self, now: Instant, ended: u64, all: u64) -> Option<Duration> {
        let share = all.saturating_sub(ended) as f64 / ended as f64;
        Duration::try_from_secs_f64((now - self.start).as_secs_f64() * share).ok()
    }

    fn text(&mut self, now: Instant, ended: u64, all: u64, calls: u64) -> String {
        let rate = self.rate(now, calls);
        let left = self.left(now, ended, all);
        let left = left.map(|left| format!(", {} left", duration(left)));
        format!(
            "Applying: {} of {}, {}, {rate:.1} calls/s{}",
            thousands(ended),
            counted(all, "operation"),
            counted(calls, "call"),
            left.unwrap_or_default()
        )
    }
}

/// A duration rounded up: `45 s`, `12 min`, `3 h 5 min`.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    let minutes = seconds.div_ceil(60);
    match (seconds, minutes) {
        (0..100, _) => format!("{seconds} s"),
        (_, 0..100) => format!("{minutes} min"),
        _ => format!("{} h {} min", thousands(minutes / 60), minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_shows_progress_rate_and_remaining_time() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut meter = Meter::new(start);
        assert_eq!(
            meter.text(at(0), 0, 1, 0),
            "Applying: 0 of 1 operation, 0 calls, 0.0 calls/s"
        );
        assert_eq!(
            meter.text(at(100), 0, 3400, 1),
            "Applying: 0 of 3,400 operations, 1 call, 1.0 calls/s"
        );
        assert_eq!(
            meter.text(at(2000), 256, 3400, 30),
            "Applying: 256 of 3,400 operations, 30 calls, 15.0 calls/s, 25 s left"
        );
        // Old calls count for the remaining time, not for the rate.
        assert_eq!(
            meter.text(at(10_000), 1280, 3400, 30),
            "Applying: 1,280 of 3,400 operations, 30 calls, 0.0 calls/s, 17 s left"
        );
        assert_eq!(
            meter.text(at(13_000), 3400, 3400, 72),
            "Applying: 3,400 of 3,400 operations, 72 calls, 14.0 calls/s, 0 s left"
        );
    }

    #[test]
    fn times_are_rounded_up() {
        let text = |seconds: f64| duration(Duration::from_secs_f64(seconds));
        assert_eq!(text(0.0), "0 s");
        assert_eq!(text(0.2), "1 s");
        assert_eq!(text(99.0), "99 s");
        assert_eq!(text(99.5), "2 min");
        assert_eq!(text(121.0), "3 min");
        assert_eq!(text(5_940.0), "99 min");
        assert_eq!(text(5_941.0), "1 h 40 min");
    }

    #[test]
    fn operations_that_were_not_attempted_do_not_count() {
        let done = Done::of(3);
        done.ended(Subject::Operation(0), &ItemOutcome::Applied);
        done.ended(Subject::Purge(0), &ItemOutcome::AlreadyUpToDate);
        done.ended(Subject::Operation(1), &ItemOutcome::NotAttempted);
        assert_eq!(done.count(), 2);
    }
}

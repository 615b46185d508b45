//! How often a call is retried, and after which pauses.
//!
//! The client repeats reads. It does not repeat writes: `apply` reads what exists, then sends what is missing
//! (`Writer::pause`). Every call is safe to repeat: posts carry ids that the client chose, deletes name what they delete,
//! and patches give the wanted state. Whether a failure is transient is decided where answers are judged.

use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::{Duration, SystemTime};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The maximum number of attempts of a call; at least 1.
    pub attempts: u32,
    /// The first pause; each further one is twice as long. A random time of up to the same length is added.
    pub first_pause: Duration,
    /// The longest pause, without the random time.
    pub max_pause: Duration,
    /// The client gives up if a server asks for a longer pause than this.
    pub max_wait: Duration,
    /// The seed of the random times; `None` for different ones each time.
    pub seed: Option<u64>,
}

impl Default for RetryPolicy {
    /// Eight attempts over about half a minute: enough for a server that restarts.
    fn default() -> Self {
        Self {
            attempts: 8,
            first_pause: Duration::from_millis(250),
            max_pause: Duration::from_secs(15),
            max_wait: Duration::from_secs(300),
            seed: None,
        }
    }
}

impl RetryPolicy {
    /// The pauses between attempts.
    pub(super) fn pauses(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.max_pause)
            .with_factor(2.0)
            .with_max_times(self.attempts.max(1) as usize - 1)
            .with_jitter();
        match self.seed {
            Some(seed) => pauses.with_jitter_seed(seed),
            None => pauses,
        }
        .build()
    }
}

/// Reads `Retry-After`: seconds, or an HTTP date. `None` if it is neither.
pub(super) fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(retry_after("12", now), Some(Duration::from_secs(12)));
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now),
            Some(Duration::from_secs(10))
        );
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now),
            Some(Duration::ZERO)
        );
        for bad in ["", "soon", "-1", "1.5"] {
            assert_eq!(retry_after(bad, now), None, "{bad}");
        }
    }

    #[test]
    fn pauses_grow_vary_and_end() {
        let policy = RetryPolicy {
            attempts: 6,
            first_pause: Duration::from_millis(100),
            max_pause: Duration::from_millis(400),
            ..RetryPolicy::default()
        };
        let pauses: Vec<u128> = policy.pauses().map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses.len(), 5);
        for (pause, least) in pauses.iter().zip([100, 200, 400, 400, 400]) {
            assert!((least..=least * 2).contains(pause), "{pauses:?}");
        }
        let alone = RetryPolicy {
            attempts: 1,
            ..policy
        };
        assert_eq!(alone.pauses().count(), 0);
    }
}

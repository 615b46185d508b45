//! How often a call is tried again, and after how long.
//!
//! Every call here is safe to repeat: posts carry ids of the client's choosing, deletes name what they delete, and
//! patches say what is to be. Whether a failure is worth another attempt is decided where answers are read.

use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::{Duration, SystemTime};

/// The bounds of trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a call is made at most; at least 1.
    pub attempts: u32,
    /// The first pause; each further one is twice as long, and up to as long again is added by chance.
    pub first_pause: Duration,
    /// The longest pause before chance is added.
    pub longest_pause: Duration,
    /// A server that asks for a longer pause than this is given up on.
    pub longest_wait: Duration,
    /// What chance is drawn from; nothing: other chance each time.
    pub seed: Option<u64>,
}

impl Default for RetryPolicy {
    /// Eight attempts over about half a minute: long enough for a server that restarts.
    fn default() -> Self {
        Self {
            attempts: 8,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(15),
            longest_wait: Duration::from_secs(300),
            seed: None,
        }
    }
}

impl RetryPolicy {
    /// The pauses between attempts, one fewer than there are attempts.
    pub(super) fn pauses(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
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

/// What `Retry-After` asks for: seconds, or an HTTP date. What cannot be read asks for nothing.
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
            longest_pause: Duration::from_millis(400),
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

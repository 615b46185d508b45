//! The rate limit of requests for each user.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);

/// Limits requests in a sliding window of one second, by key.
#[derive(Debug)]
pub(super) struct RateLimiter {
    limit: u32,
    admitted: HashMap<String, VecDeque<Instant>>,
}

impl RateLimiter {
    /// At most `limit` requests in any second, for each key.
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit,
            admitted: HashMap::new(),
        }
    }

    /// Whether a request with this key is admitted. Only admitted requests are counted.
    pub(super) fn admit(&mut self, key: &str, now: Instant) -> bool {
        let times = self.admitted.entry(key.to_owned()).or_default();
        while times
            .front()
            .is_some_and(|time| now.duration_since(*time) >= WINDOW)
        {
            times.pop_front();
        }
        let free = times.len() < self.limit as usize;
        if free {
            times.push_back(now);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_for_each_key_in_any_second() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut limiter = RateLimiter::new(2);
        assert!(limiter.admit("a", at(0)));
        assert!(limiter.admit("a", at(600)));
        assert!(!limiter.admit("a", at(999)));
        assert!(limiter.admit("b", at(999)), "limits are per key");
        assert!(limiter.admit("a", at(1000)));
        assert!(!limiter.admit("a", at(1599)), "the window slides");
        assert!(limiter.admit("a", at(1600)));
    }
}

//! Runs several futures at a time and returns their results in order.
//!
//! Running futures and results that wait for earlier ones are together at most the window, which bounds memory.

use std::collections::BTreeMap;
use std::future::Future;
use tokio::task::JoinSet;

/// Runs futures of an iterator, `window` at a time.
#[derive(Debug)]
pub(super) struct Ordered<I, T> {
    futures: I,
    running: JoinSet<(u64, T)>,
    finished: BTreeMap<u64, T>,
    window: usize,
    started: u64,
    returned: u64,
}

impl<F, I, T> Ordered<I, T>
where
    F: Future<Output = T> + Send + 'static,
    I: Iterator<Item = F>,
    T: Send + 'static,
{
    /// Nothing runs before the first call of `next`. Dropping this stops running futures.
    pub(super) fn new(window: usize, futures: I) -> Self {
        Self {
            futures,
            running: JoinSet::new(),
            finished: BTreeMap::new(),
            window: window.max(1),
            started: 0,
            returned: 0,
        }
    }

    pub(super) fn set_window(&mut self, window: usize) {
        self.window = window.max(1);
    }

    /// Waits for running futures, and drops their results.
    pub(super) async fn finish(mut self) {
        while self.running.join_next().await.is_some() {}
    }

    /// The next result in order; `None` after the last one.
    pub(super) async fn next(&mut self) -> Option<T> {
        while self.running.len() + self.finished.len() < self.window {
            let Some(future) = self.futures.next() else {
                break;
            };
            let number = self.started;
            self.started += 1;
            self.running.spawn(async move { (number, future.await) });
        }
        loop {
            if let Some(result) = self.finished.remove(&self.returned) {
                self.returned += 1;
                return Some(result);
            }
            match self.running.join_next().await? {
                Ok((number, result)) => {
                    self.finished.insert(number, result);
                }
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => unreachable!("nothing aborts these tasks while they are awaited"),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn results_come_in_order_and_no_more_than_the_window_run() {
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let futures = (0..20_usize).map(|number| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Odd ones take longer than even ones, so that they finish out of order.
                for _ in 0..=(number % 2) * 3 {
                    tokio::task::yield_now().await;
                }
                running.fetch_sub(1, Ordering::SeqCst);
                number
            }
        });
        let mut ordered = Ordered::new(4, futures);
        let mut results = Vec::new();
        while let Some(result) = ordered.next().await {
            results.push(result);
        }
        assert_eq!(results, (0..20).collect::<Vec<_>>());
        assert!((2..=4).contains(&most.load(Ordering::SeqCst)));
    }
}

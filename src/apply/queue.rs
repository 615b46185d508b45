//! The calls that follow from one batch: further attempts and halves. Shared by annotations, inputs and purges.

use super::options::{Pause, Stop};
use crate::api::{ApiError, Writer};
use crate::plan::{Call, Touched};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::time::Duration;
use tokio::task::{Id, JoinSet};

/// How often single items of an answered call are sent, the first time included.
pub(super) const ATTEMPTS: u32 = 4;

/// The reason of items after a panic of their task: whether they were written is unknown.
pub(super) const CRASHED: &str =
    "annosync failed in the middle of this call: run the same command again";

/// Items that one call sends.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Usually that of the batch; a shared call may be split into several.
    pub(super) call: Call,
    /// Indices into the plan, as in its batches.
    pub(super) items: Vec<u32>,
    /// Starts at 1.
    pub(super) attempt: u32,
    /// What earlier attempts have written of these items.
    pub(super) touched: Touched,
}

impl Group {
    pub(super) fn new(call: Call, items: Vec<u32>) -> Self {
        Self {
            call,
            items,
            attempt: 1,
            touched: Touched::Nothing,
        }
    }

    /// The next attempt, for these items.
    pub(super) fn next_attempt(self, items: Vec<u32>) -> Self {
        Self {
            items,
            attempt: self.attempt + 1,
            ..self
        }
    }

    pub(super) fn take_items(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.items)
    }

    /// Whether single items may be sent again.
    pub(super) fn has_attempts_left(&self) -> bool {
        self.attempt < ATTEMPTS
    }

    /// The pause before single items are sent again.
    pub(super) async fn pause(&self, stop: &Stop) -> Pause {
        stop.pause(Duration::from_millis(200) * 2_u32.pow(self.attempt))
            .await
    }

    /// Waits, then returns whether to repeat a call that failed with this error. `false` if the error is permanent or
    /// the run was stopped.
    pub(super) async fn may_retry(&self, writer: &Writer, error: &ApiError, stop: &Stop) -> bool {
        match writer.pause(self.attempt, error) {
            Some(pause) => stop.pause(pause).await == Pause::Over,
            None => false,
        }
    }
}

/// Groups that wait to be sent.
#[derive(Debug)]
pub(super) struct Queue(VecDeque<Group>);

impl Queue {
    pub(super) fn new(group: Group) -> Self {
        Self(VecDeque::from([group]))
    }

    pub(super) fn push(&mut self, group: Group) {
        self.0.push_back(group);
    }

    pub(super) fn push_front(&mut self, group: Group) {
        self.0.push_front(group);
    }

    /// Queues the halves of a group: one bad item may spoil a call, or the call may be too large.
    pub(super) fn push_halves(&mut self, group: Group) {
        let mut left = group.items;
        let right = left.split_off(left.len() / 2);
        for items in [left, right] {
            self.push(Group { items, ..group });
        }
    }

    /// The next group that is not empty.
    pub(super) fn pop(&mut self) -> Option<Group> {
        loop {
            let group = self.0.pop_front()?;
            if !group.items.is_empty() {
                return Some(group);
            }
        }
    }
}

/// Batches in flight, several at a time.
#[derive(Debug)]
pub(super) struct InFlight<T> {
    tasks: JoinSet<T>,
    items: HashMap<Id, Vec<u32>>,
    limit: usize,
}

impl<T: Send + 'static> InFlight<T> {
    /// At most `limit` at a time; 0 counts as 1.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            tasks: JoinSet::new(),
            items: HashMap::new(),
            limit: limit.max(1),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.tasks.len() < self.limit
    }

    pub(super) fn start(
        &mut self,
        items: Vec<u32>,
        task: impl Future<Output = T> + Send + 'static,
    ) {
        let id = self.tasks.spawn(task).id();
        self.items.insert(id, items);
    }

    /// The next result; `Err` holds the items of a task that panicked. `None` if nothing is in flight.
    pub(super) async fn next(&mut self) -> Option<Result<T, Vec<u32>>> {
        Some(match self.tasks.join_next_with_id().await? {
            Ok((id, result)) => {
                self.items.remove(&id);
                Ok(result)
            }
            Err(error) => Err(self.items.remove(&error.id()).unwrap_or_default()),
        })
    }
}

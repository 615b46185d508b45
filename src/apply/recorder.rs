//! Keeps what became of each operation, for the plan that undoes it.

use super::watch::{Ended, Subject, Watch};
use crate::model::Fingerprint;
use crate::plan::{Action, Fate, Fates, Operation, Plan};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Told of a run, it knows what there is to undo.
#[derive(Debug)]
pub struct Recorder {
    /// Whether it is a post, by operation.
    posts: Vec<bool>,
    record: Mutex<Record>,
}

#[derive(Debug)]
struct Record {
    fates: Fates,
    /// What the service showed last, by operation.
    stored: Vec<Option<Fingerprint>>,
}

impl Recorder {
    /// For a plan that is about to be carried out.
    pub fn new(plan: &Plan) -> Self {
        let is_post = |operation: &Operation| operation.action == Action::Post;
        Self {
            posts: plan.operations.iter().map(is_post).collect(),
            record: Mutex::new(Record {
                fates: Fates::open(plan),
                stored: vec![None; plan.operations.len()],
            }),
        }
    }

    /// What became of everything so far.
    pub fn fates(&self) -> Fates {
        self.record().fates.clone()
    }

    fn is_post(&self, what: Subject) -> bool {
        matches!(what, Subject::Operation(at) if self.posts[at as usize])
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        // Each change of it is whole.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Recorder {
    fn ended(&self, what: Subject, how: &Ended) {
        let mut record = self.record();
        let stored = match what {
            Subject::Operation(at) => record.stored[at as usize],
            Subject::Purge(_) => None,
        };
        let fate = match how {
            Ended::Applied => Fate::Done(stored),
            // It was not there when it was looked for: a call of this run made it whose answer was lost.
            Ended::AlreadySo if self.is_post(what) => Fate::Done(stored),
            Ended::AlreadySo | Ended::NotAttempted => Fate::Not,
            Ended::Stale { touched } | Ended::Failed { touched, .. } if touched.is_not() => {
                Fate::Not
            }
            // Something of it may be written: what it is now decides.
            Ended::Stale { .. } => Fate::Open,
            Ended::Failed { .. } => stored.map_or(Fate::Open, |stored| Fate::Done(Some(stored))),
        };
        match what {
            Subject::Operation(at) => record.fates.operations[at as usize] = fate,
            Subject::Purge(at) => record.fates.purges[at as usize] = fate,
        }
    }

    fn stored(&self, operation: u32, now: Fingerprint) {
        self.record().stored[operation as usize] = Some(now);
    }
}

//! Fault injection: planned faults ([`FaultControl`], used by tests) and random ones ([`Faults`], from a seed). This file
//! only selects faults; the server and the operations produce them.

use super::endpoint::Endpoint;
use crate::wire::Code;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The call is delayed.
    Latency(Duration),
    /// HTTP 429 with `CONN_THROTTLED`; the call is not executed.
    Throttle {
        /// The header `Retry-After`, in seconds; `None` means no header.
        retry_after: Option<u32>,
    },
    /// This HTTP status (500..=599) with a body that is not JSON, as from a proxy; the call is not executed.
    Unavailable(u16),
    /// HTTP 500 with an error body of the API and this code (98xxx: internal issues); the call is not executed.
    Internal(Code),
    /// HTTP 200 with `TRY_AGAIN`; the call is not executed. The documentation does not specify the HTTP status; with this
    /// one a client is most likely to assume success.
    TryAgain,
    /// The connection is closed without an answer, and the call is not executed.
    DropBefore,
    /// The call is executed, but the connection is closed without an answer.
    DropAfter,
    /// Some items of a batch fail; the others are executed.
    FailItems {
        /// Indices in the call's list.
        items: Vec<usize>,
        /// The status of each.
        code: Code,
    },
    /// A page of a listing has at most this many annotations; the omitted ones are on no other page.
    ShortPage(usize),
    /// A page of a listing is empty, although it is not the last one. Its annotations are on no other page.
    EmptyPage,
    /// The app changes after the page or annotation was read and before the client gets the answer.
    ChangeAfterRead(Vec<ConcurrentChange>),
}

/// A change of the app by someone else.
#[derive(Debug, Clone, PartialEq)]
pub enum ConcurrentChange {
    Delete {
        input_id: String,
        id: String,
    },
    /// An annotation in the API's JSON, which may contain fields that only the server sets.
    Insert(Value),
    /// Omits an annotation from listings.
    Hide {
        input_id: String,
        id: String,
    },
    /// Lists a hidden annotation again.
    Show {
        input_id: String,
        id: String,
    },
}

/// The calls that a planned fault applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    Any,
    Endpoint(Endpoint),
    /// Calls of [`Endpoint::ListAnnotations`] with this page number, counted from 1.
    Page(u64),
}

impl From<Endpoint> for Scope {
    fn from(endpoint: Endpoint) -> Self {
        Self::Endpoint(endpoint)
    }
}

/// The probabilities of random faults, 0..=1. With the same seed, the n-th repetition of the same request has the same
/// faults, whatever the order of requests.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Faults {
    pub seed: u64,
    pub latency: f64,
    pub latency_max: Duration,
    pub throttle: f64,
    /// With status 503.
    pub unavailable: f64,
    pub try_again: f64,
    pub drop_before: f64,
    pub drop_after: f64,
    /// One item of the call fails with `TRY_AGAIN`.
    pub fail_item: f64,
}

/// Controls the faults of a running emulator.
#[derive(Debug, Default)]
pub struct FaultControl(Mutex<Control>);

#[derive(Debug, Default)]
struct Control {
    chance: Faults,
    planned: Vec<Planned>,
    hidden: BTreeSet<(String, String)>,
    sent: HashMap<[u8; 32], u32>,
}

#[derive(Debug)]
struct Planned {
    scope: Scope,
    fault: Fault,
    turn: Repeat,
}

#[derive(Debug)]
enum Repeat {
    /// After this many more matching calls.
    Once {
        after: usize,
    },
    Always,
}

/// The properties of a call that decide its faults.
#[derive(Debug)]
pub(super) struct CallKey<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) page: Option<u64>,
    pub(super) items: usize,
    /// Method, path, query and body.
    pub(super) text: &'a [&'a [u8]],
}

impl FaultControl {
    pub(super) fn new(chance: Faults) -> Self {
        Self(Mutex::new(Control {
            chance,
            ..Control::default()
        }))
    }

    /// Plans a fault for the next call of this scope. Several faults can be planned for one call.
    pub fn next(&self, scope: impl Into<Scope>, fault: Fault) {
        self.on(scope, 1, fault);
    }

    /// Plans a fault for the `nth` call of this scope from now on; 1 is the next one.
    pub fn on(&self, scope: impl Into<Scope>, nth: usize, fault: Fault) {
        let after = nth.saturating_sub(1);
        self.plan(scope.into(), fault, Repeat::Once { after });
    }

    /// Plans a fault for every call of this scope, until [`FaultControl::clear`].
    pub fn always(&self, scope: impl Into<Scope>, fault: Fault) {
        self.plan(scope.into(), fault, Repeat::Always);
    }

    /// Sets random faults; `Faults::default()` ends them.
    pub fn set_random(&self, chance: Faults) {
        self.lock().chance = chance;
    }

    /// Removes all planned faults. Hidden annotations stay hidden.
    pub fn clear(&self) {
        self.lock().planned.clear();
    }

    /// The number of planned faults that have not occurred yet, without those for every call.
    pub fn pending(&self) -> usize {
        let once = |planned: &&Planned| matches!(planned.turn, Repeat::Once { .. });
        self.lock().planned.iter().filter(once).count()
    }

    /// Omits an annotation from all listings.
    pub fn hide(&self, input_id: &str, id: &str) {
        let name = (input_id.to_owned(), id.to_owned());
        self.lock().hidden.insert(name);
    }

    /// Lists a hidden annotation again.
    pub fn show(&self, input_id: &str, id: &str) {
        let name = (input_id.to_owned(), id.to_owned());
        self.lock().hidden.remove(&name);
    }

    pub(super) fn hidden(&self) -> Vec<(String, String)> {
        self.lock().hidden.iter().cloned().collect()
    }

    /// Selects the faults of a call and counts it.
    pub(super) fn decide(&self, key: &CallKey<'_>) -> Vec<Fault> {
        let mut control = self.lock();
        let mut faults = Vec::new();
        control.planned.retain_mut(|planned| {
            let matches = match &planned.scope {
                Scope::Any => true,
                Scope::Endpoint(endpoint) => *endpoint == key.endpoint,
                Scope::Page(page) => {
                    key.endpoint == Endpoint::ListAnnotations && key.page == Some(*page)
                }
            };
            match &mut planned.turn {
                _ if !matches => true,
                Repeat::Once { after } if *after > 0 => {
                    *after -= 1;
                    true
                }
                turn => {
                    faults.push(planned.fault.clone());
                    matches!(turn, Repeat::Always)
                }
            }
        });
        if control.chance != Faults::default() {
            let chance = control.chance;
            faults.extend(draw(&chance, &mut control.sent, key));
        }
        faults
    }

    fn plan(&self, scope: Scope, fault: Fault, turn: Repeat) {
        self.lock().planned.push(Planned { scope, fault, turn });
    }

    fn lock(&self) -> MutexGuard<'_, Control> {
        // No panic can leave the state inconsistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn draw(chance: &Faults, sent: &mut HashMap<[u8; 32], u32>, key: &CallKey<'_>) -> Vec<Fault> {
    let mut hasher = Sha256::new();
    for part in key.text {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let request: [u8; 32] = hasher.finalize().into();
    let times = sent.entry(request).or_default();
    *times += 1;
    let times = *times;
    let roll = |kind: &str| {
        let mut hasher = Sha256::new();
        hasher.update(chance.seed.to_le_bytes());
        hasher.update(request);
        hasher.update(times.to_le_bytes());
        hasher.update(kind);
        let digest: [u8; 32] = hasher.finalize().into();
        let (first, _) = digest.split_at(8);
        let bits = first
            .iter()
            .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        (bits >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut faults = Vec::new();
    if roll("latency") < chance.latency {
        faults.push(Fault::Latency(chance.latency_max.mul_f64(roll("how late"))));
    }
    let plain = [
        (
            "throttle",
            chance.throttle,
            Fault::Throttle { retry_after: None },
        ),
        ("unavailable", chance.unavailable, Fault::Unavailable(503)),
        ("try again", chance.try_again, Fault::TryAgain),
        ("drop before", chance.drop_before, Fault::DropBefore),
        ("drop after", chance.drop_after, Fault::DropAfter),
    ];
    for (kind, share, fault) in plain {
        if roll(kind) < share {
            faults.push(fault);
        }
    }
    if key.items > 0 && roll("fail item") < chance.fail_item {
        let item = (roll("which item") * key.items as f64) as usize;
        faults.push(Fault::FailItems {
            items: vec![item],
            code: Code::TRY_AGAIN,
        });
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<'a>(endpoint: Endpoint, page: Option<u64>, text: &'a [&'a [u8]]) -> CallKey<'a> {
        CallKey {
            endpoint,
            page,
            items: 3,
            text,
        }
    }

    #[test]
    fn a_planned_fault_occurs_once_in_its_scope() {
        let control = FaultControl::default();
        control.on(Endpoint::PostAnnotations, 2, Fault::DropAfter);
        let post = || control.decide(&key(Endpoint::PostAnnotations, None, &[]));
        let list = || control.decide(&key(Endpoint::ListAnnotations, None, &[]));
        assert_eq!(list(), vec![]);
        assert_eq!(post(), vec![]);
        assert_eq!(list(), vec![]);
        assert_eq!(control.pending(), 1);
        assert_eq!(post(), vec![Fault::DropAfter]);
        assert_eq!(post(), vec![]);
        assert_eq!(control.pending(), 0);
    }

    #[test]
    fn a_fault_for_a_page_occurs_on_that_page() {
        let control = FaultControl::default();
        control.next(Scope::Page(2), Fault::EmptyPage);
        let list = |page| control.decide(&key(Endpoint::ListAnnotations, Some(page), &[]));
        assert_eq!(list(1), vec![]);
        assert_eq!(list(3), vec![]);
        assert_eq!(list(2), vec![Fault::EmptyPage]);
        assert_eq!(list(2), vec![]);
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_in_any_order() {
        let chance = Faults {
            seed: 7,
            throttle: 0.4,
            drop_after: 0.4,
            fail_item: 0.4,
            ..Faults::default()
        };
        let run = |order: &[u8]| {
            let control = FaultControl::new(chance);
            let mut seen: Vec<(u8, Vec<Fault>)> = Vec::new();
            for request in order {
                let text: &[&[u8]] = &[&[*request]];
                let faults = control.decide(&key(Endpoint::PostAnnotations, None, text));
                seen.push((*request, faults));
            }
            seen.sort_by_key(|(request, _)| *request);
            seen
        };
        let forward: Vec<u8> = (0..40).collect();
        let backward: Vec<u8> = (0..40).rev().collect();
        let seen = run(&forward);
        assert_eq!(seen, run(&backward));
        assert!(seen.iter().any(|(_, faults)| !faults.is_empty()));
        assert!(seen.iter().any(|(_, faults)| faults.is_empty()));
        let control = FaultControl::new(chance);
        control.set_random(Faults::default());
        for request in 0..40u8 {
            let text: &[&[u8]] = &[&[request]];
            assert_eq!(
                control.decide(&key(Endpoint::PostAnnotations, None, text)),
                vec![]
            );
        }
        let again = run(&[[1; 20].as_slice(), &[2; 20]].concat());
        assert!(
            again.windows(2).any(|pair| pair[0].1 != pair[1].1),
            "a repetition draws again"
        );
    }
}

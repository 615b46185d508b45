//! Faults on demand: which call goes wrong, and how. By plan (`FaultControl`, what tests use) or by chance
//! ([`Faults`], from a seed). It decides; carrying a fault out is the server's and the operations' business.

use super::endpoint::Endpoint;
use crate::api::code::Code;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The call is taken up this much later.
    Latency(Duration),
    /// HTTP 429, `CONN_THROTTLED`; nothing is done. `retry_after`: seconds, in the header of that name.
    Throttle {
        /// `None`: no header.
        retry_after: Option<u32>,
    },
    /// This HTTP status (500..=599) with a body that is no JSON, as a proxy in front of the service answers; nothing
    /// is done.
    Unavailable(u16),
    /// HTTP 500 with the API's own error body and this code (98xxx: internal issues); nothing is done.
    Internal(Code),
    /// HTTP 200 and `TRY_AGAIN`; nothing is done. The documents name no HTTP status for it; this is the one that a
    /// client is likeliest to take for success.
    TryAgain,
    /// The connection is closed without an answer; nothing was done.
    DropBefore,
    /// The connection is closed without an answer; everything was done.
    DropAfter,
    /// Of a batch, the items at these places (from 0) fail with this code; the others are done.
    FailItems {
        /// Places in the call's list.
        items: Vec<usize>,
        /// The status of each.
        code: Code,
    },
    /// A page of a listing holds at most this many annotations; those that are left out are on no other page.
    ShortPage(usize),
    /// A page of a listing is empty, though it is not the last. What belongs on it is on no other page.
    EmptyPage,
    /// Once this page of a listing, or this annotation, was read, and before the client has it, the app changes.
    Then(Vec<Shift>),
}

/// A change of the app behind a listing's back.
#[derive(Debug, Clone, PartialEq)]
pub enum Shift {
    /// An annotation is deleted.
    Delete {
        /// Its input.
        input_id: String,
        /// Its id.
        id: String,
    },
    /// An annotation is made: JSON as in the API, with any field set, also those that only a server sets.
    Insert(Value),
    /// An annotation is in the store, and in no listing any more, until it is shown.
    Hide {
        /// Its input.
        input_id: String,
        /// Its id.
        id: String,
    },
    /// A hidden annotation is listed again.
    Show {
        /// Its input.
        input_id: String,
        /// Its id.
        id: String,
    },
}

/// Which calls a planned fault is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every call.
    Any,
    /// Calls of this endpoint.
    Endpoint(Endpoint),
    /// Calls of [`Endpoint::ListAnnotations`] that ask for this page (from 1), in whatever order pages are asked for.
    Page(u64),
}

impl From<Endpoint> for Scope {
    fn from(endpoint: Endpoint) -> Self {
        Self::Endpoint(endpoint)
    }
}

/// Faults by chance: each the share of calls, 0..=1, that have it. The same seed gives the same request, sent for the
/// same time, the same faults, in whatever order requests come.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Faults {
    /// What chance is drawn from.
    pub seed: u64,
    /// Calls that are late.
    pub latency: f64,
    /// How late at most.
    pub latency_max: Duration,
    /// See [`Fault::Throttle`].
    pub throttle: f64,
    /// See [`Fault::Unavailable`]; status 503.
    pub unavailable: f64,
    /// See [`Fault::TryAgain`].
    pub try_again: f64,
    /// See [`Fault::DropBefore`].
    pub drop_before: f64,
    /// See [`Fault::DropAfter`].
    pub drop_after: f64,
    /// Calls of which one item fails, with `TRY_AGAIN`; see [`Fault::FailItems`].
    pub fail_item: f64,
}

/// Steers the faults of an emulator while it runs.
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
    turn: Turn,
}

#[derive(Debug)]
enum Turn {
    /// After this many more matching calls.
    Once {
        after: usize,
    },
    Always,
}

/// What a call is known by when its faults are decided.
#[derive(Debug)]
pub(super) struct Asked<'a> {
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

    /// The next call of this scope has this fault. Several planned for one call all apply.
    pub fn next(&self, scope: impl Into<Scope>, fault: Fault) {
        self.on(scope, 1, fault);
    }

    /// The `nth` call of this scope from now on (1: the next one) has this fault.
    pub fn on(&self, scope: impl Into<Scope>, nth: usize, fault: Fault) {
        let after = nth.saturating_sub(1);
        self.plan(scope.into(), fault, Turn::Once { after });
    }

    /// Every call of this scope has this fault, until [`FaultControl::clear`].
    pub fn always(&self, scope: impl Into<Scope>, fault: Fault) {
        self.plan(scope.into(), fault, Turn::Always);
    }

    /// Faults by chance from now on; `Faults::default()` ends them.
    pub fn by_chance(&self, chance: Faults) {
        self.lock().chance = chance;
    }

    /// Forgets all planned faults; what is hidden stays so.
    pub fn clear(&self) {
        self.lock().planned.clear();
    }

    /// How many planned faults have not come yet; those that always come are not counted.
    pub fn pending(&self) -> usize {
        let once = |planned: &&Planned| matches!(planned.turn, Turn::Once { .. });
        self.lock().planned.iter().filter(once).count()
    }

    /// Keeps an annotation out of every listing.
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

    /// The faults of this call, which counts as one from now on.
    pub(super) fn decide(&self, asked: &Asked<'_>) -> Vec<Fault> {
        let mut control = self.lock();
        let mut faults = Vec::new();
        control.planned.retain_mut(|planned| {
            let matches = match &planned.scope {
                Scope::Any => true,
                Scope::Endpoint(endpoint) => *endpoint == asked.endpoint,
                Scope::Page(page) => {
                    asked.endpoint == Endpoint::ListAnnotations && asked.page == Some(*page)
                }
            };
            match &mut planned.turn {
                _ if !matches => true,
                Turn::Once { after } if *after > 0 => {
                    *after -= 1;
                    true
                }
                turn => {
                    faults.push(planned.fault.clone());
                    matches!(turn, Turn::Always)
                }
            }
        });
        if control.chance != Faults::default() {
            let chance = control.chance;
            faults.extend(draw(&chance, &mut control.sent, asked));
        }
        faults
    }

    fn plan(&self, scope: Scope, fault: Fault, turn: Turn) {
        self.lock().planned.push(Planned { scope, fault, turn });
    }

    fn lock(&self) -> MutexGuard<'_, Control> {
        // Nothing that is done under the lock can leave it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn draw(chance: &Faults, sent: &mut HashMap<[u8; 32], u32>, asked: &Asked<'_>) -> Vec<Fault> {
    let mut hasher = Sha256::new();
    for part in asked.text {
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
    if asked.items > 0 && roll("fail item") < chance.fail_item {
        let item = (roll("which item") * asked.items as f64) as usize;
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

    fn asked<'a>(endpoint: Endpoint, page: Option<u64>, text: &'a [&'a [u8]]) -> Asked<'a> {
        Asked {
            endpoint,
            page,
            items: 3,
            text,
        }
    }

    #[test]
    fn a_planned_fault_comes_once_at_its_turn_and_in_its_scope() {
        let control = FaultControl::default();
        control.on(Endpoint::PostAnnotations, 2, Fault::DropAfter);
        let post = || control.decide(&asked(Endpoint::PostAnnotations, None, &[]));
        let list = || control.decide(&asked(Endpoint::ListAnnotations, None, &[]));
        assert_eq!(list(), vec![]);
        assert_eq!(post(), vec![]);
        assert_eq!(list(), vec![]);
        assert_eq!(control.pending(), 1);
        assert_eq!(post(), vec![Fault::DropAfter]);
        assert_eq!(post(), vec![]);
        assert_eq!(control.pending(), 0);
    }

    #[test]
    fn a_fault_for_a_page_waits_for_that_page() {
        let control = FaultControl::default();
        control.next(Scope::Page(2), Fault::EmptyPage);
        let list = |page| control.decide(&asked(Endpoint::ListAnnotations, Some(page), &[]));
        assert_eq!(list(1), vec![]);
        assert_eq!(list(3), vec![]);
        assert_eq!(list(2), vec![Fault::EmptyPage]);
        assert_eq!(list(2), vec![]);
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_in_whatever_order() {
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
                let faults = control.decide(&asked(Endpoint::PostAnnotations, None, text));
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
        control.by_chance(Faults::default());
        for request in 0..40u8 {
            let text: &[&[u8]] = &[&[request]];
            assert_eq!(
                control.decide(&asked(Endpoint::PostAnnotations, None, text)),
                vec![]
            );
        }
        let again = run(&[[1; 20].as_slice(), &[2; 20]].concat());
        assert!(
            again.windows(2).any(|pair| pair[0].1 != pair[1].1),
            "sending once more is another chance"
        );
    }
}

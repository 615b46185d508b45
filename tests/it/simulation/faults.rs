//! The classes of faults, how often each happened, and the faults of one exchange.

use super::chance::Chance;
use std::fmt::Write as _;
use std::time::Duration;

macro_rules! faults {
    ($($fault:ident $words:literal,)*) => {
        /// A class of faults.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Fault { $(#[doc = $words] $fault,)* }

        impl Fault {
            pub(super) const ALL: &[Self] = &[$(Self::$fault,)*];

            pub(super) fn words(self) -> &'static str {
                match self { $(Self::$fault => $words,)* }
            }
        }
    };
}

faults! {
    Slow "an answer that takes long",
    TimedOutBefore "timeout, and the server had not acted",
    TimedOutAfter "timeout, and the server had acted",
    ActsLate "timeout, and the server acts later",
    DroppedBefore "connection dropped before the server acted",
    DroppedAfter "connection dropped after the server acted",
    Throttled "429",
    ThrottledWithWait "429 with Retry-After",
    OverLimit "429 of a strict sliding second",
    ServerErrorBefore "500, 502, 503, 504 before the server acted",
    ServerErrorAfter "500, 502, 503, 504 after the server acted",
    TryAgain "TRY_AGAIN for a call",
    TryAgainItems "TRY_AGAIN for single annotations",
    PoisonedItem "an annotation that is always refused",
    PoisonedBatch "an annotation that makes every call with it fail",
    LeftOut "an answer that leaves an annotation out",
    SaidTwice "an answer that contains an annotation twice",
    CutOff "an answer that is cut off",
    Html "HTML instead of JSON",
    FailureCode "200 with a failure code",
    ShortPage "a page with fewer annotations than it should have",
    WrongPage "a page served in the place of another",
    EmptyPage "an empty page in the middle",
    Edited "somebody labels at that moment",
    CrashBefore "killed before a request is sent",
    CrashAfter "killed before an answer is read",
    Stopped "asked to stop",
    TwoRuns "two runs at once",
}

/// Which classes may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Classes(u64);

impl Classes {
    pub(super) const ALL: Self = Self(u64::MAX);
    pub(super) const NONE: Self = Self(0);

    pub(super) fn holds(self, fault: Fault) -> bool {
        self.0 >> fault as u64 & 1 == 1
    }

    #[must_use]
    pub(super) fn without(self, fault: Fault) -> Self {
        Self(self.0 & !(1 << fault as u64))
    }
}

/// How often each class happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts(Vec<u64>);

impl Counts {
    pub(super) fn count(&mut self, fault: Fault) {
        self.0.resize(Fault::ALL.len(), 0);
        self.0[fault as usize] += 1;
    }

    pub(super) fn of(&self, fault: Fault) -> u64 {
        self.0.get(fault as usize).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.0.resize(Fault::ALL.len(), 0);
        for (mine, other) in self.0.iter_mut().zip(&other.0) {
            *mine += other;
        }
    }
}

/// A table of the occurrences of each class.
pub(super) fn table(injected: &Counts, lost: &Counts, twice: &Counts) -> String {
    let mut text = format!(
        "{:<50} {:>10} {:>6} {:>6}\n",
        "fault", "injected", "lost", "twice"
    );
    for &fault in Fault::ALL {
        writeln!(
            text,
            "{:<50} {:>10} {:>6} {:>6}",
            fault.words(),
            injected.of(fault),
            lost.of(fault),
            twice.of(fault)
        )
        .expect("writing to a string cannot fail");
    }
    text
}

/// The faults and latencies of one exchange.
#[derive(Debug, Clone)]
pub(super) struct ExchangeFaults {
    /// The latency of the request.
    pub(super) there: Duration,
    /// The latency of the answer.
    pub(super) back: Duration,
    pub(super) fault: Option<Fault>,
    /// The source of further draws.
    pub(super) chance: Chance,
}

const OF_READS: [Fault; 15] = [
    Fault::Slow,
    Fault::TimedOutBefore,
    Fault::DroppedBefore,
    Fault::Throttled,
    Fault::ThrottledWithWait,
    Fault::ServerErrorBefore,
    Fault::TryAgain,
    Fault::LeftOut,
    Fault::SaidTwice,
    Fault::CutOff,
    Fault::Html,
    Fault::FailureCode,
    Fault::ShortPage,
    Fault::WrongPage,
    Fault::EmptyPage,
];

const OF_WRITES: [Fault; 17] = [
    Fault::Slow,
    Fault::TimedOutBefore,
    Fault::TimedOutAfter,
    Fault::ActsLate,
    Fault::DroppedBefore,
    Fault::DroppedAfter,
    Fault::Throttled,
    Fault::ThrottledWithWait,
    Fault::ServerErrorBefore,
    Fault::ServerErrorAfter,
    Fault::TryAgain,
    Fault::TryAgainItems,
    Fault::LeftOut,
    Fault::SaidTwice,
    Fault::CutOff,
    Fault::Html,
    Fault::FailureCode,
];

impl ExchangeFaults {
    /// Draws the faults. Leaving classes out does not change the faults of other exchanges with the same seed.
    pub(super) fn of(mut chance: Chance, rate: u64, reads: bool, classes: Classes) -> Self {
        let there = Duration::from_millis(chance.below(120));
        let back = Duration::from_millis(chance.below(120));
        let drawn = if reads {
            *chance.pick(&OF_READS)
        } else {
            *chance.pick(&OF_WRITES)
        };
        // There are a dozen reads for each write.
        let happens = chance.in_thousand(if reads { rate } else { rate * 2 });
        Self {
            there,
            back,
            fault: Some(drawn).filter(|drawn| happens && classes.holds(*drawn)),
            chance,
        }
    }
}

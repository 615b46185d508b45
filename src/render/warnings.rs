//! What a person should know before a plan is applied: guards, what is held back, what was not seen.

use super::drift;
use super::page::{counted, thousands};
use super::phrase::Phrase;
use crate::model::Policy;
use crate::plan::{Plan, Purpose, Trip};

/// How many concepts a warning names.
const NAMED: usize = 10;

/// Something to know.
pub(super) struct Warning {
    pub(super) kind: Kind,
    pub(super) phrase: Phrase,
}

/// What it means for the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The plan goes on.
    Warning,
    /// It does not.
    Stopped,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Warning => "Warning",
            Self::Stopped => "Stopped",
        }
    }
}

/// Everything to know about a plan; what stops it last, where it is nearest to the summary.
pub(super) fn of(plan: &Plan) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |phrase: Phrase| {
        warnings.push(Warning {
            kind: Kind::Warning,
            phrase,
        });
    };
    let blind = match plan.purpose {
        Purpose::Manifest => "not seen: ",
        Purpose::Undo => "not restored: ",
    };
    for spot in &plan.blind_spots {
        warn(Phrase::from(blind).whole(spot));
    }
    let ambiguous = plan.summary.ambiguous;
    if ambiguous > 0 {
        let are = if ambiguous == 1 { "is" } else { "are" };
        warn(format!(
            "{} {are} ambiguous: another annotation lies nearly as close (runner-up within 0.02). \
             Look at what is marked ambiguous, or give those annotations keys. --fail-on-ambiguous refuses such a plan.",
            counted(ambiguous, "pairing")
        ).into());
    }
    let held = plan.summary.held_back;
    let policy = if held.deletes > 0 {
        Policy::Sync
    } else {
        Policy::Upsert
    };
    let parts: Vec<String> = [(held.updates, "change"), (held.deletes, "delete")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect();
    if !parts.is_empty() {
        warn(
            format!(
                "the policy {} holds back {}; `policy: {policy}` would not.",
                plan.policy,
                parts.join(" and ")
            )
            .into(),
        );
    }
    if let Some(words) = drift::warning(plan) {
        warn(words);
    }
    if !plan.purges.is_empty() {
        warn("apply carries out a purge only with --allow-purge.".into());
    }
    warnings.extend(plan.guards.iter().map(|trip| {
        Warning {
            kind: Kind::Stopped,
            phrase: explain(trip)
                .words(" To let exactly this plan pass: ")
                .words(trip.flag()),
        }
    }));
    warnings
}

fn explain(trip: &Trip) -> Phrase {
    match trip {
        Trip::Deletes {
            count,
            existing,
            limit,
        } => Phrase::from(format!(
            "{} of {}; the guard max_deletes allows ",
            counted(*count, "delete"),
            counted(*existing, "existing annotation"),
        ))
        .name(limit)
        .words("."),
        Trip::Updates {
            count,
            existing,
            limit,
        } => Phrase::from(format!(
            "{} of {}; the guard max_updates allows ",
            counted(*count, "change"),
            counted(*existing, "existing annotation"),
        ))
        .name(limit)
        .words("."),
        Trip::VanishedConcepts { concepts, limit } => {
            let count = concepts.len();
            let more = if count > NAMED {
                format!(", {} more", thousands((count - NAMED) as u64))
            } else {
                String::new()
            };
            Phrase::from(format!(
                "{} would be on no annotation any more (",
                counted(count as u64, "concept")
            ))
            .names(concepts.iter().take(NAMED).map(String::as_str))
            .words(more)
            .words(format!(
                "); the guard max_vanished_concepts allows {}.",
                thousands(*limit)
            ))
        }
        Trip::Drift { count } => format!(
            "{} would revert work done on the remote, and --on-drift is fail.",
            counted(*count, "change"),
        )
        .into(),
        Trip::EmptyManifest { deletes } => format!(
            "the manifest declares no input, and the plan would delete {}.",
            counted(*deletes, "annotation"),
        )
        .into(),
    }
}

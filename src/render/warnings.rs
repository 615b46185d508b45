//! What to know before a plan is applied: guards, changes that are held back, blind spots.

use super::drift;
use super::notation::plain;
use super::phrase::Phrase;
use super::rights;
use crate::model::{Policy, counted, plural, thousands};
use crate::plan::{Doubles, Plan, Purpose, Rename, TrippedGuard};
use std::collections::BTreeSet;

/// Concepts that a warning names.
const NAMED: usize = 10;

pub(super) struct Warning {
    pub(super) kind: Kind,
    pub(super) phrase: Phrase,
    /// YAML to add to the header, which the phrase introduces.
    pub(super) lines: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Note,
    Warning,
    /// Conflicts without a decision: neither change is written.
    Undecided,
    /// A guard that would have stopped the plan was let pass.
    Passed,
    /// A guard stops the plan.
    Stopped,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Note => "Note",
            Self::Warning | Self::Undecided => "Warning",
            Self::Passed => "Let pass",
            Self::Stopped => "Stopped",
        }
    }
}

/// All warnings of a plan. What stops it is last.
pub(super) fn all(plan: &Plan) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = [rights::owners(plan), rights::note(plan)]
        .into_iter()
        .flatten()
        .map(|phrase| Warning {
            kind: Kind::Note,
            phrase,
            lines: Vec::new(),
        })
        .collect();
    let mut warn = |phrase: Phrase| {
        warnings.push(Warning {
            kind: Kind::Warning,
            phrase,
            lines: Vec::new(),
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
        warn(format!(
            "{}: another annotation is nearly as close (runner-up within 0.02). Check the changes that are marked \
             ambiguous, or give those annotations keys. --fail-on-ambiguous refuses such a plan.",
            counted(ambiguous, "ambiguous pairing")
        ).into());
    }
    if let Some(words) = near(plan) {
        warn(words);
    }
    if let Some(words) = held_back(plan) {
        warn(words);
    }
    if let Some(words) = vanishing(plan) {
        warn(words);
    }
    let held = plan.summary.held_back;
    if held.unreadable > 0 {
        warn(
            format!(
                "{} held back on inputs with annotations that cannot be read: these may be declared ones. Repair or delete \
                 them in the app, then plan again.",
                counted(held.unreadable, "write")
            )
            .into(),
        );
    }
    if plan.summary.lost_consensus > 0 {
        warn(
            format!(
                "{} that the plan replaces will lose `consensus_info`: the API has no call that writes it.",
                counted(plan.summary.lost_consensus, "annotation")
            )
            .into(),
        );
    }
    if let Some(words) = drift::reverts(plan) {
        warn(words);
    }
    for words in unusual(plan).into_iter().chain(deleted_inputs(plan)) {
        warn(words);
    }
    if !plan.purges.is_empty() {
        warn("apply purges only with --allow-purge.".into());
    }
    warnings.extend(drift::undecided(plan).map(|phrase| Warning {
        kind: Kind::Undecided,
        phrase,
        lines: Vec::new(),
    }));
    warnings.extend(passed(&plan.passed_guards));
    warnings.extend(plan.guards.iter().map(|trip| {
        let phrase = explain(trip)
            .words(" To let exactly this plan pass: ")
            .words(trip.flag());
        let lines = renamed(trip);
        Warning {
            kind: Kind::Stopped,
            phrase: if lines.is_empty() {
                phrase
            } else {
                phrase.words(". If this is a rename, add this to the header instead:")
            },
            lines,
        }
    }));
    warnings
}

/// Changes that the policy holds back.
fn held_back(plan: &Plan) -> Option<Phrase> {
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
    (!parts.is_empty()).then(|| {
        format!(
            "the policy {} holds back {}; `policy: {policy}` would not.",
            plan.policy,
            parts.join(" and ")
        )
        .into()
    })
}

/// Guards that were let pass.
pub(super) fn passed(trips: &[TrippedGuard]) -> impl Iterator<Item = Warning> {
    trips.iter().map(|trip| Warning {
        kind: Kind::Passed,
        phrase: explain(trip),
        lines: Vec::new(),
    })
}

/// The labels that let this plan pass in a pipeline, sorted; empty if none does.
pub(super) fn labels(plan: &Plan) -> Vec<&'static str> {
    if plan.purpose == Purpose::Undo {
        return Vec::new();
    }
    let labels: Option<BTreeSet<&str>> = plan.guards.iter().map(TrippedGuard::label).collect();
    labels.unwrap_or_default().into_iter().collect()
}

/// The `renamed` entry of a header, for concepts that look renamed.
fn renamed(trip: &TrippedGuard) -> Vec<String> {
    match trip {
        TrippedGuard::VanishedConcepts { renames, .. } if !renames.is_empty() => {
            let pair = |it: &Rename| format!("  {}: {}", plain(&it.from), plain(&it.to));
            let key = std::iter::once("renamed:".to_owned());
            key.chain(renames.iter().map(pair)).collect()
        }
        _ => Vec::new(),
    }
}

/// Posts that are close to annotations of others.
fn near(plan: &Plan) -> Option<Phrase> {
    let of = || plan.summary.doubles.iter().filter(|of| of.near > 0);
    let count: u64 = of().map(|of| of.near).sum();
    let owners = of().map(|of| owner_of(of, of.near));
    (count > 0).then(|| {
        Phrase::from(format!(
            "{} {} close to annotations with the same concepts (IoU 0.9 or more) ",
            counted(count, "post"),
            plural(count, "is", "are")
        ))
        .then(Phrase::joined(owners, ", "))
        .words(".")
    })
}

/// `of bea (12)`, or `of another set, as-6008c26f (12)`.
fn owner_of(doubles: &Doubles, count: u64) -> Phrase {
    let count = format!(" ({})", thousands(count));
    match (&doubles.set, &doubles.user) {
        (Some(set), _) => Phrase::from("of another set, ").name(set).words(count),
        (None, Some(user)) => Phrase::from("of ").name(user.as_str()).words(count),
        (None, None) => Phrase::from("without a user").words(count),
    }
}

fn deleted_inputs(plan: &Plan) -> Option<Phrase> {
    let count = plan.deleted_inputs.len() as u64;
    (count > 0).then(|| {
        format!(
            "apply deletes {} only with --allow-delete-inputs {count}, and only if they have no annotations.",
            counted(count, "input")
        )
        .into()
    })
}

/// Concepts that no annotation has after the plan, except those that a guard names.
fn vanishing(plan: &Plan) -> Option<Phrase> {
    let guarded = plan.guards.iter().chain(&plan.passed_guards);
    let guarded: Vec<&str> = guarded
        .filter_map(|trip| match trip {
            TrippedGuard::VanishedConcepts { concepts, .. } => Some(concepts),
            _ => None,
        })
        .flatten()
        .map(String::as_str)
        .collect();
    let classes = plan.summary.classes.iter();
    let vanishing: Vec<&str> = classes
        .filter(|class| class.before > 0 && class.after == 0)
        .map(|class| class.concept.as_str())
        .filter(|concept| !guarded.contains(concept))
        .collect();
    if vanishing.is_empty() {
        return None;
    }
    let phrase = Phrase::from(format!(
        "{} will no longer be used (",
        counted(vanishing.len() as u64, "concept")
    ));
    Some(named(phrase, &vanishing).words(")."))
}

/// Appends the first names and the number of others.
fn named(phrase: Phrase, names: &[impl AsRef<str>]) -> Phrase {
    let phrase = phrase.names(names.iter().take(NAMED).map(AsRef::as_ref));
    match names.len().saturating_sub(NAMED) {
        0 => phrase,
        more => phrase.words(format!(", {} more", thousands(more as u64))),
    }
}

/// New concepts with ids that other clients of the service refuse.
fn unusual(plan: &Plan) -> Option<Phrase> {
    let is_usual = |id: &str| {
        id.chars().count() <= 32
            && id
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    let new = plan.summary.new_concepts.iter();
    let unusual: Vec<&str> = new
        .map(|it| it.concept.as_str())
        .filter(|id| !is_usual(id))
        .collect();
    if unusual.is_empty() {
        return None;
    }
    let phrase = Phrase::from(format!(
        "{} with unusual ids (",
        counted(unusual.len() as u64, "new concept")
    ));
    Some(named(phrase, &unusual).words(
        "): some clients of the service accept only letters, digits, - and _, up to 32 characters.",
    ))
}

fn explain(trip: &TrippedGuard) -> Phrase {
    match trip {
        TrippedGuard::Doubles { count, limit, of } => {
            let owners = of.iter().map(|of| owner_of(of, of.equal));
            let ways = [
                (
                    of.iter().any(|of| of.set.is_none()),
                    " To manage the existing ones instead, add their user to `owners`; under sync, annotations of that \
                     user on declared inputs are then deleted unless they are declared.",
                ),
                (
                    of.iter().any(|of| of.set.is_some()),
                    " If the set was renamed, take over its annotations with --adopt-set and its earlier name.",
                ),
            ];
            let ways = ways.into_iter().filter(|(is_one, _)| *is_one);
            Phrase::from(format!(
                "{} would duplicate annotations ",
                counted(*count, "post")
            ))
            .then(Phrase::joined(owners, ", "))
            .words(format!(
                "; the guard max_doubles allows {}.",
                thousands(*limit)
            ))
            .then(Phrase::joined(ways.map(|(_, way)| Phrase::from(way)), ""))
        }
        TrippedGuard::Deletes {
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
        TrippedGuard::Updates {
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
        TrippedGuard::VanishedConcepts {
            concepts, limit, ..
        } => {
            let count = counted(concepts.len() as u64, "concept");
            let phrase = Phrase::from(format!("{count} would no longer be used ("));
            named(phrase, concepts).words(format!(
                "); the guard max_vanished_concepts allows {}.",
                thousands(*limit)
            ))
        }
        TrippedGuard::NewConcepts { concepts, limit } => {
            let count = counted(concepts.len() as u64, "concept");
            let phrase = Phrase::from(format!("the plan creates {count} ("));
            named(phrase, concepts).words(format!(
                "), and the service cannot delete concepts; the guard max_new_concepts allows {}.",
                thousands(*limit)
            ))
        }
        TrippedGuard::Drift { count, .. } => format!(
            "{} added, changed or deleted in the app since the base.",
            counted(*count, "annotation"),
        )
        .into(),
        TrippedGuard::EmptyManifest { deletes } => format!(
            "the manifest declares no input, and the plan would delete {}.",
            counted(*deletes, "annotation"),
        )
        .into(),
    }
}

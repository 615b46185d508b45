//! What a person should know before a plan is applied: guards, what is held back, what was not seen.

use super::page::{Ink, Page, counted, thousands};
use crate::model::Policy;
use crate::plan::{Plan, Purpose, Trip};

/// How many concepts a warning names.
const NAMED: usize = 10;

pub(super) fn write(page: &mut Page, plan: &Plan) {
    let blind = match plan.purpose {
        Purpose::Manifest => "not seen",
        Purpose::Undo => "not restored",
    };
    for spot in &plan.blind_spots {
        warn(page, &format!("{blind}: {spot}"));
    }
    let ambiguous = plan.summary.ambiguous;
    if ambiguous > 0 {
        let are = if ambiguous == 1 { "is" } else { "are" };
        warn(
            page,
            &format!(
                "{} {are} ambiguous: another annotation lies nearly as close (runner-up within 0.02). \
                 Look at what is marked ambiguous, or give those annotations keys. --fail-on-ambiguous refuses such a plan.",
                counted(ambiguous, "pairing")
            ),
        );
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
            page,
            &format!(
                "the policy {} holds back {}; `policy: {policy}` would not.",
                plan.policy,
                parts.join(" and ")
            ),
        );
    }
    if !plan.purges.is_empty() {
        warn(page, "apply carries out a purge only with --allow-purge.");
    }
    for trip in &plan.guards {
        page.put(Ink::Removed, "Stopped: ").put(
            Ink::Plain,
            &format!(
                "{} To let exactly this plan pass: {}",
                explain(trip),
                trip.flag()
            ),
        );
        page.end();
    }
}

fn warn(page: &mut Page, text: &str) {
    page.put(Ink::Warning, "Warning: ").put(Ink::Plain, text);
    page.end();
}

fn explain(trip: &Trip) -> String {
    match trip {
        Trip::Deletes {
            count,
            existing,
            limit,
        } => format!(
            "{} of {}; the guard max_deletes allows {limit}.",
            counted(*count, "delete"),
            counted(*existing, "existing annotation"),
        ),
        Trip::Updates {
            count,
            existing,
            limit,
        } => format!(
            "{} of {}; the guard max_updates allows {limit}.",
            counted(*count, "change"),
            counted(*existing, "existing annotation"),
        ),
        Trip::VanishedConcepts { concepts, limit } => {
            let mut names: Vec<String> = concepts.iter().take(NAMED).cloned().collect();
            if concepts.len() > NAMED {
                names.push(format!(
                    "{} more",
                    thousands((concepts.len() - NAMED) as u64)
                ));
            }
            format!(
                "{} would be on no annotation any more ({}); the guard max_vanished_concepts allows {}.",
                counted(concepts.len() as u64, "concept"),
                names.join(", "),
                thousands(*limit),
            )
        }
        Trip::Drift { count } => format!(
            "{} would revert work done on the remote, and --on-drift is fail.",
            counted(*count, "change"),
        ),
        Trip::EmptyManifest { deletes } => format!(
            "the manifest declares no input, and the plan would delete {}.",
            counted(*deletes, "annotation"),
        ),
    }
}

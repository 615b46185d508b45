//! The outcome of an apply as text: stale and failed changes, then the counts in one line.

use super::change::ShownChange;
use super::naming::name_alone;
use super::options::Detail;
use super::page::{Color, Ink, Page};
use super::{difference, notation};
use crate::model::{Content, InputId, counted, thousands};
use crate::plan::{Action, Applied, Outcome, Since, StaleItem, StalePurge, Touched};

/// Unplanned annotations of an input that are shown.
const SHOWN: usize = 10;

/// The text of an outcome. The last line has the counts. [`Detail::Full`] shows coordinates and whole contents.
pub fn outcome_text(outcome: &Outcome, detail: Detail) -> String {
    let mut page = Page::new(Color::Never);
    write_items(&mut page, outcome, detail);
    page.line(Ink::Plain, &counts_line(outcome));
    page.finish()
}

/// Stale and failed changes, one by one.
pub(super) fn write_items(page: &mut Page, outcome: &Outcome, detail: Detail) {
    for item in &outcome.stale {
        write_stale(page, item, detail);
    }
    for item in &outcome.stale_purges {
        write_stale_purge(page, item, detail);
    }
    for item in &outcome.failed_purges {
        let line = format!("Failed: purge of input {}: {}", item.input_id, item.reason);
        page.line(Ink::Removed, &line);
    }
    for item in &outcome.stale_inputs {
        let line = format!(
            "Stale: input {}: it has {} that the undo does not know. It was not deleted.",
            item.input_id,
            counted(item.annotations, "annotation")
        );
        page.line(Ink::Changed, &line);
    }
    for item in &outcome.failed_inputs {
        let line = format!("Failed: input {}: {}", item.input_id, item.reason);
        page.line(Ink::Removed, &line);
    }
    for item in &outcome.failed {
        let name = name_alone(item.key.as_ref(), &item.id);
        let doubt = match item.touched {
            Touched::Unknown => ". It may have been written: plan again to check",
            Touched::ConceptsRemoved => {
                ". Its concepts were removed, but it was not deleted: run the same command again"
            }
            _ => "",
        };
        let line = format!(
            "Failed: {} {name} of input {}: {}{doubt}",
            item.action, item.input_id, item.reason
        );
        page.line(Ink::Removed, &line);
    }
}

fn write_stale(page: &mut Page, item: &StaleItem, detail: Detail) {
    const INDENT: &str = "    ";
    let name = name_alone(item.key.as_ref(), &item.id);
    let start = format!("Stale: {} {name} of input {}", item.action, item.input_id);
    let (cause, next) = match (&item.now, &item.wanted) {
        (None, _) => ("it no longer exists", ""),
        (Some(_), None) => ("it changed after the plan was made", " Now stored:"),
        (Some(_), Some(_)) => (
            "it changed after the plan was made",
            " From stored to planned:",
        ),
    };
    let line = match item.touched {
        Touched::Nothing => format!("{start}: {cause}. Nothing was written.{next}"),
        Touched::ConceptsRemoved => format!(
            "{start}: it was changed during the delete. Its previous concepts were removed, and it was not deleted.{next}"
        ),
        Touched::Deleted => format!("{start}: {cause}. This apply had already deleted it.{next}"),
        Touched::Unknown | Touched::Incomplete => format!(
            "{start}: {cause}. A call whose answer was lost may have written it before.{next}"
        ),
    };
    page.line(Ink::Changed, &line);
    match (&item.now, &item.wanted) {
        (Some(now), Some(wanted)) if detail == Detail::Full => {
            difference::write(page, INDENT, now, wanted);
        }
        (Some(now), wanted) => {
            let words = words(&item.input_id, now, wanted.as_ref(), detail);
            page.line(Ink::Plain, &format!("{INDENT}{words}"));
        }
        (None, _) => {}
    }
}

/// The annotation as it is stored, or how it differs from the wanted one.
fn words(input_id: &InputId, now: &Content, wanted: Option<&Content>, detail: Detail) -> String {
    if detail == Detail::Full {
        return notation::one_line(now);
    }
    ShownChange::of_contents(input_id, now, wanted).words()
}

fn write_stale_purge(page: &mut Page, item: &StalePurge, detail: Detail) {
    let count = |since| item.unplanned.iter().filter(|it| it.since == since).count() as u64;
    let parts: Vec<String> = [
        (count(Since::Made), "created"),
        (count(Since::Changed), "changed"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{} {word}", counted(count, "annotation")))
    .collect();
    let purged = match item.purged {
        0 => "Nothing was purged.".to_owned(),
        count => format!("{} had been purged before.", counted(count, "annotation")),
    };
    let line = format!(
        "Stale: purge of input {}: {} after the plan was made. {purged}",
        item.input_id,
        parts.join(" and ")
    );
    page.line(Ink::Changed, &line);
    for annotation in item.unplanned.iter().take(SHOWN) {
        let word = match annotation.since {
            Since::Made => "created",
            Since::Changed => "changed, now",
        };
        let now = words(&item.input_id, &annotation.now, None, detail);
        page.line(Ink::Plain, &format!("    {} ({word}) {now}", annotation.id));
    }
    if item.unplanned.len() > SHOWN {
        let more = (item.unplanned.len() - SHOWN) as u64;
        page.line(Ink::Plain, &format!("    and {} more", thousands(more)));
    }
}

fn past(action: Action) -> &'static str {
    match action {
        Action::Post => "posted",
        Action::Merge => "merged",
        Action::Overwrite => "overwritten",
        Action::Remove => "removed",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
    }
}

/// The counts in one line.
pub(super) fn counts_line(outcome: &Outcome) -> String {
    let Applied {
        actions,
        purge,
        purged,
        posted_inputs,
        deleted_inputs,
    } = outcome.applied;
    let inputs = [(posted_inputs, "posted"), (deleted_inputs, "deleted")];
    let inputs = inputs
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", counted(count, "input")));
    let annotations = actions
        .each()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(action, count)| format!("{} {}", thousands(count), past(action)));
    let mut kinds: Vec<String> = inputs.chain(annotations).collect();
    if purge > 0 {
        let (inputs, annotations) = (counted(purge, "input"), counted(purged, "annotation"));
        kinds.push(format!("{inputs} purged of {annotations}"));
    } else if purged > 0 {
        kinds.push(format!("{} purged", counted(purged, "annotation")));
    }
    let total = thousands(outcome.applied.total());
    let applied = if kinds.is_empty() {
        format!("Applied {total}")
    } else {
        format!("Applied {total} ({})", kinds.join(", "))
    };
    let mut parts = vec![
        applied,
        format!("{} already up to date", thousands(outcome.already_so)),
    ];
    if outcome.has_stale() {
        parts.push(format!("{} stale", thousands(outcome.stale_count())));
    }
    parts.push(format!("{} failed", thousands(outcome.failed_count())));
    parts.push(format!(
        "{} not attempted",
        thousands(outcome.not_attempted)
    ));
    format!("{}.", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AnnotationId;
    use crate::plan::{ActionCounts, FailedItem, FailedPurge, Unplanned};
    use crate::render::sample;

    fn shown(outcome: &Outcome) -> String {
        outcome_text(outcome, Detail::default())
    }

    #[test]
    fn the_last_line_has_all_counts() {
        let mut outcome = Outcome {
            applied: Applied {
                actions: ActionCounts {
                    post: 8,
                    merge: 3,
                    delete: 1,
                    ..ActionCounts::default()
                },
                ..Applied::default()
            },
            not_attempted: 1_200,
            ..Outcome::default()
        };
        let line = "Applied 12 (8 posted, 3 merged, 1 deleted), 0 already up to date, 0 failed, 1,200 not attempted.\n";
        assert_eq!(shown(&outcome), line);
        for action in [Action::Overwrite, Action::Remove, Action::Replace] {
            outcome.applied.actions.add(action);
        }
        let line = "Applied 15 (8 posted, 3 merged, 1 overwritten, 1 removed, 1 replaced, 1 deleted), \
                    0 already up to date, 0 failed, 1,200 not attempted.\n";
        assert_eq!(shown(&outcome), line);
        let nothing = Outcome {
            already_so: 2,
            ..Outcome::default()
        };
        let line = "Applied 0, 2 already up to date, 0 failed, 0 not attempted.\n";
        assert_eq!(shown(&nothing), line);
    }

    #[test]
    fn purges_are_counted_by_inputs_and_annotations() {
        let mut outcome = Outcome {
            applied: Applied {
                actions: ActionCounts {
                    delete: 1,
                    ..ActionCounts::default()
                },
                purge: 1,
                purged: 1_400,
                ..Applied::default()
            },
            ..Outcome::default()
        };
        let line = "Applied 2 (1 deleted, 1 input purged of 1,400 annotations), 0 already up to date, 0 failed, 0 not attempted.\n";
        assert_eq!(shown(&outcome), line);
        outcome.applied.actions.delete = 0;
        outcome.applied.purge = 0;
        let purge = sample::purge("street-3", &["ann"]);
        let unplanned = |since, at: usize| Unplanned {
            id: AnnotationId::new(format!("late-{at}")).unwrap(),
            since,
            now: purge.annotations[0].before.clone(),
        };
        let late = vec![unplanned(Since::Made, 0), unplanned(Since::Changed, 1)];
        let many = (0..12).map(|at| unplanned(Since::Made, at)).collect();
        outcome.stale_purges = vec![
            StalePurge::new(0, &purge, late, 0),
            StalePurge::new(1, &purge, many, 2),
        ];
        outcome.failed_purges = vec![FailedPurge::new(
            2,
            &purge,
            "1 annotation is still there: no",
        )];
        insta::assert_snapshot!(shown(&outcome), @r"
        Stale: purge of input street-3: 1 annotation created and 1 annotation changed after the plan was made. Nothing was purged.
            late-0 (created) box [car]: top, 16 % of the image
            late-1 (changed, now) box [car]: top, 16 % of the image
        Stale: purge of input street-3: 12 annotations created after the plan was made. 2 annotations had been purged before.
            late-0 (created) box [car]: top, 16 % of the image
            late-1 (created) box [car]: top, 16 % of the image
            late-2 (created) box [car]: top, 16 % of the image
            late-3 (created) box [car]: top, 16 % of the image
            late-4 (created) box [car]: top, 16 % of the image
            late-5 (created) box [car]: top, 16 % of the image
            late-6 (created) box [car]: top, 16 % of the image
            late-7 (created) box [car]: top, 16 % of the image
            late-8 (created) box [car]: top, 16 % of the image
            late-9 (created) box [car]: top, 16 % of the image
            and 2 more
        Failed: purge of input street-3: 1 annotation is still there: no
        Applied 0 (1,400 annotations purged), 0 already up to date, 2 stale, 1 failed, 0 not attempted.
        ");
    }

    #[test]
    fn concepts_removed_before_a_concurrent_change_are_reported() {
        let gone = sample::deleted("b");
        let mut now = gone.before().cloned().unwrap();
        now.concepts = Some(sample::concepts(&["late"]));
        let outcome = Outcome {
            stale: vec![StaleItem {
                touched: Touched::ConceptsRemoved,
                ..StaleItem::new(0, &gone, Some(now))
            }],
            ..Outcome::default()
        };
        insta::assert_snapshot!(shown(&outcome), @r"
        Stale: delete annotation 300b8e39a65e4f33ae4e15e86eaf4a3b of input b: it was changed during the delete. Its previous concepts were removed, and it was not deleted. Now stored:
            box [late]: top, 16 % of the image
        Applied 0, 0 already up to date, 1 stale, 0 failed, 0 not attempted.
        ");
    }

    #[test]
    fn stale_and_failed_changes_come_before_the_counts() {
        let (keyed, gone) = (sample::moved(), sample::deleted("b"));
        let mut now = keyed.before().cloned().unwrap();
        now.geometry = Some(sample::a_box(0.9));
        let outcome = Outcome {
            stale: vec![
                StaleItem::new(0, &keyed, Some(now)),
                StaleItem::new(1, &gone, gone.before().cloned()),
                StaleItem::new(2, &sample::relabelled(), None),
            ],
            failed: vec![FailedItem::new(3, &gone, "no such thing\u{1b}[1A\nreally")],
            ..Outcome::default()
        };
        insta::assert_snapshot!(shown(&outcome), @r"
        Stale: overwrite red-car of input street-1: it changed after the plan was made. Nothing was written. From stored to planned:
            box [car]: centre, 26 % of the image; IoU 0.81
        Stale: delete annotation 300b8e39a65e4f33ae4e15e86eaf4a3b of input b: it changed after the plan was made. Nothing was written. Now stored:
            box [car]: top, 16 % of the image
        Stale: merge annotation as-0a1b2c3d-99887766554433221100 of input street-2: it no longer exists. Nothing was written.
        Failed: delete annotation 300b8e39a65e4f33ae4e15e86eaf4a3b of input b: no such thing\u001b[1A\nreally
        Applied 0, 0 already up to date, 3 stale, 1 failed, 0 not attempted.
        ");
        insta::assert_snapshot!(outcome_text(&outcome, Detail::Full), @r"
        Stale: overwrite red-car of input street-1: it changed after the plan was made. Nothing was written. From stored to planned:
            - box: {top: 0.1, left: 0.2, bottom: 0.9, right: 0.6}
            + box: {top: 0.1, left: 0.2, bottom: 0.75, right: 0.6}
              concepts: [car]
        Stale: delete annotation 300b8e39a65e4f33ae4e15e86eaf4a3b of input b: it changed after the plan was made. Nothing was written. Now stored:
            {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [car], status: success, user: me, metadata: {weather: rain}}
        Stale: merge annotation as-0a1b2c3d-99887766554433221100 of input street-2: it no longer exists. Nothing was written.
        Failed: delete annotation 300b8e39a65e4f33ae4e15e86eaf4a3b of input b: no such thing\u001b[1A\nreally
        Applied 0, 0 already up to date, 3 stale, 1 failed, 0 not attempted.
        ");
    }
}

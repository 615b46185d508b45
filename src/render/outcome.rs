//! The outcome of an apply as text: what failed and what had changed, then the account in one line.

use super::page::{Color, Ink, Page, thousands};
use super::text::name_alone;
use super::{difference, notation};
use crate::plan::{Applied, Outcome, StaleItem};

/// The text of an outcome. The last line says how many operations were applied, were already so, were stale (if any),
/// failed, and were not attempted.
pub fn outcome_text(outcome: &Outcome) -> String {
    let mut page = Page::new(Color::Never);
    for item in &outcome.stale {
        write_stale(&mut page, item);
    }
    for item in &outcome.failed {
        let name = name_alone(item.key.as_ref(), &item.id);
        let line = format!(
            "Failed: {} {name} of input {}: {}",
            item.action, item.input_id, item.reason
        );
        page.line(Ink::Removed, &line);
    }
    page.line(Ink::Plain, &account(outcome));
    page.finish()
}

fn write_stale(page: &mut Page, item: &StaleItem) {
    const INDENT: &str = "    ";
    let name = name_alone(item.key.as_ref(), &item.id);
    let start = format!("Stale: {} {name} of input {}", item.action, item.input_id);
    let (happened, next) = match (&item.now, &item.wanted) {
        (None, _) => ("it is gone", ""),
        (Some(_), None) => ("it changed after the plan was made", " It is now:"),
        (Some(_), Some(_)) => ("it changed after the plan was made", " From now to wanted:"),
    };
    let line = format!("{start}: {happened}. Nothing of it was written.{next}");
    page.line(Ink::Changed, &line);
    match (&item.now, &item.wanted) {
        (Some(now), Some(wanted)) => difference::write(page, INDENT, now, wanted),
        (Some(now), None) => {
            page.line(Ink::Plain, &format!("{INDENT}{}", notation::one_line(now)));
        }
        (None, _) => {}
    }
}

fn account(outcome: &Outcome) -> String {
    let Applied {
        post,
        merge,
        overwrite,
        remove,
        replace,
        delete,
    } = outcome.applied;
    let kinds: Vec<String> = [
        (post, "posted"),
        (merge, "merged"),
        (overwrite, "overwritten"),
        (remove, "removed"),
        (replace, "replaced"),
        (delete, "deleted"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{} {word}", thousands(count)))
    .collect();
    let total = thousands(outcome.applied.total());
    let applied = if kinds.is_empty() {
        format!("Applied {total}")
    } else {
        format!("Applied {total} ({})", kinds.join(", "))
    };
    let mut parts = vec![
        applied,
        format!("{} already so", thousands(outcome.already_so)),
    ];
    if outcome.has_stale() {
        parts.push(format!("{} stale", thousands(outcome.stale.len() as u64)));
    }
    parts.push(format!("{} failed", thousands(outcome.failed.len() as u64)));
    parts.push(format!(
        "{} not attempted",
        thousands(outcome.not_attempted)
    ));
    format!("{}.", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Action, FailedItem};
    use crate::render::sample;

    #[test]
    fn the_last_line_accounts_for_everything() {
        let mut outcome = Outcome {
            applied: Applied {
                post: 8,
                merge: 3,
                delete: 1,
                ..Applied::default()
            },
            not_attempted: 1_200,
            ..Outcome::default()
        };
        let line = "Applied 12 (8 posted, 3 merged, 1 deleted), 0 already so, 0 failed, 1,200 not attempted.\n";
        assert_eq!(outcome_text(&outcome), line);
        for action in [Action::Overwrite, Action::Remove, Action::Replace] {
            outcome.applied.add(action);
        }
        let line = "Applied 15 (8 posted, 3 merged, 1 overwritten, 1 removed, 1 replaced, 1 deleted), \
                    0 already so, 0 failed, 1,200 not attempted.\n";
        assert_eq!(outcome_text(&outcome), line);
        let nothing = Outcome {
            already_so: 2,
            ..Outcome::default()
        };
        let line = "Applied 0, 2 already so, 0 failed, 0 not attempted.\n";
        assert_eq!(outcome_text(&nothing), line);
    }

    #[test]
    fn failures_and_what_had_changed_come_before_it() {
        let (keyed, gone) = (sample::moved(), sample::deleted("b"));
        let mut now = keyed.before.clone().unwrap();
        now.geometry = Some(sample::a_box(0.9));
        let outcome = Outcome {
            stale: vec![
                StaleItem::new(0, &keyed, Some(now)),
                StaleItem::new(1, &gone, gone.before.clone()),
                StaleItem::new(2, &sample::relabelled(), None),
            ],
            failed: vec![FailedItem::new(3, &gone, "no such thing\u{1b}[1A\nreally")],
            ..Outcome::default()
        };
        insta::assert_snapshot!(outcome_text(&outcome), @r"
        Stale: overwrite red-car of input street-1: it changed after the plan was made. Nothing of it was written. From now to wanted:
            - box: {top: 0.1, left: 0.2, bottom: 0.9, right: 0.6}
            + box: {top: 0.1, left: 0.2, bottom: 0.75, right: 0.6}
              concepts: [car]
        Stale: delete annotation 300b8e39a65e4f33ae4e15e86eaf4a3b of input b: it changed after the plan was made. Nothing of it was written. It is now:
            {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [car], status: success, user: me, metadata: {weather: rain}}
        Stale: merge annotation as-0a1b2c3d-99887766554433221100 of input street-2: it is gone. Nothing of it was written.
        Failed: delete annotation 300b8e39a65e4f33ae4e15e86eaf4a3b of input b: no such thing\u001b[1A\nreally
        Applied 0, 0 already so, 3 stale, 1 failed, 0 not attempted.
        ");
    }
}

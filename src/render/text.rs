//! A plan as text for people: purges, the changes by input, destructive ones first, then warnings, then the counts.

use super::filter::Filter;
use super::page::{Color, Ink, Page, counted, thousands};
use super::{difference, notation, purge, warnings};
use crate::model::{AnnotationId, Content, Geometry, InputId, Key, is_set_id};
use crate::plan::{Action, MatchedBy, Operation, Plan, Purpose, Reason, Summary};
use std::collections::BTreeMap;

/// How many changes the text of a large plan shows, besides its deletes.
pub const SHOWN: usize = 200;

/// How much of a large plan is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// Of more than [`SHOWN`] changes every delete and replace, and the first [`SHOWN`] others.
    #[default]
    First200,
    /// Every change.
    Full,
}

/// How a plan is shown.
#[derive(Debug, Clone, Default)]
pub struct TextOptions {
    /// How much of it.
    pub detail: Detail,
    /// Which changes.
    pub filter: Filter,
    /// Whether in colour.
    pub color: Color,
    /// Columns of the terminal; nothing where lines may be as long as they are.
    pub width: Option<usize>,
}

/// The text of a plan. The last line is the summary, or says that there is nothing to do.
pub fn text(plan: &Plan, options: &TextOptions) -> String {
    let mut page = Page::new(options.color).within(options.width);
    purge::write(&mut page, plan, options.detail);
    page.gap();
    write_changes(&mut page, plan, options.detail);
    page.gap();
    warnings::write(&mut page, plan);
    page.gap();
    if plan.is_empty() && plan.purpose == Purpose::Undo {
        page.line(Ink::Plain, "No changes. There is nothing to undo.");
    } else if plan.is_empty() {
        page.line(Ink::Plain, &no_changes(plan.summary.unchanged));
    } else {
        page.line(Ink::Plain, &summary(&plan.summary));
    }
    page.finish()
}

/// Inputs in the order of what is most destructive about them, and so are the changes of each.
fn groups(plan: &Plan) -> Vec<(&InputId, Vec<&Operation>)> {
    let mut by_input: BTreeMap<&InputId, Vec<&Operation>> = BTreeMap::new();
    for operation in &plan.operations {
        by_input
            .entry(&operation.input_id)
            .or_default()
            .push(operation);
    }
    let mut groups: Vec<_> = by_input.into_iter().collect();
    for (_, operations) in &mut groups {
        operations.sort_by_key(|operation| operation.action);
    }
    groups.sort_by_key(|(_, operations)| operations.first().map(|o| destructiveness(o.action)));
    groups
}

/// 0: annotations go; 1: parts of annotations go; 2: nothing goes.
fn destructiveness(action: Action) -> u8 {
    match action {
        Action::Delete | Action::Replace => 0,
        Action::Overwrite | Action::Remove => 1,
        Action::Merge | Action::Post => 2,
    }
}

fn write_changes(page: &mut Page, plan: &Plan, detail: Detail) {
    let mut room = match detail {
        Detail::First200 if plan.operations.len() > SHOWN => SHOWN,
        _ => usize::MAX,
    };
    let mut left_out: BTreeMap<Action, u64> = BTreeMap::new();
    for (input_id, operations) in groups(plan) {
        let mut shown = Vec::with_capacity(operations.len());
        for &operation in &operations {
            if destructiveness(operation.action) == 0 {
                shown.push(operation);
            } else if room > 0 {
                room -= 1;
                shown.push(operation);
            } else {
                *left_out.entry(operation.action).or_default() += 1;
            }
        }
        if shown.is_empty() {
            continue;
        }
        page.gap();
        page.put(Ink::Heading, input_id.as_str());
        if shown.len() < operations.len() {
            let (some, all) = (shown.len() as u64, operations.len() as u64);
            let part = format!(" ({} of {} shown)", thousands(some), counted(all, "change"));
            page.put(Ink::Faint, &part);
        }
        page.end();
        let ids = ShortIds::of(&operations);
        for operation in shown {
            write_change(page, operation, &ids);
        }
    }
    if !left_out.is_empty() {
        let total: u64 = left_out.values().sum();
        let parts: Vec<String> = left_out
            .iter()
            .map(|(action, count)| format!("{} to {action}", thousands(*count)))
            .collect();
        page.gap();
        let total = counted(total, "more change");
        let line = format!(
            "{total} not shown: {}. See all with --full.",
            parts.join(", ")
        );
        page.line(Ink::Warning, &line);
    }
}

fn write_change(page: &mut Page, operation: &Operation, ids: &ShortIds) {
    const INDENT: &str = "      ";
    let (sign, ink) = match operation.action {
        Action::Post => ("+", Ink::Added),
        Action::Merge | Action::Overwrite | Action::Remove => ("~", Ink::Changed),
        Action::Delete => ("-", Ink::Removed),
        Action::Replace => ("±", Ink::Removed),
    };
    let why = match &operation.matched {
        Some(matched) if operation.reason != Reason::Unfinished => matched.to_string(),
        _ => reason(operation.reason).to_owned(),
    };
    page.put(Ink::Plain, "  ")
        .put(ink, &format!("{sign} {}", operation.action))
        .put(Ink::Plain, &format!(" {}", name(operation, ids)))
        .put(Ink::Faint, &format!(" ({why})"))
        .end();
    match (&operation.before, &operation.after) {
        (Some(before), Some(after)) if operation.reason == Reason::Undone => {
            difference::write_whole(page, INDENT, before, after);
        }
        (Some(before), Some(after)) => difference::write(page, INDENT, before, after),
        (None, None) => {}
        (one, other) => {
            let content = one.as_ref().or(other.as_ref());
            let line = content.map(notation::one_line).unwrap_or_default();
            page.line(ink, &format!("{INDENT}{line}"));
        }
    }
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::NotOnRemote => "not on the remote",
        Reason::Differs => "differs",
        Reason::NotDeclared => "not declared",
        Reason::InputNotDeclared => "its input is not declared any more",
        Reason::Undone => "undoes an apply",
        Reason::LeftBehind => "a stand-in that an earlier run left behind",
        Reason::Unfinished => "an earlier run did not finish it",
    }
}

/// The key; else what it is and its id: the whole id of what goes, which people look up, and enough of it to tell it
/// from its neighbours for the rest.
fn name(operation: &Operation, ids: &ShortIds) -> String {
    if let Some(key) = &operation.key {
        return key.to_string();
    }
    let id = if destructiveness(operation.action) == 0 {
        operation.id.to_string()
    } else {
        ids.get(&operation.id)
    };
    let content = operation.before.as_ref().or(operation.after.as_ref());
    let concepts = content
        .and_then(|content| content.concepts.as_ref())
        .map(|concepts| format!("[{}] ", notation::brief(concepts)))
        .unwrap_or_default();
    format!("{} {concepts}{id}", kind(operation, content))
}

fn kind(operation: &Operation, content: Option<&Content>) -> &'static str {
    match content.and_then(|content| content.geometry.as_ref()) {
        Some(Geometry::Box(_)) => "box",
        Some(Geometry::Polygon(_)) => "polygon",
        Some(Geometry::Point(_)) => "point",
        Some(Geometry::Keypoints(_)) => "keypoints",
        Some(Geometry::Mask(_)) => "mask",
        Some(Geometry::Span(_)) => "span",
        Some(Geometry::Segment(_)) => "segment",
        Some(Geometry::Region(_) | Geometry::RegionOf(_)) => "region",
        Some(Geometry::Whole) => "whole input",
        Some(Geometry::Unmodelled) => "annotation",
        None if content.is_some_and(|content| content.frame.is_some()) => "frame",
        None if content.is_some_and(|content| content.text().is_some()) => "text",
        // Without a geometry it covers the whole input, or its place is not managed or not modelled.
        None => match (
            operation.action,
            operation.matched.map(|matched| matched.by),
        ) {
            (Action::Post, _)
            | (
                _,
                Some(
                    MatchedBy::Exact
                    | MatchedBy::Relabelled
                    | MatchedBy::Moved
                    | MatchedBy::MovedAndRelabelled,
                ),
            ) => "whole input",
            (_, Some(MatchedBy::Id | MatchedBy::Key | MatchedBy::InputLevel) | None) => {
                "annotation"
            }
        },
    }
}

/// What a stale or failed operation is called, where only its names are known.
pub(super) fn name_alone(key: Option<&Key>, id: &AnnotationId) -> String {
    match key {
        Some(key) => key.to_string(),
        None => format!("annotation {id}"),
    }
}

/// The ids of one input's changes, short where that tells them apart.
struct ShortIds(BTreeMap<String, u32>);

impl ShortIds {
    fn of(operations: &[&Operation]) -> Self {
        let mut counts = BTreeMap::new();
        for operation in operations {
            *counts.entry(Self::short(&operation.id)).or_default() += 1;
        }
        Self(counts)
    }

    fn get(&self, id: &AnnotationId) -> String {
        let short = Self::short(id);
        if self.0.get(&short) == Some(&1) {
            short
        } else {
            id.to_string()
        }
    }

    fn short(id: &AnnotationId) -> String {
        const LENGTH: usize = 8;
        let text = id.as_str();
        // All of a set's ids begin alike; what tells them apart comes after the second dash.
        let own = if is_set_id(id) { &text[12..] } else { text };
        if own.chars().count() <= LENGTH + 4 {
            return text.to_owned();
        }
        let start: String = own.chars().take(LENGTH).collect();
        if is_set_id(id) {
            format!("as-…-{start}…")
        } else {
            format!("{start}…")
        }
    }
}

fn no_changes(unchanged: u64) -> String {
    let match_ = if unchanged == 1 { "matches" } else { "match" };
    format!("No changes. {} {match_}.", counted(unchanged, "annotation"))
}

fn summary(summary: &Summary) -> String {
    let to = |count: u64, word: &str| format!("{} to {word}", thousands(count));
    let mut changes = Vec::new();
    if summary.purge > 0 {
        changes.push(format!(
            "{} to purge ({})",
            counted(summary.purge, "input"),
            counted(summary.purged, "annotation")
        ));
    }
    changes.extend([
        to(summary.post, "post"),
        to(summary.merge, "merge"),
        to(summary.overwrite, "overwrite"),
        to(summary.remove, "remove"),
    ]);
    if summary.replace > 0 {
        changes.push(to(summary.replace, "replace"));
    }
    changes.push(to(summary.delete, "delete"));
    let mut rest = vec![
        format!("{} unchanged", thousands(summary.unchanged)),
        format!("{} unmanaged", thousands(summary.unmanaged)),
    ];
    if summary.other_sets > 0 {
        rest.push(format!("{} of other sets", thousands(summary.other_sets)));
    }
    let tenths = summary.tenths_of_seconds();
    format!(
        "Plan: {}; {}. {} (lower bound {}), about {}.{} s at {}/s.",
        changes.join(", "),
        rest.join(", "),
        counted(summary.calls, "call"),
        thousands(summary.lower_bound),
        thousands(tenths / 10),
        tenths % 10,
        counted(u64::from(summary.rate_limit), "call"),
    )
}

#[cfg(test)]
mod tests;

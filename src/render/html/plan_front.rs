//! The first screen of a plan: what it does, what stops it, what it deletes, and its counts.

use super::anchor::{encoded, in_app};
use super::chart;
use super::markup::Markup;
use crate::model::{counted, thousands};
use crate::plan::{Action, AppChange, Operation, Plan, Purpose};
use crate::render::change::ShownChange;
use crate::render::filter::Filter;
use crate::render::naming::{ShortIds, why};
use crate::render::notation::cut;
use crate::render::phrase::Phrase;
use crate::render::report::sections;
use crate::render::selection::{Selection, destructiveness};
use crate::render::warnings::{self, Warning};
use crate::render::{closing, drift, inputs, purge};

pub(super) fn title(plan: &Plan) -> String {
    let what = match plan.purpose {
        Purpose::Manifest => "annosync plan",
        Purpose::Undo => "annosync undo",
    };
    let target = &plan.target;
    // An offline plan may have no target.
    if target.app_id.is_empty() {
        return format!("{what}: {}", plan.set);
    }
    format!(
        "{what}: {} on {}/{}",
        plan.set, target.user_id, target.app_id
    )
}

/// Writes the first screen, with up to `rows` rows in each part.
pub(super) fn write(m: &mut Markup, plan: &Plan, filter: &Filter, rows: usize) {
    let selection = Selection::of(plan, filter);
    m.raw("<header>\n<h1>")
        .text(&cut(&title(plan)))
        .raw("</h1>\n<p>")
        .phrase(&closing::about(plan))
        .raw(".</p>\n");
    let warnings = warnings::all(plan);
    write_warnings(m, &warnings, warnings::Kind::Stopped);
    write_warnings(m, &warnings, warnings::Kind::Undecided);
    m.raw("<p>").text(&closing::line(plan)).raw("</p>\n");
    let actions = closing::actions(&plan.summary);
    if !actions.is_empty() {
        m.raw("<ul class=\"totals\">");
        for action in &actions {
            m.raw("<li>").text(action).raw("</li>");
        }
        m.raw("</ul>\n");
    }
    m.raw("</header>\n<main>\n");
    for kind in [
        warnings::Kind::Passed,
        warnings::Kind::Warning,
        warnings::Kind::Note,
    ] {
        write_warnings(m, &warnings, kind);
    }
    if let Some(none) = drift::none(plan) {
        m.raw("<p>").phrase(&none).raw("</p>\n");
    }
    if let Some(words) = selection.filter_note(filter) {
        m.raw("<p class=\"warning\">").phrase(&words).raw("</p>\n");
    }
    m.raw("<div class=\"reports\">\n");
    for section in sections(&plan.summary, rows) {
        chart::section(m, &section);
    }
    m.raw("</div>\n");
    app_changes(m, plan, &selection, rows);
    deletes(m, plan, &selection, rows);
    planned_inputs(m, plan, rows);
}

fn write_warnings(m: &mut Markup, all: &[Warning], kind: warnings::Kind) {
    let class = match kind {
        warnings::Kind::Note => "note",
        warnings::Kind::Warning | warnings::Kind::Undecided => "warning",
        warnings::Kind::Passed => "passed",
        warnings::Kind::Stopped => "stopped",
    };
    for warning in all.iter().filter(|it| it.kind == kind) {
        m.raw("<div")
            .attribute("class", class)
            .raw("><strong>")
            .raw(kind.word())
            .raw(":</strong> ")
            .phrase(&warning.phrase);
        if !warning.lines.is_empty() {
            m.raw("<pre>")
                .lines(&warning.lines.join("\n"))
                .raw("</pre>");
        }
        m.raw("</div>\n");
    }
}

/// A part with a heading, and the number of rows that are left out.
fn part(
    m: &mut Markup,
    heading: &Phrase,
    titles: &[&'static str],
    rows: Vec<Markup>,
    (more, noun): (usize, &str),
) {
    if rows.is_empty() {
        return;
    }
    m.raw("<section class=\"report\">\n<h2>")
        .phrase(heading)
        .raw("</h2>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
    for title in titles {
        m.raw("<th scope=\"col\">").raw(title).raw("</th>");
    }
    m.raw("</tr></thead>\n<tbody>\n");
    for row in rows {
        m.raw("<tr>").append(&row).raw("</tr>\n");
    }
    m.raw("</tbody></table></div>\n");
    if more > 0 {
        let noun = format!("more {noun}");
        m.raw("<p class=\"more\">")
            .text(&counted(more as u64, &noun))
            .raw(".</p>\n");
    }
    m.raw("</section>\n");
}

/// Purges, deletes and replacements, each with a link to its drawing.
fn deletes(m: &mut Markup, plan: &Plan, selection: &Selection<'_>, limit: usize) {
    let ids = ShortIds::of_plan(plan);
    let operations = selection.reverting.iter().chain(&selection.ordinary);
    let gone: Vec<&&Operation> = operations
        .filter(|operation| destructiveness(operation.action()) == 0)
        .collect();
    let all = selection.purges.len() + gone.len();
    let mut rows: Vec<Markup> = Vec::new();
    for it in selection.purges.iter().take(limit) {
        let mut row = Markup::default();
        let id = it.input_id.as_str();
        row.raw("<th scope=\"row\"><a")
            .attribute("href", &format!("#i-{}", encoded(id)))
            .raw(">")
            .name(&cut(id))
            .raw("</a></th><td>purge: ")
            .text(&purge::extent(it))
            .raw("</td><td>")
            .phrase(&purge::makers(it))
            .raw("</td><td><code>purge: true</code></td>");
        rows.push(row);
    }
    for it in gone.into_iter().take(limit.saturating_sub(rows.len())) {
        rows.push(deleted(it, &ids));
    }
    let replaces = plan.summary.actions.replace > 0;
    let name = if replaces {
        "Deletes and replacements"
    } else {
        "Deletes"
    };
    let heading = format!("{name} ({})", thousands(all as u64)).into();
    let more = (all - rows.len(), "change");
    part(
        m,
        &heading,
        &["input", "change", "user", "reason"],
        rows,
        more,
    );
}

fn deleted(operation: &Operation, ids: &ShortIds) -> Markup {
    let mut row = Markup::default();
    let (input, id) = (operation.input_id.as_str(), operation.id.as_str());
    let user = operation.seen().and_then(|seen| seen.user.as_ref());
    row.raw("<th scope=\"row\">")
        .name(&cut(input))
        .raw("</th><td>")
        .raw(match operation.action() {
            Action::Replace => "replace ",
            _ => "delete ",
        })
        .raw("<a")
        .attribute("href", &format!("#{}/{}", encoded(input), encoded(id)))
        .raw(">")
        .name(&cut(&ShownChange::of_operation(operation, ids).subject()))
        .raw("</a></td><td>");
    match user {
        Some(user) => row.name(&cut(user.as_str())),
        None => row.raw("unknown"),
    };
    row.raw("</td><td>")
        .text(&cut(&why(operation)))
        .raw("</td>");
    row
}

/// Conflicts without a decision, and changes made in the app that are left alone or reverted.
fn app_changes(m: &mut Markup, plan: &Plan, selection: &Selection<'_>, limit: usize) {
    let mut list = |heading: Phrase, words: Phrase, changes: &[&AppChange]| {
        let rows: Vec<Markup> = changes
            .iter()
            .take(limit)
            .map(|it| app_change(it))
            .collect();
        let heading = heading.words(": ").then(words);
        let more = (changes.len() - rows.len(), "change");
        part(
            m,
            &heading,
            &["input", "change", "last write", "fields"],
            rows,
            more,
        );
    };
    if plan.summary.undecided > 0 {
        let (heading, words) = (drift::undecided_heading(plan), drift::undecided_words(plan));
        list(heading, words, &selection.undecided);
    }
    if let Some(words) = drift::kept_words(plan) {
        list(drift::kept_heading(plan), words, &selection.kept);
    }
    if let Some(count) = selection.reverting_words(plan) {
        let ids = ShortIds::of_plan(plan);
        let shown = selection.reverting.iter().take(limit);
        let rows: Vec<Markup> = shown
            .map(|operation| {
                let mut row = Markup::default();
                let (input, id) = (operation.input_id.as_str(), operation.id.as_str());
                row.raw("<th scope=\"row\">")
                    .name(&cut(input))
                    .raw("</th><td>")
                    .text(&operation.action().to_string())
                    .raw(" <a")
                    .attribute("href", &format!("#{}/{}", encoded(input), encoded(id)))
                    .raw(">")
                    .name(&cut(&ShownChange::of_operation(operation, &ids).subject()))
                    .raw("</a></td><td>")
                    .phrase(&drift::provenance(operation))
                    .raw("</td>");
                row
            })
            .collect();
        let heading = drift::heading(plan).words(format!(": {count}"));
        let more = (selection.reverting.len() - rows.len(), "change");
        part(m, &heading, &["input", "change", "last write"], rows, more);
    }
}

fn app_change(change: &AppChange) -> Markup {
    let mut row = Markup::default();
    row.raw("<th scope=\"row\">")
        .name(&cut(change.input_id.as_str()))
        .raw("</th><td><a")
        .attribute(
            "href",
            &format!("#{}", in_app(change.input_id.as_str(), change.id.as_str())),
        )
        .raw(">")
        .phrase(&drift::title(change))
        .raw("</a></td><td>")
        .phrase(&drift::change_provenance(change))
        .raw("</td><td>");
    for (at, line) in drift::details(change).iter().enumerate() {
        row.raw(if at > 0 { "<br>" } else { "" }).phrase(line);
    }
    row.raw("</td>");
    row
}

fn planned_inputs(m: &mut Markup, plan: &Plan, limit: usize) {
    let lines = inputs::lines(plan);
    let rows: Vec<Markup> = lines
        .iter()
        .take(limit)
        .map(|line| {
            let mut row = Markup::default();
            row.raw("<th scope=\"row\">")
                .name(&cut(line.input.as_str()))
                .raw("</th><td>")
                .phrase(&line.action)
                .raw("</td>");
            row
        })
        .collect();
    let heading = format!("Inputs ({})", thousands(lines.len() as u64)).into();
    let more = (lines.len() - rows.len(), "input");
    part(m, &heading, &["input", "change"], rows, more);
}

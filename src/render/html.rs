//! Plans, diffs and statistics as a page: one file without network access, for people to review.
//!
//! First the totals, what stops the plan, deletes and counts; then the changes by input, drawn over their pictures. The page can
//! be read without its script, which adds filters, keys, and the changes of a large plan. Every text from outside is added
//! through `Markup`, which escapes it.

mod anchor;
mod article;
mod card;
mod chart;
mod document;
mod gallery;
#[cfg(test)]
mod hostile;
mod index;
mod markup;
mod plan_front;
#[cfg(test)]
mod tests;
mod visual;

use self::chart::{Matrix, bar};
use self::markup::Markup;
use super::change::difference_words;
use super::diff::{DiffOptions, chosen, closing, report_of};
use super::filter::Filter;
use super::link;
use super::options::Detail;
use super::report::sections;
use super::review::{self, Surroundings};
use super::stats;
use crate::model::{InputId, counted, thousands};
use crate::plan::{Diff, InputLabels, Plan};
use crate::stats::Stats;

/// Rows of a section.
const ROWS: usize = 100;
/// Inputs of one side that are named.
const INPUTS: usize = 200;

/// How a plan is shown as a page.
#[derive(Debug, Clone)]
pub struct HtmlOptions<'a> {
    /// [`Detail::Summary`] leaves out the changes by input. Otherwise all are shown.
    pub detail: Detail,
    /// Which changes.
    pub filter: Filter,
    pub surroundings: &'a Surroundings,
}

/// A plan as a page.
pub fn html(plan: &Plan, options: &HtmlOptions<'_>) -> String {
    let mut m = Markup::default();
    plan_front::write(&mut m, plan, &options.filter, ROWS);
    if options.detail != Detail::Summary {
        notes(&mut m, options.surroundings);
        let inputs = review::of_plan_and_app(plan, &options.filter);
        let page_of = |input: &InputId| link::of_input(&plan.target, input);
        gallery::write(&mut m, &inputs, options.surroundings, "change", page_of);
    }
    m.raw("</main>\n");
    let title = plan_front::title(plan);
    document::page(&title, &m, pictures(options.surroundings))
}

/// A diff as a page.
pub fn diff_html(diff: &Diff, options: &DiffOptions, surroundings: &Surroundings) -> String {
    let mut m = Markup::default();
    m.raw("<header>\n<h1>annosync diff: ")
        .name(&diff.old.name)
        .raw(" → ")
        .name(&diff.new.name)
        .raw("</h1>\n<p>");
    for (at, side) in [&diff.old, &diff.new].into_iter().enumerate() {
        m.raw(if at > 0 { "; " } else { "" })
            .raw(if at > 0 { "new: " } else { "old: " })
            .text(&format!(
                "{}, {} ({})",
                counted(side.inputs, "input"),
                counted(side.annotations, "label"),
                side.kind
            ));
    }
    m.raw(".</p>\n<p>")
        .text(&closing(diff))
        .raw("</p>\n<ul class=\"totals\">");
    for (kind, count) in diff.summary.each() {
        if count > 0 {
            m.raw("<li>")
                .count(count)
                .raw(" ")
                .text(difference_words(kind))
                .raw("</li>");
        }
    }
    m.raw("</ul>\n</header>\n<main>\n");
    if diff.summary.ambiguous > 0 {
        m.raw("<p class=\"warning\">").text(&format!(
            "{}: another label is nearly as close (runner-up within 0.02). Check the changes that are marked ambiguous.",
            counted(diff.summary.ambiguous, "ambiguous pairing")
        ));
        m.raw("</p>\n");
    }
    m.raw("<div class=\"reports\">\n");
    for section in sections(&report_of(&diff.summary), ROWS) {
        chart::section(&mut m, &section);
    }
    sides(&mut m, "Added inputs", &diff.added_inputs);
    sides(&mut m, "Removed inputs", &diff.removed_inputs);
    m.raw("</div>\n");
    notes(&mut m, surroundings);
    let chosen = chosen(diff, options);
    if !options.is_everything() {
        m.raw("<p class=\"warning\">").text(&format!(
            "{} of {} in this page.",
            thousands(chosen.len() as u64),
            counted(diff.changes.len() as u64, "difference")
        ));
        m.raw("</p>\n");
    }
    if options.detail != Detail::Summary {
        let inputs = review::of_differences(&chosen);
        gallery::write(&mut m, &inputs, surroundings, "difference", |_| None);
    }
    m.raw("</main>\n");
    document::page(
        &format!("annosync diff: {} → {}", diff.old.name, diff.new.name),
        &m,
        pictures(surroundings),
    )
}

fn sides(m: &mut Markup, title: &'static str, inputs: &[InputLabels]) {
    if inputs.is_empty() {
        return;
    }
    m.raw("<section class=\"report\">\n<h2>")
        .text(&format!("{title} ({})", thousands(inputs.len() as u64)))
        .raw("</h2>\n<p>");
    for (at, input) in inputs.iter().take(INPUTS).enumerate() {
        m.raw(if at > 0 { ", " } else { "" })
            .name(&super::notation::cut(input.input_id.as_str()))
            .text(&format!(" ({})", counted(input.annotations, "label")));
    }
    let more = inputs.len().saturating_sub(INPUTS);
    if more > 0 {
        m.text(&format!(", {}", counted(more as u64, "more input")));
    }
    m.raw("</p>\n</section>\n");
}

fn notes(m: &mut Markup, surroundings: &Surroundings) {
    for note in &surroundings.notes {
        m.raw("<p class=\"note\">").text(note).raw("</p>\n");
    }
}

fn pictures(surroundings: &Surroundings) -> impl Iterator<Item = &str> {
    surroundings.backdrops.values().flat_map(|backdrop| {
        let crops = backdrop.crops.iter().map(|crop| crop.href.as_str());
        backdrop.href.as_deref().into_iter().chain(crops)
    })
}

/// Statistics as a page: each table with bars, and concepts on the same inputs as a matrix.
pub fn stats_html(stats: &Stats) -> String {
    let mut m = Markup::default();
    m.raw("<header>\n<h1>annosync stats</h1>\n<p>")
        .text(stats::first_line(stats).trim_end())
        .raw("</p>\n</header>\n<main>\n");
    for table in stats::tables(stats) {
        m.raw("<section class=\"report\">\n<h2>")
            .text(table.title)
            .raw("</h2>\n");
        if table.names == 2 {
            pairs(&mut m, stats);
        } else {
            counts(&mut m, &table);
        }
        if let Some(note) = &table.note {
            m.raw("<p class=\"more\">").text(note).raw("</p>\n");
        }
        m.raw("</section>\n");
    }
    m.raw("</main>\n");
    document::page("annosync stats", &m, std::iter::empty())
}

/// A table with a bar for its first count.
fn counts(m: &mut Markup, table: &stats::Table) {
    // The first column says what is counted, the second how often.
    let count = |row: &Vec<String>| row.get(1)?.replace(',', "").parse::<u64>().ok();
    let most = table
        .rows
        .iter()
        .filter_map(count)
        .max()
        .unwrap_or_default();
    m.raw("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
    for (at, column) in table.columns.iter().enumerate() {
        m.raw("<th scope=\"col\">").text(column).raw("</th>");
        m.raw(if at == 1 { "<th></th>" } else { "" });
    }
    m.raw("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        m.raw("<tr>");
        for (at, cell) in row.iter().enumerate() {
            if at == 0 {
                m.raw("<th scope=\"row\">").name(cell).raw("</th>");
            } else {
                m.raw("<td class=\"n\">").text(cell).raw("</td>");
            }
            if at == 1 {
                m.raw("<td>");
                bar(m, count(row).unwrap_or_default(), most);
                m.raw("</td>");
            }
        }
        m.raw("</tr>\n");
    }
    m.raw("</tbody></table></div>\n");
}

/// How many inputs have both concepts, for the most frequent pairs.
fn pairs(m: &mut Markup, stats: &Stats) {
    let mut matrix = Matrix::default();
    let mut others = Vec::new();
    for pair in &stats.pairs {
        let [one, other] = pair.concepts.clone();
        if !matrix.add(one, other, pair.inputs) {
            others.push(pair);
        }
    }
    matrix.write(m, "inputs with both");
    if others.is_empty() {
        return;
    }
    m.raw("<p>Others: ");
    for (at, pair) in others.into_iter().enumerate() {
        let [one, other] = &pair.concepts;
        m.raw(if at > 0 { "; " } else { "" })
            .name(one)
            .raw(" and ")
            .name(other)
            .text(&format!(" ({})", thousands(pair.inputs)));
    }
    m.raw("</p>\n");
}

/// A text as a page: what `show` prints of an outcome or a log.
pub fn text_html(title: &str, text: &str) -> String {
    let mut m = Markup::default();
    let totals = text.trim_end().lines().next_back().unwrap_or_default();
    m.raw("<header>\n<h1>")
        .text(title)
        .raw("</h1>\n<p>")
        .text(totals)
        .raw("</p>\n</header>\n<main>\n<pre class=\"whole\">")
        .lines(text)
        .raw("</pre>\n</main>\n");
    document::page(title, &m, std::iter::empty())
}

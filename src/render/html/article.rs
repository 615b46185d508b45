//! The changes of one input: its drawings, and a list of what changes.

use super::card::Card;
use super::markup::Markup;
use super::visual;
use crate::drawing::Role;
use crate::model::{Content, Geometry, RareFields, Span, counted, thousands};
use crate::render::change::{ShownChange, Sign};
use crate::render::difference;
use crate::render::notation::cut;
use crate::render::page::{Color, Page};
use crate::render::review::{Surroundings, sides};

/// Characters of a text around a span.
const AROUND: usize = 60;
/// Characters of a span that are shown.
const LONGEST_SPAN: usize = 400;

impl Card<'_> {
    /// Writes heading, drawings and changes.
    pub(super) fn write(&self, m: &mut Markup, surroundings: &Surroundings) {
        m.raw("<article")
            .attribute("id", &self.anchor)
            .attribute("data-card", &self.number.to_string())
            .raw(">\n<h3><a")
            .attribute("href", &format!("#{}", self.anchor))
            .raw(">")
            .name(&cut(self.input.input_id.as_str()))
            .raw("</a> <small>");
        let all = self.input.changes.len() as u64;
        if self.changes.len() as u64 == all {
            m.text(&counted(all, "change"));
        } else {
            let (from, to) = (self.offset + 1, self.offset + self.changes.len());
            m.text(&format!("changes {from} to {to} of {}", thousands(all)));
        }
        if let Some(page) = &self.page {
            m.raw(", <a rel=\"noreferrer\"")
                .attribute("href", page)
                .raw(">open in the app</a>");
        }
        m.raw("</small></h3>\n");
        let backdrop = surroundings.backdrops.get(self.input.input_id);
        for note in backdrop.iter().flat_map(|it| &it.notes) {
            m.raw("<p class=\"more\">").text(note).raw(".</p>\n");
        }
        let mut drawings = Markup::default();
        visual::write(&mut drawings, self, surroundings);
        if !drawings.is_empty() {
            m.raw("<div class=\"drawings\">\n")
                .append(&drawings)
                .raw("</div>\n");
        }
        m.raw("<ol>\n");
        for at in 0..self.changes.len() {
            self.write_change(m, at, surroundings);
        }
        m.raw("</ol>\n</article>\n");
    }

    fn write_change(&self, m: &mut Markup, at: usize, surroundings: &Surroundings) {
        let change = &self.changes[at];
        m.raw("<li")
            .attribute("id", &self.anchors[at])
            .attribute("class", class(change.sign))
            .raw(" tabindex=\"-1\">");
        if let Some(alias) = &self.aliases[at] {
            m.raw("<span").attribute("id", alias).raw("></span>");
        }
        visual::enlarged(m, self, at, surroundings);
        m.raw("<p><a class=\"at\"")
            .attribute("href", &format!("#{}", self.anchors[at]))
            .raw(">")
            .text(&(self.offset + at + 1).to_string())
            .raw("</a> <b class=\"sign\">")
            .text(change.sign.symbol())
            .raw("</b> <b>")
            .text(change.action)
            .raw("</b> ")
            .text(change.kind)
            .raw(" ");
        let concepts = change.concepts();
        if !concepts.is_empty() {
            m.raw("<span class=\"concepts\">")
                .name(&concepts)
                .raw("</span> ");
        }
        if !change.name.is_empty() {
            m.raw("<span class=\"id\">")
                .name(&cut(&change.name))
                .raw("</span>");
        }
        m.raw("</p>");
        Self::write_facts(m, change);
        let text = surroundings.backdrops.get(self.input.input_id);
        spans(m, change, text.and_then(|it| it.text.as_deref()));
        other_fields(m, change);
        m.raw("</li>\n");
    }

    fn write_facts(m: &mut Markup, change: &ShownChange<'_>) {
        let mut facts = change.facts();
        // The user of what is deleted is a fact already.
        let user = change.user.filter(|_| change.sign != Sign::Remove);
        facts.extend(user.map(|user| format!("by {user}")));
        facts.extend(change.news().map(str::to_owned));
        if !facts.is_empty() {
            m.raw("<p class=\"facts\">");
            for (nth, fact) in facts.iter().enumerate() {
                m.raw(if nth > 0 { " · " } else { "" }).name(fact);
            }
            m.raw("</p>");
        }
        for line in change.in_app.iter().flat_map(|it| &it.lines) {
            m.raw("<p class=\"app\">").name(line).raw("</p>");
        }
    }
}

fn class(sign: Sign) -> &'static str {
    match sign {
        Sign::Add => "add",
        Sign::Change => "change",
        Sign::Remove => "remove",
        Sign::Replace => "replace",
        Sign::Keep => "keep",
    }
}

/// The spans of a change, each within its text.
fn spans(m: &mut Markup, change: &ShownChange<'_>, text: Option<&str>) {
    for (content, role) in sides(change) {
        let Some(Geometry::Span(span)) = &content.geometry else {
            continue;
        };
        let (word, class) = match role {
            Role::Added => ("added", "span added"),
            Role::Removed => ("removed", "span removed"),
            Role::Before => ("before", "span before"),
            Role::After | Role::Unchanged => ("after", "span after"),
        };
        m.raw("<p")
            .attribute("class", class)
            .raw("><small>")
            .raw(word)
            .raw("</small> <bdi>");
        excerpt(m, span, text);
        m.raw("</bdi></p>");
    }
}

/// A span with the characters around it, or its own text, or its numbers.
fn excerpt(m: &mut Markup, span: &Span, text: Option<&str>) {
    let (start, end) = (span.start() as usize, span.end() as usize);
    let shortened = |text: String, length: usize| {
        if length > LONGEST_SPAN {
            format!("{text}…")
        } else {
            text
        }
    };
    let Some(text) = text.filter(|text| text.chars().count() >= end) else {
        let own = match span.text() {
            Some(own) => shortened(
                own.chars().take(LONGEST_SPAN).collect(),
                own.chars().count(),
            ),
            None => format!("characters {start} to {end}"),
        };
        m.raw("<mark>").text(&own).raw("</mark>");
        return;
    };
    let part = |from: usize, to: usize| text.chars().skip(from).take(to - from).collect::<String>();
    let from = start.saturating_sub(AROUND);
    m.raw(if from > 0 { "…" } else { "" })
        .text(&part(from, start))
        .raw("<mark>")
        .text(&shortened(
            part(start, end.min(start + LONGEST_SPAN)),
            end - start,
        ))
        .raw("</mark>")
        .text(&part(end, end + AROUND));
    m.raw(if text.chars().nth(end + AROUND).is_some() {
        "…"
    } else {
        ""
    });
}

/// Fields whose values do not fit into the line of a change.
fn other_fields(m: &mut Markup, change: &ShownChange<'_>) {
    let (Some(before), Some(after)) = (change.before, change.after) else {
        return;
    };
    let [is, wanted] = [before, after].map(|content| Content {
        rare: RareFields {
            metadata: content.metadata.clone(),
            info: content.info.clone(),
            ..RareFields::default()
        }
        .into(),
        ..Content::default()
    });
    if is == wanted || wanted == Content::default() && !change.is_after_whole {
        return;
    }
    let mut page = Page::new(Color::Never);
    if change.is_after_whole {
        difference::write_whole(&mut page, "", &is, &wanted);
    } else {
        difference::write(&mut page, "", &is, &wanted);
    }
    m.raw("<pre tabindex=\"0\">")
        .lines(&page.finish())
        .raw("</pre>");
}

//! The changes by input. The first are markup; the others are compressed blocks, which the script opens when they are asked
//! for, with an index of all for filters.

use super::anchor::{Anchors, encoded, in_app};
use super::card::Card;
use super::index::Index;
use super::markup::Markup;
use crate::model::{InputId, counted, thousands};
use crate::render::change::{ShownChange, Sign};
use crate::render::review::{ReviewedInput, Surroundings};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use rayon::prelude::*;
use std::collections::HashMap;
use std::io::Write as _;
use std::ops::Range;

/// Changes that are markup, with the other changes of the last of their inputs.
const STATIC: usize = 300;
/// Changes of a block.
const BLOCK: usize = 100;
/// The most changes that one card shows.
const MOST_IN_CARD: usize = 100;

/// Writes filters and changes. `what` is a change in the singular: `change` or `difference`. `page_of` is the address of an
/// input in the app.
pub(super) fn write(
    m: &mut Markup,
    inputs: &[ReviewedInput<'_>],
    surroundings: &Surroundings,
    what: &str,
    page_of: impl Fn(&InputId) -> Option<String>,
) {
    let cards = cards(inputs, page_of);
    let total: usize = cards.iter().map(|card| card.changes.len()).sum();
    if total == 0 {
        return;
    }
    let blocks = blocks(&cards);
    let first = &cards[blocks[0].clone()];
    let shown: usize = first.iter().map(|card| card.changes.len()).sum();
    let index = Index::of(&cards, &blocks);
    m.raw("<section id=\"changes\">\n<h2>Changes by input</h2>\n");
    controls(m, &index);
    m.raw("<p id=\"shown\" role=\"status\">");
    if shown < total {
        m.text(&format!(
            "{} of {} shown.",
            thousands(shown as u64),
            counted(total as u64, what)
        ));
    } else {
        m.text(&format!("{}.", counted(total as u64, what)));
    }
    m.raw("</p>\n");
    let changes = cards.iter().flat_map(|card| card.changes);
    let left_alone = changes.filter(|it| it.sign == Sign::Keep).count() as u64;
    if left_alone > 0 {
        m.raw("<p>")
            .text(&format!(
                "{} made in the app among them, which the plan does not write.",
                counted(left_alone, what)
            ))
            .raw("</p>\n");
    }
    if shown < total {
        m.raw("<noscript><p class=\"warning\">")
            .text(&format!(
                "This page shows the first {} without JavaScript. Allow its script to see the others, or print them with \
                 --format text --all.",
                counted(shown as u64, what)
            ))
            .raw("</p></noscript>\n");
    }
    m.raw("<div id=\"gallery\"")
        .attribute("data-total", &total.to_string())
        .attribute("data-static", &shown.to_string())
        .attribute("data-what", what)
        .raw(">\n");
    for card in first {
        card.write(m, surroundings);
    }
    m.raw("</div>\n<p><button type=\"button\" id=\"more\" hidden>Show 100 more</button></p>\n</section>\n");
    help(m);
    let texts: Vec<String> = blocks[1..]
        .par_iter()
        .map(|block| {
            let mut markup = Markup::default();
            for card in &cards[block.clone()] {
                card.write(&mut markup, surroundings);
            }
            packed(markup.as_str())
        })
        .collect();
    for (at, text) in texts.iter().enumerate() {
        data(m, &format!("block{}", at + 1), text);
    }
    data(m, "index", &packed(&index.json()));
}

/// The inputs as cards, which have up to [`MOST_IN_CARD`] changes each.
fn cards<'a>(
    inputs: &'a [ReviewedInput<'a>],
    page_of: impl Fn(&InputId) -> Option<String>,
) -> Vec<Card<'a>> {
    let mut anchors = Anchors::default();
    let mut firsts = HashMap::new();
    let mut cards: Vec<Card<'_>> = Vec::new();
    for input in inputs {
        let name = encoded(input.input_id.as_str());
        for (part, changes) in input.changes.chunks(MOST_IN_CARD).enumerate() {
            let number = cards.len();
            let offset = part * MOST_IN_CARD;
            let of_change = |(at, change): (usize, &ShownChange<'_>)| {
                let own = match (change.id, change.key) {
                    (Some(id), _) if change.sign == Sign::Keep => {
                        return in_app(input.input_id.as_str(), id.as_str());
                    }
                    (Some(id), _) => encoded(id.as_str()),
                    (None, Some(key)) => encoded(key.as_str()),
                    (None, None) => format!("number~{}", at + 1),
                };
                format!("{name}/{own}")
            };
            cards.push(Card {
                input,
                changes,
                offset,
                number,
                first: *firsts.entry(input.input_id).or_insert(number),
                page: page_of(input.input_id),
                anchor: anchors.unique(&format!("i-{name}")),
                anchors: changes
                    .iter()
                    .enumerate()
                    .map(|it| anchors.unique(&of_change(it)))
                    .collect(),
                aliases: Vec::new(),
            });
        }
    }
    // Keys come after all ids: a link that is an id leads to the annotation with that id.
    for card in &mut cards {
        let name = encoded(card.input.input_id.as_str());
        let aliases = card.changes.iter().map(|change| {
            let key = change.id.and(change.key)?;
            let alias = if change.sign == Sign::Keep {
                in_app(card.input.input_id.as_str(), key.as_str())
            } else {
                format!("{name}/{}", encoded(key.as_str()))
            };
            Some(anchors.unique(&alias))
        });
        card.aliases = aliases.collect();
    }
    cards
}

/// The cards of each block. The first block is markup.
fn blocks(cards: &[Card<'_>]) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let (mut start, mut changes) = (0, 0);
    for (at, card) in cards.iter().enumerate() {
        changes += card.changes.len();
        let size = if blocks.is_empty() { STATIC } else { BLOCK };
        if changes >= size {
            blocks.push(start..at + 1);
            (start, changes) = (at + 1, 0);
        }
    }
    if start < cards.len() {
        blocks.push(start..cards.len());
    }
    blocks
}

/// Compressed, in base64.
fn packed(text: &str) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    let bytes = encoder
        .write_all(text.as_bytes())
        .and_then(|()| encoder.finish())
        .expect("writing to memory cannot fail");
    STANDARD.encode(bytes)
}

/// A block of data, which a browser does not run.
fn data(m: &mut Markup, id: &str, text: &str) {
    m.raw("<script type=\"application/octet-stream\"")
        .attribute("id", id)
        .raw(">")
        .text(text)
        .raw("</script>\n");
}

/// Filters and buttons. They need the script, which shows them.
fn controls(m: &mut Markup, index: &Index<'_>) {
    m.raw("<div id=\"controls\" role=\"search\" hidden>\n");
    select(m, "kind", "Kind", &index.kinds());
    m.raw("<label>Concept <input id=\"concept\" type=\"search\" list=\"concepts\" autocomplete=\"off\"></label>\n")
        .raw("<datalist id=\"concepts\"></datalist>\n")
        .raw("<label>Input <input id=\"input\" type=\"search\" autocomplete=\"off\"></label>\n");
    select(m, "user", "User", &index.users());
    select(m, "reason", "Reason", &index.reasons());
    select(m, "app", "In the app", &index.in_app());
    m.raw("<label>Text <input id=\"text\" type=\"search\" autocomplete=\"off\" aria-keyshortcuts=\"/\"></label>\n")
        .raw("<button type=\"button\" id=\"clear\">Clear filters</button>\n")
        .raw("<button type=\"button\" id=\"previous\" aria-keyshortcuts=\"k\">Previous change</button>\n")
        .raw("<button type=\"button\" id=\"next\" aria-keyshortcuts=\"j\">Next change</button>\n")
        .raw("<button type=\"button\" id=\"sides\" aria-keyshortcuts=\"b\">Drawn: before and after</button>\n")
        .raw("<button type=\"button\" id=\"keys\" aria-keyshortcuts=\"?\">Keys</button>\n")
        .raw("</div>\n")
        .raw("<p class=\"legend\"><span class=\"before\">before: dashed</span> <span class=\"after\">after: solid</span> ")
        .raw("<span class=\"added\">+ added: thick</span> <span class=\"removed\">- removed: with a cross</span> ")
        .raw("<span class=\"unchanged\">unchanged: thin</span></p>\n");
}

/// Choices of a filter, if there is anything to choose.
fn select(m: &mut Markup, id: &'static str, title: &'static str, choices: &[String]) {
    /// More choices are no help.
    const MOST: usize = 500;
    m.raw("<label");
    if choices.len() < 2 {
        m.raw(" hidden");
    }
    m.raw(">")
        .raw(title)
        .raw(" <select")
        .attribute("id", id)
        .raw("><option value=\"\">all</option>");
    for (at, choice) in choices.iter().enumerate().take(MOST) {
        m.raw("<option")
            .attribute("value", &at.to_string())
            .raw(">")
            .text(choice)
            .raw("</option>");
    }
    m.raw("</select></label>\n");
}

fn help(m: &mut Markup) {
    m.raw("<dialog id=\"help\" aria-labelledby=\"help-title\">\n<h2 id=\"help-title\">Keys</h2>\n<dl>\n")
        .raw("<dt><kbd>j</kbd> or <kbd>→</kbd></dt><dd>next change</dd>\n")
        .raw("<dt><kbd>k</kbd> or <kbd>←</kbd></dt><dd>previous change</dd>\n")
        .raw("<dt><kbd>b</kbd></dt><dd>draw labels before, after, or both</dd>\n")
        .raw("<dt><kbd>/</kbd></dt><dd>search</dd>\n")
        .raw("<dt><kbd>?</kbd></dt><dd>this list</dd>\n")
        .raw("</dl>\n<p>The number of a change is a link to it.</p>\n")
        .raw("<button type=\"button\" id=\"close\">Close</button>\n</dialog>\n");
}

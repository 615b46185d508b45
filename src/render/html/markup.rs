//! HTML under construction. Text from outside can only be added escaped.

use crate::model::{escape_markup, escape_markup_lines, thousands};
use crate::render::phrase::{Phrase, Piece};

#[derive(Debug, Clone, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Adds our markup.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&escape_markup(text));
        self
    }

    /// Adds text with its line feeds.
    pub(super) fn lines(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&escape_markup_lines(text));
        self
    }

    pub(super) fn count(&mut self, count: u64) -> &mut Self {
        self.text(&thousands(count))
    }

    /// Adds ` name="value"` to an element that is not closed yet.
    pub(super) fn attribute(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    /// Adds a name from outside, whose direction of writing does not affect its surroundings.
    pub(super) fn name(&mut self, name: &str) -> &mut Self {
        self.raw("<bdi>").text(name).raw("</bdi>")
    }

    /// Adds a sentence; backquotes in our words enclose code.
    pub(super) fn phrase(&mut self, phrase: &Phrase) -> &mut Self {
        for piece in phrase.pieces() {
            match piece {
                Piece::Name(name) => {
                    self.name(name);
                }
                Piece::Words(words) => {
                    for (at, part) in words.split('`').enumerate() {
                        if at % 2 == 1 {
                            self.raw("<code>").text(part).raw("</code>");
                        } else {
                            self.text(part);
                        }
                    }
                }
            }
        }
        self
    }

    /// Adds what `drawing` writes, which escapes it.
    pub(super) fn drawing(&mut self, write: impl FnOnce(&mut String)) -> &mut Self {
        write(&mut self.0);
        self
    }

    pub(super) fn append(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

//! Words for people in which every format knows what is ours and what came from outside.
//!
//! Text writes both as they are, and escapes; Markdown sets what came from outside apart, so that it cannot be read as
//! markup. Uses `model` alone.

use super::notation::cut;
use std::borrow::Cow;

/// A piece of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Ours. Backquotes in it are meant as such.
    Words(Cow<'static, str>),
    /// From outside: an id, a concept, a user, a revision.
    Name(String),
}

/// A part of a sentence, on one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Phrase(Vec<Piece>);

impl Phrase {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds words of ours.
    pub(super) fn words(mut self, words: impl Into<Cow<'static, str>>) -> Self {
        let words = words.into();
        if !words.is_empty() {
            self.0.push(Piece::Words(words));
        }
        self
    }

    /// Adds a name from outside; what is long is cut.
    pub(super) fn name(mut self, name: &str) -> Self {
        self.0.push(Piece::Name(cut(name)));
        self
    }

    /// Adds a text from outside, however long.
    pub(super) fn whole(mut self, text: &str) -> Self {
        self.0.push(Piece::Name(text.to_owned()));
        self
    }

    /// Adds names, with commas between them.
    pub(super) fn names<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut phrase = self;
        for (at, name) in names.into_iter().enumerate() {
            phrase = phrase.words(if at > 0 { ", " } else { "" }).name(name);
        }
        phrase
    }

    /// Adds another one.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Several, with a text between each.
    pub(super) fn joined(phrases: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let mut all = Self::new();
        for (at, phrase) in phrases.into_iter().enumerate() {
            all = all.words(if at > 0 { between } else { "" }).then(phrase);
        }
        all
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The same as text, not escaped yet.
    pub(super) fn text(&self) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Words(words) => words.as_ref(),
            Piece::Name(name) => name,
        });
        pieces.collect()
    }
}

impl From<&'static str> for Phrase {
    fn from(words: &'static str) -> Self {
        Self::new().words(words)
    }
}

impl From<String> for Phrase {
    fn from(words: String) -> Self {
        Self::new().words(words)
    }
}

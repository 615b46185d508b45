//! Sentences that keep our words and text from outside apart.
//!
//! Text output writes both, escaped. Markdown writes text from outside as code, so that it is not read as markup.

use super::notation::cut;
use std::borrow::Cow;

/// A piece of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Our words. In Markdown, backquotes in it are markup.
    Words(Cow<'static, str>),
    /// Text from outside: an id, a concept, a user, a revision.
    Name(String),
}

/// A sentence, or a part of one, without line feeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Phrase(Vec<Piece>);

impl Phrase {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds our words.
    pub(super) fn words(mut self, words: impl Into<Cow<'static, str>>) -> Self {
        let words = words.into();
        if !words.is_empty() {
            self.0.push(Piece::Words(words));
        }
        self
    }

    /// Adds a text from outside, cut if it is long.
    pub(super) fn name(mut self, name: &str) -> Self {
        self.0.push(Piece::Name(cut(name)));
        self
    }

    /// Adds a text from outside, uncut.
    pub(super) fn whole(mut self, text: &str) -> Self {
        self.0.push(Piece::Name(text.to_owned()));
        self
    }

    /// Adds names, separated by commas.
    pub(super) fn names<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut phrase = self;
        for (at, name) in names.into_iter().enumerate() {
            phrase = phrase.words(if at > 0 { ", " } else { "" }).name(name);
        }
        phrase
    }

    /// Appends another phrase.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Phrases with a separator.
    pub(super) fn joined(phrases: impl IntoIterator<Item = Self>, separator: &'static str) -> Self {
        let mut all = Self::new();
        for (at, phrase) in phrases.into_iter().enumerate() {
            all = all.words(if at > 0 { separator } else { "" }).then(phrase);
        }
        all
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// As plain text, not escaped.
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

//! Elements as ranges of the text that holds them, so that many have three lists in common and go to another thread
//! with their text.

use std::borrow::Cow;

/// A part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
}

/// What a text or a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    /// A part of the text, unchanged.
    Part(Span),
    /// Put together from several parts, or with entities. The index of the words.
    Made(usize),
}

const EMPTY: Words = Words::Part(Span { start: 0, end: 0 });

#[derive(Debug)]
struct Node {
    name: Span,
    text: Words,
    /// Index of the first of its attributes. They end where those of the next node begin.
    attributes: usize,
    /// Index of the node after all that are in this one.
    end: usize,
}

/// Elements with all that is in them, in the order of the file.
#[derive(Debug, Default)]
pub(in crate::formats) struct Tree {
    text: String,
    made: Vec<String>,
    /// Parents before their children.
    nodes: Vec<Node>,
    attributes: Vec<(Span, Words)>,
    /// References to entities that are not known, which are read as they are written, with the indices of their nodes.
    unresolved: Vec<(usize, Span)>,
}

impl Tree {
    /// The elements that are in no other one.
    pub(in crate::formats) fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        self.siblings(0, self.nodes.len())
    }

    fn siblings(&self, first: usize, end: usize) -> impl Iterator<Item = Element<'_>> {
        let mut at = first;
        std::iter::from_fn(move || {
            let node = self.nodes[..end].get(at)?;
            let element = Element { tree: self, at };
            at = node.end;
            Some(element)
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn part(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    fn words(&self, words: Words) -> &str {
        match words {
            Words::Part(span) => self.part(span),
            Words::Made(index) => &self.made[index],
        }
    }

    /// The tree with the text that it was read from.
    pub(super) fn with(mut self, text: String) -> Self {
        self.text = text;
        self
    }
}

/// An element with all that is in it.
#[derive(Debug, Clone, Copy)]
pub(in crate::formats) struct Element<'t> {
    tree: &'t Tree,
    at: usize,
}

impl<'t> Element<'t> {
    pub(in crate::formats) fn name(self) -> &'t str {
        self.tree.part(self.node().name)
    }

    pub(in crate::formats) fn attribute(self, name: &str) -> Option<&'t str> {
        let mut attributes = self.attributes();
        attributes
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    pub(in crate::formats) fn attributes(self) -> impl Iterator<Item = (&'t str, &'t str)> {
        let all = &self.tree.attributes;
        let next = self.tree.nodes.get(self.at + 1);
        let end = next.map_or(all.len(), |next| next.attributes);
        let own = all[self.node().attributes..end].iter();
        own.map(|(name, value)| (self.tree.part(*name), self.tree.words(*value)))
    }

    pub(in crate::formats) fn children(self) -> impl Iterator<Item = Element<'t>> {
        self.tree.siblings(self.at + 1, self.node().end)
    }

    /// The first child of this name.
    pub(in crate::formats) fn child(self, name: &str) -> Option<Element<'t>> {
        self.children().find(|child| child.name() == name)
    }

    /// The children of this name.
    pub(in crate::formats) fn all(self, name: &str) -> impl Iterator<Item = Element<'t>> {
        self.children().filter(move |child| child.name() == name)
    }

    /// The text of the element itself, without white space at its ends.
    pub(in crate::formats) fn text(self) -> &'t str {
        self.tree.words(self.node().text).trim()
    }

    /// The text of the first child of this name; `None` if it is missing or empty.
    pub(in crate::formats) fn text_of(self, name: &str) -> Option<&'t str> {
        let text = self.child(name)?.text();
        (!text.is_empty()).then_some(text)
    }

    /// The references to unknown entities in the element and in all that is in it.
    pub(in crate::formats) fn unresolved(self) -> impl Iterator<Item = &'t str> {
        let own = self.at..self.node().end;
        let all = self.tree.unresolved.iter();
        all.filter(move |(at, _)| own.contains(at))
            .map(|(_, reference)| self.tree.part(*reference))
    }

    fn node(self) -> &'t Node {
        &self.tree.nodes[self.at]
    }
}

/// A tree that is read from a text.
#[derive(Debug)]
pub(super) struct Growing<'s> {
    text: &'s str,
    tree: Tree,
}

/// How much of a tree there was.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark {
    made: usize,
    nodes: usize,
    attributes: usize,
    unresolved: usize,
}

impl<'s> Growing<'s> {
    /// A tree that may become about as large as this one.
    pub(super) fn new(text: &'s str, like: Mark) -> Self {
        let tree = Tree {
            // None is shorter than `<a/>`, and no attribute than ` a=""`.
            nodes: Vec::with_capacity(like.nodes.min(text.len() / 4)),
            attributes: Vec::with_capacity(like.attributes.min(text.len() / 5)),
            ..Tree::default()
        };
        Self { text, tree }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            made: self.tree.made.len(),
            nodes: self.tree.nodes.len(),
            attributes: self.tree.attributes.len(),
            unresolved: self.tree.unresolved.len(),
        }
    }

    /// Drops what was added after the mark.
    pub(super) fn reset(&mut self, mark: Mark) {
        self.tree.made.truncate(mark.made);
        self.tree.nodes.truncate(mark.nodes);
        self.tree.attributes.truncate(mark.attributes);
        self.tree.unresolved.truncate(mark.unresolved);
    }

    /// The tree without its text, for [`Tree::with`].
    pub(super) fn finish(self) -> Tree {
        self.tree
    }

    /// Adds an element without attributes and children, and returns its index.
    pub(super) fn push(&mut self, name: &str) -> usize {
        let at = self.tree.nodes.len();
        self.tree.nodes.push(Node {
            name: self.span(name),
            text: EMPTY,
            attributes: self.tree.attributes.len(),
            end: at + 1,
        });
        at
    }

    /// Adds an attribute to the last element. The value is a part of the text, or was made.
    pub(super) fn push_attribute(&mut self, name: &str, value: Cow<'_, str>) {
        let value = match value {
            Cow::Borrowed(part) => Words::Part(self.span(part)),
            Cow::Owned(made) => self.make(made),
        };
        self.tree.attributes.push((self.span(name), value));
    }

    /// Whether an element has an attribute of this name already.
    pub(super) fn has_attribute(&self, at: usize, name: &str) -> bool {
        let mut own = self.tree.attributes[self.tree.nodes[at].attributes..].iter();
        own.any(|(known, _)| self.part(*known) == name)
    }

    /// All elements after this one, so far, are in it.
    pub(super) fn close(&mut self, at: usize) {
        self.tree.nodes[at].end = self.tree.nodes.len();
    }

    pub(super) fn name(&self, at: usize) -> &'s str {
        self.part(self.tree.nodes[at].name)
    }

    /// Adds a part of the text, or a text that was made, to an element's own.
    pub(super) fn push_text(&mut self, at: usize, text: Cow<'_, str>) {
        let known = self.tree.nodes[at].text;
        let is_blank = match known {
            Words::Part(span) => self.part(span).trim_start().is_empty(),
            Words::Made(index) => self.tree.made[index].trim_start().is_empty(),
        };
        self.tree.nodes[at].text = match (known, text) {
            // White space at its start is not part of a text, and there is some before each child.
            (_, Cow::Borrowed(part)) if is_blank => Words::Part(self.span(part)),
            (_, Cow::Owned(made)) if is_blank => self.make(made),
            (Words::Made(index), text) => {
                self.tree.made[index].push_str(&text);
                known
            }
            (Words::Part(span), text) => self.make(format!("{}{text}", self.part(span))),
        };
    }

    /// Notes a reference to an unknown entity, a part of the text, in the element.
    pub(super) fn push_unresolved(&mut self, at: usize, reference: &str) {
        let reference = self.span(reference);
        self.tree.unresolved.push((at, reference));
    }

    fn make(&mut self, words: String) -> Words {
        self.tree.made.push(words);
        Words::Made(self.tree.made.len() - 1)
    }

    fn part(&self, span: Span) -> &'s str {
        &self.text[span.start..span.end]
    }

    /// Where a part of the text is.
    fn span(&self, part: &str) -> Span {
        if part.is_empty() {
            return Span { start: 0, end: 0 };
        }
        let start = part.as_ptr().addr() - self.text.as_ptr().addr();
        let end = start + part.len();
        Span { start, end }
    }
}

impl Mark {
    /// That of a usual file of so many bytes.
    pub(super) fn of_bytes(count: usize) -> Self {
        Self {
            nodes: count / 32,
            ..Self::default()
        }
    }
}

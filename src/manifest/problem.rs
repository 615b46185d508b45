//! What the user has to mend: file, line, column, the source line, and what is allowed.
//!
//! All problems of a manifest are reported together. Rendering is left to `annotate-snippets`; nothing is printed
//! here.

use crate::model::{escape, escape_lines};
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::path::{Path, PathBuf};

/// The bytes of a source line that are meant: from, to.
type Marked = (usize, usize);

/// Where in a file a problem stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// How many characters are meant, at least 1.
    pub length: usize,
    /// The source line; of a long one the part around the spot.
    pub source: String,
    /// The bytes of `source` that are meant.
    pub(super) marked: Marked,
}

impl Spot {
    /// The source text that is meant, if it is one short word on this line.
    pub(super) fn marked_text(&self) -> Option<&str> {
        const LONGEST: usize = 80;
        let text = self.source.get(self.marked.0..self.marked.1)?;
        let is_word = !text.is_empty()
            && text.len() <= LONGEST
            && text.chars().count() == self.length
            && !text.contains(char::is_whitespace);
        is_word.then_some(text)
    }

    /// The source line and what is marked in it, as a terminal may show them. Tabs are left to the renderer.
    fn harmless(&self) -> (Cow<'_, str>, Marked) {
        let escaped = |text: &str| {
            let parts: Vec<_> = text.split('\t').map(escape).collect();
            parts.join("\t")
        };
        let (from, to) = self.marked;
        let mut source = escaped(&self.source[..from]);
        let start = source.len();
        source.push_str(&escaped(&self.source[from..to]));
        let end = source.len();
        source.push_str(&escaped(&self.source[to..]));
        if source == self.source {
            return (Cow::Borrowed(&self.source), self.marked);
        }
        (Cow::Owned(source), (start, end))
    }
}

/// How many problems are shown of those that differ only in what they name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The first ones of each kind.
    First,
    /// All.
    All,
}

/// So many of a kind are shown where not all are.
const FIRST: usize = 5;

/// What is wrong, whatever it names: a message without what is quoted in it, and without numbers.
fn kind(message: &str) -> String {
    let words = message.split('`').step_by(2);
    words
        .flat_map(str::chars)
        .filter(|c| !c.is_ascii_digit())
        .collect()
}

/// A number with a comma between thousands.
fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as the user knows it.
    pub path: PathBuf,
    /// Where in the file; nothing where the file as a whole is meant.
    pub spot: Option<Spot>,
    /// What is wrong.
    pub message: String,
    /// What is allowed, or what to do.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of a whole file.
    pub(super) fn of_file(
        path: &Path,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            spot: None,
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// It as text; `count` is how many places it stands for, of which it is the first.
    fn render_with(&self, renderer: &Renderer, count: usize) -> String {
        let path = self.path.to_string_lossy();
        let path = escape(&path);
        let message = escape(&self.message);
        let hint = self.hint.as_deref().map(escape_lines);
        let source = self.spot.as_ref().map(Spot::harmless);
        let title = Level::ERROR.primary_title(message);
        let mut is_part = false;
        let mut group = match self.spot.as_ref().zip(source) {
            None => title.element(Origin::path(path)),
            Some((spot, (source, (from, to)))) => {
                // Of a long line a part is shown, and what is escaped takes more room: counting columns in that would
                // be wrong.
                let is_whole = spot.column == source[..from].chars().count() + 1;
                let snippet = Snippet::source(source)
                    .line_start(spot.line)
                    .annotation(AnnotationKind::Primary.span(from..to));
                if is_whole {
                    title.element(snippet.path(path))
                } else {
                    is_part = true;
                    let origin = Origin::path(path).line(spot.line).char_column(spot.column);
                    title.element(origin).element(snippet)
                }
            }
        };
        if count > 1 {
            let all = format!(
                "this is the first of {} places with the same problem",
                thousands(count)
            );
            group = group.element(Level::NOTE.message(all));
        }
        if let Some(hint) = hint {
            group = group.element(Level::HELP.message(hint));
        }
        let text = renderer.render(&[group]);
        if !is_part {
            return text;
        }
        // Between a place and a snippet of its own the renderer puts a line with `:::` and nothing to read.
        text.split_inclusive('\n')
            .filter(|line| anstream::adapter::strip_str(line).to_string().trim() != ":::")
            .collect()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render_with(&Renderer::plain(), 1))
    }
}

/// Everything to mend, sorted by file, line and column; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts them. Files are compared by the bytes of their path.
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| {
            let (left, right) = (a.path.as_os_str(), b.path.as_os_str());
            left.as_encoded_bytes()
                .cmp(right.as_encoded_bytes())
                .then_with(|| a.spot.cmp(&b.spot))
                .then_with(|| a.message.cmp(&b.message))
        });
        problems.dedup();
        Self(problems)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: what has no problem is a manifest.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// How many different ones there are: those that say the same of several places count once.
    pub fn kinds(&self) -> usize {
        self.grouped().len()
    }

    /// Each different problem at its first place, with how many there are of it, in order of the first places.
    fn grouped(&self) -> Vec<(&Problem, usize)> {
        let mut groups: Vec<(&Problem, usize)> = Vec::new();
        let mut known: HashMap<(&str, Option<&str>), usize> = HashMap::new();
        for problem in &self.0 {
            let key = (problem.message.as_str(), problem.hint.as_deref());
            match known.entry(key) {
                Entry::Occupied(at) => groups[*at.get()].1 += 1,
                Entry::Vacant(new) => {
                    new.insert(groups.len());
                    groups.push((problem, 1));
                }
            }
        }
        groups
    }

    /// The problems as text for people, `styled` with terminal colours or not; an empty line between two. Those that say
    /// the same are shown once, at the first place, with their count.
    pub fn render(&self, styled: bool, shown: Shown) -> String {
        let renderer = if styled {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let groups = self.grouped();
        // By kind: how many different ones, and in how many places.
        let mut kinds: HashMap<String, (usize, usize)> = HashMap::new();
        let mut texts = Vec::new();
        let mut cut = Vec::new();
        for (problem, count) in groups {
            let (different, left_out) = kinds.entry(kind(&problem.message)).or_default();
            *different += 1;
            if shown == Shown::All || *different <= FIRST {
                texts.push(problem.render_with(&renderer, count));
                if *different == FIRST {
                    cut.push((texts.len() - 1, kind(&problem.message)));
                }
            } else {
                *left_out += count;
            }
        }
        for (at, kind) in cut {
            let (_, left_out) = kinds[&kind];
            if left_out > 0 {
                let more = thousands(left_out);
                let text = &mut texts[at];
                text.push_str(&format!("\n\nand {more} more like this; -v shows all"));
            }
        }
        texts.join("\n\n")
    }
}

impl<'p> IntoIterator for &'p Problems {
    type Item = &'p Problem;
    type IntoIter = std::slice::Iter<'p, Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, Shown::All))
    }
}

impl std::error::Error for Problems {}

//! Problems of a manifest as the user sees them: file, line, column, source line, message and hint.
//!
//! `annotate-snippets` renders them. Nothing is printed here.

use crate::model::{Level as Severity, Rule, escape, escape_lines};
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::path::{Path, PathBuf};

/// The marked bytes of a source line: from, to.
type Marked = (usize, usize);

/// The place of a problem in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceSpan {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// In characters, at least 1.
    pub length: usize,
    /// The source line; of a long one the part around the span.
    pub source: String,
    /// The bytes of `source` in the span.
    pub(super) marked: Marked,
}

impl SourceSpan {
    /// The marked text, if it is one short word.
    pub(super) fn marked_text(&self) -> Option<&str> {
        const LONGEST: usize = 80;
        let text = self.source.get(self.marked.0..self.marked.1)?;
        let is_word = !text.is_empty()
            && text.len() <= LONGEST
            && text.chars().count() == self.length
            && !text.contains(char::is_whitespace);
        is_word.then_some(text)
    }

    /// The source line, escaped for a terminal, and the marked bytes in it. The renderer expands tabs.
    fn escaped(&self) -> (Cow<'_, str>, Marked) {
        let escape_part = |text: &str| {
            let parts: Vec<_> = text.split('\t').map(escape).collect();
            parts.join("\t")
        };
        let (from, to) = self.marked;
        let mut source = escape_part(&self.source[..from]);
        let start = source.len();
        source.push_str(&escape_part(&self.source[from..to]));
        let end = source.len();
        source.push_str(&escape_part(&self.source[to..]));
        if source == self.source {
            return (Cow::Borrowed(&self.source), self.marked);
        }
        (Cow::Owned(source), (start, end))
    }
}

/// How many problems of a kind are shown. Problems of a kind differ only in quoted names and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemsShown {
    /// The first 5.
    First,
    All,
}

const FIRST: usize = 5;

/// A message without its quoted parts and without numbers.
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

/// A problem of a manifest, or a finding of the linter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// As the user gave it.
    pub path: PathBuf,
    /// `None` for a problem of the whole file.
    pub span: Option<SourceSpan>,
    pub message: String,
    /// What is allowed, or what to do.
    pub hint: Option<String>,
    /// `Error`, or `Warn` for a finding that does not make the manifest invalid.
    pub level: Severity,
    /// The rule of the linter that is broken, if there is one for it.
    pub rule: Option<Rule>,
    /// What identifies a finding of the linter when lines move; empty for a problem of the manifest.
    pub identity: String,
}

impl Default for Problem {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            span: None,
            message: String::new(),
            hint: None,
            level: Severity::Error,
            rule: None,
            identity: String::new(),
        }
    }
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
            span: None,
            message: message.into(),
            hint: Some(hint.into()),
            ..Self::default()
        }
    }

    /// Line and column, from 1; `None` for a problem of the whole file.
    pub fn place(&self) -> Option<(usize, usize)> {
        self.span.as_ref().map(|span| (span.line, span.column))
    }

    /// `count` is the number of places with this problem, of which this is the first.
    fn render_with(&self, renderer: &Renderer, count: usize) -> String {
        let path = self.path.to_string_lossy();
        let path = escape(&path);
        let message = escape(&self.message);
        let hint = self.hint.as_deref().map(escape_lines);
        let source = self.span.as_ref().map(SourceSpan::escaped);
        let level = match self.level {
            Severity::Error => Level::ERROR,
            Severity::Warn | Severity::Off => Level::WARNING,
        };
        let title = level.primary_title(message);
        let title = match self.rule {
            Some(rule) => title.id(rule.name()),
            None => title,
        };
        let mut is_part = false;
        let mut group = match self.span.as_ref().zip(source) {
            None => title.element(Origin::path(path)),
            Some((span, (source, (from, to)))) => {
                // The renderer counts columns in `source`, which is wrong if the line is cut or escaped.
                let is_whole = span.column == source[..from].chars().count() + 1;
                let snippet = Snippet::source(source)
                    .line_start(span.line)
                    .annotation(AnnotationKind::Primary.span(from..to));
                if is_whole {
                    title.element(snippet.path(path))
                } else {
                    is_part = true;
                    let origin = Origin::path(path).line(span.line).char_column(span.column);
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
        // The renderer separates an origin and a snippet by a line with only `:::`.
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

/// Problems sorted by file, line, column and rule. Those of a manifest that cannot be used are at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts problems and removes equal ones. Files are compared by the bytes of their path.
    pub fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| {
            let (left, right) = (a.path.as_os_str(), b.path.as_os_str());
            left.as_encoded_bytes()
                .cmp(right.as_encoded_bytes())
                .then_with(|| a.place().cmp(&b.place()))
                .then_with(|| a.rule.map(Rule::name).cmp(&b.rule.map(Rule::name)))
                .then_with(|| (&a.message, &a.hint).cmp(&(&b.message, &b.hint)))
                .then_with(|| (&a.span, &a.identity).cmp(&(&b.span, &b.identity)))
        });
        problems.dedup();
        Self(problems)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true for a manifest that cannot be used.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// The number of problems with different messages.
    pub fn kinds(&self) -> usize {
        self.grouped().len()
    }

    /// The first problem of each message, with the number of places.
    fn grouped(&self) -> Vec<(&Problem, usize)> {
        let mut groups: Vec<(&Problem, usize)> = Vec::new();
        let mut known: HashMap<(&str, Option<&str>, Option<Rule>), usize> = HashMap::new();
        for problem in &self.0 {
            let hint = problem.hint.as_deref();
            let key = (problem.message.as_str(), hint, problem.rule);
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

    /// The problems as text, separated by empty lines, `styled` with terminal colours or not. Equal messages are shown
    /// once, at the first place, with their count.
    pub fn render(&self, styled: bool, shown: ProblemsShown) -> String {
        let renderer = if styled {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let groups = self.grouped();
        // By kind: the number of different problems, and of places that are not shown.
        let mut kinds: HashMap<String, (usize, usize)> = HashMap::new();
        let mut texts = Vec::new();
        let mut cut = Vec::new();
        for (problem, count) in groups {
            let (different, left_out) = kinds.entry(kind(&problem.message)).or_default();
            *different += 1;
            if shown == ProblemsShown::All || *different <= FIRST {
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
                text.extend(["\n\nand ", &more, " more like this; -v shows all"]);
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
        f.write_str(&self.render(false, ProblemsShown::All))
    }
}

impl std::error::Error for Problems {}

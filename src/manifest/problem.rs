//! What the user has to mend: file, line, column, the source line, and what is allowed.
//!
//! All problems of a manifest are reported together. Rendering is left to `annotate-snippets`; nothing is printed
//! here.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
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

    fn render_with(&self, renderer: &Renderer) -> String {
        let path = self.path.to_string_lossy();
        let title = Level::ERROR.primary_title(self.message.as_str());
        let mut is_part = false;
        let mut group = match &self.spot {
            None => title.element(Origin::path(path)),
            Some(spot) => {
                let (from, to) = spot.marked;
                let snippet = Snippet::source(spot.source.as_str())
                    .line_start(spot.line)
                    .annotation(AnnotationKind::Primary.span(from..to));
                // Of a long line a part is shown, and counting columns in that would be wrong.
                if spot.column == spot.source[..from].chars().count() + 1 {
                    title.element(snippet.path(path))
                } else {
                    is_part = true;
                    let origin = Origin::path(path).line(spot.line).char_column(spot.column);
                    title.element(origin).element(snippet)
                }
            }
        };
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
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
        f.write_str(&self.render_with(&Renderer::plain()))
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

    /// Every problem as text for people, `styled` with terminal colours or not; an empty line between two.
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        self.0
            .iter()
            .map(|problem| problem.render_with(&renderer))
            .collect::<Vec<_>>()
            .join("\n\n")
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
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

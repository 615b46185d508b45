//! Tags of tokens -> spans, in IOB1, IOB2, BIOES, BILOU, and labels without a prefix.

/// The tag of a token.
#[derive(Debug, PartialEq)]
pub(super) struct Tag<'t> {
    place: Place,
    /// `None` outside of all spans.
    pub(super) label: Option<&'t str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Begins,
    Continues,
    Ends,
    Single,
    /// A label without a prefix: continues a span of the same label.
    Bare,
}

impl<'t> Tag<'t> {
    pub(super) fn parse(tag: &'t str) -> Result<Self, String> {
        // Other columns of these files use `_` for nothing.
        if matches!(tag, "O" | "_") {
            return Ok(Self {
                place: Place::Bare,
                label: None,
            });
        }
        let (place, label) = match tag.split_once('-') {
            Some(("B", label)) => (Place::Begins, label),
            Some(("I", label)) => (Place::Continues, label),
            Some(("E" | "L", label)) => (Place::Ends, label),
            Some(("S" | "U", label)) => (Place::Single, label),
            Some((prefix, _)) if prefix.chars().count() < 2 => {
                return Err(format!(
                    "the tag is {tag:?}: O, or B-, I-, E-, S-, L- or U- and a label"
                ));
            }
            _ => (Place::Bare, tag),
        };
        if label.trim().is_empty() {
            return Err(format!("the tag is {tag:?}, without a label"));
        }
        Ok(Self {
            place,
            label: Some(label),
        })
    }

    /// Whether it is a label without a prefix.
    pub(super) fn is_bare(&self) -> bool {
        self.place == Place::Bare && self.label.is_some()
    }
}

#[derive(Debug)]
pub(super) struct TaggedSpan {
    /// The line of its first token, from 1.
    pub(super) line: usize,
    pub(super) label: String,
    /// In code points.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The spans of the tokens so far.
#[derive(Debug, Default)]
pub(super) struct Spans {
    pub(super) all: Vec<TaggedSpan>,
    /// Whether the next token may continue the last span.
    is_open: bool,
}

impl Spans {
    pub(super) fn end(&mut self) {
        self.is_open = false;
    }

    /// Adds a token with these first and last characters. A tag that continues nothing begins a span: so does IOB1.
    pub(super) fn add(&mut self, tag: &Tag<'_>, line: usize, start: usize, end: usize) {
        let Some(label) = tag.label else {
            self.is_open = false;
            return;
        };
        let continues = matches!(tag.place, Place::Continues | Place::Ends | Place::Bare);
        match self.all.last_mut() {
            Some(last) if self.is_open && continues && last.label == label => last.end = end,
            _ => self.all.push(TaggedSpan {
                line,
                label: label.to_owned(),
                start,
                end,
            }),
        }
        self.is_open = !matches!(tag.place, Place::Ends | Place::Single);
    }
}

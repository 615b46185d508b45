//! Spans: character ranges of a text.

use super::shapes::GeometryError;

/// The characters `start..end`, counted from 0 in Unicode code points, and their text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Span {
    start: u32,
    end: u32,
    text: Option<Box<str>>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    start: u32,
    end: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<Box<str>>,
}

impl TryFrom<Written> for Span {
    type Error = GeometryError;
    fn try_from(written: Written) -> Result<Self, GeometryError> {
        Self::new(written.start, written.end, written.text)
    }
}

impl From<Span> for Written {
    fn from(Span { start, end, text }: Span) -> Self {
        Self { start, end, text }
    }
}

impl Span {
    /// `text` is unmanaged if it is `None`.
    pub fn new(start: u32, end: u32, text: Option<Box<str>>) -> Result<Self, GeometryError> {
        if start > end {
            return Err(GeometryError::EndBeforeStart {
                start_name: "start",
                start: f64::from(start),
                end: f64::from(end),
            });
        }
        Ok(Self { start, end, text })
    }

    pub fn start(&self) -> u32 {
        self.start
    }

    /// Exclusive.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// Whether it has no characters. The service may store such spans.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        (self.start, self.end) == (other.start, other.end)
            && (self.text.is_none() || other.text.is_none() || self.text == other.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undeclared_text_equals_any_text() {
        let span =
            |start, end, text: Option<&str>| Span::new(start, end, text.map(Box::from)).unwrap();
        assert!(span(1, 4, Some("cat")).same(&span(1, 4, None)));
        assert!(span(1, 4, None).same(&span(1, 4, Some("cat"))));
        assert!(!span(1, 4, Some("cat")).same(&span(1, 4, Some("dog"))));
        assert!(!span(1, 4, None).same(&span(1, 5, None)));
        assert!(Span::new(2, 1, None).is_err());
        assert!(span(2, 2, None).is_empty() && !span(2, 3, None).is_empty());
    }
}

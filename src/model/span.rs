//! Spans: characters of a text.

use super::shapes::GeometryError;

/// The characters from `start` to before `end`, counted from 0 in Unicode code points, and what they say.
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
    /// Checks that it does not end before it begins. An empty one is allowed: the service may hold it. `text` is unmanaged where it is not given.
    pub fn new(start: u32, end: u32, text: Option<Box<str>>) -> Result<Self, GeometryError> {
        if start > end {
            return Err(GeometryError::Backwards {
                start_name: "start",
                start: f64::from(start),
                end: f64::from(end),
            });
        }
        Ok(Self { start, end, text })
    }

    /// The first character.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// Behind the last character.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// Whether it holds no character.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// What the characters say.
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
    fn a_text_that_is_not_given_is_the_same_as_any() {
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

//! Whether a stream is a terminal, and its width.

use std::io::IsTerminal as _;

/// The minimum width of lines.
const MIN_WIDTH: usize = 40;

/// An output stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    pub(crate) fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => std::io::stdout().is_terminal(),
            Self::Stderr => std::io::stderr().is_terminal(),
        }
    }

    fn measured(self) -> Option<usize> {
        let size = match self {
            Self::Stdout => terminal_size::terminal_size_of(std::io::stdout()),
            Self::Stderr => terminal_size::terminal_size_of(std::io::stderr()),
        };
        size.map(|(width, _)| usize::from(width.0))
    }
}

/// The width of the terminal in columns; `None` if the stream is not a terminal or the width is unknown.
pub(crate) fn width(stream: Stream) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    columns(std::env::var("COLUMNS").ok().as_deref(), || {
        stream.measured()
    })
}

/// `COLUMNS` overrides the measured width.
fn columns(variable: Option<&str>, measure: impl FnOnce() -> Option<usize>) -> Option<usize> {
    let given = variable.and_then(|text| text.trim().parse().ok());
    given
        .filter(|columns| *columns > 0)
        .or_else(measure)
        .filter(|columns| *columns > 0)
        .map(|columns| columns.max(MIN_WIDTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_variable_overrides_the_measured_width() {
        let of = |variable, measured| columns(variable, || measured);
        assert_eq!(of(Some("60"), Some(100)), Some(60));
        assert_eq!(of(Some(" 60 "), None), Some(60));
        for nonsense in [Some("0"), Some(""), Some("-1"), Some("wide"), None] {
            assert_eq!(of(nonsense, Some(100)), Some(100), "{nonsense:?}");
            assert_eq!(of(nonsense, None), None, "{nonsense:?}");
            assert_eq!(of(nonsense, Some(0)), None, "{nonsense:?}");
        }
        assert_eq!(of(Some("1"), Some(100)), Some(MIN_WIDTH));
        assert_eq!(of(None, Some(10)), Some(MIN_WIDTH));
    }
}

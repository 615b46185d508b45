//! What is known of the terminal behind a stream: whether there is one, and how wide it is.

use std::io::IsTerminal as _;

/// Lines are not cut shorter than this, however narrow a terminal says it is.
const NARROWEST: usize = 40;

/// Where text goes.
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

/// The columns that text may fill on this stream; nothing where it is no terminal, or nobody knows.
pub(crate) fn width(stream: Stream) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    columns(std::env::var("COLUMNS").ok().as_deref(), || {
        stream.measured()
    })
}

/// `COLUMNS` beats what the terminal says of itself.
fn columns(variable: Option<&str>, measure: impl FnOnce() -> Option<usize>) -> Option<usize> {
    let said = variable.and_then(|text| text.trim().parse().ok());
    said.filter(|columns| *columns > 0)
        .or_else(measure)
        .filter(|columns| *columns > 0)
        .map(|columns| columns.max(NARROWEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_beats_what_is_measured_and_nonsense_does_not() {
        let of = |variable, measured| columns(variable, || measured);
        assert_eq!(of(Some("60"), Some(100)), Some(60));
        assert_eq!(of(Some(" 60 "), None), Some(60));
        for nonsense in [Some("0"), Some(""), Some("-1"), Some("wide"), None] {
            assert_eq!(of(nonsense, Some(100)), Some(100), "{nonsense:?}");
            assert_eq!(of(nonsense, None), None, "{nonsense:?}");
            assert_eq!(of(nonsense, Some(0)), None, "{nonsense:?}");
        }
        assert_eq!(of(Some("1"), Some(100)), Some(NARROWEST));
        assert_eq!(of(None, Some(10)), Some(NARROWEST));
    }
}

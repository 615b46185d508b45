//! Bytes of a file to text, and what to say of a file that is not the text it should be: another encoding, or
//! something that git left in its place.
//!
//! Knows no files. Everything that annosync reads as text goes through here: manifests, the texts that they name,
//! listings, plans, files of other tools, tokens.

use std::fmt;

/// What makes bytes unusable as the text of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// The text is UTF-16 or UTF-32; the name of the encoding.
    OtherEncoding(&'static str),
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// A NUL byte.
    Nul,
    /// A merge that git could not finish.
    Conflict,
    /// Git LFS keeps the content elsewhere.
    LfsPointer,
    /// git-annex keeps the content elsewhere.
    AnnexPointer,
}

impl TextFault {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::OtherEncoding(_) => {
                "save the file as UTF-8; `>` in Windows PowerShell 5 writes UTF-16: use PowerShell 7 or cmd, or \
                 `| Out-File -Encoding utf8 FILE`"
            }
            Self::NotUtf8 => "save the file as UTF-8",
            Self::Nul => {
                "a text file has none: the file is binary or damaged; restore it, or save it as UTF-8"
            }
            Self::Conflict => {
                "choose what is to stay, delete the lines with <<<<<<<, ======= and >>>>>>>, and `git add` the file"
            }
            Self::LfsPointer => {
                "get the content with `git lfs pull` (in CI: check out with LFS, `lfs: true` in actions/checkout)"
            }
            Self::AnnexPointer => "get the content with `git annex get`",
        }
    }
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherEncoding(name) => write!(f, "the file is {name}, not UTF-8"),
            Self::NotUtf8 => f.write_str("not valid UTF-8"),
            Self::Nul => f.write_str("a NUL byte"),
            Self::Conflict => f.write_str("an unresolved merge conflict"),
            Self::LfsPointer => {
                f.write_str("the file is a Git LFS pointer, not the content itself")
            }
            Self::AnnexPointer => {
                f.write_str("the file is a git-annex pointer, not the content itself")
            }
        }
    }
}

/// Bytes that are not the text they should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotText {
    /// What is wrong.
    pub fault: TextFault,
    /// Where, in bytes of [`NotText::shown`].
    pub offset: usize,
    /// The bytes as text; what is not UTF-8 is replaced.
    pub shown: String,
}

impl NotText {
    /// The line and the column of the fault, each from 1, the column in characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.shown[..self.offset];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (
            before.matches('\n').count() + 1,
            before[start..].chars().count() + 1,
        )
    }
}

/// How sure a reader can be that conflict markers are markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prose {
    /// YAML, JSON, a token: no line of it begins with a conflict marker.
    No,
    /// Any text: only all markers of a conflict, in their order, are a conflict.
    Yes,
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text of a file, without its byte order mark.
pub fn text_of(bytes: Vec<u8>, prose: Prose) -> Result<String, NotText> {
    if let Some(fault) = pointer(&bytes) {
        return Err(not_text(
            fault,
            0,
            String::from_utf8_lossy(&bytes).into_owned(),
        ));
    }
    if let Some(name) = other_encoding(&bytes) {
        // Nothing of it would be readable.
        return Err(not_text(TextFault::OtherEncoding(name), 0, String::new()));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
        not_text(TextFault::NotUtf8, offset, shown)
    })?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    if let Some(offset) = text.find('\0') {
        return Err(not_text(TextFault::Nul, offset, text));
    }
    match conflict(&text, prose) {
        Some(offset) => Err(not_text(TextFault::Conflict, offset, text)),
        None => Ok(text),
    }
}

/// A file whose content is kept elsewhere; the bytes may be those of a picture.
pub fn pointer(bytes: &[u8]) -> Option<TextFault> {
    if bytes.starts_with(b"version https://git-lfs.github.com/spec/")
        || bytes.starts_with(b"version https://hawser.github.com/spec/")
    {
        return Some(TextFault::LfsPointer);
    }
    bytes
        .starts_with(b"/annex/objects/")
        .then_some(TextFault::AnnexPointer)
}

/// CRLF to LF, so that offsets in a text are the same wherever it was checked out.
pub fn with_line_feeds(text: String) -> String {
    if text.contains("\r\n") {
        text.replace("\r\n", "\n")
    } else {
        text
    }
}

fn not_text(fault: TextFault, offset: usize, shown: String) -> NotText {
    NotText {
        fault,
        offset,
        shown,
    }
}

/// An encoding that is told by its byte order mark, or by the zeros that ASCII has in it.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => return Some("UTF-32 (little endian)"),
        [0, 0, 0xfe, 0xff, ..] => return Some("UTF-32 (big endian)"),
        [0xff, 0xfe, ..] => return Some("UTF-16 (little endian)"),
        [0xfe, 0xff, ..] => return Some("UTF-16 (big endian)"),
        _ => {}
    }
    let start = &bytes[..bytes.len().min(64) & !1];
    let zeros_at = |odd: usize| {
        let mut pairs = start.chunks_exact(2);
        start.len() >= 4 && pairs.all(|pair| pair[odd] == 0 && pair[1 - odd] != 0)
    };
    if zeros_at(1) {
        Some("UTF-16 (little endian)")
    } else if zeros_at(0) {
        Some("UTF-16 (big endian)")
    } else {
        None
    }
}

/// Where a merge conflict begins.
fn conflict(text: &str, prose: Prose) -> Option<usize> {
    let line_with = |marker: &str, from: usize| {
        let found = text[from..].match_indices(marker);
        found
            .map(|(at, _)| from + at)
            .find(|at| *at == 0 || text.as_bytes()[at - 1] == b'\n')
    };
    let ours = line_with("<<<<<<< ", 0);
    match prose {
        Prose::No => ours.or_else(|| line_with(">>>>>>> ", 0)),
        Prose::Yes => {
            let ours = ours?;
            let middle = line_with("=======", ours)?;
            line_with(">>>>>>> ", middle).map(|_| ours)
        }
    }
}

/// Whether this is a URL that a server can fetch something from.
pub fn is_web_url(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(bytes: &[u8]) -> (TextFault, (usize, usize)) {
        let found = text_of(bytes.to_vec(), Prose::No).unwrap_err();
        (found.fault, found.line_and_column())
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_text() {
        let text = |bytes: &str| text_of(bytes.into(), Prose::No).unwrap();
        assert_eq!(text("\u{feff}a: 1\r\n"), "a: 1\r\n");
        assert_eq!(text("a\u{feff}"), "a\u{feff}");
        assert_eq!(text(""), "");
    }

    #[test]
    fn other_encodings_are_named() {
        let utf16 = |text: &str, order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(order).collect()
        };
        for (bytes, name) in [
            (
                utf16("\u{feff}{}", u16::to_le_bytes),
                "UTF-16 (little endian)",
            ),
            (utf16("\u{feff}{}", u16::to_be_bytes), "UTF-16 (big endian)"),
            (
                utf16("{\"a\": 1}", u16::to_le_bytes),
                "UTF-16 (little endian)",
            ),
            (utf16("{\"a\": 1}", u16::to_be_bytes), "UTF-16 (big endian)"),
            (b"\xff\xfe\0\0{\0\0\0".to_vec(), "UTF-32 (little endian)"),
            (b"\0\0\xfe\xff\0\0\0{".to_vec(), "UTF-32 (big endian)"),
        ] {
            assert_eq!(fault(&bytes), (TextFault::OtherEncoding(name), (1, 1)));
        }
    }

    #[test]
    fn faults_have_their_line_and_column() {
        use TextFault::{AnnexPointer, Conflict, LfsPointer, NotUtf8, Nul};
        for (bytes, expected) in [
            (&b"a: 1\nb: \xc3\x28"[..], (NotUtf8, (2, 4))),
            ("a: 1\r\n\u{e4}: x\0y".as_bytes(), (Nul, (2, 5))),
            (b"a\n<<<<<<< HEAD\nb\n", (Conflict, (2, 1))),
            (b"a\r\n>>>>>>> topic\r\n", (Conflict, (2, 1))),
            (
                b"version https://git-lfs.github.com/spec/v1\noid",
                (LfsPointer, (1, 1)),
            ),
            (
                b"/annex/objects/SHA256E-s1--a.yaml\n",
                (AnnexPointer, (1, 1)),
            ),
        ] {
            assert_eq!(fault(bytes), expected);
        }
    }

    #[test]
    fn a_text_about_conflicts_is_not_one() {
        let is_text = |text: &str| text_of(text.into(), Prose::Yes).is_ok();
        assert!(is_text("the line\n<<<<<<< HEAD\nbegins it"));
        assert!(is_text("  <<<<<<< HEAD\n=======\n>>>>>>> b\n"));
        assert!(!is_text("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> b\n"));
        assert!(text_of(b"a: <<<<<<< b".to_vec(), Prose::No).is_ok());
    }

    #[test]
    fn line_ends_are_line_feeds() {
        assert_eq!(with_line_feeds("a\r\nb\rc\n".to_owned()), "a\nb\rc\n");
    }
}

//! Decoding of the bytes of text files, with specific errors for other encodings, merge conflicts and pointer files.
//!
//! Does not access files. All text that annosync reads is decoded here: manifests and the texts that they reference,
//! listings, plans, files of other tools, tokens.

use std::fmt;
use std::io::Read;

/// Why bytes are not a usable text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// UTF-16 or UTF-32; the name of the encoding.
    OtherEncoding(&'static str),
    NotUtf8,
    Nul,
    /// An unresolved merge conflict of git.
    Conflict,
    /// A Git LFS pointer instead of the content.
    LfsPointer,
    /// A git-annex pointer instead of the content.
    AnnexPointer,
}

impl TextFault {
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
                "resolve the conflict, delete the lines with <<<<<<<, ======= and >>>>>>>, and `git add` the file"
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

/// An error with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    pub fault: TextFault,
    /// The position of the fault, in bytes of [`TextError::shown`].
    pub offset: usize,
    /// The text, with invalid UTF-8 replaced.
    pub shown: String,
}

impl TextError {
    /// The line and the column of the fault, counted from 1, the column in characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.shown[..self.offset];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (
            before.matches('\n').count() + 1,
            before[start..].chars().count() + 1,
        )
    }
}

/// The kind of a text, which decides when conflict markers are an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// YAML, JSON, a token: no valid line begins with a conflict marker, so a single one is an error.
    Structured,
    /// Any text: only all markers of a conflict in their order are an error.
    FreeText,
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The number of first bytes that suffice to detect other encodings and pointers.
const HEAD: usize = 64;

/// Decodes the bytes of a file and removes a byte order mark.
pub fn decode_text(bytes: Vec<u8>, kind: TextKind) -> Result<String, TextError> {
    let error = |fault, offset, shown| TextError {
        fault,
        offset,
        shown,
    };
    if let Some(fault) = detect_pointer(&bytes) {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        return Err(error(fault, 0, shown));
    }
    if let Some(name) = other_encoding(&bytes) {
        // The bytes would not be readable as UTF-8.
        return Err(error(TextFault::OtherEncoding(name), 0, String::new()));
    }
    let mut text = String::from_utf8(bytes).map_err(|invalid| {
        let offset = invalid.utf8_error().valid_up_to();
        let shown = String::from_utf8_lossy(invalid.as_bytes()).into_owned();
        error(TextFault::NotUtf8, offset, shown)
    })?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    if let Some(offset) = text.find('\0') {
        return Err(error(TextFault::Nul, offset, text));
    }
    match conflict(&text, 0, true, kind) {
        Some(offset) => Err(error(TextFault::Conflict, offset, text)),
        None => Ok(text),
    }
}

/// Decodes a structured text piece by piece. Where it is wrong, [`decode_text`] says of the whole what it is.
#[derive(Debug)]
pub struct TextReader<R> {
    from: R,
    /// The last bytes that were read. Those of a character that is not whole are left in it.
    bytes: Vec<u8>,
    is_first: bool,
}

/// Longer than a marker of a conflict.
const MARKER: usize = 8;

impl<R: Read> TextReader<R> {
    pub fn new(from: R) -> Self {
        Self {
            from,
            bytes: Vec::new(),
            is_first: true,
        }
    }

    /// Appends about as many bytes to the text, which ends with what was read before, if there is a rest of that.
    /// Returns whether there may be more; `None` if the text is wrong or cannot be read.
    pub fn read(&mut self, text: &mut String, count: usize) -> Option<bool> {
        let count = count.max(HEAD);
        self.bytes.reserve(count);
        let mut from = self.from.by_ref().take(count as u64);
        let is_last = from.read_to_end(&mut self.bytes).ok()? < count;
        let is_other =
            detect_pointer(&self.bytes).is_some() || other_encoding(&self.bytes).is_some();
        if self.is_first && is_other {
            return None;
        }
        let valid = match std::str::from_utf8(&self.bytes) {
            Ok(all) => all.len(),
            Err(error) if error.error_len().is_none() && !is_last => error.valid_up_to(),
            Err(_) => return None,
        };
        let mut piece = std::str::from_utf8(&self.bytes[..valid]).expect("it is valid up to there");
        if self.is_first {
            piece = piece.strip_prefix(BYTE_ORDER_MARK).unwrap_or(piece);
        }
        let known = text.len();
        text.push_str(piece);
        let mut start = known.saturating_sub(MARKER);
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let has_marker = conflict(text, start, self.is_first, TextKind::Structured).is_some();
        let is_wrong = has_marker || piece.contains('\0');
        self.bytes.drain(..valid);
        self.is_first = false;
        (!is_wrong).then_some(!is_last)
    }
}

/// Detects pointer files of Git LFS and git-annex, in place of text or binary files.
pub fn detect_pointer(bytes: &[u8]) -> Option<TextFault> {
    if bytes.starts_with(b"version https://git-lfs.github.com/spec/")
        || bytes.starts_with(b"version https://hawser.github.com/spec/")
    {
        return Some(TextFault::LfsPointer);
    }
    bytes
        .starts_with(b"/annex/objects/")
        .then_some(TextFault::AnnexPointer)
}

/// Replaces CRLF by LF, so that offsets in a text do not depend on how git checked it out.
pub fn normalize_line_endings(text: String) -> String {
    if text.contains("\r\n") {
        text.replace("\r\n", "\n")
    } else {
        text
    }
}

/// Detects UTF-16 and UTF-32 by a byte order mark, or UTF-16 by the zero bytes of ASCII characters.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => return Some("UTF-32 (little endian)"),
        [0, 0, 0xfe, 0xff, ..] => return Some("UTF-32 (big endian)"),
        [0xff, 0xfe, ..] => return Some("UTF-16 (little endian)"),
        [0xfe, 0xff, ..] => return Some("UTF-16 (big endian)"),
        _ => {}
    }
    let start = &bytes[..bytes.len().min(HEAD) & !1];
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

/// The position of the first merge conflict from an offset on. `begins_line` says whether the text begins a line.
fn conflict(text: &str, start: usize, begins_line: bool, kind: TextKind) -> Option<usize> {
    let line_with = |marker: &str, from: usize| {
        // Many times as fast as a search for the positions, and nearly no text has a marker.
        if !text[from..].contains(marker) {
            return None;
        }
        let found = text[from..].match_indices(marker);
        found
            .map(|(at, _)| from + at)
            .find(|at| match at.checked_sub(1) {
                Some(before) => text.as_bytes()[before] == b'\n',
                None => begins_line,
            })
    };
    let ours = line_with("<<<<<<< ", start);
    match kind {
        TextKind::Structured => ours.or_else(|| line_with(">>>>>>> ", start)),
        TextKind::FreeText => {
            let ours = ours?;
            let middle = line_with("=======", ours)?;
            line_with(">>>>>>> ", middle).map(|_| ours)
        }
    }
}

/// Whether this is an `http` or `https` URL with a host.
pub fn is_web_url(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(bytes: &[u8]) -> (TextFault, (usize, usize)) {
        let found = decode_text(bytes.to_vec(), TextKind::Structured).unwrap_err();
        (found.fault, found.line_and_column())
    }

    #[test]
    fn a_byte_order_mark_is_removed() {
        let text = |bytes: &str| decode_text(bytes.into(), TextKind::Structured).unwrap();
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
    fn faults_have_a_line_and_a_column() {
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
    fn single_conflict_markers_are_allowed_in_prose() {
        let is_text = |text: &str| decode_text(text.into(), TextKind::FreeText).is_ok();
        assert!(is_text("the line\n<<<<<<< HEAD\nbegins it"));
        assert!(is_text("  <<<<<<< HEAD\n=======\n>>>>>>> b\n"));
        assert!(!is_text("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> b\n"));
        assert!(decode_text(b"a: <<<<<<< b".to_vec(), TextKind::Structured).is_ok());
    }

    #[test]
    fn a_text_in_pieces_is_that_of_the_whole() {
        let long = "é🚗\n".repeat(50);
        for text in [
            "",
            "a",
            "\u{feff}a\u{feff}",
            &long,
            &format!("{long}{{}} <<<<<<< b"),
            &format!("{long}<<<<<<< HEAD\n"),
            &format!("{}\n<<<<<<< HEAD\n", "a".repeat(62)),
            &format!("{}\n>>>>>>> a\n", "a".repeat(57)),
            &format!("{long}\0"),
            "version https://git-lfs.github.com/spec/v1\noid",
        ] {
            let whole = decode_text(text.into(), TextKind::Structured).ok();
            assert_eq!(in_pieces(text.as_bytes()), whole, "{text:?}");
        }
        let wrong = [
            b"\xff\xfe{\0",
            &[long.as_bytes(), b"\xc3"].concat()[..],
            b"a\xc3\x28",
        ];
        assert!(wrong.iter().all(|bytes| in_pieces(bytes).is_none()));
    }

    fn in_pieces(bytes: &[u8]) -> Option<String> {
        let (mut reader, mut text) = (TextReader::new(bytes), String::new());
        while reader.read(&mut text, 1)? {}
        Some(text)
    }

    #[test]
    fn line_endings_are_normalized() {
        let text = normalize_line_endings("a\r\nb\rc\n".to_owned());
        assert_eq!(text, "a\nb\rc\n");
    }
}

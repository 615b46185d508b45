//! Detection of the kind of a file from its first bytes.
//!
//! A few kilobytes are enough, because annosync writes the keys that identify a file first. A file whose keys were
//! sorted is recognised as well if one of them is among these bytes.

use std::borrow::Cow;

/// A kind of file that annosync reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A file of a manifest.
    Manifest,
    /// A plan made from a manifest.
    Plan,
    /// A plan that undoes an apply.
    Undo,
    /// The output of `apply --format json`.
    Outcome,
    /// The output of `apply --log`.
    Log,
    /// The output of `list --format json`.
    Listing,
    /// The output of `list --format jsonl`: one annotation per line.
    Annotations,
    /// The output of `diff --format json`.
    Diff,
    /// Findings of `validate`, a baseline of them, or the output of `stats --format json`.
    Report,
    /// Calls that `emulator --record` wrote.
    Recording,
    /// Written by annosync, but of a kind that this version does not know.
    Unknown,
    Coco,
}

impl FileKind {
    /// How many bytes from the start of a file [`FileKind::of`] needs.
    pub const HEAD_BYTES: u64 = 4_096;

    /// The kind of a file that begins with these bytes; `None` if it is not recognised.
    pub fn of(head: &[u8]) -> Option<Self> {
        let text = decoded(head);
        let text = text.trim_start();
        if !text.starts_with('{') {
            return is_manifest_in_yaml(text).then_some(Self::Manifest);
        }
        let keys = Keys::of(text);
        let has = |key: &str| keys.value(key).is_some();
        let has_any = |names: &[&str]| names.iter().any(|name| has(name));
        // The first line may be incomplete.
        if text.starts_with("{\"ended\"") && keys.0.is_empty() {
            return Some(Self::Log);
        }
        if has("ended") && has_any(&["operation", "purge", "action"]) || keys.begins_with("ended") {
            return Some(Self::Log);
        }
        if has("format_version") && has("old") && has("new") {
            return Some(Self::Diff);
        }
        if keys.begins_with("format_version")
            && !has("tool_version")
            && has_any(&["findings", "concepts", "kinds", "labels"])
        {
            return Some(Self::Report);
        }
        // Files of a manifest have none of these keys.
        let is_output = has_any(&["format_version", "tool_version", "batches", "ending"]);
        // A plan that posts inputs has the key `inputs` too, after both versions.
        let is_plan = has("format_version") && has("tool_version");
        if has("inputs") && !is_plan || has_any(&["set", "policy", "targets"]) && !is_output {
            return Some(Self::Manifest);
        }
        if has("batches") || has("tool_version") && !has("ending") {
            let is_undo = keys.value("purpose") == Some("\"undo\"");
            return Some(if is_undo { Self::Undo } else { Self::Plan });
        }
        if has("ending") && has_any(&["format_version", "applied"]) {
            return Some(Self::Outcome);
        }
        if has("app_owner") {
            return Some(Self::Listing);
        }
        if keys.begins_with("format_version") && has("recorded_from") {
            return Some(Self::Recording);
        }
        if keys.begins_with("format_version") {
            return Some(Self::Unknown);
        }
        // Many tools write the images first, so that the other keys are far behind.
        let is_coco = has_any(&["info", "licenses", "categories", "annotations"])
            || text.contains("\"file_name\"");
        if has("images") && is_coco {
            return Some(Self::Coco);
        }
        if has("input_id") && has_any(&["id", "data", "user_id"]) {
            return Some(Self::Annotations);
        }
        // The first line of a .jsonl file of a manifest: an input.
        (has("id") && has_any(&["annotations", "purge", "image", "text"])).then_some(Self::Manifest)
    }

    /// Whether annosync wrote it, so it cannot belong to a manifest. Not true for a list of annotations, because other
    /// programs write the same format; a manifest with one is an error.
    pub fn is_output(self) -> bool {
        !matches!(self, Self::Manifest | Self::Coco | Self::Annotations)
    }
}

/// Decodes UTF-8, or UTF-16 with a byte order mark. The last character may be incomplete.
fn decoded(head: &[u8]) -> Cow<'_, str> {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.as_chunks().0.iter().map(|pair| unit(*pair));
        let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        Cow::Owned(text.collect())
    };
    match head {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => String::from_utf8_lossy(head),
    }
}

fn is_manifest_in_yaml(text: &str) -> bool {
    const KEYS: [&str; 5] = ["version:", "set:", "policy:", "inputs:", "targets:"];
    let mut lines = text.lines();
    lines.any(|line| KEYS.iter().any(|key| line.starts_with(key)))
}

/// The keys and values at the start of a JSON object that may be incomplete.
struct Keys<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Keys<'t> {
    fn of(text: &'t str) -> Self {
        let mut keys = Vec::new();
        let mut rest = text.strip_prefix('{').unwrap_or_default();
        // Stops at the first incomplete entry.
        while let Some(quoted) = rest.trim_start().strip_prefix('"') {
            let Some(end) = end_of_string(quoted) else {
                break;
            };
            let Some(value) = quoted[end + 1..].trim_start().strip_prefix(':') else {
                break;
            };
            let value = value.trim_start();
            let length = end_of_value(value);
            keys.push((&quoted[..end], value[..length].trim_end()));
            let Some(next) = value[length..].strip_prefix(',') else {
                break;
            };
            rest = next;
        }
        Self(keys)
    }

    fn value(&self, key: &str) -> Option<&'t str> {
        let mut found = self.0.iter().filter(|(name, _)| *name == key);
        found.next().map(|(_, value)| *value)
    }

    fn begins_with(&self, key: &str) -> bool {
        self.0.first().is_some_and(|(first, _)| *first == key)
    }
}

/// The position of the closing quote of a string.
fn end_of_string(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

/// The position of the comma or bracket after a value, or the end of the text.
fn end_of_value(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'"' => match end_of_string(&text[at + 1..]) {
                Some(end) => at += 1 + end,
                None => return text.len(),
            },
            b'{' | b'[' => depth += 1,
            b',' | b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{ "format_version": "1.0", "tool_version": "0.1.0", "target": { "a": "}\"" }, "set": "s""#;

    #[test]
    fn every_kind_is_recognised_in_every_encoding() {
        for (text, kind) in [
            (PLAN, Some(FileKind::Plan)),
            (
                r#"{"format_version":"1.0","tool_version":"0.1.0","purpose":"undo","target":{}"#,
                Some(FileKind::Undo),
            ),
            (
                r#"{"format_version":"1.0","tool_version":"0.1.0","ending":"applied""#,
                Some(FileKind::Outcome),
            ),
            (
                r#"{"format_version":"1.0","caller":"a","app_owner":"a","scope":"whole_app","annotations":[{"id":"x"#,
                Some(FileKind::Listing),
            ),
            (
                r#"{"format_version":"1.0","old":{"name":"a","kind":"coco"},"new":{"name":"b","inputs":1},"summary":{"#,
                Some(FileKind::Diff),
            ),
            (
                "{\"ended\":\"applied\",\"operation\":0}\n{",
                Some(FileKind::Log),
            ),
            // Sorted keys, incomplete.
            (
                r#"{"base":{"commit":"x"},"batches":[{"call"#,
                Some(FileKind::Plan),
            ),
            (
                r#"{"already_so":0,"applied":{"post":1},"calls":1,"ending":"applied","failed":[]"#,
                Some(FileKind::Outcome),
            ),
            (
                r#"{"action":"post","ended":"applied","id":"x"}"#,
                Some(FileKind::Log),
            ),
            (
                r#"{"format_version": "9.0", "other": 1}"#,
                Some(FileKind::Unknown),
            ),
            ("{\"format_version\": \"\"}\n", Some(FileKind::Unknown)),
            (
                r#"{"format_version": "1.0", "findings": [{"rule": "ti"#,
                Some(FileKind::Report),
            ),
            (
                r#"{"format_version": "1.0", "inputs": 3, "annotations": 5, "concepts": [{"co"#,
                Some(FileKind::Report),
            ),
            (
                r#"{"info":{"year":1},"licenses":[],"images":[{"id":1,"fi"#,
                Some(FileKind::Coco),
            ),
            (
                r#"{"annotations":[],"categories":[],"images":[]}"#,
                Some(FileKind::Coco),
            ),
            ("# labels\nversion: 1\nset: s\n", Some(FileKind::Manifest)),
            (
                r#"{"inputs": [], "format_version": 1}"#,
                Some(FileKind::Manifest),
            ),
            (r#"{"id":"a","annotations":[]}"#, Some(FileKind::Manifest)),
            (r#"{"purge":true,"id":"ended"}"#, Some(FileKind::Manifest)),
            ("{\"ended\"", Some(FileKind::Log)),
            (
                r#"{"id":"a","input_id":"in-1","data":{}}"#,
                Some(FileKind::Annotations),
            ),
            (
                r#"{"input_id":"in-1","id":"a","da"#,
                Some(FileKind::Annotations),
            ),
            ("", None),
            ("{}", None),
            ("{", None),
            ("[1]", None),
            ("hello\n", None),
        ] {
            assert_eq!(FileKind::of(text.as_bytes()), kind, "{text}");
            let marked = [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat();
            assert_eq!(FileKind::of(&marked), kind, "{text}");
            let wide = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
                let units = std::iter::once(0xfeff).chain(text.encode_utf16());
                units.flat_map(bytes).collect()
            };
            assert_eq!(FileKind::of(&wide(u16::to_le_bytes)), kind, "{text}");
            assert_eq!(FileKind::of(&wide(u16::to_be_bytes)), kind, "{text}");
        }
    }

    #[test]
    fn incomplete_or_invalid_bytes_do_not_panic() {
        for head in [
            &b"{\"a\xff\\"[..],
            b"{\"a\":]",
            b"{\"a\":\"\\",
            b"\xff\xfe{",
            b"{\"\xc3",
        ] {
            FileKind::of(head);
        }
        for end in 0..PLAN.len() {
            FileKind::of(&PLAN.as_bytes()[..end]);
        }
    }
}

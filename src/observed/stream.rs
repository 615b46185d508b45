//! Saved listings, decoded on all cores while the file is read, so that its text is never in memory as a whole.
//!
//! The elements of `annotations` are decoded where they stand; what remains is the same document with an empty list. A
//! block is cut where an element seems to begin. A cut counts only if the part before it ends exactly there, so that a
//! text that looks like the start of an element cannot mislead. `None` means: read the file as a whole, which also says
//! what is wrong with it.

use super::state::{Assembly, Decoded};
use crate::model::{Interner, Shard};
use crate::wire;
use crate::wire::decode::annotation;
use rayon::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::io::{self, Read};

/// How many bytes are read before they are decoded, and how many are decoded by one thread at a time.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    block: usize,
    part: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            block: 8 << 20,
            part: 256 << 10,
        }
    }
}

impl Sizes {
    /// For a shard, which otherwise takes little memory.
    pub(super) fn small() -> Self {
        Self {
            block: 1 << 20,
            part: 128 << 10,
        }
    }
}

/// The maximum number of bytes after the list.
const MAX_AFTER: u64 = 1 << 20;

/// The document without the elements of its list, and these.
pub(super) struct Streamed {
    pub(super) document: String,
    pub(super) assembly: Assembly,
}

pub(super) fn stream(
    mut from: impl Read + Send,
    sizes: Sizes,
    shard: Option<Shard>,
) -> io::Result<Option<Streamed>> {
    let mut block = Vec::new();
    fill(&mut from, &mut block, sizes.block)?;
    let Some(start) = list_start(&block) else {
        return Ok(None);
    };
    let mut document = block[..start].to_owned();
    block.drain(..start);
    let mut assembly = Assembly::of(shard);
    let mut decoded: Vec<Vec<Decoded>> = Vec::new();
    let mut next = Vec::new();
    let mut most = sizes.block;
    loop {
        let ((parts, end), read) = rayon::join(
            || decode(text_of(&block), sizes.part),
            || {
                decoded
                    .drain(..)
                    .flatten()
                    .for_each(|one| assembly.push(one));
                fill(&mut from, &mut next, most)
            },
        );
        let read = read?;
        decoded = parts;
        match end {
            End::Broken => return Ok(None),
            End::List(at) => {
                decoded
                    .into_iter()
                    .flatten()
                    .for_each(|one| assembly.push(one));
                document.extend_from_slice(&block[at..]);
                document.append(&mut next);
                let most = MAX_AFTER + 1;
                let rest = from.by_ref().take(most).read_to_end(&mut document)? as u64;
                let document = String::from_utf8(document).ok();
                return Ok(document
                    .filter(|_| rest < most)
                    .map(|document| Streamed { document, assembly }));
            }
            End::Text(_) if read == 0 => return Ok(None),
            End::Text(at) => {
                block.drain(..at);
                // A block that holds only the start of a long element grows.
                most = sizes.block.max(block.len());
                block.append(&mut next);
            }
        }
    }
}

/// Reads this many bytes, or up to the end of the file.
fn fill(from: &mut impl Read, block: &mut Vec<u8>, most: usize) -> io::Result<usize> {
    block.reserve_exact(most);
    from.take(most as u64).read_to_end(block)
}

/// Behind the bracket that begins the list of annotations.
fn list_start(block: &[u8]) -> Option<usize> {
    const KEY: &[u8] = br#""annotations""#;
    let key = block.windows(KEY.len()).position(|it| it == KEY)? + KEY.len();
    let colon = skip_space(block, key);
    let bracket = skip_space(block, colon + 1);
    (block.get(colon) == Some(&b':') && block.get(bracket) == Some(&b'[')).then_some(bracket + 1)
}

/// The text of the block, without a character or a number that is cut at its end. The parser says of most values that
/// they are cut, but calls `0.` wrong.
fn text_of(block: &[u8]) -> &str {
    let text = match std::str::from_utf8(block) {
        Ok(text) => text,
        Err(error) => {
            let valid = &block[..error.valid_up_to()];
            std::str::from_utf8(valid).expect("it is valid up to there")
        }
    };
    text.trim_end_matches(['.', '-', '+', 'e', 'E'])
}

fn skip_space(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let length = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
        .count();
    from + length
}

/// Where the decoding of a part ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// At the start of an element, or of what may become one.
    Text(usize),
    /// At the bracket that ends the list.
    List(usize),
    Broken,
}

/// Decodes the elements of a block that begins with one.
fn decode(text: &str, part: usize) -> (Vec<Vec<Decoded>>, End) {
    let mut cuts = vec![0];
    for at in (part..text.len()).step_by(part) {
        let last = cuts[cuts.len() - 1];
        cuts.extend(element_near(text, at, part).filter(|cut| *cut > last));
    }
    let until = |index: usize| cuts.get(index + 1).copied().unwrap_or(text.len());
    let parts: Vec<(Vec<Decoded>, End)> = (cuts.par_iter().enumerate())
        .map(|(index, cut)| elements(text, *cut, until(index)))
        .collect();
    let mut decoded = Vec::with_capacity(parts.len());
    let mut end = End::Text(0);
    for ((part, of_part), cut) in parts.into_iter().zip(&cuts) {
        if end != End::Text(*cut) {
            // The cut was not at an element of the list: decode the rest from the last element that was.
            if let End::Text(at) = end {
                let (part, of_rest) = elements(text, at, text.len());
                decoded.push(part);
                end = of_rest;
            }
            break;
        }
        decoded.push(part);
        end = of_part;
    }
    (decoded, end)
}

/// Where an annotation seems to begin, near a place.
fn element_near(text: &str, at: usize, part: usize) -> Option<usize> {
    #[derive(Deserialize)]
    struct Annotation {
        #[serde(rename = "input_id")]
        _input: IgnoredAny,
    }
    const TRIES: usize = 64;
    let bytes = text.as_bytes();
    let near = &bytes[at..bytes.len().min(at + part)];
    let braces = near
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| *pair == b",{");
    let candidates = braces.map(|(offset, _)| at + offset + 1).take(TRIES);
    candidates
        .into_iter()
        .find(|candidate| matches!(first_of::<Annotation>(&text[*candidate..]), Some(Ok(_))))
}

/// The first value of a text, and its length with the space before it.
fn first_of<'t, T: Deserialize<'t>>(text: &'t str) -> Option<serde_json::Result<(T, usize)>> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = values.next()?;
    Some(value.map(|value| (value, values.byte_offset())))
}

/// Decodes the elements from one that begins at `at` up to the one that begins at `until`.
fn elements(text: &str, mut at: usize, until: usize) -> (Vec<Decoded>, End) {
    let bytes = text.as_bytes();
    let mut interner = Interner::default();
    let mut decoded = Vec::new();
    while at < until {
        let rest = &text[at..];
        let (wire, length) = match first_of::<wire::Annotation>(rest) {
            Some(Err(error)) if !error.is_eof() => match first_of::<wire::Listed<_>>(rest) {
                Some(Ok((listed, length))) => (listed.0, length),
                Some(Err(error)) if error.is_eof() => break,
                Some(Err(_)) | None => return (decoded, End::Broken),
            },
            Some(Ok(whole)) => whole,
            Some(Err(_)) | None => break,
        };
        let next = skip_space(bytes, at + length);
        match bytes.get(next) {
            // More of it may follow.
            None => break,
            Some(b',') => at = skip_space(bytes, next + 1),
            Some(b']') => {
                decoded.push(annotation(wire, &mut interner));
                return (decoded, End::List(next));
            }
            Some(_) => return (decoded, End::Broken),
        }
        decoded.push(annotation(wire, &mut interner));
    }
    (decoded, End::Text(at))
}

#[cfg(test)]
mod tests {
    use super::super::SavedListing;
    use super::*;
    use std::fmt::Write as _;

    const HEADER: &str =
        r#""format_version":"1.0","caller":"ann","app_owner":"ann","scope":"whole_app""#;

    /// Annotations with parts that look like the start of another one.
    fn listing(count: usize, space: &str) -> String {
        let mut text = format!("{{{HEADER},\"annotations\"{space}:{space}[");
        for at in 0..count {
            let alike = r#"[{"input_id":"x"},{"input_id":"y","id":"z"},{"input_id":"ä"}]"#;
            let quoted = r#"},{\"input_id\":\"no\"},{"#;
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(
                text,
                r#"{comma}{space}{{"id":"{at:032x}","input_id":"in-{}","data":{{"metadata":{{"k":{alike},"q":"{quoted}"}},"concepts":[{{"id":"car","value":0.{at}}},{{"id":"bus"}}]}}}}"#,
                at / 7
            );
        }
        text + space + "]" + space + "}\n"
    }

    fn streamed(text: &str, block: usize, part: usize) -> Option<SavedListing> {
        SavedListing::stream_with(text.as_bytes(), Sizes { block, part }, None).unwrap()
    }

    #[test]
    fn pieces_of_every_size_give_the_same_state() {
        for space in ["", " ", "\n\t"] {
            let text = listing(23, space);
            let whole = SavedListing::read(&text).unwrap().into_state();
            let start = text.find('[').unwrap();
            for block in (start + 1..start + 90).chain([1_000, 2_345, 100_000]) {
                for part in [1, 7, 50, 300, 100_000] {
                    let state = streamed(&text, block, part).unwrap().into_state();
                    assert_eq!(state, whole, "{block} {part}");
                }
            }
        }
    }

    #[test]
    fn a_file_that_is_wrong_is_left_to_the_reader_of_whole_files() {
        let text = listing(5, "");
        for (end, _) in text.trim_end().char_indices() {
            assert!(streamed(&text[..end], 300, 100).is_none(), "{end}");
        }
        let one = r#"{"id":"a","input_id":"i"}"#;
        for wrong in [
            format!("{{{HEADER},\"annotations\":[{one},]}}"),
            format!("{{{HEADER},\"annotations\":[,{one}]}}"),
            format!("{{{HEADER},\"annotations\":[{one} {one}]}}"),
            format!("{{{HEADER},\"annotations\":[{one},{one}]}}"),
            format!("{{{HEADER},\"annotations\":[{one}\u{c},{{}}]}}"),
            format!("{{{HEADER},\"annotations\":[{one}]]}}"),
            format!("{{{HEADER},\"annotations\":[{one}]}} {{}}"),
            format!("{{{HEADER},\"annotations\":[{one}],\"annotations\":[]}}"),
            format!("{{{HEADER},\"annotations\":[{{\"id\":\"a\"}}]}}"),
            format!("{{{HEADER},\"x\":{{\"annotations\":[{one}]}}}}"),
            format!("{{\"annotations\":[{one}]}}"),
            format!("{{{HEADER},\"annotations\":[{one}]}}").replace("1.0", "9.0"),
            format!("{{{HEADER},\"annotations\":[{one}]}}").replace("whole_app", "filtered"),
        ] {
            assert!(streamed(&wrong, 300, 100).is_none(), "{wrong}");
            assert!(SavedListing::read(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_annotation_without_the_form_of_the_api_is_unreadable() {
        let broken = r#"{"id":7,"input_id":"i"}"#;
        let text =
            format!("{{{HEADER},\"annotations\":[{broken},{{\"id\":\"a\",\"input_id\":\"i\"}}]}}");
        let state = streamed(&text, 300, 10).unwrap().into_state();
        assert_eq!(state, SavedListing::read(&text).unwrap().into_state());
        assert_eq!((state.unreadable.len(), state.len()), (1, 1));
    }

    /// Notes how many bytes were asked for at once.
    struct Counted<'t> {
        rest: &'t [u8],
        largest: usize,
        read: usize,
    }

    impl Read for Counted<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.largest = self.largest.max(into.len());
            let read = self.rest.read(into)?;
            self.read += read;
            Ok(read)
        }
    }

    #[test]
    fn a_longer_file_is_read_once_and_needs_no_larger_buffer() {
        let sizes = Sizes {
            block: 4_000,
            part: 500,
        };
        let largest = [100, 1_000, 10_000].map(|count| {
            let text = listing(count, "");
            let mut counted = Counted {
                rest: text.as_bytes(),
                largest: 0,
                read: 0,
            };
            let streamed = SavedListing::stream_with(&mut counted, sizes, None).unwrap();
            assert_eq!(streamed.unwrap().into_state().len(), count);
            assert_eq!(counted.read, text.len());
            counted.largest
        });
        assert!(largest[2] <= largest[0], "{largest:?}");
    }
}

//! JSON of many similar annotations: what their texts have in common is kept once.

use super::json::{Json, is_plain};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The text of a [`Json`], split into its shape, which similar annotations share, and the digits that fill the shape's gaps.
#[derive(Clone, PartialEq, Eq)]
pub struct PackedJson {
    shape: Arc<Shape>,
    /// For each gap the number of its digits, then these, two in a byte.
    filling: Box<[u8]>,
}

/// A JSON text with a [`GAP`] instead of each run of hexadecimal digits that is worth it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    text: Box<str>,
    gaps: Box<[Gap]>,
    /// Whether a text of this shape can be kept without loss, as far as the shape shows it.
    is_plain: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Gap {
    /// Its place in the shape's text.
    at: usize,
    is_in_number: bool,
}

/// A character that JSON text never contains.
const GAP: char = '\0';
/// Shorter runs stay in the shape: they are parts of words, or of numbers that many annotations share.
const SHORTEST: usize = 4;
/// The number of digits is one byte.
const LONGEST: usize = u8::MAX as usize;

const DIGITS: &[u8; 16] = b"0123456789abcdef";
const NO_DIGIT: u8 = 16;
/// The value of each digit.
static VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};

impl Shape {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn new(text: &str) -> Arc<Self> {
        // A gap counts as a digit: the exponent of a number may follow it.
        let is_plain = is_plain(&text.replace(GAP, "0"));
        let mut gaps = Vec::new();
        let mut in_string = false;
        for (at, byte) in text.bytes().enumerate() {
            // A plain text has no escaped quotes.
            in_string ^= byte == b'"';
            if byte == GAP as u8 {
                let is_in_number = !in_string;
                gaps.push(Gap { at, is_in_number });
            }
        }
        Arc::new(Self {
            text: text.into(),
            gaps: gaps.into(),
            is_plain,
        })
    }

    /// Collects what fills the gaps. `false` if a valid JSON text has another shape, or may not be kept without loss.
    fn filling_of(&self, json: &str, filling: &mut Vec<u8>) -> bool {
        if !self.is_plain {
            return false;
        }
        filling.clear();
        let shape = self.text.as_bytes();
        let mut rest = json.as_bytes();
        let mut start = 0;
        for gap in &self.gaps {
            let Some(run) = rest.strip_prefix(&shape[start..gap.at]) else {
                return false;
            };
            let length = run_length(run);
            let (run, after) = run.split_at(length);
            // Other digits would be an exponent.
            let is_right = !gap.is_in_number || run.iter().all(u8::is_ascii_digit);
            let before = gap.at.checked_sub(1).map(|at| shape[at]);
            if !is_gap(before, length) || !is_right {
                return false;
            }
            fill(filling, run);
            rest = after;
            start = gap.at + 1;
        }
        *rest == shape[start..]
    }
}

/// Whether a gap replaces a run of digits: also a short one after a point, because decimals differ in length.
fn is_gap(before: Option<u8>, run_length: usize) -> bool {
    let shortest = if before == Some(b'.') { 1 } else { SHORTEST };
    (shortest..=LONGEST).contains(&run_length)
}

/// The number of digits at the start.
fn run_length(text: &[u8]) -> usize {
    let end = (text.iter()).position(|byte| VALUES[usize::from(*byte)] == NO_DIGIT);
    end.unwrap_or(text.len())
}

fn fill(filling: &mut Vec<u8>, run: &[u8]) {
    filling.push(run.len() as u8);
    let value = |byte: u8| VALUES[usize::from(byte)];
    let (pairs, last) = run.as_chunks::<2>();
    filling.extend(
        pairs
            .iter()
            .map(|&[high, low]| value(high) << 4 | value(low)),
    );
    filling.extend(last.iter().map(|&high| value(high) << 4));
}

/// Memory for the parts of a text, used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Parts {
    shape: String,
    filling: Vec<u8>,
}

impl PackedJson {
    pub(super) fn pack(
        json: &Json,
        parts: &mut Parts,
        intern: impl FnOnce(&str) -> Arc<Shape>,
    ) -> Self {
        let text = json.as_str();
        let Parts { shape, filling } = parts;
        shape.clear();
        filling.clear();
        let (mut kept, mut at) = (0, 0);
        while at < text.len() {
            let length = run_length(&text.as_bytes()[at..]);
            let before = at.checked_sub(1).map(|at| text.as_bytes()[at]);
            if is_gap(before, length) {
                shape.push_str(&text[kept..at]);
                shape.push(GAP);
                fill(filling, &text.as_bytes()[at..at + length]);
                kept = at + length;
            }
            // The byte after a run is not a digit.
            at += length + 1;
        }
        shape.push_str(&text[kept..]);
        Self {
            shape: intern(shape),
            filling: filling.as_slice().into(),
        }
    }

    /// Packs a valid JSON text of this shape. `None` if it has another one, or may not be kept without loss.
    pub(super) fn of_shape(shape: &Arc<Shape>, json: &str, parts: &mut Parts) -> Option<Self> {
        let Parts { filling, .. } = parts;
        shape.filling_of(json, filling).then(|| Self {
            shape: Arc::clone(shape),
            filling: filling.as_slice().into(),
        })
    }

    /// The same text.
    pub fn text(&self) -> Cow<'_, str> {
        if self.filling.is_empty() {
            return Cow::Borrowed(self.shape.as_str());
        }
        let mut text = String::with_capacity(self.shape.text.len() + 2 * self.filling.len());
        let mut filling = &*self.filling;
        let mut start = 0;
        for gap in &self.shape.gaps {
            text.push_str(&self.shape.text[start..gap.at]);
            start = gap.at + 1;
            let (length, after) = filling.split_first().expect("each gap is filled");
            let length = usize::from(*length);
            let (digits, after) = after.split_at(length.div_ceil(2));
            let digits = digits.iter().flat_map(|pair| [pair >> 4, pair & 15]);
            text.extend((digits.take(length)).map(|it| char::from(DIGITS[usize::from(it)])));
            filling = after;
        }
        text.push_str(&self.shape.text[start..]);
        Cow::Owned(text)
    }

    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.text()).expect("the text was checked when it was kept")
    }
}

impl From<Json> for PackedJson {
    fn from(json: Json) -> Self {
        Self::pack(&json, &mut Parts::default(), Shape::new)
    }
}

impl fmt::Debug for PackedJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::super::interner::Interner;
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    #[test]
    fn annotations_that_differ_in_numbers_and_ids_share_their_shape() {
        let mut interner = Interner::default();
        let mut packed = |id: &str, top: &str| {
            let text = format!(
                r#"{{"regions":[{{"id":"{id}","box":{{"top":{top},"left":0.5}},"car":1}}]}}"#
            );
            let packed = interner.pack(&Json::new(&text).unwrap());
            assert_eq!(packed.text(), text);
            packed
        };
        let one = packed("00a1b2c3d4", "0.125");
        let two = packed("ffffff", "0.123456");
        let three = packed("00a1b2c3d4e5", "0.99999");
        assert!(Arc::ptr_eq(&two.shape, &three.shape));
        assert_ne!(one, two);
        let id = [12, 0x00, 0xa1, 0xb2, 0xc3, 0xd4, 0xe5];
        let decimals = [5, 0x99, 0x99, 0x90, 1, 0x50];
        let filling = [&id[..], &decimals].concat();
        assert_eq!(&*three.filling, filling.as_slice());
    }

    #[test]
    fn only_texts_that_can_be_kept_without_loss_are_taken_for_alike() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        for (first, other, is_alike) in [
            (r#"{"a":0.12345}"#, r#"{"a":0.543210}"#, true),
            (r#"{"a":"12e45"}"#, r#"{"a":"1ffff"}"#, true),
            (r#"{"a":0.12345}"#, r#"{"a":0.5}"#, true),
            (r#"{"a":12345}"#, r#"{"a":543}"#, false),
            (r#"{"a":0.12345}"#, r#"{"a":0.123456 }"#, false),
            (r#"{"a":0.12345}"#, r#"{"a":0.123456,"b":1}"#, false),
            // A number that is too large, a key twice, and an escape that is not a character.
            (r#"{"a":12345}"#, r#"{"a":1e999}"#, false),
            (r#"{"a":10000E304}"#, r#"{"a":99999E304}"#, false),
            (r#"{"a":1.5E308}"#, r#"{"a":1.9E308}"#, false),
            (r#"{"aaaa":1,"bbbb":2}"#, r#"{"aaaa":1,"aaaa":2}"#, false),
            (r#"{"a":"\u1234"}"#, r#"{"a":"\ud83d"}"#, false),
        ] {
            let mut interner = Interner::default();
            assert_eq!(interner.pack_alike(&raw(other)), None, "{first} {other}");
            interner.pack(&Json::try_from(raw(first)).unwrap());
            let alike = interner.pack_alike(&raw(other));
            assert_eq!(alike.is_some(), is_alike, "{first} {other}");
            assert!(alike.is_none_or(|alike| alike.text() == other));
        }
    }

    proptest! {
        #[test]
        fn a_packed_text_is_the_same_text(
            texts in prop::collection::vec(("[a-f0-9.äx\"]{0,20}", "[0-9a-f]{250,260}"), 0..9),
            numbers in prop::collection::vec(any::<f64>(), 0..9),
        ) {
            let json = Json::from_value(&serde_json::json!([texts, numbers]));
            let packed = PackedJson::from(json.clone());
            prop_assert_eq!(packed.text(), json.as_str());
            prop_assert_eq!(packed.to_value(), json.to_value());
            prop_assert_eq!(Interner::default().pack(&json), packed);
        }

        /// Two texts of few characters, which often have the same shape.
        #[test]
        fn a_text_that_is_alike_is_packed_as_any_other(one in "[1eE.\"]{1,7}", other in "[1eE.\"]{1,7}") {
            let text = |digits: &str| format!(r#"{{"a":0.{digits},"b":[{digits}]}}"#);
            let mut interner = Interner::default();
            let raw = |digits: &str| RawValue::from_string(text(digits)).ok();
            let (Some(one), Some(raw)) = (raw(&one), raw(&other)) else { return Ok(()) };
            let Ok(one) = Json::try_from(one) else { return Ok(()) };
            interner.pack(&one);
            if let Some(alike) = interner.pack_alike(&raw) {
                prop_assert_eq!(alike, PackedJson::from(Json::try_from(raw).unwrap()));
            }
        }
    }
}

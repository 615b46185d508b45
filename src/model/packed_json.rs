//! JSON of many similar annotations: what their texts have in common is kept once.

use super::json::Json;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A [`Json`] in two parts: its text with gaps, which similar texts share, and the long numbers and hexadecimal ids that
/// belong into the gaps.
///
/// It gives back the same text. Equal texts have equal shapes, so that comparing the parts compares the texts.
#[derive(Clone, PartialEq, Eq)]
pub struct PackedJson {
    shape: Arc<Shape>,
    /// The numbers and ids in their order, each followed by [`GAP`].
    filling: Box<str>,
}

/// A text with [`GAP`]s.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape(Box<str>);

/// No JSON text has this character.
const GAP: char = '\0';
/// The fewest characters of a gap: shorter ones would take as much memory as they save.
const SHORTEST: usize = 6;

impl Shape {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn new(text: &str) -> Arc<Self> {
        Arc::new(Self(text.into()))
    }
}

/// The parts of a text while it is taken apart, kept so that their memory is used again.
#[derive(Debug, Default)]
pub(super) struct Parts {
    shape: String,
    filling: String,
}

/// The bytes that numbers and hexadecimal ids consist of.
static FILLING: [bool; 256] = {
    let mut is_filling = [false; 256];
    let bytes = *b"0123456789abcdef.";
    let mut at = 0;
    while at < bytes.len() {
        is_filling[bytes[at] as usize] = true;
        at += 1;
    }
    is_filling
};

impl PackedJson {
    /// Takes a text apart; `intern` gives the shape for a text with gaps.
    pub(super) fn pack(
        json: &Json,
        parts: &mut Parts,
        intern: impl FnOnce(&str) -> Arc<Shape>,
    ) -> Self {
        let text = json.as_str();
        let Parts { shape, filling } = parts;
        shape.clear();
        filling.clear();
        let mut kept = 0;
        let mut start = 0;
        for (at, byte) in text.bytes().chain([0]).enumerate() {
            if FILLING[usize::from(byte)] {
                continue;
            }
            if at - start >= SHORTEST {
                shape.push_str(&text[kept..start]);
                shape.push(GAP);
                filling.push_str(&text[start..at]);
                filling.push(GAP);
                kept = at;
            }
            start = at + 1;
        }
        shape.push_str(&text[kept..]);
        Self {
            shape: intern(shape),
            filling: filling.as_str().into(),
        }
    }

    /// The text.
    pub fn text(&self) -> Cow<'_, str> {
        if self.filling.is_empty() {
            return Cow::Borrowed(self.shape.as_str());
        }
        let mut text = String::with_capacity(self.shape.0.len() + self.filling.len());
        let mut filling = self.filling.split(GAP);
        for (at, part) in self.shape.0.split(GAP).enumerate() {
            if at > 0 {
                text.push_str(filling.next().unwrap_or_default());
            }
            text.push_str(part);
        }
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
        let three = packed("00a1b2c3d4e5", "0.999999");
        assert!(Arc::ptr_eq(&two.shape, &three.shape));
        assert_ne!(one, two);
        assert_eq!(&*three.filling, "00a1b2c3d4e5\x000.999999\0");
    }

    proptest! {
        #[test]
        fn a_packed_text_is_the_same_text(texts in prop::collection::vec("[a-f0-9.äx\"]{0,20}", 0..9)) {
            let json = Json::from_value(&serde_json::json!(texts));
            let packed = PackedJson::from(json.clone());
            prop_assert_eq!(packed.text(), json.as_str());
            prop_assert_eq!(packed.to_value(), json.to_value());
            prop_assert_eq!(Interner::default().pack(&json), packed);
        }
    }
}

//! The tree of a value in a file: of one input, or of the header.
//!
//! Unlike `serde_yaml::Value` it keeps what a manifest must refuse: duplicate keys and keys that are not text.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use super::finding::as_written;
use super::words::quote;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node<'t> {
    Null,
    Bool(bool),
    /// An integer beyond 128 bits becomes the nearest that fits: both are outside every allowed range.
    Int(i128),
    Float(f64),
    Text(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Map(Vec<Entry<'t>>),
    /// The name of a custom YAML tag, such as `!include`.
    Tagged(String),
}

/// A key and its value. Whether keys are text is checked by [`super::fields`].
pub(super) type Entry<'t> = (Node<'t>, Node<'t>);

impl Node<'_> {
    /// [`Node::describe`] for a finding at the value's own place: numbers are shown as written in the file.
    pub(super) fn describe_written(&self) -> String {
        match self {
            Self::Int(value) => format!("the number {}", as_written(&value.to_string())),
            Self::Float(value) => format!("the number {}", as_written(&number(*value))),
            _ => self.describe(),
        }
    }

    /// Completes "found …".
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Bool(value) => format!("`{value}`"),
            Self::Int(value) => format!("the number {value}"),
            Self::Float(value) => format!("the number {}", number(*value)),
            Self::Text(text) => format!("the text {}", quote(text)),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
            Self::Tagged(tag) => format!("the tag {}", quote(&format!("!{tag}"))),
        }
    }
}

/// A number as in YAML: `.inf`, `.nan`, and an exponent instead of many digits.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        ".nan".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { ".inf" } else { "-.inf" }.to_owned()
    } else if value != 0.0 && !(1e-7..1e15).contains(&value.abs()) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// Limits how much a file grows when its aliases are expanded.
///
/// The parser limits the number of aliases but not their sizes, so 100 kB could fill the memory. Without aliases a file
/// has fewer values than bytes.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Budget {
    /// The budget of a file of this many bytes.
    pub(super) fn of(bytes: usize) -> Self {
        Self(Cell::new(
            bytes.saturating_mul(20).saturating_add(1_000_000),
        ))
    }

    fn spend<E: Error>(&self, cost: usize) -> Result<(), E> {
        match self.0.get().checked_sub(cost) {
            Some(rest) => {
                self.0.set(rest);
                Ok(())
            }
            None => Err(E::custom(
                "its aliases expand to more than twenty times the size of the file",
            )),
        }
    }
}

/// Reads the next value as a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeSeed<'b>(pub(super) &'b Budget);

impl<'t> DeserializeSeed<'t> for NodeSeed<'_> {
    type Value = Node<'t>;
    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Node<'t>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for NodeSeed<'_> {
    type Value = Node<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node<'t>, E> {
        self.0.spend(1)?;
        Ok(Node::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node<'t>, E> {
        self.visit_unit()
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node<'t>, E> {
        self.0.spend(1)?;
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node<'t>, E> {
        self.visit_i128(i128::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node<'t>, E> {
        self.visit_i128(i128::from(value))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Node<'t>, E> {
        self.visit_i128(i128::try_from(value).unwrap_or(i128::MAX))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Node<'t>, E> {
        self.0.spend(1)?;
        Ok(Node::Int(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node<'t>, E> {
        self.0.spend(1)?;
        Ok(Node::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'t str) -> Result<Node<'t>, E> {
        // Counted although borrowed, because copies are made of it.
        self.0.spend(1 + text.len())?;
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node<'t>, E> {
        self.0.spend(1 + text.len())?;
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut elements: A) -> Result<Node<'t>, A::Error> {
        self.0.spend(1)?;
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(self)? {
            list.push(element);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut entries: A) -> Result<Node<'t>, A::Error> {
        self.0.spend(1)?;
        let mut map = Vec::new();
        while let Some(key) = entries.next_key_seed(self)? {
            map.push((key, entries.next_value_seed(self)?));
        }
        Ok(Node::Map(map))
    }

    fn visit_enum<A: EnumAccess<'t>>(self, tagged: A) -> Result<Node<'t>, A::Error> {
        let (tag, value) = tagged.variant::<String>()?;
        value.newtype_variant_seed(self)?;
        Ok(Node::Tagged(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Result<Node<'_>, serde_yaml::Error> {
        NodeSeed(&Budget::of(text.len())).deserialize(serde_yaml::Deserializer::from_str(text))
    }

    #[test]
    fn duplicate_keys_nulls_and_keys_that_are_not_text_are_kept() {
        let Node::Map(entries) = yaml("a: 1\na: ~\n1: x\n").unwrap() else {
            panic!("no map");
        };
        assert_eq!(entries[0], (Node::Text("a".into()), Node::Int(1)));
        assert_eq!(entries[1], (Node::Text("a".into()), Node::Null));
        assert_eq!(entries[2], (Node::Int(1), Node::Text("x".into())));
    }

    #[test]
    fn custom_tags_are_kept_and_standard_tags_resolved() {
        assert_eq!(yaml("!x [1]").unwrap(), Node::Tagged("x".to_owned()));
        assert_eq!(yaml("!!str 1").unwrap(), Node::Text("1".into()));
    }

    #[test]
    fn repeated_aliases_to_a_large_value_are_limited() {
        let mut text = format!("a: &a [{}]\nb:\n", "1, ".repeat(10_000));
        for _ in 0..10_000 {
            text.push_str("  - *a\n");
        }
        let error = yaml(&text).unwrap_err().to_string();
        assert!(error.contains("aliases expand to"), "{error}");
        let mut text = format!("a: &a {}\nb:\n", "x".repeat(100_000));
        text.push_str(&"  - *a\n".repeat(10_000));
        let error = yaml(&text).unwrap_err().to_string();
        assert!(error.contains("aliases expand to"), "{error}");
    }
}

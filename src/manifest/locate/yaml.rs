//! Positions in YAML, from the parser: it adds line and column to every error that a visitor raises on a scalar, and an
//! enclosing visitor may catch that error and go on. So one pass finds any number of positions.
//!
//! A visitor cannot see the type of these errors, so the position is parsed from their text.

use super::{Branches, Offsets};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use std::collections::HashSet;
use std::fmt;

/// Locates the pointers. The text was parsed before, so an error here is a bug; it leaves pointers at the beginning.
pub(super) fn walk(text: &str, wanted: &Branches<'_, '_>, offsets: &mut Offsets) {
    let mut state = State {
        lines: Lines::new(text),
        offsets,
        raised: false,
        text: None,
    };
    let seed = ValueSeed {
        wanted,
        key: None,
        around: None,
        state: &mut state,
    };
    // The error of a scalar at the top is ignored: its position is the beginning.
    let _ = seed.deserialize(serde_yaml::Deserializer::from_str(text));
    state.offsets.set(wanted.values(), Some(0));
}

struct State<'t, 'f> {
    lines: Lines<'t>,
    offsets: &'f mut Offsets,
    /// Whether the last error was raised to find a position.
    raised: bool,
    /// The text of the last key or scalar.
    text: Option<String>,
}

impl State<'_, '_> {
    /// The position in an error, if it was raised to find one; else the error.
    fn position<E: fmt::Display>(&mut self, error: E) -> Result<Option<usize>, E> {
        if !self.raised {
            return Err(error);
        }
        self.raised = false;
        Ok(Some(self.lines.offset(position(&error.to_string()))))
    }
}

/// Line and column, both from 0, at the end of an error's text. The parser omits them at the beginning of the text.
fn position(error: &str) -> (usize, usize) {
    let read = || {
        let (_, place) = error.rsplit_once(" at line ")?;
        let (line, column) = place.split_once(" column ")?;
        Some((
            line.parse::<usize>().ok()?.checked_sub(1)?,
            column.parse::<usize>().ok()?.checked_sub(1)?,
        ))
    };
    read().unwrap_or((0, 0))
}

/// Converts the parser's lines and columns to byte offsets.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// Line, column and offset of the last result: positions are looked up in order, and one line may be the whole
    /// file, so the search continues from here.
    last: (usize, usize, usize),
}

impl<'t> Lines<'t> {
    /// In YAML 1.1, lines also end at U+0085, U+2028 and U+2029.
    fn new(text: &'t str) -> Self {
        let mut starts = vec![0];
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let is_crlf = c == '\r' && chars.peek().is_some_and(|(_, next)| *next == '\n');
            if matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}') && !is_crlf {
                starts.push(at + c.len_utf8());
            }
        }
        Self {
            text,
            starts,
            last: (0, 0, 0),
        }
    }

    fn offset(&mut self, (line, column): (usize, usize)) -> usize {
        let (last_line, last_column, last_offset) = self.last;
        let (skipped, from) = if line == last_line && column >= last_column {
            (last_column, last_offset)
        } else {
            (0, self.starts.get(line).copied().unwrap_or(self.text.len()))
        };
        let offset = self.text[from..]
            .char_indices()
            .nth(column - skipped)
            .map_or(self.text.len(), |(at, _)| from + at);
        self.last = (line, column, offset);
        offset
    }
}

/// Reads a value with pointers into it.
struct ValueSeed<'w, 'p, 's, 't, 'f> {
    wanted: &'w Branches<'w, 'p>,
    /// The offset of its key.
    key: Option<usize>,
    /// The offset of the nearest container around it.
    around: Option<usize>,
    state: &'s mut State<'t, 'f>,
}

impl ValueSeed<'_, '_, '_, '_, '_> {
    fn raise<T, E: Error>(self, text: Option<&str>) -> Result<T, E> {
        self.state.raised = true;
        self.state.text = text.map(str::to_owned);
        Err(E::custom("here"))
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_, '_, '_, '_> {
    /// The offset of a container's first key or scalar.
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_, '_, '_, '_, '_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.raise(None)
    }
    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        self.raise(None)
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        self.raise(None)
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        self.raise(None)
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        self.raise(None)
    }
    fn visit_i128<E: Error>(self, _: i128) -> Result<Self::Value, E> {
        self.raise(None)
    }
    fn visit_u128<E: Error>(self, _: u128) -> Result<Self::Value, E> {
        self.raise(None)
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        self.raise(None)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.raise(Some(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let around = self.key.or(self.around);
        let every = self.wanted.wants_items();
        let mut first = None;
        for index in 0.. {
            let wanted = self.wanted.child(index, None);
            if wanted.is_empty() && index > 0 && !every {
                if list.next_element::<IgnoredAny>()?.is_none() {
                    break;
                }
                continue;
            }
            self.state.text = None;
            let element = list.next_element_seed(ValueSeed {
                wanted: &wanted,
                key: None,
                around,
                state: self.state,
            });
            let at = match element {
                Ok(Some(at)) => at,
                Ok(None) => break,
                Err(error) => {
                    let at = self.state.position(error)?;
                    if let Some(text) = self.state.text.take() {
                        self.state.offsets.set(self.wanted.items(&text), at);
                    }
                    at
                }
            };
            self.state.offsets.set(wanted.values(), at.or(around));
            first = first.or(at);
        }
        Ok(first)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let around = self.key.or(self.around);
        let mut seen = HashSet::new();
        let mut first = None;
        for index in 0.. {
            self.state.text = None;
            let at = match map.next_key_seed(KeySeed(self.state)) {
                Ok(Some(())) => None,
                Ok(None) => break,
                Err(error) => self.state.position(error)?,
            };
            first = first.or(at);
            let key = self.state.text.take();
            if let Some(text) = &key {
                self.state.offsets.set(self.wanted.items(text), at);
            }
            let wanted = match key {
                Some(key) => {
                    let wanted = self.wanted.child(
                        index,
                        Some(&key)
                            .filter(|key| !seen.contains(*key))
                            .map(String::as_str),
                    );
                    seen.insert(key);
                    wanted
                }
                None => self.wanted.child(index, None),
            };
            if wanted.is_empty() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let around = at.or(around);
            self.state.offsets.set(wanted.keys(), around);
            let value = map.next_value_seed(ValueSeed {
                wanted: &wanted,
                key: at,
                around,
                state: self.state,
            });
            let own = match value {
                Ok(_) => around,
                Err(error) => self.state.position(error)?,
            };
            self.state.offsets.set(wanted.values(), own);
        }
        Ok(first)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Self::Value, A::Error> {
        let (_, value) = tagged.variant::<String>()?;
        value.newtype_variant_seed(self)
    }
}

/// Reads a key, and raises an error to find its position.
struct KeySeed<'s, 't, 'f>(&'s mut State<'t, 'f>);

impl<'de> DeserializeSeed<'de> for KeySeed<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let wanted = Branches::default();
        let raised = ValueSeed {
            wanted: &wanted,
            key: None,
            around: None,
            state: self.0,
        };
        raised.deserialize(deserializer).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_the_parser_ends_them() {
        let mut lines = Lines::new("a\r\nb\rc\u{2028}dé\u{85}e\nf");
        assert_eq!(lines.starts, [0, 3, 5, 9, 14, 16]);
        assert_eq!(lines.offset((3, 2)), 12);
        assert_eq!(lines.offset((3, 1)), 10);
        assert_eq!(lines.offset((9, 9)), 17);
    }

    #[test]
    fn the_position_is_the_last_thing_in_an_error() {
        assert_eq!(
            position("a at line 3 column 4: here at line 5 column 2"),
            (4, 1)
        );
        assert_eq!(position("here"), (0, 0));
    }
}

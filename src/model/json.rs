//! JSON text that is kept losslessly, because an overwrite must preserve fields that annosync does not model.

use super::json_fault::JsonFault;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;

/// The greatest nesting depth of a [`Json`] from outside. The parser stops at 128; plan files, requests and manifests
/// each add a few levels around it.
pub const MAX_DEPTH: usize = 100;

/// A checked JSON text in compact form, which takes a tenth of the memory of a parsed tree.
///
/// Every `Json` can be parsed without loss; text for which this does not hold is rejected.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Json(RawText);

/// The text is not JSON, or cannot be parsed without loss.
#[derive(Debug, thiserror::Error)]
#[error("cannot be kept as JSON without loss: {0}")]
pub struct InvalidJson(JsonFault);

impl From<serde_json::Error> for InvalidJson {
    fn from(error: serde_json::Error) -> Self {
        Self(error.into())
    }
}

#[derive(Clone, serde::Serialize)]
#[serde(transparent)]
struct RawText(Box<RawValue>);

impl PartialEq for RawText {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for RawText {}

impl Json {
    /// Checks `text` and removes white space between tokens.
    pub fn new(text: &str) -> Result<Self, InvalidJson> {
        check(text)?;
        Ok(Self::from_value(&serde_json::from_str(text)?))
    }

    /// The compact text of a value. Values consist of parsed JSON with a few levels around it, and thus nest less than
    /// 128 levels deep.
    pub fn from_value(value: &serde_json::Value) -> Self {
        let raw = serde_json::value::to_raw_value(value);
        Self(RawText(raw.expect(
            "a value serialises: its keys are strings and its numbers are finite",
        )))
    }

    pub fn as_str(&self) -> &str {
        self.0.0.get()
    }

    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(self.as_str()).expect("the text was checked when it was kept")
    }
}

impl TryFrom<Box<RawValue>> for Json {
    type Error = InvalidJson;

    /// Raw JSON was not parsed yet. It may contain things that a value cannot hold, such as a lone surrogate.
    fn try_from(raw: Box<RawValue>) -> Result<Self, InvalidJson> {
        // Servers send compact JSON; an edited file may contain white space, which would not compare equal.
        // Unlike `any`, the count takes many bytes at a time.
        let has_space = raw.get().bytes().filter(|byte| *byte <= b' ').count() > 0;
        if has_space && (raw.get().contains(['\n', '\t']) || raw.get().contains("\": ")) {
            return Self::new(raw.get());
        }
        if !is_plain(raw.get()) {
            check(raw.get())?;
        }
        Ok(Self(RawText(raw)))
    }
}

impl<'de> serde::Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_value(&serde_json::Value::deserialize(
            deserializer,
        )?))
    }
}

/// Parses a text without building a value, and rejects what a value cannot hold: numbers out of range, lone
/// surrogates, duplicate keys, too many levels.
fn check(text: &str) -> Result<(), serde_json::Error> {
    let mut parser = serde_json::Deserializer::from_str(text);
    Check { levels: MAX_DEPTH }.deserialize(&mut parser)?;
    parser.end()
}

/// A quick test: whether valid JSON certainly passes [`check`], without parsing: no escapes, no exponents, few keys and
/// levels. This holds for nearly all annotations.
pub(super) fn is_plain(json: &str) -> bool {
    const MAX_KEYS: usize = 24;
    const MAX_DIGITS: usize = 300;
    let bytes = json.as_bytes();
    let mut levels = 0;
    let mut keys: SmallVec<[&[u8]; 32]> = SmallVec::new();
    // Of each object that is open, where its keys begin.
    let mut objects: SmallVec<[usize; 16]> = SmallVec::new();
    let (mut at, mut digits) = (0, 0);
    while at < bytes.len() {
        let byte = bytes[at];
        at += 1;
        match byte {
            b'"' => {
                let rest = &bytes[at..];
                let Some(length) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
                    return false;
                };
                if rest[length] == b'\\' {
                    return false;
                }
                let text = &rest[..length];
                at += length + 1;
                if bytes[at..].trim_ascii_start().starts_with(b":") {
                    let first = objects.last().copied().unwrap_or(0);
                    if keys.len() - first == MAX_KEYS || keys[first..].contains(&text) {
                        return false;
                    }
                    keys.push(text);
                }
            }
            b'0'..=b'9' | b'.' => {
                digits += 1;
                if digits > MAX_DIGITS {
                    return false;
                }
                continue;
            }
            b'{' => {
                levels += 1;
                objects.push(keys.len());
            }
            b'}' => {
                levels -= 1;
                keys.truncate(objects.pop().unwrap_or(0));
            }
            b'[' => levels += 1,
            b']' => levels -= 1,
            b'e' | b'E' if digits > 0 => return false,
            _ => {}
        }
        if levels > MAX_DEPTH {
            return false;
        }
        digits = 0;
    }
    true
}

struct Check {
    levels: usize,
}

impl Check {
    fn inside<E: serde::de::Error>(&self) -> Result<Self, E> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Self { levels }),
            None => Err(E::custom(format!(
                "nested more than {MAX_DEPTH} levels deep"
            ))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Check {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self.inside()?)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys: Vec<Cow<'de, str>> = Vec::new();
        while let Some(key) = map.next_key_seed(KeyText)? {
            keys.push(key);
            map.next_value_seed(self.inside()?)?;
        }
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(A::Error::custom(format!(
                "duplicate key \"{}\"",
                pair[0].escape_debug()
            ))),
            None => Ok(()),
        }
    }
}

/// A key, borrowed from the text if it has no escapes.
struct KeyText;

impl<'de> DeserializeSeed<'de> for KeyText {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeyText {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }
    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn nested(levels: usize) -> String {
        "[".repeat(levels) + &"]".repeat(levels)
    }

    #[test]
    fn text_that_would_lose_something_is_rejected() {
        for (text, why) in [
            (
                r#"{"a":"\ud83d"}"#.to_owned(),
                "escape that is not a character",
            ),
            (
                r#"{"\ud83d":1}"#.to_owned(),
                "escape that is not a character",
            ),
            (r#"{"a":1e999}"#.to_owned(), "too large to be read"),
            (r#"{"a":-1e999}"#.to_owned(), "too large to be read"),
            (r#"{"a":{"b":1,"b":2}}"#.to_owned(), "duplicate key"),
            (r#"{"b":1,"a":0,"\u0062":2}"#.to_owned(), "duplicate key"),
            (nested(MAX_DEPTH + 1), "nested more than 100 levels"),
            (nested(100_000), "nested more than 100 levels"),
        ] {
            let error = Json::try_from(raw(&text)).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            assert!(Json::new(&text).is_err());
            assert!(Json::try_from(raw(&format!("[ \n{text}]"))).is_err());
        }
    }

    #[test]
    fn what_is_told_without_parsing_agrees_with_the_parser() {
        let plain = r#"{"regions":[{"id":"0e1","box":{"top":0.25,"a":true},"b":[{"id":"e"},{"id":"f"}]}],"id":"x"}"#;
        assert!(is_plain(plain));
        let wide = (0..30).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>();
        for (text, is_valid) in [
            (plain.to_owned(), true),
            (
                r#"{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}"#.to_owned(),
                true,
            ),
            (r#"{"a":{"c":1},"b":2,"a":3}"#.to_owned(), false),
            (r#"{"":1,"a":{"b":{}},"":2}"#.to_owned(), false),
            (r#"{"a": 1 ,"a" :2}"#.to_owned(), false),
            (r#"{"a":1e3}"#.to_owned(), true),
            (r#"{"a":1E999}"#.to_owned(), false),
            (format!("[{}]", "9".repeat(400)), false),
            (nested(MAX_DEPTH), true),
            (nested(MAX_DEPTH + 1), false),
            (r#"{"a":"\ud83d"}"#.to_owned(), false),
            (format!("{{{}}}", wide.join(",")), true),
            (format!("{{{},{}}}", wide.join(","), wide[29]), false),
        ] {
            assert_eq!(check(&text).is_ok(), is_valid, "{text}");
            assert!(!is_plain(&text) || is_valid, "{text}");
        }
    }

    /// JSON texts, some with duplicate keys, exponents, escapes or many levels.
    fn texts() -> impl Strategy<Value = String> {
        const LEAVES: [&str; 12] = [
            "0",
            "-1.5",
            "1e3",
            "1E999",
            "9e0",
            "true",
            "false",
            "null",
            r#""e""#,
            r#""1e9:{[""#,
            r#""\ud83d""#,
            r#""\"""#,
        ];
        let leaf = prop::sample::select(&LEAVES[..]).prop_map(str::to_owned);
        leaf.prop_recursive(5, 40, 6, |inner| {
            let key = prop::sample::select(&["a", "b", "", ":", "a ", r"\u0061"][..]);
            let space = || prop::sample::select(&["", " "][..]);
            let entry =
                (space(), key, space(), inner.clone()).prop_map(|(before, key, after, value)| {
                    format!("{before}\"{key}\"{after}:{value}")
                });
            prop_oneof![
                prop::collection::vec(entry, 0..6).prop_map(|all| format!("{{{}}}", all.join(","))),
                prop::collection::vec(inner, 0..6).prop_map(|all| format!("[{}]", all.join(","))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_told_without_parsing_is_never_refused_by_the_parser(text in texts()) {
            prop_assert!(serde_json::from_str::<&RawValue>(&text).is_ok(), "{}", text);
            prop_assert!(!is_plain(&text) || check(&text).is_ok(), "{}", text);
        }
    }

    #[test]
    fn accepted_text_is_kept_unchanged_and_parses() {
        for text in [
            r#"{"b":1,"a":[null,true,-3,1.5,"\ud83d\ude00"],"big":18446744073709551615}"#
                .to_owned(),
            r#"{"n":0.10000000149011612}"#.to_owned(),
            nested(MAX_DEPTH),
            "7".to_owned(),
        ] {
            let json = Json::try_from(raw(&text)).unwrap();
            assert_eq!(json.as_str(), text);
            let again = Json::from_value(&json.to_value());
            assert_eq!(again.to_value(), json.to_value());
        }
        let spaced = Json::try_from(raw("{\n  \"a\": [1, 2]\n}")).unwrap();
        assert_eq!(spaced.as_str(), r#"{"a":[1,2]}"#);
    }
}

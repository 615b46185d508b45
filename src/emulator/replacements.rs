//! What is replaced in the texts of a recording: tokens, and the emulator's address.

use serde_json::{Map, Value};

/// Written instead of a token.
const TOKEN: &str = "<token>";
/// Written instead of the emulator's address.
pub(super) const ADDRESS: &str = "{emulator}";
/// A shorter token could be a part of a text by chance, so it is replaced only where it is the whole text.
const MIN_TOKEN: usize = 8;

/// Texts that a recording has other texts for.
#[derive(Debug, Default)]
pub(super) struct Replacements {
    /// The longest first.
    tokens: Vec<String>,
    address: String,
}

impl Replacements {
    /// `address` may be empty, if it is not known.
    pub(super) fn new<'a>(tokens: impl IntoIterator<Item = &'a str>, address: &str) -> Self {
        let mut all = Vec::new();
        for token in tokens {
            let encoded: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
            if encoded != token {
                all.push(encoded);
            }
            all.push(token.to_owned());
        }
        all.retain(|token| !token.is_empty());
        all.sort_unstable_by_key(|token| std::cmp::Reverse(token.len()));
        Self {
            tokens: all,
            address: address.to_owned(),
        }
    }

    pub(super) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for token in &self.tokens {
            if text == *token {
                TOKEN.clone_into(&mut text);
            } else if token.len() >= MIN_TOKEN && text.contains(token) {
                text = text.replace(token, TOKEN);
            }
        }
        if !self.address.is_empty() && text.contains(&self.address) {
            text = text.replace(&self.address, ADDRESS);
        }
        text
    }

    pub(super) fn apply_to_json(&self, json: &mut Value) {
        match json {
            Value::String(text) => *text = self.apply(text),
            Value::Array(elements) => elements.iter_mut().for_each(|it| self.apply_to_json(it)),
            Value::Object(members) => {
                let replaced: Map<String, Value> = std::mem::take(members)
                    .into_iter()
                    .map(|(name, mut value)| {
                        self.apply_to_json(&mut value);
                        (self.apply(&name), value)
                    })
                    .collect();
                *members = replaced;
            }
            _ => {}
        }
    }
}

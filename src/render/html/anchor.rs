//! The ids of inputs and changes in a page, which links name.

use crate::render::notation::digest;
use std::collections::HashSet;
use std::fmt::Write as _;

/// Longer names are cut, and get a digest.
const LONGEST: usize = 200;
/// What stays of a longer name.
const KEPT: usize = 60;
/// Bytes of the digest.
const DIGEST: usize = 16;

/// A name as a part of a link: every character except letters, digits, `.`, `_` and `-` is percent-encoded. The script
/// also finds links that encode other characters.
pub(super) fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    if text.len() <= LONGEST {
        return text;
    }
    // A tilde is never the result of encoding a name.
    format!("{}~{}", &text[..KEPT], digest(name, DIGEST))
}

/// The id of a change made in the app that is left alone: the plan may have a change of the same annotation, which is
/// named by its id or its key.
pub(super) fn in_app(input: &str, name: &str) -> String {
    format!("{}/{}~app", encoded(input), encoded(name))
}

/// Ids that are in use.
#[derive(Debug, Default)]
pub(super) struct Anchors(HashSet<String>);

impl Anchors {
    /// This id, with a number if it is in use already.
    pub(super) fn unique(&mut self, wanted: &str) -> String {
        let mut anchor = wanted.to_owned();
        let mut number = 2;
        while !self.0.insert(anchor.clone()) {
            anchor = format!("{wanted}~{number}");
            number += 1;
        }
        anchor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_percent_encoded_and_unique() {
        assert_eq!(encoded("street-1_a.jpg"), "street-1_a.jpg");
        assert_eq!(encoded("a/b c~\"<é\0"), "a%2Fb%20c%7E%22%3C%C3%A9%00");
        let long = encoded(&"x".repeat(70_000));
        assert_eq!(long.len(), KEPT + 1 + 2 * DIGEST);
        assert_ne!(long, encoded(&"x".repeat(70_001)));
        let mut anchors = Anchors::default();
        let names = ["a", "a", "b", "a"].map(|name| anchors.unique(name));
        assert_eq!(names, ["a", "a~2", "b", "a~3"]);
    }
}

//! File names for inputs, valid on every file system.

use crate::manifest::HEADER_FILES;
use crate::model::{InputId, Shard, hex};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Characters of a name without hash and extension. File systems allow 255 bytes; some tools less.
const MAX_LENGTH: usize = 100;
/// Device names of some file systems, reserved with any extension.
const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The digits of a hash that tell inputs of different shards apart.
const DIGITS_OF_SHARDS: usize = 16;

/// Assigns file names, unique without regard to case.
#[derive(Debug)]
pub(super) struct Names {
    used: HashSet<String>,
    /// Other shards name files of other inputs, which are not known here.
    is_of_shard: bool,
}

impl Names {
    pub(super) fn new(shard: Option<Shard>) -> Self {
        Self {
            // With such a name, an input's file would overwrite the header, or be read as one.
            used: HEADER_FILES.map(str::to_owned).into(),
            is_of_shard: shard.is_some(),
        }
    }

    /// Marks a name as used.
    pub(super) fn reserve(&mut self, name: &str) {
        self.used.insert(name.to_lowercase());
    }

    /// A name for an input's file: its id if that is a valid and unused name, else its valid part with a hash of the id.
    pub(super) fn name(&mut self, id: &InputId, extension: &str) -> String {
        let text = id.as_str();
        let plain = plain(text);
        let mut name = format!("{plain}{extension}");
        // Another shard may have an id that differs in case only.
        let is_own = plain == text && (!self.is_of_shard || text == text.to_lowercase());
        if is_own && self.used.insert(name.to_lowercase()) {
            return name;
        }
        let hash = hex(&Sha256::digest(text.as_bytes()));
        let fewest = if self.is_of_shard {
            DIGITS_OF_SHARDS
        } else {
            8
        };
        for digits in fewest..=hash.len() {
            name = format!("{plain}-{}{extension}", &hash[..digits]);
            if self.used.insert(name.to_lowercase()) {
                break;
            }
        }
        name
    }
}

/// The id with invalid characters replaced.
fn plain(id: &str) -> String {
    let mut plain = String::with_capacity(id.len().min(MAX_LENGTH));
    for c in id.chars().take(MAX_LENGTH) {
        let is_valid = match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => true,
            '-' => !plain.is_empty(),
            '.' => !plain.is_empty() && !plain.ends_with('.'),
            _ => false,
        };
        plain.push(if is_valid { c } else { '_' });
    }
    if plain.ends_with('.') {
        plain.pop();
        plain.push('_');
    }
    if is_reserved(&plain) {
        plain.insert(0, '_');
    }
    plain
}

fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_lowercase();
    let numbered = |word: &str| {
        stem.strip_prefix(word)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    RESERVED.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(ids: &[&str]) -> Vec<String> {
        let mut names = Names::new(None);
        ids.iter()
            .map(|id| names.name(&InputId::new(*id).unwrap(), ".yaml"))
            .collect()
    }

    #[test]
    fn names_stay_in_their_folder_and_are_valid_everywhere() {
        insta::assert_snapshot!(names(&[
            "street-1", "v1.2", "../../etc/passwd", ".hidden", "a/b", r"a\b", "-rf", "a..b", "CON", "com1.jpg", "a.",
            "日本", "a:b", "compass",
        ]).join("\n"), @"
        street-1.yaml
        v1.2.yaml
        _._.__etc_passwd-3754d6cb.yaml
        _hidden-16924190.yaml
        a_b-c14cddc0.yaml
        a_b-c62016d0.yaml
        _rf-686c39ac.yaml
        a._b-f62b4241.yaml
        _CON-a3dbc4b6.yaml
        _com1.jpg-359e0333.yaml
        a_-5ab640fa.yaml
        __-cf2abf0c.yaml
        a_b-6783a31e.yaml
        compass.yaml
        ");
    }

    #[test]
    fn shards_give_no_two_inputs_one_name() {
        let ids = ["Street", "street", "STREET", "a/b", "a_b", "a?b"];
        let of_shard = |id: &str| {
            // Each shard names the file of one input, and knows no other.
            let mut names = Names::new(Some("0/8".parse().unwrap()));
            let name = names.name(&InputId::new(id).unwrap(), ".yaml");
            name.to_lowercase()
        };
        let names: HashSet<String> = ids.map(of_shard).into();
        assert_eq!(names.len(), ids.len(), "{names:?}");
        assert!(names.contains("street.yaml") && names.contains("a_b.yaml"));
    }

    #[test]
    fn names_are_unique_without_regard_to_case() {
        let all = names(&[
            "A",
            "a",
            "a_b",
            "a/b",
            "a b",
            &"x".repeat(300),
            &"x".repeat(301),
        ]);
        let folded: HashSet<String> = all.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(folded.len(), all.len());
        assert!(all.iter().all(|name| name.len() < 130), "{all:?}");
        assert_eq!(all[..1], ["A.yaml"]);
    }
}

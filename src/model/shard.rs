//! Shards: parts of all inputs. Each is planned and applied by a run of its own.

use super::ids::InputId;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// A number below `places` that depends only on the id of an input. Its recipe never changes: another one would move inputs
/// from shard to shard, and pictures from train to val.
pub fn place_of_input(id: &str, places: u64) -> u64 {
    place(&digest(id), places)
}

fn digest(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}

fn place(digest: &[u8; 32], places: u64) -> u64 {
    let (head, _) = digest.split_at(8);
    let hash = u64::from_be_bytes(head.try_into().expect("8 bytes of 32"));
    ((u128::from(hash) * u128::from(places)) >> 64) as u64
}

/// One of `count` parts of all inputs, declared or not. Which inputs it covers depends only on their ids, so no two shards
/// of one count ever write on the same input.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Parts")]
pub struct Shard {
    /// From 0 to `count - 1`.
    #[cfg_attr(test, schemars(range(min = 0, max = 9_999)))]
    index: u32,
    /// The number of shards.
    #[cfg_attr(test, schemars(range(min = 1, max = 10_000)))]
    count: u32,
}

/// The fields, before they are checked.
#[derive(serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Parts {
    index: u32,
    count: u32,
}

impl TryFrom<Parts> for Shard {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        Self::new(parts.index, parts.count)
    }
}

impl Shard {
    /// The most shards.
    pub const MOST: u32 = 10_000;

    /// # Errors
    ///
    /// What is wrong with the numbers.
    pub fn new(index: u32, count: u32) -> Result<Self, String> {
        if count == 0 || count > Self::MOST {
            return Err(format!("the number of shards is 1 to {}", Self::MOST));
        }
        if index >= count {
            return Err(format!(
                "shards are counted from 0: the last of {count} is {}",
                count - 1
            ));
        }
        Ok(Self { index, count })
    }

    /// From 0.
    pub fn index(self) -> u32 {
        self.index
    }

    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether it covers the input with this id.
    pub fn covers(self, input: &InputId) -> bool {
        self.covers_text(input.as_str())
    }

    /// [`Shard::covers`] for an id as the service wrote it, which may not be valid.
    pub fn covers_text(self, input: &str) -> bool {
        self.covers_digest(&digest(input))
    }

    fn covers_digest(self, digest: &[u8; 32]) -> bool {
        place(digest, self.count.into()) == u64::from(self.index)
    }

    /// `None` if it covers the input; otherwise half of the SHA-256 of the id, which tells inputs apart.
    pub fn leaves_out(self, input: &InputId) -> Option<[u8; 16]> {
        let digest = digest(input.as_str());
        let (half, _) = digest.split_at(16);
        (!self.covers_digest(&digest)).then(|| half.try_into().expect("16 bytes of 32"))
    }
}

/// `3/8`
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "write INDEX/COUNT, such as 0/8 for the first of 8".to_owned();
        let (index, count) = text.split_once('/').ok_or_else(form)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| form());
        Self::new(number(index)?, number(count)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard_of(id: &str, count: u32) -> u32 {
        let id = InputId::new(id).unwrap();
        let covers = |index: &u32| Shard::new(*index, count).unwrap().covers(&id);
        let of: Vec<u32> = (0..count).filter(covers).collect();
        let [only] = of[..] else {
            panic!("{id} is in shards {of:?} of {count}");
        };
        only
    }

    #[test]
    fn an_input_is_in_the_same_shard_for_ever() {
        let shards = |count: u32| {
            let ids = ["street-0", "street-1", "street-2", "a/b c", "ä", "x"];
            ids.map(|id| shard_of(id, count))
        };
        assert_eq!(shards(1), [0; 6]);
        assert_eq!(shards(2), [0, 0, 1, 0, 0, 0]);
        assert_eq!(shards(8), [2, 2, 6, 0, 1, 1]);
        assert_eq!(shards(100), [32, 29, 87, 4, 20, 17]);
    }

    #[test]
    fn shards_have_about_the_same_number_of_inputs() {
        let mut counts = [0; 8];
        for number in 0..8_000 {
            counts[shard_of(&format!("in-{number}"), 8) as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (900..1_100).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn an_input_that_is_left_out_has_a_digest_of_its_own() {
        let shard = Shard::new(0, 2).unwrap();
        let ids = (0..100).map(|number| InputId::new(format!("in-{number}")).unwrap());
        let (covered, out): (Vec<_>, Vec<_>) = ids.partition(|id| shard.covers(id));
        assert!(covered.iter().all(|id| shard.leaves_out(id).is_none()));
        let digests: std::collections::BTreeSet<_> =
            out.iter().map(|id| shard.leaves_out(id).unwrap()).collect();
        assert_eq!(digests.len(), out.len());
    }

    #[test]
    fn a_shard_is_read_as_it_is_written() {
        for text in ["0/1", "7/8", "9999/10000"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for (text, why) in [
            ("", "write INDEX/COUNT"),
            ("3", "write INDEX/COUNT"),
            ("x/8", "write INDEX/COUNT"),
            ("-1/8", "write INDEX/COUNT"),
            ("0/0", "the number of shards is 1 to 10000"),
            ("0/10001", "the number of shards is 1 to 10000"),
            ("8/8", "the last of 8 is 7"),
        ] {
            let error = text.parse::<Shard>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        let json = r#"{"index":7,"count":8}"#;
        let shard: Shard = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&shard).unwrap(), json);
        assert!(serde_json::from_str::<Shard>(r#"{"index":8,"count":8}"#).is_err());
    }
}

//! Divides the inputs of an export into parts, such as train and val.

use crate::model::{InputId, place_of_input};
use std::str::FromStr;

/// Names of parts, with their shares of the inputs. Read from `train=80,val=20`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares(Vec<(String, u64)>);

impl FromStr for Shares {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut shares: Vec<(String, u64)> = Vec::new();
        for part in text.split(',') {
            let (name, share) = part
                .split_once('=')
                .ok_or("write NAME=SHARE,NAME=SHARE, such as train=80,val=20")?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if name.is_empty() || !name.chars().all(is_name) {
                return Err("a name of a part is made of letters, digits, - and _".to_owned());
            }
            if shares.iter().any(|(known, _)| known == name) {
                return Err(format!("duplicate part {name}"));
            }
            let share: u32 = share
                .parse()
                .map_err(|_| format!("the share of {name} is not a whole number"))?;
            shares.push((name.to_owned(), share.into()));
        }
        if shares.iter().all(|(_, share)| *share == 0) {
            return Err("at least one share must be above 0".to_owned());
        }
        Ok(Self(shares))
    }
}

impl Shares {
    /// The part of an input: it depends only on its id and on the shares.
    pub fn part(&self, id: &InputId) -> String {
        let total: u64 = self.0.iter().map(|(_, share)| share).sum();
        let mut place = place_of_input(id.as_str(), total);
        for (name, share) in &self.0 {
            if place < *share {
                return name.clone();
            }
            place -= share;
        }
        unreachable!("the place is below the sum of the shares")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_stays_in_its_part_and_parts_have_about_their_shares() {
        let split = "train=80,val=20".parse::<Shares>().unwrap();
        let parts: Vec<String> = (0..1_000)
            .map(|number| split.part(&InputId::new(format!("street-{number}")).unwrap()))
            .collect();
        let train = parts.iter().filter(|part| *part == "train").count();
        assert!((770..=830).contains(&train), "{train}");
        // The recipe is fixed: another one would move pictures from train to val.
        assert_eq!(parts[..6].join(" "), "train train val train train val");
    }

    #[test]
    fn shares_that_make_no_sense_are_refused() {
        for text in [
            "",
            "train",
            "train=x",
            "train=1,train=2",
            "a/b=1",
            "train=0",
            "train=-1",
        ] {
            assert!(text.parse::<Shares>().is_err(), "{text}");
        }
    }
}

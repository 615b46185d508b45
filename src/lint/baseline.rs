//! A baseline: findings that are known already, so that only new ones are reported.
//!
//! An entry names the rule, the input and the annotations by key, id or content, and no line.

use super::finding::Finding;
use crate::model::{InputId, JsonFault, escape_json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const FORMAT_VERSION: &str = "1.0";

/// The known findings, with their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline(BTreeMap<Entry, u64>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    input: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    subject: String,
}

#[derive(Serialize, Deserialize)]
struct Counted {
    #[serde(flatten)]
    entry: Entry,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    count: u64,
}

fn one() -> u64 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_one(count: &u64) -> bool {
    *count == 1
}

/// Why a text is not a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    #[error("{0}")]
    Json(#[from] JsonFault),
    #[error("not a baseline: an object with `format_version` and the list `findings`")]
    OtherContent,
    #[error(
        "finding {0} is not an object with `rule`, and optionally `input`, `subject` and `count`"
    )]
    Finding(usize),
    #[error("format_version is `{0}`, and this annosync reads `{FORMAT_VERSION}`")]
    Version(String),
}

impl Entry {
    fn of(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.name().to_owned(),
            input: finding
                .input
                .as_ref()
                .map_or("", InputId::as_str)
                .to_owned(),
            subject: finding.subject.clone(),
        }
    }
}

impl Baseline {
    pub fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut entries = BTreeMap::new();
        for finding in findings {
            *entries.entry(Entry::of(finding)).or_default() += 1;
        }
        Self(entries)
    }

    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let document: Value = serde_json::from_str(text).map_err(JsonFault::from)?;
        let (Some(version), Some(findings), Some(2)) = (
            document["format_version"].as_str(),
            document["findings"].as_array(),
            document.as_object().map(Map::len),
        ) else {
            return Err(BaselineError::OtherContent);
        };
        if version != FORMAT_VERSION {
            return Err(BaselineError::Version(version.to_owned()));
        }
        let mut entries = BTreeMap::new();
        for (at, finding) in findings.iter().enumerate() {
            let Counted { entry, count } =
                Counted::deserialize(finding).map_err(|_| BaselineError::Finding(at + 1))?;
            *entries.entry(entry).or_default() += count;
        }
        Ok(Self(entries))
    }

    /// JSON with an entry on each line, sorted.
    pub fn write(&self) -> String {
        let mut text =
            format!("{{\n  \"format_version\": \"{FORMAT_VERSION}\",\n  \"findings\": [");
        for (at, (entry, count)) in self.0.iter().enumerate() {
            let counted = Counted {
                entry: entry.clone(),
                count: *count,
            };
            let line = serde_json::to_string(&counted).expect("texts and numbers can be written");
            let comma = if at > 0 { "," } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(text, "{comma}\n    {}", escape_json(&line));
        }
        text.push_str(if self.0.is_empty() {
            "]\n}\n"
        } else {
            "\n  ]\n}\n"
        });
        text
    }

    /// Divides findings into new ones and known ones. Also gives the number of known findings that are gone.
    pub fn divide(&self, findings: Vec<Finding>) -> (Vec<Finding>, Vec<Finding>, u64) {
        let mut left = self.0.clone();
        let (mut new, mut known) = (Vec::new(), Vec::new());
        for finding in findings {
            match left.get_mut(&Entry::of(&finding)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    known.push(finding);
                }
                _ => new.push(finding),
            }
        }
        (new, known, left.values().sum())
    }
}

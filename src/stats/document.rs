//! The statistics as a document. A test derives its JSON Schema.

use super::spread::Spread;
use serde::Serialize;

/// The version of the JSON.
pub(super) const FORMAT_VERSION: &str = "1.0";

/// The statistics of a manifest or a listing. Counts of zero are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Stats {
    /// The version of this format.
    pub format_version: String,
    /// Declared or listed inputs.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(default))]
    pub inputs: u64,
    /// Their annotations.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(default))]
    pub annotations: u64,
    /// By concept, the most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    pub concepts: Vec<ConceptStats>,
    /// Annotations by kind, the most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    pub kinds: Vec<Count>,
    /// Annotations by user, the most frequent first. Annotations without a declared user are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    pub users: Vec<Count>,
    /// Annotations by status, the most frequent first. Annotations without a declared status are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    pub statuses: Vec<Count>,
    /// The numbers of annotations of the inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Spread>,
    /// Inputs by their number of annotations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    pub inputs_by_labels: Vec<LabelCount>,
    /// Pairs of concepts that are present on the same inputs: the most frequent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    pub pairs: Vec<Pair>,
    /// The number of further pairs.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(default))]
    pub more_pairs: u64,
    /// Inputs with more than 200 concepts, whose pairs are not counted.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(default))]
    pub inputs_without_pairs: u64,
}

/// The uses of a concept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct ConceptStats {
    /// The concept's id.
    pub concept: String,
    /// Annotations that name it.
    pub annotations: u64,
    /// Inputs with such an annotation.
    pub inputs: u64,
    /// Annotations in which its value is 1.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(default))]
    pub present: u64,
    /// Annotations in which its value is 0.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(default))]
    pub absent: u64,
    /// Annotations in which its value is between 0 and 1.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(default))]
    pub between: u64,
    /// The areas of its boxes, and of the bounds of its polygons and masks, as shares of the image: 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<Spread>,
    /// The same in square pixels, where the image's size is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area_pixels: Option<Spread>,
}

/// A number of annotations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Count {
    /// What is counted.
    pub name: String,
    /// How many annotations have it.
    pub annotations: u64,
}

/// Inputs with a number of annotations in a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct LabelCount {
    /// The least number of annotations.
    pub from: u64,
    /// The greatest number; without it, any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// How many inputs have that many.
    pub inputs: u64,
}

/// Two concepts that are present on the same inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Pair {
    /// The concepts, sorted.
    pub concepts: [String; 2],
    /// How many inputs have both.
    pub inputs: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[test]
fn the_committed_schema_is_up_to_date() {
    let mut schema = schemars::schema_for!(Stats).to_value();
    schema["$id"] = format!("urn:annosync:schema:stats:{FORMAT_VERSION}").into();
    schema["title"] = format!("annosync stats, format {FORMAT_VERSION}").into();
    crate::schemas::check("stats", crate::schemas::STATS, &schema);
}

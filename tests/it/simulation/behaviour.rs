//! How a service behaves where the API documents nothing, and the style of its answers.

use super::chance::Chance;
use super::remote::UnsentFields;
use serde_json::{Map, Value, json};

/// The result of deleting an annotation that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingDelete {
    /// Success.
    Fine,
    /// Not found; in a bulk delete, the others are deleted.
    NotFound,
    /// Not found; in a bulk delete, none is deleted.
    NotFoundAndNone,
}

/// Whether one invalid annotation makes a whole call fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BulkFailure {
    /// The others are written.
    Each,
    /// None is written, and the answer lists none.
    AllOrNone,
}

/// The behaviour of one service.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags")]
pub(super) struct Behaviour {
    pub(super) page_cap: usize,
    pub(super) gone: MissingDelete,
    pub(super) bulk: BulkFailure,
    pub(super) unsent: UnsentFields,
    /// Whether `delete_if_empty_data` is known.
    pub(super) deletes_empty: bool,
    /// The number of calls allowed in any second.
    pub(super) limit: Option<usize>,
    /// Whether a bulk delete's answer lists each annotation.
    pub(super) names_deleted: bool,
    pub(super) multi_status: bool,
    shuffles: bool,
    leaves_zeros_out: bool,
    short_floats: bool,
    code_names: bool,
    workers: bool,
}

impl Behaviour {
    pub(super) fn of(chance: &mut Chance) -> Self {
        Self {
            page_cap: *chance.pick(&[1_000, 1_000, 1_000, 1, 2, 3, 5, 8, 13]),
            gone: *chance.pick(&[
                MissingDelete::Fine,
                MissingDelete::NotFound,
                MissingDelete::NotFoundAndNone,
            ]),
            bulk: *chance.pick(&[BulkFailure::Each, BulkFailure::Each, BulkFailure::AllOrNone]),
            unsent: *chance.pick(&[UnsentFields::Stays, UnsentFields::Goes]),
            deletes_empty: !chance.one_in(4),
            limit: *chance.pick(&[None, None, Some(15), Some(18), Some(5)]),
            names_deleted: chance.one_in(3),
            multi_status: chance.one_in(2),
            shuffles: chance.one_in(3),
            leaves_zeros_out: chance.one_in(2),
            short_floats: chance.one_in(2),
            code_names: chance.one_in(3),
            workers: chance.one_in(3),
        }
    }

    pub(super) fn code(&self, number: u32, name: &str) -> Value {
        if self.code_names {
            json!(name)
        } else {
            json!(number)
        }
    }

    /// The order in which an answer lists its annotations.
    pub(super) fn order(&self, rows: &mut [Value], chance: &mut Chance) {
        if self.shuffles {
            chance.shuffle(rows);
        }
    }

    /// A stored annotation as it is sent.
    pub(super) fn spell(&self, row: &Value) -> Value {
        let mut row = row.clone();
        if let Some(data) = row.get_mut("data") {
            *data = self.spell_message(data);
        }
        let code = row["status"]["code"].as_u64().unwrap_or(24_150);
        let name = match code {
            24_151 => "ANNOTATION_PENDING",
            24_157 => "ANNOTATION_AWAITING_REVIEW",
            _ => "ANNOTATION_SUCCESS",
        };
        row["status"] = json!({"code": self.code(code as u32, name), "description": "stored"});
        if self.workers && row["user_id"].is_string() && row.get("model_version_id").is_none() {
            row["worker"] = json!({"user": {"id": row["user_id"]}});
            if let Value::Object(row) = &mut row {
                row.remove("user_id");
            }
        }
        row
    }

    fn spell_message(&self, message: &Value) -> Value {
        match message {
            Value::Array(items) => items.iter().map(|item| self.spell_message(item)).collect(),
            Value::Object(fields) => {
                let mut spelt = Map::new();
                for (name, value) in fields {
                    let value = match value {
                        value if name == "metadata" => value.clone(),
                        value if name == "time" => json!(value.to_string()),
                        value => self.spell_message(value),
                    };
                    let is_zero = value == "" || value.as_f64() == Some(0.0);
                    if !(is_zero && self.leaves_zeros_out) {
                        spelt.insert(name.clone(), value);
                    }
                }
                Value::Object(spelt)
            }
            Value::Number(number) if number.is_f64() && self.short_floats => {
                let single = number.as_f64().unwrap_or_default() as f32;
                json!(single.to_string().parse::<f64>().unwrap_or_default())
            }
            other => other.clone(),
        }
    }
}

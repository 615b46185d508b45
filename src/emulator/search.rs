//! Searches of annotations by filters. Hits are not ranked: every score is 1.
//!
//! The documentation has more fields than are supported here. Unsupported ones are rejected, because ignoring them would
//! yield too many hits.

use super::call::Call;
use super::config::{Config, ResponseStyle};
use super::data::PARTS;
use super::listing::{Filter, MAX_PAGE, Page};
use super::reply::{Answer, Refusal};
use super::session::Session;
use super::shown;
use crate::wire::Code;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

/// String fields, and their JSON pointers in an annotation.
const TEXTS: [(&str, &str); 8] = [
    ("id", "/id"),
    ("input_id", "/input_id"),
    ("task_id", "/task_id"),
    ("user_id", "/user_id"),
    ("worker.user.id", "/user_id"),
    ("model_version_id", "/model_version_id"),
    ("worker.model.model_version.id", "/model_version_id"),
    ("worker.workflow.version.id", "/worker/workflow/version/id"),
];

/// The minimum value of a present concept.
const PRESENT: f64 = 0.5;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Body {
    #[serde(rename = "user_app_id")]
    _app: IgnoredAny,
    searches: Vec<Search>,
    pagination: Pagination,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Search {
    query: Query,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Query {
    filters: Vec<SentFilter>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SentFilter {
    annotation: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Pagination {
    page: Value,
    per_page: Value,
}

/// A concept that must be present or absent.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    id: String,
    name: String,
    value: Option<f64>,
}

enum Condition {
    /// A JSON pointer and the string there.
    Text(&'static str, String),
    Status(Code),
    InputLevel,
    Concept(Wanted),
}

/// `POST /annotations/searches`
pub(super) fn post_searches(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let body: Body = read(Value::Object(call.sent.body.clone()))?;
    let [search] = &body.searches[..] else {
        return Err(Refusal::invalid("`searches` must have one search"));
    };
    let page = body.pagination.page(call.config)?;
    let mut conditions = Vec::new();
    for filter in &search.query.filters {
        read_filter(&filter.annotation, "", &mut conditions)?;
    }
    let everything = Filter::everything().without(call.faults.hidden.clone());
    let (mut looked_at, mut before, mut hits) = (0, page.offset, Vec::new());
    while (hits.len() as u64) < page.limit {
        let found = session.list(&call.app, &everything, looked_at, MAX_PAGE)?;
        if found.is_empty() {
            break;
        }
        looked_at += found.len() as u64;
        for stored in found {
            // Conditions are checked on the default form of the JSON.
            let plain = shown::annotation(stored.clone(), ResponseStyle::default());
            if !conditions.iter().all(|condition| condition.holds(&plain)) {
                continue;
            }
            if before > 0 {
                before -= 1;
            } else if (hits.len() as u64) < page.limit {
                let input = json!({"id": stored.input_id});
                let annotation = shown::annotation(stored, call.config.response_style);
                hits.push(json!({"score": 1.0, "annotation": annotation, "input": input}));
            }
        }
    }
    Ok(Answer::success(Some(("hits", Value::Array(hits)))))
}

fn read<T: for<'de> Deserialize<'de>>(sent: Value) -> Result<T, Refusal> {
    serde_json::from_value(sent).map_err(|error| {
        Refusal::invalid(format!(
            "the emulator does not support this search: {error}"
        ))
    })
}

impl Pagination {
    fn page(&self, config: &Config) -> Result<Page, Refusal> {
        let text = |name: &str| match if name == "page" {
            &self.page
        } else {
            &self.per_page
        } {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            number => Some(number.to_string()).filter(|text| text != "0"),
        };
        Page::of(text, config).map_err(Refusal::invalid)
    }
}

/// Converts the fields of an annotation to conditions. Fields with protobuf's default are ignored.
fn read_filter(
    object: &Map<String, Value>,
    above: &str,
    conditions: &mut Vec<Condition>,
) -> Result<(), Refusal> {
    for (name, value) in object {
        let path = format!("{above}{name}");
        let place = TEXTS.iter().find(|(field, _)| *field == path);
        conditions.push(match (value, place, path.as_str()) {
            (Value::Null | Value::Bool(false), ..) => continue,
            (Value::String(text), ..) if text.is_empty() => continue,
            (Value::String(text), Some((_, place)), _) => Condition::Text(place, text.clone()),
            (Value::Bool(true), _, "input_level") => Condition::InputLevel,
            (code, _, "status.code") => match serde_json::from_value(code.clone()) {
                Ok(code) if code != Code(0) => Condition::Status(code),
                _ => {
                    return Err(Refusal::invalid(format!(
                        "`{path}`: {code} is not a status"
                    )));
                }
            },
            (Value::Array(concepts), _, "data.concepts") => concept(concepts)?,
            (Value::Object(inside), ..) if !inside.is_empty() => {
                read_filter(inside, &format!("{path}."), conditions)?;
                continue;
            }
            _ => {
                let details = format!("the emulator does not support `annotation.{path}`");
                return Err(Refusal::invalid(details));
            }
        });
    }
    Ok(())
}

/// The documentation does not specify whether all or any of several concepts must match, so only one is allowed.
fn concept(concepts: &[Value]) -> Result<Condition, Refusal> {
    let [concept] = concepts else {
        let details = "`annotation.data.concepts` must have one concept; use one filter for each (filters are joined by AND)";
        return Err(Refusal::invalid(details));
    };
    let wanted: Wanted = read(concept.clone())?;
    if wanted.id.is_empty() && wanted.name.is_empty() {
        return Err(Refusal::invalid(
            "a concept of `annotation.data.concepts` has no id and no name",
        ));
    }
    Ok(Condition::Concept(wanted))
}

impl Condition {
    fn holds(&self, annotation: &Value) -> bool {
        match self {
            Self::Text(place, text) => {
                annotation.pointer(place).and_then(Value::as_str) == Some(text)
            }
            Self::Status(code) => annotation["status"]["code"] == code.0,
            Self::InputLevel => annotation["input_level"] == true,
            Self::Concept(wanted) => wanted.is_in(&annotation["data"]),
        }
    }
}

impl Wanted {
    /// Whether the data or one of its parts has the concept, present or absent as wanted.
    fn is_in(&self, data: &Value) -> bool {
        let list = |name: &str| data[name].as_array().into_iter().flatten();
        // The default in a request is 1.
        let is_present = self.value.is_none_or(|value| value >= PRESENT);
        list("concepts").any(|concept| {
            let value = concept["value"].as_f64().unwrap_or(0.0);
            (self.id.is_empty() || concept["id"] == *self.id)
                && (self.name.is_empty() || concept["name"] == *self.name)
                && (value >= PRESENT) == is_present
        }) || PARTS
            .iter()
            .flat_map(|parts| list(parts))
            .any(|part| self.is_in(&part["data"]))
    }
}

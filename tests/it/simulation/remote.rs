//! What the service stores, and the journal of everything that changed it.

use serde_json::{Map, Value, json};

/// Input id and annotation id.
pub(super) type Name = (String, String);

/// Who changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    /// Somebody else.
    Editor,
    /// A run of annosync, by one of its exchanges.
    Run { run: usize, exchange: usize },
}

/// The kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteKind {
    Post,
    Merge,
    Overwrite,
    Remove,
    /// A removal that left nothing.
    Emptied,
    Delete,
    Purge,
}

/// One write that changed something.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) tick: u64,
    pub(super) who: Actor,
    pub(super) how: WriteKind,
    pub(super) name: Name,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

/// The annotations of an app, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Remote {
    pub(super) rows: Vec<Value>,
    pub(super) inputs: Vec<String>,
    pub(super) journal: Vec<Write>,
    made: u64,
}

pub(super) fn name_of(row: &Value) -> Name {
    let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
    (text("input_id"), text("id"))
}

impl Remote {
    pub(super) fn place(&self, name: &Name) -> Option<usize> {
        self.rows
            .iter()
            .position(|row| row["id"] == *name.1 && row["input_id"] == *name.0)
    }

    pub(super) fn get(&self, name: &Name) -> Option<&Value> {
        self.place(name).map(|at| &self.rows[at])
    }

    /// A unique number.
    pub(super) fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Stores a new annotation, with the fields that the service sets.
    pub(super) fn insert(&mut self, mut row: Value) -> Value {
        let serial = self.number();
        if row["id"].as_str().unwrap_or_default().is_empty() {
            row["id"] = json!(format!("{serial:032x}"));
        }
        row["created_at"] = json!(format!(
            "2026-01-01T{:02}:{:02}:{:02}Z",
            serial / 3_600,
            serial / 60 % 60,
            serial % 60
        ));
        self.settle(&mut row);
        self.rows.push(row.clone());
        row
    }

    /// Gives ids to parts without one, and rounds numbers to the 32 bits that the service keeps.
    fn settle(&mut self, row: &mut Value) {
        if let Some(data) = row.get_mut("data") {
            self.name_parts(data);
            narrow(data);
        }
    }

    fn name_parts(&mut self, data: &mut Value) {
        for list in ["regions", "frames", "time_segments"] {
            let Some(parts) = data.get_mut(list).and_then(Value::as_array_mut) else {
                continue;
            };
            for part in parts {
                if part["id"].as_str().unwrap_or_default().is_empty() {
                    part["id"] = json!(format!("{list}-{}", self.number()));
                }
                if let Some(inner) = part.get_mut("data") {
                    self.name_parts(inner);
                }
            }
        }
    }

    /// Changes a stored annotation, and records it if it differs.
    pub(super) fn write(
        &mut self,
        tick: u64,
        who: Actor,
        how: WriteKind,
        name: &Name,
        after: Option<Value>,
    ) -> Option<Value> {
        let place = self.place(name);
        let before = place.map(|at| self.rows[at].clone());
        let after = match (place, after) {
            (None, Some(row)) => Some(self.insert(row)),
            (Some(at), Some(mut row)) => {
                self.settle(&mut row);
                self.rows[at] = row.clone();
                Some(row)
            }
            (Some(at), None) => {
                self.rows.remove(at);
                None
            }
            (None, None) => None,
        };
        if before != after {
            let name = after
                .as_ref()
                .or(before.as_ref())
                .map_or(name.clone(), name_of);
            self.journal.push(Write {
                tick,
                who,
                how,
                name,
                before,
                after: after.clone(),
            });
        }
        after
    }

    /// What was stored under a name just after this tick, given what is stored now.
    pub(super) fn at(&self, name: &Name, tick: u64) -> Option<Value> {
        let later = self
            .journal
            .iter()
            .find(|write| write.name == *name && write.tick > tick);
        later.map_or_else(|| self.get(name).cloned(), |write| write.before.clone())
    }
}

/// Numbers as the service keeps them: in 32 bits, except whole numbers and free JSON.
pub(super) fn narrow(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            *value = json!(f64::from(number.as_f64().unwrap_or_default() as f32));
        }
        Value::Array(items) => items.iter_mut().for_each(narrow),
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("metadata", _) => {}
                    // 64-bit numbers are sent as text.
                    ("time", value @ Value::String(_)) => {
                        let number = value.as_str().and_then(|text| text.parse::<u64>().ok());
                        *value = number.expect("a time is a number").into();
                    }
                    (_, value) => narrow(value),
                }
            }
        }
        _ => {}
    }
}

/// The kind of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patch {
    Merge,
    Overwrite,
    Remove,
}

/// Whether an overwrite keeps fields beside `data` that are not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnsentFields {
    Stays,
    Goes,
}

/// The stored annotation after a patch, as the API documents it.
pub(super) fn patched(stored: &Value, action: Patch, given: &Value, unsent: UnsentFields) -> Value {
    let mut row = stored.clone();
    match action {
        Patch::Overwrite => {
            row["data"] = given.get("data").cloned().unwrap_or_else(|| json!({}));
            for field in ["annotation_info", "embed_model_version_id"] {
                match given.get(field) {
                    Some(value) => row[field] = value.clone(),
                    None if unsent == UnsentFields::Goes => {
                        if let Value::Object(row) = &mut row {
                            row.remove(field);
                        }
                    }
                    None => {}
                }
            }
        }
        Patch::Merge => {
            for field in ["data", "annotation_info"] {
                if let Some(value) = given.get(field) {
                    merge(&mut row[field], value);
                }
            }
        }
        Patch::Remove => remove(&mut row["data"], &given["data"]),
    }
    if let (true, Some(status)) = (action != Patch::Remove, given.get("status")) {
        row["status"] = status.clone();
    }
    if let Some(data) = row.get_mut("data") {
        present(data);
    }
    row
}

/// In a request, a concept without a value is present.
pub(super) fn present(data: &mut Value) {
    match data {
        Value::Array(items) => items.iter_mut().for_each(present),
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "concepts" {
                    for concept in value.as_array_mut().into_iter().flatten() {
                        if concept.get("value").is_none_or(Value::is_null) {
                            concept["value"] = json!(1.0);
                        }
                    }
                } else if name != "metadata" {
                    present(value);
                }
            }
        }
        _ => {}
    }
}

fn merge(stored: &mut Value, given: &Value) {
    match (stored, given) {
        (_, Value::Null) => {}
        (Value::Object(stored), Value::Object(given)) if !given.is_empty() => {
            for (name, value) in given {
                merge(stored.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(stored), Value::Array(given)) if !given.is_empty() => {
            for element in given {
                let known = element.get("id").and_then(|id| {
                    stored
                        .iter_mut()
                        .find(|stored| stored.get("id") == Some(id))
                });
                match known {
                    Some(known) => merge(known, element),
                    None => stored.push(element.clone()),
                }
            }
        }
        (stored, given) => *stored = given.clone(),
    }
}

/// Removes the elements whose ids are given; in an element given with more than its id, removes the given parts.
fn remove(stored: &mut Value, given: &Value) {
    let (Value::Object(stored), Value::Object(given)) = (stored, given) else {
        return;
    };
    for (name, value) in given {
        match (stored.get_mut(name), value) {
            (Some(Value::Array(stored)), Value::Array(named)) => {
                for element in named {
                    let is_it = |stored: &Value| stored.get("id") == element.get("id");
                    if element.as_object().map_or(0, Map::len) == 1 {
                        stored.retain(|stored| !is_it(stored));
                    } else if let Some(stored) = stored.iter_mut().find(|stored| is_it(stored)) {
                        remove(stored, element);
                    }
                }
            }
            (Some(inner), value) => remove(inner, value),
            (None, _) => {}
        }
    }
}

/// Whether data has only protobuf's defaults.
pub(super) fn is_empty(data: &Value) -> bool {
    match data {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
    }
}

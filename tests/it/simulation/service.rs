//! The service: the effect of each request on the stored annotations, and its answer. Written from the API's documents,
//! independent of the emulator.

use super::behaviour::{Behaviour, BulkFailure, MissingDelete};
use super::chance::Chance;
use super::faults::Fault;
use super::remote::{Actor, Name, Patch, Remote, WriteKind, is_empty, name_of, patched, present};
use annosync::api::{HttpRequest, Method, Url};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The app's owner.
pub(super) const OWNER: &str = "ann";
/// The maximum number of annotations in a call.
const MOST: usize = 128;

/// An answer before it is written as text.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) http: u16,
    pub(super) body: Value,
    pub(super) retry_after: Option<u64>,
}

impl Answer {
    fn status(http: u16, code: &Value, description: &str) -> Self {
        Self {
            http,
            body: json!({"status": {"code": code, "description": description}}),
            retry_after: None,
        }
    }
}

/// The subject of a request: annotations, or whole inputs if it names no annotation.
#[derive(Debug, Clone, Default)]
pub(super) struct Subject {
    pub(super) names: Vec<Name>,
    pub(super) inputs: Vec<String>,
}

impl Subject {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let segments = segments(&request.url);
        if let ["inputs", input, "annotations", id] =
            segments.iter().map(String::as_str).collect::<Vec<_>>()[..]
        {
            return Self {
                names: vec![(input.to_owned(), id.to_owned())],
                inputs: Vec::new(),
            };
        }
        let body: Value = body(request);
        let (inputs, ids) = if request.method == Method::GET {
            (query(&request.url, "input_ids"), query(&request.url, "ids"))
        } else {
            (texts(&body["input_ids"]), texts(&body["ids"]))
        };
        let mut names: Vec<Name> = inputs.iter().cloned().zip(ids).collect();
        let inputs = if names.is_empty() { inputs } else { Vec::new() };
        for item in body["annotations"].as_array().into_iter().flatten() {
            names.push(name_of(item));
        }
        Self { names, inputs }
    }
}

/// The path after the app.
pub(super) fn segments(url: &Url) -> Vec<String> {
    let all: Vec<String> = url
        .path_segments()
        .into_iter()
        .flatten()
        .map(|segment| segment.replace("%20", " "))
        .collect();
    match all.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["v2", "users", _, "apps", _, ..] => all[5..].to_vec(),
        _ => all,
    }
}

fn query(url: &Url, name: &str) -> Vec<String> {
    url.query_pairs()
        .filter(|(field, _)| field == name)
        .map(|(_, value)| value.into_owned())
        .collect()
}

pub(super) fn body(request: &HttpRequest) -> Value {
    let text = request.body.as_deref().unwrap_or("null");
    serde_json::from_str(text).expect("what is sent is JSON")
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// The result of one annotation of a call.
type Item = Result<Value, (u32, &'static str, &'static str)>;

const INVALID: u32 = 24_155;
const DENIED: u32 = 24_156;

/// A request that is being served.
pub(super) struct Service<'a> {
    pub(super) remote: &'a mut Remote,
    pub(super) behaviour: &'a Behaviour,
    pub(super) tick: u64,
    pub(super) who: Actor,
    /// The user of its token.
    pub(super) caller: &'a str,
    pub(super) fault: Option<Fault>,
    pub(super) chance: Chance,
    /// Annotations that are always refused, and whether each makes its whole call fail.
    pub(super) poisoned: &'a dyn Fn(&Name) -> Option<BulkFailure>,
    /// Faults that happened without being drawn for this exchange.
    pub(super) noted: Vec<Fault>,
    /// Calls for which the caller lacks the permission.
    pub(super) denied: Vec<Name>,
}

impl Service<'_> {
    pub(super) fn serve(&mut self, request: &HttpRequest) -> Answer {
        let path = segments(&request.url);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match (&request.method, &path[..]) {
            (&Method::GET, ["v2", "users", "me"]) => {
                let mut answer = self.success();
                answer.body["user"] = json!({"id": self.caller});
                answer
            }
            (&Method::GET, ["annotations"]) => self.list(&request.url),
            (&Method::GET, ["inputs", input, "annotations", id]) => {
                let name = ((*input).to_owned(), (*id).to_owned());
                match self.remote.get(&name) {
                    None => self.not_found(),
                    Some(row) => {
                        let row = self.behaviour.spell(row);
                        let mut answer = self.success();
                        answer.body["annotation"] = row;
                        answer
                    }
                }
            }
            (&Method::POST, ["annotations"]) => self.write(None, &body(request)),
            (&Method::PATCH, ["annotations"]) => {
                let body = body(request);
                let action = match body["action"].as_str() {
                    Some("merge") => Patch::Merge,
                    Some("overwrite") => Patch::Overwrite,
                    Some("remove") => Patch::Remove,
                    _ => return self.refusal("no such action"),
                };
                self.write(Some(action), &body)
            }
            (&Method::DELETE, ["inputs", input, "annotations", id]) => {
                let names = vec![((*input).to_owned(), (*id).to_owned())];
                self.delete(names, true)
            }
            (&Method::DELETE, ["annotations"] | ["inputs", "annotations"]) => {
                let body = body(request);
                let (inputs, ids) = (texts(&body["input_ids"]), texts(&body["ids"]));
                if inputs.is_empty() || (!ids.is_empty() && ids.len() != inputs.len()) {
                    return self.refusal("input_ids and ids have to be pairs");
                }
                if ids.is_empty() {
                    self.purge(&inputs)
                } else {
                    self.delete(inputs.into_iter().zip(ids).collect(), false)
                }
            }
            _ => self.not_found(),
        }
    }

    fn success(&self) -> Answer {
        Answer::status(200, &self.behaviour.code(10_000, "SUCCESS"), "Ok")
    }

    fn not_found(&self) -> Answer {
        let code = self.behaviour.code(11_101, "CONN_DOES_NOT_EXIST");
        Answer::status(404, &code, "Annotation does not exist")
    }

    fn refusal(&self, why: &str) -> Answer {
        let code = self.behaviour.code(11_102, "CONN_INVALID_REQUEST");
        Answer::status(400, &code, why)
    }

    fn list(&mut self, url: &Url) -> Answer {
        let number = |name| {
            query(url, name)
                .first()
                .and_then(|text| text.parse::<usize>().ok())
        };
        let page = number("page").unwrap_or(1).max(1);
        let size = number("per_page")
            .unwrap_or(20)
            .min(self.behaviour.page_cap);
        let (inputs, ids) = (query(url, "input_ids"), query(url, "ids"));
        let pairs: BTreeSet<(&str, &str)> = inputs
            .iter()
            .map(String::as_str)
            .zip(ids.iter().map(String::as_str))
            .collect();
        let with_models = query(url, "list_all_annotations") == ["true"];
        let listed: Vec<&Value> = self
            .remote
            .rows
            .iter()
            .filter(|row| with_models || row.get("model_version_id").is_none())
            .filter(|row| {
                let (input, id) = (row["input_id"].as_str(), row["id"].as_str());
                let (input, id) = (input.unwrap_or_default(), id.unwrap_or_default());
                if ids.is_empty() {
                    inputs.is_empty() || inputs.iter().any(|named| named == input)
                } else {
                    pairs.contains(&(input, id))
                }
            })
            .collect();
        let pages = listed.len().div_ceil(size);
        let mut served = page;
        if self.fault == Some(Fault::WrongPage) && pages > 1 && page <= pages {
            // Another existing page: the previous or the next one.
            served = if page == 1 || (page < pages && self.chance.one_in(2)) {
                page + 1
            } else {
                page - 1
            };
        }
        let mut rows: Vec<Value> = listed
            .iter()
            .skip((served - 1) * size)
            .take(size)
            .map(|row| self.behaviour.spell(row))
            .collect();
        match self.fault {
            Some(Fault::EmptyPage) => rows.clear(),
            Some(Fault::LeftOut | Fault::ShortPage) if !rows.is_empty() => {
                rows.remove(self.chance.index(rows.len()));
            }
            Some(Fault::SaidTwice) if !rows.is_empty() => {
                rows.push(rows[self.chance.index(rows.len())].clone());
            }
            _ => {}
        }
        self.behaviour.order(&mut rows, &mut self.chance);
        let mut answer = self.success();
        if !rows.is_empty() || self.chance.one_in(2) {
            answer.body["annotations"] = rows.into();
        }
        answer
    }

    /// Posts, or patches.
    fn write(&mut self, action: Option<Patch>, body: &Value) -> Answer {
        let Some(items) = body["annotations"].as_array() else {
            return self.refusal("no annotations");
        };
        if items.is_empty() || items.len() > MOST {
            return self.refusal("1 to 128 annotations");
        }
        if items.iter().any(|item| self.spoils(&name_of(item))) {
            return self.refusal("the request is invalid");
        }
        let deletes = body["delete_if_empty_data"] == true && self.behaviour.deletes_empty;
        let prepared: Vec<Item> = items
            .iter()
            .map(|item| self.prepare(action, item))
            .collect();
        if self.behaviour.bulk == BulkFailure::AllOrNone && prepared.iter().any(Result::is_err) {
            let code = self.behaviour.code(10_020, "FAILURE");
            return Answer::status(400, &code, "Failure");
        }
        let mut answers = Vec::with_capacity(items.len());
        for (item, row) in items.iter().zip(prepared) {
            let name = name_of(item);
            let answer = row.map(|row| {
                let how = match action {
                    None => WriteKind::Post,
                    Some(Patch::Merge) => WriteKind::Merge,
                    Some(Patch::Overwrite) => WriteKind::Overwrite,
                    Some(Patch::Remove) => WriteKind::Remove,
                };
                let goes = deletes && row.get("input_level").is_none() && is_empty(&row["data"]);
                if goes {
                    self.remote
                        .write(self.tick, self.who, WriteKind::Emptied, &name, None);
                    self.behaviour.spell(&row)
                } else {
                    let stored = self
                        .remote
                        .write(self.tick, self.who, how, &name, Some(row));
                    self.behaviour.spell(&stored.expect("it was stored"))
                }
            });
            answers.push((name, answer));
        }
        self.answered(answers)
    }

    fn answered(&mut self, answers: Vec<(Name, Item)>) -> Answer {
        let failed = answers.iter().filter(|(_, answer)| answer.is_err()).count();
        let all = answers.len();
        let mut rows: Vec<Value> = answers
            .into_iter()
            .map(|((input, id), answer)| match answer {
                Ok(row) => row,
                Err((number, name, why)) => json!({
                    "id": id, "input_id": input,
                    "status": {"code": self.behaviour.code(number, name), "description": why},
                }),
            })
            .collect();
        self.garble(&mut rows);
        self.behaviour.order(&mut rows, &mut self.chance);
        let multi = if self.behaviour.multi_status {
            207
        } else {
            200
        };
        let mut answer = match failed {
            0 => self.success(),
            failed if failed < all => {
                Answer::status(multi, &self.behaviour.code(10_010, "MIXED_STATUS"), "Mixed")
            }
            _ => Answer::status(400, &self.behaviour.code(10_020, "FAILURE"), "Failure"),
        };
        answer.body["annotations"] = rows.into();
        answer
    }

    fn garble(&mut self, rows: &mut Vec<Value>) {
        match self.fault {
            Some(Fault::LeftOut) if !rows.is_empty() => {
                rows.remove(self.chance.index(rows.len()));
            }
            Some(Fault::SaidTwice) if !rows.is_empty() => {
                rows.push(rows[self.chance.index(rows.len())].clone());
            }
            _ => {}
        }
    }

    fn spoils(&mut self, name: &Name) -> bool {
        let spoils = (self.poisoned)(name) == Some(BulkFailure::AllOrNone);
        if spoils {
            self.noted.push(Fault::PoisonedBatch);
        }
        spoils
    }

    /// The annotation to store, or the reason for the refusal.
    fn prepare(&mut self, action: Option<Patch>, item: &Value) -> Item {
        let name = name_of(item);
        if self.fault == Some(Fault::TryAgainItems) && self.chance.one_in(2) {
            return Err((10_030, "TRY_AGAIN", "busy with this one"));
        }
        if (self.poisoned)(&name).is_some() {
            self.noted.push(Fault::PoisonedItem);
            return Err((INVALID, "ANNOTATION_INVALID_ARGUMENT", "poisoned"));
        }
        let stored = self.remote.get(&name);
        match (action, stored) {
            (None, Some(_)) => Err((INVALID, "ANNOTATION_INVALID_ARGUMENT", "duplicate id")),
            (None, None) => self.made(item),
            (Some(_), None) => Err((11_101, "CONN_DOES_NOT_EXIST", "no such annotation")),
            (Some(_), Some(stored)) if !self.may_change(stored) => {
                self.denied.push(name);
                Err((DENIED, "ANNOTATION_PERMISSION_DENIED", "not yours"))
            }
            (Some(action), Some(stored)) => {
                Ok(patched(stored, action, item, self.behaviour.unsent))
            }
        }
    }

    fn made(&mut self, item: &Value) -> Item {
        let invalid = |why| Err((INVALID, "ANNOTATION_INVALID_ARGUMENT", why));
        let data = item.get("data").cloned().unwrap_or_else(|| json!({}));
        if !self
            .remote
            .inputs
            .iter()
            .any(|input| item["input_id"] == **input)
        {
            return invalid("no such input");
        }
        if data["regions"].as_array().map_or(0, Vec::len) > 1 {
            return invalid("more than one region");
        }
        let user = item["user_id"].as_str().unwrap_or(self.caller);
        if user != self.caller && self.caller != OWNER {
            self.denied.push(name_of(item));
            return Err((
                DENIED,
                "ANNOTATION_PERMISSION_DENIED",
                "not as another user",
            ));
        }
        let code = if user == self.caller { 24_150 } else { 24_151 };
        let mut row = json!({
            "id": item["id"], "input_id": item["input_id"], "user_id": user, "data": data,
            "status": item.get("status").cloned().unwrap_or_else(|| json!({"code": code})),
        });
        for field in ["annotation_info", "embed_model_version_id"] {
            if let Some(value) = item.get(field) {
                row[field] = value.clone();
            }
        }
        present(&mut row["data"]);
        Ok(row)
    }

    fn may_change(&self, row: &Value) -> bool {
        row.get("model_version_id").is_none()
            && (self.caller == OWNER || row["user_id"] == *self.caller)
    }

    fn delete(&mut self, names: Vec<Name>, by_path: bool) -> Answer {
        if names.len() > MOST {
            return self.refusal("1 to 128 annotations");
        }
        if names.iter().any(|name| self.spoils(name)) {
            return self.refusal("the request is invalid");
        }
        let missing = names.iter().any(|name| self.remote.place(name).is_none());
        let gone = self.behaviour.gone;
        if missing && gone == MissingDelete::NotFoundAndNone {
            return self.not_found();
        }
        let mut answers: Vec<(Name, Item)> = Vec::new();
        for name in names {
            let answer = self.delete_one(&name);
            answers.push((name, answer));
        }
        if let ([(_, Err((code, word, why)))], true) = (&answers[..], by_path) {
            let code = self.behaviour.code(*code, word);
            return Answer::status(400, &code, why);
        }
        if answers.iter().all(|(_, answer)| answer.is_ok()) && !self.behaviour.names_deleted {
            return if missing && gone == MissingDelete::NotFound {
                self.not_found()
            } else {
                self.success()
            };
        }
        self.answered(answers)
    }

    fn delete_one(&mut self, name: &Name) -> Item {
        if self.fault == Some(Fault::TryAgainItems) && self.chance.one_in(2) {
            return Err((10_030, "TRY_AGAIN", "busy with this one"));
        }
        if (self.poisoned)(name).is_some() {
            self.noted.push(Fault::PoisonedItem);
            return Err((INVALID, "ANNOTATION_INVALID_ARGUMENT", "poisoned"));
        }
        let (input, id) = name;
        let done = json!({"id": id, "input_id": input, "status": {"code": 10_000}});
        let Some(row) = self.remote.get(name) else {
            return match self.behaviour.gone {
                MissingDelete::Fine => Ok(done),
                _ if self.behaviour.names_deleted => {
                    Err((11_101, "CONN_DOES_NOT_EXIST", "no such annotation"))
                }
                _ => Ok(done),
            };
        };
        if row.get("input_level").is_some() || !self.may_change(row) {
            self.denied.push(name.clone());
            return Err((DENIED, "ANNOTATION_PERMISSION_DENIED", "not yours"));
        }
        self.remote
            .write(self.tick, self.who, WriteKind::Delete, name, None);
        Ok(done)
    }

    fn purge(&mut self, inputs: &[String]) -> Answer {
        let doomed: Vec<Name> = self
            .remote
            .rows
            .iter()
            .filter(|row| row.get("input_level").is_none())
            .map(name_of)
            .filter(|(input, _)| inputs.contains(input))
            .collect();
        // Annotations of models have no owner. The call names no annotation, so it is denied as a whole.
        let (remote, caller) = (&self.remote, self.caller);
        let of_others = doomed.iter().filter(|name| {
            let row = remote.get(name).expect("it is there");
            row.get("model_version_id").is_none() && caller != OWNER && row["user_id"] != *caller
        });
        let denied: Vec<Name> = of_others.cloned().collect();
        if !denied.is_empty() {
            self.denied.extend(denied);
            let code = self.behaviour.code(DENIED, "ANNOTATION_PERMISSION_DENIED");
            return Answer::status(403, &code, "not yours");
        }
        for name in doomed {
            self.remote
                .write(self.tick, self.who, WriteKind::Purge, &name, None);
        }
        self.success()
    }
}

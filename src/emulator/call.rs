//! One call as the operations see it: who calls, which app is meant, what was sent, and which faults are asked for.

use super::config::Config;
use super::data::{self, MissingValue};
use super::faults::{Fault, Shift};
use super::listing::Query;
use super::reply::{ItemFailure, Refusal};
use super::session::Session;
use super::store::App;
use crate::api::code::Code;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The API's largest batch.
pub(super) const MAX_ITEMS: usize = 128;

/// What was sent, decoded, before anyone knows which app it is about.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Decoded parameters of the path: `user_id`, `app_id`, `input_id`, `id`, `task_id`.
    pub(super) path: HashMap<String, String>,
    pub(super) query: Query,
    pub(super) body: Map<String, Value>,
}

/// Faults that an operation carries out, rather than the server around it.
#[derive(Debug, Default)]
pub(super) struct Effects {
    fail_items: HashMap<usize, Code>,
    /// The most annotations that the page may hold.
    pub(super) page_limit: Option<usize>,
    pub(super) then: Vec<Shift>,
    pub(super) hidden: Vec<(String, String)>,
}

impl Effects {
    /// Takes what concerns operations out of a call's faults.
    pub(super) fn of(faults: &[Fault], hidden: Vec<(String, String)>) -> Self {
        let mut effects = Self {
            hidden,
            ..Self::default()
        };
        for fault in faults {
            match fault {
                Fault::FailItems { items, code } => {
                    let failing = items.iter().map(|item| (*item, *code));
                    effects.fail_items.extend(failing);
                }
                Fault::ShortPage(limit) => effects.page_limit = Some(*limit),
                Fault::EmptyPage => effects.page_limit = Some(0),
                Fault::Then(shifts) => effects.then.extend_from_slice(shifts),
                _ => {}
            }
        }
        effects
    }

    /// The failure that the item at this place is to have.
    pub(super) fn failure(&self, place: usize) -> Option<ItemFailure> {
        let code = self.fail_items.get(&place)?;
        Some(ItemFailure::injected(*code))
    }
}

/// A call of a known user to an app that exists.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) config: &'a Config,
    pub(super) caller: &'a str,
    pub(super) app: App,
    pub(super) sent: &'a Sent,
    pub(super) effects: &'a Effects,
}

impl<'a> Call<'a> {
    /// Finds the app that is meant: by the path's long form, or by `user_app_id` in query or body, or the one that
    /// the emulator was started with, as an app key would.
    pub(super) fn new(
        session: &Session<'_>,
        config: &'a Config,
        caller: &'a str,
        sent: &'a Sent,
        effects: &'a Effects,
    ) -> Result<Self, Refusal> {
        let named = |field: &str| {
            let of_path = sent.path.get(field).map(String::as_str);
            let of_query = || sent.query.last(&format!("user_app_id.{field}"));
            let of_body = || sent.body.get("user_app_id")?.get(field)?.as_str();
            of_path
                .or_else(of_query)
                .or_else(of_body)
                .filter(|name| !name.is_empty())
        };
        let owner = match named("user_id") {
            Some("me") => caller,
            Some(user) => user,
            None => &config.owner,
        };
        let app_id = named("app_id").unwrap_or(&config.app_id);
        let app = session
            .app(owner, app_id)?
            .ok_or_else(|| Refusal::missing(format!("no app `{app_id}` of user `{owner}`")))?;
        Ok(Self {
            config,
            caller,
            app,
            sent,
            effects,
        })
    }

    /// Whether the caller owns the app.
    pub(super) fn is_owner(&self) -> bool {
        self.caller == self.app.owner
    }

    /// A parameter of the path; the route has it.
    pub(super) fn path(&self, name: &str) -> &'a str {
        self.sent.path.get(name).map_or("", String::as_str)
    }

    /// The 1 to 128 objects of a list in the body, in the stored form.
    pub(super) fn items(
        &self,
        list: &str,
        missing: MissingValue,
    ) -> Result<Vec<Map<String, Value>>, Refusal> {
        let items = match self.sent.body.get(list) {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(items)) => items,
            Some(_) => return Err(Refusal::format(format!("`{list}` is not a list"))),
        };
        check_count(list, items.len())?;
        let mut prepared = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            let Value::Object(item) = item else {
                return Err(Refusal::format(format!("{list}[{place}] is not an object")));
            };
            let mut item = item.clone();
            data::prepare(&mut item, missing)
                .map_err(|problem| Refusal::format(format!("{list}[{place}]: {problem}")))?;
            prepared.push(item);
        }
        Ok(prepared)
    }

    /// A list of texts in the body; protobuf knows no difference between none and an empty one.
    pub(super) fn texts(&self, list: &str) -> Result<Vec<&'a str>, Refusal> {
        let texts = match self.sent.body.get(list) {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(texts)) => texts,
            Some(_) => return Err(Refusal::format(format!("`{list}` is not a list"))),
        };
        let texts: Option<Vec<&str>> = texts.iter().map(Value::as_str).collect();
        texts.ok_or_else(|| Refusal::format(format!("`{list}` holds something that is not a text")))
    }
}

/// Refuses a list that is empty or longer than the API takes.
pub(super) fn check_count(list: &str, count: usize) -> Result<(), Refusal> {
    if (1..=MAX_ITEMS).contains(&count) {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "{count} `{list}`; a call takes 1 to {MAX_ITEMS}"
    )))
}

/// Takes a text member out of an object; "" if there is none.
pub(super) fn take_text(object: &mut Map<String, Value>, name: &str) -> String {
    match object.shift_remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

/// Takes the status out of an object: the code that it names, if it names one.
pub(super) fn take_status(object: &mut Map<String, Value>) -> Result<Option<Code>, ItemFailure> {
    let Some(code) = object
        .shift_remove("status")
        .and_then(|status| status.get("code").cloned())
    else {
        return Ok(None);
    };
    match serde_json::from_value(code.clone()) {
        // 0 is what protobuf has where nothing was said.
        Ok(Code(0)) if code.is_number() => Ok(None),
        Ok(code) if is_annotation_status(code) => Ok(Some(code)),
        _ => Err(ItemFailure::invalid(format!(
            "{code} is not a status of an annotation"
        ))),
    }
}

/// Whether a code is the status of an annotation: those have the numbers of one range.
pub(super) fn is_annotation_status(code: Code) -> bool {
    (24_000..25_000).contains(&code.0)
}

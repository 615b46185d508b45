//! One call as the operations see it: the caller, the app, the decoded request, and planned faults.

use super::config::Config;
use super::data::{self, MissingValue};
use super::endpoint::Endpoint;
use super::faults::{ConcurrentChange, Fault};
use super::listing::Query;
use super::patch::Action;
use super::reply::{ItemFailure, Refusal};
use super::rows::App;
use super::session::Session;
use crate::wire::Code;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::HashMap;

/// The API's largest batch.
pub(super) const MAX_ITEMS: usize = 128;

/// The decoded request.
#[derive(Debug, Default)]
pub(super) struct RequestParts {
    /// Decoded parameters of the path, such as `user_id`, `app_id`, `input_id`.
    pub(super) path: HashMap<String, String>,
    pub(super) query: Query,
    pub(super) body: Map<String, Value>,
    /// The URL of the emulator as the client knows it, without a trailing slash.
    pub(super) base_url: String,
}

/// The objects of the list in a request, in the stored form.
pub(super) type Items = Result<Vec<Map<String, Value>>, Refusal>;

impl RequestParts {
    /// Takes the objects out of the body. The list must have 1 to 128 objects. `None` for a call without such a list.
    pub(super) fn take_items(&mut self, endpoint: Endpoint) -> Option<Items> {
        let missing = match endpoint {
            Endpoint::PostAnnotations | Endpoint::PostInputs => MissingValue::One,
            Endpoint::PatchAnnotations | Endpoint::PatchInputs => {
                match self.body.get("action").and_then(Value::as_str) {
                    Some("remove") => MissingValue::Nothing,
                    _ => MissingValue::One,
                }
            }
            Endpoint::PostConcepts
            | Endpoint::PatchConcepts
            | Endpoint::PostDatasets
            | Endpoint::PatchDatasets
            | Endpoint::PostDatasetInputs
            | Endpoint::PostApps
            | Endpoint::PatchApps => MissingValue::Nothing,
            _ => return None,
        };
        Some(self.prepare_items(endpoint.item_list()?, missing))
    }

    fn prepare_items(&mut self, list: &str, missing: MissingValue) -> Items {
        let items = match self.body.get_mut(list) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => std::mem::take(items),
            Some(_) => return Err(Refusal::format(format!("`{list}` is not a list"))),
        };
        check_count(list, items.len())?;
        let mut prepared = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            prepared.push(prepare(&format!("{list}[{index}]"), item, missing)?);
        }
        Ok(prepared)
    }
}

/// Faults that an operation produces itself. The server produces the others.
#[derive(Debug, Default)]
pub(super) struct OperationFaults {
    fail_items: HashMap<usize, Code>,
    /// The maximum number of annotations on the page.
    pub(super) page_limit: Option<usize>,
    pub(super) changes: Vec<ConcurrentChange>,
    /// Annotations that listings omit: input id and id.
    pub(super) hidden: Vec<(String, String)>,
}

impl OperationFaults {
    pub(super) fn of(faults: &[Fault], hidden: Vec<(String, String)>) -> Self {
        let mut own = Self {
            hidden,
            ..Self::default()
        };
        for fault in faults {
            match fault {
                Fault::FailItems { items, code } => {
                    let failing = items.iter().map(|item| (*item, *code));
                    own.fail_items.extend(failing);
                }
                Fault::ShortPage(limit) => own.page_limit = Some(*limit),
                Fault::EmptyPage => own.page_limit = Some(0),
                Fault::ChangeAfterRead(shifts) => own.changes.extend_from_slice(shifts),
                _ => {}
            }
        }
        own
    }

    /// The planned failure of the item at this index.
    pub(super) fn failure(&self, index: usize) -> Option<ItemFailure> {
        let code = self.fail_items.get(&index)?;
        Some(ItemFailure::injected(*code))
    }
}

/// A call of a known user to an existing app.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) config: &'a Config,
    pub(super) caller: &'a str,
    pub(super) app: App,
    pub(super) sent: &'a RequestParts,
    pub(super) faults: &'a OperationFaults,
    items: RefCell<Option<Items>>,
}

impl<'a> Call<'a> {
    /// Finds the app: in the long form of the path, or in `user_app_id` of query or body. The default is the app that the
    /// emulator was started with, as for an app key. A call on all apps of a user has no app.
    pub(super) fn new(
        session: &Session<'_>,
        endpoint: Endpoint,
        config: &'a Config,
        caller: &'a str,
        sent: &'a RequestParts,
        faults: &'a OperationFaults,
        items: Option<Items>,
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
        let on_all = [Endpoint::ListApps, Endpoint::PostApps, Endpoint::PatchApps];
        let app = if on_all.contains(&endpoint) {
            let app = App {
                key: 0,
                owner: owner.to_owned(),
                id: String::new(),
            };
            Some(app).filter(|_| config.knows_user(owner))
        } else {
            session.app(owner, named("app_id").unwrap_or(&config.app_id))?
        };
        let app = app.ok_or_else(|| {
            let app_id = named("app_id").unwrap_or(&config.app_id);
            Refusal::missing(format!("user `{owner}` has no app `{app_id}`"))
        })?;
        Ok(Self {
            config,
            caller,
            app,
            sent,
            faults,
            items: RefCell::new(items),
        })
    }

    pub(super) fn is_owner(&self) -> bool {
        self.caller == self.app.owner
    }

    /// The `action` of a PATCH.
    pub(super) fn action(&self) -> Result<Action, Refusal> {
        let name = self.sent.body.get("action").and_then(Value::as_str);
        name.and_then(Action::parse).ok_or_else(|| {
            Refusal::invalid(format!(
                "`action` is `{}`, but must be merge, overwrite or remove",
                name.unwrap_or_default()
            ))
        })
    }

    /// A parameter of the path, which the route must have.
    pub(super) fn path(&self, name: &str) -> &'a str {
        self.sent.path.get(name).map_or("", String::as_str)
    }

    /// Takes the objects of the list in the request.
    pub(super) fn items(&self) -> Items {
        let items = self.items.take();
        items.expect("only the operations of calls with objects take them, once")
    }

    /// An object in the body, in the stored form.
    pub(super) fn item(&self, name: &str) -> Result<Map<String, Value>, Refusal> {
        let item = self.sent.body.get(name).cloned().unwrap_or_default();
        prepare(name, item, MissingValue::Nothing)
    }

    /// A list of strings in the body; empty if it is absent, because protobuf does not distinguish the two.
    pub(super) fn texts(&self, list: &str) -> Result<Vec<&'a str>, Refusal> {
        let texts = match self.sent.body.get(list) {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(texts)) => texts,
            Some(_) => return Err(Refusal::format(format!("`{list}` is not a list"))),
        };
        let texts: Option<Vec<&str>> = texts.iter().map(Value::as_str).collect();
        texts
            .ok_or_else(|| Refusal::format(format!("`{list}` has an element that is not a string")))
    }
}

fn prepare(place: &str, item: Value, missing: MissingValue) -> Result<Map<String, Value>, Refusal> {
    let Value::Object(mut item) = item else {
        return Err(Refusal::format(format!("{place} is not an object")));
    };
    data::prepare(&mut item, missing)
        .map_err(|problem| Refusal::format(format!("{place}: {problem}")))?;
    Ok(item)
}

/// Rejects a list that is empty or longer than the API allows.
pub(super) fn check_count(list: &str, count: usize) -> Result<(), Refusal> {
    if (1..=MAX_ITEMS).contains(&count) {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "{count} `{list}`; a call has 1 to {MAX_ITEMS}"
    )))
}

/// Removes a string from an object; "" if it is absent.
pub(super) fn take_text(object: &mut Map<String, Value>, name: &str) -> String {
    match object.shift_remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

/// Removes the status from an object and returns its code.
pub(super) fn take_status(object: &mut Map<String, Value>) -> Result<Option<Code>, ItemFailure> {
    let Some(code) = object
        .shift_remove("status")
        .and_then(|status| status.get("code").cloned())
    else {
        return Ok(None);
    };
    match serde_json::from_value(code.clone()) {
        // 0 is the default of protobuf.
        Ok(Code(0)) if code.is_number() => Ok(None),
        Ok(code) if is_annotation_status(code) => Ok(Some(code)),
        _ => Err(ItemFailure::invalid(format!(
            "{code} is not a status of an annotation"
        ))),
    }
}

/// Whether a code is in the range of annotation statuses.
pub(super) fn is_annotation_status(code: Code) -> bool {
    (24_000..25_000).contains(&code.0)
}

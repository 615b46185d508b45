//! Desired and observed states from text, and a remote in memory.

use crate::schemas;
use annosync::api::NamedBody;
use annosync::apply::{self, Preview};
use annosync::emulator::patch;
use annosync::manifest;
use annosync::model::{
    AnnotationId, DesiredInput, DesiredState, InputId, Interner, Json, ObservedAnnotation,
    ObservedState, Origin, Scope, Undeclared, UserId,
};
use annosync::plan::{
    self, Action, Allowances, Call, Context, Due, Inventory, Permit, Plan, PlanError, Target,
    stand_in_body, stand_in_id_for,
};
use annosync::render;
use annosync::wire::decode;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The calling user of every test, who owns the app unless a test says otherwise.
pub(crate) const ME: &str = "me-1";

/// A manifest of the set `street` with these inputs, policy `sync`.
pub(crate) fn desired(inputs: &str) -> DesiredState {
    manifest_of(&format!(
        "version: 1\nset: street\npolicy: sync\ninputs:\n{inputs}"
    ))
}

/// A manifest of one file.
pub(crate) fn manifest_of(text: &str) -> DesiredState {
    match manifest::parse(vec![(PathBuf::from("m.yaml"), text.to_owned())]) {
        Ok(manifest) => {
            schemas::MANIFEST.accepts_yaml(text);
            manifest.desired
        }
        Err(problems) => panic!("the test's manifest is wrong:\n{problems}"),
    }
}

/// The observed state of a listing: the JSON of annotations as the service sends them.
pub(crate) fn observed(annotations: &[Value]) -> ObservedState {
    observed_by(ME, ME, annotations)
}

/// The same, as seen by a caller in the app of an owner.
pub(crate) fn observed_by(caller: &str, owner: &str, annotations: &[Value]) -> ObservedState {
    let mut interner = Interner::default();
    let mut state = ObservedState {
        caller: UserId::new(caller).unwrap(),
        app_owner: UserId::new(owner).unwrap(),
        scope: Scope::WholeApp,
        inputs: std::collections::BTreeMap::default(),
        unreadable: Vec::new(),
    };
    for annotation in annotations {
        let wire = serde_json::from_value(annotation.clone()).unwrap();
        match decode::annotation(wire, &mut interner) {
            Ok((input, annotation)) => state.inputs.entry(input).or_default().push(annotation),
            Err(unreadable) => state.unreadable.push(unreadable),
        }
    }
    state.sort();
    state
}

/// What a plan is made for.
pub(crate) fn context() -> Context {
    Context {
        target: Target {
            endpoint: "https://api.clarifai.com".into(),
            user_id: ME.into(),
            app_id: "street".into(),
        },
        manifest_hash: "0".repeat(64),
        rate_limit: 15,
        allowances: Allowances::default(),
        inventory: Inventory::default(),
        shard: None,
    }
}

/// Plans, and returns errors to the test.
pub(crate) fn try_plan(
    desired: &DesiredState,
    observed: &ObservedState,
) -> Result<Plan, Vec<PlanError>> {
    let plan = plan::plan(desired, observed, &context())?;
    schemas::PLAN.accepts(&plan);
    Ok(plan)
}

/// Plans.
pub(crate) fn plan(desired: &DesiredState, observed: &ObservedState) -> Plan {
    try_plan(desired, observed).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// The text of the plan from a manifest's inputs and a listing.
pub(crate) fn plan_text(inputs: &str, annotations: &[Value]) -> String {
    render::text(
        &plan(&desired(inputs), &observed(annotations)),
        &render::TextOptions::default(),
    )
}

/// The one operation of a plan, as (action, body).
pub(crate) fn only_write(inputs: &str, annotations: &[Value]) -> (Action, Value) {
    let plan = plan(&desired(inputs), &observed(annotations));
    let [operation] = &plan.operations[..] else {
        panic!("expected one operation: {:#?}", plan.operations);
    };
    let body = bodies(&plan, &observed(annotations)).remove(0);
    (operation.action(), body.unwrap_or_default())
}

/// What each operation of a plan sends if the app did not change since it was observed; `None` for a delete.
pub(crate) fn bodies(plan: &Plan, observed: &ObservedState) -> Vec<Option<Value>> {
    let bodies = plan::bodies(plan, observed, &Permit::Planned);
    let value = |body: Option<Json>| body.as_ref().map(Json::to_value);
    bodies.into_iter().map(|it| value(it.unwrap())).collect()
}

/// The same as text, in the order of the plan's operations.
pub(crate) fn sent(plan: &Plan, observed: &ObservedState) -> Vec<Option<Json>> {
    let bodies = plan::bodies(plan, observed, &Permit::Planned);
    bodies.into_iter().map(Result::unwrap).collect()
}

/// The calls of a plan if the app did not change since it was observed.
pub(crate) fn printed_calls(plan: &Plan, observed: &ObservedState) -> String {
    let preview = Preview {
        operations: sent(plan, observed).into_iter().map(Due::Sent).collect(),
        purges: vec![Due::Sent(None); plan.purges.len()],
    };
    render::calls(&plan.target, &apply::calls(plan, &preview).unwrap())
}

/// An annotation to write past the binary.
pub(crate) fn named_body(json: &Value) -> NamedBody {
    let text = |field: &str| json[field].as_str().unwrap().to_owned();
    NamedBody {
        input: InputId::new(text("input_id")).unwrap(),
        id: AnnotationId::new(text("id")).unwrap(),
        json: Arc::new(Json::from_value(json)),
    }
}

/// Inputs without media to post past the binary.
pub(crate) fn bare_inputs(ids: &[&str]) -> Vec<(InputId, Json)> {
    let input = |id: &&str| {
        let body = Json::from_value(&json!({ "id": id }));
        (InputId::new(*id).unwrap(), body)
    };
    ids.iter().map(input).collect()
}

/// A box annotation as the service sends it.
pub(crate) fn boxed(input: &str, id: &str, edges: [f64; 4], concepts: &[&str]) -> Value {
    let concepts: Value = concepts
        .iter()
        .map(|id| json!({"id": id, "name": id, "value": 1}))
        .collect();
    json!({
        "id": id, "input_id": input, "user_id": ME, "status": {"code": 24150},
        "created_at": "2026-01-01T00:00:00Z",
        "data": {"regions": [{
            "id": format!("region-{id}"),
            "region_info": {"bounding_box": {
                "top_row": edges[0], "left_col": edges[1], "bottom_row": edges[2], "right_col": edges[3],
            }},
            "data": {"concepts": concepts},
        }]},
    })
}

/// A whole-input annotation as the service sends it.
pub(crate) fn whole(input: &str, id: &str, concepts: &[(&str, f64)]) -> Value {
    let concepts: Value = concepts
        .iter()
        .map(|(id, value)| json!({"id": id, "value": value}))
        .collect();
    json!({
        "id": id, "input_id": input, "user_id": ME, "status": {"code": 24150},
        "created_at": "2026-01-01T00:00:00Z", "data": {"concepts": concepts},
    })
}

/// A PNG file of a grey image: one byte a pixel.
pub(crate) fn png(width: u32, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, pixels.len() as u32 / width);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    file
}

/// A file as it is encoded in JSON.
pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The same annotation with one field set.
pub(crate) fn with(mut annotation: Value, field: &str, value: Value) -> Value {
    annotation[field] = value;
    annotation
}

/// A remote in memory: it stores JSON, and changes it as the API documents.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Remote {
    pub(crate) annotations: Vec<Value>,
    made: usize,
    /// The bodies of replacements in progress, by input and id.
    replacing: BTreeMap<(String, String), Value>,
}

impl Remote {
    pub(crate) fn new(annotations: Vec<Value>) -> Self {
        Self {
            annotations,
            made: 0,
            replacing: BTreeMap::new(),
        }
    }

    fn position(&self, input: &str, id: &str) -> Option<usize> {
        self.annotations
            .iter()
            .position(|a| a["input_id"] == input && a["id"] == id)
    }

    fn now(&self, input: &str, id: &str) -> Option<ObservedAnnotation> {
        let row = self.annotations[self.position(input, id)?].clone();
        let wire = serde_json::from_value(row).unwrap();
        Some(
            decode::annotation(wire, &mut Interner::default())
                .unwrap()
                .1,
        )
    }

    /// What an operation sends, given the stored annotation.
    fn body(&mut self, plan: &Plan, call: Call, operation: &plan::Operation) -> Option<Value> {
        let input = operation.input_id.as_str();
        let name = (input.to_owned(), operation.id.to_string());
        let made = |now: Option<&ObservedAnnotation>| {
            plan::write_body(operation, now, &Permit::Planned).unwrap()
        };
        let now = self.now(input, operation.id.as_str());
        let stand_in = self.now(input, stand_in_id_for(&plan.set, operation).as_str());
        let body = match (call, operation.action()) {
            (
                Call::Delete | Call::DeleteReplaced | Call::DeleteStandIn | Call::DeleteLeftBehind,
                _,
            ) => None,
            (Call::PostStandIn, _) => {
                let replacement = made(now.as_ref()).expect("a replacement has a body");
                self.replacing.insert(name, replacement.to_value());
                Some(stand_in_body(&plan.set, operation, &replacement))
            }
            (Call::Post, Action::Replace) if operation.is_unfinished() => made(stand_in.as_ref()),
            (Call::Post, Action::Replace) => return self.replacing.remove(&name),
            _ => made(now.as_ref()),
        };
        body.as_ref().map(Json::to_value)
    }

    /// Carries out the part of a call that belongs to one operation or purge.
    pub(crate) fn call(&mut self, plan: &Plan, call: Call, operation: usize) {
        if call == Call::Purge {
            let input = plan.purges[operation].input_id.as_str();
            self.annotations
                .retain(|it| it["input_id"] != input || it["input_level"] == true);
            return;
        }
        let operation = &plan.operations[operation];
        let id = match call {
            Call::PostStandIn | Call::DeleteStandIn => stand_in_id_for(&plan.set, operation),
            _ => operation.id.clone(),
        };
        let at = self.position(operation.input_id.as_str(), id.as_str());
        let body = self.body(plan, call, operation);
        let action = match call {
            Call::Delete | Call::DeleteReplaced | Call::DeleteStandIn | Call::DeleteLeftBehind => {
                self.annotations
                    .remove(at.expect("the deleted annotation exists"));
                return;
            }
            Call::Post | Call::PostStandIn => {
                if call == Call::PostStandIn && at.is_some() {
                    return;
                }
                assert!(
                    at.is_none(),
                    "a post would make a duplicate: {operation:#?}"
                );
                let mut new = body.expect("a post has a body");
                let defaults = json!({"user_id": ME, "status": {"code": 24150}});
                for (field, value) in defaults.as_object().unwrap() {
                    if new.get(field).is_none() {
                        new[field] = value.clone();
                    }
                }
                new["created_at"] = json!(format!("2026-02-01T00:00:{:02}Z", self.made));
                self.made += 1;
                if let Some(region) = new.pointer_mut("/data/regions/0")
                    && region.get("id").is_none()
                {
                    region["id"] = json!(format!("made-{}", self.made));
                }
                self.annotations.push(new);
                return;
            }
            Call::Purge => unreachable!("it was carried out above"),
            Call::PostInputs | Call::DeleteInputs => unreachable!("these plans post no inputs"),
            Call::Merge => patch::Action::Merge,
            Call::Remove | Call::RemoveOrDelete => patch::Action::Remove,
            Call::Overwrite => patch::Action::Overwrite,
        };
        let Value::Object(mut body) = body.expect("a patch has a body") else {
            unreachable!()
        };
        body.remove("id");
        body.remove("input_id");
        let at = at.expect("the patched annotation exists");
        let stored = self.annotations[at].as_object_mut().unwrap();
        let mut patchable: Map<String, Value> = stored.clone();
        patch::apply(action, &mut patchable, &body);
        let deletes = call == Call::RemoveOrDelete && patchable.get("input_level").is_none();
        if deletes && patchable.get("data").is_none_or(is_empty) {
            self.annotations.remove(at);
        } else {
            *stored = patchable;
        }
    }

    /// Carries out a plan's calls in their order, up to a number of annotations written.
    pub(crate) fn apply_some(&mut self, plan: &Plan, mut steps: usize) {
        for batch in &plan.batches {
            for &operation in &batch.operations {
                if steps == 0 {
                    return;
                }
                steps -= 1;
                self.call(plan, batch.call, operation as usize);
            }
        }
    }

    pub(crate) fn apply(&mut self, plan: &Plan) {
        self.apply_some(plan, usize::MAX);
    }

    pub(crate) fn observed(&self) -> ObservedState {
        observed(&self.annotations)
    }
}

/// Whether data is empty.
fn is_empty(data: &Value) -> bool {
    match data {
        Value::Null => true,
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}

/// The same state with an input that is purged.
pub(crate) fn purging(mut desired: DesiredState, input: &str) -> DesiredState {
    desired.inputs.push(DesiredInput {
        id: InputId::new(input).unwrap(),
        annotations: Vec::new(),
        undeclared: Undeclared::Purged,
        origin: Origin::default(),
    });
    desired.sort();
    desired
}

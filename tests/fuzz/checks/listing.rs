//! Any bytes as a listing: as the answer of the service, and as a listing that was saved.
//!
//! What was read and written reads the same: annotation, fingerprint, and content in a plan file. The state can be shown,
//! pulled and deleted.

use annosync::apply::{self, Preview};
use annosync::manifest::{Header, Overlay, parse_with};
use annosync::model::{
    Content, DesiredState, GuardLimit, Guards, Interner, ObservedAnnotation, ObservedState, Owner,
    Policy, SetName, fingerprint,
};
use annosync::observed::SavedListing;
use annosync::plan::{self, Allowances, Context, Due, Inventory, Target};
use annosync::pull::{self, Choice, Form, Fresh};
use annosync::render;
use annosync::wire::{self, decode};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Checks the above for these bytes.
pub(crate) fn check(bytes: &[u8]) {
    if let Ok(page) = serde_json::from_slice::<wire::Page>(bytes) {
        let shown: Vec<_> = page
            .annotations
            .iter()
            .filter_map(|it| serde_json::to_value(wire::Listed(&it.0)).ok())
            .collect();
        harmless(&render::Table::default().page(&shown));
        for listed in page.annotations {
            decodes_the_same(listed.0);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(saved) = SavedListing::read(text)
    {
        let state = saved.into_state();
        is_deleted(&state);
        is_pulled(&state);
    }
}

fn decodes_the_same(wire: wire::Annotation) {
    let text = serde_json::to_string(&wire::Listed(&wire)).expect("what was read can be written");
    let wire::Listed::<wire::Annotation>(again) =
        serde_json::from_str(&text).expect("what was written can be read");
    let mut interner = Interner::default();
    let first = decode::annotation(wire, &mut interner);
    let second = decode::annotation(again, &mut interner);
    let (Ok((input, first)), Ok((same_input, second))) = (&first, &second) else {
        assert_eq!(
            first.map_err(|it| it.to_string()),
            second.map_err(|it| it.to_string())
        );
        return;
    };
    assert_eq!((input, first), (same_input, second));
    let known = fingerprint(first);
    // With a line break after each element and key, as another server may send it.
    let respelt = |json: &serde_json::Value| {
        let pretty = serde_json::to_string_pretty(json).expect("it is JSON");
        annosync::model::Json::new(&pretty).expect("it is JSON")
    };
    let mut spelt = ObservedAnnotation {
        data: (first.data.as_ref()).map(|data| respelt(&data.to_value()).into()),
        ..first.clone()
    };
    spelt.info = (first.info.as_ref()).map(|info| respelt(&info.to_value()));
    assert_eq!(known, fingerprint(&spelt));
    let content = first.content();
    let json = serde_json::to_string(&content).expect("a content can be written");
    let read: Content =
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    // Pixels that are kept for measuring are not written.
    assert_eq!(
        json,
        serde_json::to_string(&read).expect("a content can be written")
    );
}

fn nothing_declared() -> DesiredState {
    let most = GuardLimit::Count(u64::MAX);
    DesiredState {
        set: SetName::new("fuzz").expect("it is a set's name"),
        policy: Policy::Sync,
        owners: BTreeSet::from([Owner::Any]),
        guards: Guards {
            max_deletes: most,
            max_updates: most,
            ..Guards::default()
        },
        renamed: BTreeMap::new(),
        adopts: BTreeSet::new(),
        inputs: Vec::new(),
    }
}

fn context(state: &ObservedState) -> Context {
    Context {
        target: Target {
            endpoint: "http://localhost".into(),
            user_id: state.app_owner.to_string(),
            app_id: "app".into(),
        },
        manifest_hash: String::new(),
        rate_limit: 15,
        allowances: Allowances::default(),
        inventory: Inventory::default(),
        shard: None,
    }
}

/// A manifest without annotations deletes everything that it may delete, with a consistent plan.
fn is_deleted(state: &ObservedState) {
    let mut desired = nothing_declared();
    for input in state.inputs.keys() {
        desired.inputs.push(annosync::model::DesiredInput {
            id: input.clone(),
            annotations: Vec::new(),
            undeclared: annosync::model::Undeclared::Managed,
            origin: annosync::model::Origin::default(),
        });
    }
    if let Ok(plan) = plan::plan(&desired, state, &context(state)) {
        harmless(&render::text(&plan, &render::TextOptions::default()));
        let file = render::json(&plan);
        harmless(&file);
        let bodies = plan::bodies(&plan, state, &plan::Permit::Planned);
        let dues = bodies.into_iter().map(|it| Due::Sent(it.expect("it fits")));
        let preview = Preview {
            operations: dues.collect(),
            purges: vec![Due::Sent(None); plan.purges.len()],
        };
        let calls = apply::calls(&plan, &preview).expect("they can be sent");
        harmless(&render::calls(&plan.target, &calls));
        let read = plan::read(&file).unwrap_or_else(|error| panic!("{error}\n{file}"));
        let read = read.expect("it is a plan");
        assert_eq!(render::json(&read), file);
    }
}

/// Pulls the state. That the resulting manifest has an empty plan is checked inside `pull`.
fn is_pulled(state: &ObservedState) {
    let set = SetName::new("fuzz").expect("it is a set's name");
    let header = Header::new(set, Policy::Upsert);
    let read_back = |overlay: &Overlay| {
        let mut texts = Vec::new();
        let mut binaries = Vec::new();
        for (path, bytes) in overlay {
            let is_text = path
                .extension()
                .is_some_and(|it| it == "yaml" || it == "jsonl");
            match String::from_utf8(bytes.clone()) {
                Ok(text) if is_text => texts.push((path.clone(), text)),
                _ => binaries.push((path.clone(), bytes.clone())),
            }
        }
        parse_with(texts, binaries)
    };
    let choice = Choice {
        model_made: pull::ModelMade::Include,
        ..Choice::default()
    };
    for (path, form) in [("all.yaml", Form::OneFile), ("", Form::JsonLines)] {
        let path: PathBuf = Path::new(path).to_owned();
        let fresh = Fresh {
            header: &header,
            path: &path,
            form,
            shard: None,
            read_back: &read_back,
        };
        match pull::fresh(&fresh, state, &choice) {
            Ok(pulled) => {
                harmless(&render::pull_notes(
                    &pulled,
                    Path::new("labels"),
                    render::Losses::All,
                ));
            }
            Err(pull::PullError::DoesNotFit(problems)) => panic!("{problems}"),
            Err(error) => panic!("{error}"),
        }
    }
}

fn harmless(text: &str) {
    let harmful = text
        .chars()
        .find(|c| *c != '\n' && render::escape(c.encode_utf8(&mut [0; 4])) != c.to_string());
    assert_eq!(harmful, None, "{text:?}");
}

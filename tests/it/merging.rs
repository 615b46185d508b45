//! If no field was changed on both sides, the app after an apply, and the manifest after a pull, is the field-wise
//! merge. The merge here is independent of the project's.

use crate::drifting::against;
use crate::pull::{one_file, over, parsed, text};
use crate::support::{Remote, desired, plan};
use annosync::model::{Content, DesiredState, Geometry, InputId, SetName, Status, key_id};
use annosync::plan::{self, OnConflict, OnDrift};
use annosync::pull::Choice;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The values of an annotation's fields, by name. An absent field is not declared; an absent concept is not named,
/// because concepts are declared as a whole.
type Fields = BTreeMap<&'static str, u32>;

/// Four annotations by their keys.
type Side = Vec<Option<Fields>>;

const FIELDS: [&str; 6] = ["place", "car", "bus", "status", "meta.n", "meta.t"];
const STATUSES: [&str; 3] = ["success", "pending", "awaiting_review"];
const KEYS: usize = 4;

fn is_concept(field: &str) -> bool {
    matches!(field, "car" | "bus")
}

fn manifest(side: &Side) -> String {
    let items = side.iter().enumerate().filter_map(|(at, fields)| {
        let fields = fields.as_ref()?;
        let edge = |value: u32| f64::from(value + 1) / 100.0;
        let left = at as f64 / 10.0;
        let mut text = format!("      # annotation {at}\n      - key: k{at}\n");
        let place = fields["place"];
        writeln!(
            text,
            "        box: {{ top: {}, left: {left}, bottom: 0.9, right: {} }}",
            edge(place),
            left + 0.05
        )
        .unwrap();
        let named = ["car", "bus"].into_iter().filter_map(|concept| {
            let value = fields.get(concept)?;
            Some(format!(
                ", {concept}: {}",
                if *value == 0 { "0.5" } else { "1" }
            ))
        });
        writeln!(
            text,
            "        concepts: {{ obj: 1{} }}",
            named.collect::<String>()
        )
        .unwrap();
        if let Some(status) = fields.get("status") {
            let name = STATUSES[*status as usize];
            writeln!(text, "        status: {name}").unwrap();
        }
        let metadata: Vec<String> = [("meta.n", "n"), ("meta.t", "t")]
            .into_iter()
            .filter_map(|(field, key)| Some(format!("{key}: {}", fields.get(field)?)))
            .collect();
        if !metadata.is_empty() {
            writeln!(text, "        metadata: {{ {} }}", metadata.join(", ")).unwrap();
        }
        Some(text)
    });
    let items: String = items.collect();
    if items.is_empty() {
        return "  - id: a\n    annotations: []\n".to_owned();
    }
    format!("  - id: a\n    annotations:\n{items}")
}

fn fields_of(content: &Content) -> Fields {
    let mut fields = Fields::new();
    if let Some(Geometry::Box(edges)) = &content.geometry {
        fields.insert("place", (edges.edges()[0] * 100.0).round() as u32 - 1);
    }
    for concept in content.concepts.iter().flatten() {
        let name = match concept.id.as_str() {
            "car" => "car",
            "bus" => "bus",
            _ => continue,
        };
        fields.insert(name, u32::from(concept.value > 0.75));
    }
    if let Some(status) = content.status {
        let all = STATUSES.map(|name| Status::parse(name).ok());
        let at = all.iter().position(|it| *it == Some(status)).unwrap();
        fields.insert("status", at as u32);
    }
    let metadata = content
        .metadata
        .as_ref()
        .map_or(Value::Null, annosync::model::Json::to_value);
    for (field, key) in [("meta.n", "n"), ("meta.t", "t")] {
        if let Some(value) = metadata[key].as_u64() {
            fields.insert(field, value as u32);
        }
    }
    fields
}

/// The annotations in the app, by key.
fn app_side(remote: &Remote) -> Side {
    let set = SetName::new("street").unwrap();
    let input = InputId::new("a").unwrap();
    let state = remote.observed();
    let here = state.inputs.get(&input).cloned().unwrap_or_default();
    (0..KEYS)
        .map(|at| {
            let key = annosync::model::Key::new(format!("k{at}")).unwrap();
            let id = key_id(&set, &input, &key);
            let found = here.iter().find(|it| it.id == id)?;
            Some(fields_of(&found.content()))
        })
        .collect()
}

/// The declared annotations, by key.
fn declared_side(desired: &DesiredState) -> Side {
    let mut side = vec![None; KEYS];
    for annotation in desired.inputs.iter().flat_map(|input| &input.annotations) {
        if let annosync::model::Identity::Key(key) = &annotation.identity {
            let at: usize = key.as_str()[1..].parse().unwrap();
            side[at] = Some(fields_of(&annotation.content));
        }
    }
    side
}

/// The merge of one annotation; `None` if both sides changed the same field.
#[expect(
    clippy::option_option,
    reason = "an annotation may be gone, or in conflict"
)]
fn merged(
    base: Option<&Fields>,
    manifest: Option<&Fields>,
    app: Option<&Fields>,
) -> Option<Option<Fields>> {
    let as_declared = |declared: &Fields, app: &Fields| {
        FIELDS.iter().all(|field| {
            let is_managed = is_concept(field) || declared.contains_key(field);
            !is_managed || declared.get(field) == app.get(field)
        })
    };
    match (base, manifest, app) {
        (_, None, None) => Some(None),
        (None, Some(manifest), None) => Some(Some(with_defaults(manifest))),
        (Some(base), Some(manifest), None) => (base == manifest).then_some(None),
        (None, None, Some(app)) => Some(Some(app.clone())),
        (Some(base), None, Some(app)) => as_declared(base, app).then_some(None),
        (None, Some(manifest), Some(app)) => as_declared(manifest, app).then(|| Some(app.clone())),
        (Some(base), Some(manifest), Some(app)) => {
            let mut all = Fields::new();
            for field in FIELDS {
                let (was, wanted, has) = (base.get(field), manifest.get(field), app.get(field));
                let is_managed = |side: Option<&u32>| is_concept(field) || side.is_some();
                let value = match () {
                    () if !is_managed(wanted) || wanted == has => has,
                    () if !is_managed(was) || was == has => wanted,
                    () if was == wanted => has,
                    () => return None,
                };
                all.extend(value.map(|value| (field, *value)));
            }
            Some(Some(all))
        }
    }
}

/// A new annotation always has a status.
fn with_defaults(declared: &Fields) -> Fields {
    let mut fields = declared.clone();
    fields.entry("status").or_insert(0);
    fields
}

/// Whether both sides replaced one concept, each by another one: a conflict.
fn is_relabelled_twice(base: &Fields, manifest: &Fields, app: &Fields) -> bool {
    let ids = |side: &Fields| -> BTreeSet<&str> {
        side.keys().copied().filter(|it| is_concept(it)).collect()
    };
    let (was, wanted, has) = (ids(base), ids(manifest), ids(app));
    let relabels = !(&was - &wanted).is_empty() && !(&wanted - &was).is_empty();
    relabels
        && (was != has
            || base
                .iter()
                .any(|(field, value)| is_concept(field) && app.get(field) != Some(value)))
}

fn fields() -> impl Strategy<Value = Fields> {
    (
        0..4_u32,
        proptest::option::of(0..2_u32),
        proptest::option::of(0..2_u32),
        proptest::option::of(0..3_u32),
        proptest::option::of(0..3_u32),
        proptest::option::of(0..3_u32),
    )
        .prop_map(|(place, car, bus, status, n, t)| {
            let all = [
                ("place", Some(place)),
                ("car", car),
                ("bus", bus),
                ("status", status),
                ("meta.n", n),
                ("meta.t", t),
            ];
            all.into_iter()
                .filter_map(|(field, value)| Some((field, value?)))
                .collect()
        })
}

/// Edits one side; usually one or two fields of an annotation change.
fn changed(base: &Side, edits: &[(u8, u8, Option<Fields>)]) -> Side {
    (base.iter().zip(edits))
        .map(|(base, (kind, mask, other))| match kind {
            0 => other.clone(),
            1 => None,
            _ => {
                let mut fields = base.clone()?;
                for (at, field) in FIELDS.into_iter().enumerate() {
                    if mask & (1 << at) == 0 {
                        continue;
                    }
                    match other.as_ref().and_then(|other| other.get(field)) {
                        Some(value) => fields.insert(field, *value),
                        None if field == "place" => None,
                        None => fields.remove(field),
                    };
                }
                Some(fields)
            }
        })
        .collect()
}

fn edits() -> impl Strategy<Value = Vec<(u8, u8, Option<Fields>)>> {
    let mask = prop_oneof![Just(0), (0..6_u8).prop_map(|at| 1 << at), 0..64_u8];
    proptest::collection::vec((0..10_u8, mask, proptest::option::of(fields())), KEYS)
}

fn sides() -> impl Strategy<Value = [Side; 3]> {
    let base = proptest::collection::vec(proptest::option::weighted(0.8, fields()), KEYS);
    (base, edits(), edits()).prop_map(|(base, here, there)| {
        let (manifest, app) = (changed(&base, &here), changed(&base, &there));
        [base, manifest, app]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn without_conflicts_the_result_is_the_field_wise_merge([base, declared, edited] in sides()) {
        let mut remote = Remote::default();
        remote.apply(&plan(&desired(&manifest(&edited)), &remote.observed()));
        let app = app_side(&remote);
        let (before, now) = (desired(&manifest(&base)), desired(&manifest(&declared)));
        let made = against(&before, &now, &remote.observed(), (OnDrift::Keep, OnConflict::Leave));
        let conflicting: BTreeSet<usize> = made.drift.iter().filter(|it| it.conflict)
            .map(|it| it.key.as_ref().unwrap().as_str()[1..].parse().unwrap()).collect();

        // A conflict is reported exactly for the fields that both sides changed.
        let expected: Vec<_> = (0..KEYS).map(|at| merged(base[at].as_ref(), declared[at].as_ref(), app[at].as_ref())).collect();
        for at in 0..KEYS {
            let is_twice = matches!((&base[at], &declared[at], &app[at]), (Some(base), Some(declared), Some(app))
                if is_relabelled_twice(base, declared, app));
            let is_expected = expected[at].is_none();
            prop_assert!(conflicting.contains(&at) || !is_expected, "no conflict at {at}: {:#?}", made.drift);
            prop_assert!(!conflicting.contains(&at) || is_expected || is_twice, "a conflict at {at}: {:#?}", made.drift);
        }

        // After an apply the app equals the merge, and the plan is empty.
        let before_apply = remote.clone();
        remote.apply(&made);
        let after = app_side(&remote);
        for at in (0..KEYS).filter(|at| !conflicting.contains(at)) {
            prop_assert_eq!(&Some(after[at].clone()), &expected[at], "annotation {}", at);
        }
        let again = against(&before, &now, &remote.observed(), (OnDrift::Keep, OnConflict::Leave));
        prop_assert!(again.is_empty(), "{:#?}", again.operations);

        // After a pull the manifest equals the merge in the fields that it declares; in conflicts it keeps its own values.
        let mut files = one_file(&manifest(&declared));
        let had = text(&files, "m.yaml");
        let (state, changes) = plan::merged_state(&before, &now, &before_apply.observed(), OnConflict::Leave).unwrap();
        over(&mut files, &state, &Choice::default()).unwrap();
        let pulled = parsed(&files).unwrap().desired;
        let says = declared_side(&pulled);
        for at in 0..KEYS {
            let Some(wanted) = &declared[at] else { continue };
            let Some(merge) = expected[at].as_ref().filter(|_| !conflicting.contains(&at)) else {
                // Conflicting fields are kept; fields that only the app changed are pulled.
                prop_assert!(says[at].is_some());
                continue;
            };
            let merge = merge.as_ref().map(|merge| {
                let is_declared = |field: &&str| is_concept(field) || wanted.contains_key(field);
                merge.iter().filter(|(field, _)| is_declared(field)).map(|(field, value)| (*field, *value)).collect::<Fields>()
            });
            prop_assert_eq!(&says[at], &merge, "annotation {}:\n{}", at, text(&files, "m.yaml"));
        }
        if changes.is_empty() {
            prop_assert_eq!(&text(&files, "m.yaml"), &had);
        }
        // Pulled changes are not drift any more.
        let again = against(&before, &pulled, &before_apply.observed(), (OnDrift::Keep, OnConflict::Leave));
        prop_assert!(again.drift.iter().all(|it| it.conflict || it.fields.iter().any(|it| it.manifest.is_none())), "{:#?}", again.drift);
    }
}

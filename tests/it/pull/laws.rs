//! Pulls of generated apps.

use super::{FORMS, assert_empty_plan, base64_png, fresh, over, parsed, set, shown};
use crate::support::{ME, context, observed};
use annosync::manifest::Overlay;
use annosync::model::{Policy, UserId, set_prefix};
use annosync::plan;
use annosync::pull::{Change, Choice, Form, Layout, ModelMade, PullError};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Texts that a YAML parser may read as another type or as syntax.
const HOSTILE: [&str; 24] = [
    "no",
    "1_000",
    ": x",
    "- a",
    "#",
    "a #b",
    "日本",
    "it's",
    "say \"x\"",
    "{a}",
    "[a]",
    "null",
    "~",
    "2026-01-01",
    "&a",
    "*a",
    "!a",
    "a: b",
    "1e3",
    "%",
    "CON",
    "../up",
    "..",
    "0x1f",
];

/// Choices for an observed annotation, from small sets, so that annotations often collide.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    input: usize,
    name: usize,
    place: usize,
    concepts: usize,
    maker: usize,
    words: usize,
    extra: usize,
}

fn seen() -> impl Strategy<Value = Seen> {
    (
        0_usize..6,
        0_usize..40,
        0_usize..22,
        0_usize..6,
        0_usize..9,
        0..HOSTILE.len(),
        0_usize..12,
    )
        .prop_map(|(input, name, place, concepts, maker, words, extra)| Seen {
            input,
            name,
            place,
            concepts,
            maker,
            words,
            extra,
        })
}

pub(super) fn world() -> impl Strategy<Value = Vec<Seen>> {
    proptest::collection::vec(seen(), 0..14)
}

/// Sets the place of an annotation. Many places are equal.
fn place(data: &mut Value, at: usize, which: usize, concepts: &Value, word: &str) {
    let shift = (which % 3) as f64 * 0.004;
    let edges = json!({"bounding_box": {"top_row": 0.1 + shift, "left_col": 0.100_000_001_490_116_12, "bottom_row": 0.5, "right_col": 1.0 / 3.0}});
    let ring = json!({"polygon": {"points": [{"row": 0.3, "col": 0.1}, {"row": 0.1, "col": 0.1}, {"col": 0.3}]}});
    let info = match which {
        0..=2 => {
            data["concepts"] = concepts.clone();
            return;
        }
        9 | 10 => ring,
        11 => json!({"point": {"row": 0.5, "col": 0.25}}),
        12 => {
            json!({"keypoint_locations": [{"row": 0.5, "col": 0.25, "visibility": 1}, {"row": 0.1}]})
        }
        13 => json!({"span": {"char_start": 1, "char_end": 4, "raw_text": word}}),
        14 => json!({"token": {"char_start": 1}}),
        15 => mask(at),
        16 => Value::Null,
        17 => {
            data["time_segments"] = json!([{"id": "s", "time_info": {"begin_time": 1.5, "end_time": 2.25}, "data": {"concepts": concepts}}]);
            return;
        }
        18 => {
            // Two regions are more than one annotation can say.
            data["regions"] =
                json!([{"id": "x", "region_info": edges}, {"id": "y", "region_info": ring}]);
            return;
        }
        19 => {
            data["frames"] = json!([{"id": "f", "frame_info": {"time": "1500", "number": 45}, "data": {"concepts": concepts}}]);
            return;
        }
        _ => edges.clone(),
    };
    let mut region = json!({"id": format!("region-{at}"), "data": {"concepts": concepts}});
    if !info.is_null() {
        region["region_info"] = info;
    }
    match which {
        20 => {
            data["frames"] = json!([{"id": "f", "frame_info": {"time": "40", "number": 1}, "data": {"regions": [region]}}]);
        }
        21 => {
            region["track_id"] = json!(word);
            region["value"] = json!(0.9);
            data["regions"] = json!([region]);
        }
        _ => data["regions"] = json!([region]),
    }
}

/// A mask with one of three images, or at a URL that a manifest can or cannot declare.
fn mask(at: usize) -> Value {
    let image = match at % 5 {
        0 => json!({"url": "https://example.com/m.png"}),
        1 => json!({"url": "bucket/m.png"}),
        shade => json!({"base64": base64_png(shade as u8), "url": "https://example.com/n.png"}),
    };
    json!({"mask": {"image": image}})
}

fn annotation(at: usize, seen: &Seen) -> Value {
    let word = HOSTILE[seen.words];
    let concept = |id: &str, value: f64| json!({"id": id, "name": id, "value": value});
    let concepts = match seen.concepts {
        0 => json!([]),
        1 => json!([concept("car", 1.0)]),
        2 => json!([concept("car", 1.0), concept("bus", 0.0)]),
        3 => json!([concept(word, 0.1)]),
        4 => json!([concept(word, 1.0), concept("car", 0.333_333_343_267_440_8)]),
        _ => json!([concept(word, 1.0)]),
    };
    let input = ["in-1", "in-1", "in-2", "in-2", word, "In-1"][seen.input];
    let id = match seen.maker {
        0..=2 => format!("{}{at:020x}", set_prefix(&set())),
        3 => format!("as-00000000-{at:020x}"),
        _ if seen.name < HOSTILE.len() => format!("{}{at}", HOSTILE[seen.name]),
        _ => format!("{at:032x}"),
    };
    let mut data = json!({});
    place(&mut data, at, seen.place, &concepts, word);
    match seen.extra {
        1 => {
            data["metadata"] =
                json!({"n": 1.0, word: [word, {"deep": {word: true}}], "long": "x y ".repeat(60)});
        }
        2 => {
            data["metadata"] = json!({"lines": "a\nb: c\n# d\n", "tab": "\t", "nul": null, "mixed": [null, 1], "": ""});
        }
        3 => data["text"] = json!({"raw": format!("{word}\n{word}")}),
        4 => data["geo"] = json!({"unmodelled": [1, 2]}),
        5 => {
            data["metadata"] = json!({"big": 18_446_744_073_709_551_615_u64, "tiny": 1e-300, "minus": -0.0, "nested": {}});
        }
        _ => {}
    }
    let mut annotation = json!({
        "id": id, "input_id": input, "data": data, "user_id": ME, "status": {"code": 24150},
        "created_at": format!("2026-01-01T00:00:0{}Z", at % 3),
    });
    match seen.extra {
        6 => annotation["status"] = json!({"code": 24151}),
        7 => annotation["annotation_info"] = json!({word: word, "no": "no"}),
        8 => annotation["user_id"] = json!(word),
        9 => annotation["user_id"] = json!(""),
        10 => annotation["status"] = json!({"code": 24199}),
        11 => annotation["embed_model_version_id"] = json!(word),
        _ => {}
    }
    match seen.maker {
        4 => annotation["model_version_id"] = json!("v1"),
        5 => annotation["user_id"] = json!("somebody"),
        6 => annotation["input_level"] = json!(true),
        _ => {}
    }
    annotation
}

pub(super) fn listing(seen: &[Seen]) -> Vec<Value> {
    seen.iter()
        .enumerate()
        .map(|(at, seen)| annotation(at, seen))
        .collect()
}

const POLICIES: [Policy; 3] = [Policy::Sync, Policy::Upsert, Policy::Create];

proptest! {
    #[test]
    fn a_plan_after_a_pull_is_empty_and_pulling_again_changes_no_byte(
        seen in world(), form in 0..FORMS.len(), policy in 0..POLICIES.len(), models in any::<bool>(),
    ) {
        let state = observed(&listing(&seen));
        let choice = Choice {
            model_made: if models { ModelMade::Include } else { ModelMade::LeaveOut },
            ..Choice::default()
        };
        let mut files = fresh(POLICIES[policy], FORMS[form], &state, &choice).unwrap();
        assert_empty_plan(&files, &state);
        let again = over(&mut files, &state, &choice).unwrap();
        prop_assert!(again.files.is_empty(), "{:?}", again.files.iter().map(ToString::to_string).collect::<Vec<_>>());
        prop_assert_eq!(fresh(POLICIES[policy], FORMS[form], &state, &choice).unwrap(), files);
    }

    #[test]
    fn a_plan_after_a_pull_into_an_existing_manifest_is_empty(
        before in world(), after in world(), kept in any::<u32>(), form in 0..FORMS.len(),
    ) {
        let mut files = fresh(Policy::Sync, FORMS[form], &observed(&listing(&before)), &Choice::default()).unwrap();
        // Some annotations stay, others are deleted, changed or new.
        let mut listed = listing(&after);
        for (at, annotation) in listing(&before).into_iter().enumerate() {
            if kept & (1 << at) != 0 {
                listed.retain(|it| it["id"] != annotation["id"] || it["input_id"] != annotation["input_id"]);
                listed.push(annotation);
            }
        }
        let state = observed(&listed);
        let pulled = over(&mut files, &state, &Choice::default()).unwrap();
        for file in &pulled.files {
            let is_rewritten = matches!(file.change, Change::Changed { layout: Layout::Rewritten, .. });
            prop_assert!(!is_rewritten, "{file}\n{}", shown(&files));
        }
        assert_empty_plan(&files, &state);
        prop_assert!(over(&mut files, &state, &Choice::default()).unwrap().files.is_empty());
    }

    #[test]
    fn filtered_annotations_are_neither_deleted_nor_changed(
        before in world(), after in world(), filter in 0_usize..4, policy in 0..2_usize,
    ) {
        let choice = Choice {
            users: (filter == 0).then(|| UserId::new("me").unwrap()).into_iter().collect(),
            statuses: (filter == 1).then_some(annosync::model::Status::PENDING).into_iter().collect(),
            concepts: (filter == 2).then(|| annosync::model::ConceptId::new("car").unwrap()).into_iter().collect(),
            model_made: if filter == 3 { ModelMade::Only } else { ModelMade::LeaveOut },
            ..Choice::default()
        };
        let first = observed(&listing(&before));
        let state = observed(&listing(&after));
        let mut files = fresh([Policy::Sync, Policy::Upsert][policy], Form::OneFile, &first, &Choice::default()).unwrap();
        let deletes = |files: &Overlay| {
            let desired = parsed(files).unwrap().desired;
            // An input whose input-level annotation is missing cannot be planned.
            let plan = plan::plan(&desired, &state, &context()).ok()?;
            Some(plan.operations.iter().filter(|it| it.action() == plan::Action::Delete).count())
        };
        let before = deletes(&files);
        match over(&mut files, &state, &choice) {
            Ok(_) => prop_assert!(before.is_none_or(|before| deletes(&files).unwrap() <= before)),
            // An input that could not be planned before, and is filtered, still cannot be planned.
            Err(PullError::NotPlannable { .. }) => prop_assert!(before.is_none()),
            Err(error) => prop_assert!(matches!(error, PullError::WouldDelete { .. }) && policy == 0, "{error}"),
        }
    }
}

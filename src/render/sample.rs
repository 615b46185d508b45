//! Plans made by hand, for the tests of this room.

use crate::model::{
    AnnotationId, BoundingBox, Concept, ConceptId, Concepts, Content, Geometry, InputId, Json, Key,
    Overlap, Point, Policy, Polygon, SetName, Status, UserId,
};
use crate::plan::{
    Action, FORMAT_VERSION, Matched, MatchedBy, Operation, Plan, Purge, PurgedAnnotation, Purpose,
    Reason, Summary, Target,
};

pub(super) fn concepts(ids: &[&str]) -> Concepts {
    let concept = |id: &&str| Concept {
        id: ConceptId::new(*id).unwrap(),
        value: 1.0,
    };
    Concepts::new(ids.iter().map(concept).collect()).unwrap()
}

pub(super) fn a_box(bottom: f64) -> Geometry {
    Geometry::Box(BoundingBox::new(0.1, 0.2, bottom, 0.6).unwrap())
}

pub(super) fn polygon(points: &[(f64, f64)]) -> Geometry {
    let points: Vec<Point> = points
        .iter()
        .map(|&(row, col)| Point::new(row, col).unwrap())
        .collect();
    Geometry::Polygon(Polygon::new(points).unwrap())
}

fn content(bottom: f64, ids: &[&str]) -> Content {
    Content {
        geometry: Some(a_box(bottom)),
        concepts: Some(concepts(ids)),
        ..Content::default()
    }
}

fn operation(action: Action, input: &str, id: &str, reason: Reason) -> Operation {
    Operation {
        action,
        input_id: InputId::new(input).unwrap(),
        id: AnnotationId::new(id).unwrap(),
        key: None,
        reason,
        cause: None,
        seen: None,
        matched: None,
        before: None,
        after: None,
        fingerprint: None,
        body: None,
    }
}

/// A box of a server's making that goes, with all its fields.
pub(super) fn deleted(input: &str) -> Operation {
    let mut gone = operation(
        Action::Delete,
        input,
        "300b8e39a65e4f33ae4e15e86eaf4a3b",
        Reason::NotDeclared,
    );
    gone.before = Some(Content {
        status: Some(Status::SUCCESS),
        user: Some(UserId::new("me").unwrap()),
        metadata: Some(Json::new(r#"{"weather": "rain"}"#).unwrap()),
        ..content(0.5, &["car"])
    });
    gone
}

/// A box with a key that moved.
pub(super) fn moved() -> Operation {
    let mut moved = operation(
        Action::Overwrite,
        "street-1",
        "as-0a1b2c3d-00112233445566778899",
        Reason::Differs,
    );
    moved.key = Some(Key::new("red-car").unwrap());
    moved.matched = Some(Matched::by_name(MatchedBy::Key));
    moved.before = Some(content(0.5, &["car"]));
    moved.after = Some(content(0.75, &["car"]));
    moved
}

/// A box without a key that moved, and might be another one.
pub(super) fn ambiguous() -> Operation {
    let mut moved = moved();
    moved.key = None;
    moved.matched = Some(Matched {
        measure: crate::model::Measure::Iou,
        by: MatchedBy::Moved,
        overlap: Some(Overlap::from_fraction(0.61)),
        runner_up: Some(Overlap::from_fraction(0.6)),
        ambiguous: true,
    });
    moved
}

/// A box that gets another concept.
pub(super) fn relabelled() -> Operation {
    let mut relabelled = operation(
        Action::Merge,
        "street-2",
        "as-0a1b2c3d-99887766554433221100",
        Reason::Differs,
    );
    relabelled.matched = Some(Matched::by_name(MatchedBy::Relabelled));
    relabelled.before = Some(content(0.5, &["car"]));
    relabelled.after = Some(content(0.5, &["car", "taxi"]));
    relabelled.body = Some(Json::new(r#"{"id": "x"}"#).unwrap());
    relabelled
}

/// A box that is made.
pub(super) fn posted(input: &str, number: u32) -> Operation {
    let mut posted = operation(
        Action::Post,
        input,
        &format!("as-0a1b2c3d-{number:08x}000000000000"),
        Reason::NotOnRemote,
    );
    posted.after = Some(content(0.5, &["person"]));
    posted
}

/// An input that is emptied of boxes that these made: users, `model`, or `nobody`.
pub(super) fn purge(input: &str, makers: &[&str]) -> Purge {
    let gone = |(at, maker): (usize, &&str)| PurgedAnnotation {
        id: AnnotationId::new(format!("gone-{at}")).unwrap(),
        user: (!["model", "nobody"].contains(maker)).then(|| UserId::new(*maker).unwrap()),
        model_version: (*maker == "model").then(|| "v1".to_owned()),
        modified_at: None,
        fingerprint: serde_json::from_str(&format!("\"{at:032x}\"")).unwrap(),
        before: content(0.5, &["car"]),
    };
    Purge {
        input_id: InputId::new(input).unwrap(),
        cause: None,
        annotations: makers.iter().enumerate().map(gone).collect(),
    }
}

/// A plan of these operations, sorted and counted as planning does.
pub(super) fn plan(mut operations: Vec<Operation>) -> Plan {
    operations.sort_by(|a, b| (&a.input_id, a.action, &a.id).cmp(&(&b.input_id, b.action, &b.id)));
    let count = |action| operations.iter().filter(|o| o.action == action).count() as u64;
    let summary = Summary {
        post: count(Action::Post),
        merge: count(Action::Merge),
        overwrite: count(Action::Overwrite),
        remove: count(Action::Remove),
        replace: count(Action::Replace),
        delete: count(Action::Delete),
        unchanged: 1_815,
        unmanaged: 7,
        calls: 5,
        lower_bound: 5,
        rate_limit: 15,
        ..Summary::default()
    };
    Plan {
        purges: Vec::new(),
        format_version: FORMAT_VERSION.to_owned(),
        tool_version: "0.1.0".to_owned(),
        purpose: Purpose::Manifest,
        target: Target {
            endpoint: "https://api.clarifai.com".to_owned(),
            user_id: "acme".to_owned(),
            app_id: "street".to_owned(),
        },
        set: SetName::new("street").unwrap(),
        policy: Policy::Sync,
        caller: UserId::new("me").unwrap(),
        manifest_hash: "0".repeat(64),
        base: None,
        summary,
        guards: Vec::new(),
        blind_spots: Vec::new(),
        operations,
        kept: Vec::new(),
        batches: Vec::new(),
    }
}

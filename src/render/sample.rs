//! Plans for the tests of this module.

use crate::model::{
    AnnotationId, BoundingBox, Concept, ConceptId, Concepts, Content, Geometry, InputId, Json, Key,
    Measure, Overlap, Point, Policy, Polygon, RareFields, SetName, Status, UserId, key_id,
};
use crate::plan::{
    Action, ActionCounts, AppChange, AppChangeKind, Base, Cause, Change, ClassCount, Decision,
    DeleteReason, Edit, FORMAT_VERSION, FieldChange, Matched, MatchedBy, Move, Moves, Observed,
    Operation, OthersWork, Plan, Purge, PurgedAnnotation, Purpose, Relabelled, Seen, Summary,
    Target,
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

fn operation(input: &str, id: &str, change: Change) -> Operation {
    Operation {
        input_id: InputId::new(input).unwrap(),
        id: AnnotationId::new(id).unwrap(),
        key: None,
        cause: None,
        needs: None,
        bytes: 0,
        change,
    }
}

fn observed(content: Content) -> Observed {
    Observed {
        content,
        seen: Seen::default(),
        fingerprint: serde_json::from_str(&format!("\"{:032x}\"", 0)).unwrap(),
    }
}

fn edit(before: Content, after: Content, by: MatchedBy) -> Box<Edit> {
    Box::new(Edit {
        observed: observed(before),
        after,
        matched: Matched::without_measure(by),
    })
}

/// The change of a merge, removal, overwrite or replacement.
pub(super) fn edit_of(operation: &mut Operation) -> &mut Edit {
    match &mut operation.change {
        Change::Merge(edit)
        | Change::Remove(edit)
        | Change::Overwrite(edit)
        | Change::Replace(edit) => edit,
        other => panic!("{other:?} is not an edit"),
    }
}

/// The annotation that an edit or a delete is about.
pub(super) fn observed_of(operation: &mut Operation) -> &mut Observed {
    if operation.action() != Action::Delete {
        return &mut edit_of(operation).observed;
    }
    match &mut operation.change {
        Change::Delete { observed, .. } => observed,
        other => panic!("{other:?} is not a delete"),
    }
}

/// The overwrite of [`moved`] as a replacement.
pub(super) fn replaced() -> Operation {
    let mut replaced = moved();
    replaced.change = Change::Replace(Box::new(edit_of(&mut replaced).clone()));
    replaced
}

/// What a post creates.
pub(super) fn posted_content(operation: &mut Operation) -> &mut Content {
    match &mut operation.change {
        Change::Post { after, .. } => after,
        other => panic!("{other:?} is not a post"),
    }
}

/// A delete of a box with an id of the server, with all fields.
pub(super) fn deleted(input: &str) -> Operation {
    let content = Content {
        rare: RareFields {
            status: Some(Status::SUCCESS),
            user: Some(UserId::new("me").unwrap()),
            metadata: Some(Json::new(r#"{"weather": "rain"}"#).unwrap()),
            ..RareFields::default()
        }
        .into(),
        ..content(0.5, &["car"])
    };
    let change = Change::Delete {
        observed: Box::new(observed(content)),
        reason: DeleteReason::NotDeclared,
    };
    operation(input, "300b8e39a65e4f33ae4e15e86eaf4a3b", change)
}

/// A move of a box with a key.
pub(super) fn moved() -> Operation {
    let (before, after) = (content(0.5, &["car"]), content(0.75, &["car"]));
    let change = Change::Overwrite(edit(before, after, MatchedBy::Key));
    let mut moved = operation("street-1", "replaced-below", change);
    let key = Key::new("red-car").unwrap();
    moved.id = key_id(&SetName::new("street").unwrap(), &moved.input_id, &key);
    moved.key = Some(key);
    moved
}

/// A move of a box without a key, ambiguously matched.
pub(super) fn ambiguous() -> Operation {
    let mut moved = moved();
    moved.key = None;
    moved.id = AnnotationId::new("as-0a1b2c3d-00112233445566778899").unwrap();
    edit_of(&mut moved).matched = Matched {
        measure: crate::model::Measure::Iou,
        by: MatchedBy::Moved,
        overlap: Some(Overlap::from_fraction(0.61)),
        runner_up: Some(Overlap::from_fraction(0.6)),
        ambiguous: true,
        turn: None,
    };
    moved
}

/// A box with an added concept.
pub(super) fn relabelled() -> Operation {
    let (before, after) = (content(0.5, &["car"]), content(0.5, &["car", "taxi"]));
    let change = Change::Merge(edit(before, after, MatchedBy::Relabelled));
    Operation {
        bytes: 12,
        ..operation("street-2", "as-0a1b2c3d-99887766554433221100", change)
    }
}

/// A post of a box.
pub(super) fn posted(input: &str, number: u32) -> Operation {
    let change = Change::Post {
        after: content(0.5, &["person"]),
        double: None,
    };
    operation(
        input,
        &format!("as-0a1b2c3d-{number:08x}000000000000"),
        change,
    )
}

/// A purge of an input with one box per maker: a user, `model`, or `nobody`.
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
        needs: None,
        annotations: makers.iter().enumerate().map(gone).collect(),
    }
}

/// A plan of these operations, sorted and counted.
pub(super) fn plan(mut operations: Vec<Operation>) -> Plan {
    operations
        .sort_by(|a, b| (&a.input_id, a.action(), &a.id).cmp(&(&b.input_id, b.action(), &b.id)));
    let mut actions = ActionCounts::default();
    for operation in &operations {
        actions.add(operation.action());
    }
    let summary = Summary {
        actions,
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
        app_owner: UserId::new("me").unwrap(),
        owners: vec![UserId::new("me").unwrap()],
        adopts: Vec::new(),
        manifest_hash: "0".repeat(64),
        base: None,
        shard: None,
        whole: None,
        summary,
        guards: Vec::new(),
        passed_guards: Vec::new(),
        blind_spots: Vec::new(),
        inputs: Vec::new(),
        deleted_inputs: Vec::new(),
        operations,
        masks: std::collections::BTreeMap::new(),
        drift: Vec::new(),
        batches: Vec::new(),
    }
}

/// The operation with a cause, and with the user of the annotation.
pub(super) fn caused(mut operation: Operation, cause: Cause, user: Option<&str>) -> Operation {
    operation.cause = Some(cause);
    if operation.action() != Action::Post {
        observed_of(&mut operation).seen = Seen {
            user: user.map(|user| UserId::new(user).unwrap()),
            modified_at: Some("2026-05-02T10:11:12Z".into()),
        };
    }
    operation
}

/// A change in the app to the annotation of an operation.
pub(super) fn app_change(
    of: &Operation,
    kind: AppChangeKind,
    user: Option<&str>,
    fields: Vec<FieldChange>,
) -> AppChange {
    let conflict = fields.iter().any(|field| field.conflict);
    AppChange {
        kind,
        input_id: of.input_id.clone(),
        id: of.id.clone(),
        key: of.key.clone(),
        seen: (kind != AppChangeKind::Deleted).then(|| Seen {
            user: user.map(|user| UserId::new(user).unwrap()),
            modified_at: Some("2026-05-02T10:11:12Z".into()),
        }),
        content: of.before().or(of.after()).unwrap().clone(),
        fields,
        conflict,
        decision: if conflict {
            Decision::Undecided
        } else {
            Decision::Kept
        },
    }
}

/// A changed field with its values in base, manifest and app.
pub(super) fn field(name: &str, [base, manifest, app]: [&str; 3], conflict: bool) -> FieldChange {
    let value = |text: &str| serde_json::from_str(text).ok();
    FieldChange {
        field: name.to_owned(),
        base: value(base),
        manifest: value(manifest),
        app: value(app),
        conflict,
    }
}

/// The plan with the base `main`; what it reverts is added to its drift, which is counted.
pub(super) fn against_main(mut plan: Plan) -> Plan {
    let reverted = plan
        .operations
        .iter()
        .filter(|it| it.cause.is_some_and(Cause::reverts));
    let reverted: Vec<AppChange> = reverted
        .map(|it| AppChange {
            conflict: it.cause == Some(Cause::Conflict),
            decision: Decision::Reverted,
            ..app_change(it, AppChangeKind::Changed, None, Vec::new())
        })
        .collect();
    plan.drift.extend(reverted);
    plan.summary.count_drift(&plan.drift);
    plan.base = Some(Base {
        revision: "main".to_owned(),
        commit: "1a2b3c4d5e6f".to_owned(),
        manifest_hash: "1".repeat(64),
    });
    plan
}

pub(super) fn class(concept: &str, before: u64, after: u64) -> ClassCount {
    ClassCount {
        concept: ConceptId::new(concept).unwrap(),
        before,
        after,
    }
}

pub(super) fn pair(from: &[&str], to: &[&str], count: u64) -> Relabelled {
    let ids = |names: &[&str]| {
        let ids = names.iter().map(|name| ConceptId::new(*name).unwrap());
        ids.collect()
    };
    Relabelled {
        from: ids(from),
        to: ids(to),
        count,
    }
}

pub(super) fn work(user: Option<&str>, changed: u64, deleted: u64) -> OthersWork {
    OthersWork {
        user: user.map(|user| UserId::new(user).unwrap()),
        changed,
        deleted,
    }
}

/// Moves with an IoU in hundredths, and moves that cannot be measured.
pub(super) fn moves(hundredths: &[u32], unmeasured: u64) -> Moves {
    let mut moves = Moves {
        unmeasured,
        ..Moves::default()
    };
    for (at, hundredth) in hundredths.iter().enumerate() {
        moves.histogram[(hundredth / 10).min(9) as usize] += 1;
        if at < 10 {
            moves.largest.push(Move {
                input_id: InputId::new(format!("in-{at}")).unwrap(),
                id: AnnotationId::new(format!("id-{at}")).unwrap(),
                key: (at == 1).then(|| Key::new("red-car").unwrap()),
                measure: if at == 2 {
                    Measure::Distance
                } else {
                    Measure::Iou
                },
                overlap: Overlap::from_millionths(hundredth * 10_000),
                distance: None,
            });
        }
    }
    moves
}

/// A summary that fills every section, several with many rows.
pub(super) fn eventful() -> Summary {
    Summary {
        actions: ActionCounts {
            post: 5,
            overwrite: 1_204,
            delete: 9,
            ..ActionCounts::default()
        },
        unchanged: 1_815,
        unmanaged: 7,
        calls: 12,
        lower_bound: 11,
        rate_limit: 15,
        others: vec![
            work(None, 2, 0),
            work(Some("ann"), 0, 1),
            work(Some("bea"), 1_200, 8),
            work(Some("cleo"), 2, 0),
        ],
        emptied: (10..22)
            .map(|n| InputId::new(format!("in-{n}")).unwrap())
            .collect(),
        classes: vec![
            class("car", 2_000, 796),
            class("person", 0, 5),
            class("taxi", 3, 1_207),
            class("tree", 9, 0),
        ],
        relabelled: vec![
            pair(&["car"], &["taxi"], 1_203),
            pair(&["car"], &["a", "b", "c", "d", "e", "f", "g"], 1),
            pair(&["lorry", "van"], &["truck"], 1),
            pair(&["x"], &["y"], 1),
        ],
        moved: moves(&[31, 52, 55, 61, 72, 73, 74, 75, 76, 77, 99, 99], 2),
        ..Summary::default()
    }
}

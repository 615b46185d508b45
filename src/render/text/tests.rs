use super::*;
use crate::model::{AnnotationId, Content, InputId, Json, Policy, RareFields, Status};
use crate::plan::{ActionCounts, Change, HeldBack, Matched, MatchedBy, Summary, TrippedGuard};
use crate::render::Color;
use crate::render::sample::{
    ambiguous, concepts, deleted, edit_of, moved, observed_of, plan, polygon, posted,
    posted_content, relabelled, replaced,
};

fn shown(plan: &Plan) -> String {
    shown_in(plan, Detail::default())
}

fn shown_in(plan: &Plan, detail: Detail) -> String {
    let options = TextOptions {
        detail,
        ..TextOptions::default()
    };
    text(plan, &options)
}

#[test]
fn changes_are_grouped_by_input_with_destructive_ones_first() {
    // By name alone, street-1 (an overwrite) would come before street-9 (a delete).
    let operations = vec![
        posted("street-0", 1),
        moved(),
        relabelled(),
        posted("street-9", 2),
        deleted("street-9"),
    ];
    insta::assert_snapshot!(shown(&plan(operations)), @r"
    Label set street on acme/street at https://api.clarifai.com, policy sync: 2 to post, 1 to merge, 1 to overwrite, 1 to delete.
    App: https://clarifai.com/acme/street

    street-9
      - delete box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b: top, 16 % of the image; by me (not declared)
      + post box [person] as-…-00000002…: top, 16 % of the image

    street-1
      ~ overwrite box [car] red-car: centre, 26 % of the image; IoU 0.61 (matched: key)

    street-0
      + post box [person] as-…-00000001…: top, 16 % of the image

    street-2
      ~ merge box [car -> car, taxi] as-…-99887766…: top, 16 % of the image (matched: same place, other concepts)

    Plan: 2 to post, 1 to merge, 1 to overwrite, 1 to delete; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
    ");
}

#[test]
fn a_replacement_shows_its_difference() {
    let mut replaced = replaced();
    let edit = edit_of(&mut replaced);
    let user = |name: &str| Some(crate::model::UserId::new(name).unwrap());
    let before = &mut edit.observed.content.rare;
    before.change(|rare| rare.user = user("ann"));
    edit.after.rare.change(|rare| rare.user = user("bob"));
    edit.after
        .geometry
        .clone_from(&edit.observed.content.geometry);
    insta::assert_snapshot!(shown(&plan(vec![replaced])), @r"
    Label set street on acme/street at https://api.clarifai.com, policy sync: 1 to replace.
    App: https://clarifai.com/acme/street

    street-1
      ± replace box [car] red-car: top, 16 % of the image; user ann -> bob (matched: key)

    Plan: 1 to replace; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
    ");
}

#[test]
fn a_difference_in_fields_that_are_not_shown_is_reported() {
    let mut replaced = replaced();
    let edit = edit_of(&mut replaced);
    edit.after = edit.observed.content.clone();
    insta::assert_snapshot!(shown(&plan(vec![replaced])), @r"
    Label set street on acme/street at https://api.clarifai.com, policy sync: 1 to replace.
    App: https://clarifai.com/acme/street

    street-1
      ± replace box [car] red-car: top, 16 % of the image (matched: key)

    Plan: 1 to replace; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
    ");
}

#[test]
fn a_removal_and_an_ambiguous_match_are_shown() {
    let mut removed = relabelled();
    let mut edit = edit_of(&mut removed).clone();
    std::mem::swap(&mut edit.observed.content, &mut edit.after);
    removed.change = Change::Remove(Box::new(edit));
    let mut plan = plan(vec![removed, ambiguous()]);
    plan.summary.ambiguous = 1;
    insta::assert_snapshot!(shown(&plan), @r"
    Label set street on acme/street at https://api.clarifai.com, policy sync: 1 to overwrite, 1 to remove.
    App: https://clarifai.com/acme/street

    Warning: 1 ambiguous pairing: another annotation is nearly as close (runner-up within 0.02). Check the changes that are marked ambiguous, or give those annotations keys. --fail-on-ambiguous refuses such a plan.

    street-1
      ~ overwrite box [car] as-…-00112233…: centre, 26 % of the image (matched: moved, IoU 0.61, runner-up 0.60, ambiguous)

    street-2
      ~ remove box [car, taxi -> car] as-…-99887766…: top, 16 % of the image (matched: same place, other concepts)

    Plan: 1 to overwrite, 1 to remove; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
    ");
}

#[test]
fn every_kind_of_annotation_has_a_name() {
    let mut whole = posted("a", 1);
    *posted_content(&mut whole) = Content {
        concepts: Some(concepts(&["a", "b", "c", "d", "e"])),
        rare: RareFields {
            status: Some(Status::PENDING),
            ..RareFields::default()
        }
        .into(),
        ..Content::default()
    };
    let mut ring = posted("a", 2);
    *posted_content(&mut ring) = Content {
        geometry: Some(polygon(&[(0.0, 0.0), (0.0, 1.0), (1.0, 0.5)])),
        rare: RareFields {
            metadata: Some(Json::new(r#"{"k": "v"}"#).unwrap()),
            ..RareFields::default()
        }
        .into(),
        ..Content::default()
    };
    let mut region: Operation = posted("a", 3);
    *posted_content(&mut region) =
        serde_json::from_str(r#"{"region": "r1", "concepts": {"x": 0, "y": 0.5}}"#).unwrap();
    let mut adopted = relabelled();
    adopted.id = AnnotationId::new("short").unwrap();
    adopted.input_id = InputId::new("a").unwrap();
    let edit = edit_of(&mut adopted);
    edit.matched = Matched::without_measure(MatchedBy::Id);
    edit.observed.content.geometry = None;
    edit.after.geometry = None;
    insta::assert_snapshot!(shown(&plan(vec![whole, ring, region, adopted])), @r"
    Label set street on acme/street at https://api.clarifai.com, policy sync: 3 to post, 1 to merge.
    App: https://clarifai.com/acme/street

    a
      ~ merge annotation [car -> car, taxi] short (matched: id)
      + post whole input [a, b, c, 2 more] as-…-00000001…
      + post polygon as-…-00000002…: centre, 100 % of the image
      + post region [x: false, y: 0.5] as-…-00000003…: region r1

    Plan: 3 to post, 1 to merge; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
    ");
}

#[test]
fn ids_are_as_short_as_is_unique_in_the_plan() {
    let mut twin = posted("a", 1);
    twin.id = AnnotationId::new("as-0a1b2c3d-00000001ffffffffffff").unwrap();
    let mut other = posted("b", 3);
    other.id = AnnotationId::new("as-0a1b2c3d-00000001fff000000000").unwrap();
    let ids = [
        " as-…-000000010…:",
        " as-…-00000001ffff…:",
        " as-…-00000001fff0…:",
        " as-…-00000002…:",
    ];
    let gone = deleted("c");
    let plan = plan(vec![posted("a", 1), twin, posted("a", 2), other, gone]);
    let text = shown(&plan);
    for id in ids {
        assert!(text.contains(id), "{id} in\n{text}");
    }
    // People look up what is deleted.
    let whole = " 300b8e39a65e4f33ae4e15e86eaf4a3b:";
    assert!(text.contains(whole), "{text}");
    let text = shown_in(&plan, Detail::Full);
    for operation in &plan.operations {
        assert!(text.contains(&format!(" {}:", operation.id)), "{text}");
    }
}

#[test]
fn guards_come_first_and_again_at_the_end() {
    let mut plan = plan(vec![deleted("a")]);
    plan.policy = Policy::Create;
    plan.summary.held_back = HeldBack {
        updates: 1_200,
        deletes: 1,
        ..HeldBack::default()
    };
    plan.summary.ambiguous = 2;
    plan.blind_spots = vec!["annotations of other inputs (--declared-only)".to_owned()];
    plan.guards = vec![
        TrippedGuard::Deletes {
            count: 75,
            existing: 1_000,
            limit: "5%".to_owned(),
        },
        TrippedGuard::Updates {
            count: 1,
            existing: 1,
            limit: "0".to_owned(),
        },
        TrippedGuard::VanishedConcepts {
            concepts: (10..22).map(|n| format!("c{n}")).collect(),
            limit: 0,
            renames: Vec::new(),
        },
        TrippedGuard::EmptyManifest { deletes: 1 },
    ];
    insta::assert_snapshot!(shown(&plan), @r"
    Label set street on acme/street at https://api.clarifai.com, policy create: 1 to delete.
    App: https://clarifai.com/acme/street

    Stopped: 75 deletes of 1,000 existing annotations; the guard max_deletes allows 5%. To let exactly this plan pass: --allow-deletes 75
    Stopped: 1 change of 1 existing annotation; the guard max_updates allows 0. To let exactly this plan pass: --allow-updates 1
    Stopped: 12 concepts would no longer be used (c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, 2 more); the guard max_vanished_concepts allows 0. To let exactly this plan pass: --allow-vanished 12
    Stopped: the manifest declares no input, and the plan would delete 1 annotation. To let exactly this plan pass: --allow-empty
    Warning: not seen: annotations of other inputs (--declared-only)
    Warning: 2 ambiguous pairings: another annotation is nearly as close (runner-up within 0.02). Check the changes that are marked ambiguous, or give those annotations keys. --fail-on-ambiguous refuses such a plan.
    Warning: the policy create holds back 1,200 changes and 1 delete; `policy: sync` would not.

    a
      - delete box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b: top, 16 % of the image; by me (not declared)

    Stopped: 75 deletes of 1,000 existing annotations; the guard max_deletes allows 5%. To let exactly this plan pass: --allow-deletes 75
    Stopped: 1 change of 1 existing annotation; the guard max_updates allows 0. To let exactly this plan pass: --allow-updates 1
    Stopped: 12 concepts would no longer be used (c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, 2 more); the guard max_vanished_concepts allows 0. To let exactly this plan pass: --allow-vanished 12
    Stopped: the manifest declares no input, and the plan would delete 1 annotation. To let exactly this plan pass: --allow-empty

    Plan: 1 to delete; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
    ");
}

#[test]
fn the_policy_that_holds_nothing_back_is_named() {
    let mut plan = plan(Vec::new());
    plan.policy = Policy::Create;
    plan.summary.held_back.updates = 1;
    insta::assert_snapshot!(shown(&plan), @r"
    Label set street on acme/street at https://api.clarifai.com, policy create.
    App: https://clarifai.com/acme/street

    Warning: the policy create holds back 1 change; `policy: upsert` would not.

    No changes. 1,815 annotations match.
    ");
}

#[test]
fn the_summary_is_a_sentence() {
    let mut plan = plan(vec![deleted("a")]);
    plan.summary = Summary {
        actions: ActionCounts {
            post: 12,
            merge: 3,
            overwrite: 1,
            delete: 4,
            ..ActionCounts::default()
        },
        unchanged: 1_815,
        unmanaged: 7,
        calls: 5,
        lower_bound: 5,
        rate_limit: 15,
        ..Summary::default()
    };
    let last = |plan: &Plan| shown(plan).lines().last().unwrap().to_owned();
    assert_eq!(
        last(&plan),
        "Plan: 12 to post, 3 to merge, 1 to overwrite, 4 to delete; 1,815 unchanged, 7 unmanaged. \
         5 calls (lower bound 5), about 0.4 s at 15 calls/s."
    );
    plan.summary.actions.replace = 2;
    plan.summary.other_sets = 3_000;
    plan.summary.calls = 1;
    plan.summary.rate_limit = 1;
    assert_eq!(
        last(&plan),
        "Plan: 12 to post, 3 to merge, 1 to overwrite, 2 to replace, 4 to delete; \
         1,815 unchanged, 7 unmanaged, 3,000 of other sets. \
         1 call (lower bound 5), about 1.0 s at 1 call/s."
    );
}

#[test]
fn nothing_to_do_is_the_last_line() {
    let mut plan = plan(Vec::new());
    let last = |plan: &Plan| shown(plan).lines().last().unwrap().to_owned();
    plan.summary.unchanged = 1_835;
    insta::assert_snapshot!(shown(&plan), @"
    Label set street on acme/street at https://api.clarifai.com, policy sync.
    App: https://clarifai.com/acme/street

    No changes. 1,835 annotations match.
    ");
    plan.summary.unchanged = 1;
    assert_eq!(last(&plan), "No changes. 1 annotation matches.");
}

#[test]
fn the_first_line_names_what_is_known_of_the_app() {
    let first = |plan: &Plan| shown(plan).lines().next().unwrap().to_owned();
    let mut plan = plan(Vec::new());
    plan.target.endpoint = "embedded:.annosync/local.db".to_owned();
    assert_eq!(
        first(&plan),
        "Label set street on acme/street at embedded:.annosync/local.db, policy sync."
    );
    assert!(!shown(&plan).contains("App: "));
    plan.purpose = crate::plan::Purpose::Undo;
    plan.target.endpoint.clear();
    plan.target.app_id.clear();
    assert_eq!(first(&plan), "Undo of label set street, policy sync.");
}

#[test]
fn a_summary_has_no_changes() {
    let mut plan = plan(vec![moved(), relabelled(), deleted("a")]);
    plan.purges = vec![crate::render::sample::purge("b", &["ann"])];
    plan.guards = vec![TrippedGuard::EmptyManifest { deletes: 1 }];
    plan.summary.classes = vec![crate::render::sample::class("car", 5, 4)];
    plan.summary.relabelled = vec![crate::render::sample::pair(&["car"], &["taxi"], 1)];
    plan.summary.moved = crate::render::sample::moves(&[61], 0);
    insta::assert_snapshot!(shown_in(&plan, Detail::Summary), @r"
    Label set street on acme/street at https://api.clarifai.com, policy sync: 1 to merge, 1 to overwrite, 1 to delete.
    App: https://clarifai.com/acme/street

    Stopped: the manifest declares no input, and the plan would delete 1 annotation. To let exactly this plan pass: --allow-empty
    Warning: apply purges only with --allow-purge.

    Classes: car 5 -> 4 (-1)
    Relabelled: car -> taxi (1)

    Plan: 1 to merge, 1 to overwrite, 1 to delete; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
    ");
}

#[test]
fn full_detail_shows_the_difference_under_each_line() {
    let plan = plan(vec![moved(), relabelled(), deleted("street-9")]);
    insta::assert_snapshot!(shown_in(&plan, Detail::Full), @r"
    Label set street on acme/street at https://api.clarifai.com, policy sync: 1 to merge, 1 to overwrite, 1 to delete.
    App: https://clarifai.com/acme/street

    street-9
      - delete box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b: top, 16 % of the image; by me (not declared)
          {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [car], status: success, user: me, metadata: {weather: rain}}

    street-1
      ~ overwrite box [car] red-car: centre, 26 % of the image; IoU 0.61 (matched: key)
          - box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}
          + box: {top: 0.1, left: 0.2, bottom: 0.75, right: 0.6}
            concepts: [car]

    street-2
      ~ merge box [car -> car, taxi] as-0a1b2c3d-99887766554433221100: top, 16 % of the image (matched: same place, other concepts)
            box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}
          - concepts: [car]
          + concepts: [car, taxi]

    Plan: 1 to merge, 1 to overwrite, 1 to delete; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
    ");
}

#[test]
fn a_large_plan_shows_every_delete_and_the_first_200_other_changes() {
    let mut operations: Vec<Operation> = (0..250).map(|n| posted("b", n)).collect();
    operations.push(relabelled());
    operations.extend((0..300).map(|n| deleted(&format!("d-{n:03}"))));
    let plan = plan(operations);
    let short = shown(&plan);
    let count = |text: &str, sign: &str| text.lines().filter(|l| l.starts_with(sign)).count();
    assert_eq!(count(&short, "  - delete"), 300);
    assert_eq!(count(&short, "  + post"), 200);
    assert_eq!(count(&short, "  ~ merge"), 0);
    assert!(short.contains("\nb (200 of 250 changes shown)\n"));
    assert!(
        short
            .contains("\n51 more changes not shown: 1 to merge, 50 to post. See all with --all.\n")
    );
    let all = shown_in(&plan, Detail::All);
    assert!(!all.contains("shown") && !all.contains("{box"));
    let full = shown_in(&plan, Detail::Full);
    for text in [&all, &full] {
        assert_eq!(count(text, "  - delete"), 300);
        assert_eq!(count(text, "  + post"), 250);
        assert_eq!(count(text, "  ~ merge"), 1);
    }
    assert_eq!(count(&full, "      {box"), 550);
    assert!(!full.contains("shown"));
}

#[test]
fn two_hundred_changes_are_all_shown() {
    let text = shown(&plan((0..200).map(|n| posted("b", n)).collect()));
    assert!(!text.contains("shown"));
}

#[test]
fn colours_do_not_change_the_text() {
    let plan = plan(vec![moved(), relabelled(), posted("a", 1), deleted("a")]);
    let colored = text(
        &plan,
        &TextOptions {
            color: Color::Always,
            ..TextOptions::default()
        },
    );
    assert!(colored.contains("\u{1b}[31m- delete\u{1b}[0m"));
    let mut bare = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        bare.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    assert_eq!(bare, shown(&plan));
}

#[test]
fn text_from_outside_is_escaped() {
    let mut evil = deleted("a");
    let metadata = Some(Json::from_value(
        &serde_json::json!({ "a\u{9b}2J": "\u{1b}]0;x\u{7}\r\n\u{202e}" }),
    ));
    let content = &mut observed_of(&mut evil).content;
    content.rare.change(|rare| rare.metadata = metadata);
    let mut plan = plan(vec![evil]);
    plan.blind_spots = vec!["\u{1b}[1A".to_owned()];
    plan.target.app_id = "\u{1b}[2J".to_owned();
    let text = shown_in(&plan, Detail::Full);
    assert!(
        text.chars()
            .all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')),
        "{text:?}"
    );
    assert!(
        text.contains(r#""a\u009b2J": "\u001b]0;x\u0007\r\n\u202e""#),
        "{text}"
    );
}

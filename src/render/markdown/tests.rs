mod limits;

use super::*;
use crate::model::{ConceptId, InputId, SetName};
use crate::plan::{AppChangeKind, Cause, HeldBack, Summary, TrippedGuard};
use crate::render::sample::{
    against_main, app_change, caused, deleted, edit_of, eventful, field, moved, plan, posted,
    purge, relabelled, replaced,
};

fn shown(plan: &Plan) -> String {
    markdown(plan, &MarkdownOptions::default())
}

#[test]
fn an_empty_plan_says_so_and_names_the_app() {
    insta::assert_snapshot!(shown(&plan(Vec::new())), @"
    <!-- annosync:plan street acme/street -->
    No changes. 1,815 annotations match.

    Label set `street` on `acme/street` at `https://api.clarifai.com`, policy `sync`.
    ");
}

#[test]
fn a_small_plan_is_shown_completely() {
    insta::assert_snapshot!(shown(&plan(vec![moved(), relabelled()])), @r#"
    <!-- annosync:plan street acme/street -->
    ## annosync plan: 1 to merge, 1 to overwrite

    Label set `street` on `acme/street` at `https://api.clarifai.com`, policy `sync`. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.

    | merge | overwrite | unchanged | unmanaged |
    | ---: | ---: | ---: | ---: |
    | 1 | 1 | 1,815 | 7 |

    ### Changes by input

    <details open><summary><a href="https://clarifai.com/acme/street/inputs/street-1"><code>street-1</code></a>: 1 to overwrite</summary>

    ```diff
    ! overwrite box [car] red-car: centre, 26 % of the image; IoU 0.61 (matched: key)
    ```

    </details>

    <details open><summary><a href="https://clarifai.com/acme/street/inputs/street-2"><code>street-2</code></a>: 1 to merge</summary>

    ```diff
    ! merge box [car -> car, taxi] as-…-99887766…: top, 16 % of the image (matched: same place, other concepts)
    ```

    </details>
    "#);
}

#[test]
fn full_detail_shows_differences_and_whole_ids() {
    let mut plan = plan(vec![relabelled(), deleted("a")]);
    plan.target.endpoint = "http://127.0.0.1:8080".to_owned();
    let options = MarkdownOptions {
        detail: Detail::Full,
        ..MarkdownOptions::default()
    };
    let markdown = markdown(&plan, &options);
    let (_, changes) = markdown.split_once("### Changes by input").unwrap();
    insta::assert_snapshot!(changes, @r"
    <details open><summary><code>a</code>: 1 to delete</summary>

    ```diff
    - delete box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b: top, 16 % of the image; by me (not declared)
    -    {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [car], status: success, user: me, metadata: {weather: rain}}
    ```

    </details>

    <details open><summary><code>street-2</code>: 1 to merge</summary>

    ```diff
    ! merge box [car -> car, taxi] as-0a1b2c3d-99887766554433221100: top, 16 % of the image (matched: same place, other concepts)
          box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}
    -     concepts: [car]
    +     concepts: [car, taxi]
    ```

    </details>
    ");
}

#[test]
fn a_summary_has_no_changes() {
    let mut plan = plan(vec![deleted("a"), posted("b", 1)]);
    plan.purges = vec![purge("c", &["ann"])];
    plan.summary.moved = eventful().moved;
    plan.summary.classes = vec![crate::render::sample::class("car", 5, 4)];
    plan.guards = vec![TrippedGuard::EmptyManifest { deletes: 1 }];
    let options = MarkdownOptions {
        detail: Detail::Summary,
        full_plan: Some("the artifact plan of this run".to_owned()),
        ..MarkdownOptions::default()
    };
    insta::assert_snapshot!(markdown(&plan, &options), @r"
    <!-- annosync:plan street acme/street -->
    ## annosync plan: 1 to post, 1 to delete

    Label set `street` on `acme/street` at `https://api.clarifai.com`, policy `sync`. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.

    > **Stopped:** the manifest declares no input, and the plan would delete 1 annotation. To let exactly this plan pass: --allow-empty

    | post | delete | unchanged | unmanaged |
    | ---: | ---: | ---: | ---: |
    | 1 | 1 | 1,815 | 7 |

    > **Warning:** apply purges only with --allow-purge.

    ### Classes

    | class | before | after | change |
    | --- | ---: | ---: | ---: |
    | `car` | 5 | 4 | -1 |

    ### Moved (14 annotations)

    | IoU | annotations |  |
    | --- | ---: | --- |
    | IoU 0.3 to 0.4 | 1 | █████ |
    | IoU 0.5 to 0.6 | 2 | ██████████ |
    | IoU 0.6 to 0.7 | 1 | █████ |
    | IoU 0.7 to 0.8 | 6 | ██████████████████████████████ |
    | IoU 0.9 to 1.0 | 2 | ██████████ |

    2 moves cannot be measured: the kind of shape or the number of keypoints changed, or a mask is matched by id or key.

    For the complete plan, see the artifact plan of this run.
    ");
}

#[test]
fn guards_and_deletes_come_first() {
    let mut plan = plan(vec![posted("a", 1), deleted("a"), replaced()]);
    plan.purges = vec![purge("street-0003", &["bea", "ann", "model", "bea"])];
    plan.summary.purge = 1;
    plan.summary.purged = 4;
    plan.summary.other_sets = 3;
    plan.summary.ambiguous = 1;
    plan.summary.held_back = HeldBack {
        deletes: 1,
        ..HeldBack::default()
    };
    plan.blind_spots = vec!["annotations of other inputs (--declared-only)".to_owned()];
    plan.guards = vec![
        TrippedGuard::Deletes {
            count: 6,
            existing: 20,
            limit: "5%".to_owned(),
        },
        TrippedGuard::VanishedConcepts {
            concepts: vec!["car".to_owned()],
            limit: 0,
            renames: Vec::new(),
        },
    ];
    insta::assert_snapshot!(shown(&plan), @r#"
    <!-- annosync:plan street acme/street -->
    ## annosync plan: 1 input to purge (4 annotations), 1 to post, 1 to replace, 1 to delete

    Label set `street` on `acme/street` at `https://api.clarifai.com`, policy `sync`. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.

    > **Stopped:** 6 deletes of 20 existing annotations; the guard max_deletes allows `5%`. To let exactly this plan pass: --allow-deletes 6
    >
    > **Stopped:** 1 concept would no longer be used (`car`); the guard max_vanished_concepts allows 0. To let exactly this plan pass: --allow-vanished 1

    If this is intended, set the label `annosync-allow-guards` on this pull request or merge request, and run its pipeline again.

    | post | replace | delete | unchanged | unmanaged | inputs purged | annotations purged | of other sets | ambiguous | deletes held back |
    | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | 1 | 1 | 1 | 1,815 | 7 | 1 | 4 | 3 | 1 | 1 |

    > **Warning:** not seen: `annotations of other inputs (--declared-only)`
    >
    > **Warning:** 1 ambiguous pairing: another annotation is nearly as close (runner-up within 0.02). Check the changes that are marked ambiguous, or give those annotations keys. --fail-on-ambiguous refuses such a plan.
    >
    > **Warning:** the policy sync holds back 1 delete; `policy: sync` would not.
    >
    > **Warning:** apply purges only with --allow-purge.

    ### Deletes

    | input | change | user | reason |
    | --- | --- | --- | --- |
    | `street-0003` | purge: deletes all 4 annotations, whoever made them | 2 by `bea`, 1 by `ann`, 1 by a model | `purge: true` |
    | `a` | delete `box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b` | `me` | not declared |
    | `street-1` | replace `box [car] red-car` |  | matched: key |

    ### Changes by input

    <details open><summary><a href="https://clarifai.com/acme/street/inputs/a"><code>a</code></a>: 1 to delete, 1 to post</summary>

    ```diff
    - delete box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b: top, 16 % of the image; by me (not declared)
    + post box [person] as-…-00000001…: top, 16 % of the image
    ```

    </details>

    <details open><summary><a href="https://clarifai.com/acme/street/inputs/street-1"><code>street-1</code></a>: 1 to replace</summary>

    ```diff
    ! replace box [car] red-car: centre, 26 % of the image; IoU 0.61 (matched: key)
    ```

    </details>
    "#);
}

#[test]
fn reverting_changes_are_listed_apart() {
    let mut plan = plan(vec![
        caused(moved(), Cause::Conflict, Some("bea")),
        caused(posted("street-1", 7), Cause::Drift, None),
        caused(relabelled(), Cause::Intended, Some("bea")),
    ]);
    let fields = vec![field("concepts.car", ["1", "0", "0.5"], true)];
    let added = app_change(
        &deleted("street-3"),
        AppChangeKind::Added,
        Some("ann"),
        Vec::new(),
    );
    let changed = app_change(
        &deleted("street-4"),
        AppChangeKind::Changed,
        Some("ann"),
        fields,
    );
    plan.drift = vec![added, changed];
    insta::assert_snapshot!(shown(&against_main(plan)), @r#"
    <!-- annosync:plan street acme/street -->
    ## annosync plan: 1 to post, 1 to merge, 1 to overwrite

    Label set `street` on `acme/street` at `https://api.clarifai.com`, policy `sync`. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.

    > **Warning:** 1 conflict: changed in the manifest and in the app since `main` (`1a2b3c4`); neither change is written. Decide with --conflicts manifest or --conflicts app, or take the app's values into the manifest: `annosync pull --base main --conflicts app`.

    | post | merge | overwrite | unchanged | unmanaged | changed in the app | reverted | conflicts | left alone |
    | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | 1 | 1 | 1 | 1,815 | 7 | 4 | 2 | 2 | 1 |

    > **Warning:** 2 changes revert changes made in the app since `main` (`1a2b3c4`). `annosync pull --base main` takes them into the manifest; --on-drift keep leaves them alone.

    ### Reverts changes made in the app since `main` (`1a2b3c4`)

    2 changes.

    | input | change | user, last write |
    | --- | --- | --- |
    | `street-1` | overwrite `box [car] red-car` | user `bea`, last written `2026-05-02T10:11:12Z`; the manifest changed it too |
    | `street-1` | post `box [person] as-…-00000007…` | deleted in the app, user and time unknown |

    <details open><summary><a href="https://clarifai.com/acme/street/inputs/street-1"><code>street-1</code></a>: 1 to overwrite, 1 to post</summary>

    ```diff
    ! overwrite box [car] red-car: centre, 26 % of the image; IoU 0.61 (matched: key)
    + post box [person] as-…-00000007…: top, 16 % of the image
    ```

    </details>

    ### Conflicts: changed in the manifest and in the app since `main` (`1a2b3c4`)

    1 annotation. Neither change is written.

    | input | change in the app | user, last write | details |
    | --- | --- | --- | --- |
    | `street-4` | changed `box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b` | user `ann`, last written `2026-05-02T10:11:12Z` | `concepts.car`: base `1`, manifest `0`, app `0.5` |

    ### Changed in the app since `main` (`1a2b3c4`)

    1 annotation left alone. `annosync pull --base main` takes them into the manifest.

    | input | change in the app | user, last write | details |
    | --- | --- | --- | --- |
    | `street-3` | added `box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b` | user `ann`, last written `2026-05-02T10:11:12Z` | `top, 16 % of the image` |

    ### Changes by input

    <details open><summary><a href="https://clarifai.com/acme/street/inputs/street-2"><code>street-2</code></a>: 1 to merge</summary>

    ```diff
    ! merge box [car -> car, taxi] as-…-99887766…: top, 16 % of the image (matched: same place, other concepts)
    ```

    </details>
    "#);
}

#[test]
fn a_plan_with_kept_app_changes_does_not_say_that_all_is_equal() {
    let mut plan = plan(Vec::new());
    let fields = vec![field(
        "status",
        ["\"success\"", "\"success\"", "\"pending\""],
        false,
    )];
    plan.drift = vec![app_change(
        &moved(),
        AppChangeKind::Changed,
        Some("bea"),
        fields,
    )];
    insta::assert_snapshot!(shown(&against_main(plan)), @r"
    <!-- annosync:plan street acme/street -->
    No changes. 1,815 annotations match; 1 changed in the app and left alone.

    Label set `street` on `acme/street` at `https://api.clarifai.com`, policy `sync`.

    ### Changed in the app since `main` (`1a2b3c4`)

    1 annotation left alone. `annosync pull --base main` takes them into the manifest.

    | input | change in the app | user, last write | details |
    | --- | --- | --- | --- |
    | `street-1` | changed `red-car` | user `bea`, last written `2026-05-02T10:11:12Z` | `status`: `success` -> `pending` |
    ");
}

#[test]
fn every_section_of_the_report_is_a_table() {
    let mut plan = plan(vec![posted("a", 1)]);
    plan.summary = eventful();
    let markdown = shown(&plan);
    let (_, parts) = markdown.split_once("### Other").unwrap();
    let (parts, _) = parts.split_once("### Changes").unwrap();
    insta::assert_snapshot!(parts, @"
     people's work

    | user | changed | deleted |
    | --- | ---: | ---: |
    | `bea` | 1,200 | 8 |
    | `ann` |  | 1 |
    | `cleo` | 2 |  |
    | (user unknown) | 2 |  |

    ### Left without labels (12 inputs)

    `in-10`, `in-11`, `in-12`, `in-13`, `in-14`, `in-15`, `in-16`, `in-17`, `in-18`, `in-19`, 2 more inputs

    ### Classes

    | class | before | after | change |
    | --- | ---: | ---: | ---: |
    | `car` | 2,000 | 796 | -1,204 |
    | `taxi` | 3 | 1,207 | +1,204 |
    | `tree` | 9 | 0 | -9 |
    | `person` | 0 | 5 | +5 |

    ### Relabelled

    | from | to | annotations |
    | --- | --- | ---: |
    | `car` | `taxi` | 1,203 |
    | `car` | `a`, `b`, `c`, `d`, `e`, 2 more | 1 |
    | `lorry`, `van` | `truck` | 1 |
    | `x` | `y` | 1 |

    ### Moved (14 annotations)

    | IoU | annotations |  |
    | --- | ---: | --- |
    | IoU 0.3 to 0.4 | 1 | █████ |
    | IoU 0.5 to 0.6 | 2 | ██████████ |
    | IoU 0.6 to 0.7 | 1 | █████ |
    | IoU 0.7 to 0.8 | 6 | ██████████████████████████████ |
    | IoU 0.9 to 1.0 | 2 | ██████████ |

    2 moves cannot be measured: the kind of shape or the number of keypoints changed, or a mask is matched by id or key.

    ### Largest moves

    | input | annotation | before and after |
    | --- | --- | --- |
    | `in-0` | `id-0` | IoU 0.31 |
    | `in-1` | `red-car` | IoU 0.52 |
    | `in-2` | `id-2` | distance 0.0180 |
    | `in-3` | `id-3` | IoU 0.61 |
    | `in-4` | `id-4` | IoU 0.72 |
    | `in-5` | `id-5` | IoU 0.73 |
    | `in-6` | `id-6` | IoU 0.74 |
    | `in-7` | `id-7` | IoU 0.75 |
    | `in-8` | `id-8` | IoU 0.76 |
    | `in-9` | `id-9` | IoU 0.77 |
    ");
}

#[test]
fn the_marker_depends_on_set_and_app_only() {
    let one = plan(vec![posted("a", 1)]);
    let other = plan(Vec::new());
    assert_eq!(marker(&one), marker(&other));
    let mut odd = one.clone();
    odd.set = SetName::new("a--b").unwrap();
    odd.target.user_id = "x --> <b>@me\n".to_owned();
    odd.target.app_id = "a/b-".to_owned();
    assert_eq!(
        marker(&odd),
        "<!-- annosync:plan a-%2Db x%20-%2D%3E%20%3Cb%3E%40me%0A/a%2Fb- -->"
    );
    odd.target.app_id = "x".repeat(70_000);
    let long = marker(&odd);
    odd.target.app_id = format!("{}y", "x".repeat(69_999));
    assert!(long.len() < 300 && long != marker(&odd), "{long}");
    assert!(shown(&one).starts_with(&format!("{}\n", marker(&one))));
}

#[test]
fn the_place_of_the_complete_plan_is_shown() {
    let end = |full_plan: &str| {
        let options = MarkdownOptions {
            full_plan: Some(full_plan.to_owned()),
            ..MarkdownOptions::default()
        };
        let markdown = markdown(&plan(vec![posted("a", 1)]), &options);
        markdown.lines().last().unwrap().to_owned()
    };
    assert_eq!(
        end("https://ci.example/run/7?a=1#plan"),
        "For the complete plan, see [the complete plan](<https://ci.example/run/7?a=1#plan>)."
    );
    assert_eq!(
        end("the artifact plan of this run"),
        "For the complete plan, see the artifact plan of this run."
    );
    assert_eq!(
        end("[x](javascript:y) @me"),
        "For the complete plan, see &#91;x&#93;&#40;javascript&#58;y&#41; <span>&#64;</span>me."
    );
    assert!(!end("https://a.example/>b").contains("example/>"));
}

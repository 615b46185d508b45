//! What a page holds.

use super::{HtmlOptions, diff_html, html};
use crate::drawing::Backdrop;
use crate::model::{Content, Frame, Geometry, InputId, Key, RareFields, Segment, Span};
use crate::plan::{AppChangeKind, Cause, Diff, DiffChange, DiffKind, LabelSet};
use crate::render::diff::DiffOptions;
use crate::render::filter::Filter;
use crate::render::options::Detail;
use crate::render::review::Surroundings;
use crate::render::sample::{
    a_box, against_main, app_change, caused, concepts, deleted, eventful, field, moved, plan,
    posted, relabelled,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use serde_json::Value;
use std::io::Read as _;

fn diff_of(changes: Vec<DiffChange>) -> Diff {
    let mut diff = crate::plan::diff(&LabelSet::default(), &LabelSet::default());
    diff.changes = changes;
    diff
}

fn change(input: &str, before: Option<Content>, after: Option<Content>) -> DiffChange {
    DiffChange {
        kind: match (&before, &after) {
            (None, _) => DiffKind::Added,
            (_, None) => DiffKind::Removed,
            _ => DiffKind::Moved,
        },
        input_id: InputId::new(input).unwrap(),
        id: None,
        key: Some(Key::new("k").unwrap()),
        matched: None,
        before,
        after,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a side of a change is optional")]
fn of(geometry: Geometry) -> Option<Content> {
    Some(Content {
        geometry: Some(geometry),
        concepts: Some(concepts(&["car"])),
        ..Content::default()
    })
}

fn page_of(changes: Vec<DiffChange>, surroundings: &Surroundings) -> String {
    diff_html(&diff_of(changes), &DiffOptions::default(), surroundings)
}

fn with_backdrop(backdrop: Backdrop) -> Surroundings {
    Surroundings {
        backdrops: [(InputId::new("a").unwrap(), backdrop)].into(),
        ..Surroundings::default()
    }
}

/// The data of a block.
fn block(page: &str, id: &str) -> Option<String> {
    let start = format!("<script type=\"application/octet-stream\" id=\"{id}\">");
    let text = page.split_once(&start)?.1.split_once('<')?.0;
    let bytes = STANDARD.decode(text).unwrap();
    let mut plain = String::new();
    ZlibDecoder::new(&bytes[..])
        .read_to_string(&mut plain)
        .unwrap();
    Some(plain)
}

#[test]
fn a_page_begins_with_the_numbers_of_the_plan() {
    let mut plan = plan(vec![relabelled(), moved(), deleted("a"), posted("b", 1)]);
    let operations = plan.summary.actions;
    plan.summary = crate::plan::Summary {
        actions: operations,
        ..eventful()
    };
    let surroundings = Surroundings::default();
    let mut options = HtmlOptions {
        detail: Detail::default(),
        filter: Filter::default(),
        surroundings: &surroundings,
    };
    let page = html(&plan, &options);
    assert_eq!(page, html(&plan.clone(), &options));
    let front = page.split_once("<section id=\"changes\">").unwrap().0;
    let line = crate::render::closing::line(&plan);
    for text in [
        &*format!("<p>{line}</p>"),
        "<li>1 to delete</li>",
        "<bdi>bea</bdi></th><td class=\"n\">1,200</td><td class=\"n\">8</td>",
        "<h2>Deletes (1)</h2>",
        "href=\"#a/300b8e39a65e4f33ae4e15e86eaf4a3b\"",
    ] {
        assert!(front.contains(text), "{text} in {front}");
    }
    assert!(page.contains("<li id=\"a/300b8e39a65e4f33ae4e15e86eaf4a3b\" class=\"remove\""));
    options.detail = Detail::Summary;
    let summary = html(&plan, &options);
    assert!(summary.contains(&line) && !summary.contains("<article"));
}

#[test]
fn the_policy_has_the_hashes_of_style_and_script() {
    use sha2::{Digest as _, Sha256};
    let page = page_of(Vec::new(), &Surroundings::default());
    for (start, end) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let text = page.split_once(start).unwrap().1.split_once(end).unwrap().0;
        let hash = STANDARD.encode(Sha256::digest(text.as_bytes()));
        assert!(
            page.contains(&format!("&#39;sha256-{hash}&#39;")),
            "{start}"
        );
    }
}

#[test]
fn a_picture_stands_in_the_page_once() {
    let href = "data:image/png;base64,AAAA";
    let surroundings = with_backdrop(Backdrop {
        size: Some([400, 100]),
        href: Some(href.to_owned()),
        ..Backdrop::default()
    });
    let small = |left: f64| {
        of(Geometry::Box(
            crate::model::BoundingBox::new(0.1, left, 0.15, left + 0.05).unwrap(),
        ))
    };
    let changes = (0..150)
        .map(|_| change("a", small(0.1), small(0.12)))
        .collect();
    let page = page_of(changes, &surroundings);
    assert_eq!(page.matches(href).count(), 1);
    assert!(page.contains("viewBox=\"0 0 1000 250\""));
    // The second card of the input, and each enlarged change.
    assert_eq!(page.matches("<use href=\"#p0\"/>").count(), 151);
    assert!(page.contains("<use href=\"#s0-3\"/></svg>"));
    assert!(page.contains("id=\"i-a~2\""));
    assert!(page.contains("<li id=\"a/k~150\""));
}

#[test]
fn labels_of_a_video_are_drawn_by_frame() {
    let at = |number| {
        Some(Content {
            frame: Some(Frame {
                time_ms: u64::from(number) * 500,
                number,
            }),
            ..of(a_box(0.5)).unwrap()
        })
    };
    let surroundings = with_backdrop(Backdrop {
        href: Some("data:image/png;base64,AAAA".to_owned()),
        ..Backdrop::default()
    });
    let changes = vec![
        change("a", at(3), at(3)),
        change("a", None, at(5)),
        change("a", None, at(3)),
    ];
    let page = page_of(changes, &surroundings);
    assert_eq!(page.matches("<figure").count(), 2);
    for caption in ["frame 3 at 1.500 s", "frame 5 at 2.500 s"] {
        assert!(
            page.contains(&format!("<figcaption>{caption}</figcaption>")),
            "{caption}"
        );
    }
    // It is not the picture of a frame.
    assert!(!page.contains("AAAA"));
}

#[test]
fn spans_are_marked_in_their_text() {
    let span = |start, end| {
        of(Geometry::Span(Box::new(
            Span::new(start, end, None).unwrap(),
        )))
    };
    let changes = || vec![change("a", span(4, 9), span(4, 16))];
    let surroundings = with_backdrop(Backdrop {
        text: Some("The Größe <b> of all.".to_owned()),
        ..Backdrop::default()
    });
    let page = page_of(changes(), &surroundings);
    for marked in [
        "before</small> <bdi>The <mark>Größe</mark> &lt;b&gt; of all.",
        "after</small> <bdi>The <mark>Größe &lt;b&gt; of</mark> all.",
    ] {
        assert!(page.contains(marked), "{marked}");
    }
    let page = page_of(changes(), &Surroundings::default());
    assert!(page.contains("<mark>characters 4 to 9</mark>"));
    // A text that is too short is not the text of the span.
    let short = with_backdrop(Backdrop {
        text: Some("The".to_owned()),
        ..Backdrop::default()
    });
    assert!(page_of(changes(), &short).contains("<mark>characters 4 to 9</mark>"));
}

#[test]
fn segments_are_bars_on_one_scale() {
    let segment = |begin, end| of(Geometry::Segment(Segment::new(begin, end).unwrap()));
    let page = page_of(
        vec![change("a", segment(0.0, 5.0), segment(5.0, 10.0))],
        &Surroundings::default(),
    );
    assert!(page.contains("<rect class=\"before\" x=\"90\" y=\"7\" width=\"450\" height=\"16\"/>"));
    assert!(
        page.contains("<rect class=\"after\" x=\"540\" y=\"37\" width=\"450\" height=\"16\"/>")
    );
}

#[test]
fn changes_after_the_first_are_compressed_blocks_with_an_index() {
    let changes: Vec<DiffChange> = (0..1_000)
        .map(|at| change(&format!("in-{at:04}"), None, of(a_box(0.5))))
        .collect();
    let page = page_of(changes.clone(), &Surroundings::default());
    assert!(page.contains("300 of 1,000 differences shown."));
    assert!(page.contains("<noscript>") && page.contains("id=\"i-in-0299\""));
    assert!(!page.contains("id=\"i-in-0300\""));
    let blocks: Vec<String> = (1..)
        .map_while(|at| block(&page, &format!("block{at}")))
        .collect();
    assert_eq!(blocks.len(), 7);
    let cards: usize = blocks.iter().map(|it| it.matches("<article").count()).sum();
    assert_eq!(cards, 700);
    assert!(blocks[6].contains("id=\"in-0999/k\""));
    let index: Value = serde_json::from_str(&block(&page, "index").unwrap()).unwrap();
    assert_eq!(index["cards"][999], serde_json::json!([7, 99, 1, 999, 999]));
    assert_eq!(index["texts"][5], "box [car] k: top, 16 % of the image");
    for column in ["kind", "user", "reason", "list"] {
        assert_eq!(index[column].as_array().unwrap().len(), 1_000, "{column}");
    }
    // A page that is complete has no blocks, and does not speak of a script.
    let page = page_of(changes[..300].to_vec(), &Surroundings::default());
    assert!(page.contains("300 differences.") && !page.contains("<noscript>"));
    assert_eq!(block(&page, "block1"), None);
}

#[test]
fn inputs_with_many_changes_are_several_cards() {
    let changes = (0..1_000)
        .map(|_| change("a", None, of(a_box(0.5))))
        .collect();
    let page = page_of(changes, &Surroundings::default());
    assert!(page.contains("300 of 1,000 differences shown."));
    assert!(page.contains("<small>changes 201 to 300 of 1,000</small>"));
    assert!(page.contains(">300</a>") && !page.contains(">301</a>"));
    let index: Value = serde_json::from_str(&block(&page, "index").unwrap()).unwrap();
    assert_eq!(index["cards"][9], serde_json::json!([7, 0, 100, 0, 0]));
}

#[test]
fn changes_made_in_the_app_have_cards_that_can_be_filtered_and_linked() {
    let mut plan = plan(vec![
        caused(moved(), Cause::Drift, Some("bea")),
        relabelled(),
    ]);
    let values = ["1", "0", "0.5"];
    plan.drift = vec![
        app_change(
            &relabelled(),
            AppChangeKind::Changed,
            Some("bea"),
            vec![field("concepts.car", values, true)],
        ),
        app_change(&deleted("b"), AppChangeKind::Added, Some("ann"), Vec::new()),
    ];
    let plan = against_main(plan);
    let surroundings = Surroundings::default();
    let page = html(
        &plan,
        &HtmlOptions {
            detail: Detail::default(),
            filter: Filter::default(),
            surroundings: &surroundings,
        },
    );
    let (front, cards) = page.split_once("<section id=\"changes\">").unwrap();
    // The annotation has a change of the plan, too.
    let [conflict, kept] = [
        "street-2/as-0a1b2c3d-99887766554433221100~app",
        "b/300b8e39a65e4f33ae4e15e86eaf4a3b~app",
    ];
    for id in [conflict, kept] {
        assert!(front.contains(&format!("href=\"#{id}\"")), "{id}");
        assert!(
            cards.contains(&format!("<li id=\"{id}\" class=\"keep\"")),
            "{id}"
        );
    }
    for text in [
        "<b class=\"sign\">=</b> <b>conflict</b>",
        "<b class=\"sign\">=</b> <b>left alone</b>",
        "concepts.car: base 1, manifest 0, app 0.5",
        "reverts a change made in the app: user bea, last written 2026-05-02T10:11:12Z",
        "2 changes made in the app among them, which the plan does not write.",
    ] {
        assert!(cards.contains(text), "{text} in {cards}");
    }
    assert!(front.contains("1 conflict: changed in the manifest and in the app"));
    let index: Value = serde_json::from_str(&block(&page, "index").unwrap()).unwrap();
    let names = |table: &str, column: &str| -> Vec<String> {
        let numbers = index[column].as_array().unwrap().iter();
        let name = |number: &Value| &index[table][number.as_u64().unwrap() as usize];
        numbers
            .map(|it| name(it).as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names("kinds", "kind"),
        ["overwrite", "merge", "conflict", "left alone"]
    );
    assert_eq!(
        names("apps", "app"),
        [
            "reverted",
            "not changed",
            "conflict, undecided",
            "left alone"
        ]
    );
}

#[test]
fn a_key_is_a_link_unless_it_is_an_id() {
    let with_id = |id: &str, key: &str| DiffChange {
        id: Some(crate::model::AnnotationId::new(id).unwrap()),
        key: Some(Key::new(key).unwrap()),
        ..change("a", None, of(a_box(0.5)))
    };
    let changes = vec![
        with_id("1", "2"),
        with_id("2", "red car"),
        with_id("3", "red car"),
    ];
    let page = page_of(changes, &Surroundings::default());
    for (id, key) in [("1", "2~2"), ("2", "red%20car"), ("3", "red%20car~2")] {
        let item =
            format!("<li id=\"a/{id}\" class=\"add\" tabindex=\"-1\"><span id=\"a/{key}\"></span>");
        assert!(page.contains(&item), "{item}");
    }
}

#[test]
fn metadata_of_both_sides_can_be_searched() {
    let with = |metadata: &str| {
        let content = of(a_box(0.5)).unwrap();
        Some(Content {
            rare: RareFields {
                metadata: Some(crate::model::Json::new(metadata).unwrap()),
                ..RareFields::default()
            }
            .into(),
            ..content
        })
    };
    let changes = vec![change(
        "a",
        with(r#"{"weather": "Rain"}"#),
        with(r#"{"weather": "Sun"}"#),
    )];
    let page = page_of(changes, &Surroundings::default());
    let index: Value = serde_json::from_str(&block(&page, "index").unwrap()).unwrap();
    let text = index["texts"][0].as_str().unwrap();
    assert!(
        text.contains("weather: rain") && text.contains("weather: sun"),
        "{text}"
    );
}

#[test]
fn what_is_missing_of_an_input_is_said_on_its_card() {
    let surroundings = with_backdrop(Backdrop {
        notes: vec!["no picture was found".to_owned()],
        ..Backdrop::default()
    });
    let page = page_of(vec![change("a", None, of(a_box(0.5)))], &surroundings);
    assert!(
        page.contains(
            "</h3>\n<p class=\"more\">no picture was found.</p>\n<div class=\"drawings\">"
        )
    );
}

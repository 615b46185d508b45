//! Names, texts and links are never read as markup.

use super::{HtmlOptions, diff_html, html, stats_html, text_html};
use crate::drawing::{Backdrop, Crop};
use crate::model::{Content, Geometry, InputId, Span};
use crate::plan::{Diff, DiffChange, DiffKind, LabelSet};
use crate::render::diff::DiffOptions;
use crate::render::filter::Filter;
use crate::render::markdown::hostile::named;
use crate::render::options::Detail;
use crate::render::review::Surroundings;
use crate::render::sample::{a_box, concepts};
use proptest::prelude::*;

/// Texts that would break out of an element, an attribute, a script or the order of text.
const CORPUS: [&str; 14] = [
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "<!-- -->",
    "-->",
    "]]>",
    "<![CDATA[<script>]]>",
    "</title></style></svg>",
    "&lt;script&gt;",
    "&#60;img&#62;",
    "`${alert(1)}`",
    "{{constructor.constructor('alert(1)')()}}",
    "%3Cscript%3E#/../?a=b&c=d",
];

/// The elements of a page with the names of their attributes, without texts. Checks that they are balanced, that none has a
/// handler or a style, and that links lead into the page.
fn structure(page: &str) -> Vec<String> {
    const EMPTY: [&str; 4] = ["meta", "br", "input", "img"];
    let mut found = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = page
        .strip_prefix("<!DOCTYPE html>")
        .expect("a document type");
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let (tag, mut after) = element(rest);
        if let Some(name) = tag[0].strip_prefix('/') {
            assert_eq!(
                open.pop().as_deref(),
                Some(name),
                "in {}",
                &rest[..rest.len().min(80)]
            );
        } else if tag.last().is_some_and(|it| it == "/") || EMPTY.contains(&tag[0].as_str()) {
        } else {
            open.push(tag[0].clone());
            if ["script", "style"].contains(&tag[0].as_str()) {
                after = &after[after.find("</").expect("the element is closed")..];
            }
        }
        found.push(tag.join(" "));
        rest = after;
    }
    assert_eq!(open, Vec::<String>::new());
    found
}

/// Name and attributes of an element, and what follows it.
fn element(text: &str) -> (Vec<String>, &str) {
    let end = text.find([' ', '>', '/']).filter(|at| *at > 0);
    let end = end.unwrap_or_else(|| 1 + text[1..].find('>').expect("a tag ends"));
    let mut tag = vec![text[..end].to_owned()];
    let mut rest = &text[end..];
    loop {
        rest = rest.trim_start_matches([' ', '\n']);
        if let Some(after) = rest.strip_prefix('>') {
            return (tag, after);
        }
        if let Some(after) = rest.strip_prefix("/>") {
            tag.push("/".to_owned());
            return (tag, after);
        }
        let end = rest.find(['=', ' ', '>']).expect("an attribute ends");
        let name = &rest[..end];
        let is_plain = name.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
        assert!(
            is_plain && !name.starts_with("on") && name != "style",
            "{name}"
        );
        tag.push(name.to_owned());
        rest = &rest[end..];
        if let Some(value) = rest.strip_prefix("=\"") {
            let (value, after) = value.split_once('"').expect("a value ends");
            if name == "href" {
                let is_picture = tag[0] == "image";
                let is_app = value.starts_with("https://clarifai.com/acme/street/");
                assert!(
                    value.starts_with('#')
                        || is_app
                        || is_picture && !value.starts_with("javascript"),
                    "{value}"
                );
            }
            rest = after;
        }
    }
}

#[track_caller]
fn is_harmless(page: &str, like: &str) {
    assert_eq!(structure(page), structure(like));
    let is_shown = |c: char| c == '\n' || !crate::model::is_harmful(c);
    assert!(page.chars().all(is_shown));
}

fn options(surroundings: &Surroundings) -> HtmlOptions<'_> {
    HtmlOptions {
        detail: Detail::default(),
        filter: Filter::default(),
        surroundings,
    }
}

/// A page of a plan with this name everywhere.
fn page(name: &str) -> String {
    let mut surroundings = Surroundings {
        notes: vec![name.to_owned()],
        ..Surroundings::default()
    };
    let plan = named(name);
    for operation in &plan.operations {
        let backdrop = Backdrop {
            size: Some([400, 300]),
            href: Some("data:image/png;base64,AAAA".to_owned()),
            crops: vec![Crop {
                area: [0.0, 0.0, 1.0, 1.0],
                href: "data:image/png;base64,BBBB".to_owned(),
            }],
            text: Some(name.to_owned()),
            notes: vec![name.to_owned()],
        };
        let backdrops = &mut surroundings.backdrops;
        backdrops.insert(operation.input_id.clone(), backdrop);
        let label = Content {
            geometry: Some(a_box(0.9)),
            concepts: Some(concepts(&[name])),
            ..Content::default()
        };
        let unchanged = &mut surroundings.unchanged;
        unchanged.insert(operation.input_id.clone(), vec![label]);
    }
    html(&plan, &options(&surroundings))
}

#[test]
fn names_in_a_plan_are_never_markup() {
    let plain = page("plain");
    for name in CORPUS {
        is_harmless(&page(name), &plain);
    }
    // Longer than any line: it is cut.
    is_harmless(&page(&"x".repeat(70_000)), &plain);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_names_are_never_markup(
        name in r#"[<>&"'`=/!\-\[\] a%#~\u{200b}\u{1f600}]{1,24}"#
            .prop_filter("is a name", |name| InputId::new(name.as_str()).is_ok())
    ) {
        is_harmless(&page(&name), &page("plain"));
    }
}

/// A diff of an added span with this text.
fn text_diff(text: &str) -> String {
    let mut diff: Diff = crate::plan::diff(&LabelSet::default(), &LabelSet::default());
    diff.old.name = text.to_owned();
    let span = Span::new(1, 3, Some(text.into())).unwrap();
    let input_id = InputId::new("a").unwrap();
    diff.changes = vec![DiffChange {
        kind: DiffKind::Added,
        input_id: input_id.clone(),
        id: None,
        key: None,
        matched: None,
        before: None,
        after: Some(Content {
            geometry: Some(Geometry::Span(Box::new(span))),
            ..Content::default()
        }),
    }];
    let mut surroundings = Surroundings::default();
    let backdrop = Backdrop {
        text: Some(format!("{text} and more")),
        ..Backdrop::default()
    };
    surroundings.backdrops.insert(input_id, backdrop);
    diff_html(&diff, &DiffOptions::default(), &surroundings)
}

#[test]
fn texts_with_spans_are_never_markup() {
    let plain = text_diff("plain");
    for text in CORPUS {
        is_harmless(&text_diff(text), &plain);
    }
    is_harmless(&text_diff("\0\u{202e}\u{1b}[2J\n"), &plain);
}

#[test]
fn texts_and_statistics_are_never_markup() {
    let count = |name: &str| {
        let mut counter = crate::stats::Counter::default();
        let content = Content {
            concepts: Some(concepts(&[name, "car"])),
            ..Content::default()
        };
        let labelled = crate::stats::Labelled {
            kind: "box",
            content: &content,
        };
        counter.add(None, [labelled]);
        stats_html(&counter.finish())
    };
    for name in CORPUS {
        is_harmless(&count(name), &count("plain"));
        is_harmless(&text_html(name, name), &text_html("plain", "plain"));
    }
}

#[test]
fn links_that_are_no_pictures_are_left_out() {
    for href in [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "data:image/png,\"><script>",
    ] {
        let plan = named("plain");
        let mut surroundings = Surroundings::default();
        for operation in &plan.operations {
            let backdrop = Backdrop {
                href: Some(href.to_owned()),
                ..Backdrop::default()
            };
            let backdrops = &mut surroundings.backdrops;
            backdrops.insert(operation.input_id.clone(), backdrop);
        }
        let page = html(&plan, &options(&surroundings));
        structure(&page);
        assert!(!page.contains("javascript:") && !page.contains("text/html"));
        assert!(!page.contains("<script>alert") && !page.contains("\"><script>"));
    }
}

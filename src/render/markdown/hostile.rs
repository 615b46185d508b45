//! Names are never read as markup.

use super::*;
use crate::model::{AnnotationId, ConceptId, Concepts, InputId, Json, Key, UserId};
use crate::plan::{AppChangeKind, Cause, TrippedGuard};
use crate::render::sample::{
    against_main, app_change, caused, concepts, deleted, edit_of, field, moved, observed_of, plan,
    posted, posted_content, relabelled,
};
use proptest::prelude::*;

/// A comment without its fences and code spans, which is the part where a name would be read as markup.
fn outside_code(markdown: &str) -> String {
    let mut rest = String::new();
    let mut fence: Option<String> = None;
    for line in markdown.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match &fence {
            Some(end) if line == end => fence = None,
            Some(_) => {}
            None if ticks >= 3 && line[ticks..] == *"diff" => fence = Some("`".repeat(ticks)),
            None => {
                rest.push_str(&without_spans(line));
                rest.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a fence is not closed in\n{markdown}");
    rest
}

/// A line without code spans and code elements. A span ends at the next run of as many backquotes.
fn without_spans(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['`', '<']) {
        outside.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(inside) = rest.strip_prefix("<code>") {
            let (code, after) = inside.split_once("</code>").expect("an element is closed");
            let harmless = code
                .replace("<span>&#64;</span>", "")
                .replace("<span>&#35;</span>", "");
            assert!(
                !harmless.contains(['<', '>', '`', '|', '@', '*', '[']),
                "{code}"
            );
            rest = after;
        } else if rest.starts_with('`') {
            let ticks = rest.len() - rest.trim_start_matches('`').len();
            let mut from = ticks;
            rest = loop {
                let start = from + rest[from..].find('`').expect("a span is closed");
                let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
                from = start + run;
                if run == ticks {
                    assert!(!rest[..start].contains('|'), "{line}");
                    break &rest[from..];
                }
            };
        } else if let Some(link) = rest.strip_prefix("<a href=\"") {
            let (address, after) = link.split_once("\">").expect("an attribute is closed");
            let is_safe = |c: char| c.is_ascii_alphanumeric() || "-._~%:/".contains(c);
            assert!(address.chars().all(is_safe), "{address}");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("</a>") {
            rest = after;
        } else {
            outside.push('<');
            rest = &rest[1..];
        }
    }
    outside + rest
}

/// A plan with this name in every field that can have it.
pub(in crate::render) fn named(name: &str) -> Plan {
    let id = |text: &str| AnnotationId::new(text).unwrap();
    let mut gone = deleted("a");
    gone.input_id = InputId::new(name).unwrap();
    gone.id = id(name);
    let content = &mut observed_of(&mut gone).content;
    content.concepts = Some(concepts(&[name]));
    let metadata = Some(Json::from_value(&serde_json::json!({ name: name })));
    content.rare.change(|rare| rare.metadata = metadata);
    let mut drifted = caused(moved(), Cause::Drift, Some(name));
    drifted.key = Some(Key::new(name).unwrap());
    observed_of(&mut drifted).seen.modified_at = Some(name.into());
    let mut changed = relabelled();
    edit_of(&mut changed).after.concepts = Some(concepts(&[name]));
    let mut plan = plan(vec![gone, drifted, changed, posted("zz", 1)]);
    let value = serde_json::to_string(name).unwrap();
    let mut there = app_change(
        &moved(),
        AppChangeKind::Changed,
        Some(name),
        vec![field(name, [&value, &value, &value], false)],
    );
    there.key = Some(Key::new(name).unwrap());
    let conflict = app_change(
        &moved(),
        AppChangeKind::Changed,
        Some(name),
        vec![field(name, [&value, &value, &value], true)],
    );
    plan.drift = vec![there, conflict];
    plan.target.app_id = name.to_owned();
    plan.target.endpoint = name.to_owned();
    plan.blind_spots = vec![name.to_owned()];
    plan.guards = vec![
        TrippedGuard::VanishedConcepts {
            concepts: vec![name.to_owned(); 2],
            limit: 0,
            renames: Vec::new(),
        },
        TrippedGuard::Deletes {
            count: 1,
            existing: 1,
            limit: name.to_owned(),
        },
    ];
    plan.purges = vec![crate::render::sample::purge("p", &["ann"])];
    plan.purges[0].input_id = InputId::new(name).unwrap();
    plan.purges[0].annotations[0].user = Some(UserId::new(name).unwrap());
    let concept = ConceptId::new(name).unwrap();
    plan.summary = crate::render::sample::eventful();
    plan.summary.emptied = vec![InputId::new(name).unwrap()];
    plan.summary.classes[0].concept = concept.clone();
    plan.summary.relabelled[0].from = vec![concept.clone(), concept];
    plan.summary.others[1].user = Some(UserId::new(name).unwrap());
    plan.summary.moved.largest[0].input_id = InputId::new(name).unwrap();
    let mut plan = against_main(plan);
    plan.base.as_mut().unwrap().revision = name.to_owned();
    plan.base.as_mut().unwrap().commit = name.to_owned();
    plan
}

#[track_caller]
fn is_harmless(name: &str) {
    for detail in [Detail::First200, Detail::Full] {
        is_harmless_at(name, detail, |_| {});
        // Inputs of the service have links.
        is_harmless_at(name, detail, |plan| {
            plan.target.endpoint = "https://api.clarifai.com".to_owned();
        });
    }
}

#[track_caller]
fn is_harmless_at(name: &str, detail: Detail, change: fn(&mut Plan)) {
    let mut filter = Filter::default();
    filter.concepts.extend(ConceptId::new(name));
    filter.concepts.extend(ConceptId::new("car"));
    filter.concepts.extend(ConceptId::new("person"));
    let options = MarkdownOptions {
        detail,
        filter,
        full_plan: None,
        sheets: None,
    };
    let mut one = named(name);
    let mut plain = named("plain");
    change(&mut one);
    change(&mut plain);
    let markdown = markdown(&one, &options);
    assert!(markdown.len() <= MARKDOWN_LIMIT, "{}", markdown.len());
    let plain = super::markdown(
        &plain,
        &MarkdownOptions {
            detail,
            filter: Filter {
                concepts: ["plain", "car", "person"]
                    .iter()
                    .map(|id| ConceptId::new(*id).unwrap())
                    .collect(),
                ..Filter::default()
            },
            full_plan: None,
            sheets: None,
        },
    );
    // The first line is the marker, which has its own encoding.
    let structure = |markdown: &str| {
        let body = markdown.split_once('\n').unwrap().1;
        outside_code(body)
    };
    assert_eq!(structure(&markdown), structure(&plain), "{markdown}");
    assert_eq!(markdown.lines().next().unwrap().matches("--").count(), 2);
    let is_shown = |c: char| c == '\n' || !crate::model::is_harmful(c);
    assert!(markdown.chars().all(is_shown), "{markdown:?}");
}

#[test]
fn names_that_look_like_markup_are_escaped() {
    for name in [
        "`",
        "``",
        "a`b``c```d",
        "a ` b",
        "|",
        r"\|",
        r"\",
        r"\`",
        "||",
        "a|`b",
        "</details>",
        "</code>",
        "<!-- -->",
        "-->",
        "--",
        "&lt;",
        "&#96;",
        "@me",
        "#123",
        "acme/x#1",
        "a@b.example",
        "https://a.example",
        "www.a.example",
        "**a**",
        "_a_",
        "[a](b)",
        "![a](b)",
        "~~a~~",
        ":tada:",
        "$a$",
        "```",
        "~~~",
        "````diff",
        "a\u{200b}",
        "- a",
        "+ a",
        "! a",
        "# a",
    ] {
        is_harmless(name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn names_are_never_markup(
        name in r"[`|\\<>&@#\[\]()*_~!\-+ a1:/.\u{200b}\u{1f600}]{1,24}"
            .prop_filter("is a name", |name| InputId::new(name.as_str()).is_ok()
                && Key::new(name.as_str()).is_ok()
                && ConceptId::new(name.as_str()).is_ok()
                && UserId::new(name.as_str()).is_ok()
                && AnnotationId::new(name.as_str()).is_ok())
    ) {
        is_harmless(&name);
    }

    #[test]
    fn comments_never_exceed_the_limit(
        kinds in proptest::collection::vec((0..4_u8, 0..40_u32), 1..100),
        name in "[`|\u{1f600}a]{1,1000}",
    ) {
        let operations = kinds.iter().enumerate().map(|(at, (kind, input))| {
            let number = u32::try_from(at).unwrap();
            let mut operation = match kind {
                0 => deleted("a"),
                1 => moved(),
                2 => relabelled(),
                _ => posted("a", number),
            };
            operation.input_id = InputId::new(format!("{input}{name}")).unwrap();
            operation.id = AnnotationId::new(format!("{number}{name}")).unwrap();
            let of_name = || Some(Concepts::new(concepts(&[&name]).iter().cloned().collect()).unwrap());
            match kind {
                0 => observed_of(&mut operation).content.concepts = of_name(),
                1 | 2 => {
                    let edit = edit_of(&mut operation);
                    edit.observed.content.concepts = of_name();
                    edit.after.concepts = of_name();
                }
                _ => posted_content(&mut operation).concepts = of_name(),
            }
            if number % 3 == 0 { caused(operation, Cause::Drift, Some("bea")) } else { operation }
        });
        let plan = against_main(plan(operations.collect()));
        let markdown = markdown(&plan, &MarkdownOptions::default());
        prop_assert!(markdown.len() <= MARKDOWN_LIMIT, "{}", markdown.len());
        outside_code(&markdown);
    }
}

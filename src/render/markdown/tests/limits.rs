//! Comments stay within the size that services accept.

use super::*;

/// The number of changes that the comment says are left out.
fn not_shown(markdown: &str) -> u64 {
    let Some((_, rest)) = markdown.split_once("**Left out because of the size limit: ") else {
        return 0;
    };
    let count = rest.split(' ').next().unwrap().replace(',', "");
    count.parse().unwrap()
}

fn count(markdown: &str, sign: &str) -> u64 {
    markdown
        .lines()
        .filter(|line| line.starts_with(sign))
        .count() as u64
}

#[test]
fn the_least_destructive_changes_of_a_large_plan_are_left_out_first() {
    let mut operations: Vec<_> = (0..50_000)
        .map(|n| posted(&format!("p-{n:05}"), n))
        .collect();
    operations.extend((0..50).map(|n| deleted(&format!("z-{n:02}"))));
    let mut plan = plan(operations);
    plan.summary.classes = eventful().classes;
    let markdown = shown(&plan);
    assert!(markdown.len() <= MARKDOWN_LIMIT, "{}", markdown.len());
    assert!(
        markdown.len() > MARKDOWN_LIMIT * 9 / 10,
        "{}",
        markdown.len()
    );
    assert!(markdown.contains("| 50,000 | 50 | 1,815 | 7 |"));
    // Every delete is shown twice, as a row and as a change.
    assert_eq!(count(&markdown, "| `z-"), 50);
    assert_eq!(count(&markdown, "- delete"), 50);
    let posts = count(&markdown, "+ post");
    assert!(posts > 50);
    assert_eq!(posts + not_shown(&markdown), 50_000);
    assert!(markdown.contains("### Classes"));
    assert_eq!(
        markdown.matches("<details>").count(),
        markdown.matches("</details>").count()
    );
}

#[test]
fn one_input_with_a_hundred_thousand_changes_fits() {
    let markdown = shown(&plan((0..100_000).map(|n| posted("one", n)).collect()));
    assert!(markdown.len() <= MARKDOWN_LIMIT);
    let posts = count(&markdown, "+ post");
    assert!(posts > 100, "{posts}");
    assert_eq!(posts + not_shown(&markdown), 100_000);
    assert!(markdown.contains(" more changes on this input not shown: "));
}

#[test]
fn deletes_that_do_not_fit_are_counted() {
    let deletes = (0..30_000).map(|n| deleted(&format!("z-{n:05}")));
    let markdown = shown(&plan(deletes.collect()));
    assert!(markdown.len() <= MARKDOWN_LIMIT);
    let rows = count(&markdown, "| `z-");
    let more = format!("\n{} more changes.\n", thousands(30_000 - rows));
    assert!(markdown.contains(&more), "{more}");
    assert_eq!(count(&markdown, "- delete") + not_shown(&markdown), 30_000);
}

#[test]
fn names_of_any_length_fit() {
    let long = |c: char| c.to_string().repeat(70_000);
    let mut gone = deleted("a");
    gone.input_id = InputId::new(long('i')).unwrap();
    gone.id = crate::model::AnnotationId::new(long('`')).unwrap();
    let mut named = relabelled();
    let many: Vec<String> = (0..2_000).map(|n| format!("c{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    edit_of(&mut named).after.concepts = Some(crate::render::sample::concepts(&many));
    let mut plan = plan(vec![gone, named]);
    plan.target.endpoint = long('|');
    plan.target.user_id = long('@');
    plan.target.app_id = long('<');
    plan.blind_spots = vec![long('#'); 10];
    plan.guards = vec![
        TrippedGuard::VanishedConcepts {
            concepts: vec![long('|'); 12],
            limit: 0,
            renames: Vec::new(),
        };
        3
    ];
    plan.summary = Summary {
        emptied: vec![InputId::new(long('|')).unwrap(); 12],
        ..eventful()
    };
    for class in &mut plan.summary.classes {
        class.concept = ConceptId::new(long('|')).unwrap();
    }
    for pair in &mut plan.summary.relabelled {
        pair.from = vec![ConceptId::new(long('`')).unwrap(); 9];
    }
    let markdown = shown(&plan);
    assert!(markdown.len() <= MARKDOWN_LIMIT, "{}", markdown.len());
    assert!(markdown.contains("| 5 | 1,204 | 9 |"));
}

//! One plan in every format: text, Markdown and JSON show the same numbers.

use super::World;
use annosync::plan::{self, Plan, Summary};
use annosync::render::{self, MARKDOWN_LIMIT, MarkdownOptions};
use std::collections::BTreeMap;

/// The rows of a section of the text: the lines below its title, up to the next empty one.
fn rows_of<'a>(text: &'a str, title: &str) -> Vec<&'a str> {
    let start = format!("\n{title}:\n");
    let Some((_, rest)) = text.split_once(&start) else {
        panic!("no {title} in\n{text}");
    };
    rest.lines().take_while(|line| !line.is_empty()).collect()
}

/// The rows of a table of the Markdown, as their cells.
fn cells_of(markdown: &str, heading: &str) -> Vec<Vec<String>> {
    let start = format!("### {heading}\n\n");
    let Some((_, rest)) = markdown.split_once(&start) else {
        panic!("no {heading} in\n{markdown}");
    };
    let rows = rest.lines().take_while(|line| line.starts_with('|'));
    let cells = rows.skip(2).map(|row| {
        let cells = row.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().replace('`', "")).collect()
    });
    cells.collect()
}

fn number(text: &str) -> i64 {
    let digits = text.trim_matches(['(', ')', '+']).replace(',', "");
    digits
        .parse()
        .unwrap_or_else(|_| panic!("{text:?} is not a number"))
}

/// The counts of the last line of a text: `329 to post` and so on.
fn counts_of_text(line: &str) -> BTreeMap<String, i64> {
    let words = line.trim_start_matches("Plan: ").split(['.', ';']).take(2);
    let parts = words.flat_map(|words| words.split(", "));
    parts
        .map(|part| {
            let (count, what) = part.trim().split_once(' ').unwrap();
            (what.trim_start_matches("to ").to_owned(), number(count))
        })
        .collect()
}

/// The table of counts of the Markdown.
fn counts_of_markdown(markdown: &str) -> BTreeMap<String, i64> {
    let mut tables = markdown.lines().filter(|line| line.starts_with('|'));
    let mut row = || {
        let row = tables.next().unwrap().trim_matches('|');
        row.split('|')
            .map(|cell| cell.trim().to_owned())
            .collect::<Vec<_>>()
    };
    let (titles, _, counts) = (row(), row(), row());
    let counts = counts.iter().map(|count| number(count));
    titles.into_iter().zip(counts).collect()
}

fn counts_of_summary(summary: &Summary) -> BTreeMap<String, i64> {
    let counts = [
        ("post", summary.actions.post),
        ("merge", summary.actions.merge),
        ("overwrite", summary.actions.overwrite),
        ("remove", summary.actions.remove),
        ("delete", summary.actions.delete),
        ("unchanged", summary.unchanged),
        ("unmanaged", summary.unmanaged),
    ];
    counts
        .into_iter()
        .map(|(what, count)| (what.to_owned(), i64::try_from(count).unwrap()))
        .collect()
}

/// Class, before, after, difference; sorted by class.
type Classes = Vec<(String, i64, i64, i64)>;

fn classes_of_summary(summary: &Summary) -> Classes {
    let number = |count: u64| i64::try_from(count).unwrap();
    let classes = summary.classes.iter().map(|class| {
        let name = class.concept.to_string();
        let (before, after) = (number(class.before), number(class.after));
        (name, before, after, class.difference())
    });
    classes.collect()
}

fn classes_of_text(text: &str) -> Classes {
    let rows = rows_of(text, "Classes").into_iter().map(|row| {
        let (rest, difference) = row.rsplit_once(' ').unwrap();
        let (rest, after) = rest.rsplit_once("->").unwrap();
        let (name, before) = rest.trim_end().rsplit_once(' ').unwrap();
        let name = name.trim().to_owned();
        (
            name,
            number(before),
            number(after.trim()),
            number(difference),
        )
    });
    let mut classes: Classes = rows.collect();
    classes.sort();
    classes
}

fn classes_of_markdown(markdown: &str) -> Classes {
    let rows = cells_of(markdown, "Classes").into_iter().map(|cells| {
        let name = cells[0].clone();
        (
            name,
            number(&cells[1]),
            number(&cells[2]),
            number(&cells[3]),
        )
    });
    let mut classes: Classes = rows.collect();
    classes.sort();
    classes
}

/// From, to, count.
type Relabelled = Vec<(String, String, i64)>;

fn relabelled_of_summary(summary: &Summary) -> Relabelled {
    let names = |ids: &[annosync::model::ConceptId]| {
        let names: Vec<&str> = ids.iter().map(annosync::model::ConceptId::as_str).collect();
        names.join(", ")
    };
    let pairs = summary.relabelled.iter().map(|pair| {
        let count = i64::try_from(pair.count).unwrap();
        (names(&pair.from), names(&pair.to), count)
    });
    pairs.collect()
}

fn relabelled_of_text(text: &str) -> Relabelled {
    let rows = rows_of(text, "Relabelled").into_iter().map(|row| {
        let (names, count) = row.rsplit_once('(').unwrap();
        let (from, to) = names.split_once(" -> ").unwrap();
        (
            from.trim().to_owned(),
            to.trim().to_owned(),
            number(count.trim().trim_end_matches(')')),
        )
    });
    rows.collect()
}

fn relabelled_of_markdown(markdown: &str) -> Relabelled {
    let rows = cells_of(markdown, "Relabelled").into_iter();
    rows.map(|cells| (cells[0].clone(), cells[1].clone(), number(&cells[2])))
        .collect()
}

fn read(json: &str) -> Plan {
    plan::read(json).unwrap().unwrap()
}

/// Checks that text, Markdown and JSON give the same numbers of the plan from TACO's first version to its second.
pub(super) fn agree_about_taco(world: &World) {
    let plan_as = |format: &str| {
        let full = ["plan", ".", "--full", "--format", format];
        world.run(&full).exits(0).stdout
    };
    let (text, json) = (plan_as("text"), plan_as("json"));
    let plan = read(&json);
    let markdown = render::markdown(&plan, &MarkdownOptions::default());
    let summary = &plan.summary;

    // What was counted by hand: 1,827 before and 2,152 after, of which 1,815 unchanged, 8 relabelled, 4 turned,
    // 325 new.
    let relabelled: u64 = summary.relabelled.iter().map(|pair| pair.count).sum();
    let counted = (
        summary.unchanged,
        relabelled,
        summary.actions.delete,
        summary.actions.post,
    );
    assert_eq!(counted, (1_815, 8, 0, 325));
    let turned: u64 = summary.turned.iter().map(|it| it.annotations).sum();
    assert_eq!(turned, 4);
    assert_eq!(summary.existing, 1_827);
    assert_eq!(
        summary.unchanged + relabelled + turned + summary.actions.post,
        2_152
    );
    assert_eq!(summary.moved.count(), 0);
    let pairs = relabelled_of_summary(summary);
    let pair = |from: &str, to: &str, count| (from.to_owned(), to.to_owned(), count);
    assert_eq!(
        pairs[..2],
        [
            pair("Produce bag", "Plastic Film", 4),
            pair("Retort pouch", "Other plastic wrapper", 2),
        ]
    );

    // The other formats have the same numbers.
    let mut counts = counts_of_summary(summary);
    counts.retain(|_, count| *count > 0);
    assert_eq!(counts_of_text(text.lines().last().unwrap()), counts);
    let mut table = counts_of_markdown(&markdown);
    let new_concepts = i64::try_from(summary.new_concepts.len()).unwrap();
    assert_eq!(table.remove("new concepts"), Some(new_concepts));
    assert_eq!(table, counts);
    for headline in ["325 to post", "12 to overwrite"] {
        let line = markdown.lines().nth(1).unwrap();
        assert!(line.starts_with("## ") && line.contains(headline), "{line}");
    }
    let forecast = format!(
        "{} calls (lower bound {})",
        summary.calls, summary.lower_bound
    );
    assert!(text.contains(&forecast) && markdown.contains(&forecast));
    let classes = classes_of_summary(summary);
    // The changes of the classes equal those of the annotations, because each of TACO's has one class.
    let change: i64 = classes.iter().map(|(.., difference)| difference).sum();
    assert_eq!(change, 325);
    assert_eq!(classes_of_text(&text), classes);
    assert_eq!(classes_of_markdown(&markdown), classes);
    assert_eq!(relabelled_of_text(&text), pairs);
    assert_eq!(relabelled_of_markdown(&markdown), pairs);

    // Both list the vanishing classes, which are too small to stop the plan, and every deleted annotation.
    let gone = "4 concepts will no longer be used (";
    assert!(text.contains(&format!("Warning: {gone}")), "{text}");
    assert!(markdown.contains(gone), "{markdown}");
    // Nothing is deleted: what a rotation of two pictures explains is turned, in every format.
    let turned = "turned by 90 degrees";
    assert_eq!(text.matches(&format!("(matched: {turned})")).count(), 4);
    assert_eq!(
        cells_of(&markdown, "Turned pictures (4 annotations on 2 inputs)").len(),
        1
    );
    assert!(!markdown.contains("### Deletes"), "{markdown}");
    assert!(markdown.len() <= MARKDOWN_LIMIT);
}

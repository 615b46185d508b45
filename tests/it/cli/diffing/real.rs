//! Real label sets, whose differences were counted by other means.

use super::diff;
use crate::cli::{skipped, taco};
use annosync::render::thousands;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn shared(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    skipped(&format!("no data in {}", folder.display()));
    None
}

#[test]
fn the_versions_of_taco_differ_by_few_labels_and_two_turned_pictures() {
    let Some(data) = taco::data() else { return };
    let sides = ["annotations-a56f6cb.json", "annotations-a35e944.json"];
    let run = diff(&data, &sides).exits(2);
    assert_eq!(
        run.last_line(),
        "325 added, 8 relabelled, 4 turned; 1,815 unchanged."
    );
    assert!(
        run.stdout.contains(
            "\nTurned pictures (4 annotations on 2 inputs): turned by 90 degrees (4 on 2)\n"
        ),
        "{}",
        run.stdout
    );
    let back = diff(&data, &[sides[1], sides[0], "--only", "turned"]).exits(2);
    assert_eq!(
        back.last_line(),
        "325 removed, 8 relabelled, 4 turned; 1,815 unchanged."
    );
    assert_eq!(
        back.stdout
            .matches("(matched: turned by 270 degrees)")
            .count(),
        4
    );
}

#[test]
fn the_same_labels_in_four_formats_have_no_differences() {
    let Some(data) = shared("voc100") else { return };
    let coco = "coco_format_v1";
    for other in ["voc:pascalvoc_format", "cvat:cvat_format", "yolo_format"] {
        for sides in [[coco, other], [other, coco]] {
            let run = diff(&data, &sides).exits(0);
            assert_eq!(run.stdout, "No differences; 273 unchanged.\n", "{sides:?}");
        }
    }
}

#[test]
fn the_versions_of_the_blood_cells_differ_as_counted_by_hand() {
    let Some(data) = shared("bccd") else { return };
    let run = diff(&data, &["v1", "v2", "--only", "removed"]).exits(2);
    // Two boxes without an area are on both sides: not imported, and unchanged.
    assert_eq!(
        run.last_line(),
        "1,109 added, 75 removed, 517 moved, 21 inputs added; 3,262 unchanged.",
        "{}",
        run.stderr
    );
}

/// The numbers of a diff by their places in text, Markdown, page and contact sheets.
#[test]
fn every_format_shows_the_same_numbers_of_real_versions() {
    for (set, sides) in [
        ("bccd", ["v1", "v2"]),
        (
            "taco",
            ["annotations-a56f6cb.json", "annotations-a35e944.json"],
        ),
    ] {
        let Some(data) = shared(set) else { return };
        let out = tempfile::tempdir().unwrap();
        let sheets = format!("images={}", out.path().join("sheets").display());
        let of = |more: &[&str]| diff(&data, &[&sides[..], more].concat()).exits(2).stdout;
        let json: Value = serde_json::from_str(&of(&["--format", "json"])).unwrap();
        let text = of(&["--full"]);
        let closing = text
            .lines()
            .last()
            .unwrap()
            .trim_end_matches('.')
            .to_owned();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let page = of(&["--format", "html"]);
        let markdown = of(&[
            "--format",
            "markdown",
            "--also",
            &sheets,
            "--max-sheets",
            "1",
        ]);
        let all = json["changes"].as_array().unwrap().len();
        let summary = &json["summary"];
        let kinds = "added removed relabelled moved moved_and_relabelled turned attributes";
        let sum: u64 = kinds
            .split(' ')
            .map(|kind| summary[kind].as_u64().unwrap())
            .sum();
        assert_eq!(sum, all as u64);

        assert!(
            markdown.starts_with(&format!("## annosync diff: {closing}\n")),
            "{set}"
        );
        assert!(page.contains(&format!("<p>{closing}.</p>")), "{set}");
        assert!(page.contains(&format!(" of {} differences shown.", thousands(all as u64))));
        let left_out = thousands(all as u64 - 12);
        assert!(markdown.contains("12 changes on 1 contact sheet."), "{set}");
        assert!(
            markdown.contains(&format!(" {left_out} more not drawn")),
            "{set}"
        );

        let shown = Shown {
            text: &text,
            markdown: &markdown,
            page: &page,
        };
        shown.has_classes(summary);
        shown.has_relabellings(summary);
        shown.has_moves(summary);
    }
}

/// A diff in the formats for people; the text on one line.
struct Shown<'a> {
    text: &'a str,
    markdown: &'a str,
    page: &'a str,
}

impl Shown<'_> {
    fn has_classes(&self, summary: &Value) {
        let Self {
            text,
            markdown,
            page,
        } = self;
        for class in summary["classes"].as_array().unwrap() {
            let name = class["concept"].as_str().unwrap();
            let [before, after] = ["before", "after"].map(|side| class[side].as_u64().unwrap());
            let change = after.cast_signed() - before.cast_signed();
            let sign = if change < 0 { "-" } else { "+" };
            let change = format!("{sign}{}", thousands(change.unsigned_abs()));
            let [before, after] = [before, after].map(thousands);
            let row = format!("| `{name}` | {before} | {after} | {change} |");
            assert!(markdown.contains(&row), "{row}");
            let row = format!("{name} {before} -> {after} ({change})");
            assert!(text.contains(&row), "{row}");
            let number = |text: &str| format!("<td class=\"n\">{text}</td>");
            let numbers = [&before, &after, &change].map(|it| number(it)).concat();
            let row = format!("<bdi>{name}</bdi></th>{numbers}");
            assert!(page.contains(&row), "{row}");
        }
    }

    fn has_relabellings(&self, summary: &Value) {
        let Self {
            text,
            markdown,
            page,
        } = self;
        for pair in summary["relabellings"].as_array().unwrap() {
            let [from, to] = ["from", "to"].map(|side| pair[side][0].as_str().unwrap());
            let count = pair["count"].as_u64().unwrap();
            assert!(
                markdown.contains(&format!("| `{from}` | `{to}` | {count} |")),
                "{from}"
            );
            assert!(
                text.contains(&format!("{from} -> {to} ({count})")),
                "{from}"
            );
            let matrix = &page[page.find("class=\"matrix\"").unwrap()..];
            let row = &matrix[matrix.find(&format!("<bdi>{from}</bdi></th>")).unwrap()..];
            assert!(
                row[..row.find("</tr>").unwrap()].contains(&format!(">{count}</td>")),
                "{from}"
            );
        }
    }

    fn has_moves(&self, summary: &Value) {
        let Self {
            text,
            markdown,
            page,
        } = self;
        let histogram = summary["moves"]["histogram"].as_array().unwrap();
        for (tenth, count) in histogram.iter().enumerate() {
            let count = count.as_u64().unwrap();
            if count == 0 {
                continue;
            }
            let end = format!("{:.1}", (tenth + 1) as f64 / 10.0);
            let name = format!("IoU 0.{tenth} to {end}");
            let count = thousands(count);
            assert!(
                markdown.contains(&format!("| {name} | {count} |")),
                "{name}"
            );
            assert!(text.contains(&format!("{name}: {count} ")), "{name}");
            assert!(
                page.contains(&format!("{name}</th><td class=\"n\">{count}</td>")),
                "{name}"
            );
        }
    }
}

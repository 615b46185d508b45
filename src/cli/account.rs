//! The account of an import or an export: one line per code, with its count and first place.

use crate::formats::{ConversionNote, Exported, Imported, Skipped};
use crate::model::plural;
use crate::render::{counted, escape, thousands};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Which places the report lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Places {
    /// The first of each code.
    First,
    All,
}

/// All places with `-v`.
pub(super) fn places() -> Places {
    if tracing::enabled!(tracing::Level::DEBUG) {
        Places::All
    } else {
        Places::First
    }
}

/// What an import left out and changed, and totals.
pub(super) fn of_import(imported: &Imported, places: Places) -> String {
    let mut text = lines(&imported.skipped, &imported.notes, places);
    let _ = writeln!(
        text,
        "{} of {} on {} of {}, {}.",
        thousands(imported.taken_over as u64),
        counted(imported.annotations as u64, "annotation"),
        thousands(imported.inputs.len() as u64),
        counted(imported.images as u64, "image"),
        categories(imported.categories as u64),
    );
    text
}

/// What an export left out and changed, and totals.
pub(super) fn of_export(exported: &Exported, places: Places) -> String {
    let mut text = lines(&exported.skipped, &exported.notes, places);
    let _ = writeln!(
        text,
        "{} of {} on {}, {}.",
        thousands(exported.written as u64),
        counted(exported.annotations as u64, "annotation"),
        counted(exported.inputs as u64, "input"),
        categories(exported.classes.len() as u64),
    );
    text
}

fn lines(skipped: &[Skipped], notes: &[ConversionNote], places: Places) -> String {
    let mut text = String::new();
    let mut by_code: BTreeMap<_, Vec<&Skipped>> = BTreeMap::new();
    for each in skipped {
        by_code.entry(each.code).or_default().push(each);
    }
    for (code, of_code) in by_code {
        let heading = format!("left out: {code}: {}", thousands(of_code.len() as u64));
        let lines: Vec<String> = of_code.into_iter().map(line).collect();
        group(&mut text, &heading, &lines, places);
    }
    let mut by_code: BTreeMap<_, Vec<&ConversionNote>> = BTreeMap::new();
    for each in notes {
        by_code.entry(each.code).or_default().push(each);
    }
    for (code, of_code) in by_code {
        let count = of_code.len() as u64;
        let objects = match code.noun() {
            "category" => categories(count),
            noun => counted(count, noun),
        };
        let first = match (of_code[0], places) {
            (only, _) if count == 1 => format!(" ({})", escape(&only.place)),
            (first, Places::First) => format!(" (first: {})", escape(&first.place)),
            _ => String::new(),
        };
        let _ = writeln!(text, "note: {code}: {objects}{first}: {}", code.words());
        if places == Places::All && count > 1 {
            for noted in of_code {
                let _ = writeln!(text, "  {}", escape(&noted.place));
            }
        }
    }
    text
}

fn categories(count: u64) -> String {
    format!(
        "{} {}",
        thousands(count),
        plural(count, "category", "categories")
    )
}

fn group(text: &mut String, heading: &str, lines: &[String], places: Places) {
    match (lines, places) {
        ([], _) => {
            let _ = writeln!(text, "{heading}");
        }
        ([one], _) => {
            let _ = writeln!(text, "{heading}: {one}");
        }
        ([first, ..], Places::First) => {
            let _ = writeln!(text, "{heading}, first: {first}");
        }
        (all, Places::All) => {
            let _ = writeln!(text, "{heading}");
            for line in all {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
}

fn line(skipped: &Skipped) -> String {
    let place = [
        ("annotation", &skipped.annotation),
        ("image", &skipped.image),
    ];
    let mut place: Vec<String> = place
        .into_iter()
        .filter_map(|(noun, name)| Some(format!("{noun} {}", escape(name.as_deref()?))))
        .collect();
    if place.is_empty() {
        place.push("an image".to_owned());
    }
    format!("{}: {}", place.join(" "), escape(&skipped.detail))
}

//! The report of an import: one line per code, with its count and first place.

use crate::formats::{Imported, Skipped};
use crate::model::plural;
use crate::render::{counted, escape, thousands};
use std::fmt::Write as _;

/// Which places the report lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Places {
    /// The first of each code.
    First,
    All,
}

/// What was left out, what was changed, and totals.
pub(super) fn account(imported: &Imported, places: Places) -> String {
    let mut text = String::new();
    for (code, count) in imported.skipped_by_code() {
        let of_code = imported.skipped.iter().filter(|it| it.code == code);
        let lines: Vec<String> = of_code.map(skipped).collect();
        let heading = format!("left out: {code}: {}", thousands(count));
        group(&mut text, &heading, &lines, places);
    }
    for (code, count) in imported.notes_by_code() {
        let mut of_code = imported.notes.iter().filter(|it| it.code == code);
        let objects = match code.noun() {
            "category" => categories(count),
            noun => counted(count, noun),
        };
        let first = match (of_code.next(), places) {
            (Some(only), _) if count == 1 => format!(" ({})", escape(&only.place)),
            (Some(first), Places::First) => format!(" (first: {})", escape(&first.place)),
            _ => String::new(),
        };
        let _ = writeln!(text, "note: {code}: {objects}{first}: {}", code.words());
        if places == Places::All && count > 1 {
            for noted in imported.notes.iter().filter(|it| it.code == code) {
                let _ = writeln!(text, "  {}", escape(&noted.place));
            }
        }
    }
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

fn skipped(skipped: &Skipped) -> String {
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

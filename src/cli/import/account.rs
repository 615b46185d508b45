//! What an import could not take over as it is, in words: one line for each code, with its count and first place.

use crate::formats::{Imported, Skipped};
use crate::render::{escape, thousands};
use std::fmt::Write as _;

/// Which places are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Places {
    /// The first one of each code.
    First,
    /// Every one.
    All,
}

/// What was left out, what was taken over in another form, and how much of it all there is.
pub(super) fn account(imported: &Imported, places: Places) -> String {
    let mut text = String::new();
    for (code, count) in imported.skipped_by_code() {
        let of_code = imported.skipped.iter().filter(|it| it.code == code);
        let lines: Vec<String> = of_code.map(skipped).collect();
        let heading = format!("left out: {code}: {}", thousands(count));
        group(&mut text, &heading, &lines, places);
    }
    for (code, count) in imported.notes_by_code() {
        let of_code = imported.notes.iter().filter(|it| it.code == code);
        let lines: Vec<String> = of_code.map(|it| escape(&it.place).into_owned()).collect();
        let heading = format!("note: {code}: {}", thousands(count));
        group(&mut text, &heading, &lines, places);
    }
    let images = imported.inputs.len() as u64;
    let _ = writeln!(
        text,
        "{} of {} annotations on {} of {} images, {} categories.",
        thousands(imported.taken_over as u64),
        thousands(imported.annotations as u64),
        thousands(images),
        thousands(imported.images as u64),
        thousands(imported.categories as u64),
    );
    text
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

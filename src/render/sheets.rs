//! The changes of a plan or a diff on contact sheets, and the list of them.

use super::change::ShownChange;
use super::diff::{self, DiffOptions};
use super::filter::Filter;
use super::place;
use super::review::{self, ReviewedInput, Surroundings};
use super::sheet_list::{ListedChange, ListedSheet, SheetList};
use crate::drawing::{self, Backdrop, Passage, Period, Role, TILES, Tile};
use crate::model::{Content, Geometry, escape};
use crate::plan::{Diff, Plan};
use rayon::prelude::*;
use std::ops::Range;

/// Contact sheets: their files, and what they show.
#[derive(Debug, Clone, Default)]
pub struct Sheets {
    pub files: Vec<SheetFile>,
    pub list: SheetList,
}

/// A PNG file.
#[derive(Debug, Clone)]
pub struct SheetFile {
    pub name: String,
    pub png: Vec<u8>,
}

/// The contact sheets of a plan, at most `most`.
pub fn plan_sheets(
    plan: &Plan,
    filter: &Filter,
    surroundings: &Surroundings,
    most: usize,
) -> Sheets {
    sheets(&review::of_plan(plan, filter), surroundings, most)
}

/// The contact sheets of a diff, at most `most`.
pub fn diff_sheets(
    diff: &Diff,
    options: &DiffOptions,
    surroundings: &Surroundings,
    most: usize,
) -> Sheets {
    let chosen = diff::chosen(diff, options);
    sheets(&review::of_differences(&chosen), surroundings, most)
}

fn sheets(reviewed: &[ReviewedInput<'_>], surroundings: &Surroundings, most: usize) -> Sheets {
    let changes: Vec<&ShownChange<'_>> =
        (reviewed.iter()).flat_map(|input| &input.changes).collect();
    let shown = &changes[..changes.len().min(most.saturating_mul(TILES))];
    let pages: Vec<&[&ShownChange<'_>]> = shown.chunks(TILES).collect();
    let made: Vec<(SheetFile, ListedSheet)> = pages
        .into_par_iter()
        .enumerate()
        .map(|(page, changes)| {
            let first = page * TILES + 1;
            let name = format!("sheet-{:03}.png", page + 1);
            let tiles: Vec<Tile<'_>> = (first..)
                .zip(changes)
                .map(|(number, change)| tile(number, change, surroundings))
                .collect();
            let listed = (first..).zip(changes).map(|(number, change)| ListedChange {
                number,
                input_id: change.input_id.clone(),
                words: format!("{} {}", change.sign.symbol(), change.line()),
            });
            let listed = ListedSheet {
                file: name.clone(),
                changes: listed.collect(),
            };
            let png = drawing::sheet(&tiles);
            (SheetFile { name, png }, listed)
        })
        .collect();
    let (files, listed) = made.into_iter().unzip();
    Sheets {
        files,
        list: SheetList {
            sheets: listed,
            left_out: (changes.len() - shown.len()) as u64,
            notes: surroundings.notes.clone(),
            ..SheetList::default()
        },
    }
}

fn tile<'a>(number: usize, change: &ShownChange<'_>, surroundings: &'a Surroundings) -> Tile<'a> {
    let alone = ReviewedInput {
        input_id: change.input_id,
        changes: vec![change.clone()],
    };
    let backdrop = surroundings.backdrops.get(change.input_id);
    let part = review::enlarged(change).map(|area| {
        let crops = backdrop.map_or(&[][..], |it| &it.crops);
        let crop = crops
            .iter()
            .find(|crop| crop.area.map(f32::to_bits) == area.map(f32::to_bits));
        (area, crop.map(|it| it.href.as_str()))
    });
    let heading = format!(
        "{number} {} {} {}",
        change.sign.symbol(),
        change.kind,
        change.name
    );
    let moments = review::sides(change).filter_map(|(content, _)| place::moment(content));
    let mut moments: Vec<String> = moments.collect();
    moments.dedup();
    let mut changed = vec![change.concepts(), moments.join(" -> ")];
    changed.extend(change.other_fields());
    changed.retain(|it| !it.is_empty());
    let changed = changed.join("; ");
    Tile {
        figure: alone.figure(surroundings),
        picture: backdrop.and_then(|it| it.href.as_deref()),
        part,
        passage: backdrop.and_then(|it| passage(change, it)),
        periods: periods(change),
        words: [heading, changed, change.input_id.to_string()]
            .map(|line| escape(&line).trim_end().to_owned()),
    }
}

/// The segments of a video or an audio file, before and after the change.
fn periods(change: &ShownChange<'_>) -> Vec<Period> {
    review::sides(change)
        .filter_map(|(content, role)| match content.geometry.as_ref()? {
            Geometry::Segment(segment) => Some(Period {
                begin: segment.begin(),
                end: segment.end(),
                role,
            }),
            _ => None,
        })
        .collect()
}

/// The text with the characters of a span marked, before and after the change.
fn passage<'a>(change: &ShownChange<'_>, backdrop: &'a Backdrop) -> Option<Passage<'a>> {
    let span = |content: Option<&Content>| -> Option<Range<usize>> {
        match content?.geometry.as_ref()? {
            Geometry::Span(span) => Some(span.start() as usize..span.end() as usize),
            _ => None,
        }
    };
    let (before, after) = match (span(change.before), span(change.after)) {
        (None, Some(after)) => (None, Some((after, Role::Added))),
        (Some(before), None) => (Some((before, Role::Removed)), None),
        (before, after) => (
            before.map(|it| (it, Role::Before)),
            after.map(|it| (it, Role::After)),
        ),
    };
    Some(Passage {
        text: backdrop.text.as_deref()?,
        marks: before.into_iter().chain(after).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn tiles_name_seconds_and_frames() {
        use crate::model::{Frame, Segment};
        let seconds = |begin, end| Content {
            geometry: Some(Geometry::Segment(Segment::new(begin, end).unwrap())),
            concepts: Some(sample::concepts(&["voice"])),
            ..Content::default()
        };
        let framed = |number| Content {
            frame: Some(Frame {
                time_ms: 1_500,
                number,
            }),
            geometry: Some(sample::a_box(0.5)),
            concepts: Some(sample::concepts(&["car"])),
            ..Content::default()
        };
        let input = crate::model::InputId::new("a").unwrap();
        let around = Surroundings::default();
        let words = |before: &Content, after: &Content| {
            let change = ShownChange::of_contents(&input, before, Some(after));
            let tile = tile(1, &change, &around);
            (tile.words[1].clone(), tile.periods.len())
        };
        let moved = words(&seconds(0.5, 3.0), &seconds(1.0, 4.25));
        assert_eq!(
            moved,
            ("voice; 0.5 s to 3 s -> 1 s to 4.25 s".to_owned(), 2)
        );
        let still = words(&framed(45), &framed(45));
        assert_eq!(still, ("car; frame 45 at 1.500 s".to_owned(), 0));
    }

    #[test]
    fn every_change_has_a_tile_with_a_number_and_words() {
        let operations: Vec<_> = (0..20).map(|n| sample::deleted(&format!("a{n}"))).collect();
        let plan = sample::plan(operations);
        let all = plan_sheets(&plan, &Filter::default(), &Surroundings::default(), 9);
        let names: Vec<&str> = all.files.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["sheet-001.png", "sheet-002.png"]);
        assert!(all.files.iter().all(|it| drawing::is_sheet(&it.png)));
        let numbers = all.list.sheets.iter().flat_map(|it| &it.changes);
        let numbers: Vec<usize> = numbers.map(|it| it.number).collect();
        assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
        assert_eq!(all.list.left_out, 0);
        let words = &all.list.sheets[0].changes[0].words;
        assert!(words.starts_with("- delete "), "{words}");
        let some = plan_sheets(&plan, &Filter::default(), &Surroundings::default(), 1);
        assert_eq!((some.files.len(), some.list.left_out), (1, 8));
        assert_eq!(some.files[0].png, all.files[0].png);
        let none = plan_sheets(
            &sample::plan(Vec::new()),
            &Filter::default(),
            &Surroundings::default(),
            9,
        );
        assert!(none.files.is_empty());
    }
}

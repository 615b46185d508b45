//! The summary of a plan as sections of rows. All formats write these rows, so that their numbers agree.
//!
//! Selects and limits the rows; counts nothing. Guards, policies and blind spots are in `warnings`, changes made in the app
//! in `drift`.

use super::phrase::Phrase;
use crate::model::{ConceptId, InputId, counted, thousands};
use crate::plan::{DISTANCES, Move, Summary, Turned};
use std::cmp::Reverse;

/// Up to this many moves there is no histogram.
const FEW_MOVES: u64 = 5;
/// Inputs without labels that are named.
const EMPTIED: usize = 10;
/// Concepts that one side of a relabelling names.
const CONCEPTS: usize = 5;
/// The length of a histogram's longest bar.
pub(super) const BAR: u64 = 30;

/// A section of the report.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) title: Phrase,
    pub(super) layout: Layout,
    /// One per cell of a row.
    pub(super) columns: &'static [Column],
    pub(super) rows: Vec<Vec<Cell>>,
    /// Rows that are left out.
    pub(super) more: u64,
    /// What a row is, in the singular.
    pub(super) row_noun: &'static str,
    /// A sentence after the rows.
    pub(super) note: Option<String>,
}

/// How the rows of a section are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One per line.
    Table,
    /// All on one line.
    List,
}

/// A column: its title, and the words around each cell when the row is written as a sentence.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Phrase(Phrase),
    Count(u64),
    /// A difference, written with its sign.
    Change(i64),
    /// A bar of this length.
    Bar(u64),
    /// A zero that is left out, with the words of its column.
    LeftOut,
}

impl Cell {
    fn name(name: &str) -> Self {
        Self::Phrase(Phrase::new().name(name))
    }

    /// A count that says nothing if it is 0.
    fn count(count: u64) -> Self {
        match count {
            0 => Self::LeftOut,
            count => Self::Count(count),
        }
    }
}

/// A difference with its sign: `+1,204`, `-3`.
pub(super) fn signed(change: i64) -> String {
    let sign = if change < 0 { "-" } else { "+" };
    format!("{sign}{}", thousands(change.unsigned_abs()))
}

/// All sections that have something to report, with up to `limit` rows each.
pub(super) fn sections(summary: &Summary, limit: usize) -> Vec<Section> {
    every(summary, limit, largest_moves(summary))
}

/// The sections that name no single change.
pub(super) fn overview(summary: &Summary, limit: usize) -> Vec<Section> {
    every(summary, limit, None)
}

fn every(summary: &Summary, limit: usize, largest_moves: Option<Section>) -> Vec<Section> {
    [
        new_concepts(summary, limit),
        others(summary, limit),
        unmanaged(summary, limit),
        emptied(&summary.emptied),
        classes(summary, limit),
        relabelled(summary, limit),
        moved(summary),
        largest_moves,
        turned(summary),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A section of the first rows; `None` if there are none.
fn table<'a, T: 'a>(
    title: impl Into<Phrase>,
    columns: &'static [Column],
    (all, limit): (impl ExactSizeIterator<Item = &'a T>, usize),
    row: impl Fn(&'a T) -> Vec<Cell>,
    row_noun: &'static str,
) -> Option<Section> {
    let more = all.len().saturating_sub(limit) as u64;
    let rows: Vec<_> = all.take(limit).map(row).collect();
    (!rows.is_empty()).then(|| Section {
        title: title.into(),
        layout: Layout::Table,
        columns,
        rows,
        more,
        row_noun,
        note: None,
    })
}

fn new_concepts(summary: &Summary, limit: usize) -> Option<Section> {
    const COLUMNS: [Column; 3] = [
        column("concept", "", ""),
        column("annotations", " (", ")"),
        column("nearest existing", ", nearest existing: ", ""),
    ];
    let count = summary.new_concepts.len() as u64;
    table(
        format!(
            "Creates {}; the service cannot delete concepts",
            counted(count, "concept")
        ),
        &COLUMNS,
        (summary.new_concepts.iter(), limit),
        |new| {
            let nearest = match &new.nearest {
                Some(nearest) => Cell::name(nearest.as_str()),
                None => Cell::Phrase("none".into()),
            };
            let concept = Cell::name(new.concept.as_str());
            vec![concept, Cell::Count(new.annotations), nearest]
        },
        "concept",
    )
}

fn others(summary: &Summary, limit: usize) -> Option<Section> {
    const COLUMNS: [Column; 3] = [
        column("user", "", ""),
        column("changed", " ", " changed"),
        column("deleted", ", ", " deleted"),
    ];
    // Users with the most deletes first; the sort is stable, and an unknown user is last.
    let mut others: Vec<_> = summary.others.iter().collect();
    others.sort_by_key(|other| {
        (
            Reverse((other.deleted, other.changed)),
            other.user.is_none(),
        )
    });
    table(
        "Other people's work",
        &COLUMNS,
        (others.into_iter(), limit),
        |other| {
            let user = match &other.user {
                Some(user) => Cell::name(user.as_str()),
                None => Cell::Phrase("(user unknown)".into()),
            };
            vec![user, Cell::count(other.changed), Cell::count(other.deleted)]
        },
        "user",
    )
}

fn unmanaged(summary: &Summary, limit: usize) -> Option<Section> {
    const COLUMNS: [Column; 2] = [column("user", "", ""), column("annotations", " ", "")];
    // Users with the most annotations first; the sort is stable.
    let mut users: Vec<_> = summary.unmanaged_users.iter().collect();
    users.sort_by_key(|user| Reverse(user.count));
    table(
        "Unmanaged annotations of other people on declared inputs",
        &COLUMNS,
        (users.into_iter(), limit),
        |entry| {
            let user = match &entry.user {
                Some(user) => Cell::name(user.as_str()),
                None => Cell::Phrase("(user unknown)".into()),
            };
            vec![user, Cell::Count(entry.count)]
        },
        "user",
    )
}

fn emptied(inputs: &[InputId]) -> Option<Section> {
    const COLUMNS: [Column; 1] = [column("input", "", "")];
    let title = format!(
        "Left without labels ({})",
        counted(inputs.len() as u64, "input")
    );
    let row = |input: &InputId| vec![Cell::name(input.as_str())];
    let section = table(title, &COLUMNS, (inputs.iter(), EMPTIED), row, "input")?;
    Some(Section {
        layout: Layout::List,
        ..section
    })
}

fn classes(summary: &Summary, limit: usize) -> Option<Section> {
    const COLUMNS: [Column; 4] = [
        column("class", "", ""),
        column("before", " ", ""),
        column("after", " -> ", ""),
        column("change", " ", ""),
    ];
    // The largest changes first; the sort is stable.
    let mut classes: Vec<_> = summary.classes.iter().collect();
    classes.sort_by_key(|class| Reverse(class.difference().unsigned_abs()));
    table(
        "Classes",
        &COLUMNS,
        (classes.into_iter(), limit),
        |class| {
            vec![
                Cell::name(class.concept.as_str()),
                Cell::Count(class.before),
                Cell::Count(class.after),
                Cell::Change(class.difference()),
            ]
        },
        "concept",
    )
}

fn relabelled(summary: &Summary, limit: usize) -> Option<Section> {
    const COLUMNS: [Column; 3] = [
        column("from", "", ""),
        column("to", " -> ", ""),
        column("annotations", " (", ")"),
    ];
    let concepts = |ids: &[ConceptId], none: &'static str| {
        if ids.is_empty() {
            return Cell::Phrase(none.into());
        }
        let named = ids.iter().take(CONCEPTS).map(ConceptId::as_str);
        let more = ids.len().saturating_sub(CONCEPTS);
        let rest = if more > 0 {
            format!(", {} more", thousands(more as u64))
        } else {
            String::new()
        };
        Cell::Phrase(Phrase::new().names(named).words(rest))
    };
    let rows = (summary.relabelled.iter(), limit);
    table(
        "Relabelled",
        &COLUMNS,
        rows,
        |entry| {
            let none = if entry.from.is_empty() && entry.to.is_empty() {
                ["(same concepts)", "(other values)"]
            } else {
                ["(none)"; 2]
            };
            vec![
                concepts(&entry.from, none[0]),
                concepts(&entry.to, none[1]),
                Cell::Count(entry.count),
            ]
        },
        "pair",
    )
}

fn moved(summary: &Summary) -> Option<Section> {
    const fn columns(title: &'static str) -> [Column; 3] {
        let annotations = column("annotations", ": ", "");
        [column(title, "", ""), annotations, column("", " ", "")]
    }
    const IOU: [Column; 3] = columns("IoU");
    const DISTANCE: [Column; 3] = columns("distance");
    const BOTH: [Column; 3] = columns("IoU or distance");
    let moved = &summary.moved;
    if moved.measured() <= FEW_MOVES {
        return None;
    }
    let is_any = |counts: &[u64]| counts.iter().any(|count| *count > 0);
    let columns = match (is_any(&moved.histogram), is_any(&moved.distances)) {
        (true, true) => &BOTH,
        (false, true) => &DISTANCE,
        _ => &IOU,
    };
    let tenths = (moved.histogram.iter().enumerate()).map(|(tenth, count)| {
        (
            format!("IoU {} to {}", tenths(tenth), tenths(tenth + 1)),
            *count,
        )
    });
    let distances = (moved.distances.iter().enumerate())
        .map(|(at, count)| (format!("distance {}", between(at)), *count));
    let rows: Vec<(String, u64)> = tenths
        .chain(distances)
        .filter(|(_, count)| *count > 0)
        .collect();
    let most = rows.iter().map(|(_, count)| *count).max()?;
    let section = table(
        format!("Moved ({})", counted(moved.count(), "annotation")),
        columns,
        (rows.iter(), rows.len()),
        |(words, count)| {
            vec![
                Cell::Phrase(words.clone().into()),
                Cell::Count(*count),
                Cell::Bar((count * BAR).div_ceil(most)),
            ]
        },
        "range",
    )?;
    Some(Section {
        note: unmeasured(summary),
        ..section
    })
}

/// `0.7`
fn tenths(count: usize) -> String {
    format!("{}.{}", count / 10, count % 10)
}

/// A range of distances: `0.02 to 0.04`.
fn between(at: usize) -> String {
    let limit = |at: usize| format!("0.{:02}", DISTANCES[at]);
    match at {
        0 => format!("below {}", limit(0)),
        at if at < DISTANCES.len() => format!("{} to {}", limit(at - 1), limit(at)),
        at => format!("{} or more", limit(at - 1)),
    }
}

fn largest_moves(summary: &Summary) -> Option<Section> {
    const COLUMNS: [Column; 3] = [
        column("input", "", ""),
        column("annotation", " ", ""),
        column("before and after", " ", ""),
    ];
    let moved = &summary.moved;
    let is_all = moved.measured() <= FEW_MOVES;
    let title = if is_all {
        format!("Moved ({})", counted(moved.count(), "annotation"))
    } else {
        "Largest moves".to_owned()
    };
    let row = |it: &Move| {
        let name = it.key.as_ref().map_or(it.id.as_str(), |key| key.as_str());
        vec![
            Cell::name(it.input_id.as_str()),
            Cell::name(name),
            Cell::Phrase(it.measured().into()),
        ]
    };
    let limit = moved.largest.len();
    let section = table(
        title.clone(),
        &COLUMNS,
        (moved.largest.iter(), limit),
        row,
        "",
    );
    if !is_all {
        return section;
    }
    let note = unmeasured(summary);
    match section {
        Some(section) => Some(Section { note, ..section }),
        None => note.map(|note| Section {
            title: title.into(),
            layout: Layout::Table,
            columns: &COLUMNS,
            rows: Vec::new(),
            more: 0,
            row_noun: "",
            note: Some(note),
        }),
    }
}

fn turned(summary: &Summary) -> Option<Section> {
    const COLUMNS: [Column; 3] = [
        column("turn", "", ""),
        column("annotations", " (", ""),
        column("inputs", " on ", ")"),
    ];
    let counts = summary.turned.iter();
    let annotations = counts.clone().map(|it| it.annotations).sum();
    let inputs = counts.clone().map(|it| it.inputs).sum();
    let title = format!(
        "Turned pictures ({} on {})",
        counted(annotations, "annotation"),
        counted(inputs, "input")
    );
    let row = |it: &Turned| {
        let turn = Cell::Phrase(it.turn.words().into());
        vec![turn, Cell::Count(it.annotations), Cell::Count(it.inputs)]
    };
    table(title, &COLUMNS, (counts, usize::MAX), row, "turn")
}

fn unmeasured(summary: &Summary) -> Option<String> {
    let count = summary.moved.unmeasured;
    (count > 0).then(|| {
        format!(
            "{} cannot be measured: the kind of shape or the number of keypoints changed, or a mask is matched by id or key.",
            counted(count, "move")
        )
    })
}

const fn column(title: &'static str, before: &'static str, after: &'static str) -> Column {
    Column {
        title,
        before,
        after,
    }
}

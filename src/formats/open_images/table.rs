//! Rows of a CSV file, by the names of its columns.

use csv::{ReaderBuilder, StringRecord};
use std::collections::HashMap;

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boxes,
    /// Labels of whole images.
    Labels,
    /// Masks in pictures of their own.
    Masks,
    /// Relations between two objects.
    Relations,
    /// Names of classes.
    Descriptions,
}

impl Kind {
    /// By the names of the columns. The file of descriptions has none in some versions.
    pub(super) fn of(name: &str, head: &str) -> Option<Self> {
        let line = head.trim_start_matches('\u{feff}').lines().next()?;
        let columns: Vec<&str> = line.split(',').map(unquoted).collect();
        let has = |column: &str| columns.contains(&column);
        if has("LabelName") && has("DisplayName") {
            return Some(Self::Descriptions);
        }
        if name.contains("class-descriptions") && columns.len() >= 2 {
            return Some(Self::Descriptions);
        }
        if !has("ImageID") {
            return None;
        }
        if has("LabelName1") {
            return Some(Self::Relations);
        }
        if !has("LabelName") {
            return None;
        }
        Some(if has("XMin") {
            Self::Boxes
        } else if has("MaskPath") {
            Self::Masks
        } else {
            Self::Labels
        })
    }
}

fn unquoted(column: &str) -> &str {
    column.trim().trim_matches('"')
}

/// The display names of classes by their ids.
pub(super) fn descriptions(text: &str) -> Vec<(String, String)> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let rows = reader.records().filter_map(Result::ok);
    rows.filter_map(|row| Some((row.get(0)?.trim().to_owned(), row.get(1)?.trim().to_owned())))
        .filter(|(id, name)| !id.is_empty() && !name.is_empty() && id != "LabelName")
        .collect()
}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f64> {
    let number = text.parse().ok()?;
    f64::is_finite(number).then_some(number)
}

pub(super) struct Table<'t> {
    reader: csv::Reader<&'t [u8]>,
    columns: HashMap<String, usize>,
    count: usize,
    row: StringRecord,
    line: u64,
}

/// One row.
pub(super) struct Row<'r> {
    columns: &'r HashMap<String, usize>,
    row: &'r StringRecord,
}

impl Row<'_> {
    /// The text in a column; `None` if the file has no such column.
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        self.row.get(*self.columns.get(column)?)
    }
}

impl<'t> Table<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut columns = HashMap::new();
        let mut count = 0;
        if let Ok(names) = reader.headers() {
            count = names.len();
            for (index, name) in names.iter().enumerate() {
                columns.entry(name.to_owned()).or_insert(index);
            }
        }
        Self {
            reader,
            columns,
            count,
            row: StringRecord::new(),
            line: 1,
        }
    }

    /// The next row, or what is wrong with it, and the line where it begins.
    pub(super) fn next_row(&mut self) -> Option<(u64, Result<Row<'_>, String>)> {
        let found = self.reader.read_record(&mut self.row);
        self.line = (self.row.position()).map_or(self.line, csv::Position::line);
        match found {
            Ok(false) => None,
            Ok(true) => Some((self.line, self.row())),
            Err(error) => Some((self.line, Err(error.to_string()))),
        }
    }

    fn row(&self) -> Result<Row<'_>, String> {
        if self.row.iter().any(|field| field.contains(['\n', '\r'])) {
            // A quote that is never closed takes the rows that follow into its field.
            return Err("a line break within a field".to_owned());
        }
        if self.row.len() != self.count {
            let (found, expected) = (self.row.len(), self.count);
            return Err(format!("{found} fields instead of {expected}"));
        }
        Ok(Row {
            columns: &self.columns,
            row: &self.row,
        })
    }
}

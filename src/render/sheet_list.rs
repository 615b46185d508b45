//! What contact sheets show, for those who read about them.

use crate::model::InputId;

/// What contact sheets show.
#[derive(Debug, Clone, Default)]
pub struct SheetList {
    /// The folder of the files, as Markdown links to it.
    pub folder: String,
    /// Where the files are published. With a URL, Markdown shows them.
    pub url: Option<String>,
    pub sheets: Vec<ListedSheet>,
    /// How many changes no sheet shows.
    pub left_out: u64,
    /// Sentences about pictures that are missing, and limits that were reached.
    pub notes: Vec<String>,
}

/// A sheet and its changes.
#[derive(Debug, Clone)]
pub struct ListedSheet {
    pub file: String,
    pub changes: Vec<ListedChange>,
}

/// A change on a sheet.
#[derive(Debug, Clone)]
pub struct ListedChange {
    /// On the sheet, from 1.
    pub number: usize,
    pub input_id: InputId,
    /// What changes, in full.
    pub words: String,
}

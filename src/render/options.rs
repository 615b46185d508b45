//! How a plan, an outcome or a log is shown as text.

use super::filter::Filter;
use super::page::Color;

/// Changes that the text of a large plan shows, besides its deletes.
pub const SHOWN: usize = 200;

/// How much of a plan is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// No changes: counts, guards, warnings and tables.
    Summary,
    /// Changes on one line each: of more than [`SHOWN`], every delete and replace, and the first [`SHOWN`] others.
    #[default]
    First200,
    /// Every change, on one line each.
    All,
    /// Every change, with its difference or its whole content.
    Full,
}

impl Detail {
    /// The largest number of entries in a list.
    pub(super) fn limit(self) -> usize {
        match self {
            Self::Summary => 0,
            Self::First200 => SHOWN,
            Self::All | Self::Full => usize::MAX,
        }
    }
}

/// How a plan is shown.
#[derive(Debug, Clone, Default)]
pub struct TextOptions {
    pub detail: Detail,
    pub filter: Filter,
    pub color: Color,
    /// Columns of the terminal; `None` if lines are not wrapped.
    pub width: Option<usize>,
}

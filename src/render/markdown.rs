//! A plan as the comment of a pull request.

use super::filter::Filter;
use super::text::{TextOptions, text};
use crate::plan::Plan;

/// No comment is longer, in characters: what the hosts take is 65,536 and more.
pub const MARKDOWN_LIMIT: usize = 65_000;

/// How a plan is shown as Markdown.
#[derive(Debug, Clone, Default)]
pub struct MarkdownOptions {
    /// Which changes.
    pub filter: Filter,
}

/// A plan as Markdown.
pub fn markdown(plan: &Plan, _options: &MarkdownOptions) -> String {
    text(plan, &TextOptions::default())
}

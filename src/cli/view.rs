//! What is shown of a plan: how much, and which changes. This does not affect what is planned or applied.

use super::terminal::{self, Stream};
use super::values;
use crate::model::ConceptId;
use crate::plan::Plan;
use crate::pull::InputPattern;
use crate::render::{
    self, Color, Detail, Filter, HtmlOptions, Kind, MarkdownOptions, SheetList, Surroundings,
    TextOptions,
};
use std::path::Path;

const HEADING: &str = "Display (everything is applied)";

/// The display flags of plan, apply and show.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct View {
    /// Show no changes, only counts, guards, warnings, classes and relabellings: for chat and logs
    #[arg(long, help_heading = HEADING, conflicts_with_all = ["all", "full", "only", "inputs", "concepts"])]
    summary: bool,
    /// Show every change, on one line each, not only the first 200
    #[arg(long, help_heading = HEADING)]
    all: bool,
    /// Show every change with its coordinates and fields, and ids in full
    #[arg(long, help_heading = HEADING)]
    full: bool,
    /// Show only these kinds of changes, for example `deletes,posts`
    #[arg(long, value_enum, value_name = "KINDS", value_delimiter = ',', help_heading = HEADING)]
    only: Vec<ChangeKind>,
    /// Show only changes on this input, or on inputs with ids that match this glob; repeatable
    #[arg(long = "input", value_name = "GLOB", help_heading = HEADING)]
    inputs: Vec<String>,
    /// Show only changes of annotations that have this concept before or after; repeatable
    #[arg(long = "concept", value_name = "ID", value_parser = values::concept, help_heading = HEADING)]
    concepts: Vec<ConceptId>,
}

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ChangeKind {
    /// Deletes, purges and replacements
    Deletes,
    /// New annotations
    Posts,
    /// Changes in place
    Patches,
}

impl From<ChangeKind> for Kind {
    fn from(shown: ChangeKind) -> Self {
        match shown {
            ChangeKind::Deletes => Self::Deletes,
            ChangeKind::Posts => Self::Posts,
            ChangeKind::Patches => Self::Patches,
        }
    }
}

/// How much the flags --summary, --all and --full ask for.
pub(crate) fn detail(summary: bool, all: bool, full: bool) -> Detail {
    if full {
        Detail::Full
    } else if all {
        Detail::All
    } else if summary {
        Detail::Summary
    } else {
        Detail::First200
    }
}

impl View {
    /// Which changes are shown.
    pub(crate) fn filter(&self) -> Filter {
        Filter {
            only: self.only.iter().copied().map(Kind::from).collect(),
            inputs: self
                .inputs
                .iter()
                .map(|text| InputPattern::new(text))
                .collect(),
            concepts: self.concepts.iter().cloned().collect(),
        }
    }

    /// How much of each change is shown.
    pub(crate) fn detail(&self) -> Detail {
        detail(self.summary, self.all, self.full)
    }

    /// Whether a part is left out that was asked to be left out. JSON leaves nothing out.
    pub(crate) fn leaves_out(&self) -> bool {
        self.summary || !self.filter().is_everything()
    }

    /// A plan as coloured text for this stream, as wide as its terminal.
    pub(crate) fn text(&self, plan: &Plan, stream: Stream) -> String {
        render::text(plan, &self.text_options(stream))
    }

    /// The options of text for this stream.
    pub(crate) fn text_options(&self, stream: Stream) -> TextOptions {
        TextOptions {
            detail: self.detail(),
            filter: self.filter(),
            color: Color::Always,
            width: terminal::width(stream),
        }
    }

    /// A plan as text for a file: without colours, with lines of any length.
    pub(crate) fn plain(&self, plan: &Plan) -> String {
        render::text(plan, &self.plain_options())
    }

    /// The options of text for a file.
    pub(crate) fn plain_options(&self) -> TextOptions {
        TextOptions {
            detail: self.detail(),
            filter: self.filter(),
            ..TextOptions::default()
        }
    }

    /// A plan as Markdown, which refers to this plan file and these contact sheets.
    pub(crate) fn markdown(
        &self,
        plan: &Plan,
        whole: Option<&Path>,
        sheets: Option<&SheetList>,
    ) -> String {
        let options = MarkdownOptions {
            sheets: sheets.cloned(),
            ..self.markdown_options(whole)
        };
        render::markdown(plan, &options)
    }

    /// The options of text in a page, which has everything.
    pub(crate) fn page_options(&self) -> TextOptions {
        TextOptions {
            detail: Detail::Full,
            filter: self.filter(),
            ..TextOptions::default()
        }
    }

    /// A plan as a page.
    pub(crate) fn html(&self, plan: &Plan, surroundings: &Surroundings) -> String {
        let options = HtmlOptions {
            detail: self.detail(),
            filter: self.filter(),
            surroundings,
        };
        render::html(plan, &options)
    }

    pub(crate) fn markdown_options(&self, whole: Option<&Path>) -> MarkdownOptions {
        MarkdownOptions {
            detail: self.detail(),
            filter: self.filter(),
            full_plan: whole.map(|file| format!("the plan file {}", file.display())),
            sheets: None,
        }
    }
}

//! The drawings of changes, on contact sheets and in a page, and the labels between which those of a plan are drawn.

use super::exit::Failure;
use super::formats::{self, ExtraOutput, Format};
use super::pictures::{self, Source, Sources};
use super::sheets;
use crate::model::{AnnotationId, Content, InputId, Maker, ObservedAnnotation, ObservedState};
use crate::plan::{Diff, Plan};
use crate::render::{self, DiffOptions, Filter, SheetList, Sheets, ShownInput, Surroundings};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is drawn.
pub(crate) enum Changes<'a> {
    Plan(&'a Plan, Filter),
    Diff(&'a Diff, &'a DiffOptions),
}

impl Changes<'_> {
    /// The inputs of the first `most` changes, for contact sheets; those of a page without `most`.
    pub(crate) fn shown(&self, most: Option<usize>) -> Vec<ShownInput> {
        match self {
            Self::Plan(plan, filter) => render::shown_of_plan(plan, filter, most),
            Self::Diff(diff, options) => render::shown_of_diff(diff, options, most),
        }
    }

    fn sheets(&self, around: &Surroundings, most: usize) -> Sheets {
        match self {
            Self::Plan(plan, filter) => render::plan_sheets(plan, filter, around, most),
            Self::Diff(diff, options) => render::diff_sheets(diff, options, around, most),
        }
    }
}

/// Where drawings go.
pub(crate) struct Drawing<'a> {
    pictures: &'a pictures::Args,
    sheets: &'a sheets::Args,
    /// The folder of contact sheets, if they are wanted.
    folder: Option<&'a Path>,
    /// The folder of the page, if there is one.
    page_folder: Option<PathBuf>,
}

impl<'a> Drawing<'a> {
    /// The drawings that the formats of a command ask for.
    pub(crate) fn of(
        pictures: &'a pictures::Args,
        sheets: &'a sheets::Args,
        format: Format,
        also: &'a [ExtraOutput],
    ) -> Self {
        Self {
            pictures,
            sheets,
            folder: formats::images_folder(also),
            page_folder: formats::page_folder(format, also),
        }
    }

    /// Where its pictures are.
    pub(crate) fn sources<'s>(&self, of: impl IntoIterator<Item = Source<'s>>) -> Sources<'s> {
        let mut sources = Sources::of(of);
        sources.page_folder = self.page_folder.clone().unwrap_or_default();
        sources
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.folder.is_some() || self.page_folder.is_some()
    }

    /// The number of changes that are drawn; `None` for a page, which shows all.
    pub(crate) fn most(&self) -> Option<usize> {
        match self.page_folder {
            Some(_) => None,
            None => Some(self.sheets.most_changes()),
        }
    }

    /// Writes the contact sheets, and gathers what a page shows around the changes. Each picture is read once.
    pub(crate) async fn draw(
        &self,
        changes: &Changes<'_>,
        sources: &Sources<'_>,
        unchanged: BTreeMap<InputId, Vec<Content>>,
        note: Option<&str>,
    ) -> Result<(Surroundings, Option<SheetList>), Failure> {
        if !self.is_wanted() {
            return Ok((Surroundings::default(), None));
        }
        let gather = async |flags: &pictures::Args, most, unchanged| {
            let shown = changes.shown(most);
            let mut around = pictures::surroundings(flags, sources, &shown, unchanged).await;
            around.notes.extend(note.map(str::to_owned));
            around
        };
        let Some(folder) = self.folder else {
            let around = gather(self.pictures, None, unchanged).await;
            return Ok((around, None));
        };
        // A page with links has no pixels that sheets could show.
        let without_links = self.pictures.without_links();
        let has_links = self.page_folder.is_some() && self.pictures.are_links();
        let page = if has_links {
            gather(self.pictures, None, unchanged.clone()).await
        } else {
            Surroundings::default()
        };
        let most = if has_links {
            Some(self.sheets.most_changes())
        } else {
            self.most()
        };
        let around = gather(&without_links, most, unchanged).await;
        let sheets = changes.sheets(&around, self.sheets.most());
        let list = sheets::write(folder, sheets, self.sheets)?;
        Ok((if has_links { page } else { around }, Some(list)))
    }
}

/// The observed annotations that no operation touches, on inputs with operations or with changes made in the app.
pub(crate) fn unchanged_by_plan(
    plan: &Plan,
    observed: &ObservedState,
) -> BTreeMap<InputId, Vec<Content>> {
    let mut touched: BTreeMap<&InputId, BTreeSet<&AnnotationId>> = BTreeMap::new();
    let operations = plan.operations.iter().map(|it| (&it.input_id, &it.id));
    let in_app = plan.drift.iter().map(|it| (&it.input_id, &it.id));
    for (input, id) in operations.chain(in_app) {
        touched.entry(input).or_default().insert(id);
    }
    let purged: BTreeSet<&InputId> = plan.purges.iter().map(|purge| &purge.input_id).collect();
    touched
        .into_iter()
        .filter(|(input, _)| !purged.contains(input))
        .filter_map(|(input, ids)| {
            let all = observed.inputs.get(input)?.iter();
            let others = all.filter(|it| it.maker != Maker::Input && !ids.contains(&it.id));
            Some((
                input.clone(),
                others.map(ObservedAnnotation::content).collect(),
            ))
        })
        .collect()
}

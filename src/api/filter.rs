//! Which annotations a listing asks for, and the URLs for that.
//!
//! The API takes filters as query fields, so many inputs are split into several listings with short URLs.

use crate::model::Shard;
use crate::wire::Annotation;
use crate::wire::Code;
use std::collections::BTreeSet;
use std::sync::Arc;
use url::form_urlencoded;

/// The maximum number of bytes of filters in one URL: some proxies refuse URLs above 8 kB.
const QUERY_BUDGET: usize = 5_500;

/// The API's largest page.
pub(super) const PER_PAGE: usize = 1_000;

/// Which part of the app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Selection {
    #[default]
    WholeApp,
    /// The annotations of these inputs.
    Inputs(BTreeSet<String>),
    /// These annotations: (input id, annotation id).
    Annotations(BTreeSet<(String, String)>),
}

impl Selection {
    fn admits(&self, input: &str, id: &str) -> bool {
        match self {
            Self::WholeApp => true,
            Self::Inputs(inputs) => inputs.contains(input),
            Self::Annotations(pairs) => pairs.contains(&(input.to_owned(), id.to_owned())),
        }
    }
}

/// Whether a listing contains annotations that models made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ModelMade {
    /// The API's default.
    #[default]
    LeaveOut,
    /// `list_all_annotations`
    Include,
}

/// Whether annotations that models made contain the models' output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ModelOutput {
    /// The API's default.
    #[default]
    LeaveOut,
    /// `return_model_output`
    Include,
}

/// What a listing asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub selection: Selection,
    /// Only those made by one of these users.
    pub user_ids: Vec<String>,
    /// Only those made by one of these model versions. The API combines this with `user_ids` and `workflow_version_ids` by
    /// OR, and includes model-made annotations if one of the three is given.
    pub model_version_ids: Vec<String>,
    /// Only those made by one of these workflow versions.
    pub workflow_version_ids: Vec<String>,
    /// Only those with one of these statuses. The client applies this filter, because the API's parameter is undocumented.
    pub statuses: Vec<Code>,
    /// Only those of this labelling task.
    pub task_id: Option<String>,
    pub model_made: ModelMade,
    pub model_output: ModelOutput,
    /// Only those of the shard's inputs. The client applies this filter while it reads the pages.
    pub shard: Option<Shard>,
    /// About how many annotations there may be, so that few pages are read beyond their end. Several numbers if it may be either,
    /// as before labels are applied and after.
    pub expected: Vec<u64>,
}

impl Filter {
    pub fn everything() -> Self {
        Self {
            model_made: ModelMade::Include,
            ..Self::default()
        }
    }

    /// Everything on these inputs.
    pub fn inputs(ids: impl IntoIterator<Item = String>) -> Self {
        Self {
            selection: Selection::Inputs(ids.into_iter().collect()),
            ..Self::everything()
        }
    }

    /// These annotations (input id, annotation id), whoever made them.
    pub fn annotations(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            selection: Selection::Annotations(pairs.into_iter().collect()),
            ..Self::everything()
        }
    }

    /// Whether the filter leaves out annotations of its selection. Leaving out those of models does not count, because no user may
    /// change them.
    pub fn narrows(&self) -> bool {
        !self.user_ids.is_empty()
            || !self.model_version_ids.is_empty()
            || !self.workflow_version_ids.is_empty()
            || self.task_id.is_some()
            || !self.statuses.is_empty()
            || self.shard.is_some()
            || matches!(self.selection, Selection::Annotations(_))
    }

    /// Whether an annotation passes the filters that the client applies.
    pub(super) fn keeps(&self, annotation: &Annotation) -> bool {
        let is_of_shard = |shard: Shard| shard.covers_text(&annotation.input_id);
        self.has_status(annotation) && self.shard.is_none_or(is_of_shard)
    }

    /// Whether an annotation has one of the statuses, if any are given. A missing status means success.
    fn has_status(&self, annotation: &Annotation) -> bool {
        let code = match annotation.status.as_ref().map(|status| status.code) {
            None | Some(Code(0) | Code::SUCCESS) => Code::ANNOTATION_SUCCESS,
            Some(code) => code,
        };
        // One that cannot be read may have any status.
        self.statuses.is_empty() || self.statuses.contains(&code) || annotation.broken.is_some()
    }

    /// About how many calls a listing makes that reads this many annotations.
    pub fn calls_for(&self, annotations: u64) -> u64 {
        /// Those of the proof, and those that were sent before the end was known.
        const AROUND: u64 = 6;
        let queries = self.queries().len() as u64;
        let page = PER_PAGE as u64;
        // Overlaps take another 6 %.
        queries * AROUND + (annotations + annotations / 16).div_ceil(page)
    }

    /// The queries that together ask for everything; none for an empty selection.
    pub(super) fn queries(&self) -> Vec<Query> {
        let mut common = String::new();
        for user in &self.user_ids {
            push(&mut common, "user_ids", user);
        }
        for version in &self.model_version_ids {
            push(&mut common, "model_version_ids", version);
        }
        for version in &self.workflow_version_ids {
            push(&mut common, "workflow_version_ids", version);
        }
        if let Some(task) = &self.task_id {
            push(&mut common, "task_id", task);
        }
        if self.model_made == ModelMade::Include {
            push(&mut common, "list_all_annotations", "true");
        }
        if self.model_output == ModelOutput::Include {
            push(&mut common, "return_model_output", "true");
        }
        let mut queries: Vec<Query> = match &self.selection {
            Selection::WholeApp => vec![Query::new(common, Selection::WholeApp)],
            Selection::Inputs(inputs) => chunks(&common, inputs, |text, input| {
                push(text, "input_ids", input);
            })
            .into_iter()
            .map(|(text, chunk)| Query::new(text, Selection::Inputs(chunk)))
            .collect(),
            Selection::Annotations(pairs) => chunks(&common, pairs, |text, (input, id)| {
                push(text, "input_ids", input);
                push(text, "ids", id);
            })
            .into_iter()
            .map(|(text, chunk)| Query::new(text, Selection::Annotations(chunk)))
            .collect(),
        };
        let all: u64 = queries.iter().map(Query::names).sum();
        for query in &mut queries {
            let part = |expected: &u64| expected.saturating_mul(query.names()) / all.max(1);
            query.expected = self
                .expected
                .iter()
                .map(part)
                .filter(|part| *part > 0)
                .collect();
        }
        queries
    }
}

/// Splits `items` so that the text of each chunk stays within the budget. An item that exceeds it is a chunk by itself.
pub(super) fn chunks<T: Clone + Ord>(
    common: &str,
    items: &BTreeSet<T>,
    write: impl Fn(&mut String, &T),
) -> Vec<(String, BTreeSet<T>)> {
    let mut chunks: Vec<(String, BTreeSet<T>)> = Vec::new();
    for item in items {
        let mut field = String::new();
        write(&mut field, item);
        match chunks.last_mut() {
            Some((text, chunk)) if text.len() + field.len() <= QUERY_BUDGET => {
                text.push_str(&field);
                chunk.insert(item.clone());
            }
            _ => chunks.push((format!("{common}{field}"), BTreeSet::from([item.clone()]))),
        }
    }
    chunks
}

/// Appends `&name=value`. A space becomes %20: not every server reads `+` as a space.
pub(super) fn push(text: &mut String, name: &str, value: &str) {
    text.push('&');
    text.push_str(name);
    text.push('=');
    for part in form_urlencoded::byte_serialize(value.as_bytes()) {
        text.push_str(if part == "+" { "%20" } else { part });
    }
}

/// The query of a listing, without the page.
#[derive(Debug, Clone)]
pub(super) struct Query {
    text: Arc<str>,
    selection: Arc<Selection>,
    expected: Vec<u64>,
}

impl Query {
    fn new(text: String, selection: Selection) -> Self {
        Self {
            text: text.into(),
            selection: Arc::new(selection),
            expected: Vec::new(),
        }
    }

    /// About how many annotations it may return; none if nothing is known.
    pub(super) fn expected(&self) -> &[u64] {
        &self.expected
    }

    /// How many inputs or annotations it names; the whole app counts as one.
    fn names(&self) -> u64 {
        match &*self.selection {
            Selection::WholeApp => 1,
            Selection::Inputs(inputs) => inputs.len() as u64,
            Selection::Annotations(pairs) => pairs.len() as u64,
        }
    }

    pub(super) fn page(&self, number: u64, size: u64) -> String {
        format!("page={number}&per_page={size}{}", self.text)
    }

    /// Whether the query asks for this annotation.
    pub(super) fn admits(&self, input: &str, id: &str) -> bool {
        self.selection.admits(input, id)
    }

    /// Two queries that together ask for the same, if this one names several inputs.
    pub(super) fn halves(&self) -> Option<[Self; 2]> {
        let Selection::Inputs(inputs) = &*self.selection else {
            return None;
        };
        if inputs.len() < 2 {
            return None;
        }
        let start = self.text.find("&input_ids=")?;
        let mut one = inputs.clone();
        let middle = inputs.iter().nth(inputs.len() / 2)?;
        let other = one.split_off(middle);
        Some([one, other].map(|half| {
            let mut text = self.text[..start].to_owned();
            for input in &half {
                push(&mut text, "input_ids", input);
            }
            Self::new(text, Selection::Inputs(half))
        }))
    }

    /// The maximum number of annotations that it can return, if that is known.
    pub(super) fn max_results(&self) -> Option<usize> {
        match &*self.selection {
            Selection::Annotations(pairs) => Some(pairs.len()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_written_as_the_api_documents_it() {
        let filter = Filter {
            user_ids: vec!["ann".into()],
            model_version_ids: vec!["m1".into()],
            workflow_version_ids: vec!["w1".into()],
            task_id: Some("t 1".into()),
            model_output: ModelOutput::Include,
            statuses: vec![Code::ANNOTATION_PENDING, Code(24999)],
            ..Filter::annotations([("in 1&+".into(), "ä".into()), ("b".into(), "c".into())])
        };
        assert_eq!(
            filter.queries()[0].page(3, 1_000),
            "page=3&per_page=1000&user_ids=ann&model_version_ids=m1&workflow_version_ids=w1\
             &task_id=t%201&list_all_annotations=true\
             &return_model_output=true&input_ids=b&ids=c&input_ids=in%201%26%2B&ids=%C3%A4"
        );
        assert_eq!(
            Filter::default().queries()[0].page(1, 1_000),
            "page=1&per_page=1000"
        );
    }

    #[test]
    fn many_inputs_are_split_into_short_urls() {
        let ids: Vec<String> = (0..2_000).map(|n| format!("input-{n:05}")).collect();
        let queries = Filter::inputs(ids.iter().cloned().chain(ids.iter().cloned())).queries();
        assert!(queries.len() > 1);
        let mut named = 0;
        for query in &queries {
            let text = query.page(1_000, 1_000);
            assert!(text.len() < 6_000, "{}", text.len());
            named += text.matches("input_ids=").count();
        }
        assert_eq!(named, 2_000);
        let long = "x".repeat(9_000);
        assert_eq!(Filter::inputs([long, "a".into()]).queries().len(), 2);
    }

    #[test]
    fn a_filter_that_leaves_annotations_out_narrows() {
        let list = || vec!["x".to_owned()];
        let narrow: [fn(&mut Filter, Vec<String>); 6] = [
            |filter, _| filter.shard = Some("0/2".parse().unwrap()),
            |filter, list| filter.user_ids = list,
            |filter, list| filter.model_version_ids = list,
            |filter, list| filter.workflow_version_ids = list,
            |filter, mut list| filter.task_id = list.pop(),
            |filter, _| filter.statuses = vec![Code::ANNOTATION_PENDING],
        ];
        for set in narrow {
            let mut filter = Filter::everything();
            set(&mut filter, list());
            assert!(filter.narrows(), "{filter:?}");
        }
        assert!(Filter::annotations([]).narrows());
        let whole = Filter {
            model_output: ModelOutput::Include,
            ..Filter::inputs(list())
        };
        assert!(!whole.narrows() && !Filter::default().narrows());
    }

    #[test]
    fn an_empty_selection_needs_no_call() {
        assert!(Filter::inputs([]).queries().is_empty());
        assert!(Filter::annotations([]).queries().is_empty());
        assert_eq!(Filter::everything().queries().len(), 1);
    }
}

//! One page of a listing, and how readings are compared.

use super::error::ApiError;
use super::filter::Query;
use super::transport::Transport;
use super::windows::Window;
use crate::wire::{Annotation, Page};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// Why a listing was not proved complete.
#[derive(Debug)]
pub(super) enum Unproved<E> {
    /// The pages do not fit together; the reason.
    Doubt(String),
    /// The server's pages are too small to overlap, or not of the requested size.
    NoOverlap,
    /// A call failed, or the caller could not take an annotation.
    Failed(E),
}

impl<E: From<ApiError>> From<ApiError> for Unproved<E> {
    fn from(error: ApiError) -> Self {
        Self::Failed(E::from(error))
    }
}

/// Reads one page, and checks that the query asks for what it contains.
pub(super) async fn fetch(
    transport: Arc<Transport>,
    query: Query,
    window: Window,
) -> Result<Vec<Annotation>, ApiError> {
    let number = window.number;
    transport.check_page(number)?;
    let query_text = query.page(number, window.size);
    let answer: Page = transport.get(&["annotations"], &query_text).await?;
    let page: Vec<Annotation> = answer.annotations.into_iter().map(|it| it.0).collect();
    for (at, annotation) in page.iter().enumerate() {
        let (input, id) = (&annotation.input_id, &annotation.id);
        if input.is_empty() || id.is_empty() {
            // It could belong to any input, so nothing that it affects can be told apart.
            let why = annotation.broken.as_ref().map_or_else(
                || "it has no id or no input id".to_owned(),
                |broken| transport.shown(&broken.why, 200),
            );
            return Err(ApiError::Malformed(format!(
                "annotation {} of page {number} of the listing cannot be read: {why}",
                at + 1
            )));
        }
        if !query.admits(input, id) {
            return Err(ApiError::Malformed(format!(
                "the listing contains annotation `{}` of input `{}`, which was not requested",
                transport.shown(id, 100),
                transport.shown(input, 100)
            )));
        }
    }
    Ok(page)
}

/// A page compared with the pages before it.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// New annotations.
    pub(super) fresh: Vec<Annotation>,
    /// How many were known in the same version.
    pub(super) shared: usize,
    /// Whether the shared ones have at least two times of creation and two times of modification.
    pub(super) spans_times: bool,
}

/// The annotations read so far, each as two 64-bit hashes: the names of a million would take 100 MB.
#[derive(Debug, Default)]
pub(super) struct Known {
    hasher: RandomState,
    versions: HashMap<u64, u64>,
}

impl Known {
    /// A hash of input id and annotation id.
    pub(super) fn name(&self, annotation: &Annotation) -> u64 {
        self.hasher.hash_one((&annotation.input_id, &annotation.id))
    }

    /// A hash of an annotation as it is now. Without a time of modification, only the content shows an edit.
    fn version(&self, annotation: &Annotation) -> u64 {
        let data = annotation.data.as_deref();
        let info = annotation.annotation_info.as_deref();
        let broken = annotation.broken.as_ref().map(|broken| &*broken.raw);
        let content = annotation.modified_at.is_none().then(|| {
            let status = annotation.status.as_ref().map(|status| status.code);
            let [data, info, broken] = [data, info, broken].map(|json| self.content(json));
            (data, info, broken, status)
        });
        self.hasher.hash_one((
            &annotation.input_id,
            &annotation.id,
            &annotation.created_at,
            &annotation.modified_at,
            content,
        ))
    }

    /// A hash of JSON that ignores white space and the order of keys: servers change both from call to call.
    fn content(&self, json: Option<&RawValue>) -> u64 {
        let Some(json) = json else { return 0 };
        match serde_json::from_str(json.get()) {
            Ok(value) => self.value(&value),
            Err(_) => self.hasher.hash_one(json.get()),
        }
    }

    fn value(&self, value: &Value) -> u64 {
        match value {
            Value::Array(items) => {
                let items: Vec<u64> = items.iter().map(|item| self.value(item)).collect();
                self.hasher.hash_one(items)
            }
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| self.hasher.hash_one((key, self.value(value))))
                .fold(1, u64::wrapping_add),
            scalar => self.hasher.hash_one(scalar),
        }
    }

    /// The length and a hash of a page, whatever its order.
    pub(super) fn sum(&self, page: &[Annotation]) -> (usize, u64) {
        let versions = page.iter().map(|annotation| self.version(annotation));
        (page.len(), versions.fold(0, u64::wrapping_add))
    }

    /// Compares a page with the known annotations, and adds it to them. Known ones count as shared if `counts` accepts their
    /// name. `Err` holds an annotation that is on the page twice.
    pub(super) fn compare(
        &mut self,
        page: Vec<Annotation>,
        counts: impl Fn(u64) -> bool,
    ) -> Result<Comparison, Box<Annotation>> {
        let mut comparison = Comparison::default();
        let mut here = HashSet::with_capacity(page.len());
        let (mut created, mut modified) = (HashSet::new(), HashSet::new());
        for annotation in page {
            let name = self.name(&annotation);
            if !here.insert(name) {
                return Err(Box::new(annotation));
            }
            let version = self.version(&annotation);
            match self.versions.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(version);
                    comparison.fresh.push(annotation);
                }
                Entry::Occupied(entry) if *entry.get() == version && counts(name) => {
                    comparison.shared += 1;
                    created.extend(annotation.created_at);
                    modified.extend(annotation.modified_at);
                }
                Entry::Occupied(_) => {}
            }
        }
        comparison.spans_times = created.len() > 1 && modified.len() > 1;
        Ok(comparison)
    }
}

pub(super) fn duplicate<E>(
    transport: &Transport,
    annotation: &Annotation,
    number: u64,
) -> Unproved<E> {
    Unproved::Doubt(format!(
        "annotation `{}` of input `{}` was listed twice, the second time on page {number}",
        transport.shown(&annotation.id, 100),
        transport.shown(&annotation.input_id, 100)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_noticed_without_a_time_of_modification() {
        let known = Known::default();
        let version = |json: &str| known.version(&serde_json::from_str(json).unwrap());
        let one = version(
            r#"{"id": "a", "data": {"x": [1, {"y": 2, "z": 3}]}, "status": {"code": 24150}}"#,
        );
        let spelt = version(r#"{"id":"a","status":{"code":24150},"data":{"x":[1,{"z":3,"y":2}]}}"#);
        assert_eq!(one, spelt);
        for other in [
            r#"{"id": "a", "data": {"x": [{"y": 2, "z": 3}, 1]}, "status": {"code": 24150}}"#,
            r#"{"id": "a", "data": {"x": [1, {"y": 3, "z": 2}]}, "status": {"code": 24150}}"#,
            r#"{"id": "a", "data": {"x": [1, {"y": 2, "z": 3}]}, "status": {"code": 24151}}"#,
            r#"{"id": "a", "status": {"code": 24150}}"#,
        ] {
            assert_ne!(one, version(other), "{other}");
        }
    }
}

//! One page of a listing, and what two readings are compared by.

use super::error::ApiError;
use super::exchange::HttpRequest;
use super::filter::Query;
use super::request::{Partial, Request};
use super::transport::Transport;
use super::windows::Window;
use super::wire::{Annotation, Page};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// Why an attempt at a listing ended without a proof.
#[derive(Debug)]
pub(super) enum Attempt<E> {
    /// The pages do not fit together.
    Doubt(String),
    /// Pages of this server are too small to overlap, or not of the size that is asked for.
    NoOverlap,
    /// A call failed, or an annotation could not be taken.
    Failed(E),
}

impl<E: From<ApiError>> From<ApiError> for Attempt<E> {
    fn from(error: ApiError) -> Self {
        Self::Failed(E::from(error))
    }
}

/// Reads one page and checks that it can be what was asked for.
pub(super) async fn fetch(
    transport: Arc<Transport>,
    query: Query,
    window: Window,
) -> Result<Vec<Annotation>, ApiError> {
    let number = window.number;
    transport.check_page(number)?;
    let mut url = transport.app_url(&["annotations"]);
    url.set_query(Some(&query.page(number, window.size)));
    let page = transport
        .send::<Page>(Request {
            http: HttpRequest::get(url),
            about: transport.app(),
            partial: Partial::Fails,
        })
        .await?
        .annotations;
    let page: Vec<Annotation> = page.into_iter().map(|listed| listed.0).collect();
    for (at, annotation) in page.iter().enumerate() {
        let (input, id) = (&annotation.input_id, &annotation.id);
        if input.is_empty() || id.is_empty() {
            // It could be of any input: there is no telling what else it makes uncertain.
            let why = annotation.broken.as_ref().map_or_else(
                || "it is without an id or an input".to_owned(),
                |broken| transport.shown(&broken.why, 200),
            );
            return Err(ApiError::Malformed(format!(
                "annotation {} of page {number} of the listing cannot be read: {why}",
                at + 1
            )));
        }
        if !query.admits(input, id) {
            return Err(ApiError::Malformed(format!(
                "annotation `{}` of input `{}` was listed although it was not asked for",
                transport.shown(id, 100),
                transport.shown(input, 100)
            )));
        }
    }
    Ok(page)
}

/// How a page's annotations relate to those that came before.
#[derive(Debug, Default)]
pub(super) struct Meeting {
    /// Annotations that were not known.
    pub(super) fresh: Vec<Annotation>,
    /// How many were known, in the version that came again.
    pub(super) shared: usize,
    /// Whether these have two times of creation and two times of modification at least.
    pub(super) spans: bool,
}

/// The annotations that came so far, each as two 64-bit hashes: the names of a million would take 100 MB.
#[derive(Debug, Default)]
pub(super) struct Known {
    hasher: RandomState,
    versions: HashMap<u64, u64>,
}

impl Known {
    /// Input id and annotation id in one number.
    pub(super) fn name(&self, annotation: &Annotation) -> u64 {
        self.hasher.hash_one((&annotation.input_id, &annotation.id))
    }

    /// One number for an annotation as it is. Where the service gives no time of modification, an edit shows only in what
    /// the annotation says.
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

    /// JSON in one number, whatever its white space and the order of its keys: servers change both from call to call.
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

    /// A page in one number, whatever the order in it: two readings of it are the same if these are.
    pub(super) fn sum(&self, page: &[Annotation]) -> (usize, u64) {
        let versions = page.iter().map(|annotation| self.version(annotation));
        (page.len(), versions.fold(0, u64::wrapping_add))
    }

    /// Notes a page's annotations. Known ones count where `counts` admits their name. `Err` holds an annotation that is in
    /// the page twice.
    pub(super) fn meet(
        &mut self,
        page: Vec<Annotation>,
        counts: impl Fn(u64) -> bool,
    ) -> Result<Meeting, Box<Annotation>> {
        let mut meeting = Meeting::default();
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
                    meeting.fresh.push(annotation);
                }
                Entry::Occupied(entry) if *entry.get() == version && counts(name) => {
                    meeting.shared += 1;
                    created.extend(annotation.created_at);
                    modified.extend(annotation.modified_at);
                }
                Entry::Occupied(_) => {}
            }
        }
        meeting.spans = created.len() > 1 && modified.len() > 1;
        Ok(meeting)
    }
}

/// A reason for doubt that names an annotation.
pub(super) fn twice<E>(transport: &Transport, annotation: &Annotation, number: u64) -> Attempt<E> {
    Attempt::Doubt(format!(
        "annotation `{}` of input `{}` came twice, the second time on page {number}",
        transport.shown(&annotation.id, 100),
        transport.shown(&annotation.input_id, 100)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_shows_where_the_service_gives_no_time_of_modification() {
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

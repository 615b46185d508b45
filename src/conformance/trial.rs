//! One input on which assumptions are tried, and what was found.

use crate::api::{
    ApiError, DeletePairs, Filter, InputState, ItemResult, NamedBody, PatchAction, Writer,
};
use crate::model::{
    AnnotationId, Concept, ConceptId, Concepts, Content, Geometry, InputId, Interner,
    ObservedAnnotation,
};
use crate::wire::{Annotation, decode, encode};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How often the server is asked whether a write is visible.
const ATTEMPTS: u32 = 20;
/// Between two of these calls.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether an assumption holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Holds,
    /// What annosync does is not safe on this server.
    Fails,
    /// It could not be tried.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub assumption: &'static str,
    pub verdict: Verdict,
    /// What was seen, unless it holds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub seen: String,
}

/// What trying an assumption gives: `Ok(Err(…))` says what was seen instead.
pub(super) type Tried = Result<Result<(), String>, ApiError>;

/// Fails with words, unless a condition holds.
pub(super) fn is(condition: bool, seen: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(seen()) }
}

pub(super) struct Trial<'w> {
    pub(super) writer: &'w Writer,
    pub(super) input: &'w InputId,
    pub(super) concepts: &'w [ConceptId; 2],
}

/// Which of the two concepts.
pub(super) const FIRST: &[usize] = &[0];
pub(super) const SECOND: &[usize] = &[1];
pub(super) const BOTH: &[usize] = &[0, 1];

impl Trial<'_> {
    pub(super) fn id(name: &str) -> AnnotationId {
        AnnotationId::new(format!("annosync-conformance-{name}")).expect("it is a valid id")
    }

    /// A label with these concepts.
    pub(super) fn content(&self, concepts: &[usize], geometry: Geometry) -> Content {
        let concepts = concepts.iter().map(|at| Concept {
            id: self.concepts[*at].clone(),
            value: 1.0,
        });
        Content {
            geometry: Some(geometry),
            concepts: Some(Concepts::new(concepts.collect()).expect("they differ")),
            ..Content::default()
        }
    }

    pub(super) fn body(&self, name: &str, content: &Content) -> NamedBody {
        let id = Self::id(name);
        NamedBody {
            input: self.input.clone(),
            json: Arc::new(encode::post(self.input, &id, content)),
            id,
        }
    }

    pub(super) fn whole(&self, name: &str, concepts: &[usize]) -> NamedBody {
        self.body(name, &self.content(concepts, Geometry::Whole))
    }

    pub(super) async fn post(
        &self,
        bodies: &[NamedBody],
    ) -> Result<Vec<ItemResult<Annotation>>, ApiError> {
        self.writer.post(bodies).await
    }

    pub(super) async fn patch(
        &self,
        action: PatchAction,
        body: NamedBody,
    ) -> Result<ItemResult<Annotation>, ApiError> {
        let mut results = self.writer.patch(action, &[body]).await?;
        Ok(results.pop().unwrap_or(ItemResult::Unknown))
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), ApiError> {
        let pair = (self.input.to_string(), Self::id(name).to_string());
        let pairs = DeletePairs::new(vec![pair]).expect("both ids are set");
        self.writer.delete(&pairs).await.map(|_| ())
    }

    /// Everything on the input, proved complete.
    pub(super) async fn listed(&self) -> Result<Vec<Annotation>, ApiError> {
        let filter = Filter::inputs([self.input.to_string()]);
        let (_, items) = self.writer.reader().list(&filter).await?.into_parts();
        Ok(items)
    }

    /// The ids of the annotations of this run on the input, sorted.
    pub(super) async fn names(&self) -> Result<Vec<String>, ApiError> {
        let listed = self.listed().await?;
        let own = listed.into_iter().filter(|it| !it.input_level);
        let mut names: Vec<String> = own
            .map(|it| it.id.replace("annosync-conformance-", ""))
            .collect();
        names.sort();
        Ok(names)
    }

    /// What is stored of an annotation.
    pub(super) async fn stored(&self, name: &str) -> Result<Option<ObservedAnnotation>, ApiError> {
        let id = Self::id(name);
        let found = self
            .listed()
            .await?
            .into_iter()
            .find(|it| it.id == id.as_str());
        Ok(found.and_then(read))
    }

    /// The concepts that are stored of an annotation, in words.
    pub(super) async fn stored_concepts(&self, name: &str) -> Result<String, ApiError> {
        let stored = self.stored(name).await?;
        Ok(stored.map_or_else(|| "nothing".to_owned(), |it| self.words(&it.concepts)))
    }

    /// `first`, `second`, both, or none.
    pub(super) fn words(&self, concepts: &Concepts) -> String {
        let word = |concept: &Concept| match self.concepts.iter().position(|it| *it == concept.id) {
            Some(0) => "first".to_owned(),
            Some(_) => "second".to_owned(),
            None => concept.id.to_string(),
        };
        let mut words: Vec<String> = concepts.iter().map(word).collect();
        words.sort();
        if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(" and ")
        }
    }
}

/// An annotation of a listing or an answer, if it can be read.
pub(super) fn read(annotation: Annotation) -> Option<ObservedAnnotation> {
    let read = decode::annotation(annotation, &mut Interner::default());
    read.ok().map(|(_, annotation)| annotation)
}

/// Asks for the input until `take` gives something; `None` if it gives nothing for ten seconds.
pub(super) async fn poll<T>(
    writer: &Writer,
    input: &InputId,
    take: impl Fn(Option<InputState>) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let ids = BTreeSet::from([input.to_string()]);
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let found = writer.reader().inputs(&ids).await?;
        if let Some(taken) = take(found.into_iter().next()) {
            return Ok(Some(taken));
        }
    }
    Ok(None)
}

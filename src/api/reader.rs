//! Reads an app: the calling user, complete listings, single annotations. A reader cannot write, and gives no access to a
//! writer.

use super::connection::Connection;
use super::error::ApiError;
use super::filter::{Filter, Query};
use super::listing::{self, CompleteListing};
use super::ordered::Ordered;
use super::page::fetch;
use super::transport::Transport;
use super::windows::Window;
use crate::model::is_path_segment;
use crate::wire::{Annotation, SingleAnnotation, SingleUser};
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// A client that reads. Clones share one rate limit and one limit of calls at a time.
#[derive(Debug, Clone)]
pub struct Reader(pub(super) Arc<Transport>);

impl Reader {
    /// Sets up a reader without a writer. Sends nothing.
    pub fn new(connection: &Connection) -> Result<Self, ApiError> {
        Ok(Self::over(Transport::over_network(connection)?))
    }

    pub(super) fn over(transport: Arc<Transport>) -> Self {
        Self(transport)
    }

    /// How many calls this connection has sent, including a writer's; each attempt counts.
    pub fn calls(&self) -> u64 {
        self.0.calls()
    }

    /// Seconds by which the server's clock is ahead of this machine's, by its first answer; `None` if it did not say.
    pub fn clock_ahead(&self) -> Option<i64> {
        self.0.clock_ahead()
    }

    /// The id of the token's user (`GET /v2/users/me`).
    pub async fn caller(&self) -> Result<String, ApiError> {
        let reply: SingleUser = self
            .0
            .read(
                self.0.url(&["v2", "users", "me"]),
                "the calling user".to_owned(),
            )
            .await?;
        if reply.user.id.is_empty() {
            return Err(ApiError::Malformed("the calling user has no id".to_owned()));
        }
        // The id is written into plans and saved listings.
        if self.0.holds_token(&reply.user.id) {
            return Err(ApiError::Malformed(
                "the calling user's id is not valid".to_owned(),
            ));
        }
        Ok(reply.user.id)
    }

    /// Lists what the filter asks for, and proves that nothing is missing.
    pub async fn list(&self, filter: &Filter) -> Result<CompleteListing<Annotation>, ApiError> {
        self.list_with(filter, Ok).await
    }

    /// Like [`Reader::list`], but keeps what `take` makes of each annotation: a million annotations fit into memory in the
    /// caller's form, but not in the wire form. A listing that is repeated calls `take` again for everything.
    pub async fn list_with<T, E: From<ApiError>>(
        &self,
        filter: &Filter,
        take: impl FnMut(Annotation) -> Result<T, E>,
    ) -> Result<CompleteListing<T>, E> {
        listing::list(&self.0, filter, take).await
    }

    /// Lists page by page, for output as it is read. It proves nothing: no plan may be built from it.
    pub fn pages(&self, filter: &Filter) -> Pages {
        Pages {
            transport: Arc::clone(&self.0),
            queries: filter.queries().into(),
            filter: filter.clone(),
            number: 1,
            empty: 0,
            hasher: RandomState::new(),
            seen: HashSet::new(),
        }
    }

    /// These annotations (input id, annotation id) as they are now, whoever made them, sorted by input id and annotation id.
    /// One that is not returned does not exist: if any is missing, the listing of its chunk is proved complete. (A single one
    /// is asked for by its path first; a "not found" there proves nothing.)
    pub async fn by_ids(&self, names: &[(String, String)]) -> Result<Vec<Annotation>, ApiError> {
        if let [(input, id)] = names
            && is_path_segment(input)
            && is_path_segment(id)
            && let Some(annotation) = self.one(input, id).await?
        {
            return Ok(vec![annotation]);
        }
        let queries = Filter::annotations(names.iter().cloned()).queries();
        let mut chunks = Ordered::new(
            self.0.concurrency(),
            queries.into_iter().map(|query| {
                let transport = Arc::clone(&self.0);
                async move { chunk(&transport, query).await }
            }),
        );
        let mut annotations = Vec::with_capacity(names.len());
        while let Some(chunk) = chunks.next().await {
            annotations.extend(chunk?);
        }
        annotations.sort_by(|a, b| (&a.input_id, &a.id).cmp(&(&b.input_id, &b.id)));
        Ok(annotations)
    }

    /// One annotation by its path (`GET /inputs/{input_id}/annotations/{id}`); `None` if it is not found.
    async fn one(&self, input: &str, id: &str) -> Result<Option<Annotation>, ApiError> {
        let path = ["inputs", input, "annotations", id];
        match self.0.get::<SingleAnnotation>(&path, "").await {
            Ok(sent) => {
                let annotation = sent.annotation;
                if annotation.input_id == input && annotation.id == id {
                    return Ok(Some(annotation));
                }
                Err(ApiError::Malformed(format!(
                    "the service returned annotation `{}` of input `{}`, which was not requested",
                    self.0.shown(&annotation.id, 100),
                    self.0.shown(&annotation.input_id, 100)
                )))
            }
            Err(ApiError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

async fn chunk(transport: &Arc<Transport>, query: Query) -> Result<Vec<Annotation>, ApiError> {
    let page = fetch(Arc::clone(transport), query.clone(), Window::largest(1)).await?;
    let distinct: HashSet<(&str, &str)> = page
        .iter()
        .map(|annotation| (annotation.input_id.as_str(), annotation.id.as_str()))
        .collect();
    if distinct.len() == page.len() && query.max_results() == Some(page.len()) {
        return Ok(page);
    }
    listing::prove_by_halves(transport, query).await
}

/// See [`Reader::pages`].
#[derive(Debug)]
pub struct Pages {
    transport: Arc<Transport>,
    queries: VecDeque<Query>,
    filter: Filter,
    number: u64,
    empty: u32,
    hasher: RandomState,
    seen: HashSet<u64>,
}

impl Pages {
    /// The next page, without annotations of earlier pages; `None` after two empty pages in a row.
    pub async fn next(&mut self) -> Result<Option<Vec<Annotation>>, ApiError> {
        while let Some(query) = self.queries.front() {
            let window = Window::largest(self.number);
            let page = fetch(Arc::clone(&self.transport), query.clone(), window).await?;
            self.number += 1;
            if page.is_empty() {
                self.empty += 1;
                if self.empty == 2 {
                    self.queries.pop_front();
                    (self.number, self.empty) = (1, 0);
                }
                continue;
            }
            self.empty = 0;
            let fresh: Vec<Annotation> = page
                .into_iter()
                .filter(|annotation| {
                    let name = (&annotation.input_id, &annotation.id);
                    self.seen.insert(self.hasher.hash_one(name))
                })
                .collect();
            if fresh.is_empty() {
                return Err(ApiError::Malformed(format!(
                    "page {} of the listing contains only annotations of earlier pages",
                    self.number - 1
                )));
            }
            let wanted: Vec<Annotation> = fresh
                .into_iter()
                .filter(|annotation| self.filter.keeps(annotation))
                .collect();
            if !wanted.is_empty() {
                return Ok(Some(wanted));
            }
        }
        Ok(None)
    }
}

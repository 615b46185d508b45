//! Listings that are proved complete: an incomplete one must not become a plan.
//!
//! A listing reads overlapping pages (`overlapping`), or, if the server's pages are too small for that, reads everything twice
//! (`rereading`). A listing that cannot be proved is repeated, three attempts in all. Then, if it names several inputs, each
//! half of them is listed by itself: what fits into one page is read at one moment.

use super::error::ApiError;
use super::filter::{Filter, Query};
use super::ordered::Ordered;
use super::page::Unproved;
use super::transport::Transport;
use super::{overlapping, rereading};
use crate::wire::Annotation;
use std::pin::Pin;
use std::sync::Arc;

const ATTEMPTS: u32 = 3;

/// Queries that return more annotations are made one after the other.
const LONG: u64 = 10_000;

/// A listing that was proved complete. Only the proof can create one.
#[derive(Debug, Clone)]
pub struct CompleteListing<T> {
    filter: Filter,
    items: Vec<T>,
}

impl<T> CompleteListing<T> {
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// In the order of the service, unless something changed meanwhile.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    pub fn into_parts(self) -> (Filter, Vec<T>) {
        (self.filter, self.items)
    }
}

/// Lists and proves. `take` turns each annotation into what the caller keeps, page by page, so that only one page is in memory
/// in its wire form.
pub(super) async fn list<T, E: From<ApiError>>(
    transport: &Arc<Transport>,
    filter: &Filter,
    mut take: impl FnMut(Annotation) -> Result<T, E>,
) -> Result<CompleteListing<T>, E> {
    let queries = filter.queries();
    let mut take = |annotation| {
        if filter.keeps(&annotation) {
            take(annotation).map(Some)
        } else {
            Ok(None)
        }
    };
    let mut items = Vec::new();
    // What one query returns is taken page by page; what several return at a time is in memory in its wire form.
    let is_long = |query: &Query| query.expected().iter().any(|count| *count > LONG);
    let mut rest = Vec::new();
    if queries.len() == 1 || queries.iter().any(is_long) {
        for query in queries {
            match prove(transport, &query, &mut take).await {
                Ok(more) => items.extend(more),
                Err(Unproved::Failed(error)) => return Err(error),
                Err(unproved) => match query.halves() {
                    Some(halves) => rest.extend(halves),
                    None => return Err(unproved.into_failure()),
                },
            }
        }
    } else {
        rest = queries;
    }
    let chunks = rest.into_iter().map(|query| {
        let transport = Arc::clone(transport);
        async move { prove_by_halves(&transport, query).await }
    });
    let mut chunks = Ordered::new(transport.concurrency(), chunks);
    while let Some(chunk) = chunks.next().await {
        for annotation in chunk? {
            items.extend(take(annotation)?);
        }
    }
    Ok(CompleteListing {
        filter: filter.clone(),
        items,
    })
}

/// Lists one query; if that cannot be proved, each half of its inputs.
pub(super) fn prove_by_halves(
    transport: &Arc<Transport>,
    query: Query,
) -> Pin<Box<dyn Future<Output = Result<Vec<Annotation>, ApiError>> + Send + '_>> {
    Box::pin(async move {
        let listed = prove(transport, &query, |annotation| Ok(Some(annotation))).await;
        match (listed, query.halves()) {
            (Err(Unproved::Doubt(_)), Some([one, other])) => {
                let mut items = prove_by_halves(transport, one).await?;
                items.extend(prove_by_halves(transport, other).await?);
                Ok(items)
            }
            (result, _) => result.map_err(Unproved::into_failure),
        }
    })
}

impl<E: From<ApiError>> Unproved<E> {
    /// The error if nothing else can be tried.
    fn into_failure(self) -> E {
        let reason = match self {
            Self::Failed(error) => return error,
            Self::Doubt(reason) => reason,
            Self::NoOverlap => "its pages do not overlap".to_owned(),
        };
        E::from(ApiError::IncompleteListing {
            attempts: ATTEMPTS,
            reason,
        })
    }
}

/// Lists one query until the listing is proved. Keeps what `take` makes of each annotation, if anything.
async fn prove<T, E: From<ApiError>>(
    transport: &Arc<Transport>,
    query: &Query,
    mut take: impl FnMut(Annotation) -> Result<Option<T>, E>,
) -> Result<Vec<T>, Unproved<E>> {
    let mut attempt = 1;
    let mut overlaps = true;
    loop {
        let listed = if overlaps && attempt < ATTEMPTS {
            overlapping::list(transport, query, &mut take).await
        } else {
            rereading::list(transport, query, &mut take).await
        };
        match listed {
            Ok(items) => return Ok(items),
            Err(failed @ Unproved::Failed(_)) => return Err(failed),
            Err(Unproved::NoOverlap) => {
                tracing::debug!("pages do not overlap, reading each twice");
                overlaps = false;
            }
            Err(doubt @ Unproved::Doubt(_)) if attempt == ATTEMPTS => return Err(doubt),
            Err(Unproved::Doubt(reason)) => {
                tracing::debug!(attempt, reason, "the listing is not proved, listing again");
                attempt += 1;
            }
        }
    }
}

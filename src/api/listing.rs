//! Listings that are proved complete: no plan is made from less than everything.
//!
//! A listing goes by pages that overlap (`overlapping`); where the server's pages are too small for that, by two readings that
//! agree (`rereading`). What cannot be proved is listed again, three times in all. Where several inputs were asked for, each
//! half is then listed by itself, because what fits into one page comes at one moment.

use super::error::ApiError;
use super::filter::{Filter, Query};
use super::ordered::Ordered;
use super::page::Attempt;
use super::transport::Transport;
use super::wire::Annotation;
use super::{overlapping, rereading};
use std::pin::Pin;
use std::sync::Arc;

/// How often a listing is made at most.
const ATTEMPTS: u32 = 3;

/// A listing that was proved complete. Nothing but the proof makes one.
#[derive(Debug, Clone)]
pub struct CompleteListing<T> {
    filter: Filter,
    items: Vec<T>,
}

impl<T> CompleteListing<T> {
    /// What was asked for.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What came, in the order in which it came: that of the service if nothing changed meanwhile.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// What was asked for, and what came.
    pub fn into_parts(self) -> (Filter, Vec<T>) {
        (self.filter, self.items)
    }
}

/// Lists, proves, and turns each annotation into what the caller keeps of it, page by page: the wire form of a page
/// is gone before the next is taken.
pub(super) async fn list<T, E: From<ApiError>>(
    transport: &Arc<Transport>,
    filter: &Filter,
    mut take: impl FnMut(Annotation) -> Result<T, E>,
) -> Result<CompleteListing<T>, E> {
    let queries = filter.queries();
    let mut take = |annotation| {
        if filter.takes(&annotation) {
            take(annotation).map(Some)
        } else {
            Ok(None)
        }
    };
    let mut items = Vec::new();
    if let [query] = &queries[..]
        && query.halves().is_none()
    {
        items = prove(transport, query, take).await?;
    } else {
        let chunks = queries.into_iter().map(|query| {
            let transport = Arc::clone(transport);
            async move { prove_by_halves(&transport, query).await }
        });
        let mut chunks = Ordered::new(transport.concurrency(), chunks);
        while let Some(chunk) = chunks.next().await {
            for annotation in chunk? {
                items.push(take(annotation)?);
            }
        }
    }
    Ok(CompleteListing {
        filter: filter.clone(),
        items: items.into_iter().flatten().collect(),
    })
}

/// Makes one query's listing; where it cannot be proved, that of each half of what it names.
pub(super) fn prove_by_halves(
    transport: &Arc<Transport>,
    query: Query,
) -> Pin<Box<dyn Future<Output = Result<Vec<Annotation>, ApiError>> + Send + '_>> {
    Box::pin(async move {
        match (prove(transport, &query, Ok).await, query.halves()) {
            (Err(ApiError::IncompleteListing { .. }), Some([one, other])) => {
                let mut items = prove_by_halves(transport, one).await?;
                items.extend(prove_by_halves(transport, other).await?);
                Ok(items)
            }
            (result, _) => result,
        }
    })
}

/// Makes one query's listing until one is proved.
async fn prove<T, E: From<ApiError>>(
    transport: &Arc<Transport>,
    query: &Query,
    mut take: impl FnMut(Annotation) -> Result<T, E>,
) -> Result<Vec<T>, E> {
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
            Err(Attempt::Failed(error)) => return Err(error),
            Err(Attempt::NoOverlap) => {
                tracing::debug!("pages do not overlap, reading each twice");
                overlaps = false;
            }
            Err(Attempt::Doubt(reason)) if attempt == ATTEMPTS => {
                return Err(E::from(ApiError::IncompleteListing {
                    attempts: ATTEMPTS,
                    reason,
                }));
            }
            Err(Attempt::Doubt(reason)) => {
                tracing::debug!(attempt, reason, "the listing is not proved, listing again");
                attempt += 1;
            }
        }
    }
}

//! A listing by two readings that agree, for servers whose pages are too small to overlap.
//!
//! The first reading goes from the first page to the last, and the second one back, one page at a time. Suppose that an
//! annotation *x* existed all the time and that neither reading returns it. Then *x* was after page *p* when that was read, and
//! before page *p + 1* when that was read. But all annotations of pages 1 to *p* still existed when the first reading reached
//! page *p + 1*, because the second one returns them later; so *x* was still after them. The same holds in reverse for the second
//! reading, so that a single server error hides nothing either. An edit that moves an annotation to the beginning or the end is
//! a difference between the readings of the first or the last page. Annotations with equal times whose order changes from call
//! to call are listed twice, or make the readings differ.
//!
//! Two errors could hide the same annotation from both readings of its page. Before the last page, such a page is shorter than
//! others, or empty. So short pages are read a third time: that costs nothing if all pages are full.

use super::error::ApiError;
use super::filter::Query;
use super::page::{Known, Unproved, duplicate, fetch};
use super::transport::Transport;
use super::windows::Window;
use crate::wire::Annotation;
use std::sync::Arc;

/// Reads everything twice; an error describes the difference.
pub(super) async fn list<T, E: From<ApiError>>(
    transport: &Arc<Transport>,
    query: &Query,
    mut take: impl FnMut(Annotation) -> Result<Option<T>, E>,
) -> Result<Vec<T>, Unproved<E>> {
    let page = |number| {
        fetch(
            Arc::clone(transport),
            query.clone(),
            Window::largest(number),
        )
    };
    let mut known = Known::default();
    let (mut items, mut sums) = (Vec::new(), Vec::new());
    let mut empty = 0;
    while empty < 2 {
        let number = sums.len() as u64 + 1;
        let page = page(number).await?;
        empty = if page.is_empty() { empty + 1 } else { 0 };
        sums.push(known.sum(&page));
        let count = page.len();
        let comparison = known
            .compare(page, |_| true)
            .map_err(|annotation| duplicate(transport, &annotation, number))?;
        if comparison.fresh.len() != count {
            return Err(Unproved::Doubt(format!(
                "page {number} contains annotations that were listed twice"
            )));
        }
        for annotation in comparison.fresh {
            items.extend(take(annotation).map_err(Unproved::Failed)?);
        }
    }
    // The second reading needs only one of the two empty pages.
    sums.pop();
    let full = sums.iter().map(|sum| sum.0).max().unwrap_or_default();
    let last = sums.iter().rposition(|sum| sum.0 > 0).unwrap_or_default();
    let short = (0..last).filter(|at| sums[*at].0 < full);
    let again = short.chain((0..sums.len()).rev());
    for at in again {
        let (before, number) = (sums[at], at as u64 + 1);
        let now = known.sum(&page(number).await?);
        if before != now {
            return Err(Unproved::Doubt(format!(
                "page {number} changed between two readings, of {} and {} annotations",
                before.0, now.0
            )));
        }
    }
    Ok(items)
}

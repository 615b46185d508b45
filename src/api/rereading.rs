//! A listing by two readings that agree, for servers whose pages are too small to overlap.
//!
//! The first reading goes from the first page to the last and the second one back, one page after the other. Suppose that an
//! annotation *x* existed all the time, and that neither reading shows it. Then it was behind page *p* when that was read, and
//! before page *p + 1* when that was read. But all annotations of pages 1 to *p* still existed when the first reading came to
//! page *p + 1*, because the second one shows them later; so *x* was behind them still. The same holds, the other way round,
//! of the second reading, so that one hiccup on the way hides nothing either. An edit that moves an annotation to the beginning
//! or the end shows as a difference between the readings of the first page or of the last. Annotations of the same time whose
//! order changes from call to call come twice, or let the readings differ.

use super::error::ApiError;
use super::filter::Query;
use super::page::{Attempt, Known, fetch, twice};
use super::transport::Transport;
use super::windows::Window;
use super::wire::Annotation;
use std::sync::Arc;

/// Lists twice, or says how the readings differ.
pub(super) async fn list<T, E: From<ApiError>>(
    transport: &Arc<Transport>,
    query: &Query,
    mut take: impl FnMut(Annotation) -> Result<T, E>,
) -> Result<Vec<T>, Attempt<E>> {
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
        let meeting = known
            .meet(page, |_| true)
            .map_err(|annotation| twice(transport, &annotation, number))?;
        if meeting.fresh.len() != count {
            return Err(Attempt::Doubt(format!(
                "page {number} holds annotations that came twice"
            )));
        }
        for annotation in meeting.fresh {
            items.push(take(annotation).map_err(Attempt::Failed)?);
        }
    }
    // One of the two empty pages is enough the second time.
    sums.pop();
    for number in (1..=sums.len() as u64).rev() {
        let before = sums.pop().unwrap_or_default();
        let now = known.sum(&page(number).await?);
        if before != now {
            return Err(Attempt::Doubt(format!(
                "page {number} held {} annotations, and then {} others or changed ones",
                before.0, now.0
            )));
        }
    }
    Ok(items)
}

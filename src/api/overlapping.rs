//! A listing by overlapping pages: each shares annotations with those before it, so that nothing is missed between two.
//!
//! Pages go by offset, so a listing is not a snapshot: annotations that are created or deleted while pages are read move others
//! from page to page. The proof uses the order of annotations, not their positions. It assumes that the service sorts, in either
//! direction, by something that an annotation keeps while it is not modified (its creation, its modification, its id), and that
//! a page holds all annotations between its first and its last at one moment.
//!
//! 1. **No gap.** A page shares an annotation *u* with the pages before it. Annotations between *u* and the end of the page are
//!    on this page; those before the last annotation known so far were on an earlier page. So nothing that existed all the time
//!    is missed, however many annotations are created, deleted and moved.
//! 2. **Beginning.** The first page begins at position 0.
//! 3. **End.** The last page holds less than was asked for, and two empty pages follow it. It is read again after all others, and
//!    the second reading must share annotations with the pages *before* the last: an annotation that a server error hid the
//!    first time shows up the second time.
//! 4. **Edits.** If the service sorts by modification, an edit moves an annotation to the beginning or the end, beyond all
//!    annotations that were not edited since the listing began. So the first page is read again too, after all others, and once
//!    more if it has changed. 3 and 4 find both.
//! 5. **Equal times.** The order of annotations with the same time may change from call to call. So an overlap counts only if it
//!    is exactly as long as if nothing had moved (then as many annotations were read as there are positions), or if it contains
//!    two times of creation and two of modification: a missing annotation would need both.
//!
//! A page that holds less than was asked for, and is not the last, is read twice: a server that filters its pages returns it
//! equally short, while an error does not occur twice.

use super::error::ApiError;
use super::filter::Query;
use super::ordered::Ordered;
use super::page::{Comparison, Known, Unproved, duplicate, fetch};
use super::transport::Transport;
use super::windows::{LARGEST_PAGE, SMALLEST_PAGE, Window, windows};
use crate::wire::Annotation;
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;

type Fetch = Pin<Box<dyn Future<Output = Page> + Send>>;
type Page = (Window, Result<Vec<Annotation>, ApiError>);

/// The pages that were read, the names on the first page, and the new names on the last page.
type Walked = (Vec<PageRead>, HashSet<u64>, HashSet<u64>);

/// A page that was read and is not empty.
#[derive(Debug, Clone, Copy)]
struct PageRead {
    window: Window,
    sum: (usize, u64),
    /// How many annotations it shares with the pages before it if nothing has moved.
    overlap: u64,
}

impl PageRead {
    fn is_short(&self) -> bool {
        (self.sum.0 as u64) < self.window.size
    }

    /// The position after its last annotation.
    fn end(&self) -> u64 {
        self.window.start() + self.sum.0 as u64
    }

    /// Whether the next page only repeats the end of this one: the listing ended within it, and the next page begins before
    /// that end. Such a page says as little as one that begins after the end, and is empty.
    fn is_repeated_by(&self, next: &Self, comparison: &Comparison) -> bool {
        self.is_short()
            && comparison.fresh.is_empty()
            && comparison.shared == next.sum.0
            && self.end() == next.end()
    }

    /// Checks that a reading of this page shares enough annotations with the pages before it.
    fn check_overlap<E>(&self, comparison: &Comparison) -> Result<(), Unproved<E>> {
        let shared = comparison.shared as u64;
        if shared > 0 && (shared == self.overlap || comparison.spans_times) {
            return Ok(());
        }
        Err(Unproved::Doubt(format!(
            "page {} shares {shared} annotations with the pages before it, instead of {}",
            self.window.number, self.overlap
        )))
    }
}

/// A listing in progress.
struct Pages<'a, T, F> {
    transport: &'a Arc<Transport>,
    query: &'a Query,
    known: Known,
    take: F,
    items: Vec<T>,
}

/// Lists by overlapping pages, or says why they prove nothing.
pub(super) async fn list<T, E: From<ApiError>>(
    transport: &Arc<Transport>,
    query: &Query,
    take: impl FnMut(Annotation) -> Result<Option<T>, E>,
) -> Result<Vec<T>, Unproved<E>> {
    let mut pages = Pages {
        transport,
        query,
        known: Known::default(),
        take,
        items: Vec::new(),
    };
    pages.read().await?;
    Ok(pages.items)
}

impl<T, E: From<ApiError>, F: FnMut(Annotation) -> Result<Option<T>, E>> Pages<'_, T, F> {
    async fn read(&mut self) -> Result<(), Unproved<E>> {
        let Some((size, first)) = self.first().await? else {
            return Ok(());
        };
        let mut rest = self.fetch_ahead(windows(size).skip(1));
        let walked = self.walk(size, first, &mut rest).await;
        // Calls in flight count towards the limit of calls at a time until they end.
        rest.finish().await;
        let (reads, head, tail) = walked?;
        self.prove(&reads, &head, &tail).await
    }

    /// Reads from the first page until two pages in a row are empty.
    async fn walk<I: Iterator<Item = Fetch>>(
        &mut self,
        size: u64,
        first: Vec<Annotation>,
        rest: &mut Ordered<I, Page>,
    ) -> Result<Walked, Unproved<E>> {
        let mut reads: Vec<PageRead> = Vec::new();
        let (mut head, mut tail) = (HashSet::new(), HashSet::new());
        let mut first = Some(first);
        let mut empty = 0;
        while empty < 2 {
            let (window, page) = if let Some(page) = first.take() {
                let number = 1;
                (Window { number, size }, page)
            } else {
                let ahead = self.ahead(&reads, size);
                rest.set_window((ahead + 2 - empty).min(self.transport.enough_at_a_time()));
                match rest.next().await {
                    Some((window, page)) => (window, page?),
                    None => return Err(Unproved::NoOverlap),
                }
            };
            if page.is_empty() {
                empty += 1;
                continue;
            }
            empty = 0;
            let end = reads.last().map_or(0, |read| read.window.end());
            let read = PageRead {
                window,
                sum: self.known.sum(&page),
                overlap: end.saturating_sub(window.start()),
            };
            let comparison = self.compare(window, page, |_| true)?;
            if (reads.last()).is_some_and(|last| last.is_repeated_by(&read, &comparison)) {
                continue;
            }
            if !reads.is_empty() {
                read.check_overlap(&comparison)?;
            } else if window.number > 1 {
                return Err(Unproved::Doubt("the first page is empty".to_owned()));
            }
            if comparison.fresh.is_empty() && !read.is_short() {
                return Err(Unproved::Doubt(format!(
                    "page {} contains only annotations of earlier pages",
                    window.number
                )));
            }
            tail = self.names(&comparison.fresh);
            if reads.is_empty() {
                head = tail.clone();
            }
            reads.push(read);
            self.keep(comparison.fresh)?;
        }
        Ok((reads, head, tail))
    }

    /// How many pages are read ahead, besides the empty ones that end a listing: few beyond where it may end. None after a short
    /// page, which is the last one unless the server's pages are often short.
    fn ahead(&self, reads: &[PageRead], size: u64) -> usize {
        let last = match reads {
            [] => return 0,
            [.., before, last] if last.is_short() && !before.is_short() => return 0,
            [.., last] => last,
        };
        let end = last.window.end();
        // It may be longer than expected by any number of pages.
        let pages_to = |expected: &u64| {
            expected.saturating_sub(end).div_ceil(size) + end.saturating_sub(*expected) / size
        };
        // Of unknown length: few calls, and not much slower than to read as many pages at once as are allowed.
        let nearest = self.query.expected().iter().map(pages_to).min();
        nearest.map_or_else(|| (reads.len() / 4).max(1), |pages| pages as usize)
    }

    /// The size of the server's pages, and the first page, which is read before all others. `None` if it is the only page; then
    /// it is already proved and kept.
    async fn first(&mut self) -> Result<Option<(u64, Vec<Annotation>)>, Unproved<E>> {
        let window = Window::largest(1);
        let page = self.page(window).await?;
        if page.len() as u64 >= LARGEST_PAGE {
            return Ok(Some((LARGEST_PAGE, page)));
        }
        // Either this is the whole listing, or the server's pages are smaller. A server error may make one of the reads wrong.
        let others = [2, 2, 3].map(Window::largest);
        let mut pages = self.fetch_ahead(others.into_iter());
        pages.set_window(others.len());
        let mut lengths = Vec::new();
        while let Some((_, other)) = pages.next().await {
            lengths.push(other.map(|other| other.len()));
        }
        let lengths = lengths.into_iter().collect::<Result<Vec<usize>, _>>()?;
        let most = lengths.iter().copied().fold(page.len(), usize::max);
        let is_only = lengths.iter().all(|length| *length == 0);
        if is_only {
            // Its annotations existed all the time, so whatever follows them now would have been on the pages that were empty.
            self.check_unchanged(window, self.known.sum(&page)).await?;
            let comparison = self.compare(window, page, |_| true)?;
            self.keep(comparison.fresh)?;
            return Ok(None);
        }
        let most = (most as u64).min(LARGEST_PAGE);
        if most < SMALLEST_PAGE {
            return Err(Unproved::NoOverlap);
        }
        let window = Window {
            number: 1,
            size: most,
        };
        Ok(Some((most, self.page(window).await?)))
    }

    /// Reads short pages, the last page and the first page again.
    async fn prove(
        &mut self,
        reads: &[PageRead],
        head: &HashSet<u64>,
        tail: &HashSet<u64>,
    ) -> Result<(), Unproved<E>> {
        let [front, .., last] = reads else {
            return Err(Unproved::Doubt(
                "further pages were found at first, and now there are none".to_owned(),
            ));
        };
        if !last.is_short() {
            return Err(Unproved::Doubt(format!(
                "page {} is full, but the page that overlaps its end is empty",
                last.window.number
            )));
        }
        for short in reads.iter().rev().skip(1).filter(|read| read.is_short()) {
            self.check_unchanged(short.window, short.sum).await?;
        }
        let (end, beginning) = (self.page(last.window), self.page(front.window));
        let (end, beginning) = tokio::join!(end, beginning);
        let (end, beginning) = (end?, beginning?);
        if end.len() as u64 >= last.window.size || (beginning.len() as u64) < front.sum.0 as u64 {
            return Err(Unproved::Doubt(
                "the first or the last page changed its length".to_owned(),
            ));
        }
        let comparison = self.compare(last.window, end, |name| !tail.contains(&name))?;
        last.check_overlap(&comparison)?;
        self.keep(comparison.fresh)?;
        // By a server error this could be the next page, which overlaps the end of the first one. That does not occur twice.
        let mut beginnings = vec![beginning];
        if self.known.sum(&beginnings[0]) != front.sum {
            beginnings.push(self.page(front.window).await?);
        }
        for beginning in beginnings {
            let comparison = self.compare(front.window, beginning, |name| head.contains(&name))?;
            PageRead {
                overlap: front.sum.0 as u64,
                ..*front
            }
            .check_overlap(&comparison)?;
            self.keep(comparison.fresh)?;
        }
        Ok(())
    }

    /// Reads a page again and checks that it is unchanged.
    async fn check_unchanged(
        &self,
        window: Window,
        before: (usize, u64),
    ) -> Result<(), Unproved<E>> {
        let now = self.known.sum(&self.page(window).await?);
        if before == now {
            return Ok(());
        }
        Err(Unproved::Doubt(format!(
            "page {} changed between two readings, of {} and {} annotations",
            window.number, before.0, now.0
        )))
    }

    fn compare(
        &mut self,
        window: Window,
        page: Vec<Annotation>,
        counts: impl Fn(u64) -> bool,
    ) -> Result<Comparison, Unproved<E>> {
        if page.len() as u64 > window.size {
            return Err(Unproved::NoOverlap);
        }
        let comparison = self.known.compare(page, counts);
        comparison.map_err(|annotation| duplicate(self.transport, &annotation, window.number))
    }

    fn names(&self, annotations: &[Annotation]) -> HashSet<u64> {
        annotations.iter().map(|it| self.known.name(it)).collect()
    }

    fn keep(&mut self, annotations: Vec<Annotation>) -> Result<(), Unproved<E>> {
        for annotation in annotations {
            let item = (self.take)(annotation).map_err(Unproved::Failed)?;
            self.items.extend(item);
        }
        Ok(())
    }

    async fn page(&self, window: Window) -> Result<Vec<Annotation>, ApiError> {
        fetch(Arc::clone(self.transport), self.query.clone(), window).await
    }

    /// Reads pages ahead, and returns them in order.
    fn fetch_ahead<I: Iterator<Item = Window>>(
        &self,
        windows: I,
    ) -> Ordered<impl Iterator<Item = Fetch> + use<I, T, E, F>, Page> {
        let (transport, query) = (Arc::clone(self.transport), self.query.clone());
        let fetches = windows.map(move |window| {
            let page = fetch(Arc::clone(&transport), query.clone(), window);
            Box::pin(async move { (window, page.await) }) as Fetch
        });
        Ordered::new(1, fetches)
    }
}

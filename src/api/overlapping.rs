//! A listing by pages that overlap: each shares annotations with those before it, so that nothing can fall between two.
//!
//! Pages go by offset, so a listing is no snapshot. Annotations that are created or deleted while pages are read move others
//! from page to page. The proof uses the order of annotations and never their positions. Assumed is that the service sorts
//! by something that an annotation keeps while it is not modified (its creation, its modification, its id), in whichever
//! direction, and that a page holds all annotations between its first and its last at one moment.
//!
//! 1. **No gap.** A page shares an annotation *u* with the pages before it. Whatever comes behind *u* and not behind the end of
//!    the page is on this page. Whatever comes before the last annotation known so far was on an earlier page. So nothing
//!    that existed all the time is missed, however many annotations come, go and move.
//! 2. **The beginning.** The first page begins at position 0.
//! 3. **The end.** The last page holds less than was asked for, and two empty pages follow it. It is read again after all the
//!    others, and the second reading has to share annotations with the pages *before* the last: if a hiccup hid one
//!    annotation the first time, it shows the second time.
//! 4. **Edits.** Where the service sorts by modification, an edit moves an annotation to the beginning or the end. So the first
//!    page is read again as well, after all the others, and once more if it is another one then. An annotation edited since the beginning stands there before all that
//!    was not, or at the end behind all of that. Both are found by 3 and 4.
//! 5. **Equal times.** The order of annotations with the same time may change from call to call. Hence an overlap counts only if
//!    it is just as long as it would be had nothing moved (then as many annotations came as there are positions), or if it
//!    holds two times of creation and two of modification: what is missing would have to have both.
//!
//! A page that holds less than was asked for, and is not the last, is read twice: a server that filters its pages leaves it as
//! short each time, a hiccup does not come twice.

use super::error::ApiError;
use super::filter::Query;
use super::ordered::Ordered;
use super::page::{Attempt, Known, Meeting, fetch, twice};
use super::transport::Transport;
use super::windows::{LARGEST_PAGE, SMALLEST_PAGE, Window, windows};
use super::wire::Annotation;
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;

/// A page that is being read.
type Fetch = Pin<Box<dyn Future<Output = Page> + Send>>;
/// A page, and what it holds.
type Page = (Window, Result<Vec<Annotation>, ApiError>);

/// The pages that were read, the names on the first one, and those that came with the last one.
type Walked = (Vec<Read>, HashSet<u64>, HashSet<u64>);

/// A page that was read and holds something.
#[derive(Debug, Clone, Copy)]
struct Read {
    window: Window,
    sum: (usize, u64),
    /// How many annotations it shares with the pages before it if nothing moves.
    overlap: u64,
}

impl Read {
    fn is_short(&self) -> bool {
        (self.sum.0 as u64) < self.window.size
    }

    /// Whether a reading of this page shares enough with the pages before it.
    fn joins<E>(&self, meeting: &Meeting) -> Result<(), Attempt<E>> {
        let shared = meeting.shared as u64;
        if shared > 0 && (shared == self.overlap || meeting.spans) {
            return Ok(());
        }
        Err(Attempt::Doubt(format!(
            "page {} shares {shared} annotations with the pages before it, {} would be right",
            self.window.number, self.overlap
        )))
    }
}

/// What came so far.
struct Pages<'a, T, F> {
    transport: &'a Arc<Transport>,
    query: &'a Query,
    known: Known,
    take: F,
    items: Vec<T>,
}

/// Lists by pages that overlap, or says why they prove nothing.
pub(super) async fn list<T, E: From<ApiError>>(
    transport: &Arc<Transport>,
    query: &Query,
    take: impl FnMut(Annotation) -> Result<T, E>,
) -> Result<Vec<T>, Attempt<E>> {
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

impl<T, E: From<ApiError>, F: FnMut(Annotation) -> Result<T, E>> Pages<'_, T, F> {
    async fn read(&mut self) -> Result<(), Attempt<E>> {
        let Some((size, first)) = self.first().await? else {
            return Ok(());
        };
        let mut rest = self.fetched(windows(size).skip(1));
        let walked = self.walk(size, first, &mut rest).await;
        // Their calls were made already, and no more than are allowed may run at a time.
        rest.finish().await;
        let (reads, head, tail) = walked?;
        self.prove(&reads, &head, &tail).await
    }

    /// Reads from the first page on until two are empty; with the names on the first page, and those that came with the
    /// last one.
    async fn walk<I: Iterator<Item = Fetch>>(
        &mut self,
        size: u64,
        first: Vec<Annotation>,
        rest: &mut Ordered<I, Page>,
    ) -> Result<Walked, Attempt<E>> {
        let mut reads: Vec<Read> = Vec::new();
        let (mut head, mut tail) = (HashSet::new(), HashSet::new());
        let mut first = Some(first);
        let mut empty = 0;
        while empty < 2 {
            let (window, page) = if let Some(page) = first.take() {
                let number = 1;
                (Window { number, size }, page)
            } else {
                // Few are read in vain behind the end of a short listing.
                rest.widen((reads.len() + 2).min(self.transport.concurrency()));
                match rest.next().await {
                    Some((window, page)) => (window, page?),
                    None => return Err(Attempt::NoOverlap),
                }
            };
            if page.is_empty() {
                empty += 1;
                continue;
            }
            empty = 0;
            let end = reads.last().map_or(0, |read| read.window.end());
            let read = Read {
                window,
                sum: self.known.sum(&page),
                overlap: end.saturating_sub(window.start()),
            };
            let meeting = self.meet(window, page, |_| true)?;
            if !reads.is_empty() {
                read.joins(&meeting)?;
            } else if window.number > 1 {
                return Err(Attempt::Doubt("the first page is empty".to_owned()));
            }
            if meeting.fresh.is_empty() && !read.is_short() {
                return Err(Attempt::Doubt(format!(
                    "page {} holds only annotations that came before",
                    window.number
                )));
            }
            tail = self.names(&meeting.fresh);
            if reads.is_empty() {
                head = tail.clone();
            }
            reads.push(read);
            self.keep(meeting.fresh)?;
        }
        Ok((reads, head, tail))
    }

    /// The largest page that the server gives, and the first one, which is read before all the others. `None` if it was
    /// the only one, and is proved and kept.
    async fn first(&mut self) -> Result<Option<(u64, Vec<Annotation>)>, Attempt<E>> {
        let window = Window::largest(1);
        let page = self.page(window).await?;
        if page.len() as u64 >= LARGEST_PAGE {
            return Ok(Some((LARGEST_PAGE, page)));
        }
        // Either everything is on it, or the server's pages are smaller. One of the readings may be wrong by a hiccup.
        let others = [2, 2, 3].map(Window::largest);
        let mut pages = self.fetched(others.into_iter());
        pages.widen(others.len());
        let mut lengths = Vec::new();
        while let Some((_, other)) = pages.next().await {
            lengths.push(other.map(|other| other.len()));
        }
        let lengths = lengths.into_iter().collect::<Result<Vec<usize>, _>>()?;
        let most = lengths.iter().copied().fold(page.len(), usize::max);
        let is_only = lengths.iter().all(|length| *length == 0);
        if is_only {
            // Its annotations existed all the time, so what is behind them now was behind them on the empty pages.
            self.same(window, self.known.sum(&page)).await?;
            let meeting = self.meet(window, page, |_| true)?;
            self.keep(meeting.fresh)?;
            return Ok(None);
        }
        let most = (most as u64).min(LARGEST_PAGE);
        if most < SMALLEST_PAGE {
            return Err(Attempt::NoOverlap);
        }
        let window = Window {
            number: 1,
            size: most,
        };
        Ok(Some((most, self.page(window).await?)))
    }

    /// The readings after all the others: of short pages, of the last page and of the first.
    async fn prove(
        &mut self,
        reads: &[Read],
        head: &HashSet<u64>,
        tail: &HashSet<u64>,
    ) -> Result<(), Attempt<E>> {
        let [front, .., last] = reads else {
            return Err(Attempt::Doubt(
                "there were more pages, and now there are none".to_owned(),
            ));
        };
        if !last.is_short() {
            return Err(Attempt::Doubt(format!(
                "page {} is full, but the page that overlaps its end is empty",
                last.window.number
            )));
        }
        for short in reads.iter().rev().skip(1).filter(|read| read.is_short()) {
            self.same(short.window, short.sum).await?;
        }
        let (end, beginning) = (self.page(last.window), self.page(front.window));
        let (end, beginning) = tokio::join!(end, beginning);
        let (end, beginning) = (end?, beginning?);
        if end.len() as u64 >= last.window.size || (beginning.len() as u64) < front.sum.0 as u64 {
            return Err(Attempt::Doubt(
                "the first or the last page changed its length".to_owned(),
            ));
        }
        let meeting = self.meet(last.window, end, |name| !tail.contains(&name))?;
        last.joins(&meeting)?;
        self.keep(meeting.fresh)?;
        // A hiccup could give the page behind it, which shares the end of the first one. It does not come twice.
        let mut beginnings = vec![beginning];
        if self.known.sum(&beginnings[0]) != front.sum {
            beginnings.push(self.page(front.window).await?);
        }
        for beginning in beginnings {
            let meeting = self.meet(front.window, beginning, |name| head.contains(&name))?;
            Read {
                overlap: front.sum.0 as u64,
                ..*front
            }
            .joins(&meeting)?;
            self.keep(meeting.fresh)?;
        }
        Ok(())
    }

    /// Reads a page again, which has to hold the same.
    async fn same(&self, window: Window, before: (usize, u64)) -> Result<(), Attempt<E>> {
        let now = self.known.sum(&self.page(window).await?);
        if before == now {
            return Ok(());
        }
        Err(Attempt::Doubt(format!(
            "page {} held {} annotations, and then {} others or changed ones",
            window.number, before.0, now.0
        )))
    }

    fn meet(
        &mut self,
        window: Window,
        page: Vec<Annotation>,
        counts: impl Fn(u64) -> bool,
    ) -> Result<Meeting, Attempt<E>> {
        if page.len() as u64 > window.size {
            return Err(Attempt::NoOverlap);
        }
        let meeting = self.known.meet(page, counts);
        meeting.map_err(|annotation| twice(self.transport, &annotation, window.number))
    }

    fn names(&self, annotations: &[Annotation]) -> HashSet<u64> {
        annotations.iter().map(|it| self.known.name(it)).collect()
    }

    fn keep(&mut self, annotations: Vec<Annotation>) -> Result<(), Attempt<E>> {
        for annotation in annotations {
            let item = (self.take)(annotation).map_err(Attempt::Failed)?;
            self.items.push(item);
        }
        Ok(())
    }

    async fn page(&self, window: Window) -> Result<Vec<Annotation>, ApiError> {
        fetch(Arc::clone(self.transport), self.query.clone(), window).await
    }

    /// Reads pages ahead, and hands them out in order.
    fn fetched<I: Iterator<Item = Window>>(
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

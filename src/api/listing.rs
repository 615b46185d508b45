//! Listing, and the proof that a listing missed nothing.
//!
//! Pages go by offset, from the oldest annotation to the newest, so that a listing is no snapshot: when an annotation
//! is deleted while pages are read, all that follows moves one place towards the front, and whatever stood first on
//! an unread page slips onto one that was read already. It is missed, and looks as if it did not exist. Every such
//! shift also changes the last page. Hence the proof, in three steps that do not overlap in time:
//!
//! 1. **Find the end**: the last page that holds anything, with two empty pages in a row behind it. Its ids are kept.
//! 2. **Read** every page before it, several at a time. One that holds less than others do is read again: some servers
//!    filter a page after they cut it, which leaves it as short each time; a hiccup does not come twice.
//! 3. **Read the page behind the last one again, and then the last one**: nothing behind it, and the same ids.
//!
//! What was read between 1 and 3 was read while nothing moved. Reading the last page a second time only at the end
//! would not do: a shift that happens early has reached the last page before it is first seen. An annotation
//! that comes twice (a page served twice, a server that ignores `page`) spoils the attempt as well. A listing that
//! cannot be proved is made again, three times in all.
//!
//! One blind spot remains by the nature of it: a server that hides annotations after it cut its pages can hide the
//! shift too, when what it hides stands first on the last page.

use super::error::ApiError;
use super::exchange::HttpRequest;
use super::filter::{Filter, Query};
use super::ordered::Ordered;
use super::request::{Partial, Request};
use super::transport::Transport;
use super::wire::{Annotation, Annotations};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
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

    /// What came, in the order in which the service lists it.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// What was asked for, and what came.
    pub fn into_parts(self) -> (Filter, Vec<T>) {
        (self.filter, self.items)
    }
}

/// Why an attempt ended without a proof.
#[derive(Debug)]
enum Attempt<E> {
    /// The pages do not fit together.
    Doubt(String),
    /// A call failed, or what came could not be taken.
    Failed(E),
}

impl<E: From<ApiError>> From<ApiError> for Attempt<E> {
    fn from(error: ApiError) -> Self {
        Self::Failed(E::from(error))
    }
}

/// Input id and annotation id.
type Name = (String, String);

/// Lists, proves, and turns each annotation into what the caller keeps of it, page by page: the wire form of a page
/// is gone before the next is taken.
pub(super) async fn list<T, E: From<ApiError>>(
    transport: &Arc<Transport>,
    filter: &Filter,
    mut take: impl FnMut(Annotation) -> Result<T, E>,
) -> Result<CompleteListing<T>, E> {
    let queries = filter.queries();
    let mut items = Vec::new();
    if let [query] = &queries[..] {
        items = prove(transport, query, take).await?;
    } else {
        let chunks = queries.into_iter().map(|query| {
            let transport = Arc::clone(transport);
            async move { prove(&transport, &query, Ok::<_, ApiError>).await }
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
        items,
    })
}

/// Makes one query's listing until one is proved.
pub(super) async fn prove<T, E: From<ApiError>>(
    transport: &Arc<Transport>,
    query: &Query,
    mut take: impl FnMut(Annotation) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let mut attempt = 1;
    loop {
        let pass = Pass { transport, query };
        match pass.run(&mut take).await {
            Ok(items) => return Ok(items),
            Err(Attempt::Failed(error)) => return Err(error),
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

/// Reads one page and checks that it can be what was asked for.
pub(super) async fn fetch(
    transport: Arc<Transport>,
    query: Query,
    number: u64,
) -> Result<Vec<Annotation>, ApiError> {
    let mut url = transport.app_url(&["annotations"]);
    url.set_query(Some(&query.page(number)));
    let page = transport
        .send::<Annotations>(Request {
            http: HttpRequest::get(url),
            about: transport.app(),
            partial: Partial::Fails,
        })
        .await?
        .annotations;
    for annotation in &page {
        let (input, id) = (&annotation.input_id, &annotation.id);
        if input.is_empty() || id.is_empty() {
            return Err(ApiError::Malformed(format!(
                "page {number} of the listing holds an annotation without an id or an input"
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

/// A page that is being read.
type Fetch = Pin<Box<dyn Future<Output = Page> + Send>>;
/// A page's number, and what it holds.
type Page = (u64, Result<Vec<Annotation>, ApiError>);
type Pages<I> = Ordered<I, Page>;

/// Reads pages, several at a time, and hands them out in the order given.
fn pages<N: Iterator<Item = u64>>(
    transport: Arc<Transport>,
    query: Query,
    numbers: N,
) -> Pages<impl Iterator<Item = Fetch> + use<N>> {
    Ordered::new(
        transport.concurrency(),
        numbers.map(move |number| {
            let page = fetch(Arc::clone(&transport), query.clone(), number);
            Box::pin(async move { (number, page.await) }) as Fetch
        }),
    )
}

/// One attempt at one query.
struct Pass<'a> {
    transport: &'a Arc<Transport>,
    query: &'a Query,
}

/// Where a listing ends.
struct End {
    /// The last page that holds anything; 0 when nothing does.
    last: u64,
    /// What that page holds, sorted.
    names: Vec<Name>,
    /// How much the fullest page held that was read on the way.
    fullest: usize,
}

impl Pass<'_> {
    async fn run<T, E: From<ApiError>>(
        &self,
        take: &mut impl FnMut(Annotation) -> Result<T, E>,
    ) -> Result<Vec<T>, Attempt<E>> {
        let end = self.find_end().await?;
        let mut seen = Seen::default();
        let mut items = Vec::new();
        let mut keep = |page: Vec<Annotation>| {
            for annotation in page {
                items.push(take(annotation)?);
            }
            Ok(())
        };

        let mut sizes = Vec::new();
        let mut pages = self.pages(1..end.last);
        while let Some((number, page)) = pages.next().await {
            let page = page?;
            sizes.push((number, page.len()));
            self.note(&mut seen, number, &page)?;
            keep(page).map_err(Attempt::Failed)?;
        }
        self.read_short_pages_again(sizes, end.fullest).await?;

        // One after the other: what a hiccup hid behind the last page, and a delete moves onto it, shows on one of the two.
        let behind = end.last + 1;
        if !self.page(behind).await?.is_empty() {
            return Err(Attempt::Doubt(format!(
                "page {behind} was empty, and then it was not"
            )));
        }
        if end.last > 0 {
            let page = self.page(end.last).await?;
            self.note(&mut seen, end.last, &page)?;
            if names(&page) != end.names {
                return Err(Attempt::Doubt(format!(
                    "page {}, the last one, changed while the others were read",
                    end.last
                )));
            }
            keep(page).map_err(Attempt::Failed)?;
        }
        Ok(items)
    }

    /// The rest of step 2: pages before the last one that hold less than the fullest.
    async fn read_short_pages_again<E: From<ApiError>>(
        &self,
        sizes: Vec<(u64, usize)>,
        fullest: usize,
    ) -> Result<(), Attempt<E>> {
        let fullest = sizes
            .iter()
            .map(|(_, size)| *size)
            .fold(fullest, usize::max);
        let short: BTreeMap<u64, usize> = sizes
            .into_iter()
            .filter(|(_, size)| *size < fullest)
            .collect();
        let mut pages = self.pages(short.clone().into_keys());
        while let Some((number, page)) = pages.next().await {
            let (before, now) = (short[&number], page?.len());
            if before != now {
                return Err(Attempt::Doubt(format!(
                    "page {number} held {before} annotations, and then {now}"
                )));
            }
        }
        Ok(())
    }

    /// Step 1. Pages are probed in growing steps and then by halves, always two in a row, because one empty page does
    /// not end a listing.
    async fn find_end<E: From<ApiError>>(&self) -> Result<End, Attempt<E>> {
        let mut known: BTreeMap<u64, Vec<Name>> = BTreeMap::new();
        // Most listings are short: one round of calls settles them.
        self.probe(&mut known, 1..=3).await?;
        // The last page known to hold anything, and the first from which two in a row are known to be empty.
        let mut low = last_held(&known, 1..=3).unwrap_or(0);
        let mut high = (low <= 1).then_some(low + 1);
        let mut step = 1;
        while high.is_none_or(|high| high > low + 1) {
            let at = match high {
                None => low + step,
                Some(high) => low + (high - low) / 2,
            };
            self.probe(&mut known, at..=at + 1).await?;
            match last_held(&known, at..=at + 1) {
                None => high = Some(at),
                // Never beyond a page that is known to be empty: `at` is below `high`.
                Some(page) => low = page,
            }
            step *= 2;
        }
        Ok(End {
            last: low,
            fullest: known.values().map(Vec::len).max().unwrap_or_default(),
            names: known.remove(&low).unwrap_or_default(),
        })
    }

    /// Reads those of the pages that are not known yet. Two pages that hold the same annotation mean that `page` does
    /// not do what it should, and that no end would be found.
    async fn probe<E: From<ApiError>>(
        &self,
        known: &mut BTreeMap<u64, Vec<Name>>,
        pages: std::ops::RangeInclusive<u64>,
    ) -> Result<(), Attempt<E>> {
        let missing: Vec<u64> = pages.filter(|page| !known.contains_key(page)).collect();
        let mut fetched = self.pages(missing.into_iter());
        while let Some((number, page)) = fetched.next().await {
            known.insert(number, names(&page?));
        }
        let mut seen = Seen::default();
        for (number, names) in known.iter() {
            for (input, id) in names {
                seen.note(self.transport, *number, input, id)?;
            }
        }
        Ok(())
    }

    async fn page(&self, number: u64) -> Result<Vec<Annotation>, ApiError> {
        fetch(Arc::clone(self.transport), self.query.clone(), number).await
    }

    fn pages<N: Iterator<Item = u64>>(
        &self,
        numbers: N,
    ) -> Pages<impl Iterator<Item = Fetch> + use<N>> {
        pages(Arc::clone(self.transport), self.query.clone(), numbers)
    }

    fn note<E>(&self, seen: &mut Seen, number: u64, page: &[Annotation]) -> Result<(), Attempt<E>> {
        page.iter().try_for_each(|annotation| {
            seen.note(self.transport, number, &annotation.input_id, &annotation.id)
        })
    }
}

/// Which annotations came already, and on which page: 64-bit hashes, because the names of a million would take 100 MB.
/// Two names with one hash only cost another attempt, with other hashes.
#[derive(Debug, Default)]
struct Seen {
    hasher: RandomState,
    pages: HashMap<u64, u64>,
}

impl Seen {
    fn note<E>(
        &mut self,
        transport: &Transport,
        page: u64,
        input: &str,
        id: &str,
    ) -> Result<(), Attempt<E>> {
        match self.pages.insert(self.hasher.hash_one((input, id)), page) {
            None => Ok(()),
            Some(before) => Err(Attempt::Doubt(format!(
                "annotation `{}` of input `{}` came twice, on pages {before} and {page}",
                transport.shown(id, 100),
                transport.shown(input, 100)
            ))),
        }
    }
}

/// The last of these pages that holds anything.
fn last_held(
    known: &BTreeMap<u64, Vec<Name>>,
    pages: std::ops::RangeInclusive<u64>,
) -> Option<u64> {
    pages
        .rev()
        .find(|page| known.get(page).is_some_and(|names| !names.is_empty()))
}

fn names(page: &[Annotation]) -> Vec<Name> {
    let mut names: Vec<Name> = page
        .iter()
        .map(|annotation| (annotation.input_id.clone(), annotation.id.clone()))
        .collect();
    names.sort_unstable();
    names
}

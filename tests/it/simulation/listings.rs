//! Listings in every order, while annotations are created, deleted and changed between any two answers.
//!
//! `ANNOSYNC_SIM_LISTINGS=100000` sets their number, `ANNOSYNC_SIM_FIRST` the first seed.

use super::chance::{Chance, hash};
use super::number;
use annosync::api::{
    ApiError, Connection, Endpoint, Exchange, ExchangeFuture, Filter, HttpRequest, HttpResponse,
    InsecureHttp, Token, connect_through,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The number of listings that takes a few seconds.
const LISTINGS: u64 = 400;

/// What a listing is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    OldestFirst,
    NewestFirst,
    ModifiedLast,
    ModifiedFirst,
}

const ORDERS: [Order; 4] = [
    Order::OldestFirst,
    Order::NewestFirst,
    Order::ModifiedLast,
    Order::ModifiedFirst,
];

/// The order of annotations with equal times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ties {
    /// The order of creation.
    Stable,
    /// Another order in each answer.
    Unstable,
}

/// An annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    id: u64,
    input: u64,
    created: u64,
    modified: u64,
}

/// A service that only lists; its annotations change.
#[derive(Debug)]
struct Listed {
    chance: Chance,
    order: Order,
    ties: Ties,
    /// The largest page.
    most: u64,
    /// The number of changes in a thousand moments.
    rate: u64,
    /// How many annotations a change touches at most.
    burst: u64,
    /// The call at which one page is wrong.
    hiccup: Option<u64>,
    rows: Vec<Row>,
    now: u64,
    made: u64,
    calls: u64,
    /// The annotations that existed at every moment since the listing began, and every version that existed.
    always: BTreeSet<u64>,
    versions: BTreeSet<(u64, u64)>,
}

impl Listed {
    fn of(seed: u64, order: Order, ties: Ties, rates: &[u64]) -> Self {
        let mut chance = Chance::of(&[seed, 11]);
        let most = *chance.pick(&[3, 3, 3, 1, 7, 20, 24, 50, 1_000]);
        let rows = chance.below(most.min(40) * 9);
        let hiccup = chance.one_in(3).then(|| chance.below(24));
        let mut listed = Self {
            order,
            ties,
            most,
            rate: *chance.pick(rates),
            burst: *chance.pick(&[1, 1, 2, 6]),
            hiccup,
            rows: Vec::new(),
            now: 0,
            made: 0,
            calls: 0,
            always: BTreeSet::new(),
            versions: BTreeSet::new(),
            chance,
        };
        while (listed.rows.len() as u64) < rows {
            listed.insert();
        }
        listed.always = listed.rows.iter().map(|row| row.id).collect();
        listed.note();
        listed
    }

    fn note(&mut self) {
        let versions = self.rows.iter().map(|row| (row.id, row.modified));
        self.versions.extend(versions);
    }

    /// Several often have equal times, like those of one call.
    fn insert(&mut self) {
        self.now += 1;
        for _ in 0..=self.chance.below(self.burst) {
            self.made += 1;
            self.rows.push(Row {
                id: self.made,
                input: self.chance.below(5),
                created: self.now,
                modified: self.now,
            });
        }
    }

    fn delete(&mut self) {
        for _ in 0..=self.chance.below(self.burst) {
            if !self.rows.is_empty() {
                let row = self.rows.remove(self.chance.index(self.rows.len()));
                self.always.remove(&row.id);
            }
        }
    }

    fn edit(&mut self) {
        self.now += 1;
        for _ in 0..=self.chance.below(self.burst) {
            if !self.rows.is_empty() {
                let place = self.chance.index(self.rows.len());
                self.rows[place].modified = self.now;
            }
        }
    }

    /// A moment at which something may change.
    fn moment(&mut self) {
        while self.chance.in_thousand(self.rate) {
            match self.chance.below(4) {
                0 => self.insert(),
                1 => self.delete(),
                2 => self.edit(),
                // Changes whose effects on positions cancel out.
                _ => {
                    self.insert();
                    self.delete();
                }
            }
            self.note();
        }
    }

    fn sorted(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        let tie = |row: &Row| match self.ties {
            Ties::Stable => row.id,
            Ties::Unstable => hash(&row.id.to_le_bytes(), self.calls),
        };
        rows.sort_by_key(|row| match self.order {
            Order::OldestFirst | Order::NewestFirst => (row.created, tie(row)),
            Order::ModifiedLast | Order::ModifiedFirst => (row.modified, tie(row)),
        });
        if matches!(self.order, Order::NewestFirst | Order::ModifiedFirst) {
            rows.reverse();
        }
        rows
    }

    fn serve(&mut self, request: &HttpRequest) -> HttpResponse {
        self.moment();
        let mut fields = BTreeMap::new();
        let mut inputs = BTreeSet::new();
        for (name, value) in request.url.query_pairs() {
            if name == "input_ids" {
                inputs.insert(value.into_owned());
            } else {
                fields.insert(name.into_owned(), value.into_owned());
            }
        }
        let size = fields["per_page"].parse::<u64>().unwrap().min(self.most);
        let mut page: u64 = fields["page"].parse().unwrap();
        let hiccup = self.hiccup == Some(self.calls);
        self.calls += 1;
        let mode = self.chance.below(3);
        if hiccup && mode == 0 {
            page = if page > 1 && self.chance.one_in(2) {
                page - 1
            } else {
                page + 1
            };
        }
        let input = |row: &Row| format!("in-{}", row.input);
        let mut listed: Vec<&Row> = self
            .sorted()
            .into_iter()
            .filter(|row| inputs.is_empty() || inputs.contains(&input(row)))
            .skip(((page - 1) * size) as usize)
            .take(size as usize)
            .collect();
        if hiccup && !listed.is_empty() {
            match mode {
                1 => {
                    let mut chance = self.chance.clone();
                    listed.remove(chance.index(listed.len()));
                }
                2 => listed.clear(),
                _ => {}
            }
        }
        let mut body = r#"{"status":{"code":10000},"annotations":["#.to_owned();
        for (at, row) in listed.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let (id, created, modified) = (row.id, row.created, row.modified);
            write!(
                body,
                r#"{comma}{{"id":"{id}","input_id":"{}","created_at":"{created}","modified_at":"{modified}"}}"#,
                input(row),
            )
            .unwrap();
        }
        body.push_str("]}");
        self.moment();
        HttpResponse {
            status: 200,
            body: body.into_bytes(),
            ..HttpResponse::default()
        }
    }
}

/// The connection to it.
#[derive(Debug)]
struct ListingExchange(Arc<Mutex<Listed>>);

impl ListingExchange {
    async fn carry(&self, request: HttpRequest) -> HttpResponse {
        let wait = |listed: &mut Listed| Duration::from_millis(listed.chance.below(100));
        let there = wait(&mut self.0.lock().unwrap());
        tokio::time::sleep(there).await;
        let (response, back) = {
            let mut listed = self.0.lock().unwrap();
            (listed.serve(&request), wait(&mut listed))
        };
        tokio::time::sleep(back).await;
        response
    }
}

impl Exchange for ListingExchange {
    fn exchange(&self, request: HttpRequest) -> ExchangeFuture<'_> {
        Box::pin(async move { Ok(self.carry(request).await) })
    }
}

/// How a listing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Proved,
    NotProved,
    Wrong,
}

/// Makes a listing; returns its result and the number of calls.
fn list(seed: u64, order: Order, ties: Ties, rates: &[u64]) -> (Ending, u64) {
    let listed = Listed::of(seed, order, ties, rates);
    let filter = match listed.chance.clone().below(3) {
        0 => Filter::inputs((0..3).map(|input| format!("in-{input}"))),
        _ => Filter::everything(),
    };
    let asked =
        |input: &str| filter == Filter::everything() || matches!(input, "in-0" | "in-1" | "in-2");
    let listed = Arc::new(Mutex::new(listed));
    let endpoint = Endpoint::new("https://api.example.org", InsecureHttp::Refuse).unwrap();
    let token = Token::new("a-token").unwrap();
    let mut connection = Connection::new(endpoint, "ann".into(), "street".into(), token);
    connection.rate_limit = 100_000;
    connection.concurrency = 1 + Chance::of(&[seed, 12]).index(8);
    let (reader, _) =
        connect_through(&connection, Arc::new(ListingExchange(Arc::clone(&listed)))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let result = runtime.block_on(reader.list(&filter));
    let listed = listed.lock().unwrap();
    let ending = match result {
        Ok(complete) => {
            let version = |text: &Option<String>| text.as_ref().unwrap().parse::<u64>().unwrap();
            let shown: BTreeMap<u64, u64> = complete
                .items()
                .iter()
                .map(|it| (it.id.parse().unwrap(), version(&it.modified_at)))
                .collect();
            let there = listed
                .rows
                .iter()
                .filter(|row| listed.always.contains(&row.id));
            let missed = there
                .filter(|row| asked(&format!("in-{}", row.input)))
                .any(|row| !shown.contains_key(&row.id));
            let invented = shown
                .iter()
                .any(|(id, at)| !listed.versions.contains(&(*id, *at)));
            if missed || invented || shown.len() != complete.items().len() {
                Ending::Wrong
            } else {
                Ending::Proved
            }
        }
        Err(ApiError::IncompleteListing { .. }) => Ending::NotProved,
        Err(error) => panic!("seed {seed}: {error}"),
    };
    (ending, listed.calls)
}

/// The results of listings.
#[derive(Debug, Default)]
struct Totals {
    proved: u64,
    not_proved: u64,
    calls: u64,
    wrong: Vec<(u64, Order)>,
}

fn list_all(ties: Ties, rates: &[u64], count: u64) -> Totals {
    let first = number("ANNOSYNC_SIM_FIRST").unwrap_or(0);
    let next = AtomicU64::new(first);
    let sum = Mutex::new(Totals::default());
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let order = ORDERS[seed as usize % ORDERS.len()];
                    let (ending, calls) = list(seed, order, ties, rates);
                    let mut sum = sum.lock().unwrap();
                    sum.calls += calls;
                    match ending {
                        Ending::Proved => sum.proved += 1,
                        Ending::NotProved => sum.not_proved += 1,
                        Ending::Wrong => sum.wrong.push((seed, order)),
                    }
                }
            });
        }
    });
    sum.into_inner().unwrap()
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what a long run is made for"
)]
fn hold(ties: Ties, rates: &[u64]) -> Totals {
    if let Some(seed) = number("ANNOSYNC_SIM_LISTING") {
        let order = ORDERS[seed as usize % ORDERS.len()];
        println!("{order:?} {:?}", list(seed, order, ties, rates));
        return Totals::default();
    }
    let count = number("ANNOSYNC_SIM_LISTINGS").unwrap_or(LISTINGS);
    let mut sum = list_all(ties, rates, count);
    sum.wrong.sort_unstable();
    println!(
        "{count} listings, {ties:?} ties, changes {rates:?} in 1,000: {} proved, {} not, {} wrong; {} calls",
        sum.proved,
        sum.not_proved,
        sum.wrong.len(),
        sum.calls
    );
    let some = &sum.wrong[..sum.wrong.len().min(20)];
    assert!(sum.wrong.is_empty(), "wrong listings of seeds {some:?}");
    sum
}

#[test]
fn no_listing_misses_annotations_that_existed_throughout() {
    let sum = hold(Ties::Stable, &[0, 5, 20, 60, 200, 500]);
    assert!(sum.proved > sum.not_proved, "{sum:?}");
}

#[test]
fn a_changing_order_of_equal_times_alone_hides_nothing() {
    hold(Ties::Unstable, &[0]);
}

#[test]
fn a_wrong_page_at_the_second_reading_of_the_first_one_hides_no_edit() {
    let (ending, _) = list(
        19_783,
        Order::ModifiedFirst,
        Ties::Stable,
        &[0, 5, 20, 60, 200, 500],
    );
    assert_ne!(ending, Ending::Wrong);
}

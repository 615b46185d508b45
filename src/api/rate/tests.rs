//! The limiter against servers that count in different ways, over slow and uneven networks, on a paused clock.

use super::*;
use std::sync::Arc;
use tokio::task::JoinSet;

/// How a server counts calls.
#[derive(Debug, Clone, Copy)]
enum Counting {
    /// Only accepted calls count.
    Passed,
    /// Refused calls count too.
    All,
    /// Calls must be spaced evenly: no bursts.
    Spaced,
}

/// What a server did with a call.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    passed: bool,
}

/// A server with a limit that the test may change.
#[derive(Debug)]
struct Server {
    counting: Counting,
    /// Calls in `window`.
    limit: usize,
    window: Duration,
    seen: Vec<Seen>,
}

impl Server {
    fn new(counting: Counting, limit: usize) -> Self {
        Self {
            counting,
            limit,
            window: WINDOW,
            seen: Vec::new(),
        }
    }

    fn admits(&mut self, at: Instant) -> bool {
        let counts = |seen: &&Seen| seen.passed || matches!(self.counting, Counting::All);
        let mut lately = self.seen.iter().rev().filter(counts);
        let passed = match self.counting {
            Counting::Passed | Counting::All => lately
                .nth(self.limit - 1)
                .is_none_or(|seen| at - seen.at >= self.window),
            Counting::Spaced => lately
                .next()
                .is_none_or(|seen| (at - seen.at) * self.limit as u32 >= self.window),
        };
        self.seen.push(Seen { at, passed });
        passed
    }
}

/// Pseudo-random numbers from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The delays of messages, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Network {
    least: f64,
    jitter: f64,
    /// Every 7.3 seconds no message is delivered for this time.
    stall: f64,
}

impl Network {
    const NEAR: Self = Self::new(2.0, 2.0);
    const FAR: Self = Self::new(75.0, 40.0);
    const FARTHER: Self = Self::new(200.0, 40.0);

    const fn new(least: f64, jitter: f64) -> Self {
        Self {
            least,
            jitter,
            stall: 0.0,
        }
    }

    async fn carry(self, dice: &Mutex<Dice>, start: Instant) {
        let roll = dice.lock().unwrap().roll();
        let millis = self.least + self.jitter * roll;
        let since_stall = start.elapsed().as_secs_f64() * 1000.0 % 7300.0;
        let millis = millis.max(self.stall - since_stall);
        tokio::time::sleep(Duration::from_secs_f64(millis / 1000.0)).await;
    }
}

/// A client that calls as fast as the limiter lets it, and its server.
struct Simulation {
    limiter: Arc<RateLimiter>,
    server: Arc<Mutex<Server>>,
    dice: Arc<Mutex<Dice>>,
    network: Network,
    at_a_time: usize,
    retry_after: Option<Duration>,
    start: Instant,
}

impl Simulation {
    fn new(rate: u32, server: Server, network: Network, at_a_time: usize, seed: u64) -> Self {
        Self {
            limiter: Arc::new(RateLimiter::new(rate, 1)),
            server: Arc::new(Mutex::new(server)),
            dice: Arc::new(Mutex::new(Dice(seed))),
            network,
            at_a_time,
            retry_after: None,
            start: Instant::now(),
        }
    }

    /// Calls for this many more seconds.
    async fn run(&self, seconds: u64) {
        let mut callers = JoinSet::new();
        for _ in 0..self.at_a_time {
            let (limiter, server, dice) = (
                Arc::clone(&self.limiter),
                Arc::clone(&self.server),
                Arc::clone(&self.dice),
            );
            let (network, retry_after, start) = (self.network, self.retry_after, self.start);
            callers.spawn(async move {
                loop {
                    let turn = limiter.turn().await;
                    network.carry(&dice, start).await;
                    let admitted = server.lock().unwrap().admits(Instant::now());
                    network.carry(&dice, start).await;
                    if admitted {
                        turn.succeeded();
                    } else {
                        turn.refused(retry_after);
                    }
                }
            });
        }
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        callers.shutdown().await;
    }

    /// How many calls arrived between these seconds and were accepted, or refused.
    fn count(&self, seconds: std::ops::Range<u64>, passed: bool) -> usize {
        let server = self.server.lock().unwrap();
        let within = |seen: &&Seen| seconds.contains(&(seen.at - self.start).as_secs());
        let seen = server.seen.iter().filter(within);
        seen.filter(|seen| seen.passed == passed).count()
    }

    fn refusals(&self) -> usize {
        self.count(0..u64::MAX, false)
    }

    fn limit(&self, limit: usize) {
        self.server.lock().unwrap().limit = limit;
    }
}

#[tokio::test(start_paused = true)]
async fn a_strict_server_never_refuses_and_is_used_to_95_percent() {
    let mut seed = 0;
    for limit in [1, 5, 15, 100] {
        for at_a_time in [1, 2, 4, 8, 16] {
            // Takes as long as the others together; few calls at a time behave no differently.
            if limit == 100 && at_a_time < 16 {
                continue;
            }
            for (least, jitter) in [(0.0, 0.0), (3.0, 10.0), (75.0, 40.0), (200.0, 40.0)] {
                seed += 1;
                let network = Network::new(least, jitter);
                let server = Server::new(Counting::Passed, limit);
                let run = Simulation::new(limit as u32, server, network, at_a_time, seed);
                run.run(60).await;
                let about = format!("{limit}/s, {at_a_time} at a time, {network:?}");
                assert_eq!(run.refusals(), 0, "{about}");
                // The most that is possible with this many calls at a time; timers are late by up to a millisecond.
                let millis = 2.0 * least + jitter + 1.5;
                let possible = at_a_time as f64 * 1000.0 / millis;
                let used = run.count(0..60, true) as f64 / 60.0;
                let share = used / limit as f64;
                if possible > 1.3 * limit as f64 {
                    assert!(share >= 0.95, "{about}: {share}");
                } else {
                    let least = 0.9 * possible.min(limit as f64);
                    assert!(used >= least, "{about}: {used} of {possible}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_distant_server_with_steady_answers_is_used_to_98_percent() {
    for (least, jitter) in [(40.0, 0.0), (40.0, 3.0), (150.0, 3.0)] {
        let network = Network::new(least, jitter);
        let run = Simulation::new(15, Server::new(Counting::Passed, 15), network, 8, 1);
        run.run(60).await;
        assert_eq!(run.refusals(), 0, "{network:?}");
        let share = run.count(10..60, true) as f64 / (15.0 * 50.0);
        assert!(share >= 0.98, "{network:?}: {share}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_causes_no_refusal_if_answers_usually_take_equally_long() {
    for network in [Network::NEAR, Network::new(40.0, 3.0)] {
        for stall in [60.0, 150.0, 300.0] {
            let network = Network { stall, ..network };
            let server = Server::new(Counting::Passed, 15);
            let run = Simulation::new(15, server, network, 8, 1);
            run.run(60).await;
            assert_eq!(run.refusals(), 0, "{network:?}");
            let used = run.count(0..60, true) as f64;
            assert!(used > 0.9 * 900.0, "{network:?}: {used}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lower_limit_is_learnt_at_once_and_a_higher_one_later() {
    for counting in [Counting::Passed, Counting::All] {
        for at_a_time in [2, 8, 16] {
            for (seed, network) in [Network::NEAR, Network::FAR, Network::FARTHER]
                .into_iter()
                .enumerate()
            {
                let about = format!("{counting:?}, {at_a_time} at a time, {network:?}");
                // Few calls at a time do not reach the limit on a slow network.
                let reach = (at_a_time as f64 * 1000.0) / (2.0 * network.least + network.jitter);
                if reach < 15.0 {
                    continue;
                }
                let server = Server::new(counting, 5);
                let run = Simulation::new(15, server, network, at_a_time, seed as u64);
                run.run(60).await;
                // One overload by the calls in flight; then higher rates are tried after 3 s and after 20 s.
                assert!(run.count(0..2, false) <= at_a_time, "{about}");
                assert!(run.count(2..60, false) <= 10, "{about}");
                assert!(run.count(2..60, true) as f64 >= 0.8 * 290.0, "{about}");

                run.limit(15);
                run.run(180).await;
                assert_eq!(run.count(62..240, false), 0, "{about}");
                assert!(run.count(140..240, true) as f64 >= 0.95 * 1500.0, "{about}");

                run.limit(5);
                run.run(60).await;
                // Refusals of the first full second, and of the next calls.
                assert!(run.count(240..243, false) <= at_a_time + 2, "{about}");
                assert!(run.count(243..300, false) <= 10, "{about}");
                assert!(run.count(243..300, true) as f64 >= 0.8 * 285.0, "{about}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_bursts_gets_none() {
    let server = Server::new(Counting::Spaced, 15);
    let run = Simulation::new(15, server, Network::new(2.0, 0.0), 8, 1);
    run.run(60).await;
    assert!(run.refusals() <= 8, "the burst alone: {}", run.refusals());
    assert!(run.count(20..60, true) as f64 >= 0.95 * 600.0);

    // Calls that overtake each other cannot be spaced; the client continues more slowly.
    let server = Server::new(Counting::Spaced, 15);
    let run = Simulation::new(15, server, Network::FAR, 8, 2);
    run.run(120).await;
    assert!(run.count(2..120, false) <= 20, "{}", run.refusals());
    assert!(run.count(20..120, true) >= 200);
}

#[tokio::test(start_paused = true)]
async fn a_limit_below_one_call_per_second_is_learnt() {
    let mut server = Server::new(Counting::Passed, 1);
    server.window = Duration::from_secs(4);
    let run = Simulation::new(15, server, Network::NEAR, 8, 1);
    run.run(200).await;
    let (passed, refused) = (run.count(0..200, true), run.refusals());
    assert!(passed >= 25, "{passed} of 50");
    assert!(refused <= 8 + 12, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn calls_of_another_run_are_not_taken_for_a_lasting_limit() {
    let mut server = Server::new(Counting::Passed, 15);
    let before = Seen {
        at: Instant::now(),
        passed: true,
    };
    server.seen = vec![before; 15];
    let run = Simulation::new(15, server, Network::NEAR, 8, 1);
    run.run(60).await;
    assert!(run.refusals() <= 8);
    assert!(run.count(12..60, true) as f64 >= 0.95 * 15.0 * 48.0);
}

#[tokio::test(start_paused = true)]
async fn all_calls_wait_as_long_as_the_server_asks() {
    let server = Server::new(Counting::Passed, 5);
    let mut run = Simulation::new(15, server, Network::NEAR, 8, 1);
    run.retry_after = Some(Duration::from_secs(7));
    run.run(20).await;
    assert_eq!(run.count(0..1, true), 5);
    assert_eq!(run.count(1..7, true) + run.count(1..7, false), 0);
    assert!(run.count(7..10, true) > 10);
}

#[tokio::test(start_paused = true)]
async fn a_short_run_starts_all_calls_at_once() {
    let limiter = RateLimiter::new(15, 1);
    let start = Instant::now();
    let mut turns = Vec::new();
    for _ in 0..15 {
        turns.push(limiter.turn().await);
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    for turn in turns {
        turn.succeeded();
    }
    let _sixteenth = limiter.turn().await;
    assert!(start.elapsed() >= WINDOW);
    assert!(start.elapsed() <= WINDOW + 2 * MARGIN);
}

#[tokio::test(start_paused = true)]
async fn calls_start_in_order_and_cancelled_ones_are_skipped() {
    let limiter = Arc::new(RateLimiter::new(1, 1));
    limiter.turn().await.succeeded();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = JoinSet::new();
    let mut left = None;
    for number in 0..4 {
        let (limiter, order) = (Arc::clone(&limiter), Arc::clone(&order));
        let handle = waiting.spawn(async move {
            limiter.turn().await.succeeded();
            order.lock().unwrap().push(number);
        });
        if number == 0 {
            left = Some(handle);
        }
        tokio::task::yield_now().await;
    }
    left.unwrap().abort();
    while waiting.join_next().await.is_some() {}
    assert_eq!(*order.lock().unwrap(), [1, 2, 3]);
}

/// A pace with warm connections, and a time at which it has all its tokens.
fn warm(rate: u32, start: Instant) -> (Pace, Instant) {
    let mut pace = Pace::new(rate, 1, start);
    for _ in 0..rate {
        let call = pace.take(start).unwrap();
        pace.succeeded(call, start, start);
    }
    (pace, start + WINDOW + MARGIN)
}

#[test]
fn an_unanswered_call_keeps_its_token_until_it_must_have_arrived() {
    let start = Instant::now();
    let mut cold = Pace::new(1, 1, start);
    cold.take(start).unwrap();
    let later = start + Duration::from_secs(30);
    assert_eq!(cold.take(later), Err(Wait::ForAnAnswer));

    let (mut pace, now) = warm(1, start);
    pace.take(now).unwrap();
    let back = now + WINDOW + ALLOWANCE + MARGIN;
    assert_eq!(pace.take(now), Err(Wait::Until(back)));
    assert!(pace.take(back).is_ok());
}

#[test]
fn a_token_is_away_for_as_long_as_its_call_was_slower_than_the_quickest() {
    let trip = Duration::from_millis(80);
    let (mut pace, mut now) = warm(1, Instant::now());
    let mut away = |late: u64| {
        let late = Duration::from_millis(late);
        let call = pace.take(now).unwrap();
        pace.succeeded(call, now, now + trip + late);
        let Err(Wait::Until(back)) = pace.take(now + trip) else {
            panic!("the only token is away");
        };
        let away = back - (now + WINDOW + MARGIN);
        now += WINDOW * 2;
        away.as_millis()
    };
    assert_eq!(away(0), ALLOWANCE.as_millis());
    let last = (0..400).map(|_| away(0)).last();
    assert_eq!(last, Some(6));
    assert_eq!([away(20), away(0)], [26, 6]);
}

#[test]
fn a_lost_call_may_have_arrived_until_it_was_given_up() {
    let start = Instant::now();
    let (mut pace, now) = warm(1, start);
    let call = pace.take(now).unwrap();
    let given_up = now + Duration::from_millis(30);
    pace.lost(call, given_up);
    let back = given_up + WINDOW + MARGIN;
    assert_eq!(pace.take(given_up), Err(Wait::Until(back)));
    // The next call may need a new connection: its time of arrival is unknown.
    pace.take(back).unwrap();
    assert_eq!(pace.take(back + WINDOW * 2), Err(Wait::ForAnAnswer));
}

/// The calls that a warm pace starts in ten seconds if each is answered immediately.
fn started(rate: u32, shares: u32) -> u32 {
    let start = Instant::now();
    let mut pace = Pace::new(rate, shares, start);
    let mut calls = 0;
    for milliseconds in 0..10_000 {
        let now = start + Duration::from_millis(milliseconds);
        while let Ok(call) = pace.take(now) {
            pace.succeeded(call, now, now);
            calls += 1;
        }
    }
    calls
}

#[test]
fn runs_that_share_a_rate_reach_it_together() {
    for (rate, shares) in [(15, 1), (15, 2), (15, 8), (15, 30)] {
        let together = started(rate, shares) * shares;
        assert!(
            (140..=165).contains(&together),
            "{rate} / {shares}: {together}"
        );
    }
}

#[test]
fn connections_are_cold_after_a_pause() {
    let start = Instant::now();
    let (mut pace, now) = warm(2, start);
    let later = now + COLD;
    let call = pace.take(later).unwrap();
    let answered = later + Duration::from_millis(600);
    pace.succeeded(call, later, answered);
    pace.take(answered).unwrap();
    let back = answered + WINDOW + MARGIN;
    assert_eq!(pace.take(answered), Err(Wait::Until(back)));
}

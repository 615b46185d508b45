//! The limiter against servers that count in different ways, over networks that are slow and uneven; the clock is
//! turned by hand, so that a minute takes no time.

use super::*;
use std::sync::Arc;
use tokio::task::JoinSet;

/// How a server decides.
#[derive(Debug, Clone, Copy)]
enum Counting {
    /// So many calls that were let through in any second.
    Passed,
    /// So many calls in any second, refused ones too.
    All,
    /// Each so long after the one before: no burst at all.
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

/// Numbers that look random; the same seed gives the same.
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

/// How long a message is on its way, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Network {
    least: f64,
    jitter: f64,
}

impl Network {
    async fn carry(self, dice: &Mutex<Dice>) {
        let roll = dice.lock().unwrap().roll();
        let millis = self.least + self.jitter * roll;
        // Paused sleeps end at whole milliseconds; so does this.
        tokio::time::sleep(Duration::from_secs_f64(millis / 1000.0)).await;
    }
}

/// A client that calls as fast as it may, and its server.
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
            limiter: Arc::new(RateLimiter::new(rate)),
            server: Arc::new(Mutex::new(server)),
            dice: Arc::new(Mutex::new(Dice(seed))),
            network,
            at_a_time,
            retry_after: None,
            start: Instant::now(),
        }
    }

    /// Calls for so many seconds more.
    async fn run(&self, seconds: u64) {
        let mut callers = JoinSet::new();
        for _ in 0..self.at_a_time {
            let (limiter, server, dice) = (
                Arc::clone(&self.limiter),
                Arc::clone(&self.server),
                Arc::clone(&self.dice),
            );
            let (network, retry_after) = (self.network, self.retry_after);
            callers.spawn(async move {
                loop {
                    let turn = limiter.turn().await;
                    network.carry(&dice).await;
                    let admitted = server.lock().unwrap().admits(Instant::now());
                    network.carry(&dice).await;
                    if admitted {
                        turn.went_through();
                    } else {
                        turn.refused(retry_after);
                    }
                }
            });
        }
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        callers.shutdown().await;
    }

    /// How many calls arrived between these seconds and were let through (or not).
    fn count(&self, seconds: std::ops::Range<u64>, passed: bool) -> usize {
        let server = self.server.lock().unwrap();
        let within = |seen: &&Seen| seconds.contains(&(seen.at - self.start).as_secs());
        let seen = server.seen.iter().filter(within);
        seen.filter(|seen| seen.passed == passed).count()
    }

    fn refusals(&self) -> usize {
        self.count(0..u64::MAX, false)
    }

    fn first_refusal(&self) -> u64 {
        let server = self.server.lock().unwrap();
        let first = server.seen.iter().find(|seen| !seen.passed).unwrap_or(&server.seen[0]);
        (first.at - self.start).as_secs()
    }
}

const NEAR: Network = Network {
    least: 2.0,
    jitter: 2.0,
};

#[tokio::test(start_paused = true)]
async fn a_strict_server_never_refuses_and_is_used_to_95_percent() {
    let mut seed = 0;
    for limit in [1, 5, 15, 100] {
        for at_a_time in [1, 2, 4, 8, 16] {
            for (least, jitter) in [(0.0, 0.0), (3.0, 10.0), (75.0, 40.0), (200.0, 40.0)] {
                seed += 1;
                let network = Network { least, jitter };
                let server = Server::new(Counting::Passed, limit);
                let run = Simulation::new(limit as u32, server, network, at_a_time, seed);
                run.run(60).await;
                let about = format!("{limit}/s, {at_a_time} at a time, {network:?}");
                assert_eq!(run.refusals(), 0, "{about}");
                // What is possible at all with so few at a time; timers are late by up to a millisecond.
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
async fn lab() {
    for (name, counting) in [
        ("passed", Counting::Passed),
        ("all", Counting::All),
        ("spaced", Counting::Spaced),
    ] {
        for at_a_time in [1, 4, 8, 16] {
            for (least, jitter) in [(2.0, 2.0), (75.0, 40.0), (200.0, 40.0)] {
                for seed in 0..2 {
                    let network = Network { least, jitter };
                    let server = Server::new(counting, 5);
                    let run = Simulation::new(15, server, network, at_a_time, seed);
                    run.run(60).await;
                    run.server.lock().unwrap().limit = 15;
                    run.run(180).await;
                    let first = run.first_refusal();
                    run.server.lock().unwrap().limit = 5;
                    run.run(60).await;
                    let c = |a, b| (run.count(a..b, true), run.count(a..b, false));
                    println!(
                        "{name} x{at_a_time} {least}+{jitter}: first {first}: {:?} then {:?} | raised {:?} {:?} {:?} | lowered {:?} {:?} {:?}",
                        c(first, first + 2),
                        c(first + 2, 60),
                        c(60, 80),
                        c(80, 160),
                        c(160, 240),
                        c(240, 241),
                        c(241, 243),
                        c(243, 300)
                    );
                }
            }
        }
    }
}

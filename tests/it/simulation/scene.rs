//! A scene: the service, its clock, the changes by everybody, and a record of each exchange.

use super::behaviour::{Behaviour, BulkFailure};
use super::chance::{Chance, hash};
use super::editor;
use super::faults::{Classes, Counts, ExchangeFaults, Fault};
use super::remote::{Actor, Name, Remote};
use super::service::{Answer, Service, Subject};
use super::team::Appliers;
use super::world::World;
use annosync::api::{HttpRequest, HttpResponse, Method};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// One exchange, as the client and the server saw it.
#[derive(Debug)]
pub(super) struct Exchanged {
    pub(super) run: usize,
    pub(super) method: Method,
    pub(super) subject: Subject,
    pub(super) request: HttpRequest,
    pub(super) sent: u64,
    /// When the server acted.
    pub(super) acted: Option<u64>,
    /// The time at which the client had the answer, or gave up.
    pub(super) done: Option<u64>,
    /// Whether the client got the unchanged answer.
    pub(super) intact: bool,
    /// Whether the answer is a success.
    pub(super) succeeded: bool,
    /// The annotations in the answer.
    pub(super) shown: Vec<Name>,
}

/// A call that the service denied to a run.
#[derive(Debug)]
pub(super) struct Denial {
    pub(super) run: usize,
    pub(super) tick: u64,
    pub(super) name: Name,
}

/// The state that runs and editors share.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) seed: u64,
    pub(super) classes: Classes,
    pub(super) remote: Remote,
    pub(super) behaviour: Behaviour,
    pub(super) appliers: Appliers,
    /// The user who applies most often.
    pub(super) regular: &'static str,
    /// The user of each run's token.
    pub(super) callers: BTreeMap<usize, &'static str>,
    /// The declared annotations as the API's data, each with its input.
    pub(super) declared: Vec<(String, Value)>,
    pub(super) denials: Vec<Denial>,
    pub(super) exchanges: Vec<Exchanged>,
    pub(super) counts: Counts,
    /// The number of faults in a thousand exchanges; 0 in the last runs.
    pub(super) rate: u64,
    /// The number of edits in a thousand arrivals; 0 in the last runs.
    pub(super) edits: u64,
    pub(super) hash: u64,
    pub(super) trace: Option<Vec<String>>,
    start: Instant,
    tick: u64,
    arrivals: VecDeque<Instant>,
    poison: Option<BulkFailure>,
    /// The latest time at which an abandoned request may arrive.
    pub(super) late: Instant,
    /// The number of listings without faults before the next one may hide something.
    honest: u64,
}

/// A scene that is shared by the client and the server's tasks.
pub(super) type SharedScene = Arc<Mutex<Scene>>;

pub(super) fn lock(shared: &SharedScene) -> MutexGuard<'_, Scene> {
    shared.lock().unwrap()
}

impl Scene {
    pub(super) fn new(seed: u64, classes: Classes, world: &World) -> Self {
        let mut chance = Chance::of(&[seed, 2]);
        let behaviour = Behaviour::of(&mut chance);
        let poison = *chance.pick(&[
            None,
            None,
            Some(BulkFailure::Each),
            Some(BulkFailure::AllOrNone),
        ]);
        let class = match poison {
            Some(BulkFailure::AllOrNone) => Fault::PoisonedBatch,
            _ => Fault::PoisonedItem,
        };
        let edits = *chance.pick(&[0, 0, 20, 100]);
        Self {
            seed,
            classes,
            remote: world.remote.clone(),
            behaviour,
            appliers: world.appliers,
            regular: world.regular,
            callers: BTreeMap::new(),
            declared: world.declared(),
            denials: Vec::new(),
            exchanges: Vec::new(),
            counts: Counts::default(),
            rate: *chance.pick(&[20, 80, 200, 350]),
            edits: if classes.holds(Fault::Edited) {
                edits
            } else {
                0
            },
            hash: 0,
            trace: None,
            start: Instant::now(),
            tick: 0,
            arrivals: VecDeque::new(),
            poison: poison.filter(|_| classes.holds(class)),
            late: Instant::now(),
            honest: 0,
        }
    }

    /// The next moment.
    pub(super) fn tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    /// Ends all faults.
    pub(super) fn calm(&mut self) {
        (self.rate, self.edits, self.poison) = (0, 0, None);
    }

    pub(super) fn trace(&mut self, text: &str) {
        self.hash = hash(text.as_bytes(), self.hash);
        if let Some(trace) = &mut self.trace {
            let at = self.start.elapsed().as_secs_f64();
            trace.push(format!("{at:>9.3} s  {text}"));
        }
    }

    /// Records a request that is sent.
    pub(super) fn send(&mut self, run: usize, request: &HttpRequest) -> usize {
        let sent = self.tick();
        let exchange = self.exchanges.len();
        self.exchanges.push(Exchanged {
            run,
            method: request.method.clone(),
            subject: Subject::of(request),
            request: request.clone(),
            sent,
            acted: None,
            done: None,
            intact: false,
            succeeded: false,
            shown: Vec::new(),
        });
        exchange
    }

    /// Draws the faults of a request.
    pub(super) fn faults(
        &mut self,
        run: usize,
        number: u64,
        request: &HttpRequest,
    ) -> ExchangeFaults {
        let chance = Chance::of(&[self.seed, 3, run as u64, number]);
        let reads = request.method == Method::GET;
        let mut faults = ExchangeFaults::of(chance, self.rate, reads, self.classes);
        if reads && self.honest > 0 {
            self.honest -= 1;
        }
        let hides = matches!(
            faults.fault,
            Some(Fault::LeftOut | Fault::ShortPage | Fault::EmptyPage | Fault::WrongPage)
        );
        if reads && hides {
            // Faults are temporary: if a server always hides the same annotation, no client can notice.
            if self.honest > 0 || !request.url.path().ends_with("annotations") {
                faults.fault = None;
            } else {
                self.honest = 40;
            }
        }
        if let Some(fault) = faults.fault {
            self.counts.count(fault);
        }
        faults
    }

    /// Processes a request that arrives.
    pub(super) fn arrive(&mut self, exchange: usize, faults: &ExchangeFaults) -> Answer {
        let mut chance = faults.chance.clone();
        if self.edits > 0 && chance.in_thousand(self.edits) {
            editor::edit(self, &mut chance);
        }
        let answer = self.act(exchange, faults, chance.clone());
        if self.edits > 0 && chance.in_thousand(self.edits) {
            editor::edit(self, &mut chance);
        }
        answer
    }

    fn act(&mut self, exchange: usize, faults: &ExchangeFaults, chance: Chance) -> Answer {
        if let Some(limit) = self.behaviour.limit {
            let now = Instant::now();
            while self
                .arrivals
                .front()
                .is_some_and(|at| now - *at >= Duration::from_secs(1))
            {
                self.arrivals.pop_front();
            }
            if self.arrivals.len() >= limit {
                self.counts.count(Fault::OverLimit);
                return self.refuse(429, 11_005, "CONN_THROTTLED");
            }
            self.arrivals.push_back(now);
        }
        let tick = self.tick();
        let record = &mut self.exchanges[exchange];
        record.acted = Some(tick);
        let request = record.request.clone();
        let run = record.run;
        let who = Actor::Run { run, exchange };
        let (seed, poison) = (self.seed, self.poison);
        let poisoned = move |name: &Name| {
            let drawn = hash(name.1.as_bytes(), seed).is_multiple_of(12);
            poison.filter(|_| drawn)
        };
        let mut service = Service {
            remote: &mut self.remote,
            behaviour: &self.behaviour,
            tick,
            who,
            caller: self.callers[&run],
            fault: faults.fault,
            chance,
            poisoned: &poisoned,
            noted: Vec::new(),
            denied: Vec::new(),
        };
        let answer = service.serve(&request);
        let Service { noted, denied, .. } = service;
        for fault in noted {
            self.counts.count(fault);
        }
        let denials = denied.into_iter().map(|name| Denial { run, tick, name });
        self.denials.extend(denials);
        answer
    }

    pub(super) fn refuse(&self, http: u16, code: u32, name: &str) -> Answer {
        Answer {
            http,
            body: json!({"status": {"code": self.behaviour.code(code, name), "description": name}}),
            retry_after: None,
        }
    }

    /// Records the end of an exchange for the client.
    pub(super) fn finish(
        &mut self,
        exchange: usize,
        response: Option<&HttpResponse>,
        intact: bool,
    ) {
        let tick = self.tick();
        let record = &mut self.exchanges[exchange];
        record.done = Some(tick);
        record.intact = intact;
        if let Some(response) = response {
            let body: serde_json::Value =
                serde_json::from_slice(&response.body).unwrap_or_default();
            let code = &body["status"]["code"];
            record.succeeded = response.status < 300 && (*code == 10_000 || *code == "SUCCESS");
            let many = body["annotations"].as_array().into_iter().flatten();
            let one = body.get("annotation");
            record.shown = many.chain(one).map(super::remote::name_of).collect();
        }
    }
}

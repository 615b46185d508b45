//! One run of annosync, from the listing to the outcome, as the command does it.

use super::chance::Chance;
use super::faults::Fault;
use super::remote::Name;
use super::scene::{SharedScene, lock};
use super::service::OWNER;
use super::team::{self, Appliers};
use super::wire::{Interruption, PATIENCE, Wire};
use annosync::api::{Connection, Endpoint, InsecureHttp, RetryPolicy, Token, connect_through};
use annosync::apply::{self, ItemOutcome, Options, Stop, Subject, Watch};
use annosync::model::{DesiredState, Fingerprint, Json, ObservedState, Scope, fingerprint};
use annosync::observed;
use annosync::plan::{self, Allowances, Context, EmptyManifest, Inventory, Outcome, Plan, Target};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// How an operation ended, and when.
pub(super) type Endings = BTreeMap<Subject, Vec<(u64, ItemOutcome)>>;

/// The record of a run.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags")]
pub(super) struct Record {
    pub(super) number: usize,
    /// The user of its token.
    pub(super) caller: &'static str,
    /// Whether it may post doubles of other users' annotations.
    pub(super) doubles_pass: bool,
    pub(super) from: u64,
    /// The time at which the listing was complete.
    pub(super) listed: Option<u64>,
    pub(super) seen: Option<BTreeMap<Name, Fingerprint>>,
    pub(super) whole_app: bool,
    pub(super) plan: Option<Arc<Plan>>,
    /// The bodies of its operations when it was planned, by input and id.
    pub(super) bodies: HashMap<Name, Json>,
    /// The manifest cannot be planned.
    pub(super) refused: bool,
    /// A guard stopped it.
    pub(super) stopped: bool,
    /// The token lacks a permission for the plan.
    pub(super) denied: bool,
    /// The differing plan of another user, if any.
    pub(super) differing: Option<String>,
    pub(super) endings: Endings,
    pub(super) outcome: Option<Outcome>,
    pub(super) error: Option<String>,
    pub(super) to: u64,
}

#[derive(Debug)]
struct RunWatch {
    shared: SharedScene,
    endings: Arc<Mutex<Endings>>,
}

impl Watch for RunWatch {
    fn ended(&self, what: Subject, how: &ItemOutcome) {
        let mut scene = lock(&self.shared);
        let tick = scene.tick();
        scene.trace(&format!("{what:?} ended: {how:?}"));
        let mut endings = self.endings.lock().unwrap();
        endings.entry(what).or_default().push((tick, how.clone()));
    }
}

/// The parameters of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Command {
    pub(super) number: usize,
    pub(super) caller: &'static str,
    pub(super) doubles_pass: bool,
    pub(super) cut: Interruption,
}

/// Runs the client until it ends or is killed.
pub(super) async fn run(shared: &SharedScene, desired: &DesiredState, command: Command) -> Record {
    let Command { number, cut, .. } = command;
    let (seed, from) = {
        let mut scene = lock(shared);
        scene.callers.insert(number, command.caller);
        let by = match scene.appliers {
            Appliers::One => String::new(),
            Appliers::Team => format!(" by {}", command.caller),
        };
        scene.trace(&format!("run {number}{by} starts: {cut:?}"));
        (scene.seed, scene.tick())
    };
    let mut chance = Chance::of(&[seed, 4, number as u64]);
    let stop = Stop::default();
    let killed = Arc::new(Notify::new());
    let wire = Arc::new(Wire {
        shared: Arc::clone(shared),
        run: number,
        cut,
        stop: stop.clone(),
        killed: Arc::clone(&killed),
        dead: AtomicBool::new(false),
        count: AtomicU64::new(0),
    });
    let endpoint = Endpoint::new("https://api.example.org", InsecureHttp::Refuse).unwrap();
    let token = Token::new("a-token").unwrap();
    let mut connection = Connection::new(endpoint, OWNER.into(), "street".into(), token);
    connection.concurrency = 1 + chance.index(8);
    connection.rate_limit = *chance.pick(&[15, 15, 100]);
    connection.timeout = PATIENCE;
    connection.retry = RetryPolicy {
        seed: Some(seed),
        ..RetryPolicy::default()
    };
    let scope = if declared_only(seed) {
        let inputs = desired.inputs.iter().map(|input| input.id.clone());
        Scope::Inputs(inputs.collect())
    } else {
        Scope::WholeApp
    };
    let endings = Arc::new(Mutex::new(Endings::new()));
    let watch = RunWatch {
        shared: Arc::clone(shared),
        endings: Arc::clone(&endings),
    };
    let options = Options {
        concurrency: 1 + chance.index(5),
        stop,
        watch: Arc::new(watch),
        ..Options::default()
    };
    let mut record = Record {
        number,
        caller: command.caller,
        doubles_pass: command.doubles_pass,
        from,
        whole_app: scope == Scope::WholeApp,
        ..Record::default()
    };
    let whole = go(
        shared,
        &connection,
        wire,
        desired,
        &scope,
        &options,
        &mut record,
    );
    tokio::select! {
        biased;
        () = killed.notified() => {}
        () = whole => {}
    }
    record.endings = std::mem::take(&mut *endings.lock().unwrap());
    record.to = lock(shared).tick();
    record
}

/// Whether a seed's runs list the declared inputs alone.
pub(super) fn declared_only(seed: u64) -> bool {
    Chance::of(&[seed, 7]).one_in(6)
}

async fn go(
    shared: &SharedScene,
    connection: &Connection,
    wire: Arc<Wire>,
    desired: &DesiredState,
    scope: &Scope,
    options: &Options,
    record: &mut Record,
) {
    let (reader, writer) = connect_through(connection, wire).unwrap();
    let observed = match observed::observe(&reader, OWNER, scope).await {
        Ok(observed) => observed,
        Err(error) => {
            lock(shared).trace(&format!("run {}: {error}", record.number));
            record.error = Some(error.to_string());
            return;
        }
    };
    record.listed = Some(lock(shared).tick());
    record.seen = Some(seen(&observed));
    let context = context(record.doubles_pass);
    let planned = plan::plan(desired, &observed, &context);
    if lock(shared).appliers == Appliers::Team {
        record.differing = team::differing(desired, &observed, &context, &planned);
    }
    let plan = match planned {
        Ok(plan) => Arc::new(plan),
        Err(errors) => {
            lock(shared).trace(&format!("run {}: {errors:?}", record.number));
            record.refused = true;
            return;
        }
    };
    let shown: Vec<String> = plan
        .operations
        .iter()
        .map(|it| format!("{} {}/{}", it.action(), it.input_id, it.id))
        .chain(
            plan.purges
                .iter()
                .map(|it| format!("purge {}", it.input_id)),
        )
        .collect();
    lock(shared).trace(&format!("run {} plans {shown:?}", record.number));
    let bodies = plan::bodies(&plan, &observed, &plan::Permit::Planned);
    let with_bodies = plan.operations.iter().zip(bodies);
    record.bodies = with_bodies
        .filter_map(|(it, body)| {
            let name = (it.input_id.to_string(), it.id.to_string());
            Some((name, body.expect("what was just planned fits")?))
        })
        .collect();
    record.plan = Some(Arc::clone(&plan));
    record.stopped = !plan.guards.is_empty();
    if record.stopped || plan.is_empty() {
        return;
    }
    record.denied = team::is_denied(&plan, record.caller);
    if record.denied {
        lock(shared).trace(&format!("run {} is refused", record.number));
        return;
    }
    record.outcome = Some(apply::execute(plan, &writer, options).await);
}

fn seen(observed: &ObservedState) -> BTreeMap<Name, Fingerprint> {
    observed
        .inputs
        .iter()
        .flat_map(|(input, all)| all.iter().map(move |one| (input, one)))
        .map(|(input, one)| ((input.to_string(), one.id.to_string()), fingerprint(one)))
        .collect()
}

/// All guards pass, but doubles only if the run allows them.
fn context(doubles_pass: bool) -> Context {
    Context {
        target: Target {
            endpoint: "https://api.example.org".into(),
            user_id: OWNER.into(),
            app_id: "street".into(),
        },
        manifest_hash: "0".repeat(64),
        rate_limit: 15,
        allowances: Allowances {
            deletes: Some(u64::MAX),
            updates: Some(u64::MAX),
            vanished: Some(u64::MAX),
            doubles: doubles_pass.then_some(u64::MAX),
            empty: EmptyManifest::Passes,
            ..Allowances::default()
        },
        inventory: Inventory::default(),
        shard: None,
    }
}

/// Where the run of this number is cut short.
pub(super) fn cut(shared: &SharedScene, number: usize) -> Interruption {
    let scene = lock(shared);
    let mut chance = Chance::of(&[scene.seed, 5, number as u64]);
    let at = chance.below(24);
    match chance.below(6) {
        0 | 1 if scene.classes.holds(Fault::CrashBefore) => Interruption::Before(at),
        2 | 3 if scene.classes.holds(Fault::CrashAfter) => Interruption::After(at),
        4 if scene.classes.holds(Fault::Stopped) => Interruption::Stop(at),
        _ => Interruption::Never,
    }
}

//! Inputs: posted before anything is written on them, waited for until they are processed, and, by an undo, deleted after
//! everything else.
//!
//! An input that exists is never posted again: the service refuses its id, and it counts as there. After an attempt whose
//! answer was lost, what exists is looked at before anything is sent again.

use super::batch::{Waited, is_hopeless, wait};
use super::execute::{OnFailure, Options};
use super::watch::{Ended, Subject};
use crate::api::{ApiError, DeleteInputs, Filter, ItemError, ItemResult, Processing, Writer};
use crate::model::{Geometry, InputId, Interner, Maker, ObservedAnnotation};
use crate::observed;
use crate::plan::{Call, FailedInput, MediumKind, Outcome, Plan, StaleInput, Touched};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How often inputs that may pass later are sent again.
const ATTEMPTS: u32 = 4;
/// The pauses between two looks at inputs that are not processed yet: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// Of so many inputs at a time it is asked whether they are processed.
const LOOKED_AT: usize = 1_000;

/// Gives the bytes of the files that a plan posts.
pub trait InputFiles: fmt::Debug + Send + Sync {
    /// The bytes of a file by its path in the plan.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    fn read(&self, path: &str, kind: MediumKind) -> Result<Vec<u8>, String>;
}

/// No files at all.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl InputFiles for NoFiles {
    fn read(&self, path: &str, _: MediumKind) -> Result<Vec<u8>, String> {
        Err(format!("the file `{path}` is not at hand"))
    }
}

/// What became of the inputs of a plan.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// The inputs on which nothing is to be written.
    pub(super) blocked: HashSet<InputId>,
    account: Account,
}

#[derive(Debug, Default)]
struct Account {
    posted: u64,
    already_so: u64,
    failed: Vec<FailedInput>,
    not_attempted: u64,
    calls: u64,
}

impl Prepared {
    /// Adds what became of them to an outcome.
    pub(super) fn account(self, outcome: &mut Outcome) {
        outcome.applied.posted_inputs = self.account.posted;
        outcome.already_so += self.account.already_so;
        outcome.failed_inputs = self.account.failed;
        outcome.not_attempted += self.account.not_attempted;
        outcome.calls += self.account.calls;
    }
}

/// How far one input has come.
#[derive(Debug, Clone)]
enum State {
    /// It was posted by this run.
    Posted(Processing),
    /// It was there.
    There(Processing),
    /// It is not there.
    Failed(String, Touched),
}

/// Posts the inputs of a plan, and waits until all of them are processed.
pub(super) async fn prepare(plan: &Arc<Plan>, writer: &Writer, options: &Options) -> Prepared {
    let mut prepared = Prepared::default();
    if plan.inputs.is_empty() {
        return prepared;
    }
    let mut states = post_all(plan, writer, options, &mut prepared.account).await;
    for (at, input) in plan.inputs.iter().enumerate() {
        if !input.is_posted() && !options.stop.is_requested() {
            states.insert(at as u32, State::There(Processing::Waiting));
        }
    }
    await_all(plan, writer, options, &mut states).await;
    for (at, input) in plan.inputs.iter().enumerate() {
        let at = at as u32;
        let account = &mut prepared.account;
        let ended = match states.remove(&at) {
            Some(State::Posted(Processing::Done)) => {
                account.posted += 1;
                Ended::Applied
            }
            Some(State::There(Processing::Done)) => {
                account.already_so += 1;
                Ended::AlreadySo
            }
            // Only a stop ends the waiting before its time.
            Some(State::Posted(Processing::Waiting)) => {
                account.posted += 1;
                prepared.blocked.insert(input.input_id.clone());
                Ended::Applied
            }
            None | Some(State::There(Processing::Waiting)) => {
                account.not_attempted += 1;
                prepared.blocked.insert(input.input_id.clone());
                Ended::NotAttempted
            }
            Some(state) => {
                let (reason, touched) = match state {
                    State::Failed(reason, touched) => (reason, touched),
                    State::Posted(Processing::Failed(error)) => {
                        (unprocessed(&error), Touched::Otherwise)
                    }
                    State::There(Processing::Failed(error)) => (unprocessed(&error), Touched::Not),
                    State::Posted(_) | State::There(_) => unreachable!("these ended above"),
                };
                account.failed.push(FailedInput {
                    input_id: input.input_id.clone(),
                    reason: reason.clone(),
                    touched,
                });
                prepared.blocked.insert(input.input_id.clone());
                Ended::Failed { reason, touched }
            }
        };
        options.watch.ended(Subject::Input(at), &ended);
    }
    if !prepared.account.failed.is_empty() && options.on_failure == OnFailure::Stop {
        options.stop.request();
    }
    prepared
}

fn unprocessed(error: &ItemError) -> String {
    format!("the service could not process it: {error}")
}

/// Posts what is to be posted: several calls at a time.
async fn post_all(
    plan: &Arc<Plan>,
    writer: &Writer,
    options: &Options,
    account: &mut Account,
) -> BTreeMap<u32, State> {
    let mut waiting = plan
        .batches
        .iter()
        .filter(|batch| batch.call == Call::PostInputs);
    let mut flying = JoinSet::new();
    let mut sent: HashMap<_, Vec<u32>> = HashMap::new();
    let mut states = BTreeMap::new();
    loop {
        while flying.len() < options.concurrency.max(1) && !options.stop.is_requested() {
            let Some(batch) = waiting.next() else { break };
            let post = Post {
                plan: Arc::clone(plan),
                writer: writer.clone(),
                options: options.clone(),
                states: Vec::new(),
                calls: 0,
                hopeless: false,
            };
            let id = flying.spawn(post.run(batch.operations.clone())).id();
            sent.insert(id, batch.operations.clone());
        }
        match flying.join_next_with_id().await {
            Some(Ok((_, post))) => {
                account.calls += post.calls;
                let failed = |(_, state): &(u32, State)| matches!(state, State::Failed(..));
                let stops = options.on_failure == OnFailure::Stop && post.states.iter().any(failed);
                if post.hopeless || stops {
                    options.stop.request();
                }
                states.extend(post.states);
            }
            Some(Err(error)) => {
                // A mistake of this program: what became of the call is not known, and it says so.
                let reason =
                    "annosync failed in the middle of this call: run the same command again";
                for at in sent.remove(&error.id()).unwrap_or_default() {
                    states.insert(at, State::Failed(reason.to_owned(), Touched::Perhaps));
                }
            }
            None => return states,
        }
    }
}

/// One call's inputs that are being posted.
struct Post {
    plan: Arc<Plan>,
    writer: Writer,
    options: Options,
    states: Vec<(u32, State)>,
    calls: u64,
    /// Nothing else will go through either: the token is not accepted.
    hopeless: bool,
}

/// Inputs that are sent together, and how often that was tried.
struct Group {
    inputs: Vec<u32>,
    /// 1 the first time.
    attempt: u32,
    /// Whether an earlier attempt may have posted them.
    touched: Touched,
}

impl Post {
    async fn run(mut self, inputs: Vec<u32>) -> Self {
        let mut groups = VecDeque::from([Group {
            inputs,
            attempt: 1,
            touched: Touched::Not,
        }]);
        while let Some(mut group) = groups.pop_front() {
            if !group.touched.is_not() {
                self.look(&mut group).await;
            }
            if !group.inputs.is_empty() {
                self.post(group, &mut groups).await;
            }
        }
        self
    }

    fn end(&mut self, at: u32, state: State) {
        self.states.push((at, state));
    }

    fn id(&self, at: u32) -> &InputId {
        &self.plan.inputs[at as usize].input_id
    }

    fn fail(&mut self, inputs: &[u32], error: &ApiError, touched: Touched) {
        let hint = error
            .hint()
            .map(|hint| format!(" ({hint})"))
            .unwrap_or_default();
        for &at in inputs {
            self.end(at, State::Failed(format!("{error}{hint}"), touched));
        }
        self.hopeless |= is_hopeless(error);
    }

    /// Takes out what an earlier attempt, whose answer was lost, has posted.
    async fn look(&mut self, group: &mut Group) {
        let ids = group.inputs.iter().map(|at| self.id(*at).to_string());
        match self.writer.reader().inputs(&ids.collect()).await {
            Ok(there) => {
                let mut there: HashMap<String, Processing> = there
                    .into_iter()
                    .map(|state| (state.id, state.processing))
                    .collect();
                let inputs = std::mem::take(&mut group.inputs);
                for at in inputs {
                    match there.remove(self.id(at).as_str()) {
                        Some(processing) => self.end(at, State::Posted(processing)),
                        None => group.inputs.push(at),
                    }
                }
            }
            Err(error) => {
                let inputs = std::mem::take(&mut group.inputs);
                self.fail(&inputs, &error, group.touched);
            }
        }
    }

    async fn post(&mut self, mut group: Group, more: &mut VecDeque<Group>) {
        let inputs = std::mem::take(&mut group.inputs);
        let mut bodies = Vec::with_capacity(inputs.len());
        for at in inputs {
            match self.body(at) {
                Ok(body) => {
                    group.inputs.push(at);
                    bodies.push(body);
                }
                Err(reason) => self.end(at, State::Failed(reason, group.touched)),
            }
        }
        if bodies.is_empty() {
            return;
        }
        let texts: Vec<&str> = bodies.iter().map(String::as_str).collect();
        let sent = self.writer.post_inputs(&texts).await;
        drop(bodies);
        self.calls += 1;
        match sent {
            Ok(items) => self.settle(group, items, more).await,
            Err(error) => self.retry(group, error, more).await,
        }
    }

    /// The input as it is sent. A file that is not the one that was planned is not sent.
    fn body(&self, at: u32) -> Result<String, String> {
        let files = &self.options.files;
        let read = |path: &str, sha256: &str, kind: MediumKind| {
            let bytes = files.read(path, kind)?;
            if hex(&bytes) != sha256 {
                return Err(format!(
                    "the file `{path}` has changed since the plan was made: plan again"
                ));
            }
            match kind {
                MediumKind::Text => String::from_utf8(bytes)
                    .map_err(|_| format!("the file `{path}` is not valid UTF-8")),
                MediumKind::Image | MediumKind::Video => Ok(STANDARD.encode(bytes)),
            }
        };
        let body = self.plan.inputs[at as usize].body(read)?;
        Ok(body.to_string())
    }

    /// A call that was answered.
    async fn settle(
        &mut self,
        group: Group,
        items: Vec<ItemResult<Processing>>,
        more: &mut VecDeque<Group>,
    ) {
        let mut again = Vec::new();
        for (&at, item) in group.inputs.iter().zip(items) {
            match item {
                ItemResult::Done(processing) => self.end(at, State::Posted(processing)),
                ItemResult::Failed(error) if error.is_duplicate_input() => {
                    // Whoever posted it, it is there; how far it is, is asked next.
                    let there = match group.touched {
                        Touched::Not => State::There(Processing::Waiting),
                        _ => State::Posted(Processing::Waiting),
                    };
                    self.end(at, there);
                }
                ItemResult::Failed(error)
                    if error.code.is_transient() && group.attempt < ATTEMPTS =>
                {
                    again.push(at);
                }
                ItemResult::Failed(error) => {
                    let was_stored = error.code == crate::api::code::Code::INPUT_DOWNLOAD_FAILED;
                    let state = if was_stored {
                        State::Posted(Processing::Failed(error))
                    } else {
                        State::Failed(error.to_string(), group.touched)
                    };
                    self.end(at, state);
                }
                ItemResult::Unknown if group.attempt < ATTEMPTS => again.push(at),
                ItemResult::Unknown => {
                    let reason = "the service does not report its result".to_owned();
                    self.end(at, State::Failed(reason, Touched::Perhaps));
                }
            }
        }
        if again.is_empty() {
            return;
        }
        let pause = Duration::from_millis(200) * 2_u32.pow(group.attempt);
        if wait(&self.options, pause).await == Waited::UntilStop {
            let reason = "the service says to try again later, and the run was stopped";
            for at in again {
                self.end(at, State::Failed(reason.to_owned(), Touched::Perhaps));
            }
            return;
        }
        more.push_back(Group {
            inputs: again,
            attempt: group.attempt + 1,
            touched: Touched::Perhaps,
        });
    }

    /// A call that was refused or lost as a whole.
    async fn retry(&mut self, group: Group, error: ApiError, more: &mut VecDeque<Group>) {
        let touched = if error.may_have_taken_effect() {
            Touched::Perhaps
        } else {
            group.touched
        };
        let pause = self.writer.pause(group.attempt, &error);
        let error = error.given_up_after(group.attempt);
        if let Some(pause) = pause {
            if wait(&self.options, pause).await == Waited::Whole {
                more.push_back(Group {
                    attempt: group.attempt + 1,
                    touched,
                    ..group
                });
                return;
            }
        } else if error.is_rejection() && group.inputs.len() > 1 {
            // One bad input may spoil a call: halves find it.
            for half in group.inputs.chunks(group.inputs.len().div_ceil(2)) {
                more.push_back(Group {
                    inputs: half.to_vec(),
                    attempt: group.attempt,
                    touched,
                });
            }
            return;
        }
        self.fail(&group.inputs, &error, touched);
    }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// Waits until all inputs are processed, or nothing has moved for the time that is allowed.
async fn await_all(
    plan: &Plan,
    writer: &Writer,
    options: &Options,
    states: &mut BTreeMap<u32, State>,
) {
    let is_waiting = |state: &State| {
        matches!(
            state,
            State::Posted(Processing::Waiting) | State::There(Processing::Waiting)
        )
    };
    let mut waiting: VecDeque<u32> = states
        .iter()
        .filter(|(_, state)| is_waiting(state))
        .map(|(at, _)| *at)
        .collect();
    let reader = writer.reader();
    let mut pause = PAUSES.0;
    let mut moved = Instant::now();
    while !waiting.is_empty() && !options.stop.is_requested() {
        options.watch.waiting(waiting.len() as u64);
        let asked: Vec<u32> = waiting.iter().take(LOOKED_AT).copied().collect();
        let id = |at: u32| plan.inputs[at as usize].input_id.to_string();
        let ids: BTreeSet<String> = asked.iter().map(|at| id(*at)).collect();
        let looked = reader.inputs(&ids).await;
        let mut found: HashMap<String, Processing> = match looked {
            Ok(found) => found
                .into_iter()
                .map(|state| (state.id, state.processing))
                .collect(),
            Err(error) => {
                let reason = format!("whether it is processed could not be asked: {error}");
                for at in waiting {
                    states.insert(at, State::Failed(reason.clone(), touched(&states[&at])));
                }
                break;
            }
        };
        for at in asked {
            waiting.pop_front();
            match found.remove(&id(at)) {
                // One that is not listed yet may come.
                None | Some(Processing::Waiting) => waiting.push_back(at),
                Some(processing) => {
                    moved = Instant::now();
                    pause = PAUSES.0;
                    if let Some(State::Posted(now) | State::There(now)) = states.get_mut(&at) {
                        *now = processing;
                    }
                }
            }
        }
        if waiting.is_empty() {
            break;
        }
        if moved.elapsed() >= options.input_timeout {
            let reason = format!(
                "it is there, and was not processed within {} s: run the same command again, which waits for it",
                options.input_timeout.as_secs()
            );
            for at in waiting {
                states.insert(at, State::Failed(reason.clone(), touched(&states[&at])));
            }
            break;
        }
        wait(options, pause.min(options.input_timeout)).await;
        pause = (pause * 2).min(PAUSES.1);
    }
    options.watch.waiting(0);
}

fn touched(state: &State) -> Touched {
    match state {
        State::Posted(_) => Touched::Otherwise,
        State::There(_) | State::Failed(..) => Touched::Not,
    }
}

/// Deletes the inputs that an undo names, each only while nothing lies on it but what came with it.
pub(super) async fn delete(plan: &Plan, writer: &Writer, options: &Options, outcome: &mut Outcome) {
    let mut untried: BTreeSet<u32> = (0..plan.deleted_inputs.len() as u32).collect();
    let batches = plan
        .batches
        .iter()
        .filter(|batch| batch.call == Call::DeleteInputs);
    for batch in batches {
        if options.stop.is_requested() {
            break;
        }
        for at in &batch.operations {
            untried.remove(at);
        }
        let ids = batch
            .operations
            .iter()
            .map(|at| (*at, plan.deleted_inputs[*at as usize].clone()));
        for (at, ended) in delete_some(writer, options, ids.collect(), outcome).await {
            options.watch.ended(Subject::DeletedInput(at), &ended);
        }
        if !outcome.failed_inputs.is_empty() && options.on_failure == OnFailure::Stop {
            options.stop.request();
        }
    }
    for at in &untried {
        let subject = Subject::DeletedInput(*at);
        options.watch.ended(subject, &Ended::NotAttempted);
    }
    outcome.not_attempted += untried.len() as u64;
}

async fn delete_some(
    writer: &Writer,
    options: &Options,
    mut left: BTreeMap<u32, InputId>,
    outcome: &mut Outcome,
) -> Vec<(u32, Ended)> {
    let mut endings = Vec::new();
    let mut attempt = 1;
    let failure = loop {
        // What lies there is looked at before every attempt.
        let (there, lying) = match look_at(writer, left.values()).await {
            Ok(found) => found,
            Err(error) => break error.to_string(),
        };
        left.retain(|at, id| {
            let ended = if let Some(count) = lying.get(id) {
                outcome.stale_inputs.push(StaleInput {
                    input_id: id.clone(),
                    annotations: *count,
                });
                Ended::Stale {
                    touched: Touched::Not,
                }
            } else if there.contains(id.as_str()) {
                return true;
            } else if attempt == 1 {
                outcome.already_so += 1;
                Ended::AlreadySo
            } else {
                outcome.applied.deleted_inputs += 1;
                Ended::Applied
            };
            endings.push((*at, ended));
            false
        });
        let ids = left.values().map(ToString::to_string).collect();
        let Some(inputs) = DeleteInputs::new(ids) else {
            return endings;
        };
        let sent = writer.delete_inputs(&inputs).await;
        outcome.calls += 1;
        let (reason, pause) = match sent {
            Ok(None) => (
                "the service says that it is deleted".to_owned(),
                Some(Duration::ZERO),
            ),
            Ok(Some(complaint)) => (complaint.to_string(), Some(PAUSES.0)),
            Err(error) => (error.to_string(), writer.pause(attempt, &error)),
        };
        attempt += 1;
        match pause {
            Some(pause) if attempt <= ATTEMPTS => {
                if wait(options, pause).await == Waited::UntilStop && !pause.is_zero() {
                    break reason;
                }
            }
            _ => break reason,
        }
    };
    for (at, input_id) in left {
        let reason = format!("it was not deleted: {failure}");
        outcome.failed_inputs.push(FailedInput {
            input_id,
            reason: reason.clone(),
            touched: Touched::Not,
        });
        let touched = Touched::Perhaps;
        endings.push((at, Ended::Failed { reason, touched }));
    }
    endings
}

/// Which of these inputs exist, and how much lies on them that did not come with them: what models made did, and so did
/// the input-level annotation as long as it says nothing.
async fn look_at(
    writer: &Writer,
    inputs: impl Iterator<Item = &InputId> + Clone,
) -> Result<(BTreeSet<String>, HashMap<InputId, u64>), ApiError> {
    let reader = writer.reader();
    let ids: BTreeSet<String> = inputs.map(ToString::to_string).collect();
    let there = reader.inputs(&ids).await?;
    let there: BTreeSet<String> = there.into_iter().map(|state| state.id).collect();
    if there.is_empty() {
        return Ok((there, HashMap::new()));
    }
    let mut interner = Interner::default();
    let listing = reader
        .list_with(&Filter::inputs(there.iter().cloned()), |wire| {
            observed::annotation(wire, &mut interner)
                .map_err(|error| ApiError::Malformed(error.to_string()))
        })
        .await?;
    let mut lying: HashMap<InputId, u64> = HashMap::new();
    for (input, annotation) in listing.into_parts().1 {
        let came_with_it = match annotation.maker {
            Maker::Model => true,
            Maker::Input => says_nothing(&annotation),
            Maker::User => false,
        };
        if !came_with_it {
            *lying.entry(input).or_default() += 1;
        }
    }
    Ok((there, lying))
}

/// Whether nobody wrote anything into the annotation that came with an input.
fn says_nothing(annotation: &ObservedAnnotation) -> bool {
    let is_empty =
        |json: &serde_json::Value| json.as_object().is_some_and(serde_json::Map::is_empty);
    annotation.concepts.iter().next().is_none()
        && annotation.info.is_none()
        && annotation.geometry == Geometry::Whole
        && annotation
            .metadata()
            .is_none_or(|metadata| is_empty(&metadata))
}

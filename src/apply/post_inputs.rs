//! Posts the inputs of a plan before anything is written on them, and waits until they are processed.
//!
//! An input that exists is never posted again: the service refuses its id, and it counts as existing. After a lost answer the
//! run looks which inputs exist before it sends anything again.

use super::account::count_input;
use super::options::{OnFailure, Options, Pause};
use super::queue::{CRASHED, Group, InFlight, Queue};
use super::watch::{ItemOutcome, Subject};
use crate::api::{ApiError, ItemError, ItemResult, Processing, Reader, Writer};
use crate::model::{InputId, Json, hex};
use crate::plan::{Call, MediumKind, Outcome, Plan, Touched};
use crate::wire::Code;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The first and the longest pause between two looks at inputs that are not processed yet.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How many inputs one look asks for.
const LOOKED_AT: usize = 1_000;

/// How far one input has come.
#[derive(Debug, Clone)]
enum State {
    /// This run posted it.
    Posted(Processing),
    /// It existed before.
    Existing(Processing),
    Failed(String, Touched),
}

impl State {
    fn is_waiting(&self) -> bool {
        matches!(
            self,
            Self::Posted(Processing::Waiting) | Self::Existing(Processing::Waiting)
        )
    }

    /// The failure of an input that was not processed in time.
    fn not_processed(&self, reason: &str) -> Self {
        let touched = match self {
            Self::Posted(_) => Touched::Incomplete,
            Self::Existing(_) | Self::Failed(..) => Touched::Nothing,
        };
        Self::Failed(reason.to_owned(), touched)
    }

    /// How the input ended, after all waiting is over.
    fn outcome(self) -> ItemOutcome {
        let unprocessed = |error: ItemError, touched| {
            ItemOutcome::failed(
                format!("the service could not process it: {error}"),
                touched,
            )
        };
        match self {
            // Only a stop ends the waiting early.
            Self::Posted(Processing::Done | Processing::Waiting) => ItemOutcome::Applied,
            Self::Posted(Processing::Failed(error)) => unprocessed(error, Touched::Incomplete),
            Self::Existing(Processing::Done) => ItemOutcome::AlreadyUpToDate,
            Self::Existing(Processing::Waiting) => ItemOutcome::NotAttempted,
            Self::Existing(Processing::Failed(error)) => unprocessed(error, Touched::Nothing),
            Self::Failed(reason, touched) => ItemOutcome::failed(reason, touched),
        }
    }
}

/// Posts the inputs of a plan, and waits until all of them are processed. Returns those that nothing may be written on.
pub(super) async fn post(
    plan: &Arc<Plan>,
    writer: &Writer,
    options: &Options,
    outcome: &mut Outcome,
) -> HashSet<InputId> {
    let mut blocked = HashSet::new();
    if plan.inputs.is_empty() {
        return blocked;
    }
    let mut states = post_all(plan, writer, options, &mut outcome.calls).await;
    for (at, input) in plan.inputs.iter().enumerate() {
        if !input.is_posted() && !options.stop.is_requested() {
            states.insert(at as u32, State::Existing(Processing::Waiting));
        }
    }
    await_all(plan, &writer.reader(), options, &mut states).await;
    for (at, input) in plan.inputs.iter().enumerate() {
        let at = at as u32;
        let state = states.remove(&at);
        let is_ready = matches!(
            state,
            Some(State::Posted(Processing::Done) | State::Existing(Processing::Done))
        );
        if !is_ready {
            blocked.insert(input.input_id.clone());
        }
        let ended = state.map_or(ItemOutcome::NotAttempted, State::outcome);
        options.watch.ended(Subject::Input(at), &ended);
        count_input(outcome, plan, at, ended);
    }
    if !outcome.failed_inputs.is_empty() && options.on_failure == OnFailure::Stop {
        options.stop.request();
    }
    blocked
}

/// Posts the inputs, several calls at a time.
async fn post_all(
    plan: &Arc<Plan>,
    writer: &Writer,
    options: &Options,
    calls: &mut u64,
) -> BTreeMap<u32, State> {
    let mut waiting = plan
        .batches
        .iter()
        .filter(|batch| batch.call == Call::PostInputs);
    let mut in_flight = InFlight::new(options.concurrency);
    let mut states = BTreeMap::new();
    loop {
        while in_flight.has_room() && !options.stop.is_requested() {
            let Some(batch) = waiting.next() else { break };
            let run = PostRun {
                plan: Arc::clone(plan),
                writer: writer.clone(),
                options: options.clone(),
                states: Vec::new(),
                calls: 0,
            };
            in_flight.start(batch.operations.clone(), run.run(batch.operations.clone()));
        }
        match in_flight.next().await {
            Some(Ok(run)) => {
                *calls += run.calls;
                let failed = |(_, state): &(u32, State)| matches!(state, State::Failed(..));
                if options.on_failure == OnFailure::Stop && run.states.iter().any(failed) {
                    options.stop.request();
                }
                states.extend(run.states);
            }
            Some(Err(crashed)) => {
                for at in crashed {
                    states.insert(at, State::Failed(CRASHED.to_owned(), Touched::Unknown));
                }
            }
            None => return states,
        }
    }
}

/// A batch of inputs that is being posted.
struct PostRun {
    plan: Arc<Plan>,
    writer: Writer,
    options: Options,
    states: Vec<(u32, State)>,
    calls: u64,
}

impl PostRun {
    async fn run(mut self, inputs: Vec<u32>) -> Self {
        let mut queue = Queue::new(Group::new(Call::PostInputs, inputs));
        while let Some(mut group) = queue.pop() {
            if !group.touched.is_nothing() {
                self.take_out_existing(&mut group).await;
            }
            if !group.items.is_empty() {
                self.post(group, &mut queue).await;
            }
        }
        self
    }

    fn end(&mut self, at: u32, state: State) {
        self.states.push((at, state));
    }

    fn fail(&mut self, at: u32, reason: impl Into<String>, touched: Touched) {
        self.end(at, State::Failed(reason.into(), touched));
    }

    fn fail_all(&mut self, inputs: &[u32], error: &ApiError, touched: Touched) {
        for &at in inputs {
            self.fail(at, error.with_hint(), touched);
        }
        if error.is_unauthorised() {
            self.options.stop.request();
        }
    }

    /// Takes out the inputs that an earlier attempt with a lost answer has posted.
    async fn take_out_existing(&mut self, group: &mut Group) {
        let inputs = group.take_items();
        let id = |at: u32| self.plan.inputs[at as usize].input_id.to_string();
        let ids = inputs.iter().map(|at| id(*at)).collect();
        let mut existing = match processing(&self.writer.reader(), &ids).await {
            Ok(existing) => existing,
            Err(error) => return self.fail_all(&inputs, &error, group.touched),
        };
        let found: Vec<_> = inputs.iter().map(|at| existing.remove(&id(*at))).collect();
        for (at, found) in inputs.into_iter().zip(found) {
            match found {
                Some(processing) => self.end(at, State::Posted(processing)),
                None => group.items.push(at),
            }
        }
    }

    async fn post(&mut self, mut group: Group, queue: &mut Queue) {
        let inputs = group.take_items();
        let mut bodies = Vec::with_capacity(inputs.len());
        for at in inputs {
            match self.body(at) {
                Ok(body) => {
                    group.items.push(at);
                    bodies.push((self.plan.inputs[at as usize].input_id.clone(), body));
                }
                Err(reason) => self.fail(at, reason, group.touched),
            }
        }
        if bodies.is_empty() {
            return;
        }
        let sent = self.writer.post_inputs(&bodies).await;
        drop(bodies);
        self.calls += 1;
        match sent {
            Ok(items) => self.settle(group, items, queue).await,
            Err(error) => self.settle_failed_call(group, error, queue).await,
        }
    }

    /// What is sent for an input. A file that has changed since the plan is not sent.
    fn body(&self, at: u32) -> Result<Json, String> {
        let files = &self.options.files;
        let read = |path: &str, sha256: &str, kind: MediumKind| {
            let bytes = files.read(path, kind)?;
            if hex(&Sha256::digest(&bytes)) != sha256 {
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
        self.plan.inputs[at as usize].body(read)
    }

    /// Judges each input of a call that was answered.
    async fn settle(
        &mut self,
        group: Group,
        items: Vec<ItemResult<Processing>>,
        queue: &mut Queue,
    ) {
        let mut again = Vec::new();
        for (&at, item) in group.items.iter().zip(items) {
            match item {
                ItemResult::Done(processing) => self.end(at, State::Posted(processing)),
                ItemResult::Failed(error) if error.is_duplicate_input() => {
                    // It exists, by whichever run; its processing is read next.
                    let state = match group.touched {
                        Touched::Nothing => State::Existing(Processing::Waiting),
                        _ => State::Posted(Processing::Waiting),
                    };
                    self.end(at, state);
                }
                ItemResult::Failed(error)
                    if error.code.is_transient() && group.has_attempts_left() =>
                {
                    again.push(at);
                }
                // It was stored, but cannot be processed.
                ItemResult::Failed(error) if error.code == Code::INPUT_DOWNLOAD_FAILED => {
                    self.end(at, State::Posted(Processing::Failed(error)));
                }
                ItemResult::Failed(error) => self.fail(at, error.to_string(), group.touched),
                ItemResult::Unknown if group.has_attempts_left() => again.push(at),
                ItemResult::Unknown => {
                    let reason = "the service's answer does not mention it";
                    self.fail(at, reason, Touched::Unknown);
                }
            }
        }
        if again.is_empty() {
            return;
        }
        if group.pause(&self.options.stop).await == Pause::Stopped {
            for at in again {
                let reason = "the service says to try again later, and the run was stopped";
                self.fail(at, reason, Touched::Unknown);
            }
            return;
        }
        queue.push(Group {
            touched: Touched::Unknown,
            ..group.next_attempt(again)
        });
    }

    /// Judges a call that was refused or lost as a whole.
    async fn settle_failed_call(&mut self, mut group: Group, error: ApiError, queue: &mut Queue) {
        if error.may_have_taken_effect() {
            group.touched = Touched::Unknown;
        }
        if group
            .may_retry(&self.writer, &error, &self.options.stop)
            .await
        {
            let items = group.take_items();
            return queue.push(group.next_attempt(items));
        }
        let error = error.given_up_after(group.attempt);
        if error.is_rejection() && group.items.len() > 1 {
            queue.push_halves(group);
        } else {
            self.fail_all(&group.items, &error, group.touched);
        }
    }
}

/// How far the processing of these inputs is, of those that exist.
async fn processing(
    reader: &Reader,
    ids: &BTreeSet<String>,
) -> Result<HashMap<String, Processing>, ApiError> {
    let states = reader.inputs(ids).await?.into_iter();
    Ok(states.map(|state| (state.id, state.processing)).collect())
}

/// Waits until all inputs are processed, or the time without progress is over.
async fn await_all(
    plan: &Plan,
    reader: &Reader,
    options: &Options,
    states: &mut BTreeMap<u32, State>,
) {
    let waiting = states.iter().filter(|(_, state)| state.is_waiting());
    let mut waiting: VecDeque<u32> = waiting.map(|(at, _)| *at).collect();
    let mut pause = PAUSES.0;
    let mut last_progress = Instant::now();
    let failure = loop {
        if waiting.is_empty() || options.stop.is_requested() {
            break None;
        }
        options.watch.waiting(waiting.len() as u64);
        let asked: Vec<u32> = waiting.iter().take(LOOKED_AT).copied().collect();
        let id = |at: u32| plan.inputs[at as usize].input_id.to_string();
        let ids = asked.iter().map(|at| id(*at)).collect();
        let mut found = match processing(reader, &ids).await {
            Ok(found) => found,
            Err(error) => {
                break Some(format!("cannot read whether it is processed: {error}"));
            }
        };
        for at in asked {
            waiting.pop_front();
            match found.remove(&id(at)) {
                // One that is not listed yet may come.
                None | Some(Processing::Waiting) => waiting.push_back(at),
                Some(processing) => {
                    last_progress = Instant::now();
                    pause = PAUSES.0;
                    if let Some(State::Posted(now) | State::Existing(now)) = states.get_mut(&at) {
                        *now = processing;
                    }
                }
            }
        }
        if waiting.is_empty() {
            break None;
        }
        if last_progress.elapsed() >= options.input_timeout {
            break Some(format!(
                "it exists, but was not processed within {} s: run the same command again, which waits for it",
                options.input_timeout.as_secs()
            ));
        }
        options.stop.pause(pause.min(options.input_timeout)).await;
        pause = (pause * 2).min(PAUSES.1);
    };
    if let Some(reason) = failure {
        for at in waiting {
            states.insert(at, states[&at].not_processed(&reason));
        }
    }
    options.watch.waiting(0);
}

//! One simulation: a world, some runs with faults, then runs without faults; and checks of the final state.

use super::chance::Chance;
use super::editor;
use super::faults::{Classes, Counts, Fault};
use super::laws::{Broken, ManifestScope, RunCheck, is_a_persons};
use super::remote::{Actor, Remote, name_of};
use super::run::{Command, Record, cut, declared_only, run};
use super::scene::{Scene, SharedScene, lock};
use super::service::OWNER;
use super::team::{self, Appliers, COLLABORATORS};
use super::wire::Interruption;
use super::world::{World, data, gist, set_of};
use annosync::plan::{Action, Operation, Plan, Reason};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The result of a simulation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) broken: Vec<Broken>,
    pub(super) counts: Counts,
    pub(super) exchanges: u64,
    pub(super) runs: u64,
    pub(super) operations: u64,
    /// Runs with a token that lacks a permission for their plan, and runs that the guard against doubles stopped.
    pub(super) denied: u64,
    pub(super) stopped: u64,
    /// Runs of collaborators that wrote something.
    pub(super) by_collaborators: u64,
    /// A hash of all requests, answers, edits and results in order.
    pub(super) hash: u64,
    pub(super) trace: Vec<String>,
    /// The final annotations of the app.
    remains: Vec<String>,
    ends_refused: bool,
}

/// Whether events are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    Keep,
    Drop,
}

/// The maximum number of runs without faults: one that is stopped, two that write, and one that has nothing to do.
const PEACEFUL: usize = 4;

/// Plays a seed.
pub(super) fn play(seed: u64, appliers: Appliers, classes: Classes, trace: Trace) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let mut verdict = runtime.block_on(perform(seed, appliers, classes, trace));
    let unmolested = verdict.counts.of(Fault::Edited) == 0;
    if unmolested && classes != Classes::NONE && !verdict.ends_refused {
        // Without other editors, faults must not change the final state.
        let peaceful = runtime.block_on(perform(seed, appliers, Classes::NONE, Trace::Drop));
        if peaceful.remains != verdict.remains {
            let how = format!("{:#?}\nis not\n{:#?}", verdict.remains, peaceful.remains);
            verdict.broken.push(Broken {
                law: "faults do not show in what is there at the end",
                how,
            });
        }
    }
    verdict
}

async fn perform(seed: u64, appliers: Appliers, classes: Classes, trace: Trace) -> Verdict {
    let mut chance = Chance::of(&[seed, 6]);
    let world = World::of(seed, appliers);
    let before = &world.remote;
    let mut scene = Scene::new(seed, classes, &world);
    if trace == Trace::Keep {
        scene.trace = Some(Vec::new());
        let manifest = serde_json::to_string_pretty(&world.manifest).unwrap();
        scene.trace(&format!("manifest {manifest}"));
        scene.trace(&format!("{:?}", scene.behaviour.clone()));
        for row in before.rows.clone() {
            scene.trace(&format!("stored {row}"));
        }
        scene.hash = 0;
    }
    let shared: SharedScene = Arc::new(Mutex::new(scene));
    let mut records: Vec<Record> = Vec::new();
    let troubled = match appliers {
        Appliers::One => chance.below(4),
        Appliers::Team => 1 + chance.below(3),
    };
    let troubled_run = |number: usize| Command {
        number,
        caller: world.caller(number),
        doubles_pass: appliers == Appliers::One,
        cut: cut(&shared, number),
    };
    for _ in 0..troubled {
        let first = troubled_run(records.len());
        if classes.holds(Fault::TwoRuns) && chance.one_in(6) {
            lock(&shared).counts.count(Fault::TwoRuns);
            let second = troubled_run(records.len() + 1);
            let pause = Duration::from_millis(chance.below(3_000));
            let later = async {
                tokio::time::sleep(pause).await;
                run(&shared, &world.desired, second).await
            };
            let (one, other) = tokio::join!(run(&shared, &world.desired, first), later);
            records.extend([one, other]);
        } else {
            records.push(run(&shared, &world.desired, first).await);
        }
        if chance.one_in(2) {
            tokio::time::sleep(Duration::from_secs(chance.below(100))).await;
        }
        // The service is assumed to finish the calls of an ended run before the next one begins.
        let late = lock(&shared).late;
        tokio::time::sleep_until(late).await;
        if appliers == Appliers::Team {
            work(&mut lock(&shared), records.len());
        }
    }
    // Requests in flight arrive.
    tokio::time::sleep(Duration::from_secs(200)).await;
    lock(&shared).calm();
    let calm_from = records.len();
    let calm_to = run_without_faults(&shared, &world, &mut records).await;
    let scene = lock(&shared);
    let speaks = ManifestScope {
        manifest: &world.manifest,
        caller: world.last_caller(),
    };
    let mut court = RunCheck {
        scene: &scene,
        speaks,
        records: &records,
        broken: Vec::new(),
    };
    court.judge();
    let mut broken = court.broken;
    let speaks = court.speaks;
    peace(&records[calm_from..calm_to], &mut broken);
    if appliers == Appliers::Team {
        let last = &records[calm_to - 1..];
        team::judge(&scene, &speaks, &records, last, &mut broken);
    }
    let last = &records[calm_to - 1];
    let ends_refused = last.refused;
    if !ends_refused {
        as_declared(&scene.remote, &speaks, declared_only(seed), &mut broken);
    }
    kept(&scene, before, &records, &mut broken);
    let how_many = |is: fn(&&Record) -> bool| records.iter().filter(is).count() as u64;
    Verdict {
        broken,
        counts: scene.counts.clone(),
        exchanges: scene.exchanges.len() as u64,
        runs: records.len() as u64,
        operations: records
            .iter()
            .filter_map(|record| record.plan.as_ref())
            .map(|plan| plan.operations.len() as u64)
            .sum(),
        denied: how_many(|it| it.denied),
        stopped: how_many(|it| it.stopped),
        by_collaborators: how_many(|it| it.caller != OWNER && it.outcome.is_some()),
        hash: scene.hash,
        trace: scene.trace.clone().unwrap_or_default(),
        remains: remains(&scene.remote, appliers),
        ends_refused,
    }
}

/// Runs without faults until there is nothing to do; for a team, then one run of each collaborator. Returns the number of runs
/// before those of the collaborators.
async fn run_without_faults(
    shared: &SharedScene,
    world: &World,
    records: &mut Vec<Record>,
) -> usize {
    let mut calm_run = Command {
        number: records.len(),
        caller: world.last_caller(),
        doubles_pass: world.appliers == Appliers::One,
        cut: Interruption::Never,
    };
    for _ in 0..PEACEFUL {
        let record = run(shared, &world.desired, calm_run).await;
        let is_over = record.refused || record.plan.as_ref().is_some_and(|plan| plan.is_empty());
        calm_run.number += 1;
        // A person reviews the guard, and lets it pass.
        calm_run.doubles_pass |= record.stopped;
        records.push(record);
        if is_over {
            break;
        }
    }
    let calm_to = records.len();
    if world.appliers == Appliers::Team {
        for caller in COLLABORATORS {
            calm_run.caller = caller;
            records.push(run(shared, &world.desired, calm_run).await);
            calm_run.number += 1;
        }
    }
    calm_to
}

fn report_broken_law(broken: &mut Vec<Broken>, law: &'static str, how: String) {
    broken.push(Broken { law, how });
}

/// People work in the app between two runs.
fn work(scene: &mut Scene, run: usize) {
    let mut chance = Chance::of(&[scene.seed, 14, run as u64]);
    if scene.edits > 0 {
        for _ in 0..chance.below(4) {
            editor::edit(scene, &mut chance);
        }
    }
}

/// Without faults, one run does what is left, and the next has nothing to do. A stopped run wrote nothing.
/// If an undeclared replacement was finished, one more run deletes it, and nothing else.
fn peace(records: &[Record], broken: &mut Vec<Broken>) {
    let law = "running again converges";
    for record in records {
        if let Some(error) = &record.error {
            report_broken_law(broken, law, format!("run {}: {error}", record.number));
        }
        if let Some(outcome) = record.outcome.as_ref().filter(|it| !it.is_complete()) {
            report_broken_law(broken, law, format!("run {}: {outcome:?}", record.number));
        }
    }
    let last = records.last().expect("there was a run in peace");
    let is_over = last.refused || last.plan.as_ref().is_some_and(|plan| plan.is_empty());
    let working = records.iter().filter(|it| !it.stopped);
    let plans: Vec<Option<&Plan>> = working.map(|it| it.plan.as_deref()).collect();
    let is_soon = match plans[..] {
        [_] | [_, _] => true,
        [Some(first), Some(second), _] => {
            let finished = |it: &Operation| {
                (first.operations.iter()).any(|before| is_finished_for(before, it))
            };
            second.purges.is_empty()
                && (second.operations.iter())
                    .all(|it| it.action() == Action::Delete && finished(it))
        }
        _ => false,
    };
    if !is_over || !is_soon {
        let plans: Vec<_> = records
            .iter()
            .map(|it| it.plan.as_ref().map(|it| &it.operations))
            .collect();
        report_broken_law(broken, law, format!("{} runs: {plans:?}", records.len()));
    }
}

/// Whether an operation finishes the replacement of the other's annotation, which is not declared any more.
fn is_finished_for(operation: &Operation, delete: &Operation) -> bool {
    operation.reason() == Reason::Unfinished
        && operation.matched().is_none()
        && (&operation.input_id, &operation.id) == (&delete.input_id, &delete.id)
}

/// Every declared annotation exists once, and nothing else in the manifest's scope exists.
fn as_declared(remote: &Remote, speaks: &ManifestScope<'_>, blind: bool, broken: &mut Vec<Broken>) {
    let policy = speaks.manifest["policy"].as_str().unwrap_or_default();
    if policy == "create" {
        return;
    }
    for input in &remote.inputs {
        let rows = || remote.rows.iter().filter(|row| row["input_id"] == **input);
        let declared = speaks.input(input);
        if declared.is_none() && blind {
            continue;
        }
        if let (Some(true), "sync") = (declared.map(|it| it["purge"] == true), policy) {
            for row in rows().filter(|row| row.get("input_level").is_none()) {
                report_broken_law(broken, "what is purged is gone", row.to_string());
            }
            continue;
        }
        let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
        let all = declared.and_then(|it| it["annotations"].as_array());
        for one in all
            .into_iter()
            .flatten()
            .filter(|it| it["input_level"] != true)
        {
            let mut stored = data(one);
            super::remote::narrow(&mut stored);
            *wanted.entry(gist(&stored)).or_default() += 1;
        }
        let mut there: BTreeMap<String, i64> = BTreeMap::new();
        let mut in_scope: BTreeMap<String, i64> = BTreeMap::new();
        for row in rows().filter(|row| is_a_persons(row)) {
            let ours = set_of(row["id"].as_str().unwrap_or_default()) == Some("street");
            *there.entry(gist(&row["data"])).or_default() += 1;
            if speaks.in_scope(row) && (declared.is_some() || ours) {
                *in_scope.entry(gist(&row["data"])).or_default() += 1;
            }
        }
        for (what, count) in &wanted {
            if there.get(what).copied().unwrap_or_default() < *count {
                report_broken_law(broken, "nothing is lost", format!("{input}: {what}"));
            }
        }
        for (what, count) in in_scope.iter().filter(|_| policy == "sync") {
            if wanted.get(what).copied().unwrap_or_default() < *count {
                report_broken_law(broken, "nothing is doubled", format!("{input}: {what}"));
            }
        }
    }
}

/// Unmanaged data is kept, unless the plan contains its annotation, or somebody else changed it.
fn kept(scene: &Scene, before: &Remote, records: &[Record], broken: &mut Vec<Broken>) {
    let mark = |row: &Value| {
        let data = &row["data"];
        (
            data["metadata"]["kept"].clone(),
            data["unmodelled"]["left"].clone(),
        )
    };
    let mut there: BTreeMap<String, u64> = BTreeMap::new();
    for row in &scene.remote.rows {
        if !mark(row).0.is_null() {
            *there.entry(mark(row).0.to_string()).or_default() += 1;
        }
    }
    for (what, _) in there.iter().filter(|(_, count)| **count > 1) {
        report_broken_law(
            broken,
            "nothing is doubled",
            format!("what is marked {what}"),
        );
    }
    for row in before.rows.iter().filter(|row| !mark(row).0.is_null()) {
        let name = name_of(row);
        let now = scene.remote.get(&name);
        if now.is_some_and(|now| mark(now) == mark(row)) {
            continue;
        }
        let excused = scene.remote.journal.iter().any(|write| {
            let doomed = |run: usize| {
                let plan = records.iter().find(|it| it.number == run);
                plan.and_then(|it| it.plan.as_ref()).is_some_and(|plan| {
                    plan.operations.iter().any(|it| {
                        it.id.as_str() == name.1
                            && it.input_id.as_str() == name.0
                            && it.action() == Action::Delete
                    }) || plan.purges.iter().any(|it| it.input_id.as_str() == name.0)
                })
            };
            let held_it = write
                .before
                .as_ref()
                .is_some_and(|it| mark(it) == mark(row));
            let holds_it = write.after.as_ref().is_some_and(|it| mark(it) == mark(row));
            match write.who {
                // In the annotation or in its stand-in.
                Actor::Editor => held_it && !holds_it,
                Actor::Run { run, .. } => {
                    write.name == name && write.after.is_none() && doomed(run)
                }
            }
        });
        if !excused {
            report_broken_law(
                broken,
                "unmanaged data is kept",
                format!("{row} is {now:?}"),
            );
        }
    }
}

/// The app's annotations, without generated fields; for a team, also without the creator, who depends on whose run was
/// first, and the status that follows from that.
fn remains(remote: &Remote, appliers: Appliers) -> Vec<String> {
    let mut all: Vec<String> = remote
        .rows
        .iter()
        .map(|row| {
            let data = &row["data"];
            let by = match appliers {
                Appliers::One => format!("{} {}", row["user_id"], row["status"]["code"]),
                Appliers::Team => String::new(),
            };
            format!(
                "{}/{} {by} {} {} {}",
                row["input_id"].as_str().unwrap_or_default(),
                set_of(row["id"].as_str().unwrap_or_default()).unwrap_or("-"),
                gist(data),
                data["metadata"],
                data["unmodelled"],
            )
        })
        .collect();
    all.sort();
    all
}

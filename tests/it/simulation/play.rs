//! One simulation: a world, some runs among faults, then runs in peace; and what is to hold at the end.

use super::chance::Chance;
use super::faults::{Classes, Counts, Fault};
use super::laws::{Broken, Court, Speaks, is_a_persons};
use super::remote::{Remote, Who, name_of};
use super::run::{Record, cut, declared_only, run};
use super::scene::{Scene, Stage, lock};
use super::wire::Cut;
use super::world::{World, data, gist, set_of};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a simulation came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) broken: Vec<Broken>,
    pub(super) counts: Counts,
    pub(super) exchanges: u64,
    pub(super) runs: u64,
    pub(super) operations: u64,
    /// Of all requests, answers, edits and endings in their order.
    pub(super) hash: u64,
    pub(super) trace: Vec<String>,
    /// What the app holds at the end.
    remains: Vec<String>,
    ends_refused: bool,
}

/// Whether what happens is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    Keep,
    Drop,
}

/// How many runs in peace it may take.
const PEACEFUL: usize = 3;

/// Plays a seed.
pub(super) fn play(seed: u64, classes: Classes, trace: Trace) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let mut verdict = runtime.block_on(perform(seed, classes, trace));
    let unmolested = verdict.counts.of(Fault::Edited) == 0;
    if unmolested && classes != Classes::NONE && !verdict.ends_refused {
        // With nobody else about, faults must not show in what is there at the end.
        let peaceful = runtime.block_on(perform(seed, Classes::NONE, Trace::Drop));
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

async fn perform(seed: u64, classes: Classes, trace: Trace) -> Verdict {
    let mut chance = Chance::of(&[seed, 6]);
    let world = World::of(seed);
    let before = world.remote.clone();
    let mut scene = Scene::new(seed, classes, world.remote, &world.caller);
    if trace == Trace::Keep {
        scene.trace = Some(Vec::new());
        let manifest = serde_json::to_string_pretty(&world.manifest).unwrap();
        scene.tell(&format!("manifest {manifest}"));
        scene.tell(&format!("{:?}", scene.habits.clone()));
        for row in before.rows.clone() {
            scene.tell(&format!("stored {row}"));
        }
        scene.hash = 0;
    }
    let stage: Stage = Arc::new(Mutex::new(scene));
    let mut records: Vec<Record> = Vec::new();
    let troubled = chance.below(4) as usize;
    for _ in 0..troubled {
        let number = records.len();
        let first = cut(&stage, number);
        if classes.holds(Fault::TwoRuns) && chance.one_in(6) {
            lock(&stage).counts.count(Fault::TwoRuns);
            let second = cut(&stage, number + 1);
            let pause = Duration::from_millis(chance.below(3_000));
            let later = async {
                tokio::time::sleep(pause).await;
                run(&stage, number + 1, &world.desired, second).await
            };
            let (one, other) = tokio::join!(run(&stage, number, &world.desired, first), later);
            records.extend([one, other]);
        } else {
            records.push(run(&stage, number, &world.desired, first).await);
        }
        if chance.one_in(2) {
            tokio::time::sleep(Duration::from_secs(chance.below(100))).await;
        }
    }
    // What is still on its way arrives.
    tokio::time::sleep(Duration::from_secs(200)).await;
    lock(&stage).calm();
    let calm_from = records.len();
    for _ in 0..PEACEFUL {
        let record = run(&stage, records.len(), &world.desired, Cut::Never).await;
        let is_over = record.refused || record.plan.as_ref().is_some_and(|plan| plan.is_empty());
        records.push(record);
        if is_over {
            break;
        }
    }
    let scene = lock(&stage);
    let speaks = Speaks {
        manifest: &world.manifest,
        caller: &world.caller,
    };
    let mut court = Court {
        scene: &scene,
        speaks,
        records: &records,
        broken: Vec::new(),
    };
    court.judge();
    let mut broken = court.broken;
    let speaks = court.speaks;
    peace(&records[calm_from..], &mut broken);
    let last = records.last().expect("there was a run");
    let ends_refused = last.refused;
    if !ends_refused {
        as_declared(&scene.remote, &speaks, declared_only(seed), &mut broken);
    }
    kept(&scene, &before, &records, &mut broken);
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
        hash: scene.hash,
        trace: scene.trace.clone().unwrap_or_default(),
        remains: remains(&scene.remote),
        ends_refused,
    }
}

fn complain(broken: &mut Vec<Broken>, law: &'static str, how: String) {
    broken.push(Broken { law, how });
}

/// Once nothing goes wrong, a run or two do what is left, and the next has nothing to do.
fn peace(records: &[Record], broken: &mut Vec<Broken>) {
    let law = "running again converges";
    for record in records {
        if let Some(error) = &record.error {
            complain(broken, law, format!("run {}: {error}", record.number));
        }
        if let Some(outcome) = record.outcome.as_ref().filter(|it| !it.is_complete()) {
            complain(broken, law, format!("run {}: {outcome:?}", record.number));
        }
    }
    let last = records.last().expect("there was a run in peace");
    let is_over = last.refused || last.plan.as_ref().is_some_and(|plan| plan.is_empty());
    if !is_over || records.len() > 2 {
        let plans: Vec<_> = records
            .iter()
            .map(|it| it.plan.as_ref().map(|it| &it.operations))
            .collect();
        complain(broken, law, format!("{} runs: {plans:?}", records.len()));
    }
}

/// What the manifest declares is there, and in its scope nothing else is, once each.
fn as_declared(remote: &Remote, speaks: &Speaks<'_>, blind: bool, broken: &mut Vec<Broken>) {
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
                complain(broken, "what is purged is gone", row.to_string());
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
            narrow(&mut stored);
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
                complain(broken, "nothing is lost", format!("{input}: {what}"));
            }
        }
        for (what, count) in in_scope.iter().filter(|_| policy == "sync") {
            if wanted.get(what).copied().unwrap_or_default() < *count {
                complain(broken, "nothing is there twice", format!("{input}: {what}"));
            }
        }
    }
}

fn narrow(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            *value = f64::from(number.as_f64().unwrap_or_default() as f32).into();
        }
        Value::Array(items) => items.iter_mut().for_each(narrow),
        Value::Object(fields) => fields.values_mut().for_each(narrow),
        _ => {}
    }
}

/// What nobody manages is where it was, unless the plan named its annotation, or somebody else changed it.
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
        complain(
            broken,
            "nothing is there twice",
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
                            && it.action == annosync::plan::Action::Delete
                    }) || plan.purges.iter().any(|it| it.input_id.as_str() == name.0)
                })
            };
            let held_it = write
                .before
                .as_ref()
                .is_some_and(|it| mark(it) == mark(row));
            let holds_it = write.after.as_ref().is_some_and(|it| mark(it) == mark(row));
            match write.who {
                // In whatever copy.
                Who::Editor => held_it && !holds_it,
                Who::Run { run, .. } => write.name == name && write.after.is_none() && doomed(run),
            }
        });
        if !excused {
            complain(
                broken,
                "what nobody manages stays",
                format!("{row} is {now:?}"),
            );
        }
    }
}

/// What the app holds, but for what the service makes up.
fn remains(remote: &Remote) -> Vec<String> {
    let mut all: Vec<String> = remote
        .rows
        .iter()
        .map(|row| {
            let data = &row["data"];
            format!(
                "{}/{} {} {} {} {} {}",
                row["input_id"].as_str().unwrap_or_default(),
                set_of(row["id"].as_str().unwrap_or_default()).unwrap_or("-"),
                row["user_id"],
                row["status"]["code"],
                gist(data),
                data["metadata"],
                data["unmodelled"],
            )
        })
        .collect();
    all.sort();
    all
}

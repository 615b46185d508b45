//! Several users who apply the same repository, and laws that hold for each of them.

use super::chance::Chance;
use super::laws::{Broken, ManifestScope, is_a_persons};
use super::remote::{Actor, Name, Write, name_of};
use super::run::Record;
use super::scene::Scene;
use super::service::OWNER;
use super::world::{data, gist};
use annosync::model::{AnnotationId, DesiredState, ObservedState, UserId, is_stand_in_id};
use annosync::plan::{Action, Context, Plan, PlanError, plan};
use annosync::render;
use serde_json::Value;
use std::collections::BTreeSet;

/// The collaborators of the app. Each may change only their own annotations, and may post only as themselves.
pub(super) const COLLABORATORS: [&str; 2] = ["bea", "cem"];
/// A user who edits the app and never applies.
pub(super) const LABELER: &str = "dan";

/// The users who apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appliers {
    /// Always the same user.
    One,
    /// The app's owner and the collaborators, in turn and concurrently.
    Team,
}

/// The user of the token of the run with this number.
#[expect(
    clippy::explicit_auto_deref,
    reason = "the name outlives the array that it is picked from"
)]
pub(super) fn caller(seed: u64, regular: &'static str, run: usize) -> &'static str {
    let [bea, cem] = COLLABORATORS;
    let mut chance = Chance::of(&[seed, 12, run as u64]);
    *chance.pick(&[OWNER, regular, bea, cem])
}

/// Whether annosync would refuse to apply this plan with the token of this user.
pub(super) fn is_denied(plan: &Plan, caller: &str) -> bool {
    let [caller, owner] = [caller, OWNER].map(|user| UserId::new(user).unwrap());
    caller != owner && render::denied_words(&plan.needed(&owner), &caller, &owner).is_some()
}

/// The plans of the team's users for the same listing, if they differ.
pub(super) fn differing(
    desired: &DesiredState,
    observed: &ObservedState,
    context: &Context,
    made: &Result<Plan, Vec<PlanError>>,
) -> Option<String> {
    let users = [OWNER].into_iter().chain(COLLABORATORS);
    let others = users.filter(|user| *user != observed.caller.as_str());
    others
        .map(|user| {
            let mut theirs = observed.clone();
            theirs.caller = UserId::new(user).unwrap();
            (user, plan(desired, &theirs, context))
        })
        .find(|(_, theirs)| theirs != made)
        .map(|(user, theirs)| format!("{}: {made:?}\n{user}: {theirs:?}", observed.caller))
}

fn report_broken_law(broken: &mut Vec<Broken>, law: &'static str, how: String) {
    broken.push(Broken { law, how });
}

/// Checks every law of this file for all runs; the last runs are without faults, one by each user of the team.
pub(super) fn judge(
    scene: &Scene,
    speaks: &ManifestScope<'_>,
    records: &[Record],
    last: &[Record],
    broken: &mut Vec<Broken>,
) {
    for record in records {
        if let Some(how) = &record.differing {
            report_broken_law(broken, "a plan is the same for every token", how.clone());
        }
        refusal(scene, record, broken);
    }
    denials(scene, records, broken);
    for write in &scene.remote.journal {
        if let Actor::Run { run, .. } = write.who {
            beside(scene, speaks, records, write, run, broken);
        }
    }
    in_the_end(last, broken);
}

/// A token is refused exactly if it lacks a permission for the plan.
fn refusal(scene: &Scene, record: &Record, broken: &mut Vec<Broken>) {
    let Some(plan) = record.plan.as_ref().filter(|_| !record.stopped) else {
        return;
    };
    let lacks = match lacks(scene, record, plan) {
        _ if record.caller == OWNER => false,
        Some(lacks) => lacks,
        None => return,
    };
    if lacks != record.denied {
        let how = format!(
            "run {} of {}: refused is {}, and what was planned is {:?}",
            record.number, record.caller, record.denied, plan.operations
        );
        report_broken_law(broken, "a token is refused what it may not do", how);
    }
}

/// Whether a plan changes annotations of other users, or posts in another user's name; `None` if that cannot be
/// seen from the annotations stored at the time of the listing.
fn lacks(scene: &Scene, record: &Record, plan: &Plan) -> Option<bool> {
    let user_of = |name: &Name| {
        let at = |tick| Some(scene.remote.at(name, tick)?["user_id"].clone());
        let [first, last] = [at(record.from)?, at(record.listed?)?];
        (first == last).then_some(last)
    };
    let mut lacks = false;
    for operation in &plan.operations {
        let name = (operation.input_id.to_string(), operation.id.to_string());
        if operation.action() != Action::Post {
            lacks |= user_of(&name)? != record.caller;
        }
        if matches!(operation.action(), Action::Post | Action::Replace) {
            let body = record.bodies.get(&name)?.to_value();
            lacks |= body["user_id"]
                .as_str()
                .is_some_and(|user| user != record.caller);
        }
    }
    for purge in &plan.purges {
        let by_people = (purge.annotations.iter()).filter(|it| it.model_version.is_none());
        for gone in by_people {
            lacks |= user_of(&(purge.input_id.to_string(), gone.id.to_string()))? != record.caller;
        }
    }
    Some(lacks)
}

/// If the service denies a call of a run that was not refused, the annotation got another owner after the listing.
fn denials(scene: &Scene, records: &[Record], broken: &mut Vec<Broken>) {
    for denial in &scene.denials {
        let record = records.iter().find(|it| it.number == denial.run);
        let listed = record.and_then(|it| it.listed).unwrap_or_default();
        let user = |tick| Some(scene.remote.at(&denial.name, tick)?["user_id"].clone());
        if user(listed) == user(denial.tick) {
            let how = format!("run {}: {:?} was denied", denial.run, denial.name);
            report_broken_law(broken, "a token is refused what it may not do", how);
        }
    }
}

/// Nothing is posted beside a listed annotation with equal content: one of the set or of the owners is
/// matched, and one of another user stops the plan.
fn beside(
    scene: &Scene,
    speaks: &ManifestScope<'_>,
    records: &[Record],
    write: &Write,
    run: usize,
    broken: &mut Vec<Broken>,
) {
    let (Some(posted), None) = (&write.after, &write.before) else {
        return;
    };
    let input = &write.name.0;
    let record = records.iter().find(|it| it.number == run);
    let Some((record, plan)) = record.and_then(|it| Some((it, it.plan.as_ref()?))) else {
        return;
    };
    // Replacements and their stand-ins exist beside the original for a moment.
    let operation = plan.operations.iter().find(|it| {
        (it.input_id.as_str(), it.id.as_str()) == (&*write.name.0, &*write.name.1)
            && it.action() == Action::Post
    });
    if operation.is_none() || record.doubles_pass {
        return;
    }
    let declared = || {
        let all = speaks.input(input).map(|it| &it["annotations"]);
        all.and_then(Value::as_array).into_iter().flatten()
    };
    let names: BTreeSet<Name> = declared()
        .filter_map(|it| speaks.name_of(input, it))
        .collect();
    let says = gist(&posted["data"]);
    let equal = declared().filter(|it| {
        let mut stored = data(it);
        super::remote::narrow(&mut stored);
        it["input_level"] != true && gist(&stored) == says
    });
    let (mut claimed, mut foreign) = (0, 0);
    for row in seen_throughout(scene, record) {
        let is_like_it = is_a_persons(&row)
            && row["input_id"] == **input
            && gist(&row["data"]) == says
            && !names.contains(&name_of(&row));
        if is_like_it && speaks.in_scope(&row) {
            claimed += 1;
        } else if is_like_it {
            foreign += 1;
        }
    }
    let by_id = declared().any(|it| it["id"] == *write.name.1);
    if foreign > 0 || (claimed >= equal.count() && !by_id) {
        let how =
            format!("run {run} posted {posted} beside {foreign} of others, {claimed} of ours");
        report_broken_law(broken, "no equal annotation is posted", how);
    }
}

/// The annotations that existed unchanged during this run's listing.
fn seen_throughout(scene: &Scene, record: &Record) -> Vec<Value> {
    let Some(listed) = record.listed else {
        return Vec::new();
    };
    let remote = &scene.remote;
    let written = remote.journal.iter().map(|write| write.name.clone());
    let names: BTreeSet<Name> = remote.rows.iter().map(name_of).chain(written).collect();
    let changes = |name: &Name| {
        let mut all = remote.journal.iter();
        all.any(|it| it.name == *name && it.tick > record.from && it.tick < listed)
    };
    names
        .into_iter()
        .filter(|name| !changes(name))
        .filter_map(|name| remote.at(&name, listed))
        .filter(|row| !is_stand_in_id(&AnnotationId::new(name_of(row).1).unwrap()))
        .collect()
}

/// After a last apply by the owner, all users get the same empty plan.
fn in_the_end(last: &[Record], broken: &mut Vec<Broken>) {
    let law = "in the end every token plans the same, and nothing";
    let said = |record: &Record| {
        let plan = record.plan.as_ref();
        plan.map(|plan| render::json(plan))
    };
    let Some((first, others)) = last.split_first() else {
        return;
    };
    for record in others {
        if said(record) != said(first) || record.refused != first.refused {
            let how = format!(
                "{}: {:?}\n{}: {:?}",
                first.caller,
                said(first),
                record.caller,
                said(record)
            );
            report_broken_law(broken, law, how);
        }
    }
    for record in last {
        if record.plan.as_ref().is_none_or(|plan| !plan.is_empty()) && !record.refused {
            let how = format!("{}: {:?} {:?}", record.caller, said(record), record.error);
            report_broken_law(broken, law, how);
        }
    }
}

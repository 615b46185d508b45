//! How `plan` and `apply` make a plan: their common flags, and what stops a plan.

use super::base::{self, BaseManifest};
use super::connection::Destination;
use super::exit::{Exit, Failure};
use super::offline;
use super::output;
use super::session::CreateInputs;
use super::sets;
use super::shard::ShardArgs;
use super::terminal::Stream;
use super::validate::Files;
use super::values;
use super::view::View;
use crate::manifest::Manifest;
use crate::model::{ObservedState, Scope, SetName, UserId};
use crate::plan::{
    self, Allowances, Changed, Context, Coverage, Drift, EmptyManifest, Inventory, Numbers, Plan,
    PlanBase, ShardContext, Target,
};
use crate::render;
use std::collections::BTreeSet;
use std::path::Path;

/// The flags that plan and apply share.
#[derive(Debug, Clone, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Planning {
    /// List only the declared inputs; the plan says what it does not cover
    #[arg(long)]
    declared_only: bool,
    /// Whether only the inputs that changed since the base are listed. An apply checks such a plan against the whole app.
    #[arg(skip)]
    pub(crate) changed_only: bool,
    /// Fail if a pairing is ambiguous: another one is nearly as close
    #[arg(long)]
    fail_on_ambiguous: bool,
    /// Let up to N deletes pass the guard
    #[arg(long, value_name = "N")]
    allow_deletes: Option<u64>,
    /// Let up to N updates of existing annotations pass the guard
    #[arg(long, value_name = "N")]
    allow_updates: Option<u64>,
    /// Let up to N concepts vanish from the app
    #[arg(long, value_name = "N")]
    allow_vanished: Option<u64>,
    /// Let up to N posts pass that equal an annotation of another user or set
    #[arg(long, value_name = "N")]
    allow_doubles: Option<u64>,
    /// Adopt the annotations of this label set in this run: an earlier name of the set, or the prefix of its ids (as-
    /// and 8 hex digits). To adopt it permanently, list it under `adopts` in the header
    #[arg(long, value_name = "NAME", value_parser = values::set)]
    adopt_set: Vec<SetName>,
    /// Allow up to N new concepts that the app does not have
    #[arg(long, value_name = "N")]
    allow_new_concepts: Option<u64>,
    /// Post inputs that the app lacks before annotating them
    #[arg(long)]
    create_inputs: bool,
    /// Allow a manifest without inputs to delete annotations
    #[arg(long)]
    allow_empty: bool,
    /// Write only what changed in the manifest since this git revision, the last one applied. Changes made in the app
    /// since then are shown
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,
    /// With --base: what to do with annotations that were added, changed or deleted in the app [default: keep]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) on_drift: Option<OnDrift>,
    /// Set by `--allow-guards`.
    #[arg(skip)]
    numbers: Numbers,
    /// With --base: which value wins if the manifest and the app changed the same field. Without this flag the field
    /// is not written, and the exit code is 4
    #[arg(long, value_enum, value_name = "SIDE")]
    pub(crate) conflicts: Option<Conflicts>,
    #[command(flatten)]
    pub(crate) shard: ShardArgs,
    #[command(flatten)]
    pub(crate) view: View,
}

/// What to do with changes in the app since the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OnDrift {
    /// Leave them as they are in the app
    Keep,
    /// Revert them; these writes are listed separately
    Apply,
    /// Leave them, and stop with exit code 3
    Fail,
}

/// Which value wins in a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Conflicts {
    /// The manifest's
    Manifest,
    /// The app's
    App,
}

impl Conflicts {
    /// The choice for the planner.
    pub(crate) fn choice(given: Option<Self>) -> plan::OnConflict {
        match given {
            None => plan::OnConflict::Leave,
            Some(Self::Manifest) => plan::OnConflict::Manifest,
            Some(Self::App) => plan::OnConflict::App,
        }
    }
}

impl Planning {
    /// The part of the app to list.
    pub(crate) fn scope(&self, manifest: &Manifest, base: Option<&BaseManifest>) -> Scope {
        let scope = self.scope_of_all(manifest, base);
        match &manifest.shard {
            Some(of) => scope.within(of.shard),
            None => scope,
        }
    }

    fn scope_of_all(&self, manifest: &Manifest, base: Option<&BaseManifest>) -> Scope {
        let desired = &manifest.desired;
        if self.declared_only {
            let declared = desired.inputs.iter().map(|input| input.id.clone());
            return Scope::Inputs(declared.collect());
        }
        let Some(base) = base.filter(|_| self.changed_only) else {
            return Scope::WholeApp;
        };
        let why = match plan::changed(&base.manifest.desired, desired) {
            // Such a plan is made to see what an earlier apply left undone.
            Changed::Inputs(inputs) if inputs.is_empty() => "no declaration changed".to_owned(),
            Changed::Inputs(inputs) => return Scope::Inputs(inputs),
            Changed::Header(key) => format!("`{key}`, which decides about every input, changed"),
        };
        output::message(&format!(
            "note: {why} since {}, so the whole {} is listed",
            render::escape(&base.base.revision),
            if manifest.shard.is_some() {
                "shard"
            } else {
                "app"
            }
        ));
        Scope::WholeApp
    }

    pub(crate) fn allowances(&self) -> Allowances {
        Allowances {
            deletes: self.allow_deletes,
            updates: self.allow_updates,
            vanished: self.allow_vanished,
            numbers: self.numbers,
            doubles: self.allow_doubles,
            new_concepts: self.allow_new_concepts,
            empty: if self.allow_empty {
                EmptyManifest::Passes
            } else {
                EmptyManifest::Stops
            },
            drift: match (self.on_drift, self.conflicts) {
                (Some(OnDrift::Fail), _) => Drift::Stop,
                (Some(OnDrift::Apply), _) | (_, Some(Conflicts::Manifest)) => Drift::Revert,
                (Some(OnDrift::Keep), _) => Drift::Keep,
                (None, _) => Drift::Stop,
            },
        }
    }

    /// Adds the sets of --adopt-set to those of the header.
    pub(crate) fn adopt(&self, manifest: &mut Manifest) -> Result<(), Failure> {
        let desired = &mut manifest.desired;
        if self.adopt_set.contains(&desired.set) {
            return Err(Failure::usage(format!(
                "--adopt-set {} names the set itself",
                desired.set
            ))
            .hint("give the name that the set had before"));
        }
        let new: BTreeSet<SetName> = self.adopt_set.iter().cloned().collect();
        let all: BTreeSet<SetName> = desired.adopts.union(&new).cloned().collect();
        if all != desired.adopts {
            let names: Vec<&str> = all.iter().map(SetName::as_str).collect();
            output::message(&format!(
                "note: --adopt-set is for this run only. Add it to the header for later runs:\n\
                 adopts: [{}]",
                names.join(", ")
            ));
            desired.adopts = all;
        }
        Ok(())
    }

    /// The sets of --adopt-set.
    pub(crate) fn adopted(&self) -> BTreeSet<SetName> {
        self.adopt_set.iter().cloned().collect()
    }

    /// Whether only the declared inputs are listed.
    pub(crate) fn lists_declared_only(&self) -> bool {
        self.declared_only
    }

    /// Lets every guard that has a number pass.
    pub(crate) fn pass_numbers(&mut self) {
        self.numbers = Numbers::Pass;
    }

    /// Whether inputs that the app lacks are posted.
    pub(crate) fn create_inputs(&self, manifest: &Manifest) -> CreateInputs {
        if self.create_inputs || manifest.create_inputs {
            CreateInputs::Yes
        } else {
            CreateInputs::No
        }
    }

    /// The manifest at the base revision, if --base is given.
    pub(crate) fn base(&self, path: &Path, files: Files) -> Result<Option<BaseManifest>, Failure> {
        if let Some(revision) = &self.base {
            return base::load(revision, path, files).map(Some);
        }
        let flag = match (self.on_drift, self.conflicts) {
            (None, None) => return Ok(None),
            (Some(_), _) => "--on-drift",
            (None, Some(_)) => "--conflicts",
        };
        Err(Failure::usage(format!(
            "{flag} needs --base: without a base, changes in the app are not known"
        ))
        .hint("name the revision applied last: --base REV"))
    }

    /// Makes the plan. Changes that cannot be made are printed with their place in the manifest.
    pub(crate) fn plan(
        &self,
        manifest: &Manifest,
        base: Option<&BaseManifest>,
        observed: &ObservedState,
        inventory: Inventory,
        destination: &Destination,
    ) -> Result<Plan, Failure> {
        self.plan_for(
            manifest,
            base,
            observed,
            inventory,
            (
                target_of(destination.target(), observed),
                destination.rate_limit(),
            ),
        )
    }

    pub(crate) fn plan_for(
        &self,
        manifest: &Manifest,
        base: Option<&BaseManifest>,
        observed: &ObservedState,
        inventory: Inventory,
        (target, rate_limit): (Target, u32),
    ) -> Result<Plan, Failure> {
        let context = Context {
            target,
            manifest_hash: manifest.hash.clone(),
            rate_limit,
            allowances: self.allowances(),
            inventory,
            shard: manifest.shard.as_ref().map(|of| ShardContext {
                shard: of.shard,
                declared_inputs: manifest.desired.inputs.len() as u64 + of.inputs,
                other_concepts: of.concepts.clone(),
            }),
        };
        let made = match base {
            None => plan::plan(&manifest.desired, observed, &context),
            Some(base) => {
                let against = PlanBase {
                    desired: &base.manifest.desired,
                    base: base.base.clone(),
                    on_drift: match self.on_drift {
                        None | Some(OnDrift::Keep) => plan::OnDrift::Keep,
                        Some(OnDrift::Apply) => plan::OnDrift::Apply,
                        Some(OnDrift::Fail) => plan::OnDrift::Fail,
                    },
                    on_conflict: Conflicts::choice(self.conflicts),
                    coverage: if self.changed_only {
                        Coverage::Changed
                    } else {
                        Coverage::Declared
                    },
                };
                plan::plan_against(&manifest.desired, observed, &context, &against)
            }
        };
        let plan = made.map_err(|errors| {
            let (messages, failure) = offline::describe_errors(manifest, &errors);
            for message in messages {
                output::message(&message);
            }
            failure
        })?;
        self.refuse_ambiguous(&plan)?;
        Ok(plan)
    }

    /// Refuses a plan with ambiguous pairings under --fail-on-ambiguous.
    pub(crate) fn refuse_ambiguous(&self, plan: &Plan) -> Result<(), Failure> {
        if !self.fail_on_ambiguous || plan.summary.ambiguous == 0 {
            return Ok(());
        }
        output::styled_message(&self.view.text(plan, Stream::Stderr));
        Err(
            Failure::new(render::counted(plan.summary.ambiguous, "ambiguous pairing"))
                .hint("give those annotations their `id`, or plan without --fail-on-ambiguous"),
        )
    }
}

/// The target with the owner's id instead of `me`, which would mean another app for another user.
fn target_of(target: Target, observed: &ObservedState) -> Target {
    match target.user_id.as_str() {
        "me" => Target {
            user_id: observed.app_owner.to_string(),
            ..target
        },
        _ => target,
    }
}

/// What the user of the token is not allowed to do in a plan: `the token is of bea, and the plan needs …`. `None` if
/// everything is allowed.
pub(crate) fn denied(plan: &Plan, caller: &UserId) -> Option<String> {
    let app_owner = match UserId::new(plan.target.user_id.as_str()) {
        Ok(owner) if owner.as_str() != "me" => owner,
        _ => plan.app_owner.clone(),
    };
    if *caller == app_owner {
        return None;
    }
    let words = render::denied_words(&plan.needed(&app_owner), caller, &app_owner)?;
    Some(format!(
        "the token belongs to {caller}, and the plan {words}"
    ))
}

/// Prints why the plan is stopped, and the flags that let it pass: those of its guards, and `flag`.
pub(crate) fn stopped(plan: &Plan, path: &Path, reasons: &[&str], flag: Option<&str>) -> Exit {
    let mut flags: Vec<String> = plan.guards.iter().map(plan::TrippedGuard::flag).collect();
    flags.extend(flag.map(str::to_owned));
    output::message(&format!(
        "error: {}\nhint: if this is what you mean, let exactly this plan pass with {}",
        reasons.join("\nerror: "),
        flags.join(" ")
    ));
    if plan.shard.is_some_and(|shard| shard.count() > 1) {
        output::message(
            "hint: the guards of a shard are stricter than those of the whole. Join the plans of all shards with              `annosync show FILE… --format json`, which counts the guards over the whole, and apply each shard's part of that:              annosync apply FILE --shard I/N",
        );
    }
    if let Some(adoption) = sets::adoption(plan, path) {
        output::message(&format!("hint: {adoption}"));
    }
    Exit::Guarded
}

/// Reports unresolved conflicts.
pub(crate) fn undecided(plan: &Plan) -> Exit {
    output::message(&format!(
        "error: {}: the manifest and the app changed the same field\n\
         hint: choose a side with --conflicts manifest or --conflicts app",
        render::counted(plan.summary.undecided, "unresolved conflict")
    ));
    Exit::Stale
}

//! `plan`: what would apply do?

use super::base::{self, BaseManifest};
use super::connection::{ConnectionArgs, Destination};
use super::exit::{Exit, Failure};
use super::formats::{self, Also, Format};
use super::inventory::{self, CreateInputs};
use super::offline;
use super::output;
use super::pager::{self, Paging};
use super::session::Session;
use super::sets;
use super::terminal::Stream;
use super::validate::{Files, load, load_whole, refuse_unproven};
use super::view::View;
use crate::api::Connection;
use crate::manifest::Manifest;
use crate::model::{DesiredState, ObservedState, Scope, SetName, UserId};
use crate::plan::{
    self, Against, Allowances, Context, Drift, EmptyManifest, Inventory, Numbers, Plan, Target,
};
use crate::render;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Show what apply would do
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The manifest: a file, or a folder with all its files
    #[arg(default_value = ".")]
    path: PathBuf,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also write the plan to FILE, as text, markdown or json; repeatable
    #[arg(long, value_name = "FORMAT=FILE")]
    also: Vec<Also>,
    /// Write the plan to FILE, for `apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Plan offline against a saved listing (`list --format json`) instead of the app
    #[arg(long, value_name = "FILE", conflicts_with = "declared_only")]
    observed: Option<PathBuf>,
    /// Exit with 2 if there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Do not use a pager. By default text on a terminal goes through ANNOSYNC_PAGER, PAGER or less
    #[arg(long)]
    no_pager: bool,
    /// Let every numeric guard pass, whatever the number. The plan shows which guards passed this way, and the plan
    /// file records it for `apply FILE`
    #[arg(long)]
    allow_guards: bool,
    #[command(flatten)]
    planning: Planning,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// What plan and apply have in common.
#[derive(Debug, Clone, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Planning {
    /// List only the declared inputs; the plan says what it does not cover
    #[arg(long)]
    declared_only: bool,
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
    #[arg(long, value_name = "NAME", value_parser = super::pull::set)]
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
    /// With --base: whose value wins where the manifest and the app changed the same field. Without this flag the field
    /// is not written, and the exit code is 4
    #[arg(long, value_enum, value_name = "SIDE")]
    pub(crate) conflicts: Option<Conflicts>,
    #[command(flatten)]
    pub(crate) view: View,
}

/// What to do about what was changed in the app since the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OnDrift {
    /// Leave them as they are in the app
    Keep,
    /// Revert them; these writes are listed separately
    Apply,
    /// Leave them, and stop with exit code 3
    Fail,
}

/// Whose value counts where both sides changed the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Conflicts {
    /// The manifest's
    Manifest,
    /// The app's
    App,
}

impl Conflicts {
    /// In the plan's words.
    pub(crate) fn decide(given: Option<Self>) -> plan::OnConflict {
        match given {
            None => plan::OnConflict::Leave,
            Some(Self::Manifest) => plan::OnConflict::Manifest,
            Some(Self::App) => plan::OnConflict::App,
        }
    }
}

impl Args {
    fn paging(&self) -> Paging {
        if self.no_pager {
            Paging::Off
        } else {
            Paging::Wanted
        }
    }
}

impl Planning {
    /// How much of the app is listed.
    pub(crate) fn scope(&self, desired: &DesiredState) -> Scope {
        if self.declared_only {
            let declared = desired.inputs.iter().map(|input| input.id.clone());
            Scope::Inputs(declared.collect())
        } else {
            Scope::WholeApp
        }
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
            drift: if matches!(self.on_drift, Some(OnDrift::Keep | OnDrift::Apply)) {
                Drift::Passes
            } else {
                Drift::Stops
            },
        }
    }

    /// Adds the sets that --adopt-set names to those that the header adopts.
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
            output::talk(&format!(
                "note: --adopt-set is for this run only. Add it to the header for later runs:\n\
                 adopts: [{}]",
                names.join(", ")
            ));
            desired.adopts = all;
        }
        Ok(())
    }

    /// The sets that --adopt-set names.
    pub(crate) fn adopted(&self) -> BTreeSet<SetName> {
        self.adopt_set.iter().cloned().collect()
    }

    /// Whether only a part of the app is listed.
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

    /// The manifest at the revision that the plan is held against, if there is one.
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

    /// Makes the plan; what cannot be done is shown with its place in the manifest.
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

    fn plan_for(
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
        };
        let made = match base {
            None => plan::plan(&manifest.desired, observed, &context),
            Some(base) => {
                let against = Against {
                    desired: &base.manifest.desired,
                    base: base.base.clone(),
                    on_drift: match self.on_drift {
                        None | Some(OnDrift::Keep) => plan::OnDrift::Keep,
                        Some(OnDrift::Apply) => plan::OnDrift::Apply,
                        Some(OnDrift::Fail) => plan::OnDrift::Fail,
                    },
                    on_conflict: Conflicts::decide(self.conflicts),
                };
                plan::plan_against(&manifest.desired, observed, &context, &against)
            }
        };
        let plan = made.map_err(|errors| {
            let (said, failure) = offline::refused(manifest, &errors);
            for error in said {
                output::talk(&error);
            }
            failure
        })?;
        if self.fail_on_ambiguous && plan.summary.ambiguous > 0 {
            output::styled_talk(&self.view.text(&plan, Stream::Stderr));
            return Err(
                Failure::new(render::counted(plan.summary.ambiguous, "ambiguous pairing"))
                    .hint("give those annotations their `id`, or plan without --fail-on-ambiguous"),
            );
        }
        Ok(plan)
    }
}

/// The target with its owner's id: `me` would be another app for whoever else applies the plan.
fn target_of(target: Target, observed: &ObservedState) -> Target {
    match target.user_id.as_str() {
        "me" => Target {
            user_id: observed.app_owner.to_string(),
            ..target
        },
        _ => target,
    }
}

/// What the token of `caller` may not do of a plan, in words: `the token is of bea, and the plan needs …`. `None` if it
/// may do all of it.
pub(crate) fn denied(plan: &Plan, caller: &UserId) -> Option<String> {
    let app_owner = match UserId::new(plan.target.user_id.as_str()) {
        Ok(owner) if owner.as_str() != "me" => owner,
        _ => plan.app_owner.clone(),
    };
    if *caller == app_owner {
        return None;
    }
    let words = render::denied_words(&plan.needed(&app_owner), caller, &app_owner)?;
    Some(format!("the token is of {caller}, and the plan {words}"))
}

/// Says which guards stopped the plan, and what would let it pass.
fn guarded(plan: &Plan, path: &Path) -> Exit {
    stopped(plan, path, &["a guard stopped the plan"], None)
}

/// Says why the plan goes no further, and which flags would let it pass: those of its guards, and one more.
pub(crate) fn stopped(plan: &Plan, path: &Path, reasons: &[&str], flag: Option<&str>) -> Exit {
    let mut flags: Vec<String> = plan.guards.iter().map(plan::Trip::flag).collect();
    flags.extend(flag.map(str::to_owned));
    output::talk(&format!(
        "error: {}\nhint: if this is what you mean, let exactly this plan pass with {}",
        reasons.join("\nerror: "),
        flags.join(" ")
    ));
    if let Some(adoption) = sets::adoption(plan, path) {
        output::talk(&format!("hint: {adoption}"));
    }
    Exit::Guarded
}

/// Says that conflicts are left.
pub(crate) fn undecided(plan: &Plan) -> Exit {
    output::talk(&format!(
        "error: {}: the manifest and the app changed the same field\n\
         hint: choose a side with --conflicts manifest or --conflicts app",
        render::counted(plan.summary.undecided, "unresolved conflict")
    ));
    Exit::Stale
}

pub(crate) async fn run(mut args: Args) -> Result<Exit, Failure> {
    if args.allow_guards {
        args.planning.pass_numbers();
    }
    let view = &args.planning.view;
    let read: Vec<&Path> = [Some(&args.path), args.observed.as_ref()]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect();
    formats::check(args.format, view, &args.also, args.out.as_deref(), &read)?;
    // `apply FILE` acts upon what is kept here.
    let is_kept = args.out.is_some() || formats::has_plan_file(args.format, &args.also);
    let mut manifest = if is_kept {
        load_whole(&args.path, args.files)?
    } else {
        load(&args.path, args.files)?
    };
    args.planning.adopt(&mut manifest)?;
    let base = args.planning.base(&args.path, args.files)?;
    let mut caller = None;
    let plan = if let Some(file) = &args.observed {
        plan_offline(&args, &manifest, base.as_ref(), file)?
    } else {
        let destination = args.connection.destination(Some(&manifest))?;
        let create = args.planning.create_inputs(&manifest);
        let session = Session::open_for(&args.connection, &destination, create).await?;
        let read = async {
            let scope = args.planning.scope(&manifest.desired);
            let observed = session.observe(&scope).await?;
            let inventory = inventory::learn(&session, &manifest, &observed, create).await?;
            Ok::<_, Failure>((observed, inventory))
        };
        let read = read.await;
        session.close().await;
        let (observed, inventory) = read?;
        let plan =
            args.planning
                .plan(&manifest, base.as_ref(), &observed, inventory, &destination)?;
        caller = Some(observed.caller);
        plan
    };
    if is_kept {
        refuse_unproven(&manifest, &plan, args.files)?;
    }
    let json = || render::json(&plan);
    if let Some(out) = &args.out {
        output::file(out, &json())?;
    }
    let whole = formats::whole(args.out.as_deref(), &args.also);
    formats::write(&plan, view, &args.also, whole)?;
    match args.format {
        Format::Text => pager::show(&view.text(&plan, Stream::Stdout), args.paging())?,
        Format::Markdown => output::data(&view.markdown(&plan, whole))?,
        Format::Json => output::data(&json())?,
    }
    if let Some(denied) = caller.and_then(|caller| denied(&plan, &caller)) {
        output::talk(&format!("warning: {denied}; `apply` would refuse it"));
    }
    if !plan.guards.is_empty() {
        return Ok(guarded(&plan, &args.path));
    }
    Ok(if plan.has_undecided_conflicts() {
        undecided(&plan)
    } else if args.detailed_exitcode && !plan.is_empty() {
        Exit::Changes
    } else {
        Exit::Done
    })
}

fn plan_offline(
    args: &Args,
    manifest: &Manifest,
    base: Option<&BaseManifest>,
    file: &Path,
) -> Result<Plan, Failure> {
    let observed = offline::observed(file)?;
    let inventory = inventory::offline(manifest, &observed);
    // A plan that is only looked at needs no target; one that is named must be there all the same.
    match args.connection.destination(Some(manifest)) {
        Ok(destination) => args
            .planning
            .plan(manifest, base, &observed, inventory, &destination),
        Err(failure) if args.connection.names_a_place() => Err(failure),
        Err(_) => {
            let target = offline::no_target(&observed);
            args.planning.plan_for(
                manifest,
                base,
                &observed,
                inventory,
                (target, Connection::DEFAULT_RATE_LIMIT),
            )
        }
    }
}

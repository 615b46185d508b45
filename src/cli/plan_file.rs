//! Checks a plan file before it is applied: it is not trusted.
//!
//! The file is compared with the app as it is now and, with `--manifest`, with the plan that the manifest gives. Its
//! guards, owners and sets count only if they are stricter than the defaults; anything else needs the manifest or a
//! flag.

use super::base::BaseManifest;
use super::connection::Destination;
use super::exit::{Exit, Failure};
use super::input;
use super::inventory::{self, ManifestFiles};
use super::kind;
use super::planning::{OnDrift, Planning};
use super::session::{CreateInputs, Session};
use super::validate::{Files, load_whole};
use crate::apply::{InputFiles, NoFiles};
use crate::manifest::Manifest;
use crate::model::{ConceptId, FileKind, Guards, ObservedState, Scope, Shard, UserId};
use crate::observed::Expected;
use crate::plan::{
    self, Base, ExtraPermissions, Limits, MediumSource, Permit, Plan, PlanFileError, TrippedGuard,
};
use crate::render;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Up to this many inputs of a plan are listed by themselves, before the whole app.
const MAX_INPUTS_ALONE: usize = 500;
/// How many mismatches a message lists.
const MAX_LISTED: usize = 10;

/// Reads a plan file; `None` if the path is something else.
pub(crate) fn read(path: &Path) -> Result<Option<Plan>, Failure> {
    let is_other = |kind| !matches!(kind, FileKind::Plan | FileKind::Undo | FileKind::Unknown);
    let kind = kind::of(path);
    if !path.is_file() || kind.is_some_and(is_other) {
        return Ok(None);
    }
    let text = input::text(path, input::MAX_BYTES)?;
    if !text.starts_with('{') {
        return Ok(None);
    }
    let refused = |error: PlanFileError| {
        let failure = match error {
            PlanFileError::Syntax(fault) => input::json_failure(path, &fault),
            other => {
                let message = other.to_string();
                Failure::new(format!("{}: {}", path.display(), render::escape(&message)))
            }
        };
        failure.hint(match kind {
            Some(FileKind::Undo) => {
                "an undo cannot be made again: restore the file as --undo-out wrote it, whole"
            }
            _ => "make a new one with `annosync plan --out FILE`",
        })
    };
    plan::read(&text).map_err(refused)
}

/// The plan that a run applies: that of the file, or the part of a shard, and then the whole.
pub(crate) fn part(
    path: &Path,
    plan: Plan,
    shard: Option<Shard>,
) -> Result<(Plan, Option<Box<Plan>>), Failure> {
    match (shard, plan.shard) {
        (None, _) => Ok((plan, None)),
        (Some(shard), None) => Ok((plan.part(shard), Some(Box::new(plan)))),
        (Some(shard), Some(of)) if shard == of => Ok((plan, None)),
        (Some(shard), Some(of)) => Err(Failure::usage(format!(
            "{} is the plan of shard {of}, and --shard {shard} names another; nothing was written",
            path.display()
        ))
        .hint(
            "leave --shard out, or join the plans of all shards: annosync show FILE… --format json",
        )),
    }
}

/// Whether a guard is not about a number that a part shares with the whole.
fn is_not_counted(trip: &TrippedGuard) -> bool {
    matches!(
        trip,
        TrippedGuard::EmptyManifest { .. } | TrippedGuard::Drift { .. }
    )
}

/// The limits of a manifest, what it renames, and what other shards declare; the defaults without one.
fn limits(
    manifest: Option<&Arc<Manifest>>,
) -> (Guards, BTreeMap<ConceptId, ConceptId>, BTreeSet<ConceptId>) {
    let Some(manifest) = manifest else {
        return (Guards::default(), BTreeMap::new(), BTreeSet::new());
    };
    let others = manifest.shard.as_ref();
    (
        manifest.desired.guards,
        manifest.desired.renamed.clone(),
        others.map_or_else(BTreeSet::new, |others| others.concepts.clone()),
    )
}

/// The options for applying a plan file.
pub(crate) struct Request<'a> {
    pub(crate) path: &'a Path,
    /// The manifest that the plan must come from.
    pub(crate) manifest: Option<&'a Path>,
    pub(crate) planning: &'a Planning,
    pub(crate) files: Files,
    /// Other users: the plan may change their annotations.
    pub(crate) users: &'a [UserId],
    /// If a shard applies its part of a plan: the plan. Its guards are counted over all of it.
    pub(crate) whole: Option<Box<Plan>>,
}

impl Request<'_> {
    /// Loads the manifest of --manifest. Refuses one that the plan was not made from, and an undo, which no manifest
    /// makes.
    pub(crate) fn manifest(&self, plan: &Plan) -> Result<Option<Arc<Manifest>>, Failure> {
        let Some(path) = self.manifest else {
            self.refuse_planning_flags()?;
            self.planning.refuse_ambiguous(plan)?;
            return Ok(None);
        };
        if plan.is_undo() {
            let file = self.path.display();
            return Err(Failure::usage(format!(
                "{file} undoes an apply, and no manifest makes such a plan; nothing was written"
            ))
            .hint(format!(
                "look at it with `annosync show {file}`, and apply it by hand without --manifest"
            )));
        }
        let mut manifest = load_whole(path, self.files.of_shard(plan.shard))?;
        if plan.manifest_hash != manifest.hash {
            return Err(self.other_manifest_error(plan, path, &manifest.hash));
        }
        self.planning.adopt(&mut manifest)?;
        Ok(Some(Arc::new(manifest)))
    }

    /// The error for a plan that was made from another manifest.
    fn other_manifest_error(&self, plan: &Plan, manifest: &Path, hash: &str) -> Failure {
        let short = |hash: &str| hash.chars().take(12).collect::<String>();
        let message = format!(
            "{} is a plan of another manifest (SHA-256 {}…), and {} is now {}…; nothing was written",
            self.path.display(),
            render::escape(&short(&plan.manifest_hash)),
            manifest.display(),
            short(hash),
        );
        Failure {
            exit: Exit::Stale,
            ..Failure::new(message).hint(self.plan_again(manifest))
        }
    }

    fn plan_again(&self, manifest: &Path) -> String {
        format!(
            "plan again, and look at the new plan: annosync plan {} --out {}",
            manifest.display(),
            self.path.display()
        )
    }

    /// Refuses flags that need the manifest.
    fn refuse_planning_flags(&self) -> Result<(), Failure> {
        let hint = "make a new one with `annosync plan --base REV --out FILE`";
        if self.planning.base.is_some() {
            return Err(Failure::usage(
                "--base is used to make a plan, and the plan file is made already",
            )
            .hint(hint));
        }
        if self.planning.conflicts.is_some() {
            return Err(Failure::usage(
                "conflicts were decided when the plan file was made: --conflicts changes nothing in it",
            )
            .hint(hint));
        }
        match self.planning.on_drift {
            None | Some(OnDrift::Keep | OnDrift::Apply) => Ok(()),
            Some(OnDrift::Fail) => Err(Failure::usage(
                "drift was decided when the plan file was made",
            )
            .hint("--on-drift keep accepts a plan that --on-drift fail stopped")),
        }
    }

    /// The source of the files that the plan posts: the folder of its manifest.
    pub(crate) fn input_files(
        &self,
        plan: &Plan,
        manifest: Option<&Arc<Manifest>>,
    ) -> Result<Arc<dyn InputFiles>, Failure> {
        let media = plan.inputs.iter().flat_map(|input| &input.media);
        let files = media
            .filter(|medium| matches!(medium.source, MediumSource::File { .. }))
            .count();
        match manifest {
            Some(manifest) => Ok(Arc::new(ManifestFiles(manifest.media_folder.clone()))),
            None if files == 0 => Ok(Arc::new(NoFiles)),
            None => Err(Failure::usage(format!(
                "{} posts files of its manifest's folder ({files}), and does not say where that is",
                self.path.display()
            ))
            .hint("name the manifest that it was made from: --manifest PATH")),
        }
    }

    /// Compares the plan with the app as it is now, and counts its guards again; only flags let them pass. Returns
    /// whose annotations the plan may change.
    pub(crate) async fn verify(
        &self,
        plan: &mut Plan,
        manifest: Option<&Arc<Manifest>>,
        session: &Session,
        destination: &Destination,
    ) -> Result<Permit, Failure> {
        let extra = ExtraPermissions {
            users: self.users.iter().cloned().collect(),
            sets: self.planning.adopted(),
        };
        let touched = plan.touched_inputs();
        if let Some(manifest) = manifest {
            let base = self.base(plan)?;
            let scope = self.planning.scope(manifest, base.as_ref());
            let observed = session.observe_for(manifest, &scope).await?;
            let of = (manifest, base.as_ref());
            self.check_remade_plan(plan, of, &observed, session, destination)
                .await?;
            let permit = Permit::of_manifest(&manifest.desired, &observed, &extra);
            self.recheck(plan, Some(manifest), &observed, &permit)?;
            drop(observed);
            if !plan.guards.is_empty() && self.whole.is_some() {
                let observed = session.observe(&Scope::WholeApp).await?;
                self.recheck_whole(plan, Some(manifest), &observed, &permit);
            }
            return Ok(permit);
        }
        if touched.is_empty() {
            plan.pass_guards(&self.planning.allowances());
            return Ok(Permit::of_file(plan, &session.caller().await?, &extra));
        }
        let expected = Expected {
            known: touched.clone(),
            of_shard: plan.summary.existing / plan.summary.rate_shares.max(1),
            inputs: 0,
            annotations: plan.summary.existing,
        };
        let mut scopes = vec![Scope::Inputs(touched)];
        if !self.planning.lists_declared_only() {
            scopes.extend(plan.shard.map(Scope::Shard));
            if plan.shard.is_none() || self.whole.is_some() {
                scopes.push(Scope::WholeApp);
            }
        }
        if matches!(&scopes[..], [Scope::Inputs(inputs), _, ..] if inputs.len() > MAX_INPUTS_ALONE)
        {
            scopes.remove(0);
        }
        let stated = plan.clone();
        let mut permit = Permit::Planned;
        for scope in scopes {
            let observed = match scope {
                Scope::Shard(shard) => session.observe_shard(shard, &expected).await?,
                scope => session.observe(&scope).await?,
            };
            permit = Permit::of_file(plan, &observed.caller, &extra);
            plan.clone_from(&stated);
            if observed.scope == Scope::WholeApp && self.whole.is_some() {
                self.recheck_whole(plan, None, &observed, &permit);
            } else {
                self.recheck(plan, None, &observed, &permit)?;
            }
            // With only part of the app listed, guards are stricter than with all of it, never more lenient.
            if plan.guards.is_empty() {
                break;
            }
        }
        Ok(permit)
    }

    /// Refuses operations that do not fit the app, and counts the guards.
    fn recheck(
        &self,
        plan: &mut Plan,
        manifest: Option<&Arc<Manifest>>,
        observed: &ObservedState,
        permit: &Permit,
    ) -> Result<(), Failure> {
        if plan.app_owner != observed.app_owner {
            return Err(self.mismatch_error(&[format!(
                "it says that the app is owned by {}, and it is owned by {}",
                plan.app_owner, observed.app_owner
            )]));
        }
        let mismatches = plan::mismatches(plan, observed, permit);
        if !mismatches.is_empty() {
            return Err(self.mismatch_error(&mismatches));
        }
        let (whole_guards, renamed, elsewhere) = limits(manifest);
        let mut guards = whole_guards;
        if let (Some(shard), None) = (plan.shard, &self.whole) {
            guards = guards.of_a_part(shard);
        }
        if observed.scope != Scope::WholeApp {
            // A part of the app does not show how many annotations exist.
            guards.min_existing = 0;
        }
        let of_listed = Limits {
            guards: &guards,
            renamed: &renamed,
            elsewhere: &elsewhere,
        };
        plan.recheck(observed, permit, of_listed);
        if let Some(whole) = &self.whole {
            // The listing checks the part; what the file says of the whole has to be within the limits as well.
            let mut whole = whole.clone();
            whole.pass_no_guards();
            whole.replace_guards(whole.stated_guards(Limits {
                guards: &whole_guards,
                renamed: &renamed,
                elsewhere: &BTreeSet::new(),
            }));
            plan.replace_guards(whole.guards);
        }
        plan.pass_guards(&self.planning.allowances());
        Ok(())
    }

    /// Counts the guards over the whole plan and the whole app, for a part that is not within the limits by itself.
    fn recheck_whole(
        &self,
        plan: &mut Plan,
        manifest: Option<&Arc<Manifest>>,
        observed: &ObservedState,
        permit: &Permit,
    ) {
        let Some(whole) = &self.whole else { return };
        let mut whole = whole.clone();
        let (guards, renamed, _) = limits(manifest);
        let limits = Limits {
            guards: &guards,
            renamed: &renamed,
            elsewhere: &BTreeSet::new(),
        };
        whole.recheck(observed, permit, limits);
        plan.pass_no_guards();
        let of_part = std::mem::replace(&mut plan.guards, whole.guards);
        plan.add_guards(of_part.into_iter().filter(is_not_counted).collect());
        plan.pass_guards(&self.planning.allowances());
    }

    fn mismatch_error(&self, reasons: &[String]) -> Failure {
        let shown = reasons.iter().take(MAX_LISTED);
        let mut list = shown.fold(String::new(), |list, reason| {
            format!("{list}\n  {}", render::escape(reason))
        });
        if reasons.len() > MAX_LISTED {
            list = format!("{list}\n  and {} more", reasons.len() - MAX_LISTED);
        }
        Failure::new(format!(
            "{} does not fit what the app holds; nothing was sent:{list}",
            self.path.display()
        ))
        .hint("plan again, and look at the new plan")
    }

    /// The base that the command line names, for the plan that is made again. A plan file with another base, or with none,
    /// is refused.
    fn base(&self, plan: &Plan) -> Result<Option<BaseManifest>, Failure> {
        let path = self.manifest.unwrap_or(Path::new("."));
        let base = self.planning.base(path, self.files.of_shard(plan.shard))?;
        let short = |commit: &str| commit.chars().take(12).collect::<String>();
        let named = |base: &Base| {
            let (revision, commit) = (render::escape(&base.revision), short(&base.commit));
            format!("{revision} ({})", render::escape(&commit))
        };
        let (stated, given) = (plan.base.as_ref(), base.as_ref().map(|it| &it.base));
        let (is, hint) = match (stated, given) {
            (None, None) => return Ok(base),
            (Some(stated), Some(given)) if stated.manifest_hash == given.manifest_hash => {
                return Ok(base);
            }
            (Some(stated), None) => (
                format!(
                    "was planned with base {}, and apply names none",
                    named(stated)
                ),
                "name the commit that was applied last: --base REV".to_owned(),
            ),
            (stated, Some(given)) => (
                format!(
                    "was planned {}, and apply names {}",
                    stated.map_or_else(
                        || "without a base".to_owned(),
                        |it| format!("with base {}", named(it))
                    ),
                    named(given)
                ),
                self.plan_again(path),
            ),
        };
        Err(Failure {
            exit: Exit::Stale,
            ..Failure::new(format!("{} {is}; nothing was written", self.path.display())).hint(hint)
        })
    }

    /// Makes the plan again from its manifest and the app, and refuses a difference.
    async fn check_remade_plan(
        &self,
        plan: &mut Plan,
        (manifest, base): (&Arc<Manifest>, Option<&BaseManifest>),
        observed: &ObservedState,
        session: &Session,
        destination: &Destination,
    ) -> Result<(), Failure> {
        let path = self.manifest.unwrap_or(Path::new("."));
        let create = self.create(plan, Some(manifest))?;
        let inventory = inventory::learn(session, manifest, observed, create).await?;
        let remade = self
            .planning
            .plan(manifest, base, observed, inventory, destination)?;
        let difference = plan.differs_from(&remade, observed).or_else(|| {
            let input = inventory::undeclared(manifest, &plan.inputs)?;
            Some(format!("the post of input {input}"))
        });
        if let Some(difference) = difference {
            let message = format!(
                "{} is not the plan that {} makes of the app as it is now: {}; nothing was written",
                self.path.display(),
                path.display(),
                render::escape(&difference),
            );
            return Err(Failure {
                exit: Exit::Stale,
                ..Failure::new(message).hint(format!(
                    "pass the flags that it was planned with, or {}",
                    self.plan_again(path)
                ))
            });
        }
        let mut remade = remade;
        if self.whole.is_some() {
            // The whole plan decides about the others.
            remade.guards.retain(is_not_counted);
            remade.passed_guards.retain(is_not_counted);
        }
        plan.take_over(remade);
        Ok(())
    }

    /// Whether inputs are posted. The plan lists them; with a manifest, its header or the flag must allow it.
    pub(crate) fn create(
        &self,
        plan: &Plan,
        manifest: Option<&Arc<Manifest>>,
    ) -> Result<CreateInputs, Failure> {
        let Some(manifest) = manifest else {
            return Ok(if plan.inputs.is_empty() {
                CreateInputs::No
            } else {
                CreateInputs::Yes
            });
        };
        let create = self.planning.create_inputs(manifest);
        if create == CreateInputs::No && plan.summary.posted_inputs > 0 {
            return Err(Failure::usage(format!(
                "{} posts {}, and neither `create_inputs: true` in the header nor --create-inputs allows that; nothing was \
                 written",
                self.path.display(),
                render::counted(plan.summary.posted_inputs, "input")
            ))
            .hint("if they are to be posted, give --create-inputs, as it was planned with"));
        }
        Ok(if plan.inputs.is_empty() {
            create
        } else {
            // The plan only waits for existing inputs, which is always allowed.
            CreateInputs::Yes
        })
    }
}

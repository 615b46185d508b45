//! A plan file that is to be applied: data from outside, which is believed only as far as it can be checked.
//!
//! What it names is held to the app as it is now, and, with `--manifest`, to the plan that the manifest makes of it. What it
//! says of guards, owners and sets counts only where it makes the plan stricter: the rest takes the manifest, or a flag.

use super::base;
use super::connection::Destination;
use super::exit::{Exit, Failure};
use super::input;
use super::inventory::{self, CreateInputs, ManifestFiles};
use super::kind;
use super::plan::{OnDrift, Planning};
use super::session::Session;
use super::validate::{Files, load_whole};
use crate::apply::{self, InputFiles, NoFiles};
use crate::manifest::Manifest;
use crate::model::{FileKind, Guards, ObservedState, Scope, UserId};
use crate::plan::{self, Extra, Limits, MediumSource, Permit, Plan, PlanFileError};
use crate::render;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Up to so many inputs that a plan touches are listed by themselves before the whole app is.
const NEAR: usize = 500;
/// So many operations that do not fit are named.
const NAMED: usize = 10;

/// Reads the path as a plan file, if it is one.
pub(crate) fn read(path: &Path) -> Result<Option<Plan>, Failure> {
    let is_other = |kind| !matches!(kind, FileKind::Plan | FileKind::Undo | FileKind::Unknown);
    let kind = kind::of(path);
    if !path.is_file() || kind.is_some_and(is_other) {
        return Ok(None);
    }
    let text = input::text(path, input::LARGEST)?;
    if !text.starts_with('{') {
        return Ok(None);
    }
    let refused = |error: PlanFileError| {
        let failure = match error {
            PlanFileError::Syntax(fault) => input::broken(path, &fault),
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
    let plan = plan::read(&text).map_err(refused)?;
    if plan.as_ref().is_some_and(|plan| !apply::is_as_shown(plan)) {
        let what = "the body of an operation is not what it shows";
        return Err(refused(PlanFileError::Altered(what.to_owned())));
    }
    Ok(plan)
}

/// How a plan file is to be applied.
pub(crate) struct Request<'a> {
    pub(crate) path: &'a Path,
    /// The manifest that it must have been made of.
    pub(crate) manifest: Option<&'a Path>,
    pub(crate) planning: &'a Planning,
    pub(crate) files: Files,
    /// Whose annotations it may touch besides.
    pub(crate) users: &'a [UserId],
}

impl Request<'_> {
    /// The manifest that stands behind the plan, if one is named. One that is another now is refused.
    pub(crate) fn manifest(&self, plan: &Plan) -> Result<Option<Arc<Manifest>>, Failure> {
        let Some(path) = self.manifest else {
            self.is_no_new_plan()?;
            return Ok(None);
        };
        let mut manifest = load_whole(path, self.files)?;
        if plan.manifest_hash != manifest.hash {
            return Err(self.of_another_manifest(plan, path, &manifest.hash));
        }
        self.planning.adopt(&mut manifest)?;
        Ok(Some(Arc::new(manifest)))
    }

    /// What people saw in a plan of another manifest is not what this one would do.
    fn of_another_manifest(&self, plan: &Plan, manifest: &Path, hash: &str) -> Failure {
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
            ..Failure::new(message).hint(self.anew(manifest))
        }
    }

    fn anew(&self, manifest: &Path) -> String {
        format!(
            "plan again, and look at the new plan: annosync plan {} --out {}",
            manifest.display(),
            self.path.display()
        )
    }

    /// Without its manifest, a plan file cannot be made again.
    fn is_no_new_plan(&self) -> Result<(), Failure> {
        let anew = "make a new one with `annosync plan --base REV --out FILE`";
        if self.planning.base.is_some() {
            return Err(Failure::usage(
                "--base is used to make a plan, and the plan file is made already",
            )
            .hint(anew));
        }
        if self.planning.conflicts.is_some() {
            return Err(Failure::usage(
                "conflicts were decided when the plan file was made: --conflicts changes nothing in it",
            )
            .hint(anew));
        }
        match self.planning.on_drift {
            None | Some(OnDrift::Keep | OnDrift::Apply) => Ok(()),
            Some(OnDrift::Fail) => Err(Failure::usage(
                "drift was decided when the plan file was made",
            )
            .hint("--on-drift keep lets one pass that --on-drift fail stopped")),
        }
    }

    /// The files that a plan file posts: those of the manifest that it was made of.
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
            Some(manifest) => Ok(Arc::new(ManifestFiles(Arc::clone(manifest)))),
            None if files == 0 => Ok(Arc::new(NoFiles)),
            None => Err(Failure::usage(format!(
                "{} posts files of its manifest's folder ({files}), and does not say where that is",
                self.path.display()
            ))
            .hint("name the manifest that it was made of: --manifest PATH")),
        }
    }

    /// Holds the plan to the app as it is now. Its guards are counted anew; what lets them pass is up to flags. Gives whose
    /// annotations it may touch.
    pub(crate) async fn verify(
        &self,
        plan: &mut Plan,
        manifest: Option<&Arc<Manifest>>,
        session: &Session,
        destination: &Destination,
    ) -> Result<Permit, Failure> {
        let extra = Extra {
            users: self.users.iter().cloned().collect(),
            sets: self.planning.adopted(),
        };
        let touched = plan.touched_inputs();
        if touched.is_empty() {
            plan.pass_guards(&self.planning.allowances());
            return Ok(Permit::of_file(plan, &session.caller().await?, &extra));
        }
        if let Some(manifest) = manifest.filter(|_| !plan.is_undo()) {
            let observed = session
                .observe(&self.planning.scope(&manifest.desired))
                .await?;
            self.is_remade(plan, manifest, &observed, session, destination)
                .await?;
            let permit = Permit::of_manifest(&manifest.desired, &observed, &extra);
            self.recheck(plan, Some(manifest), &observed, &permit)?;
            return Ok(permit);
        }
        let mut scopes = vec![Scope::Inputs(touched)];
        if !self.planning.lists_declared_only() {
            scopes.push(Scope::WholeApp);
        }
        if matches!(&scopes[..], [Scope::Inputs(inputs), _] if inputs.len() > NEAR) {
            scopes.remove(0);
        }
        let stated = plan.clone();
        let mut permit = Permit::Planned;
        for scope in scopes {
            let observed = session.observe(&scope).await?;
            permit = match manifest {
                Some(manifest) => Permit::of_manifest(&manifest.desired, &observed, &extra),
                None => Permit::of_file(plan, &observed.caller, &extra),
            };
            plan.clone_from(&stated);
            self.recheck(plan, manifest, &observed, &permit)?;
            // Where only a part of the app was listed, a guard may stop what the whole app would let pass, and never the
            // other way round.
            if plan.guards.is_empty() {
                break;
            }
        }
        Ok(permit)
    }

    /// Refuses what does not fit, and counts the guards.
    fn recheck(
        &self,
        plan: &mut Plan,
        manifest: Option<&Arc<Manifest>>,
        observed: &ObservedState,
        permit: &Permit,
    ) -> Result<(), Failure> {
        if plan.app_owner != observed.app_owner {
            return Err(self.unfit(&[format!(
                "it says that the app is owned by {}, and it is owned by {}",
                plan.app_owner, observed.app_owner
            )]));
        }
        let misfits = plan::misfits(plan, observed, permit);
        if !misfits.is_empty() {
            return Err(self.unfit(&misfits));
        }
        let (mut guards, renamed) = match manifest {
            Some(manifest) => (manifest.desired.guards, manifest.desired.renamed.clone()),
            None => (Guards::default(), BTreeMap::new()),
        };
        if observed.scope != Scope::WholeApp {
            // How many annotations there are cannot be told from a part of the app.
            guards.min_existing = 0;
        }
        let (guards, renamed) = (&guards, &renamed);
        plan.recheck(observed, permit, Limits { guards, renamed });
        plan.pass_guards(&self.planning.allowances());
        Ok(())
    }

    fn unfit(&self, reasons: &[String]) -> Failure {
        let shown = reasons.iter().take(NAMED);
        let mut list = shown.fold(String::new(), |list, reason| {
            format!("{list}\n  {}", render::escape(reason))
        });
        if reasons.len() > NAMED {
            list = format!("{list}\n  and {} more", reasons.len() - NAMED);
        }
        Failure::new(format!(
            "{} does not fit what the app holds; nothing was sent:{list}",
            self.path.display()
        ))
        .hint("plan again, and look at the new plan")
    }

    /// Makes the plan again from its manifest and the app, and refuses one that is another.
    async fn is_remade(
        &self,
        plan: &mut Plan,
        manifest: &Arc<Manifest>,
        observed: &ObservedState,
        session: &Session,
        destination: &Destination,
    ) -> Result<(), Failure> {
        let path = self.manifest.unwrap_or(Path::new("."));
        let base = match (&self.planning.base, &plan.base) {
            (None, Some(stated)) => Some(base::load(&stated.commit, path, self.files)?),
            _ => self.planning.base(path, self.files)?,
        };
        let create = self.create(plan, Some(manifest));
        let inventory = inventory::learn(session, manifest, observed, create).await?;
        let remade =
            self.planning
                .plan(manifest, base.as_ref(), observed, inventory, destination)?;
        let difference = plan.differs_from(&remade, observed).or_else(|| {
            let input = inventory::undeclared(manifest, &plan.inputs)?;
            Some(format!("what is posted as input {input}"))
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
                    self.anew(path)
                ))
            });
        }
        plan.take_guards_of(remade);
        Ok(())
    }

    /// Whether inputs are posted: the plan shows which, and its manifest has to say the same of each.
    pub(crate) fn create(&self, plan: &Plan, manifest: Option<&Arc<Manifest>>) -> CreateInputs {
        match manifest {
            Some(manifest) if plan.inputs.is_empty() => self.planning.create_inputs(manifest),
            None if plan.inputs.is_empty() => CreateInputs::No,
            _ => CreateInputs::Yes,
        }
    }
}

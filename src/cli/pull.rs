//! `pull`: the annotations of an app as a manifest.

mod header;

use super::base;
use super::connection::{ConnectionArgs, Destination};
use super::exit::{Exit, Failure};
use super::label_files;
use super::output;
use super::planning::Conflicts;
use super::session::Session;
use super::sets;
use super::shard::ShardArgs;
use super::validate::{Files, load_whole, pull_failure};
use super::values;
use crate::manifest::{self, Manifest, Overlay};
use crate::model::{
    ConceptId, ObservedState, Policy, Scope, SetName, SetPrefix, Shard, Status, UserId,
};
use crate::plan::{self, AppChange, Decision};
use crate::pull::{
    self, Choice, ExistingManifest, Form, Fresh, InputPattern, ModelMade, NewInputs, Pulled,
};
use crate::render::{self, Losses};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Pull an app's annotations into a manifest
///
/// Without a manifest, a new one is written: annosync.yaml and labels/pulled.yaml. With one, annotations that differ
/// from the app are changed in their files, and nothing else. A plan made right after is empty. The written paths go to
/// stdout. If something cannot be written in full, it is listed, and the exit code is 5.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The manifest's folder or file
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Pull only these inputs, by id or by a glob such as `street-*`
    #[arg(long = "input", value_name = "GLOB")]
    inputs: Vec<String>,
    /// Pull only annotations of this user
    #[arg(long = "user", value_name = "ID", value_parser = values::user)]
    users: Vec<UserId>,
    /// Pull only annotations with this status, by name or number
    #[arg(long = "status", value_name = "STATUS", value_parser = values::status)]
    statuses: Vec<Status>,
    /// Pull only annotations that have this concept
    #[arg(long = "concept", value_name = "ID", value_parser = values::concept)]
    concepts: Vec<ConceptId>,
    /// Annotations made by models: leave them out, include them, or pull nothing else
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = ModelMadeArg::LeaveOut, hide_default_value = true)]
    model_made: ModelMadeArg,
    /// Write each new input to a file of its own
    #[arg(long, conflicts_with = "format")]
    split: bool,
    /// Format of a new file that holds all inputs
    #[arg(long, value_enum, default_value_t = Format::Yaml, hide_default_value = true)]
    format: Format,
    /// Name of the set in a new header; default: made from the app's id
    #[arg(long, value_name = "NAME", value_parser = values::set)]
    set: Option<SetName>,
    /// A set to adopt in a new header (`adopts`): an earlier name of the set, or the prefix of its ids (as- and 8 hex
    /// digits)
    #[arg(long, value_name = "NAME", value_parser = values::set)]
    adopt_set: Vec<SetName>,
    /// Policy in a new header; default: upsert, which never deletes
    #[arg(long, value_enum)]
    policy: Option<PolicyArg>,
    /// Pull only what changed in the app since this git revision, the last one applied, and keep what changed in the
    /// manifest. Use it to pull on a branch
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// With --base: which value wins if the manifest and the app changed the same field. Without this flag the
    /// manifest keeps its value, and the exit code is 4
    #[arg(long, value_enum, value_name = "SIDE", requires = "base")]
    conflicts: Option<Conflicts>,
    /// Write nothing; print what would be written
    #[arg(long)]
    check: bool,
    /// With --check: exit with 2 if anything would be written
    #[arg(long, requires = "check")]
    detailed_exitcode: bool,
    #[command(flatten)]
    shard: ShardArgs,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ModelMadeArg {
    LeaveOut,
    Include,
    Only,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Yaml,
    /// One input per line
    Jsonl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PolicyArg {
    Sync,
    Upsert,
    Create,
}

impl Args {
    fn choice(&self) -> Choice {
        Choice {
            inputs: self
                .inputs
                .iter()
                .map(|text| InputPattern::new(text))
                .collect(),
            users: self.users.iter().cloned().collect(),
            statuses: self.statuses.iter().copied().collect(),
            concepts: self.concepts.iter().cloned().collect(),
            model_made: match self.model_made {
                ModelMadeArg::LeaveOut => ModelMade::LeaveOut,
                ModelMadeArg::Include => ModelMade::Include,
                ModelMadeArg::Only => ModelMade::Only,
            },
        }
    }

    fn form(&self) -> Form {
        match self.format {
            _ if self.split => Form::FilePerInput,
            Format::Yaml => Form::OneFile,
            Format::Jsonl => Form::JsonLines,
        }
    }

    fn policy(&self) -> Policy {
        match self.policy {
            Some(PolicyArg::Sync) => Policy::Sync,
            None | Some(PolicyArg::Upsert) => Policy::Upsert,
            Some(PolicyArg::Create) => Policy::Create,
        }
    }
}

pub(crate) async fn run(mut args: Args) -> Result<Exit, Failure> {
    let choice = args.choice();
    let shard = args.shard.shard()?;
    args.connection.share_rate(shard);
    if shard.is_some() {
        check_shard(&args)?;
    }
    let (pulled, changes) = if manifest::has_header(&args.path) {
        pull_over(&args, &choice, shard).await?
    } else if args.base.is_some() {
        return Err(Failure::usage(format!(
            "--base compares two manifests, and there is no manifest at {}",
            args.path.display()
        ))
        .hint("name the manifest, or pull without --base"));
    } else {
        (pull_fresh(&args, &choice, shard).await?, Vec::new())
    };
    label_files::check(header::walked(&args.path), &pulled.files)?;
    let undecided = count_undecided(&changes);
    let lines: String = pulled.files.iter().fold(String::new(), |mut text, file| {
        let _ = writeln!(text, "{file}");
        text
    });
    let losses = if tracing::enabled!(tracing::Level::DEBUG) {
        Losses::All
    } else {
        Losses::First
    };
    let notes = render::pull_notes(&pulled, &args.path, losses) + &render::conflict_list(&changes);
    if args.check {
        output::message(&notes);
        output::result(&lines)?;
        return Ok(if undecided > 0 {
            unresolved_exit(undecided)
        } else if args.detailed_exitcode && !pulled.files.is_empty() {
            Exit::Changes
        } else {
            written_exit(&pulled)
        });
    }
    let files = pulled.files.iter();
    let written = label_files::write(files.map(|it| (it.path.clone(), it.content.as_slice())))?;
    let written = written.iter().fold(String::new(), |mut text, path| {
        let _ = writeln!(text, "{}", label_files::shown(path).display());
        text
    });
    output::message(&format!("{lines}{notes}"));
    output::result(&written)?;
    if !pulled.files.is_empty() {
        check_written(&args.path, args.files, &pulled)?;
    }
    Ok(if undecided > 0 {
        unresolved_exit(undecided)
    } else {
        written_exit(&pulled)
    })
}

/// Refuses options under which the pulls of two shards would write the same file, or delete each other's labels.
fn check_shard(args: &Args) -> Result<(), Failure> {
    if !args.split {
        return Err(Failure::usage(
            "shards cannot write new inputs to one file: a pull of a shard needs --split",
        )
        .hint("pull with --split, which writes each new input to a file of its own"));
    }
    if args.policy == Some(PolicyArg::Sync) {
        return Err(Failure::usage(
            "a new manifest of one shard with policy sync would delete the labels of the others",
        )
        .hint("pull with policy upsert, and change `policy` once the files of all shards are in one folder"));
    }
    Ok(())
}

/// Done if everything was written in full.
fn written_exit(pulled: &Pulled) -> Exit {
    if pulled.losses.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    }
}

fn count_undecided(changes: &[AppChange]) -> usize {
    let is_undecided = |change: &&AppChange| change.decision == Decision::Undecided;
    changes.iter().filter(is_undecided).count()
}

/// Reports unresolved conflicts.
fn unresolved_exit(conflicts: usize) -> Exit {
    output::message(&format!(
        "error: {}: the manifest keeps its values\n\
         hint: take the app's values with --conflicts app, or confirm the manifest's with --conflicts manifest",
        render::counted(conflicts as u64, "unresolved conflict")
    ));
    Exit::Stale
}

/// Pulls into an existing manifest; also gives what changed in the app since the base.
async fn pull_over(
    args: &Args,
    choice: &Choice,
    shard: Option<Shard>,
) -> Result<(Pulled, Vec<AppChange>), Failure> {
    let manifest = load_whole(&args.path, args.files)?;
    for (given, flag, key) in [
        (args.set.is_some(), "--set", "set"),
        (!args.adopt_set.is_empty(), "--adopt-set", "adopts"),
        (args.policy.is_some(), "--policy", "policy"),
    ] {
        if given {
            return Err(Failure::usage(format!(
                "{flag} is for a new manifest, and {} has one",
                args.path.display()
            ))
            .hint(format!("change `{key}` in its header")));
        }
    }
    // A file without other files is the whole manifest; files beside it are not part of it.
    let is_alone = args.path.is_file() && manifest.files().count() == 1;
    let new_inputs = match (args.split, is_alone) {
        (true, true) => {
            return Err(Failure::usage(format!(
                "--split creates files beside {}, which is a complete manifest",
                args.path.display()
            ))
            .hint("name its folder, or give it `files:`"));
        }
        (true, false) => NewInputs::OwnFiles,
        (false, true) => NewInputs::SameFile,
        (false, false) => NewInputs::LikeExisting,
    };
    let base = args.base.as_ref();
    let base = base.map(|revision| base::load(revision, &args.path, args.files));
    let base = base.transpose()?;
    let destination = args.connection.destination(Some(&manifest))?;
    let scope = scope(choice, shard)?;
    let mut observed = observe(args, &destination, &scope, Some(&manifest)).await?;
    warn_of_unknown(&scope, &observed, Some(&manifest));
    let mut changes = Vec::new();
    if let Some(base) = base {
        let on_conflict = Conflicts::choice(args.conflicts);
        let base = &base.manifest.desired;
        (observed, changes) =
            plan::merged_state(base, &manifest.desired, &observed, on_conflict)
                .map_err(|error| Failure::new(format!("{error}; nothing was written")))?;
        changes.retain(|change| choice.matches_input(&change.input_id));
    }
    let text = |file: u32| manifest.text(file);
    let read_back =
        |overlay: &Overlay| manifest::load_with(&args.path, overlay, args.files.access());
    let over = ExistingManifest {
        manifest: &manifest,
        text: &text,
        new_inputs,
        form: args.form(),
        shard,
        read_back: &read_back,
    };
    let pulled = pull::over(&over, &observed, choice).map_err(|error| pull_failure(&error))?;
    let desired = &manifest.desired;
    let others = sets::others(&observed, &desired.set, &desired.adopts);
    report_other_sets(args, &destination, &pulled, (&desired.set, &others))?;
    Ok((pulled, changes))
}

/// Pulls into a new manifest.
async fn pull_fresh(args: &Args, choice: &Choice, shard: Option<Shard>) -> Result<Pulled, Failure> {
    let destination = args.connection.destination(None)?;
    let header = header::header(
        &args.path,
        args.set.as_ref(),
        &args.adopt_set,
        args.policy(),
        &destination,
    )?;
    check_path(args)?;
    // Under sync, a plan deletes annotations of the set on undeclared inputs, so these must be listed too.
    let scope = match header.policy {
        Policy::Sync => Scope::WholeApp,
        Policy::Upsert | Policy::Create => scope(choice, shard)?,
    };
    let observed = observe(args, &destination, &scope, None).await?;
    warn_of_unknown(&scope, &observed, None);
    let read_back =
        |overlay: &Overlay| manifest::load_with(&args.path, overlay, args.files.access());
    let fresh = Fresh {
        header: &header,
        path: &args.path,
        form: args.form(),
        shard,
        read_back: &read_back,
    };
    let pulled = pull::fresh(&fresh, &observed, choice).map_err(|error| pull_failure(&error))?;
    refuse_other_files(args, &pulled)?;
    let others = sets::others(&observed, &header.set, &header.adopts);
    report_other_sets(args, &destination, &pulled, (&header.set, &others))?;
    Ok(pulled)
}

/// Reports the other sets of the app. If there is nothing to pull but those, that is an error rather than an empty
/// manifest.
fn report_other_sets(
    args: &Args,
    destination: &Destination,
    pulled: &Pulled,
    (set, others): (&SetName, &BTreeMap<SetPrefix, u64>),
) -> Result<(), Failure> {
    if others.is_empty() || pulled.account.other_sets == 0 {
        return Ok(());
    }
    let known = sets::known_names(&args.path, &destination.target().app_id);
    let words = sets::describe(others, &known);
    let has_header = manifest::has_header(&args.path);
    let hint = if has_header {
        "to pull another set's, change `set` in the header to its name, or list it in `adopts` if it is this set's \
         earlier name; if the name is lost, give what the ids begin with"
    } else {
        "to pull another set's, give its name with --set; if the name is lost, give any --set, and what its ids begin with \
         as --adopt-set"
    };
    if pulled.account.annotations == 0 {
        return Err(Failure::new(format!(
            "the app has no annotations for set {set}, only those of other sets: {words}; nothing was written"
        ))
        .hint(hint));
    }
    output::message(&format!(
        "note: annotations of other sets are not pulled: {words}\nhint: {hint}"
    ));
    Ok(())
}

/// Refuses a path that a new manifest cannot have.
fn check_path(args: &Args) -> Result<(), Failure> {
    let needs_folder = args.split || args.format == Format::Jsonl;
    match manifest::Format::of(&args.path).filter(|_| !args.path.is_dir()) {
        Some(manifest::Format::Yaml) if needs_folder => {
            Err(Failure::usage("--split and --format jsonl need a folder")
                .hint("name a folder: it gets annosync.yaml and labels/"))
        }
        Some(manifest::Format::Json | manifest::Format::JsonLines) => {
            let path = args.path.display();
            let message = format!("no new manifest is written to {path}");
            Err(Failure::usage(message)
                .hint("name a folder, with --format jsonl for one input per line; or a .yaml file"))
        }
        _ => Ok(()),
    }
}

/// Refuses label files that a new header would include, except those that an interrupted pull wrote with the same
/// content.
fn refuse_other_files(args: &Args, pulled: &Pulled) -> Result<(), Failure> {
    let ours = |file: &PathBuf| {
        let written = pulled.files.iter().find(|it| it.path == *file);
        written.is_some_and(|written| label_files::holds(file, &written.content))
    };
    let files = manifest::files_below(&args.path.join("labels"));
    match files.iter().find(|file| !ours(file)) {
        None => Ok(()),
        Some(file) => Err(Failure::new(format!(
            "{} exists without a header, and a new header would include it; nothing was written",
            file.display()
        ))
        .hint(
            "if an interrupted pull left it, remove it; else write its header, annosync.yaml, and pull again, or pull into another folder",
        )),
    }
}

/// The inputs to list.
fn scope(choice: &Choice, shard: Option<Shard>) -> Result<Scope, Failure> {
    let scope = choice.scope().map_err(Failure::usage)?;
    Ok(match shard {
        Some(shard) => scope.within(shard),
        None => scope,
    })
}

async fn observe(
    args: &Args,
    destination: &Destination,
    scope: &Scope,
    manifest: Option<&Manifest>,
) -> Result<ObservedState, Failure> {
    let session = Session::open(&args.connection, destination).await?;
    let observed = match manifest {
        Some(manifest) => session.observe_for(manifest, scope).await,
        None => session.observe(scope).await,
    };
    session.close().await;
    observed
}

/// Warns about named inputs that neither the manifest nor the app has.
fn warn_of_unknown(scope: &Scope, observed: &ObservedState, manifest: Option<&Manifest>) {
    let Scope::Inputs(named) = scope else {
        return;
    };
    for input in named {
        let is_declared = manifest.is_some_and(|it| it.desired.input(input).is_some());
        if !is_declared && !observed.inputs.contains_key(input) {
            output::message(&format!(
                "warning: input {input} has no annotation, or is not in the app"
            ));
        }
    }
}

/// Checks that the files on disk give the intended manifest: git may ignore a new file, and a plan would too.
fn check_written(path: &Path, files: Files, pulled: &Pulled) -> Result<(), Failure> {
    let is_as_intended = manifest::load_with(path, &Overlay::new(), files.access())
        .is_ok_and(|manifest| manifest.hash == pulled.manifest_hash);
    if is_as_intended {
        return Ok(());
    }
    Err(
        Failure::new("the written files do not give the intended manifest").hint(
            "check them with `annosync validate`; a .gitignore that matches a new file hides it from plans too",
        ),
    )
}

//! `pull`: the annotations of an app as a manifest.

use super::base;
use super::connection::{ConnectionArgs, Destination};
use super::exit::{Exit, Failure};
use super::label_files;
use super::output;
use super::plan::Conflicts;
use super::session::Session;
use super::sets;
use super::validate::{Files, load_whole, problem_text};
use crate::manifest::{self, Header, Manifest, Overlay, TargetSpec};
use crate::model::{ConceptId, ObservedState, Policy, Scope, SetName, SetPrefix, Status, UserId};
use crate::plan::{self, AppChange, Decision};
use crate::pull::{
    self, Choice, Form, Fresh, InputPattern, ModelMade, NewInputs, Over, PullError, Pulled,
};
use crate::render::{self, Losses};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// The name of the target in a header that a pull makes.
const TARGET: &str = "pulled";
/// The endpoint that a target need not name.
const SERVICE: &str = "https://api.clarifai.com";

/// Write what an app holds as a manifest, or make a manifest equal to it
///
/// Where no manifest is, one is made: annosync.yaml and labels/pulled.yaml. Where one is, the files whose annotations
/// differ from the app's are changed, and in them nothing else. A plan that follows is empty. The paths that were
/// written go to stdout. What cannot be written in full is named, and the exit code is 5.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder, or a file
    #[arg(default_value = ".")]
    path: PathBuf,
    /// These inputs, by id or by a glob over ids such as `street-*`
    #[arg(long = "input", value_name = "GLOB")]
    inputs: Vec<String>,
    /// Annotations of this user
    #[arg(long = "user", value_name = "ID", value_parser = user)]
    users: Vec<UserId>,
    /// Annotations having this status, by name or number
    #[arg(long = "status", value_name = "STATUS", value_parser = super::list::status)]
    statuses: Vec<Status>,
    /// Annotations that name this concept
    #[arg(long = "concept", value_name = "ID", value_parser = super::view::concept)]
    concepts: Vec<ConceptId>,
    /// Annotations that models made: leave them out, include them, or take them only
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = ModelMadeArg::LeaveOut, hide_default_value = true)]
    model_made: ModelMadeArg,
    /// A file for each input that is new
    #[arg(long, conflicts_with = "format")]
    split: bool,
    /// How a new file of all inputs is written
    #[arg(long, value_enum, default_value_t = Format::Yaml, hide_default_value = true)]
    format: Format,
    /// The set's name in a new header; else made from the app's id
    #[arg(long, value_name = "NAME", value_parser = set)]
    set: Option<SetName>,
    /// A set whose annotations are taken over, in a new header (`adopts`): an earlier name of the set, or what its ids
    /// begin with (as- and 8 hex digits)
    #[arg(long, value_name = "NAME", value_parser = set)]
    adopt_set: Vec<SetName>,
    /// What a plan may do, in a new header; else upsert, which never deletes
    #[arg(long, value_enum)]
    policy: Option<PolicyArg>,
    /// Keep what the manifest changed since this git revision, the one that was applied last, and take over only what
    /// was changed in the app since: the way to pull on a branch
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// With --base: whose value counts where both sides changed the same. Without this flag the manifest keeps its own,
    /// and the exit code is 4
    #[arg(long, value_enum, value_name = "SIDE", requires = "base")]
    conflicts: Option<Conflicts>,
    /// Write nothing, and print what would be written
    #[arg(long)]
    check: bool,
    /// With --check: exit with 2 when something would be written
    #[arg(long, requires = "check")]
    detailed_exitcode: bool,
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
    /// An input a line
    Jsonl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PolicyArg {
    Sync,
    Upsert,
    Create,
}

fn user(text: &str) -> Result<UserId, String> {
    UserId::new(text).map_err(|error| error.to_string())
}

pub(super) fn set(text: &str) -> Result<SetName, String> {
    SetName::new(text).map_err(|error| error.to_string())
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

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let choice = args.choice();
    let (pulled, changes) = if manifest::has_header(&args.path) {
        over(&args, &choice).await?
    } else if args.base.is_some() {
        return Err(Failure::usage(format!(
            "--base compares two manifests, and there is none at {}",
            args.path.display()
        ))
        .hint("name the manifest, or pull without --base"));
    } else {
        (fresh(&args, &choice).await?, Vec::new())
    };
    label_files::check(walked(&args.path), &pulled.files)?;
    let undecided = undecided(&changes);
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
        output::talk(&notes);
        output::result(&lines)?;
        return Ok(if undecided > 0 {
            left(undecided)
        } else if args.detailed_exitcode && !pulled.files.is_empty() {
            Exit::Changes
        } else {
            ended(&pulled)
        });
    }
    let files = pulled.files.iter();
    let written = label_files::write(files.map(|it| (it.path.clone(), it.content.as_slice())))?;
    let written = written.iter().fold(String::new(), |mut text, path| {
        let _ = writeln!(text, "{}", label_files::shown(path).display());
        text
    });
    output::talk(&format!("{lines}{notes}"));
    output::result(&written)?;
    if !pulled.files.is_empty() {
        read_again(&args.path, args.files, &pulled)?;
    }
    Ok(if undecided > 0 {
        left(undecided)
    } else {
        ended(&pulled)
    })
}

/// Whether all that was pulled could be written in full.
fn ended(pulled: &Pulled) -> Exit {
    if pulled.losses.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    }
}

fn undecided(changes: &[AppChange]) -> usize {
    let is_undecided = |change: &&AppChange| change.decision == Decision::Undecided;
    changes.iter().filter(is_undecided).count()
}

/// Says that conflicts are left.
fn left(conflicts: usize) -> Exit {
    let conflicts = match conflicts {
        1 => "1 conflict is".to_owned(),
        count => format!("{} conflicts are", render::thousands(count as u64)),
    };
    output::talk(&format!(
        "error: {conflicts} left: the manifest keeps its own values\n\
         hint: take the app's with --conflicts app, or settle for the manifest's with --conflicts manifest"
    ));
    Exit::Stale
}

/// What is pulled over a manifest, and what was changed in the app since the base.
async fn over(args: &Args, choice: &Choice) -> Result<(Pulled, Vec<AppChange>), Failure> {
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
    // A file that names no others is the whole manifest: what stands beside it does not count.
    let stands_alone = args.path.is_file() && manifest.files().count() == 1;
    let new_inputs = match (args.split, stands_alone) {
        (true, true) => {
            return Err(Failure::usage(format!(
                "--split makes files beside {}, which is a whole manifest by itself",
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
    let scope = choice.scope().map_err(Failure::usage)?;
    let mut observed = observe(args, &destination, &scope).await?;
    warn_of_unknown(&scope, &observed, Some(&manifest));
    let mut changes = Vec::new();
    if let Some(base) = base {
        let on_conflict = Conflicts::decide(args.conflicts);
        let base = &base.manifest.desired;
        (observed, changes) =
            plan::merged_state(base, &manifest.desired, &observed, on_conflict)
                .map_err(|error| Failure::new(format!("{error}; nothing was written")))?;
        changes.retain(|change| choice.matches_input(&change.input_id));
    }
    let text = |file: u32| manifest.text(file);
    let read_back =
        |overlay: &Overlay| manifest::load_with(&args.path, overlay, args.files.reach());
    let over = Over {
        manifest: &manifest,
        text: &text,
        new_inputs,
        form: args.form(),
        read_back: &read_back,
    };
    let pulled = pull::over(&over, &observed, choice).map_err(|error| failure(&error))?;
    let desired = &manifest.desired;
    let others = sets::others(&observed, &desired.set, &desired.adopts);
    tell_of_other_sets(args, &destination, &pulled, (&desired.set, &others))?;
    Ok((pulled, changes))
}

async fn fresh(args: &Args, choice: &Choice) -> Result<Pulled, Failure> {
    let destination = args.connection.destination(None)?;
    let header = header(args, &destination)?;
    place(args)?;
    // Under sync a plan deletes what the set made on inputs that are not declared: those have to be seen.
    let scope = match header.policy {
        Policy::Sync => Scope::WholeApp,
        Policy::Upsert | Policy::Create => choice.scope().map_err(Failure::usage)?,
    };
    let observed = observe(args, &destination, &scope).await?;
    warn_of_unknown(&scope, &observed, None);
    let read_back =
        |overlay: &Overlay| manifest::load_with(&args.path, overlay, args.files.reach());
    let fresh = Fresh {
        header: &header,
        path: &args.path,
        form: args.form(),
        read_back: &read_back,
    };
    let pulled = pull::fresh(&fresh, &observed, choice).map_err(|error| failure(&error))?;
    refuse_others(args, &pulled)?;
    let others = sets::others(&observed, &header.set, &header.adopts);
    tell_of_other_sets(args, &destination, &pulled, (&header.set, &others))?;
    Ok(pulled)
}

/// Says which other sets the app has. Where there is nothing else, nothing is written: an empty manifest is not what
/// anybody pulls for.
fn tell_of_other_sets(
    args: &Args,
    destination: &Destination,
    pulled: &Pulled,
    (set, others): (&SetName, &BTreeMap<SetPrefix, u64>),
) -> Result<(), Failure> {
    if others.is_empty() || pulled.account.other_sets == 0 {
        return Ok(());
    }
    let known = sets::known(&args.path, &destination.target().app_id);
    let words = sets::words(others, &known);
    let has_header = manifest::has_header(&args.path);
    let hint = if has_header {
        "to pull another set's, change `set` in the header to its name, or list it in `adopts` if it is this set's \
         earlier name; a name that is lost is given by what the ids begin with"
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
    output::talk(&format!(
        "note: annotations of other sets are not pulled: {words}\nhint: {hint}"
    ));
    Ok(())
}

/// Holds a new manifest to a place where it is alone.
fn place(args: &Args) -> Result<(), Failure> {
    if let Some(ending) = args.path.extension().filter(|_| !args.path.is_dir()) {
        if ending == "yaml" || ending == "yml" {
            if args.split || args.format == Format::Jsonl {
                return Err(Failure::usage("--split and --format jsonl need a folder")
                    .hint("name a folder: it gets annosync.yaml and labels/"));
            }
            return Ok(());
        }
        if ending == "json" || ending == "jsonl" {
            return Err(Failure::usage(format!(
                "no new manifest is written to {}",
                args.path.display()
            ))
            .hint("name a folder, with --format jsonl for an input a line; or a .yaml file"));
        }
    }
    Ok(())
}

/// Refuses label files that a new header would take in, but for those that a pull which was interrupted wrote: they hold
/// what this one writes.
fn refuse_others(args: &Args, pulled: &Pulled) -> Result<(), Failure> {
    let ours = |file: &PathBuf| {
        let written = pulled.files.iter().find(|it| it.path == *file);
        written.is_some_and(|written| label_files::holds(file, &written.content))
    };
    let files = manifest::files_below(&args.path.join("labels"));
    match files.iter().find(|file| !ours(file)) {
        None => Ok(()),
        Some(file) => Err(Failure::new(format!(
            "{} is there, and no header: a new one would take it in; nothing was written",
            file.display()
        ))
        .hint(
            "if a pull that was interrupted left it, remove it; else write its header, annosync.yaml, and pull over \
             it, or pull into another folder",
        )),
    }
}

fn header(args: &Args, destination: &Destination) -> Result<Header, Failure> {
    let spec = match destination {
        Destination::Embedded { path, .. } => TargetSpec::Embedded {
            path: seen_from(folder_of(&args.path), path),
        },
        Destination::App {
            endpoint,
            user_id,
            app_id,
            ..
        } => TargetSpec::App {
            user_id: UserId::new(user_id.as_str())
                .map_err(|error| Failure::usage(format!("--user-id: {error}")))?,
            app_id: app_id.clone(),
            endpoint: Some(endpoint.to_string()).filter(|url| url.trim_end_matches('/') != SERVICE),
            rate_limit: None,
        },
    };
    let set = match &args.set {
        Some(set) => set.clone(),
        None => pull::set_name(&destination.target().app_id).ok_or_else(|| {
            Failure::usage("the app's id makes no name of a set").hint("give one with --set")
        })?,
    };
    Ok(Header {
        target: Some(TARGET.to_owned()),
        targets: BTreeMap::from([(TARGET.to_owned(), spec)]),
        adopts: args
            .adopt_set
            .iter()
            .filter(|it| **it != set)
            .cloned()
            .collect(),
        ..Header::new(set, args.policy())
    })
}

/// The folder whose files are the manifest's.
fn walked(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if path.is_file() => match folder.as_os_str() {
            here if here.is_empty() => Path::new("."),
            _ => folder,
        },
        _ => path,
    }
}

/// The folder of a new header.
fn folder_of(path: &Path) -> &Path {
    let is_file = path
        .extension()
        .is_some_and(|it| it == "yaml" || it == "yml")
        && !path.is_dir();
    match path.parent() {
        Some(parent) if is_file => parent,
        _ => path,
    }
}

/// A path as a file of a folder names it.
fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    if path.is_absolute() {
        return path.to_owned();
    }
    let (Ok(folder), Ok(whole)) = (std::path::absolute(folder), std::path::absolute(path)) else {
        return path.to_owned();
    };
    let steps = |path: &Path| -> Vec<std::ffi::OsString> {
        path.components()
            .filter(|step| !matches!(step, Component::CurDir))
            .map(|step| step.as_os_str().to_owned())
            .collect()
    };
    let (folder, whole) = (steps(&folder), steps(&whole));
    // Where a step leads up again, only the file system knows what lies between.
    if folder.iter().chain(&whole).any(|step| step == "..") {
        return std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    }
    let common = folder
        .iter()
        .zip(&whole)
        .take_while(|(one, other)| one == other)
        .count();
    let up = std::iter::repeat_n(std::ffi::OsString::from(".."), folder.len() - common);
    up.chain(whole[common..].iter().cloned()).collect()
}

async fn observe(
    args: &Args,
    destination: &Destination,
    scope: &Scope,
) -> Result<ObservedState, Failure> {
    let session = Session::open(&args.connection, destination).await?;
    let observed = session.observe(scope).await;
    session.close().await;
    observed
}

/// Says which of the inputs that were named are nowhere.
fn warn_of_unknown(scope: &Scope, observed: &ObservedState, manifest: Option<&Manifest>) {
    let Scope::Inputs(named) = scope else {
        return;
    };
    for input in named {
        let is_declared = manifest.is_some_and(|manifest| {
            let inputs = &manifest.desired.inputs;
            inputs.binary_search_by(|it| it.id.cmp(input)).is_ok()
        });
        if !is_declared && !observed.inputs.contains_key(input) {
            output::talk(&format!(
                "warning: input {input} has no annotation, or is not in the app"
            ));
        }
    }
}

fn failure(error: &PullError) -> Failure {
    if let PullError::DoesNotFit(problems) = error {
        output::styled_talk(&problem_text(problems));
    }
    let hint = error.hint();
    Failure::new(format!("{error}; nothing was written")).hint(hint)
}

/// What stands on disk now is the manifest that was planned: git may ignore a new file, and so would a plan.
fn read_again(path: &Path, files: Files, pulled: &Pulled) -> Result<(), Failure> {
    let is_as_planned = manifest::load_with(path, &Overlay::new(), files.reach())
        .is_ok_and(|manifest| manifest.hash == pulled.manifest_hash);
    if is_as_planned {
        return Ok(());
    }
    Err(
        Failure::new("what was written does not read as the manifest that it is to be").hint(
            "see `annosync validate`; a .gitignore that takes a new file hides it from a plan too",
        ),
    )
}

//! `apply`: make the app equal to the manifest, or carry out a plan file.

use super::connection::{ConnectionArgs, Deadline};
use super::exit::{Exit, Failure};
use super::interrupts::{stop_at, watch_for_interrupt};
use super::inventory::{self, ManifestFiles};
use super::log::Log;
use super::notify;
use super::output;
use super::plan_file::{self, Request};
use super::planning::{Planning, denied, stopped, undecided};
use super::progress::{Done, Progress};
use super::session::Session;
use super::terminal::Stream;
use super::undo::{self, UndoFile};
use super::validate::{Files, load_whole, refuse_unproven};
use super::values;
use super::watchers::Watchers;
use crate::api::Webhook;
use crate::apply::{self, InputFiles, NoFiles, OnFailure, Options, Preview, Stop, Watch};
use crate::model::{Shard, UserId};
use crate::plan::{Due, Operation, Outcome, OutcomeDocument, Permit, Plan, Purge};
use crate::render;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Make the app equal to the manifest
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Args {
    /// The manifest (a file or a folder), or a plan file that `plan --out` wrote
    #[arg(default_value = ".")]
    path: PathBuf,
    /// How to print the result; the plan and messages go to stderr
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "dry_run")]
    format: Format,
    /// Apply the plan file only if this manifest gives the same plan for the app as it is now; the manifest's guards
    /// and owners count then. Pass the flags that the plan was made with, --base among them. Undos are refused
    #[arg(long, value_name = "PATH")]
    manifest: Option<PathBuf>,
    /// Let a plan file change annotations of this user (`any`: of every user), in addition to those of the set, of the
    /// app's owner and your own; with --manifest, those of its owners are allowed already
    #[arg(long, value_name = "ID", value_parser = values::user)]
    allow_user: Vec<UserId>,
    /// Let every numeric guard pass, with any number; for a plan file that was reviewed
    #[arg(long)]
    allow_guards: bool,
    /// Do not ask for approval
    #[arg(long)]
    auto_approve: bool,
    /// Print the calls as JSON Lines instead of making them
    #[arg(long)]
    dry_run: bool,
    /// Start nothing new after the first failure
    #[arg(long)]
    fail_fast: bool,
    /// Allow purges, which delete every annotation on an input, whoever made it
    #[arg(long)]
    allow_purge: bool,
    /// Let an undo delete up to N inputs that its apply posted, if they have no other annotations
    #[arg(long, value_name = "N")]
    allow_delete_inputs: Option<u64>,
    /// Seconds to wait for the service to process posted inputs, counted from the last progress
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    input_timeout: u64,
    /// Write a plan that undoes this apply to FILE, for `apply FILE`. It is written before anything is sent; an
    /// existing undo file is renamed to FILE.1, FILE.2, …
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    undo_out: Option<PathBuf>,
    /// Append a line of JSON to FILE for each change when it ends
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    log: Option<PathBuf>,
    /// Post the outcome as JSON to this webhook when the apply ends, unless there was nothing to do: https, or http on
    /// this machine. Its `text` is a line for a chat. ANNOSYNC_NOTIFY_TOKEN is sent as a bearer token. A webhook that
    /// fails is a warning
    #[arg(long, value_name = "URL", conflicts_with = "dry_run")]
    notify: Option<String>,
    #[command(flatten)]
    planning: Planning,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For the summary of a job
    Markdown,
    /// One JSON document; `annosync schema outcome` describes it
    Json,
}

pub(crate) async fn run(mut args: Args) -> Result<Exit, Failure> {
    let deadline = args.connection.deadline();
    let webhook = args.notify.as_deref().map(notify::webhook).transpose()?;
    let shard = args.planning.shard.shard()?;
    if let Some(plan) = plan_file::read(&args.path)? {
        return Box::pin(run_file(args, plan, shard, deadline, webhook)).await;
    }
    args.connection.share_rate(shard);
    args.files = args.files.of_shard(shard);
    if let Some(manifest) = &args.manifest {
        return Err(Failure::usage(format!(
            "--manifest needs a plan file, and {} is not one",
            args.path.display()
        ))
        .hint(format!(
            "make one with `annosync plan {} --out FILE`, or leave out --manifest",
            manifest.display()
        )));
    }
    let guards = args.allow_guards.then_some("--allow-guards");
    let users = (!args.allow_user.is_empty()).then_some("--allow-user");
    if let Some(flag) = guards.or(users) {
        return Err(Failure::usage(format!(
            "{flag} needs a plan file, and {} is not one",
            args.path.display()
        ))
        .hint("to apply a manifest, pass the flags with the numbers that the guard names"));
    }
    let mut manifest = load_whole(&args.path, args.files)?;
    args.planning.adopt(&mut manifest)?;
    let base = args.planning.base(&args.path, args.files)?;
    let destination = args.connection.destination(Some(&manifest))?;
    let create = args.planning.create_inputs(&manifest);
    let session = Session::open_for(&args.connection, &destination, create).await?;
    let ended = async {
        let reading = async {
            let scope = args.planning.scope(&manifest, base.as_ref());
            let observed = session.observe_for(&manifest, &scope).await?;
            let inventory = inventory::learn(&session, &manifest, &observed, create).await?;
            Ok((observed, inventory))
        };
        let (observed, inventory) = deadline.limit(reading).await?;
        let plan = args
            .planning
            .plan(&manifest, base.as_ref(), &observed, inventory, &destination)
            .map_err(Failure::unsent)?;
        refuse_unproven(&manifest, &plan, args.files)?;
        let files: Arc<dyn InputFiles> = if plan.inputs.is_empty() {
            Arc::new(NoFiles)
        } else {
            Arc::new(ManifestFiles(manifest.media_folder.clone()))
        };
        let caller = observed.caller.clone();
        // Frees most of the memory before the apply.
        drop((manifest, observed, base));
        let run = Run {
            args: &args,
            session: &session,
            deadline,
            files,
            permit: Permit::Planned,
            webhook: webhook.as_ref(),
        };
        run.finish(plan, Some(caller)).await
    }
    .await;
    session.close().await;
    ended
}

/// Carries out a plan file.
async fn run_file(
    mut args: Args,
    plan: Plan,
    shard: Option<Shard>,
    deadline: Deadline,
    webhook: Option<Webhook>,
) -> Result<Exit, Failure> {
    if args.allow_guards {
        args.planning.pass_numbers();
    }
    let (mut plan, whole) = plan_file::part(&args.path, plan, shard)?;
    args.connection.share_rate(plan.shard);
    let request = Request {
        path: &args.path,
        manifest: args.manifest.as_deref(),
        planning: &args.planning,
        files: args.files,
        users: &args.allow_user,
        whole,
    };
    let manifest = request.manifest(&plan)?;
    let destination = args
        .connection
        .destination_of_plan(&plan.target, manifest.as_deref())?;
    let files = request.input_files(&plan, manifest.as_ref())?;
    match args.allow_delete_inputs {
        None => undo::keep_inputs(&mut plan),
        Some(allowed) => undo::check_deleted_inputs(&plan, allowed)?,
    }
    let create = request.create(&plan, manifest.as_ref())?;
    let session = Session::open_for(&args.connection, &destination, create).await?;
    let ended = Box::pin(async {
        let verifying = request.verify(&mut plan, manifest.as_ref(), &session, &destination);
        let permit = deadline.limit(verifying).await?;
        if let Some(manifest) = &manifest {
            refuse_unproven(manifest, &plan, args.files)?;
        }
        let run = Run {
            args: &args,
            session: &session,
            deadline,
            files,
            permit,
            webhook: webhook.as_ref(),
        };
        run.finish(plan, None).await
    })
    .await;
    session.close().await;
    ended
}

/// What an apply of a plan needs besides the plan.
struct Run<'a> {
    args: &'a Args,
    session: &'a Session,
    deadline: Deadline,
    /// Reads the files that are posted.
    files: Arc<dyn InputFiles>,
    permit: Permit,
    webhook: Option<&'a Webhook>,
}

impl Run<'_> {
    /// Previews the plan, or applies it. `caller` is the user of the token, if that is known already.
    async fn finish(self, plan: Plan, caller: Option<UserId>) -> Result<Exit, Failure> {
        let Self { args, session, .. } = self;
        if args.dry_run {
            output::styled_message(&args.planning.view.text(&plan, Stream::Stderr));
            let preview = apply::preview(&plan, session.reader(), &self.permit).await?;
            let calls = apply::calls(&plan, &preview)?;
            output::result(&render::calls(&plan.target, &calls))?;
            let exit = expected_exit(&plan, &preview);
            return Ok(blocked_exit(args, &plan).unwrap_or_else(|| final_exit(&plan, exit)));
        }
        let plan = Arc::new(plan);
        if plan.is_empty() {
            print_empty(args, &plan)?;
            return Ok(blocked_exit(args, &plan).unwrap_or_else(|| final_exit(&plan, Exit::Done)));
        }
        output::styled_message(&args.planning.view.text(&plan, Stream::Stderr));
        if let Some(exit) = blocked_exit(args, &plan) {
            return Ok(exit);
        }
        let reading = async {
            check_token(&plan, session, caller).await?;
            match &args.undo_out {
                Some(path) => {
                    let prepared = UndoFile::prepare(path, &plan, &session.writer().reader()).await;
                    prepared.map(Some)
                }
                None => Ok(None),
            }
        };
        let undo = self.deadline.limit(reading).await?;
        if !args.auto_approve {
            ask(&plan).await?;
        }
        let webhook = self.webhook;
        let (outcome, is_logged) = self.execute(&plan, undo).await?;
        // Why the log is incomplete was reported when it failed.
        let saved = OutcomeDocument::new(&plan, outcome);
        let printed = print_outcome(args, &plan, &saved);
        if let Some(webhook) = webhook {
            notify::notify(webhook, &saved).await;
        }
        match printed? {
            Exit::Done if !is_logged => Ok(Exit::Error),
            exit => Ok(exit),
        }
    }

    /// Executes the plan, with the files that record it and with a line of progress. Returns as well whether the log, if
    /// there is one, is complete.
    async fn execute(
        self,
        plan: &Arc<Plan>,
        undo: Option<UndoFile>,
    ) -> Result<(Outcome, bool), Failure> {
        let args = self.args;
        let writer = self.session.writer();
        let stop = Stop::default();
        let log = match &args.log {
            Some(path) => Some(Arc::new(Log::open(path, plan, &stop)?)),
            None => None,
        };
        if let Some(undo) = &undo {
            undo.begin()?;
        }
        watch_for_interrupt(stop.clone())?;
        let stopping = tokio::spawn(stop_at(self.deadline, stop.clone()));
        let done = Arc::new(Done::of(plan.len()));
        let watchers = Watchers::of([
            undo.as_ref().map(UndoFile::watch),
            log.clone().map(|log| log as Arc<dyn Watch>),
            Some(Arc::clone(&done) as Arc<dyn Watch>),
        ]);
        let options = Options {
            concurrency: usize::from(args.connection.concurrency),
            on_failure: if args.fail_fast {
                OnFailure::Stop
            } else {
                OnFailure::Continue
            },
            stop,
            watch: Arc::new(watchers),
            input_timeout: Duration::from_secs(args.input_timeout),
            files: self.files,
            permit: Arc::new(self.permit),
        };
        let progress = Progress::applying(writer, done);
        let outcome = apply::execute(Arc::clone(plan), writer, &options).await;
        stopping.abort();
        drop(progress);
        if let Some(undo) = &undo {
            undo.end();
        }
        Ok((outcome, log.is_none_or(|log| log.is_whole())))
    }
}

/// Prints that there is nothing to do, and writes the undo and the log all the same: scripts expect the files.
fn print_empty(args: &Args, plan: &Arc<Plan>) -> Result<(), Failure> {
    if let Some(path) = &args.undo_out {
        UndoFile::write_empty(path, plan)?;
    }
    if let Some(path) = &args.log {
        Log::open(path, plan, &Stop::default())?;
    }
    let text = |stream| args.planning.view.text(plan, stream);
    match args.format {
        Format::Text => output::styled_result(&text(Stream::Stdout)),
        Format::Markdown | Format::Json => {
            output::styled_message(&text(Stream::Stderr));
            let saved = OutcomeDocument::new(plan, Outcome::default());
            output::data(&written(args, &saved))
        }
    }
}

/// An outcome in the format that is asked for.
fn written(args: &Args, saved: &OutcomeDocument) -> String {
    match args.format {
        Format::Text => render::outcome_text(&saved.outcome, args.planning.view.detail()),
        Format::Markdown => render::outcome_document_markdown(
            saved,
            &render::MarkdownOptions {
                detail: args.planning.view.detail(),
                ..render::MarkdownOptions::default()
            },
        ),
        Format::Json => render::outcome_json(saved),
    }
}

fn print_outcome(args: &Args, plan: &Plan, saved: &OutcomeDocument) -> Result<Exit, Failure> {
    let text = written(args, saved);
    let printed = match args.format {
        Format::Text => output::result(&text),
        Format::Markdown | Format::Json => output::data(&text),
    };
    // If stdout fails, the result goes to stderr: the user must learn what was changed.
    printed.map_err(|failure| {
        output::message(&render::outcome_text(
            &saved.outcome,
            args.planning.view.detail(),
        ));
        Failure::new(format!(
            "{}; the apply itself is finished, and its result is above",
            failure.message
        ))
        .hint("`annosync plan` shows what is left to do")
    })?;
    Ok(final_exit(plan, Exit::of(saved.ending)))
}

/// Refuses a plan if the token may not do all of it: a plan is applied as a whole.
async fn check_token(
    plan: &Plan,
    session: &Session,
    caller: Option<UserId>,
) -> Result<(), Failure> {
    let caller = match caller {
        Some(caller) => caller,
        None => session.caller().await?,
    };
    match denied(plan, &caller) {
        None => Ok(()),
        Some(denied) => Err(Failure::new(format!("{denied}; nothing was sent")).hint(
            "apply it with a token of that user: in CLARIFAI_PAT, or in a file with --pat-file",
        )),
    }
}

/// Prints what blocks the plan, if anything: guards, and purges without --allow-purge.
fn blocked_exit(args: &Args, plan: &Plan) -> Option<Exit> {
    let mut reasons = Vec::new();
    if !plan.guards.is_empty() {
        reasons.push("a guard stopped the plan");
    }
    let purges = format!(
        "the plan purges {}: {} would be deleted, whoever made them",
        render::counted(plan.summary.purge, "input"),
        render::counted(plan.summary.purged, "annotation")
    );
    let is_purge_blocked = !plan.purges.is_empty() && !args.allow_purge;
    if is_purge_blocked {
        reasons.push(&purges);
    }
    let flag = is_purge_blocked.then_some("--allow-purge");
    (!reasons.is_empty()).then(|| stopped(plan, &args.path, &reasons, flag))
}

/// The exit code of an apply if the app stays as the dry run found it.
fn expected_exit(plan: &Plan, preview: &Preview) -> Exit {
    let operations = plan.operations.iter().zip(&preview.operations);
    let operations = operations.filter(|(_, due)| **due == Due::Stale);
    let operations: Vec<&Operation> = operations.map(|(operation, _)| operation).collect();
    let purges = plan.purges.iter().zip(&preview.purges);
    let purges = purges.filter(|(_, due)| **due == Due::Stale);
    let purges: Vec<&Purge> = purges.map(|(purge, _)| purge).collect();
    if operations.is_empty() && purges.is_empty() {
        return Exit::Done;
    }
    if let Some(Operation { input_id, id, .. }) = operations.first() {
        output::message(&format!(
            "error: {} changed since the plan, and apply would leave {} alone; the first is {id} of input {input_id}",
            render::counted(operations.len() as u64, "annotation"),
            if operations.len() == 1 { "it" } else { "them" },
        ));
    }
    if let Some(Purge { input_id, .. }) = purges.first() {
        output::message(&format!(
            "error: {} to purge changed since the plan, and apply would not purge {}; the first is {input_id}",
            render::counted(purges.len() as u64, "input"),
            if purges.len() == 1 { "it" } else { "them" },
        ));
    }
    output::message("hint: plan again, and look at the new plan");
    Exit::Stale
}

/// Unresolved conflicts are reported if nothing worse happened.
fn final_exit(plan: &Plan, exit: Exit) -> Exit {
    if exit == Exit::Done && plan.has_undecided_conflicts() {
        undecided(plan)
    } else {
        exit
    }
}

/// Asks for approval at the terminal.
async fn ask(plan: &Plan) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "there is no terminal to ask for approval; nothing was written",
        )
        .hint("review the plan above, then pass --auto-approve"));
    }
    let target = &plan.target;
    output::message(&format!(
        "Apply this to app {} of {} at {}? Only `yes` is accepted:",
        render::escape(&target.app_id),
        render::escape(&target.user_id),
        render::escape(&target.endpoint)
    ));
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    match answer.await {
        Ok(Ok(line)) if line.trim() == "yes" => Ok(()),
        _ => Err(Failure::new("not confirmed; nothing was written")),
    }
}

//! `plan`: what would apply do?

use super::base::BaseManifest;
use super::connection::ConnectionArgs;
use super::exit::{Exit, Failure};
use super::formats::{self, ExtraOutput, Format, Outputs};
use super::inventory;
use super::offline;
use super::output;
use super::pictures::{self, Source};
use super::planning::{Planning, denied, stopped, undecided};
use super::review::{self, Changes, Drawing};
use super::session::Session;
use super::sheets;
use super::terminal::Stream;
use super::validate::{Files, load, load_whole, refuse_unproven};
use crate::api::Connection;
use crate::manifest::Manifest;
use crate::model::{Content, FileKind, InputId, ObservedState};
use crate::plan::Plan;
use crate::render;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Show what apply would do
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Args {
    /// The manifest: a file, or a folder with all its files
    #[arg(default_value = ".")]
    path: PathBuf,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also write the plan to FILE, as text, markdown, html or json, or the pictures of its changes to the folder DIR
    /// (`images=DIR`), as contact sheets; repeatable
    #[arg(long, value_name = "FORMAT=FILE")]
    also: Vec<ExtraOutput>,
    /// Write the plan to FILE, for `apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// List and plan only the inputs whose declaration changed since --base; the plan says what it does not cover
    #[arg(long, requires = "base", conflicts_with = "declared_only")]
    changed_only: bool,
    /// Plan offline against a saved listing (`list --format json`) instead of the app
    #[arg(long, value_name = "FILE", conflicts_with_all = ["declared_only", "changed_only"])]
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
    pictures: pictures::Args,
    #[command(flatten)]
    sheets: sheets::Args,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

pub(crate) async fn run(mut args: Args) -> Result<Exit, Failure> {
    if args.allow_guards {
        args.planning.pass_numbers();
    }
    args.planning.changed_only = args.changed_only;
    let shard = args.planning.shard.shard()?;
    args.connection.share_rate(shard);
    args.files = args.files.of_shard(shard);
    let view = &args.planning.view;
    check(&args)?;
    // The plan file may be applied later.
    let writes_plan_file = args.out.is_some() || formats::has_plan_file(args.format, &args.also);
    let mut manifest = if writes_plan_file {
        load_whole(&args.path, args.files)?
    } else {
        load(&args.path, args.files)?
    };
    args.planning.adopt(&mut manifest)?;
    let base = args.planning.base(&args.path, args.files)?;
    let drawing = Drawing::of(&args.pictures, &args.sheets, args.format, &args.also);
    let mut sources = drawing.sources([Source::from(&manifest)]);
    let (plan, unchanged, caller) = if let Some(file) = &args.observed {
        let observed = offline::read_listing(file, shard)?;
        let plan = plan_offline(&args, &manifest, base.as_ref(), &observed)?;
        let unchanged = unchanged(&drawing, &plan, &observed);
        (plan, unchanged, None)
    } else {
        let destination = args.connection.destination(Some(&manifest))?;
        let create = args.planning.create_inputs(&manifest);
        let session = Session::open_for(&args.connection, &destination, create).await?;
        let planned = async {
            let scope = args.planning.scope(&manifest, base.as_ref());
            let observed = session.observe_for(&manifest, &scope).await?;
            let inventory = inventory::learn(&session, &manifest, &observed, create).await?;
            let plan = (args.planning).plan(
                &manifest,
                base.as_ref(),
                &observed,
                inventory,
                &destination,
            )?;
            if drawing.is_wanted() {
                let changes = Changes::Plan(&plan, args.planning.view.filter());
                let shown = changes.shown(drawing.most());
                args.pictures.ask_app(&session, &mut sources, &shown).await;
            }
            let unchanged = unchanged(&drawing, &plan, &observed);
            Ok::<_, Failure>((plan, unchanged, Some(observed.caller)))
        };
        let planned = planned.await;
        session.close().await;
        planned?
    };
    if writes_plan_file {
        refuse_unproven(&manifest, &plan, args.files)?;
    }
    if let Some(out) = &args.out {
        output::file(out, &render::json(&plan))?;
    }
    let whole = formats::plan_file_path(args.out.as_deref(), &args.also);
    sources.endpoint.clone_from(&plan.target.endpoint);
    let changes = Changes::Plan(&plan, view.filter());
    let (surroundings, sheets) = drawing.draw(&changes, &sources, unchanged, None).await?;
    let written = |format| match format {
        Format::Text => view.plain(&plan),
        Format::Markdown => view.markdown(&plan, whole, sheets.as_ref()),
        Format::Json => render::json(&plan),
        Format::Html => view.html(&plan, &surroundings),
    };
    formats::write(&args.also, written)?;
    let printed = match args.format {
        Format::Text => view.text(&plan, Stream::Stdout),
        format => written(format),
    };
    formats::print(args.format, &printed, args.no_pager)?;
    if let Some(denied) = caller.and_then(|caller| denied(&plan, &caller)) {
        output::message(&format!("warning: {denied}; `apply` would refuse it"));
    }
    if !plan.guards.is_empty() {
        return Ok(stopped(
            &plan,
            &args.path,
            &["a guard stopped the plan"],
            None,
        ));
    }
    Ok(if plan.has_undecided_conflicts() {
        undecided(&plan)
    } else if args.detailed_exitcode && !plan.is_empty() {
        Exit::Changes
    } else {
        Exit::Done
    })
}

/// Checks the files that are asked for.
fn check(args: &Args) -> Result<(), Failure> {
    let read: Vec<&Path> = std::iter::once(&*args.path)
        .chain(args.observed.as_deref())
        .collect();
    let outputs = Outputs {
        format: args.format,
        also: &args.also,
        out: args.out.as_deref(),
        read: &read,
        kinds: &[FileKind::Plan, FileKind::Unknown],
    };
    outputs.check(args.planning.view.leaves_out())
}

/// The labels between which the changes are drawn, if they are.
fn unchanged(
    drawing: &Drawing<'_>,
    plan: &Plan,
    observed: &ObservedState,
) -> BTreeMap<InputId, Vec<Content>> {
    if drawing.is_wanted() {
        review::unchanged_by_plan(plan, observed)
    } else {
        BTreeMap::new()
    }
}

fn plan_offline(
    args: &Args,
    manifest: &Manifest,
    base: Option<&BaseManifest>,
    observed: &ObservedState,
) -> Result<Plan, Failure> {
    let inventory = inventory::offline(manifest, observed);
    // An offline plan needs no target, but a target that is named must be valid.
    match args.connection.destination(Some(manifest)) {
        Ok(destination) => args
            .planning
            .plan(manifest, base, observed, inventory, &destination),
        Err(failure) if args.connection.names_a_place() => Err(failure),
        Err(_) => {
            let target = offline::no_target(observed);
            args.planning.plan_for(
                manifest,
                base,
                observed,
                inventory,
                (target, Connection::DEFAULT_RATE_LIMIT),
            )
        }
    }
}

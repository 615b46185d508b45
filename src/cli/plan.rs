//! `plan`: what would apply do?

use super::base::BaseManifest;
use super::connection::ConnectionArgs;
use super::exit::{Exit, Failure};
use super::formats::{self, ExtraOutput, Format};
use super::inventory;
use super::offline;
use super::output;
use super::pager::{self, Paging};
use super::pictures::{self, Source, Sources};
use super::planning::{Planning, denied, stopped, undecided};
use super::review;
use super::session::Session;
use super::sheets;
use super::terminal::Stream;
use super::validate::{Files, load, load_whole, refuse_unproven};
use crate::api::Connection;
use crate::manifest::Manifest;
use crate::model::ObservedState;
use crate::plan::Plan;
use crate::render::{self, Surroundings};
use std::collections::BTreeMap;
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
    /// Also write the plan to FILE, as text, markdown, html or json, or the pictures of its changes to the folder DIR
    /// (`images=DIR`), as contact sheets; repeatable
    #[arg(long, value_name = "FORMAT=FILE")]
    also: Vec<ExtraOutput>,
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
    pictures: pictures::Args,
    #[command(flatten)]
    sheets: sheets::Args,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
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
    // The plan file may be applied later.
    let writes_plan_file = args.out.is_some() || formats::has_plan_file(args.format, &args.also);
    let mut manifest = if writes_plan_file {
        load_whole(&args.path, args.files)?
    } else {
        load(&args.path, args.files)?
    };
    args.planning.adopt(&mut manifest)?;
    let base = args.planning.base(&args.path, args.files)?;
    let mut caller = None;
    let folder = formats::images_folder(&args.also);
    let page_folder = formats::page_folder(args.format, &args.also);
    let is_drawn = folder.is_some() || page_folder.is_some();
    // A page shows all changes.
    let most_drawn = match page_folder {
        Some(_) => usize::MAX,
        None => args.sheets.most_changes(),
    };
    let unchanged_of = |plan: &Plan, observed: &ObservedState| {
        if is_drawn {
            review::unchanged_by_plan(plan, observed)
        } else {
            BTreeMap::new()
        }
    };
    let mut sources = Sources::of([Source::from(&manifest)]);
    sources.page_folder = page_folder.clone().unwrap_or_default();
    let filter = view.filter();
    let (plan, unchanged) = if let Some(file) = &args.observed {
        let observed = offline::read_listing(file)?;
        let plan = plan_offline(&args, &manifest, base.as_ref(), &observed)?;
        let unchanged = unchanged_of(&plan, &observed);
        (plan, unchanged)
    } else {
        let destination = args.connection.destination(Some(&manifest))?;
        let create = args.planning.create_inputs(&manifest);
        let session = Session::open_for(&args.connection, &destination, create).await?;
        let planned = async {
            let scope = args.planning.scope(&manifest.desired);
            let observed = session.observe(&scope).await?;
            let inventory = inventory::learn(&session, &manifest, &observed, create).await?;
            let plan = (args.planning).plan(
                &manifest,
                base.as_ref(),
                &observed,
                inventory,
                &destination,
            )?;
            if is_drawn {
                let changed = render::changed_by_plan(&plan, &filter, most_drawn);
                (args.pictures)
                    .ask_app(&session, &mut sources, &changed)
                    .await;
            }
            let unchanged = unchanged_of(&plan, &observed);
            Ok::<_, Failure>((plan, unchanged, observed.caller))
        };
        let planned = planned.await;
        session.close().await;
        let (plan, unchanged, user) = planned?;
        caller = Some(user);
        (plan, unchanged)
    };
    if writes_plan_file {
        refuse_unproven(&manifest, &plan, args.files)?;
    }
    let json = || render::json(&plan);
    if let Some(out) = &args.out {
        output::file(out, &json())?;
    }
    let whole = formats::plan_file_path(args.out.as_deref(), &args.also);
    let sheets = match folder {
        Some(folder) => {
            let changed = render::changed_by_plan(&plan, &filter, args.sheets.most_changes());
            let flags = args.pictures.without_links();
            let around =
                pictures::surroundings(&flags, &sources, &changed, unchanged.clone()).await;
            let sheets = render::plan_sheets(&plan, &filter, &around, args.sheets.most());
            Some(sheets::write(folder, sheets, &args.sheets)?)
        }
        None => None,
    };
    let surroundings = match page_folder {
        Some(_) => {
            let changed = render::changed_by_plan(&plan, &filter, usize::MAX);
            pictures::surroundings(&args.pictures, &sources, &changed, unchanged).await
        }
        None => Surroundings::default(),
    };
    formats::write(
        &plan,
        view,
        &args.also,
        whole,
        &surroundings,
        sheets.as_ref(),
    )?;
    match args.format {
        Format::Text => pager::show(&view.text(&plan, Stream::Stdout), args.paging())?,
        Format::Markdown => output::data(&view.markdown(&plan, whole, sheets.as_ref()))?,
        Format::Json => output::data(&json())?,
        Format::Html => output::data(&view.html(&plan, &surroundings))?,
    }
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

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
use super::review::{self, PlanReview};
use super::session::Session;
use super::sheets;
use super::terminal::Stream;
use super::validate::{Files, load, load_whole, refuse_unproven};
use crate::api::Connection;
use crate::manifest::Manifest;
use crate::model::{Content, InputId, ObservedState};
use crate::plan::Plan;
use crate::render::{self, SheetList, Surroundings};
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
    let drawing = Drawing {
        args: &args,
        folder: formats::images_folder(&args.also),
        page_folder: formats::page_folder(args.format, &args.also),
    };
    let mut sources = Sources::of([Source::from(&manifest)]);
    sources.page_folder = drawing.page_folder.clone().unwrap_or_default();
    let (plan, unchanged, caller) = if let Some(file) = &args.observed {
        let observed = offline::read_listing(file)?;
        let plan = plan_offline(&args, &manifest, base.as_ref(), &observed)?;
        let unchanged = drawing.unchanged(&plan, &observed);
        (plan, unchanged, None)
    } else {
        let destination = args.connection.destination(Some(&manifest))?;
        let create = args.planning.create_inputs(&manifest);
        let session = Session::open_for(&args.connection, &destination, create).await?;
        let planned = async {
            let scope = args.planning.scope(&manifest, base.as_ref());
            let observed = session.observe(&scope).await?;
            let inventory = inventory::learn(&session, &manifest, &observed, create).await?;
            let plan = (args.planning).plan(
                &manifest,
                base.as_ref(),
                &observed,
                inventory,
                &destination,
            )?;
            drawing.ask_app(&plan, &session, &mut sources).await;
            let unchanged = drawing.unchanged(&plan, &observed);
            Ok::<_, Failure>((plan, unchanged, Some(observed.caller)))
        };
        let planned = planned.await;
        session.close().await;
        planned?
    };
    if writes_plan_file {
        refuse_unproven(&manifest, &plan, args.files)?;
    }
    let json = || render::json(&plan);
    if let Some(out) = &args.out {
        output::file(out, &json())?;
    }
    let whole = formats::plan_file_path(args.out.as_deref(), &args.also);
    let (surroundings, sheets) = drawing.draw(&plan, &sources, unchanged).await?;
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

/// What is drawn of a plan: contact sheets into a folder, and pages.
struct Drawing<'a> {
    args: &'a Args,
    folder: Option<&'a Path>,
    /// The folder of the page, if there is one.
    page_folder: Option<PathBuf>,
}

impl Drawing<'_> {
    fn is_wanted(&self) -> bool {
        self.folder.is_some() || self.page_folder.is_some()
    }

    /// The labels between which changes are drawn.
    fn unchanged(&self, plan: &Plan, observed: &ObservedState) -> BTreeMap<InputId, Vec<Content>> {
        if self.is_wanted() {
            review::unchanged_by_plan(plan, observed)
        } else {
            BTreeMap::new()
        }
    }

    async fn ask_app(&self, plan: &Plan, session: &Session, sources: &mut Sources<'_>) {
        if !self.is_wanted() {
            return;
        }
        // A page shows all changes.
        let most = match self.page_folder {
            Some(_) => usize::MAX,
            None => self.args.sheets.most_changes(),
        };
        let changed = render::changed_by_plan(plan, &self.args.planning.view.filter(), most);
        let pictures = &self.args.pictures;
        pictures.ask_app(session, sources, &changed).await;
    }

    /// Writes the contact sheets, and gathers what a page shows around the changes.
    async fn draw(
        &self,
        plan: &Plan,
        sources: &Sources<'_>,
        unchanged: BTreeMap<InputId, Vec<Content>>,
    ) -> Result<(Surroundings, Option<SheetList>), Failure> {
        let review = PlanReview {
            plan,
            filter: self.args.planning.view.filter(),
            pictures: &self.args.pictures,
            sheets: &self.args.sheets,
            sources,
            unchanged,
        };
        let sheets = match self.folder {
            Some(folder) => Some(review.write_sheets(folder).await?),
            None => None,
        };
        let surroundings = match self.page_folder {
            Some(_) => review.surroundings().await,
            None => Surroundings::default(),
        };
        Ok((surroundings, sheets))
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

//! `list`: the annotations of an app.

use super::connection::ConnectionArgs;
use super::exit::{Exit, Failure};
use super::output::{self, StdoutState};
use super::progress::Progress;
use super::session::Session;
use super::validate::{Files, load};
use super::values;
use crate::api::{Filter, ModelMade, ModelOutput, Selection};
use crate::manifest::{self, write::yaml_element};
use crate::model::{Status, UserId, escape_json};
use crate::observed::SavedListing;
use crate::render::Table;
use crate::wire::Code;
use crate::wire::{Annotation, Listed};
use std::path::{Path, PathBuf};

/// Print the annotations of an app
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The manifest that names the target; default: the one in the current folder, if no flag or variable names an app
    path: Option<PathBuf>,
    /// Only annotations on this input; repeatable
    #[arg(long = "input-id", value_name = "ID")]
    input_ids: Vec<String>,
    /// Only this annotation; repeatable, with one --input-id for each in the same order
    #[arg(long = "id", value_name = "ID", requires = "input_ids")]
    ids: Vec<String>,
    /// Only annotations made by this user; repeatable
    #[arg(long = "user", value_name = "ID")]
    users: Vec<String>,
    /// Only annotations made by this model version; repeatable
    #[arg(long = "model-version", value_name = "ID")]
    model_versions: Vec<String>,
    /// Only annotations made by this workflow version; repeatable
    #[arg(long = "workflow-version", value_name = "ID")]
    workflow_versions: Vec<String>,
    /// Include annotations made by models; implied by --user, --model-version and --workflow-version
    #[arg(long)]
    all: bool,
    /// Only annotations of this labelling task
    #[arg(long, value_name = "ID")]
    task: Option<String>,
    /// Include the output of the models that made the annotations, if the service stores it separately
    #[arg(long)]
    model_output: bool,
    /// Only annotations with this status, by name or number; repeatable
    #[arg(long = "status", value_name = "STATUS", value_parser = values::status)]
    statuses: Vec<Status>,
    /// How to print the annotations
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Columns for people, streamed
    Table,
    /// One annotation per line, streamed
    Jsonl,
    /// One document with a listing proved complete, for `plan --observed`
    Json,
    /// One list, streamed
    Yaml,
}

impl Args {
    fn filter(&self) -> Result<Filter, Failure> {
        let selection = match (self.input_ids.is_empty(), self.ids.is_empty()) {
            (true, _) => Selection::WholeApp,
            (false, true) => Selection::Inputs(self.input_ids.iter().cloned().collect()),
            (false, false) if self.ids.len() == self.input_ids.len() => Selection::Annotations(
                self.input_ids
                    .iter()
                    .cloned()
                    .zip(self.ids.iter().cloned())
                    .collect(),
            ),
            _ => {
                return Err(Failure::usage(format!(
                    "{} --id and {} --input-id: each annotation is named by both",
                    self.ids.len(),
                    self.input_ids.len()
                ))
                .hint("give one --input-id for each --id, in the same order"));
            }
        };
        Ok(Filter {
            shard: None,
            expected: Vec::new(),
            selection,
            user_ids: self.users.clone(),
            model_version_ids: self.model_versions.clone(),
            workflow_version_ids: self.workflow_versions.clone(),
            task_id: self.task.clone(),
            statuses: self
                .statuses
                .iter()
                .map(|status| Code(status.code()))
                .collect(),
            model_made: if self.all {
                ModelMade::Include
            } else {
                ModelMade::LeaveOut
            },
            model_output: if self.model_output {
                ModelOutput::Include
            } else {
                ModelOutput::LeaveOut
            },
        })
    }
}

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let filter = args.filter()?;
    let here = Path::new(".");
    let is_needed = args.connection.needs_a_manifest()?;
    let implied = (is_needed && manifest::has_header(here)).then_some(here);
    let manifest = (args.path.as_deref().or(implied))
        .map(|path| load(path, args.files))
        .transpose()?;
    let destination = args.connection.destination(manifest.as_ref())?;
    let session = Session::open(&args.connection, &destination).await?;
    let ended = match args.format {
        Format::Table => pages(&session, &filter, Printer::Table(Table::default())).await,
        Format::Jsonl => pages(&session, &filter, Printer::Lines).await,
        Format::Json => document(&session, &filter).await,
        Format::Yaml => pages(&session, &filter, Printer::Yaml).await,
    };
    session.close().await;
    ended.map(|()| Exit::Done)
}

/// How pages are printed.
enum Printer {
    Lines,
    Table(Table),
    Yaml,
}

impl Printer {
    fn page(&mut self, page: &[Annotation]) -> serde_json::Result<String> {
        let values = || page.iter().map(|it| serde_json::to_value(Listed(it)));
        match self {
            Self::Lines => page.iter().map(line).collect(),
            Self::Table(table) => Ok(table.page(&values().collect::<Result<Vec<_>, _>>()?)),
            Self::Yaml => values().map(|value| Ok(yaml_element(&value?))).collect(),
        }
    }

    /// The output if there are no annotations.
    fn empty(&mut self) -> String {
        match self {
            Self::Lines => String::new(),
            Self::Table(table) => table.page(&[]),
            Self::Yaml => "[]\n".to_owned(),
        }
    }
}

/// An annotation on one line, even if the server sent its JSON on several.
fn line(annotation: &Annotation) -> serde_json::Result<String> {
    let mut json = serde_json::to_string(&Listed(annotation))?;
    if json.contains(['\n', '\r']) {
        json = serde_json::to_string(&serde_json::to_value(Listed(annotation))?)?;
    }
    Ok(escape_json(&json).into_owned() + "\n")
}

async fn pages(session: &Session, filter: &Filter, mut printer: Printer) -> Result<(), Failure> {
    let _progress = Progress::reading(session.reader());
    let mut pages = session.reader().pages(filter);
    let mut is_empty = true;
    while let Some(page) = pages.next().await? {
        is_empty = false;
        let text = printer.page(&page).map_err(Failure::new)?;
        if output::part(&text)? == StdoutState::Closed {
            return Ok(());
        }
    }
    if is_empty {
        output::data(&printer.empty())?;
    }
    Ok(())
}

async fn document(session: &Session, filter: &Filter) -> Result<(), Failure> {
    let reader = session.reader();
    let progress = Progress::reading(reader);
    let caller = reader.caller().await?;
    let listing = reader.list(filter).await?;
    drop(progress);
    let owner = if session.owner() == "me" {
        &caller
    } else {
        session.owner()
    };
    let user = |id: &str| {
        UserId::new(id)
            .map_err(|error| Failure::new(format!("user id `{}`: {error}", id.escape_debug())))
    };
    let mut text = Vec::new();
    SavedListing::write(&mut text, &listing, &user(&caller)?, &user(owner)?)?;
    output::data(&escape_json(&String::from_utf8_lossy(&text)))
}

//! `list`: the annotations of an app.

use super::connection::ConnectionArgs;
use super::exit::{Exit, Failure};
use super::output::{self, Reading};
use super::session::Session;
use super::validate::load;
use crate::api::code::Code;
use crate::api::{Filter, ModelMade, Selection};
use crate::model::{Status, UserId};
use crate::observed::SavedListing;
use std::path::PathBuf;

/// Print the annotations of an app
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The manifest whose targets `--target` names; not needed otherwise
    path: Option<PathBuf>,
    /// Of these inputs
    #[arg(long = "input-id", value_name = "ID")]
    input_ids: Vec<String>,
    /// These annotations; one --input-id for each, in the same order
    #[arg(long = "id", value_name = "ID", requires = "input_ids")]
    ids: Vec<String>,
    /// Made by these users
    #[arg(long = "user", value_name = "ID")]
    users: Vec<String>,
    /// Made by these model versions
    #[arg(long = "model-version", value_name = "ID")]
    model_versions: Vec<String>,
    /// Those that models made as well
    #[arg(long)]
    all: bool,
    /// Having one of these statuses, by name or number
    #[arg(long = "status", value_name = "STATUS", value_parser = status)]
    statuses: Vec<Status>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One annotation a line, as they come
    Jsonl,
    /// One document of a listing that was proved complete, for `plan --observed`
    Json,
}

fn status(text: &str) -> Result<Status, String> {
    Status::parse(text).map_err(|error| {
        let names: Vec<&str> = Status::names().collect();
        format!("{error}; the statuses are {}", names.join(", "))
    })
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
            selection,
            user_ids: self.users.clone(),
            model_version_ids: self.model_versions.clone(),
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
        })
    }
}

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let filter = args.filter()?;
    let manifest = args.path.as_deref().map(load).transpose()?;
    let destination = args.connection.destination(manifest.as_ref())?;
    let session = Session::open(&args.connection, &destination).await?;
    let ended = match args.format {
        Format::Jsonl => lines(&session, &filter).await,
        Format::Json => document(&session, &filter).await,
    };
    session.close().await;
    ended.map(|()| Exit::Done)
}

async fn lines(session: &Session, filter: &Filter) -> Result<(), Failure> {
    let mut pages = session.reader()?.pages(filter);
    while let Some(page) = pages.next().await? {
        let mut text = String::new();
        for annotation in page {
            text.push_str(&serde_json::to_string(&annotation).map_err(Failure::new)?);
            text.push('\n');
        }
        if output::part(&text)? == Reading::HasEnded {
            break;
        }
    }
    Ok(())
}

async fn document(session: &Session, filter: &Filter) -> Result<(), Failure> {
    let reader = session.reader()?;
    let caller = reader.caller().await?;
    let listing = reader.list(filter).await?;
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
    output::result(&String::from_utf8_lossy(&text))
}

//! `emulator`: serve the API over a SQLite file.

use super::exit::{Exit, Failure};
use super::interrupts::Interrupts;
use super::output;
use super::session::chain;
use super::{input, kind};
use crate::api::{Endpoint, InsecureHttp};
use crate::emulator::{
    self, Codes, Collaborator, Config, Database, Emulator, EmulatorError, ListingOrder,
    MissingDelete, Recording, RecordingError, ResponseStyle, Zeros, annotations_in,
};
use crate::model::FileKind;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Url;

/// Serve the API, over HTTP and gRPC, from a SQLite file
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Args {
    /// Address to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The SQLite file, or `:memory:`
    #[arg(long, value_name = "FILE", default_value = ":memory:")]
    db: PathBuf,
    /// Annotations to start with, of any user, as `list` prints them in JSON or JSON Lines; an error if the store
    /// already has one of them
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Accept annotations only for existing inputs; by default an input is created when it is first named
    #[arg(long)]
    require_inputs: bool,
    /// The app's owner
    #[arg(long, value_name = "USER", default_value = "owner")]
    owner: String,
    /// The app
    #[arg(long, value_name = "ID", default_value = "app")]
    app_id: String,
    /// Token of the owner
    #[arg(long, value_name = "K", default_value = "owner-key")]
    owner_key: String,
    /// A collaborator and their token; repeatable
    #[arg(long = "collaborator", value_name = "USER=K", value_parser = collaborator)]
    collaborators: Vec<Collaborator>,
    /// Refuse more than N calls per second from one token, as the service does at 15
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate_limit: Option<u32>,
    /// Order of listings
    #[arg(long, value_name = "ORDER", value_enum, default_value_t = Order::Oldest)]
    listing_order: Order,
    /// Serve TLS with this certificate, a PEM file; needs --tls-key
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Refuse fields that the API does not have, by their names; by default they are kept, or ignored over gRPC
    #[arg(long)]
    strict: bool,
    /// Page size of listings that ask for none; the documents give 20 and 128
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    default_page_size: u32,
    /// How statuses and visibilities are written in JSON
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Enums::Numbers)]
    enums: Enums,
    /// Leave zeros and empty fields out of answers, as protobuf does by default
    #[arg(long)]
    omit_zeros: bool,
    /// The answer to a delete of an annotation that does not exist; the documentation does not specify it
    #[arg(long, value_name = "RESULT", value_enum, default_value_t = Missing::Fails)]
    missing_delete: Missing,
    /// Serve at most N annotations per page; the API's limit is 1,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    page_size: Option<u32>,
    /// Write all requests and answers to a new file, as JSON Lines without tokens
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// With --record, pass every call on to this API, with the caller's own token, instead of answering it. gRPC calls
    /// are passed on as the REST calls that they correspond to; calls about keys are not recorded
    #[arg(long, value_name = "URL", requires = "record", conflicts_with_all = ["db", "seed"])]
    forward: Option<String>,
    /// Answer from a recording: equal requests in the recorded order, the last answer again and again, and others with
    /// 404. Tokens are not checked
    #[arg(long, value_name = "FILE", conflicts_with_all = ["record", "db", "seed", "rate_limit"])]
    replay: Option<PathBuf>,
    /// Serve GET /_annosync/ready and, with the owner's token, GET /_annosync/dump, POST /_annosync/seed and, for a store
    /// in memory, POST /_annosync/reset
    #[arg(long)]
    control: bool,
}

/// The form of enums: documents show both.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Enums {
    /// As numbers
    Numbers,
    /// By their names
    Names,
}

/// The result of deleting what does not exist.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Missing {
    /// It is reported, and the others are deleted
    Fails,
    /// It counts as deleted
    Succeeds,
}

/// The order of listings: the service's documents contradict each other.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Order {
    /// By creation, oldest first
    Oldest,
    /// By creation, newest first
    Newest,
    /// By modification, latest first
    Modified,
}

fn collaborator(text: &str) -> Result<Collaborator, String> {
    match text.split_once('=') {
        Some((user, key)) if !user.is_empty() && !key.is_empty() => Ok(Collaborator {
            user: user.to_owned(),
            key: key.to_owned(),
        }),
        _ => Err("expected USER=KEY".to_owned()),
    }
}

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let seed = match args.seed {
        Some(path) => Some((read_seed(&path)?, path)),
        None => None,
    };
    let in_memory = args.db.as_os_str() == ":memory:";
    let config = Config {
        database: if in_memory {
            Database::Memory
        } else {
            Database::File(args.db)
        },
        owner: args.owner,
        owner_key: args.owner_key,
        app_id: args.app_id,
        collaborators: args.collaborators,
        require_inputs: args.require_inputs,
        rate_limit: args.rate_limit,
        page_cap: args.page_size,
        default_page: args.default_page_size,
        missing_delete: match args.missing_delete {
            Missing::Fails => MissingDelete::Fails,
            Missing::Succeeds => MissingDelete::Succeeds,
        },
        strict: args.strict,
        recording: recording(args.record, args.forward.as_deref(), args.replay)?,
        control: args.control,
        tls: read_tls(args.tls_cert.as_deref(), args.tls_key.as_deref())?,
        response_style: ResponseStyle {
            codes: match args.enums {
                Enums::Numbers => Codes::Numbers,
                Enums::Names => Codes::Names,
            },
            zeros: if args.omit_zeros {
                Zeros::Omitted
            } else {
                Zeros::Shown
            },
            listings: match args.listing_order {
                Order::Oldest => ListingOrder::OldestFirst,
                Order::Newest => ListingOrder::NewestFirst,
                Order::Modified => ListingOrder::ModifiedFirst,
            },
            ..ResponseStyle::default()
        },
        ..Config::default()
    };
    let emulator = Emulator::start(config, args.listen)
        .await
        .map_err(|error| start_failure(&error))?;
    if let Some((annotations, path)) = seed
        && let Err(error) = emulator.seed(annotations).await
    {
        let failure = Failure::new(format!("{}: {}", path.display(), chain(&error)))
            .hint("nothing of the file was stored; seed an empty store, or leave --seed out");
        // The first error is the one to report.
        let _ = emulator.stop().await;
        return Err(failure);
    }
    // Listen for signals before the URL is printed: a caller may stop the emulator right after.
    let mut interrupts = Interrupts::new()
        .map_err(|error| Failure::new(format!("cannot wait for Ctrl-C: {error}")))?;
    output::result(&format!("{}\n", emulator.url()))?;
    interrupts.next().await;
    output::message("Stopping.");
    emulator
        .stop()
        .await
        .map_err(|error| Failure::new(chain(&error)))?;
    Ok(Exit::Done)
}

fn recording(
    record: Option<PathBuf>,
    forward: Option<&str>,
    replay: Option<PathBuf>,
) -> Result<Recording, Failure> {
    if let Some(path) = replay {
        const WANTED: &str = "a recording that `annosync emulator --record` wrote";
        kind::expect(&path, &[FileKind::Recording], WANTED)?;
        return Ok(Recording::Replay(path));
    }
    let Some(file) = record else {
        return Ok(Recording::Off);
    };
    let forward = forward.map(endpoint).transpose()?;
    Ok(Recording::Record { file, forward })
}

/// The endpoint of --forward. Tokens are sent to it.
fn endpoint(text: &str) -> Result<Url, Failure> {
    let endpoint = Endpoint::new(text, InsecureHttp::Allow)?;
    if Endpoint::new(text, InsecureHttp::Refuse).is_err() {
        let problem = format!("--forward {endpoint}: plain http would send the token unprotected");
        return Err(Failure::usage(problem).hint("use https"));
    }
    Ok(endpoint.url().clone())
}

fn start_failure(error: &EmulatorError) -> Failure {
    let failure = Failure::new(chain(error));
    match error {
        EmulatorError::Recording(RecordingError::ForwardsToItself { .. }) => {
            Failure::usage(chain(error))
                .hint("give --forward the address of the API, such as https://api.clarifai.com, or another port to --listen")
        }
        EmulatorError::Recording(RecordingError::Exists { .. }) => {
            failure.hint("name another file, or delete this one")
        }
        EmulatorError::Recording(RecordingError::Read { .. }) => {
            failure.hint("check the path and its permissions")
        }
        _ => failure,
    }
}

fn read_tls(
    certificate: Option<&Path>,
    key: Option<&Path>,
) -> Result<Option<Arc<rustls::ServerConfig>>, Failure> {
    let (Some(certificate), Some(key)) = (certificate, key) else {
        return Ok(None);
    };
    let read = |path: &Path| {
        std::fs::read(path)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
    };
    emulator::tls(&read(certificate)?, &read(key)?)
        .map(Some)
        .map_err(|error| {
            let (certificate, key) = (certificate.display(), key.display());
            Failure::new(format!("{certificate}, {key}: {}", chain(&error)))
                .hint("--tls-cert takes a certificate in PEM, --tls-key its private key in PEM")
        })
}

fn read_seed(path: &Path) -> Result<Vec<Value>, Failure> {
    const WANTED: &str = "a listing that `annosync list` printed, as json or jsonl";
    kind::expect(path, &[FileKind::Listing, FileKind::Annotations], WANTED)?;
    let text = input::text(path, input::MAX_BYTES)?;
    annotations_in(&text).map_err(|error| {
        match &error {
            EmulatorError::NotJson(error) => input::json_failure(path, &error.into()),
            _ => Failure::new(format!("{}: {}", path.display(), chain(&error))),
        }
        .hint(format!("give it {WANTED}"))
    })
}

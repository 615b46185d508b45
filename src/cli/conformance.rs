//! `conformance`: does a server do what annosync assumes of it?

use super::connection::ConnectionArgs;
use super::exit::{Exit, Failure};
use super::formats::TextOrJson;
use super::output;
use super::session::{CreateInputs, Session};
use crate::conformance::{self, Finding, Report, Verdict};
use crate::model::{ConceptId, InputId, hex};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Concepts that are created if the app has fewer than two.
const NEW: [&str; 2] = ["annosync-first", "annosync-second"];

/// Try on an input of its own whether a server does what annosync assumes of it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Do not refuse to write: an input is posted, labelled, and deleted at the end
    #[arg(long)]
    auto_approve: bool,
    /// Create two concepts if the app has fewer than two; the service cannot delete them
    #[arg(long)]
    allow_new_concepts: bool,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

pub(crate) async fn run(args: &Args) -> Result<Exit, Failure> {
    if !args.auto_approve {
        return Err(Failure::usage(
            "it posts an input to the app, labels it, and deletes it at the end; nothing was sent",
        )
        .hint("if the app may be used for that, pass --auto-approve"));
    }
    let destination = args.connection.destination(None)?;
    let session = Session::open_for(&args.connection, &destination, CreateInputs::Yes).await?;
    let ended = try_all(args, &session).await;
    session.close().await;
    let report = ended?;
    let findings = &report.findings;
    args.format.print(findings, || text(findings))?;
    if let Some(why) = &report.left {
        return Err(
            Failure::new(format!("its input may still be in the app: {why}"))
                .hint("its id begins with annosync-conformance-: delete it by hand"),
        );
    }
    let all_hold = report
        .findings
        .iter()
        .all(|it| it.verdict == Verdict::Holds);
    Ok(if all_hold { Exit::Done } else { Exit::Error })
}

async fn try_all(args: &Args, session: &Session) -> Result<Report, Failure> {
    let concepts = concepts(args, session).await?;
    let mut secret = [0; 8];
    getrandom::fill(&mut secret)
        .map_err(|error| Failure::new(format!("the system gives no random numbers: {error}")))?;
    let input =
        InputId::new(format!("annosync-conformance-{}", hex(&secret))).expect("it is a valid id");
    output::message(&format!("Input {input} is posted, and deleted at the end."));
    Ok(conformance::run(session.writer(), &input, concepts).await?)
}

/// Two concepts of the app.
async fn concepts(args: &Args, session: &Session) -> Result<[ConceptId; 2], Failure> {
    // A name that cannot be there, so that all are listed.
    let wanted = BTreeSet::from([String::new()]);
    let known = session.reader().concepts(&wanted).await?;
    let mut valid = known
        .iter()
        .filter_map(|id| ConceptId::new(id.as_str()).ok());
    if let (Some(first), Some(second)) = (valid.next(), valid.next()) {
        return Ok([first, second]);
    }
    if !args.allow_new_concepts {
        return Err(
            Failure::new("the app has fewer than two concepts; nothing was sent")
                .hint("pass --allow-new-concepts to create two, which the service cannot delete"),
        );
    }
    Ok(NEW.map(|id| ConceptId::new(id).expect("it is a valid id")))
}

fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let word = match finding.verdict {
            Verdict::Holds => "holds",
            Verdict::Fails => "fails",
            Verdict::Unknown => "unknown",
        };
        let _ = write!(text, "{word:<9}{}", finding.assumption);
        if !finding.seen.is_empty() {
            let _ = write!(text, ": {}", finding.seen);
        }
        text.push('\n');
    }
    text
}

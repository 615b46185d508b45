//! `test`: snapshot tests of plans in the user's repository.
//!
//! A case is a folder with a listing (`observed.json`), a manifest and the expected plan. It is planned as by `plan
//! --observed` without a target, so neither the environment nor a target has an effect.

use super::exit::{Exit, Failure};
use super::input;
use super::offline;
use super::output;
use super::tracked::tracked;
use super::validate::{Files, refuse_missing};
use crate::api::Connection;
use crate::manifest::{self, Overlay, ProblemsShown};
use crate::model::normalize_line_endings;
use crate::plan::{self, Allowances, Context, Inventory, Plan};
use crate::render::{self, Color, Detail, MarkdownOptions, TextOptions, escape, escape_lines};
use std::path::{Path, PathBuf};

/// The listing. A folder with this file is a case.
const OBSERVED: &str = "observed.json";
/// The expected plan that every case has.
const PLAN: &str = "plan.txt";
/// Optional subfolder for the manifest.
const MANIFEST: &str = "manifest";

/// Compare the plans of test cases with the expected plans, offline
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder with the cases; folders below it are searched too, except hidden ones
    ///
    /// A case is a folder with `observed.json` (from `annosync list --all --format json`), a manifest (in the folder,
    /// or in `manifest` below it) and `plan.txt`, the expected plan as text. `plan.md` and `plan.json` are compared too
    /// if they exist; to create them, run `touch plan.md plan.json` and then --bless. The version of annosync in
    /// plan.json is not compared. The exit code is 1 if a case differs or cannot be planned, if a folder below DIR has
    /// plan.txt but no observed.json, or if there are no cases.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Accept the current plans: write them over the expected ones
    #[arg(long)]
    bless: bool,
    #[command(flatten)]
    files: Files,
}

/// What to do with a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Compare,
    Bless,
}

/// The result of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    AsExpected,
    Differs,
    Accepted,
    Unplannable,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let mode = if args.bless {
        Mode::Bless
    } else {
        Mode::Compare
    };
    let cases = cases(&args.folder)?;
    if cases.is_empty() {
        return Err(Failure::new(format!(
            "no test case in {}",
            args.folder.display()
        ))
        .hint(
            "a case is a folder that holds observed.json: save one with `annosync list --all --format json`, and put \
             the manifest beside it",
        ));
    }
    let verdicts = cases
        .iter()
        .map(|case| judge(case, mode, args.files))
        .collect::<Result<Vec<Verdict>, Failure>>()?;
    if verdicts.contains(&Verdict::Differs) {
        output::message(&format!(
            "hint: look at what differs; if that is what you mean, accept it with `annosync test --bless {}`",
            args.folder.display()
        ));
    }
    output::result(&summary(&verdicts))?;
    let is_failure = |verdict| matches!(verdict, &Verdict::Differs | &Verdict::Unplannable);
    Ok(if verdicts.iter().any(is_failure) {
        Exit::Error
    } else {
        Exit::Done
    })
}

/// All cases in a folder and below it, sorted. Links to folders are not followed, since they may form circles.
fn cases(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut cases = Vec::new();
    let mut folders = vec![folder.to_owned()];
    let mut is_named = true;
    while let Some(folder) = folders.pop() {
        let unreadable = |error| Failure::new(format!("cannot read {}: {error}", folder.display()));
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if entry.file_type().map_err(unreadable)?.is_dir() && !is_hidden {
                folders.push(entry.path());
            }
        }
        // Without its listing, a case would pass by not being one. The named folder may hold a plan for other purposes.
        let is_incomplete = || !is_named && folder.join(PLAN).is_file();
        if folder.join(OBSERVED).is_file() || is_incomplete() {
            cases.push(match folder.strip_prefix(".") {
                Ok(below) if !below.as_os_str().is_empty() => below.to_owned(),
                _ => folder,
            });
        }
        is_named = false;
    }
    cases.sort();
    Ok(cases)
}

/// Plans a case, compares it and prints the differences.
fn judge(case: &Path, mode: Mode, files: Files) -> Result<Verdict, Failure> {
    if mode == Mode::Bless {
        reserve(&case.join(Expected::Json.file()))?;
    }
    let compared = planned(case, files).and_then(|plan| {
        let compared = Expected::ALL.map(|expected| expected.compare(case, &plan));
        compared.into_iter().collect::<Result<Vec<_>, _>>()
    });
    let compared = match compared {
        Ok(compared) => compared,
        Err(why) => {
            let case = case.display().to_string();
            output::styled_result(&format!("Cannot be planned: {}\n{why}\n", escape(&case)))?;
            return Ok(Verdict::Unplannable);
        }
    };
    let mut verdict = Verdict::AsExpected;
    for difference in compared.into_iter().flatten() {
        if mode == Mode::Bless {
            output::file(&difference.file, &difference.accepted)?;
            output::result(&format!("Wrote {}.\n", difference.file.display()))?;
            verdict = Verdict::Accepted;
        } else {
            output::styled_result(&difference.text())?;
            verdict = Verdict::Differs;
        }
    }
    Ok(verdict)
}

/// Users ask for a plan file by creating an empty one (`touch plan.json`). It is filled immediately, since an empty
/// file would be an error of the manifest.
fn reserve(file: &Path) -> Result<(), Failure> {
    let is_empty = std::fs::metadata(file).is_ok_and(|file| file.is_file() && file.len() == 0);
    if is_empty {
        output::file(file, "{\"format_version\": \"\"}\n")?;
    }
    Ok(())
}

/// The plan of a case, or an escaped error text.
fn planned(case: &Path, files: Files) -> Result<Plan, String> {
    // The listing is read first: an invalid one would be taken for a manifest file.
    let listing = case.join(OBSERVED);
    if !listing.exists() {
        let missing = format!("{PLAN} is there, but not the listing {OBSERVED}");
        return Err(failure_text(&Failure::new(missing).hint(format!(
            "save the listing with `annosync list --all --format json > {}`, or remove {PLAN} if the folder is not a case",
            listing.display()
        ))));
    }
    let observed =
        offline::read_listing(&listing, None).map_err(|failure| failure_text(&failure))?;
    let folder = Some(case.join(MANIFEST)).filter(|folder| folder.is_dir());
    let folder = folder.as_deref().unwrap_or(case);
    let read = manifest::load_tracked(folder, &Overlay::new(), files.access(), &tracked);
    let manifest = read.map_err(|problems| {
        format!(
            "{}\n",
            problems.render(true, ProblemsShown::First).trim_end()
        )
    })?;
    refuse_missing(&manifest, files).map_err(|failure| failure_text(&failure))?;
    let context = Context {
        target: offline::no_target(&observed),
        manifest_hash: manifest.hash.clone(),
        rate_limit: Connection::DEFAULT_RATE_LIMIT,
        allowances: Allowances::default(),
        inventory: Inventory::default(),
        shard: None,
    };
    plan::plan(&manifest.desired, &observed, &context).map_err(|errors| {
        let (mut lines, _) = offline::describe_errors(&manifest, &errors);
        lines.push(String::new());
        escape_lines(&lines.join("\n")).into_owned()
    })
}

fn failure_text(failure: &Failure) -> String {
    let hint = failure.hint.iter().map(|hint| format!("hint: {hint}\n"));
    let text = format!("error: {}\n{}", failure.message, hint.collect::<String>());
    escape_lines(&text).into_owned()
}

/// A file with an expected plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Text,
    Markdown,
    Json,
}

/// A difference between a file and the plan.
#[derive(Debug)]
struct Difference {
    file: PathBuf,
    /// The content of the file; `None` if it does not exist.
    expected: Option<String>,
    /// The plan for comparison, with the expected tool version.
    planned: String,
    /// The text to write when the plan is accepted.
    accepted: String,
}

impl Expected {
    const ALL: [Self; 3] = [Self::Text, Self::Markdown, Self::Json];

    fn file(self) -> &'static str {
        match self {
            Self::Text => PLAN,
            Self::Markdown => "plan.md",
            Self::Json => "plan.json",
        }
    }

    fn render(self, plan: &Plan) -> String {
        match self {
            Self::Text => {
                let detail = Detail::Full;
                let options = TextOptions {
                    detail,
                    ..TextOptions::default()
                };
                render::text(plan, &options)
            }
            Self::Markdown => render::markdown(plan, &MarkdownOptions::default()),
            Self::Json => render::json(plan),
        }
    }

    /// Compares one file. Only `plan.txt` is required.
    fn compare(self, case: &Path, plan: &Plan) -> Result<Option<Difference>, String> {
        let file = case.join(self.file());
        let is_there = file.exists();
        let expected = is_there.then(|| input::text(&file, input::MAX_BYTES));
        // A checkout may have changed the line endings.
        let expected = expected
            .transpose()
            .map_err(|failure| failure_text(&failure))?
            .map(normalize_line_endings);
        if expected.is_none() && self != Self::Text {
            return Ok(None);
        }
        let accepted = self.render(plan);
        let planned = match &expected {
            Some(expected) if self == Self::Json => self.render(&as_if_made_by(plan, expected)),
            _ => accepted.clone(),
        };
        let difference = Difference {
            file,
            expected,
            planned,
            accepted,
        };
        Ok(Some(difference).filter(Difference::is_difference))
    }
}

/// The plan with the tool version of the expected plan, so that versions are not compared.
fn as_if_made_by(plan: &Plan, expected: &str) -> Plan {
    #[derive(serde::Deserialize)]
    struct Version {
        tool_version: String,
    }
    let mut plan = plan.clone();
    if let Ok(version) = serde_json::from_str::<Version>(expected) {
        plan.tool_version = version.tool_version;
    }
    plan
}

impl Difference {
    fn is_difference(&self) -> bool {
        self.expected.as_ref() != Some(&self.planned)
    }

    fn text(&self) -> String {
        let file = self.file.display();
        let what = match self.expected {
            Some(_) => format!("Differs: {file}"),
            None => format!("Missing: {file}"),
        };
        let expected = self.expected.as_deref().unwrap_or_default();
        let diff = render::unified(
            (&format_args!("{file} (expected)"), expected),
            (&"the plan", &self.planned),
            Color::Always,
        );
        format!("{}\n{diff}\n", escape(&what))
    }
}

/// `12 cases: 10 as expected, 1 differs, 1 cannot be planned.`
fn summary(verdicts: &[Verdict]) -> String {
    let count = |verdict| verdicts.iter().filter(|it| **it == verdict).count() as u64;
    let differing = count(Verdict::Differs);
    let mut parts = vec![format!(
        "{} as expected",
        render::thousands(count(Verdict::AsExpected))
    )];
    for (count, word) in [
        (count(Verdict::Accepted), "accepted"),
        (differing, if differing == 1 { "differs" } else { "differ" }),
        (count(Verdict::Unplannable), "cannot be planned"),
    ] {
        if count > 0 {
            parts.push(format!("{} {word}", render::thousands(count)));
        }
    }
    let cases = render::counted(verdicts.len() as u64, "case");
    format!("{cases}: {}.\n", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_leaves_out_zeros() {
        use Verdict::{Accepted, AsExpected, Differs, Unplannable};
        for (verdicts, text) in [
            (&[AsExpected][..], "1 case: 1 as expected.\n"),
            (&[Differs], "1 case: 0 as expected, 1 differs.\n"),
            (
                &[Unplannable, AsExpected, Differs, Differs],
                "4 cases: 1 as expected, 2 differ, 1 cannot be planned.\n",
            ),
            (
                &[Accepted, AsExpected],
                "2 cases: 1 as expected, 1 accepted.\n",
            ),
        ] {
            assert_eq!(summary(verdicts), text);
        }
    }
}

//! `init`: a new project that works immediately.
//!
//! Writes all files or none, and never overwrites one. The pipelines are the files of `examples/ci`; the other texts
//! are in `cli/init/`.

use super::command_line::variable;
use super::exit::{Exit, Failure};
use super::input;
use super::label_files::{self, shown};
use super::output;
use crate::manifest::{Header, TargetSpec, write};
use crate::model::{Owner, Policy, SetName, UserId};
use crate::schemas;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const HEADER: &str = include_str!("init/annosync.yaml");
/// The line of the header that names the set.
const SET: &str = "set: my-labels\n";
/// The line of the user's app, and the placeholders in it.
const TARGET: &str = "  prod: { user_id: your-user-id, app_id: your-app-id }\n";
const NO_USER: &str = "your-user-id";
const NO_APP: &str = "your-app-id";
/// The line of the owners, if the user is not known.
const OWNERS: &str = "# owners: [your-user-id]\n";
const EXAMPLE: &str = include_str!("init/example.yaml");
/// Files to which missing lines are added if they exist.
const LISTS: [(&str, &str); 2] = [
    (".gitattributes", include_str!("init/gitattributes")),
    (".gitignore", include_str!("init/gitignore")),
];
/// The pipelines with their paths.
const GITHUB: [(&str, &str); 3] = [
    (
        ".github/workflows/annosync-plan.yml",
        include_str!("../../examples/ci/github/plan.yml"),
    ),
    (
        ".github/workflows/annosync-apply.yml",
        include_str!("../../examples/ci/github/apply.yml"),
    ),
    (
        ".github/workflows/annosync-drift.yml",
        include_str!("../../examples/ci/github/drift.yml"),
    ),
];
const GITLAB: [(&str, &str); 1] = [(
    ".gitlab-ci.yml",
    include_str!("../../examples/ci/gitlab/.gitlab-ci.yml"),
)];
/// Other names of a header: a manifest may have only one.
const OTHER_HEADERS: [&str; 2] = ["annosync.yml", "annosync.json"];
/// The set's name if the folder's name has no usable character.
const DEFAULT_SET: &str = "labels";
const MAX_NAME_LENGTH: usize = 40;

/// Write a manifest, an example and CI pipelines
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The project's folder; created if missing
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Name of the label set, 1 to 40 of a-z, 0-9 and -; default: made from the folder's name
    #[arg(long, value_name = "NAME")]
    set: Option<String>,
    /// CI systems to write pipelines for
    #[arg(long, value_enum, value_name = "SYSTEM", default_value = "all")]
    ci: Vec<Ci>,
    /// The app's owner, for the target and `owners` [env: CLARIFAI_USER_ID]
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// The app, for the target [env: CLARIFAI_APP_ID]
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum Ci {
    /// Every supported system
    All,
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
    /// No pipelines
    None,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let systems: BTreeSet<Ci> = args.ci.iter().copied().collect();
    if systems.contains(&Ci::None) && systems.len() > 1 {
        return Err(Failure::usage("--ci none excludes every other --ci"));
    }
    let set = set_name(args)?;
    let app = App::of(args)?;
    let missing = missing(&args.folder, project(&set, &app, &systems))?;
    let lists = lists(&args.folder)?;
    // Files of the manifest; hidden ones are for other programs.
    let own: Vec<PathBuf> = (missing.iter().map(|(name, _)| name))
        .filter(|name| !name.starts_with('.'))
        .map(|name| args.folder.join(name))
        .collect();
    label_files::refuse_excluded(&args.folder, own.iter().map(PathBuf::as_path))?;
    let texts = missing.iter().map(|(name, text)| (*name, text.as_bytes()));
    let lists = lists.iter().map(|list| (list.name, list.after.as_slice()));
    let all = texts.chain(lists);
    let mut written =
        label_files::write(all.map(|(name, content)| (args.folder.join(name), content)))?;
    written.sort();
    for path in &written {
        output::result(&format!("{}\n", shown(path).display()))?;
    }
    if written.is_empty() {
        output::message("All files exist already; nothing was written.");
    }
    print_next_steps(&args.folder, &systems);
    Ok(Exit::Done)
}

/// The ids of the user's app, as far as known.
#[derive(Debug, Default)]
struct App {
    owner: Option<UserId>,
    id: Option<String>,
}

impl App {
    /// From flags or the environment. `me` is an alias, not an id.
    fn of(args: &Args) -> Result<Self, Failure> {
        let known = |flag: &Option<String>, name| flag.clone().or_else(|| variable(name));
        let owner = known(&args.user_id, "CLARIFAI_USER_ID").filter(|id| id != "me");
        let owner = owner.map(UserId::new).transpose();
        Ok(Self {
            owner: owner.map_err(|error| Failure::usage(format!("the user's id: {error}")))?,
            id: known(&args.app_id, "CLARIFAI_APP_ID"),
        })
    }

    /// The header's lines for the target and the owners.
    fn lines(&self, set: &SetName) -> [String; 2] {
        let placeholder = || UserId::new(NO_USER).expect("the placeholder is a valid id");
        let mut header = Header::new(set.clone(), Policy::Sync);
        header.targets.insert(
            "prod".to_owned(),
            TargetSpec::App {
                user_id: self.owner.clone().unwrap_or_else(placeholder),
                app_id: self.id.clone().unwrap_or_else(|| NO_APP.to_owned()),
                endpoint: None,
                rate_limit: None,
            },
        );
        if let Some(owner) = &self.owner {
            header.owners = BTreeSet::from([Owner::User(owner.clone())]);
        }
        ["  prod:", "owners:"]
            .map(|start| line_of(&header, start).unwrap_or_else(|| OWNERS.to_owned()))
    }
}

/// A line of a header, quoted as the manifest writer does.
fn line_of(header: &Header, start: &str) -> Option<String> {
    let text = write::write_header(header);
    let line = text.lines().find(|line| line.starts_with(start))?;
    Some(format!("{line}\n"))
}

/// The set's name from --set or the folder.
fn set_name(args: &Args) -> Result<SetName, Failure> {
    if let Some(name) = &args.set {
        return SetName::new(name.as_str()).map_err(|error| {
            Failure::usage(format!("`{name}` is not a valid set name: {error}"))
                .hint("use 1 to 40 of a-z, 0-9 and -, for example --set street")
        });
    }
    let folder =
        fs::canonicalize(&args.folder).or_else(|_| std::path::absolute(args.folder.as_path()));
    let name = folder.ok().and_then(|folder| {
        let name = folder.file_name()?.to_string_lossy().into_owned();
        Some(name)
    });
    Ok(named_after(&name.unwrap_or_default()))
}

/// A set name made from a folder's name: lower case, with `-` for each run of other characters.
pub(super) fn named_after(folder: &str) -> SetName {
    let mut name = String::new();
    for character in folder.chars().map(|c| c.to_ascii_lowercase()) {
        if character.is_ascii_lowercase() || character.is_ascii_digit() {
            name.push(character);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(MAX_NAME_LENGTH);
    let name = match name.trim_matches('-') {
        "" => DEFAULT_SET,
        name => name,
    };
    SetName::new(name).expect("only valid characters were kept, up to the maximum")
}

/// The project's files except the lists, with their paths relative to the folder.
fn project(set: &SetName, app: &App, systems: &BTreeSet<Ci>) -> Vec<(&'static str, String)> {
    let line = line_of(&Header::new(set.clone(), Policy::Sync), "set:");
    let line = line.expect("a header names its set");
    let [target, owners] = app.lines(set);
    let header = HEADER
        .replacen(SET, &line, 1)
        .replacen(TARGET, &target, 1)
        .replacen(OWNERS, &owners, 1);
    let mut files = vec![
        (
            ".annosync/manifest.schema.json",
            schemas::MANIFEST.to_owned(),
        ),
        ("annosync.yaml", header),
        ("labels/example.yaml", EXAMPLE.to_owned()),
    ];
    let all = systems.contains(&Ci::All);
    if all || systems.contains(&Ci::Github) {
        files.extend(GITHUB.map(|(path, text)| (path, text.to_owned())));
    }
    if all || systems.contains(&Ci::Gitlab) {
        files.extend(GITLAB.map(|(path, text)| (path, text.to_owned())));
    }
    files
}

/// The files that do not exist yet. An existing file with other content is an error.
fn missing(
    folder: &Path,
    files: Vec<(&'static str, String)>,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut missing = Vec::new();
    let mut conflicting: Vec<&str> = Vec::new();
    for other in OTHER_HEADERS {
        if folder.join(other).exists() {
            conflicting.push(other);
        }
    }
    for (name, text) in files {
        let path = folder.join(name);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push((name, text)),
            Ok(_)
                if path.is_file()
                    && input::bytes(&path, input::MAX_BYTES)
                        .is_ok_and(|there| there == text.as_bytes()) => {}
            _ => conflicting.push(name),
        }
    }
    if conflicting.is_empty() {
        return Ok(missing);
    }
    conflicting.sort_unstable();
    let list = conflicting.iter().fold(String::new(), |list, name| {
        format!("{list}\n  {}", shown(&folder.join(name)).display())
    });
    Err(Failure::new(format!(
        "init does not overwrite files, and these exist with different content:{list}"
    ))
    .hint("nothing was written; move them away, choose another folder, or leave out pipelines with --ci"))
}

/// The new content of a list file.
pub(super) struct List {
    pub(super) name: &'static str,
    pub(super) after: Vec<u8>,
}

/// The lists of a project to which lines have to be added.
pub(super) fn lists(folder: &Path) -> Result<Vec<List>, Failure> {
    let mut lists = Vec::new();
    for (name, lines) in LISTS {
        lists.extend(completed(folder, name, lines)?);
    }
    Ok(lists)
}

/// A list with its missing lines added; `None` if no line is missing.
fn completed(folder: &Path, name: &'static str, lines: &str) -> Result<Option<List>, Failure> {
    let path = folder.join(name);
    if path
        .symlink_metadata()
        .is_err_and(|error| error.kind() == ErrorKind::NotFound)
    {
        let after = lines.as_bytes().to_vec();
        return Ok(Some(List { name, after }));
    }
    let is_file = path.metadata().is_ok_and(|known| known.is_file());
    let before = if is_file {
        input::bytes(&path, input::MAX_BYTES)
    } else {
        Err(Failure::new(format!("{} is not a file", path.display())))
    };
    let before = before.map_err(|failure| failure.hint("nothing was written"))?;
    let there = String::from_utf8_lossy(&before).into_owned();
    let there: BTreeSet<&str> = there.lines().map(str::trim_end).collect();
    let lines: Vec<&str> = lines.lines().filter(|line| !there.contains(line)).collect();
    if lines.iter().all(|line| line.starts_with('#')) {
        return Ok(None);
    }
    let mut after = before.clone();
    if !after.is_empty() && !after.ends_with(b"\n") {
        after.push(b'\n');
    }
    for line in lines {
        after.extend_from_slice(line.as_bytes());
        after.push(b'\n');
    }
    Ok(Some(List { name, after }))
}

/// Prints what to do next.
fn print_next_steps(folder: &Path, systems: &BTreeSet<Ci>) {
    let path = match folder.to_string_lossy() {
        here if here == "." => String::new(),
        path => format!(" {}", quoted(&path)),
    };
    output::message(&format!(
        "Try it; the example goes to a store in this folder:\n  \
         annosync validate{path}\n  \
         annosync plan{path}\n  \
         annosync apply{path} --auto-approve\n\
         Then write your app's ids under targets: in annosync.yaml, and pass --target prod."
    ));
    if systems.contains(&Ci::None) {
        return;
    }
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let repository = folder
        .ancestors()
        .find(|above| above.join(".git").exists())
        .filter(|root| *root != folder);
    if let Some(root) = repository {
        output::message(&format!(
            "CI systems read pipelines only at the root of the repository: move them to {}, and name this folder in their commands.",
            root.display()
        ));
    }
}

/// Quotes a path for a shell.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_name_is_made_from_the_folders_name() {
        for (folder, set) in [
            ("street", "street"),
            ("Street Labels (2026)", "street-labels-2026"),
            ("__x__", "x"),
            ("äöü", "labels"),
            ("", "labels"),
            (
                &"ab-".repeat(20),
                "ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-a",
            ),
            (&format!("{}-b", "a".repeat(39)), &"a".repeat(39)),
        ] {
            assert_eq!(named_after(folder).as_str(), set, "{folder}");
        }
    }

    #[test]
    fn the_set_name_is_quoted_if_yaml_would_read_another_type() {
        for set in ["street", "123", "1e5", "no", "null", "2026-01-01"] {
            let files = project(
                &SetName::new(set).unwrap(),
                &App::default(),
                &BTreeSet::from([Ci::None]),
            );
            let text = files
                .iter()
                .filter(|(name, _)| ["annosync.yaml", "labels/example.yaml"].contains(name))
                .map(|(name, text)| (PathBuf::from(name), text.clone()))
                .collect();
            let manifest = crate::manifest::parse(text).unwrap();
            assert_eq!(manifest.desired.set.as_str(), set);
        }
    }

    #[test]
    fn a_path_with_special_characters_is_quoted() {
        assert_eq!(quoted("../a-b/c.d"), "../a-b/c.d");
        assert_eq!(quoted("my labels"), "'my labels'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}

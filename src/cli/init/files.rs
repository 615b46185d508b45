//! The files of a new project, except the lists and the imported labels.

use super::lists::named_after;
use crate::cli::command_line::variable;
use crate::cli::exit::Failure;
use crate::cli::input;
use crate::cli::label_files::shown;
use crate::manifest::{Header, TargetSpec, write};
use crate::model::{ConceptId, Owner, Policy, SetName, UserId};
use crate::schemas;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The path of the header.
pub(super) const HEADER_FILE: &str = "annosync.yaml";
const HEADER: &str = include_str!("annosync.yaml");
/// The line of the header that names the set.
const SET: &str = "set: my-labels\n";
/// The line of the policy.
const POLICY: &str = "policy: sync\n";
/// The line of the label files.
const FILES: &str = "files: [\"labels/**\"]\n";
const LABELS_ARE: &str = "The labels are in labels/.";
/// The line of the user's app, and the placeholders in it.
const TARGET: &str = "  prod: { user_id: your-user-id, app_id: your-app-id }\n";
const NO_USER: &str = "your-user-id";
const NO_APP: &str = "your-app-id";
/// The line of the concepts, which are those of the example.
const VOCABULARY: &str = "vocabulary: [car, night, person, street, tree]\n";
/// The line of the owners, if the user is not known.
const OWNERS: &str = "# owners: [your-user-id]\n";
const EXAMPLE: &str = include_str!("example.yaml");
/// The pipelines with their paths.
const GITHUB: [(&str, &str); 3] = [
    (
        ".github/workflows/annosync-plan.yml",
        include_str!("../../../examples/ci/github/plan.yml"),
    ),
    (
        ".github/workflows/annosync-apply.yml",
        include_str!("../../../examples/ci/github/apply.yml"),
    ),
    (
        ".github/workflows/annosync-drift.yml",
        include_str!("../../../examples/ci/github/drift.yml"),
    ),
];
const GITLAB: [(&str, &str); 1] = [(
    ".gitlab-ci.yml",
    include_str!("../../../examples/ci/gitlab/.gitlab-ci.yml"),
)];
/// Other names of a header: a manifest may have only one.
const OTHER_HEADERS: [&str; 2] = ["annosync.yml", "annosync.json"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(super) enum Ci {
    /// Every supported system
    All,
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
    /// No pipelines
    None,
}

/// A file with its path in the project's folder.
pub(super) type NewFile = (&'static str, String);

/// What the files of a project are made from.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) set: SetName,
    pub(super) app: App,
    pub(super) systems: BTreeSet<Ci>,
}

/// What the header says about imported labels.
#[derive(Debug)]
pub(super) struct Labels {
    /// Their folder.
    pub(super) folder: &'static str,
    pub(super) vocabulary: BTreeSet<ConceptId>,
    /// Whether nothing was left out: only then may a plan delete.
    pub(super) are_complete: bool,
}

impl Project {
    /// Every file of a project with the example.
    pub(super) fn files(&self) -> Vec<NewFile> {
        let mut files = vec![
            (HEADER_FILE, self.header(None)),
            ("labels/example.yaml", EXAMPLE.to_owned()),
        ];
        files.extend(self.other_files());
        files
    }

    /// The schema and the pipelines.
    pub(super) fn other_files(&self) -> Vec<NewFile> {
        let schema = schemas::MANIFEST.to_owned();
        let mut files = vec![(".annosync/manifest.schema.json", schema)];
        let all = self.systems.contains(&Ci::All);
        if all || self.systems.contains(&Ci::Github) {
            files.extend(GITHUB.map(|(path, text)| (path, text.to_owned())));
        }
        if all || self.systems.contains(&Ci::Gitlab) {
            files.extend(GITLAB.map(|(path, text)| (path, text.to_owned())));
        }
        files
    }

    /// The header, for the example or for imported labels.
    pub(super) fn header(&self, labels: Option<&Labels>) -> String {
        let line = line_of(&Header::new(self.set.clone(), Policy::Sync), "set:");
        let line = line.expect("a header names its set");
        let [target, owners] = self.app.lines(&self.set);
        let header = HEADER
            .replacen(SET, &line, 1)
            .replacen(TARGET, &target, 1)
            .replacen(OWNERS, &owners, 1);
        let Some(labels) = labels else {
            return header;
        };
        let policy = if labels.are_complete {
            POLICY
        } else {
            "# The import left something out, so this one deletes nothing.\npolicy: upsert\n"
        };
        let folder = labels.folder;
        header
            .replacen(POLICY, policy, 1)
            .replacen(LABELS_ARE, &format!("The labels are in {folder}/."), 1)
            .replacen(FILES, &format!("files: [\"{folder}/**\"]\n"), 1)
            .replacen(VOCABULARY, &vocabulary(&labels.vocabulary), 1)
    }
}

/// The lines of the vocabulary; without concepts, a comment.
fn vocabulary(concepts: &BTreeSet<ConceptId>) -> String {
    if concepts.is_empty() {
        return "# vocabulary: [car, person]\n".to_owned();
    }
    let mut header = Header::new(named_after(""), Policy::Sync);
    header.vocabulary = Some(concepts.iter().cloned().collect());
    let text = write::write_header(&header);
    // The other fields have defaults, and are not written.
    let start = text.find("\nvocabulary:").map_or(text.len(), |at| at + 1);
    text[start..].to_owned()
}

/// The ids of the user's app, as far as known.
#[derive(Debug, Default)]
pub(super) struct App {
    pub(super) owner: Option<UserId>,
    pub(super) id: Option<String>,
}

impl App {
    /// From flags or the environment. `me` is an alias, not an id.
    pub(super) fn of(user_id: Option<&str>, app_id: Option<&str>) -> Result<Self, Failure> {
        let known = |flag: Option<&str>, name| flag.map(str::to_owned).or_else(|| variable(name));
        let owner = known(user_id, "CLARIFAI_USER_ID").filter(|id| id != "me");
        let owner = owner.map(UserId::new).transpose();
        Ok(Self {
            owner: owner.map_err(|error| Failure::usage(format!("the user's id: {error}")))?,
            id: known(app_id, "CLARIFAI_APP_ID"),
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

/// The files that do not exist yet. An existing file with other content is an error.
pub(super) fn missing(folder: &Path, files: Vec<NewFile>) -> Result<Vec<NewFile>, Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn project(set: &str) -> Project {
        Project {
            set: SetName::new(set).unwrap(),
            app: App::default(),
            systems: BTreeSet::from([Ci::None]),
        }
    }

    #[test]
    fn the_set_name_is_quoted_if_yaml_would_read_another_type() {
        for set in ["street", "123", "1e5", "no", "null", "2026-01-01"] {
            let files = project(set).files();
            let text = files
                .iter()
                .filter(|(name, _)| [HEADER_FILE, "labels/example.yaml"].contains(name))
                .map(|(name, text)| (PathBuf::from(name), text.clone()))
                .collect();
            let manifest = crate::manifest::parse(text).unwrap();
            assert_eq!(manifest.desired.set.as_str(), set);
        }
    }

    #[test]
    fn the_header_says_what_was_imported() {
        let concepts = ["no", "car", "a: b"].map(|it| ConceptId::new(it).unwrap());
        let mut labels = Labels {
            folder: "inputs",
            vocabulary: concepts.into(),
            are_complete: true,
        };
        let read = |labels: &Labels| {
            let header = project("street").header(Some(labels));
            let inputs = ("inputs/a.yaml".into(), "inputs: []\n".to_owned());
            crate::manifest::parse(vec![(HEADER_FILE.into(), header), inputs]).unwrap()
        };
        let manifest = read(&labels);
        assert_eq!(manifest.desired.policy, Policy::Sync);
        let names = |manifest: &crate::manifest::Manifest| {
            let concepts = manifest.vocabulary.iter().flatten();
            concepts
                .map(|it| it.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&manifest), ["a: b", "car", "no"]);
        labels.are_complete = false;
        labels.vocabulary = (0..100)
            .map(|at| ConceptId::new(format!("concept {at:03}")).unwrap())
            .collect();
        let manifest = read(&labels);
        assert_eq!(manifest.desired.policy, Policy::Upsert);
        assert_eq!(names(&manifest).len(), 100);
        labels.vocabulary.clear();
        assert_eq!(read(&labels).vocabulary, None);
    }
}

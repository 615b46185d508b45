//! `init`: a new project that works immediately, with an example or with imported labels.
//!
//! Writes all files or none, and never overwrites one. The pipelines are the files of `examples/ci`; the other texts
//! are in `cli/init/`.

mod files;
mod from;
pub(super) mod lists;
mod questions;
mod remote;

use super::exit::{Exit, Failure};
use super::import::Content;
use super::label_files::{self, shown};
use super::{output, values};
use crate::formats::Format;
use crate::model::SetName;
use files::{App, Ci, Project, missing};
use from::From;
use lists::{lists, named_after};
use questions::Open;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Write a manifest with an example or imported labels, and CI pipelines
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The project's folder; created if missing
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Start with the labels of these files or folders of another tool instead of the example, and print the first plan;
    /// repeatable. In a terminal, asks for what no flag says
    #[arg(long, value_name = "PATH")]
    from: Vec<PathBuf>,
    /// The format of --from; recognised if not given
    #[arg(long, value_parser = values::format(), requires = "from")]
    format: Option<Format>,
    /// Name of the label set, 1 to 40 of a-z, 0-9 and -; default: made from the folder's name
    #[arg(long, value_name = "NAME")]
    set: Option<String>,
    /// CI systems to write pipelines for; default: that of the git repository's remote, else all
    #[arg(long, value_enum, value_name = "SYSTEM")]
    ci: Vec<Ci>,
    /// The app's owner, for the target and `owners` [env: CLARIFAI_USER_ID]
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// The app, for the target [env: CLARIFAI_APP_ID]
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    #[command(flatten, next_help_heading = "Labels of --from")]
    content: Content,
}

/// The command, whose options of an import need --from.
pub(super) fn with_requirements(init: clap::Command) -> clap::Command {
    let options = <Content as clap::Args>::augment_args(clap::Command::new("import"));
    let ids: BTreeSet<_> = options
        .get_arguments()
        .map(|it| it.get_id().clone())
        .collect();
    init.mut_args(|arg| {
        if ids.contains(arg.get_id()) {
            arg.requires("from")
        } else {
            arg
        }
    })
}

pub(crate) async fn run(args: &Args) -> Result<Exit, Failure> {
    let mut systems: BTreeSet<Ci> = args.ci.iter().copied().collect();
    if systems.contains(&Ci::None) && systems.len() > 1 {
        return Err(Failure::usage("--ci none excludes every other --ci"));
    }
    if systems.is_empty() {
        systems = remote::systems(&args.folder);
    }
    let project = Project {
        set: set_name(args)?,
        app: App::of(args.user_id.as_deref(), args.app_id.as_deref())?,
        systems,
    };
    if args.from.is_empty() {
        return with_example(&args.folder, &project);
    }
    let from = From {
        folder: &args.folder,
        paths: &args.from,
        format: args.format,
        content: &args.content,
        open: Open {
            set: args.set.is_none(),
            systems: args.ci.is_empty(),
        },
    };
    let (project, exit) = from::run(&from, project).await?;
    let path = shell_path(&args.folder);
    let target = match project.app.id {
        Some(_) => "Then apply to your app with --target prod",
        None => "Then write your app's ids under targets: in annosync.yaml, and pass --target prod",
    };
    output::message(&format!(
        "Next, apply this to the store in this folder:\n  annosync apply{path} --auto-approve\n{target}."
    ));
    print_place_of_pipelines(&args.folder, &project.systems);
    Ok(exit)
}

/// Writes a project with the example.
fn with_example(folder: &Path, project: &Project) -> Result<Exit, Failure> {
    let missing = missing(folder, project.files())?;
    let lists = lists(folder)?;
    // Files of the manifest; hidden ones are for other programs.
    let own: Vec<PathBuf> = (missing.iter().map(|(name, _)| name))
        .filter(|name| !name.starts_with('.'))
        .map(|name| folder.join(name))
        .collect();
    label_files::refuse_excluded(folder, own.iter().map(PathBuf::as_path))?;
    let texts = missing.iter().map(|(name, text)| (*name, text.as_bytes()));
    let lists = lists.iter().map(|list| (list.name, list.after.as_slice()));
    let all = texts.chain(lists);
    let mut written = label_files::write(all.map(|(name, content)| (folder.join(name), content)))?;
    written.sort();
    for path in &written {
        output::result(&format!("{}\n", shown(path).display()))?;
    }
    if written.is_empty() {
        output::message("All files exist already; nothing was written.");
    }
    let path = shell_path(folder);
    output::message(&format!(
        "Try it; the example goes to a store in this folder:\n  \
         annosync validate{path}\n  \
         annosync plan{path}\n  \
         annosync apply{path} --auto-approve\n\
         Then write your app's ids under targets: in annosync.yaml, and pass --target prod."
    ));
    print_place_of_pipelines(folder, &project.systems);
    Ok(Exit::Done)
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

/// The folder as an argument of a printed command.
fn shell_path(folder: &Path) -> String {
    match folder.to_string_lossy() {
        here if here == "." => String::new(),
        path => format!(" {}", quoted(&path)),
    }
}

/// Says where CI systems read pipelines, if it is not this folder.
fn print_place_of_pipelines(folder: &Path, systems: &BTreeSet<Ci>) {
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
    fn a_path_with_special_characters_is_quoted() {
        assert_eq!(quoted("../a-b/c.d"), "../a-b/c.d");
        assert_eq!(quoted("my labels"), "'my labels'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}

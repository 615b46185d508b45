//! The manifest that an import is written to: an existing one, or a new one.

use super::options::{Common, Form};
use crate::cli::exit::Failure;
use crate::cli::init::lists::{lists, named_after};
use crate::cli::label_files;
use crate::cli::output;
use crate::cli::tracked::tracked;
use crate::cli::validate::{Files, problem_text, refuse_missing, root_above};
use crate::manifest::write::{write_header, write_json, write_jsonl, write_yaml};
use crate::manifest::{self, Format, HEADER_FILES, Header, Manifest, Overlay, TargetSpec};
use crate::model::{InputId, Policy};
use crate::pull::{Change, FileChange, Incoming, Layout, Merged, NewInputs, Pulled};
use crate::render::{counted, thousands};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// Where new inputs are written.
pub(crate) enum Out {
    /// One file per input in this folder.
    Folder(PathBuf),
    /// All inputs in this file.
    File(PathBuf),
}

impl Out {
    fn in_folder(folder: &Path, form: Form) -> Self {
        match form {
            Form::Jsonl => Self::File(folder.join("imported.jsonl")),
            Form::Yaml => Self::Folder(folder.to_owned()),
        }
    }

    pub(super) fn new_inputs(&self) -> NewInputs<'_> {
        match self {
            Self::Folder(folder) => NewInputs::InFolder(folder),
            Self::File(file) => NewInputs::InFile(file),
        }
    }
}

pub(crate) struct Project {
    /// The manifest's folder.
    pub(super) root: PathBuf,
    pub(super) out: Out,
    /// The text of a new header; `None` if the manifest has one.
    header: Option<String>,
    /// Other files of a new project, which are written with the labels.
    others: Vec<(PathBuf, String)>,
}

impl Project {
    /// A new manifest in the folder `root`, with this header and its labels in the folder `labels`.
    pub(crate) fn new(
        root: PathBuf,
        labels: &Path,
        form: Form,
        header: String,
        others: Vec<(PathBuf, String)>,
    ) -> Self {
        Self {
            root,
            out: Out::in_folder(labels, form),
            header: Some(header),
            others,
        }
    }

    pub(super) fn find(common: &Common, is_complete: bool) -> Result<Self, Failure> {
        let format = Format::of(&common.out);
        let is_file = format.is_some() && !common.out.is_dir();
        if is_file && common.format == Form::Jsonl && format != Some(Format::JsonLines) {
            return Err(Failure::usage(format!(
                "--format jsonl does not fit {}",
                common.out.display()
            ))
            .hint("name a folder, or a file that ends in .jsonl"));
        }
        let cannot = |error| Failure::new(format!("cannot find the current folder: {error}"));
        let here = normal(&std::env::current_dir().map_err(cannot)?);
        let out = normal(&std::path::absolute(&common.out).map_err(cannot)?);
        let folder = match out.parent() {
            Some(parent) if is_file => parent.to_owned(),
            _ => out.clone(),
        };
        let known = root_above(&folder);
        let is_new = known.is_none();
        let root = known.unwrap_or_else(|| {
            if folder.starts_with(&here) {
                here.clone()
            } else {
                folder.clone()
            }
        });
        let below = out.strip_prefix(&root).unwrap_or(Path::new("")).to_owned();
        let header = if is_new {
            Some(new_header(common, &root, &below, is_file, is_complete)?)
        } else if common.set.is_some() {
            return Err(
                Failure::usage("--set is for a new header, and there is one already")
                    .hint("change `set` in the header"),
            );
        } else {
            None
        };
        // Messages show paths relative to the current folder.
        let root = match root.strip_prefix(&here) {
            Ok(below) if below.as_os_str().is_empty() => PathBuf::from("."),
            Ok(below) => below.to_owned(),
            Err(_) => root,
        };
        let place = root.join(&below);
        let out = if is_file {
            Out::File(place)
        } else {
            Out::in_folder(&place, common.format)
        };
        Ok(Self {
            root,
            out,
            header,
            others: Vec::new(),
        })
    }

    pub(super) fn is_new(&self) -> bool {
        self.header.is_some()
    }

    fn header_path(&self) -> PathBuf {
        self.root.join(HEADER_FILES[0])
    }

    /// Stand-ins for files that do not exist yet: the header, and the file of new inputs. Without the latter, a pattern of
    /// the header could match no file.
    pub(super) fn placeholders(&self) -> Overlay {
        let mut overlay = Overlay::new();
        if let Some(header) = &self.header {
            overlay.insert(self.header_path(), header.clone().into_bytes());
        }
        let place = self.new_inputs_file();
        if !place.exists() {
            let nothing = match Format::of(&place) {
                Some(Format::JsonLines) => write_jsonl(&[]),
                Some(Format::Json) => write_json(&[]),
                _ => write_yaml(&[]),
            };
            overlay.insert(place, nothing.into_bytes());
        }
        overlay
    }

    fn new_inputs_file(&self) -> PathBuf {
        match &self.out {
            Out::File(file) => file.clone(),
            Out::Folder(folder) => {
                let names = (0..).map(|at: u32| folder.join(format!("annosync-import-{at}.yaml")));
                let mut free = names.filter(|path| !path.exists());
                free.next().expect("a folder does not hold every name")
            }
        }
    }

    pub(super) fn load(
        &self,
        files: Files,
        base: &Overlay,
        file: &Path,
    ) -> Result<Manifest, Failure> {
        let read = manifest::load_tracked(&self.root, base, files.access(), &tracked);
        let manifest = read.map_err(|problems| {
            output::styled_message(&problem_text(&problems));
            let is_read = problems.iter().any(|problem| same_file(&problem.path, file));
            Failure::new("the existing manifest has problems; nothing was written").hint(
                if is_read {
                    "the imported file is in the manifest's folder and is read as part of it: move it, or list only the label files under `files:` in the header"
                } else {
                    "fix it first, or import into another folder"
                },
            )
        })?;
        // Inputs that a missing file declares would be imported as new.
        refuse_missing(&manifest, files)?;
        Ok(manifest)
    }

    /// Refuses an --out that is not part of the manifest: it would be written and never read.
    pub(super) fn check_place(&self, manifest: &Manifest) -> Result<(), Failure> {
        let place = self.new_inputs_file();
        if manifest.files().any(|file| file == place) {
            return Ok(());
        }
        label_files::refuse_excluded(&self.root, [place.as_path()])?;
        let shown = match &self.out {
            Out::Folder(folder) => folder,
            Out::File(file) => file,
        };
        Err(Failure::new(format!(
            "{} is not part of the manifest in {}: its `files:` exclude it",
            shown.display(),
            self.root.display()
        ))
        .hint("choose another --out, or add it to `files:` in the header; nothing was written"))
    }

    /// Writes the files, and the header and .gitignore of a new manifest; then prints a summary.
    pub(super) fn finish(
        &self,
        files: Files,
        pulled: &mut Pulled,
        merged: &Merged,
        incoming: &[Incoming],
    ) -> Result<(), Failure> {
        let labels = pulled.files.len() as u64;
        if let Some(header) = &self.header {
            pulled.files.push(FileChange {
                path: self.header_path(),
                content: header.clone().into_bytes(),
                change: Change::Header,
            });
        }
        label_files::check(&self.root, &pulled.files)?;
        let lists = if self.is_new() {
            lists(&self.root)?
        } else {
            Vec::new()
        };
        let lists = lists
            .iter()
            .map(|list| (self.root.join(list.name), list.after.as_slice()));
        let others = self.others.iter();
        let lists = lists.chain(others.map(|(path, text)| (path.clone(), text.as_bytes())));
        // The header is last: an interrupted import leaves no manifest rather than half of one.
        let all = lists
            .chain((pulled.files.iter()).map(|file| (file.path.clone(), file.content.as_slice())));
        label_files::write(all)?;
        output::result(&summary(labels, merged))?;
        for file in &pulled.files {
            if let Change::Changed {
                layout: Layout::Rewritten,
                ..
            } = file.change
            {
                output::message(&format!(
                    "warning: {} was rewritten, because its layout could not be kept; check git diff for lost comments",
                    file.path.display()
                ));
            }
        }
        if self.is_new() {
            let path = self.header_path();
            let path = path
                .strip_prefix(".")
                .unwrap_or(&path)
                .display()
                .to_string();
            output::result(&format!("Wrote {path}: read it before you apply.\n"))?;
        }
        if pulled.files.is_empty() {
            return Ok(());
        }
        let is_as_intended = manifest::load_with(&self.root, &Overlay::new(), files.access())
            .is_ok_and(|read| incoming.iter().all(|it| declares(&read, &it.input.id)));
        if is_as_intended {
            return Ok(());
        }
        Err(
            Failure::new("the written files do not give the intended manifest").hint(
                "check them with `annosync validate`; `annosync validate --files` lists the files of the manifest",
            ),
        )
    }
}

pub(super) fn declares(manifest: &Manifest, input: &InputId) -> bool {
    manifest.desired.input(input).is_some()
}

fn summary(files: u64, merged: &Merged) -> String {
    let counts = |words: &[(u64, &str)]| {
        let words = words.iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = words
            .map(|(count, word)| format!("{} {word}", thousands(*count)))
            .collect();
        words.join(", ")
    };
    let inputs = counts(&[
        (merged.new_inputs, "new"),
        (merged.changed_inputs, "changed"),
        (merged.same_inputs, "unchanged"),
    ]);
    let annotations = counts(&[
        (merged.added, "added"),
        (merged.changed, "changed"),
        (merged.dropped, "dropped"),
        (merged.kept, "kept (the format cannot express them)"),
    ]);
    let mut text = match files {
        0 => "Nothing to write".to_owned(),
        _ => format!("Wrote {}", counted(files, "file")),
    };
    if !inputs.is_empty() {
        let _ = write!(text, "; inputs: {inputs}");
    }
    if !annotations.is_empty() {
        let _ = write!(text, "; annotations: {annotations}");
    }
    text + ".\n"
}

/// A header with an embedded store in its folder as target. Its policy deletes only if the import is complete.
fn new_header(
    common: &Common,
    root: &Path,
    below: &Path,
    is_file: bool,
    is_complete: bool,
) -> Result<String, Failure> {
    let set = common.set.clone().unwrap_or_else(|| {
        let name = root.file_name().unwrap_or_default().to_string_lossy();
        named_after(&name)
    });
    let below = below
        .to_str()
        .map(|below| globset::escape(&below.replace('\\', "/")))
        .ok_or_else(|| Failure::usage("--out is not valid UTF-8"))?;
    let extension = match common.format {
        Form::Yaml => "yaml",
        Form::Jsonl => "jsonl",
    };
    let pattern = match (is_file, below.is_empty()) {
        (true, _) => below,
        (false, true) => format!("*.{extension}"),
        (false, false) => format!("{below}/**"),
    };
    let local = TargetSpec::Embedded {
        path: PathBuf::from(".annosync/local.db"),
    };
    let (policy, word) = if is_complete {
        (Policy::Sync, "")
    } else {
        (
            Policy::Upsert,
            "# upsert deletes nothing: the import left something out. With sync, a plan deletes what is not declared.\n",
        )
    };
    let header = Header {
        target: Some("local".to_owned()),
        targets: BTreeMap::from([("local".to_owned(), local)]),
        files: Some(vec![pattern]),
        ..Header::new(set, policy)
    };
    Ok(format!("{word}{}", write_header(&header)))
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Removes `.` and `..` from a path.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}

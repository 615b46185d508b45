//! Manifests: YAML, JSON and JSON Lines -> the desired state, and back.
//!
//! Everything that is wrong with a manifest is reported in one run, each with file, line, column, the source line and
//! what is allowed. Reading a manifest's own files is the only I/O here; nothing is printed. Uses `model` alone.
//!
//! ```text
//! walk       which files could belong         select     which of them the header chooses
//! rules      what .gitignore leaves out       tracked    what git has, as the caller tells it
//! survey     what belongs, and why not        document   a file's text, streamed into …
//! node       a tree that hides nothing        header, target, input, annotation, content   … the model, with findings
//! source     a folder, or memory              named      masks and texts that the files name
//! assemble   all files: header, duplicates, vocabulary   locate   findings -> lines and columns, if there are any
//! checks     between the files                  report     findings -> problems
//! problem    what the user sees               write      the way back
//! overlay    files as they would be           anchor     where the parts of a file begin
//! depth      a bound on what the parser is given   schema    the same notation for editors
//! ```

mod anchor;
mod annotation;
mod assemble;
mod checks;
mod concepts;
mod content;
mod depth;
mod document;
mod fields;
mod finding;
mod header;
mod input;
mod known_text;
mod locate;
mod named;
mod node;
mod overlay;
mod problem;
mod report;
mod rules;
mod schema;
mod select;
mod source;
mod survey;
mod target;
mod tracked;
mod walk;
mod words;
pub mod write;

#[cfg(test)]
mod tests;

pub use anchor::{Anchor, anchors};
pub use content::InputVideo;
pub use header::Header;
pub use input::{Image, InputText};
pub use overlay::{Overlay, files_below, has_header, load_tracked, load_with};
pub use problem::{Problem, Problems, Shown, Spot};
pub use schema::{schema, schema_text};
pub use source::{Pipes, Reach, Unreadable, kind_of, read_bytes};
pub use survey::{Survey, left_out_ahead, survey};
pub use target::TargetSpec;
pub use tracked::{GoneFile, Index, Tracked, TrackedKind};

use crate::model::{ConceptId, DesiredState, InputId, Origin};
use assemble::{Assembled, assemble};
use document::Format;
use finding::{Place, Pointer};
use header::INPUTS;
use input::NamedFiles;
use report::{spots_in, unchanged};
use select::{Candidate, folder_of, slashes};
use sha2::{Digest, Sha256};
use source::{Disk, Memory};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use walk::Found;

/// A manifest that has nothing wrong with it.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// What it wants of an app.
    pub desired: DesiredState,
    /// Where it can be applied, by name.
    pub targets: BTreeMap<String, TargetSpec>,
    /// Where it is applied unless the user says otherwise: a name among the targets.
    pub default_target: Option<String>,
    /// What it says of its inputs' images.
    pub images: BTreeMap<InputId, Image>,
    /// Whether inputs that the app lacks are posted.
    pub create_inputs: bool,
    /// Whether annotations may name only concepts that the app has.
    pub vocabulary_of_app: bool,
    /// 64 hex digits of SHA-256 over a line for each file, those that the manifest names among them, in byte order of
    /// their paths: the file's own SHA-256 in hex, two spaces, its path below the manifest's folder, a line feed.
    /// `sha256sum` prints these lines. In a text file CRLF counts as LF.
    pub hash: String,
    /// The concepts that annotations may name, if the header says which.
    pub vocabulary: Option<Vec<ConceptId>>,
    /// The header's file.
    pub header_file: PathBuf,
    /// The folder of the header's file; an embedded target's path is relative to it.
    pub root: PathBuf,
    /// The folder that was read; paths are below it.
    folder: PathBuf,
    names: BTreeMap<InputId, NamedFiles>,
    files: Vec<(Candidate, [u8; 32])>,
    reach: Reach,
    /// Files that git has and the disk has not, whose inputs nothing declares any more; whether a sparse checkout leaves
    /// them out.
    pub gone: Vec<(PathBuf, bool)>,
    /// Why it cannot be told what git tracks, where the files may lie in a repository: one that git has and the disk has
    /// not would not be noticed.
    pub unproven: Option<String>,
    /// The texts, where they did not come from files.
    texts: Option<BTreeMap<PathBuf, String>>,
}

/// What a file of an input is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediumContent {
    /// An image or a video.
    Bytes,
    /// A text.
    Text,
}

/// A place in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// Reads a manifest: a file, or a folder with all its files.
///
/// A file whose header has `files:` stands for the files that these name, so that a header alone never reads as a
/// manifest without inputs.
pub fn load(path: &Path) -> Result<Manifest, Problems> {
    load_with(path, &Overlay::new(), Reach::Folder)
}

/// Reads a manifest from texts with the paths that they are known by, as [`load`] reads a folder.
pub fn parse(files: Vec<(PathBuf, String)>) -> Result<Manifest, Problems> {
    parse_with(files, Vec::new())
}

/// The same, with the files that these texts may name: masks and the texts of inputs, each with its path from where
/// the texts' paths begin.
pub fn parse_with(
    files: Vec<(PathBuf, String)>,
    binaries: Vec<(PathBuf, Vec<u8>)>,
) -> Result<Manifest, Problems> {
    let mut candidates = Vec::with_capacity(files.len());
    let mut problems = Vec::new();
    for (path, _) in &files {
        match Format::of(path) {
            Some(format) => {
                candidates.push(Candidate::new(path.clone(), slashes(path), format));
            }
            None => problems.push(Problem::of_file(
                path,
                "not a manifest's file: it ends in none of .yaml, .yml, .json and .jsonl",
                "give it one of these endings",
            )),
        }
    }
    if !problems.is_empty() {
        return Err(Problems::new(problems));
    }
    candidates.sort_by(|a, b| a.relative.as_bytes().cmp(b.relative.as_bytes()));
    let texts: BTreeMap<PathBuf, String> = files.into_iter().collect();
    let binaries: BTreeMap<String, Vec<u8>> = binaries
        .into_iter()
        .map(|(path, bytes)| (slashes(&path), bytes))
        .collect();
    let memory = Memory {
        texts: &texts,
        binaries: &binaries,
    };
    let found = Found {
        files: candidates,
        ..Found::default()
    };
    let assembled = assemble(&found, None, Path::new("."), &memory)?;
    Ok(Manifest::new(
        assembled,
        Path::new(""),
        Some(texts),
        Reach::Folder,
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes every write");
        hex
    })
}

impl Manifest {
    fn new(
        assembled: Assembled,
        folder: &Path,
        texts: Option<BTreeMap<PathBuf, String>>,
        reach: Reach,
    ) -> Self {
        let own = assembled.files.iter();
        let own = own.map(|(file, digest)| (file.relative.as_str(), digest));
        let named = assembled.named.iter();
        let all: BTreeMap<&str, _> = named
            .map(|(path, digest)| (path.as_str(), digest))
            .chain(own)
            .collect();
        let mut lines = String::new();
        for (path, digest) in all {
            lines.extend([hex(digest).as_str(), "  ", path, "\n"]);
        }
        Self {
            desired: assembled.state,
            targets: assembled.header.targets,
            default_target: assembled.header.target,
            images: assembled.images,
            create_inputs: assembled.header.create_inputs,
            vocabulary_of_app: assembled.header.vocabulary_of_app,
            hash: hex(&Sha256::digest(lines.as_bytes())),
            vocabulary: assembled.header.vocabulary,
            header_file: folder.join(&assembled.header_file),
            root: folder.join(folder_of(&assembled.header_file)),
            folder: folder.to_owned(),
            names: assembled.names,
            files: assembled.files,
            gone: assembled
                .gone
                .into_iter()
                .map(|gone| (gone.shown, gone.is_sparse))
                .collect(),
            unproven: assembled.unproven,
            reach,
            texts,
        }
    }

    /// The manifest's files, in byte order of their paths; [`Origin::file`] counts in them.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(file, _)| file.shown.as_path())
    }

    /// What a text input says, as it is written.
    pub fn input_text(&self, input: &InputId) -> Option<InputText> {
        let named = self.names.get(input)?;
        let path = named.text.clone().map(InputText::Path);
        let raw = || named.raw.clone().map(InputText::Raw);
        let url = || named.text_url.clone().map(InputText::Url);
        path.or_else(raw).or_else(url)
    }

    /// The video of an input, as it is written.
    pub fn input_video(&self, input: &InputId) -> Option<InputVideo> {
        self.names.get(input)?.video.clone()
    }

    /// Where a file that an input names lies, below the manifest's folder.
    ///
    /// # Errors
    ///
    /// Why it cannot be named, and what to do.
    pub fn medium_path(
        &self,
        origin: Origin,
        written: &str,
    ) -> Result<String, (String, &'static str)> {
        let file = self.files.get(origin.file as usize);
        let folder = file.map_or("", |(file, _)| folder_of(&file.relative));
        named::path_below(folder, written, self.reach)
    }

    /// The bytes of a file of the manifest's folder, as they are now; of a text, without a byte order mark, and with the
    /// same line ends on every machine.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, and what to do.
    pub fn read_medium(
        &self,
        path: &str,
        content: MediumContent,
    ) -> Result<Vec<u8>, (String, &'static str)> {
        let disk = Disk {
            folder: &self.folder,
            reach: self.reach,
            chosen: None,
        };
        // A plan file may say anything.
        let path = named::path_below("", path, self.reach)?;
        match content {
            MediumContent::Bytes => named::read_bytes(&path, &disk),
            MediumContent::Text => Ok(named::read_text(&path, &disk)?.1.into_bytes()),
        }
    }

    /// The files of the masks of an input, as written, with the indices of their annotations.
    pub fn mask_paths(&self, input: &InputId) -> &[(usize, Box<str>)] {
        self.names.get(input).map_or(&[], |named| &named.masks)
    }

    /// The text of the file of this index. Reads it once more: nothing where it has changed since.
    pub fn text(&self, file: u32) -> Option<String> {
        let (candidate, digest) = self.files.get(file as usize)?;
        if let Some(texts) = &self.texts {
            let binaries = &BTreeMap::new();
            return unchanged(candidate, digest, &Memory { texts, binaries });
        }
        // What is read is what was: its digest says so, and the file that the user named was read before.
        let disk = Disk {
            folder: &self.root,
            reach: self.reach,
            chosen: Some(&candidate.shown),
        };
        unchanged(candidate, digest, &disk)
    }

    /// Where an annotation was declared. Reads its file once more: nothing where that has changed since.
    pub fn locate(&self, origin: Origin) -> Option<Location> {
        self.locate_all(&[origin]).pop().flatten()
    }

    /// Where annotations were declared, with one reading of each file.
    pub fn locate_all(&self, origins: &[Origin]) -> Vec<Option<Location>> {
        let mut by_file: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, origin) in origins.iter().enumerate() {
            by_file.entry(origin.file as usize).or_default().push(index);
        }
        let mut locations = vec![None; origins.len()];
        for (file, indices) in by_file {
            let Some((candidate, _)) = self.files.get(file) else {
                continue;
            };
            let Some(text) = self.text(file as u32) else {
                continue;
            };
            let pointers: Vec<Pointer> = indices.iter().map(|i| pointer(origins[*i])).collect();
            let pointers: Vec<&Pointer> = pointers.iter().collect();
            let spots = spots_in(candidate.format, &text, &pointers);
            for (index, spot) in indices.into_iter().zip(spots) {
                locations[index] = Some(Location {
                    path: candidate.shown.clone(),
                    line: spot.line,
                    column: spot.column,
                });
            }
        }
        locations
    }
}

fn pointer(origin: Origin) -> Pointer {
    let inputs = Place::ROOT.name(INPUTS);
    let input = inputs.nth(origin.input as usize);
    if origin.annotation == Origin::INPUT_ITSELF {
        return input.name("id").value();
    }
    let annotations = input.name("annotations");
    annotations.nth(origin.annotation as usize).value()
}

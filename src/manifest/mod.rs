//! Manifests: YAML, JSON and JSON Lines -> the desired state, and back.
//!
//! Everything that is wrong with a manifest is reported in one run, each with file, line, column, the source line and
//! what is allowed. Reading a manifest's own files is the only I/O here; nothing is printed. Uses `model` alone.
//!
//! ```text
//! select     which files                      document   a file's text, streamed into …
//! node       a tree that hides nothing        header, target, input, annotation, content   … the model, with findings
//! source     a folder, or memory              named      masks and texts that the files name
//! assemble   all files: header, duplicates, vocabulary   locate   findings -> lines and columns, if there are any
//! checks     between the files                  report     findings -> problems
//! problem    what the user sees               write      the way back
//! ```

mod annotation;
mod assemble;
mod checks;
mod concepts;
mod content;
mod document;
mod fields;
mod finding;
mod header;
mod input;
mod known_text;
mod locate;
mod named;
mod node;
mod problem;
mod report;
mod select;
mod source;
mod target;
mod words;
pub mod write;

#[cfg(test)]
mod tests;

pub use header::Header;
pub use input::Image;
pub use problem::{Problem, Problems, Spot};
pub use target::TargetSpec;

use crate::model::{DesiredState, InputId, Origin};
use assemble::{Assembled, assemble};
use document::Format;
use finding::{Place, Pointer};
use header::INPUTS;
use report::{spots_in, unchanged};
use select::{Candidate, folder_of, slashes, walk};
use sha2::{Digest, Sha256};
use source::{Disk, Memory};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

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
    /// 64 hex digits of SHA-256 over a line for each file, those that the manifest names among them, in byte order of
    /// their paths: the file's own SHA-256 in hex, two spaces, its path below the manifest's folder, a line feed.
    /// `sha256sum` prints these lines.
    pub hash: String,
    /// The folder of the header's file; an embedded target's path is relative to it.
    pub root: PathBuf,
    files: Vec<(Candidate, [u8; 32])>,
    /// The texts, where they did not come from files.
    texts: Option<BTreeMap<PathBuf, String>>,
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
    let metadata = std::fs::metadata(path).map_err(|error| {
        Problems::new(vec![Problem::of_file(
            path,
            format!("cannot be read: {error}"),
            "name a manifest's file or folder",
        )])
    })?;
    if metadata.is_dir() {
        let candidates = walk(path).map_err(Problems::new)?;
        let assembled = assemble(&candidates, None, path, &Disk(path))?;
        return Ok(Manifest::new(assembled, path, None));
    }
    let Some(format) = Format::of(path) else {
        return Err(Problems::new(vec![Problem::of_file(
            path,
            "not a manifest's file: it ends in none of .yaml, .yml, .json and .jsonl",
            "name a manifest's file or folder",
        )]));
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let alone = Candidate {
        shown: path.to_owned(),
        relative: slashes(Path::new(path.file_name().unwrap_or_default())),
        format,
    };
    let names_files = std::fs::read(path)
        .ok()
        .and_then(|bytes| assemble::as_text(bytes).ok())
        .and_then(|text| document::document(format, &text).ok())
        .and_then(|document| document.header)
        .is_some_and(|header| header.files.is_some());
    let mut candidates = vec![alone];
    if names_files {
        let others = walk(folder).map_err(Problems::new)?;
        let name = candidates[0].relative.clone();
        candidates.extend(others.into_iter().filter(|other| other.relative != name));
    }
    let assembled = assemble(&candidates, Some(0), path, &Disk(folder))?;
    Ok(Manifest::new(assembled, folder, None))
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
            Some(format) => candidates.push(Candidate {
                shown: path.clone(),
                relative: slashes(path),
                format,
            }),
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
    let assembled = assemble(&candidates, None, Path::new("."), &memory)?;
    Ok(Manifest::new(assembled, Path::new(""), Some(texts)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes every write");
        hex
    })
}

impl Manifest {
    fn new(assembled: Assembled, folder: &Path, texts: Option<BTreeMap<PathBuf, String>>) -> Self {
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
            hash: hex(&Sha256::digest(lines.as_bytes())),
            root: folder.join(folder_of(&assembled.header_file)),
            files: assembled.files,
            texts,
        }
    }

    /// The manifest's files, in byte order of their paths; [`Origin::file`] counts in them.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(file, _)| file.shown.as_path())
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
            let Some((candidate, digest)) = self.files.get(file) else {
                continue;
            };
            let text = match &self.texts {
                Some(texts) => {
                    let binaries = &BTreeMap::new();
                    unchanged(candidate, digest, &Memory { texts, binaries })
                }
                None => unchanged(candidate, digest, &Disk(&self.root)),
            };
            let Some(text) = text else {
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

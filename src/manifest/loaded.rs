//! A manifest that was read, and its data about inputs and files.

use super::annotation::IGNORE;
use super::assemble::Assembled;
use super::context::{Image, InputText, InputVideo};
use super::finding::{Part, Place, Pointer};
use super::header::INPUTS;
use super::input::Media;
use super::media_folder::{MediaFolder, MediumContent};
use super::named;
use super::problem::SourceSpan;
use super::report::{spans_in, unchanged};
use super::select::{Candidate, folder_of};
use super::source::{Disk, FileAccess, Memory};
use super::target::TargetSpec;
use crate::model::{ConceptId, DesiredState, Ignore, InputId, Level, Origin, Rule, Shard, hex};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The shard whose inputs a manifest keeps, and what the other shards declare.
#[derive(Debug, Clone)]
pub struct ManifestShard {
    pub shard: Shard,
    /// The number of their inputs.
    pub inputs: u64,
    /// The number of their annotations.
    pub annotations: u64,
    /// The concepts that they declare with a value above 0.
    pub concepts: BTreeSet<ConceptId>,
}

/// A valid manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Without the inputs of other shards.
    pub desired: DesiredState,
    /// `None` if all inputs were kept.
    pub shard: Option<ManifestShard>,
    /// By name.
    pub targets: BTreeMap<String, TargetSpec>,
    /// The target unless the user names another; one of `targets`.
    pub default_target: Option<String>,
    pub images: BTreeMap<InputId, Image>,
    /// Whether to post the inputs that the app lacks.
    pub create_inputs: bool,
    /// Whether annotations may name only concepts that the app has.
    pub vocabulary_of_app: bool,
    /// SHA-256 in hex over a line for each file, including the masks and texts that it names, in byte order of their
    /// paths: the file's own SHA-256 in hex, two spaces, its path below the manifest's folder, a line feed, as
    /// `sha256sum` prints it. In a text file CRLF counts as LF.
    pub hash: String,
    /// The concepts that annotations may name; `None` if the header does not list them.
    pub vocabulary: Option<Vec<ConceptId>>,
    /// The levels of the linter's rules, where they are not the defaults.
    pub lint: BTreeMap<Rule, Level>,
    pub header_file: PathBuf,
    /// The folder of the header's file. The path of an embedded target is relative to it.
    pub root: PathBuf,
    /// The folder that was read.
    folder: PathBuf,
    /// Where the files are that inputs name.
    pub media_folder: MediaFolder,
    media: BTreeMap<InputId, Media>,
    files: Vec<(Candidate, [u8; 32])>,
    access: FileAccess,
    /// Files that git tracks and the disk lacks, with inputs that no other file declares; true if left out by a sparse
    /// checkout.
    pub missing_files: Vec<(PathBuf, bool)>,
    /// Why git could not list the tracked files. A missing file would not be noticed then.
    pub git_error: Option<String>,
    /// The texts, if they were not read from files.
    texts: Option<BTreeMap<PathBuf, String>>,
}

/// A place in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// A part of a manifest that a message can point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// An annotation or an input.
    Declaration(Origin),
    /// A field of it.
    Field(Origin, &'static str),
    /// A concept of an annotation.
    Concept(Origin, ConceptId),
    /// An element of its `ignore`, by index.
    Ignore(Origin, usize),
    /// A concept of the header's vocabulary.
    Vocabulary(ConceptId),
}

impl Manifest {
    pub(super) fn new(
        assembled: Assembled,
        folder: &Path,
        texts: Option<BTreeMap<PathBuf, String>>,
        access: FileAccess,
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
        let others = assembled.others;
        Self {
            desired: assembled.state,
            shard: assembled.shard.map(|shard| ManifestShard {
                shard,
                inputs: others.inputs(),
                annotations: others.annotations,
                concepts: others.concepts.into_iter().collect(),
            }),
            targets: assembled.header.targets,
            default_target: assembled.header.target,
            images: assembled.images,
            create_inputs: assembled.header.create_inputs,
            vocabulary_of_app: assembled.header.vocabulary_of_app,
            hash: hex(&Sha256::digest(lines.as_bytes())),
            vocabulary: assembled.header.vocabulary,
            lint: assembled.header.lint,
            header_file: folder.join(&assembled.header_file),
            root: folder.join(folder_of(&assembled.header_file)),
            folder: folder.to_owned(),
            media_folder: MediaFolder {
                folder: folder.to_owned(),
                access,
            },
            media: assembled.media,
            files: assembled.files,
            missing_files: assembled
                .missing
                .into_iter()
                .map(|file| (file.shown, file.is_sparse))
                .collect(),
            git_error: assembled.git_error,
            access,
            texts,
        }
    }

    /// The same manifest, with pictures, texts and masks in another folder.
    #[must_use]
    pub fn with_media_in(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.media_folder.folder);
        self
    }

    /// The manifest's files, in byte order of their paths. [`Origin::file`] is an index into them.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(file, _)| file.shown.as_path())
    }

    pub fn input_text(&self, input: &InputId) -> Option<InputText> {
        self.media.get(input)?.text.clone()
    }

    pub fn input_video(&self, input: &InputId) -> Option<InputVideo> {
        self.media.get(input)?.video.clone()
    }

    /// The path below the manifest's folder for a path that is written in the file of `origin`.
    ///
    /// # Errors
    ///
    /// Why the path is not allowed, and a hint.
    pub fn medium_path(
        &self,
        origin: Origin,
        written: &str,
    ) -> Result<String, (String, &'static str)> {
        let file = self.files.get(origin.file as usize);
        let folder = file.map_or("", |(file, _)| folder_of(&file.relative));
        named::path_below(folder, written, self.access)
    }

    /// The text of a text input; `None` for other inputs, and for a text that only the service can fetch.
    ///
    /// # Errors
    ///
    /// Why its file cannot be read, and a hint.
    pub fn read_text(&self, input: &InputId) -> Result<Option<String>, (String, &'static str)> {
        let written = match self.input_text(input) {
            Some(InputText::Raw(text)) => return Ok(Some(text.into())),
            Some(InputText::Path(written)) => written,
            Some(InputText::Url(_)) | None => return Ok(None),
        };
        let origin = self.desired.input(input).map(|input| input.origin);
        let path = self.medium_path(origin.unwrap_or_default(), &written)?;
        let bytes = self.media_folder.read(&path, MediumContent::Text)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The files of an input's masks, as written, with the indices of their annotations.
    pub fn mask_paths(&self, input: &InputId) -> &[(usize, Box<str>)] {
        self.media.get(input).map_or(&[], |media| &media.masks)
    }

    /// The exceptions of an input from rules, with the indices of their annotations; `None` for the input itself.
    pub fn ignores(&self, input: &InputId) -> &[(Option<usize>, Ignore)] {
        self.media.get(input).map_or(&[], |media| &media.ignores)
    }

    /// The text of the file with this index. `None` if the file changed since the manifest was read.
    pub fn text(&self, file: u32) -> Option<String> {
        let (candidate, digest) = self.files.get(file as usize)?;
        if let Some(texts) = &self.texts {
            let binaries = &BTreeMap::new();
            return unchanged(candidate, digest, &Memory { texts, binaries });
        }
        // Any link may be followed: the digest ensures that the file was read before.
        let disk = Disk {
            folder: &self.root,
            access: self.access,
            chosen: Some(&candidate.shown),
        };
        unchanged(candidate, digest, &disk)
    }

    /// Where an annotation was declared. `None` if its file changed since the manifest was read.
    pub fn locate(&self, origin: Origin) -> Option<Location> {
        self.locate_all(&[origin]).pop().flatten()
    }

    /// [`Manifest::locate`] for several annotations. Reads each file once.
    pub fn locate_all(&self, origins: &[Origin]) -> Vec<Option<Location>> {
        let spots: Vec<Spot> = origins.iter().copied().map(Spot::Declaration).collect();
        self.spans(&spots)
            .into_iter()
            .map(|(path, span)| {
                let span = span?;
                Some(Location {
                    path,
                    line: span.line,
                    column: span.column,
                })
            })
            .collect()
    }

    /// The file of each part, and its place there; `None` if the file changed since the manifest was read. Reads each file
    /// once.
    pub fn spans(&self, spots: &[Spot]) -> Vec<(PathBuf, Option<SourceSpan>)> {
        let mut by_file: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let files: Vec<usize> = spots.iter().map(|spot| self.file_of(spot)).collect();
        for (index, file) in files.iter().enumerate() {
            by_file.entry(*file).or_default().push(index);
        }
        let mut found: Vec<(PathBuf, Option<SourceSpan>)> = files
            .iter()
            .map(|file| {
                let file = self.files.get(*file);
                (
                    file.map_or_else(PathBuf::new, |it| it.0.shown.clone()),
                    None,
                )
            })
            .collect();
        for (file, indices) in by_file {
            let Some((candidate, _)) = self.files.get(file) else {
                continue;
            };
            let Some(text) = self.text(file as u32) else {
                continue;
            };
            let pointers: Vec<Pointer> = indices.iter().map(|i| spots[*i].pointer()).collect();
            let pointers: Vec<&Pointer> = pointers.iter().collect();
            let spans = spans_in(candidate.format, &text, &pointers);
            for (index, span) in indices.into_iter().zip(spans) {
                found[index].1 = Some(span);
            }
        }
        found
    }

    fn file_of(&self, spot: &Spot) -> usize {
        match spot {
            Spot::Declaration(origin)
            | Spot::Field(origin, _)
            | Spot::Concept(origin, _)
            | Spot::Ignore(origin, _) => origin.file as usize,
            Spot::Vocabulary(_) => {
                let is_header =
                    |file: &Candidate| self.folder.join(&file.relative) == self.header_file;
                let header = self.files.iter().position(|(file, _)| is_header(file));
                header.unwrap_or(usize::MAX)
            }
        }
    }
}

impl Spot {
    fn pointer(&self) -> Pointer {
        match self {
            Self::Declaration(origin) => within(*origin, |place| {
                if origin.annotation == Origin::INPUT_ITSELF {
                    place.name("id").value()
                } else {
                    place.value()
                }
            }),
            Self::Field(origin, key) => within(*origin, |place| place.name(key).value()),
            Self::Concept(origin, concept) => within(*origin, |place| Pointer {
                part: Part::Item(concept.as_str().into()),
                ..place.name("concepts").value()
            }),
            Self::Ignore(origin, index) => within(*origin, |place| {
                let list = place.name(IGNORE);
                list.nth(*index).value()
            }),
            Self::Vocabulary(concept) => Pointer {
                part: Part::Item(concept.as_str().into()),
                ..Place::ROOT.name("vocabulary").value()
            },
        }
    }
}

/// A pointer into the input or annotation that was declared here.
fn within(origin: Origin, pointer: impl FnOnce(&Place<'_>) -> Pointer) -> Pointer {
    let inputs = Place::ROOT.name(INPUTS);
    let input = inputs.nth(origin.input as usize);
    if origin.annotation == Origin::INPUT_ITSELF {
        return pointer(&input);
    }
    let annotations = input.name("annotations");
    pointer(&annotations.nth(origin.annotation as usize))
}

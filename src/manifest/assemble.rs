//! Files -> one manifest: which file has the header, which hold inputs, and the checks between files.
//!
//! Works on any [`Source`]: a file system, or memory.

use super::context::Image;
use super::document::document;
use super::file::{File, quoted_path, read_all, read_file};
use super::finding::{Place, Related};
use super::format::Format;
use super::header::{Header, no_header_hint};
use super::input::Media;
use super::named::{Digests, read_named};
use super::others::OtherShards;
use super::problem::{Problem, Problems};
use super::select::{
    Candidate, folder_of, is_header_file, matching, may_match_below, without_duplicates,
};
use super::source::Source;
use super::walk::{MissingFile, Obstacle, Walked};
use super::{checks, report};
use crate::model::{
    DesiredAnnotation, DesiredInput, DesiredState, InputId, Origin, Shard, TextKind, decode_text,
};
use std::collections::BTreeMap;
use std::path::Path;

/// A manifest without problems.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) header: Header,
    pub(super) header_file: String,
    /// Without inputs of other shards.
    pub(super) state: DesiredState,
    pub(super) shard: Option<Shard>,
    pub(super) others: OtherShards,
    pub(super) images: BTreeMap<InputId, Image>,
    pub(super) media: BTreeMap<InputId, Media>,
    pub(super) files: Vec<(Candidate, [u8; 32])>,
    /// Of the files that inputs name.
    pub(super) named: Digests,
    /// Files that git tracks and the disk lacks, with inputs that no other file declares.
    pub(super) missing: Vec<MissingFile>,
    /// Why git could not list the tracked files.
    pub(super) git_error: Option<String>,
    patterns: Option<FilePatterns>,
}

impl Assembled {
    /// Whether the header's `files:` include this path.
    pub(super) fn includes(&self, path: &str) -> bool {
        self.patterns.as_ref().is_none_or(|it| it.matches(path))
    }
}

/// The `files:` of a header, and its folder.
#[derive(Debug, Clone)]
pub(super) struct FilePatterns {
    patterns: Vec<String>,
    folder: String,
    header_file: String,
}

/// The patterns of the header among these files, if it has any.
pub(super) fn file_patterns(candidates: &[Candidate], source: &dyn Source) -> Option<FilePatterns> {
    match candidates.iter().find(|it| is_header_file(&it.relative)) {
        Some(header) => FilePatterns::of(&read_file(header, source, None)),
        None => without_excluded(read_all(candidates, source, None)).1,
    }
}

impl FilePatterns {
    fn of(file: &File) -> Option<Self> {
        let header = file.document.header.as_ref()?;
        Some(Self {
            patterns: header.files.clone()?,
            folder: folder_of(&file.candidate.relative).to_owned(),
            header_file: file.candidate.relative.clone(),
        })
    }

    fn matches(&self, path: &str) -> bool {
        matching(&self.patterns, &self.folder, &[path]).0[0]
    }

    /// Whether a path belongs to the manifest: a pattern matches it, or it is the header's own.
    pub(super) fn includes(&self, path: &str) -> bool {
        self.matches(path) || path == self.header_file
    }

    /// Whether an obstacle, or a file below it, may belong to the manifest.
    pub(super) fn may_include(&self, obstacle: &Obstacle) -> bool {
        is_header_file(&obstacle.relative)
            || self.matches(&obstacle.relative)
            || (obstacle.is_folder
                && may_match_below(&self.patterns, &self.folder, &obstacle.relative))
    }
}

/// Reads the files and checks them. `header_file` is the index of the header's file, if the user gave it; `place` is the
/// path that the user gave. Only the inputs of the shard are kept, if one is given; all are checked.
pub(super) fn assemble(
    walked: &Walked,
    header_file: Option<usize>,
    place: &Path,
    source: &dyn Source,
    shard: Option<Shard>,
) -> Result<Assembled, Problems> {
    if shard.is_some()
        && let Some(assembled) = assemble_with(walked, header_file, place, source, (shard, shard))
    {
        return assembled;
    }
    // Without dropping inputs as they are read, every check sees all of them.
    assemble_with(walked, header_file, place, source, (shard, None))
        .expect("nothing was dropped while it was read")
}

/// Drops inputs of other shards than `dropping` as they are read, and others than of `shard` at the end. `None` if what was
/// dropped may have a problem.
fn assemble_with(
    walked: &Walked,
    header_file: Option<usize>,
    place: &Path,
    source: &dyn Source,
    (shard, dropping): (Option<Shard>, Option<Shard>),
) -> Option<Result<Assembled, Problems>> {
    let candidates = &walked.files;
    let known = header_file.or_else(|| {
        candidates
            .iter()
            .position(|candidate| is_header_file(&candidate.relative))
    });
    let read = if let Some(header) = known {
        read_included(candidates, header, source, dropping)
    } else {
        let files = read_all(&without_duplicates(candidates.clone()), source, dropping);
        Ok(without_excluded(files))
    };
    let (mut files, patterns) = match read {
        Ok(read) => read,
        Err(problems) => return Some(Err(problems)),
    };
    let obstacles: Vec<&Obstacle> = walked
        .obstacles
        .iter()
        .filter(|one| patterns.as_ref().is_none_or(|it| it.may_include(one)))
        .collect();
    checks::patterns(&mut files);
    let header_index = choose_header(&mut files, place, !obstacles.is_empty());
    let mut others = OtherShards::default();
    if let Ok(index) = header_index {
        if checks::concepts(&mut files, index) {
            return None;
        }
        checks::key_ids(&mut files, index);
    }
    for file in &mut files {
        others.append(std::mem::take(&mut file.document.others));
    }
    others.sort();
    if others.has_duplicates() {
        return None;
    }
    checks::duplicates(&mut files);
    let named = read_named(&mut files, source);
    let mut problems = report::problems(&mut files, source);
    problems.extend(obstacles.into_iter().map(|one| {
        let message = format!("{} {}", quoted_path(&one.shown), one.message);
        Problem::of_file(&one.shown, message, one.hint.clone())
    }));
    let header = match header_index {
        Ok(index) => files[index]
            .document
            .header
            .as_mut()
            .and_then(|parsed| parsed.header.take())
            .map(|header| (index, header)),
        Err(None) => None,
        Err(Some(problem)) => {
            problems.push(*problem);
            None
        }
    };
    Some(match header {
        Some((index, header)) if problems.is_empty() => {
            let mut assembled = finish(files, index, header, named, (shard, others));
            let mut missing = walked.missing.clone();
            missing.retain(|one| {
                patterns.as_ref().is_none_or(|it| it.matches(&one.relative))
                    && may_lose_inputs(one, |id| {
                        assembled.state.position(id).is_some()
                            || shard.is_some_and(|shard| assembled.others.has(shard, id))
                    })
            });
            assembled.missing = missing;
            assembled.git_error.clone_from(&walked.git_error);
            assembled.patterns = patterns;
            Ok(assembled)
        }
        _ => Err(Problems::new(problems)),
    })
}

/// Reads the header's file, then the other files that its `files:` include.
fn read_included(
    candidates: &[Candidate],
    header: usize,
    source: &dyn Source,
    shard: Option<Shard>,
) -> Result<(Vec<File>, Option<FilePatterns>), Problems> {
    let header = &candidates[header];
    let first = read_file(header, source, shard);
    // An unreadable header may have `files:`, so problems of the other files mean nothing.
    if let Some(problem) = first.problem {
        return Err(Problems::new(vec![problem]));
    }
    let patterns = FilePatterns::of(&first);
    let is_included = |other: &&Candidate| {
        let mut patterns = patterns.iter();
        other.relative != header.relative && patterns.all(|it| it.matches(&other.relative))
    };
    let mut included = vec![header.clone()];
    included.extend(candidates.iter().filter(is_included).cloned());
    let included = without_duplicates(included);
    let others = included
        .iter()
        .filter(|other| other.relative != header.relative);
    let mut files = read_all(others, source, shard);
    files.push(first);
    files.sort_by(|a, b| {
        let (a, b) = (&a.candidate.relative, &b.candidate.relative);
        a.as_bytes().cmp(b.as_bytes())
    });
    Ok((files, patterns))
}

/// Whether a missing file may have declared an input that no other file declares. Not so if it was renamed or split, or
/// was not a manifest file.
fn may_lose_inputs(missing: &MissingFile, is_declared: impl Fn(&InputId) -> bool) -> bool {
    let Some(format) = Format::of(&missing.shown) else {
        // A link to a folder.
        return true;
    };
    let text = missing
        .bytes
        .clone()
        .map(|bytes| decode_text(bytes, TextKind::Structured));
    let Some(Ok(text)) = text else { return true };
    let Ok(document) = document(format, &text) else {
        return true;
    };
    // After `git add -N` git has an empty file, which does not show what the missing one declared.
    if document.inputs.is_empty() && document.header.is_none() {
        return true;
    }
    let mut inputs = document.inputs.iter();
    inputs.any(|input| input.id.as_ref().is_none_or(|id| !is_declared(id)))
}

/// Without a file of the usual name, every file was read. If exactly one has a header with `files:`, the files that it
/// does not list are dropped.
fn without_excluded(files: Vec<File>) -> (Vec<File>, Option<FilePatterns>) {
    let mut strong = files.iter().enumerate().filter(|(_, file)| {
        file.document
            .header
            .as_ref()
            .is_some_and(|header| header.is_strong)
    });
    let (Some((index, file)), None) = (strong.next(), strong.next()) else {
        return (files, None);
    };
    let Some(patterns) = FilePatterns::of(file) else {
        return (files, None);
    };
    let files = files
        .into_iter()
        .enumerate()
        .filter(|(other, file)| *other == index || patterns.matches(&file.candidate.relative))
        .map(|(_, file)| file)
        .collect();
    (files, Some(patterns))
}

/// The index of the file with the header. `Err(None)`: none has it, but an unreadable file may, which is reported.
fn choose_header(
    files: &mut [File],
    place: &Path,
    has_obstacles: bool,
) -> Result<usize, Option<Box<Problem>>> {
    let having: Vec<usize> = (0..files.len())
        .filter(|index| files[*index].document.header.is_some())
        .collect();
    let Some((&first, others)) = having.split_first() else {
        if has_obstacles || files.iter().any(|file| file.problem.is_some()) {
            return Err(None);
        }
        let message = if files.is_empty() {
            "no manifest found: there is no *.yaml, *.yml, *.json or *.jsonl file"
        } else {
            "the manifest has no header"
        };
        return Err(Some(Box::new(Problem::of_file(
            place,
            message,
            no_header_hint(),
        ))));
    };
    let key_of = |file: &File| {
        let header = file.document.header.as_ref().expect("a file with a header");
        Place::ROOT.name(header.first_key).key()
    };
    // The first that is surely a header, else the first that has one of its keys.
    let chosen = having
        .iter()
        .copied()
        .find(|index| {
            files[*index]
                .document
                .header
                .as_ref()
                .is_some_and(|h| h.is_strong)
        })
        .unwrap_or(first);
    let document = &mut files[chosen].document;
    for (key, hint) in document.header.iter().flat_map(|header| &header.missing) {
        document
            .findings
            .add(Place::ROOT.value(), format!("a header without `{key}`"))
            .hint(*hint);
    }
    if others.is_empty() {
        return Ok(chosen);
    }
    let related = Related {
        file: Some(chosen),
        at: key_of(&files[chosen]),
        label: "the header is at",
    };
    for index in having {
        if index == chosen {
            continue;
        }
        let at = key_of(&files[index]);
        let findings = &mut files[index].document.findings;
        let finding = findings.add(at, "a second header in the same manifest");
        finding.hint(
            "the header's keys belong in one file; move these there, or exclude this file with `files:`",
        );
        finding.related = Some(related.clone());
    }
    Ok(chosen)
}

/// `others` are inputs that were dropped already.
fn finish(
    files: Vec<File>,
    header_index: usize,
    header: Header,
    named: Digests,
    (shard, mut others): (Option<Shard>, OtherShards),
) -> Assembled {
    let header_file = files[header_index].candidate.relative.clone();
    let mut state = DesiredState {
        set: header.set.clone(),
        policy: header.policy,
        owners: header.owners.clone(),
        guards: header.guards,
        renamed: header.renamed.clone(),
        adopts: header.adopts.clone(),
        inputs: Vec::with_capacity(files.iter().map(|f| f.document.inputs.len()).sum()),
    };
    let mut images = BTreeMap::new();
    let mut media = BTreeMap::new();
    let mut kept = Vec::with_capacity(files.len());
    let small = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    for (file, read) in files.into_iter().enumerate() {
        for parsed in read.document.inputs {
            let kept = match shard {
                Some(shard) => others.take(shard, parsed),
                None => Some(parsed),
            };
            let Some(parsed) = kept else { continue };
            let id = parsed.id.expect("an input without an id is a finding");
            if let Some(image) = parsed.image {
                images.insert(id.clone(), image);
            }
            if let Some(of_input) = parsed.media {
                media.insert(id.clone(), *of_input);
            }
            let origin = Origin {
                file: small(file),
                input: parsed.index,
                annotation: Origin::INPUT_ITSELF,
            };
            state.inputs.push(DesiredInput {
                id,
                annotations: parsed
                    .annotations
                    .into_iter()
                    .enumerate()
                    .map(|(annotation, (identity, content))| DesiredAnnotation {
                        identity,
                        content,
                        origin: Origin {
                            annotation: small(annotation),
                            ..origin
                        },
                    })
                    .collect(),
                undeclared: parsed.undeclared,
                origin,
            });
        }
        kept.push((read.candidate, read.digest));
    }
    state.sort();
    others.sort();
    Assembled {
        header,
        header_file,
        state,
        shard,
        others,
        images,
        media,
        files: kept,
        named,
        missing: Vec::new(),
        git_error: None,
        patterns: None,
    }
}

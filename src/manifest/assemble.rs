//! Files -> one manifest: which of them is the header's, which hold inputs, and what is wrong between them.
//!
//! Files are read on several threads; results and problems come in the order of the files all the same. Does not know
//! where texts come from: a file system, or memory.

use super::document::{Document, Format, document};
use super::finding::{Other, Place};
use super::header::{Header, no_header_hint};
use super::input::{Image, NamedFiles};
use super::locate::Spotter;
use super::named::{Digests, HIDDEN, OUTSIDE, read_named};
use super::problem::{Problem, Problems};
use super::select::{
    Candidate, folder_of, is_header_file, matching, may_match_below, without_doubles,
};
use super::source::{Source, Unreadable, text_digest};
use super::walk::{Found, Gone, Obstacle};
use super::{checks, report};
use crate::model::{
    DesiredAnnotation, DesiredInput, DesiredState, InputId, Origin, TextError, TextFault, TextKind,
    decode_text,
};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// A file that was read.
#[derive(Debug)]
pub(super) struct File {
    pub(super) candidate: Candidate,
    /// SHA-256 of its bytes.
    pub(super) digest: [u8; 32],
    pub(super) document: Document,
    /// What makes it unreadable.
    pub(super) problem: Option<Problem>,
}

/// What became of the files.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) header: Header,
    pub(super) header_file: String,
    pub(super) state: DesiredState,
    pub(super) images: BTreeMap<InputId, Image>,
    /// What inputs name beside their annotations.
    pub(super) names: BTreeMap<InputId, NamedFiles>,
    pub(super) files: Vec<(Candidate, [u8; 32])>,
    /// The files that these name.
    pub(super) named: Digests,
    /// Files that git has, that the disk has not, and whose inputs nothing declares any more.
    pub(super) gone: Vec<Gone>,
    /// Why it cannot be told what git tracks.
    pub(super) unproven: Option<String>,
    narrowing: Option<Narrowing>,
}

impl Assembled {
    /// Whether a file of this path would belong to the manifest.
    pub(super) fn takes(&self, path: &str) -> bool {
        self.narrowing.as_ref().is_none_or(|it| it.takes(path))
    }
}

/// The patterns of a header, and its folder.
#[derive(Debug, Clone)]
pub(super) struct Narrowing {
    patterns: Vec<String>,
    folder: String,
    /// The header's file.
    header: String,
}

/// The patterns of the header among these files, if it has any.
pub(super) fn narrowing_of(candidates: &[Candidate], source: &dyn Source) -> Option<Narrowing> {
    let by_custom = candidates.iter().find(|it| is_header_file(&it.relative));
    match by_custom {
        Some(header) => Narrowing::of(&read_file(header, source)),
        None => narrowed(read_all(candidates, source)).1,
    }
}

impl Narrowing {
    fn of(file: &File) -> Option<Self> {
        let header = file.document.header.as_ref()?;
        Some(Self {
            patterns: header.files.clone()?,
            folder: folder_of(&file.candidate.relative).to_owned(),
            header: file.candidate.relative.clone(),
        })
    }

    fn takes(&self, path: &str) -> bool {
        matching(&self.patterns, &self.folder, &[path]).0[0]
    }

    /// Whether a path belongs to the manifest: one that a pattern matches, or the header's own.
    pub(super) fn is_of(&self, path: &str) -> bool {
        self.takes(path) || path == self.header
    }

    pub(super) fn takes_obstacle(&self, obstacle: &Obstacle) -> bool {
        is_header_file(&obstacle.relative)
            || self.takes(&obstacle.relative)
            || (obstacle.is_folder
                && may_match_below(&self.patterns, &self.folder, &obstacle.relative))
    }
}

/// A file as the subject of a message.
fn subject(path: &Path) -> String {
    let path = path.strip_prefix(".").unwrap_or(path);
    format!("`{}`", path.display())
}

fn read_file(candidate: &Candidate, source: &dyn Source) -> File {
    let mut file = File {
        candidate: candidate.clone(),
        digest: [0; 32],
        document: Document::default(),
        problem: None,
    };
    let bytes = match source.own(candidate) {
        Ok(bytes) => bytes,
        Err(error) => {
            let hint = match &error {
                Unreadable::Missing | Unreadable::NotAFile(_) => "check the path",
                Unreadable::Elsewhere => OUTSIDE,
                Unreadable::Hidden => HIDDEN,
                Unreadable::TooLarge(_) => "spread its inputs over several files",
                Unreadable::Changed => "run the command again once nothing writes to it",
                Unreadable::Failed(_) => "check the path and its permissions",
            };
            let message = format!("{} {error}", subject(&candidate.shown));
            file.problem = Some(Problem::of_file(&candidate.shown, message, hint));
            return file;
        }
    };
    file.digest = text_digest(&bytes);
    match decode_text(bytes, TextKind::Structured) {
        Ok(text) => match document(candidate.format, &text) {
            Ok(document) => file.document = document,
            Err(error) => {
                let end = (error.offset + 1).min(text.len()).max(error.offset);
                let end = (end..=text.len())
                    .find(|end| text.is_char_boundary(*end))
                    .unwrap_or(text.len());
                file.problem = Some(Problem {
                    path: candidate.shown.clone(),
                    spot: Some(Spotter::new(&text).spot(&(error.offset..end))),
                    message: error.message,
                    hint: error.hint,
                });
            }
        },
        Err(error) => {
            let TextError {
                fault,
                shown,
                offset,
            } = error;
            let end = match fault {
                TextFault::Conflict => shown[offset..].find(['\r', '\n']).map(|at| offset + at),
                _ => shown[offset..]
                    .chars()
                    .next()
                    .map(|c| offset + c.len_utf8()),
            };
            let range = offset..end.unwrap_or(shown.len());
            file.problem = Some(Problem {
                path: candidate.shown.clone(),
                spot: (!shown.is_empty()).then(|| Spotter::new(&shown).spot(&range)),
                message: fault.to_string(),
                hint: Some(fault.hint().to_owned()),
            });
        }
    }
    file
}

fn read_all<'c>(
    candidates: impl IntoIterator<Item = &'c Candidate>,
    source: &dyn Source,
) -> Vec<File> {
    let candidates: Vec<&Candidate> = candidates.into_iter().collect();
    candidates
        .into_par_iter()
        .map(|candidate| read_file(candidate, source))
        .collect()
}

/// The header's file, if custom or the user names it, narrows what else is read. `place` is what the user named.
pub(super) fn assemble(
    found: &Found,
    header_file: Option<usize>,
    place: &Path,
    source: &dyn Source,
) -> Result<Assembled, Problems> {
    let candidates = &found.files;
    let known = header_file.or_else(|| {
        candidates
            .iter()
            .position(|candidate| is_header_file(&candidate.relative))
    });
    let (mut files, narrowing) = match known {
        Some(index) => {
            let first = read_file(&candidates[index], source);
            // A header that cannot be read might have named the files; what the others say means nothing then.
            if let Some(problem) = first.problem {
                return Err(Problems::new(vec![problem]));
            }
            let narrowing = Narrowing::of(&first);
            let is_taken = |other: &Candidate| {
                other.relative != candidates[index].relative
                    && narrowing
                        .as_ref()
                        .is_none_or(|it| it.takes(&other.relative))
            };
            let mut taken = vec![candidates[index].clone()];
            taken.extend(candidates.iter().filter(|other| is_taken(other)).cloned());
            let others = without_doubles(taken);
            let others = others
                .iter()
                .filter(|other| other.relative != candidates[index].relative);
            let mut files = read_all(others, source);
            files.push(first);
            files.sort_by(|a, b| {
                a.candidate
                    .relative
                    .as_bytes()
                    .cmp(b.candidate.relative.as_bytes())
            });
            (files, narrowing)
        }
        None => narrowed(read_all(&without_doubles(candidates.clone()), source)),
    };
    let obstacles: Vec<&Obstacle> = found
        .obstacles
        .iter()
        .filter(|one| narrowing.as_ref().is_none_or(|it| it.takes_obstacle(one)))
        .collect();
    checks::patterns(&mut files);
    let header_index = choose_header(&mut files, place, !obstacles.is_empty());
    if let Ok(index) = header_index {
        checks::concepts(&mut files, index);
        checks::key_ids(&mut files, index);
    }
    checks::duplicates(&mut files);
    let named = read_named(&mut files, source);
    let mut problems = report::problems(&mut files, source);
    problems.extend(obstacles.into_iter().map(|one| {
        let message = format!("{} {}", subject(&one.shown), one.message);
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
    match header {
        Some((index, header)) if problems.is_empty() => {
            let mut assembled = finish(files, index, header, named);
            let mut gone = found.gone.clone();
            gone.retain(|one| {
                narrowing.as_ref().is_none_or(|it| it.takes(&one.relative))
                    && is_lost(one, &assembled.state)
            });
            assembled.gone = gone;
            assembled.unproven.clone_from(&found.unproven);
            assembled.narrowing = narrowing;
            Ok(assembled)
        }
        _ => Err(Problems::new(problems)),
    }
}

/// Whether a file that is gone declared something that nothing declares any more. One that was renamed, split, or was
/// no part of a manifest did not.
fn is_lost(gone: &Gone, state: &DesiredState) -> bool {
    let Some(format) = Format::of(&gone.shown) else {
        // A link to a folder.
        return true;
    };
    let text = gone
        .bytes
        .clone()
        .map(|bytes| decode_text(bytes, TextKind::Structured));
    let Some(Ok(text)) = text else { return true };
    let Ok(document) = document(format, &text) else {
        return true;
    };
    // A file that git has empty, as after `git add -N`, tells nothing of what the missing one declared.
    if document.inputs.is_empty() && document.header.is_none() {
        return true;
    }
    let is_declared = |id: &InputId| state.inputs.binary_search_by(|it| it.id.cmp(id)).is_ok();
    let mut inputs = document.inputs.iter();
    inputs.any(|input| input.id.as_ref().is_none_or(|id| !is_declared(id)))
}

/// Without a header file by custom every file was read; if exactly one of them is a header and names files, the
/// others count no more, whatever they are.
fn narrowed(files: Vec<File>) -> (Vec<File>, Option<Narrowing>) {
    let mut strong = files.iter().enumerate().filter(|(_, file)| {
        file.document
            .header
            .as_ref()
            .is_some_and(|header| header.is_strong)
    });
    let (Some((index, file)), None) = (strong.next(), strong.next()) else {
        return (files, None);
    };
    let Some(narrowing) = Narrowing::of(file) else {
        return (files, None);
    };
    let files = files
        .into_iter()
        .enumerate()
        .filter(|(other, file)| *other == index || narrowing.takes(&file.candidate.relative))
        .map(|(_, file)| file)
        .collect();
    (files, Some(narrowing))
}

/// Which file has the header, or what to say where that is not one. Nothing is to be said where a file that cannot be
/// read may have it.
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
        let header = file
            .document
            .header
            .as_ref()
            .expect("it was chosen for having one");
        Place::ROOT.name(header.first_key).key()
    };
    // The header is the first that looks like one.
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
    let other = Other {
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
            "the header's keys belong in one file; move these there, or let `files:` leave this file out",
        );
        finding.other = Some(other.clone());
    }
    Ok(chosen)
}

fn finish(files: Vec<File>, header_index: usize, header: Header, named: Digests) -> Assembled {
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
    let mut beside = BTreeMap::new();
    let mut kept = Vec::with_capacity(files.len());
    let small = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    for (file, read) in files.into_iter().enumerate() {
        for (input, parsed) in read.document.inputs.into_iter().enumerate() {
            let id = parsed.id.expect("an input without an id is a finding");
            if let Some(image) = parsed.image {
                images.insert(id.clone(), image);
            }
            if let Some(named) = parsed.named {
                beside.insert(id.clone(), *named);
            }
            let origin = Origin {
                file: small(file),
                input: small(input),
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
    Assembled {
        header,
        header_file,
        state,
        images,
        names: beside,
        files: kept,
        named,
        gone: Vec::new(),
        unproven: None,
        narrowing: None,
    }
}

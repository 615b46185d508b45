//! Files -> one manifest: which of them is the header's, which hold inputs, and what is wrong between them.
//!
//! Files are read on several threads; results and problems come in the order of the files all the same. Does not know
//! where texts come from: a file system, or memory.

use super::document::{Document, document};
use super::finding::{Other, Place};
use super::header::{Header, no_header_hint};
use super::input::{Image, NamedFiles};
use super::locate::Spotter;
use super::named::{Digests, OUTSIDE, read_named};
use super::problem::{Problem, Problems};
use super::select::{Candidate, folder_of, is_header_file, matching};
use super::source::{Source, Unreadable, text_digest};
use super::{checks, report};
use crate::model::{
    DesiredAnnotation, DesiredInput, DesiredState, InputId, NotText, Origin, Prose, TextFault,
    text_of,
};
use rayon::prelude::*;
use std::collections::BTreeMap;

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
                Unreadable::Missing | Unreadable::NoFile(_) => "check the path",
                Unreadable::Elsewhere => OUTSIDE,
                Unreadable::TooLarge(_) => "spread its inputs over several files",
                Unreadable::Changed => "run the command again once nothing writes to it",
                Unreadable::Failed(_) => "check the path and its permissions",
            };
            let message = error.to_string();
            file.problem = Some(Problem::of_file(&candidate.shown, message, hint));
            return file;
        }
    };
    file.digest = text_digest(&bytes);
    match text_of(bytes, Prose::No) {
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
            let NotText {
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
    candidates: &[Candidate],
    header_file: Option<usize>,
    place: &std::path::Path,
    source: &dyn Source,
) -> Result<Assembled, Problems> {
    let known = header_file.or_else(|| {
        candidates
            .iter()
            .position(|candidate| is_header_file(&candidate.relative))
    });
    let mut files = match known {
        Some(index) => {
            let first = read_file(&candidates[index], source);
            // A header that cannot be read might have named the files; what the others say means nothing then.
            if let Some(problem) = first.problem {
                return Err(Problems::new(vec![problem]));
            }
            let patterns = first.document.header.as_ref().and_then(|h| h.files.clone());
            let others: Vec<&Candidate> = match patterns {
                Some(patterns) => {
                    let paths: Vec<&str> = candidates.iter().map(|c| c.relative.as_str()).collect();
                    let folder = folder_of(&candidates[index].relative);
                    let (taken, _) = matching(&patterns, folder, &paths);
                    (0..candidates.len())
                        .filter(|other| *other != index && taken[*other])
                        .map(|other| &candidates[other])
                        .collect()
                }
                None => (0..candidates.len())
                    .filter(|other| *other != index)
                    .map(|other| &candidates[other])
                    .collect(),
            };
            let mut files = read_all(others, source);
            files.push(first);
            files.sort_by(|a, b| {
                a.candidate
                    .relative
                    .as_bytes()
                    .cmp(b.candidate.relative.as_bytes())
            });
            files
        }
        None => narrowed(read_all(candidates, source)),
    };
    checks::patterns(&mut files);
    let header_index = choose_header(&mut files, place);
    if let Ok(index) = header_index {
        checks::concepts(&mut files, index);
        checks::key_ids(&mut files, index);
    }
    checks::duplicates(&mut files);
    let named = read_named(&mut files, source);
    let mut problems = report::problems(&mut files, source);
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
        Some((index, header)) if problems.is_empty() => Ok(finish(files, index, header, named)),
        _ => Err(Problems::new(problems)),
    }
}

/// Without a header file by custom every file was read; if exactly one of them is a header and names files, the
/// others count no more, whatever they are.
fn narrowed(files: Vec<File>) -> Vec<File> {
    let mut strong = files.iter().enumerate().filter(|(_, file)| {
        file.document
            .header
            .as_ref()
            .is_some_and(|header| header.is_strong)
    });
    let (Some((index, file)), None) = (strong.next(), strong.next()) else {
        return files;
    };
    let Some(patterns) = file.document.header.as_ref().and_then(|h| h.files.as_ref()) else {
        return files;
    };
    let paths: Vec<&str> = files
        .iter()
        .map(|f| f.candidate.relative.as_str())
        .collect();
    let (taken, _) = matching(patterns, folder_of(&file.candidate.relative), &paths);
    files
        .into_iter()
        .enumerate()
        .filter(|(other, _)| *other == index || taken[*other])
        .map(|(_, file)| file)
        .collect()
}

/// Which file has the header, or what to say where that is not one. Nothing is to be said where a file that cannot be
/// read may have it.
fn choose_header(
    files: &mut [File],
    place: &std::path::Path,
) -> Result<usize, Option<Box<Problem>>> {
    let having: Vec<usize> = (0..files.len())
        .filter(|index| files[*index].document.header.is_some())
        .collect();
    let Some((&first, others)) = having.split_first() else {
        if files.iter().any(|file| file.problem.is_some()) {
            return Err(None);
        }
        let message = if files.is_empty() {
            "no file of a manifest is there: no *.yaml, *.yml, *.json or *.jsonl"
        } else {
            "this manifest has no header"
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
            "the header's keys stand in one file; move these there, or let `files:` leave this file out",
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
                rest: parsed.rest,
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
    }
}

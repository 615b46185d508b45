//! Files -> one manifest: which of them is the header's, which hold inputs, and what is wrong between them.
//!
//! Files are read on several threads; results and problems come in the order of the files all the same. Does not know
//! where texts come from: a file system, or memory.

use super::document::{Document, Format, document};
use super::finding::{Aim, Finding, Other, Place, Pointer};
use super::header::{Header, INPUTS, no_header_hint};
use super::input::Image;
use super::locate::{Spotter, locate};
use super::problem::{Problem, Problems};
use super::select::{Candidate, folder_of, is_header_file, matching};
use super::words::{nearest, quote};
use crate::model::{
    ConceptId, DesiredAnnotation, DesiredInput, DesiredState, Identity, InputId, Origin, key_id,
    set_prefix,
};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The bytes of a candidate's file.
pub(super) type Read<'r> = &'r (dyn Fn(&Candidate) -> std::io::Result<Vec<u8>> + Sync);

/// A file that was read.
#[derive(Debug)]
struct File {
    candidate: Candidate,
    /// SHA-256 of its bytes.
    digest: [u8; 32],
    document: Document,
    /// What makes it unreadable.
    problem: Option<Problem>,
}

/// What became of the files.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) header: Header,
    pub(super) header_file: String,
    pub(super) state: DesiredState,
    pub(super) images: BTreeMap<InputId, Image>,
    pub(super) files: Vec<(Candidate, [u8; 32])>,
}

/// A text without its byte order mark, or why the bytes are no text.
pub(super) fn as_text(bytes: Vec<u8>) -> Result<String, std::string::FromUtf8Error> {
    let mut text = String::from_utf8(bytes)?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

fn read_file(candidate: &Candidate, read: Read<'_>) -> File {
    let mut file = File {
        candidate: candidate.clone(),
        digest: [0; 32],
        document: Document::default(),
        problem: None,
    };
    let bytes = match read(candidate) {
        Ok(bytes) => bytes,
        Err(error) => {
            file.problem = Some(Problem::of_file(
                &candidate.shown,
                format!("cannot be read: {error}"),
                "check the path and its permissions",
            ));
            return file;
        }
    };
    file.digest = Sha256::digest(&bytes).into();
    match as_text(bytes) {
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
            let start = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes());
            let end = start + char::REPLACEMENT_CHARACTER.len_utf8();
            file.problem = Some(Problem {
                path: candidate.shown.clone(),
                spot: Some(Spotter::new(&text).spot(&(start..end))),
                message: "not valid UTF-8".to_owned(),
                hint: Some("save the file as UTF-8".to_owned()),
            });
        }
    }
    file
}

fn read_all<'c>(candidates: impl IntoIterator<Item = &'c Candidate>, read: Read<'_>) -> Vec<File> {
    let candidates: Vec<&Candidate> = candidates.into_iter().collect();
    candidates
        .into_par_iter()
        .map(|candidate| read_file(candidate, read))
        .collect()
}

/// The header's file, if custom or the user names it, narrows what else is read. `place` is what the user named.
pub(super) fn assemble(
    candidates: &[Candidate],
    header_file: Option<usize>,
    place: &std::path::Path,
    read: Read<'_>,
) -> Result<Assembled, Problems> {
    let known = header_file.or_else(|| {
        candidates
            .iter()
            .position(|candidate| is_header_file(&candidate.relative))
    });
    let mut files = match known {
        Some(index) => {
            let first = read_file(&candidates[index], read);
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
            let mut files = read_all(others, read);
            files.push(first);
            files.sort_by(|a, b| {
                a.candidate
                    .relative
                    .as_bytes()
                    .cmp(b.candidate.relative.as_bytes())
            });
            files
        }
        None => narrowed(read_all(candidates, read)),
    };
    check_patterns(&mut files);
    let header_index = choose_header(&mut files, place);
    if let Ok(index) = header_index {
        check_concepts(&mut files, index);
        check_key_ids(&mut files, index);
    }
    check_duplicates(&mut files);
    let mut problems = problems(&mut files, read);
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
        Some((index, header)) if problems.is_empty() => Ok(finish(files, index, header)),
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

/// A pattern that takes no file is a slip, and under `sync` it would read as "delete all of that".
fn check_patterns(files: &mut [File]) {
    let paths: Vec<String> = files.iter().map(|f| f.candidate.relative.clone()).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    for file in files {
        let Some(patterns) = file.document.header.as_ref().and_then(|h| h.files.as_ref()) else {
            continue;
        };
        let (_, unused) = matching(patterns, folder_of(&file.candidate.relative), &paths);
        let messages: Vec<String> = unused
            .into_iter()
            .map(|index| patterns[index].clone())
            .collect();
        let place = Place::ROOT.name("files");
        for pattern in messages {
            let at = Pointer {
                aim: Aim::Item(pattern.as_str().into()),
                ..place.value()
            };
            file.document
                .findings
                .add(at, format!("{} takes no file", quote(&pattern)))
                .hint("a pattern is relative to this file's folder and takes *.yaml, *.yml, *.json and *.jsonl");
        }
    }
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

/// Reports every use of a concept that the header does not know, or renames.
fn check_concepts(files: &mut [File], header: usize) {
    let Some(parsed) = &files[header].document.header else {
        return;
    };
    let renamed = parsed.renamed.clone();
    let vocabulary = parsed.vocabulary.clone();
    let known: Option<HashSet<ConceptId>> =
        vocabulary.as_ref().map(|all| all.iter().cloned().collect());
    if renamed.is_empty() && known.is_none() {
        return;
    }
    files.par_iter_mut().for_each(|file| {
        // What to say about each, worked out once: a misspelt concept may stand in every annotation.
        let bad: HashMap<ConceptId, (String, String)> = file
            .document
            .concepts
            .iter()
            .filter_map(|concept| {
                let said = if let Some(new) = renamed.get(concept) {
                    (
                        format!("the concept {} is renamed", quote(concept.as_str())),
                        format!("write {} here", quote(new.as_str())),
                    )
                } else if known.as_ref().is_some_and(|known| !known.contains(concept)) {
                    let words = vocabulary.iter().flatten().map(ConceptId::as_str);
                    let near = nearest(concept.as_str(), words)
                        .map(|near| format!("did you mean {}? ", quote(near)))
                        .unwrap_or_default();
                    (
                        format!(
                            "the concept {} is not in the vocabulary",
                            quote(concept.as_str())
                        ),
                        format!("{near}otherwise add it to `vocabulary` in the header"),
                    )
                } else {
                    return None;
                };
                Some((concept.clone(), said))
            })
            .collect();
        if bad.is_empty() {
            return;
        }
        let inputs = Place::ROOT.name(INPUTS);
        let document = &mut file.document;
        for (index, input) in document.inputs.iter().enumerate() {
            let input_place = inputs.nth(index);
            let annotations = input_place.name("annotations");
            for (index, (_, content)) in input.annotations.iter().enumerate() {
                for concept in content.concepts.iter().flatten() {
                    let Some((message, hint)) = bad.get(&concept.id) else {
                        continue;
                    };
                    let annotation = annotations.nth(index);
                    let at = Pointer {
                        aim: Aim::Item(concept.id.as_str().into()),
                        ..annotation.name("concepts").value()
                    };
                    document.findings.add(at, message).hint(hint);
                }
            }
        }
    });
}

/// Reports an `id` that is the one which a `key` of the same input makes.
fn check_key_ids(files: &mut [File], header: usize) {
    let Some(set) = files[header]
        .document
        .header
        .as_ref()
        .and_then(|parsed| parsed.header.as_ref())
        .map(|header| header.set.clone())
    else {
        return;
    };
    let prefix = set_prefix(&set);
    files.par_iter_mut().for_each(|file| {
        let inputs = Place::ROOT.name(INPUTS);
        let document = &mut file.document;
        for (index, input) in document.inputs.iter().enumerate() {
            let (Some(id), true) = (
                &input.id,
                input.annotations.iter().any(|(identity, _)| {
                    matches!(identity, Identity::Id(id) if id.as_str().starts_with(&prefix))
                }),
            ) else {
                continue;
            };
            let made: HashMap<_, usize> = input
                .annotations
                .iter()
                .enumerate()
                .filter_map(|(index, (identity, _))| match identity {
                    Identity::Key(key) => Some((key_id(&set, id, key), index)),
                    _ => None,
                })
                .collect();
            let input_place = inputs.nth(index);
            let annotations = input_place.name("annotations");
            for (index, (identity, _)) in input.annotations.iter().enumerate() {
                if let Identity::Id(id) = identity
                    && let Some(other) = made.get(id)
                {
                    let other = annotations.nth(*other);
                    document
                        .findings
                        .add(
                            annotations.nth(index).name("id").value(),
                            format!("{} is the id that a `key` makes", quote(id.as_str())),
                        )
                        .hint("the two are one annotation; keep the key")
                        .other("the key is at", other.name("key").value());
                }
            }
        }
    });
}

/// Reports an input that stands twice, in one file or in two.
fn check_duplicates(files: &mut [File]) {
    let mut first: HashMap<InputId, (usize, usize)> = HashMap::new();
    for (file, read) in files.iter_mut().enumerate() {
        let mut findings = Vec::new();
        for (index, input) in read.document.inputs.iter().enumerate() {
            let Some(id) = &input.id else {
                continue;
            };
            let id_of = |index| Place::ROOT.name(INPUTS).nth(index).name("id").value();
            match first.get(id) {
                None => {
                    first.insert(id.clone(), (file, index));
                }
                Some((other_file, other_index)) => findings.push(Finding {
                    at: id_of(index),
                    message: format!("the input {} stands twice", quote(id.as_str())),
                    hint: Some("put all its annotations in one place".to_owned()),
                    other: Some(Other {
                        file: Some(*other_file),
                        at: id_of(*other_index),
                        label: "the first one is at",
                    }),
                }),
            }
        }
        read.document.findings.0.extend(findings);
    }
}

/// Where the answers for one finding are: its own among those of its file; the other's file, and its among that one's.
type Asked = (usize, Option<(usize, usize)>);

/// Turns findings into problems: the second pass over the texts of the files that have any, or that one speaks of.
fn problems(files: &mut [File], read: Read<'_>) -> Vec<Problem> {
    let findings: Vec<Vec<Finding>> = files
        .iter_mut()
        .map(|file| std::mem::take(&mut file.document.findings.0))
        .collect();
    let mut problems: Vec<Problem> = files
        .iter_mut()
        .filter_map(|file| file.problem.take())
        .collect();

    // Per file, every place that is spoken of.
    let mut wanted: Vec<Vec<&Pointer>> = vec![Vec::new(); files.len()];
    let mut asked: Vec<Vec<Asked>> = Vec::with_capacity(files.len());
    for (file, findings) in findings.iter().enumerate() {
        let mut of_file = Vec::with_capacity(findings.len());
        for finding in findings {
            wanted[file].push(&finding.at);
            let own = wanted[file].len() - 1;
            let other = finding.other.as_ref().map(|other| {
                let place = other.file.unwrap_or(file);
                wanted[place].push(&other.at);
                (place, wanted[place].len() - 1)
            });
            of_file.push((own, other));
        }
        asked.push(of_file);
    }
    let spots: Vec<Option<Vec<super::problem::Spot>>> = files
        .par_iter()
        .zip(&wanted)
        .map(|(file, pointers)| spots(file, pointers, read))
        .collect();
    for (file, findings) in findings.iter().enumerate() {
        for (finding, (own, other)) in findings.iter().zip(&asked[file]) {
            let mut hint = finding.hint.clone();
            if let (Some(other), Some((place, index))) = (&finding.other, other) {
                let mut at = files[*place].candidate.shown.display().to_string();
                if let Some(spots) = &spots[*place] {
                    let spot = &spots[*index];
                    at = format!("{at}:{}:{}", spot.line, spot.column);
                }
                let label = other.label;
                hint = Some(match hint {
                    Some(hint) => format!("{label} {at}; {hint}"),
                    None => format!("{label} {at}"),
                });
            }
            problems.push(Problem {
                path: files[file].candidate.shown.clone(),
                spot: spots[file].as_ref().map(|spots| spots[*own].clone()),
                message: finding.message.clone(),
                hint,
            });
        }
    }
    problems
}

/// The spots of the pointers; nothing where the file is not any more what was read.
fn spots(file: &File, pointers: &[&Pointer], read: Read<'_>) -> Option<Vec<super::problem::Spot>> {
    if pointers.is_empty() {
        return None;
    }
    let text = unchanged(&file.candidate, &file.digest, read)?;
    Some(spots_in(file.candidate.format, &text, pointers))
}

/// The text of a file, if it is still the one with this digest.
pub(super) fn unchanged(
    candidate: &Candidate,
    digest: &[u8; 32],
    read: Read<'_>,
) -> Option<String> {
    let bytes = read(candidate).ok()?;
    let is_same = <[u8; 32]>::from(Sha256::digest(&bytes)) == *digest;
    if is_same { as_text(bytes).ok() } else { None }
}

/// The spots of the pointers in a text.
pub(super) fn spots_in(
    format: Format,
    text: &str,
    pointers: &[&Pointer],
) -> Vec<super::problem::Spot> {
    let ranges = locate(format, text, pointers);
    let mut order: Vec<usize> = (0..ranges.len()).collect();
    order.sort_by_key(|index| ranges[*index].start);
    let mut spotter = Spotter::new(text);
    let mut spots: Vec<(usize, super::problem::Spot)> = order
        .into_iter()
        .map(|index| (index, spotter.spot(&ranges[index])))
        .collect();
    spots.sort_by_key(|(index, _)| *index);
    spots.into_iter().map(|(_, spot)| spot).collect()
}

fn finish(files: Vec<File>, header_index: usize, header: Header) -> Assembled {
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
    let mut kept = Vec::with_capacity(files.len());
    let small = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    for (file, read) in files.into_iter().enumerate() {
        for (input, parsed) in read.document.inputs.into_iter().enumerate() {
            let id = parsed.id.expect("an input without an id is a finding");
            if let Some(image) = parsed.image {
                images.insert(id.clone(), image);
            }
            let origin = Origin {
                file: small(file),
                input: small(input),
                annotation: 0,
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
        files: kept,
    }
}

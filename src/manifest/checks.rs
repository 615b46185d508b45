//! Checks across the files of a manifest: patterns, vocabulary, ids, duplicates.
//!
//! Each check adds its findings to the file that must be changed.

use super::file::File;
use super::finding::{Finding, Part, Place, Pointer, Related};
use super::header::INPUTS;
use super::select::{folder_of, matching};
use super::words::{nearest, quote};
use crate::model::{ConceptId, Identity, InputId, key_id, set_prefix};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

/// Reports patterns that match no files. They are mistakes, and under `sync` would delete labels.
pub(super) fn patterns(files: &mut [File]) {
    let paths: Vec<String> = files.iter().map(|f| f.candidate.relative.clone()).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    for file in files {
        let Some(patterns) = file.document.header.as_ref().and_then(|h| h.files.as_ref()) else {
            continue;
        };
        let (_, unused) = matching(patterns, folder_of(&file.candidate.relative), &paths);
        let unused: Vec<String> = unused
            .into_iter()
            .map(|index| patterns[index].clone())
            .collect();
        let place = Place::ROOT.name("files");
        for pattern in unused {
            let at = Pointer {
                part: Part::Item(pattern.as_str().into()),
                ..place.value()
            };
            file.document
                .findings
                .add(at, format!("{} matches no files", quote(&pattern)))
                .hint("a pattern is relative to this file's folder and matches only *.yaml, *.yml, *.json and *.jsonl");
        }
    }
}

/// Reports every use of a concept that the header renames, or that its vocabulary lacks. Returns whether a file names one
/// that may be in an input that was dropped.
pub(super) fn concepts(files: &mut [File], header: usize) -> bool {
    let Some(parsed) = &files[header].document.header else {
        return false;
    };
    let renamed = parsed.renamed.clone();
    let vocabulary = parsed.vocabulary.clone();
    let known: Option<HashSet<ConceptId>> =
        vocabulary.as_ref().map(|all| all.iter().cloned().collect());
    if renamed.is_empty() && known.is_none() {
        return false;
    }
    let may_be_dropped = AtomicBool::new(false);
    files.par_iter_mut().for_each(|file| {
        // A misspelt concept may be in every annotation, so its message is built once.
        let bad: HashMap<ConceptId, (String, String)> = file
            .document
            .concepts
            .iter()
            .filter_map(|concept| {
                let message_and_hint = if let Some(new) = renamed.get(concept) {
                    (
                        format!("the concept {} is renamed", quote(concept.as_str())),
                        format!("write {} here", quote(new.as_str())),
                    )
                } else if known.as_ref().is_some_and(|known| !known.contains(concept)) {
                    let words = vocabulary.iter().flatten().map(ConceptId::as_str);
                    let near = nearest(concept.as_str(), words)
                        .map(|near| format!("did you mean {}? otherwise ", quote(near)))
                        .unwrap_or_default();
                    (
                        format!(
                            "the concept {} is not in the vocabulary",
                            quote(concept.as_str())
                        ),
                        format!("{near}add it to `vocabulary` in the header"),
                    )
                } else {
                    return None;
                };
                Some((concept.clone(), message_and_hint))
            })
            .collect();
        if bad.is_empty() {
            return;
        }
        let inputs = Place::ROOT.name(INPUTS);
        let document = &mut file.document;
        if document.others.inputs() > 0 {
            may_be_dropped.store(true, Ordering::Relaxed);
        }
        for input in &document.inputs {
            let input_place = inputs.nth(input.index as usize);
            let annotations = input_place.name("annotations");
            for (index, (_, content)) in input.annotations.iter().enumerate() {
                for concept in content.concepts.iter().flatten() {
                    let Some((message, hint)) = bad.get(&concept.id) else {
                        continue;
                    };
                    let annotation = annotations.nth(index);
                    let at = Pointer {
                        part: Part::Item(concept.id.as_str().into()),
                        ..annotation.name("concepts").value()
                    };
                    document.findings.add(at, message).hint(hint);
                }
            }
        }
    });
    may_be_dropped.into_inner()
}

/// Reports an `id` that equals the one derived from a `key` of the same input.
pub(super) fn key_ids(files: &mut [File], header: usize) {
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
        for input in &document.inputs {
            let (Some(id), true) = (
                &input.id,
                input.annotations.iter().any(|(identity, _)| {
                    matches!(identity, Identity::Id(id) if id.as_str().starts_with(&prefix))
                }),
            ) else {
                continue;
            };
            let derived: HashMap<_, usize> = input
                .annotations
                .iter()
                .enumerate()
                .filter_map(|(index, (identity, _))| match identity {
                    Identity::Key(key) => Some((key_id(&set, id, key), index)),
                    _ => None,
                })
                .collect();
            let input_place = inputs.nth(input.index as usize);
            let annotations = input_place.name("annotations");
            for (index, (identity, _)) in input.annotations.iter().enumerate() {
                if let Identity::Id(id) = identity
                    && let Some(other) = derived.get(id)
                {
                    let other = annotations.nth(*other);
                    document
                        .findings
                        .add(
                            annotations.nth(index).name("id").value(),
                            format!(
                                "{} is the id of an annotation with a `key`",
                                quote(id.as_str())
                            ),
                        )
                        .hint("the two are one annotation; keep the key")
                        .related("the key is at", other.name("key").value());
                }
            }
        }
    });
}

/// Reports an input that is declared twice, in one file or in two.
pub(super) fn duplicates(files: &mut [File]) {
    let mut first: HashMap<InputId, (usize, usize)> = HashMap::new();
    for (file, read) in files.iter_mut().enumerate() {
        let mut findings = Vec::new();
        for input in &read.document.inputs {
            let index = input.index as usize;
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
                    message: format!("duplicate input {}", quote(id.as_str())),
                    hint: Some("declare each input once, with all its annotations".to_owned()),
                    related: Some(Related {
                        file: Some(*other_file),
                        at: id_of(*other_index),
                        label: "the first is at",
                    }),
                    rule: None,
                }),
            }
        }
        read.document.findings.0.extend(findings);
    }
}

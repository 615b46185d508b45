//! Findings -> problems: the second pass over the texts of the files that have any, or that one speaks of.
//!
//! A file that is not any more what was read gives no places. Knows nothing of what is right or wrong.

use super::assemble::File;
use super::document::Format;
use super::finding::{Finding, Pointer, spelled};
use super::locate::{Spotter, locate};
use super::problem::{Problem, Spot};
use super::select::Candidate;
use super::source::{Source, text_digest};
use crate::model::{TextKind, decode_text};
use rayon::prelude::*;

/// Where the answers for one finding are: its own among those of its file; the other's file, and its among that one's.
type Asked = (usize, Option<(usize, usize)>);

/// Turns findings into problems: the second pass over the texts of the files that have any, or that one speaks of.
pub(super) fn problems(files: &mut [File], source: &dyn Source) -> Vec<Problem> {
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
    let spots: Vec<Option<Vec<Spot>>> = files
        .par_iter()
        .zip(&wanted)
        .map(|(file, pointers)| spots(file, pointers, source))
        .collect();
    for (file, findings) in findings.iter().enumerate() {
        for (finding, (own, other)) in findings.iter().zip(&asked[file]) {
            let spot = spots[file].as_ref().map(|spots| &spots[*own]);
            let source = spot.and_then(Spot::marked_text);
            let mut hint = finding.hint.as_deref().map(|hint| spelled(hint, source));
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
                spot: spot.cloned(),
                message: spelled(&finding.message, source),
                hint,
            });
        }
    }
    problems
}

/// The spots of the pointers; nothing where the file is not any more what was read.
fn spots(file: &File, pointers: &[&Pointer], source: &dyn Source) -> Option<Vec<Spot>> {
    if pointers.is_empty() {
        return None;
    }
    let text = unchanged(&file.candidate, &file.digest, source)?;
    Some(spots_in(file.candidate.format, &text, pointers))
}

/// The text of a file, if it is still the one with this digest.
pub(super) fn unchanged(
    candidate: &Candidate,
    digest: &[u8; 32],
    source: &dyn Source,
) -> Option<String> {
    let bytes = source.own(candidate).ok()?;
    if text_digest(&bytes) != *digest {
        return None;
    }
    decode_text(bytes, TextKind::Structured).ok()
}

/// The spots of the pointers in a text.
pub(super) fn spots_in(format: Format, text: &str, pointers: &[&Pointer]) -> Vec<Spot> {
    let ranges = locate(format, text, pointers);
    let mut order: Vec<usize> = (0..ranges.len()).collect();
    order.sort_by_key(|index| ranges[*index].start);
    let mut spotter = Spotter::new(text);
    let mut spots: Vec<(usize, Spot)> = order
        .into_iter()
        .map(|index| (index, spotter.spot(&ranges[index])))
        .collect();
    spots.sort_by_key(|(index, _)| *index);
    spots.into_iter().map(|(_, spot)| spot).collect()
}

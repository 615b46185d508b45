//! Findings -> problems with lines and columns.
//!
//! Reads again only the files that have findings, or that a finding names. A file that changed in between gives no
//! positions.

use super::file::File;
use super::finding::{Finding, Pointer, spelled};
use super::format::Format;
use super::locate::{SpanFinder, locate};
use super::problem::{Problem, SourceSpan};
use super::select::Candidate;
use super::source::{Source, text_digest};
use crate::model::{TextKind, decode_text};
use rayon::prelude::*;

/// The indices of the spans of a finding: its own, among those of its file; the related one's file and index there.
type SpanIndices = (usize, Option<(usize, usize)>);

/// Takes the findings and problems out of the files.
pub(super) fn problems(files: &mut [File], source: &dyn Source) -> Vec<Problem> {
    let findings: Vec<Vec<Finding>> = files
        .iter_mut()
        .map(|file| std::mem::take(&mut file.document.findings.0))
        .collect();
    let mut problems: Vec<Problem> = files
        .iter_mut()
        .filter_map(|file| file.problem.take())
        .collect();

    // By file, every place that a finding names.
    let mut wanted: Vec<Vec<&Pointer>> = vec![Vec::new(); files.len()];
    let mut indices: Vec<Vec<SpanIndices>> = Vec::with_capacity(files.len());
    for (file, findings) in findings.iter().enumerate() {
        let mut of_file = Vec::with_capacity(findings.len());
        for finding in findings {
            wanted[file].push(&finding.at);
            let own = wanted[file].len() - 1;
            let related = finding.related.as_ref().map(|related| {
                let place = related.file.unwrap_or(file);
                wanted[place].push(&related.at);
                (place, wanted[place].len() - 1)
            });
            of_file.push((own, related));
        }
        indices.push(of_file);
    }
    let spans: Vec<Option<Vec<SourceSpan>>> = files
        .par_iter()
        .zip(&wanted)
        .map(|(file, pointers)| spans_of(file, pointers, source))
        .collect();
    for (file, findings) in findings.iter().enumerate() {
        for (finding, (own, related)) in findings.iter().zip(&indices[file]) {
            let span = spans[file].as_ref().map(|spans| &spans[*own]);
            let source = span.and_then(SourceSpan::marked_text);
            let mut hint = finding.hint.as_deref().map(|hint| spelled(hint, source));
            if let (Some(related), Some((place, index))) = (&finding.related, related) {
                let mut at = files[*place].candidate.shown.display().to_string();
                if let Some(spans) = &spans[*place] {
                    let span = &spans[*index];
                    at = format!("{at}:{}:{}", span.line, span.column);
                }
                let label = related.label;
                hint = Some(match hint {
                    Some(hint) => format!("{label} {at}; {hint}"),
                    None => format!("{label} {at}"),
                });
            }
            problems.push(Problem {
                path: files[file].candidate.shown.clone(),
                span: span.cloned(),
                message: spelled(&finding.message, source),
                hint,
                rule: finding.rule,
                ..Problem::default()
            });
        }
    }
    problems
}

/// The spans of the pointers; `None` without pointers, or if the file changed.
fn spans_of(file: &File, pointers: &[&Pointer], source: &dyn Source) -> Option<Vec<SourceSpan>> {
    if pointers.is_empty() {
        return None;
    }
    let text = unchanged(&file.candidate, &file.digest, source)?;
    Some(spans_in(file.candidate.format, &text, pointers))
}

/// The text of a file, if it still has this digest.
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

/// The spans of the pointers in a text, in their order.
pub(super) fn spans_in(format: Format, text: &str, pointers: &[&Pointer]) -> Vec<SourceSpan> {
    let ranges = locate(format, text, pointers);
    let mut order: Vec<usize> = (0..ranges.len()).collect();
    order.sort_by_key(|index| ranges[*index].start);
    let mut finder = SpanFinder::new(text);
    let mut spans: Vec<(usize, SourceSpan)> = order
        .into_iter()
        .map(|index| (index, finder.span(&ranges[index])))
        .collect();
    spans.sort_by_key(|(index, _)| *index);
    spans.into_iter().map(|(_, span)| span).collect()
}

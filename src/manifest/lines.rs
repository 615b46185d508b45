//! The inputs of a JSON Lines file, each by itself: an invalid line does not affect the others.

use super::context::{Image, InputText, InputVideo};
use super::document::lines_of_part;
use super::finding::{Finding, Findings, Place, Step, spelled};
use super::format::json_lines;
use super::span_texts::{check_spans, set_span_texts};
use crate::model::{Content, Identity, InputId, Undeclared};
use std::collections::BTreeMap;

/// A line that holds an input.
#[derive(Debug, Clone, Copy)]
pub struct Line<'t> {
    /// From 1.
    pub number: usize,
    text: &'t str,
}

/// An input with its annotations, some of which may be wrong.
#[derive(Debug)]
pub struct LineInput {
    /// `None` if it is missing or wrong.
    pub id: Option<InputId>,
    pub image: Option<Image>,
    pub video: Option<InputVideo>,
    pub text: Option<InputText>,
    pub undeclared: Undeclared,
    /// What is wrong with the input itself.
    pub problem: Option<String>,
    pub annotations: Vec<(Identity, Content)>,
    /// What is wrong with annotations, by their indices.
    pub problems: BTreeMap<usize, String>,
    /// The files of masks, with the indices of their annotations.
    pub masks: Vec<(usize, Box<str>)>,
}

impl LineInput {
    /// Checks the spans against the text, which another file holds, and fills in their texts.
    pub fn check_text(&mut self, text: &str) {
        let mut findings = Findings::default();
        let missing = check_spans(text, &self.annotations, &Place::ROOT, &mut findings);
        set_span_texts(&mut self.annotations, missing);
        self.add_problems(findings);
    }

    fn add_problems(&mut self, findings: Findings) {
        for Finding { at, message, .. } in findings.0 {
            let message = spelled(&message, None);
            let index = (at.path.iter())
                .position(|step| matches!(step, Step::Name("annotations")))
                .and_then(|place| match at.path.get(place + 1) {
                    Some(Step::Nth(index)) => Some(*index as usize),
                    _ => None,
                });
            match index {
                Some(index) => {
                    self.problems.entry(index).or_insert(message);
                }
                None => {
                    self.problem.get_or_insert(message);
                }
            }
        }
    }
}

/// The lines of a file, not read yet.
pub fn lines(text: &str) -> impl Iterator<Item = Line<'_>> + Send {
    let (mut number, mut counted) = (1, 0);
    json_lines(text).map(move |(offset, line)| {
        number += text[counted..offset].matches('\n').count();
        counted = offset;
        Line { number, text: line }
    })
}

impl Line<'_> {
    /// The input, or why the line cannot be read.
    pub fn read(self) -> Result<LineInput, String> {
        input(self.text)
    }
}

fn input(line: &str) -> Result<LineInput, String> {
    let document = lines_of_part(line, (0, 0), None).map_err(|error| {
        let before = line.get(..error.offset).unwrap_or(line);
        format!("column {}: {}", before.chars().count() + 1, error.message)
    })?;
    let parsed = document.inputs.into_iter().next();
    let parsed = parsed.ok_or_else(|| "the line is empty".to_owned())?;
    let media = parsed.media.map(|media| *media).unwrap_or_default();
    let mut input = LineInput {
        id: parsed.id,
        image: parsed.image,
        video: media.video,
        text: media.text,
        undeclared: parsed.undeclared,
        problem: None,
        annotations: parsed.annotations,
        problems: BTreeMap::new(),
        masks: media.masks,
    };
    input.add_problems(document.findings);
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_those_of_their_line_and_annotation() {
        let text = "{\"id\": \"a\", \"annotations\": [{\"point\": [2, 0]}, {\"concepts\": [\"car\"]}]}\n\nno\n\
                    {\"id\": \"b\"}\n{\"id\": \"c\", \"annotations\": []}";
        let numbers: Vec<usize> = lines(text).map(|line| line.number).collect();
        assert_eq!(numbers, [1, 3, 4, 5]);
        let lines: Vec<Result<LineInput, String>> = lines(text).map(Line::read).collect();
        let first = lines[0].as_ref().unwrap();
        assert_eq!(first.problem, None);
        assert_eq!(first.problems.keys().collect::<Vec<_>>(), [&0]);
        assert_eq!(first.annotations.len(), 2);
        assert!(lines[1].as_ref().unwrap_err().starts_with("column "));
        assert!(lines[2].as_ref().unwrap().problem.is_some());
        assert!(lines[3].as_ref().unwrap().problem.is_none());
    }
}

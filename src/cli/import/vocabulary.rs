//! Adds concepts to the `vocabulary` of a header and leaves the rest of its text unchanged.

use crate::cli::exit::Failure;
use crate::cli::{input, output};
use crate::formats::Imported;
use crate::manifest::Manifest;
use crate::manifest::write::yaml_element;
use crate::model::ConceptId;
use crate::pull::{Change, FileChange, Layout};
use crate::render::{counted, thousands};
use serde_json::json;
use std::collections::BTreeSet;

/// What happens to concepts that the vocabulary lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vocabulary {
    /// They are an error.
    Fixed,
    /// They are added.
    Extended,
}

impl Vocabulary {
    /// The header with the missing concepts added; `None` if none is missing.
    pub(super) fn extend(
        self,
        manifest: &Manifest,
        imported: &Imported,
    ) -> Result<Option<FileChange>, Failure> {
        let Some(vocabulary) = &manifest.vocabulary else {
            return Ok(None);
        };
        let used: BTreeSet<&ConceptId> = imported
            .inputs
            .iter()
            .flat_map(|it| &it.input.annotations)
            .flat_map(|it| {
                it.content
                    .concepts
                    .iter()
                    .flat_map(|concepts| concepts.iter())
            })
            // As the merge renames them.
            .map(|concept| {
                manifest
                    .desired
                    .renamed
                    .get(&concept.id)
                    .unwrap_or(&concept.id)
            })
            .collect();
        let missing: Vec<&ConceptId> = used
            .into_iter()
            .filter(|concept| !vocabulary.contains(concept))
            .collect();
        if missing.is_empty() {
            return Ok(None);
        }
        let path = &manifest.header_file;
        let lacks = format!(
            "the vocabulary in {} lacks {} of the file's concepts",
            path.strip_prefix(".").unwrap_or(path).display(),
            thousands(missing.len() as u64)
        );
        let list = lines(&missing);
        if self == Self::Fixed {
            return Err(
                Failure::new(format!("{lacks}; nothing was written")).hint(format!(
                    "import with --extend-vocabulary, or add them to `vocabulary`:\n{}",
                    list.trim_end()
                )),
            );
        }
        let text = input::text(path, input::MAX_BYTES)?;
        let Some(text) = extended(&text, &missing) else {
            return Err(Failure::new(format!(
                "{lacks}, and its layout cannot be changed in place; nothing was written"
            ))
            .hint(format!("add them to `vocabulary`:\n{}", list.trim_end())));
        };
        output::message(&format!(
            "Added {} to the vocabulary.",
            counted(missing.len() as u64, "concept")
        ));
        Ok(Some(FileChange {
            path: path.clone(),
            content: text.into_bytes(),
            change: Change::Changed {
                added: 0,
                changed: 0,
                dropped: 0,
                layout: Layout::Kept,
            },
        }))
    }
}

/// The header's text with these concepts appended to its vocabulary; `None` unless that is a top-level list, in
/// brackets or with one element per line. The caller parses the text again.
fn extended(text: &str, concepts: &[&ConceptId]) -> Option<String> {
    let key = "vocabulary:";
    let start = text
        .match_indices(key)
        .map(|(at, _)| at)
        .find(|at| *at == 0 || text.as_bytes()[at - 1] == b'\n')?;
    let value = start + key.len();
    let rest = &text[value..];
    let line_end = rest.find('\n').unwrap_or(rest.len());
    if rest.trim_start().starts_with('[') {
        let close = closing_bracket(rest)?;
        let inner = rest[rest.find('[')? + 1..close].trim();
        let mut list: Vec<String> = Vec::new();
        if !inner.is_empty() && !inner.ends_with(',') {
            list.push(String::new());
        }
        list.extend(concepts.iter().map(|concept| flow(concept)));
        let at = value + rest[..close].trim_end().len();
        let separator = if inner.ends_with(',') { " " } else { "" };
        return Some(format!(
            "{}{separator}{}{}",
            &text[..at],
            list.join(", "),
            &text[at..]
        ));
    }
    let first = rest[..line_end].trim();
    if !first.is_empty() && !first.starts_with('#') {
        return None;
    }
    // The end of the last element, and of the current line.
    let mut end = value + line_end + 1;
    let mut at = end;
    let mut indent = None;
    for line in text.get(end..)?.split_inclusive('\n') {
        let column = line.len() - line.trim_start().len();
        at += line.len();
        if line.trim_start().starts_with("- ") {
            indent = Some(column);
            end = at;
        } else if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            break;
        }
    }
    let indent = " ".repeat(indent?);
    let lines = indented(concepts, &indent);
    let line_break = if text[..end].ends_with('\n') {
        ""
    } else {
        "\n"
    };
    Some(format!(
        "{}{line_break}{lines}{}",
        &text[..end],
        &text[end..]
    ))
}

/// The position of the first closing bracket outside quotes and comments.
fn closing_bracket(text: &str) -> Option<usize> {
    let (mut quote, mut is_comment) = (None, false);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (_, '\n') => is_comment = false,
            _ if is_comment => {}
            (Some(open), _) if c == open && before != '\\' => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') if before.is_whitespace() => is_comment = true,
            (None, ']') => return Some(at),
            _ => {}
        }
        before = c;
    }
    None
}

/// A concept as an element of a YAML flow list.
fn flow(concept: &ConceptId) -> String {
    let text = concept.as_str();
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let element = yaml_element(&json!(concept));
    let written = element.trim_end().trim_start_matches("- ");
    if text.chars().all(is_plain) {
        written.to_owned()
    } else {
        json!(text).to_string()
    }
}

/// The lines to add to a vocabulary.
fn lines(concepts: &[&ConceptId]) -> String {
    indented(concepts, "  ")
}

fn indented(concepts: &[&ConceptId], indent: &str) -> String {
    concepts.iter().fold(String::new(), |mut lines, concept| {
        lines.push_str(indent);
        lines.push_str(&yaml_element(&json!(concept)));
        lines
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concepts_go_to_the_end_of_the_list_and_nothing_else_changes() {
        let extend = |text: &str| {
            let concepts = ["bus", "no", "a, b"].map(|text| ConceptId::new(text).unwrap());
            extended(text, &concepts.iter().collect::<Vec<_>>())
        };
        for (text, expected) in [
            (
                "set: s\nvocabulary: [car, tree]  # ours\nowners: [me]\n",
                "set: s\nvocabulary: [car, tree, bus, \"no\", \"a, b\"]  # ours\nowners: [me]\n",
            ),
            ("vocabulary: []", "vocabulary: [bus, \"no\", \"a, b\"]"),
            (
                "vocabulary: [\n  car, # ]\n  \"x]\",\n]\n",
                "vocabulary: [\n  car, # ]\n  \"x]\", bus, \"no\", \"a, b\"\n]\n",
            ),
            (
                "vocabulary:\n  # classes\n  - car # c\n\nset: s\n",
                "vocabulary:\n  # classes\n  - car # c\n  - bus\n  - \"no\"\n  - \"a, b\"\n\nset: s\n",
            ),
            (
                "vocabulary:\n- car",
                "vocabulary:\n- car\n- bus\n- \"no\"\n- \"a, b\"\n",
            ),
        ] {
            assert_eq!(extend(text).as_deref(), Some(expected));
        }
        for text in ["set: s\n", "vocabulary: app\n", "{\"vocabulary\": []}"] {
            assert_eq!(extend(text), None, "{text}");
        }
    }
}

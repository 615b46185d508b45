//! Pointers into the tree of a file -> ranges in its text, in one pass for any number of pointers.
//!
//! This second pass over a valid text is made only if there are findings. A container is located at its key or, in a
//! list, at its first key or element; an alias at its anchor.

mod json;
mod spans;
mod yaml;

pub(super) use spans::SpanFinder;

use super::finding::{Part, Pointer, Step};
use super::format::{Format, json_lines};
use super::header::INPUTS;
use std::collections::HashMap;
use std::ops::Range;

/// The pointers as a tree. Pointers are named by their indices.
#[derive(Debug, Default)]
struct Wanted<'p> {
    nth: HashMap<u32, Wanted<'p>>,
    named: HashMap<&'static str, Wanted<'p>>,
    /// Pointers to the key of this place.
    keys: Vec<usize>,
    /// Pointers to its value.
    values: Vec<usize>,
    /// Pointers to the child with this text.
    items: HashMap<&'p str, Vec<usize>>,
}

impl<'p> Wanted<'p> {
    fn new(pointers: &[&'p Pointer]) -> Self {
        let mut root = Self::default();
        for (index, pointer) in pointers.iter().enumerate() {
            let at = pointer.path.iter().fold(&mut root, |at, step| match step {
                Step::Nth(nth) => at.nth.entry(*nth).or_default(),
                Step::Name(name) => at.named.entry(name).or_default(),
            });
            match &pointer.part {
                Part::Key => at.keys.push(index),
                Part::Value => at.values.push(index),
                Part::Item(text) => at.items.entry(text).or_default().push(index),
            }
        }
        root
    }
}

/// The branches of the wanted tree that lead to one place: by index, by key, or both.
#[derive(Debug, Default)]
struct Branches<'w, 'p>(Vec<&'w Wanted<'p>>);

impl Branches<'_, '_> {
    /// The branches for the child at this index with this key. Only the first of equal keys is given.
    fn child(&self, index: usize, key: Option<&str>) -> Self {
        let nth = u32::try_from(index).ok();
        let mut children = Vec::new();
        for wanted in &self.0 {
            children.extend(nth.and_then(|nth| wanted.nth.get(&nth)));
            children.extend(key.and_then(|key| wanted.named.get(key)));
        }
        Self(children)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn keys(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().flat_map(|wanted| wanted.keys.iter().copied())
    }

    fn values(&self) -> impl Iterator<Item = usize> + '_ {
        self.0
            .iter()
            .flat_map(|wanted| wanted.values.iter().copied())
    }

    fn wants_items(&self) -> bool {
        self.0.iter().any(|wanted| !wanted.items.is_empty())
    }

    fn items(&self, text: &str) -> impl Iterator<Item = usize> + '_ {
        let found: Vec<usize> = self
            .0
            .iter()
            .filter_map(|wanted| wanted.items.get(text))
            .flatten()
            .copied()
            .collect();
        found.into_iter()
    }
}

/// For each pointer, where it begins in the text, in bytes.
#[derive(Debug)]
struct Offsets(Vec<Option<usize>>);

impl Offsets {
    /// Sets those that are not set.
    fn set(&mut self, pointers: impl Iterator<Item = usize>, offset: Option<usize>) {
        for pointer in pointers {
            if self.0[pointer].is_none() {
                self.0[pointer] = offset;
            }
        }
    }
}

/// The bytes of each pointer in the text, not beyond its line.
pub(super) fn locate(format: Format, text: &str, pointers: &[&Pointer]) -> Vec<Range<usize>> {
    let wanted = Wanted::new(pointers);
    let mut offsets = Offsets(vec![None; pointers.len()]);
    let root = Branches(vec![&wanted]);
    match format {
        Format::Yaml => yaml::walk(text, &root, &mut offsets),
        Format::Json => json::walk(text, 0, &root, &mut offsets),
        Format::JsonLines => {
            // The lines are the elements of an implied `inputs`.
            let inputs = root.child(usize::MAX, Some(INPUTS));
            for (index, (offset, line)) in json_lines(text).enumerate() {
                let wanted = inputs.child(index, None);
                if !wanted.is_empty() {
                    let text = &text[..offset + line.len()];
                    json::walk(text, offset, &wanted, &mut offsets);
                }
            }
        }
    }
    offsets
        .0
        .into_iter()
        .map(|offset| {
            let start = offset.unwrap_or(0).min(text.len());
            // Longer tokens are cut.
            start..start + token_length(spans::line_from(text, start, 1000))
        })
        .collect()
}

/// The length in bytes of the key or scalar at the beginning of a line; of a container, that of its first character.
fn token_length(line: &str) -> usize {
    let Some(first) = line.chars().next() else {
        return 0;
    };
    match first {
        '[' | '{' | '|' | '>' => 1,
        '"' => {
            let mut escaped = false;
            for (at, c) in line.char_indices().skip(1) {
                if c == '"' && !escaped {
                    return at + 1;
                }
                escaped = c == '\\' && !escaped;
            }
            line.len()
        }
        '\'' => line[1..].find('\'').map_or(line.len(), |at| at + 2),
        _ => {
            let mut end = line.len();
            let mut before = ' ';
            for (at, c) in line.char_indices() {
                let rest = &line[at + c.len_utf8()..];
                let ends_word = rest.is_empty() || rest.starts_with([' ', ',', ']', '}']);
                if matches!(c, ',' | ']' | '}')
                    || (c == ':' && ends_word)
                    || (c == '#' && before == ' ')
                {
                    end = at;
                    break;
                }
                before = c;
            }
            line[..end].trim_end().len().max(first.len_utf8())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::finding::Place;

    fn at(format: Format, text: &str, pointers: &[Pointer]) -> Vec<String> {
        let pointers: Vec<&Pointer> = pointers.iter().collect();
        locate(format, text, &pointers)
            .into_iter()
            .map(|range| format!("{}:{}", range.start, &text[range.clone()]))
            .collect()
    }

    fn pointers() -> Vec<Pointer> {
        let root = Place::ROOT;
        let inputs = root.name("inputs");
        let (first, second) = (inputs.nth(0), inputs.nth(1));
        let list = second.name("annotations");
        let annotation = list.nth(0);
        let concepts = annotation.name("concepts");
        vec![
            inputs.key(),
            first.value(),
            first.name("id").value(),
            list.value(),
            annotation.nth(0).key(),
            Pointer {
                part: Part::Item("ca\"r".into()),
                ..concepts.value()
            },
            concepts.nth(0).value(),
        ]
    }

    #[test]
    fn yaml_json_and_json_lines_are_located_alike() {
        let yaml = "\
inputs:
  - id: 日本
  - id: b
    annotations:
      - concepts: [tree, \"ca\\\"r\"]
";
        assert_eq!(
            at(Format::Yaml, yaml, &pointers()),
            [
                "0:inputs",
                "12:id",
                "16:日本",
                "37:annotations",
                "58:concepts",
                "75:\"ca\\\"r\"",
                "69:tree"
            ]
        );
        let json = r#"{"inputs": [{"id": "日本"}, {"id": "b", "annotations": [{"concepts": ["tree", "ca\"r"]}]}]}"#;
        assert_eq!(
            at(Format::Json, json, &pointers()),
            [
                "1:\"inputs\"",
                "13:\"id\"",
                "19:\"日本\"",
                "42:\"annotations\"",
                "59:\"concepts\"",
                "80:\"ca\\\"r\"",
                "72:\"tree\""
            ]
        );
        let lines = "{\"id\": \"日本\"}\n\n{\"id\": \"b\", \"annotations\": [{\"concepts\": [\"tree\", \"ca\\\"r\"]}]}\n";
        assert_eq!(
            at(Format::JsonLines, lines, &pointers())[1..],
            [
                "1:\"id\"",
                "7:\"日本\"",
                "30:\"annotations\"",
                "47:\"concepts\"",
                "68:\"ca\\\"r\"",
                "60:\"tree\""
            ]
        );
    }

    #[test]
    fn the_value_of_an_alias_is_located_at_its_anchor() {
        let yaml = "inputs:\n  - &one { id: a, annotations: [{ concepts: [x] }] }\n  - *one\n";
        let inputs = Place::ROOT.name("inputs");
        let second = inputs.nth(1);
        let pointers = [second.name("id").value(), second.value()];
        assert_eq!(at(Format::Yaml, yaml, &pointers), ["23:a", "19:id"]);
    }

    #[test]
    fn an_empty_container_is_located_at_the_one_around_it() {
        let yaml = "inputs:\n  - id: a\n    polygon: [[], [1]]\n  - {}\n";
        let inputs = Place::ROOT.name("inputs");
        let first = inputs.nth(0);
        let polygon = first.name("polygon");
        let pointers = [polygon.nth(0).value(), inputs.nth(1).value()];
        assert_eq!(
            at(Format::Yaml, yaml, &pointers),
            ["22:polygon", "0:inputs"]
        );
    }

    #[test]
    fn the_second_of_equal_keys_is_located_by_its_index() {
        let yaml = "a: 1\nb: 2\n# comment\na: 3\n";
        let pointers = [
            Place::ROOT.nth(2).key(),
            Place::ROOT.nth(2).value(),
            Place::ROOT.name("a").value(),
        ];
        assert_eq!(at(Format::Yaml, yaml, &pointers), ["20:a", "23:3", "3:1"]);
    }

    #[test]
    fn a_token_ends_where_the_parser_ends_it() {
        for (text, token) in [
            ("a: b", "a"),
            ("a:b, c", "a:b"),
            ("a b # c", "a b"),
            ("a#b", "a#b"),
            ("'a b': c", "'a b'"),
            ("\"a\\\"b\" c", "\"a\\\"b\""),
            ("0.5]]", "0.5"),
            ("[1, 2]", "["),
            ("", ""),
        ] {
            assert_eq!(&text[..token_length(text)], token, "{text}");
        }
    }
}

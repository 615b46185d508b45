//! Where the parts of a YAML file begin, for edits that keep the rest of the file.
//!
//! Where a part ends depends on the layout and is left to the caller.

use super::finding::{Place, Pointer};
use super::format::Format;
use super::header::INPUTS;
use super::locate::locate;

/// A part of a file. Inputs, annotations and fields are counted from 0 in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The key `inputs`.
    Inputs,
    /// The first key of an input.
    Input(u32),
    /// The key of a field of an input.
    InputField(u32, u32),
    /// The width of an input's image.
    Width(u32),
    /// The height of an input's image.
    Height(u32),
    /// The key `annotations` of an input.
    Annotations(u32),
    /// The first key of an annotation.
    Annotation(u32, u32),
    /// The key of a field of an annotation.
    Field(u32, u32, u32),
}

impl Anchor {
    fn pointer(self) -> Pointer {
        let inputs = Place::ROOT.name(INPUTS);
        let (input, annotation) = match self {
            Self::Inputs => return inputs.key(),
            Self::Input(input)
            | Self::InputField(input, _)
            | Self::Width(input)
            | Self::Height(input)
            | Self::Annotations(input) => (input, 0),
            Self::Annotation(input, annotation) | Self::Field(input, annotation, _) => {
                (input, annotation)
            }
        };
        let input = inputs.nth(input as usize);
        let annotations = input.name("annotations");
        let annotation = annotations.nth(annotation as usize);
        match self {
            Self::Inputs | Self::Input(_) => input.value(),
            Self::InputField(_, field) => input.nth(field as usize).key(),
            Self::Width(_) => input.name("image").name("width").value(),
            Self::Height(_) => input.name("image").name("height").value(),
            Self::Annotations(_) => annotations.key(),
            Self::Annotation(..) => annotation.value(),
            Self::Field(_, _, field) => annotation.nth(field as usize).key(),
        }
    }
}

/// The byte offsets of the parts in a valid YAML text; 0 for a part that is not there.
pub fn anchors(text: &str, wanted: &[Anchor]) -> Vec<usize> {
    let pointers: Vec<Pointer> = wanted.iter().map(|anchor| anchor.pointer()).collect();
    let pointers: Vec<&Pointer> = pointers.iter().collect();
    locate(Format::Yaml, text, &pointers)
        .into_iter()
        .map(|range| range.start)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_located_by_their_first_byte() {
        let text = "inputs:\n- id: a\n  image: { width: 7, height: 8 }\n  annotations:\n  - key: k\n    concepts: [x]\n- id: b\n";
        let wanted = [
            Anchor::Inputs,
            Anchor::Input(1),
            Anchor::InputField(0, 2),
            Anchor::Width(0),
            Anchor::Height(0),
            Anchor::Annotations(0),
            Anchor::Annotation(0, 0),
            Anchor::Field(0, 0, 1),
            Anchor::Annotation(0, 7),
        ];
        let found: Vec<&str> = anchors(text, &wanted)
            .into_iter()
            .map(|at| text[at..].lines().next().unwrap())
            .collect();
        assert_eq!(
            found,
            [
                "inputs:",
                "id: b",
                "annotations:",
                "7, height: 8 }",
                "8 }",
                "annotations:",
                "key: k",
                "concepts: [x]",
                "inputs:"
            ]
        );
    }
}

use super::*;
use crate::formats::account::ImageInfo;
use crate::formats::conll;
use crate::formats::options::ImportOptions;
use crate::formats::source::Memory;
use crate::formats::writer::ExportAnnotation;
use crate::model::{Concept, Concepts, Content, InputId, Span};

fn input(id: &str, text: &str, spans: &[(u32, u32, &str)]) -> ExportInput {
    ExportInput {
        id: InputId::new(id).unwrap(),
        media: Media::Text(text.to_owned()),
        image: ImageInfo::default(),
        annotations: spans
            .iter()
            .enumerate()
            .map(|(number, &(start, end, class))| ExportAnnotation {
                identity: crate::model::Identity::Content,
                name: number.to_string(),
                content: Content {
                    geometry: Some(Geometry::Span(Box::new(
                        Span::new(start, end, None).unwrap(),
                    ))),
                    concepts: Some(
                        Concepts::new(vec![Concept {
                            id: ConceptId::new(class).unwrap(),
                            value: 1.0,
                        }])
                        .unwrap(),
                    ),
                    ..Content::default()
                },
            })
            .collect(),
        split: None,
    }
}

fn text(exported: &Exported) -> &str {
    std::str::from_utf8(&exported.files[0].1).unwrap()
}

fn notes(exported: &Exported) -> Vec<(Note, &str)> {
    let notes = exported.notes.iter();
    notes.map(|it| (it.code, it.place.as_str())).collect()
}

#[test]
fn a_text_of_words_comes_back_as_it_was() {
    let inputs = [
        input(
            "one",
            "Ada Lovelace met\nMarie in 東京",
            &[(0, 12, "PER"), (26, 28, "LOC")],
        ),
        input("two.v2", "# is a word", &[(0, 1, "X")]),
    ];
    let exported = export(&inputs, &[]);
    assert_eq!(
        text(&exported),
        "-DOCSTART- (one)\nAda B-PER\nLovelace I-PER\nmet O\n\nMarie O\nin O\n東京 B-LOC\n\n\
         -DOCSTART- (two.v2)\n# B-X\nis O\na O\nword O\n\n"
    );
    assert_eq!(exported.notes, []);
    let source = Memory::new(exported.files.iter().cloned().collect());
    let imported = conll::import(&source, &ImportOptions::default()).unwrap();
    for (input, imported) in inputs.iter().zip(&imported.inputs) {
        assert_eq!(
            (&input.id, &input.media),
            (&imported.input.id, &imported.media)
        );
    }
    assert_eq!(imported.taken_over, 3);
}

#[test]
fn what_the_tokens_cannot_hold_is_reported() {
    let changed = export(&[input("a", "in London.  Yes", &[(3, 9, "LOC")])], &[]);
    assert_eq!(
        text(&changed),
        "-DOCSTART- (a)\nin O\nLondon B-LOC\n. O\nYes O\n\n"
    );
    assert_eq!(
        notes(&changed),
        [
            (Note::TextChanged, "a"),
            (Note::TextChanged, "annotation 0, a")
        ]
    );
    let spans = [(0, 3, "X"), (2, 5, "Y"), (5, 6, "Z"), (6, 99, "Z")];
    let left = export(&[input("a", "abc de f", &spans)], &[]);
    let skipped: Vec<&str> = left.skipped.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(skipped, ["other_shape", "outside_text"]);
    let codes: Vec<Note> = left.notes.iter().map(|it| it.code).collect();
    assert!(codes.contains(&Note::TextChanged), "{codes:?}");
    let document = export(&[input("a", "-DOCSTART- x", &[])], &[]);
    assert_eq!(text(&document), "-DOCSTART- (a)\nDOCSTART O\nx O\n\n");
    assert_eq!(notes(&document), [(Note::TextChanged, "a")]);
    let empty = export(&[input("a", " \n", &[])], &[]);
    assert_eq!(notes(&empty), [(Note::EmptyLeftOut, "a")]);
}

#[test]
fn a_label_with_a_space_needs_tabs() {
    let exported = export(&[input("a", "Main St", &[(0, 7, "street name")])], &[]);
    assert_eq!(
        text(&exported),
        "-DOCSTART- (a)\nMain\tB-street name\nSt\tI-street name\n\n"
    );
}

#[test]
fn a_span_over_two_lines_makes_them_one_sentence() {
    let exported = export(&[input("a", "x y\nz w", &[(2, 5, "X")])], &[]);
    assert_eq!(
        text(&exported),
        "-DOCSTART- (a)\nx O\ny B-X\nz I-X\nw O\n\n"
    );
    assert_eq!(exported.notes.len(), 2);
}

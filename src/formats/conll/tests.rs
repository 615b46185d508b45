use super::*;
use crate::formats::checks::adds_up;
use crate::formats::recognise;
use crate::formats::source::Memory;
use crate::model::{Concepts, InputId};
use proptest::prelude::*;

fn read(text: &str) -> Imported {
    let source = Memory::of([("ner.conll", text)]);
    let imported = import(&source, &ImportOptions::default()).unwrap();
    check(&imported);
    imported
}

fn check(imported: &Imported) {
    assert!(adds_up(imported));
    for input in &imported.inputs {
        let Media::Text(text) = &input.media else {
            panic!("{:?}", input.media);
        };
        for annotation in &input.input.annotations {
            let Some(Geometry::Span(span)) = &annotation.content.geometry else {
                panic!("{annotation:?}");
            };
            let length = (span.end() - span.start()) as usize;
            let characters = text.chars().skip(span.start() as usize).take(length);
            assert_eq!(span.text(), Some(characters.collect::<String>().as_str()));
        }
    }
}

fn texts(imported: &Imported) -> Vec<&str> {
    let inputs = imported.inputs.iter();
    inputs
        .map(|it| match &it.media {
            Media::Text(text) => text.as_str(),
            _ => "",
        })
        .collect()
}

/// The label, the place and the text of each span.
fn spans(imported: &Imported) -> Vec<String> {
    let annotations = imported.inputs.iter().flat_map(|it| &it.input.annotations);
    annotations
        .map(|it| match &it.content.geometry {
            Some(Geometry::Span(span)) => {
                let concepts = it.content.concepts.iter().flat_map(Concepts::iter);
                let concepts: Vec<&str> = concepts.map(|it| it.id.as_str()).collect();
                let text = span.text().unwrap_or_default();
                format!(
                    "{} {}..{} {text}",
                    concepts.join(", "),
                    span.start(),
                    span.end()
                )
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn tags_of_every_notation_become_the_same_spans() {
    for tags in [
        ["O", "B-PER", "I-PER", "B-PER", "B-LOC"],
        ["O", "I-PER", "I-PER", "B-PER", "I-LOC"],
        ["O", "B-PER", "E-PER", "S-PER", "S-LOC"],
        ["O", "B-PER", "L-PER", "U-PER", "U-LOC"],
    ] {
        let tokens = ["The", "Ada", "Lovelace", "Marie", "東京"];
        let lines: Vec<String> = (tokens.iter().zip(tags))
            .map(|(token, tag)| format!("{token} -X- _ {tag}"))
            .collect();
        for line_break in ["\n", "\r\n"] {
            let imported = read(&lines.join(line_break));
            assert_eq!(texts(&imported), ["The Ada Lovelace Marie 東京"]);
            assert_eq!(
                spans(&imported),
                [
                    "PER 4..16 Ada Lovelace",
                    "PER 17..22 Marie",
                    "LOC 23..25 東京"
                ],
                "{tags:?}"
            );
        }
    }
    let bare = read("a X\nb X\nc Y\nd O\ne geo-loc");
    assert_eq!(spans(&bare), ["X 0..3 a b", "Y 4..5 c", "geo-loc 8..9 e"]);
    let tabs = read("New York\tB-LOC\n\u{a0}x\tO");
    assert_eq!(spans(&tabs), ["LOC 0..8 New York"]);
}

#[test]
fn a_sentence_ends_a_span_and_is_a_text_of_its_own_without_documents() {
    let imported = read("-DOCSTART- -X- O O\n\na B-X\n\nb I-X\n \n\n\nc O\n");
    let mut found = texts(&imported);
    found.sort_unstable();
    assert_eq!(found, ["a", "b", "c"]);
    let mut found = spans(&imported);
    found.sort_unstable();
    assert_eq!(found, ["X 0..1 a", "X 0..1 b"]);
    let codes = imported.notes_by_code();
    assert_eq!(codes[&Note::JoinedText], 3);
}

#[test]
fn documents_hold_their_sentences_line_by_line() {
    let imported = read("-DOCSTART- O\n\na B-X\n\nb I-X\n\n-DOCSTART- O\n\nc O\n");
    let mut found = texts(&imported);
    found.sort_unstable();
    assert_eq!(found, ["a\nb", "c"]);
    let named = read("-DOCSTART- (1 EU)\na B-X\n\nb I-X\n");
    assert_eq!(texts(&named), ["a\nb"]);
    assert_eq!(named.inputs[0].input.id.as_str(), "1 EU");
    assert_eq!(named.inputs[0].image.path, None);
}

#[test]
fn a_text_keeps_its_id_when_another_is_added_before_it() {
    let ids = |text: &str| -> Vec<InputId> {
        let imported = read(text);
        imported.inputs.into_iter().map(|it| it.input.id).collect()
    };
    let one = ids("a B-X\n");
    let two = ids("b O\n\na O\n\na O\n");
    assert!(one[0].as_str().starts_with("ner-"));
    assert!(two.contains(&one[0]));
    assert!(two.contains(&InputId::new(format!("{}-2", one[0])).unwrap()));
    assert_eq!(two.len(), 3);
}

#[test]
fn a_wrong_line_is_one_finding_and_its_text_is_not_complete() {
    for (line, why) in [
        (
            "alone",
            "wrong_type: line 2: one column: a token, and a tag in the last column",
        ),
        (
            "x X-PER",
            "wrong_type: line 2: the tag is \"X-PER\": O, or B-, I-, E-, S-, L- or U- and a label",
        ),
        (
            "x B-",
            "wrong_type: line 2: the tag is \"B-\", without a label",
        ),
    ] {
        let imported = read(&format!("a B-PER\n{line}\nb I-PER\n"));
        let skipped = &imported.skipped[0];
        assert_eq!(format!("{}: {}", skipped.code, skipped.detail), why);
        assert_eq!(imported.inputs[0].left_out, 1);
        assert_eq!(spans(&imported).len(), 2, "{line}");
    }
    assert_eq!(
        texts(&read("# id = 7\n# O\n# X\na O\n# it is X\n")),
        ["# # a"]
    );
    assert!(read("\n\n").inputs.is_empty());
}

#[test]
fn only_files_of_tokens_and_tags_are_recognised() {
    for (path, text, is_conll) in [
        ("a.conll", "a O\nb O\n", true),
        ("a.txt", "a B-X\nb O\n", true),
        ("a.txt", "-DOCSTART- -X- O\na O\n", true),
        ("a.txt", "a O\nb O\n", false),
        ("a.txt", "a B-X\nb\n", false),
        ("a.txt", "0 0.5 0.5 1 1\n", false),
        ("a.txt", "", false),
        ("a.xml", "a B-X\n", false),
    ] {
        let source = Memory::of([(path, text), ("b.json", "{}")]);
        assert_eq!(recognises(&source), is_conll, "{text}");
    }
}

#[test]
fn the_real_file_has_three_texts_and_eight_spans() {
    let Some(source) = Memory::real("label-studio/texts/conll2003.conll") else {
        return;
    };
    assert_eq!(recognise(&source), [Format::Conll]);
    let imported = import(&source, &ImportOptions::default()).unwrap();
    check(&imported);
    assert_eq!(imported.skipped, []);
    let mut found = texts(&imported);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "Grüße aus Zürich 🇨🇭 : Ada Lovelace met Charles Babbage in London .",
            "No names here , only chat : )",
            "The 👩\u{200d}🚀 from 東京 joined NASA. Second line : Marie Curie in Paris .",
        ]
    );
    let mut found = spans(&imported);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "LOC 10..16 Zürich",
            "LOC 13..15 東京",
            "LOC 58..63 Paris",
            "LOC 58..64 London",
            "ORG 23..28 NASA.",
            "PER 22..34 Ada Lovelace",
            "PER 39..54 Charles Babbage",
            "PER 43..54 Marie Curie",
        ]
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic_and_the_account_adds_up(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80),
            "((a|é|👩|-DOCSTART-|#|)( |\t)(_|\\(b\\)|x|)( |\t)(O|B-X|I-X|I-Y|E-X|S-X|X|-|Q-X|)(\n|\r\n|\n\n)){0,9}".prop_map(String::into_bytes),
        ],
    ) {
        let files = [("a.txt", bytes.clone()), ("b/a.conll", bytes)];
        let files = files.map(|(path, bytes)| (path.to_owned(), bytes));
        for count in [1, 2] {
            let source = Memory::new(files[..count].iter().cloned().collect());
            recognises(&source);
            if let Ok(imported) = import(&source, &ImportOptions::default()) {
                check(&imported);
            }
        }
    }
}

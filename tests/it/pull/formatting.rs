//! Files in the form that a pull writes: nothing is lost, and formatting again changes nothing.

use super::{FORMS, fresh, one_file, parsed, shown, text};
use crate::pull::laws::{listing, world};
use crate::support::observed;
use annosync::manifest::{Manifest, Overlay};
use annosync::model::Policy;
use annosync::pull::{self, Choice, Form, Formatted, NotFormatted};
use proptest::prelude::*;
use serde_json::Value;
use std::path::Path;

/// Formats all files, and checks that they declare the same.
#[track_caller]
fn format(files: &mut Overlay) -> Formatted {
    let before = parsed(files).unwrap_or_else(|problems| panic!("{problems}\n{}", shown(files)));
    let read_back = |overlay: &Overlay| {
        let mut all = files.clone();
        all.extend(overlay.clone());
        parsed(&all)
    };
    let formatted = pull::format(&before, &|_| true, &read_back)
        .unwrap_or_else(|error| panic!("{error}\n{}", shown(files)));
    let changed = formatted.files.iter();
    files.extend(changed.map(|file| (file.path.clone(), file.content.clone())));
    let after = parsed(files).unwrap_or_else(|problems| panic!("{problems}\n{}", shown(files)));
    assert_same(&before, &after);
    formatted
}

#[track_caller]
fn assert_same(before: &Manifest, after: &Manifest) {
    let contents = |manifest: &Manifest| {
        let inputs = manifest.desired.inputs.iter();
        let rest = |input: &annosync::model::DesiredInput| {
            let annotations = input.annotations.iter();
            let annotations = annotations.map(|it| (it.identity.clone(), it.content.clone()));
            let id = &input.id;
            (
                (
                    id.clone(),
                    input.undeclared,
                    annotations.collect::<Vec<_>>(),
                ),
                (manifest.images.get(id).cloned(), manifest.input_text(id)),
                (manifest.input_video(id), manifest.ignores(id).to_vec()),
                manifest.mask_paths(id).to_vec(),
            )
        };
        inputs.map(rest).collect::<Vec<_>>()
    };
    assert_eq!(contents(before), contents(after));
}

/// Formats the inputs of one YAML file, and returns them.
#[track_caller]
fn inputs(inputs: &str) -> String {
    let mut files = one_file(inputs);
    let formatted = format(&mut files);
    assert_eq!(formatted.left, []);
    let after = text(&files, "m.yaml");
    let mut again = files.clone();
    assert!(format(&mut again).files.is_empty(), "{after}");
    let (header, inputs) = after.split_once("inputs:").unwrap();
    assert_eq!(header, "version: 1\nset: street\npolicy: sync\n");
    inputs.trim_start_matches('\n').to_owned()
}

/// Why the file with these inputs is left as it is.
#[track_caller]
fn refused(inputs: &str) -> NotFormatted {
    let mut files = one_file(inputs);
    let before = files.clone();
    let formatted = format(&mut files);
    assert_eq!(files, before);
    let [(_, why)] = &formatted.left[..] else {
        panic!("{formatted:?}");
    };
    why.clone()
}

#[test]
fn comments_stay_with_the_parts_that_they_are_of() {
    let formatted = inputs(
        "# before a
- annotations:   # list
  # first
  -
    # the box
    box: {top: 0.10, left: 0.1, bottom: 0.5, right: 0.5}   # EOL box
    concepts:
      - car # red
      # inner
      - \"tree # no comment\" # oak

    # key comment
    key: k1
  - concepts: [bus]
    # end of bus
  - { concepts: [bus], metadata: {note: 'a # b'} }  # flow
  # commented out
  # - concepts: [x]
  image: {width: 10, height: 20} # size
  id: a   # the id
# before b
- id: b
  text:
    raw: |  # the text
      hello # not a comment
      # nor this
     # but this
  annotations:
  - span: {start: 0, end: 5}  # hello
    concepts: {greeting: true, x: 0.5}
  # of the list
- id: c
  annotations: [] # none
  # of c
- id: d # e
  annotations: [{ concepts: [x] }] # g
# end
",
    );
    insta::assert_snapshot!(formatted, @r##"
      # before a
      - id: a  # the id
        # commented out
        # - concepts: [x]
        image: { width: 10, height: 20 }  # size
        annotations:  # list
          # first
          # the box
          # key comment
          - key: k1
            box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }  # EOL box
            # red
            # inner
            # oak
            concepts: [car, "tree # no comment"]
          - concepts: [bus]
            # end of bus
          # flow
          - concepts: [bus]
            metadata: { note: "a # b" }
      # before b
      - id: b
        text: { raw: "hello # not a comment\n# nor this\n" }  # the text
        # but this
        annotations:
          - span: { start: 0, end: 5 }  # hello
            concepts: { greeting: true, x: 0.5 }
          # of the list
      - id: c
        annotations: []  # none
        # of c
      - id: d  # e
        annotations:  # g
          - concepts: [x]
    # end
    "##);
}

#[test]
fn hashes_in_texts_of_several_lines_are_no_comments() {
    let formatted = inputs(
        "- id: a
  text: # where
    raw: \"one # no
      # no
      two\" # yes
  annotations:
  - text: >-
      three # no

       # no
     # after
    metadata:
      a: 'four
        # no'
      b: five
        six # over
      c: [ # open
        'it''s # no', \"\\\" # no\" ]
    concepts: [x]
",
    );
    insta::assert_snapshot!(formatted, @r##"
    - id: a
      # where
      # yes
      text: { raw: "one # no # no two" }
      annotations:
        - concepts: [x]
          text: "three # no\n\n # no"
          # after
          # over
          # open
          metadata: { a: "four # no", b: five six, c: ["it's # no", "\" # no"] }
    "##);
}

#[test]
fn a_text_that_may_be_a_comment_is_not_touched() {
    let quoted_key = "- id: a
  annotations:
  - concepts: [x]
    metadata:
      a:
      - b: c
        'd # e': f
";
    assert_eq!(refused(quoted_key), NotFormatted::Comments);
}

#[test]
fn a_formatter_adds_no_field() {
    let text = "  - id: a
    text: { raw: hello world }
    annotations:
      - span: { start: 0, end: 5 }
        concepts: [x]
      - span: { start: 6, end: 11, text: world }
        concepts: [x]
";
    assert_eq!(inputs(text), text);
    assert_eq!(
        inputs(&text.replace("concepts: [x]", "concepts:  [x]")),
        text
    );
}

#[test]
fn what_cannot_be_written_anew_is_left_as_it_is() {
    for with_references in [
        "- &a\n  id: a\n  annotations: []\n",
        "- id: a\n  annotations: [&b { concepts: [x] }]\n- id: b\n  annotations: [*b]\n",
        "- id: a\n  annotations: [{ text: !!str 12 }]\n",
    ] {
        assert_eq!(refused(with_references), NotFormatted::References);
    }
    // Texts with the same characters are not meant.
    inputs("- id: '*a'\n  annotations: [{ text: \"!b &c #d\" }]\n");
    // The end of a list that begins in the first line is not found.
    let mut files = one_file("");
    files.insert(
        "m.yaml".into(),
        b"version: 1\nset: street\npolicy: sync\ninputs: [\n{ id: a, annotations: [] }\n]\n"
            .to_vec(),
    );
    assert_eq!(format(&mut files).left[0].1, NotFormatted::Layout);
}

#[test]
fn headers_line_ends_and_what_follows_the_inputs_stay() {
    let mut files = Overlay::from([(
        "m.yaml".into(),
        b"# h\r\nversion:   1\r\ninputs:\r\n- id: a # c\r\n  annotations: []\r\n# rest\r\nset: street # s\r\npolicy:  sync".to_vec(),
    )]);
    format(&mut files);
    assert_eq!(
        text(&files, "m.yaml"),
        "# h\r\nversion:   1\r\ninputs:\r\n  - id: a  # c\r\n    annotations: []\r\n# rest\r\nset: street # s\r\npolicy:  sync\n"
    );
}

#[test]
fn json_is_formatted_in_either_form() {
    let input = r#"{"annotations":[{"concepts":["x"],"key":"k"}],"id":"a"}"#;
    let mut files = Overlay::from([
        (
            "m.yaml".into(),
            b"version: 1\nset: street\npolicy: sync\n".to_vec(),
        ),
        (
            "b.jsonl".into(),
            format!("\n{}\n\n", input.replace("\"a\"", "\"b\"")).into_bytes(),
        ),
        (
            "a.json".into(),
            format!("{{\"inputs\": [{input}]}}").into_bytes(),
        ),
    ]);
    let formatted = format(&mut files);
    assert_eq!((formatted.files.len(), formatted.right), (2, 1));
    let written = r#"{"id":"a","annotations":[{"key":"k","concepts":["x"]}]}"#;
    assert_eq!(
        text(&files, "a.json"),
        format!("{{\"inputs\": [\n  {written}\n]}}\n")
    );
    let written = written.replace("\"a\"", "\"b\"");
    assert_eq!(text(&files, "b.jsonl"), format!("{written}\n"));
    assert_eq!(format(&mut files).right, 3);
}

/// The text with each comment inserted, at the end of a line or in a line of its own, unless it would change the value.
fn commented(text: &str, places: &[(usize, usize)]) -> (String, Vec<String>) {
    let tree = |text: &str| serde_yaml::from_str::<Value>(text).ok();
    let value = tree(text).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut inserted = Vec::new();
    for (at, (line, indent)) in places.iter().enumerate() {
        let comment = format!("# {at}: \"'[{{ # *& - |");
        let before = lines.clone();
        let line = line % lines.len();
        match indent {
            9 => lines[line] = format!("{} {comment}", lines[line]),
            _ => lines.insert(line, format!("{}{comment}", " ".repeat(*indent))),
        }
        // A comment of a comment is one comment.
        let is_nested = before[line].contains("\"'[{ # *&") && *indent == 9;
        if is_nested || tree(&(lines.join("\n") + "\n")).as_ref() != Some(&value) {
            lines = before;
        } else {
            inserted.push(comment);
        }
    }
    (lines.join("\n") + "\n", inserted)
}

proptest! {
    #[test]
    fn what_a_pull_writes_is_right_already(seen in world(), form in 0..FORMS.len()) {
        let state = observed(&listing(&seen));
        let mut files = fresh(Policy::Sync, FORMS[form], &state, &Choice::default()).unwrap();
        let formatted = format(&mut files);
        prop_assert!(formatted.files.is_empty() && formatted.left.is_empty(), "{formatted:?}\n{}", shown(&files));
    }

    #[test]
    fn every_comment_stays_and_formatting_again_changes_nothing(
        seen in world(),
        places in proptest::collection::vec((0_usize..80, 0_usize..10), 0..8),
        is_canonical in any::<bool>(),
    ) {
        let state = observed(&listing(&seen));
        let mut files = fresh(Policy::Sync, Form::OneFile, &state, &Choice::default()).unwrap();
        let path = Path::new("labels/pulled.yaml");
        let mut before = text(&files, "labels/pulled.yaml");
        if !is_canonical {
            // Another layout, with texts in several lines.
            let tree: Value = serde_yaml::from_str(&before).unwrap();
            before = serde_yaml::to_string(&tree).unwrap();
        }
        let (before, comments) = commented(&before, &places);
        files.insert(path.to_owned(), before.clone().into_bytes());
        let formatted = format(&mut files);
        prop_assert!(formatted.left.is_empty(), "{:?}\n{before}", formatted.left);
        let after = text(&files, "labels/pulled.yaml");
        for comment in &comments {
            prop_assert_eq!(after.matches(comment.as_str()).count(), 1, "{}\n{}", comment, after);
        }
        let again = format(&mut files);
        prop_assert!(again.files.is_empty(), "{before}\n{after}\n{}", shown(&files));
    }
}

//! Any bytes as a manifest: as the whole of it, and as a file of inputs in each of the three formats.
//!
//! Problems are free of control characters and have existing places. A valid manifest is written, reads back the same,
//! and can be planned.

use annosync::manifest::write::{WritableInput, write_jsonl, write_yaml};
use annosync::manifest::{Manifest, Problems, parse_with};
use annosync::model::{DesiredState, ObservedState, Scope, UserId};
use annosync::plan::{self, Allowances, Context, Inventory, Target};
use annosync::render;
use std::collections::BTreeMap;
use std::path::PathBuf;

const HEADER: &str = "version: 1\nset: fuzz\npolicy: sync\n";
/// Files that a manifest may name.
const MASK: &[u8] = include_bytes!("../../../examples/quickstart/labels/masks/road.png");
const TEXT: &str = "The road to Geneva was dry, said Zoë.\n";

/// Checks the above for these bytes.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = checked(vec![(PathBuf::from("annosync.yaml"), text.to_string())]);
    for extension in ["yaml", "json", "jsonl"] {
        if let Some(manifest) = checked(beside_a_header(extension, text.to_string())) {
            reads_back(&manifest);
            plans(&manifest.desired);
        }
    }
}

fn beside_a_header(extension: &str, text: String) -> Vec<(PathBuf, String)> {
    vec![
        (PathBuf::from("annosync.yaml"), HEADER.to_owned()),
        (
            PathBuf::from("labels").join("a").with_extension(extension),
            text,
        ),
    ]
}

fn parse(files: Vec<(PathBuf, String)>) -> Result<Manifest, Problems> {
    let named = ["", "labels/"].into_iter().flat_map(|folder| {
        [
            (
                PathBuf::from(format!("{folder}masks/road.png")),
                MASK.to_vec(),
            ),
            (
                PathBuf::from(format!("{folder}a.txt")),
                TEXT.as_bytes().to_vec(),
            ),
        ]
    });
    parse_with(files, named.collect())
}

fn checked(files: Vec<(PathBuf, String)>) -> Option<Manifest> {
    let lines: BTreeMap<PathBuf, usize> = files
        .iter()
        .map(|(path, text)| (path.clone(), text.split('\n').count()))
        .collect();
    match parse(files) {
        Err(problems) => {
            harmless(&problems.to_string());
            for problem in &problems {
                if let Some(span) = &problem.span {
                    assert!((1..=lines[&problem.path]).contains(&span.line), "{problem}");
                }
            }
            None
        }
        Ok(manifest) => {
            let declared = manifest.desired.inputs.iter();
            let origins: Vec<_> = declared
                .flat_map(|input| {
                    let annotations = input.annotations.iter().map(|it| it.origin);
                    [input.origin].into_iter().chain(annotations)
                })
                .collect();
            for location in manifest.locate_all(&origins) {
                let location = location.expect("everything that was read has a place");
                assert!((1..=lines[&location.path]).contains(&location.line));
            }
            Some(manifest)
        }
    }
}

/// Everything can be written except masks with neither a URL nor their file.
fn reads_back(manifest: &Manifest) {
    let inputs: Vec<WritableInput> = manifest
        .desired
        .inputs
        .iter()
        .map(|input| {
            let mut writable = WritableInput::from(input);
            for (index, path) in manifest.mask_paths(&input.id) {
                writable.annotations[*index].mask_path = Some(path.clone());
            }
            writable
        })
        .collect();
    for (extension, text) in [
        ("yaml", write_yaml(&inputs)),
        ("jsonl", write_jsonl(&inputs)),
    ] {
        // An empty file is not a manifest file.
        if text.is_empty() {
            continue;
        }
        let read = parse(beside_a_header(extension, text.clone()));
        let read = read.unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        let without_places = |state: &DesiredState| {
            let inputs = state.inputs.iter();
            let parts = inputs.map(|input| {
                let annotations = input.annotations.iter();
                let annotations = annotations.map(|it| (it.identity.clone(), it.content.clone()));
                (
                    input.id.clone(),
                    input.undeclared,
                    annotations.collect::<Vec<_>>(),
                )
            });
            parts.collect::<Vec<_>>()
        };
        assert_eq!(
            without_places(&read.desired),
            without_places(&manifest.desired),
            "{text}"
        );
    }
}

/// Plans against an empty app. The plan can be shown and sent.
fn plans(desired: &DesiredState) {
    let me = UserId::new("me-myself").expect("it is a name");
    let observed = ObservedState {
        caller: me.clone(),
        app_owner: me,
        scope: Scope::WholeApp,
        inputs: BTreeMap::new(),
        unreadable: Vec::new(),
    };
    let context = Context {
        target: Target {
            endpoint: "http://localhost".into(),
            user_id: "me-myself".into(),
            app_id: "app".into(),
        },
        manifest_hash: String::new(),
        rate_limit: 15,
        allowances: Allowances::default(),
        inventory: Inventory::default(),
        shard: None,
    };
    match plan::plan(desired, &observed, &context) {
        Err(errors) => assert!(!errors.is_empty()),
        Ok(plan) => {
            harmless(&render::text(&plan, &render::TextOptions::default()));
            let file = render::json(&plan);
            harmless(&file);
            let read = plan::read(&file).unwrap_or_else(|error| panic!("{error}\n{file}"));
            // Pixels that are kept for measuring are not written.
            assert_eq!(read.map(|read| render::json(&read)), Some(file));
        }
    }
}

fn harmless(text: &str) {
    let harmful = text
        .chars()
        .find(|c| *c != '\n' && render::escape(c.encode_utf8(&mut [0; 4])) != c.to_string());
    assert_eq!(harmful, None, "{text:?}");
}

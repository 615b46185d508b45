//! The plan of a pulled manifest is empty, and another pull changes nothing.

mod examples;
mod formatting;
mod laws;

use crate::support::{base64, png, try_plan};
use annosync::manifest::{self, Header, Manifest, Overlay};
use annosync::model::{ObservedState, Policy, SetName};
use annosync::pull::{self, Choice, ExistingManifest, Form, Fresh, NewInputs, PullError, Pulled};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const FORMS: [Form; 3] = [Form::OneFile, Form::FilePerInput, Form::JsonLines];

fn set() -> SetName {
    SetName::new("street").unwrap()
}

fn header(policy: Policy) -> Header {
    Header::new(set(), policy)
}

/// The manifest of these files: texts, and the masks that they name.
pub(crate) fn parsed(files: &Overlay) -> Result<Manifest, manifest::Problems> {
    let (masks, texts): (Vec<_>, Vec<_>) = files
        .iter()
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .partition(|(path, _)| path.extension().is_some_and(|extension| extension == "png"));
    let texts = texts
        .into_iter()
        .map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap()));
    manifest::parse_with(texts.collect(), masks)
}

fn files_of(pulled: &Pulled) -> Overlay {
    let files = pulled.files.iter();
    files
        .map(|file| (file.path.clone(), file.content.clone()))
        .collect()
}

fn fresh(
    policy: Policy,
    form: Form,
    state: &ObservedState,
    choice: &Choice,
) -> Result<Overlay, PullError> {
    let header = header(policy);
    let fresh = Fresh {
        header: &header,
        path: Path::new(""),
        form,
        shard: None,
        read_back: &parsed,
    };
    pull::fresh(&fresh, state, choice).map(|pulled| files_of(&pulled))
}

/// Pulls into existing files, and changes them.
pub(crate) fn over(
    files: &mut Overlay,
    state: &ObservedState,
    choice: &Choice,
) -> Result<Pulled, PullError> {
    let manifest = parsed(files).unwrap_or_else(|problems| panic!("{problems}"));
    let read_back = |overlay: &Overlay| {
        let mut all = files.clone();
        all.extend(overlay.clone());
        parsed(&all)
    };
    let text = |file: u32| manifest.text(file);
    let over = ExistingManifest {
        manifest: &manifest,
        text: &text,
        new_inputs: NewInputs::LikeExisting,
        form: Form::OneFile,
        shard: None,
        read_back: &read_back,
    };
    let pulled = pull::over(&over, state, choice)?;
    files.extend(files_of(&pulled));
    Ok(pulled)
}

/// A manifest of one YAML file.
pub(crate) fn one_file(inputs: &str) -> Overlay {
    let text = format!("version: 1\nset: street\npolicy: sync\ninputs:\n{inputs}");
    Overlay::from([(PathBuf::from("m.yaml"), text.into_bytes())])
}

pub(crate) fn text(files: &Overlay, path: &str) -> String {
    String::from_utf8(files[Path::new(path)].clone()).unwrap()
}

#[track_caller]
fn assert_empty_plan(files: &Overlay, state: &ObservedState) {
    let manifest = parsed(files).unwrap_or_else(|problems| panic!("{problems}"));
    let plan = try_plan(&manifest.desired, state).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert!(plan.is_empty(), "{:#?}\n{}", plan.operations, shown(files));
    assert_eq!(plan.summary.held_back.updates, 0);
}

fn shown(files: &Overlay) -> String {
    files.iter().fold(String::new(), |mut all, (path, bytes)| {
        let text = String::from_utf8_lossy(bytes);
        writeln!(
            all,
            "{}:
{text}",
            path.display()
        )
        .unwrap();
        all
    })
}

fn base64_png(shade: u8) -> String {
    base64(&png(2, &[0, shade, 255, 0]))
}

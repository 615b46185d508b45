//! Any bytes as a COCO file, under each of the options.
//!
//! Every object is imported or counted as left out; with an unknown image, no input is complete. The import is written
//! as a manifest with the same content, and importing it again changes nothing.

use annosync::formats::{
    self, Format, ImageInfo, ImportOptions, ImportedInput, InputIdFrom, Memory, MultiRing,
    Overhang, Scores, SkipCode,
};
use annosync::manifest::{Image, Manifest, Overlay, parse_with};
use annosync::pull::{
    self, ExistingManifest, Expressible, Form, Incoming, Merged, NewInputs, Pulled,
};
use annosync::render;
use std::collections::BTreeMap;
use std::path::PathBuf;

const HEADER: &str = "version: 1\nset: fuzz\npolicy: sync\n";

/// Checks the above for these bytes.
pub(crate) fn check(bytes: &[u8]) {
    for (multi_ring, overhang, scores, input_id) in [
        (
            MultiRing::Split,
            Overhang::LeaveOut,
            Scores::LeaveOut,
            InputIdFrom::default(),
        ),
        (
            MultiRing::Largest,
            Overhang::Clip,
            Scores::Values,
            InputIdFrom::ImageId,
        ),
        (
            MultiRing::Box,
            Overhang::Clip,
            Scores::LeaveOut,
            InputIdFrom::FileName,
        ),
    ] {
        let options = ImportOptions {
            input_id,
            multi_ring,
            overhang,
            scores,
            ..ImportOptions::default()
        };
        let files = BTreeMap::from([("coco.json".to_owned(), bytes.to_owned())]);
        match formats::import(Format::Coco, &Memory::new(files), &options) {
            Err(error) => harmless(&render::escape(&error.to_string())),
            Ok(mut imported) => {
                let objects = imported
                    .skipped
                    .iter()
                    .filter(|it| it.annotation.is_some())
                    .count();
                assert_eq!(imported.taken_over + objects, imported.annotations);
                let has_no_image = imported.skipped.iter().any(|it| {
                    it.code == SkipCode::ImageWithoutId
                        || it.code == SkipCode::UnknownImage
                        || (it.annotation.is_some() && it.image.is_none())
                });
                let inputs = imported.inputs.clone();
                let incomplete = imported.take_incomplete();
                if has_no_image {
                    assert_eq!(imported.inputs, []);
                }
                assert!(incomplete.len() + imported.inputs.len() == inputs.len());
                is_written(inputs);
            }
        }
    }
}

fn is_written(inputs: Vec<ImportedInput>) {
    let incoming: Vec<Incoming> = inputs.into_iter().map(incoming).collect();
    let mut files = Overlay::from([(PathBuf::from("annosync.yaml"), HEADER.into())]);
    let (pulled, merged) = merge(&files, &incoming);
    assert_eq!(merged.new_inputs, incoming.len() as u64);
    files.extend(pulled.files.into_iter().map(|it| (it.path, it.content)));
    let manifest = read(&files);
    assert_eq!(manifest.desired.inputs.len(), incoming.len());
    let (again, merged) = merge(&files, &incoming);
    assert_eq!(again.files, [], "{merged:?}");
}

fn merge(files: &Overlay, incoming: &[Incoming]) -> (Pulled, Merged) {
    let manifest = read(files);
    let text = |index: u32| {
        let path = manifest.files().nth(index as usize)?;
        String::from_utf8(files[path].clone()).ok()
    };
    let read_back = |changes: &Overlay| {
        let mut all = files.clone();
        all.extend(changes.clone());
        parsed(&all)
    };
    let over = ExistingManifest {
        manifest: &manifest,
        text: &text,
        new_inputs: NewInputs::LikeExisting,
        form: Form::OneFile,
        shard: None,
        read_back: &read_back,
    };
    let expressible = Expressible {
        kinds: Format::Coco.reads(),
        frames: false,
    };
    pull::merge(&over, incoming, expressible).unwrap_or_else(|error| panic!("{error}"))
}

fn read(files: &Overlay) -> Manifest {
    parsed(files).unwrap_or_else(|problems| panic!("{problems}"))
}

fn parsed(files: &Overlay) -> Result<Manifest, annosync::manifest::Problems> {
    let (masks, texts): (Vec<_>, Vec<_>) = (files.clone().into_iter())
        .partition(|(path, _)| path.extension().is_some_and(|it| it == "png"));
    let texts = texts.into_iter().map(|(path, bytes)| {
        (
            path,
            String::from_utf8(bytes).expect("a label file is text"),
        )
    });
    parse_with(texts.collect(), masks)
}

fn incoming(each: ImportedInput) -> Incoming {
    let ImageInfo { path, url, size } = each.image;
    Incoming {
        input: each.input,
        image: (path.is_some() || url.is_some() || size.is_some()).then(|| Image {
            path: path.map(String::into_boxed_str),
            url: url.map(String::into_boxed_str),
            width: size.map(|(width, _)| width),
            height: size.map(|(_, height)| height),
        }),
        video: None,
        text: None,
    }
}

fn harmless(text: &str) {
    let harmful = text
        .chars()
        .find(|c| *c != '\n' && render::escape(c.encode_utf8(&mut [0; 4])) != c.to_string());
    assert_eq!(harmful, None, "{text:?}");
}

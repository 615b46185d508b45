//! Inputs with annotations -> annosync's JSON Lines: one file for each split, and a PNG file for each mask.

use crate::formats::account::{ImageInfo, Media, SkipCode};
use crate::formats::format::Format;
use crate::formats::source::file_name;
use crate::formats::writer::{ExportInput, Exported, Holds, Writer};
use crate::manifest::write::{WritableAnnotation, WritableInput, write_jsonl};
use crate::manifest::{Image, InputText, InputVideo};
use crate::model::{ConceptId, Geometry, Undeclared};
use std::collections::BTreeMap;

const HOLDS: Holds = Holds {
    scores: true,
    absent: true,
};

/// Writes `inputs.jsonl`, or `inputs_SPLIT.jsonl` for each split.
pub(in crate::formats) fn export(inputs: &[ExportInput], classes: &[ConceptId]) -> Exported {
    let mut writer = Writer::new(Format::Jsonl, HOLDS, inputs, classes);
    let mut splits: BTreeMap<Option<&str>, String> = BTreeMap::new();
    for input in inputs {
        let line = write_jsonl(&[writable(input, &mut writer)]);
        (splits.entry(input.split.as_deref()).or_default()).push_str(&line);
    }
    for (split, lines) in splits {
        let name = match split {
            Some(split) => format!("inputs_{split}.jsonl"),
            None => "inputs.jsonl".to_owned(),
        };
        writer.file(&name, lines);
    }
    writer.finish()
}

fn writable(input: &ExportInput, writer: &mut Writer) -> WritableInput {
    let ImageInfo { path, url, size } = input.image.clone();
    let (path, url) = (
        path.map(String::into_boxed_str),
        url.map(String::into_boxed_str),
    );
    let mut writable = WritableInput {
        id: input.id.clone(),
        image: None,
        video: None,
        text: None,
        annotations: Vec::new(),
        undeclared: Undeclared::Managed,
        ignores: Vec::new(),
    };
    match &input.media {
        Media::Text(text) => writable.text = Some(InputText::Raw(text.as_str().into())),
        Media::Video => {
            writable.video = (path.map(InputVideo::Path)).or_else(|| url.map(InputVideo::Url));
        }
        Media::Image if path.is_some() || url.is_some() || size.is_some() => {
            writable.image = Some(Image {
                path,
                url,
                width: size.map(|(width, _)| width),
                height: size.map(|(_, height)| height),
            });
        }
        Media::Image => {}
    }
    for annotation in writer.annotations(input) {
        let mut mask_path = None;
        if let Geometry::Mask(mask) = annotation.geometry {
            if let Some(png) = mask.png() {
                let number = writable.annotations.len() + 1;
                let name = file_name(input.id.as_str());
                let path = format!("masks/{name}-{number}.png");
                mask_path = Some(writer.file(&path, png.to_vec()).into());
            } else if mask.url().is_none() {
                let detail = "a mask whose pixels are not known";
                writer.left_out(annotation.name, input, SkipCode::WrongMask, detail);
                continue;
            }
        }
        writable.annotations.push(WritableAnnotation {
            identity: annotation.identity.clone(),
            content: annotation.content.clone(),
            mask_path,
            ignores: Vec::new(),
        });
    }
    writable
}

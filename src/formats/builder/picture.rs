//! An image, a video or a text of a file, and what its input is called.

use super::object::ObjectName;
use crate::formats::account::{Media, SkipCode};
use crate::formats::input_id::{InputIdFrom, input_id};
use crate::formats::place::{NotPlaced, skip};
use crate::model::InputId;
use std::collections::BTreeSet;

/// An image, a video or a text of a file.
#[derive(Debug, Clone, Default)]
pub(in crate::formats) struct Picture {
    /// Its path or URL in the file.
    pub(in crate::formats) file_name: Option<String>,
    /// Its own id in the file.
    pub(in crate::formats) own_id: Option<String>,
    /// The input's id, for a format that has one: then no id is made.
    pub(in crate::formats) input: Option<InputId>,
    /// In pixels.
    pub(in crate::formats) size: Option<(u32, u32)>,
    pub(in crate::formats) media: Media,
    pub(in crate::formats) place: Place,
}

/// Where a picture is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::formats) enum Place {
    /// Its file name is its path or its URL.
    #[default]
    FileName,
    /// At this path. The file name has an extension as well.
    Path(String),
    /// Not known: the file name has no extension, and the manifest gets no path.
    Unknown,
}

/// What an input's id is made from.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) file_name: Option<String>,
    pub(super) has_extension: bool,
    pub(super) own_id: Option<String>,
    /// The input's id, if the file has one.
    pub(super) fixed: Option<InputId>,
}

pub(super) fn named_input(from: InputIdFrom, names: &Names) -> Result<InputId, NotPlaced> {
    if let Some(id) = &names.fixed {
        return Ok(id.clone());
    }
    let file_name = names.file_name.as_deref();
    let own_id = names.own_id.as_deref();
    let text = match file_name {
        // What follows a dot is part of the name, so an extension is given to be cut.
        Some(name) if !names.has_extension && from != InputIdFrom::FileName => {
            input_id(from, Some(&format!("{name}.jpg")), own_id)
        }
        _ => input_id(from, file_name, own_id),
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        let missing = match from {
            InputIdFrom::ImageId => "it has no id",
            _ => "it has no usable file name",
        };
        return Err(skip(SkipCode::ImageWithoutName, missing));
    };
    InputId::new(text.clone())
        .map_err(|error| skip(SkipCode::InvalidInputId, format!("{text:?}: {error}")))
}

/// Whether all of these pictures get different ids.
pub(super) fn gives_unique_ids(choice: InputIdFrom, pictures: &[&Names]) -> bool {
    let ids: Option<BTreeSet<InputId>> = pictures
        .iter()
        .map(|names| named_input(choice, names).ok())
        .collect();
    ids.is_some_and(|ids| ids.len() == pictures.len())
}

/// The display name of an entry without name or id.
pub(in crate::formats) fn number_name(index: usize) -> String {
    ObjectName::Number(index).to_string()
}

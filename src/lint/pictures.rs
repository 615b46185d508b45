//! The files of pictures: missing, of a different size than declared, or turned when displayed.

use super::finding::Checked;
use crate::manifest::{Image, Spot};
use crate::model::{InputId, Rule};
use std::collections::BTreeMap;

/// What the file of an input's picture says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    /// The file cannot be read, and why.
    Unreadable(String),
    Read {
        /// Width and height in pixels, as stored; `None` for a format that is not known.
        size: Option<[u32; 2]>,
        /// EXIF: 1 is upright, 2 to 8 are turned or mirrored.
        orientation: u32,
    },
}

/// The pictures of inputs with an `image.path`.
pub type Pictures = BTreeMap<InputId, Picture>;

impl Picture {
    /// Width and height in pixels, as displayed.
    pub fn displayed_size(&self) -> Option<[u32; 2]> {
        match self {
            Self::Read {
                size: Some([width, height]),
                orientation,
            } => Some(match orientation {
                5..=8 => [*height, *width],
                _ => [*width, *height],
            }),
            Self::Read { size: None, .. } | Self::Unreadable(_) => None,
        }
    }
}

pub(super) fn check(checked: &mut Checked<'_>, image: &Image, picture: &Picture, all: &Pictures) {
    let image_spot = Spot::Field(checked.input.origin, "image");
    let id = &checked.input.id;
    match picture {
        Picture::Unreadable(why) => {
            // A repository without its pictures is not a mistake.
            let is_any_there = all.values().any(|it| matches!(it, Picture::Read { .. }));
            if is_any_there {
                let message = format!("the picture of input `{id}` cannot be read: {why}");
                let hint = "correct `image.path`, or add the file";
                checked.report(Rule::PictureMissing, image_spot, message, hint);
            }
        }
        Picture::Read { size, orientation } => {
            let declared = image.width.zip(image.height).map(|(w, h)| [w, h]);
            let displayed = picture.displayed_size();
            if let (Some(declared), Some(displayed), Some(stored)) = (declared, displayed, *size)
                && declared != displayed
                && declared != stored
            {
                let [[dw, dh], [w, h]] = [declared, displayed];
                let message = format!(
                    "the picture of input `{id}` is {w} x {h}, and `image` says {dw} x {dh}"
                );
                let hint = "correct `width` and `height`, or restore the picture that was labelled";
                checked.report(Rule::PictureSize, image_spot.clone(), message, hint);
            }
            if *orientation > 1 {
                let how = match orientation {
                    3 => "turned by 180 degrees",
                    6 | 8 => "turned by 90 degrees",
                    _ => "mirrored",
                };
                let message = format!(
                    "the picture of input `{id}` is displayed {how} (EXIF orientation {orientation})"
                );
                let hint = "programs that ignore EXIF show it in another way, and the labels in wrong places: save it upright, \
                            and check its labels";
                checked.report(Rule::PictureTurned, image_spot, message, hint);
            }
        }
    }
}

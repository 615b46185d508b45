//! A mask as a PNG file, beside the file that names it.

use crate::model::{Geometry, Mask, ObservedAnnotation};
use std::path::{Path, PathBuf};

/// The folder of masks, beside the file that names them.
const FOLDER: &str = "masks";

/// A mask that has to be written to a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MaskFile {
    sha256: String,
    png: Vec<u8>,
}

impl MaskFile {
    /// The file of an observed mask. `None` if the annotation has no mask, or a mask without pixels, or one at a URL.
    pub(super) fn of_observed(observed: &ObservedAnnotation) -> Option<Self> {
        let Geometry::Mask(mask) = &observed.geometry else {
            return None;
        };
        Some(Self {
            sha256: mask.sha256()?,
            png: observed.mask_png()?,
        })
    }

    /// The file of a mask that has its pixels.
    pub(super) fn of_mask(mask: &Mask) -> Option<Self> {
        Some(Self {
            sha256: mask.sha256()?,
            png: mask.png()?.to_vec(),
        })
    }

    /// The mask, read from the PNG.
    pub(super) fn mask(&self) -> Option<Mask> {
        Mask::from_png(self.png.clone()).ok()
    }

    pub(super) fn png(&self) -> &[u8] {
        &self.png
    }

    /// The path in the file that names the mask. It has a hash of the pixels, so that equal masks share a file.
    pub(super) fn relative_path(&self) -> String {
        format!("{FOLDER}/{}.png", &self.sha256[..16])
    }

    /// The path, if the file that names the mask lies in this folder.
    pub(super) fn path_in(&self, folder: &Path) -> PathBuf {
        folder.join(self.relative_path())
    }
}

//! What labels are drawn over.

/// The picture or the text of an input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Backdrop {
    /// Width and height of the displayed picture in pixels, before it was scaled down; `None` if they are not known.
    pub size: Option<[u32; 2]>,
    /// The scaled picture as a `data:` URI, or a link to the picture; `None` without a picture.
    pub href: Option<String>,
    /// Parts of the picture, larger than in the scaled one.
    pub crops: Vec<Crop>,
    /// The text of a text input.
    pub text: Option<String>,
    /// What is missing of this input, and why; sentences without a full stop.
    pub notes: Vec<String>,
}

/// A part of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Crop {
    /// Top, left, bottom, right, as fractions of the picture.
    pub area: [f32; 4],
    /// The part as a `data:` URI.
    pub href: String,
}

//! Masks: images of the input's shape in which the annotated pixels are set.
//!
//! Two masks are the same when their pixels are: a service may compress an image anew. The pixels themselves are not
//! kept, but their hash, and of a declared mask the file that is sent.

mod area;
mod image;

pub use area::MaskArea;

use image::Image;
use std::fmt::Write as _;
use std::sync::Arc;

/// Pixels that a mask may have: more would be no photograph's, but a file made to fill the memory.
const MOST_PIXELS: u64 = 100_000_000;

/// Why bytes are no mask.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    /// Not an image of this format.
    #[error("not a PNG image: {0}")]
    NotPng(#[from] png::DecodingError),
    /// Larger than any photograph.
    #[error("{width} x {height} pixels are more than {MOST_PIXELS}")]
    TooLarge {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
}

/// A mask: its pixels, or where they can be found, or both.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Mask {
    pixels: Option<Pixels>,
    url: Option<Box<str>>,
    png: Option<Arc<[u8]>>,
}

/// What is kept of a mask's pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pixels {
    sha256: [u8; 32],
    width: u32,
    height: u32,
    set: SetPixels,
}

/// Which pixels of a mask are set.
#[derive(Debug, Clone, Copy, PartialEq)]
enum SetPixels {
    /// Not known: only the hash was kept.
    Unknown,
    /// No pixel: the image is black or transparent.
    None,
    /// Those in this box: top, left, bottom, right, as fractions of the image.
    Within([f32; 4]),
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<Box<str>>,
}

impl TryFrom<Written> for Mask {
    type Error = String;
    fn try_from(written: Written) -> Result<Self, String> {
        let pixels = match (written.sha256, written.width, written.height) {
            (Some(hash), Some(width), Some(height)) => Some(Pixels {
                sha256: unhex(&hash).ok_or("a mask's sha256 is 64 hex digits")?,
                width,
                height,
                set: SetPixels::Unknown,
            }),
            (None, None, None) => None,
            _ => return Err("a mask has sha256, width and height, or a url".to_owned()),
        };
        if pixels.is_none() && written.url.is_none() {
            return Err("a mask has sha256, width and height, or a url".to_owned());
        }
        Ok(Self {
            pixels,
            url: written.url,
            png: None,
        })
    }
}

impl From<Mask> for Written {
    fn from(mask: Mask) -> Self {
        Self {
            sha256: mask.sha256(),
            width: mask.pixels.map(|pixels| pixels.width),
            height: mask.pixels.map(|pixels| pixels.height),
            url: mask.url,
        }
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

impl Mask {
    /// The mask of a PNG file, which is kept to be sent.
    pub fn from_png(png: impl Into<Arc<[u8]>>) -> Result<Self, MaskError> {
        let png = png.into();
        let mut mask = Self::seen(&png)?;
        mask.png = Some(png);
        Ok(mask)
    }

    /// The mask of a PNG file, of which nothing is kept but what it takes to compare it.
    pub fn seen(png: &[u8]) -> Result<Self, MaskError> {
        let image = Image::decode(png)?;
        Ok(Self {
            pixels: Some(Pixels {
                sha256: image.hash(),
                width: image.width,
                height: image.height,
                set: image.bounds().map_or(SetPixels::None, SetPixels::Within),
            }),
            url: None,
            png: None,
        })
    }

    /// The mask that is found at a URL.
    pub fn of_url(url: impl Into<Box<str>>) -> Self {
        Self {
            pixels: None,
            url: Some(url.into()),
            png: None,
        }
    }

    /// The same mask, found at a URL as well.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<Box<str>>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// 64 hex digits of the SHA-256 of its pixels; nothing where they are not known.
    pub fn sha256(&self) -> Option<String> {
        self.pixels.map(|pixels| {
            pixels.sha256.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            })
        })
    }

    /// Width and height in pixels, where they are known.
    pub fn size(&self) -> Option<(u32, u32)> {
        self.pixels.map(|pixels| (pixels.width, pixels.height))
    }

    /// Where it can be found.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The file that is sent; nothing for a mask that was observed, or that is found at a URL.
    pub fn png(&self) -> Option<&Arc<[u8]>> {
        self.png.as_ref()
    }

    /// The box around the pixels that are set: top, left, bottom, right, as fractions of the image.
    pub fn bounds(&self) -> Option<[f32; 4]> {
        match self.pixels?.set {
            SetPixels::Within(bounds) => Some(bounds),
            SetPixels::None | SetPixels::Unknown => None,
        }
    }

    /// Whether its pixels are known and none of them is set: it annotates nothing.
    pub fn is_empty(&self) -> bool {
        self.pixels
            .is_some_and(|pixels| pixels.set == SetPixels::None)
    }

    /// By their pixels where both have them, else by their URLs.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (&self.pixels, &other.pixels) {
            (Some(a), Some(b)) => (a.sha256, a.width, a.height) == (b.sha256, b.width, b.height),
            _ => self.url.is_some() && self.url == other.url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Overlap;
    use png::{BitDepth, ColorType, Compression};

    fn encoded(
        width: u32,
        color: ColorType,
        depth: BitDepth,
        compression: Compression,
        bytes: &[u8],
    ) -> Vec<u8> {
        let samples = color.samples() * if depth == BitDepth::Sixteen { 2 } else { 1 };
        let height = (bytes.len() / samples) as u32 / width;
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, width, height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder.set_compression(compression);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(bytes).unwrap();
        writer.finish().unwrap();
        png
    }

    fn grey(width: u32, bytes: &[u8]) -> Vec<u8> {
        encoded(
            width,
            ColorType::Grayscale,
            BitDepth::Eight,
            Compression::Balanced,
            bytes,
        )
    }

    #[test]
    fn a_mask_is_its_pixels_however_they_are_stored() {
        let bytes: Vec<u8> = (0..64_u8)
            .map(|n| if n % 5 == 0 { 255 } else { 0 })
            .collect();
        let one = Mask::from_png(grey(8, &bytes)).unwrap();
        let rgba: Vec<u8> = bytes.iter().flat_map(|b| [*b, *b, *b, 255]).collect();
        let wide: Vec<u8> = bytes.iter().flat_map(|b| [*b, *b]).collect();
        for (color, depth, bytes) in [
            (ColorType::Rgba, BitDepth::Eight, &rgba),
            (ColorType::Grayscale, BitDepth::Sixteen, &wide),
            (ColorType::Grayscale, BitDepth::Eight, &bytes),
        ] {
            let file = encoded(8, color, depth, Compression::NoCompression, bytes);
            let other = Mask::seen(&file).unwrap();
            assert!(one.same(&other), "{color:?}");
            assert!(other.png().is_none());
        }
        let mut changed = bytes.clone();
        changed[3] = 1;
        assert!(!one.same(&Mask::seen(&grey(8, &changed)).unwrap()));
        // The same bytes in other rows are another image.
        assert!(!one.same(&Mask::seen(&grey(16, &bytes)).unwrap()));
        assert_eq!(one.size(), Some((8, 8)));
        assert!(one.png().is_some());
    }

    #[test]
    fn colour_and_transparency_count() {
        let image = |pixel: [u8; 4]| {
            let file = encoded(
                1,
                ColorType::Rgba,
                BitDepth::Eight,
                Compression::Balanced,
                &pixel,
            );
            Mask::seen(&file).unwrap()
        };
        assert!(!image([255, 0, 0, 255]).same(&image([0, 255, 0, 255])));
        assert!(!image([255, 255, 255, 255]).same(&image([255, 255, 255, 254])));
        assert_eq!(image([255, 0, 0, 0]).bounds(), None);
        assert_eq!(image([0, 0, 1, 1]).bounds(), Some([0.0, 0.0, 1.0, 1.0]));
    }

    #[test]
    fn bounds_are_around_what_is_set() {
        let mut bytes = [0; 32];
        bytes[8 + 2] = 1;
        bytes[16 + 5] = 255;
        let mask = Mask::seen(&grey(8, &bytes)).unwrap();
        assert_eq!(mask.bounds(), Some([0.25, 0.25, 0.75, 0.75]));
        let black = Mask::from_png(grey(8, &[0; 32])).unwrap();
        assert!(black.is_empty() && !mask.is_empty());
        assert_eq!(black.bounds(), None);
        // Of a mask in a plan file only the hash is known.
        let json = serde_json::to_string(&black).unwrap();
        assert!(!serde_json::from_str::<Mask>(&json).unwrap().is_empty());
    }

    #[test]
    fn masks_of_different_sizes_are_laid_over_each_other() {
        let left = grey(2, &[255, 0, 255, 0]);
        let fine: Vec<u8> = (0..16).map(|n| if n % 4 < 3 { 9 } else { 0 }).collect();
        let area = |png: &[u8]| MaskArea::decode(png).unwrap();
        let (left, fine) = (area(&left), area(&grey(4, &fine)));
        assert_eq!(left.common_and_all(&fine), (8, 12));
        assert_eq!(fine.common_and_all(&left), (8, 12));
        assert_eq!(left.common_and_all(&left), (2, 2));
        assert_eq!(left.overlap(&fine).to_string(), "0.66");
        let empty = area(&grey(2, &[0; 4]));
        assert_eq!(empty.overlap(&empty), Overlap::NONE);
    }

    #[test]
    fn what_is_no_png_is_refused() {
        for bad in [&b""[..], b"GIF89a", &grey(8, &[0; 32])[..40]] {
            assert!(matches!(Mask::from_png(bad), Err(MaskError::NotPng(_))));
        }
        let mut huge = grey(1, &[0]);
        huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        // Its checksum is wrong now as well; either way it is refused before memory is taken.
        assert!(Mask::from_png(huge).is_err());
    }

    #[test]
    fn urls_are_compared_where_pixels_are_not_known() {
        let pixels = Mask::seen(&grey(1, &[1])).unwrap();
        let url = Mask::of_url("https://example.com/m.png");
        assert!(!pixels.same(&url));
        assert!(url.same(&Mask::of_url("https://example.com/m.png")));
        assert!(!url.same(&Mask::of_url("https://example.com/n.png")));
        let both = pixels.clone().with_url("https://example.com/m.png");
        assert!(both.same(&pixels) && both.same(&url));
    }

    #[test]
    fn it_is_written_by_hash_and_size() {
        let mask = Mask::from_png(grey(2, &[1, 0])).unwrap();
        let json = serde_json::to_string(&mask).unwrap();
        assert_eq!(
            json,
            format!(
                r#"{{"sha256":"{}","width":2,"height":1}}"#,
                mask.sha256().unwrap()
            )
        );
        let read: Mask = serde_json::from_str(&json).unwrap();
        assert!(read.same(&mask));
        let url = r#"{"url":"https://example.com/m.png"}"#;
        assert_eq!(
            serde_json::to_string(&serde_json::from_str::<Mask>(url).unwrap()).unwrap(),
            url
        );
        for bad in [
            "{}",
            r#"{"sha256":"00","width":1,"height":1}"#,
            r#"{"width":1}"#,
        ] {
            assert!(serde_json::from_str::<Mask>(bad).is_err(), "{bad}");
        }
    }
}

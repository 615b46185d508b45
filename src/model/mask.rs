//! Masks: images of the input's shape in which the annotated pixels are set.
//!
//! Two masks are equal if their pixels are, because the service may recompress an image. Only the hash of the pixels
//! is kept, and of a declared mask the file, which is sent.

mod area;
mod image;

pub use area::MaskArea;
pub use image::MaskError;

use super::hex::{hex, unhex};
use image::Image;
use std::sync::Arc;

/// A mask: the hash of its pixels, its URL, or both.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Mask {
    pixels: Option<Pixels>,
    url: Option<Box<str>>,
    png: Option<Arc<[u8]>>,
}

/// A summary of a mask's pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pixels {
    sha256: [u8; 32],
    width: u32,
    height: u32,
    set: SetPixels,
}

/// The set pixels of a mask.
#[derive(Debug, Clone, Copy, PartialEq)]
enum SetPixels {
    /// Only the hash is known.
    Unknown,
    None,
    /// Their bounding box: top, left, bottom, right, as fractions of the image.
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

impl Mask {
    /// The mask in a PNG file, which is kept for sending.
    pub fn from_png(png: impl Into<Arc<[u8]>>) -> Result<Self, MaskError> {
        let png = png.into();
        let mut mask = Self::without_file(&png)?;
        mask.png = Some(png);
        Ok(mask)
    }

    /// The mask in a PNG file, which is not kept.
    pub fn without_file(png: &[u8]) -> Result<Self, MaskError> {
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

    /// The mask at a URL, with unknown pixels.
    pub fn of_url(url: impl Into<Box<str>>) -> Self {
        Self {
            pixels: None,
            url: Some(url.into()),
            png: None,
        }
    }

    #[must_use]
    pub fn with_url(mut self, url: impl Into<Box<str>>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The SHA-256 of its pixels as 64 hex digits; `None` if the pixels are unknown.
    pub fn sha256(&self) -> Option<String> {
        self.pixels.map(|pixels| hex(&pixels.sha256))
    }

    /// Width and height in pixels; `None` if unknown.
    pub fn size(&self) -> Option<(u32, u32)> {
        self.pixels.map(|pixels| (pixels.width, pixels.height))
    }

    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The file to send; `None` for observed masks and those given by a URL.
    pub fn png(&self) -> Option<&Arc<[u8]>> {
        self.png.as_ref()
    }

    /// The bounding box of the set pixels: top, left, bottom, right, as fractions of the image.
    pub fn bounds(&self) -> Option<[f32; 4]> {
        match self.pixels?.set {
            SetPixels::Within(bounds) => Some(bounds),
            SetPixels::None | SetPixels::Unknown => None,
        }
    }

    /// Whether no pixel is set; false if the pixels are unknown.
    pub fn is_empty(&self) -> bool {
        self.pixels
            .is_some_and(|pixels| pixels.set == SetPixels::None)
    }

    /// Compares pixels if both are known, otherwise URLs.
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
    fn masks_with_equal_pixels_are_equal() {
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
            let other = Mask::without_file(&file).unwrap();
            assert!(one.same(&other), "{color:?}");
            assert!(other.png().is_none());
        }
        let mut changed = bytes.clone();
        changed[3] = 1;
        assert!(!one.same(&Mask::without_file(&grey(8, &changed)).unwrap()));
        // The same bytes in rows of another length are a different image.
        assert!(!one.same(&Mask::without_file(&grey(16, &bytes)).unwrap()));
        assert_eq!(one.size(), Some((8, 8)));
        assert!(one.png().is_some());
    }

    #[test]
    fn colour_and_transparency_are_compared() {
        let image = |pixel: [u8; 4]| {
            let file = encoded(
                1,
                ColorType::Rgba,
                BitDepth::Eight,
                Compression::Balanced,
                &pixel,
            );
            Mask::without_file(&file).unwrap()
        };
        assert!(!image([255, 0, 0, 255]).same(&image([0, 255, 0, 255])));
        assert!(!image([255, 255, 255, 255]).same(&image([255, 255, 255, 254])));
        assert_eq!(image([255, 0, 0, 0]).bounds(), None);
        assert_eq!(image([0, 0, 1, 1]).bounds(), Some([0.0, 0.0, 1.0, 1.0]));
    }

    #[test]
    fn bounds_enclose_the_set_pixels() {
        let mut bytes = [0; 32];
        bytes[8 + 2] = 1;
        bytes[16 + 5] = 255;
        let mask = Mask::without_file(&grey(8, &bytes)).unwrap();
        assert_eq!(mask.bounds(), Some([0.25, 0.25, 0.75, 0.75]));
        let black = Mask::from_png(grey(8, &[0; 32])).unwrap();
        assert!(black.is_empty() && !mask.is_empty());
        assert_eq!(black.bounds(), None);
        // A plan file has only the hash.
        let json = serde_json::to_string(&black).unwrap();
        assert!(!serde_json::from_str::<Mask>(&json).unwrap().is_empty());
    }

    #[test]
    fn masks_of_different_sizes_are_scaled() {
        let left = grey(2, &[255, 0, 255, 0]);
        let fine: Vec<u8> = (0..16).map(|n| if n % 4 < 3 { 9 } else { 0 }).collect();
        let area = |png: &[u8]| MaskArea::decode(png).unwrap();
        let (left, fine) = (area(&left), area(&grey(4, &fine)));
        assert_eq!(left.intersection_and_union(&fine), (8, 12));
        assert_eq!(fine.intersection_and_union(&left), (8, 12));
        assert_eq!(left.intersection_and_union(&left), (2, 2));
        assert_eq!(left.overlap(&fine).to_string(), "0.66");
        let empty = area(&grey(2, &[0; 4]));
        assert_eq!(empty.overlap(&empty), Overlap::NONE);
    }

    #[test]
    fn invalid_files_are_rejected() {
        for bad in [&b""[..], b"GIF89a", &grey(8, &[0; 32])[..40]] {
            assert!(matches!(Mask::from_png(bad), Err(MaskError::NotPng(_))));
        }
        let mut huge = grey(1, &[0]);
        huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        // The checksum is wrong too; either error comes before the memory is allocated.
        assert!(Mask::from_png(huge).is_err());
    }

    #[test]
    fn urls_are_compared_if_pixels_are_unknown() {
        let pixels = Mask::without_file(&grey(1, &[1])).unwrap();
        let url = Mask::of_url("https://example.com/m.png");
        assert!(!pixels.same(&url));
        assert!(url.same(&Mask::of_url("https://example.com/m.png")));
        assert!(!url.same(&Mask::of_url("https://example.com/n.png")));
        let both = pixels.clone().with_url("https://example.com/m.png");
        assert!(both.same(&pixels) && both.same(&url));
    }

    #[test]
    fn masks_serialize_as_hash_and_size() {
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

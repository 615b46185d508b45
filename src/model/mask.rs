//! Masks: images of the input's shape in which the annotated pixels are set.
//!
//! Two masks are the same when their pixels are: a service may compress an image anew. The pixels themselves are not
//! kept, but their hash, and of a declared mask the file that is sent.

use super::overlap::Overlap;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Cursor;
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
    /// Around the pixels that are set: top, left, bottom, right, as fractions of the image.
    bounds: Option<[f32; 4]>,
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
                bounds: None,
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
                bounds: image.bounds(),
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
        self.pixels.and_then(|pixels| pixels.bounds)
    }

    /// By their pixels where both have them, else by their URLs.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (&self.pixels, &other.pixels) {
            (Some(a), Some(b)) => (a.sha256, a.width, a.height) == (b.sha256, b.width, b.height),
            _ => self.url.is_some() && self.url == other.url,
        }
    }
}

/// Which pixels a mask sets, one bit each: what it takes to compare it with many others.
#[derive(Debug, Clone)]
pub struct MaskArea {
    width: u32,
    height: u32,
    bits: Box<[u64]>,
}

impl MaskArea {
    /// The area of a PNG file.
    pub fn decode(png: &[u8]) -> Result<Self, MaskError> {
        let image = Image::decode(png)?;
        let count = image.width as usize * image.height as usize;
        let mut bits = vec![0; count.div_ceil(64)];
        for at in (0..count).filter(|&at| image.is_set_at(at)) {
            bits[at / 64] |= 1 << (at % 64);
        }
        Ok(Self {
            width: image.width,
            height: image.height,
            bits: bits.into(),
        })
    }

    /// The IoU of the pixels that two masks set.
    ///
    /// Images of different sizes are laid over each other: the finer one's pixels count, and each meets the pixel of
    /// the coarser one that its middle lies in.
    pub fn overlap(&self, other: &Self) -> Overlap {
        let (common, all) = self.common_and_all(other);
        if all == 0 {
            Overlap::NONE
        } else {
            Overlap::from_fraction(common as f64 / all as f64)
        }
    }

    fn common_and_all(&self, other: &Self) -> (u64, u64) {
        if (self.width, self.height) == (other.width, other.height) {
            let count = |bits: u64| u64::from(bits.count_ones());
            return self
                .bits
                .iter()
                .zip(&other.bits)
                .fold((0, 0), |(common, all), (a, b)| {
                    (common + count(a & b), all + count(a | b))
                });
        }
        let area = |mask: &Self| u64::from(mask.width) * u64::from(mask.height);
        let (fine, coarse) = if area(self) >= area(other) {
            (self, other)
        } else {
            (other, self)
        };
        let across = |at: u32, fine: u32, coarse: u32| {
            ((2 * u64::from(at) + 1) * u64::from(coarse) / (2 * u64::from(fine))) as u32
        };
        let (mut common, mut all) = (0, 0);
        for row in 0..fine.height {
            let there = across(row, fine.height, coarse.height);
            for col in 0..fine.width {
                let a = fine.is_set(row, col);
                let b = coarse.is_set(there, across(col, fine.width, coarse.width));
                common += u64::from(a && b);
                all += u64::from(a || b);
            }
        }
        (common, all)
    }

    fn is_set(&self, row: u32, col: u32) -> bool {
        let at = row as usize * self.width as usize + col as usize;
        self.bits[at / 64] >> (at % 64) & 1 == 1
    }
}

/// A decoded image.
struct Image {
    width: u32,
    height: u32,
    /// Bytes of a pixel: 1 for opaque greys of 8 bits, however they were stored; else 8, a 16-bit number for each of
    /// red, green, blue and alpha, the high byte first.
    depth: usize,
    bytes: Vec<u8>,
}

impl Image {
    fn decode(png: &[u8]) -> Result<Self, MaskError> {
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info()?;
        let (width, height) = (reader.info().width, reader.info().height);
        let size = reader
            .output_buffer_size()
            .filter(|_| u64::from(width) * u64::from(height) <= MOST_PIXELS)
            .ok_or(MaskError::TooLarge { width, height })?;
        let mut raw = vec![0; size];
        reader.next_frame(&mut raw)?;
        let (color, depth) = reader.output_color_type();
        // What nearly every mask is needs no second look at its pixels.
        if (color, depth) == (png::ColorType::Grayscale, png::BitDepth::Eight) {
            return Ok(Self {
                width,
                height,
                depth: 1,
                bytes: raw,
            });
        }
        let sample = if depth == png::BitDepth::Sixteen {
            2
        } else {
            1
        };
        let channels = color.samples();
        let wide = |samples: &[u8], at: usize| match sample {
            1 => [samples[at], samples[at]],
            _ => [samples[2 * at], samples[2 * at + 1]],
        };
        let pixels = raw.chunks_exact(channels * sample).map(|samples| {
            let (color, alpha) = match channels {
                1 => ([0, 0, 0], None),
                2 => ([0, 0, 0], Some(1)),
                3 => ([0, 1, 2], None),
                _ => ([0, 1, 2], Some(3)),
            };
            let [red, green, blue] = color.map(|at| wide(samples, at));
            [
                red,
                green,
                blue,
                alpha.map_or([255, 255], |at| wide(samples, at)),
            ]
        });
        let is_grey = |[red, green, blue, alpha]: [[u8; 2]; 4]| {
            red == green && green == blue && red[0] == red[1] && alpha == [255, 255]
        };
        if pixels.clone().all(is_grey) {
            return Ok(Self {
                width,
                height,
                depth: 1,
                bytes: pixels.map(|[red, ..]| red[0]).collect(),
            });
        }
        Ok(Self {
            width,
            height,
            depth: 8,
            bytes: pixels.flatten().flatten().collect(),
        })
    }

    fn hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.width.to_be_bytes());
        hasher.update(self.height.to_be_bytes());
        hasher.update([self.depth as u8]);
        hasher.update(&self.bytes);
        hasher.finalize().into()
    }

    /// Whether a pixel is neither black nor transparent.
    fn is_set(&self, row: u32, col: u32) -> bool {
        self.is_set_at(row as usize * self.width as usize + col as usize)
    }

    fn is_set_at(&self, pixel: usize) -> bool {
        let at = pixel * self.depth;
        match &self.bytes[at..at + self.depth] {
            [grey] => *grey != 0,
            pixel => pixel[..6].iter().any(|byte| *byte != 0) && pixel[6..] != [0, 0],
        }
    }

    fn bounds(&self) -> Option<[f32; 4]> {
        let mut bounds: Option<[u32; 4]> = None;
        for row in 0..self.height {
            let mut cols = 0..self.width;
            let Some(first) = cols.find(|&col| self.is_set(row, col)) else {
                continue;
            };
            let last = cols.rfind(|&col| self.is_set(row, col)).unwrap_or(first);
            let [_, left, bottom, right] = bounds.get_or_insert([row, first, row, last]);
            *left = (*left).min(first);
            *bottom = row;
            *right = (*right).max(last);
        }
        let part = |pixels: u32, of: u32| (f64::from(pixels) / f64::from(of)) as f32;
        bounds.map(|[top, left, bottom, right]| {
            [
                part(top, self.height),
                part(left, self.width),
                part(bottom + 1, self.height),
                part(right + 1, self.width),
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(Mask::seen(&grey(8, &[0; 32])).unwrap().bounds(), None);
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

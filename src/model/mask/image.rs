//! Decoding of PNG files to a canonical form, independent of their encoding.

use sha2::{Digest, Sha256};
use std::io::Cursor;

/// Limits memory use. No photograph has as many pixels.
const MAX_PIXELS: u64 = 100_000_000;

/// Why a file is not a usable mask.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    #[error("not a PNG image: {0}")]
    NotPng(#[from] png::DecodingError),
    #[error("{width} x {height} pixels are more than {MAX_PIXELS}")]
    TooLarge {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
}

pub(super) struct Image {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes per pixel: 1 for opaque greys of 8 bits, otherwise 8: red, green, blue and alpha, each with 16 bits, big
    /// endian. This is part of the hash.
    depth: usize,
    bytes: Vec<u8>,
}

/// Red, green, blue and alpha, each with 16 bits, big endian.
type Pixel = [[u8; 2]; 4];

impl Image {
    pub(super) fn decode(png: &[u8]) -> Result<Self, MaskError> {
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info()?;
        let (width, height) = (reader.info().width, reader.info().height);
        let size = reader
            .output_buffer_size()
            .filter(|_| u64::from(width) * u64::from(height) <= MAX_PIXELS)
            .ok_or(MaskError::TooLarge { width, height })?;
        let mut raw = vec![0; size];
        reader.next_frame(&mut raw)?;
        let (depth, bytes) = match reader.output_color_type() {
            // Fast path for nearly all masks.
            (png::ColorType::Grayscale, png::BitDepth::Eight) => (1, raw),
            (color, depth) => normalize(&raw, color, depth),
        };
        Ok(Self {
            width,
            height,
            depth,
            bytes,
        })
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.width.to_be_bytes());
        hasher.update(self.height.to_be_bytes());
        hasher.update([self.depth as u8]);
        hasher.update(&self.bytes);
        hasher.finalize().into()
    }

    fn is_set(&self, row: u32, col: u32) -> bool {
        self.is_set_at(row as usize * self.width as usize + col as usize)
    }

    /// Whether a pixel is neither black nor transparent.
    #[inline]
    pub(super) fn is_set_at(&self, pixel: usize) -> bool {
        if self.depth == 1 {
            return self.bytes[pixel] != 0;
        }
        let at = pixel * self.depth;
        let pixel = &self.bytes[at..at + self.depth];
        pixel[..6].iter().any(|byte| *byte != 0) && pixel[6..] != [0, 0]
    }

    /// The bounding box of the set pixels: top, left, bottom, right, as fractions of the image.
    pub(super) fn bounds(&self) -> Option<[f32; 4]> {
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

/// Converts pixels to bytes per pixel and bytes; see [`Image::depth`].
fn normalize(raw: &[u8], color: png::ColorType, depth: png::BitDepth) -> (usize, Vec<u8>) {
    let channels = color.samples();
    let sample = if depth == png::BitDepth::Sixteen {
        2
    } else {
        1
    };
    let wide = |samples: &[u8], at: usize| match sample {
        1 => [samples[at], samples[at]],
        _ => [samples[2 * at], samples[2 * at + 1]],
    };
    let (color, alpha) = match channels {
        1 => ([0, 0, 0], None),
        2 => ([0, 0, 0], Some(1)),
        3 => ([0, 1, 2], None),
        _ => ([0, 1, 2], Some(3)),
    };
    let pixels = raw.chunks_exact(channels * sample).map(|samples| -> Pixel {
        let [red, green, blue] = color.map(|at| wide(samples, at));
        let alpha = alpha.map_or([255, 255], |at| wide(samples, at));
        [red, green, blue, alpha]
    });
    let is_grey = |[red, green, blue, alpha]: Pixel| {
        red == green && green == blue && red[0] == red[1] && alpha == [255, 255]
    };
    if pixels.clone().all(is_grey) {
        (1, pixels.map(|[red, ..]| red[0]).collect())
    } else {
        (8, pixels.flatten().flatten().collect())
    }
}

//! A PNG file's pixels in one form, however they were stored.

use super::{MOST_PIXELS, MaskError};
use sha2::{Digest, Sha256};
use std::io::Cursor;

/// A decoded image.
pub(super) struct Image {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes of a pixel: 1 for opaque greys of 8 bits, however they were stored; else 8, a 16-bit number for each of
    /// red, green, blue and alpha, the high byte first.
    depth: usize,
    bytes: Vec<u8>,
}

impl Image {
    pub(super) fn decode(png: &[u8]) -> Result<Self, MaskError> {
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

    pub(super) fn hash(&self) -> [u8; 32] {
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

    #[inline]
    pub(super) fn is_set_at(&self, pixel: usize) -> bool {
        if self.depth == 1 {
            return self.bytes[pixel] != 0;
        }
        let at = pixel * self.depth;
        let pixel = &self.bytes[at..at + self.depth];
        pixel[..6].iter().any(|byte| *byte != 0) && pixel[6..] != [0, 0]
    }

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

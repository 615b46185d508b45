//! Set pixels of an image <-> the PNG file of a mask.

use crate::model::{Mask, MaskError};
use png::{ColorType, Transformations};
use std::io::Cursor;

/// Limit of pixels, as in the model: a larger mask would only fill the memory.
const MAX_PIXELS: u64 = 100_000_000;

/// Which pixels of an image are set, one bit each.
#[derive(Debug)]
pub(super) struct Bitmap {
    width: u32,
    height: u32,
    /// Row by row; each row starts at a byte, with the left pixel in the highest bit.
    bits: Vec<u8>,
    set: u64,
}

impl Bitmap {
    /// An image without set pixels; `None` if its size is zero or above the limit.
    pub(super) fn new(width: u32, height: u32) -> Option<Self> {
        let pixels = u64::from(width) * u64::from(height);
        (1..=MAX_PIXELS).contains(&pixels).then(|| Self {
            width,
            height,
            bits: vec![0; width.div_ceil(8) as usize * height as usize],
            set: 0,
        })
    }

    /// Sets a pixel; pixels outside the image are ignored.
    pub(super) fn set(&mut self, x: u32, y: u32) {
        if x >= self.width || y >= self.height {
            return;
        }
        let byte = y as usize * self.width.div_ceil(8) as usize + x as usize / 8;
        let bit = 0x80 >> (x % 8);
        self.set += u64::from(self.bits[byte] & bit == 0);
        self.bits[byte] |= bit;
    }

    /// Sets the pixels of a PNG file that are neither black nor transparent. Its top left pixel is at this column and
    /// row. Returns how many are outside the image.
    pub(super) fn draw(&mut self, png: &[u8], column: u32, row: u32) -> Result<u64, String> {
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        let mut reader =
            (decoder.read_info()).map_err(|error| format!("not a PNG image: {error}"))?;
        let (width, height) = (reader.info().width, reader.info().height);
        let size = reader
            .output_buffer_size()
            .filter(|_| u64::from(width) * u64::from(height) <= MAX_PIXELS)
            .ok_or_else(|| format!("a mask of {width} x {height} pixels is too large"))?;
        let mut bytes = vec![0; size];
        (reader.next_frame(&mut bytes)).map_err(|error| format!("not a PNG image: {error}"))?;
        let color = reader.output_color_type().0;
        let samples = color.samples();
        let has_alpha = matches!(color, ColorType::GrayscaleAlpha | ColorType::Rgba);
        let mut outside = 0;
        let pixels = bytes.chunks_exact(samples).zip(0_u64..);
        for (pixel, at) in pixels.take(width as usize * height as usize) {
            let colors = &pixel[..samples - usize::from(has_alpha)];
            let is_transparent = has_alpha && pixel[samples - 1] == 0;
            if !is_transparent && colors.iter().any(|byte| *byte != 0) {
                let (x, y) = (
                    (at % u64::from(width)) as u32,
                    (at / u64::from(width)) as u32,
                );
                let (x, y) = (column.saturating_add(x), row.saturating_add(y));
                outside += u64::from(x >= self.width || y >= self.height);
                self.set(x, y);
            }
        }
        Ok(outside)
    }

    /// How many pixels are set.
    pub(super) fn area(&self) -> u64 {
        self.set
    }

    /// The mask as a PNG file, white on black.
    pub(super) fn mask(&self) -> Result<Mask, MaskError> {
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, self.width, self.height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        encoder.set_compression(png::Compression::Balanced);
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&self.bits))
            .expect("writes to a vector do not fail, and the pixels fit the size");
        Mask::from_png(png)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_pixels_are_in_the_mask() {
        let mut bitmap = Bitmap::new(10, 5).unwrap();
        for (x, y) in [(2, 1), (9, 4), (2, 1), (10, 0)] {
            bitmap.set(x, y);
        }
        assert_eq!(bitmap.area(), 2);
        let mask = bitmap.mask().unwrap();
        assert_eq!(mask.size(), Some((10, 5)));
        assert_eq!(mask.bounds(), Some([0.2, 0.2, 1.0, 1.0]));
        let mut drawn = Bitmap::new(12, 6).unwrap();
        assert_eq!(drawn.draw(mask.png().unwrap(), 1, 1), Ok(0));
        assert_eq!(drawn.area(), 2);
        assert_eq!(
            drawn.mask().unwrap().bounds(),
            Some([2.0 / 6.0, 0.25, 1.0, 11.0 / 12.0])
        );
        assert_eq!(drawn.draw(mask.png().unwrap(), 5, 0), Ok(1));
        assert!(drawn.draw(b"no image", 0, 0).is_err());
        assert!(Bitmap::new(0, 5).is_none());
        assert!(Bitmap::new(u32::MAX, u32::MAX).is_none());
    }
}

//! Masks as tinted pictures with transparency, scaled down.

use crate::model::{Mask, MaskArea};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How much of the tint covers a set pixel, of 255.
const OPACITY: u32 = 120;

/// The set pixels of a mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    width: u32,
    height: u32,
    /// How much of each pixel is set, of 255.
    coverage: Vec<u8>,
}

impl Overlay {
    /// The mask with sides of at most `most` pixels; `None` if its pixels are not known.
    pub fn of(mask: &Mask, most: u32) -> Option<Self> {
        let area = MaskArea::decode(mask.png()?).ok()?;
        let (width, height) = area.size();
        let longer = width.max(height);
        if longer == 0 {
            return None;
        }
        let scaled = |side: u32| {
            let side = u64::from(side);
            let scaled = side * u64::from(most.min(longer)) / u64::from(longer);
            u32::try_from(scaled.max(1)).ok()
        };
        let (columns, rows) = (scaled(width)?, scaled(height)?);
        let first = |at: u32, scaled: u32, side: u32| {
            // No larger than `side`.
            (u64::from(at) * u64::from(side) / u64::from(scaled)) as u32
        };
        let mut coverage = Vec::with_capacity(columns as usize * rows as usize);
        for row in 0..rows {
            let (top, bottom) = (first(row, rows, height), first(row + 1, rows, height));
            for column in 0..columns {
                let left = first(column, columns, width);
                let right = first(column + 1, columns, width);
                let pixels = (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
                let set = pixels.filter(|(x, y)| area.is_set(*x, *y)).count() as u64;
                let all = u64::from(bottom - top) * u64::from(right - left);
                coverage.push((set * 255 / all.max(1)) as u8);
            }
        }
        Some(Self {
            width: columns,
            height: rows,
            coverage,
        })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.width, self.height]
    }

    /// Red, green, blue and opacity of each pixel, in rows.
    pub fn pixels(&self, [red, green, blue]: [u8; 3]) -> impl Iterator<Item = [u8; 4]> {
        (self.coverage.iter()).map(move |it| {
            let opacity = u32::from(*it) * OPACITY / 255;
            [red, green, blue, opacity as u8]
        })
    }

    /// A PNG file with transparency.
    pub fn png(&self, tint: [u8; 3]) -> Vec<u8> {
        let pixels: Vec<u8> = self.pixels(tint).flatten().collect();
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().expect("the sides are not 0");
        (writer.write_image_data(&pixels)).expect("a row has four bytes for each pixel");
        writer.finish().expect("writing to memory cannot fail");
        file
    }

    /// [`Overlay::png`] as a `data:` URI.
    pub fn data_uri(&self, tint: [u8; 3]) -> String {
        let mut uri = "data:image/png;base64,".to_owned();
        STANDARD.encode_string(self.png(tint), &mut uri);
        uri
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(width: u32, bytes: &[u8]) -> Mask {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, bytes.len() as u32 / width);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(bytes).unwrap();
        writer.finish().unwrap();
        Mask::from_png(file).unwrap()
    }

    #[test]
    fn set_pixels_are_tinted_and_edges_averaged() {
        let mask = mask(4, &[255, 255, 0, 0, 255, 0, 0, 0]);
        let whole = Overlay::of(&mask, 100).unwrap();
        assert_eq!(whole.size(), [4, 2]);
        assert_eq!(whole.coverage, [255, 255, 0, 0, 255, 0, 0, 0]);
        let half = Overlay::of(&mask, 2).unwrap();
        assert_eq!((half.size(), &half.coverage[..]), ([2, 1], &[191, 0][..]));
        let pixels: Vec<[u8; 4]> = half.pixels([255, 0, 9]).collect();
        assert_eq!(pixels, [[255, 0, 9, 89], [255, 0, 9, 0]]);
        let reader = png::Decoder::new(std::io::Cursor::new(half.png([255, 0, 9])));
        let mut reader = reader.read_info().unwrap();
        let mut read = vec![0; 8];
        reader.next_frame(&mut read).unwrap();
        assert_eq!(read, [255, 0, 9, 89, 255, 0, 9, 0]);
    }

    #[test]
    fn masks_without_pixels_have_no_overlay() {
        assert_eq!(
            Overlay::of(&Mask::of_url("https://example.com/m.png"), 9),
            None
        );
    }
}

//! Masks of the brush: run-length encoded bits of an RGBA picture, row by row.
//!
//! Bits, the highest first: 32 for the number of bytes, 5 for the bits of a value less one, four times 4 for the bits of
//! a length less one. Then runs until all bytes are there: one bit whether one value is repeated, two for which of the
//! four lengths, the length less one, and the value or that many values.

use crate::formats::bitmap::Bitmap;
use crate::model::{Mask, MaskArea};
use serde_json::Value;

/// Reads numbers of any number of bits.
struct Bits<'t> {
    bytes: &'t [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    fn read(&mut self, count: u32) -> Option<u32> {
        let end = self.at + count as usize;
        if end > self.bytes.len() * 8 {
            return None;
        }
        let value = (self.at..end).fold(0_u32, |value, bit| {
            value << 1 | u32::from(self.bytes[bit / 8] >> (7 - bit % 8) & 1)
        });
        self.at = end;
        Some(value)
    }
}

/// The mask of an image of this size: its pixels that are not transparent. `None` if there are none.
pub(super) fn mask(rle: &Value, (width, height): (u32, u32)) -> Result<Option<Mask>, String> {
    let bytes: Option<Vec<u8>> = rle.as_array().and_then(|list| {
        let byte = |value: &Value| value.as_u64().and_then(|it| u8::try_from(it).ok());
        list.iter().map(byte).collect()
    });
    let bytes = bytes.ok_or("`rle` is not a list of numbers from 0 to 255")?;
    let mut bitmap = Bitmap::new(width, height)
        .ok_or_else(|| format!("a mask of {width} x {height} pixels is too large"))?;
    decode(&bytes, width, height, &mut bitmap)?;
    if bitmap.area() == 0 {
        return Ok(None);
    }
    bitmap.mask().map(Some).map_err(|error| error.to_string())
}

fn decode(bytes: &[u8], width: u32, height: u32, bitmap: &mut Bitmap) -> Result<(), String> {
    const CUT_OFF: &str = "`rle` ends before the picture does";
    let mut bits = Bits { bytes, at: 0 };
    let total = u64::from(bits.read(32).ok_or(CUT_OFF)?);
    if total != u64::from(width) * u64::from(height) * 4 {
        return Err(format!(
            "`rle` has {total} bytes, and an RGBA picture of {width} x {height} pixels has another number"
        ));
    }
    let word = bits.read(5).ok_or(CUT_OFF)? + 1;
    let mut lengths = [0; 4];
    for length in &mut lengths {
        *length = bits.read(4).ok_or(CUT_OFF)? + 1;
    }
    let mut at = 0_u64;
    // Only every fourth byte counts: the opacity of a pixel.
    let mut set = |byte: u64, value: u32| {
        if byte % 4 == 3 && value > 0 {
            let pixel = byte / 4;
            bitmap.set(
                (pixel % u64::from(width)) as u32,
                (pixel / u64::from(width)) as u32,
            );
        }
    };
    while at < total {
        let is_repeated = bits.read(1).ok_or(CUT_OFF)? == 1;
        let length = lengths[bits.read(2).ok_or(CUT_OFF)? as usize];
        let end = at + u64::from(bits.read(length).ok_or(CUT_OFF)?) + 1;
        if end > total {
            return Err("`rle` has more bytes than the picture".to_owned());
        }
        let mut value = 0;
        for byte in at..end {
            if byte == at || !is_repeated {
                value = bits.read(word).ok_or(CUT_OFF)?;
            }
            if is_repeated && value == 0 {
                break;
            }
            set(byte, value);
        }
        at = end;
    }
    Ok(())
}

/// The lengths of runs that are written, in bits.
const LENGTHS: [u32; 4] = [3, 4, 8, 16];

/// A mask as Label Studio's own converter writes it: set pixels are white and opaque. Fails without the mask's pixels,
/// or if they are those of an image of another size.
pub(super) fn rle(mask: &Mask, (width, height): (u32, u32)) -> Result<Vec<u8>, String> {
    let png = mask.png().ok_or("a mask whose pixels are not known")?;
    let area = MaskArea::decode(png).map_err(|error| error.to_string())?;
    if area.size() != (width, height) {
        let (w, h) = area.size();
        return Err(format!(
            "a mask of {w} x {h} pixels, and an image of {width} x {height}"
        ));
    }
    let mut bits = Written::default();
    bits.push(width * height * 4, 32);
    bits.push(7, 5);
    for length in LENGTHS {
        bits.push(length - 1, 4);
    }
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let (mut run, mut value) = (0_u32, false);
    for (x, y) in pixels {
        let is_set = area.is_set(x, y);
        if is_set != value {
            bits.run(run, value);
            (run, value) = (0, is_set);
        }
        // All four channels of a pixel.
        run += 4;
    }
    bits.run(run, value);
    Ok(bits.bytes)
}

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    /// In bits.
    length: usize,
}

impl Written {
    fn push(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            if self.length.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().expect("there is a byte for the bit");
            *last |= ((value >> bit & 1) as u8) << (7 - self.length % 8);
            self.length += 1;
        }
    }

    /// A run of the same value.
    fn run(&mut self, mut run: u32, is_set: bool) {
        while run > 0 {
            let some = run.min(1 << 16);
            let fits = |length: &u32| some <= 1 << *length;
            let choice = (LENGTHS.iter().position(fits)).expect("the last length fits all");
            self.push(1, 1);
            self.push(choice as u32, 2);
            self.push(some - 1, LENGTHS[choice]);
            self.push(if is_set { 255 } else { 0 }, 8);
            run -= some;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// Of 3 x 2 pixels with the middle column set, as the encoder of Label Studio's converter writes it.
    const RLE: [u8; 16] = [
        0, 0, 0, 24, 57, 27, 252, 96, 17, 255, 206, 1, 31, 252, 96, 0,
    ];

    #[test]
    fn the_pixels_of_the_converter_are_set() {
        let mask = mask(&Value::from(RLE.to_vec()), (3, 2)).unwrap().unwrap();
        assert_eq!(mask.size(), Some((3, 2)));
        assert_eq!(mask.bounds(), Some([0.0, 1.0 / 3.0, 1.0, 2.0 / 3.0]));
        // The converter adds a byte where none is needed.
        assert_eq!(
            rle(&mask, (3, 2)).unwrap(),
            RLE[..rle(&mask, (3, 2)).unwrap().len()]
        );
        assert!(rle(&mask, (2, 3)).is_err());
    }

    #[test]
    fn single_values_are_decoded() {
        // 32 bits: 8 bytes; words of 8 bits; lengths of 3, 4, 8, 16 bits; 8 single values: the second pixel is set.
        let mut bits = format!("{:032b}{:05b}0010001101111111", 8, 7);
        bits.push_str("000111");
        for value in [9, 9, 9, 0, 0, 0, 0, 7] {
            let _ = write!(bits, "{value:08b}");
        }
        bits.extend(std::iter::repeat_n('0', 8 - bits.len() % 8));
        let bytes: Vec<u8> = (bits.as_bytes().chunks(8))
            .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
            .collect();
        let mask = mask(&Value::from(bytes), (2, 1)).unwrap().unwrap();
        assert_eq!(mask.bounds(), Some([0.0, 0.5, 1.0, 1.0]));
    }

    #[test]
    fn wrong_masks_are_refused() {
        let size = (3, 2);
        let refused = |bytes: &[u8], size| mask(&Value::from(bytes.to_vec()), size).is_err();
        for length in 0..RLE.len() - 1 {
            assert!(refused(&RLE[..length], size), "{length}");
        }
        assert!(refused(&RLE, (2, 2)));
        assert!(refused(&[0xff; 40], size));
        assert!(refused(&RLE, (u32::MAX, u32::MAX)));
        assert!(mask(&Value::from(vec![256]), size).is_err());
        assert!(mask(&Value::from("eJw"), size).is_err());
        // A run of transparent pixels sets none.
        let empty = [0, 0, 0, 24, 57, 27, 254, 23, 0];
        assert!(matches!(mask(&Value::from(empty.to_vec()), size), Ok(None)));
    }
}

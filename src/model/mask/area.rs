//! Which pixels a mask sets, and how much of them two masks have in common.

use super::MaskError;
use super::image::Image;
use crate::model::overlap::Overlap;

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

    pub(super) fn common_and_all(&self, other: &Self) -> (u64, u64) {
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

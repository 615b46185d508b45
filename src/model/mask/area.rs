//! The IoU of two masks.

use super::image::{Image, MaskError};
use crate::model::overlap::Overlap;

/// The set pixels of a mask, one bit each, for comparison with many other masks.
#[derive(Debug, Clone)]
pub struct MaskArea {
    width: u32,
    height: u32,
    bits: Box<[u64]>,
}

impl MaskArea {
    pub fn decode(png: &[u8]) -> Result<Self, MaskError> {
        let image = Image::decode(png)?;
        let count = image.width as usize * image.height as usize;
        let mut bits = vec![0; count.div_ceil(64)];
        for (word, bits) in bits.iter_mut().enumerate() {
            let pixels = (word * 64..count.min((word + 1) * 64)).enumerate();
            *bits = pixels.fold(0, |bits, (bit, at)| {
                bits | u64::from(image.is_set_at(at)) << bit
            });
        }
        Ok(Self {
            width: image.width,
            height: image.height,
            bits: bits.into(),
        })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// # Panics
    ///
    /// If the pixel is outside the mask.
    pub fn is_set(&self, column: u32, row: u32) -> bool {
        assert!(column < self.width && row < self.height);
        let at = row as usize * self.width as usize + column as usize;
        self.bits[at / 64] >> (at % 64) & 1 == 1
    }

    /// The IoU of the set pixels.
    ///
    /// If the sizes differ, the coarser image is scaled to the finer one (nearest neighbour).
    pub fn overlap(&self, other: &Self) -> Overlap {
        let (intersection, union) = self.intersection_and_union(other);
        if union == 0 {
            Overlap::NONE
        } else {
            Overlap::from_fraction(intersection as f64 / union as f64)
        }
    }

    /// In pixels of the finer image.
    pub(super) fn intersection_and_union(&self, other: &Self) -> (u64, u64) {
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
        let (mut common, mut of_fine, mut of_coarse) = (0, 0, 0);
        let mut runs: (Option<u32>, Vec<[u32; 2]>) = (None, Vec::new());
        for row in 0..fine.height {
            let there =
                (2 * u64::from(row) + 1) * u64::from(coarse.height) / (2 * u64::from(fine.height));
            let there = there as u32;
            if runs.0 != Some(there) {
                let finer = coarse.runs(there);
                let finer = finer.map(|run| run.map(|at| first_at(at, fine.width, coarse.width)));
                runs = (Some(there), finer.collect());
            }
            let mut others = runs.1.iter().copied().peekable();
            of_coarse += length(runs.1.iter().copied());
            for [start, end] in fine.runs(row) {
                of_fine += u64::from(end - start);
                while let Some(&[from, to]) = others.peek() {
                    common += u64::from(to.min(end).saturating_sub(from.max(start)));
                    if to > end {
                        break;
                    }
                    others.next();
                }
            }
        }
        (common, of_fine + of_coarse - common)
    }

    /// The set columns of a row as ranges; ends are exclusive.
    fn runs(&self, row: u32) -> impl Iterator<Item = [u32; 2]> + '_ {
        let first = row as usize * self.width as usize;
        let end = first + self.width as usize;
        let mut at = first;
        std::iter::from_fn(move || {
            let start = self.next(at, end, true);
            at = self.next(start, end, false);
            (start < end).then(|| [start, at].map(|at| (at - first) as u32))
        })
    }

    /// The first set or unset bit in `at..end`, or `end`.
    fn next(&self, mut at: usize, end: usize, is_set: bool) -> usize {
        while at < end {
            let word = self.bits[at / 64];
            let rest = (if is_set { word } else { !word }) >> (at % 64);
            if rest != 0 {
                return end.min(at + rest.trailing_zeros() as usize);
            }
            at = (at / 64 + 1) * 64;
        }
        end
    }
}

fn length(runs: impl Iterator<Item = [u32; 2]>) -> u64 {
    runs.map(|[start, end]| u64::from(end - start)).sum()
}

/// The first pixel of a finer row whose middle is not before this pixel of a coarser one.
fn first_at(at: u32, fine: u32, coarse: u32) -> u32 {
    // The smallest pixel with (2 * pixel + 1) * coarse >= 2 * fine * at.
    let (at, fine, coarse) = (u64::from(at), u64::from(fine), u64::from(coarse));
    (2 * fine * at).saturating_sub(coarse).div_ceil(2 * coarse) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slowly(fine: &MaskArea, coarse: &MaskArea) -> (u64, u64) {
        let across = |at: u32, fine: u32, coarse: u32| {
            ((2 * u64::from(at) + 1) * u64::from(coarse) / (2 * u64::from(fine))) as u32
        };
        let is_set = |mask: &MaskArea, row: u32, col: u32| {
            let at = row as usize * mask.width as usize + col as usize;
            mask.bits[at / 64] >> (at % 64) & 1 == 1
        };
        let (mut common, mut all) = (0, 0);
        for row in 0..fine.height {
            let there = across(row, fine.height, coarse.height);
            for col in 0..fine.width {
                let a = is_set(fine, row, col);
                let b = is_set(coarse, there, across(col, fine.width, coarse.width));
                common += u64::from(a && b);
                all += u64::from(a || b);
            }
        }
        (common, all)
    }

    fn mask(width: u32, height: u32, noise: &[u64]) -> MaskArea {
        let words = (width as usize * height as usize).div_ceil(64);
        let bits = (0..words).map(|at| noise[at % noise.len()]).collect();
        MaskArea {
            width,
            height,
            bits,
        }
    }

    proptest::proptest! {
        #[test]
        fn masks_of_different_sizes_are_compared_pixel_by_pixel(
            sizes in proptest::array::uniform4(1_u32..90),
            noise in proptest::array::uniform2(proptest::collection::vec(
                proptest::prop_oneof![proptest::prelude::any::<u64>(), proptest::prelude::Just(0), proptest::prelude::Just(u64::MAX)],
                1..9,
            )),
        ) {
            let [a, b, c, d] = sizes;
            let (one, other) = (mask(a, b, &noise[0]), mask(c, d, &noise[1]));
            proptest::prop_assume!((a, b) != (c, d));
            let (fine, coarse) = if a * b >= c * d { (&one, &other) } else { (&other, &one) };
            proptest::prop_assert_eq!(one.intersection_and_union(&other), slowly(fine, coarse));
        }
    }
}

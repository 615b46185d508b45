//! Decodes run-length masks: lengths of runs, background first, column by column from the top left.
//!
//! The lengths are a list, or a string in which each is written in groups of five bits as the reference implementation
//! (`pycocotools`) does: from the third on, a length is the difference to the one two before it.

use super::values::{Counts, Numbers, Rle};
use crate::formats::bitmap::Bitmap;
use crate::model::Mask;

/// Decodes the mask of an image of this size. `None` if no pixel is set.
pub(super) fn mask(rle: &Rle, (width, height): (u32, u32)) -> Result<Option<Mask>, String> {
    let size = match &rle.size {
        Numbers::List(size) => size.as_slice(),
        Numbers::Missing => return Err("the mask has no `size`".to_owned()),
        Numbers::Wrong(found) => return Err(format!("the mask's `size` {found}")),
    };
    if size != [f64::from(height), f64::from(width)] {
        let size: Vec<String> = size.iter().map(f64::to_string).collect();
        return Err(format!(
            "the mask's size is [{}], and the image is {height} high and {width} wide",
            size.join(", ")
        ));
    }
    let runs = match &rle.counts {
        Counts::List(Numbers::List(numbers)) => whole(numbers)?,
        Counts::List(Numbers::Wrong(found)) => {
            return Err(format!("the mask's `counts` {found}"));
        }
        Counts::List(Numbers::Missing) => return Err("the mask has no `counts`".to_owned()),
        Counts::Text(text) => decoded(text)?,
    };
    let pixels = u64::from(width) * u64::from(height);
    let total = runs
        .iter()
        .try_fold(0_u64, |sum, run| sum.checked_add(*run));
    if total != Some(pixels) {
        return Err(format!(
            "the mask's runs come to {} pixels, and the image has {pixels}",
            total.map_or_else(|| "too many".to_owned(), |total| total.to_string())
        ));
    }
    let Some(mut bitmap) = Bitmap::new(width, height) else {
        return Err(format!("a mask of {width} x {height} pixels is too large"));
    };
    let mut at = 0_u64;
    for (index, run) in runs.iter().enumerate() {
        let end = at + run;
        if index % 2 == 1 {
            for pixel in at..end {
                // Both fit: there are no more pixels than `u32` squared, column by column.
                let (column, row) = (pixel / u64::from(height), pixel % u64::from(height));
                bitmap.set(column as u32, row as u32);
            }
        }
        at = end;
    }
    if bitmap.area() == 0 {
        return Ok(None);
    }
    bitmap.mask().map(Some).map_err(|error| error.to_string())
}

fn whole(numbers: &[f64]) -> Result<Vec<u64>, String> {
    numbers
        .iter()
        .map(|number| {
            // Beyond this not every whole number is a float; no mask comes near it.
            let is_whole = number.fract() == 0.0 && (0.0..=9e15).contains(number);
            is_whole
                .then_some(*number as u64)
                .ok_or_else(|| format!("a run of {number} pixels"))
        })
        .collect()
}

fn decoded(text: &str) -> Result<Vec<u64>, String> {
    let mut runs: Vec<i64> = Vec::new();
    let mut value: i64 = 0;
    let mut shift = 0;
    for byte in text.bytes() {
        let group = byte
            .checked_sub(48)
            .filter(|group| *group < 64)
            .ok_or_else(|| {
                format!("the mask's `counts` hold the byte {byte}, which is not allowed")
            })?;
        if shift > 50 {
            return Err("the mask's `counts` hold a number that is too large".to_owned());
        }
        value |= i64::from(group & 0x1f) << shift;
        shift += 5;
        if group & 0x20 != 0 {
            continue;
        }
        if group & 0x10 != 0 {
            value |= -1 << shift;
        }
        if let [.., before, _] = runs[..]
            && runs.len() > 2
        {
            value += before;
        }
        if !(0..=9_000_000_000_000_000).contains(&value) {
            return Err(format!("a run of {value} pixels"));
        }
        runs.push(value);
        (value, shift) = (0, 0);
    }
    if shift != 0 {
        return Err("the mask's `counts` end within a number".to_owned());
    }
    Ok(runs.into_iter().map(i64::unsigned_abs).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compressed_string_and_a_list_give_the_same_mask() {
        // Written by pycocotools: rleToString of these runs.
        assert_eq!(decoded("52203").unwrap(), [5, 2, 2, 2, 5]);
        for wrong in ["/", "\u{7f}", "oooooooooooooooo", "P"] {
            assert!(decoded(wrong).is_err(), "{wrong}");
        }
        assert_eq!(decoded("").unwrap(), [0_u64; 0]);
    }
}

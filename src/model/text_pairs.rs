//! The similarity of two texts.

use super::overlap::{Overlap, iou};

/// The similarity of two texts; see [`TextPairs`].
pub fn text_overlap(one: &str, other: &str) -> Overlap {
    if one == other {
        return Overlap::WHOLE;
    }
    TextPairs::of(one).overlap(&TextPairs::of(other))
}

/// The pairs of adjacent characters of a text with their counts, sorted.
#[derive(Debug)]
pub struct TextPairs {
    /// Both characters as one number.
    pairs: Vec<u64>,
    counts: Vec<u32>,
    all: u32,
}

impl TextPairs {
    pub fn of(text: &str) -> Self {
        let number = |c: char| u64::from(u32::from(c));
        let mut sorted: Vec<u64> = (text.chars().zip(text.chars().skip(1)))
            .map(|(one, next)| number(one) << 32 | number(next))
            .collect();
        sorted.sort_unstable();
        let equal = sorted.chunk_by(|a, b| a == b);
        let (pairs, counts) = equal.map(|equal| (equal[0], equal.len() as u32)).unzip();
        Self {
            pairs,
            counts,
            all: sorted.len() as u32,
        }
    }

    /// The number of distinct pairs.
    pub fn distinct(&self) -> usize {
        self.pairs.len()
    }

    /// The IoU of the pairs. Runs in linear time in the numbers of distinct pairs.
    pub fn overlap(&self, other: &Self) -> Overlap {
        let (mut ours, mut theirs, mut common) = (0, 0, 0);
        while let (Some(one), Some(another)) = (self.pairs.get(ours), other.pairs.get(theirs)) {
            // Branch-free, because the branches would be unpredictable.
            let count = self.counts[ours].min(other.counts[theirs]);
            common += if one == another { count } else { 0 };
            ours += usize::from(one <= another);
            theirs += usize::from(another <= one);
        }
        iou(f64::from(common), f64::from(self.all), f64::from(other.all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_by_pairs_of_characters() {
        assert_eq!(text_overlap("a red car", "a red car"), Overlap::WHOLE);
        assert_eq!(text_overlap("abc", "abd").to_string(), "0.33");
        assert_eq!(text_overlap("red", "blue"), Overlap::NONE);
        assert_eq!(text_overlap("a", "b"), Overlap::NONE);
        assert_eq!(text_overlap("", ""), Overlap::WHOLE);
    }
}

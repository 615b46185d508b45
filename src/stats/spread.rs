//! The spread of numbers.

use serde::Serialize;

/// The least, the middle and the greatest of some numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Spread {
    /// How many numbers there are.
    pub count: u64,
    /// The least.
    pub min: f64,
    /// The middle one; of an even number, the mean of the middle two.
    pub median: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Rounded to this many digits after the point. `None` if there are no numbers.
    pub(super) fn of(mut numbers: Vec<f64>, digits: i32) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let (min, max) = (*numbers.first()?, *numbers.last()?);
        let middle = numbers.len() / 2;
        let median = if numbers.len() % 2 == 1 {
            numbers[middle]
        } else {
            f64::midpoint(numbers[middle - 1], numbers[middle])
        };
        let scale = 10_f64.powi(digits);
        let rounded = |number: f64| (number * scale).round() / scale;
        Some(Self {
            count: numbers.len() as u64,
            min: rounded(min),
            median: rounded(median),
            max: rounded(max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        let spread = Spread::of(vec![4.0, 1.0, 9.0, 2.0], 6).unwrap();
        let values = [spread.min, spread.median, spread.max];
        assert_eq!(format!("{values:?}"), "[1.0, 3.0, 9.0]");
        assert_eq!(Spread::of(Vec::new(), 6), None);
        let median = Spread::of(vec![0.123_456_78], 4).unwrap().median;
        assert_eq!(median.to_string(), "0.1235");
    }
}

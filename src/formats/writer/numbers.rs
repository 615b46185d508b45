//! Numbers with as few digits as give the same fraction again.

/// A fraction in pixels, with as few digits as give the same fraction again.
pub(in crate::formats) fn pixels(fraction: f32, size: u32) -> f64 {
    let size = f64::from(size);
    shortest(f64::from(fraction) * size, |pixels| {
        ((pixels / size) as f32).to_bits() == fraction.to_bits()
    })
}

/// The number with the fewest decimals that is as good as this one.
pub(in crate::formats) fn shortest(number: f64, is_as_good: impl Fn(f64) -> bool) -> f64 {
    (0..=9)
        .map(|digits| {
            let scale = 10_f64.powi(digits);
            (number * scale).round() / scale
        })
        .find(|rounded| is_as_good(*rounded))
        .unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_have_as_few_digits_as_needed() {
        assert_eq!(pixels(0.1, 200).to_string(), "20");
        assert_eq!(pixels(0.123_456_7, 1_000).to_string(), "123.4567");
        for fraction in [0.333_333_34_f32, 1.0 / 7.0, 0.999_999_9] {
            let back = (pixels(fraction, 641) / 641.0) as f32;
            assert_eq!(back.to_bits(), fraction.to_bits());
        }
    }
}

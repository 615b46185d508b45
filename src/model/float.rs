//! Equality of floats, and the format of 32-bit floats.
//!
//! Coordinates and concept values are 32-bit floats on the wire: 0.1 may come back as 0.1 or as 0.10000000149011612.
//! Rounding both values before comparing them would still produce false differences; a tolerance does not.

/// The largest difference between equal coordinates or concept values.
pub const TOLERANCE: f64 = 1e-6;

/// Whether two coordinates (fractions of the image) or concept values are equal within [`TOLERANCE`].
pub fn same(a: f32, b: f32) -> bool {
    (f64::from(a) - f64::from(b)).abs() <= TOLERANCE
}

/// The 64-bit float with the shortest digits that parse as the same 32-bit float, so that JSON and YAML print `0.1`
/// instead of `0.10000000149011612`.
pub fn shortest(value: f32) -> f64 {
    // Fast path: nearly all coordinates have at most six digits. Below 1, no two decimals of six digits parse as the
    // same 32-bit float, so a match is the shortest; and the quotient is rounded like a parsed decimal.
    if (0.0..=1.0).contains(&value) && value.is_sign_positive() {
        let short = (f64::from(value) * 1e6).round() / 1e6;
        if (short as f32).to_bits() == value.to_bits() {
            return short;
        }
    }
    // `to_string` prints the shortest digits that parse as the same 32-bit float; they parse as f64 too.
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// Serializes the shortest digits, and whole numbers without a decimal point.
pub(crate) fn serialize<S: serde::Serializer>(
    value: f32,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let short = shortest(value);
    if short.fract() == 0.0 && short.abs() < 1e9 {
        serializer.serialize_i64(short as i64)
    } else {
        serializer.serialize_f64(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_equals_its_32_bit_echo() {
        assert!(same(0.1, 0.100_000_001_490_116_12_f64 as f32));
        assert!(same(0.5, 0.500_000_9));
        assert!(!same(0.5, 0.500_002));
        assert!(!same(f32::NAN, f32::NAN));
    }

    #[test]
    fn the_fast_path_agrees_with_printing() {
        let printed = |value: f32| value.to_string().parse::<f64>().unwrap();
        for number in (0..1_000_000).step_by(37) {
            let value = (f64::from(number) / 1e6) as f32;
            assert_eq!(shortest(value).to_bits(), printed(value).to_bits());
            let next = f32::from_bits(value.to_bits() + 1);
            assert_eq!(shortest(next).to_bits(), printed(next).to_bits());
        }
        assert_eq!(shortest(-0.0).to_bits(), printed(-0.0).to_bits());
    }

    #[test]
    fn shortest_floats_parse_as_the_same_value() {
        for value in [0.1_f32, 1.0 / 3.0, 0.0, 1.0, 1e-7, f32::MIN_POSITIVE] {
            assert_eq!((shortest(value) as f32).to_bits(), value.to_bits());
        }
        assert_eq!(shortest(0.1_f32).to_string(), "0.1");
    }
}

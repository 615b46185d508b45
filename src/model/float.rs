//! The one place that knows when two floats are equal, and how a 32-bit float is written.
//!
//! Coordinates and concept values are 32-bit floats on the wire: what is written as 0.1 may come back as 0.1 or as
//! 0.10000000149011612. Rounding both sides and comparing still leaves false differences; a tolerance leaves none.

/// Two coordinates or concept values that differ by no more than this are equal.
pub const TOLERANCE: f64 = 1e-6;

/// Whether two coordinates (fractions of the image) or concept values are equal.
pub fn same(a: f32, b: f32) -> bool {
    (f64::from(a) - f64::from(b)).abs() <= TOLERANCE
}

/// The shortest decimal that reads back as the same 32-bit float, as a 64-bit one: what JSON and YAML print as `0.1`,
/// not as `0.10000000149011612`.
pub fn shortest(value: f32) -> f64 {
    // Nearly all coordinates have six digits or fewer. Below 1 no two decimals of six digits read back as the same 32 bits, so
    // that one that does is the shortest; and a quotient of two whole numbers is rounded as a decimal is when it is parsed.
    if (0.0..=1.0).contains(&value) && value.is_sign_positive() {
        let short = (f64::from(value) * 1e6).round() / 1e6;
        if (short as f32).to_bits() == value.to_bits() {
            return short;
        }
    }
    // Rust prints the shortest digits that read back the same 32 bits, and any such text is a valid f64.
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// Serialises a 32-bit float with its shortest digits, and a whole number without a decimal point.
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
    fn a_value_and_its_32_bit_echo_are_the_same() {
        assert!(same(0.1, 0.100_000_001_490_116_12_f64 as f32));
        assert!(same(0.5, 0.500_000_9));
        assert!(!same(0.5, 0.500_002));
        assert!(!same(f32::NAN, f32::NAN));
    }

    #[test]
    fn short_decimals_are_found_as_printing_finds_them() {
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
    fn floats_print_short_and_read_back() {
        for value in [0.1_f32, 1.0 / 3.0, 0.0, 1.0, 1e-7, f32::MIN_POSITIVE] {
            assert_eq!((shortest(value) as f32).to_bits(), value.to_bits());
        }
        assert_eq!(shortest(0.1_f32).to_string(), "0.1");
    }
}

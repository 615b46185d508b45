//! Segments: time ranges of a video or audio file.

use super::float;
use super::shapes::GeometryError;

/// A range of time in seconds from the start. The API uses 32-bit floats and does not document their unit, so the
/// declared numbers are sent unchanged.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Segment {
    begin: f32,
    end: f32,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(serialize_with = "short")]
    begin: f64,
    #[serde(serialize_with = "short")]
    end: f64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn short<S: serde::Serializer>(seconds: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    float::serialize(*seconds as f32, serializer)
}

impl TryFrom<Written> for Segment {
    type Error = GeometryError;
    fn try_from(written: Written) -> Result<Self, GeometryError> {
        Self::new(written.begin, written.end)
    }
}

impl From<Segment> for Written {
    fn from(segment: Segment) -> Self {
        Self {
            begin: f64::from(segment.begin),
            end: f64::from(segment.end),
        }
    }
}

impl Segment {
    /// # Errors
    ///
    /// If a number is negative, not finite as 32-bit float, or `begin` is greater than `end`.
    pub fn new(begin: f64, end: f64) -> Result<Self, GeometryError> {
        for time in [begin, end] {
            // Greater values would become infinite. False for NaN as well.
            if !(0.0..=f64::from(f32::MAX)).contains(&time) {
                return Err(GeometryError::InvalidTime(time));
            }
        }
        // `+ 0.0` turns -0.0 into 0.0.
        let new = Self {
            begin: begin as f32 + 0.0,
            end: end as f32 + 0.0,
        };
        if new.begin > new.end {
            return Err(GeometryError::EndBeforeStart {
                start_name: "begin",
                start: begin,
                end,
            });
        }
        Ok(new)
    }

    pub fn begin(&self) -> f32 {
        self.begin
    }

    pub fn end(&self) -> f32 {
        self.end
    }

    /// Whether it has no length as 32-bit floats. The service may store such segments.
    pub fn is_empty(&self) -> bool {
        self.begin >= self.end
    }

    pub(super) fn same(self, other: Self) -> bool {
        same_time(self.begin, other.begin) && same_time(self.end, other.end)
    }
}

/// The tolerance is relative above 1 s, because a 32-bit float cannot resolve millionths of large numbers.
fn same_time(a: f32, b: f32) -> bool {
    let scale = a.abs().max(1.0);
    float::same(a / scale, b / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_with_the_precision_of_32_bits() {
        let segment = |begin, end| Segment::new(begin, end).unwrap();
        assert!(segment(0.1, 3_600.1).same(segment(0.100_000_1, 3_600.100_1)));
        assert!(!segment(0.1, 3_600.1).same(segment(0.1, 3_600.2)));
        assert!(!segment(0.1, 0.5).same(segment(0.100_01, 0.5)));
        for (begin, end) in [
            (2.0, 1.0),
            (-1.0, 1.0),
            (0.0, f64::NAN),
            (0.0, f64::INFINITY),
            (0.0, 1e39),
        ] {
            assert!(Segment::new(begin, end).is_err(), "{begin} {end}");
        }
        // 32-bit floats of this size have no thousandths.
        assert!(segment(1e5, 1e5 + 0.001).is_empty() && !segment(1.0, 1.001).is_empty());
        let json = serde_json::to_string(&segment(0.1, 2.0)).unwrap();
        assert_eq!(json, r#"{"begin":0.1,"end":2}"#);
        assert_eq!(
            serde_json::from_str::<Segment>(&json).unwrap(),
            segment(0.1, 2.0)
        );
    }
}

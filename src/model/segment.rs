//! Segments: stretches of time of a video or a sound.

use super::float;
use super::shapes::GeometryError;

/// From `begin` to `end`, in seconds from the start. The API has 32-bit floats for them and does not name their unit:
/// what is written is sent as it is.
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
    /// Checks that both are times, and in order. An empty one is allowed: the service may hold it.
    pub fn new(begin: f64, end: f64) -> Result<Self, GeometryError> {
        for time in [begin, end] {
            // Beyond 32 bits a time would become infinite. The comparison is false for NaN as well.
            if !(0.0..=f64::from(f32::MAX)).contains(&time) {
                return Err(GeometryError::NoTime(time));
            }
        }
        // `+ 0.0` turns -0.0 into 0.0.
        let new = Self {
            begin: begin as f32 + 0.0,
            end: end as f32 + 0.0,
        };
        if new.begin > new.end {
            return Err(GeometryError::Backwards {
                start_name: "begin",
                start: begin,
                end,
            });
        }
        Ok(new)
    }

    /// Seconds from the start.
    pub fn begin(&self) -> f32 {
        self.begin
    }

    /// Seconds from the start.
    pub fn end(&self) -> f32 {
        self.end
    }

    /// Whether it ends where it begins, with its times as they go over the wire.
    pub fn is_empty(&self) -> bool {
        self.begin >= self.end
    }

    pub(super) fn same(self, other: Self) -> bool {
        same_time(self.begin, other.begin) && same_time(self.end, other.end)
    }
}

/// Equal up to the precision of 32 bits: an hour is 3,600 s, of which a float of 32 bits holds no millionths.
fn same_time(a: f32, b: f32) -> bool {
    let scale = a.abs().max(1.0);
    float::same(a / scale, b / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_as_closely_as_32_bits_hold_them() {
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
        // 32 bits hold no thousandths at that size.
        assert!(segment(1e5, 1e5 + 0.001).is_empty() && !segment(1.0, 1.001).is_empty());
        let json = serde_json::to_string(&segment(0.1, 2.0)).unwrap();
        assert_eq!(json, r#"{"begin":0.1,"end":2}"#);
        assert_eq!(
            serde_json::from_str::<Segment>(&json).unwrap(),
            segment(0.1, 2.0)
        );
    }
}

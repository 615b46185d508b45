//! The similarity of two annotations, on the scale of an IoU.

/// Intersection over union in millionths: 0 means no overlap, 1,000,000 the same area. An integer, so that sums are the
/// same on every machine.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Overlap(u32);

impl Overlap {
    /// The same area.
    pub const WHOLE: Self = Self(1_000_000);
    pub const NONE: Self = Self(0);

    pub const fn from_millionths(millionths: u32) -> Self {
        Self(millionths)
    }

    /// Rounds an IoU (0..=1) to millionths.
    pub fn from_fraction(iou: f64) -> Self {
        Self((iou.clamp(0.0, 1.0) * 1e6).round() as u32)
    }

    pub fn millionths(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for Overlap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Truncated, not rounded: 0.996 must not read as 1.00, and 0.499 not as the threshold 0.50.
        write!(
            f,
            "{}.{:02}",
            self.0 / 1_000_000,
            self.0 % 1_000_000 / 10_000
        )
    }
}

/// The IoU of two areas with a common area.
pub(super) fn iou(common: f64, a: f64, b: f64) -> Overlap {
    let union = a + b - common;
    // Two boxes without area have no IoU. As 0 they are not matched by overlap.
    if union > 0.0 {
        Overlap::from_fraction(common / union)
    } else {
        Overlap::NONE
    }
}

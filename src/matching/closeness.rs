//! The overlap of declared and observed annotations, by the measure of their kind.
//!
//! Decoded masks, texts and large polygons are cached for all comparisons of one input.

use super::group::{count_comparison, declared_text, whole_text};
use super::state::State;
use crate::model::{
    Geometry, MaskArea, Overlap, Polygon, PolygonLines, Spacing, TextPairs, overlap,
};
use std::collections::HashMap;

/// How polygons are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum PolygonMeasure {
    /// By exact areas.
    #[default]
    Area,
    /// Along scan lines: approximate, but thousands of times faster for polygons with many points.
    Lines,
}

/// Caches for the annotations of one input.
#[derive(Default)]
pub(super) struct Closeness {
    pub(super) polygons: PolygonMeasure,
    desired_spacings: HashMap<usize, Spacing>,
    observed_spacings: HashMap<usize, Spacing>,
    desired_lines: HashMap<(usize, Spacing), PolygonLines>,
    observed_lines: HashMap<(usize, Spacing), PolygonLines>,
    desired_masks: HashMap<usize, Option<MaskArea>>,
    observed_masks: HashMap<usize, Option<MaskArea>>,
    desired_texts: HashMap<usize, TextPairs>,
    observed_texts: HashMap<usize, TextPairs>,
}

impl Closeness {
    /// `None` if the two cannot be compared.
    pub(super) fn of(
        &mut self,
        state: &State<'_>,
        desired: usize,
        observed: usize,
    ) -> Option<Overlap> {
        count_comparison();
        let (wanted, stored) = (&state.desired[desired], &state.observed[observed]);
        match (wanted.geometry(), &stored.geometry) {
            (Geometry::Mask(mask), Geometry::Mask(_)) => {
                let wanted = self
                    .desired_masks
                    .entry(desired)
                    .or_insert_with(|| MaskArea::decode(mask.png()?).ok());
                let stored = self
                    .observed_masks
                    .entry(observed)
                    .or_insert_with(|| MaskArea::decode(&stored.mask_png()?).ok());
                Some(wanted.as_ref()?.overlap(stored.as_ref()?))
            }
            (Geometry::Whole, Geometry::Whole) => {
                let (wanted, stored) = (declared_text(wanted)?, whole_text(stored)?);
                if wanted == stored {
                    return Some(Overlap::WHOLE);
                }
                let wanted =
                    (self.desired_texts.entry(desired)).or_insert_with(|| TextPairs::of(wanted));
                let stored =
                    (self.observed_texts.entry(observed)).or_insert_with(|| TextPairs::of(stored));
                Some(wanted.overlap(stored))
            }
            (Geometry::Polygon(wanted), Geometry::Polygon(stored))
                if self.polygons == PolygonMeasure::Lines =>
            {
                Some(self.along_lines((desired, wanted), (observed, stored)))
            }
            (wanted, stored) => overlap(wanted, stored),
        }
    }

    fn along_lines(
        &mut self,
        (desired, wanted): (usize, &Polygon),
        (observed, stored): (usize, &Polygon),
    ) -> Overlap {
        let spacing =
            |known: &mut HashMap<usize, Spacing>, at: usize, polygon: &Polygon| -> Spacing {
                *known.entry(at).or_insert_with(|| Spacing::of(polygon))
            };
        let spacing = spacing(&mut self.desired_spacings, desired, wanted).with(spacing(
            &mut self.observed_spacings,
            observed,
            stored,
        ));
        let wanted = (self.desired_lines.entry((desired, spacing)))
            .or_insert_with(|| PolygonLines::of(wanted, spacing));
        let stored = (self.observed_lines.entry((observed, spacing)))
            .or_insert_with(|| PolygonLines::of(stored, spacing));
        wanted.overlap(stored)
    }

    /// The number of distinct pairs of characters of a declared text, which is the cost of a comparison.
    pub(super) fn pairs_of_desired(&mut self, at: usize, text: &str) -> usize {
        let pairs = self.desired_texts.entry(at);
        pairs.or_insert_with(|| TextPairs::of(text)).distinct()
    }

    /// Like [`Closeness::pairs_of_desired`], for an observed text.
    pub(super) fn pairs_of_observed(&mut self, at: usize, text: &str) -> usize {
        let pairs = self.observed_texts.entry(at);
        pairs.or_insert_with(|| TextPairs::of(text)).distinct()
    }
}

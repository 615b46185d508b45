//! How close a declared annotation is to an observed one, by the measure of their kind.
//!
//! Masks and texts are large: each is decoded or counted once for all that it is compared with, and forgotten with its input.

use super::place::{declared_text, whole_text};
use super::{State, geometry};
use crate::model::{Geometry, MaskArea, Overlap, TextPairs, overlap};
use std::collections::HashMap;

/// What was worked out for the annotations of one input.
#[derive(Default)]
pub(super) struct Closeness {
    desired_masks: HashMap<usize, Option<MaskArea>>,
    observed_masks: HashMap<usize, Option<MaskArea>>,
    desired_texts: HashMap<usize, TextPairs>,
    observed_texts: HashMap<usize, TextPairs>,
}

impl Closeness {
    /// How close the two lie together; nothing where they cannot be compared.
    pub(super) fn of(
        &mut self,
        state: &State<'_>,
        desired: usize,
        observed: usize,
    ) -> Option<Overlap> {
        let (wanted, stored) = (&state.desired[desired], &state.observed[observed]);
        match (geometry(wanted), &stored.geometry) {
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
            (wanted, stored) => overlap(wanted, stored),
        }
    }
}

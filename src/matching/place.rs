//! Between which annotations a pairing by content is possible at all.

use super::geometry;
use crate::model::{DesiredAnnotation, Frame, Geometry, Kind, ObservedAnnotation, RegionId};

/// What a pairing by content never crosses: kind, frame, track, existing region; and of annotations of the whole input,
/// what is written there. A track or a text that a declaration does not name is unmanaged and crosses nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    kind: Kind,
    frame: Option<Frame>,
    region: Option<RegionId>,
    track: Option<Box<str>>,
    text: Option<Box<str>>,
}

impl Place {
    /// Where a declared annotation looks.
    pub(super) fn of_desired(desired: &DesiredAnnotation) -> Self {
        let geometry = geometry(desired);
        Self {
            kind: geometry.kind(),
            frame: desired.content.frame,
            region: region(geometry),
            track: desired.content.track().map(Box::from),
            text: declared_text(desired).map(Box::from),
        }
    }

    /// Where a declared annotation looks for one that says something else in its place.
    pub(super) fn of_desired_with_any_text(desired: &DesiredAnnotation) -> Self {
        Self {
            text: None,
            ..Self::of_desired(desired)
        }
    }

    /// Where an observed annotation is found: by those that name its track and its text, and by those that do not.
    pub(super) fn of_observed(observed: &ObservedAnnotation) -> impl Iterator<Item = Self> {
        let plain = Self {
            kind: observed.geometry.kind(),
            frame: observed.frame,
            region: region(&observed.geometry),
            track: None,
            text: None,
        };
        plain.in_every_detail(observed)
    }

    /// The other places where an observed annotation is found: those of its region's id. A service may answer a label
    /// on an existing region with that region's geometry filled in.
    pub(super) fn of_region(observed: &ObservedAnnotation) -> impl Iterator<Item = Self> {
        let region = match &observed.geometry {
            Geometry::Region(_) => None,
            _ => observed.region(),
        };
        region.into_iter().flat_map(|region| {
            let plain = Self {
                kind: Kind::Region,
                frame: observed.frame,
                region: Some(region),
                track: None,
                text: None,
            };
            plain.in_every_detail(observed)
        })
    }

    fn in_every_detail(self, observed: &ObservedAnnotation) -> impl Iterator<Item = Self> {
        let (track, text) = (observed.track(), whole_text(observed));
        let tracks = std::iter::once(None).chain(track.map(Some));
        tracks.flat_map(move |track| {
            let place = self.clone();
            let texts = std::iter::once(None).chain(text.map(Some));
            texts.map(move |text| Self {
                track: track.map(Box::from),
                text: text.map(Box::from),
                ..place.clone()
            })
        })
    }
}

/// Same place and same geometry.
pub(super) fn lies_together(desired: &DesiredAnnotation, observed: &ObservedAnnotation) -> bool {
    let names = |declared: Option<&str>, stored: Option<&str>| {
        declared.is_none_or(|declared| stored == Some(declared))
    };
    let same_place = match geometry(desired) {
        Geometry::Region(region) => observed.region().as_ref() == Some(region),
        place => place.same(&observed.geometry),
    };
    desired.content.frame == observed.frame
        && names(desired.content.track(), observed.track())
        && names(declared_text(desired), whole_text(observed))
        && same_place
}

/// What a declaration says is written on the whole input, or in the whole frame. The text of a region does not say
/// which region it is.
pub(super) fn declared_text(desired: &DesiredAnnotation) -> Option<&str> {
    desired
        .content
        .text()
        .filter(|_| *geometry(desired) == Geometry::Whole)
}

/// What is written on the whole input, or in the whole frame.
pub(super) fn whole_text(observed: &ObservedAnnotation) -> Option<&str> {
    observed
        .text()
        .filter(|_| observed.geometry == Geometry::Whole)
}

fn region(geometry: &Geometry) -> Option<RegionId> {
    if let Geometry::Region(id) = geometry {
        Some(id.clone())
    } else {
        None
    }
}

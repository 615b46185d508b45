//! Groups of annotations within which matching by content is possible.

use crate::model::{DesiredAnnotation, Frame, Geometry, Kind, ObservedAnnotation, RegionId};

/// Annotations are only matched by content if they agree in kind, frame, track and existing region; annotations of the
/// whole input also in their text. `None` for a track or text means unmanaged, which agrees with any.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Group {
    kind: Kind,
    frame: Option<Frame>,
    region: Option<RegionId>,
    track: Option<Box<str>>,
    text: Option<Box<str>>,
}

impl Group {
    /// The group in which a declared annotation looks for a partner.
    pub(super) fn of_desired(desired: &DesiredAnnotation) -> Self {
        let geometry = desired.geometry();
        Self {
            kind: geometry.kind(),
            frame: desired.content.frame,
            region: region(geometry),
            track: desired.content.track().map(Box::from),
            text: declared_text(desired).map(Box::from),
        }
    }

    /// The group in which a declared annotation looks for a partner with a changed text.
    pub(super) fn of_desired_ignoring_text(desired: &DesiredAnnotation) -> Self {
        Self {
            text: None,
            ..Self::of_desired(desired)
        }
    }

    /// The groups of an observed annotation: with and without its track, with and without its text.
    pub(super) fn of_observed(observed: &ObservedAnnotation) -> impl Iterator<Item = Self> {
        let base = Self {
            kind: observed.geometry.kind(),
            frame: observed.frame,
            region: region(&observed.geometry),
            track: None,
            text: None,
        };
        base.with_and_without_details(observed)
    }

    /// Further groups of an observed annotation, by the id of its region. The service may fill in the geometry of an
    /// existing region.
    pub(super) fn of_region(observed: &ObservedAnnotation) -> impl Iterator<Item = Self> {
        let region = match &observed.geometry {
            Geometry::Region(_) => None,
            _ => observed.region(),
        };
        region.into_iter().flat_map(|region| {
            let base = Self {
                kind: Kind::Region,
                frame: observed.frame,
                region: Some(region),
                track: None,
                text: None,
            };
            base.with_and_without_details(observed)
        })
    }

    fn with_and_without_details(self, observed: &ObservedAnnotation) -> impl Iterator<Item = Self> {
        let (track, text) = (observed.track(), whole_text(observed));
        let tracks = std::iter::once(None).chain(track.map(Some));
        tracks.flat_map(move |track| {
            let group = self.clone();
            let texts = std::iter::once(None).chain(text.map(Some));
            texts.map(move |text| Self {
                track: track.map(Box::from),
                text: text.map(Box::from),
                ..group.clone()
            })
        })
    }
}

/// Whether both are in the same group and have the same geometry.
pub(super) fn same_location(desired: &DesiredAnnotation, observed: &ObservedAnnotation) -> bool {
    count_comparison();
    let same_location = match desired.geometry() {
        Geometry::Region(region) => observed.region().as_ref() == Some(region),
        group => group.same(&observed.geometry),
    };
    same_names(desired, observed) && same_location
}

#[cfg(test)]
thread_local! {
    /// How many comparisons of a declared with an observed annotation this thread has made.
    pub(super) static COMPARISONS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts a comparison in tests.
pub(super) fn count_comparison() {
    #[cfg(test)]
    COMPARISONS.set(COMPARISONS.get() + 1);
}

/// Whether both agree in frame, track and text of the whole input.
pub(super) fn same_names(desired: &DesiredAnnotation, observed: &ObservedAnnotation) -> bool {
    let names = |declared: Option<&str>, stored: Option<&str>| {
        declared.is_none_or(|declared| stored == Some(declared))
    };
    desired.content.frame == observed.frame
        && names(desired.content.track(), observed.track())
        && names(declared_text(desired), whole_text(observed))
}

/// The declared text of the whole input or frame. The text of a region does not identify the region.
pub(super) fn declared_text(desired: &DesiredAnnotation) -> Option<&str> {
    desired
        .content
        .text()
        .filter(|_| *desired.geometry() == Geometry::Whole)
}

/// The observed text of the whole input or frame.
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

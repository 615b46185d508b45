//! The geometry of an annotation: one variant for each kind that the API has.

use super::ids::{ConceptId, RegionId};
use super::keypoints::Keypoints;
use super::mask::Mask;
use super::segment::Segment;
use super::shapes::{BoundingBox, Point, Polygon};
use super::span::Span;

/// The part of the input that an annotation covers.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Geometry {
    /// The whole input.
    Whole,
    Box(BoundingBox),
    Polygon(Polygon),
    Point(Point),
    Keypoints(Keypoints),
    Mask(Box<Mask>),
    /// A range of characters.
    Span(Box<Span>),
    /// A range of time.
    Segment(Segment),
    /// An existing region, referenced by its id.
    Region(RegionId),
    /// An existing region, described by its model and location. Planning replaces it by [`Geometry::Region`].
    RegionOf(Box<RegionOf>),
    /// A geometry that this version does not model. It equals nothing, and is matched by id only.
    Unmodelled,
}

/// The description of a region that a model found.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionOf {
    /// The id of the model's version.
    pub from_model: Box<str>,
    /// The concept that the model predicted; `None` means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concept: Option<ConceptId>,
    pub nearest: Nearest,
}

/// The approximate location of a region.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nearest {
    Box(BoundingBox),
}

/// The kind of a geometry. Annotations of different kinds are never matched by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Whole,
    Box,
    Polygon,
    Point,
    Keypoints,
    Mask,
    Span,
    Segment,
    /// [`Geometry::Region`] and [`Geometry::RegionOf`].
    Region,
    Unmodelled,
}

impl Geometry {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Whole => Kind::Whole,
            Self::Box(_) => Kind::Box,
            Self::Polygon(_) => Kind::Polygon,
            Self::Point(_) => Kind::Point,
            Self::Keypoints(_) => Kind::Keypoints,
            Self::Mask(_) => Kind::Mask,
            Self::Span(_) => Kind::Span,
            Self::Segment(_) => Kind::Segment,
            Self::Region(_) | Self::RegionOf(_) => Kind::Region,
            Self::Unmodelled => Kind::Unmodelled,
        }
    }

    /// Whether both are equal, within the tolerance of floats. An unmodelled geometry does not even equal itself.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole, Self::Whole) => true,
            (Self::Box(a), Self::Box(b)) => a.same(b),
            (Self::Polygon(a), Self::Polygon(b)) => a.same(b),
            (Self::Point(a), Self::Point(b)) => a.same(*b),
            (Self::Keypoints(a), Self::Keypoints(b)) => a.same(b),
            (Self::Mask(a), Self::Mask(b)) => a.same(b),
            (Self::Span(a), Self::Span(b)) => a.same(b),
            (Self::Segment(a), Self::Segment(b)) => a.same(*b),
            (Self::Region(a), Self::Region(b)) => a == b,
            _ => false,
        }
    }

    /// The bounding box: top, left, bottom, right, as fractions of the image; `None` if there is none. Spans and
    /// segments have their characters or seconds as top and bottom.
    pub fn bounds(&self) -> Option<[f32; 4]> {
        match self {
            Self::Box(b) => Some(b.edges()),
            Self::Polygon(p) => Some(p.bounds()),
            Self::Point(p) => Some([p.row.get(), p.col.get(), p.row.get(), p.col.get()]),
            Self::Keypoints(points) => Some(points.bounds()),
            Self::Mask(mask) => mask.bounds(),
            Self::Span(span) => Some([span.start() as f32, 0.0, span.end() as f32, 0.0]),
            Self::Segment(segment) => Some([segment.begin(), 0.0, segment.end(), 0.0]),
            Self::Whole | Self::Region(_) | Self::RegionOf(_) | Self::Unmodelled => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometries_stay_small() {
        // A million annotations on each side must fit into memory.
        assert!(size_of::<Geometry>() <= 24);
    }

    #[test]
    fn geometries_serialize_in_manifest_notation() {
        let geometry = Geometry::Box(BoundingBox::new(0.1, 0.2, 0.5, 1.0).unwrap());
        let json = serde_json::to_string(&geometry).unwrap();
        assert_eq!(
            json,
            r#"{"box":{"top":0.1,"left":0.2,"bottom":0.5,"right":1}}"#
        );
        assert_eq!(serde_json::from_str::<Geometry>(&json).unwrap(), geometry);
        assert!(
            serde_json::from_str::<Geometry>(
                r#"{"box":{"top":0.9,"left":0.2,"bottom":0.5,"right":1}}"#
            )
            .is_err()
        );
        assert!(serde_json::from_str::<Geometry>(r#"{"polygon":[[0,0],[1,1]]}"#).is_err());
    }
}

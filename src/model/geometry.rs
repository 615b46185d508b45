//! Where in the input an annotation lies: one of the kinds of places that the API knows.

use super::ids::{ConceptId, RegionId};
use super::keypoints::Keypoints;
use super::mask::Mask;
use super::segment::Segment;
use super::shapes::{BoundingBox, Point, Polygon};
use super::span::Span;

/// Where in the input an annotation lies.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Geometry {
    /// The whole input.
    Whole,
    /// A box.
    Box(BoundingBox),
    /// One ring.
    Polygon(Polygon),
    /// A point.
    Point(Point),
    /// Points whose order says what each of them is.
    Keypoints(Keypoints),
    /// A mask: an image of the input's shape.
    Mask(Box<Mask>),
    /// Characters of a text.
    Span(Box<Span>),
    /// A stretch of time of the whole picture.
    Segment(Segment),
    /// A region that exists already, named by its id: the annotation lies wherever that region lies.
    Region(RegionId),
    /// A region that exists already, named by what it is: a plan finds its id, so that no plan holds one of these.
    RegionOf(Box<RegionOf>),
    /// Something that this version does not model. It is never compared, and never matched but by id.
    Unmodelled,
}

/// A region that a model found, named by the model and by where it lies.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionOf {
    /// The id of the model's version.
    pub from_model: Box<str>,
    /// What the model took it for; anything where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concept: Option<ConceptId>,
    /// About where it lies.
    pub nearest: Nearest,
}

/// About where a region lies.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nearest {
    /// Its box is about this one.
    Box(BoundingBox),
}

/// The kinds between which nothing is ever matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// [`Geometry::Whole`].
    Whole,
    /// [`Geometry::Box`].
    Box,
    /// [`Geometry::Polygon`].
    Polygon,
    /// [`Geometry::Point`].
    Point,
    /// [`Geometry::Keypoints`].
    Keypoints,
    /// [`Geometry::Mask`].
    Mask,
    /// [`Geometry::Span`].
    Span,
    /// [`Geometry::Segment`].
    Segment,
    /// [`Geometry::Region`] and [`Geometry::RegionOf`].
    Region,
    /// [`Geometry::Unmodelled`].
    Unmodelled,
}

impl Geometry {
    /// Which kind of geometry this is.
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

    /// Whether both lie in the same place. What is not modelled is the same as nothing, not even itself.
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

    /// The box around it, in fractions of the image: top, left, bottom, right; nothing for what has no such box. What
    /// lies in one dimension has it in rows: characters of a span, seconds of a segment.
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
    fn a_geometry_is_small() {
        // A million annotations on each side have to fit into memory.
        assert!(size_of::<Geometry>() <= 24);
    }

    #[test]
    fn geometries_are_written_as_in_a_manifest() {
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

//! A drawing of labels over a picture, independent of how it is written.

use crate::model::{Geometry, Mask, Visibility};

/// What is drawn over one picture, in this order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figure {
    /// Width and height of the picture in pixels. Only their ratio matters.
    pub size: [u32; 2],
    pub shapes: Vec<Shape>,
}

/// A label in a drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    pub outline: Outline,
    pub role: Role,
    /// Its concepts.
    pub label: String,
}

/// What happens to a label, which decides how it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Thin.
    Unchanged,
    /// Dashed.
    Before,
    /// Solid.
    After,
    /// Solid and thick.
    Added,
    /// Red, with a cross.
    Removed,
}

impl Role {
    /// Its word on contact sheets, and the class of its shapes in SVG.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Before => "before",
            Self::After => "after",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

/// The place of a label: rows and columns as fractions of the picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Outline {
    /// Top, left, bottom, right.
    Box([f32; 4]),
    /// Rows and columns of a closed ring.
    Polygon(Vec<[f32; 2]>),
    /// Rows and columns.
    Points(Vec<[f32; 2]>),
    Mask(Box<Mask>),
}

impl Outline {
    /// `None` for a geometry that has no place in a picture.
    pub fn of(geometry: &Geometry) -> Option<Self> {
        Some(match geometry {
            Geometry::Box(edges) => Self::Box(edges.edges()),
            Geometry::Polygon(polygon) => {
                let points = polygon.points().iter();
                Self::Polygon(points.map(|it| [it.row.get(), it.col.get()]).collect())
            }
            Geometry::Point(point) => Self::Points(vec![[point.row.get(), point.col.get()]]),
            Geometry::Keypoints(points) => {
                // Those that are not in the image have no place in it.
                let points = points.points().iter();
                let present: Vec<[f32; 2]> = points
                    .filter(|it| it.visibility != Visibility::NotPresent)
                    .map(|it| [it.point.row.get(), it.point.col.get()])
                    .collect();
                if present.is_empty() {
                    return None;
                }
                Self::Points(present)
            }
            Geometry::Mask(mask) => Self::Mask(mask.clone()),
            Geometry::Span(_)
            | Geometry::Segment(_)
            | Geometry::Whole
            | Geometry::Region(_)
            | Geometry::RegionOf(_)
            | Geometry::Unmodelled => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keypoints_that_are_not_in_the_image_are_not_drawn() {
        let outline = |points: &str| {
            let geometry = format!(r#"{{"keypoints":{points}}}"#);
            Outline::of(&serde_json::from_str::<Geometry>(&geometry).unwrap())
        };
        assert_eq!(
            outline(r#"[[0.5,0.25,"visible"],[0,0,"not_present"],[0.75,0.5]]"#),
            Some(Outline::Points(vec![[0.5, 0.25], [0.75, 0.5]]))
        );
        assert_eq!(outline(r#"[[0,0,"not_present"]]"#), None);
    }
}

//! Keypoints: a list of points whose positions in the list have a meaning, such as nose, left eye, right eye.

use super::shapes::{Fraction, GeometryError, Point};

/// The visibility of a keypoint. The names are those of the API in lower case.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    #[default]
    NotSet,
    Visible,
    /// Occluded.
    NotVisible,
    /// Not in the image; its coordinates are meaningless.
    NotPresent,
}

impl Visibility {
    /// All visibilities and their names. The index is the number on the wire.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::NotSet, "not_set"),
        (Self::Visible, "visible"),
        (Self::NotVisible, "not_visible"),
        (Self::NotPresent, "not_present"),
    ];
}

/// Serialized as `[row, col]`, or `[row, col, visibility]`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Keypoint {
    pub point: Point,
    pub visibility: Visibility,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Written {
    Plain(Fraction, Fraction),
    Marked(Fraction, Fraction, Visibility),
}

impl From<Written> for Keypoint {
    fn from(written: Written) -> Self {
        let (row, col, visibility) = match written {
            Written::Plain(row, col) => (row, col, Visibility::NotSet),
            Written::Marked(row, col, visibility) => (row, col, visibility),
        };
        Self {
            point: Point { row, col },
            visibility,
        }
    }
}

impl From<Keypoint> for Written {
    fn from(Keypoint { point, visibility }: Keypoint) -> Self {
        match visibility {
            Visibility::NotSet => Self::Plain(point.row, point.col),
            visibility => Self::Marked(point.row, point.col, visibility),
        }
    }
}

/// At least one keypoint; the order is significant.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<Keypoint>", into = "Vec<Keypoint>")]
pub struct Keypoints(Box<[Keypoint]>);

impl Keypoints {
    pub fn new(points: impl Into<Box<[Keypoint]>>) -> Result<Self, GeometryError> {
        let points = points.into();
        if points.is_empty() {
            Err(GeometryError::NoKeypoints)
        } else {
            Ok(Self(points))
        }
    }

    pub fn points(&self) -> &[Keypoint] {
        &self.0
    }

    /// The bounding box of the points in the image, or of all points if none is: top, left, bottom, right.
    pub fn bounds(&self) -> [f32; 4] {
        let around = |points: &mut dyn Iterator<Item = &Keypoint>| {
            points.fold(None, |bounds: Option<[f32; 4]>, Keypoint { point, .. }| {
                let (row, col) = (point.row.get(), point.col.get());
                Some(bounds.map_or([row, col, row, col], |[t, l, b, r]| {
                    [t.min(row), l.min(col), b.max(row), r.max(col)]
                }))
            })
        };
        let present = |point: &&Keypoint| point.visibility != Visibility::NotPresent;
        around(&mut self.0.iter().filter(present))
            .or_else(|| around(&mut self.0.iter()))
            .expect("there is at least one point")
    }

    /// The mean distance between corresponding points, in fractions of the image. Pairs with a point that is not in the
    /// image are ignored. `None` if no pair is left, or if the numbers of points differ.
    pub fn distance(&self, other: &Self) -> Option<f64> {
        if self.0.len() != other.0.len() {
            return None;
        }
        let mut count = 0_u32;
        let mut sum = 0.0;
        for (a, b) in self.0.iter().zip(&other.0) {
            if a.visibility != Visibility::NotPresent && b.visibility != Visibility::NotPresent {
                count += 1;
                sum += a.point.distance(b.point);
            }
        }
        (count > 0).then(|| sum / f64::from(count))
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        let same =
            |(a, b): (&Keypoint, &Keypoint)| a.visibility == b.visibility && a.point.same(b.point);
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl TryFrom<Vec<Keypoint>> for Keypoints {
    type Error = GeometryError;
    fn try_from(points: Vec<Keypoint>) -> Result<Self, GeometryError> {
        Self::new(points)
    }
}

impl From<Keypoints> for Vec<Keypoint> {
    fn from(points: Keypoints) -> Self {
        points.0.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Keypoints {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_visibility_is_written_only_if_set() {
        let json = r#"[[0.1,0.2],[0.3,1,"visible"],[0,0,"not_present"]]"#;
        assert_eq!(serde_json::to_string(&read(json)).unwrap(), json);
        for bad in [
            "[]",
            "[[0.1]]",
            "[[0.1,2]]",
            r#"[[0.1,0.2,"seen"]]"#,
            "[[0.1,0.2,0.3]]",
        ] {
            assert!(serde_json::from_str::<Keypoints>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn order_and_visibility_are_significant() {
        let one = read(r#"[[0.1,0.2,"visible"],[0.3,0.4]]"#);
        assert!(one.same(&read(r#"[[0.1000001,0.2,"visible"],[0.3,0.4]]"#)));
        assert!(!one.same(&read(r#"[[0.3,0.4],[0.1,0.2,"visible"]]"#)));
        assert!(!one.same(&read("[[0.1,0.2],[0.3,0.4]]")));
        assert!(!one.same(&read(r#"[[0.1,0.2,"visible"]]"#)));
    }

    #[test]
    fn points_outside_the_image_are_ignored() {
        let one = read(r#"[[0.1,0.2],[0,0,"not_present"],[0.5,0.5]]"#);
        let other = read("[[0.1,0.4],[0.9,0.9],[0.5,0.5]]");
        assert!((one.distance(&other).unwrap() - 0.1).abs() < 1e-6);
        assert_eq!(format!("{:?}", one.bounds()), "[0.1, 0.2, 0.5, 0.5]");
        assert_eq!(one.distance(&read("[[0.1,0.2]]")), None);
        let gone = read(r#"[[0.2,0.3,"not_present"]]"#);
        assert_eq!(gone.distance(&gone), None);
        assert_eq!(format!("{:?}", gone.bounds()), "[0.2, 0.3, 0.2, 0.3]");
    }

    #[test]
    fn visibilities_are_listed_in_wire_order() {
        for (number, (visibility, name)) in Visibility::ALL.into_iter().enumerate() {
            assert_eq!(visibility as usize, number);
            assert_eq!(
                serde_json::to_string(&visibility).unwrap(),
                format!("\"{name}\"")
            );
        }
    }
}

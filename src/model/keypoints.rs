//! Keypoints: points whose order says what each of them is, such as nose, left eye, right eye.

use super::shapes::{Fraction, GeometryError, Point};

/// Whether a keypoint can be seen. The names are the API's, in lower case.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Nothing is said.
    #[default]
    NotSet,
    /// It can be seen.
    Visible,
    /// It is hidden behind something.
    NotVisible,
    /// It is not in the image: where it lies means nothing.
    NotPresent,
}

impl Visibility {
    /// Every visibility with its number on the wire, which is its place in this list, and its name.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::NotSet, "not_set"),
        (Self::Visible, "visible"),
        (Self::NotVisible, "not_visible"),
        (Self::NotPresent, "not_present"),
    ];
}

/// One of them. Written `[row, col]`, or `[row, col, visibility]`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Keypoint {
    /// Where.
    pub point: Point,
    /// Whether it can be seen.
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

/// At least one keypoint, in an order that has a meaning.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<Keypoint>", into = "Vec<Keypoint>")]
pub struct Keypoints(Box<[Keypoint]>);

impl Keypoints {
    /// Checks that there is one.
    pub fn new(points: impl Into<Box<[Keypoint]>>) -> Result<Self, GeometryError> {
        let points = points.into();
        if points.is_empty() {
            Err(GeometryError::NoKeypoints)
        } else {
            Ok(Self(points))
        }
    }

    /// In their order.
    pub fn points(&self) -> &[Keypoint] {
        &self.0
    }

    /// The smallest box around those that are in the image, or around all where none is: top, left, bottom, right.
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

    /// The mean distance between corresponding points, in fractions of the image; points that are not in the image on
    /// either side do not count. Nothing where there is no such pair, or not as many points on both sides.
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
    fn they_are_written_with_a_visibility_where_there_is_one() {
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
    fn their_order_and_visibility_count() {
        let one = read(r#"[[0.1,0.2,"visible"],[0.3,0.4]]"#);
        assert!(one.same(&read(r#"[[0.1000001,0.2,"visible"],[0.3,0.4]]"#)));
        assert!(!one.same(&read(r#"[[0.3,0.4],[0.1,0.2,"visible"]]"#)));
        assert!(!one.same(&read("[[0.1,0.2],[0.3,0.4]]")));
        assert!(!one.same(&read(r#"[[0.1,0.2,"visible"]]"#)));
    }

    #[test]
    fn points_outside_the_image_have_no_distance_and_no_bounds() {
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
    fn the_list_of_visibilities_is_in_the_order_of_the_wire() {
        for (number, (visibility, name)) in Visibility::ALL.into_iter().enumerate() {
            assert_eq!(visibility as usize, number);
            assert_eq!(
                serde_json::to_string(&visibility).unwrap(),
                format!("\"{name}\"")
            );
        }
    }
}

//! A line of a label file: the number of a class, and a box, an outline, or a box with keypoints.

use crate::formats::account::{Note, SkipCode};
use crate::formats::builder::Shapes;
use crate::formats::place::{NotPlaced, Shape, Xy, skip};
use crate::model::Visibility;
use smallvec::{SmallVec, smallvec};

/// The maximum count of numbers in a line. Outlines of trainers' own tools have a few thousand.
const MAX_NUMBERS: usize = 1_000_000;

/// The keypoints that follow each box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pose {
    pub(super) points: usize,
    /// Three numbers per point instead of two.
    pub(super) has_visibility: bool,
}

/// What the rows of a set have in common.
#[derive(Clone, Copy)]
pub(super) struct InAll<'s> {
    pub(super) pose: Option<Pose>,
    /// Whether a score follows in every row. Reads the whole set.
    pub(super) has_scores: &'s (dyn Fn() -> bool + Sync),
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) class: u64,
    /// All of them are finite.
    pub(super) numbers: SmallVec<[f64; 5]>,
}

/// What a row is.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) shapes: Shapes,
    pub(super) score: Option<f64>,
    pub(super) notes: Vec<Note>,
    /// How many points the outline has, if it is one.
    pub(super) outline: Option<usize>,
}

impl Row {
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let mut tokens = line.split_whitespace();
        let first = tokens.next().unwrap_or_default();
        let class = class(first)
            .ok_or_else(|| format!("the class is {}, not a whole number from 0", shown(first)))?;
        let mut numbers = SmallVec::new();
        for token in tokens {
            let number = token.parse().ok().filter(|number: &f64| number.is_finite());
            numbers.push(number.ok_or_else(|| format!("{} is not a number", shown(token)))?);
            if numbers.len() > MAX_NUMBERS {
                return Err(format!("more than {MAX_NUMBERS} numbers"));
            }
        }
        Ok(Self { class, numbers })
    }

    /// The keypoints with visibility that this row may have; `None` if it cannot be one with a box and keypoints.
    pub(super) fn triples(&self) -> Option<usize> {
        let points = self.numbers.get(4..)?;
        let is_visibility = |v: f64| [0.0, 1.0, 2.0].contains(&v);
        let fits = points.len().is_multiple_of(3)
            && !points.is_empty()
            && points.chunks(3).all(|triple| is_visibility(triple[2]));
        fits.then_some(points.len() / 3)
    }

    pub(super) fn place(&self, in_all: InAll<'_>) -> Result<Placed, NotPlaced> {
        let count = self.numbers.len();
        if let Some(pose) = in_all.pose {
            let expected = 4 + pose.points * if pose.has_visibility { 3 } else { 2 };
            if count == expected || count == expected + 1 {
                return self.pose(pose, expected);
            }
            if count > 5 {
                let detail = format!(
                    "{count} numbers after the class: a box and {} keypoints are {expected}",
                    pose.points
                );
                return Err(skip(SkipCode::WrongType, detail));
            }
        }
        if count < 4 {
            let detail = format!("{count} numbers after the class: a box has 4");
            return Err(skip(SkipCode::WrongType, detail));
        }
        let (shape, used) = match count {
            4 | 5 => (self.boxed()?, 4),
            // A coordinate that is missing would move all that follow, and the last one would be a score.
            _ if count % 2 == 1 && !(in_all.has_scores)() => {
                let detail = format!(
                    "{count} numbers after the class: an outline has two for each point, and a score only if every row of the set has one"
                );
                return Err(skip(SkipCode::WrongType, detail));
            }
            _ => {
                let used = count - count % 2;
                let points = self.numbers[..used].chunks(2);
                let ring: Vec<Xy> = points.map(|pair| [pair[0], pair[1]]).collect();
                (Shape::Rings(vec![ring], None), used)
            }
        };
        Ok(Placed {
            shapes: smallvec![shape],
            score: self.score(used)?,
            notes: Vec::new(),
            outline: (used > 4).then_some(used / 2),
        })
    }

    fn boxed(&self) -> Result<Shape, NotPlaced> {
        let [x, y, width, height] = self.numbers[..4] else {
            unreachable!("the caller counts four numbers");
        };
        if width <= 0.0 || height <= 0.0 {
            let detail = format!("width {width}, height {height}");
            return Err(skip(SkipCode::NoArea, detail));
        }
        let (half, low) = (width / 2.0, height / 2.0);
        Ok(Shape::Box([[x - half, y - low], [x + half, y + low]]))
    }

    fn pose(&self, pose: Pose, used: usize) -> Result<Placed, NotPlaced> {
        let mut points: Vec<(Xy, Visibility)> = Vec::new();
        let size = if pose.has_visibility { 3 } else { 2 };
        for point in self.numbers[4..used].chunks(size) {
            let visibility = match point.get(2) {
                Some(0.0) => Visibility::NotPresent,
                Some(1.0) => Visibility::NotVisible,
                Some(2.0) => Visibility::Visible,
                Some(other) => {
                    let detail =
                        format!("a keypoint with visibility {other}, which must be 0, 1 or 2");
                    return Err(skip(SkipCode::WrongType, detail));
                }
                // Trainers take such a point for one that is absent.
                None if point[0] < 0.0 || point[1] < 0.0 => Visibility::NotPresent,
                None => Visibility::NotSet,
            };
            points.push(([point[0], point[1]], visibility));
        }
        let mut shapes: Shapes = smallvec![self.boxed()?];
        let mut notes = Vec::new();
        if points.iter().any(|(_, v)| *v != Visibility::NotPresent) {
            shapes.push(Shape::Keypoints(points));
            notes.push(Note::SplitShapes);
        }
        Ok(Placed {
            shapes,
            score: self.score(used)?,
            notes,
            outline: None,
        })
    }

    /// The number after the others. Other tools write an angle or the id of a track there.
    fn score(&self, used: usize) -> Result<Option<f64>, NotPlaced> {
        match self.numbers.get(used) {
            None => Ok(None),
            Some(score) if (0.0..=1.0).contains(score) => Ok(Some(*score)),
            Some(other) => {
                let detail = format!("the last number is {other}: a score is from 0 to 1");
                Err(skip(SkipCode::WrongScore, detail))
            }
        }
    }
}

/// Also `0.0`, which some tools write.
fn class(token: &str) -> Option<u64> {
    if let Ok(class) = token.parse() {
        return Some(class);
    }
    let number: f64 = token.parse().ok()?;
    let is_class = number >= 0.0 && number.fract() == 0.0 && number <= 1e15;
    is_class.then_some(number as u64)
}

/// The text for a message, not longer than a line.
fn shown(token: &str) -> String {
    let short: String = token.chars().take(40).collect();
    format!("{short:?}")
}

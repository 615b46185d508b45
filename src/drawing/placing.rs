//! Places for names in a drawing, so that they do not overlap.

/// The places that are taken.
#[derive(Debug, Clone)]
pub struct Placing {
    /// Width and height of the drawing.
    size: [f64; 2],
    /// x, y, width, height.
    taken: Vec<[f64; 4]>,
}

impl Placing {
    /// A drawing of this width and height without names.
    pub fn new(size: [f64; 2]) -> Self {
        Self {
            size,
            taken: Vec::new(),
        }
    }

    /// Takes the free place that is nearest to the wanted one (its top left corner): in the same line, then in the lines below
    /// and above. `None` if no line has space.
    pub fn place(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2]) -> Option<[f64; 2]> {
        let [most_x, most_y] = [self.size[0] - width, self.size[1] - height].map(|it| it.max(0.0));
        let [x, y] = [x.clamp(0.0, most_x), y.clamp(0.0, most_y)];
        let lines = (self.size[1] / height).ceil() as u32;
        for line in 0..=lines {
            let offset = f64::from(line) * height;
            let both = [y + offset, y - offset];
            let ways = if line == 0 { &both[..1] } else { &both };
            for y in ways.iter().filter(|y| (0.0..=most_y).contains(*y)) {
                if let Some(x) = self.in_line(x, *y, [width, height], most_x) {
                    self.taken.push([x, *y, width, height]);
                    return Some([x, *y]);
                }
            }
        }
        None
    }

    /// The free x nearest to the wanted one.
    fn in_line(&self, x: f64, y: f64, [width, height]: [f64; 2], most: f64) -> Option<f64> {
        let same_line = self
            .taken
            .iter()
            .filter(|it| meet([it[1], it[3]], [y, height]));
        let same_line: Vec<[f64; 2]> = same_line.map(|it| [it[0], it[2]]).collect();
        let is_free = |x: &f64| !same_line.iter().any(|it| meet(*it, [*x, width]));
        let beside = same_line
            .iter()
            .flat_map(|[from, length]| [from + length, from - width]);
        std::iter::once(x)
            .chain(beside.filter(|x| (0.0..=most).contains(x)))
            .filter(is_free)
            .min_by(|a, b| (a - x).abs().total_cmp(&(b - x).abs()))
    }
}

/// Whether two ranges, given by start and length, have a common part.
fn meet([a, a_length]: [f64; 2], [b, b_length]: [f64; 2]) -> bool {
    a < b + b_length && b < a + a_length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_the_same_place_are_moved_apart() {
        let mut placing = Placing::new([100.0, 60.0]);
        let wanted = [10.0, 20.0];
        let places: Vec<Option<[f64; 2]>> = (0..8)
            .map(|_| placing.place(wanted, [40.0, 20.0]))
            .collect();
        let expected = [
            Some([10.0, 20.0]),
            Some([50.0, 20.0]),
            Some([10.0, 40.0]),
            Some([50.0, 40.0]),
            Some([10.0, 0.0]),
            Some([50.0, 0.0]),
            None,
            None,
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn names_stay_within_the_drawing() {
        let mut placing = Placing::new([100.0, 60.0]);
        assert_eq!(placing.place([95.0, -3.0], [40.0, 20.0]), Some([60.0, 0.0]));
        assert_eq!(placing.place([0.0, 80.0], [40.0, 20.0]), Some([0.0, 40.0]));
        // Larger than the drawing.
        let mut small = Placing::new([20.0, 20.0]);
        assert_eq!(small.place([5.0, 5.0], [40.0, 44.0]), Some([0.0, 0.0]));
        assert_eq!(small.place([5.0, 5.0], [40.0, 44.0]), None);
    }
}

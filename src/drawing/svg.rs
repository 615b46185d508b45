//! Labels as SVG elements. Colours, widths and dashes are in the style sheet of the page, by the class of the role.

use super::figure::{Figure, Outline, Role, Shape};
use super::overlay::Overlay;
use crate::model::{Mask, escape_markup};
use std::fmt::Write as _;

/// Half the width of the cross that marks a removed point.
const CROSS: f64 = 12.0;

/// The coordinates of a drawing: the longer side of the picture has 1000 units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SvgCanvas {
    width: f64,
    height: f64,
}

impl SvgCanvas {
    /// The length of the longer side.
    pub const LONGER: f64 = 1000.0;

    /// A canvas with the proportions of a picture of this width and height.
    pub fn new([width, height]: [u32; 2]) -> Self {
        let [width, height] = [width, height].map(|side| f64::from(side.max(1)));
        let scale = Self::LONGER / width.max(height);
        // A picture of extreme proportions would otherwise be a line.
        let side = |side: f64| (side * scale).max(20.0);
        Self {
            width: side(width),
            height: side(height),
        }
    }

    pub fn width(self) -> f64 {
        self.width
    }

    pub fn height(self) -> f64 {
        self.height
    }

    /// A part of the picture (top, left, bottom, right, as fractions) in units: x, y, width, height.
    pub fn part(self, [top, left, bottom, right]: [f32; 4]) -> [f64; 4] {
        let [top, bottom] = [top, bottom].map(|row| f64::from(row) * self.height);
        let [left, right] = [left, right].map(|col| f64::from(col) * self.width);
        [left, top, right - left, bottom - top]
    }

    /// Writes an image that covers a part of the picture. `href` is escaped.
    pub fn write_image(self, out: &mut String, href: &str, area: [f32; 4], id: &str) {
        out.push_str("<image");
        if !id.is_empty() {
            write_attribute(out, "id", id);
        }
        write_box(out, self.part(area));
        write_attribute(out, "preserveAspectRatio", "none");
        write_attribute(out, "href", href);
        out.push_str("/>");
    }

    /// Writes all shapes of a figure.
    pub fn write_figure(self, out: &mut String, figure: &Figure) {
        for shape in &figure.shapes {
            self.write_shape(out, shape);
        }
    }

    /// Writes a shape, with its label as title if it does not change.
    pub fn write_shape(self, out: &mut String, shape: &Shape) {
        let class = shape.role.word();
        match &shape.outline {
            Outline::Box(edges) => self.write_rect(out, class, *edges),
            Outline::Mask(mask) => self.write_mask(out, shape.role, mask),
            Outline::Polygon(ring) => {
                // Writing to a string cannot fail.
                let _ = write!(out, r#"<path class="{class}" d=""#);
                self.write_ring(out, ring);
                out.push_str("\"/>");
            }
            Outline::Points(points) => self.write_points(out, class, points),
        }
        if shape.role == Role::Removed {
            let crossed = match &shape.outline {
                Outline::Points(_) => None,
                outline => bounds(outline),
            };
            if let Some(edges) = crossed {
                self.write_cross(out, edges);
            }
        }
    }

    fn write_rect(self, out: &mut String, class: &str, edges: [f32; 4]) {
        let _ = write!(out, r#"<rect class="{class}""#);
        write_box(out, self.part(edges));
        out.push_str("/>");
    }

    /// The pixels as a tinted picture, in thin bounds. Of a mask that does not change, only the bounds.
    fn write_mask(self, out: &mut String, role: Role, mask: &Mask) {
        /// Pixels of the longer side.
        const MOST: u32 = 200;
        let class = role.word();
        let pixels = tint(role).and_then(|tint| Some(Overlay::of(mask, MOST)?.data_uri(tint)));
        if let Some(href) = pixels {
            let _ = write!(out, r#"<image class="{class}""#);
            write_box(out, self.part([0.0, 0.0, 1.0, 1.0]));
            write_attribute(out, "preserveAspectRatio", "none");
            write_attribute(out, "href", &href);
            out.push_str("/>");
        }
        if let Some(edges) = mask.bounds() {
            self.write_rect(out, class, edges);
        }
    }

    fn write_ring(self, out: &mut String, ring: &[[f32; 2]]) {
        for (at, point) in ring.iter().enumerate() {
            let [x, y] = self.place(*point);
            out.push(if at == 0 { 'M' } else { ' ' });
            let _ = write!(out, "{} {}", number(x), number(y));
        }
        out.push('z');
    }

    /// Dots, as lines without length: round ends give them the same size at every zoom. Removed ones are crosses.
    fn write_points(self, out: &mut String, class: &str, points: &[[f32; 2]]) {
        let is_removed = class == Role::Removed.word();
        let kind = if is_removed { "" } else { " dots" };
        let _ = write!(out, r#"<path class="{class}{kind}" d=""#);
        for point in points {
            let [x, y] = self.place(*point);
            if is_removed {
                let [left, right, top, bottom] =
                    [x - CROSS, x + CROSS, y - CROSS, y + CROSS].map(number);
                let _ = write!(
                    out,
                    "M{left} {top}L{right} {bottom}M{right} {top}L{left} {bottom}"
                );
            } else {
                let _ = write!(out, "M{} {}h0", number(x), number(y));
            }
        }
        out.push_str("\"/>");
    }

    fn write_cross(self, out: &mut String, edges: [f32; 4]) {
        let [x, y, width, height] = self.part(edges);
        let [left, top, right, bottom] = [x, y, x + width, y + height].map(number);
        let _ = write!(
            out,
            r#"<path class="removed cross" d="M{left} {top}L{right} {bottom}M{right} {top}L{left} {bottom}"/>"#
        );
    }

    fn place(self, [row, col]: [f32; 2]) -> [f64; 2] {
        [f64::from(col) * self.width, f64::from(row) * self.height]
    }
}

/// The bounds of an outline: top, left, bottom, right. `None` for a mask whose pixels are not known.
pub fn bounds(outline: &Outline) -> Option<[f32; 4]> {
    match outline {
        Outline::Box(edges) => Some(*edges),
        Outline::Mask(mask) => mask.bounds(),
        Outline::Polygon(points) | Outline::Points(points) => {
            let mut points = points.iter();
            let &[row, col] = points.next()?;
            Some(points.fold(
                [row, col, row, col],
                |[top, left, bottom, right], &[row, col]| {
                    [top.min(row), left.min(col), bottom.max(row), right.max(col)]
                },
            ))
        }
    }
}

/// The colour of a mask's pixels, the same as the style sheet's colour of lines.
fn tint(role: Role) -> Option<[u8; 3]> {
    match role {
        Role::Unchanged => None,
        Role::Before => Some([0xff, 0xb5, 0x45]),
        Role::After => Some([0x4c, 0xd2, 0xff]),
        Role::Added => Some([0x5d, 0xf0, 0x8a]),
        Role::Removed => Some([0xff, 0x5c, 0x5c]),
    }
}

/// Two digits after the point at most.
pub fn number(value: f64) -> String {
    let mut text = format!("{value:.2}");
    while text.ends_with('0') {
        text.pop();
    }
    if text.ends_with('.') {
        text.pop();
    }
    if text == "-0" { "0".to_owned() } else { text }
}

fn write_box(out: &mut String, [x, y, width, height]: [f64; 4]) {
    let [x, y, width, height] = [x, y, width, height].map(number);
    let _ = write!(out, r#" x="{x}" y="{y}" width="{width}" height="{height}""#);
}

fn write_attribute(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, r#" {name}="{}""#, escape_markup(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(outline: Outline, role: Role) -> Shape {
        Shape {
            outline,
            role,
            label: "car".to_owned(),
        }
    }

    #[test]
    fn shapes_are_written_in_units_of_the_longer_side() {
        let canvas = SvgCanvas::new([400, 200]);
        assert_eq!(
            [canvas.width(), canvas.height()].map(number),
            ["1000", "500"]
        );
        let mut out = String::new();
        canvas.write_figure(
            &mut out,
            &Figure {
                size: [400, 200],
                shapes: vec![
                    shape(Outline::Box([0.1, 0.2, 0.5, 0.6]), Role::Removed),
                    shape(
                        Outline::Polygon(vec![[0.0, 0.0], [0.5, 0.0], [0.5, 0.333]]),
                        Role::Before,
                    ),
                    shape(Outline::Points(vec![[0.5, 0.25]]), Role::After),
                ],
            },
        );
        assert_eq!(
            out,
            "<rect class=\"removed\" x=\"200\" y=\"50\" width=\"400\" height=\"200\"/>\
             <path class=\"removed cross\" d=\"M200 50L600 250M600 50L200 250\"/>\
             <path class=\"before\" d=\"M0 0 0 250 333 250z\"/>\
             <path class=\"after dots\" d=\"M250 250h0\"/>"
        );
    }

    #[test]
    fn links_are_escaped() {
        let mut out = String::new();
        let canvas = SvgCanvas::new([1, 1]);
        canvas.write_image(&mut out, "\"/><script>", [0.0, 0.0, 1.0, 1.0], "p1");
        assert_eq!(
            out,
            "<image id=\"p1\" x=\"0\" y=\"0\" width=\"1000\" height=\"1000\" preserveAspectRatio=\"none\" \
             href=\"&quot;/&gt;&lt;script&gt;\"/>"
        );
    }

    #[test]
    fn pictures_without_a_size_have_a_canvas() {
        let canvas = SvgCanvas::new([0, 0]);
        assert_eq!(
            [canvas.width(), canvas.height()].map(number),
            ["1000", "1000"]
        );
    }
}

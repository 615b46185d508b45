//! Figures as pixels.

use super::figure::{Figure, Outline, Role, Shape};
use super::overlay::Overlay;
use super::picture::Area;
use image::RgbImage;
use image::imageops::{FilterType, resize};
use tiny_skia::{
    Color, FilterQuality, IntSize, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap,
    PixmapPaint, PremultipliedColorU8, Rect, Stroke, StrokeDash, Transform,
};

/// The color of a blank canvas.
const BLANK: Color = Color::WHITE;

/// The radius of a point.
const POINT: f32 = 4.0;

/// The color of labels with a role.
pub(super) fn color(role: Role) -> [u8; 3] {
    match role {
        Role::Unchanged => [235, 235, 235],
        Role::Before => [255, 150, 0],
        Role::After => [0, 110, 255],
        Role::Added => [0, 150, 60],
        Role::Removed => [225, 0, 40],
    }
}

/// The width of the lines of labels with a role.
fn width(role: Role) -> f32 {
    match role {
        Role::Unchanged => 1.0,
        Role::Before | Role::After | Role::Removed => 2.0,
        Role::Added => 3.5,
    }
}

/// Paints the part `view` of a figure at this size in pixels. `picture` holds only that part.
pub(super) fn paint(
    figure: &Figure,
    view: Area,
    [width, height]: [u32; 2],
    picture: Option<&RgbImage>,
) -> Option<Pixmap> {
    let pixmap = if let Some(picture) = picture {
        of_picture(picture, width, height)?
    } else {
        let mut blank = Pixmap::new(width, height)?;
        blank.fill(BLANK);
        blank
    };
    let mut canvas = Canvas { pixmap, view };
    for shape in &figure.shapes {
        canvas.draw(shape);
    }
    Some(canvas.pixmap)
}

fn of_picture(picture: &RgbImage, width: u32, height: u32) -> Option<Pixmap> {
    let scaled = resize(picture, width, height, FilterType::Triangle);
    let rgba = scaled
        .pixels()
        .flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2], 255]);
    Pixmap::from_vec(rgba.collect(), IntSize::from_wh(width, height)?)
}

struct Canvas {
    pixmap: Pixmap,
    view: Area,
}

impl Canvas {
    fn draw(&mut self, shape: &Shape) {
        let role = shape.role;
        match &shape.outline {
            Outline::Points(points) => {
                for point in points {
                    self.draw_point(*point, role);
                }
            }
            Outline::Mask(mask) => {
                if let Some(overlay) = Overlay::of(mask, 1_000) {
                    self.draw_overlay(&overlay, role);
                }
                if let Some(bounds) = mask.bounds() {
                    self.draw_ring(&corners(bounds), role);
                }
            }
            Outline::Box(edges) => self.draw_ring(&corners(*edges), role),
            Outline::Polygon(ring) => self.draw_ring(ring, role),
        }
    }

    fn draw_ring(&mut self, ring: &[[f32; 2]], role: Role) {
        let Some(path) = self.path(ring) else {
            return;
        };
        if role == Role::Removed {
            let bounds = path.bounds();
            let mut cross = PathBuilder::new();
            cross.move_to(bounds.left(), bounds.top());
            cross.line_to(bounds.right(), bounds.bottom());
            cross.move_to(bounds.right(), bounds.top());
            cross.line_to(bounds.left(), bounds.bottom());
            if let Some(cross) = cross.finish() {
                self.stroke(&cross, role, 1.5);
            }
        }
        self.stroke(&path, role, width(role));
    }

    fn draw_point(&mut self, point: [f32; 2], role: Role) {
        let [x, y] = self.place(point);
        if role == Role::Removed {
            let mut cross = PathBuilder::new();
            cross.move_to(x - POINT, y - POINT);
            cross.line_to(x + POINT, y + POINT);
            cross.move_to(x + POINT, y - POINT);
            cross.line_to(x - POINT, y + POINT);
            if let Some(cross) = cross.finish() {
                self.stroke(&cross, role, 2.0);
            }
            return;
        }
        let radius = if role == Role::Unchanged { 2.0 } else { POINT };
        if let Some(circle) = PathBuilder::from_circle(x, y, radius) {
            self.stroke(&circle, role, width(role));
        }
    }

    /// A line with a border of the opposite brightness, so that it can be seen on every picture.
    fn stroke(&mut self, path: &Path, role: Role, width: f32) {
        let mut stroke = Stroke {
            width: width + 2.0,
            line_cap: LineCap::Butt,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        let mut paint = Paint::default();
        let border = match role {
            Role::Unchanged => [60, 60, 60],
            _ => [255, 255, 255],
        };
        let same = Transform::identity();
        paint.set_color_rgba8(border[0], border[1], border[2], 170);
        self.pixmap.stroke_path(path, &paint, &stroke, same, None);
        stroke.width = width;
        if role == Role::Before {
            stroke.dash = StrokeDash::new(vec![6.0, 4.0], 0.0);
        }
        let [red, green, blue] = color(role);
        paint.set_color_rgba8(red, green, blue, 255);
        self.pixmap.stroke_path(path, &paint, &stroke, same, None);
    }

    fn draw_overlay(&mut self, overlay: &Overlay, role: Role) {
        let [width, height] = overlay.size();
        let Some(mut tinted) = Pixmap::new(width, height) else {
            return;
        };
        for (to, [red, green, blue, opacity]) in tinted
            .pixels_mut()
            .iter_mut()
            .zip(overlay.pixels(color(role)))
        {
            let part = |it: u8| (u16::from(it) * u16::from(opacity) / 255) as u8;
            *to = PremultipliedColorU8::from_rgba(part(red), part(green), part(blue), opacity)
                .expect("a part of the opacity is no larger than it");
        }
        let [left, top] = self.place([0.0, 0.0]);
        let [right, bottom] = self.place([1.0, 1.0]);
        let across = (right - left) / width as f32;
        let down = (bottom - top) / height as f32;
        let paint = PixmapPaint {
            quality: FilterQuality::Bilinear,
            ..PixmapPaint::default()
        };
        let place = Transform::from_row(across, 0.0, 0.0, down, left, top);
        self.pixmap
            .draw_pixmap(0, 0, tinted.as_ref(), &paint, place, None);
    }

    fn path(&self, ring: &[[f32; 2]]) -> Option<Path> {
        let mut path = PathBuilder::new();
        for (at, point) in ring.iter().enumerate() {
            let [x, y] = self.place(*point);
            if at == 0 {
                path.move_to(x, y);
            } else {
                path.line_to(x, y);
            }
        }
        path.close();
        path.finish()
    }

    /// x and y in pixels of a row and a column.
    fn place(&self, [row, column]: [f32; 2]) -> [f32; 2] {
        let [top, left, bottom, right] = self.view;
        [
            (column - left) / (right - left) * self.pixmap.width() as f32,
            (row - top) / (bottom - top) * self.pixmap.height() as f32,
        ]
    }
}

/// The corners of a box: rows and columns.
fn corners([top, left, bottom, right]: Area) -> [[f32; 2]; 4] {
    [[top, left], [top, right], [bottom, right], [bottom, left]]
}

/// Draws the border of a rectangle.
pub(super) fn frame(
    onto: &mut Pixmap,
    [x, y]: [f32; 2],
    [width, height]: [f32; 2],
    color: [u8; 3],
) {
    let Some(edges) = Rect::from_xywh(x, y, width, height) else {
        return;
    };
    let mut paint = Paint::default();
    paint.set_color_rgba8(color[0], color[1], color[2], 255);
    let path = PathBuilder::from_rect(edges);
    onto.stroke_path(
        &path,
        &paint,
        &Stroke::default(),
        Transform::identity(),
        None,
    );
}

/// Fills a rectangle.
pub(super) fn fill(onto: &mut Pixmap, [x, y]: [u32; 2], [width, height]: [u32; 2], color: [u8; 3]) {
    let edges = Rect::from_xywh(x as f32, y as f32, width as f32, height as f32);
    if let Some(edges) = edges {
        let mut paint = Paint::default();
        paint.set_color_rgba8(color[0], color[1], color[2], 255);
        paint.anti_alias = false;
        onto.fill_rect(edges, &paint, Transform::identity(), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    const WHOLE: Area = [0.0, 0.0, 1.0, 1.0];

    fn painted(shapes: Vec<Shape>, view: Area) -> Pixmap {
        let figure = Figure {
            size: [100, 100],
            shapes,
        };
        paint(&figure, view, [100, 100], None).unwrap()
    }

    fn shape(outline: Outline, role: Role) -> Shape {
        Shape {
            outline,
            role,
            label: String::new(),
        }
    }

    fn pixel(pixmap: &Pixmap, x: u32, y: u32) -> [u8; 3] {
        let pixel = pixmap.pixel(x, y).unwrap();
        [pixel.red(), pixel.green(), pixel.blue()]
    }

    #[test]
    fn a_box_is_drawn_at_its_place_in_the_color_of_its_role() {
        for role in [Role::After, Role::Added, Role::Removed] {
            let a_box = Outline::Box([0.2, 0.4, 0.6, 0.8]);
            let whole = painted(vec![shape(a_box.clone(), role)], WHOLE);
            assert_eq!(pixel(&whole, 50, 20), color(role), "{role:?}");
            assert_eq!(pixel(&whole, 80, 40), color(role));
            assert_eq!(pixel(&whole, 10, 10), [255; 3]);
            // Enlarged: the left half of the box fills the right half of the view.
            let part = painted(vec![shape(a_box, role)], [0.2, 0.2, 0.6, 0.6]);
            assert_eq!(pixel(&part, 50, 50), color(role));
            let is_crossed = pixel(&whole, 60, 40) == color(role);
            assert_eq!(is_crossed, role == Role::Removed, "{role:?}");
        }
    }

    #[test]
    fn labels_before_a_change_are_dashed() {
        let edge = |role| {
            let a_box = Outline::Box([0.2, 0.1, 0.9, 0.9]);
            let drawn = painted(vec![shape(a_box, role)], WHOLE);
            let edge = (15..85).filter(|x| pixel(&drawn, *x, 20) == color(role));
            edge.count()
        };
        assert_eq!(edge(Role::After), 70);
        assert!(
            (25..60).contains(&edge(Role::Before)),
            "{}",
            edge(Role::Before)
        );
    }

    #[test]
    fn polygons_points_and_pictures_are_drawn() {
        let ring = Outline::Polygon(vec![[0.1, 0.1], [0.1, 0.9], [0.9, 0.5]]);
        let points = Outline::Points(vec![[0.5, 0.5]]);
        let drawn = painted(
            vec![shape(ring, Role::After), shape(points, Role::Added)],
            WHOLE,
        );
        assert_eq!(pixel(&drawn, 50, 10), color(Role::After));
        let mut point = pixel(&drawn, 54, 50).into_iter().zip(color(Role::Added));
        assert!(point.all(|(a, b)| a.abs_diff(b) < 30));
        let green = RgbImage::from_pixel(7, 5, Rgb([0, 200, 0]));
        let figure = Figure {
            size: [7, 5],
            shapes: Vec::new(),
        };
        let drawn = paint(&figure, WHOLE, [70, 50], Some(&green)).unwrap();
        assert_eq!(pixel(&drawn, 69, 49), [0, 200, 0]);
    }

    #[test]
    fn odd_places_are_no_failure() {
        for outline in [
            Outline::Polygon(Vec::new()),
            Outline::Polygon(vec![[0.5, 0.5]]),
            Outline::Polygon(vec![[f32::NAN, 0.5], [0.1, f32::INFINITY]]),
            Outline::Box([0.5, 0.5, 0.5, 0.5]),
            Outline::Box([1e30, -1e30, 1e30, 1e30]),
            Outline::Points(vec![[f32::NAN, 0.0]]),
        ] {
            for role in [Role::Before, Role::After, Role::Removed, Role::Unchanged] {
                let drawn = painted(vec![shape(outline.clone(), role)], WHOLE);
                assert_eq!(drawn.width(), 100);
            }
        }
    }
}

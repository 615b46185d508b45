//! The legend of a contact sheet: how labels are drawn.

use super::figure::{Figure, Outline, Role, Shape};
use super::lettering::{self, CHARACTER, INK};
use super::paint::paint;
use tiny_skia::{Pixmap, PixmapPaint, Transform};

const ITEMS: [(Role, &str); 5] = [
    (Role::Before, "before: dashed"),
    (Role::After, "after: solid"),
    (Role::Added, "added: thick"),
    (Role::Removed, "removed: red with a cross"),
    (Role::Unchanged, "unchanged: thin"),
];

/// The box that is drawn for an example, and the space after it.
const EXAMPLE: [u32; 2] = [30, 18];
const LINE_HEIGHT: u32 = EXAMPLE[1] + 4;
/// The space after the words.
const GAP: u32 = 16;

/// The height in pixels of a legend of this width.
pub(super) fn height(width: u32) -> u32 {
    let last = places(width).last().map_or(0, |[_, y]| *y);
    last + LINE_HEIGHT
}

/// Draws the legend with its top left corner at this place.
pub(super) fn draw(onto: &mut Pixmap, [x, y]: [u32; 2], width: u32) {
    for ((role, words), [right, down]) in ITEMS.into_iter().zip(places(width)) {
        let [x, y] = [x + right, y + down];
        let figure = Figure {
            size: EXAMPLE,
            shapes: vec![Shape {
                outline: Outline::Box([0.15, 0.1, 0.85, 0.9]),
                role,
                label: String::new(),
            }],
        };
        if let Some(example) = paint(&figure, [0.0, 0.0, 1.0, 1.0], EXAMPLE, None) {
            let [x, y] = [x, y].map(u32::cast_signed);
            let (paint, same) = (PixmapPaint::default(), Transform::identity());
            onto.draw_pixmap(x, y, example.as_ref(), &paint, same, None);
        }
        lettering::write(onto, [x + EXAMPLE[0] + 4, y + 1], words, INK);
    }
}

/// The place of each item, in as many lines as the width needs.
fn places(width: u32) -> Vec<[u32; 2]> {
    let [mut x, mut y] = [0, 0];
    let mut places = Vec::new();
    for (_, words) in ITEMS {
        let length = EXAMPLE[0] + 4 + words.len() as u32 * CHARACTER[0];
        if x > 0 && x + length > width {
            [x, y] = [0, y + LINE_HEIGHT];
        }
        places.push([x, y]);
        x += length + GAP;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::super::paint::color;
    use super::*;
    use tiny_skia::Color;

    #[test]
    fn every_way_of_drawing_is_in_the_legend() {
        for width in [200, 330, 1_014] {
            let mut page = Pixmap::new(width, height(width)).unwrap();
            page.fill(Color::WHITE);
            draw(&mut page, [0, 0], width);
            for (role, _) in ITEMS {
                let is_drawn = page
                    .pixels()
                    .iter()
                    .any(|pixel| [pixel.red(), pixel.green(), pixel.blue()] == color(role));
                assert!(is_drawn, "{role:?} at {width}");
            }
        }
        assert_eq!([200, 330, 1_014].map(height), [110, 88, 22]);
    }
}

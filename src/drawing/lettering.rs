//! Words as pixels, in a font with glyphs of one width.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use tiny_skia::{Pixmap, PremultipliedColorU8};

const WEIGHT: FontWeight = FontWeight::Regular;
const HEIGHT: RasterHeight = RasterHeight::Size16;

/// The width and the height of a character in pixels.
pub(super) const CHARACTER: [u32; 2] = [get_raster_width(WEIGHT, HEIGHT) as u32, 16];

/// The colour of words.
pub(super) const INK: [u8; 3] = [20, 20, 20];

/// Shown for characters that the font lacks.
const REPLACEMENT: char = '\u{fffd}';

/// How many characters fit into this width.
pub(super) fn fitting(width: u32) -> usize {
    (width / CHARACTER[0]) as usize
}

/// The text if it fits, else its beginning with an ellipsis.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// Writes a line with its top left corner at this place.
pub(super) fn write(onto: &mut Pixmap, [x, y]: [u32; 2], text: &str, color: [u8; 3]) {
    // The font has no ellipsis.
    let text = text.replace('…', "..");
    for (at, character) in (0..).zip(text.chars()) {
        put(onto, [x + at * CHARACTER[0], y], character, color);
    }
}

/// Writes a character.
pub(super) fn put(onto: &mut Pixmap, [x, y]: [u32; 2], character: char, color: [u8; 3]) {
    let Some(glyph) = get_raster(character, WEIGHT, HEIGHT)
        .or_else(|| get_raster(REPLACEMENT, WEIGHT, HEIGHT))
        .or_else(|| get_raster('?', WEIGHT, HEIGHT))
    else {
        return;
    };
    let (width, height) = (onto.width(), onto.height());
    let pixels = onto.pixels_mut();
    for (row, line) in (y..height).zip(glyph.rows()) {
        for (column, ink) in (x..width).zip(line) {
            let pixel = &mut pixels[row as usize * width as usize + column as usize];
            *pixel = blended(*pixel, color, *ink);
        }
    }
}

/// A pixel under ink of this strength. The result is opaque.
fn blended(under: PremultipliedColorU8, over: [u8; 3], ink: u8) -> PremultipliedColorU8 {
    let under = [under.red(), under.green(), under.blue()];
    let ink = u16::from(ink);
    let mut mixed = under.into_iter().zip(over).map(|(under, over)| {
        let sum = u16::from(over) * ink + u16::from(under) * (255 - ink);
        (sum / 255) as u8
    });
    let mut next = || mixed.next().expect("a color has three parts");
    PremultipliedColorU8::from_rgba(next(), next(), next(), 255)
        .expect("an opaque color has no part above its opacity")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiny_skia::Color;

    fn drawn(text: &str) -> Vec<u8> {
        let mut page = Pixmap::new(60, 20).unwrap();
        page.fill(Color::WHITE);
        write(&mut page, [2, 2], text, [0, 0, 0]);
        page.take()
    }

    #[test]
    fn characters_that_the_font_lacks_have_a_replacement() {
        assert_ne!(drawn("a"), drawn("b"));
        assert_ne!(drawn("é"), drawn("e"));
        assert_eq!(drawn("漢"), drawn("\u{fffd}"));
        assert_ne!(drawn("漢"), drawn(" "));
        // Beyond the edge nothing is drawn.
        let long = "x".repeat(100);
        assert_eq!(drawn(&long), drawn(&long[..50]));
    }

    #[test]
    fn long_texts_end_in_an_ellipsis() {
        assert_eq!(shortened("a long name", 11), "a long name");
        assert_eq!(shortened("a long name", 10), "a long...");
        assert_eq!(shortened("ää", 1), "...");
    }
}

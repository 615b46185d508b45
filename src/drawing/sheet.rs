//! Contact sheets: changes as tiles of one PNG.
//!
//! A tile has the picture with the labels, for a small change an enlarged part in its corner, and words below. A legend stands
//! below the tiles. The same tiles give the same bytes.

use super::figure::{Figure, Role};
use super::legend;
use super::lettering::{self, CHARACTER, INK};
use super::paint::{color, fill, frame, paint};
use super::picture::{Area, Picture};
use super::times::{self, Period};
use std::ops::Range;
use tiny_skia::{Color, Pixmap, PixmapPaint, Transform};

/// Tiles of a full sheet.
pub const TILES: usize = COLUMNS * ROWS;
const COLUMNS: usize = 3;
const ROWS: usize = 4;

/// The picture of a tile: its width and its largest height.
const PICTURE: [u32; 2] = [330, 250];
/// Lines of words.
const LINES: usize = 3;
const LINE_HEIGHT: u32 = CHARACTER[1] + 2;
const GAP: u32 = 12;
const TILE_HEIGHT: u32 = PICTURE[1] + LINES as u32 * LINE_HEIGHT + 4;

/// The part of a tile's picture that an enlarged part covers.
const INSET: f32 = 0.45;

const FRAME: [u8; 3] = [150, 150, 150];

/// The keyword of the PNG text by which a sheet is recognised, and its value.
const MARK: [&str; 2] = ["Software", "annosync contact sheet"];

/// A change on a contact sheet.
#[derive(Debug, Clone, Default)]
pub struct Tile<'a> {
    pub figure: Figure,
    /// The scaled picture, as [`super::data_uri`] writes it; another link counts as no picture.
    pub picture: Option<&'a str>,
    /// An enlarged part: its place and its pixels, if there are any.
    pub part: Option<(Area, Option<&'a str>)>,
    /// Shown instead of a picture.
    pub passage: Option<Passage<'a>>,
    /// Shown instead of a picture, unless there are none.
    pub periods: Vec<Period>,
    /// Lines below the picture, which are shortened to its width.
    pub words: [String; LINES],
}

/// A text with marked characters.
#[derive(Debug, Clone)]
pub struct Passage<'a> {
    pub text: &'a str,
    pub marks: Vec<(Range<usize>, Role)>,
}

/// The PNG file of a sheet with these tiles, of which [`TILES`] fit.
pub fn sheet(tiles: &[Tile<'_>]) -> Vec<u8> {
    let columns = tiles.len().clamp(1, COLUMNS) as u32;
    let rows = tiles.len().clamp(1, TILES).div_ceil(COLUMNS) as u32;
    let side = |count: u32, length: u32| count * (length + GAP) + GAP;
    let (width, height) = (side(columns, PICTURE[0]), side(rows, TILE_HEIGHT));
    let inner = width - 2 * GAP;
    let mut page = Pixmap::new(width, height + legend::height(inner) + GAP)
        .expect("a sheet has at least one tile, and at most 12");
    page.fill(Color::WHITE);
    for (at, tile) in (0..).zip(tiles.iter().take(TILES)) {
        let (row, column) = (at / COLUMNS as u32, at % COLUMNS as u32);
        let place = [
            GAP + column * (PICTURE[0] + GAP),
            GAP + row * (TILE_HEIGHT + GAP),
        ];
        draw(&mut page, place, tile);
    }
    legend::draw(&mut page, [GAP, height], inner);
    encoded(&page)
}

/// Whether a file is a contact sheet of annosync.
pub fn is_sheet(png: &[u8]) -> bool {
    let decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.read_info().is_ok_and(|reader| {
        let texts = &reader.info().uncompressed_latin1_text;
        (texts.iter()).any(|it| [it.keyword.as_str(), it.text.as_str()] == MARK)
    })
}

fn draw(page: &mut Pixmap, [x, y]: [u32; 2], tile: &Tile<'_>) {
    if let Some(passage) = &tile.passage {
        draw_passage(page, [x, y], passage);
        frame_pixels(page, [x, y], PICTURE, FRAME);
    } else if !tile.periods.is_empty() {
        times::draw(page, [x, y], PICTURE, &tile.periods);
        frame_pixels(page, [x, y], PICTURE, FRAME);
    } else {
        draw_figure(page, [x, y], tile);
    }
    let most = lettering::fitting(PICTURE[0]);
    for (line, words) in (0..).zip(&tile.words) {
        let y = y + PICTURE[1] + 4 + line * LINE_HEIGHT;
        lettering::write(page, [x, y], &lettering::shortened(words, most), INK);
    }
}

fn draw_figure(page: &mut Pixmap, [x, y]: [u32; 2], tile: &Tile<'_>) {
    let size = fitted(tile.figure.size, PICTURE);
    let picture = tile.picture.and_then(Picture::of_data_uri);
    let picture = picture.map(|it| it.pixels(u32::MAX));
    let whole = [0.0, 0.0, 1.0, 1.0];
    let Some(mut drawn) = paint(&tile.figure, whole, size, picture.as_ref()) else {
        return;
    };
    if let Some((area, pixels)) = tile.part {
        draw_part(&mut drawn, tile, area, pixels);
    }
    let x = x + (PICTURE[0] - size[0]) / 2;
    let y = y + (PICTURE[1] - size[1]) / 2;
    put(page, [x, y], &drawn);
    frame_pixels(page, [x, y], size, FRAME);
}

/// Draws an enlarged part into the corner that is furthest away from it.
fn draw_part(onto: &mut Pixmap, tile: &Tile<'_>, area: Area, pixels: Option<&str>) {
    let pixels = pixels.and_then(Picture::of_data_uri);
    if tile.picture.is_some() && pixels.is_none() {
        return;
    }
    let pixels = pixels.map(|it| it.pixels(u32::MAX));
    let [width, height] = [onto.width(), onto.height()].map(|it| it as f32);
    let size = [width, height].map(|it| ((it * INSET) as u32).max(1));
    let Some(part) = paint(&tile.figure, area, size, pixels.as_ref()) else {
        return;
    };
    let [top, left, bottom, right] = area;
    let place = [left * width, top * height];
    let extent = [(right - left) * width, (bottom - top) * height];
    frame(onto, place, extent, INK);
    let x = if left.midpoint(right) < 0.5 {
        onto.width() - size[0]
    } else {
        0
    };
    let y = if top.midpoint(bottom) < 0.5 {
        onto.height() - size[1]
    } else {
        0
    };
    put(onto, [x, y], &part);
    frame_pixels(onto, [x, y], size, INK);
}

fn frame_pixels(onto: &mut Pixmap, place: [u32; 2], size: [u32; 2], color: [u8; 3]) {
    let [place, size] = [place, size].map(|pair| pair.map(|it| it as f32));
    frame(onto, place, size, color);
}

fn put(onto: &mut Pixmap, [x, y]: [u32; 2], drawn: &Pixmap) {
    let [x, y] = [x, y].map(u32::cast_signed);
    let same = Transform::identity();
    onto.draw_pixmap(x, y, drawn.as_ref(), &PixmapPaint::default(), same, None);
}

/// The largest size with the proportions of a picture.
fn fitted([width, height]: [u32; 2], [most_width, most_height]: [u32; 2]) -> [u32; 2] {
    let [width, height] = [width.max(1), height.max(1)].map(f64::from);
    let [most_width, most_height] = [most_width, most_height].map(f64::from);
    let scale = (most_width / width).min(most_height / height);
    [width * scale, height * scale].map(|it| (it.round() as u32).max(1))
}

/// The characters around the marked ones, those on a background of the color of their role.
fn draw_passage(page: &mut Pixmap, [x, y]: [u32; 2], passage: &Passage<'_>) {
    const MARGIN: u32 = 6;
    let columns = lettering::fitting(PICTURE[0] - 2 * MARGIN);
    let rows = ((PICTURE[1] - 2 * MARGIN) / LINE_HEIGHT) as usize;
    let first = passage.marks.iter().map(|(range, _)| range.start).min();
    // A third of the tile for what comes before.
    let start = first.unwrap_or_default().saturating_sub(columns * rows / 3);
    let [mut column, mut row] = [0, 0];
    for (at, character) in passage.text.chars().enumerate().skip(start) {
        if character == '\n' || column == columns {
            row += 1;
            column = 0;
        }
        if row == rows {
            break;
        }
        if character.is_control() {
            continue;
        }
        let place = [
            x + MARGIN + column as u32 * CHARACTER[0],
            y + MARGIN + row as u32 * LINE_HEIGHT,
        ];
        let mut roles = (passage.marks.iter().rev())
            .filter(|(range, _)| range.contains(&at))
            .map(|(_, role)| *role);
        let role = roles.next();
        if let Some(role) = role {
            fill(page, place, [CHARACTER[0], CHARACTER[1]], color(role));
        }
        let ink = if role.is_some() { [255; 3] } else { INK };
        lettering::put(page, place, character, ink);
        column += 1;
    }
}

fn encoded(page: &Pixmap) -> Vec<u8> {
    let rgb = page.pixels().iter();
    let rgb: Vec<u8> = rgb
        .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
        .collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, page.width(), page.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_filter(png::Filter::Adaptive);
    let [keyword, text] = MARK.map(str::to_owned);
    (encoder.add_text_chunk(keyword, text)).expect("the mark is Latin text");
    let mut writer = encoder.write_header().expect("the sides are not 0");
    (writer.write_image_data(&rgb)).expect("a row has three bytes for each pixel");
    writer.finish().expect("memory can be written to");
    file
}

#[cfg(test)]
mod tests {
    use super::super::figure::{Outline, Shape};
    use super::*;

    fn tile(number: usize) -> Tile<'static> {
        Tile {
            figure: Figure {
                size: [400, 300],
                shapes: vec![Shape {
                    outline: Outline::Box([0.1, 0.1, 0.14, 0.14]),
                    role: Role::Added,
                    label: "car".to_owned(),
                }],
            },
            part: Some(([0.0, 0.0, 0.2, 0.2], None)),
            words: [format!("{number} + box"), "car".into(), "street-1".into()],
            ..Tile::default()
        }
    }

    fn size(png: &[u8]) -> [u32; 2] {
        let reader = png::Decoder::new(std::io::Cursor::new(png)).read_info();
        let reader = reader.unwrap();
        [reader.info().width, reader.info().height]
    }

    #[test]
    fn a_sheet_is_as_large_as_its_tiles_and_alike_every_time() {
        let tiles: Vec<Tile<'_>> = (1..=30).map(tile).collect();
        for (count, expected) in [
            (1, [354, 432]),
            (2, [696, 388]),
            (4, [1_038, 686]),
            (12, [1_038, 1_326]),
            (30, [1_038, 1_326]),
        ] {
            let file = sheet(&tiles[..count]);
            assert_eq!(size(&file), expected, "{count}");
            assert_eq!(file, sheet(&tiles[..count]));
        }
        assert_ne!(sheet(&tiles[..1]), sheet(&tiles[1..2]));
    }

    #[test]
    fn sheets_are_recognised() {
        assert!(is_sheet(&sheet(&[tile(1)])));
        let mut other = Vec::new();
        let encoder = png::Encoder::new(&mut other, 1, 1);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0]).unwrap();
        writer.finish().unwrap();
        assert!(!is_sheet(&other));
        assert!(!is_sheet(b"") && !is_sheet(b"GIF89a"));
    }

    #[test]
    fn pictures_of_extreme_proportions_fit() {
        for (picture, expected) in [
            ([400, 300], [330, 248]),
            ([1, 100_000], [1, 250]),
            ([100_000, 1], [330, 1]),
            ([0, 0], [250, 250]),
        ] {
            assert_eq!(fitted(picture, PICTURE), expected, "{picture:?}");
            let mut tile = tile(1);
            tile.figure.size = picture;
            sheet(&[tile]);
        }
    }

    #[test]
    fn marked_characters_and_periods_have_the_color_of_their_role() {
        let text = "word ".repeat(400);
        let with = |marks| Tile {
            passage: Some(Passage { text: &text, marks }),
            ..Tile::default()
        };
        let drawn = |tile: Tile<'_>| {
            let file = sheet(&[tile]);
            let mut reader = png::Decoder::new(std::io::Cursor::new(&file[..]))
                .read_info()
                .unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            let green = pixels
                .chunks_exact(3)
                .filter(|it| **it == color(Role::Added));
            green.count()
        };
        // The legend has the color, too.
        let none = drawn(with(Vec::new()));
        assert!(drawn(with(vec![(1_500..1_504, Role::Added)])) > none + 100);
        assert_eq!(drawn(with(vec![(90_000..90_001, Role::Added)])), none);
        let period = |end| Tile {
            periods: vec![Period {
                begin: 0.0,
                end,
                role: Role::Added,
            }],
            ..Tile::default()
        };
        assert!(drawn(period(12.5)) > none + 5_000);
        for odd in [0.0, -1.0, f32::MAX, f32::NAN] {
            assert!(drawn(period(odd)) > none, "{odd}");
        }
    }
}

//! Parts of a video or of an audio file as bars on a common scale, with their seconds in words.

use super::figure::Role;
use super::lettering::{self, CHARACTER, INK};
use super::paint::{color, fill, frame};
use tiny_skia::Pixmap;

/// A part of the time, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Period {
    pub begin: f32,
    pub end: f32,
    pub role: Role,
}

const MARGIN: u32 = 12;
const BAR: u32 = 22;
/// The width of a bar that would be narrower.
const NARROWEST: u32 = 5;
const ROW: u32 = BAR + CHARACTER[1] + 16;

const AXIS: [u8; 3] = [150, 150, 150];

/// Draws the periods into an area with this top left corner and this size.
pub(super) fn draw(
    page: &mut Pixmap,
    [x, y]: [u32; 2],
    [width, height]: [u32; 2],
    periods: &[Period],
) {
    let end = periods.iter().fold(0.0_f32, |end, it| end.max(it.end));
    let length = width - 2 * MARGIN;
    let scale = length as f32 / if end > 0.0 { end } else { 1.0 };
    let most = lettering::fitting(length);
    let left = x + MARGIN;
    for (row, it) in (0..).zip(periods) {
        let top = y + MARGIN + row * ROW;
        let words = format!("{}: {} s to {} s", it.role.word(), it.begin, it.end);
        lettering::write(page, [left, top], &lettering::shortened(&words, most), INK);
        let [from, to] = [it.begin, it.end].map(|at| ((at.max(0.0) * scale) as u32).min(length));
        let width = to.saturating_sub(from).max(NARROWEST);
        let place = [left + from.min(length - width), top + CHARACTER[1] + 4];
        let size = [width, BAR];
        fill(page, place, size, color(it.role));
        let [place, size] = [place, size].map(|pair| pair.map(|it| it as f32));
        frame(page, place, size, INK);
    }
    let bottom = y + height - MARGIN - CHARACTER[1];
    fill(page, [left, bottom - 4], [length, 1], AXIS);
    lettering::write(page, [left, bottom], "0 s", INK);
    let last = format!("{end} s");
    let right = length.saturating_sub(last.chars().count() as u32 * CHARACTER[0]);
    lettering::write(page, [left + right, bottom], &last, INK);
}

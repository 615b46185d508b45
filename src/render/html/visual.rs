//! The drawings of an input: its picture with the labels over it, frames of a video apart, parts of time as bars.

use super::card::Card;
use super::document::picture;
use super::markup::Markup;
use crate::drawing::{Backdrop, Placing, Role, Shape, SvgCanvas, outline_bounds, svg_number};
use crate::model::{Content, Frame, Geometry, counted, escape};
use crate::render::change::ShownChange;
use crate::render::place;
use crate::render::review::{self, Surroundings, shape, sides};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// With more changes in a drawing, only their numbers are written into it.
const MOST_NAMED: usize = 8;
/// Characters of a label in a drawing.
const LABEL: usize = 24;
/// Without a picture, only changes of this many cards are enlarged, which keeps a large page small.
const MOST_ENLARGED: usize = 5_000;
const WHOLE: [f32; 4] = [0.0, 0.0, 1.0, 1.0];

/// A label of a change, drawn in one frame of a video, or in the picture.
struct Drawn<'a> {
    /// The position of the change within its card.
    at: usize,
    change: &'a ShownChange<'a>,
    shape: Shape,
}

/// Writes all drawings of a card.
pub(super) fn write(m: &mut Markup, card: &Card<'_>, surroundings: &Surroundings) {
    let mut frames: BTreeMap<Option<Frame>, Vec<Drawn<'_>>> = BTreeMap::new();
    let mut parts_of_time = Vec::new();
    for (at, change) in card.changes.iter().enumerate() {
        for (content, role) in sides(change) {
            if let Some(shape) = shape(content, role) {
                frames
                    .entry(content.frame)
                    .or_default()
                    .push(Drawn { at, change, shape });
            } else if let Some(Geometry::Segment(segment)) = &content.geometry {
                parts_of_time.push((at, role, [segment.begin(), segment.end()]));
            }
        }
    }
    let backdrop = surroundings.backdrops.get(card.input.input_id);
    if frames.is_empty() && picture_of(backdrop).is_some() {
        frames.insert(None, Vec::new());
    }
    for (nth, (frame, drawn)) in frames.iter().enumerate() {
        figure(m, card, surroundings, (nth, *frame), drawn);
    }
    if !parts_of_time.is_empty() {
        time_bars(m, &parts_of_time);
    }
}

fn picture_of(backdrop: Option<&Backdrop>) -> Option<&str> {
    backdrop.and_then(|it| it.href.as_deref()).and_then(picture)
}

fn figure(
    m: &mut Markup,
    card: &Card<'_>,
    surroundings: &Surroundings,
    (nth, frame): (usize, Option<Frame>),
    drawn: &[Drawn<'_>],
) {
    let is_of_frame = |content: &Content| content.frame == frame;
    let unchanged = card.input.unchanged(surroundings, is_of_frame);
    let canvas = SvgCanvas::new(unchanged.size);
    let backdrop = surroundings.backdrops.get(card.input.input_id);
    // The picture of a video is not that of the frame.
    let href = picture_of(backdrop).filter(|_| frame.is_none());
    m.raw("<figure");
    if href.is_none() {
        m.raw(" class=\"blank\"");
    }
    m.raw(">");
    let label = format!("t{}-{nth}", card.number);
    m.raw("<svg class=\"picture\" role=\"img\"")
        .attribute("viewBox", &view_box(canvas, WHOLE))
        .attribute("aria-labelledby", &label)
        .raw("><title")
        .attribute("id", &label)
        .raw(">")
        .text(&alternative(card, frame, drawn, unchanged.shapes.len()))
        .raw("</title>");
    backdrop_of(m, card, canvas, href);
    if !unchanged.shapes.is_empty() {
        m.raw("<g>")
            .drawing(|out| canvas.write_figure(out, &unchanged))
            .raw("</g>");
    }
    let mut open = None;
    for it in drawn {
        if open != Some(it.at) {
            m.raw(if open.is_some() { "</g><g" } else { "<g" });
            m.attribute("id", &card.shape_id(it.at, frame.map(|_| nth)));
            m.raw(">");
            open = Some(it.at);
        }
        m.drawing(|out| canvas.write_shape(out, &it.shape));
    }
    m.raw(if open.is_some() { "</g>" } else { "" });
    labels(m, canvas, drawn, card.offset);
    m.raw("</svg>");
    if let Some(frame) = frame {
        let content = Content {
            frame: Some(frame),
            ..Content::default()
        };
        m.raw("<figcaption>")
            .text(&place::words(&content).unwrap_or_default())
            .raw("</figcaption>");
    }
    m.raw("</figure>\n");
}

/// The picture, which is in the page once, or an empty canvas.
fn backdrop_of(m: &mut Markup, card: &Card<'_>, canvas: SvgCanvas, href: Option<&str>) {
    let Some(href) = href else {
        m.drawing(|out| {
            let [width, height] = [canvas.width(), canvas.height()].map(svg_number);
            let _ = write!(
                out,
                r#"<rect class="canvas" width="{width}" height="{height}"/>"#
            );
        });
        return;
    };
    let id = card.picture_id();
    if card.has_picture() {
        m.drawing(|out| canvas.write_image(out, href, WHOLE, &id));
    } else {
        m.raw("<use").attribute("href", &format!("#{id}")).raw("/>");
    }
}

fn view_box(canvas: SvgCanvas, part: [f32; 4]) -> String {
    canvas.part(part).map(svg_number).join(" ")
}

/// The number of each change at its label, with its concepts if there are few. Names do not overlap: they move to the nearest
/// free place, without their concepts if there is not enough space, and are left out if there is none.
fn labels(m: &mut Markup, canvas: SvgCanvas, drawn: &[Drawn<'_>], offset: usize) {
    /// The height of a line in the largest font that the style sheet has, and the part of it above the base line.
    const LINE: f64 = 44.0;
    const ASCENT: f64 = 35.0;
    /// The width of a character in that font, which is bold, and of the border.
    const CHARACTER: f64 = 30.0;
    const BORDER: f64 = 12.0;
    let changes: BTreeSet<usize> = drawn.iter().map(|it| it.at).collect();
    let is_few = changes.len() <= MOST_NAMED;
    let mut placing = Placing::new([canvas.width(), canvas.height()]);
    m.raw("<g class=\"names\">");
    for (nth, it) in drawn.iter().enumerate() {
        // The label after the change, if there is one, bears the name.
        if drawn.get(nth + 1).is_some_and(|next| next.at == it.at) {
            continue;
        }
        let Some(edges) = outline_bounds(&it.shape.outline) else {
            continue;
        };
        let number = format!("{}{}", offset + it.at + 1, it.change.sign.symbol());
        let mut names = vec![number.clone()];
        if is_few && !it.shape.label.is_empty() {
            let mut label: String = it.shape.label.chars().take(LABEL).collect();
            if label.len() < it.shape.label.len() {
                label.push('…');
            }
            names.insert(0, format!("{number} {label}"));
        }
        let [x, y, ..] = canvas.part(edges);
        // Above the label, or inside it at the upper edge of the picture.
        let y = if y >= LINE { y - LINE } else { y };
        let place = names.iter().find_map(|name| {
            let width = escape(name).width() as f64 * CHARACTER + BORDER;
            Some((name, placing.place([x, y], [width, LINE])?))
        });
        if let Some((name, [x, y])) = place {
            m.drawing(|out| {
                let [x, y] = [x, y + ASCENT].map(svg_number);
                let _ = write!(out, r#"<text x="{x}" y="{y}">"#);
            });
            m.text(name).raw("</text>");
        }
    }
    m.raw("</g>");
}

/// What a drawing shows, in words.
fn alternative(
    card: &Card<'_>,
    frame: Option<Frame>,
    drawn: &[Drawn<'_>],
    unchanged: usize,
) -> String {
    const NAMED: usize = 3;
    let count = |is: fn(Role) -> bool| drawn.iter().filter(|it| is(it.shape.role)).count() as u64;
    let parts = [
        (count(|role| role == Role::Added), "added"),
        (count(|role| role == Role::Removed), "removed"),
        (count(|role| role == Role::After), "changed"),
        (
            count(|role| role == Role::Unchanged) + unchanged as u64,
            "unchanged",
        ),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", counted(count, "label")))
        .collect();
    let mut words = match frame {
        Some(frame) => format!("Frame {}", frame.number),
        None => "Drawing".to_owned(),
    };
    if !parts.is_empty() {
        let _ = write!(words, ": {}", parts.join(", "));
    }
    let mut lines: Vec<String> = Vec::new();
    for (at, change) in card.changes.iter().enumerate() {
        if lines.len() < NAMED && drawn.iter().any(|it| it.at == at) {
            let number = card.offset + at + 1;
            lines.push(format!("{number}: {} {}", change.action, change.kind));
        }
    }
    if lines.is_empty() {
        words
    } else {
        format!("{words}. {}", lines.join("; "))
    }
}

/// An enlarged drawing of a small change; nothing if it is not small.
pub(super) fn enlarged(m: &mut Markup, card: &Card<'_>, at: usize, surroundings: &Surroundings) {
    let change = &card.changes[at];
    let backdrop = surroundings.backdrops.get(card.input.input_id);
    let is_in_frame = sides(change).any(|(content, _)| content.frame.is_some());
    let href = picture_of(backdrop);
    let is_worth = href.is_some() || card.number < MOST_ENLARGED;
    let Some(part) = review::enlarged(change).filter(|_| is_worth && !is_in_frame) else {
        return;
    };
    let canvas = SvgCanvas::new(card.input.unchanged(surroundings, |_| false).size);
    m.raw(match href {
        Some(_) => "<svg class=\"zoom\" aria-hidden=\"true\"",
        None => "<svg class=\"zoom blank\" aria-hidden=\"true\"",
    });
    m.attribute("viewBox", &view_box(canvas, part)).raw(">");
    let crops = backdrop.map_or(&[][..], |it| &it.crops);
    let crop = crops
        .iter()
        .filter(|crop| holds(crop.area, part))
        .min_by(|a, b| {
            let size = |[top, left, bottom, right]: [f32; 4]| (bottom - top) * (right - left);
            size(a.area).total_cmp(&size(b.area))
        });
    if href.is_some() {
        let id = card.picture_id();
        m.raw("<use").attribute("href", &format!("#{id}")).raw("/>");
    } else {
        m.drawing(|out| {
            let [width, height] = [canvas.width(), canvas.height()].map(svg_number);
            let _ = write!(
                out,
                r#"<rect class="canvas" width="{width}" height="{height}"/>"#
            );
        });
    }
    if let Some((href, area)) = crop.and_then(|crop| Some((picture(&crop.href)?, crop.area))) {
        m.drawing(|out| canvas.write_image(out, href, area, ""));
    }
    let id = card.shape_id(at, None);
    m.raw("<use")
        .attribute("href", &format!("#{id}"))
        .raw("/></svg>");
}

fn holds(area: [f32; 4], edges: [f32; 4]) -> bool {
    area[0] <= edges[0] && area[1] <= edges[1] && area[2] >= edges[2] && area[3] >= edges[3]
}

/// A row for each part of time, on a common scale.
fn time_bars(m: &mut Markup, parts: &[(usize, Role, [f32; 2])]) {
    const ROW: f64 = 30.0;
    let end = parts
        .iter()
        .fold(0.0_f32, |end, (.., [_, to])| end.max(*to));
    let scale = 900.0 / f64::from(if end > 0.0 { end } else { 1.0 });
    let height = svg_number(ROW * parts.len() as f64);
    m.raw("<figure class=\"time blank\"><svg role=\"img\"")
        .attribute("viewBox", &format!("0 0 1000 {height}"))
        .raw("><title>Parts of the time from 0 s to ")
        .text(&end.to_string())
        .raw(" s</title>");
    m.drawing(|out| {
        let _ = write!(out, r#"<rect class="canvas" width="1000" height="{height}"/>"#);
        for (row, (at, role, [from, to])) in parts.iter().enumerate() {
            let y = row as f64 * ROW;
            let [x, right] = [from, to].map(|it| 90.0 + f64::from(*it) * scale);
            let _ = write!(
                out,
                r#"<text x="8" y="{}">{}</text><rect class="{}" x="{}" y="{}" width="{}" height="16"/>"#,
                svg_number(y + 23.0),
                at + 1,
                role.word(),
                svg_number(x),
                svg_number(y + 7.0),
                svg_number((right - x).max(2.0))
            );
        }
    });
    m.raw("</svg><figcaption>0 s to ")
        .text(&end.to_string())
        .raw(" s</figcaption></figure>\n");
}

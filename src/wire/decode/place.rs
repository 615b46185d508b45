//! Conversion of regions, frames and time segments to geometries of the model.
//!
//! A geometry that the model does not support is [`Geometry::Unmodelled`], not an error.

use crate::model::{
    BoundingBox, Fraction, Frame, Geometry, Keypoint, Keypoints, Mask, Point, Polygon, RegionId,
    Segment, Span, Visibility, float,
};
use crate::wire;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The geometry of a region; unmodelled if it has several.
pub(super) fn of_region(region: &wire::Region<'_>) -> Geometry {
    let info = &region.region_info;
    let kinds = [
        info.bounding_box.is_some(),
        info.polygon.is_some(),
        info.point.is_some(),
        info.mask.is_some(),
        info.span.is_some(),
        info.token.is_some(),
        !info.keypoint_locations.is_empty(),
    ];
    let known = match kinds.into_iter().filter(|kind| *kind).count() {
        0 => RegionId::new(&*region.id).ok().map(Geometry::Region),
        1 => of_one_kind(info),
        _ => None,
    };
    known.unwrap_or(Geometry::Unmodelled)
}

fn of_one_kind(info: &wire::RegionInfo<'_>) -> Option<Geometry> {
    if let Some(edges) = &info.bounding_box {
        bounding_box(edges).map(Geometry::Box)
    } else if let Some(ring) = &info.polygon {
        polygon(ring).map(Geometry::Polygon)
    } else if let Some(at) = &info.point {
        point(at.row, at.col).map(Geometry::Point)
    } else if let Some(mask) = &info.mask {
        image(&mask.image).map(|mask| Geometry::Mask(Box::new(mask)))
    } else if let Some(span) = &info.span {
        characters(span).map(|span| Geometry::Span(Box::new(span)))
    } else if info.token.is_some() {
        None
    } else {
        keypoints(&info.keypoint_locations).map(Geometry::Keypoints)
    }
}

fn bounding_box(edges: &wire::BoundingBox) -> Option<BoundingBox> {
    BoundingBox::new(
        edge(edges.top_row),
        edge(edges.left_col),
        edge(edges.bottom_row),
        edge(edges.right_col),
    )
    .ok()
}

fn point(row: f64, col: f64) -> Option<Point> {
    Point::new(edge(row), edge(col)).ok()
}

fn polygon(ring: &wire::Polygon) -> Option<Polygon> {
    let points: Vec<Point> = ring
        .points
        .iter()
        .map(|at| point(at.row, at.col))
        .collect::<Option<_>>()?;
    Polygon::new(points).ok()
}

fn keypoints(listed: &[wire::Keypoint]) -> Option<Keypoints> {
    let points: Vec<Keypoint> = listed
        .iter()
        .map(|at| {
            Some(Keypoint {
                point: point(at.row, at.col)?,
                visibility: visibility(&at.visibility)?,
            })
        })
        .collect::<Option<_>>()?;
    Keypoints::new(points).ok()
}

/// Parses the name or the number of a visibility.
fn visibility(text: &str) -> Option<Visibility> {
    if text.is_empty() {
        return Some(Visibility::NotSet);
    }
    let named = Visibility::ALL
        .iter()
        .find(|(_, name)| name.eq_ignore_ascii_case(text));
    let numbered = || Visibility::ALL.get(text.parse::<usize>().ok()?);
    named.or_else(numbered).map(|(visibility, _)| *visibility)
}

/// A mask with pixels, URL, or both. `None` if the pixels are not a PNG image, because the URL could lead to another one.
fn image(image: &wire::Image<'_>) -> Option<Mask> {
    let url = Some(&*image.url).filter(|url| !url.is_empty());
    if image.base64.is_empty() {
        return url.map(Mask::of_url);
    }
    // Encoders break long lines.
    let text: String = image.base64.split_ascii_whitespace().collect();
    let mask = Mask::without_file(&STANDARD.decode(text).ok()?).ok()?;
    Some(match url {
        Some(url) => mask.with_url(url),
        None => mask,
    })
}

fn characters(span: &wire::Span<'_>) -> Option<Span> {
    let text = Some(&*span.raw_text).filter(|text| !text.is_empty());
    Span::new(
        whole(span.char_start)?,
        whole(span.char_end)?,
        text.map(Box::from),
    )
    .ok()
}

fn whole(number: f64) -> Option<u32> {
    // The comparison is false for NaN as well.
    let is_whole = (0.0..=f64::from(u32::MAX)).contains(&number) && number.fract() == 0.0;
    is_whole.then_some(number as u32)
}

/// A time segment; unmodelled if it has parts.
pub(super) fn of_segment(segment: &wire::TimeSegment<'_>) -> Geometry {
    let inside = &segment.data;
    let has_no_parts = inside.regions.is_empty()
        && inside.frames.is_empty()
        && inside.time_segments.is_empty()
        && inside.tracks.is_empty();
    let time = &segment.time_info;
    match Segment::new(time.begin_time, time.end_time) {
        Ok(segment) if has_no_parts => Geometry::Segment(segment),
        _ => Geometry::Unmodelled,
    }
}

/// `None` if the number of the frame is out of range.
pub(super) fn video_frame(info: &wire::FrameInfo) -> Option<Frame> {
    let number = if info.number == 0 {
        info.index
    } else {
        info.number
    };
    Some(Frame {
        time_ms: info.time,
        number: u32::try_from(number).ok()?,
    })
}

/// The value of a region itself. `None` for 0, the default, and for values that a manifest could not declare.
pub(super) fn value(region: &wire::Region<'_>) -> Option<Fraction> {
    Fraction::new(edge(region.value))
        .ok()
        .filter(|value| value.get() > 0.0)
}

/// Moves a coordinate to the edge of the image if it is outside within the tolerance.
fn edge(value: f64) -> f64 {
    let inside = value.clamp(0.0, 1.0);
    if (value - inside).abs() <= float::TOLERANCE {
        inside
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(json: &str) -> wire::Region<'_> {
        serde_json::from_str(json).unwrap()
    }

    fn placed(info: &str) -> Geometry {
        of_region(&region(&format!(r#"{{"id":"r","region_info":{info}}}"#)))
    }

    /// The geometry in the manifest's notation.
    fn shown(geometry: &Geometry) -> String {
        serde_json::to_string(geometry).unwrap()
    }

    /// A grey image of two by one pixels, the second of which is set.
    const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAAC0lEQVR4nGNg+A8AAQIBAEK+vGgAAAAASUVORK5CYII=";

    #[test]
    fn omitted_zeros_of_a_point_are_filled_in() {
        for (info, expected) in [
            (r#"{"point":{}}"#, r#"{"point":[0,0]}"#),
            (
                r#"{"point":{"row":"0.5","col":0.10000000149011612,"z":3}}"#,
                r#"{"point":[0.5,0.1]}"#,
            ),
            (r#"{"point":{"col":1.0000001}}"#, r#"{"point":[0,1]}"#),
            (
                r#"{"point":{"row":null,"col":1},"span":null,"keypoint_locations":null}"#,
                r#"{"point":[0,1]}"#,
            ),
        ] {
            assert_eq!(shown(&placed(info)), expected, "{info}");
        }
    }

    #[test]
    fn visibilities_are_names_or_numbers() {
        for written in [
            r#"[{},{"row":0.5,"visibility":1},{"col":1,"visibility":2},{"visibility":3}]"#,
            r#"[{"visibility":"NOT_SET"},{"row":0.5,"visibility":"VISIBLE"},{"col":1,"visibility":"NOT_VISIBLE"},{"visibility":"NOT_PRESENT"}]"#,
            r#"[{"visibility":0},{"row":"0.5","visibility":"1"},{"col":1,"z":0.1,"visibility":2.0},{"visibility":3}]"#,
            r#"[{"visibility":null},{"row":0.5,"visibility":1},{"row":null,"col":1,"visibility":2},{"visibility":3}]"#,
        ] {
            assert_eq!(
                shown(&placed(&format!(r#"{{"keypoint_locations":{written}}}"#))),
                r#"{"keypoints":[[0,0],[0.5,0,"visible"],[0,1,"not_visible"],[0,0,"not_present"]]}"#,
                "{written}"
            );
        }
    }

    #[test]
    fn line_breaks_in_base64_are_ignored() {
        let of = |image: &str| placed(&format!(r#"{{"mask":{{"image":{image}}}}}"#));
        let Geometry::Mask(mask) = of(&format!(r#"{{"base64":"{PNG}"}}"#)) else {
            panic!("no mask")
        };
        assert_eq!(mask.size(), Some((2, 1)));
        assert_eq!(mask.bounds(), Some([0.0, 0.5, 1.0, 1.0]));
        assert_eq!(mask.url(), None);
        assert!(mask.png().is_none(), "the file is kept in the data only");
        let broken = format!(r#"{{"base64":"{}\n{}\r\n"}}"#, &PNG[..40], &PNG[40..]);
        assert_eq!(of(&broken), Geometry::Mask(mask.clone()));
        let both = format!(r#"{{"url":"https://example.com/m","base64":"{PNG}"}}"#);
        assert_eq!(
            of(&both),
            Geometry::Mask(Box::new(mask.with_url("https://example.com/m")))
        );
        assert_eq!(
            of(r#"{"url":"https://example.com/m","base64":null}"#),
            Geometry::Mask(Box::new(Mask::of_url("https://example.com/m")))
        );
    }

    #[test]
    fn invalid_images_are_unmodelled() {
        for image in [
            "{}",
            "null",
            r#"{"base64":"","url":""}"#,
            r#"{"base64":"not base64"}"#,
            r#"{"base64":"R0lGODlh"}"#,
            r#"{"base64":"R0lGODlh","url":"https://example.com/m"}"#,
            &format!(r#"{{"base64":"{}"}}"#, &PNG[..60]),
        ] {
            let info = format!(r#"{{"mask":{{"image":{image}}}}}"#);
            assert_eq!(placed(&info), Geometry::Unmodelled, "{info}");
        }
        assert_eq!(placed(r#"{"mask":{}}"#), Geometry::Unmodelled);
    }

    #[test]
    fn omitted_zeros_of_a_span_are_filled_in() {
        for (info, expected) in [
            ("{}", r#"{"span":{"start":0,"end":0}}"#),
            (
                r#"{"char_end":"4","raw_text":"cats"}"#,
                r#"{"span":{"start":0,"end":4,"text":"cats"}}"#,
            ),
            (
                r#"{"char_start":1.0,"char_end":4294967295,"raw_text":null}"#,
                r#"{"span":{"start":1,"end":4294967295}}"#,
            ),
        ] {
            assert_eq!(
                shown(&placed(&format!(r#"{{"span":{info}}}"#))),
                expected,
                "{info}"
            );
        }
    }

    #[test]
    fn a_region_with_id_and_track_only_is_a_reference() {
        assert_eq!(
            shown(&of_region(&region(r#"{"id":"r","track_id":"t7"}"#))),
            r#"{"region":"r"}"#
        );
        assert_eq!(
            of_region(&region(r#"{"track_id":"t7"}"#)),
            Geometry::Unmodelled
        );
    }

    #[test]
    fn unsupported_or_invalid_geometries_are_unmodelled() {
        for info in [
            r#"{"token":{}}"#,
            r#"{"token":{},"span":{"char_end":1}}"#,
            r#"{"point":{},"bounding_box":{}}"#,
            r#"{"keypoint_locations":[{}],"bounding_box":{}}"#,
            r#"{"point":{"row":1.1}}"#,
            r#"{"point":{"col":-0.5}}"#,
            r#"{"point":{"row":"NaN"}}"#,
            r#"{"keypoint_locations":[{},{"row":2}]}"#,
            r#"{"keypoint_locations":[{"visibility":4}]}"#,
            r#"{"keypoint_locations":[{"visibility":-1}]}"#,
            r#"{"keypoint_locations":[{"visibility":"SEEN"}]}"#,
            r#"{"span":{"char_start":3,"char_end":2}}"#,
            r#"{"span":{"char_end":4294967296}}"#,
            r#"{"span":{"char_start":-1}}"#,
            r#"{"span":{"char_end":1.5}}"#,
            r#"{"span":{"char_end":"NaN"}}"#,
        ] {
            assert_eq!(placed(info), Geometry::Unmodelled, "{info}");
        }
    }

    #[test]
    fn omitted_zeros_of_a_segment_are_filled_in() {
        let of = |json: &str| of_segment(&serde_json::from_str(json).unwrap());
        for (json, expected) in [
            ("{}", r#"{"segment":{"begin":0,"end":0}}"#),
            (
                r#"{"id":"s","time_info":{"end_time":"2.5","num_frames":3},"data":{"regions":[]}}"#,
                r#"{"segment":{"begin":0,"end":2.5}}"#,
            ),
            (
                r#"{"time_info":{"begin_time":0.10000000149011612,"end_time":3600},"data":null}"#,
                r#"{"segment":{"begin":0.1,"end":3600}}"#,
            ),
        ] {
            assert_eq!(shown(&of(json)), expected, "{json}");
        }
        for json in [
            r#"{"time_info":{"begin_time":2,"end_time":1}}"#,
            r#"{"time_info":{"begin_time":-1}}"#,
            r#"{"time_info":{"end_time":"NaN"}}"#,
            r#"{"data":{"regions":[{}]}}"#,
            r#"{"data":{"frames":[{}]}}"#,
            r#"{"data":{"time_segments":[{}]}}"#,
            r#"{"data":{"tracks":[{}]}}"#,
        ] {
            assert_eq!(of(json), Geometry::Unmodelled, "{json}");
        }
    }

    #[test]
    fn invalid_values_of_regions_are_ignored() {
        let of =
            |number: &str| value(&region(&format!(r#"{{"value":{number}}}"#))).map(Fraction::get);
        for (number, expected) in [
            ("0.9", Some(0.9)),
            ("\"0.25\"", Some(0.25)),
            ("1.0000001", Some(1.0)),
            ("0", None),
            ("null", None),
            ("1.5", None),
            ("-0.5", None),
            ("\"NaN\"", None),
        ] {
            assert_eq!(of(number), expected, "{number}");
        }
        assert_eq!(value(&region("{}")), None);
    }
}

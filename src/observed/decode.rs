//! One annotation of the wire becomes one of the model.
//!
//! What the model has no words for is never dropped: it becomes [`Geometry::Unmodelled`], which nothing but an id
//! matches, and its `data` is kept whole. What breaks the API's form is an error: a listing that cannot be understood
//! is no basis for a plan.

use super::error::ObservedError;
use crate::api::code::Code;
use crate::api::wire;
use crate::model::{
    AnnotationId, BoundingBox, Concept, ConceptId, Concepts, Extras, Frame, Geometry, InputId,
    Interner, InvalidId, Json, Maker, ObservedAnnotation, ObservedExtras, Point, Polygon, RegionId,
    Status, UserId, float,
};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Decodes one annotation. Names that many annotations share are shared through `interner`.
pub fn annotation(
    wire: wire::Annotation,
    interner: &mut Interner,
) -> Result<(InputId, ObservedAnnotation), ObservedError> {
    let input = name(
        "an input",
        &wire.input_id,
        InputId::new(interner.intern(&wire.input_id)),
    )?;
    let id = name(
        "an annotation",
        &wire.id,
        AnnotationId::new(wire.id.as_str()),
    )?;
    let user = match wire.user() {
        "" => None,
        user => Some(name("a user", user, UserId::new(interner.intern(user)))?),
    };
    let maker = if wire.input_level {
        Maker::Input
    } else if wire.is_model_made() {
        Maker::Model
    } else {
        Maker::User
    };
    let data: wire::Data = match &wire.data {
        None => wire::Data::default(),
        Some(raw) => serde_json::from_str(raw.get()).map_err(|error| ObservedError::Data {
            input: wire.input_id.clone(),
            id: wire.id.clone(),
            why: error.to_string(),
        })?,
    };
    let content = content(&data, interner);
    Ok((
        input,
        ObservedAnnotation {
            id,
            geometry: content.geometry,
            frame: content.frame,
            concepts: content.concepts,
            status: status(wire.status.as_ref()),
            user,
            maker,
            created_at: wire.created_at.map(String::into_boxed_str),
            data: object(wire.data),
            info: object(wire.annotation_info),
            extras: ObservedExtras {
                managed: Extras {
                    embed_model_version: given(wire.embed_model_version_id),
                    ..Extras::default()
                },
                model_version: None,
            }
            .boxed(),
        },
    ))
}

fn name<T>(what: &'static str, text: &str, made: Result<T, InvalidId>) -> Result<T, ObservedError> {
    made.map_err(|why| ObservedError::Name {
        what,
        text: text.to_owned(),
        why,
    })
}

/// A text that says something.
fn given(text: String) -> Option<Box<str>> {
    Some(text)
        .filter(|text| !text.is_empty())
        .map(String::into_boxed_str)
}

/// An empty object says no more than none: servers write either.
fn object(raw: Option<Box<RawValue>>) -> Option<Json> {
    raw.map(Json::from).filter(|json| json.as_str() != "{}")
}

/// A missing status is the one that an annotation has when nothing is said; a code of another family is none that an
/// annotation can have.
fn status(status: Option<&wire::Status>) -> Status {
    match status.map_or(Code::default(), |status| status.code) {
        Code(0) | Code::SUCCESS => Status::SUCCESS,
        Code(code @ 24_000..25_000) => Status::from_code(code),
        _ => Status::from_code(Code::ANNOTATION_UNKNOWN_STATUS.0),
    }
}

struct Content {
    geometry: Geometry,
    frame: Option<Frame>,
    concepts: Concepts,
}

fn content(data: &wire::Data, interner: &mut Interner) -> Content {
    let frame = data.frames.first();
    let regions = frame.map_or(&data.regions, |frame| &frame.data.regions);
    let region = regions.first();
    let listed = match (region, frame) {
        (Some(region), _) => &region.data.concepts,
        (None, Some(frame)) => &frame.data.concepts,
        (None, None) => &data.concepts,
    };
    let (concepts, all_named) = concepts(listed, interner);
    let moment = frame.map(|frame| moment(&frame.frame_info));

    // Several of a kind, or kinds beside each other, are more than the model can say.
    let is_one_thing = regions.len() <= 1
        && data.frames.len() <= 1
        && (frame.is_none() || data.regions.is_empty())
        && data.time_segments.is_empty()
        && data.tracks.is_empty();
    let geometry = if is_one_thing && all_named && moment != Some(None) {
        region.map_or(Geometry::Whole, geometry)
    } else {
        Geometry::Unmodelled
    };
    Content {
        geometry,
        frame: moment.flatten(),
        concepts,
    }
}

/// When a frame is; nothing where its number is no frame's.
fn moment(info: &wire::FrameInfo) -> Option<Frame> {
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

/// The concepts, and whether all of them have names that the model can hold. Of a concept that is listed twice, the
/// last one counts.
fn concepts(listed: &[wire::Concept], interner: &mut Interner) -> (Concepts, bool) {
    let mut values: BTreeMap<Arc<str>, f32> = BTreeMap::new();
    let mut all_named = true;
    for concept in listed {
        if ConceptId::new(concept.id.as_str()).is_ok() {
            values.insert(interner.intern(&concept.id), value(concept.value));
        } else {
            all_named = false;
        }
    }
    let concepts = values
        .into_iter()
        .map(|(id, value)| Concept {
            id: ConceptId::new(id).expect("it was checked above"),
            value,
        })
        .collect();
    (
        interner.share(Concepts::new(concepts).expect("a map names each concept once")),
        all_named,
    )
}

/// A value within 0..=1: what lies outside is noise, or a server's mistake that no patch could repeat.
fn value(value: f64) -> f32 {
    if value.is_nan() {
        0.0
    } else {
        // `+ 0.0` turns -0.0 into 0.0.
        value.clamp(0.0, 1.0) as f32 + 0.0
    }
}

fn geometry(region: &wire::Region) -> Geometry {
    let info = &region.region_info;
    let is_other = info.mask.is_some()
        || info.point.is_some()
        || info.span.is_some()
        || info.token.is_some()
        || !info.keypoint_locations.is_empty()
        || !region.track_id.is_empty();
    if is_other {
        return Geometry::Unmodelled;
    }
    let known = match (&info.bounding_box, &info.polygon) {
        (Some(edges), None) => bounding_box(edges).map(Geometry::Box),
        (None, Some(ring)) => polygon(ring).map(Geometry::Polygon),
        (None, None) => RegionId::new(region.id.as_str()).ok().map(Geometry::Region),
        (Some(_), Some(_)) => None,
    };
    known.unwrap_or(Geometry::Unmodelled)
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

fn polygon(ring: &wire::Polygon) -> Option<Polygon> {
    let points: Vec<Point> = ring
        .points
        .iter()
        .map(|point| Point::new(edge(point.row), edge(point.col)).ok())
        .collect::<Option<_>>()?;
    Polygon::new(points).ok()
}

/// A coordinate that 32-bit arithmetic pushed just outside the image lies on its edge.
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

    fn decode(json: &str) -> Result<ObservedAnnotation, ObservedError> {
        annotation(
            serde_json::from_str(json).unwrap(),
            &mut Interner::default(),
        )
        .map(|(_, annotation)| annotation)
    }

    fn with_data(data: &str) -> ObservedAnnotation {
        decode(&format!(r#"{{"id":"a","input_id":"in","data":{data}}}"#)).unwrap()
    }

    fn short(concepts: &Concepts) -> String {
        serde_json::to_string(concepts).unwrap()
    }

    #[test]
    fn a_box_is_read_with_its_missing_zeros() {
        let read = with_data(
            r#"{"regions":[{"id":"r1","region_info":{"bounding_box":{"bottom_row":0.5,"right_col":"0.25"}},
                "data":{"concepts":[{"id":"car","value":1},{"id":"van"}]}}]}"#,
        );
        assert_eq!(
            read.geometry,
            Geometry::Box(BoundingBox::new(0.0, 0.0, 0.5, 0.25).unwrap())
        );
        assert_eq!(read.region().unwrap().as_str(), "r1");
        assert_eq!(short(&read.concepts), r#"{"car":1,"van":0}"#);
        let empty = with_data(r#"{"regions":[{"region_info":{"bounding_box":{}}}]}"#);
        assert_eq!(
            empty.geometry,
            Geometry::Box(BoundingBox::new(0.0, 0.0, 0.0, 0.0).unwrap())
        );
    }

    #[test]
    fn a_polygon_keeps_its_points() {
        let read = with_data(
            r#"{"regions":[{"region_info":{"polygon":{"points":[{"row":0.1,"z":1},{"col":0.5},{"row":1.0000001,"col":1}]}}}]}"#,
        );
        let point = |row, col| Point::new(row, col).unwrap();
        assert_eq!(
            read.geometry,
            Geometry::Polygon(
                Polygon::new(vec![point(0.1, 0.0), point(0.0, 0.5), point(1.0, 1.0)]).unwrap()
            )
        );
        assert_eq!(read.region(), None);
    }

    #[test]
    fn a_region_that_is_only_named_is_a_reference() {
        for info in ["", r#","region_info":{}"#, r#","region_info":null"#] {
            let read = with_data(&format!(
                r#"{{"regions":[{{"id":"r1"{info},"data":{{"concepts":[{{"id":"car","value":1}}]}}}}]}}"#
            ));
            assert_eq!(
                read.geometry,
                Geometry::Region(RegionId::new("r1").unwrap())
            );
            assert_eq!(short(&read.concepts), r#"{"car":1}"#);
        }
    }

    #[test]
    fn concepts_are_found_at_the_top_in_the_frame_or_in_the_region() {
        let concepts = |id: &str| format!(r#""concepts":[{{"id":"{id}","value":1}}]"#);
        let (top, frame, region) = (concepts("top"), concepts("frame"), concepts("region"));
        let cases = [
            (format!("{{{top}}}"), "top"),
            (
                format!(r#"{{{top},"regions":[{{"id":"r","data":{{{region}}}}}]}}"#),
                "region",
            ),
            (
                format!(r#"{{{top},"frames":[{{"data":{{{frame}}}}}]}}"#),
                "frame",
            ),
            (
                format!(
                    r#"{{"frames":[{{"data":{{{frame},"regions":[{{"id":"r","data":{{{region}}}}}]}}}}]}}"#
                ),
                "region",
            ),
        ];
        for (data, found) in cases {
            let read = with_data(&data);
            assert_eq!(
                short(&read.concepts),
                format!(r#"{{"{found}":1}}"#),
                "{data}"
            );
            assert_ne!(read.geometry, Geometry::Unmodelled, "{data}");
        }
    }

    #[test]
    fn a_frame_is_read_from_text_numbers_and_the_old_field() {
        let cases = [
            (r#"{"time":"1500","number":45}"#, 1500, 45),
            (r#"{"time":1500,"index":"45"}"#, 1500, 45),
            (r#"{"number":3,"index":9}"#, 0, 3),
            ("{}", 0, 0),
        ];
        for (info, time_ms, number) in cases {
            let read = with_data(&format!(r#"{{"frames":[{{"frame_info":{info}}}]}}"#));
            assert_eq!(read.frame, Some(Frame { time_ms, number }), "{info}");
            assert_eq!(read.geometry, Geometry::Whole);
        }
    }

    #[test]
    fn what_is_not_modelled_is_kept_and_called_so() {
        let region = |info: &str| format!(r#"{{"regions":[{{"id":"r","region_info":{info}}}]}}"#);
        let cases = [
            region(r#"{"mask":{"image":{"url":"x"}}}"#),
            region(r#"{"point":{}}"#),
            region(r#"{"span":{"raw_text":"x"}}"#),
            region(r#"{"token":{}}"#),
            region(r#"{"keypoint_locations":[{}]}"#),
            region(r#"{"polygon":{"points":[{},{}]}}"#),
            region(r#"{"polygon":{"points":[{},{"row":1},{"row":1.5}]}}"#),
            region(r#"{"bounding_box":{"bottom_row":1.1,"right_col":1}}"#),
            region(r#"{"bounding_box":{"top_row":0.5,"bottom_row":0.4,"right_col":1}}"#),
            region(r#"{"bounding_box":{"top_row":"NaN","bottom_row":1,"right_col":1}}"#),
            region(r#"{"bounding_box":{},"polygon":{"points":[{},{"row":1},{"col":1}]}}"#),
            r#"{"regions":[{"data":{"concepts":[]}}]}"#.to_owned(),
            r#"{"regions":[{"id":"r","track_id":"t"}]}"#.to_owned(),
            r#"{"regions":[{"id":"r"},{"id":"s"}]}"#.to_owned(),
            r#"{"frames":[{},{}]}"#.to_owned(),
            r#"{"frames":[{"data":{"regions":[{"id":"r"},{"id":"s"}]}}]}"#.to_owned(),
            r#"{"frames":[{"frame_info":{"number":5000000000}}]}"#.to_owned(),
            r#"{"frames":[{}],"regions":[{"id":"r"}]}"#.to_owned(),
            r#"{"time_segments":[{}]}"#.to_owned(),
            r#"{"tracks":[{}]}"#.to_owned(),
            r#"{"concepts":[{"id":"car ","value":1}]}"#.to_owned(),
            r#"{"concepts":[{"name":"car","value":1}]}"#.to_owned(),
        ];
        for data in cases {
            let read = with_data(&data);
            assert_eq!(read.geometry, Geometry::Unmodelled, "{data}");
            assert_eq!(read.data.unwrap().as_str(), data);
        }
    }

    #[test]
    fn values_out_of_range_do_no_harm() {
        let read = with_data(
            r#"{"concepts":[{"id":"a","value":1.0000001},{"id":"b","value":-0.0},{"id":"c","value":7},
                {"id":"d","value":"NaN"},{"id":"e","value":1},{"id":"e","value":0.5}]}"#,
        );
        assert_eq!(
            short(&read.concepts),
            r#"{"a":1,"b":0,"c":1,"d":0,"e":0.5}"#
        );
    }

    #[test]
    fn the_rest_is_read_from_either_form() {
        let read = decode(
            r#"{"id":"a","input_id":"in","user_id":"old","worker":{"user":{"id":"bea"}},
                "status":{"code":"ANNOTATION_PENDING"},"annotation_info":{"k":[1]},"data":{},
                "embed_model_version_id":"e1","created_at":"2026-01-01T00:00:00Z","unheard_of":{"x":1}}"#,
        )
        .unwrap();
        assert_eq!(read.user.as_ref().unwrap().as_str(), "bea");
        assert_eq!(read.status, Status::PENDING);
        assert_eq!(read.info.as_ref().unwrap().as_str(), r#"{"k":[1]}"#);
        assert_eq!(read.embed_model_version(), Some("e1"));
        assert_eq!(read.created_at.as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(read.maker, Maker::User);
        assert_eq!(read.data, None);
        assert_eq!(read.geometry, Geometry::Whole);
    }

    #[test]
    fn a_missing_status_is_success_and_a_foreign_code_is_unknown() {
        let status = |status: &str| {
            decode(&format!(r#"{{"id":"a","input_id":"in"{status}}}"#))
                .unwrap()
                .status
        };
        assert_eq!(status(""), Status::SUCCESS);
        assert_eq!(status(r#","status":null"#), Status::SUCCESS);
        assert_eq!(status(r#","status":{}"#), Status::SUCCESS);
        assert_eq!(status(r#","status":{"code":24199}"#).code(), 24199);
        assert_eq!(status(r#","status":{"code":30000}"#).code(), 24154);
    }

    #[test]
    fn the_maker_is_told() {
        let maker = |fields: &str| {
            decode(&format!(r#"{{"id":"a","input_id":"in",{fields}}}"#))
                .unwrap()
                .maker
        };
        assert_eq!(
            maker(r#""input_level":true,"model_version_id":"m""#),
            Maker::Input
        );
        assert_eq!(
            maker(r#""model_version_id":"m","user_id":"ann""#),
            Maker::Model
        );
        assert_eq!(
            maker(r#""worker":{"model":{"model_version":{"id":"m"}}}"#),
            Maker::Model
        );
        assert_eq!(maker(r#""user_id":"ann""#), Maker::User);
    }

    #[test]
    fn what_cannot_be_understood_is_an_error() {
        for json in [
            r#"{"input_id":"in"}"#,
            r#"{"id":"a"}"#,
            r#"{"id":"a\u001b","input_id":"in"}"#,
            r#"{"id":"a","input_id":"in","user_id":" ann"}"#,
            r#"{"id":"a","input_id":"in","data":[1]}"#,
            r#"{"id":"a","input_id":"in","data":{"regions":{}}}"#,
            r#"{"id":"a","input_id":"in","data":{"concepts":[{"id":"c","value":"high"}]}}"#,
        ] {
            let error = decode(json).unwrap_err();
            assert!(!error.to_string().contains('\u{1b}'), "{json}");
        }
    }

    #[test]
    fn names_are_shared() {
        let mut interner = Interner::default();
        let mut read = |id: &str| {
            let json = format!(
                r#"{{"id":"{id}","input_id":"in","data":{{"concepts":[{{"id":"car"}}]}}}}"#
            );
            annotation(serde_json::from_str(&json).unwrap(), &mut interner).unwrap()
        };
        let ((in_a, a), (in_b, b)) = (read("a"), read("b"));
        assert!(std::ptr::eq(in_a.as_str(), in_b.as_str()));
        let first = |annotation: &ObservedAnnotation| {
            std::ptr::from_ref(annotation.concepts.iter().next().unwrap().id.as_str())
        };
        assert!(std::ptr::eq(first(&a), first(&b)));
    }
}

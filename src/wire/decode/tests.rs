use super::*;
use crate::model::{BoundingBox, Point, Polygon, RegionId};

fn decode(json: &str) -> Result<ObservedAnnotation, Unreadable> {
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
fn omitted_zeros_of_a_box_are_filled_in() {
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
fn a_region_with_id_only_is_a_reference() {
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
fn concepts_and_text_are_those_of_the_innermost_data() {
    let concepts = |id: &str| {
        format!(r#""concepts":[{{"id":"{id}","value":1}}],"text":{{"raw":"{id}","url":"u"}}"#)
    };
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
        (
            format!(r#"{{{top},"time_segments":[{{"data":{{{frame}}}}}]}}"#),
            "frame",
        ),
    ];
    for (data, found) in cases {
        let read = with_data(&data);
        assert_eq!(
            short(&read.concepts),
            format!(r#"{{"{found}":1}}"#),
            "{data}"
        );
        assert_eq!(read.text(), Some(found), "{data}");
        assert_ne!(read.geometry, Geometry::Unmodelled, "{data}");
    }
    // A text of another level is ignored.
    let read = with_data(&format!(r#"{{{top},"regions":[{{"id":"r"}}]}}"#));
    assert_eq!((read.text(), read.concepts.len()), (None, 0));
    for nothing in ["null", "{}", r#"{"raw":""}"#, r#"{"raw":null,"url":"u"}"#] {
        assert_eq!(with_data(&format!(r#"{{"text":{nothing}}}"#)).text(), None);
    }
}

#[test]
fn a_region_has_a_track_and_a_value() {
    let data = r#"{"regions":[{"id":"r","track_id":"t7","value":0.75,"region_info":{"point":{"row":0.5}}}]}"#;
    for data in [
        data.to_owned(),
        format!(r#"{{"frames":[{{"data":{data}}}]}}"#),
    ] {
        let read = with_data(&data);
        assert_eq!(
            read.geometry,
            Geometry::Point(Point::new(0.5, 0.0).unwrap())
        );
        assert_eq!((read.track(), read.region_value()), (Some("t7"), 0.75));
    }
    // Empty extras are not allocated.
    let read = with_data(r#"{"regions":[{"id":"r","track_id":"","value":7}]}"#);
    assert_eq!(read.extras, None);
}

#[test]
fn a_frame_has_numbers_strings_or_the_deprecated_field() {
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
fn unmodelled_data_is_kept() {
    let region = |info: &str| format!(r#"{{"regions":[{{"id":"r","region_info":{info}}}]}}"#);
    let cases = [
        region(r#"{"mask":{"image":{"base64":"x"}}}"#),
        region(r#"{"point":{"row":2}}"#),
        region(r#"{"span":{"char_start":1,"raw_text":"x"}}"#),
        region(r#"{"token":{}}"#),
        region(r#"{"point":{},"keypoint_locations":[{}]}"#),
        region(r#"{"polygon":{"points":[{},{}]}}"#),
        region(r#"{"polygon":{"points":[{},{"row":1},{"row":1.5}]}}"#),
        region(r#"{"bounding_box":{"bottom_row":1.1,"right_col":1}}"#),
        region(r#"{"bounding_box":{"top_row":0.5,"bottom_row":0.4,"right_col":1}}"#),
        region(r#"{"bounding_box":{"top_row":"NaN","bottom_row":1,"right_col":1}}"#),
        region(r#"{"bounding_box":{},"polygon":{"points":[{},{"row":1},{"col":1}]}}"#),
        r#"{"regions":[{"data":{"concepts":[]}}]}"#.to_owned(),
        r#"{"regions":[{"track_id":"t"}]}"#.to_owned(),
        r#"{"regions":[{"id":"r"},{"id":"s"}]}"#.to_owned(),
        r#"{"frames":[{},{}]}"#.to_owned(),
        r#"{"frames":[{"data":{"regions":[{"id":"r"},{"id":"s"}]}}]}"#.to_owned(),
        r#"{"frames":[{"frame_info":{"number":5000000000}}]}"#.to_owned(),
        r#"{"frames":[{}],"regions":[{"id":"r"}]}"#.to_owned(),
        r#"{"time_segments":[{},{}]}"#.to_owned(),
        r#"{"time_segments":[{}],"regions":[{"id":"r"}]}"#.to_owned(),
        r#"{"time_segments":[{}],"frames":[{}]}"#.to_owned(),
        r#"{"time_segments":[{}],"tracks":[{}]}"#.to_owned(),
        r#"{"time_segments":[{"data":{"regions":[{"id":"r"}]}}]}"#.to_owned(),
        r#"{"tracks":[{}]}"#.to_owned(),
        r#"{"concepts":[{"id":"car ","value":1}]}"#.to_owned(),
        r#"{"concepts":[{"name":"car","value":1}]}"#.to_owned(),
    ];
    for data in cases {
        let read = with_data(&data);
        assert_eq!(read.geometry, Geometry::Unmodelled, "{data}");
        assert_eq!(read.data.unwrap().text(), data);
    }
}

#[test]
fn values_out_of_range_are_clamped() {
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
fn other_fields_are_read_in_every_form() {
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
fn a_missing_status_is_success_and_other_codes_are_unknown() {
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
fn the_maker_is_recognised() {
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
fn the_version_of_a_model_is_read_from_every_field() {
    let version = |fields: &str| {
        let read = decode(&format!(r#"{{"id":"a","input_id":"in"{fields}}}"#)).unwrap();
        read.model_version().map(str::to_owned)
    };
    let cases = [
        (r#","model_version_id":"m1""#, Some("m1")),
        (
            r#","worker":{"model":{"id":"n","model_version":{"id":"m2"}}}"#,
            Some("m2"),
        ),
        (
            r#","model_version_id":"m1","worker":{"model":{"model_version":null}}"#,
            Some("m1"),
        ),
        (
            r#","model_version_id":"m1","worker":{"model":{"model_version":{"id":"m2"}}}"#,
            Some("m2"),
        ),
        (r#","worker":{"model":{"id":"n"}}"#, None),
        ("", None),
    ];
    for (fields, expected) in cases {
        assert_eq!(version(fields).as_deref(), expected, "{fields}");
    }
}

#[test]
fn invalid_annotations_are_errors() {
    for json in [
        r#"{"input_id":"in"}"#,
        r#"{"id":"a"}"#,
        r#"{"id":"a\u001b","input_id":"in"}"#,
        r#"{"id":"a","input_id":"in","user_id":" ann"}"#,
        r#"{"id":"a","input_id":"in","data":[1]}"#,
        r#"{"id":"a","input_id":"in","data":{"regions":{}}}"#,
        r#"{"id":"a","input_id":"in","data":{"concepts":[{"id":"c","value":"high"}]}}"#,
        r#"{"id":"a","input_id":"in","data":{"time_segments":{}}}"#,
        r#"{"id":"a","input_id":"in","data":{"regions":[{"region_info":{"point":7}}]}}"#,
    ] {
        let error = decode(json).unwrap_err();
        assert!(!error.to_string().contains('\u{1b}'), "{json}");
    }
}

#[test]
fn names_are_shared() {
    let mut interner = Interner::default();
    let mut read = |id: &str| {
        let json =
            format!(r#"{{"id":"{id}","input_id":"in","data":{{"concepts":[{{"id":"car"}}]}}}}"#);
        annotation(serde_json::from_str(&json).unwrap(), &mut interner).unwrap()
    };
    let ((in_a, a), (in_b, b)) = (read("a"), read("b"));
    assert!(std::ptr::eq(in_a.as_str(), in_b.as_str()));
    let first = |annotation: &ObservedAnnotation| {
        std::ptr::from_ref(annotation.concepts.iter().next().unwrap().id.as_str())
    };
    assert!(std::ptr::eq(first(&a), first(&b)));
}

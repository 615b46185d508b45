//! Requests in the stored form, and what is refused of them.

use super::*;
use serde_json::json;

fn prepared(value: Value, missing: MissingValue) -> Result<Value, String> {
    let Value::Object(mut object) = value else {
        panic!("not an object")
    };
    prepare(&mut object, missing)?;
    Ok(Value::Object(object))
}

#[test]
fn floats_are_rounded_to_32_bits_except_in_free_json() {
    let sent = json!({"data": {
        "regions": [{"region_info": {"bounding_box": {"top_row": 0.100_000_001_490_116_12, "left_col": "0.25", "right_col": 1}}}],
        "concepts": [{"id": "a", "value": 0.333_333_333_333}],
        "metadata": {"x": 0.333_333_333_333, "top_row": "north", "n": null},
    }, "annotation_info": {"y": 0.333_333_333_333}});
    let stored = json!({"data": {
        "regions": [{"region_info": {"bounding_box": {"top_row": 0.1, "left_col": 0.25, "right_col": 1.0}}}],
        "concepts": [{"id": "a", "value": 0.333_333_34}],
        "metadata": {"x": 0.333_333_333_333, "top_row": "north", "n": null},
    }, "annotation_info": {"y": 0.333_333_333_333}});
    assert_eq!(prepared(sent, MissingValue::One), Ok(stored));
}

#[test]
fn the_default_value_of_a_concept_is_one() {
    let sent = json!({"data": {"concepts": [{"id": "a"}, {"id": "b", "value": null}, {"id": "c", "value": 0}]}});
    assert_eq!(
        prepared(sent.clone(), MissingValue::One).unwrap()["data"]["concepts"],
        json!([{"id": "a", "value": 1.0}, {"id": "b", "value": 1.0}, {"id": "c", "value": 0.0}])
    );
    assert_eq!(
        prepared(sent, MissingValue::Nothing).unwrap()["data"]["concepts"],
        json!([{"id": "a"}, {"id": "b"}, {"id": "c", "value": 0.0}])
    );
}

#[test]
fn values_of_the_wrong_type_are_rejected() {
    for bad in [
        json!({"data": []}),
        json!({"data": {"concepts": {}}}),
        json!({"data": {"concepts": ["car"]}}),
        json!({"data": {"concepts": [{"id": 7}]}}),
        json!({"data": {"concepts": [{"id": "a", "value": "much"}]}}),
        json!({"data": {"concepts": [{"id": "a", "value": 1e300}]}}),
        json!({"data": {"regions": [{"region_info": {"bounding_box": {"top_row": true}}}]}}),
        json!({"data": {"metadata": 3}}),
        json!({"data": {"text": "raw"}}),
        json!({"data": {"text": {"raw": 3}}}),
        json!({"data": {"regions": [{"track_id": 7}]}}),
        json!({"data": {"regions": [{"value": "high"}]}}),
        json!({"data": {"regions": [{"region_info": {"point": [0.1, 0.2]}}]}}),
        json!({"data": {"regions": [{"region_info": {"mask": "iVBORw"}}]}}),
        json!({"data": {"regions": [{"region_info": {"span": {"char_start": -1}}}]}}),
        json!({"data": {"regions": [{"region_info": {"span": {"char_end": 1.5}}}]}}),
        json!({"data": {"regions": [{"region_info": {"keypoint_locations": [{"visibility": "HIDDEN"}]}}]}}),
        json!({"data": {"regions": [{"region_info": {"keypoint_locations": [{"visibility": 4}]}}]}}),
        json!({"data": {"time_segments": [{"time_info": {"begin_time": "soon"}}]}}),
    ] {
        assert!(prepared(bad.clone(), MissingValue::One).is_err(), "{bad}");
    }
}

#[test]
fn numbers_in_strings_and_names_of_visibilities_become_numbers() {
    let point = |visibility: Value| json!({"row": 0.5, "col": 0.5, "visibility": visibility});
    let region = |span: Value, points: [Value; 3]| json!({"regions": [{"region_info": {"span": span, "keypoint_locations": points}}]});
    let sent = region(
        json!({"char_start": "3", "char_end": 9, "raw_text": "9"}),
        [
            point(json!("VISIBLE")),
            point(json!(2)),
            point(json!("NOT_SET")),
        ],
    );
    let stored = region(
        json!({"char_start": 3, "char_end": 9, "raw_text": "9"}),
        [point(json!(1)), point(json!(2)), point(json!(0))],
    );
    assert_eq!(prepared(sent, MissingValue::One), Ok(stored));
}

#[test]
fn constraints_are_checked() {
    let region = |place: Value| json!({"regions": [{"region_info": place}]});
    let edges = |top: f64, left: f64, bottom: f64, right: f64| {
        region(
            json!({"bounding_box": {"top_row": top, "left_col": left, "bottom_row": bottom, "right_col": right}}),
        )
    };
    let table = [
        (edges(0.0, 0.0, 1.0, 1.0), true),
        (edges(0.5, 0.1, 0.4, 0.9), false),
        (edges(0.1, 0.9, 0.4, 0.5), false),
        (edges(-0.1, 0.0, 0.5, 0.5), false),
        (edges(0.0, 0.0, 0.5, 1.1), false),
        (
            region(json!({"polygon": {"points": [{"row": 0.5, "col": 1.5}]}})),
            false,
        ),
        (region(json!({"point": {"row": 2.0}})), false),
        (
            region(json!({"keypoint_locations": [{"col": -1.0}]})),
            false,
        ),
        (
            region(json!({"span": {"char_start": 4, "char_end": 4}})),
            true,
        ),
        (
            region(json!({"span": {"char_start": 5, "char_end": 4}})),
            false,
        ),
        (region(json!({"span": {"char_start": 1}})), false),
        (
            region(json!({"mask": {"image": {"base64": "iVBORw=="}}})),
            true,
        ),
        (
            region(json!({"mask": {"image": {"base64": "iVBORw"}}})),
            true,
        ),
        (region(json!({"mask": {"image": {"base64": "_-8="}}})), true),
        (
            region(json!({"mask": {"image": {"base64": "no base64"}}})),
            false,
        ),
        (region(json!({"mask": {"image": {"base64": 7}}})), false),
        (
            region(json!({"mask": {"image": {"url": "https://example.com/m.png"}}})),
            true,
        ),
        (
            json!({"time_segments": [{"data": {"concepts": [{"id": "a", "value": 2.0}]}}]}),
            false,
        ),
        (json!({"time_segments": [{}, {}], "tracks": [{}, {}]}), true),
        (
            json!({"tracks": [{"data": {"regions": [{"region_info": {"point": {"row": 2.0}}}]}}]}),
            false,
        ),
        (json!({"regions": [{}, {}]}), false),
        (json!({"frames": [{}, {}]}), false),
        (json!({"frames": [{"data": {"regions": [{}]}}]}), true),
        (json!({"frames": [{"data": {"regions": [{}, {}]}}]}), false),
        (json!({"concepts": [{"id": "a", "value": 1.5}]}), false),
        (json!({"concepts": [{"value": 1.0}]}), false),
        (
            json!({"regions": [{"data": {"concepts": [{"id": "a", "value": -0.5}]}}]}),
            false,
        ),
        (json!({}), true),
    ];
    for (data, valid) in table {
        assert_eq!(check(data.as_object().unwrap()).is_ok(), valid, "{data}");
    }
}

#[test]
fn parts_without_an_id_get_one() {
    let Value::Object(mut data) =
        json!({"regions": [{"id": "r"}], "frames": [{"data": {"regions": [{}]}}]})
    else {
        panic!("not an object")
    };
    let mut count = 0;
    let mut next = || {
        count += 1;
        Ok::<_, ()>(format!("n{count}"))
    };
    name_parts(&mut data, &mut next).unwrap();
    assert_eq!(
        Value::Object(data),
        json!({"regions": [{"id": "r"}], "frames": [{"id": "n1", "data": {"regions": [{"id": "n2"}]}}]})
    );
}

#[test]
fn empty_lists_and_objects_are_empty_data() {
    assert!(is_empty(&json!({"concepts": [], "regions": [{}]})));
    assert!(!is_empty(&json!({"concepts": [{"id": "a"}]})));
}

//! Conversion of stored JSON to the configured form of answers. `metadata` and `annotation_info` are never changed.

use super::config::{Codes, FloatEcho, ResponseStyle, WideNumbers, Zeros};
use super::data::{FREE, VISIBILITIES};
use serde_json::{Map, Number, Value};

pub(super) fn write(object: &mut Map<String, Value>, response_style: ResponseStyle) {
    for (name, value) in object.iter_mut() {
        if !FREE.contains(&name.as_str()) {
            write_value(name, value, response_style);
        }
    }
    if response_style.zeros == Zeros::Omitted {
        object.retain(|_, value| !is_default(value));
    }
}

fn write_value(name: &str, value: &mut Value, response_style: ResponseStyle) {
    match value {
        Value::Object(object) => write(object, response_style),
        Value::Array(elements) => {
            for element in elements {
                write_value("", element, response_style);
            }
        }
        // The time of a frame is the only 64-bit integer.
        Value::Number(_) | Value::String(_) if name == "time" => write_wide(value, response_style),
        Value::Number(number) if name == "visibility" && response_style.codes == Codes::Names => {
            let index = number.as_u64().unwrap_or(0) as usize;
            let omitted = index == 0 && response_style.zeros == Zeros::Omitted;
            if let Some(name) = VISIBILITIES.get(index).filter(|_| !omitted) {
                *value = Value::from(*name);
            }
        }
        Value::Number(number) if number.is_f64() && response_style.floats == FloatEcho::Widened => {
            let widened = number.as_f64().map(|short| f64::from(short as f32));
            if let Some(widened) = widened.and_then(Number::from_f64) {
                *number = widened;
            }
        }
        _ => {}
    }
}

fn write_wide(value: &mut Value, response_style: ResponseStyle) {
    let number = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse::<u64>().ok(),
        _ => None,
    };
    match (number, response_style.wide_numbers) {
        (Some(0), _) if response_style.zeros == Zeros::Omitted => *value = Value::from(0),
        (Some(number), WideNumbers::Text) => *value = Value::from(number.to_string()),
        (Some(number), WideNumbers::Numbers) => *value = Value::from(number),
        (None, _) => {}
    }
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        // A message that is set is written even if it is empty.
        Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_response_style_changes_the_output() {
        let stored = json!({
            "frames": [{"frame_info": {"time": 1500, "number": 0}}],
            "concepts": [{"id": "a", "value": 0.0}, {"id": "b", "value": 0.1}],
            "regions": [{"region_info": {"keypoint_locations": [{"visibility": 0}, {"visibility": 3}]}}],
            "metadata": {"zero": 0, "x": 0.1},
        });
        let written = |response_style: ResponseStyle| {
            let mut object = stored.as_object().unwrap().clone();
            write(&mut object, response_style);
            Value::Object(object)
        };
        let plain = written(ResponseStyle::default());
        assert_eq!(
            plain["frames"][0]["frame_info"],
            json!({"time": "1500", "number": 0})
        );
        assert_eq!(plain["concepts"], stored["concepts"]);
        assert_eq!(plain["regions"], stored["regions"]);
        let named = written(ResponseStyle {
            codes: Codes::Names,
            ..ResponseStyle::default()
        });
        assert_eq!(
            named["regions"][0]["region_info"]["keypoint_locations"],
            json!([{"visibility": "NOT_SET"}, {"visibility": "NOT_PRESENT"}])
        );
        let terse = written(ResponseStyle {
            zeros: Zeros::Omitted,
            floats: FloatEcho::Widened,
            wide_numbers: WideNumbers::Numbers,
            codes: Codes::Names,
            ..ResponseStyle::default()
        });
        assert_eq!(terse["frames"][0]["frame_info"], json!({"time": 1500}));
        assert_eq!(
            terse["concepts"],
            json!([{"id": "a"}, {"id": "b", "value": 0.100_000_001_490_116_12}])
        );
        assert_eq!(
            terse["regions"][0]["region_info"]["keypoint_locations"],
            json!([{}, {"visibility": "NOT_PRESENT"}])
        );
        assert_eq!(terse["metadata"], stored["metadata"]);
    }
}

//! The API's messages in protobuf's binary form, to and from the JSON that the operations read and write. The definitions
//! are in `protobuf/clarifai.proto`.
//!
//! Everything in which the two forms differ is here. The binary form has no missing scalars: a missing one is 0. JSON
//! requests leave scalars out for other reasons (a concept without `value` has the value 1), so zeros that count are
//! written out. 64-bit integers are strings, enums numbers, bytes base64, times RFC 3339, and a `Struct` is free JSON.

use super::endpoint::Endpoint;
use prost_reflect::prost::{DecodeError, Message as _};
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind,
    MessageDescriptor, MethodDescriptor, ReflectMessage as _, Value as Field,
};
use serde_json::{Map, Number, Value};
use std::fmt::Display;
use std::sync::LazyLock;

/// `protobuf/clarifai.proto`, compiled. A test keeps it up to date.
const DESCRIPTORS: &[u8] = include_bytes!("protobuf/clarifai.bin");
/// The service's name in the paths of gRPC calls.
pub(super) const SERVICE: &str = "clarifai.api.V2";

/// Decoded at the first use: REST calls need them only if unknown fields are refused.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(DESCRIPTORS).expect("the committed descriptors are valid");
    let extension = pool.get_extension_by_name("clarifai.api.show_if_empty");
    Schema {
        shown_if_empty: extension.expect("the committed descriptors define the option"),
        pool,
    }
});

struct Schema {
    pool: DescriptorPool,
    shown_if_empty: ExtensionDescriptor,
}

/// The messages of a call.
pub(super) fn method(endpoint: Endpoint) -> Option<MethodDescriptor> {
    let service = SCHEMA.pool.get_service_by_name(SERVICE)?;
    service.methods().find(|it| it.name() == endpoint.name())
}

/// Reads a request in the binary form.
pub(super) fn decode(
    method: &MethodDescriptor,
    bytes: &[u8],
) -> Result<DynamicMessage, DecodeError> {
    DynamicMessage::decode(method.input(), bytes)
}

/// Writes an answer, which is given as JSON, in the binary form. Fields that the message does not have are left out.
pub(super) fn encode(method: &MethodDescriptor, json: &str) -> serde_json::Result<Vec<u8>> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let options = DeserializeOptions::new().deny_unknown_fields(false);
    DynamicMessage::deserialize_with_options(method.output(), &mut reader, &options)
        .map(|message| message.encode_to_vec())
}

/// A request as JSON.
pub(super) fn to_json(message: &DynamicMessage) -> Map<String, Value> {
    let mut object = Map::new();
    for field in message.descriptor().fields() {
        if message.has_field(&field) || is_shown_if_empty(&field) {
            let value = value_to_json(&message.get_field(&field));
            object.insert(field.name().to_owned(), value);
        }
    }
    object
}

fn is_shown_if_empty(field: &FieldDescriptor) -> bool {
    let options = field.options();
    options.has_extension(&SCHEMA.shown_if_empty)
}

fn value_to_json(value: &Field) -> Value {
    match value {
        Field::Bool(flag) => Value::from(*flag),
        Field::I32(number) | Field::EnumNumber(number) => Value::from(*number),
        Field::U32(number) => Value::from(*number),
        Field::I64(number) => Value::from(number.to_string()),
        Field::U64(number) => Value::from(number.to_string()),
        Field::F32(number) => float(f64::from(*number)),
        Field::F64(number) => float(*number),
        Field::String(text) => Value::from(text.as_str()),
        Field::Bytes(bytes) => {
            use base64::Engine as _;
            Value::from(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        Field::Message(message) => message_to_json(message),
        Field::List(values) => values.iter().map(value_to_json).collect(),
        // The definitions have no maps.
        Field::Map(_) => Value::Null,
    }
}

fn message_to_json(message: &DynamicMessage) -> Value {
    if !is_well_known(&message.descriptor()) {
        return Value::Object(to_json(message));
    }
    // Fails for values that JSON does not have, such as a time after the year 9999 or a number without limit.
    let mut json = serde_json::to_value(message).unwrap_or_default();
    write_whole_numbers(&mut json);
    json
}

/// Whether JSON has a form of its own for a message.
fn is_well_known(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}

/// A number that is not finite has a name in protobuf's JSON.
fn float(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| Value::from(number.to_string()), Value::Number)
}

/// All numbers of a `Struct` are floats; protobuf writes whole ones without a point.
fn write_whole_numbers(json: &mut Value) {
    match json {
        Value::Number(number) => {
            if let Some(whole) = number
                .as_f64()
                .filter(|it| it.fract() == 0.0 && it.abs() < 1e15)
            {
                *number = Number::from(whole as i64);
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(write_whole_numbers),
        Value::Object(members) => members.values_mut().for_each(write_whole_numbers),
        _ => {}
    }
}

/// The first field in a request in the binary form that its message does not have, as its place and number.
pub(super) fn unknown_number(message: &DynamicMessage) -> Option<String> {
    find_unknown_number(message, "")
}

fn find_unknown_number(message: &DynamicMessage, place: &str) -> Option<String> {
    if let Some(unknown) = message.unknown_fields().next() {
        return Some(below(place, unknown.number()));
    }
    message.fields().find_map(|(field, value)| {
        let place = below(place, field.name());
        match value {
            Field::Message(message) => find_unknown_number(message, &place),
            Field::List(values) => values.iter().enumerate().find_map(|(index, value)| {
                find_unknown_number(value.as_message()?, &format!("{place}[{index}]"))
            }),
            _ => None,
        }
    })
}

/// The first field in the body of a JSON request that its message does not have, as its place and name.
pub(super) fn unknown_name(endpoint: Endpoint, body: &Map<String, Value>) -> Option<String> {
    find_unknown_name(&method(endpoint)?.input(), body, "")
}

fn find_unknown_name(
    message: &MessageDescriptor,
    object: &Map<String, Value>,
    place: &str,
) -> Option<String> {
    object.iter().find_map(|(name, value)| {
        let place = below(place, name);
        let Some(field) = message.get_field_by_name(name) else {
            return Some(place);
        };
        let Kind::Message(inner) = field.kind() else {
            return None;
        };
        match value {
            _ if is_well_known(&inner) => None,
            Value::Object(object) => find_unknown_name(&inner, object, &place),
            Value::Array(elements) => elements.iter().enumerate().find_map(|(index, element)| {
                find_unknown_name(&inner, element.as_object()?, &format!("{place}[{index}]"))
            }),
            _ => None,
        }
    })
}

/// Whether a field of a query string, such as `user_app_id.user_id`, is one of the request's message.
pub(super) fn has_query_field(endpoint: Endpoint, name: &str) -> bool {
    let mut message = method(endpoint).map(|method| method.input());
    name.split('.').all(|part| {
        let field = message.take().and_then(|it| it.get_field_by_name(part));
        message = field.as_ref().and_then(|field| match field.kind() {
            Kind::Message(inner) => Some(inner),
            _ => None,
        });
        field.is_some()
    })
}

fn below(place: &str, name: impl Display) -> String {
    if place.is_empty() {
        name.to_string()
    } else {
        format!("{place}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Code;
    use serde_json::json;
    use std::path::Path;

    /// The compiled form of `protobuf/clarifai.proto`.
    fn compiled() -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emulator/protobuf");
        let mut compiler = protox::Compiler::new([&folder]).unwrap();
        compiler
            .include_imports(true)
            .open_file("clarifai.proto")
            .unwrap();
        compiler.encode_file_descriptor_set()
    }

    #[test]
    fn the_committed_descriptors_are_those_of_the_definitions() {
        let compiled = compiled();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emulator/protobuf/clarifai.bin");
        if std::env::var_os("ANNOSYNC_WRITE_PROTOBUF").is_some() {
            std::fs::write(&file, &compiled).unwrap();
        }
        assert!(
            std::fs::read(&file).unwrap() == compiled,
            "clarifai.bin is out of date: ANNOSYNC_WRITE_PROTOBUF=1 cargo test --lib protobuf"
        );
    }

    #[test]
    fn every_call_has_messages_and_every_method_is_a_call() {
        for endpoint in Endpoint::ALL {
            assert!(method(*endpoint).is_some(), "{}", endpoint.name());
        }
        let service = SCHEMA.pool.get_service_by_name(SERVICE).unwrap();
        for method in service.methods() {
            assert!(
                Endpoint::named(method.name()).is_some(),
                "{}",
                method.name()
            );
            assert!(!method.is_server_streaming() && !method.is_client_streaming());
            assert!(method.output().get_field_by_name("status").is_some());
        }
    }

    #[test]
    fn status_codes_have_the_same_names_in_both_forms() {
        let codes = SCHEMA
            .pool
            .get_enum_by_name("clarifai.api.StatusCode")
            .unwrap();
        for value in codes.values().filter(|value| value.number() != 0) {
            let name = Code(value.number() as u32).name();
            assert_eq!(name, Some(value.name()));
        }
        for number in 0..100_000 {
            if let Some(name) = Code(number).name() {
                assert!(codes.get_value_by_name(name).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn a_request_in_protobuf_becomes_the_json_of_the_api() {
        let method = method(Endpoint::PatchAnnotations).unwrap();
        let sent = json!({"annotations": [{
            "id": "a",
            "status": {"code": "ANNOTATION_PENDING"},
            "created_at": "2024-02-29T01:02:03.004Z",
            "annotation_info": {"whole": 3, "half": 0.5, "none": null, "list": [1, -2]},
            "data": {
                "concepts": [{"id": "car"}],
                "frames": [{"frame_info": {"time": "9007199254740993"}}],
                "image": {"base64": "_-8"},
                "time_segments": [{"time_info": {"begin_time": "Infinity"}}],
            },
        }]});
        let message = DynamicMessage::deserialize(method.input(), sent).unwrap();
        let read = decode(&method, &message.encode_to_vec()).unwrap();
        assert_eq!(
            Value::Object(to_json(&read)),
            json!({"annotations": [{
                "id": "a",
                "status": {"code": 24151},
                "created_at": "2024-02-29T01:02:03.004Z",
                "annotation_info": {"whole": 3, "half": 0.5, "none": null, "list": [1, -2]},
                "data": {
                    "concepts": [{"id": "car", "value": 0.0}],
                    "frames": [{"frame_info": {"index": 0, "time": "9007199254740993", "number": 0}}],
                    "image": {"base64": "/+8="},
                    "time_segments": [{"time_info": {"begin_time": "inf"}}],
                },
            }]})
        );
    }
}

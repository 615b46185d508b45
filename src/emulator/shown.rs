//! Annotations in answers: as JSON, or as the text of it.
//!
//! In the default style this text is the stored one between the fields of the other columns, so that nothing is parsed.

use super::config::{Authors, Codes, ResponseStyle};
use super::echo;
use super::rows::Stored;
use crate::wire::Code;
use serde::Serialize;
use serde_json::{Map, Value, json};
use smallvec::SmallVec;

/// An element of a list of annotations.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    Stored(Stored<String>),
    /// What a failed item has in its place.
    Failed(Value),
}

pub(super) fn status(code: Code, details: &str, response_style: ResponseStyle) -> Value {
    let shown = match (response_style.codes, code.name()) {
        (Codes::Names, Some(name)) => Value::from(name),
        _ => Value::from(code.0),
    };
    let description = match code {
        Code::SUCCESS => "Ok".to_owned(),
        // The words of the service, as far as they are known: clients compare them.
        Code::MIXED_STATUS => "Mixed Success".to_owned(),
        Code::CONN_THROTTLED => "Making too many requests".to_owned(),
        Code::CONN_KEY_INVALID => "Invalid API key or Invalid API key/application pair".to_owned(),
        Code::CONN_DOES_NOT_EXIST => "Resource does not exist".to_owned(),
        // The description repeats the details, because clients recognise duplicates by the word in it.
        _ if !details.is_empty() => details.to_owned(),
        _ => code
            .name()
            .unwrap_or("status")
            .replace('_', " ")
            .to_lowercase(),
    };
    let mut body = json!({"code": shown, "description": description});
    if !details.is_empty() {
        body["details"] = Value::from(details);
    }
    body
}

/// A stored annotation as JSON.
pub(super) fn annotation(stored: Stored, response_style: ResponseStyle) -> Value {
    let mut body = stored.body;
    let mut shown = Map::new();
    shown.insert("id".to_owned(), Value::from(stored.id));
    shown.insert("input_id".to_owned(), Value::from(stored.input_id));
    let data = body.shift_remove("data");
    shown.insert("data".to_owned(), data.unwrap_or_else(|| json!({})));
    shown.append(&mut body);
    show_author(&mut shown, &stored.user_id, response_style.authors);
    if stored.input_level {
        shown.insert("input_level".to_owned(), Value::from(true));
    }
    shown.insert("created_at".to_owned(), Value::from(stored.created_at));
    shown.insert("modified_at".to_owned(), Value::from(stored.modified_at));
    echo::write(&mut shown, response_style);
    // Added last, because `response_style` do not apply to it.
    shown.insert(
        "status".to_owned(),
        status(stored.status, "", response_style),
    );
    Value::Object(shown)
}

/// Users and models are in a deprecated field and in `worker`, workflows in `worker` only.
fn show_author(shown: &mut Map<String, Value>, user_id: &str, authors: Authors) {
    let worker = shown.shift_remove("worker");
    let model = shown.shift_remove("model_version_id").or_else(|| {
        let nested = worker.as_ref()?.pointer("/model/model_version/id");
        nested.cloned()
    });
    let workflow = shown.shift_remove("workflow_version_id");
    let worker = worker.or_else(|| match (&model, workflow) {
        (Some(version), _) => Some(json!({"model": {"model_version": {"id": version}}})),
        (None, Some(version)) => Some(json!({"workflow": {"version": {"id": version}}})),
        (None, None) if user_id.is_empty() => None,
        (None, None) => Some(json!({"user": {"id": user_id}})),
    });
    let is_workflow = worker.as_ref().is_some_and(|w| w.get("workflow").is_some());
    if authors != Authors::Worker {
        if !user_id.is_empty() {
            shown.insert("user_id".to_owned(), Value::from(user_id));
        }
        shown.extend(model.map(|model| ("model_version_id".to_owned(), model)));
    }
    if authors != Authors::Plain || is_workflow {
        shown.extend(worker.map(|worker| ("worker".to_owned(), worker)));
    }
}

/// Writes a list of annotations. An error means that a stored body is not JSON.
pub(super) fn write_annotations(
    out: &mut Vec<u8>,
    list: Vec<Shown>,
    response_style: ResponseStyle,
) -> rusqlite::Result<()> {
    let mut spliced = Spliced::new(response_style);
    let sizes = list.iter().map(|element| match element {
        Shown::Stored(stored) => stored.body.len() + COLUMNS_SIZE,
        Shown::Failed(_) => COLUMNS_SIZE,
    });
    out.reserve(sizes.sum());
    out.push(b'[');
    for (place, element) in list.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        match element {
            Shown::Failed(failure) => write(out, &failure),
            Shown::Stored(stored) => {
                if spliced
                    .as_mut()
                    .and_then(|it| it.write(out, &stored))
                    .is_none()
                {
                    write(out, &annotation(stored.parse()?, response_style));
                }
            }
        }
    }
    out.push(b']');
    Ok(())
}

/// Writes JSON as text.
pub(super) fn write(out: &mut Vec<u8>, json: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out, json).expect("texts and JSON are written to memory without errors");
}

/// About how many bytes of a stored annotation are outside its body.
const COLUMNS_SIZE: usize = 384;

/// Fields of annotations that are not shown as they are stored, or that columns hold.
const OWN: [&str; 10] = [
    "id",
    "input_id",
    "user_id",
    "worker",
    "model_version_id",
    "workflow_version_id",
    "input_level",
    "created_at",
    "modified_at",
    "status",
];

/// Writes annotations in the default style without parsing them.
struct Spliced {
    /// The last status and its text. Nearly all annotations of a list have the same.
    status: (Code, Vec<u8>),
}

impl Spliced {
    /// `None` if the style needs JSON.
    fn new(response_style: ResponseStyle) -> Option<Self> {
        let ResponseStyle {
            regions, listings, ..
        } = response_style;
        let plain = ResponseStyle {
            regions,
            listings,
            ..ResponseStyle::default()
        };
        (response_style == plain).then(|| Self {
            status: (Code(0), Vec::new()),
        })
    }

    /// Writes the text of [`annotation`]. `None` if the stored text is not a part of it; nothing is written then.
    fn write(&mut self, out: &mut Vec<u8>, stored: &Stored<String>) -> Option<()> {
        // The time of a frame is a string in answers, however it is stored.
        if stored.body.contains("\"time\":") {
            return None;
        }
        let members = members(&stored.body)?;
        if members.iter().any(|(name, _)| OWN.contains(name)) {
            return None;
        }
        write_field(out, "{\"id\":", &stored.id);
        write_field(out, ",\"input_id\":", &stored.input_id);
        let data = members.iter().find(|(name, _)| *name == "data");
        let others = members.iter().filter(|(name, _)| *name != "data");
        let data = data.map_or("\"data\":{}", |(_, member)| *member);
        for member in std::iter::once(data).chain(others.map(|(_, member)| *member)) {
            out.push(b',');
            out.extend_from_slice(member.as_bytes());
        }
        if !stored.user_id.is_empty() {
            write_field(out, ",\"user_id\":", &stored.user_id);
            write_field(out, ",\"worker\":{\"user\":{\"id\":", &stored.user_id);
            out.extend_from_slice(b"}}");
        }
        if stored.input_level {
            out.extend_from_slice(b",\"input_level\":true");
        }
        write_field(out, ",\"created_at\":", &stored.created_at);
        write_field(out, ",\"modified_at\":", &stored.modified_at);
        let (code, text) = &mut self.status;
        if *code != stored.status || text.is_empty() {
            *code = stored.status;
            text.clear();
            write(text, &status(*code, "", ResponseStyle::default()));
        }
        out.extend_from_slice(b",\"status\":");
        out.extend_from_slice(text);
        out.push(b'}');
        Some(())
    }
}

/// Writes a text after what stands before it.
fn write_field(out: &mut Vec<u8>, before: &str, text: &str) {
    out.extend_from_slice(before.as_bytes());
    write(out, text);
}

/// The members of an object that is written without spaces: their names as they are written, and their whole texts.
/// `None` if it is written otherwise.
fn members(object: &str) -> Option<SmallVec<[(&str, &str); 4]>> {
    let mut rest = object.strip_prefix('{')?.strip_suffix('}')?;
    let mut members = SmallVec::new();
    while !rest.is_empty() {
        let (member, others) = rest.split_at(end_of_member(rest));
        let (name, _) = member.strip_prefix('"')?.split_once("\":")?;
        members.push((name, member));
        rest = others.get(1..).unwrap_or_default();
    }
    Some(members)
}

/// The place of the comma after the first member, or the end.
fn end_of_member(members: &str) -> usize {
    let bytes = members.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while let Some(byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                    at += if *byte == b'\\' { 2 } else { 1 };
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    members.len()
}

#[cfg(test)]
mod tests {
    use super::super::config::{FloatEcho, ListingOrder, RegionPlaces, WideNumbers, Zeros};
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 12] = [
        "data",
        "annotation_info",
        "metadata",
        "task_id",
        "regions",
        "time",
        "a\"b:,{",
        "é\\",
        "worker",
        "model_version_id",
        "workflow_version_id",
        "status",
    ];

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f32>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[0-9]{1,4}".prop_map(Value::from),
            "[]\\[{}\\\\\",:]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                object(inner).prop_map(Value::Object),
            ]
        })
    }

    fn object(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
        let name = proptest::sample::select(&NAMES).prop_map(ToOwned::to_owned);
        let members = proptest::collection::vec((name, values), 0..5);
        members.prop_map(|members| members.into_iter().collect())
    }

    fn stored() -> impl Strategy<Value = Stored> {
        let texts = ["[a-z]{0,3}", ".{0,3}"].map(|it| it.prop_map(String::from));
        let [user_id, id] = texts;
        let code = proptest::sample::select(&[24_150, 24_151, 0, 7]);
        (object(value()), user_id, id, any::<bool>(), code).prop_map(
            |(body, user_id, id, input_level, code)| Stored {
                input_id: format!("{id}\u{1}"),
                id,
                user_id,
                input_level,
                status: Code(code),
                created_at: "2024-02-29T00:00:00.000Z".to_owned(),
                modified_at: "2024-03-01T00:00:00.000Z".to_owned(),
                body,
                ..Stored::default()
            },
        )
    }

    fn style() -> impl Strategy<Value = ResponseStyle> {
        let mut styles = [ResponseStyle::default(); 7];
        styles[1].regions = RegionPlaces::FilledIn;
        styles[1].listings = ListingOrder::NewestFirst;
        styles[2].floats = FloatEcho::Widened;
        styles[3].zeros = Zeros::Omitted;
        styles[4].codes = Codes::Names;
        styles[5].wide_numbers = WideNumbers::Numbers;
        styles[6].authors = Authors::Worker;
        proptest::sample::select(styles.to_vec())
    }

    proptest! {
        #[test]
        fn the_text_of_a_list_is_that_of_its_json(
            list in proptest::collection::vec(stored(), 0..4),
            style in style(),
        ) {
            let json: Value = list.iter().cloned().map(|it| annotation(it, style)).collect();
            let list = list.into_iter().map(|it| Shown::Stored(it.into_text()));
            let mut text = Vec::new();
            write_annotations(&mut text, list.collect(), style).unwrap();
            prop_assert_eq!(String::from_utf8(text).unwrap(), json.to_string());
        }
    }

    #[test]
    fn the_stored_text_is_shown_as_it_is() {
        // Neither concerns the form of an annotation.
        let style = ResponseStyle {
            regions: RegionPlaces::FilledIn,
            listings: ListingOrder::NewestFirst,
            ..ResponseStyle::default()
        };
        let shown = |body: &str| {
            let stored = Stored {
                body: body.to_owned(),
                ..Stored::<String>::default()
            };
            let mut out = Vec::new();
            let mut spliced = Spliced::new(style).unwrap();
            spliced.write(&mut out, &stored)?;
            String::from_utf8(out).ok()
        };
        // Not how numbers are written, so this text was not parsed.
        let text = shown(r#"{"n":[1E2,"]}\\"],"data":{"x":0.10}}"#).unwrap();
        assert!(
            text.starts_with(r#"{"id":"","input_id":"","data":{"x":0.10},"n":[1E2,"]}\\"],"#),
            "{text}"
        );
        assert!(shown("{}").unwrap().contains(r#","data":{},"created_at""#));
        for parsed in [
            r#"{"data":{"frames":[{"frame_info":{"time":1}}]}}"#,
            r#"{"model_version_id":"m","data":{}}"#,
            r#"{ "data":{}}"#,
            "[]",
            "",
        ] {
            assert_eq!(shown(parsed), None, "{parsed}");
        }
    }

    #[test]
    fn a_body_that_is_not_json_is_an_error() {
        let stored = Stored {
            body: "{".to_owned(),
            ..Stored::<String>::default()
        };
        let list = vec![Shown::Stored(stored)];
        assert!(write_annotations(&mut Vec::new(), list, ResponseStyle::default()).is_err());
    }
}

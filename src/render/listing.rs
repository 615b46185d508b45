//! A listing as a table, page by page.
//!
//! Its rows are annotations in the API's JSON, so that annotations that annosync does not model are listed too. Widths are
//! in characters.

use super::notation::value_of;
use crate::model::{Status, escape};
use serde_json::Value;

const COLUMNS: usize = 7;
const HEADINGS: [&str; COLUMNS] = [
    "INPUT", "ID", "PLACE", "CONCEPTS", "STATUS", "MADE BY", "CREATED",
];
/// The maximal width of each column.
const MAX_WIDTHS: [usize; COLUMNS] = [40, 40, 18, 40, 25, 40, 30];

/// Parts of `data` that have `data` of their own.
const PARTS: [&str; 4] = ["regions", "frames", "time_segments", "tracks"];

/// A table that is printed page by page. The first page sets the widths of the columns; longer cells are cut with an
/// ellipsis.
#[derive(Debug, Default)]
pub struct Table {
    widths: Option<[usize; COLUMNS]>,
}

impl Table {
    /// The lines of a page; the first page starts with the headings.
    pub fn page(&mut self, annotations: &[Value]) -> String {
        let rows: Vec<[String; COLUMNS]> = annotations.iter().map(row).collect();
        let mut text = String::new();
        let widths = if let Some(widths) = self.widths {
            widths
        } else {
            let widths = *self.widths.insert(widths_of(&rows));
            line(&mut text, &HEADINGS.map(str::to_owned), &widths);
            widths
        };
        for row in &rows {
            line(&mut text, row, &widths);
        }
        text
    }
}

fn widths_of(rows: &[[String; COLUMNS]]) -> [usize; COLUMNS] {
    std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        let widest = cells.max().unwrap_or(0).min(MAX_WIDTHS[column]);
        widest.max(HEADINGS[column].len())
    })
}

fn line(text: &mut String, cells: &[String; COLUMNS], widths: &[usize; COLUMNS]) {
    let start = text.len();
    for (cell, &width) in cells.iter().zip(widths) {
        let length = cell.chars().count();
        if length > width {
            text.extend(cell.chars().take(width - 1));
            text.push('…');
        } else {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - length));
        }
        text.push_str("  ");
    }
    text.truncate(start + text[start..].trim_end().len());
    text.push('\n');
}

fn row(annotation: &Value) -> [String; COLUMNS] {
    let data = &annotation["data"];
    let mut concepts = Vec::new();
    collect_concepts(data, &mut concepts);
    let status = annotation["status"]["code"].as_u64();
    let status = status.and_then(|code| u32::try_from(code).ok());
    [
        text(&annotation["input_id"]).to_owned(),
        text(&annotation["id"]).to_owned(),
        if annotation["input_level"] == true {
            "input-level".to_owned()
        } else {
            place(data)
        },
        concepts.join(", "),
        status.map_or_else(String::new, |code| Status::from_code(code).to_string()),
        maker(annotation),
        text(&annotation["created_at"]).to_owned(),
    ]
    .map(|cell| match cell.as_str() {
        "" => "-".to_owned(),
        cell => escape(cell).into_owned(),
    })
}

/// The kind of the annotation's place.
fn place(data: &Value) -> String {
    let mut places = regions(data);
    places.extend(list(data, "frames").map(|frame| {
        let inside = regions(&frame["data"]);
        if inside.is_empty() {
            "frame".to_owned()
        } else {
            format!("{} in frame", inside.join(" + "))
        }
    }));
    places.extend(list(data, "time_segments").map(|_| "segment".to_owned()));
    places.extend(list(data, "tracks").map(|_| "track".to_owned()));
    match places.len() {
        0 => "whole".to_owned(),
        1..=2 => places.join(" + "),
        more => format!("{more} places"),
    }
}

fn regions(data: &Value) -> Vec<String> {
    const KINDS: [(&str, &str); 7] = [
        ("bounding_box", "box"),
        ("polygon", "polygon"),
        ("point", "point"),
        ("keypoint_locations", "keypoints"),
        ("mask", "mask"),
        ("span", "span"),
        ("token", "token"),
    ];
    let kind = |region: &Value| {
        let place = &region["region_info"];
        let is_set = |field: &str| match &place[field] {
            Value::Null => false,
            Value::Array(elements) => !elements.is_empty(),
            _ => true,
        };
        let found = KINDS.iter().find(|(field, _)| is_set(field));
        found.map_or("region", |(_, kind)| *kind).to_owned()
    };
    list(data, "regions").map(kind).collect()
}

/// The concepts of the data and all its parts, each with its value unless that is 1.
fn collect_concepts(data: &Value, words: &mut Vec<String>) {
    for concept in list(data, "concepts") {
        let value = match &concept["value"] {
            Value::String(text) => text.parse().unwrap_or(0.0),
            // An answer leaves out a value of 0.
            value => value.as_f64().unwrap_or(0.0),
        };
        let id = text(&concept["id"]);
        words.push(match value_of(value as f32).as_str() {
            "true" => id.to_owned(),
            value => format!("{id}: {value}"),
        });
    }
    for part in PARTS.iter().flat_map(|parts| list(data, parts)) {
        collect_concepts(&part["data"], words);
    }
}

fn maker(annotation: &Value) -> String {
    let worker = &annotation["worker"];
    let first = |candidates: [&Value; 2]| {
        let [first, second] = candidates.map(text);
        if first.is_empty() { second } else { first }.to_owned()
    };
    let model = first([
        &worker["model"]["model_version"]["id"],
        &annotation["model_version_id"],
    ]);
    if !model.is_empty() || worker["model"].is_object() {
        return format!("model {model}").trim_end().to_owned();
    }
    if worker["workflow"].is_object() {
        let version = text(&worker["workflow"]["version"]["id"]);
        return format!("workflow {version}").trim_end().to_owned();
    }
    first([&worker["user"]["id"], &annotation["user_id"]])
}

fn list<'a>(data: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    data[name].as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_place_has_a_word() {
        let region = |place: Value| json!({"regions": [{"id": "r", "region_info": place}]});
        for (data, word) in [
            (json!({}), "whole"),
            (Value::Null, "whole"),
            (region(json!({"bounding_box": {}})), "box"),
            (region(json!({"polygon": {"points": []}})), "polygon"),
            (region(json!({"point": {"row": 0.5}})), "point"),
            (region(json!({"keypoint_locations": [{}]})), "keypoints"),
            (region(json!({"mask": {"image": {"url": "u"}}})), "mask"),
            (region(json!({"span": {"char_end": 2}})), "span"),
            (region(json!({"token": {}})), "token"),
            (
                region(json!({"keypoint_locations": [], "point": null})),
                "region",
            ),
            (region(Value::Null), "region"),
            (json!({"frames": [{"frame_info": {"time": "5"}}]}), "frame"),
            (
                json!({"frames": [{"data": region(json!({"bounding_box": {}}))}]}),
                "box in frame",
            ),
            (json!({"time_segments": [{"id": "s"}]}), "segment"),
            (json!({"tracks": [{"id": "t"}]}), "track"),
            (
                json!({"regions": [{}], "time_segments": [{}]}),
                "region + segment",
            ),
            (json!({"regions": [{}, {}, {}]}), "3 places"),
        ] {
            assert_eq!(place(&data), word, "{data}");
        }
    }

    #[test]
    fn makers_are_users_models_or_workflows_from_either_field() {
        for (annotation, word) in [
            (json!({"user_id": "ann"}), "ann"),
            (
                json!({"user_id": "old", "worker": {"user": {"id": "ann"}}}),
                "ann",
            ),
            (
                json!({"user_id": "ann", "model_version_id": "m"}),
                "model m",
            ),
            (
                json!({"worker": {"model": {"model_version": {"id": "m"}}}}),
                "model m",
            ),
            (json!({"worker": {"model": {}}}), "model"),
            (
                json!({"worker": {"workflow": {"version": {"id": "w"}}}}),
                "workflow w",
            ),
            (json!({}), ""),
        ] {
            assert_eq!(maker(&annotation), word, "{annotation}");
        }
    }

    #[test]
    fn the_first_page_sets_the_widths_and_later_ones_are_cut_to_them() {
        let row = |input: &str, id: &str, created: &str| {
            json!({
                "input_id": input, "id": id, "user_id": "ann", "created_at": created, "status": {"code": 24150},
                "data": {"concepts": [{"id": "car", "value": 1}, {"id": "tree"}, {"id": "fog", "value": 0.100_000_001_490_116_12}]},
            })
        };
        let mut table = Table::default();
        let long = "x".repeat(60);
        let mut text = table.page(&[row("in-1", "a", "2026"), row(&long, "b", "")]);
        text.push_str(&table.page(&[row("in-2\u{1b}[2J\n", "a-long-id", "2026-01-01")]));
        insta::assert_snapshot!(text, @r"
        INPUT                                     ID  PLACE  CONCEPTS                    STATUS   MADE BY  CREATED
        in-1                                      a   whole  car, tree: false, fog: 0.1  success  ann      2026
        xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…  b   whole  car, tree: false, fog: 0.1  success  ann      -
        in-2\u001b[2J\n                           a…  whole  car, tree: false, fog: 0.1  success  ann      2026-0…
        ");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn an_empty_table_has_headings() {
        assert_eq!(
            Table::default().page(&[]),
            "INPUT  ID  PLACE  CONCEPTS  STATUS  MADE BY  CREATED\n"
        );
    }
}

//! Files that somebody made to break a reader: an import must not panic, and must account for every shape.

use super::*;
use crate::formats::options::Frames;
use proptest::prelude::*;

fn value() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "",
        "car",
        "person",
        "nose",
        "1",
        "0",
        "2",
        "9",
        "2.5",
        "-1",
        "NaN",
        "1e308",
        "1e400",
        "99999999999999999999",
        "4294967295",
        "../../x.jpg",
        "a\u{0}b",
        "\u{1b}[31m",
        "&amp;",
        "&#0;",
        "&x;",
        "1,1",
        "0,0;9,0;9,9",
        "0,0;9",
        "0,1",
        "3,1,5",
        ";",
        ",",
        "part_of",
    ]);
    prop_oneof![6 => known.prop_map(str::to_owned), 1 => "[^\"<]{0,8}"]
}

fn element() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "image",
        "track",
        "box",
        "polygon",
        "points",
        "polyline",
        "ellipse",
        "mask",
        "skeleton",
        "cuboid",
        "tag",
        "attribute",
        "meta",
        "task",
    ]);
    let attribute = prop::sample::select(vec![
        "id", "name", "width", "height", "label", "xtl", "ytl", "xbr", "ybr", "rotation", "points",
        "cx", "cy", "rx", "ry", "rle", "left", "top", "frame", "outside", "occluded", "z_order",
        "group_id", "source", "score", "task_id",
    ]);
    let attributes = prop::collection::btree_map(attribute, value(), 0..14)
        .prop_map(|all| {
            let all: Vec<String> = all
                .into_iter()
                .map(|(name, value)| format!(" {name}=\"{value}\""))
                .collect();
            all.concat()
        })
        .boxed();
    let leaf = (name.clone(), attributes.clone(), value())
        .prop_map(|(name, attributes, text)| format!("<{name}{attributes}>{text}</{name}>"));
    leaf.prop_recursive(3, 40, 6, move |inner| {
        (
            name.clone(),
            attributes.clone(),
            prop::collection::vec(inner, 0..6),
        )
            .prop_map(|(name, attributes, children)| {
                format!("<{name}{attributes}>{}</{name}>", children.concat())
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_shape_is_taken_over_or_left_out(
        inner in prop::collection::vec(element(), 0..8),
        cut in any::<prop::sample::Index>(),
        junk in any::<Vec<u8>>(),
    ) {
        let shapes = inner.concat();
        let tracks = format!(
            "<annotations><meta><task><original_size><width>9</width><height>9</height></original_size></task></meta>\
             <track id=\"1\" label=\"car\">{shapes}</track>{shapes}</annotations>"
        );
        for text in [image(&shapes), tracks] {
            for (frames, overhang) in [(Frames::Listed, Overhang::LeaveOut), (Frames::Interpolated, Overhang::Clip)] {
                let options = ImportOptions { overhang, frames, ..ImportOptions::default() };
                if let Ok(imported) = read(&text, &options) {
                    let left_out = imported.skipped.iter().filter(|it| it.annotation.is_some());
                    prop_assert_eq!(imported.taken_over + left_out.count(), imported.annotations);
                }
            }
            let mut bytes = text.into_bytes();
            bytes.truncate(cut.index(bytes.len() + 1));
            bytes.extend(&junk);
            let source = Memory::new([("a.xml".to_owned(), bytes)].into());
            let _ = import(&source, &ImportOptions::default());
            recognises(&source);
        }
    }
}

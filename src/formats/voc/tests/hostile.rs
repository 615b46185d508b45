//! Files that somebody made to break a reader: an import must not panic, and must account for every object.

use super::*;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "",
        "car",
        "1",
        "0",
        "2.5",
        "-1",
        "NaN",
        "inf",
        "1e400",
        "99999999999999999999",
        "../../x.jpg",
        "/etc/passwd",
        "a\u{0}b",
        "\u{1b}[31m",
        "C:\\x.png",
        "&amp;",
        "&#0;",
        "&#xD800;",
        "& b",
        "<![CDATA[x]]>",
        "<!-- -->",
        "\r\n",
        "part_of",
        "\u{202e}",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,8}"]
}

fn element() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "annotation",
        "filename",
        "path",
        "size",
        "width",
        "height",
        "object",
        "name",
        "bndbox",
        "xmin",
        "ymin",
        "xmax",
        "ymax",
        "part",
        "difficult",
        "attributes",
        "attribute",
        "value",
        "score",
    ]);
    let leaf = (name.clone(), text()).prop_map(|(name, text)| format!("<{name}>{text}</{name}>"));
    leaf.prop_recursive(4, 40, 6, move |inner| {
        (name.clone(), prop::collection::vec(inner, 0..6))
            .prop_map(|(name, children)| format!("<{name}>{}</{name}>", children.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_object_is_taken_over_or_left_out(
        inner in prop::collection::vec(element(), 0..6),
        cut in any::<prop::sample::Index>(),
        junk in any::<Vec<u8>>(),
    ) {
        let whole = labels(&inner.concat());
        let sound = object(BOX);
        for corners in [Corners::FromZero, Corners::FromOne] {
            let options = ImportOptions { corners, ..ImportOptions::default() };
            // Two XML files may name one input.
            if let Ok(imported) = read_all(&[("b.xml", &whole), ("a.xml", &sound)], &options) {
                let left_out = imported.skipped.iter().filter(|it| it.annotation.is_some());
                prop_assert_eq!(imported.taken_over + left_out.count(), imported.annotations);
                prop_assert_eq!(imported.images, 2);
                for input in &imported.inputs {
                    let path = input.image.path.as_deref().unwrap_or_default();
                    prop_assert!(!path.contains("..") && !path.starts_with('/'), "{}", path);
                }
            }
        }
        let mut bytes = whole.into_bytes();
        bytes.truncate(cut.index(bytes.len() + 1));
        bytes.extend(junk);
        let source = Memory::new([("a.xml".to_owned(), bytes)].into());
        let _ = import(&source, &ImportOptions::default());
        recognises(&source);
    }
}

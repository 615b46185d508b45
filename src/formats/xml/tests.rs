use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

fn children(text: &str) -> Result<Tree, String> {
    let xml = Xml::whole("a.xml", text.to_owned()).map_err(|error| error.to_string())?;
    xml.children().map_err(|error| error.to_string())
}

#[test]
fn elements_have_attributes_children_and_text() {
    let tree = children(
        "<?xml version=\"1.0\"?>\r\n<!-- a --><!DOCTYPE a>\n<a>\r\n <b x='1 &lt; 2' y=\"ä&#10;\"/>\n\
         <c> &lt;d&amp;&#228; & e &unknown; <![CDATA[<f>]]><g><h/></g></c>\n</a>\n",
    )
    .unwrap();
    let all: Vec<Element<'_>> = tree.elements().collect();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].attribute("x"), Some("1 < 2"));
    assert_eq!(all[0].attribute("y"), Some("ä\n"));
    assert_eq!(all[0].attribute("z"), None);
    assert_eq!(all[1].text(), "<d&ä & e &unknown; <f>");
    assert_eq!(
        all[1].child("g").unwrap().children().next().unwrap().name(),
        "h"
    );
    assert_eq!(children("<a/>").unwrap().elements().count(), 0);
}

#[test]
fn wrong_files_are_errors_with_a_position() {
    let deep = format!("<a>{}", "<b>".repeat(100_000));
    for (text, error) in [
        ("", "a.xml:1:1: there is no element in the file"),
        ("words", "a.xml:1:1: text before the first element"),
        ("<a>\n <b>", "a.xml:2:5: the file ends within <b>"),
        ("<a>\n <b/>", "a.xml:2:6: the file ends within <a>"),
        (
            "<a>\n<b></c></a>",
            "a.xml:2:4: ill-formed document: expected `</b>`, but `</c>` was found",
        ),
        ("<a/>\n<a/>", "a.xml:2:1: an element after the end of <a>"),
        (
            &deep,
            "a.xml:1:199: elements nested more than 64 levels deep",
        ),
    ] {
        assert_eq!(children(text).unwrap_err(), error);
    }
    for text in [
        "<a><b",
        "<a><b x=1/></a>",
        "<a><b x='1' x='2'/></a>",
        "<a><!--",
    ] {
        assert!(
            children(text).unwrap_err().starts_with("a.xml:1:"),
            "{text}"
        );
    }
}

/// The children of a file that is read in pieces of about so many bytes, with all that is in them, and the error.
fn in_pieces(text: &str, bytes: usize) -> (Vec<String>, Option<String>) {
    let source = source::Memory::of([("a.xml", text)]);
    let mut all = Vec::new();
    let reader = source.stream("a.xml").unwrap();
    let end = Xml::stream(&source, "a.xml", reader, bytes)
        .and_then(|xml| xml.each(|element| all.push(shown(element))));
    (all, end.err().map(|error| error.to_string()))
}

fn shown(element: Element<'_>) -> String {
    let attributes: Vec<_> = element.attributes().collect();
    let unresolved: Vec<_> = element.unresolved().collect();
    let children: Vec<String> = element.children().map(shown).collect();
    let (name, text) = (element.name(), element.text());
    format!("{name} {attributes:?} {text:?} {unresolved:?} {children:?}")
}

#[test]
fn a_file_in_pieces_is_that_of_the_whole() {
    let children = "\n <!-- <b> --><b x='>'>\u{feff}é&lt;&x;<c>1</c>🚗<![CDATA[</b>]]></b>\r\n\u{feff}<?p ?><d y='&x;'/> & \n";
    let text = format!(
        "\u{feff}<?xml version='1.0'?><!-- {} -->\n<!DOCTYPE a>\n<a z='1'>{}<e>{}</e></a>\n<!-- end -->\n",
        "é".repeat(100),
        children.repeat(30),
        children.repeat(5),
    );
    let whole = in_pieces(&text, text.len());
    assert_eq!((whole.0.len(), &whole.1), (61, &None));
    assert_eq!(
        whole.0[0],
        r#"b [("x", ">")] "\u{feff}é<&x;🚗</b>" ["&x;"] ["c [] \"1\" [] []"]"#
    );
    assert_eq!(whole.0[1], r#"d [("y", "&x;")] "" ["&x;"] []"#);
    let middle = children.repeat(7);
    let wrong = [
        format!("{text}\n<a/>"),
        format!("{text}</a>"),
        format!("<a>{middle}</b>"),
        format!("<a>{middle}<b></c></a>"),
        format!("<a>{middle}<b x='1' x='2'/></a>"),
        format!("<a>{middle}<b"),
        format!("<a>{middle}<!-- "),
        format!("<a>{middle}<b>é"),
        format!("<a>{middle}"),
        format!("<a>{middle}\n<<<<<<< HEAD\n</a>"),
        format!("<a>{middle}\0</a>"),
    ];
    assert!(
        wrong
            .iter()
            .all(|text| in_pieces(text, text.len()).1.is_some())
    );
    for text in wrong.iter().chain([&text]) {
        let (all, error) = in_pieces(text, text.len());
        for bytes in [64, 65, 70, 99, 128, 200, 1_000] {
            let (some, own) = in_pieces(text, bytes);
            assert_eq!(own, error, "{bytes} bytes of {text}");
            // All that are before an error are passed, unless the text itself is wrong.
            assert!(all == some || all.is_empty(), "{bytes} bytes of {text}");
        }
    }
}

#[test]
fn children_are_passed_before_the_file_is_read_to_its_end() {
    /// How much was read.
    struct Counted<'c>(&'c [u8], &'c AtomicUsize);

    impl Read for Counted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.read(buffer)?;
            self.1.fetch_add(count, Ordering::SeqCst);
            Ok(count)
        }
    }

    let child = "<b x='1'><c>word</c></b>\n";
    let text = format!("<a>{}</a>", child.repeat(10_000));
    let source = source::Memory::default();
    let read = AtomicUsize::new(0);
    let reader = Box::new(Counted(text.as_bytes(), &read));
    let xml = Xml::stream(&source, "a.xml", reader, 1_000).unwrap();
    let (mut passed, mut most) = (0, 0);
    xml.each(|_| {
        passed += 1;
        most = most.max(read.load(Ordering::SeqCst) - passed * child.len());
    })
    .unwrap();
    assert_eq!(passed, 10_000);
    assert!(most < 10_000, "{most} bytes were read ahead");
}

#[test]
fn the_root_is_found_in_the_first_bytes() {
    let root = |head: &str| root_of(head.as_bytes()).map(|(name, _)| name);
    assert_eq!(
        root("\u{feff}<?xml ?>\n<annotation x='1'><fol").as_deref(),
        Some("annotation")
    );
    assert_eq!(root("{\"images\": []}"), None);
    assert_eq!(root("<annot"), None);
}

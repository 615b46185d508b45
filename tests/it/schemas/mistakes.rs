//! Typical mistakes: the schema refuses what the parser refuses, except for rules that JSON Schema cannot express.

use super::manifest::parse;
use super::{MANIFEST, yaml};

/// What reports a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Nothing: it is valid.
    Nowhere,
    /// The parser and the schema.
    ByBoth,
    /// Only the parser: the rule concerns more than one value, or more than one file.
    ByTheParser,
}
use Found::{ByBoth, ByTheParser, Nowhere};

const HEADERS: &[(Found, &str)] = &[
    (Nowhere, "version: 1\nset: a\npolicy: upsert\n"),
    (
        Nowhere,
        "version: 1\nset: a\npolicy: create\nowners: [me, any, bea]\n",
    ),
    (
        Nowhere,
        "version: 1\nset: a\npolicy: sync\nguards: { max_deletes: 30%, max_updates: 7, min_existing: 0 }\n",
    ),
    (
        Nowhere,
        "version: 1\nset: a\npolicy: sync\nguards: { max_deletes: '75', max_updates: 0% }\n",
    ),
    (
        Nowhere,
        "version: 1\nset: a\npolicy: sync\ntarget: l\ntargets: { l: { embedded: a.db } }\n",
    ),
    (
        Nowhere,
        "version: 1\nset: a\npolicy: sync\ntargets: { p: { user_id: u, app_id: a, endpoint: 'http://localhost:1', rate_limit: 1 } }\n",
    ),
    (
        Nowhere,
        "version: 1\nset: a\npolicy: sync\nvocabulary: [a, b]\nrenamed: { c: a }\n",
    ),
    (ByBoth, "version: 1\nset: a\npolicy:\n"),
    (ByBoth, "version: 1\nset: a\npolicy: synch\n"),
    (ByBoth, "version: 1\nset: a\npolicy: Sync\n"),
    (ByBoth, "version: 1\nset: a\n"),
    (ByBoth, "set: a\npolicy: sync\n"),
    (ByBoth, "version: 1\npolicy: sync\n"),
    (ByBoth, "version: 2\nset: a\npolicy: sync\n"),
    (ByBoth, "version: '1'\nset: a\npolicy: sync\n"),
    (ByBoth, "version: 1\nset: Street\npolicy: sync\n"),
    (ByBoth, "version: 1\nset: ''\npolicy: sync\n"),
    (ByBoth, "version: 1\nset: 7\npolicy: sync\n"),
    (ByBoth, "version: 1\nset: a\npolicy: sync\npolices: sync\n"),
    (ByBoth, "version: 1\nset: a\npolicy: sync\nfiles: []\n"),
    (ByBoth, "version: 1\nset: a\npolicy: sync\nfiles:\n"),
    (ByBoth, "version: 1\nset: a\npolicy: sync\nfiles: labels\n"),
    (ByBoth, "version: 1\nset: a\npolicy: sync\nowners: []\n"),
    (ByBoth, "version: 1\nset: a\npolicy: sync\nowners: me\n"),
    (ByBoth, "version: 1\nset: a\npolicy: sync\nvocabulary:\n"),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\nvocabulary: [no, yes, true]\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\nvocabulary: [a, a]\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\nvocabulary: [' a']\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\nguards: { max_deletes: 130% }\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\nguards: { max_deletes: -1 }\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\nguards: { max_deletes: 0.3 }\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\nguards: { min_existing: many }\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\nguards: { max_delete: 3 }\n",
    ),
    (ByBoth, "version: 1\nset: a\npolicy: sync\ntarget: prod\n"),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\ntargets: { p: { user_id: u } }\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\ntargets: { p: { embedded: a.db, app_id: a } }\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\ntargets: { p: { embedded: '' } }\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\ntargets: { p: { user_id: u, app_id: a, rate_limit: 0 } }\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\ntargets: { p: { user_id: u, app_id: a, endpoint: localhost } }\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\ntargets: { p: { user_id: u, app_id: a, endpoint: 'https://h/?a=b' } }\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\nrenamed: { a: 1 }\n",
    ),
    (
        ByBoth,
        "version: 1\nset: a\npolicy: sync\nrenamed: [a, b]\n",
    ),
    (ByBoth, "{}\n"),
    (
        ByTheParser,
        "version: 1\nset: a\npolicy: sync\ntarget: prdo\ntargets: { prod: { embedded: a } }\n",
    ),
    (
        ByTheParser,
        "version: 1\nset: a\npolicy: sync\nrenamed: { a: b, b: c }\n",
    ),
    (
        ByTheParser,
        "version: 1\nset: a\npolicy: sync\nvocabulary: [a]\nrenamed: { b: c }\n",
    ),
    (
        ByTheParser,
        "version: 1\nset: a\npolicy: sync\nfiles: ['a[']\n",
    ),
    (
        ByTheParser,
        "version: 1\nset: a\npolicy: sync\ntargets: { p: { user_id: u, app_id: a, endpoint: 'https://me:pw@h' } }\n",
    ),
];

const INPUTS: &[(Found, &str)] = &[
    (Nowhere, "{ id: a, annotations: [] }"),
    (Nowhere, "{ id: a, purge: true }"),
    (
        Nowhere,
        "{ id: a, image: { path: '', width: 1, height: 2 }, annotations: [] }",
    ),
    (Nowhere, "{ id: a, text: { raw: 'x' }, annotations: [] }"),
    (Nowhere, "{ id: a, text: { path: a.txt }, annotations: [] }"),
    (ByBoth, "{ id: a }"),
    (ByBoth, "{ annotations: [] }"),
    (ByBoth, "{ id: a, annotations: }"),
    (ByBoth, "{ id: 1, annotations: [] }"),
    (ByBoth, "{ id: '', annotations: [] }"),
    (ByBoth, "{ id: 'a ', annotations: [] }"),
    (ByBoth, "{ id: \"a\\tb\", annotations: [] }"),
    (ByBoth, "{ id: a, anotations: [] }"),
    (ByBoth, "{ id: a, annotations: [], purge: true }"),
    (ByBoth, "{ id: a, purge: false }"),
    (ByBoth, "{ id: a, purge: 'yes' }"),
    (ByBoth, "{ id: a, annotations: {} }"),
    (ByBoth, "{ id: a, annotations: [~] }"),
    (ByBoth, "{ id: a, image: { width: 0 }, annotations: [] }"),
    (ByBoth, "{ id: a, image: a.jpg, annotations: [] }"),
    (ByBoth, "{ id: a, text: {}, annotations: [] }"),
    (
        ByBoth,
        "{ id: a, text: { raw: x, path: a.txt }, annotations: [] }",
    ),
    (ByBoth, "{ id: a, text: { raw: '' }, annotations: [] }"),
    (
        ByTheParser,
        "{ id: a, annotations: [{ key: k, text: x }, { key: k, text: y }] }",
    ),
    (
        ByTheParser,
        "{ id: a, annotations: [{ id: k }, { id: k }] }",
    ),
    (
        ByTheParser,
        "{ id: a, text: { path: none.txt }, annotations: [] }",
    ),
    (
        ByTheParser,
        "{ id: a, text: { raw: x }, annotations: [{ span: { start: 0, end: 2 } }] }",
    ),
    (
        ByTheParser,
        "{ id: a, image: { width: 1.0 }, annotations: [] }",
    ),
];

const ANNOTATIONS: &[(Found, &str)] = &[
    (Nowhere, "id: x"),
    (Nowhere, "input_level: true"),
    (Nowhere, "key: k, status: pending"),
    (Nowhere, "box: { top: 0, left: 0, bottom: 1, right: 1.0 }"),
    (Nowhere, "point: [0.5, 1]"),
    (
        Nowhere,
        "keypoints: [[0.1, 0.2], [0.1, 0.2, not_set], [0.1, 0.2, not_present]]",
    ),
    (ByTheParser, "concepts: []"),
    (ByTheParser, "concepts: {}"),
    (Nowhere, "concepts: { a: true, b: false, c: 1, d: 0.25 }"),
    (Nowhere, "text: x, status: 24151"),
    (Nowhere, "text: x, status: '24151'"),
    (Nowhere, "text: x, status: ANNOTATION_PENDING"),
    (Nowhere, "text: x, status: 24999"),
    (Nowhere, "frame: { number: 0 }, text: x"),
    (ByTheParser, "span: { start: 0, end: 0 }"),
    (Nowhere, "span: { start: 0, end: 1 }"),
    (Nowhere, "segment: { begin: 0, end: 1e10 }"),
    (Nowhere, "mask: { path: masks/road.png }"),
    (
        Nowhere,
        "text: x, metadata: { a: [1, 'x', { b: true }], c: 1e300 }, info: {}",
    ),
    (ByBoth, ""),
    (ByBoth, "key: k"),
    (ByBoth, "status: pending"),
    (ByBoth, "concpts: [a]"),
    (ByBoth, "id: x, key: k, text: t"),
    (ByBoth, "id: 3"),
    (ByBoth, "input_level: false, text: x"),
    (
        ByBoth,
        "input_level: true, box: { top: 0, left: 0, bottom: 1, right: 1 }",
    ),
    (ByBoth, "input_level: true, id: x"),
    (
        ByBoth,
        "box: { top: 0, left: 0, bottom: 1, right: 1 }, polygon: [[0, 0], [0, 1], [1, 1]]",
    ),
    (ByBoth, "point: [0, 0], segment: { begin: 0, end: 1 }"),
    (
        ByBoth,
        "frame: { number: 1 }, segment: { begin: 0, end: 1 }",
    ),
    (ByBoth, "frame: { number: 1 }, span: { start: 0, end: 1 }"),
    (ByBoth, "track: t, concepts: [a]"),
    (ByBoth, "region_value: 0.5, segment: { begin: 0, end: 1 }"),
    (ByBoth, "region_value: 1.5, region: r"),
    (ByBoth, "box: { top: 0, left: 0, bottom: 1, right: 1.1 }"),
    (ByBoth, "box: { top: -0.1, left: 0, bottom: 1, right: 1 }"),
    (ByBoth, "box: { top: .nan, left: 0, bottom: 1, right: 1 }"),
    (ByBoth, "box: { top: 0, left: 0, bottom: 1 }"),
    (
        ByBoth,
        "box: { top: 0, left: 0, bottom: 1, right: 1, width: 1 }",
    ),
    (ByBoth, "box: { top: '0', left: 0, bottom: 1, right: 1 }"),
    (ByBoth, "box: [0, 0, 1, 1]"),
    (ByBoth, "polygon: []"),
    (ByBoth, "polygon:"),
    (ByBoth, "polygon: [[0, 0], [1, 1]]"),
    (ByBoth, "polygon: [[0, 0], [1, 1], [0, 1, 0]]"),
    (ByBoth, "polygon: [[0, 0], [1, 1], [0, 7]]"),
    (ByBoth, "point: [0.5]"),
    (ByBoth, "point: { row: 0, col: 0 }"),
    (ByBoth, "keypoints: []"),
    (ByBoth, "keypoints: [[0, 0, hidden]]"),
    (ByBoth, "keypoints: [[0, 0, visible, 1]]"),
    (ByBoth, "mask: { path: a.png, url: 'https://h/a.png' }"),
    (ByBoth, "mask: {}"),
    (ByBoth, "mask: { url: a.png }"),
    (ByBoth, "mask: a.png"),
    (ByBoth, "span: { start: 0 }"),
    (ByBoth, "span: { start: -1, end: 2 }"),
    (ByBoth, "segment: { begin: 0 }"),
    (ByBoth, "segment: { begin: 0, end: 1e39 }"),
    (ByBoth, "frame: {}, text: x"),
    (ByBoth, "frame: { time_ms: 1.5 }, text: x"),
    (ByBoth, "frame: 45, text: x"),
    (ByBoth, "region: { from_model: m }"),
    (ByBoth, "region: { from_model: m, nearest: {} }"),
    (ByBoth, "region: ''"),
    (ByBoth, "concepts: car"),
    (ByBoth, "concepts:"),
    (ByBoth, "concepts: [car, car]"),
    (ByBoth, "concepts: [1]"),
    (ByBoth, "concepts: [{ car: 0.5 }]"),
    (ByBoth, "concepts: { car: 2 }"),
    (ByBoth, "concepts: { car: ~ }"),
    (ByBoth, "concepts: { car: 'true' }"),
    (ByBoth, "concepts: { ' car': true }"),
    (ByBoth, "text: ''"),
    (ByBoth, "text: 5"),
    (ByBoth, "text: x, status: finished"),
    (ByBoth, "text: x, status: Pending"),
    (ByBoth, "text: x, status: 10000"),
    (ByBoth, "text: x, status: '25000'"),
    (ByBoth, "text: x, user: ''"),
    (ByBoth, "text: x, metadata: [a]"),
    (ByBoth, "text: x, metadata: { a: ~ }"),
    (ByBoth, "text: x, metadata: { a: [{ b: ~ }] }"),
    (ByBoth, "text: x, info:"),
    (
        ByTheParser,
        "box: { top: 0.5, left: 0, bottom: 0.4, right: 1 }",
    ),
    (
        ByTheParser,
        "box: { top: 0, left: 0.5, bottom: 1, right: 0.4 }",
    ),
    (ByTheParser, "span: { start: 3, end: 2 }"),
    (ByTheParser, "segment: { begin: 3, end: 2 }"),
    (ByTheParser, "mask: { path: none.png }"),
    (ByTheParser, "mask: { path: ../road.png }"),
    (ByTheParser, "frame: { number: 1.0 }, text: x"),
];

#[test]
fn the_schema_refuses_what_the_parser_refuses() {
    let header = "version: 1\nset: a\npolicy: sync\n";
    let headers = HEADERS
        .iter()
        .map(|(found, text)| (*found, (*text).to_owned()));
    let inputs = INPUTS
        .iter()
        .map(|(found, input)| (*found, format!("{header}inputs: [{input}]\n")));
    let annotations = ANNOTATIONS.iter().map(|(found, annotation)| {
        let input = format!("{{ id: a, annotations: [{{ {annotation} }}] }}");
        (*found, format!("{header}inputs: [{input}]\n"))
    });
    let rest = [
        (ByBoth, format!("{header}inputs:\n")),
        (ByBoth, format!("{header}inputs: {{}}\n")),
        (ByBoth, "[]\n".to_owned()),
        // The same key, or the same input, twice.
        (
            ByTheParser,
            format!(
                "{header}inputs: [{{ id: a, annotations: [] }}, {{ id: a, annotations: [] }}]\n"
            ),
        ),
    ];
    let mut wrong = Vec::new();
    for (found, text) in headers.chain(inputs).chain(annotations).chain(rest) {
        let parser = parse(&[("m.yaml", &text)]).err();
        let schema = MANIFEST.refuses(&yaml(&text));
        let seen = match (&parser, &schema) {
            (None, None) => Some(Nowhere),
            (Some(_), Some(_)) => Some(ByBoth),
            (Some(_), None) => Some(ByTheParser),
            (None, Some(_)) => None,
        };
        if seen != Some(found) {
            let parser = parser.map(|problems| problems.to_string());
            wrong.push(format!(
                "{text}found {found:?} was meant, parser: {parser:?}, schema: {schema:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn schema_and_parser_accept_the_same_words() {
    let annotation = |text: String| {
        format!(
            "version: 1\nset: a\npolicy: sync\ninputs: [{{ id: a, annotations: [{{ {text} }}] }}]\n"
        )
    };
    let statuses = annosync::model::Status::names().flat_map(|name| {
        [
            name.to_owned(),
            format!("ANNOTATION_{}", name.to_uppercase()),
        ]
    });
    let statuses = statuses.map(|name| annotation(format!("text: x, status: {name}")));
    let visibilities = annosync::model::Visibility::ALL
        .map(|(_, name)| annotation(format!("keypoints: [[0, 0, {name}]]")));
    let policies = ["sync", "upsert", "create"]
        .map(|policy| format!("version: 1\nset: a\npolicy: {policy}\ninputs: []\n"));
    for text in statuses.chain(visibilities).chain(policies) {
        parse(&[("m.yaml", &text)]).unwrap();
        MANIFEST.accepts_yaml(&text);
    }
}

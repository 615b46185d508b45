//! Imports of each format, as ratios to a bare scan of the same bytes by the same parser.
//!
//! `cargo bench --bench formats`; `ANNOSYNC_BENCH=1000000` for another number of boxes than 200,000.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use annosync::formats::{
    self, ExportAnnotation, ExportInput, Format, ImageInfo, ImportOptions, Media, Memory, Source,
};
use annosync::model::{
    BoundingBox, Concept, ConceptId, Concepts, Content, Geometry, Identity, InputId,
};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Boxes on one image.
const PER_IMAGE: usize = 10;
/// The fastest of this many runs counts: what else the machine does only adds time.
const RUNS: usize = 7;

fn main() {
    let boxes: usize = std::env::var("ANNOSYNC_BENCH")
        .ok()
        .and_then(|size| size.parse().ok())
        .unwrap_or(200_000);
    let inputs = inputs(boxes / PER_IMAGE);
    println!("{boxes} boxes on {} images", inputs.len());
    println!("format  files    MB  scan s  import s  ratio");
    for format in [Format::Coco, Format::Voc, Format::Cvat, Format::Yolo] {
        let exported = formats::export(format, &inputs, &[]);
        let files = exported.files;
        let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        let source = Memory::new(files.iter().cloned().collect());
        let scan = fastest(|| {
            for path in source.files() {
                scan(path, &source.read(path).expect("a file of the export"));
            }
        });
        let import = fastest(|| {
            let imported = formats::import(format, &source, &ImportOptions::default());
            let imported = imported.expect("the export can be imported");
            assert_eq!(imported.taken_over, boxes);
            imported
        });
        println!(
            "{:6} {:6} {:5.0} {:7.3} {:9.3} {:6.2}",
            format.as_str(),
            files.len(),
            bytes as f64 / 1e6,
            scan.as_secs_f64(),
            import.as_secs_f64(),
            import.as_secs_f64() / scan.as_secs_f64()
        );
    }
}

/// Does not count the time in which a result is dropped: who reads a file keeps it.
fn fastest<R>(mut run: impl FnMut() -> R) -> Duration {
    (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            let result = run();
            let time = start.elapsed();
            drop(result);
            time
        })
        .min()
        .expect("there is a run")
}

/// Reads a file with the parser that its import uses, and nothing more: every value is visited and none is kept.
fn scan(path: &str, bytes: &[u8]) {
    match path.rsplit('.').next() {
        Some("json") => {
            // `IgnoredAny` would look for the end of each number and each text without reading it.
            let Visited = serde_json::from_slice(bytes).expect("valid JSON");
        }
        Some("xml") => {
            let mut reader = quick_xml::Reader::from_reader(bytes);
            loop {
                match reader.read_event().expect("valid XML") {
                    quick_xml::events::Event::Eof => break,
                    // Events alone would pass over attributes, which hold all values of CVAT.
                    quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                        for attribute in tag.attributes() {
                            black_box(attribute.expect("a valid attribute"));
                        }
                    }
                    event => {
                        black_box(event);
                    }
                }
            }
        }
        _ => {
            let text = std::str::from_utf8(bytes).expect("text");
            for number in text.split_ascii_whitespace() {
                let _ = black_box(number.parse::<f64>());
            }
        }
    }
}

/// Any JSON, of which every number and every text was read.
struct Visited;

impl<'de> Deserialize<'de> for Visited {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Visited {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self, E> {
        black_box(value);
        Ok(self)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self, E> {
        black_box(value);
        Ok(self)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self, E> {
        black_box(value);
        Ok(self)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self, E> {
        black_box(value);
        Ok(self)
    }

    fn visit_str<E>(self, value: &str) -> Result<Self, E> {
        black_box(value);
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// The same boxes on every machine.
fn inputs(images: usize) -> Vec<ExportInput> {
    let mut state = 7_u64;
    let mut roll = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let classes = [
        "car", "bus", "tree", "person", "sign", "bike", "dog", "lamp",
    ];
    (0..images)
        .map(|number| ExportInput {
            id: InputId::new(format!("street-{number:06}")).expect("plain characters"),
            media: Media::Image,
            image: ImageInfo {
                path: Some(format!("street-{number:06}.jpg")),
                url: None,
                size: Some((1920, 1080)),
            },
            annotations: (0..PER_IMAGE)
                .map(|at| {
                    let (top, left) = (roll() * 0.8, roll() * 0.8);
                    let side = 0.05 + roll() * 0.1;
                    let edges = BoundingBox::new(top, left, top + side, left + side);
                    let concept = Concept {
                        id: ConceptId::new(classes[at % classes.len()]).expect("a plain word"),
                        value: 1.0,
                    };
                    ExportAnnotation {
                        name: at.to_string(),
                        identity: Identity::Content,
                        content: Content {
                            geometry: Some(Geometry::Box(edges.expect("inside the image"))),
                            concepts: Some(Concepts::new(vec![concept]).expect("one concept")),
                            ..Content::default()
                        },
                    }
                })
                .collect(),
            split: None,
        })
        .collect()
}

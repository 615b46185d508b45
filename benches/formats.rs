//! Imports of each format, as ratios to a bare scan of the same files by the same parser, and their memory.
//!
//! `cargo bench --bench formats`, `… -- coco yolo` for some formats; `ANNOSYNC_BENCH=1000000` for another number of boxes
//! than 200,000.
//!
//! The files are on disk, and in its cache. The scan runs on one core; it opens and reads each file, and reads every
//! value of it. The import uses all cores, and gives the inputs in memory: writing the manifest is not part of it, and
//! the whole command, which does that as well, has a column of its own.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use annosync::formats::{
    self, ExportAnnotation, ExportInput, Format, ImageInfo, ImportOptions, Imported, Media, Source,
};
use annosync::model::{
    BoundingBox, Concept, ConceptId, Concepts, Content, Geometry, Identity, InputId,
};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Boxes on one image.
const PER_IMAGE: usize = 10;
/// The fastest of this many runs counts: what else the machine does only adds time.
const RUNS: usize = 7;
const FORMATS: [Format; 5] = [
    Format::Coco,
    Format::Voc,
    Format::Cvat,
    Format::Yolo,
    Format::Jsonl,
];
/// The argument with which the benchmark runs itself, to measure the memory of one import.
const MEMORY: &str = "--memory-of";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == MEMORY) {
        return print_memory(&arguments[at + 1], Path::new(&arguments[at + 2]));
    }
    let boxes: usize = std::env::var("ANNOSYNC_BENCH")
        .ok()
        .and_then(|size| size.parse().ok())
        .unwrap_or(200_000);
    let named = |format: &Format| arguments.iter().any(|it| it == format.as_str());
    let all: Vec<Format> = match FORMATS.into_iter().filter(named).collect() {
        none if Vec::is_empty(&none) => FORMATS.to_vec(),
        some => some,
    };
    println!("{boxes} boxes on {} images; seconds", boxes / PER_IMAGE);
    println!("                  |     wall time       |   time on all cores  | whole");
    println!("format  files  MB |  scan import  ratio |   scan import  ratio | command");
    for &format in &all {
        let export = Export::new(format, boxes);
        let (scan, scan_cpu) = measured(|| export.scan());
        let (import, import_cpu) = measured(|| export.import());
        let (command, _) = measured(|| export.command());
        println!(
            "{:6} {:6} {:3.0} | {scan:5.3} {import:6.3} {:6.2} | {scan_cpu:6.3} {import_cpu:6.3} {:6.2} | {command:7.3}",
            format.as_str(),
            export.files.paths.len(),
            export.bytes as f64 / 1e6,
            import / scan,
            import_cpu / scan_cpu,
        );
    }
    println!("\nmemory in MB: the most during an import, and what is left at its end: the inputs");
    println!("format    boxes  text  most  left  most - left");
    for &format in &all {
        for boxes in [boxes, 2 * boxes] {
            let export = Export::new(format, boxes);
            let Some((most, left)) = export.memory() else {
                return println!("not known on this system");
            };
            println!(
                "{:6} {boxes:8} {:5.0} {most:5.0} {left:5.0} {:12.0}",
                format.as_str(),
                export.bytes as f64 / 1e6,
                most - left
            );
        }
    }
}

/// The wall time in seconds, and the mean time on all cores. The time in which a result is dropped does not count: who
/// reads a file keeps it.
fn measured<R>(mut run: impl FnMut() -> R) -> (f64, f64) {
    let (mut fastest, mut cores) = (f64::INFINITY, 0.0);
    for _ in 0..RUNS {
        let (start, before) = (Instant::now(), cpu());
        let result = run();
        fastest = fastest.min(start.elapsed().as_secs_f64());
        cores += cpu() - before;
        drop(result);
    }
    (fastest, cores / RUNS as f64)
}

/// An export in a folder of its own.
#[derive(Debug)]
struct Export {
    format: Format,
    boxes: usize,
    folder: tempfile::TempDir,
    files: Disk,
    bytes: usize,
}

impl Export {
    fn new(format: Format, boxes: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let exported = formats::export(format, &inputs(boxes / PER_IMAGE), &[]);
        let mut bytes = 0;
        for (path, content) in exported.files {
            let path = folder.path().join(path);
            let above = path.parent().expect("it is below the folder");
            std::fs::create_dir_all(above).expect("a folder can be made");
            std::fs::write(path, &content).expect("a file can be written");
            bytes += content.len();
        }
        let files = Disk::open(folder.path());
        Self {
            format,
            boxes,
            folder,
            files,
            bytes,
        }
    }

    fn scan(&self) {
        for path in &self.files.paths {
            let bytes = self.files.read(path).expect("a file of the export");
            scan(path, &bytes);
        }
    }

    fn import(&self) -> Imported {
        let imported = import(self.format, &self.files);
        assert_eq!(imported.taken_over, self.boxes);
        imported
    }

    /// Runs `annosync import` into a new manifest.
    fn command(&self) {
        let out = tempfile::tempdir().expect("a temporary folder");
        let status = Command::new(env!("CARGO_BIN_EXE_annosync"))
            .args(["import", self.format.as_str()])
            .arg(self.folder.path())
            .arg("--out")
            .arg(out.path().join("new"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.expect("the command runs");
    }

    /// What [`print_memory`] prints, in a process of its own.
    fn memory(&self) -> Option<(f64, f64)> {
        let this = std::env::current_exe().ok()?;
        let output = Command::new(this)
            .args([MEMORY, self.format.as_str()])
            .arg(self.folder.path())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (most, left) = text.trim().split_once(' ')?;
        Some((most.parse().ok()?, left.parse().ok()?))
    }
}

fn import(format: Format, files: &Disk) -> Imported {
    let imported = formats::import(format, files, &ImportOptions::default());
    imported.expect("the export can be imported")
}

/// The files in a folder and below.
#[derive(Debug)]
struct Disk {
    root: PathBuf,
    paths: Vec<String>,
}

impl Disk {
    fn open(root: &Path) -> Self {
        let mut paths = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("a file").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let path = path.strip_prefix(root).expect("it is below the folder");
                    paths.push(path.to_str().expect("a plain name").to_owned());
                }
            }
        }
        paths.sort_unstable();
        Self {
            root: root.to_owned(),
            paths,
        }
    }
}

impl Source for Disk {
    fn files(&self) -> &[String] {
        &self.paths
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.root.join(path)).map_err(|error| error.to_string())
    }

    fn stream(&self, path: &str) -> Option<Box<dyn Read + Send + '_>> {
        let file = std::fs::File::open(self.root.join(path)).ok()?;
        Some(Box::new(file))
    }

    fn head(&self, path: &str, most: u64) -> Vec<u8> {
        let mut bytes = self.read(path).unwrap_or_default();
        bytes.truncate(most as usize);
        bytes
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let paths = self.paths.iter();
        let inside = paths.filter(|path| Path::new(path).starts_with(folder));
        inside.cloned().collect()
    }

    fn image_size(&self, _path: &str) -> Option<(u32, u32)> {
        None
    }
}

/// Prints the most memory that an import needs, and what is in use at its end, in MB.
fn print_memory(format: &str, root: &Path) {
    let format = Format::ALL.into_iter().find(|it| it.as_str() == format);
    let imported = import(format.expect("a format"), &Disk::open(root));
    if let (Some(most), Some(left)) = (status("VmHWM:"), status("VmRSS:")) {
        println!("{most} {left}");
    }
    drop(imported);
}

/// A field of the state of this process, in MB.
fn status(field: &str) -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}

/// The time in seconds that this process has used on all cores; not a number where that is not known.
fn cpu() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let nanoseconds = threads.map(|thread| {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanoseconds
        .sum::<Option<f64>>()
        .filter(|it| *it > 0.0)
        .map_or(f64::NAN, |it| it / 1e9)
}

/// Reads a file with the parser that its import uses, and nothing more: every value is visited and none is kept.
fn scan(path: &str, bytes: &[u8]) {
    match path.rsplit('.').next() {
        Some("json") => {
            // `IgnoredAny` would look for the end of each number and each text without reading it.
            let Visited = serde_json::from_slice(bytes).expect("valid JSON");
        }
        Some("jsonl") => {
            let lines = serde_json::Deserializer::from_slice(bytes).into_iter::<Visited>();
            lines.for_each(|line| _ = line.expect("valid JSON"));
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
            for line in text.lines() {
                for number in line.split_ascii_whitespace() {
                    let _ = black_box(number.parse::<f64>());
                }
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

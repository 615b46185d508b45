//! Whether cost grows with the number of annotations only: allocations, bytes allocated and bytes read, counted for each
//! annotation, must not grow from one number of annotations to ten times as many.
//!
//! `cargo bench --bench linear`; `ANNOSYNC_BENCH=1000000` for another largest number than 100,000. One that grows by more
//! than half is marked, and ends the benchmark with an error. Nothing is timed, except that the CPU time is shown.

#![expect(clippy::print_stdout, reason = "it is what the benchmark is run for")]

use annosync::model::{Policy, SetName};
use annosync::plan::plan;
use annosync::pull::{self, Choice, Form, Fresh};
use annosync::{lint, manifest, observed, render};
use generated::{Change, HEADER, PER_INPUT, boxes, context, json_lines, listing, yaml};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

#[expect(dead_code, reason = "other benchmarks use the rest")]
mod generated;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Growth that counts as none: vectors double, and a hundred annotations share what is allocated once.
const FLAT: f64 = 1.5;

type Boxes = [(usize, [f64; 4], &'static str)];

/// A shape: its name, the most annotations that it is tried with, annotations on an input, the width of a box, and how the
/// manifest's files are written.
type Shape = (
    &'static str,
    usize,
    fn(usize) -> usize,
    f64,
    fn(&Path, &Boxes),
);

const SHAPES: [Shape; 3] = [
    ("20 on each input", usize::MAX, |_| PER_INPUT, 0.1, lines),
    ("all on one input", 50_000, |all| all, 0.05, lines),
    ("a file for each input", 50_000, |_| 1, 0.1, files),
];

/// Counted for each annotation.
#[derive(Clone, Copy)]
struct Counts {
    allocations: f64,
    allocated: f64,
    read: f64,
    /// In microseconds.
    cpu: f64,
}

fn main() -> ExitCode {
    let largest = std::env::var("ANNOSYNC_BENCH").unwrap_or("100000".to_owned());
    let largest: usize = largest.parse().expect("ANNOSYNC_BENCH is a number");
    let mut grows = false;
    for (name, most, on_input, width, write) in SHAPES {
        let sizes = [100, 10, 1].map(|part| largest.min(most) / part);
        println!("\n{name}: for each of {sizes:?} annotations");
        let counts = sizes.map(|size| counted(size, on_input(size), width, write));
        for step in 0..counts[0].len() {
            let of = counts.each_ref().map(|counts| counts[step].1);
            for (what, of) in [
                ("allocations", of.map(|it| it.allocations)),
                ("bytes allocated", of.map(|it| it.allocated)),
                ("bytes read", of.map(|it| it.read)),
                ("CPU, microseconds", of.map(|it| it.cpu)),
            ] {
                // Less than one for each of them is no cost of annotations. Times are not judged.
                let is_flat = of[2] <= FLAT * of[0].max(1.0) || what.starts_with("CPU");
                grows |= !is_flat;
                let mark = if is_flat { "" } else { "   GROWS" };
                println!(
                    "  {:10} {what:18}{:12.1}{:12.1}{:12.1}{mark}",
                    counts[0][step].0, of[0], of[1], of[2]
                );
            }
        }
    }
    if grows {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn lines(folder: &Path, boxes: &Boxes) {
    fs::write(folder.join("labels.jsonl"), json_lines(boxes)).expect("the file can be written");
}

fn files(folder: &Path, boxes: &Boxes) {
    for (at, one) in boxes.chunks(1).enumerate() {
        let text = yaml(one);
        let inputs = text
            .strip_prefix(HEADER)
            .expect("it begins with the header");
        let path = folder.join(format!("{at:06}.yaml"));
        fs::write(path, inputs).expect("the file can be written");
    }
}

/// What each step takes.
fn counted(
    size: usize,
    on_input: usize,
    width: f64,
    write: fn(&Path, &Boxes),
) -> [(&'static str, Counts); 7] {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    fs::write(folder.path().join("annosync.yaml"), HEADER).expect("the file can be written");
    write(folder.path(), &boxes(size, on_input, width, Change::Some));
    let path = folder.path().join("observed");
    let stored = listing(&boxes(size, on_input, width, Change::None));
    fs::write(&path, stored).expect("the file can be written");
    let context = context();
    let (load, loaded) = count(size, || manifest::load(folder.path()));
    let loaded = loaded.expect("the generated manifest is valid");
    let (findings, _) = count(size, || lint::check(&loaded, &lint::Pictures::new()));
    let desired = loaded.desired;
    let (decoded, read) = count(size, || {
        let file = fs::File::open(&path).expect("it was written");
        observed::SavedListing::stream(file, None).expect("it can be read")
    });
    let observed = read.expect("the generated listing is valid").into_state();
    let (planned, made) = count(size, || plan(&desired, &observed, &context));
    let made = made.expect("the owner may do everything");
    let (text, _) = count(size, || {
        render::text(&made, &render::TextOptions::default())
    });
    let (json, _) = count(size, || render::json(&made));
    let set = SetName::new("bench").expect("it is a name");
    let header = manifest::Header::new(set, Policy::Upsert);
    let nowhere = Path::new("no-such-folder");
    let fresh = Fresh {
        header: &header,
        path: nowhere,
        form: Form::JsonLines,
        shard: None,
        read_back: &|overlay| manifest::load_with(nowhere, overlay, manifest::FileAccess::Folder),
    };
    let (pulled, _) = count(size, || {
        pull::fresh(&fresh, &observed, &Choice::default()).expect("it can be pulled")
    });
    [
        ("manifest", load),
        ("lint", findings),
        ("listing", decoded),
        ("plan", planned),
        ("text", text),
        ("JSON", json),
        ("pull", pulled),
    ]
}

fn count<T>(size: usize, step: impl FnOnce() -> T) -> (Counts, T) {
    let (region, read, time) = (Region::new(ALLOCATOR), bytes_read(), cpu());
    let made = step();
    let change = region.change();
    let each = |count: f64| count / size as f64;
    let counts = Counts {
        allocations: each((change.allocations + change.reallocations) as f64),
        allocated: each(change.bytes_allocated as f64),
        read: each(bytes_read() - read),
        cpu: each((cpu() - time) * 1e6),
    };
    (counts, made)
}

/// Bytes that the process has read so far; 0 where the system does not say.
fn bytes_read() -> f64 {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.and_then(|it| it.parse().ok()).unwrap_or_default()
}

/// Seconds of user and system time, of all threads.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = rest.split_ascii_whitespace().skip(11).take(2);
    ticks.filter_map(|it| it.parse::<f64>().ok()).sum::<f64>() / 100.0
}

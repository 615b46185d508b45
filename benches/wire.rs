//! How close plan and apply come to the rate of the service: against a server that accepts 15 calls in any second, and answers
//! after 80 ms.
//!
//! `cargo bench --bench wire`: 300 full pages, and 300 full calls that post; about 45 seconds. `ANNOSYNC_BENCH=1000` for
//! another number of both.
//!
//! Beside the time are two ratios: to the time of the full pages or posts alone, and to that of all calls, at 15 in a second. A
//! run begins with 15 calls at once, which takes a second off.

#![expect(clippy::print_stdout, reason = "it is what the benchmark is run for")]

use canned::{Canned, Stored, Wire};
use generated::{Change, HEADER, PER_INPUT, boxes, json_lines};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

mod canned;
#[expect(dead_code, reason = "other benchmarks use the rest")]
mod generated;

const RATE: usize = 15;
const LATENCY: Duration = Duration::from_millis(80);
const PER_PAGE: usize = 1_000;
const PER_CALL: usize = 128;

fn main() {
    let count = std::env::var("ANNOSYNC_BENCH").unwrap_or("300".to_owned());
    let count: usize = count.parse().expect("ANNOSYNC_BENCH is a number");
    println!(
        "{count} pages and {count} posts at {RATE} calls per second and {LATENCY:?}\n{:8}{:>16}{:>10}{:>10}{:>12}{:>12}",
        "", "calls (least)", "refused", "seconds", "x of full", "x of calls"
    );
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    // With the annotation that each input has, they fill the pages.
    let stored = count * PER_PAGE;
    let boxes = boxes(
        stored * PER_INPUT / (PER_INPUT + 1),
        PER_INPUT,
        0.1,
        Change::None,
    );
    let of_inputs = (0..stored - boxes.len()).map(generated::of_input);
    let of_boxes = boxes.iter().enumerate();
    let of_boxes = of_boxes.map(|(at, it)| generated::stored(at, it));
    let app = Stored::of(of_inputs.chain(of_boxes));
    let lines = json_lines(&boxes);
    run("plan", folder.path(), &lines, app, count, |_| {
        canned::calls_of_listing(stored)
    });

    let boxes = &boxes[..count * PER_CALL];
    let inputs = boxes.len().div_ceil(PER_INPUT);
    let stored = Stored::of((0..inputs).map(generated::of_input));
    let lines = json_lines(boxes);
    run("apply", folder.path(), &lines, stored, count, |server| {
        // The app is asked for its concepts once.
        canned::calls_of_listing(inputs) + 1 + server.posts()
    });
}

/// Runs the program, and prints what it took. `full` is the number of full pages or posts.
fn run(
    command: &str,
    folder: &Path,
    lines: &str,
    stored: Stored,
    full: usize,
    least: impl Fn(&Canned) -> usize,
) {
    std::fs::write(folder.join("annosync.yaml"), HEADER).expect("the file can be written");
    std::fs::write(folder.join("labels.jsonl"), lines).expect("the file can be written");
    let wire = Wire {
        rate: Some(RATE),
        latency: LATENCY,
    };
    let server = Canned::start(stored, wire);
    let mut program = canned::program(command, &server, RATE);
    program.arg(folder);
    if command == "apply" {
        program.arg("--auto-approve");
    }
    let start = Instant::now();
    let ended = program
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("it starts");
    let seconds = start.elapsed().as_secs_f64();
    assert!(ended.success(), "{program:?} ended with {ended}");
    let (calls, rate) = (server.calls(), RATE as f64);
    let counted = format!("{calls} ({})", least(&server));
    println!(
        "{command:8}{counted:>16}{:10}{seconds:10.2}{:12.3}{:12.3}",
        server.refused(),
        seconds * rate / full as f64,
        seconds * rate / calls as f64,
    );
}

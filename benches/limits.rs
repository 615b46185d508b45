//! What each step takes, beside the least that it could take: the floor, measured in the same run.
//!
//! `cargo bench --bench limits`; `ANNOSYNC_BENCH=1000000` for another number of annotations than 100,000. The names of
//! steps choose some: `cargo bench --bench limits -- offline`. `ANNOSYNC_BENCH=10000,100000,1000000` measures each of these
//! numbers, and prints the README's table of all at the end.
//!
//! Each measurement runs in a process of its own, so that its CPU time and its peak of memory are its own. The floors of
//! JSON read every value in one thread: numbers are converted and strings unescaped, and nothing is kept. The server of the
//! steps over HTTP runs in another process than the client that is measured, and only sends prepared bytes.

#![expect(clippy::print_stdout, reason = "it is what the benchmark is run for")]

use annosync::model::{DesiredState, ObservedState};
use annosync::{manifest, observed, plan, render};
use files::{Files, PER_CALL};
use floors::{BareClient, read_every_value};
use measured::Measured;
use serde::de::IgnoredAny;
use std::path::Path;
use std::process::{Command, Stdio};
use table::Row;

mod canned;
mod files;
mod floors;
mod generated;
mod measured;
mod table;

/// How often each step is measured; the medians are printed.
const RUNS: usize = 3;

/// A step: its name, the name of its floor, and what is measured of it. `measure` is called once, around the part that counts.
type Step = (
    &'static str,
    Option<&'static str>,
    fn(&Files, &mut Measured),
);

const STEPS: [Step; 19] = [
    ("bare YAML", None, |files, measured| {
        let texts = files.yaml();
        measured.of(|| {
            for text in &texts {
                let parser = serde_yaml::Deserializer::from_str(text);
                serde::Deserialize::deserialize(parser)
                    .map(|_: IgnoredAny| ())
                    .expect("it is YAML");
            }
        });
    }),
    (
        "manifest of YAML files",
        Some("bare YAML"),
        |files, measured| {
            measured.of(|| loaded(&files.path("yaml")));
        },
    ),
    ("bare JSON Lines", None, |files, measured| {
        measured.of(|| read_lines(&files.folder));
    }),
    (
        "manifest of JSON Lines",
        Some("bare JSON Lines"),
        |files, measured| {
            measured.of(|| loaded(&files.path("lines")));
        },
    ),
    ("bare listing", None, |files, measured| {
        measured.of(|| read_every_value(&text(&files.path("listing.json"))));
    }),
    ("listing", Some("bare listing"), |files, measured| {
        measured.of(|| observed_in(&files.folder));
    }),
    ("match and plan", None, |files, measured| {
        let (desired, observed) = (loaded(&files.path("lines")), observed_in(&files.folder));
        measured.of(|| planned(&desired, &observed));
    }),
    ("text of the plan", None, |files, measured| {
        let plan = planned(&loaded(&files.path("lines")), &observed_in(&files.folder));
        measured.of(|| render::text(&plan, &render::TextOptions::default()));
    }),
    (
        "both files as serde_json::Value",
        None,
        |files, measured| {
            measured.of(|| {
                let lines = text(&files.path("lines/labels.jsonl"));
                let read =
                    |line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON");
                drop(lines.lines().map(read).collect::<Vec<_>>());
                serde_json::from_str::<serde_json::Value>(&text(&files.path("listing.json")))
            });
        },
    ),
    ("bare files", None, |files, measured| {
        measured.of(|| {
            read_lines(&files.folder);
            read_every_value(&text(&files.path("listing.json")));
        });
    }),
    ("offline plan", Some("bare files"), |files, measured| {
        let (lines, listing) = (files.path("lines"), files.path("listing.json"));
        let arguments = [
            "plan".as_ref(),
            lines.as_os_str(),
            "--observed".as_ref(),
            listing.as_os_str(),
        ];
        measured.of_program(&arguments.map(Into::into));
    }),
    ("embedded apply", Some("offline plan"), |files, measured| {
        let _ = std::fs::remove_dir_all(files.path("lines/store"));
        let lines = files.path("lines");
        measured.of_program(&[
            "apply".into(),
            lines.into(),
            "--auto-approve".into(),
            "--create-inputs".into(),
        ]);
    }),
    ("embedded plan", Some("offline plan"), |files, measured| {
        measured.of_program(&["plan".into(), files.path("lines").into()]);
    }),
    ("bytes of the pages", None, |files, measured| {
        let server = files.server_of_all();
        measured.of_client(&server, &mut files.floor("bytes", &server));
    }),
    ("bare lines and pages", None, |files, measured| {
        let server = files.server_of_all();
        measured.of_client(&server, &mut files.floor("pages", &server));
    }),
    (
        "plan over HTTP",
        Some("bare lines and pages"),
        |files, measured| {
            let server = files.server_of_all();
            measured.of_client(&server, &mut files.program("plan", &server));
            measured.least_calls = canned::calls_of_listing(files.stored());
        },
    ),
    ("bare lines, pages and posts", None, |files, measured| {
        let server = files.server_of_inputs();
        measured.of_client(&server, &mut files.floor("posts", &server));
    }),
    (
        "apply of posts over HTTP",
        Some("bare lines, pages and posts"),
        |files, measured| {
            let server = files.server_of_inputs();
            let mut program = files.program("apply", &server);
            program.arg("--auto-approve");
            measured.of_client(&server, &mut program);
            let posts = files.size.div_ceil(PER_CALL);
            measured.least_calls = canned::calls_of_listing(files.inputs()) + 1 + posts;
        },
    ),
    ("--version", None, |_, measured| {
        measured.of_program(&["--version".into()]);
    }),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["measure", step, size, folder] => {
            let (.., measure) = STEPS[step.parse::<usize>().expect("it is an index")];
            let mut measured = Measured::default();
            measure(&Files::at(folder, size), &mut measured);
            println!("{measured:?}");
        }
        ["floor", kind, url, folder] => read_from(kind, url, Path::new(folder)),
        _ => {
            let sizes = std::env::var("ANNOSYNC_BENCH").unwrap_or("100000".to_owned());
            let sizes: Vec<&str> = sizes.split(',').collect();
            let wanted: Vec<&str> = (words.into_iter().filter(|it| !it.starts_with('-'))).collect();
            let tables: Vec<(&str, Vec<Row>)> = (sizes.iter())
                .map(|size| (*size, measure(size, &wanted)))
                .collect();
            if tables.len() > 1 {
                println!("\n{}", table::markdown(&tables));
            }
        }
    }
}

/// Measures the wanted steps and their floors, and prints them.
fn measure(size: &str, wanted: &[&str]) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let files = Files::at(folder.path(), size);
    files.write();
    println!(
        "{size} annotations, medians of {RUNS} runs\n{}",
        table::HEAD
    );
    let is_wanted = |(name, floor, _): &Step| {
        wanted.is_empty()
            || wanted
                .iter()
                .any(|word| name.contains(word) || floor.is_some_and(|it| it.contains(word)))
    };
    let mut rows: Vec<Row> = Vec::new();
    for (at, step) in STEPS.iter().enumerate() {
        let is_floor = STEPS
            .iter()
            .any(|other| is_wanted(other) && other.1 == Some(step.0));
        if !is_wanted(step) && !is_floor {
            continue;
        }
        let mut runs: Vec<Measured> = (0..RUNS).map(|_| in_a_process(at, &files)).collect();
        let floor = rows.iter().find(|row| Some(row.name) == step.1);
        let row = Row {
            name: step.0,
            floor: floor.map(|row| (row.name, row.it)),
            it: Measured::median(&mut runs),
        };
        println!("{row}");
        rows.push(row);
    }
    rows
}

fn in_a_process(step: usize, files: &Files) -> Measured {
    let output = this_program()
        .args(["measure", &step.to_string(), &files.size.to_string()])
        .arg(&files.folder)
        .stderr(Stdio::inherit())
        .output();
    let output = output.expect("the benchmark starts itself");
    measured::printed(&output.stdout).unwrap_or_else(|| panic!("{} failed", STEPS[step].0))
}

fn this_program() -> Command {
    Command::new(std::env::current_exe().expect("the benchmark has a path"))
}

/// What a client has to read and send at least.
fn read_from(kind: &str, url: &str, folder: &Path) {
    let mut client = BareClient::connect(url);
    if kind != "bytes" {
        read_lines(folder);
    }
    for number in 1.. {
        let path = format!("/annotations?page={number}&per_page=1000");
        let page = client.call("GET", &path, "");
        if kind != "bytes" {
            read_every_value(page);
        }
        if page.len() < 100 {
            break;
        }
    }
    if kind == "posts" {
        for body in text(&folder.join("posts.jsonl")).lines() {
            read_every_value(client.call("POST", "/annotations", body));
        }
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("it was written")
}

fn loaded(path: &Path) -> DesiredState {
    manifest::load(path)
        .expect("the generated manifest is valid")
        .desired
}

fn observed_in(folder: &Path) -> ObservedState {
    let file = std::fs::File::open(folder.join("listing.json")).expect("it was written");
    let read = observed::SavedListing::stream(file, None).expect("it can be read");
    read.expect("the generated listing is valid").into_state()
}

fn planned(desired: &DesiredState, observed: &ObservedState) -> plan::Plan {
    plan::plan(desired, observed, &generated::context()).expect("the owner may do everything")
}

fn read_lines(folder: &Path) {
    text(&folder.join("lines/labels.jsonl"))
        .lines()
        .for_each(read_every_value);
}

//! What each step takes, beside the least that it could take: the floor, measured in the same run.
//!
//! `cargo bench --bench limits`; `ANNOSYNC_BENCH=1000000` for another number of annotations than 100,000. The names of
//! steps choose some: `cargo bench --bench limits -- offline`.
//!
//! Each measurement runs in a process of its own, so that its CPU time and its peak of memory are its own. The floors of
//! JSON read every value in one thread: numbers are converted and strings unescaped, and nothing is kept.

#![expect(clippy::print_stdout, reason = "it is what the benchmark is run for")]

use annosync::model::{DesiredState, ObservedState};
use annosync::{manifest, observed, plan, render};
use generated::{Change, HEADER, PER_INPUT, boxes, json_lines, listing, yaml};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

mod generated;

/// How often each step is measured; the medians are printed.
const RUNS: usize = 3;
/// Inputs in each of the YAML files.
const INPUTS_PER_FILE: usize = 50;

/// A step: its name, the name of its floor, and what is measured of it. `measure` is called once, around the part that counts.
type Step = (&'static str, Option<&'static str>, fn(&Path, &mut Measured));

const STEPS: [Step; 14] = [
    ("bare YAML", None, |folder, measured| {
        let texts = yaml_files(folder);
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
        |folder, measured| {
            measured.of(|| loaded(&folder.join("yaml")));
        },
    ),
    ("bare JSON Lines", None, |folder, measured| {
        measured.of(|| read_lines(folder));
    }),
    (
        "manifest of JSON Lines",
        Some("bare JSON Lines"),
        |folder, measured| {
            measured.of(|| loaded(&folder.join("lines")));
        },
    ),
    ("bare listing", None, |folder, measured| {
        measured.of(|| read_every_value(&text(&folder.join("listing.json"))));
    }),
    ("listing", Some("bare listing"), |folder, measured| {
        measured.of(|| observed_in(folder));
    }),
    ("match and plan", None, |folder, measured| {
        let (desired, observed) = (loaded(&folder.join("lines")), observed_in(folder));
        measured.of(|| planned(&desired, &observed));
    }),
    ("text of the plan", None, |folder, measured| {
        let plan = planned(&loaded(&folder.join("lines")), &observed_in(folder));
        measured.of(|| render::text(&plan, &render::TextOptions::default()));
    }),
    (
        "both files as serde_json::Value",
        None,
        |folder, measured| {
            measured.of(|| {
                let lines = text(&folder.join("lines/labels.jsonl"));
                let read =
                    |line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON");
                drop(lines.lines().map(read).collect::<Vec<_>>());
                serde_json::from_str::<serde_json::Value>(&text(&folder.join("listing.json")))
            });
        },
    ),
    ("bare files", None, |folder, measured| {
        measured.of(|| {
            read_lines(folder);
            read_every_value(&text(&folder.join("listing.json")));
        });
    }),
    ("offline plan", Some("bare files"), |folder, measured| {
        let (lines, listing) = (folder.join("lines"), folder.join("listing.json"));
        let arguments = [
            "plan".as_ref(),
            lines.as_os_str(),
            "--observed".as_ref(),
            listing.as_os_str(),
        ];
        measured.of_program(&arguments.map(Into::into));
    }),
    (
        "embedded apply",
        Some("offline plan"),
        |folder, measured| {
            let _ = std::fs::remove_dir_all(folder.join("lines/store"));
            let lines = folder.join("lines");
            measured.of_program(&[
                "apply".into(),
                lines.into(),
                "--auto-approve".into(),
                "--create-inputs".into(),
            ]);
        },
    ),
    ("embedded plan", Some("offline plan"), |folder, measured| {
        measured.of_program(&["plan".into(), folder.join("lines").into()]);
    }),
    ("--version", None, |_, measured| {
        measured.of_program(&["--version".into()]);
    }),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, step, folder] = &arguments[..]
        && word == "measure"
    {
        let (.., measure) = STEPS[step.parse::<usize>().expect("it is an index")];
        let mut measured = Measured::default();
        measure(Path::new(folder), &mut measured);
        println!("{measured:?}");
        return;
    }
    let wanted: Vec<&String> = arguments.iter().filter(|it| !it.starts_with('-')).collect();
    print(&wanted);
}

fn print(wanted: &[&String]) {
    let size = std::env::var("ANNOSYNC_BENCH")
        .ok()
        .and_then(|size| size.parse().ok());
    let size = size.unwrap_or(100_000);
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    write_files(folder.path(), size);
    println!(
        "{size} annotations, medians of {RUNS} runs\n{:34}{:>10}{:>10}{:>10}   times the floor (wall, CPU)",
        "", "wall s", "CPU s", "peak MB"
    );
    let is_wanted = |(name, floor, _): &Step| {
        wanted.is_empty()
            || wanted.iter().any(|word| {
                name.contains(word.as_str()) || floor.is_some_and(|it| it.contains(word.as_str()))
            })
    };
    let mut known: Vec<(&str, Measured)> = Vec::new();
    for (at, step) in STEPS.iter().enumerate() {
        let is_floor = STEPS
            .iter()
            .any(|other| is_wanted(other) && other.1 == Some(step.0));
        if !is_wanted(step) && !is_floor {
            continue;
        }
        let runs: Vec<Measured> = (0..RUNS).map(|_| in_a_process(at, folder.path())).collect();
        let median = |of: fn(&Measured) -> f64| {
            let mut all: Vec<f64> = runs.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[RUNS / 2]
        };
        let it = Measured {
            wall: median(|it| it.wall),
            cpu: median(|it| it.cpu),
            peak: median(|it| it.peak),
        };
        let ratio = known
            .iter()
            .find(|(name, _)| Some(*name) == step.1)
            .map_or_else(String::new, |(name, floor)| {
                format!(
                    "   {:.2}, {:.2} of {name}",
                    it.wall / floor.wall,
                    it.cpu / floor.cpu
                )
            });
        println!(
            "{:34}{:10.3}{:10.2}{:10.0}{ratio}",
            step.0, it.wall, it.cpu, it.peak
        );
        known.push((step.0, it));
    }
}

/// What a step took.
#[derive(Default, Clone, Copy)]
struct Measured {
    /// Seconds.
    wall: f64,
    /// Seconds of all threads.
    cpu: f64,
    /// The peak of resident memory in MB, with what was prepared for the step.
    peak: f64,
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "measured {} {} {}", self.wall, self.cpu, self.peak)
    }
}

impl Measured {
    fn of<T>(&mut self, step: impl FnOnce() -> T) {
        let (start, before) = (Instant::now(), cpu("self"));
        let made = step();
        *self = Self {
            wall: start.elapsed().as_secs_f64(),
            cpu: cpu("self") - before,
            peak: peak(),
        };
        drop(made);
    }

    /// Runs the program itself.
    fn of_program(&mut self, arguments: &[std::ffi::OsString]) {
        let start = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_annosync"))
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is there");
        // Its end is awaited with the numbers still readable: they vanish with `wait`.
        let status = format!("/proc/{}/status", child.id());
        loop {
            let now = std::fs::read_to_string(&status).unwrap_or_default();
            self.peak = self.peak.max(megabytes(&now));
            if now.contains("State:\tZ") {
                break;
            }
            // Often enough for a program that ends at once, and seldom enough to cost nothing.
            std::thread::sleep(
                (start.elapsed() / 100)
                    .clamp(Duration::from_micros(100), Duration::from_millis(20)),
            );
        }
        self.wall = start.elapsed().as_secs_f64();
        self.cpu = cpu(&child.id().to_string());
        let ended = child.wait().expect("it ended");
        assert!(ended.success(), "{arguments:?} ended with {ended}");
    }
}

/// Seconds of user and system time.
fn cpu(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = rest
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|it| it.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

fn peak() -> f64 {
    megabytes(&std::fs::read_to_string("/proc/self/status").unwrap_or_default())
}

fn megabytes(status: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<f64>().ok())
        .unwrap_or_default()
        / 1_000.0
}

fn in_a_process(step: usize, folder: &Path) -> Measured {
    let program = std::env::current_exe().expect("the benchmark has a path");
    let mut command = Command::new(program);
    let output = command
        .arg("measure")
        .arg(step.to_string())
        .arg(folder)
        .stderr(Stdio::inherit())
        .output();
    let output = output.expect("the benchmark starts itself");
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text
        .trim()
        .rsplit('\n')
        .next()
        .and_then(|line| line.strip_prefix("measured "))
        .into_iter()
        .flat_map(|line| line.split(' '))
        .filter_map(|it| it.parse().ok())
        .collect();
    let [wall, cpu, peak] = numbers[..] else {
        panic!("{} failed: {text}", STEPS[step].0);
    };
    Measured { wall, cpu, peak }
}

fn write_files(folder: &Path, size: usize) {
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("it has a folder"))
            .expect("the folder can be made");
        std::fs::write(path, text).expect("the file can be written");
    };
    let declared = boxes(size, PER_INPUT, 0.1, Change::Some);
    // A twentieth more than is declared, on inputs that are not.
    write(
        "listing.json",
        &listing(&boxes(size + size / 20, PER_INPUT, 0.1, Change::None)),
    );
    let target = "targets: { local: { embedded: store/local.db } }\ntarget: local\n";
    let images = json_lines(&declared).replace(
        r#","annotations""#,
        r#","image":{"url":"https://example.com/a.jpg"},"annotations""#,
    );
    write(
        "lines/annosync.yaml",
        &format!("{HEADER}{target}guards: {{ max_updates: 100%, max_deletes: 100% }}\n"),
    );
    write("lines/labels.jsonl", &images);
    write("yaml/annosync.yaml", HEADER);
    for (at, part) in declared.chunks(INPUTS_PER_FILE * PER_INPUT).enumerate() {
        let text = yaml(part);
        let inputs = text
            .strip_prefix(HEADER)
            .expect("it begins with the header");
        write(&format!("yaml/labels/{at:05}.yaml"), inputs);
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("it was written")
}

fn yaml_files(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder.join("yaml/labels")).expect("it was written");
    let paths: Vec<PathBuf> = files
        .map(|file| file.expect("it was written").path())
        .collect();
    paths.iter().map(|path| text(path)).collect()
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
    let context = plan::Context {
        target: plan::Target {
            endpoint: String::new(),
            user_id: "ann".into(),
            app_id: "bench".into(),
        },
        manifest_hash: String::new(),
        rate_limit: 15,
        allowances: plan::Allowances::default(),
        inventory: plan::Inventory::default(),
        shard: None,
    };
    plan::plan(desired, observed, &context).expect("the owner may do everything")
}

fn read_lines(folder: &Path) {
    text(&folder.join("lines/labels.jsonl"))
        .lines()
        .for_each(read_every_value);
}

fn read_every_value(text: &str) {
    Every
        .deserialize(&mut serde_json::Deserializer::from_str(text))
        .expect("it is JSON");
}

/// Reads every value and keeps none.
struct Every;

impl<'de> DeserializeSeed<'de> for Every {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! dropped {
    ($($method:ident($type:ty),)*) => {
        $(fn $method<E>(self, value: $type) -> Result<(), E> {
            std::hint::black_box(value);
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for Every {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    dropped! { visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str), }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Every)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Every)?.is_some() {
            map.next_value_seed(Every)?;
        }
        Ok(())
    }
}

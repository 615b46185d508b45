//! The time, the CPU time and the peak of memory of a step, which runs in a process of its own.

use super::canned::Canned;
use std::ffi::OsString;
use std::fmt;
use std::io::{Read as _, Seek as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a step took.
#[derive(Default, Clone, Copy)]
pub(crate) struct Measured {
    /// Seconds.
    pub(crate) wall: f64,
    /// Seconds of all threads.
    pub(crate) cpu: f64,
    /// The peak of resident memory in MB, with what was prepared for the step.
    pub(crate) peak: f64,
    /// How many calls a server counted, and the least that a client needs.
    pub(crate) calls: usize,
    pub(crate) least_calls: usize,
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "measured {} {} {} {} {}",
            self.wall, self.cpu, self.peak, self.calls, self.least_calls
        )
    }
}

impl Measured {
    pub(crate) fn of<T>(&mut self, step: impl FnOnce() -> T) {
        let (start, before) = (Instant::now(), cpu("self"));
        let made = step();
        *self = Self {
            wall: start.elapsed().as_secs_f64(),
            cpu: cpu("self") - before,
            peak: peak(),
            ..*self
        };
        drop(made);
    }

    /// The medians of an odd number of runs, each by itself.
    pub(crate) fn median(runs: &mut [Self]) -> Self {
        let mut median = |of: fn(&Self) -> f64| {
            runs.sort_by(|a, b| of(a).total_cmp(&of(b)));
            of(&runs[runs.len() / 2])
        };
        Self {
            wall: median(|it| it.wall),
            cpu: median(|it| it.cpu),
            peak: median(|it| it.peak),
            calls: median(|it| it.calls as f64) as usize,
            least_calls: runs[0].least_calls,
        }
    }

    /// Runs the program itself.
    pub(crate) fn of_program(&mut self, arguments: &[OsString]) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_annosync"));
        self.of_command(program.args(arguments));
    }

    /// Runs a client of this server, and takes how many calls it made.
    pub(crate) fn of_client(&mut self, server: &Canned, client: &mut Command) {
        self.of_command(client);
        self.calls = server.calls();
    }

    fn of_command(&mut self, command: &mut Command) {
        let mut talk = tempfile::tempfile().expect("there is a place for temporary files");
        let stderr = talk.try_clone().expect("it is open");
        let start = Instant::now();
        let mut child = command
            .stdout(Stdio::null())
            .stderr(stderr)
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
        let mut text = String::new();
        let read = talk.rewind().and_then(|()| talk.read_to_string(&mut text));
        read.expect("it was written");
        assert!(ended.success(), "{command:?} ended with {ended}:\n{text}");
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

/// Reads what another process has printed of a measurement.
pub(crate) fn printed(output: &[u8]) -> Option<Measured> {
    let text = std::str::from_utf8(output).ok()?;
    let line = text.trim().rsplit('\n').next()?;
    let numbers = line.strip_prefix("measured ")?.split(' ');
    let numbers: Vec<f64> = numbers.filter_map(|it| it.parse().ok()).collect();
    let [wall, cpu, peak, calls, least] = numbers[..] else {
        return None;
    };
    Some(Measured {
        wall,
        cpu,
        peak,
        calls: calls as usize,
        least_calls: least as usize,
    })
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

//! A server that only serves prepared bytes, counts its calls, and may limit their rate: what is measured against it is the
//! client.
//!
//! Pages are slices of one text. A post is answered with the annotations that were posted. Nothing is parsed or stored.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The maximum number of annotations of a page.
const PER_PAGE: usize = 1_000;
/// The least that two pages have in common.
const OVERLAP: usize = 15;

/// The start of each answer.
const SUCCESS: &str = r#"{"status":{"code":10000}"#;

/// What an app holds: the JSON of its annotations with commas in between, and where each of them ends.
#[derive(Default)]
pub(crate) struct Stored {
    text: String,
    ends: Vec<usize>,
}

impl Stored {
    pub(crate) fn of(annotations: impl Iterator<Item = String>) -> Self {
        let mut stored = Self::default();
        for annotation in annotations {
            if !stored.ends.is_empty() {
                stored.text.push(',');
            }
            stored.text.push_str(&annotation);
            stored.ends.push(stored.text.len());
        }
        stored
    }

    /// A page of a listing; empty after the end.
    fn page(&self, number: usize, size: usize) -> &str {
        let count = self.ends.len();
        let (first, after) = ((number - 1) * size, (number * size).min(count));
        if first >= after {
            return "";
        }
        let start = first.checked_sub(1).map_or(0, |at| self.ends[at] + 1);
        &self.text[start..self.ends[after - 1]]
    }
}

/// How fast a server is.
#[derive(Default)]
pub(crate) struct Wire {
    /// The most calls that are accepted in any second, wherever it begins. This is stricter than a bucket of as many tokens
    /// that fills at this rate.
    pub(crate) rate: Option<usize>,
    /// The time from a call to its answer. Half of it passes before the call counts.
    pub(crate) latency: Duration,
}

/// Calls of one kind, and when the accepted ones arrived.
#[derive(Default)]
struct Counts {
    pages: AtomicUsize,
    posts: AtomicUsize,
    others: AtomicUsize,
    refused: AtomicUsize,
    /// Of the last second.
    accepted: Mutex<VecDeque<Instant>>,
}

struct App {
    stored: Stored,
    wire: Wire,
    counts: Counts,
}

/// A server on this machine. It runs as long as the process.
pub(crate) struct Canned {
    app: Arc<App>,
    pub(crate) url: String,
}

impl Canned {
    pub(crate) fn start(stored: Stored, wire: Wire) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let counts = Counts::default();
        let app = Arc::new(App {
            stored,
            wire,
            counts,
        });
        let served = Arc::clone(&app);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let app = Arc::clone(&served);
                // A client that goes away ends its thread.
                std::thread::spawn(move || app.serve(&stream));
            }
        });
        let url = format!("http://{address}");
        Self { app, url }
    }

    /// All calls, with those that were refused.
    pub(crate) fn calls(&self) -> usize {
        let others = self.app.counts.others.load(Relaxed);
        self.pages() + self.posts() + others + self.refused()
    }

    /// The pages of listings that were served.
    pub(crate) fn pages(&self) -> usize {
        self.app.counts.pages.load(Relaxed)
    }

    pub(crate) fn posts(&self) -> usize {
        self.app.counts.posts.load(Relaxed)
    }

    pub(crate) fn refused(&self) -> usize {
        self.app.counts.refused.load(Relaxed)
    }
}

impl App {
    /// Answers the calls of one connection until the client closes it.
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let (mut line, mut body) = (String::new(), Vec::new());
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let request = line.clone();
            let mut length = 0;
            while line.trim_end() != "" {
                line.clear();
                reader.read_line(&mut line)?;
                let name = line.split(':').next().unwrap_or_default();
                if name.eq_ignore_ascii_case("content-length") {
                    length = number(&line[name.len() + 1..]);
                }
            }
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
            std::thread::sleep(self.wire.latency / 2);
            let is_accepted = self.accepts();
            std::thread::sleep(self.wire.latency / 2);
            if !is_accepted {
                self.counts.refused.fetch_add(1, Relaxed);
                let refusal = r#"{"status":{"code":11005}}"#;
                write(stream, "429 Too Many Requests", &[refusal.as_bytes()])?;
                continue;
            }
            self.answer(stream, &request, &body)?;
        }
    }

    fn answer(&self, stream: &TcpStream, request: &str, body: &[u8]) -> std::io::Result<()> {
        let target = request.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let field = |name: &str| {
            let value = query
                .split('&')
                .find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
            value.map_or(1, number)
        };
        let (is_read, last) = (
            request.starts_with("GET "),
            path.rsplit('/').next().unwrap_or_default(),
        );
        let counts = &self.counts;
        let mut text = SUCCESS.to_owned();
        let parts: &[&[u8]] = match (is_read, last) {
            (true, "annotations") => {
                counts.pages.fetch_add(1, Relaxed);
                text.push_str(r#","annotations":["#);
                let page = self.stored.page(field("page"), field("per_page"));
                &[text.as_bytes(), page.as_bytes(), b"]}"]
            }
            // The annotations as they were posted.
            (false, "annotations") if request.starts_with("POST ") => {
                counts.posts.fetch_add(1, Relaxed);
                text.push(',');
                &[text.as_bytes(), &body[1..]]
            }
            (true, "me") => {
                counts.others.fetch_add(1, Relaxed);
                text.push_str(r#","user":{"id":"ann"}}"#);
                &[text.as_bytes()]
            }
            (true, "concepts") => {
                counts.others.fetch_add(1, Relaxed);
                let ids = if field("page") == 1 {
                    super::generated::CONCEPTS.as_slice()
                } else {
                    &[]
                };
                let ids: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
                let _ = write!(text, r#","concepts":[{}]}}"#, ids.join(","));
                &[text.as_bytes()]
            }
            _ => panic!("no answer is prepared for {request}"),
        };
        write(stream, "200 OK", parts)
    }

    fn accepts(&self) -> bool {
        let Some(rate) = self.wire.rate else {
            return true;
        };
        let mut accepted = self
            .counts
            .accepted
            .lock()
            .expect("no thread panics with it");
        let now = Instant::now();
        while (accepted.front()).is_some_and(|at| now - *at >= Duration::from_secs(1)) {
            accepted.pop_front();
        }
        let is_free = accepted.len() < rate;
        if is_free {
            accepted.push_back(now);
        }
        is_free
    }
}

fn write(mut stream: &TcpStream, status: &str, parts: &[&[u8]]) -> std::io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut text = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    // One packet for a small answer, no copy of a large one.
    for part in parts {
        if part.len() > 10_000 {
            stream.write_all(&text)?;
            stream.write_all(part)?;
            text.clear();
        } else {
            text.extend_from_slice(part);
        }
    }
    stream.write_all(&text)
}

/// The program with this command, against this server and at this rate.
pub(crate) fn program(command: &str, server: &Canned, rate: usize) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_annosync"));
    let app = ["--user-id", "ann", "--app-id", "bench", "--rate-limit"];
    program.args([command, "--endpoint", &server.url]).args(app);
    program.arg(rate.to_string()).env("CLARIFAI_PAT", "bench");
    program
}

/// Start and end of the page that follows `end`: of those that overlap it by 15 annotations, the one that ends last. No other
/// choice takes fewer pages, because a later end leaves every choice open.
fn next_page((_, end): (usize, usize)) -> (usize, usize) {
    let latest_start = end - OVERLAP;
    let fewest = latest_start.div_ceil(PER_PAGE);
    let pages = (fewest..fewest + 256).map(|before| {
        let size = (latest_start / before).min(PER_PAGE);
        (before * size, (before + 1) * size)
    });
    pages.max_by_key(|page| page.1).expect("there are some")
}

/// The smallest number of calls that list so many annotations: who calls, the overlapping pages, two empty ones, and the first
/// and the last page again. A single page is read twice, the one after it too, and the next one once.
pub(crate) fn calls_of_listing(annotations: usize) -> usize {
    if annotations < PER_PAGE {
        return 1 + 5;
    }
    let pages = std::iter::successors(Some((0, PER_PAGE)), |page| Some(next_page(*page)));
    let pages = pages.take_while(|(start, _)| *start < annotations);
    1 + pages.count() + 2 + 2
}

fn number(text: &str) -> usize {
    text.trim().parse().expect("it is a number")
}

//! Endless answers: too many bytes, too many pages, too slow. Each is an error that names the limit to raise, and takes
//! little memory.

#[cfg(unix)]
use super::disk::limited;
use super::{Run, World, boxes};
use serde_json::{Value, json};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The limit of a run's address space in kilobytes: an answer that is kept as a whole needs more.
#[cfg(unix)]
const ADDRESS_SPACE: u32 = 1_500_000;

/// The binary with little memory, against the server at this URL.
#[cfg(unix)]
fn on_little_memory(world: &World, url: &str, arguments: &[&str]) -> Run {
    limited(world, &format!("ulimit -v {ADDRESS_SPACE}"), url, arguments)
}

/// Answers the request for the caller; `answer` gets the path and query of any other request, and writes its answer. A
/// client that has disconnected is not a failure.
fn serving(
    answer: impl Fn(&str, &mut TcpStream) -> io::Result<()> + Clone + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut stream = stream?;
                let mut head = BufReader::new(stream.try_clone()?);
                let mut first = String::new();
                head.read_line(&mut first)?;
                let mut line = String::new();
                while head.read_line(&mut line)? > 2 {
                    line.clear();
                }
                let path = first.split(' ').nth(1).unwrap_or_default();
                if path == "/v2/users/me" {
                    let caller = json!({"status": {"code": 10_000}, "user": {"id": "owner"}});
                    whole(&mut stream, &caller)
                } else {
                    answer(path, &mut stream)
                }
            });
        }
    });
    url
}

/// The head of an answer that ends with its connection.
const HEAD: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n";

fn whole(stream: &mut TcpStream, answer: &Value) -> io::Result<()> {
    let body = answer.to_string();
    write!(stream, "{HEAD}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// A gzip file of spaces, without its end: each block of 13 bytes unpacks to 2,064, 4 GB in all.
fn write_packed(stream: &mut TcpStream) -> io::Result<()> {
    // A match of 258 bytes at distance 1 is 13 bits in the fixed code of RFC 1951, 3.2.6: symbol 285 (11000101), distance
    // 0 (00000). Eight of them are whole bytes.
    let matches: Vec<u8> = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0].repeat(8);
    // A last block with fixed codes (1, then 10) and a space (01010000), 11 bits; the first 5 bits of a match fill two bytes.
    let start = [&[1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0][..], &matches[..5]].concat();
    let period = [&matches[5..], &matches[..5]].concat();
    // Magic number, deflate, no flags, no time, no extra flags, unknown system.
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    write!(stream, "{HEAD}Content-Encoding: gzip\r\n\r\n")?;
    stream.write_all(&head)?;
    stream.write_all(&bytes(&start))?;
    let piece = bytes(&period).repeat(4_096);
    (0..512).try_for_each(|_| stream.write_all(&piece))
}

/// Bits into bytes, the lowest first.
fn bytes(bits: &[u8]) -> Vec<u8> {
    bits.chunks(8)
        .map(|byte| byte.iter().rev().fold(0, |sum, bit| sum * 2 + bit))
        .collect()
}

#[test]
#[cfg(unix)]
fn an_answer_that_unpacks_to_gigabytes_is_an_error_and_takes_little_memory() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let url = serving(|_, stream| write_packed(stream));
    for arguments in [
        &["plan", "m.yaml", "--max-answer", "64"][..],
        &["list"],
        &["pull", "new"],
    ] {
        on_little_memory(&world, &url, arguments)
            .exits(1)
            .says("has more than")
            .says("MB after decompression")
            .says("raise --max-answer");
    }
}

#[test]
#[cfg(unix)]
fn an_endless_answer_is_an_error_and_takes_little_memory() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let url = serving(|_, stream| {
        write!(stream, "{HEAD}Transfer-Encoding: chunked\r\n\r\n")?;
        let piece = format!("10000\r\n{}\r\n", " ".repeat(1 << 16));
        loop {
            stream.write_all(piece.as_bytes())?;
        }
    });
    for arguments in [
        &["plan", "m.yaml", "--max-answer", "16"][..],
        &["apply", "m.yaml", "--auto-approve", "--max-answer", "16"],
        &["list", "--max-answer", "16"],
    ] {
        on_little_memory(&world, &url, arguments)
            .exits(1)
            .says("has more than 16 MB after decompression");
    }
}

/// The number that a query has under a name.
fn number(path: &str, name: &str) -> u64 {
    let mut pairs = path
        .split(['?', '&'])
        .filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name).unwrap();
    value.parse().unwrap()
}

#[test]
fn endless_pages_are_an_error() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    for page_size in [1_000, 25, 1] {
        let asked = Arc::new(AtomicU64::new(0));
        let last = Arc::clone(&asked);
        let url = serving(move |path, stream| {
            let size = number(path, "per_page").min(page_size);
            let page = number(path, "page");
            last.fetch_max(page, Ordering::Relaxed);
            let annotations: Vec<Value> = ((page - 1) * size..page * size)
                .map(|at| {
                    json!({
                        "id": format!("a{at}"), "input_id": "in", "data": {},
                        "created_at": format!("2026-01-01T{:02}:{:02}:{:02}Z", at / 3_600 % 24, at / 60 % 60, at % 60),
                    })
                })
                .collect();
            let answer = json!({"status": {"code": 10_000}, "annotations": annotations});
            whole(stream, &answer)
        });
        let target = ["--endpoint", &url, "--user-id", "owner", "--app-id", "app"];
        for command in [&["plan", "m.yaml"][..], &["list"]] {
            let bounded = [
                command,
                &["--max-pages", "12", "--rate-limit", "1000"],
                &target,
            ]
            .concat();
            world
                .run(&bounded)
                .exits(1)
                .says("the listing has more than 12 pages")
                .says("raise --max-pages");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 12, "{page_size}");
    }
}

#[test]
fn a_slow_answer_ends_at_the_deadline() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let url = serving(|_, stream| {
        write!(stream, "{HEAD}Content-Length: 100\r\n\r\n{{")?;
        // Until the client goes away.
        stream.read_to_end(&mut Vec::new()).map(|_| ())
    });
    let target = ["--endpoint", &url, "--user-id", "owner", "--app-id", "app"];
    for command in [
        &["plan", "m.yaml"][..],
        &["apply", "m.yaml", "--auto-approve"],
        &["list"],
        &["pull", "new"],
    ] {
        world
            .run(&[command, &["--deadline", "1"], &target].concat())
            .exits(1)
            .says("the run took longer than 1 s (--deadline); nothing was written");
    }
}

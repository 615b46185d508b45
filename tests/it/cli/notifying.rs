//! `--notify`, and the outcome as Markdown.

use super::{Run, World, app_flags, boxes};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// A webhook that answers with these HTTP statuses, one connection each. It gives the heads and bodies that it got.
fn webhook(statuses: &'static [u16]) -> (String, JoinHandle<Vec<(String, String)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook/secret", listener.local_addr().unwrap());
    let serve = move || {
        let mut got = Vec::new();
        for status in statuses {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                reader.read_line(&mut head).unwrap();
            }
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().unwrap())
            });
            let mut body = vec![0; length.unwrap()];
            reader.read_exact(&mut body).unwrap();
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            got.push((head, String::from_utf8(body).unwrap()));
        }
        got
    };
    (url, std::thread::spawn(serve))
}

fn apply(world: &World, url: &str) -> Run {
    let app = world.emulator.url();
    let mut command = world.command();
    command
        .env("ANNOSYNC_NOTIFY_TOKEN", "hook-token")
        .args(["apply", "m.yaml", "-y", "--notify", url])
        .args(app_flags(&app));
    Run::of(command)
}

#[test]
fn the_outcome_is_posted_again_until_it_is_taken_without_the_apps_token() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    let (url, served) = webhook(&[503, 204]);
    let run = apply(&world, &url).exits(0);
    assert!(!run.stderr.contains("webhook"), "{}", run.stderr);
    world.is_settled();
    let got = served.join().unwrap();
    assert_eq!(got.len(), 2);
    let (head, body) = &got[1];
    assert_eq!(got[0].1, *body);
    assert!(head.contains("Bearer hook-token"), "{head}");
    assert!(
        !head.contains("owner-key") && !body.contains("owner-key"),
        "{head}\n{body}"
    );
    let notice: Value = serde_json::from_str(body).unwrap();
    assert_eq!(notice["ending"], "applied");
    assert_eq!(notice["applied"]["post"], 3);
    assert_eq!(notice["left_out"], 0);
    let text = notice["text"].as_str().unwrap();
    assert!(
        text.starts_with("annosync: An apply of label set"),
        "{text}"
    );
    assert!(text.contains("Applied 3 (3 posted)"), "{text}");
}

#[test]
fn a_webhook_that_fails_does_not_change_the_apply() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let (url, served) = webhook(&[404]);
    let run = apply(&world, &url).exits(0);
    assert!(
        run.stderr
            .contains("Warning: the webhook was not notified: 127.0.0.1 answered with HTTP 404"),
        "{}",
        run.stderr
    );
    // The URL of a webhook is a secret.
    assert!(!run.stderr.contains("hook/secret"), "{}", run.stderr);
    assert_eq!(served.join().unwrap().len(), 1);
    world.is_settled();
}

#[test]
fn a_wrong_webhook_stops_the_apply_before_anything_is_sent() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    for url in [
        "http://chat.example/hook",
        "chat.example",
        "ftp://chat.example",
    ] {
        let run = apply(&world, url).exits(64);
        assert!(run.stderr.contains("--notify"), "{}", run.stderr);
    }
    assert_eq!(world.emulator.calls(), []);
}

#[test]
fn the_outcome_as_markdown_is_that_of_show() {
    let world = World::new();
    world.declare(&boxes(0..2, "car"));
    let applied = world.apply(&["--format", "markdown"]);
    assert!(
        applied.stdout.contains("annosync apply: applied"),
        "{}",
        applied.stdout
    );
    assert!(
        applied.stdout.contains("Applied 2 (2 posted)"),
        "{}",
        applied.stdout
    );
    world.declare(&boxes(0..1, "bus"));
    let saved = world.apply(&["--format", "json"]).exits(0);
    world.write("outcome.json", &saved.stdout);
    let shown = world
        .run(&["show", "outcome.json", "--format", "markdown"])
        .exits(0);
    assert!(
        shown.stdout.contains("annosync apply: applied"),
        "{}",
        shown.stdout
    );
}

//! The token is in no output, whatever happens.

use super::{World, boxes, folder_of};
use annosync::api::code::Code;
use annosync::emulator::{Config, Endpoint, Fault};

/// A text that nothing else holds.
const MARKER: &str = "pat-5f0c2e9b-marker";

#[test]
fn no_output_and_no_file_ever_holds_the_token() {
    let world = World::with(Config {
        owner_key: MARKER.to_owned(),
        ..Config::default()
    })
    .with_key(MARKER);
    world.write("secret/pat", MARKER);
    world.declare(&boxes(0..3, "car"));
    let url = world.emulator.url();
    let app = [
        "--endpoint",
        &url,
        "--user-id",
        "owner",
        "--app-id",
        "app",
        "-vv",
    ];
    let wrong_app = [
        "--endpoint",
        &url,
        "--user-id",
        "owner",
        "--app-id",
        "other",
        "-vv",
    ];
    let nowhere = [
        "--endpoint",
        "http://127.0.0.1:1",
        "--user-id",
        "owner",
        "--app-id",
        "app",
        "-vv",
    ];
    let file = ["--pat-file", "secret/pat"];
    let faults = world.emulator.faults();
    faults.next(Endpoint::GetUser, Fault::Unavailable(503));
    faults.next(Endpoint::ListAnnotations, Fault::DropAfter);
    let code = Code::ANNOTATION_INVALID_ARGUMENT;
    let items = vec![1];
    faults.next(Endpoint::PostAnnotations, Fault::FailItems { items, code });
    let runs = [
        (
            [&["plan", "m.yaml", "--out", "plan.json"], &app[..]].concat(),
            0,
        ),
        ([&["apply", "m.yaml", "--dry-run"], &app[..]].concat(), 0),
        (
            [&["apply", "m.yaml", "--auto-approve"], &app[..]].concat(),
            5,
        ),
        (
            [&["apply", "plan.json", "--auto-approve", "-vv"], &file[..]].concat(),
            0,
        ),
        (
            [&["list", "--all", "--format", "json"], &app[..], &file].concat(),
            0,
        ),
        ([&["list"], &app[..]].concat(), 0),
        ([&["plan", "m.yaml"], &wrong_app[..]].concat(), 1),
        ([&["plan", "m.yaml"], &nowhere[..]].concat(), 1),
        (
            [&["plan", "m.yaml", "--format", "json"], &app[..]].concat(),
            0,
        ),
        (
            vec![
                "plan",
                "m.yaml",
                "--endpoint",
                "ftp://x",
                "--user-id",
                "a",
                "--app-id",
                "b",
            ],
            1,
        ),
        (vec!["validate", "m.yaml", "-vv"], 0),
    ];
    for (arguments, code) in runs {
        let run = world.run(&arguments).exits(code);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(!said.contains(MARKER), "{arguments:?}\n{said}");
        assert!(!said.contains("marker"), "{arguments:?}\n{said}");
    }
    std::fs::remove_file(world.path().join("secret/pat")).unwrap();
    for (name, text) in folder_of(world.path()) {
        assert!(!text.contains(MARKER), "{name}");
    }
    world.is_settled();
}

#[test]
fn a_token_that_is_not_accepted_is_not_shown_and_a_bad_one_is_not_either() {
    let world = World::new().with_key(MARKER);
    world.declare(&boxes(0..1, "car"));
    let run = world.plan(&["-vv"]).exits(1);
    assert!(run.stderr.contains("not authorised"));
    assert!(!run.stderr.contains(MARKER), "{}", run.stderr);
    let world = world.with_key("pat with-marker spaces");
    let run = world.plan(&["-vv"]).exits(1);
    assert!(
        run.stderr
            .contains("error: the token holds characters that no token has")
    );
    assert!(!run.stderr.contains("marker"), "{}", run.stderr);
    world.write("pat", "");
    let run = world.plan(&["--pat-file", "pat"]).exits(1);
    assert!(
        run.stderr.contains("error: the token is empty"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_token_file_may_end_with_a_line_feed_and_beats_the_environment() {
    let world = World::new().with_key("nobody's");
    world.declare(&boxes(0..1, "car"));
    world.write("pat", "owner-key\n");
    world.plan(&["--pat-file", "pat"]).exits(0);
    let run = world.plan(&["--pat-file", "missing"]).exits(1);
    assert!(
        run.stderr.contains("cannot read the token from missing"),
        "{}",
        run.stderr
    );
}

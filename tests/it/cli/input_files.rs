//! Reading files: byte order marks, encodings, conflict markers and LFS pointers, line ends, pipes and devices.

use super::{World, boxes, header};
use std::fs;

/// A command for each way to read a file; `{}` is its name.
fn readers() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("plan.json", vec!["apply", "{}", "--dry-run"]),
        ("listing.json", vec!["plan", "m.yaml", "--observed", "{}"]),
        ("m.yaml", vec!["validate", "{}"]),
        ("m.json", vec!["validate", "{}"]),
        (
            "coco.json",
            vec!["import", "coco", "{}", "--out", "out.yaml"],
        ),
    ]
}

fn world() -> World {
    let world = World::new();
    world.declare(&boxes(0..2, "car"));
    world.plan(&["--out", "plan.json"]).exits(0);
    let listed = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0);
    world.write("listing.json", &listed.stdout);
    world.write(
        "m.json",
        r#"{"version": 1, "set": "s", "policy": "sync", "inputs": []}"#,
    );
    world.write(
        "coco.json",
        r#"{"images": [], "categories": [], "annotations": []}"#,
    );
    world
}

/// Runs each reader on a changed copy of its file.
fn each(world: &World, change: fn(&str) -> Vec<u8>, check: impl Fn(&[&str], super::Run)) {
    for (file, arguments) in readers() {
        let extension = file.rsplit('.').next().unwrap();
        let copy = format!("changed.{extension}");
        fs::write(world.path().join(&copy), change(&world.read(file))).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|it| it.replace("{}", &copy)).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        check(&arguments, world.run(&arguments));
        fs::remove_file(world.path().join(copy)).unwrap();
    }
}

#[test]
fn a_byte_order_mark_is_accepted_by_every_command() {
    let world = world();
    let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
    each(&world, marked, |arguments, run| {
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    });
}

#[test]
fn utf16_is_reported_by_every_command() {
    let world = world();
    let utf16 = |text: &str| -> Vec<u8> {
        let text = format!("\u{feff}{text}");
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    each(&world, utf16, |_, run| {
        run.exits(1)
            .says("UTF-16 (little endian), not UTF-8")
            .says("save the file as UTF-8");
    });
    // Without a byte order mark.
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    each(&world, utf16, |_, run| {
        run.exits(1).says("UTF-16 (big endian), not UTF-8");
    });
}

#[test]
fn conflict_markers_and_lfs_pointers_are_reported_by_every_command() {
    let world = world();
    let conflict = |text: &str| {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        format!("{first}\n<<<<<<< HEAD\n{rest}\n=======\n{rest}\n>>>>>>> topic\n").into_bytes()
    };
    each(&world, conflict, |_, run| {
        run.exits(1)
            .says("an unresolved merge conflict")
            .says(":2:1")
            .says("`git add` the file");
    });
    let pointer = |_: &str| {
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n".to_vec()
    };
    each(&world, pointer, |_, run| {
        run.exits(1)
            .says("is a Git LFS pointer")
            .says("git lfs pull");
    });
}

#[test]
fn a_nul_byte_is_reported_with_line_and_column() {
    let world = world();
    let with_nul = |text: &str| format!("{text}\n  \0").into_bytes();
    each(&world, with_nul, |_, run| {
        run.exits(1).says("a NUL byte").says(":3");
    });
    // The text after it is read too.
    world.write(
        "m.yaml",
        &format!(
            "{}inputs:\n  - id: a\n    annotations: []\n\0  - id: b\n",
            header()
        ),
    );
    world
        .run(&["validate", "m.yaml"])
        .exits(1)
        .says("m.yaml:8:1");
}

#[test]
fn lfs_pointers_as_masks_and_texts_are_reported() {
    let world = World::new();
    world.write("m/annosync.yaml", &header());
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    world.write("m/mask.png", pointer);
    world.write(
        "m/a.yaml",
        "inputs: [{ id: a, annotations: [{ key: k, mask: { path: mask.png } }] }]\n",
    );
    world
        .run(&["validate", "m"])
        .exits(1)
        .says("`mask.png`: the file is a Git LFS pointer");
    world.write(
        "m/a.yaml",
        "inputs: [{ id: a, text: { path: t.txt }, annotations: [] }]\n",
    );
    world.write("m/t.txt", pointer);
    world
        .run(&["validate", "m"])
        .exits(1)
        .says("Git LFS pointer")
        .says("m/a.yaml:1:");
    world.write("m/t.txt", "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic\n");
    world
        .run(&["validate", "m"])
        .exits(1)
        .says("`t.txt`:2:1: an unresolved merge conflict");
    world.write("m/t.txt", "a\nb\0");
    world
        .run(&["validate", "m"])
        .exits(1)
        .says("`t.txt`:2:2: a NUL byte");
}

#[test]
fn crlf_counts_as_lf() {
    let world = World::new();
    let span = "[{ key: k, span: { start: 4, end: 7 }, concepts: [c] }]";
    let label =
        format!("inputs:\n  - id: a\n    text: {{ path: t.txt }}\n    annotations: {span}\n");
    let plan = |crlf: bool, name: &str| {
        let ends = |text: &str| {
            if crlf {
                text.replace('\n', "\r\n")
            } else {
                text.to_owned()
            }
        };
        world.write(&format!("{name}/annosync.yaml"), &ends(&header()));
        world.write(&format!("{name}/a.yaml"), &ends(&label));
        world.write(&format!("{name}/t.txt"), &ends("abc\ndef\n"));
        let plan = world.on_app(&["plan", name, "--format", "json"]).exits(0);
        plan.stdout
    };
    let (unix, windows) = (plan(false, "unix"), plan(true, "windows"));
    assert!(unix.contains("\"def\""), "{unix}");
    assert_eq!(
        unix, windows,
        "one plan on both machines, its hash included"
    );
    world
        .on_app(&["plan", "unix", "--out", "plan.json"])
        .exits(0);
    let apply = [
        "apply",
        "plan.json",
        "--manifest",
        "windows",
        "--auto-approve",
    ];
    world.run(&apply).exits(0);
    let again = world.on_app(&["plan", "windows", "--detailed-exitcode"]);
    super::settled(&again);
}

#[test]
#[cfg(unix)]
fn pipes_are_read_and_devices_refused() {
    let world = world();
    let binary = world.command();
    let through_a_pipe = |script: &str| {
        let mut shell = std::process::Command::new("bash");
        shell
            .args(["-c", script])
            .arg(binary.get_program())
            .current_dir(world.path());
        super::Run::of(shell)
    };
    through_a_pipe(r#""$0" plan m.yaml --observed <(cat listing.json)"#).exits(0);
    through_a_pipe(r#"cat coco.json | "$0" import coco /dev/stdin --out piped.yaml"#).exits(0);
    for (arguments, name) in [
        (["plan", "m.yaml", "--observed", "{}"], "/dev/zero"),
        (["plan", "m.yaml", "--observed", "{}"], "."),
        (["list", "--all", "--pat-file", "{}"], "/dev/zero"),
    ] {
        let arguments = arguments.map(|it| if it == "{}" { name } else { it });
        world.on_app(&arguments).exits(1).says(", not a file");
    }
}

#[test]
fn a_token_file_may_have_a_byte_order_mark_and_is_never_shown() {
    let world = World::new();
    world.write("pat", "\u{feff}owner-key\r\n");
    world
        .on_app(&["list", "--all", "--pat-file", "pat"])
        .exits(0);
    let utf16: Vec<u8> = "\u{feff}owner-key"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(world.path().join("pat"), utf16).unwrap();
    let run = world
        .on_app(&["list", "--all", "--pat-file", "pat"])
        .exits(1);
    assert!(
        run.stderr.contains("UTF-16") && !run.stderr.contains("owner"),
        "{}",
        run.stderr
    );
    fs::File::create(world.path().join("pat"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    world
        .on_app(&["list", "--all", "--pat-file", "pat"])
        .exits(1)
        .says("more than 65536 bytes");
}

/// Words of parsers and of Rust types that messages must not contain.
const PARSER_WORDS: [&str; 8] = [
    "EOF",
    "expected",
    "invalid type",
    "missing field",
    "unknown field",
    "unknown variant",
    "struct ",
    " at line ",
];

#[test]
#[expect(clippy::too_many_lines, reason = "one row for each file and fault")]
fn a_broken_file_is_reported_in_plain_words_with_its_place() {
    let world = world();
    world
        .apply(&["--undo-out", "undo.json", "--log", "log.jsonl"])
        .exits(0);
    world.write("m.yaml", &format!("{}inputs: []\n", header()));
    let listed = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0);
    world.write("listing.json", &listed.stdout);
    let outcome = world.on_app(&[
        "apply",
        "m.yaml",
        "--auto-approve",
        "--allow-empty",
        "--format",
        "json",
    ]);
    let outcome = outcome.exits(0).stdout;
    let read = |name: &str| world.read(name);
    let (plan, undo, listing) = (read("plan.json"), read("undo.json"), read("listing.json"));
    let half = |text: &str| text[..text.len() / 2].to_owned();
    let log = read("log.jsonl");
    let no_list = |text: &str, key: &str| {
        let mut json: serde_json::Value = serde_json::from_str(text).unwrap();
        json[key] = serde_json::json!({"a": 1});
        json.to_string()
    };
    let without = |text: &str, key: &str| {
        let mut json: serde_json::Value = serde_json::from_str(text).unwrap();
        json.as_object_mut().unwrap().remove(key).unwrap();
        json.to_string()
    };
    let apply: &[&str] = &["apply", "{}"];
    let show: &[&str] = &["show", "{}"];
    let observed: &[&str] = &["plan", "m.yaml", "--observed", "{}"];
    let seed: &[&str] = &["emulator", "--listen", "127.0.0.1:0", "--seed", "{}"];
    let coco: &[&str] = &["import", "coco", "{}", "--out", "out.yaml"];
    let validate: &[&str] = &["validate", "{}"];
    let new_plan = "make a new one with `annosync plan --out FILE`";
    let new_listing = "save a listing with `annosync list";
    let an_undo = "an undo cannot be made again: restore the file as --undo-out wrote it, whole";
    let seedable = "give it a listing that `annosync list` printed, as json or jsonl";
    let cut = "the file is cut off ";
    for (file, text, command, message, hint) in [
        ("b.json", half(&plan), apply, cut, new_plan),
        ("b.json", half(&plan), show, cut, new_plan),
        (
            "b.json",
            no_list(&plan, "operations"),
            apply,
            "must be a list, found an object",
            new_plan,
        ),
        (
            "b.json",
            without(&plan, "policy"),
            apply,
            "the key `policy` is missing",
            new_plan,
        ),
        (
            "b.json",
            plan.replace("\"sync\"", "\"snyc\""),
            apply,
            "unknown value `snyc`; allowed: `sync`, `upsert`, `create`",
            new_plan,
        ),
        ("b.json", half(&undo), apply, cut, an_undo),
        ("b.json", half(&undo), show, cut, an_undo),
        (
            "b.json",
            half(&outcome),
            show,
            cut,
            "keep all that `annosync apply --format json` prints",
        ),
        (
            "b.json",
            no_list(&outcome, "planned"),
            show,
            "must be a whole number, 0 or more, found an object",
            "annosync apply --format json",
        ),
        ("b.json", half(&listing), observed, cut, new_listing),
        (
            "b.json",
            no_list(&listing, "annotations"),
            observed,
            "must be a list of annotations, found an object",
            new_listing,
        ),
        (
            "b.json",
            without(&listing, "caller"),
            observed,
            "the key `caller` is missing",
            new_listing,
        ),
        ("b.json", half(&listing), seed, cut, seedable),
        (
            "b.yaml",
            "- id: a\n".to_owned(),
            seed,
            "not a JSON number",
            seedable,
        ),
        ("b.json", "{\"images\": [".to_owned(), coco, cut, ""),
        (
            "b.json",
            "{\"images\": [], \"annotations\": [], \"info\": x}".to_owned(),
            coco,
            "a value is missing",
            "",
        ),
        (
            "b.json",
            "{\"inputs\": [{\"id\": \"a\"".to_owned(),
            validate,
            cut,
            "",
        ),
        (
            "b.jsonl",
            "{\"id\": \"a\", \"annotations\": []}\n{\"id\": \"b\"\n".to_owned(),
            validate,
            cut,
            "",
        ),
        (
            "b.txt",
            format!("{log}{{\"ended\":\"applied\",\"x\":1}}\n"),
            show,
            "the key `action` is missing",
            "annosync apply --log",
        ),
    ] {
        world.write(file, &text);
        let arguments: Vec<String> = command.iter().map(|it| it.replace("{}", file)).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = world.run(&arguments).exits(1);
        let case = format!(
            "{arguments:?} of {}: {}",
            &text[..text.len().min(40)],
            run.stderr
        );
        assert!(run.stderr.contains(message), "{case}");
        assert!(run.stderr.contains(hint), "{case}");
        let place = run.stderr.split(&format!("{file}:")).nth(1).expect(&case);
        let mut numbers = place.split([':', '\n', ' ']);
        for _ in 0..2 {
            let number = numbers.next().and_then(|it| it.parse::<usize>().ok());
            assert!(number.is_some_and(|it| it > 0), "{case}");
        }
        for word in PARSER_WORDS {
            assert!(!run.stderr.contains(word), "{word}: {case}");
        }
        fs::remove_file(world.path().join(file)).unwrap();
    }
}

#[test]
fn a_file_of_another_kind_is_reported_with_the_expected_kind() {
    let world = world();
    world.apply(&[]).exits(0);
    let list = world
        .on_app(&["list", "--all", "--format", "jsonl"])
        .exits(0);
    world.write("seed.jsonl", &list.stdout);
    let observed = ["plan", "m.yaml", "--observed", "seed.jsonl"];
    let annotations = "seed.jsonl is a list of annotations (`list --format jsonl`), not ";
    let run = world.run(&observed).exits(64);
    run.says(annotations).says("not a saved listing");
    let run = world.run(&["show", "seed.jsonl"]).exits(64);
    run.says(annotations);
    let run = world.run(&["validate", "seed.jsonl"]).exits(64);
    run.says(annotations).says("not a manifest");
    let seed = ["emulator", "--listen", "127.0.0.1:0", "--seed"];
    for (file, kind) in [
        ("plan.json", "a plan file"),
        ("m.yaml", "a part of a manifest"),
        ("coco.json", "a COCO file"),
    ] {
        let run = world.run(&[&seed[..], &[file]].concat()).exits(64);
        run.says(&format!(
            "{file} is {kind}, not a listing that `annosync list` printed, as json or jsonl"
        ));
    }
}

#[test]
fn a_truncated_log_is_shown_up_to_its_last_line() {
    let world = world();
    world.apply(&["--log", "log.jsonl"]).exits(0);
    let log = world.read("log.jsonl");
    let first = log.find('\n').unwrap();
    for (length, summary) in [
        (8, "0 changes.\n"),
        (first / 2, "0 changes.\n"),
        (first + first / 2, "1 change: 1 applied.\n"),
    ] {
        world.write("cut.txt", &log[..length]);
        let run = world.run(&["show", "cut.txt"]).exits(0);
        assert!(run.stdout.ends_with(summary), "{length}: {}", run.stdout);
        run.says("Warning: 1 incomplete line not shown");
    }
}

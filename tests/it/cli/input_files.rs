//! Files that are read: byte order marks, other encodings, what git leaves behind, line ends, and what is no file.

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
        let ending = file.rsplit('.').next().unwrap();
        let copy = format!("changed.{ending}");
        fs::write(world.path().join(&copy), change(&world.read(file))).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|it| it.replace("{}", &copy)).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        check(&arguments, world.run(&arguments));
        fs::remove_file(world.path().join(copy)).unwrap();
    }
}

#[test]
fn a_byte_order_mark_is_accepted_everywhere() {
    let world = world();
    let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
    each(&world, marked, |arguments, run| {
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    });
}

#[test]
fn utf16_is_named_everywhere() {
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
    // Without a mark.
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    each(&world, utf16, |_, run| {
        run.exits(1).says("UTF-16 (big endian), not UTF-8");
    });
}

#[test]
fn what_git_leaves_behind_is_named_everywhere() {
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
fn a_nul_byte_has_its_line_and_column() {
    let world = world();
    let with_nul = |text: &str| format!("{text}\n  \0").into_bytes();
    each(&world, with_nul, |_, run| {
        run.exits(1).says("a NUL byte").says(":3");
    });
    // Nothing behind it is lost from sight.
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
fn a_mask_or_a_text_that_git_left_is_named() {
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
fn a_pipe_is_read_where_a_file_is_named_and_a_device_never() {
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
        world
            .on_app(&arguments)
            .exits(1)
            .says("is not a file but a");
    }
}

#[test]
fn a_token_may_have_a_byte_order_mark_and_is_never_shown() {
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

//! A manifest reads only files of its own folder, unless the user allows others: the author of a manifest may be another
//! person.

use super::{World, header};
use std::fs;

const MASK: &[u8] = include_bytes!("../../../examples/quickstart/labels/masks/road.png");
/// A text that no message may show.
const SECRET: &str = "hidden-7e1f";

/// A folder with private files, beside a manifest without inputs.
fn world() -> World {
    let world = World::new();
    fs::create_dir_all(world.path().join("outside")).unwrap();
    fs::write(world.path().join("outside/mask.png"), MASK).unwrap();
    world.write("outside/secret.txt", SECRET);
    world.write("outside/secret.yaml", &format!("{SECRET}: 1\ninputs: []\n"));
    world.write("m/annosync.yaml", &header());
    world
}

fn with_mask(world: &World, path: &str) {
    world.write(
        "m/labels/a.yaml",
        &format!(
            "inputs: [{{ id: a, annotations: [{{ key: k, mask: {{ path: '{path}' }} }}] }}]\n"
        ),
    );
}

fn with_text(world: &World, path: &str) {
    let annotations = "[{ key: k, span: { start: 0, end: 11, text: no } }]";
    world.write(
        "m/labels/a.yaml",
        &format!("inputs: [{{ id: a, text: {{ path: '{path}' }}, annotations: {annotations} }}]\n"),
    );
}

#[cfg(unix)]
fn link(world: &World, from: &str, to: &str) {
    std::os::unix::fs::symlink(to, world.path().join(from)).unwrap();
}

#[test]
#[cfg(unix)]
fn masks_outside_the_folder_need_permission() {
    let world = world();
    link(&world, "m/link.png", "../outside/mask.png");
    link(&world, "m/folder", "../outside");
    world.write(
        "m/annosync.yaml",
        &format!("{}files: ['labels/**']\n", header()),
    );
    let absolute = world.path().join("outside/mask.png");
    for path in [
        absolute.to_str().unwrap(),
        "../../outside/mask.png",
        "x/../../../outside/mask.png",
        "../link.png",
        "../folder/mask.png",
    ] {
        with_mask(&world, path);
        for command in [
            &["validate", "m"][..],
            &["plan", "m", "--embedded", "s.db"],
            &["apply", "m", "--embedded", "s.db", "--auto-approve"],
            &["list", "m", "--embedded", "s.db"],
            &["pull", "m", "--embedded", "s.db"],
        ] {
            let run = world.run(command).exits(1);
            assert!(
                run.stderr.contains("--allow-outside-files"),
                "{}",
                run.stderr
            );
            world
                .run(&[command, &["--allow-outside-files"]].concat())
                .exits(0);
        }
    }
    world
        .run(&["plan", "--help"])
        .exits(0)
        .says("--allow-outside-files");
}

#[test]
#[cfg(unix)]
fn texts_outside_the_folder_are_not_shown() {
    let world = world();
    link(&world, "m/labels.txt", "../outside/secret.txt");
    for path in ["../../outside/secret.txt", "../labels.txt"] {
        with_text(&world, path);
        let run = world.run(&["validate", "m"]).exits(1);
        assert!(!run.stderr.contains(SECRET), "{}", run.stderr);
        let allowed = ["validate", "m", "--allow-outside-files"];
        world.run(&allowed).exits(1).says(SECRET);
    }
}

#[test]
#[cfg(unix)]
fn label_files_behind_links_out_of_the_folder_are_refused() {
    let world = world();
    world.write("m/real.yaml", "inputs: []\n");
    fs::create_dir(world.path().join("m/labels")).unwrap();
    link(&world, "m/labels/inside.yaml", "../real.yaml");
    world.run(&["validate", "m"]).exits(0);
    link(&world, "m/labels/link.yaml", "../../outside/secret.yaml");
    link(&world, "m/folder", "../outside");
    let run = world
        .run(&["validate", "m"])
        .exits(1)
        .says("is a link that leads out of the manifest's folder")
        .says("is a link to a folder outside the manifest's folder");
    assert!(!run.stderr.contains(SECRET), "{}", run.stderr);
    let allowed = ["validate", "m", "--allow-outside-files"];
    world.run(&allowed).exits(1).says(SECRET);
    // The path that the user gives may be a link.
    world.write("outside/whole.yaml", &format!("{}inputs: []\n", header()));
    link(&world, "m/chosen.yaml", "../outside/whole.yaml");
    world.run(&["validate", "m/chosen.yaml"]).exits(0);
}

#[test]
fn patterns_match_only_inside_the_folder() {
    let world = world();
    for pattern in ["../outside/**", "/etc/**", "../**", "**/../../outside/*"] {
        let text = format!("{}files: [\"{pattern}\"]\n", header());
        world.write("m/annosync.yaml", &text);
        for flags in [&[][..], &["--allow-outside-files"]] {
            let run = world.run(&[&["validate", "m"], flags].concat()).exits(1);
            assert!(run.stderr.contains("matches no files"), "{}", run.stderr);
            assert!(!run.stderr.contains(SECRET), "{}", run.stderr);
        }
    }
}

#[test]
#[cfg(unix)]
fn pipes_and_devices_are_not_opened() {
    let world = world();
    let pipe = world.path().join("m/pipe.yaml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    link(&world, "m/zero", "/dev/zero");
    // It has the extension of a label file, so it is not skipped.
    world.write("m/labels/b.yaml", "inputs: []\n");
    world
        .run(&["validate", "m"])
        .exits(1)
        .says("is a pipe, not a file");
    world.write(
        "m/annosync.yaml",
        &format!("{}files: ['labels/**']\n", header()),
    );
    world.run(&["validate", "m"]).exits(0);
    world
        .run(&["validate", "m/pipe.yaml"])
        .exits(1)
        .says("is a pipe, not a file");
    for path in [
        "../pipe.yaml",
        "../zero",
        "/dev/zero",
        "/dev/stdin",
        "../labels",
    ] {
        for with in [with_mask, with_text] {
            with(&world, path);
            world.run(&["validate", "m"]).exits(1);
            let allowed = ["validate", "m", "--allow-outside-files"];
            world.run(&allowed).exits(1).says(", not a file");
        }
    }
    for path in ["C:\\a.png", "\\\\server\\a.png", "a\\..\\..\\b.png"] {
        with_mask(&world, path);
        world.run(&["validate", "m"]).exits(1);
    }
}

#[test]
fn too_large_files_are_not_read() {
    let world = world();
    let sparse = |path: &str| {
        let file = fs::File::create(world.path().join(path)).unwrap();
        file.set_len(10 << 30).unwrap();
    };
    sparse("m/large.png");
    for with in [with_mask, with_text] {
        with(&world, "../large.png");
        world
            .run(&["validate", "m"])
            .exits(1)
            .says("`large.png` has more than 67108864 bytes");
    }
    sparse("m/labels/a.yaml");
    world
        .run(&["validate", "m"])
        .exits(1)
        .says("has more than 1073741824 bytes");
}

#[test]
fn image_files_are_never_opened() {
    let world = world();
    for path in ["/dev/zero", "../../outside/secret.txt", "not/there.jpg"] {
        world.write(
            "m/labels/a.yaml",
            &format!("inputs: [{{ id: a, image: {{ path: {path} }}, annotations: [] }}]\n"),
        );
        world.run(&["validate", "m"]).exits(0);
    }
}

//! `init --from`: from the labels of another tool to a project with an empty plan.

use super::importing::{boxed, image, whole};
use super::{Run, World, command, folder_of, settled};
use serde_json::json;
use std::fs;
use std::process::Command;

const VOC: &str = "<annotation><filename>a.jpg</filename><size><width>200</width><height>100</height></size>\
                   <object><name>car</name><bndbox><xmin>20</xmin><ymin>10</ymin><xmax>60</xmax><ymax>40</ymax></bndbox></object>\
                   </annotation>";

/// A world with a COCO file, a Pascal VOC folder and a YOLO data set.
fn world() -> World {
    let world = World::new();
    world.write("coco.json", &whole().to_string());
    world.write("voc/a.xml", VOC);
    world.write("yolo/data.yaml", "names: [car, bus]\ntrain: images\n");
    world.write("yolo/images/a.jpg", "");
    world.write(
        "yolo/labels/a.txt",
        "0 0.5 0.5 0.2 0.2\n1 0.2 0.2 0.1 0.1\n",
    );
    world
}

/// Runs the binary without a token.
fn run(world: &World, arguments: &[&str]) -> Run {
    let mut command = command(world.path());
    command.args(arguments);
    Run::of(command)
}

fn names(world: &World) -> Vec<String> {
    folder_of(world.path()).into_iter().map(|it| it.0).collect()
}

#[test]
fn one_command_leads_from_labels_to_a_plan_that_can_be_applied() {
    for (path, format, count) in [
        ("coco.json", "coco", 4),
        ("voc", "voc", 1),
        ("yolo", "yolo", 2),
    ] {
        let world = world();
        for recognised in [true, false] {
            let folder = if recognised { "r" } else { "n" };
            let mut arguments = vec!["init", folder, "--from", path, "--set", "street"];
            if !recognised {
                arguments.extend(["--format", format]);
            }
            let init = run(&world, &arguments).exits(0);
            assert!(
                init.stderr.contains("Recognised ") == recognised,
                "{}",
                init.stderr
            );
            let plan = format!("Plan: {count} to post. ");
            assert!(
                init.last_line().starts_with(&plan),
                "{path}: {}",
                init.stdout
            );
            let planned = run(&world, &["plan", folder]).exits(0);
            assert!(planned.last_line().starts_with(&plan), "{}", planned.stdout);
            run(&world, &["apply", folder, "--auto-approve"]).exits(0);
            settled(&run(&world, &["plan", folder, "--detailed-exitcode"]));
            run(&world, &["fmt", folder, "--check"]).exits(0);
        }
    }
}

#[test]
fn the_project_has_everything_but_the_example() {
    let world = world();
    let init = run(
        &world,
        &[
            "init",
            "p",
            "--from",
            "coco.json",
            "--user-id",
            "acme",
            "--app-id",
            "streets",
        ],
    )
    .exits(0);
    let own: Vec<String> = names(&world)
        .into_iter()
        .filter(|it| it.starts_with("p/"))
        .collect();
    assert_eq!(
        own,
        [
            "p/.annosync/local.db",
            "p/.annosync/manifest.schema.json",
            "p/.gitattributes",
            "p/.github/workflows/annosync-apply.yml",
            "p/.github/workflows/annosync-drift.yml",
            "p/.github/workflows/annosync-plan.yml",
            "p/.gitignore",
            "p/.gitlab-ci.yml",
            "p/annosync.yaml",
            "p/labels/street-a.yaml",
            "p/labels/street-b.yaml",
            "p/labels/street-c.yaml",
        ]
    );
    let header = world.read("p/annosync.yaml");
    for line in [
        "set: p\n",
        "policy: sync\n",
        "files: [\"labels/**\"]\n",
        "vocabulary: [Car, Street Light]\n",
        "  prod: { user_id: acme, app_id: streets }\n",
        "owners: [acme]\n",
        "  max_deletes: 30% ",
    ] {
        assert!(header.contains(line), "{line}\n{header}");
    }
    insta::assert_snapshot!(init.stderr, @"
    Recognised a COCO file.
    4 of 4 annotations on 3 of 3 images, 2 categories.
    Next, apply this to the store in this folder:
      annosync apply p --auto-approve
    Then apply to your app with --target prod.
    ");
}

#[test]
fn a_lossy_import_gives_a_project_that_deletes_nothing() {
    let world = world();
    let mut coco = whole();
    let annotations = coco["annotations"].as_array_mut().unwrap();
    annotations.push(boxed(5, 2, [10.0, 10.0, 0.0, 20.0]));
    world.write("coco.json", &coco.to_string());
    run(&world, &["init", "s", "--from", "coco.json", "--strict"])
        .exits(1)
        .says("--strict: coco.json cannot be imported in full; nothing was written");
    assert!(!world.path().join("s").exists());
    let init = run(&world, &["init", "p", "--from", "coco.json"])
        .exits(5)
        .says("warning: 1 input of which something was left out: not declared");
    assert!(
        init.last_line().starts_with("Plan: 2 to post. "),
        "{}",
        init.stdout
    );
    assert!(world.read("p/annosync.yaml").contains("\npolicy: upsert\n"));
    run(&world, &["apply", "p", "--auto-approve"]).exits(0);
    settled(&run(&world, &["plan", "p", "--detailed-exitcode"]));
    let allowed = ["init", "q", "--from", "coco.json", "--allow-incomplete"];
    let init = run(&world, &allowed).exits(5);
    assert!(
        init.last_line().starts_with("Plan: 4 to post. "),
        "{}",
        init.stdout
    );
}

#[test]
fn all_files_are_written_or_none() {
    let world = world();
    world.write("p/.gitlab-ci.yml", "mine\n");
    let before = names(&world);
    run(&world, &["init", "p", "--from", "coco.json"])
        .exits(1)
        .says("init does not overwrite files, and these exist with different content:\n  p/.gitlab-ci.yml");
    assert_eq!(names(&world), before);
    // The last file to be written cannot be.
    fs::create_dir(world.path().join("p/.gitignore")).unwrap();
    run(
        &world,
        &["init", "p", "--from", "coco.json", "--ci", "none"],
    )
    .exits(1);
    assert_eq!(names(&world), before);
    world.write("m/annosync.json", "{}");
    run(&world, &["init", "m", "--from", "coco.json"])
        .exits(1)
        .says("m/annosync.json exists already; nothing was written")
        .says("annosync import coco.json --out FOLDER");
    run(&world, &["init", "n", "--from", "none.json"])
        .exits(1)
        .says("none.json does not exist");
    world.write("notes.md", "# notes\n");
    run(&world, &["init", "n", "--from", "notes.md"])
        .exits(64)
        .says("notes.md: no known format\nhint: name it with --format: coco, ");
    assert!(!world.path().join("n").exists());
}

#[test]
fn labels_that_are_in_the_projects_folder_stay_apart() {
    let world = World::new();
    world.write("data.yaml", "names: [car]\ntrain: images\n");
    world.write("images/a.jpg", "");
    world.write("labels/a.txt", "0 0.5 0.5 0.2 0.2\n");
    run(
        &world,
        &["init", "--from", ".", "--format", "yolo", "--ci", "none"],
    )
    .exits(0);
    assert!(
        world
            .read("annosync.yaml")
            .contains("files: [\"inputs/**\"]\n")
    );
    run(&world, &["apply", "--auto-approve"]).exits(0);
    settled(&run(&world, &["plan", "--detailed-exitcode"]));
}

#[test]
fn the_remote_names_the_ci_system() {
    let git = |world: &World, arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(world.path()).args(arguments);
        assert!(git.output().unwrap().status.success());
    };
    let world = world();
    git(&world, &["init", "-q"]);
    git(
        &world,
        &[
            "remote",
            "add",
            "origin",
            "git@gitlab.example.com:acme/streets.git",
        ],
    );
    run(&world, &["init", "p", "--from", "voc"]).exits(0);
    let has = |name: &str| world.path().join(name).exists();
    assert!(has("p/.gitlab-ci.yml") && !has("p/.github"));
    run(&world, &["init", "q", "--from", "voc", "--ci", "github"]).exits(0);
    assert!(!has("q/.gitlab-ci.yml") && has("q/.github"));
    run(&world, &["init", "r"]).exits(0);
    assert!(has("r/.gitlab-ci.yml") && !has("r/.github"));
}

#[test]
fn options_of_an_import_need_labels() {
    let world = world();
    for option in ["--slug", "--strict", "--images=x", "--format=coco"] {
        let refused = run(&world, &["init", "p", option]).exits(64);
        assert!(refused.stderr.contains("--from"), "{}", refused.stderr);
    }
    run(&world, &["init", "p", "--from", "voc", "--format", "word"])
        .exits(64)
        .says("label-studio");
    run(&world, &["init", "p", "--from", "voc", "--slug"]).exits(0);
}

#[test]
fn more_than_20_000_inputs_are_written_to_one_file() {
    let world = World::new();
    let images: Vec<_> = (1..=20_001).map(|at| image(at, &at.to_string())).collect();
    let coco =
        json!({"images": images, "categories": [{"id": 1, "name": "Car"}], "annotations": []});
    world.write("coco.json", &coco.to_string());
    run(
        &world,
        &["init", "p", "--from", "coco.json", "--ci", "none"],
    )
    .exits(0);
    assert_eq!(
        fs::read_dir(world.path().join("p/labels")).unwrap().count(),
        1
    );
    assert_eq!(
        world.read("p/labels/imported.jsonl").lines().count(),
        20_001
    );
}

//! `import coco` into a manifest with labels: only what the file changes is changed, and all files are written or none.

use super::importing::{IMPORT, boxed, image, whole, world};
use super::{Run, World, folder_of, header, settled};
use serde_json::{Value, json};
use std::fs;

/// Two images, the first with two boxes.
fn two_boxes() -> Value {
    json!({
        "images": [image(1, "a"), image(2, "b")],
        "categories": [{"id": 1, "name": "Car"}],
        "annotations": [boxed(1, 1, [20.0, 10.0, 40.0, 30.0]), boxed(2, 1, [80.0, 10.0, 40.0, 30.0])],
    })
}

/// Files with an object that cannot be assigned to an image, each with the expected code.
fn unassignable() -> Vec<(String, &'static str)> {
    let mut files = Vec::new();
    for id in [json!(null), json!(999), json!(""), json!([1]), json!(true)] {
        let mut file = two_boxes();
        file["annotations"][1]["image_id"] = id;
        files.push((file.to_string(), "unknown_image"));
    }
    let mut file = two_boxes();
    let second = file["annotations"][1].as_object_mut().unwrap();
    second.remove("image_id");
    files.push((file.to_string(), "unknown_image"));
    for entry in [json!(null), json!("text"), json!(7)] {
        let mut file = two_boxes();
        file["annotations"][1] = entry;
        files.push((file.to_string(), "wrong_type"));
    }
    let text = two_boxes().to_string();
    let (start, end) = text.split_at(text.rfind("\"image_id\":1").unwrap());
    files.push((format!("{start}\"image_id\":1,{end}"), "duplicate field"));
    for id in [json!(null), json!(""), json!([1]), json!(true), json!({})] {
        let mut file = two_boxes();
        file["images"][0]["id"] = id;
        files.push((file.to_string(), "image_without_id"));
    }
    let mut file = two_boxes();
    file["images"][0].as_object_mut().unwrap().remove("id");
    // Nothing refers to the image any more.
    file["annotations"] = json!([]);
    files.push((file.to_string(), "image_without_id"));
    for entry in [json!(null), json!("text")] {
        let mut file = two_boxes();
        file["images"][0] = entry;
        files.push((file.to_string(), "wrong_type"));
    }
    files
}

#[test]
fn objects_without_a_known_image_make_every_image_incomplete() {
    let world = world(&two_boxes());
    world.run(&IMPORT).exits(0);
    world.run(&["apply", "--auto-approve"]).exits(0);
    let before = folder_of(&world.path().join("labels"));
    for (file, says) in unassignable() {
        world.write("coco.json", &file);
        let run = world.run(&IMPORT).exits(5).says(says);
        assert!(
            run.stderr
                .contains("warning: no image counts as complete: ")
                && run.stderr.contains("keep the labels that the manifest has"),
            "{}",
            run.stderr
        );
        assert!(!run.stdout.contains("dropped"), "{}", run.stdout);
        assert_eq!(folder_of(&world.path().join("labels")), before, "{file}");
    }
    settled(&world.run(&["plan", "--detailed-exitcode"]));
}

#[test]
fn objects_without_a_known_image_prevent_new_images() {
    for (file, _) in unassignable() {
        let world = World::new();
        world.write("coco.json", &file);
        let run = world.run(&IMPORT).exits(5);
        assert_eq!(run.stdout, "Nothing to write: no image is complete.\n");
        assert_eq!(folder_of(world.path()).len(), 1, "{file}");
        let all = [&IMPORT[..], &["--allow-incomplete"]].concat();
        world.run(&all).exits(5);
        assert!(world.read("annosync.yaml").contains("policy: upsert"));
        world.run(&["validate"]).exits(0);
    }
}

#[test]
fn a_new_header_never_deletes_from_left_out_images() {
    let world = world(&whole());
    world.run(&IMPORT).exits(0);
    world.run(&["apply", "--auto-approve"]).exits(0);
    fs::remove_dir_all(world.path().join("labels")).unwrap();
    fs::remove_file(world.path().join("annosync.yaml")).unwrap();
    let mut next = whole();
    let second = next["images"][1].as_object_mut().unwrap();
    second.remove("file_name");
    world.write("coco.json", &next.to_string());
    world.run(&IMPORT).exits(5).says("image_without_name");
    assert!(world.read("annosync.yaml").contains("policy: upsert"));
    settled(&world.run(&["plan", "--detailed-exitcode"]));
}

#[test]
fn a_mask_that_changed_a_little_keeps_its_key_and_its_comment() {
    let mask = |counts: [u32; 3]| {
        json!({
            "images": [{"id": 1, "file_name": "1.jpg", "width": 100, "height": 100}],
            "categories": [{"id": 1, "name": "road"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1,
                "segmentation": {"size": [100, 100], "counts": counts}}],
        })
    };
    let world = world(&mask([10, 50, 9940]));
    world.run(&IMPORT).exits(0);
    let text = world.read("labels/1.yaml");
    let named = "      # the road\n      - key: road\n        mask:";
    let text = text.replacen("      - mask:", named, 1);
    assert!(text.contains(named), "{text}");
    world.write("labels/1.yaml", &text);
    world.run(&["apply", "--auto-approve"]).exits(0);
    world.write("coco.json", &mask([10, 51, 9939]).to_string());
    let run = world.run(&IMPORT).exits(0);
    assert_eq!(
        run.stdout,
        "Wrote 2 files; inputs: 1 changed; annotations: 1 changed.\n"
    );
    let after = world.read("labels/1.yaml");
    assert!(after.contains(named) && after != text, "{after}");
    world
        .run(&["apply", "--auto-approve"])
        .exits(0)
        .says("Applied 1 (1 overwritten)");
    settled(&world.run(&["plan", "--detailed-exitcode"]));
}

/// The same places on images of other sizes: the first 400 × 300, the second 200 × 50.
fn resized() -> Value {
    let mut file = whole();
    file["images"][0]["width"] = json!(400);
    file["images"][0]["height"] = json!(300);
    file["images"][1]["height"] = json!(50);
    let scale = |numbers: &mut Value, by: [f64; 2]| {
        for (at, number) in numbers.as_array_mut().unwrap().iter_mut().enumerate() {
            *number = json!(number.as_f64().unwrap() * by[at % 2]);
        }
    };
    for annotation in file["annotations"].as_array_mut().unwrap() {
        let by = if annotation["image_id"] == json!(1) {
            [2.0, 3.0]
        } else {
            [1.0, 0.5]
        };
        scale(&mut annotation["bbox"], by);
        if let Some(ring) = annotation["segmentation"].get_mut(0) {
            scale(ring, by);
        }
    }
    file
}

#[test]
fn an_image_that_has_another_size_now_gets_it_in_the_manifest() {
    for out in ["labels", "labels.json", "labels.jsonl"] {
        let world = world(&whole());
        let pattern = if out == "labels" { "labels/**" } else { out };
        let files = format!("{}files: [\"{pattern}\"]\n", header());
        world.write("annosync.yaml", &files);
        let import = ["import", "coco", "coco.json", "--out", out];
        world.run(&import).exits(0);
        let apply = ["apply", "--embedded", "s.db", "--auto-approve"];
        world.run(&apply).exits(0);
        if out == "labels" {
            let a = world.read("labels/street-a.yaml");
            let size = "width: 200, height: 100 }";
            let a = a.replace(size, "width: 200, height: 100 }  # full size");
            assert!(a.contains("# full size"), "{a}");
            world.write("labels/street-a.yaml", &a);
            let b = world.read("labels/street-b.yaml");
            let b = b.replace(
                "image: { path: street/b.jpg, width: 200, height: 100 }",
                "image:\n      width: 200\n      height: 100 # cropped\n      path: street/b.jpg",
            );
            assert!(b.contains("# cropped"), "{b}");
            world.write("labels/street-b.yaml", &b);
        }
        world.run(&import).exits(0).says("Nothing to write");
        world.write("coco.json", &resized().to_string());
        let run = world
            .run(&import)
            .exits(0)
            .says("inputs: 2 changed, 1 unchanged");
        assert!(!run.stdout.contains("annotations"), "{}", run.stdout);
        if out == "labels" {
            let a = world.read("labels/street-a.yaml");
            assert!(
                a.contains("width: 400, height: 300 }  # full size\n"),
                "{a}"
            );
            let b = world.read("labels/street-b.yaml");
            assert!(
                b.contains("      width: 200\n      height: 50 # cropped\n"),
                "{b}"
            );
        }
        world.run(&import).exits(0).says("Nothing to write");
        settled(&world.run(&["plan", "--embedded", "s.db", "--detailed-exitcode"]));
    }
}

#[test]
fn an_image_without_size_in_the_manifest_gets_none() {
    let world = world(&whole());
    world.run(&IMPORT).exits(0);
    let text = world.read("labels/street-a.yaml");
    let text = text.replace(", width: 200, height: 100", "");
    assert!(!text.contains("width"), "{text}");
    world.write("labels/street-a.yaml", &text);
    world.run(&IMPORT).exits(0).says("Nothing to write");
}

#[test]
fn an_import_that_was_interrupted_is_finished_by_the_next() {
    let world = world(&whole());
    world.run(&IMPORT).exits(0);
    let complete = folder_of(world.path());
    for gone in [
        &["annosync.yaml"][..],
        &["annosync.yaml", "labels/street-b.yaml"],
        &["annosync.yaml", ".gitignore", ".gitattributes"],
    ] {
        for file in gone {
            fs::remove_file(world.path().join(file)).unwrap();
        }
        world
            .run(&IMPORT)
            .exits(0)
            .says("Wrote annosync.yaml: read it before you apply.");
        assert_eq!(folder_of(world.path()), complete, "{gone:?}");
    }
    world.run(&["plan"]).exits(0);
}

#[test]
fn a_new_file_that_a_rule_would_leave_out_is_named_before_anything_is_written() {
    let refused =
        |count: &str| format!("{count} would not belong to the manifest; nothing was written:\n  ");
    for (ignore, rule, out, says) in [
        (
            "labels/.gitignore",
            "street-b.yaml\n",
            "labels",
            refused("1 new file")
                + "labels/street-b.yaml: ignored by `street-b.yaml` in labels/.gitignore\n",
        ),
        (
            ".gitignore",
            "*.yaml\n!annosync.yaml\n!street-a.yaml\n",
            "labels",
            refused("2 new files")
                + "labels/street-b.yaml: ignored by `*.yaml` in .gitignore\n  labels/street-c.yaml",
        ),
        (
            ".gitignore",
            "annosync.*\n",
            "labels",
            refused("1 new file") + "annosync.yaml: ignored by `annosync.*` in .gitignore\n",
        ),
        (
            ".gitignore",
            "labels/\n",
            "labels",
            refused("3 new files") + "labels/street-a.yaml: ignored by `labels/` in .gitignore\n",
        ),
        (
            ".gitignore",
            "*.jsonl\n",
            "in.jsonl",
            refused("1 new file") + "in.jsonl: ignored by `*.jsonl` in .gitignore\n",
        ),
        (
            "keep",
            "",
            ".labels",
            refused("3 new files")
                + ".labels/street-a.yaml: hidden: a name in its path begins with a dot\n",
        ),
    ] {
        let world = world(&whole());
        world.write(ignore, rule);
        fs::create_dir(world.path().join(".git")).unwrap();
        let before = folder_of(world.path());
        for _ in 0..2 {
            let run = world
                .run(&["import", "coco", "coco.json", "--out", out])
                .exits(1)
                .says(&says);
            assert!(
                run.stderr.contains("hint: change the rule"),
                "{}",
                run.stderr
            );
            assert_eq!(
                (run.stdout.as_str(), &folder_of(world.path())),
                ("", &before)
            );
        }
    }
}

#[test]
fn an_existing_ignored_file_is_reported_as_ignored() {
    let world = world(&whole());
    world.run(&IMPORT).exits(0);
    world.write("labels/.gitignore", "more.yaml\n");
    world.write("labels/more.yaml", "inputs: []\n");
    let before = folder_of(world.path());
    world
        .run(&["import", "coco", "coco.json", "--out", "labels/more.yaml"])
        .exits(1)
        .says("labels/more.yaml: ignored by `more.yaml` in labels/.gitignore");
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn an_import_into_a_folder_ignored_by_an_outer_repository_succeeds() {
    let world = world(&whole());
    world.write(".gitignore", "p/\n");
    fs::create_dir(world.path().join(".git")).unwrap();
    fs::create_dir(world.path().join("p")).unwrap();
    world
        .run_in("p", &["import", "coco", "../coco.json", "--out", "labels"])
        .exits(0);
    world
        .run(&["validate", "p"])
        .exits(0)
        .says("3 inputs, 4 annotations");
}

#[test]
fn obstacles_to_new_files_are_named_before_anything_is_written() {
    let world = world(&whole());
    fs::create_dir_all(world.path().join("labels/street-b.yaml")).unwrap();
    world.write("plain", "a file");
    for (out, says) in [
        (
            "labels",
            "labels/street-b.yaml is a folder; nothing was written",
        ),
        ("plain", "plain is not a folder; nothing was written"),
        ("plain/deep", "plain is not a folder; nothing was written"),
    ] {
        let before = folder_of(world.path());
        let run = world
            .run(&["import", "coco", "coco.json", "--out", out])
            .exits(1)
            .says(says);
        assert!(!run.stderr.contains("pull"), "{}", run.stderr);
        assert_eq!((run.stdout.as_str(), folder_of(world.path())), ("", before));
    }
}

#[test]
fn masks_that_git_ignores_are_written_with_a_warning() {
    let mut file = whole();
    file["annotations"] = json!([
        {"id": 1, "image_id": 2, "category_id": 1, "segmentation": {"size": [100, 200], "counts": [100, 50, 19850]}},
    ]);
    let world = world(&file);
    world.write(".gitignore", "*.png\n");
    let run = world
        .run(&IMPORT)
        .exits(0)
        .says("warning: git ignores 1 mask, first labels/masks/");
    assert!(
        run.stderr
            .contains(".png: ignored by `*.png` in .gitignore"),
        "{}",
        run.stderr
    );
    world.run(&["validate"]).exits(0);
}

#[test]
#[cfg(unix)]
fn all_files_are_restored_if_one_cannot_be_written() {
    let mut file = whole();
    let ring: Vec<f64> = (0..1000)
        .map(|at| f64::from(at) * 0.006)
        .flat_map(|angle| [100.0 + 90.0 * angle.cos(), 50.0 + 40.0 * angle.sin()])
        .collect();
    // The last file is larger than a file may be.
    file["annotations"].as_array_mut().unwrap().push(json!(
        {"id": 9, "image_id": 3, "category_id": 1, "segmentation": [ring]}
    ));
    let world = world(&file);
    let mine = "# by hand\ninputs:\n  - id: street-a\n    annotations: []\n";
    world.write("labels/a.yaml", mine);
    let before = folder_of(world.path());
    let mut command = std::process::Command::new("/bin/sh");
    command
        .args(["-c", r#"trap "" XFSZ; ulimit -f 8; exec "$0" "$@""#])
        .arg(env!("CARGO_BIN_EXE_annosync"))
        .args(IMPORT)
        .current_dir(world.path())
        .env_clear();
    Run::of(command)
        .exits(1)
        .says("cannot write ./labels/street-c.yaml");
    assert_eq!(folder_of(world.path()), before);
    world.run(&IMPORT).exits(0);
    assert!(world.read("labels/a.yaml").starts_with("# by hand\n"));
}

#[test]
fn the_image_of_a_web_address_is_declared_by_url_and_a_path_with_slashes() {
    let mut file = whole();
    let url = "https://b.example/x/img_0001.jpg";
    file["images"][0]["file_name"] = json!(format!("{url}?X-Signature=abc.def"));
    file["images"][1]["file_name"] = json!(r"street\b.jpg");
    let world = world(&file);
    let import = [&IMPORT[..], &["--images", "img"]].concat();
    world.run(&import).exits(0);
    let image = |name: &str| {
        let text = world.read(&format!("labels/{name}.yaml"));
        let line = text.lines().find(|line| line.contains("image:"));
        line.unwrap().trim().to_owned()
    };
    assert_eq!(
        image("img_0001"),
        format!("image: {{ url: \"{url}\", width: 200, height: 100 }}")
    );
    assert_eq!(
        image("street-b"),
        "image: { path: img/street/b.jpg, width: 200, height: 100 }"
    );
    world.run(&["apply", "--auto-approve"]).exits(0);
    settled(&world.run(&["plan", "--detailed-exitcode"]));
    world.run(&import).exits(0).says("Nothing to write");
    // An image with another name is another image.
    file["images"][0]["file_name"] = json!("https://b.example/y/img_0001.png");
    world.write("coco.json", &file.to_string());
    world
        .run(&import)
        .exits(1)
        .says("img_0001: https://b.example/x/img_0001.jpg and https://b.example/y/img_0001.png");
}

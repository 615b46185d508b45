//! Options of an import, and files that are refused.

use super::*;

#[test]
fn options_control_ids_concepts_and_clipping() {
    let world = world(&lossy());
    let mut import = vec!["import", "coco", "coco.json", "--out", "in.jsonl"];
    import.extend([
        "--input-id",
        "file_name",
        "--images",
        "img",
        "--slug",
        "--clip",
        "--allow-incomplete",
    ]);
    let run = world.run(&import).exits(5);
    assert!(
        run.stderr.contains(
            "note: clipped: 1 object (annotation 6, street/b.jpg): clipped to the image\n"
        ),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("5 of 6 annotations"));
    let inputs: Vec<Value> = world
        .read("in.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(inputs[0]["id"], "street/a.jpg");
    assert_eq!(inputs[0]["image"]["path"], "img/street/a.jpg");
    assert_eq!(
        inputs[0]["annotations"][1]["concepts"],
        json!(["street-light"])
    );
    assert_eq!(inputs[1]["annotations"][2]["box"]["right"], 1);
}

#[test]
fn an_id_that_the_manifest_uses_for_another_image_is_refused() {
    let world = world(&whole());
    world.run(&IMPORT).exits(0);
    let mut next = whole();
    next["images"][0]["file_name"] = json!("street-a.jpg");
    world.write("coco.json", &next.to_string());
    let before = folder_of(world.path());
    let run = world.run(&IMPORT).exits(1);
    assert!(
        run.stderr
            .contains("street-a: street/a.jpg and street-a.jpg; nothing was written"),
        "{}",
        run.stderr
    );
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn labels_of_another_image_with_the_same_id_are_refused_for_every_kind_of_id() {
    let picture = |name: &str| {
        json!({
            "images": [{"id": 1, "file_name": name, "width": 200, "height": 100}],
            "categories": [{"id": 1, "name": "Car"}],
            "annotations": [boxed(1, 1, [20.0, 10.0, 40.0, 30.0])],
        })
    };
    let a: &[&str] = &["--images", "A"];
    let b: &[&str] = &["--images", "B"];
    for (kind, first, images, second, next) in [
        ("file_stem", "x/1.jpg", &[][..], "y/1.jpg", &[][..]),
        ("image_id", "x/1.jpg", &[], "y/1.jpg", &[]),
        ("image_id", "1.jpg", &[], "2.jpg", &[]),
        ("path", "1.jpg", a, "1.jpg", b),
        ("file_name", "1.jpg", a, "1.jpg", b),
        ("path", "1.jpg", a, "1.jpg", &[]),
        (
            "whole_path",
            "https://b.example/x/1.jpg",
            &[],
            "x-1.jpg",
            &[],
        ),
        (
            "path",
            "https://b.example/x/1.jpg",
            &[],
            "https://b.example/y/1.jpg",
            &[],
        ),
    ] {
        let world = world(&picture(first));
        let import = [&IMPORT[..], &["--input-id", kind]].concat();
        world.run(&[&import[..], images].concat()).exits(0);
        let before = folder_of(&world.path().join("labels"));
        let mut other = picture(second);
        other["annotations"][0]["bbox"] = json!([100, 50, 40, 30]);
        world.write("coco.json", &other.to_string());
        let run = world.run(&[&import[..], next].concat()).exits(1);
        assert!(
            run.stderr
                .contains("error: 1 input with a different image than in the manifest: ")
                && run.stderr.contains(
                    "if the images were moved or renamed, change `image` in the manifest first"
                ),
            "{kind} {second}: {}",
            run.stderr
        );
        assert_eq!(folder_of(&world.path().join("labels")), before, "{kind}");
    }
}

#[test]
fn one_image_under_two_spellings_of_its_path_gets_its_new_labels() {
    let world = world(&whole());
    let import = [&IMPORT[..], &["--images", "img"]].concat();
    world.run(&import).exits(0);
    for place in [
        "./img/street/a.jpg",
        "img//street/a.jpg",
        "/data/img/street/a.jpg",
    ] {
        let label = world.read("labels/street-a.yaml");
        let (start, end) = label.split_once("path: ").unwrap();
        let (_, end) = end.split_once(',').unwrap();
        world.write(
            "labels/street-a.yaml",
            &format!("{start}path: {place},{end}"),
        );
        world.run(&import).exits(0).says("inputs: 3 unchanged");
    }
    // Moved images are imported after their new folder was declared.
    let moved = [&IMPORT[..], &["--images", "moved"]].concat();
    world
        .run(&moved)
        .exits(1)
        .says("street-b: img/street/b.jpg and moved/street/b.jpg");
    for name in ["a", "b", "c"] {
        let file = format!("labels/street-{name}.yaml");
        world.write(&file, &world.read(&file).replace("img/", "moved/"));
    }
    world.run(&moved).exits(0).says("inputs: 3 unchanged");
}

#[test]
fn equal_findings_share_a_line_and_v_lists_every_place() {
    let mut file = whole();
    for annotation in file["annotations"].as_array_mut().unwrap() {
        annotation["iscrowd"] = json!(1);
    }
    let world = world(&file);
    let run = world.run(&IMPORT).exits(5);
    let line = "left out: crowd: 4, first: annotation 1 image street/a.jpg: iscrowd";
    assert!(run.stderr.contains(line), "{}", run.stderr);
    let verbose = [&IMPORT[..], &["-v"]].concat();
    let run = world.run(&verbose).exits(5);
    assert_eq!(
        run.stderr.matches("  annotation ").count(),
        4,
        "{}",
        run.stderr
    );
}

#[test]
fn files_that_are_not_coco_are_refused() {
    let world = World::new();
    world.write("cut.json", &whole().to_string()[..300]);
    world.write("other.json", r#"{"things":[]}"#);
    world.write("results.json", r#"[{"image_id": 1, "score": 0.5}]"#);
    let before = folder_of(world.path());
    for (file, why) in [
        ("cut.json", ": the file is cut off inside of "),
        ("other.json", "it has no `images`; a COCO file is an object"),
        ("results.json", "like the results of a model"),
        ("missing.json", "does not exist"),
    ] {
        let run = world
            .run(&["import", "coco", file, "--out", "labels"])
            .exits(1)
            .says(why);
        assert!(run.stderr.contains(file), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn the_real_coco_variants_import_and_apply() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/datumaro");
    if !data.is_dir() {
        skipped(&format!("no Datumaro data in {}", data.display()));
        return;
    }
    for (file, code, posted) in [
        ("coco_instances/instances_train.json", 0, 1),
        ("coco_person_keypoints/person_keypoints_train.json", 5, 2),
        ("coco_person_keypoints/person_keypoints_val.json", 5, 0),
    ] {
        let world = World::new();
        let file = data.join(file);
        let import = ["import", "coco", file.to_str().unwrap(), "--out", "labels"];
        world.run(&import).exits(code);
        if posted > 0 {
            let posted = format!("({posted} posted)");
            world
                .run(&["apply", "--auto-approve"])
                .exits(0)
                .says(&posted);
            settled(&world.run(&["plan", "--detailed-exitcode"]));
        }
    }
}

#[test]
fn a_path_that_is_missing_or_empty_is_named_as_such() {
    let world = world(&whole());
    world.write("empty.json", "");
    std::fs::create_dir(world.path().join("bare")).unwrap();
    let before = folder_of(world.path());
    for (paths, code, why) in [
        (&["none.json"][..], 1, "none.json does not exist\n"),
        (&["coco", "none.json"], 1, "none.json does not exist\n"),
        (&["coco.json", "none"], 1, "none does not exist\n"),
        (&["empty.json"], 1, "empty.json is empty\n"),
        (&["bare"], 1, "bare has no files\n"),
        (
            &["vco", "coco.json"],
            64,
            "`vco` is neither a format nor a file\n",
        ),
    ] {
        let arguments = [&["import"], paths, &["--out", "labels"]].concat();
        let run = world.run(&arguments).exits(code);
        assert!(
            run.stderr.starts_with(&format!("error: {why}")),
            "{}",
            run.stderr
        );
    }
    assert_eq!(folder_of(world.path()), before);
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_findings_and_stop_nothing() {
    use std::os::unix::fs::symlink;
    let world = World::new();
    world.write("set/coco.json", &whole().to_string());
    let link = |target: &str, name: &str| symlink(target, world.path().join(name)).unwrap();
    link("gone.json", "set/more.json");
    link("itself", "set/itself");
    link("../set", "set/back");
    link("user@host", "set/.#lock");
    // A picture is not read.
    link("gone.jpg", "set/a.jpg");
    let run = world.run(&["import", "set", "--out", "labels"]).exits(5);
    let finding = "left out: unreadable_file: 3, first: image back: the link leads back to a folder that holds it";
    assert!(run.stderr.contains(finding), "{}", run.stderr);
    assert!(
        run.stderr.contains("4 of 4 annotations on 3 of 3 images"),
        "{}",
        run.stderr
    );
    assert!(world.path().join("labels/street-a.yaml").exists());
}

#[test]
fn renamed_concepts_are_imported_under_their_new_name() {
    let world = world(&whole());
    let lines = "renamed: {Car: auto}\nvocabulary: [auto, Street Light]\nfiles: [\"labels/**\"]\n";
    world.write("annosync.yaml", &(header() + lines));
    std::fs::create_dir(world.path().join("labels")).unwrap();
    world.run(&IMPORT).exits(0);
    let label = world.read("labels/street-b.yaml");
    assert!(label.contains("auto") && !label.contains("Car"), "{label}");
    let again = world.run(&IMPORT).exits(0);
    assert_eq!(again.stdout, "Nothing to write; inputs: 3 unchanged.\n");
}

#[test]
fn an_image_is_not_declared_again_under_another_id() {
    let world = world(&whole());
    world.run(&IMPORT).exits(0);
    let before = folder_of(world.path());
    let by_number = [&IMPORT[..], &["--input-id", "image_id"]].concat();
    let run = world.run(&by_number).exits(1);
    assert!(
        run.stderr.contains(
            "3 images declared under a different id than the import gives: street/a.jpg: street-a and 1, "
        ),
        "{}",
        run.stderr
    );
    assert_eq!(folder_of(world.path()), before);
    let label = world.read("labels/street-a.yaml");
    let with_dot = label.replace("path: street/", "path: ./street/");
    assert_ne!(with_dot, label);
    world.write("labels/street-a.yaml", &with_dot);
    let run = world.run(&by_number).exits(1);
    assert!(run.stderr.contains("3 images declared"), "{}", run.stderr);
}

#[test]
fn an_import_does_not_take_back_a_purge() {
    let world = world(&whole());
    world.run(&IMPORT).exits(0);
    world.write(
        "labels/street-b.yaml",
        "inputs:\n  - id: street-b\n    purge: true\n",
    );
    let before = folder_of(world.path());
    let run = world.run(&IMPORT).exits(1);
    assert!(
        run.stderr
            .contains("error: input `street-b` is declared with `purge: true`"),
        "{}",
        run.stderr
    );
    assert_eq!(folder_of(world.path()), before);
}

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

//! Pascal VOC, through the binary.

use super::super::{World, settled};

fn labels(name: &str, boxes: &[[u32; 4]]) -> String {
    let objects: Vec<String> = boxes
        .iter()
        .map(|[left, top, right, bottom]| {
            format!(
                "<object><name>car</name><pose>Unspecified</pose><difficult>1</difficult><bndbox><xmin>{left}</xmin>\
                 <ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>"
            )
        })
        .collect();
    let objects = objects.concat();
    format!(
        "<annotation><filename>{name}.jpg</filename><size><width>200</width><height>100</height></size>{objects}\
         </annotation>"
    )
}

const IMPORT: [&str; 5] = ["import", "voc", "voc", "--out", "labels"];

#[test]
fn a_folder_of_voc_files_is_recognised_and_applies_at_once() {
    let world = World::new();
    world.write(
        "voc/Annotations/x/a.xml",
        &labels("a", &[[20, 10, 60, 40], [80, 10, 120, 40]]),
    );
    world.write("voc/Annotations/y/a.xml", &labels("a", &[]));
    let run = world.run(&["import", "voc", "--out", "labels"]).exits(0);
    assert_eq!(
        run.stdout,
        "Wrote 2 files; inputs: 2 new; annotations: 2 added.\nWrote annosync.yaml: read it before you apply.\n"
    );
    assert_eq!(
        run.stderr,
        "Recognised Pascal VOC.\n\
         note: corners_from_zero: 1 set (all boxes): read with 0 as the first pixel (--one-based reads the original data)\n\
         2 of 2 annotations on 2 of 2 images, 1 category.\n"
    );
    assert!(world.read("labels/x-a.yaml").contains("difficult: true"));
    world
        .run(&["apply", "--auto-approve"])
        .exits(0)
        .says("Applied 2 (2 posted)");
    settled(&world.run(&["plan", "--detailed-exitcode"]));
}

#[test]
fn an_import_over_a_manifest_keeps_what_only_the_manifest_has() {
    let world = World::new();
    world.write(
        "voc/a.xml",
        &labels("a", &[[20, 10, 60, 40], [80, 10, 120, 40]]),
    );
    world.run(&IMPORT).exits(0);
    let with_key = world.read("labels/a.yaml").replacen(
        "      - box",
        "      # checked by hand\n      - key: first\n        box",
        1,
    );
    world.write("labels/a.yaml", &with_key);
    world.run(&["validate"]).exits(0);
    world.run(&IMPORT).exits(0);
    assert_eq!(world.read("labels/a.yaml"), with_key);
    // The second box is moved, the first one stays as it is.
    world.write(
        "voc/a.xml",
        &labels("a", &[[20, 10, 60, 40], [82, 10, 122, 40]]),
    );
    world.run(&IMPORT).exits(0).says("1 changed");
    let now = world.read("labels/a.yaml");
    assert!(
        now.contains("# checked by hand") && now.contains("key: first"),
        "{now}"
    );
    assert_ne!(now, with_key);
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_costs_no_other() {
    let world = World::new();
    world.write("voc/a.xml", &labels("a", &[[20, 10, 60, 40]]));
    world.write("voc/b.xml", "<annotation>\n<size>");
    let run = world.run(&IMPORT).exits(5);
    assert!(
        run.stderr.contains(
            "left out: unreadable_file: 1: image b.xml: b.xml:2:7: the file ends within <size>"
        ),
        "{}",
        run.stderr
    );
    world
        .run(&["validate"])
        .exits(0)
        .says("1 input, 1 annotation");
}

#[test]
fn an_export_imports_as_the_same_manifest() {
    let world = World::new();
    world.write("voc/x/a.xml", &labels("a", &[[20, 10, 60, 40]]));
    world.write("voc/b.xml", &labels("b", &[]));
    world.run(&IMPORT).exits(0);
    let run = world
        .run(&["export", "voc", "--out", "out", "--split", "train=1"])
        .exits(0);
    assert_eq!(run.stdout, "Wrote 3 files to out.\n");
    assert_eq!(world.read("out/ImageSets/Main/train.txt"), "b\nx/a\n");
    let run = world
        .run(&["import", "voc", "out", "--out", "labels"])
        .exits(0);
    assert_eq!(run.stdout, "Nothing to write; inputs: 2 unchanged.\n");
}

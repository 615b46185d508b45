//! CVAT XML, through the binary.

use super::super::{World, settled};

const IMAGES: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <image id="0" name="street/a.jpg" width="200" height="100">
    <box label="car" occluded="1" xtl="20.00" ytl="10.00" xbr="60.00" ybr="40.00" z_order="0"></box>
    <polygon label="car" points="20,10;60,10;60,40" z_order="1"/>
    <points label="person" points="20,10;60,10"/>
    <tag label="night"/>
  </image>
  <image id="1" name="street/b.jpg" width="200" height="100"/>
</annotations>
"#;

const VIDEO: &str = r#"<annotations>
  <meta><task><mode>interpolation</mode><original_size><width>200</width><height>100</height></original_size></task>
    <source>street.mp4</source></meta>
  <track id="3" label="car">
    <box frame="0" outside="0" occluded="0" keyframe="1" xtl="20" ytl="10" xbr="60" ybr="40"/>
    <box frame="2" outside="0" occluded="0" keyframe="1" xtl="40" ytl="10" xbr="80" ybr="40"/>
    <box frame="3" outside="1" occluded="0" keyframe="1" xtl="40" ytl="10" xbr="80" ybr="40"/>
  </track>
</annotations>
"#;

#[test]
fn an_export_for_images_is_recognised_and_applies_at_once() {
    let world = World::new();
    world.write("annotations.xml", IMAGES);
    let run = world
        .run(&["import", "annotations.xml", "--out", "labels"])
        .exits(0);
    assert_eq!(
        run.stderr,
        "Recognised CVAT XML.\n4 of 4 annotations on 2 of 2 images, 3 categories.\n"
    );
    world
        .run(&["apply", "--auto-approve"])
        .exits(0)
        .says("Applied 4 (4 posted)");
    settled(&world.run(&["plan", "--detailed-exitcode"]));
    let again = world
        .run(&["import", "cvat", "annotations.xml", "--out", "labels"])
        .exits(0);
    assert_eq!(again.stdout, "Nothing to write; inputs: 2 unchanged.\n");
    world
        .run(&["export", "cvat", "--out", "out/annotations.xml"])
        .exits(0);
    let back = world
        .run(&["import", "out/annotations.xml", "--out", "labels"])
        .exits(0);
    assert_eq!(back.stdout, "Nothing to write; inputs: 2 unchanged.\n");
}

#[test]
fn tracks_of_a_video_become_annotations_of_its_frames() {
    let world = World::new();
    world.write("clip.xml", VIDEO);
    let listed = ["import", "clip.xml", "--out", "labels"];
    let run = world.run(&listed).exits(5);
    assert!(
        run.stderr
            .contains("note: guessed_time: 1 video (street.mp4)"),
        "{}",
        run.stderr
    );
    let all = [&listed[..], &["--interpolate", "--frame-rate", "25"]].concat();
    let run = world.run(&all).exits(0);
    assert!(
        run.stderr.contains("3 of 3 annotations on 1 of 1 image"),
        "{}",
        run.stderr
    );
    let labels = world.read("labels/street.yaml");
    for line in [
        "frame: { time_ms: 40, number: 1 }",
        "track: \"3\"",
        "left: 0.15",
    ] {
        assert!(labels.contains(line), "{labels}");
    }
    world
        .run(&["apply", "--auto-approve"])
        .exits(0)
        .says("Applied 3 (3 posted)");
    settled(&world.run(&["plan", "--detailed-exitcode"]));
}

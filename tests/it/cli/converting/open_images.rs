//! Open Images.

use super::super::World;
use super::keeps_keys_and_comments;

const HEAD: &str = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n";

#[test]
fn an_import_over_the_manifest_keeps_keys_ids_and_comments() {
    let world = World::new();
    let second = "a,xclick,/m/1,1,0.1,0.2,0.1,0.2\n";
    world.write(
        "set/boxes.csv",
        &format!("{HEAD}a,xclick,/m/0,1,0.25,0.75,0.25,0.75\n{second}"),
    );
    world.write("set/class-descriptions.csv", "/m/0,Car\n/m/1,Bus\n");
    world.write(
        "set/labels.csv",
        "ImageID,Source,LabelName,Confidence\na,verification,/m/1,0\n",
    );
    let moved = format!("{HEAD}a,xclick,/m/0,1,0.25,0.75,0.25,0.7\n{second}");
    let next = ("set/boxes.csv", moved.as_str());
    keeps_keys_and_comments(&world, "labels/a.yaml", "box", next);
    let text = world.read("labels/a.yaml");
    assert!(text.contains("concepts: { Bus: false }"), "{text}");
}

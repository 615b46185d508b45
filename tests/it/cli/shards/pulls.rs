//! Pulls of shards.

use super::*;

#[test]
fn shards_pull_into_files_of_their_own() {
    let world = World::new();
    world.declare(&boxes(0..40, "car"));
    world.apply(&[]).exits(0);
    let pull = |folder: String, more: &[&str]| {
        let mut words = words(&["pull", &folder, "--split", "--set", "street"]);
        words.extend(more.iter().map(|it| (*it).to_owned()));
        words
    };
    world
        .on_app(&["pull", "whole", "--split", "--set", "street"])
        .exits(0);
    // Each shard pulls into a folder of its own, as on machines of their own; together they are the whole.
    for run in at_once(&world, 4, |index| pull(format!("part-{index}"), &[])) {
        run.exits(0);
    }
    let mut together: Vec<(String, String)> = (0..4)
        .flat_map(|index| folder_of(&world.path().join(format!("part-{index}"))))
        .collect();
    together.sort();
    together.dedup();
    assert_eq!(together, folder_of(&world.path().join("whole")));

    // Then they update a manifest, each its own files, one shard after the other.
    world.declare(&(boxes(0..37, "car") + &boxes(37..40, "bus")));
    world.apply(&[]).exits(0);
    let mut written = 0;
    for index in 0..4 {
        let shard = format!("{index}/4");
        let pulled = world.on_app(&["pull", "whole", "--split", "--shard", &shard]);
        written += pulled.exits(0).stdout.lines().count();
    }
    assert_eq!(written, 3);
    settled(&world.on_app(&["plan", "whole", "--detailed-exitcode"]));
}

#[test]
fn a_pull_of_a_shard_changes_no_file_with_inputs_of_others() {
    let world = World::new();
    let declare = || {
        world.write("all/annosync.yaml", &(header() + "files: [labels/**]\n"));
        world.write(
            "all/labels/a.yaml",
            &format!("inputs:\n{}", boxes(0..8, "car")),
        );
    };
    declare();
    world.on_app(&["apply", "all", "--auto-approve"]).exits(0);
    world.declare(&(boxes(0..3, "car") + &boxes(3..4, "bus") + &boxes(4..8, "car")));
    world.apply(&[]).exits(0);
    let before = folder_of(world.path());
    let shard = (0..2).find(|index| {
        let shard = Shard::new(*index, 2).unwrap();
        shard.covers(&InputId::new("in-003").unwrap())
    });
    let shard = format!("{}/2", shard.unwrap());
    world
        .on_app(&["pull", "all", "--split", "--shard", &shard])
        .exits(1)
        .says("labels/a.yaml holds inputs of other shards");
    world
        .on_app(&["pull", "all", "--shard", &shard])
        .exits(64)
        .says("needs --split");
    world
        .on_app(&[
            "pull", "new", "--split", "--shard", &shard, "--policy", "sync",
        ])
        .exits(64)
        .says("would delete the labels of the others");
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn shards_that_pull_into_one_folder_at_once_lose_nothing() {
    let world = World::new();
    world.declare(&boxes(0..40, "car"));
    world.apply(&[]).exits(0);
    for folder in ["whole", "parts"] {
        world
            .on_app(&["pull", folder, "--split", "--set", "street"])
            .exits(0);
        for (name, text) in folder_of(&world.path().join(folder)) {
            world.write(&format!("{folder}/{name}"), &(text + "# a comment\n"));
        }
    }
    world.declare(&(boxes(0..20, "car") + &boxes(20..60, "bus")));
    world.apply(&[]).exits(0);
    world.on_app(&["pull", "whole", "--split"]).exits(0);
    for run in at_once(&world, 4, |_| words(&["pull", "parts", "--split"])) {
        // One that reads the folder while another writes ends with an error.
        assert!([0, 1].contains(&run.code), "{run:?}");
    }
    for index in 0..4 {
        let shard = format!("{index}/4");
        world
            .on_app(&["pull", "parts", "--split", "--shard", &shard])
            .exits(0);
    }
    assert_eq!(
        folder_of(&world.path().join("parts")),
        folder_of(&world.path().join("whole"))
    );
}

//! Concepts that the app does not have.

use super::*;

#[test]
fn new_concepts_are_listed_with_the_nearest_and_can_be_guarded() {
    let world = World::new();
    world.declare(&boxes(0..1, "traffic-light"));
    world.apply(&[]).exits(0);
    let long = "x".repeat(40);
    world.declare(&format!(
        "{}{}{}",
        boxes(0..1, "traffic-light"),
        boxes(1..3, "trafic-light"),
        boxes(3..4, &format!("water, zebra crossing, {long}"))
    ));
    insta::assert_snapshot!(world.plan(&[]).exits(0).stdout.replace(&world.emulator.url(), "SERVER"), @r"
    Label set street on owner/app at SERVER, policy sync: 3 to post.

    Warning: 2 new concepts with unusual ids (xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, zebra crossing): some clients of the service accept only letters, digits, - and _, up to 32 characters.

    Creates 4 concepts; the service cannot delete concepts:
      trafic-light                             (2), nearest existing: traffic-light
      water                                    (1), nearest existing: none
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx (1), nearest existing: none
      zebra crossing                           (1), nearest existing: none

    Classes:
      trafic-light                             0 -> 2 (+2)
      water                                    0 -> 1 (+1)
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx 0 -> 1 (+1)
      zebra crossing                           0 -> 1 (+1)

    in-001
      + post box [trafic-light] k: top, 16 % of the image

    in-002
      + post box [trafic-light] k: top, 16 % of the image

    in-003
      + post box [water, xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, zebra crossing] k: top, 16 % of the image

    Plan: 3 to post; 1 unchanged. 1 call (lower bound 1), about 0.1 s at 1,000 calls/s.
    ");
    let plan = world.plan_json();
    assert_eq!(
        plan["summary"]["new_concepts"][0],
        json!({"concept": "trafic-light", "annotations": 2, "nearest": "traffic-light"})
    );
    let guarded = world
        .read("m.yaml")
        .replace("guards: {", "guards: { max_new_concepts: 1,");
    world.write("m.yaml", &guarded);
    world
        .apply(&[])
        .exits(3)
        .says("the guard max_new_concepts allows 1.")
        .says("--allow-new-concepts 4");
    world.apply(&["--allow-new-concepts", "4"]).exits(0);
}

#[test]
fn with_the_apps_vocabulary_new_concepts_are_an_error() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    world.apply(&[]).exits(0);
    let labels = format!("{}{}", boxes(0..1, "car"), boxes(1..3, "cra"));
    world.write(
        "m.yaml",
        &format!("{}vocabulary: app\ninputs:\n{labels}", header()),
    );
    world.plan(&[]).exits(1).says(
        "m.yaml:14:9: the app has no concept `cra`; did you mean `car`? (2 annotations name it)",
    );
    world.write("m.yaml", &world.read("m.yaml").replace("cra", "car"));
    world.apply(&[]).exits(0);
    let listing = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0);
    world.write("state/listing.json", &listing.stdout);
    world.write(
        "m.yaml",
        &world
            .read("m.yaml")
            .replace("in-002", "in-200")
            .replace("[car]", "[tree]"),
    );
    let run = world
        .run(&["plan", "m.yaml", "--observed", "state/listing.json"])
        .exits(0);
    assert!(
        run.stdout.contains(
            "whether the app has 1 declared input that the listing does not show: in-200"
        ),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("(vocabulary: app): tree"),
        "{}",
        run.stdout
    );
}

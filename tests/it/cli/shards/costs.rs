//! What shards cost beside the whole: calls, and memory.

use super::*;
use annosync::emulator::{Config, Endpoint};

/// Inputs with many annotations each.
fn large(inputs: usize, annotations: usize, concept: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for input in 0..inputs {
        write!(text, r#"{{"id":"in-{input:03}","annotations":["#).unwrap();
        for at in 0..annotations {
            let comma = if at == 0 { "" } else { "," };
            let left = at as f64 / (annotations + 1) as f64;
            write!(
                text,
                r#"{comma}{{"key":"k{at}","point":[0.5,{left:.6}],"concepts":["{concept}"]}}"#
            )
            .unwrap();
        }
        text.push_str("]}\n");
    }
    text
}

#[test]
fn shards_that_list_at_once_take_as_many_calls_as_the_whole() {
    // Small pages stand for many annotations.
    let world = World::with(Config {
        page_cap: Some(20),
        ..Config::default()
    });
    world.write("m.yaml", &(header() + "files: [labels.jsonl]\n"));
    world.write("labels.jsonl", &large(64, 300, "car"));
    world.apply(&[]).exits(0);
    let mut changed = large(64, 300, "car");
    changed = changed.replacen("\"concepts\":[\"car\"]", "\"concepts\":[\"bus\"]", 40);
    world.write("labels.jsonl", &changed);
    let calls = || {
        let calls = world.emulator.calls();
        let lists = calls
            .iter()
            .filter(|it| it.endpoint == Endpoint::ListAnnotations);
        (calls.len(), lists.count())
    };
    world.emulator.forget_calls();
    let whole = world.plan_json();
    let (all, lists) = calls();
    world.emulator.forget_calls();
    let files = plan_shards(&world, SHARDS);
    let (all_of_shards, lists_of_shards) = calls();
    assert_eq!(
        essence(parsed(&joined(&world, &files).exits(0).stdout)),
        essence(whole)
    );
    assert!(
        all_of_shards * 10 <= all * 11,
        "{all_of_shards} calls of shards ({lists_of_shards} of lists), {all} of the whole ({lists})"
    );
}

/// The peak memory of a run of the binary, in kilobytes.
fn peak(world: &World, arguments: &[&str]) -> u64 {
    let mut command = std::process::Command::new("/usr/bin/time");
    command
        .args(["-f", "%M", env!("CARGO_BIN_EXE_annosync")])
        .args(arguments)
        .current_dir(world.path());
    let run = Run::of(command).exits(0);
    run.stderr.lines().last().unwrap().parse().unwrap()
}

/// `ANNOSYNC_SHARD_MEMORY=1000000`, with `--release`: the number of inputs, with an annotation each. The smaller the number, the
/// more the memory of the program itself counts: about 15 MB of each shard.
#[test]
fn a_shard_takes_a_sixth_of_the_memory_of_the_whole() {
    use std::fmt::Write as _;
    use std::io::Write as _;
    const PER_FILE: usize = 1_000;
    let Ok(inputs) = std::env::var("ANNOSYNC_SHARD_MEMORY") else {
        skipped("ANNOSYNC_SHARD_MEMORY is not set");
        return;
    };
    let inputs: usize = inputs.parse().unwrap();
    let world = World::new();
    world.write("m/annosync.yaml", &(header() + "files: [labels/**]\n"));
    let mut listing = String::from(
        r#"{"format_version":"1.0","caller":"owner","app_owner":"owner","scope":"whole_app","annotations":["#,
    );
    let mut file = String::new();
    for at in 0..inputs {
        let left = (at % 500) as f64 / 1_000.0;
        writeln!(
            file,
            r#"{{"id":"street-{at:07}","annotations":[{{"id":"a{at}","box":{{"top":0.1,"left":{left},"bottom":0.3,"right":{}}},"concepts":["car"]}}]}}"#,
            left + 0.2
        )
        .unwrap();
        if (at + 1) % PER_FILE == 0 {
            world.write(&format!("m/labels/{at}.jsonl"), &file);
            file.clear();
        }
        let comma = if at == 0 { "" } else { "," };
        write!(
            listing,
            r#"{comma}{{"id":"a{at}","input_id":"street-{at:07}","user_id":"owner","created_at":"2026-01-01T00:00:00Z","data":{{"regions":[{{"id":"r{at}","region_info":{{"bounding_box":{{"top_row":0.1,"left_col":{left},"bottom_row":0.3,"right_col":{}}}}},"data":{{"concepts":[{{"id":"car","value":1}}]}}}}]}}}}"#,
            left + 0.2
        )
        .unwrap();
    }
    world.write("listing.json", &(listing + "]}\n"));
    let plan = ["plan", "m", "--observed", "listing.json"];
    let whole = peak(&world, &plan);
    for index in 0..SHARDS {
        let shard = format!("{index}/{SHARDS}");
        let of_shard = peak(&world, &[&plan[..], &["--shard", &shard]].concat());
        let _ = writeln!(
            std::io::stderr(),
            "shard {shard}: {of_shard} kB, the whole: {whole} kB"
        );
        assert!(
            of_shard * 6 <= whole,
            "{shard}: {of_shard} kB of {whole} kB"
        );
    }
}

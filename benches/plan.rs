//! Parse, match, plan, show and pull, on generated annotations.
//!
//! `cargo bench --bench plan`; `ANNOSYNC_BENCH=1000000` for another number of annotations than 100,000.
//! `cargo bench --bench plan -- growth` plans crowds on one input instead, as ratios to a floor.

use annosync::model::{DesiredState, Mask, MaskArea, ObservedState, Policy, SetName};
use annosync::plan::{Base, Coverage, OnConflict, OnDrift, Plan, PlanBase};
use annosync::pull::{self, Choice, Form, Fresh};
use annosync::render::{self, Detail, MarkdownOptions, TextOptions};
use annosync::{manifest, observed, plan};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

#[expect(dead_code, reason = "other benchmarks use the rest")]
mod generated;
mod growth;

use generated::{Change, Dice, HEADER, PER_INPUT, boxes, context, json_lines, listing, yaml};

fn main() {
    divan::main();
    // Divan names no case after this word: it alone prints nothing but these.
    if std::env::args().any(|argument| argument == "growth") {
        growth::print();
    }
}

static SIZE: LazyLock<usize> = LazyLock::new(|| {
    std::env::var("ANNOSYNC_BENCH")
        .ok()
        .and_then(|size| size.parse().ok())
        .unwrap_or(100_000)
});

fn desired(yaml: String) -> DesiredState {
    manifest::parse(vec![(PathBuf::from("bench.yaml"), yaml)])
        .expect("the generated manifest is valid")
        .desired
}

fn desired_from_lines(lines: String) -> DesiredState {
    let files = vec![
        (PathBuf::from("annosync.yaml"), HEADER.to_owned()),
        (PathBuf::from("labels.jsonl"), lines),
    ];
    manifest::parse(files)
        .expect("the generated manifest is valid")
        .desired
}

fn observed_from(listing: &str) -> ObservedState {
    observed::SavedListing::read(listing)
        .expect("the generated listing is valid")
        .into_state()
}

#[divan::bench(sample_count = 5)]
fn parse_yaml(bencher: divan::Bencher) {
    let text = yaml(&boxes(*SIZE, PER_INPUT, 0.1, Change::None));
    bencher
        .counter(divan::counter::BytesCount::new(text.len()))
        .with_inputs(|| text.clone())
        .bench_values(desired);
}

#[divan::bench(sample_count = 5)]
fn parse_json_lines(bencher: divan::Bencher) {
    let text = json_lines(&boxes(*SIZE, PER_INPUT, 0.1, Change::None));
    bencher
        .counter(divan::counter::BytesCount::new(text.len()))
        .with_inputs(|| text.clone())
        .bench_values(desired_from_lines);
}

#[divan::bench(sample_count = 5)]
fn decode_listing(bencher: divan::Bencher) {
    let text = listing(&boxes(*SIZE, PER_INPUT, 0.1, Change::None));
    bencher
        .counter(divan::counter::BytesCount::new(text.len()))
        .bench(|| observed_from(&text));
}

fn plan_of(bencher: divan::Bencher, count: usize, per_input: usize, side: f64, change: Change) {
    let desired = desired_from_lines(json_lines(&boxes(count, per_input, side, change)));
    let observed = observed_from(&listing(&boxes(count, per_input, side, Change::None)));
    bencher
        .counter(divan::counter::ItemsCount::new(count))
        .bench(|| {
            plan::plan(&desired, &observed, &context()).expect("the owner may do everything")
        });
}

#[divan::bench(sample_count = 5)]
fn plan_unchanged(bencher: divan::Bencher) {
    plan_of(bencher, *SIZE, PER_INPUT, 0.1, Change::None);
}

#[divan::bench(sample_count = 5)]
fn plan_changed(bencher: divan::Bencher) {
    plan_of(bencher, *SIZE, PER_INPUT, 0.1, Change::Some);
}

/// One input with 20,000 boxes that lie close together.
#[divan::bench(sample_count = 3)]
fn plan_one_crowded_input(bencher: divan::Bencher) {
    plan_of(bencher, 20_000, 20_000, 0.05, Change::Some);
}

/// The worst case of matching: every one of 20,000 boxes moved, in one crowd.
#[divan::bench(sample_count = 3)]
fn plan_one_crowded_input_all_moved(bencher: divan::Bencher) {
    let moved: Vec<_> = boxes(20_000, 20_000, 0.05, Change::None)
        .into_iter()
        .map(|(input, [top, left, bottom, right], concept)| {
            (
                input,
                [top, left, bottom, (right + 0.001).min(1.0)],
                concept,
            )
        })
        .collect();
    let desired = desired_from_lines(json_lines(&moved));
    let observed = observed_from(&listing(&boxes(20_000, 20_000, 0.05, Change::None)));
    bencher
        .counter(divan::counter::ItemsCount::new(20_000_usize))
        .bench(|| {
            plan::plan(&desired, &observed, &context()).expect("the owner may do everything")
        });
}

/// What was declared before is what is there: every change is intended.
#[divan::bench(sample_count = 5)]
fn plan_changed_against_a_base(bencher: divan::Bencher) {
    let of = |change| boxes(*SIZE, PER_INPUT, 0.1, change);
    let desired = desired_from_lines(json_lines(&of(Change::Some)));
    let before = desired_from_lines(json_lines(&of(Change::None)));
    let observed = observed_from(&listing(&of(Change::None)));
    let against = PlanBase {
        desired: &before,
        base: Base {
            revision: "main".into(),
            commit: "0".repeat(40),
            manifest_hash: String::new(),
        },
        on_drift: OnDrift::Keep,
        on_conflict: OnConflict::Leave,
        coverage: Coverage::Declared,
    };
    bencher
        .counter(divan::counter::ItemsCount::new(*SIZE))
        .bench(|| {
            plan::plan_against(&desired, &observed, &context(), &against)
                .expect("the owner may do everything")
        });
}

/// A plan with changes is shown.
fn shown(bencher: divan::Bencher, show: impl Fn(&Plan) -> String + Sync) {
    let of = |change| boxes(*SIZE, PER_INPUT, 0.1, change);
    let desired = desired_from_lines(json_lines(&of(Change::Some)));
    let observed = observed_from(&listing(&of(Change::None)));
    let plan = plan::plan(&desired, &observed, &context()).expect("the owner may do everything");
    bencher.bench(|| show(&plan));
}

#[divan::bench(sample_count = 5)]
fn show_as_text(bencher: divan::Bencher) {
    let options = TextOptions {
        detail: Detail::Full,
        width: Some(100),
        ..TextOptions::default()
    };
    shown(bencher, |plan| render::text(plan, &options));
}

#[divan::bench(sample_count = 5)]
fn show_as_markdown(bencher: divan::Bencher) {
    let options = MarkdownOptions::default();
    shown(bencher, |plan| render::markdown(plan, &options));
}

#[divan::bench(sample_count = 5)]
fn show_as_json(bencher: divan::Bencher) {
    shown(bencher, render::json);
}

fn pull_as(bencher: divan::Bencher, form: Form) {
    let observed = observed_from(&listing(&boxes(*SIZE, PER_INPUT, 0.1, Change::None)));
    let set = SetName::new("bench").expect("it is a name");
    let header = manifest::Header::new(set, Policy::Upsert);
    // Nothing is there: all that is read back is what would be written.
    let path = Path::new("no-such-folder");
    let fresh = Fresh {
        header: &header,
        path,
        form,
        shard: None,
        read_back: &|overlay| manifest::load_with(path, overlay, manifest::FileAccess::Folder),
    };
    bencher
        .counter(divan::counter::ItemsCount::new(*SIZE))
        .bench_local(|| {
            pull::fresh(&fresh, &observed, &Choice::default()).expect("it can be pulled")
        });
}

#[divan::bench(sample_count = 3)]
fn pull_to_one_file(bencher: divan::Bencher) {
    pull_as(bencher, Form::OneFile);
}

#[divan::bench(sample_count = 3)]
fn pull_to_json_lines(bencher: divan::Bencher) {
    pull_as(bencher, Form::JsonLines);
}

/// A round mask of 1,024 x 1,024 pixels, as a PNG file.
fn disc() -> Vec<u8> {
    const SIDE: i32 = 1_024;
    let pixels: Vec<u8> = (0..SIDE * SIDE)
        .map(|at| {
            let (row, col) = (at / SIDE - SIDE / 2, at % SIDE - SIDE / 2);
            if row * row + col * col < 160_000 {
                255
            } else {
                0
            }
        })
        .collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, SIDE as u32, SIDE as u32);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("memory takes every write");
    writer.write_image_data(&pixels).expect("it has all pixels");
    writer.finish().expect("memory takes every write");
    file
}

/// What a listing does with each mask.
#[divan::bench]
fn see_a_mask(bencher: divan::Bencher) {
    let file = disc();
    bencher.bench(|| Mask::without_file(&file).expect("it is a PNG file"));
}

/// What matching does with each pair of masks that lie close together.
#[divan::bench]
fn compare_two_masks(bencher: divan::Bencher) {
    let area = MaskArea::decode(&disc()).expect("it is a PNG file");
    bencher.bench(|| area.overlap(&area));
}

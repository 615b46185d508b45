//! What the fuzzer found worth keeping: every file of its corpora through the same checks, on stable Rust.
//!
//! The targets and how to run them: tests/fuzz/Cargo.toml.

#[path = "../fuzz/checks/coco.rs"]
mod coco;
#[path = "../fuzz/checks/listing.rs"]
mod listing;
#[path = "../fuzz/checks/manifest.rs"]
mod manifest;
#[path = "../fuzz/checks/plan.rs"]
mod plan;

use rayon::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

/// Holds each file of a corpus to what its target holds; the names of those that do not pass are the failure.
fn replay(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut files: Vec<PathBuf> = fs::read_dir(corpus.join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() > 10, "the corpus of {target} is not there");
    let failed: Vec<&PathBuf> = files
        .par_iter()
        .filter(|file| {
            let bytes = fs::read(file).unwrap();
            std::panic::catch_unwind(|| check(&bytes)).is_err()
        })
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn any_bytes_are_a_manifest_or_say_why_not() {
    replay("manifest", manifest::check);
}

#[test]
fn any_bytes_are_a_coco_file_that_is_accounted_for_or_are_refused() {
    replay("coco", coco::check);
}

#[test]
fn any_bytes_are_a_listing_that_reads_back_or_are_refused() {
    replay("listing", listing::check);
}

#[test]
fn any_bytes_are_a_plan_that_reads_back_or_are_refused() {
    replay("plan", plan::check);
}

#[test]
fn a_corpus_of_plans_holds_plans_that_are_taken() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/plan");
    for name in ["drift", "kept", "moved", "overwrite", "purge"] {
        let text = fs::read_to_string(corpus.join(name)).unwrap();
        assert!(matches!(annosync::plan::read(&text), Ok(Some(_))), "{name}");
    }
}

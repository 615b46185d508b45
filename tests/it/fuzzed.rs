//! Runs the checks of the fuzz targets on every file of their corpora, on stable Rust.
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

/// Checks each file of a corpus, and fails with the names of those that do not pass.
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
fn manifests() {
    replay("manifest", manifest::check);
}

#[test]
fn coco_files() {
    replay("coco", coco::check);
}

#[test]
fn listings() {
    replay("listing", listing::check);
}

#[test]
fn plans() {
    replay("plan", plan::check);
}

#[test]
fn the_plan_corpus_has_valid_plans() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/plan");
    for name in ["drift", "kept", "moved", "overwrite", "purge"] {
        let text = fs::read_to_string(corpus.join(name)).unwrap();
        assert!(matches!(annosync::plan::read(&text), Ok(Some(_))), "{name}");
    }
}

//! See `checks/coco.rs`.

#![no_main]

#[path = "../checks/coco.rs"]
pub(crate) mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));

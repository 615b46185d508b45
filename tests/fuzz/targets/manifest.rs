//! See `checks/manifest.rs`.

#![no_main]

#[path = "../checks/manifest.rs"]
pub(crate) mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));

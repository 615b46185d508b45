//! See `checks/listing.rs`.

#![no_main]

#[path = "../checks/listing.rs"]
pub(crate) mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));

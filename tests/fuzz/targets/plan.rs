//! See `checks/plan.rs`.

#![no_main]

#[path = "../checks/plan.rs"]
pub(crate) mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));

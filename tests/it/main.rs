//! One integration binary. Plans are tested as text: a manifest, a listing, the plan they lead to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod circles;
mod cli;
mod closeness;
mod decisions;
mod drifting;
mod fuzzed;
mod grpc;
mod guarding;
mod guards;
mod hostile;
mod kinds;
mod laws;
mod layers;
mod matching;
mod merging;
mod ownership;
mod pull;
mod purging;
mod schemas;
mod sharing;
mod simulation;
mod stand_ins;
mod summary;
mod support;

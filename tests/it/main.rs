//! One integration binary. Plans are tested as text: a manifest, a listing, the plan they lead to.

mod decisions;
mod house;
mod laws;
mod matching;
mod support;

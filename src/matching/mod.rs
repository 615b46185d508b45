//! Which observed annotation is which declared one.
//!
//! Pure: desired and observed annotations of one input in, pairs with their reasons out. Uses `model` alone.

mod reason;

pub use reason::{Matched, MatchedBy};

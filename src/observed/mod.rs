//! The observed state of an app.
//!
//! A state is built from a listing that was proved complete, or from a saved one that had been. Depends on `api`, `wire` and
//! `model`.

mod error;
mod inventory;
mod saved;
#[cfg(test)]
mod schema;
mod state;
mod stream;

pub use error::ObservedError;
pub use inventory::{missing_inputs, new_concepts, unseen_concepts, unseen_inputs, waiting_inputs};
pub use saved::{FORMAT_VERSION, SavedListing};
pub use state::{Expected, from_listing, observe, observe_about, observe_shard};

//! What an app holds, in the domain's terms: the only place where the wire's form becomes the model's.
//!
//! A state is made of a listing that was proved complete, or of one that was saved when it had been proved. Nothing
//! here knows what a manifest wants. Uses `api` and `model`.

mod decode;
mod error;
mod inventory;
mod saved;
mod schema;
mod state;

pub use decode::annotation;
pub use error::ObservedError;
pub use inventory::{missing_inputs, new_concepts, unseen_concepts, unseen_inputs, waiting_inputs};
pub use saved::{FORMAT_VERSION, SavedListing};
pub use schema::schema;
pub use state::{from_listing, observe};

//! Other tools' files <-> desired state.
//!
//! Pure: bytes in, inputs with their annotations out, and an account of what could not be taken over. Reads no
//! files, writes no manifest, and prints nothing. Uses `model` (and `manifest`, where a format needs its notation).
//!
//! ```text
//! account    what every reader returns: inputs, and what was left out, by stable code
//! input_id   the ids of inputs, made from names of images      bitmap   pixels -> masks
//! pieces     several annotations that are one object           coco     a reader
//! ```

mod account;
mod bitmap;
pub mod coco;
mod input_id;
mod pieces;

pub use account::{ImageInfo, Imported, ImportedInput, Note, Noted, SkipCode, Skipped};
pub use input_id::{Collision, InputIdFrom};

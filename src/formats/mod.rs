//! Files of other tools -> inputs with annotations.
//!
//! Pure functions: bytes in; inputs, annotations and a report of what was left out as result. Reads no files, writes no
//! manifest and prints nothing. Uses `model`, and `manifest` for its notation.
//!
//! ```text
//! account    result of every reader: inputs, and what was left out, by stable code
//! input_id   ids of inputs, made from names of images          bitmap   pixels -> masks
//! pieces     several annotations of one object                 coco     a reader
//! ```

mod account;
mod bitmap;
pub mod coco;
mod input_id;
mod pieces;

pub use account::{ImageInfo, ImportNote, Imported, ImportedInput, Note, SkipCode, Skipped};
pub use input_id::{Collision, InputIdFrom};

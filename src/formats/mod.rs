//! Other tools' files <-> desired state.
//!
//! Pure: bytes in, inputs with their annotations out, and an account of what could not be taken over. Reads no
//! files, writes no manifest, and prints nothing. Uses `model` (and `manifest`, where a format needs its notation).

pub mod coco;

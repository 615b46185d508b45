//! The fields of one annotation: where, when, which state. A file for each kind of field.
//!
//! Reads them from a [`Node`](super::node::Node) into the model's types and reports every value that cannot be one.
//! Which fields go together is said by [`super::annotation`]; what needs the header (the vocabulary, renamed concepts)
//! or another file (masks, texts) is checked later. `concepts` has a room of its own beside this one.

mod coordinates;
mod external;
mod json;
mod region;
mod shapes;
mod state;
mod time;

pub use external::InputVideo;
pub(super) use external::{MaskSource, TextSource, mask, text_input, url_of, video};
pub(super) use json::object;
pub(super) use region::region;
pub(super) use shapes::{bounding_box, keypoints, point, polygon};
pub(super) use state::{line, region_value, status, user};
pub(super) use time::{frame, segment, span};

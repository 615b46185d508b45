//! The fields of one annotation, and the files and URLs of an input.
//!
//! Reads them into the model's types and reports invalid values. Which fields can be combined is decided by
//! [`super::annotation`]; what needs the header (vocabulary, renamed concepts) or another file (masks, texts) is checked
//! later.

mod coordinates;
mod external;
mod json;
mod region;
mod shapes;
mod state;
mod time;

pub(super) use external::{MaskSource, input_text, mask, url_of, video};
pub(super) use json::object;
pub(super) use region::region;
pub(super) use shapes::{bounding_box, keypoints, point, polygon};
pub(super) use state::{line, region_value, status, user};
pub(super) use time::{frame, segment, span};

//! The linter: what a valid manifest declares and probably does not mean.
//!
//! Pure: takes a manifest and what the headers of its pictures say, and returns findings. Opens and prints nothing. Rules
//! that make a manifest invalid are checked by `manifest`; names and levels are in `model`.
//!
//! | module | task |
//! |---|---|
//! | `check` | run all rules; apply levels and `ignore`s |
//! | `finding` | a finding, and how it is identified when lines move |
//! | `places` | annotations at the same place: duplicates, contradictions |
//! | `shapes`, `crossing` | single boxes and polygons |
//! | `frames` | frames and tracks |
//! | `concepts` | concepts of the whole manifest |
//! | `pictures` | the files of pictures |
//! | `fix` | the annotations after `--fix` |
//! | `baseline` | findings that are known already |

mod baseline;
mod check;
mod concepts;
mod crossing;
mod finding;
mod fix;
mod frames;
mod pictures;
mod places;
mod shapes;

pub use baseline::{Baseline, BaselineError};
pub use check::{Linted, check};
pub use finding::Finding;
pub use fix::{Edit, edits};
pub use pictures::{Picture, Pictures};

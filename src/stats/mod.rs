//! Statistics of labels: what a manifest or an app holds, in numbers.
//!
//! Pure: takes annotations by input and returns counts. `render` prints them.

mod count;
mod document;
mod spread;

pub use count::{Counter, Labelled};
pub use document::{ConceptStats, Count, LabelCount, Pair, Stats};
pub use spread::Spread;

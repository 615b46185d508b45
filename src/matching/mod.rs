//! Pairs the declared annotations of an input with its observed ones.
//!
//! Pure functions from the desired and observed annotations of one input to pairs with their reasons. Depends on `model`
//! only.
//!
//! Ids and keys are matched first. The rest is matched by content, but never across kinds, frames or tracks: equal
//! annotations as multisets, then by location. The later stages are solved as one assignment problem whose weights are
//! compared stage by stage: an earlier stage never loses a pair to a later one, and among the equally good pairings of an
//! earlier stage the best one for the later stages wins. What is left is paired if the picture was turned.
//!
//! Pairings are optimal up to these sizes (per input); above them a fixed rule applies:
//!
//! - the same place (`spots.rs`): 65,536 pairs a place (256 if there are over 200,000 in all). Above: by hash of the
//!   content, then added, then removed concepts, then order (`crowded.rs`).
//! - boxes, polygons, points, keypoints, masks, spans, segments (`nearest.rs`): 200,000 pairs; 200 keypoints or
//!   204,800 mask pixels count as one (3,200 for masks of different sizes). Above: the 24 nearest bounds, four
//!   rounds, then the nearest free one.
//! - areas of polygons (`nearest.rs`): a cost of 2,000,000: 18,000 pairs of 40 points, 100 of 2,000, 1 of 10,000.
//!   Above: lengths along up to 256 lines, fewer for many crossings (`model/lines.rs`).
//! - whole texts (`texts.rs`): 300,000 pairs, 400,000,000 pairs of characters. Above: the 24 that share most passages
//!   of 8 characters.
//! - assignment (`assignment.rs`): 16,777,216 rows × edges (256 × 256 if every pair is possible). Above: best free
//!   column in order.

mod assignment;
mod candidates;
mod claim;
mod closeness;
mod crowded;
mod doubles;
mod exact;
mod group;
mod index;
mod nearest;
mod reason;
mod spots;
mod stages;
mod state;
#[cfg(test)]
mod tests;
mod texts;
mod turned;
mod weight;

pub use claim::Claims;
pub use doubles::{DoublePair, doubles};
pub use reason::{Matched, MatchedBy};
pub use stages::match_input;
pub use state::{Matching, Pair};

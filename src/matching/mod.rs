//! Pairs the declared annotations of an input with its observed ones.
//!
//! Pure functions from the desired and observed annotations of one input to pairs with their reasons. Depends on `model`
//! only.
//!
//! Ids and keys are matched first. The rest is matched by content, but never across kinds, frames or tracks: equal
//! annotations as multisets, then by location. The later stages are solved as one assignment problem whose weights are
//! compared stage by stage: an earlier stage never loses a pair to a later one, and among the equally good pairings of an
//! earlier stage the best one for the later stages wins. What is left is paired if the picture was turned.

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

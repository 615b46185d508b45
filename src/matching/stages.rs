//! The stages of matching, in their order.

use super::claim::Claims;
use super::state::{Matching, State};
use super::{candidates, exact, turned};
use crate::model::{DesiredAnnotation, InputId, ObservedAnnotation};

/// Pairs the declared annotations of one input with its observed ones. `observed` must be sorted by (`created_at`, id).
/// The orders of both lists break ties.
pub fn match_input(
    claims: &Claims,
    input: &InputId,
    desired: &[DesiredAnnotation],
    observed: &[ObservedAnnotation],
) -> Matching {
    let mut state = State::new(claims, desired, observed);
    state.pair_by_id(input);
    exact::pair(&mut state);
    candidates::pair(&mut state);
    turned::pair(&mut state);
    state.finish()
}

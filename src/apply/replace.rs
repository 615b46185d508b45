//! How far the replacements of a plan have come: four steps, each safe to repeat.
//!
//! Post the stand-in, delete the original, post the replacement, delete the stand-in. One of the two always exists, so a run
//! may be killed at any point. `batch` sends the steps; `stand_in` checks the state before each.

use super::account::OperationOutcome;
use super::watch::ItemOutcome;
use crate::model::{AnnotationId, Fingerprint, Json};
use crate::plan::{Action, Call, Operation, Plan, Touched, stand_in_id_for};
use std::collections::HashMap;
use std::sync::Arc;

/// What to do about a stand-in that is still there.
pub(super) const NEXT: &str = "run the same command again";

/// A stand-in as it was last seen.
#[derive(Debug, Clone)]
pub(super) struct StandIn {
    pub(super) seen: Fingerprint,
    /// The body of the replacement; `None` if another run began it: then the stand-in holds the body.
    pub(super) body: Option<Arc<Json>>,
}

impl StandIn {
    pub(super) fn of_another_run(seen: Fingerprint) -> Self {
        Self { seen, body: None }
    }
}

/// How far a replacement has come.
#[derive(Debug)]
pub(super) enum Progress {
    /// Nothing was written.
    Untouched,
    /// An earlier run deleted the original; the stand-in exists as the plan saw it.
    LeftUnfinished(StandIn),
    /// The stand-in and the original exist.
    StoodIn(StandIn),
    /// The stand-in exists, and the original is deleted.
    Deleted(StandIn),
    /// Only the stand-in is left to be deleted; then the replacement ends with this outcome.
    Settled(StandIn, OperationOutcome),
}

/// Whether a run begins new operations, or only finishes what it has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Running,
    Stopping,
}

impl Progress {
    /// Of the replacements of a plan, by the index of their operation.
    pub(super) fn of(plan: &Plan) -> HashMap<u32, Self> {
        let start = |operation: &Operation| match operation.fingerprint() {
            Some(stand_in) if operation.is_unfinished() => {
                Self::LeftUnfinished(StandIn::of_another_run(stand_in))
            }
            _ => Self::Untouched,
        };
        (plan.operations.iter().zip(0..))
            .filter(|(operation, _)| operation.action() == Action::Replace)
            .map(|(operation, at)| (at, start(operation)))
            .collect()
    }

    /// Whether this call is the next step. After a stop, replacements that were begun are still brought to a safe end: a
    /// deleted original is posted again, and a stand-in that is no longer needed is deleted.
    pub(super) fn is_due(&self, call: Call, mode: Mode) -> bool {
        match (call, self) {
            (Call::PostStandIn, Self::Untouched)
            | (Call::DeleteReplaced, Self::StoodIn(_))
            | (Call::Post, Self::LeftUnfinished(_)) => mode == Mode::Running,
            (Call::Post, Self::Deleted(_))
            | (Call::DeleteStandIn, Self::StoodIn(_) | Self::Settled(..)) => true,
            _ => false,
        }
    }

    pub(super) fn stand_in(&self) -> Option<&StandIn> {
        match self {
            Self::Untouched => None,
            Self::LeftUnfinished(seen)
            | Self::StoodIn(seen)
            | Self::Deleted(seen)
            | Self::Settled(seen, _) => Some(seen),
        }
    }

    /// The outcome, if it is known before the stand-in is deleted.
    pub(super) fn outcome(&self) -> Option<&OperationOutcome> {
        match self {
            Self::Settled(_, outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Takes in how a step ended. Returns the outcome of the whole replacement once no step is left.
    pub(super) fn advance(
        &mut self,
        call: Call,
        step: OperationOutcome,
        id: &AnnotationId,
    ) -> Option<OperationOutcome> {
        let before = std::mem::replace(self, Self::Untouched);
        match (call, before) {
            (Call::DeleteReplaced, Self::StoodIn(stand_in)) => {
                *self = match step {
                    ItemOutcome::Applied => Self::Deleted(stand_in),
                    step => Self::Settled(stand_in, step),
                };
                None
            }
            (Call::Post, Self::LeftUnfinished(stand_in)) => match step {
                ItemOutcome::Applied | ItemOutcome::AlreadyUpToDate => {
                    *self = Self::Settled(stand_in, step);
                    None
                }
                step => Some(post_failed(step, id, Touched::Nothing)),
            },
            (Call::Post, Self::Deleted(stand_in)) => match step {
                ItemOutcome::Applied | ItemOutcome::AlreadyUpToDate => {
                    *self = Self::Settled(stand_in, ItemOutcome::Applied);
                    None
                }
                step => Some(post_failed(step, id, Touched::Deleted)),
            },
            (Call::DeleteStandIn, before) => {
                let whole = match before {
                    Self::Settled(_, whole) => Some(whole),
                    _ => None,
                };
                match step {
                    ItemOutcome::Failed { reason, .. } => Some(stand_in_left(whole, id, &reason)),
                    ItemOutcome::Stale { .. } => {
                        Some(stand_in_left(whole, id, "somebody changed it"))
                    }
                    _ => whole,
                }
            }
            // Without a stand-in the annotation was not touched.
            (_, _) => Some(match step {
                ItemOutcome::Failed {
                    reason,
                    touched: Touched::Unknown,
                } => ItemOutcome::failed(
                    format!("{reason}; its stand-in `{id}` may be there: {NEXT}"),
                    Touched::Nothing,
                ),
                step => step,
            }),
        }
    }
}

/// The outcome of a replacement after a failed post; its stand-in holds what is to be posted.
fn post_failed(post: OperationOutcome, id: &AnnotationId, touched: Touched) -> OperationOutcome {
    match post {
        ItemOutcome::Failed {
            reason,
            touched: Touched::Nothing,
        } => ItemOutcome::failed(
            format!(
                "{reason}; its new content is in the stand-in `{id}`: {NEXT} to finish the replacement"
            ),
            touched,
        ),
        ItemOutcome::Failed {
            reason,
            touched: of_post,
        } => ItemOutcome::failed(
            format!("{reason}; its stand-in `{id}` is still there"),
            of_post,
        ),
        ItemOutcome::Stale {
            found,
            touched: Touched::Nothing,
        } => ItemOutcome::Stale { found, touched },
        post => post,
    }
}

/// The outcome of a replacement if its stand-in could not be deleted.
fn stand_in_left(
    whole: Option<OperationOutcome>,
    id: &AnnotationId,
    why: &str,
) -> OperationOutcome {
    let left = format!("its stand-in `{id}` is still there ({why}): {NEXT}");
    let (reason, touched) = match whole {
        Some(ItemOutcome::Applied) => (format!("it was replaced, but {left}"), Touched::Incomplete),
        Some(ItemOutcome::AlreadyUpToDate) => (
            format!("it already was as wanted, but {left}"),
            Touched::Nothing,
        ),
        Some(ItemOutcome::Failed { reason, touched }) => (format!("{reason}; {left}"), touched),
        Some(ItemOutcome::Stale { touched, .. }) => (
            format!("it changed after the plan was made and was left alone, but {left}"),
            touched,
        ),
        Some(ItemOutcome::NotAttempted) | None => (
            format!("the run was stopped before it was replaced, but {left}"),
            Touched::Nothing,
        ),
    };
    ItemOutcome::failed(reason, touched)
}

pub(super) fn stand_in_id(plan: &Plan, at: u32) -> AnnotationId {
    stand_in_id_for(&plan.set, &plan.operations[at as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> StandIn {
        StandIn::of_another_run(
            serde_json::from_str("\"00112233445566778899aabbccddeeff\"").unwrap(),
        )
    }

    fn id() -> AnnotationId {
        AnnotationId::new("as-00000000-r0000000000000000000").unwrap()
    }

    fn failed(why: &str) -> OperationOutcome {
        ItemOutcome::failed(why, Touched::Nothing)
    }

    fn stale() -> OperationOutcome {
        ItemOutcome::Stale {
            found: None,
            touched: Touched::Nothing,
        }
    }

    fn next(progress: &Progress, mode: Mode) -> Vec<Call> {
        let calls = [
            Call::PostStandIn,
            Call::DeleteReplaced,
            Call::Post,
            Call::DeleteStandIn,
        ];
        let due = |call: &Call| progress.is_due(*call, mode);
        calls.into_iter().filter(due).collect()
    }

    #[test]
    fn each_step_waits_for_the_one_before() {
        let mut progress = Progress::Untouched;
        assert_eq!(next(&progress, Mode::Running), [Call::PostStandIn]);
        progress = Progress::StoodIn(seen());
        assert_eq!(
            next(&progress, Mode::Running),
            [Call::DeleteReplaced, Call::DeleteStandIn],
            "the second one is due only if the first, in an earlier phase, was not made"
        );
        assert!(
            progress
                .advance(Call::DeleteReplaced, ItemOutcome::Applied, &id())
                .is_none()
        );
        assert_eq!(next(&progress, Mode::Running), [Call::Post]);
        assert!(
            progress
                .advance(Call::Post, ItemOutcome::Applied, &id())
                .is_none()
        );
        assert_eq!(next(&progress, Mode::Running), [Call::DeleteStandIn]);
        let whole = progress.advance(Call::DeleteStandIn, ItemOutcome::AlreadyUpToDate, &id());
        assert!(matches!(whole, Some(ItemOutcome::Applied)));
    }

    #[test]
    fn after_a_stop_nothing_is_begun_and_what_was_begun_is_finished() {
        for (progress, due) in [
            (Progress::Untouched, &[][..]),
            (Progress::LeftUnfinished(seen()), &[]),
            (Progress::StoodIn(seen()), &[Call::DeleteStandIn]),
            (Progress::Deleted(seen()), &[Call::Post]),
            (
                Progress::Settled(seen(), ItemOutcome::Applied),
                &[Call::DeleteStandIn],
            ),
        ] {
            assert_eq!(next(&progress, Mode::Stopping), due, "{progress:?}");
        }
        let mut progress = Progress::StoodIn(seen());
        let whole = progress.advance(Call::DeleteStandIn, ItemOutcome::Applied, &id());
        assert!(whole.is_none(), "it was not attempted");
        assert!(matches!(progress, Progress::Untouched));
    }

    #[test]
    fn a_refused_stand_in_ends_the_replacement_before_anything_is_deleted() {
        let mut progress = Progress::Untouched;
        let whole = progress.advance(Call::PostStandIn, failed("no such user"), &id());
        let Some(ItemOutcome::Failed {
            reason: why,
            touched: Touched::Nothing,
        }) = whole
        else {
            panic!("{whole:?}");
        };
        assert_eq!(why, "no such user");
    }

    #[test]
    fn a_changed_original_is_left_alone_and_its_stand_in_is_deleted() {
        let mut progress = Progress::StoodIn(seen());
        assert!(
            progress
                .advance(Call::DeleteReplaced, stale(), &id())
                .is_none()
        );
        assert_eq!(next(&progress, Mode::Running), [Call::DeleteStandIn]);
        let whole = progress.advance(Call::DeleteStandIn, ItemOutcome::Applied, &id());
        assert!(matches!(
            whole,
            Some(ItemOutcome::Stale {
                found: None,
                touched: Touched::Nothing
            })
        ));
    }

    #[test]
    fn a_failed_post_names_the_stand_in() {
        let mut progress = Progress::Deleted(seen());
        let whole = progress.advance(Call::Post, failed("no"), &id());
        let Some(ItemOutcome::Failed {
            reason: why,
            touched: Touched::Deleted,
        }) = whole
        else {
            panic!("{whole:?}");
        };
        assert_eq!(
            why,
            "no; its new content is in the stand-in `as-00000000-r0000000000000000000`: \
             run the same command again to finish the replacement"
        );
        let mut progress = Progress::LeftUnfinished(seen());
        let whole = progress.advance(Call::Post, failed("no"), &id());
        assert!(matches!(
            whole,
            Some(ItemOutcome::Failed {
                touched: Touched::Nothing,
                ..
            })
        ));
    }

    #[test]
    fn a_stand_in_that_cannot_be_deleted_is_a_failure_that_gives_the_outcome_of_the_annotation() {
        for (whole, step, start, touched) in [
            (
                ItemOutcome::Applied,
                failed("no"),
                "it was replaced, but its stand-in",
                Touched::Incomplete,
            ),
            (
                ItemOutcome::AlreadyUpToDate,
                stale(),
                "it already was as wanted, but its stand-in",
                Touched::Nothing,
            ),
            (
                failed("refused"),
                failed("no"),
                "refused; its stand-in",
                Touched::Nothing,
            ),
            (
                stale(),
                failed("no"),
                "it changed after the plan was made and was left alone, but its stand-in",
                Touched::Nothing,
            ),
        ] {
            let mut progress = Progress::Settled(seen(), whole);
            let whole = progress.advance(Call::DeleteStandIn, step, &id());
            let Some(ItemOutcome::Failed {
                reason: why,
                touched: how,
            }) = whole
            else {
                panic!("{whole:?}");
            };
            assert!(why.starts_with(start), "{why}");
            assert!(why.ends_with("run the same command again"), "{why}");
            assert_eq!(how, touched);
        }
        let mut progress = Progress::StoodIn(seen());
        let whole = progress.advance(Call::DeleteStandIn, failed("no"), &id());
        assert!(matches!(
            whole,
            Some(ItemOutcome::Failed {
                touched: Touched::Nothing,
                ..
            })
        ));
    }
}

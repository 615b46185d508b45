//! How far the replacements of a plan have come: four steps, each safe to repeat.
//!
//! Stand-in posted, original deleted, replacement posted, stand-in deleted. At every moment one of the two is there, so
//! that a run may die anywhere. How a step is sent is `batch`'s; what is looked at before it is `stand_in`'s.

use super::batch::Ending;
use crate::model::{AnnotationId, Fingerprint, Json};
use crate::plan::{Call, Operation, Plan, Touched, stand_in_id_for};
use std::sync::Arc;

/// What to do about a stand-in that is still there.
const NEXT: &str = "run the same command again";

/// A stand-in as it was when it was last looked at.
#[derive(Debug, Clone)]
pub(super) struct StandIn {
    pub(super) seen: Fingerprint,
    /// What the replacement is posted as; `None` where another run began it: then the stand-in holds it.
    pub(super) body: Option<Arc<Json>>,
}

impl StandIn {
    /// One that another run left.
    pub(super) fn left(seen: Fingerprint) -> Self {
        Self { seen, body: None }
    }
}

/// How far a replacement has come.
#[derive(Debug)]
pub(super) enum Progress {
    /// Nothing of it was written.
    Untouched,
    /// An earlier run deleted the original; its stand-in is there, as the plan saw it.
    LeftUnfinished(StandIn),
    /// The stand-in is there, and so is the original.
    StoodIn(StandIn),
    /// The stand-in is there, and the original is deleted.
    Deleted(StandIn),
    /// It ends so once its stand-in is gone.
    Settled(StandIn, Ending),
}

/// Whether a run goes on, or ends what it has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// New operations are begun.
    GoingOn,
    /// Nothing new is begun.
    Stopping,
}

impl Progress {
    /// Of every operation of a plan; operations that replace nothing stay as they are.
    pub(super) fn of(plan: &Plan) -> Vec<Self> {
        let start = |operation: &Operation| match operation.fingerprint() {
            Some(stand_in) if operation.is_unfinished() => {
                Self::LeftUnfinished(StandIn::left(stand_in))
            }
            _ => Self::Untouched,
        };
        plan.operations.iter().map(start).collect()
    }

    /// Whether this call is the next step. A stop does not keep what was begun from being brought to a safe end: a
    /// deleted original is posted, and a stand-in that is not needed any more goes.
    pub(super) fn is_due(&self, call: Call, mode: Mode) -> bool {
        match (call, self) {
            (Call::PostStandIn, Self::Untouched)
            | (Call::DeleteReplaced, Self::StoodIn(_))
            | (Call::Post, Self::LeftUnfinished(_)) => mode == Mode::GoingOn,
            (Call::Post, Self::Deleted(_))
            | (Call::DeleteStandIn, Self::StoodIn(_) | Self::Settled(..)) => true,
            _ => false,
        }
    }

    /// The stand-in as it was when it was last looked at.
    pub(super) fn stand_in(&self) -> Option<&StandIn> {
        match self {
            Self::Untouched => None,
            Self::LeftUnfinished(seen)
            | Self::StoodIn(seen)
            | Self::Deleted(seen)
            | Self::Settled(seen, _) => Some(seen),
        }
    }

    /// How it ends once its stand-in is gone, where that is known.
    pub(super) fn ending(&self) -> Option<&Ending> {
        match self {
            Self::Settled(_, ending) => Some(ending),
            _ => None,
        }
    }

    /// Takes in how a step ended. The ending of the whole replacement, once there is no step left.
    pub(super) fn advance(
        &mut self,
        call: Call,
        ending: Ending,
        id: &AnnotationId,
    ) -> Option<Ending> {
        let before = std::mem::replace(self, Self::Untouched);
        match (call, before) {
            (Call::DeleteReplaced, Self::StoodIn(stand_in)) => {
                *self = match ending {
                    Ending::Applied => Self::Deleted(stand_in),
                    ending => Self::Settled(stand_in, ending),
                };
                None
            }
            (Call::Post, Self::LeftUnfinished(stand_in)) => match ending {
                Ending::Applied | Ending::AlreadySo => {
                    *self = Self::Settled(stand_in, ending);
                    None
                }
                ending => Some(held(ending, id, Touched::Not)),
            },
            (Call::Post, Self::Deleted(stand_in)) => match ending {
                Ending::Applied | Ending::AlreadySo => {
                    *self = Self::Settled(stand_in, Ending::Applied);
                    None
                }
                ending => Some(held(ending, id, Touched::Deleted)),
            },
            (Call::DeleteStandIn, before) => {
                let whole = match before {
                    Self::Settled(_, whole) => Some(whole),
                    _ => None,
                };
                match ending {
                    Ending::Applied | Ending::AlreadySo => whole,
                    Ending::Failed(why, _) => Some(left(whole, id, &why)),
                    Ending::Stale(..) => Some(left(whole, id, "somebody changed it")),
                }
            }
            // Without a stand-in nothing was done to the annotation.
            (_, _) => Some(match ending {
                Ending::Failed(why, Touched::Perhaps) => Ending::Failed(
                    format!("{why}; its stand-in `{id}` may be there: {NEXT}"),
                    Touched::Not,
                ),
                ending => ending,
            }),
        }
    }
}

/// The ending of a replacement whose post came to nothing, while its stand-in holds what it is to be.
fn held(ending: Ending, id: &AnnotationId, touched: Touched) -> Ending {
    match ending {
        Ending::Failed(why, Touched::Not) => Ending::Failed(
            format!("{why}; its stand-in `{id}` holds it: {NEXT} to finish it"),
            touched,
        ),
        Ending::Failed(why, of_post) => Ending::Failed(
            format!("{why}; its stand-in `{id}` is still there"),
            of_post,
        ),
        Ending::Stale(now, Touched::Not) => Ending::Stale(now, touched),
        ending => ending,
    }
}

/// The ending of a replacement whose stand-in is still there.
fn left(whole: Option<Ending>, id: &AnnotationId, why: &str) -> Ending {
    let left = format!("its stand-in `{id}` is still there ({why}): {NEXT}");
    match whole {
        Some(Ending::Applied) => {
            Ending::Failed(format!("it was replaced, and {left}"), Touched::Otherwise)
        }
        Some(Ending::AlreadySo) => Ending::Failed(
            format!("it was as wanted already, and {left}"),
            Touched::Not,
        ),
        Some(Ending::Failed(first, touched)) => Ending::Failed(format!("{first}; {left}"), touched),
        Some(Ending::Stale(_, touched)) => Ending::Failed(
            format!("it changed after the plan was made and was left alone, and {left}"),
            touched,
        ),
        None => Ending::Failed(
            format!("the run was stopped before it was replaced, and {left}"),
            Touched::Not,
        ),
    }
}

/// The id of an operation's stand-in.
pub(super) fn stand_in_id(plan: &Plan, at: u32) -> AnnotationId {
    stand_in_id_for(&plan.set, &plan.operations[at as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObservedAnnotation;

    fn seen() -> StandIn {
        StandIn::left(serde_json::from_str("\"00112233445566778899aabbccddeeff\"").unwrap())
    }

    fn id() -> AnnotationId {
        AnnotationId::new("as-00000000-r0000000000000000000").unwrap()
    }

    fn failed(why: &str) -> Ending {
        Ending::Failed(why.to_owned(), Touched::Not)
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
        assert_eq!(next(&progress, Mode::GoingOn), [Call::PostStandIn]);
        progress = Progress::StoodIn(seen());
        assert_eq!(
            next(&progress, Mode::GoingOn),
            [Call::DeleteReplaced, Call::DeleteStandIn],
            "the second one only where the first, in an earlier phase, was not made"
        );
        assert!(
            progress
                .advance(Call::DeleteReplaced, Ending::Applied, &id())
                .is_none()
        );
        assert_eq!(next(&progress, Mode::GoingOn), [Call::Post]);
        assert!(
            progress
                .advance(Call::Post, Ending::Applied, &id())
                .is_none()
        );
        assert_eq!(next(&progress, Mode::GoingOn), [Call::DeleteStandIn]);
        let whole = progress.advance(Call::DeleteStandIn, Ending::AlreadySo, &id());
        assert!(matches!(whole, Some(Ending::Applied)));
    }

    #[test]
    fn a_stop_begins_nothing_and_finishes_what_was_begun() {
        for (progress, due) in [
            (Progress::Untouched, &[][..]),
            (Progress::LeftUnfinished(seen()), &[]),
            (Progress::StoodIn(seen()), &[Call::DeleteStandIn]),
            (Progress::Deleted(seen()), &[Call::Post]),
            (
                Progress::Settled(seen(), Ending::Applied),
                &[Call::DeleteStandIn],
            ),
        ] {
            assert_eq!(next(&progress, Mode::Stopping), due, "{progress:?}");
        }
        let mut progress = Progress::StoodIn(seen());
        let whole = progress.advance(Call::DeleteStandIn, Ending::Applied, &id());
        assert!(whole.is_none(), "it was not attempted");
        assert!(matches!(progress, Progress::Untouched));
    }

    #[test]
    fn a_stand_in_that_is_refused_ends_it_before_anything_was_done() {
        let mut progress = Progress::Untouched;
        let whole = progress.advance(Call::PostStandIn, failed("no such user"), &id());
        let Some(Ending::Failed(why, Touched::Not)) = whole else {
            panic!("{whole:?}");
        };
        assert_eq!(why, "no such user");
    }

    #[test]
    fn an_original_that_changed_is_left_alone_and_its_stand_in_goes() {
        let mut progress = Progress::StoodIn(seen());
        let stale = Ending::Stale(None, Touched::Not);
        assert!(
            progress
                .advance(Call::DeleteReplaced, stale, &id())
                .is_none()
        );
        assert_eq!(next(&progress, Mode::GoingOn), [Call::DeleteStandIn]);
        let whole = progress.advance(Call::DeleteStandIn, Ending::Applied, &id());
        assert!(matches!(whole, Some(Ending::Stale(None, Touched::Not))));
    }

    #[test]
    fn a_post_that_fails_names_the_stand_in_that_holds_it() {
        let mut progress = Progress::Deleted(seen());
        let whole = progress.advance(Call::Post, failed("no"), &id());
        let Some(Ending::Failed(why, Touched::Deleted)) = whole else {
            panic!("{whole:?}");
        };
        assert_eq!(
            why,
            "no; its stand-in `as-00000000-r0000000000000000000` holds it: \
             run the same command again to finish it"
        );
        let mut progress = Progress::LeftUnfinished(seen());
        let whole = progress.advance(Call::Post, failed("no"), &id());
        assert!(matches!(whole, Some(Ending::Failed(_, Touched::Not))));
    }

    #[test]
    fn a_stand_in_that_stays_is_a_failure_that_says_what_became_of_the_annotation() {
        let changed = |now: Option<ObservedAnnotation>| {
            Ending::Stale(now.map(|now| Box::new(now.content())), Touched::Not)
        };
        for (whole, ending, start, touched) in [
            (
                Ending::Applied,
                failed("no"),
                "it was replaced, and its stand-in",
                Touched::Otherwise,
            ),
            (
                Ending::AlreadySo,
                changed(None),
                "it was as wanted already, and its stand-in",
                Touched::Not,
            ),
            (
                failed("refused"),
                failed("no"),
                "refused; its stand-in",
                Touched::Not,
            ),
            (
                changed(None),
                failed("no"),
                "it changed after the plan was made and was left alone, and its stand-in",
                Touched::Not,
            ),
        ] {
            let mut progress = Progress::Settled(seen(), whole);
            let whole = progress.advance(Call::DeleteStandIn, ending, &id());
            let Some(Ending::Failed(why, how)) = whole else {
                panic!("{whole:?}");
            };
            assert!(why.starts_with(start), "{why}");
            assert!(why.ends_with("run the same command again"), "{why}");
            assert_eq!(how, touched);
        }
        let mut progress = Progress::StoodIn(seen());
        let whole = progress.advance(Call::DeleteStandIn, failed("no"), &id());
        assert!(matches!(whole, Some(Ending::Failed(_, Touched::Not))));
    }
}

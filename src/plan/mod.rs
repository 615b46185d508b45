//! Pairs become changes, changes become operations, operations become batches; guards; the plan file.
//!
//! Pure: no I/O, no clock, no randomness, so that a plan is a function of (manifest, listing). Uses `matching`,
//! `wire` for the bodies of writes, and `model`.

mod app_change;
mod batch;
mod build;
mod change;
mod changed;
mod classes;
mod counts;
mod diff;
mod drift;
mod error;
mod field;
mod fresh;
mod guard;
mod input;
mod inventory;
mod join;
mod links;
mod masks;
mod merge;
mod mismatch;
mod moves;
mod operation;
mod outcome;
mod outcome_document;
mod permit;
#[expect(clippy::module_inception, reason = "it holds the type `Plan`")]
mod plan;
mod planned_input;
mod planner;
mod posts;
mod purge;
mod read;
mod recheck;
mod record;
mod region;
mod relabelling;
mod repair;
mod rights;
#[cfg(test)]
mod schema;
mod sent;
mod shard;
mod shared;
mod stand_in;
mod summary;
mod three_way;
mod tripped_guard;
mod undo;
mod unreadable;

pub use crate::matching::{Matched, MatchedBy};
pub use app_change::{AppChange, AppChangeKind, Decision, FieldChange};
pub use batch::{Batch, Call, MAX_BYTES, MAX_ITEMS};
pub use build::{Context, plan, plan_against};
pub use changed::{Changed, changed};
pub use classes::{ClassCount, Relabelled};
pub use counts::ActionCounts;
pub use diff::{
    DIFF_VERSION, Diff, DiffChange, DiffKind, DiffSide, DiffSummary, InputLabels, LabelSet, diff,
};
pub use drift::{Coverage, OnConflict, OnDrift, PlanBase, merged_state};
pub use error::PlanError;
pub use fresh::{Freshness, freshness, is_as_wanted};
pub use guard::Limits;
pub use inventory::{Inventory, Missing, Vocabulary};
pub use join::{JoinError, join};
pub use mismatch::Mismatch;
pub use moves::{DISTANCES, LARGEST_MOVES, Move, Moves, Turned};
pub use operation::{
    Action, Cause, Change, DeleteReason, DoubledAnnotation, Edit, Likeness, Observed, Operation,
    Reason, Restoration, Seen, UndoChange, Written,
};
pub use outcome::{
    Applied, Ending, FailedInput, FailedItem, FailedPurge, Outcome, Since, StaleInput, StaleItem,
    StalePurge, Touched, Unplanned,
};
pub use outcome_document::OutcomeDocument;
pub use permit::{ExtraPermissions, Permit};
pub use plan::{Base, FORMAT_VERSION, Plan, Purpose, Target};
pub use planned_input::{Medium, MediumKind, MediumSource, PlannedInput};
pub use purge::{Purge, PurgedAnnotation};
pub use read::{PlanFileError, read};
pub use recheck::{Due, bodies, due, mismatches};
pub use region::named_region;
pub use rights::Needed;
pub use sent::{body_of_stand_in, write_body};
pub use shard::{ShardContext, Whole};
pub use stand_in::{
    STAND_IN_FOR, body as stand_in_body, id_for as stand_in_id_for, is_stand_in_of, original_of,
    settled,
};
pub use summary::{Doubles, HeldBack, NewConcept, OthersWork, Summary, UserCount};
pub use tripped_guard::{
    Allowances, Drift, EmptyManifest, GUARDS_LABEL, Numbers, REVERTS_LABEL, Rename, TrippedGuard,
};
pub use undo::{ApplyStatus, ApplyStatuses, Before, undo};

//! Pairs become changes, changes become operations, operations become batches; guards; the plan file.
//!
//! Pure: no I/O, no clock, no randomness, so that a plan is a function of (manifest, listing). Uses `matching` and
//! `model`.

mod account;
mod batch;
mod body;
mod build;
mod change;
mod drift;
mod error;
mod fresh;
mod guard;
mod input;
mod inventory;
mod masks;
mod merge;
mod moves;
mod outcome;
mod permit;
mod purge;
mod read;
mod recheck;
mod region;
mod repair;
mod rights;
mod schema;
mod sent;
mod shared;
mod stand_in;
mod summary;
mod three_way;
mod trip;
mod types;
mod undo;
mod unreadable;

pub use crate::matching::{Matched, MatchedBy};
pub use account::Account;
pub use batch::{MAX_BYTES, MAX_ITEMS};
pub use body::makes_all;
pub use build::{Context, plan, plan_against};
pub use drift::{Against, OnConflict, OnDrift, merged_state};
pub use error::PlanError;
pub use fresh::{Freshness, freshness, is_as_wanted};
pub use guard::Limits;
pub use inventory::{Inventory, Missing, Vocabulary};
pub use moves::{LARGEST_MOVES, Move, Moves};
pub use outcome::{
    Applied, Ending, FailedInput, FailedItem, FailedPurge, Outcome, Since, StaleInput, StaleItem,
    StalePurge, Touched, Unplanned,
};
pub use permit::{Extra, Permit};
pub use read::{PlanFileError, read};
pub use recheck::{Due, bodies, due, misfits};
pub use region::named_region;
pub use rights::Needed;
pub use schema::{outcome_schema, schema};
pub use sent::{Misfit, body_of_stand_in, write_body};
pub use shared::outlasts;
pub use stand_in::{
    STAND_IN_FOR, body as stand_in_body, id_for as stand_in_id_for, is_stand_in_of, is_unfinished,
    original_of, settled,
};
pub use summary::{
    ClassCount, Doubles, HeldBack, NewConcept, OthersWork, Relabelled, Summary, UserCount,
};
pub use trip::{
    Allowances, Drift, EmptyManifest, GUARDS_LABEL, Numbers, REVERTS_LABEL, Rename, Trip,
};
pub use types::{
    Action, AppChange, AppChangeKind, Base, Batch, Call, Cause, Decision, Double, FORMAT_VERSION,
    FieldChange, Likeness, Medium, MediumKind, MediumSource, Operation, Plan, PlannedInput, Purge,
    PurgedAnnotation, Purpose, Reason, Seen, Target,
};
pub use undo::{Before, Fate, Fates, undo};

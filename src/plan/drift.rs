//! A plan against a base: what a manifest declared before, and what becomes of writes that would revert what was done on
//! the remote since.
//!
//! What each write comes from is `cause`'s to say, input by input; how it is counted is `summary`'s.

use super::cause::{Asked, scope};
use super::summary::Summary;
use super::trip::{self, Allowances, Trip};
use super::types::{Action, Base, Cause, Operation, Purge, Reason, Seen};
use crate::model::{DesiredState, InputId, ObservedState};
use rayon::prelude::*;

/// What becomes of writes that would revert what was done on the remote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDrift {
    /// They are made like any others, and are shown apart.
    #[default]
    Apply,
    /// They are left out, and are shown as what is left out.
    ///
    /// What stands by itself is made: where a declaration moved so far that it matches nothing any more, and somebody
    /// changed what it was for, that stays and the declared annotation is made beside it.
    Keep,
    /// Any of them stops the plan.
    Fail,
}

/// What a plan is held against.
#[derive(Debug, Clone)]
pub struct Against<'a> {
    /// What was declared then, and applied.
    pub desired: &'a DesiredState,
    /// Which revision that is.
    pub base: Base,
    /// What becomes of what was done on the remote since.
    pub on_drift: OnDrift,
}

impl Against<'_> {
    /// Tells the cause of every write; both are sorted by input. What cannot be told is returned in words.
    pub(super) fn tell(
        &self,
        desired: &DesiredState,
        observed: &ObservedState,
        operations: &mut [Operation],
        purges: &mut [Purge],
    ) -> Option<String> {
        let scope = scope(self.desired, desired);
        let asked = Asked::new(self.desired, &scope, desired, observed);
        let inputs: Vec<&mut [Operation]> = operations
            .chunk_by_mut(|a, b| a.input_id == b.input_id)
            .collect();
        let written = inputs.into_par_iter().map(|operations| {
            let input = operations[0].input_id.clone();
            (input, asked.tell(operations, None))
        });
        let emptied = purges.par_iter_mut().map(|purge| {
            let input = purge.input_id.clone();
            (input, asked.tell(&mut [], Some(purge)))
        });
        let mut told: Vec<(InputId, Result<(), String>)> = written.chain(emptied).collect();
        told.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut untold = (told.into_iter()).filter_map(|(input, told)| Some((input, told.err()?)));
        let (input, error) = untold.next()?;
        let others = match untold.count() {
            0 => String::new(),
            1 => " and of 1 other input".to_owned(),
            count => format!(" and of {count} other inputs"),
        };
        Some(format!(
            "what changed on input `{input}`{others} since {}, which cannot be planned there now: {error}; \
             what is written there counts as conflicts",
            self.base.revision
        ))
    }

    /// The guard that a plan trips if it reverts anything, where that is to stop it or was let pass.
    pub(super) fn trip(&self, summary: &Summary, allowances: &Allowances) -> Option<Trip> {
        let count = summary.drift.filter(|count| *count > 0)?;
        let is_guarded = self.on_drift == OnDrift::Fail || allowances.drift == trip::Drift::Passes;
        is_guarded.then_some(Trip::Drift { count })
    }
}

/// Takes out what would revert what was done on the remote, if that is to be kept. A purge is one write: all that would
/// go with it stays.
pub(super) fn take_out(
    on_drift: OnDrift,
    operations: &mut Vec<Operation>,
    purges: &mut Vec<Purge>,
) -> Vec<Operation> {
    if on_drift != OnDrift::Keep {
        return Vec::new();
    }
    let (mut kept, made): (Vec<_>, Vec<_>) = std::mem::take(operations)
        .into_iter()
        .partition(|operation| operation.cause.is_some_and(Cause::reverts));
    *operations = made;
    for operation in &mut kept {
        operation.body = None;
    }
    let (stay, go): (Vec<_>, Vec<_>) = std::mem::take(purges)
        .into_iter()
        .partition(|purge| purge.cause.is_some_and(Cause::reverts));
    *purges = go;
    kept.extend(stay.into_iter().flat_map(deletes));
    // Stable: within one input and action the order stays.
    kept.sort_by(|a, b| (&a.input_id, a.action).cmp(&(&b.input_id, b.action)));
    kept
}

/// What a purge would delete, one by one.
fn deletes(purge: Purge) -> impl Iterator<Item = Operation> {
    let Purge {
        input_id,
        cause,
        annotations,
    } = purge;
    annotations.into_iter().map(move |gone| Operation {
        action: Action::Delete,
        input_id: input_id.clone(),
        id: gone.id,
        key: None,
        reason: Reason::NotDeclared,
        cause,
        seen: Some(Seen {
            user: gone.user,
            modified_at: gone.modified_at,
        }),
        matched: None,
        before: Some(gone.before),
        after: None,
        fingerprint: Some(gone.fingerprint),
        body: None,
    })
}

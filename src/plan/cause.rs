//! What each write comes from, on one input: from a change of the manifest, of the remote, or of both.
//!
//! There are three sides: the base (what a manifest of before declares, and what was applied then), what is desired now,
//! and what is observed. The same planner that makes the plan is asked what it would take to bring the remote back to the
//! base. Where that is nothing, the remote is as the base has it. Of an annotation that is there:
//!
//! | the plan | the base has it, as it is | it would change it | it would delete it | it leaves it alone |
//! |---|---|---|---|---|
//! | changes it | intended | drift if both say the same, else conflict | conflict | intended if named by its id, else conflict |
//! | deletes it | intended | conflict | drift | conflict |
//!
//! The base would delete what it does not declare: somebody made that since. It leaves alone what is none of its
//! business: inputs that it does not declare, users that nobody lists as owners, other sets. Of such an annotation
//! nobody can tell what changed since, and when in doubt a write is a conflict; a person who names one by its id looked
//! at it. Nor can a base tell what became of fields that it does not declare. Of an annotation that is posted:
//!
//! | the base | |
//! |---|---|
//! | would post the same id | somebody deleted it: drift if both say the same, else conflict |
//! | would post, or change back, what this is matched with by its content, while the plan has nothing there | the declaration changed, and what it was for did on the remote: the same |
//! | has nothing like it | intended |
//!
//! The second row is about declarations without a key, whose id changes with their content, and whose annotation was
//! deleted or moved far away. One that moved so far itself that it matches nothing is taken for a new one.
//!
//! A purge is one write. It is drift where the base purges the input as well. Else it is intended where all that people
//! made there is what the base has, and a conflict where it is not: what others made and the base left alone may have
//! been made yesterday.
//!
//! What finishes or cleans up an earlier run's replacement is annosync's own work, hence intended. On an input on which
//! the base asks for what cannot be done now, everything else is a conflict.

use super::input::{AsDeclared, Part, Planner};
use super::types::{Action, Cause, Operation, Purge};
use crate::matching::{Claims, MatchedBy, match_input};
use crate::model::{
    AnnotationId, Content, DesiredAnnotation, DesiredInput, DesiredState, Geometry, Identity,
    InputId, Maker, ObservedAnnotation, ObservedExtras, ObservedState, Origin, Owner, Policy,
    Status,
};
use std::collections::{BTreeSet, HashMap, HashSet};

/// How the base sees what is on the remote.
enum Was {
    /// As it declares it.
    AsDeclared,
    /// Declared as this, and not so any more.
    Changed(Content),
    /// Not declared, and in scope.
    Undeclared,
}

/// What the base has to say of one input.
#[derive(Default)]
struct Side {
    /// What is not among these it leaves alone.
    found: HashMap<AnnotationId, Was>,
    /// What it would post, with its place in declared order.
    posts: HashMap<AnnotationId, (usize, Content)>,
    purges: bool,
}

/// The base, ready to be asked.
pub(super) struct Asked<'a> {
    base: &'a DesiredState,
    planner: Planner<'a>,
    /// The plan's, but that whatever is declared may claim whatever was.
    claims: Claims,
}

/// What the base is asked with: under `sync`, and with the owners of both, so that it has seen whatever the plan may
/// write.
pub(super) fn scope(base: &DesiredState, desired: &DesiredState) -> DesiredState {
    let owners = base.owners.union(&desired.owners).cloned();
    without_inputs(base, owners.collect())
}

fn without_inputs(of: &DesiredState, owners: BTreeSet<Owner>) -> DesiredState {
    DesiredState {
        set: of.set.clone(),
        policy: Policy::Sync,
        owners,
        guards: of.guards,
        renamed: of.renamed.clone(),
        inputs: Vec::new(),
    }
}

impl<'a> Asked<'a> {
    /// `scope` is [`scope`]'s.
    pub(super) fn new(
        base: &'a DesiredState,
        scope: &'a DesiredState,
        desired: &DesiredState,
        observed: &'a ObservedState,
    ) -> Self {
        let anybody = without_inputs(desired, BTreeSet::from([Owner::Any]));
        Self {
            base,
            planner: Planner {
                desired: scope,
                observed,
                claims: Claims::new(scope, observed),
                as_declared: AsDeclared::Named,
            },
            claims: Claims::new(&anybody, observed),
        }
    }

    /// Tells the causes of all that is done to one input: its operations, or its purge.
    ///
    /// # Errors
    ///
    /// Why the base cannot be planned there; the causes are told all the same.
    pub(super) fn tell(
        &self,
        operations: &mut [Operation],
        purge: Option<&mut Purge>,
    ) -> Result<(), String> {
        let Some(input) = (operations.first().map(|it| &it.input_id))
            .or(purge.as_ref().map(|it| &it.input_id))
            .cloned()
        else {
            return Ok(());
        };
        let side = self.side(&input);
        let (side, trouble) = match side {
            Ok(side) => (Some(side), Ok(())),
            Err(error) => (None, Err(error)),
        };
        for operation in &mut *operations {
            operation.cause = Some(match &side {
                _ if operation.reason.is_repair() => Cause::Intended,
                Some(side) => side.cause(operation),
                None => Cause::Conflict,
            });
        }
        if let Some(side) = &side {
            self.tell_of_moved_declarations(&input, side, operations);
        }
        if let Some(purge) = purge {
            purge.cause = Some(side.map_or(Cause::Conflict, |side| side.cause_of_purge(purge)));
        }
        trouble
    }

    fn side(&self, input: &InputId) -> Result<Side, String> {
        let inputs = &self.base.inputs;
        let declared: Option<&DesiredInput> = inputs
            .binary_search_by(|it| it.id.cmp(input))
            .ok()
            .map(|at| &inputs[at]);
        let part = if let Some(declared) = declared {
            self.planner.declared(declared)
        } else {
            let all = self.planner.observed.inputs.get(input);
            let all = all.map_or(&[][..], Vec::as_slice);
            self.planner.undeclared(input, all)
        };
        match part.errors.first() {
            Some(error) => Err(error.to_string()),
            None => Ok(Side::of(part)),
        }
    }

    /// Finds the posts that are what the base declares by another id: of annotations that somebody deleted, or changed
    /// so much that the plan does not know them any more and deletes them.
    fn tell_of_moved_declarations(
        &self,
        input: &InputId,
        side: &Side,
        operations: &mut [Operation],
    ) {
        let is_new = |operation: &Operation| {
            operation.action == Action::Post && operation.cause == Some(Cause::Intended)
        };
        let new: Vec<usize> = (0..operations.len())
            .filter(|&at| is_new(&operations[at]))
            .collect();
        if new.is_empty() {
            return;
        }
        let posted: HashSet<&AnnotationId> = (operations.iter())
            .filter(|operation| operation.action == Action::Post)
            .map(|operation| &operation.id)
            .collect();
        let deleted = (operations.iter())
            .filter(|operation| operation.action == Action::Delete)
            .filter_map(|operation| match side.found.get(&operation.id)? {
                Was::Changed(content) => Some(content),
                Was::AsDeclared | Was::Undeclared => None,
            });
        let mut not_posted: Vec<&(usize, Content)> = (side.posts.iter())
            .filter(|(id, _)| !posted.contains(id))
            .map(|(_, post)| post)
            .collect();
        not_posted.sort_by_key(|(at, _)| *at);
        let lost: Vec<&Content> = (not_posted.into_iter())
            .map(|(_, content)| content)
            .chain(deleted)
            .collect();
        if lost.is_empty() {
            return;
        }
        let declared: Vec<DesiredAnnotation> = (new.iter())
            .map(|&at| DesiredAnnotation {
                identity: Identity::Content,
                content: operations[at].after.clone().unwrap_or_default(),
                origin: Origin::default(),
            })
            .collect();
        let as_it_was: Vec<ObservedAnnotation> = (lost.iter().enumerate())
            .map(|(at, content)| as_observed(at, content))
            .collect();
        for pair in match_input(&self.claims, input, &declared, &as_it_was).pairs {
            let now = &declared[pair.desired].content;
            operations[new[pair.desired]].cause = Some(either(now, lost[pair.observed]));
        }
    }
}

impl Side {
    fn of(part: Part) -> Self {
        let mut side = Self {
            purges: part.purge.is_some(),
            ..Self::default()
        };
        let purged = part.purge.into_iter().flat_map(|purge| purge.annotations);
        let undeclared = purged.map(|gone| (gone.id, Was::Undeclared));
        let declared = part.as_declared.into_iter();
        side.found
            .extend(undeclared.chain(declared.map(|id| (id, Was::AsDeclared))));
        for (at, operation) in part.operations.into_iter().enumerate() {
            if operation.reason.is_repair() {
                continue;
            }
            match (operation.action, operation.after) {
                (Action::Post, after) => {
                    let post = (at, after.unwrap_or_default());
                    side.posts.insert(operation.id, post);
                }
                (Action::Delete, _) | (_, None) => {
                    side.found.insert(operation.id, Was::Undeclared);
                }
                (_, Some(after)) => {
                    side.found.insert(operation.id, Was::Changed(after));
                }
            }
        }
        side
    }

    fn cause(&self, operation: &Operation) -> Cause {
        let now = operation.after.as_ref();
        let either = |was| now.map_or(Cause::Conflict, |now| either(now, was));
        match (operation.action, self.found.get(&operation.id)) {
            (Action::Post, _) => {
                (self.posts.get(&operation.id)).map_or(Cause::Intended, |(_, was)| either(was))
            }
            (_, Some(Was::AsDeclared)) => Cause::Intended,
            (Action::Delete, Some(Was::Undeclared)) => Cause::Drift,
            (Action::Delete, _) | (_, Some(Was::Undeclared)) => Cause::Conflict,
            (_, Some(Was::Changed(was))) => either(was),
            (_, None) => match operation.matched.map(|matched| matched.by) {
                Some(MatchedBy::Id | MatchedBy::InputLevel) => Cause::Intended,
                _ => Cause::Conflict,
            },
        }
    }

    fn cause_of_purge(&self, purge: &Purge) -> Cause {
        let is_as_declared =
            |id: &AnnotationId| matches!(self.found.get(id), Some(Was::AsDeclared));
        let mut of_people = (purge.annotations.iter()).filter(|gone| gone.model_version.is_none());
        if self.purges {
            Cause::Drift
        } else if of_people.all(|gone| is_as_declared(&gone.id)) {
            Cause::Intended
        } else {
            Cause::Conflict
        }
    }
}

/// The remote changed; did the manifest as well?
fn either(now: &Content, was: &Content) -> Cause {
    if is_same(now, was) {
        Cause::Drift
    } else {
        Cause::Conflict
    }
}

/// Whether two declarations say the same.
fn is_same(now: &Content, was: &Content) -> bool {
    let geometry = match (&now.geometry, &was.geometry) {
        (Some(now), Some(was)) => now.same(was),
        (now, was) => now.is_none() && was.is_none(),
    };
    let concepts = match (&now.concepts, &was.concepts) {
        (Some(now), Some(was)) => now.same(was),
        (now, was) => now.is_none() && was.is_none(),
    };
    let rest = |it: &Content| {
        let (metadata, info) = (it.metadata.clone(), it.info.clone());
        (
            it.frame,
            it.status,
            it.user.clone(),
            metadata,
            info,
            it.extras.clone(),
        )
    };
    geometry && concepts && rest(now) == rest(was)
}

/// What the base declares, as it was on the remote: matching knows declared annotations and observed ones.
fn as_observed(at: usize, content: &Content) -> ObservedAnnotation {
    ObservedAnnotation {
        // No set's, so that it is claimed as anybody's.
        id: AnnotationId::new(format!("{at}")).expect("digits make an id"),
        geometry: content.geometry.clone().unwrap_or(Geometry::Whole),
        frame: content.frame,
        concepts: content.concepts.clone().unwrap_or_default(),
        status: content.status.unwrap_or(Status::SUCCESS),
        user: content.user.clone(),
        maker: Maker::User,
        created_at: None,
        data: None,
        info: None,
        extras: ObservedExtras {
            managed: content.extras.as_deref().cloned().unwrap_or_default(),
            ..ObservedExtras::default()
        }
        .boxed(),
    }
}

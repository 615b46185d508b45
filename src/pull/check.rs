//! Checks, before anything is written, that the plan of the pulled manifest is empty.
//!
//! If a plan would change an input, its annotations are declared by id instead. If it still would, that is an error.

use super::choice::Choice;
use super::error::PullError;
use super::input::{PullContext, PulledInput};
use super::report::{Loss, LossKind};
use crate::matching::Claims;
use crate::model::{DesiredInput, DesiredState, Identity, InputId, ObservedState, Origin, Policy};
use crate::plan::{
    self, Action, Allowances, Context, Inventory, Operation, PlanError, Reason, Target,
};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// How often inputs are declared by id and planned again.
const ROUNDS: usize = 2;

/// Whether the set's annotations on undeclared inputs are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UndeclaredInputs {
    /// No: the existing manifest did not declare them either.
    Ignored,
    /// They are checked, because the manifest is new.
    Checked,
}

/// The pulled inputs by id; their plan is empty. `desired` is the existing manifest, or an empty one.
pub(super) fn pull(
    desired: &DesiredState,
    observed: &ObservedState,
    choice: &Choice,
    undeclared_inputs: UndeclaredInputs,
) -> Result<Vec<PulledInput>, PullError> {
    // Stand-ins of an interrupted replacement are not labels, and its annotation counts as finished.
    let observed = &*plan::settled(desired, observed);
    // A plan holds back writes beside unreadable annotations; here they must show.
    let readable = (!observed.unreadable.is_empty()).then(|| ObservedState {
        unreadable: Vec::new(),
        ..observed.clone()
    });
    let all = observed;
    let observed = readable.as_ref().unwrap_or(observed);
    let context = PullContext {
        desired,
        observed,
        choice,
        claims: Claims::new(desired, observed),
    };
    let mut ids: BTreeMap<&InputId, Option<usize>> =
        observed.inputs.keys().map(|id| (id, None)).collect();
    ids.extend(
        (desired.inputs.iter().enumerate())
            .map(|(at, input): (usize, &DesiredInput)| (&input.id, Some(at))),
    );
    let ids: Vec<(&InputId, Option<usize>)> = ids
        .into_iter()
        .filter(|(id, _)| choice.matches_input(id) && observed.scope.covers(id))
        // A declared annotation without a match may be one of the unreadable ones.
        .filter(|(id, declared)| declared.is_none() || all.unreadable_on(id).is_empty())
        .collect();
    let mut pulled: Vec<PulledInput> = ids
        .into_par_iter()
        .map(|(id, declared)| context.pull(id, declared))
        .collect();
    context.resolve_faults(&mut pulled, undeclared_inputs)?;
    Ok(pulled)
}

/// The annotations that are not written in full, and those that cannot be read.
pub(super) fn losses(inputs: &[PulledInput], observed: &ObservedState) -> Vec<Loss> {
    let unreadable = observed.unreadable.iter().map(|it| Loss {
        input: it.input.clone(),
        id: it.id.clone(),
        kind: LossKind::Unreadable,
    });
    let partial = inputs.iter().flat_map(|input| {
        input.losses.iter().map(|(id, kind)| Loss {
            input: input.id.as_str().into(),
            id: id.as_str().into(),
            kind: *kind,
        })
    });
    let mut losses: Vec<Loss> = unreadable.chain(partial).collect();
    losses.sort_by(|a, b| (&a.input, &a.id, a.kind).cmp(&(&b.input, &b.id, b.kind)));
    losses
}

/// Why the plan of an input is not empty.
enum Fault {
    /// A plan would write this annotation.
    Write { id: String, verb: &'static str },
    /// Planning fails.
    Error(String),
}

/// The first fault of each input.
type Faults = BTreeMap<InputId, Fault>;

impl PullContext<'_> {
    /// Declares annotations of faulty inputs by id until the plan is empty.
    fn resolve_faults(
        &self,
        pulled: &mut [PulledInput],
        undeclared_inputs: UndeclaredInputs,
    ) -> Result<(), PullError> {
        // A plan with errors has no operations, so that more faults may appear in the next round.
        for _ in 0..ROUNDS {
            let faults = self.faults(pulled, undeclared_inputs)?;
            if faults.is_empty() {
                return Ok(());
            }
            for input in pulled.iter_mut() {
                if faults.contains_key(&input.id) {
                    self.declare_by_id(input);
                }
            }
        }
        match self.faults(pulled, undeclared_inputs)?.pop_first() {
            Some((input, Fault::Write { id, verb })) => {
                Err(PullError::NotDeclarable { input, id, verb })
            }
            Some((_, Fault::Error(why))) => Err(PullError::NotPlannable { why }),
            None => Ok(()),
        }
    }

    fn faults(
        &self,
        pulled: &[PulledInput],
        undeclared_inputs: UndeclaredInputs,
    ) -> Result<Faults, PullError> {
        let declared: Vec<&PulledInput> = pulled.iter().filter(|it| it.is_declared()).collect();
        let inputs = declared.iter().enumerate().map(|(at, input)| {
            let mut desired = input.desired();
            // Errors name the origin; here that is the index of the input.
            let origin = Origin {
                input: at as u32,
                ..Origin::default()
            };
            desired.origin = origin;
            for annotation in &mut desired.annotations {
                annotation.origin = origin;
            }
            desired
        });
        let desired = DesiredState {
            inputs: inputs.collect(),
            // The only policy that holds nothing back.
            policy: Policy::Sync,
            set: self.desired.set.clone(),
            owners: self.desired.owners.clone(),
            guards: self.desired.guards,
            renamed: self.desired.renamed.clone(),
            adopts: self.desired.adopts.clone(),
        };
        match plan::plan(&desired, self.observed, &planning_context()) {
            Ok(plan) => {
                let mut faults =
                    self.faults_of_operations(&declared, &plan.operations, undeclared_inputs)?;
                for purge in &plan.purges {
                    let id = purge
                        .annotations
                        .first()
                        .map_or("?", |first| first.id.as_str());
                    let fault = Fault::Write {
                        id: id.to_owned(),
                        verb: "purge",
                    };
                    faults.insert(purge.input_id.clone(), fault);
                }
                Ok(faults)
            }
            Err(errors) => Ok(errors
                .iter()
                .map(|error: &PlanError| {
                    let input = declared[error.origin().input as usize];
                    (input.id.clone(), Fault::Error(error.to_string()))
                })
                .collect()),
        }
    }

    fn faults_of_operations(
        &self,
        declared: &[&PulledInput],
        operations: &[Operation],
        undeclared_inputs: UndeclaredInputs,
    ) -> Result<Faults, PullError> {
        let by_id: HashMap<&InputId, &PulledInput> =
            declared.iter().map(|input| (&input.id, *input)).collect();
        let mut posts: HashMap<&InputId, usize> = HashMap::new();
        let mut faults = Faults::new();
        let mut left_out: Option<(u64, &Operation)> = None;
        let mut undeclared = 0;
        for operation in operations {
            let Some(input) = by_id.get(&operation.input_id) else {
                undeclared += u64::from(operation.reason() == Reason::InputNotDeclared);
                continue;
            };
            let is_left_out = input.left_out.contains(&operation.id);
            match operation.action() {
                Action::Delete if is_left_out => {
                    let (count, first) = left_out.unwrap_or((0, operation));
                    left_out = Some((count + 1, first));
                    continue;
                }
                Action::Post => {
                    let count = posts.entry(&input.id).or_default();
                    *count += 1;
                    if *count <= input.kept_missing() {
                        continue;
                    }
                }
                _ if is_left_out => continue,
                _ => {}
            }
            faults
                .entry(input.id.clone())
                .or_insert_with(|| Fault::Write {
                    id: operation.id.to_string(),
                    verb: verb(operation.action()),
                });
        }
        if self.desired.policy == Policy::Sync {
            if let Some((count, first)) = left_out {
                return Err(PullError::WouldDelete {
                    count,
                    input: first.input_id.clone(),
                    id: first.id.clone(),
                });
            }
            if undeclared_inputs == UndeclaredInputs::Checked && undeclared > 0 {
                return Err(PullError::WouldDeleteElsewhere {
                    set: self.desired.set.clone(),
                    count: undeclared,
                });
            }
        }
        Ok(faults)
    }

    /// Declares the annotations of an input by id, except those that their name identifies already.
    fn declare_by_id(&self, input: &mut PulledInput) {
        let observed = self.observed_on(&input.id);
        for entry in &mut input.entries {
            let Some(at) = entry.observed else {
                continue;
            };
            let id = &observed[at].id;
            let is_named = match &entry.identity {
                Identity::Id(_) | Identity::InputLevel => true,
                Identity::Key(key) => self.claims.key_ids(&input.id, key).any(|made| made == *id),
                Identity::Content => false,
            };
            if !is_named {
                entry.identity = Identity::Id(id.clone());
            }
        }
    }
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Post => "post",
        Action::Delete => "delete",
        Action::Replace => "replace",
        Action::Merge | Action::Overwrite | Action::Remove => "change",
    }
}

/// This plan is not applied, so that it needs no target.
fn planning_context() -> Context {
    Context {
        target: Target {
            endpoint: String::new(),
            user_id: String::new(),
            app_id: String::new(),
        },
        manifest_hash: String::new(),
        rate_limit: 1,
        allowances: Allowances::default(),
        inventory: Inventory::default(),
        shard: None,
    }
}

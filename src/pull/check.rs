//! The plan of what is pulled is empty: seen before anything is written.
//!
//! An input of which a plan would change anything is declared by ids instead; if that is not enough, it is an error.

use super::choice::Choice;
use super::error::PullError;
use super::input::{PulledInput, World};
use super::report::{Loss, LossKind};
use crate::matching::Claims;
use crate::model::{
    DesiredInput, DesiredState, Identity, InputId, ObservedState, Origin, Policy, Scope,
};
use crate::plan::{
    self, Action, Allowances, Context, Inventory, Operation, PlanError, Reason, Target,
};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// How often inputs are declared by ids.
const ROUNDS: usize = 2;

/// Whether what the set made on inputs that are not declared is the matter of this pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// The manifest that is there left it undeclared already.
    IsAsBefore,
    /// This pull makes the manifest.
    Counts,
}

/// The pulled inputs, in order of id, whose plan is empty. `desired` is the manifest that is there, or one without inputs.
pub(super) fn pull(
    desired: &DesiredState,
    observed: &ObservedState,
    choice: &Choice,
    elsewhere: Elsewhere,
) -> Result<Vec<PulledInput>, PullError> {
    // What an earlier apply left of a replacement is no label, and what it did not finish is what it is to be.
    let observed = &*plan::settled(desired, observed);
    // Writes that are held back would pass for none.
    let readable = (!observed.unreadable.is_empty()).then(|| ObservedState {
        unreadable: Vec::new(),
        ..observed.clone()
    });
    let all = observed;
    let observed = readable.as_ref().unwrap_or(observed);
    let world = World {
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
    let was_listed = |id: &InputId| match &observed.scope {
        Scope::WholeApp => true,
        Scope::Inputs(listed) => listed.contains(id),
    };
    let ids: Vec<(&InputId, Option<usize>)> = ids
        .into_iter()
        .filter(|(id, _)| choice.takes_input(id) && was_listed(id))
        // A declared annotation that is not found may be the one that cannot be read.
        .filter(|(id, declared)| declared.is_none() || all.unreadable_on(id).is_empty())
        .collect();
    let mut pulled: Vec<PulledInput> = ids
        .into_par_iter()
        .map(|(id, declared)| world.pull(id, declared))
        .collect();

    // A plan with errors shows nothing else: what is wrong may come to light in more than one round.
    for _ in 0..ROUNDS {
        let wrong = world.wrong(&pulled, elsewhere)?;
        if wrong.is_empty() {
            return Ok(pulled);
        }
        for input in &mut pulled {
            if wrong.contains_key(&input.id) {
                world.name(input);
            }
        }
    }
    match world.wrong(&pulled, elsewhere)?.pop_first() {
        Some((input, Fault::Write { id, verb })) => {
            Err(PullError::NotDeclarable { input, id, verb })
        }
        Some((_, Fault::Error(why))) => Err(PullError::NotPlannable { why }),
        None => Ok(pulled),
    }
}

/// What could not be written in full of these inputs, and what could not be read at all.
pub(super) fn losses(inputs: &[PulledInput], observed: &ObservedState) -> Vec<Loss> {
    let unreadable = observed.unreadable.iter().map(|it| Loss {
        input: it.input.clone(),
        id: it.id.clone(),
        kind: LossKind::Unreadable,
    });
    let partly = inputs.iter().flat_map(|input| {
        input.losses.iter().map(|(id, kind)| Loss {
            input: input.id.as_str().into(),
            id: id.as_str().into(),
            kind: *kind,
        })
    });
    let mut losses: Vec<Loss> = unreadable.chain(partly).collect();
    losses.sort_by(|a, b| (&a.input, &a.id, a.kind).cmp(&(&b.input, &b.id, b.kind)));
    losses
}

/// What is wrong with an input.
enum Fault {
    /// A plan would write this annotation.
    Write { id: String, verb: &'static str },
    /// There would be no plan.
    Error(String),
}

/// The inputs of which a plan would change anything.
type Wrong = BTreeMap<InputId, Fault>;

impl World<'_> {
    fn wrong(&self, pulled: &[PulledInput], elsewhere: Elsewhere) -> Result<Wrong, PullError> {
        let declared: Vec<&PulledInput> = pulled.iter().filter(|it| it.is_declared()).collect();
        let inputs = declared.iter().enumerate().map(|(at, input)| {
            let mut desired = input.desired();
            // Errors say where; here that is which input.
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
            // The policy that holds nothing back shows everything.
            policy: Policy::Sync,
            set: self.desired.set.clone(),
            owners: self.desired.owners.clone(),
            guards: self.desired.guards,
            renamed: self.desired.renamed.clone(),
            adopts: self.desired.adopts.clone(),
        };
        match plan::plan(&desired, self.observed, &context()) {
            Ok(plan) => {
                let mut wrong = self.judge(&declared, &plan.operations, elsewhere)?;
                for purge in &plan.purges {
                    let id = purge
                        .annotations
                        .first()
                        .map_or("?", |first| first.id.as_str());
                    let fault = Fault::Write {
                        id: id.to_owned(),
                        verb: "purge",
                    };
                    wrong.insert(purge.input_id.clone(), fault);
                }
                Ok(wrong)
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

    fn judge(
        &self,
        declared: &[&PulledInput],
        operations: &[Operation],
        elsewhere: Elsewhere,
    ) -> Result<Wrong, PullError> {
        let by_id: HashMap<&InputId, &PulledInput> =
            declared.iter().map(|input| (&input.id, *input)).collect();
        let mut posts: HashMap<&InputId, usize> = HashMap::new();
        let mut wrong = Wrong::new();
        let mut part: Option<(u64, &Operation)> = None;
        let mut undeclared = 0;
        for operation in operations {
            let Some(input) = by_id.get(&operation.input_id) else {
                undeclared += u64::from(operation.reason() == Reason::InputNotDeclared);
                continue;
            };
            let is_left_out = input.left_out.contains(&operation.id);
            match operation.action() {
                Action::Delete if is_left_out => {
                    part = Some((
                        part.map_or(1, |(count, _)| count + 1),
                        part.map_or(operation, |(_, first)| first),
                    ));
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
            wrong
                .entry(input.id.clone())
                .or_insert_with(|| Fault::Write {
                    id: operation.id.to_string(),
                    verb: verb(operation.action()),
                });
        }
        if self.desired.policy == Policy::Sync {
            if let Some((count, first)) = part {
                return Err(PullError::WouldDelete {
                    count,
                    input: first.input_id.clone(),
                    id: first.id.clone(),
                });
            }
            if elsewhere == Elsewhere::Counts && undeclared > 0 {
                return Err(PullError::WouldDeleteElsewhere {
                    set: self.desired.set.clone(),
                    count: undeclared,
                });
            }
        }
        Ok(wrong)
    }

    /// Declares every annotation of an input by its id, but for those whose name leads to it already.
    fn name(&self, input: &mut PulledInput) {
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

impl PulledInput {
    /// Whether it will be declared: it is already, or there is something on it to declare.
    pub(super) fn is_declared(&self) -> bool {
        self.declared.is_some() || !self.entries.is_empty() || self.is_declared_empty
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

/// A plan that is looked at and thrown away needs no target.
fn context() -> Context {
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
    }
}

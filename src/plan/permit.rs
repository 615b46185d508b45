//! Which annotations a plan may write.
//!
//! A plan that this run made follows its manifest. A plan file may come from anybody: by itself it may write
//! annotations of the set, of the app's owner and of the token's user. Anything else requires the manifest, or a
//! flag.

use super::mismatch::Mismatch;
use super::operation::{Action, Operation, Reason};
use super::plan::Plan;
use super::stand_in::original_of;
use crate::matching::Claims;
use crate::model::{
    AnnotationId, DesiredState, Guards, Identity, InputId, Maker, ObservedAnnotation,
    ObservedState, Owner, SetName, UserId, content_id, is_set_id, is_stand_in_id, key_id,
};
use crate::wire::body;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Which annotations a plan may write.
#[derive(Debug, Clone)]
pub enum Permit {
    /// Those of a plan that this run made.
    Planned,
    File(Box<FilePermit>),
}

/// Which annotations a plan file may write.
#[derive(Debug, Clone)]
pub struct FilePermit {
    /// The scope of deletes: annotations of the set and of owners.
    claims: Claims,
    /// Users, owners or not: it may change their annotations.
    users: BTreeSet<UserId>,
    /// Whether it may change those of everybody. A user of the service may be called `any` as well.
    anybody: bool,
    /// The user of the token.
    caller: UserId,
    /// The annotations that the manifest declares by id; `None` without a manifest.
    declared: Option<HashSet<(InputId, AnnotationId)>>,
}

/// What flags allow a plan file in addition.
#[derive(Debug, Clone, Default)]
pub struct ExtraPermissions {
    /// Users: it may write their annotations; `any` for everybody.
    pub users: BTreeSet<UserId>,
    /// Sets that it may take over.
    pub sets: BTreeSet<SetName>,
}

impl Permit {
    /// The permit of a plan file without its manifest.
    pub fn of_file(plan: &Plan, caller: &UserId, extra: &ExtraPermissions) -> Self {
        let anybody = is_any(&extra.users);
        let mut users: BTreeSet<UserId> = extra.users.clone();
        users.extend([plan.app_owner.clone(), caller.clone()]);
        let is_owner = |user: &&UserId| plan.owners.contains(user) || is_any(&plan.owners);
        let owners = users.iter().filter(|user| {
            // An undo restores what its apply changed, whoever the owners were.
            plan.is_undo() || is_owner(user)
        });
        let mut owners: BTreeSet<Owner> = owners.cloned().map(Owner::User).collect();
        if anybody {
            let named = plan.owners.iter().cloned();
            owners.extend(named.map(|user| match user.as_str() {
                "any" => Owner::Any,
                _ => Owner::User(user),
            }));
        }
        let adopts = plan.adopts.iter().filter(|set| extra.sets.contains(*set));
        let claims = claims(plan, owners, adopts.cloned().collect(), caller);
        Self::File(Box::new(FilePermit {
            claims,
            users,
            anybody,
            caller: caller.clone(),
            declared: None,
        }))
    }

    /// The permit of a plan file with its manifest.
    pub fn of_manifest(
        desired: &DesiredState,
        observed: &ObservedState,
        extra: &ExtraPermissions,
    ) -> Self {
        let mut users: BTreeSet<UserId> = extra.users.clone();
        users.extend([observed.app_owner.clone(), observed.caller.clone()]);
        let claims = Claims::new(desired, observed);
        users.extend(claims.owners());
        let declared = desired.inputs.iter().flat_map(|input| {
            let ids = input
                .annotations
                .iter()
                .filter_map(|it| match &it.identity {
                    Identity::Id(id) => Some(id.clone()),
                    _ => None,
                });
            ids.map(|id| (input.id.clone(), id))
        });
        Self::File(Box::new(FilePermit {
            claims,
            users,
            anybody: is_any(&extra.users) || desired.owners.contains(&Owner::Any),
            caller: observed.caller.clone(),
            declared: Some(declared.collect()),
        }))
    }

    /// The scope of a plan file; `None` for a plan of this run.
    pub fn claims(&self) -> Option<&Claims> {
        match self {
            Self::Planned => None,
            Self::File(file) => Some(&file.claims),
        }
    }

    /// Whether the operation may write the annotation that exists.
    pub(super) fn check(
        &self,
        operation: &Operation,
        now: &ObservedAnnotation,
    ) -> Result<(), Mismatch> {
        let Self::File(file) = self else {
            return Ok(());
        };
        if operation.is_repair() {
            return file.check_stand_in(operation, now);
        }
        if now.maker != Maker::User && operation.action() == Action::Delete {
            // The maker is reported instead.
            return Ok(());
        }
        if operation.reason() == Reason::Undone && operation.action() == Action::Replace {
            file.check_poster(operation)?;
        }
        if operation.reason() == Reason::InputNotDeclared && !file.claims.is_owned(&now.id) {
            return Err(Mismatch::Forbidden(
                "its input is not declared, and the plan's set did not make it".to_owned(),
            ));
        }
        let name = (operation.input_id.clone(), now.id.clone());
        let is_declared = file.declared.as_ref().is_some_and(|it| it.contains(&name));
        if file.claims.is_in_scope(now) || is_declared {
            return Ok(());
        }
        if file.claims.is_of_another_set(&now.id) {
            return Err(Mismatch::Forbidden(
                "it belongs to another label set; taking it over requires --manifest PATH or --adopt-set NAME"
                    .to_owned(),
            ));
        }
        let is_users = now
            .user
            .as_ref()
            .is_none_or(|user| file.users.contains(user));
        let is_change = operation.action() != Action::Delete;
        if (is_change && is_users) || file.anybody {
            return Ok(());
        }
        Err(Mismatch::Forbidden(match &now.user {
            Some(user) if file.users.contains(user) => format!(
                "it belongs to {user}, who is not an owner of this plan, and the plan's set did not make it"
            ),
            Some(user) => format!(
                "it belongs to {user}; a plan file writes only annotations of its set, the app's owner and the token's user, unless \
                 --manifest PATH or --allow-user {user} is given"
            ),
            None => "its user is unknown, and the plan's set did not make it".to_owned(),
        }))
    }

    /// Whether the operation may post its annotation.
    pub(super) fn check_post(&self, operation: &Operation) -> Result<(), Mismatch> {
        let Self::File(file) = self else {
            return Ok(());
        };
        if operation.reason() == Reason::Undone {
            return file.check_poster(operation);
        }
        if file.claims.is_of_another_set(&operation.id) {
            return Err(Mismatch::Forbidden(
                "its id belongs to another label set".to_owned(),
            ));
        }
        if is_stand_in_id(&operation.id) {
            return Err(Mismatch::Forbidden(
                "its id is that of a stand-in".to_owned(),
            ));
        }
        // With a manifest the plan is made again, including its ids.
        if file.declared.is_some() || file.is_made_id(operation) {
            return Ok(());
        }
        Err(Mismatch::Forbidden(
            "its id is not the one that its set makes of it: a plan file posts that only with --manifest PATH".to_owned(),
        ))
    }
}

/// The maximum number of equal annotations of an input that are told apart if only a plan file names them.
const EQUAL: u32 = 1_000;

impl FilePermit {
    /// Whether the id of a post is the one that the set makes of its key or content, or one that a manifest can name: an id
    /// that no set makes.
    fn is_made_id(&self, operation: &Operation) -> bool {
        if operation.key.is_none() && !is_set_id(&operation.id) {
            return true;
        }
        let (set, input, id) = (&self.claims.set, &operation.input_id, &operation.id);
        match (&operation.key, operation.after()) {
            (Some(key), _) => key_id(set, input, key) == *id,
            (None, Some(after)) => (0..EQUAL).any(|at| content_id(set, input, after, at) == *id),
            (None, None) => false,
        }
    }

    /// A post without a user belongs to the caller.
    fn check_poster(&self, operation: &Operation) -> Result<(), Mismatch> {
        let shown = operation.after().and_then(|after| after.user.as_ref());
        let names_one = operation.body().is_none_or(body::names_user);
        if names_one || shown == Some(&self.caller) {
            return Ok(());
        }
        Err(Mismatch::User {
            shown: shown.map_or_else(|| "no user".to_owned(), ToString::to_string),
            found: self.caller.to_string(),
        })
    }

    /// A stand-in names its original, and its id is derived from that name.
    fn check_stand_in(
        &self,
        operation: &Operation,
        now: &ObservedAnnotation,
    ) -> Result<(), Mismatch> {
        let (set, input) = (&self.claims.set, &operation.input_id);
        let original = original_of(set, input, &now.id, now.info.as_ref());
        let is_it = match original {
            Some(_) if operation.is_clean_up() => now.id == operation.id,
            Some(original) => original == operation.id,
            None => false,
        };
        if is_it && now.maker == Maker::User {
            return Ok(());
        }
        Err(Mismatch::Forbidden(
            "it is not a stand-in that an earlier run of this set left".to_owned(),
        ))
    }
}

fn is_any<'a>(users: impl IntoIterator<Item = &'a UserId>) -> bool {
    users.into_iter().any(|user| user.as_str() == "any")
}

/// The scope of a set without its manifest.
fn claims(
    plan: &Plan,
    owners: BTreeSet<Owner>,
    adopts: BTreeSet<SetName>,
    caller: &UserId,
) -> Claims {
    let desired = DesiredState {
        set: plan.set.clone(),
        policy: plan.policy,
        owners,
        guards: Guards::default(),
        renamed: BTreeMap::new(),
        adopts,
        inputs: Vec::new(),
    };
    Claims::of(&desired, &plan.app_owner, caller)
}

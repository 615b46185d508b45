//! The tokens that a plan requires: the app's owner may do everything; a collaborator may change only their own
//! annotations and post only as themselves.
//!
//! A plan names the required user of each write, so that it is the same for every token. An apply checks its token
//! before it sends anything.

use super::operation::{Action, Operation};
use super::purge::Purge;
use crate::model::{Content, UserId};
use std::collections::BTreeMap;

/// Writes that only one user and the app's owner may make.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Needed {
    /// The user; the app's owner for an annotation without a user.
    pub user: UserId,
    /// The number of their annotations that are changed or deleted.
    pub changes: u64,
    /// The number of annotations that are posted in their name.
    pub posts: u64,
}

/// The owner of the annotation that an operation changes, and the user that it posts as.
fn users<'a>(
    operation: &'a Operation,
    app_owner: &'a UserId,
) -> (Option<&'a UserId>, Option<&'a UserId>) {
    let user = |content: Option<&'a Content>| content?.user.as_ref();
    let seen = operation.seen().and_then(|seen| seen.user.as_ref());
    let changed = seen.or(user(operation.before())).unwrap_or(app_owner);
    match operation.action() {
        Action::Post => (None, user(operation.after())),
        Action::Replace => (
            Some(changed),
            user(operation.after()).filter(|posted| *posted != changed),
        ),
        Action::Delete | Action::Overwrite | Action::Remove | Action::Merge => {
            (Some(changed), None)
        }
    }
}

/// The user who must apply an operation; `None` if any user may.
pub(super) fn of_operation(operation: &Operation, app_owner: &UserId) -> Option<UserId> {
    match users(operation, app_owner) {
        (Some(_), Some(_)) => Some(app_owner.clone()),
        (one, other) => one.or(other).cloned(),
    }
}

/// The user who must apply a purge; `None` if only models made its annotations.
pub(super) fn of_purge(purge: &Purge, app_owner: &UserId) -> Option<UserId> {
    let by_people = purge
        .annotations
        .iter()
        .filter(|it| it.model_version.is_none());
    let mut users = by_people.map(|it| it.user.as_ref().unwrap_or(app_owner));
    let first = users.next()?;
    let one = users.all(|user| user == first);
    Some(if one { first } else { app_owner }.clone())
}

/// Sets `needs` of every write.
pub(super) fn mark(operations: &mut [Operation], purges: &mut [Purge], app_owner: &UserId) {
    for operation in operations {
        operation.needs = of_operation(operation, app_owner);
    }
    for purge in purges {
        purge.needs = of_purge(purge, app_owner);
    }
}

/// The required users of all writes, sorted.
pub(super) fn needed(
    operations: &[Operation],
    purges: &[Purge],
    app_owner: &UserId,
) -> Vec<Needed> {
    let mut counts: BTreeMap<&UserId, (u64, u64)> = BTreeMap::new();
    for operation in operations {
        let (changed, posted) = users(operation, app_owner);
        if let Some(user) = changed {
            counts.entry(user).or_default().0 += 1;
        }
        if let Some(user) = posted {
            counts.entry(user).or_default().1 += 1;
        }
    }
    let emptied = purges.iter().flat_map(|purge| &purge.annotations);
    for gone in emptied.filter(|it| it.model_version.is_none()) {
        let user = gone.user.as_ref().unwrap_or(app_owner);
        counts.entry(user).or_default().0 += 1;
    }
    counts
        .into_iter()
        .map(|(user, (changes, posts))| Needed {
            user: user.clone(),
            changes,
            posts,
        })
        .collect()
}

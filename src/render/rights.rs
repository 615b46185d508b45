//! The users who must apply a plan, and the owners in scope, as text.

use super::phrase::Phrase;
use crate::model::{UserId, counted};
use crate::plan::{Needed, Plan};

/// Who may apply a plan: one user or the app's owner, or only the owner.
fn who(needed: &[Needed], app_owner: &UserId) -> Phrase {
    match needed {
        [only] if only.user != *app_owner => Phrase::from("needs ")
            .name(only.user.as_str())
            .words(" or the app's owner"),
        _ => Phrase::from("needs the app's owner"),
    }
}

/// `12 changes to annotations of acme, 1 post on behalf of bea`.
fn parts<'a>(needed: impl IntoIterator<Item = &'a Needed>) -> Phrase {
    let parts = needed.into_iter().flat_map(|needed| {
        let part = |count: u64, what: &str, of: &'static str| {
            let words = Phrase::from(counted(count, what))
                .words(of)
                .name(needed.user.as_str());
            (count > 0).then_some(words)
        };
        [
            part(needed.changes, "change", " to annotations of "),
            part(needed.posts, "post", " on behalf of "),
        ]
    });
    Phrase::joined(parts.flatten(), ", ")
}

/// The part of a plan that `caller` may not apply: `needs the app's owner: 12 changes to annotations of acme`. `None` if
/// they may apply all of it. Not escaped.
pub fn denied_words(needed: &[Needed], caller: &UserId, app_owner: &UserId) -> Option<String> {
    let denied: Vec<&Needed> = (needed.iter()).filter(|it| it.user != *caller).collect();
    let words = who(needed, app_owner)
        .words(": ")
        .then(parts(denied.iter().copied()));
    (!denied.is_empty()).then(|| words.text())
}

/// Who may apply the plan. `None` if it touches only annotations of the app's owner.
pub(super) fn note(plan: &Plan) -> Option<Phrase> {
    let needed = &plan.summary.needs;
    let is_of_others = needed.iter().any(|needed| needed.user != plan.app_owner);
    is_of_others.then(|| {
        who(needed, &plan.app_owner)
            .words(": ")
            .then(parts(needed))
            .words(".")
    })
}

/// The owners in scope. `None` if that is only the app's owner.
pub(super) fn owners(plan: &Plan) -> Option<Phrase> {
    let is_default = plan.owners.is_empty() || plan.owners == [plan.app_owner.clone()];
    let names = plan.owners.iter().map(UserId::as_str);
    (!is_default).then(|| Phrase::from("owners: ").names(names).words("."))
}

//! What is sent for an operation: made of what is stored at that moment, and of the change that the operation shows.
//!
//! A plan holds no bodies. So a plan file cannot make an apply send anything that it does not show, whoever wrote it: what
//! does not fit what is stored has no body. Only what undoes an apply brings back data that is stored nowhere else; its
//! bodies are checked against what it shows when it is read.

use super::body;
use super::change;
use super::input::sides;
use super::permit::Permit;
use super::shared::whole_removal;
use super::stand_in::{is_clean_up, is_unfinished, restored};
use super::types::{Action, Operation, Reason};
use crate::model::{
    Content, Difference, Geometry, Json, Maker, ObservedAnnotation, UserId, difference, is_exactly,
};

/// Why an operation does not fit what is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A model's annotation is changed by nobody.
    #[error("a model made it")]
    ModelMade,
    /// An input's own annotation goes with the input alone.
    #[error("it belongs to the input itself, and cannot be deleted")]
    InputLevel,
    /// Somebody else's than it shows.
    #[error("it shows an annotation of {shown}, and this one is of {found}")]
    User {
        /// The user that it shows.
        shown: String,
        /// The user whose it is.
        found: String,
    },
    /// The annotation is not what `before` says, or the change does not lead to `after`.
    #[error("the annotation is not what it shows")]
    Content,
    /// The change takes another write.
    #[error("what it shows takes {needed}")]
    Action {
        /// The write that it takes.
        needed: String,
    },
    /// A mask whose file is not in the plan.
    #[error("the plan does not hold the file of its mask")]
    Mask,
    /// Outside of what a plan file may touch.
    #[error("{0}")]
    Forbidden(String),
}

/// What is sent for an operation whose annotation is `now`, as the plan saw it; `None` for what is not there. Of a
/// replacement that an earlier run began, `now` is the stand-in. A delete that shares a call with removals is sent as the
/// removal of all its concepts; any other delete has no body.
///
/// # Errors
///
/// Why the operation does not fit what is stored. Nothing may be sent then.
pub fn write_body(
    operation: &Operation,
    now: Option<&ObservedAnnotation>,
    permit: &Permit,
) -> Result<Option<Json>, Misfit> {
    let Some(now) = now else {
        return match operation.action {
            Action::Post => posted(operation, permit).map(Some),
            _ => Ok(None),
        };
    };
    permit.check(operation, now)?;
    check_maker(operation, now)?;
    if operation.reason == Reason::Undone {
        // What is not modelled cannot be shown. Its fingerprint stands for it.
        let shows = operation
            .before
            .as_ref()
            .is_some_and(|it| is_exactly(it, now));
        return if shows {
            Ok(operation.body.clone())
        } else {
            Err(Misfit::Content)
        };
    }
    check_user(operation, now)?;
    match operation.action {
        Action::Post => Err(Misfit::Content),
        Action::Delete => {
            check_sides(operation, &(now.content(), None))?;
            let rides = operation.bytes > 0 && !is_clean_up(operation);
            Ok(whole_removal(&operation.input_id, now).filter(|_| rides))
        }
        Action::Replace if is_unfinished(operation) => {
            finished(operation, &restored(now, &operation.id)).map(Some)
        }
        Action::Replace | Action::Overwrite | Action::Remove | Action::Merge => {
            changed(operation, now).map(Some)
        }
    }
}

/// A post is made of what it shows alone.
fn posted(operation: &Operation, permit: &Permit) -> Result<Json, Misfit> {
    permit.check_post(operation)?;
    if operation.reason == Reason::Undone {
        return operation.body.clone().ok_or(Misfit::Content);
    }
    let after = operation.after.as_ref().ok_or(Misfit::Content)?;
    check_mask(after)?;
    Ok(body::post(&operation.input_id, &operation.id, after))
}

fn changed(operation: &Operation, now: &ObservedAnnotation) -> Result<Json, Misfit> {
    let after = operation.after.as_ref().ok_or(Misfit::Content)?;
    let (before, after_all) = sides(after, now);
    check_sides(operation, &(before, Some(after_all)))?;
    let difference = difference(after, now);
    if difference.geometry {
        check_mask(after)?;
    }
    match change::write(&operation.input_id, now, after, &difference) {
        Some(write) if write.action == operation.action => Ok(write.body),
        Some(write) => Err(Misfit::Action {
            needed: format!("{} {}", article(write.action), write.action),
        }),
        None => Err(Misfit::Action {
            needed: "no write".to_owned(),
        }),
    }
}

/// The replacement that an earlier run began: `held` is what its stand-in holds.
fn finished(operation: &Operation, held: &ObservedAnnotation) -> Result<Json, Misfit> {
    let after = operation.after.as_ref().ok_or(Misfit::Content)?;
    let changes = difference(after, held);
    if changes.is_empty() {
        check_sides(operation, &(held.content(), Some(held.content())))?;
        return Ok(as_held(operation, held));
    }
    let (before, after_all) = sides(after, held);
    check_sides(operation, &(before, Some(after_all)))?;
    if changes.geometry {
        check_mask(after)?;
    }
    let input = &operation.input_id;
    Ok(body::replacement(input, held, after, &changes))
}

/// The replacement that a stand-in holds already, as it is posted in its place; `None` if it holds something else.
pub fn body_of_stand_in(operation: &Operation, stand_in: &ObservedAnnotation) -> Option<Json> {
    if operation.reason == Reason::Undone {
        return operation.body.clone();
    }
    let held = restored(stand_in, &operation.id);
    let after = operation.after.as_ref()?;
    difference(after, &held)
        .is_empty()
        .then(|| as_held(operation, &held))
}

fn as_held(operation: &Operation, held: &ObservedAnnotation) -> Json {
    let (nothing, same) = (Content::default(), Difference::default());
    body::replacement(&operation.input_id, held, &nothing, &same)
}

fn check_maker(operation: &Operation, now: &ObservedAnnotation) -> Result<(), Misfit> {
    match (now.maker, operation.action) {
        (Maker::Model, _) => Err(Misfit::ModelMade),
        (Maker::Input, Action::Delete | Action::Replace) => Err(Misfit::InputLevel),
        (Maker::Input | Maker::User, _) => Ok(()),
    }
}

fn check_user(operation: &Operation, now: &ObservedAnnotation) -> Result<(), Misfit> {
    let shown = operation.seen.as_ref().and_then(|seen| seen.user.as_ref());
    if operation.seen.is_some() && shown == now.user.as_ref() {
        return Ok(());
    }
    let name =
        |user: Option<&UserId>| user.map_or_else(|| "no user".to_owned(), ToString::to_string);
    Err(Misfit::User {
        shown: name(shown),
        found: name(now.user.as_ref()),
    })
}

/// Holds what an operation shows to what it is.
fn check_sides(operation: &Operation, sides: &(Content, Option<Content>)) -> Result<(), Misfit> {
    // As it is written: a mask is shown by its hash, whether or not its file is at hand.
    let shown = |content: Option<&Content>| content.map(|it| serde_json::to_value(it).ok());
    if shown(operation.before.as_ref()) == shown(Some(&sides.0))
        && shown(operation.after.as_ref()) == shown(sides.1.as_ref())
    {
        Ok(())
    } else {
        Err(Misfit::Content)
    }
}

/// A mask is sent as its file, or as where it is found.
fn check_mask(content: &Content) -> Result<(), Misfit> {
    match &content.geometry {
        Some(Geometry::Mask(mask)) if mask.png().is_none() && mask.url().is_none() => {
            Err(Misfit::Mask)
        }
        _ => Ok(()),
    }
}

fn article(action: Action) -> &'static str {
    match action {
        Action::Overwrite => "an",
        _ => "a",
    }
}

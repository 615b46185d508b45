//! The body of an operation, made from the stored annotation and from the change that the operation shows.
//!
//! A plan holds no bodies, so a forged plan file cannot make an apply send anything that it does not show: an
//! operation that does not fit the stored annotation has no body. Only an undo holds bodies, because it restores data
//! that is stored nowhere else; they are checked when the undo is read.

use super::change::{self, sides};
use super::mismatch::Mismatch;
use super::operation::{Action, Change, Operation, Seen, UndoChange};
use super::permit::Permit;
use super::stand_in::restored;
use crate::model::{
    Content, Difference, Geometry, Json, Maker, ObservedAnnotation, UserId, difference, is_exactly,
};
use crate::wire::encode;

/// The body of an operation whose annotation is `now` (`None` if it does not exist), as the plan saw it. For
/// [`Change::Finish`], `now` is the stand-in. A delete that shares a call with removals is sent as the removal of all
/// its concepts; any other delete has no body.
///
/// # Errors
///
/// The operation does not fit the stored annotation. Nothing may be sent.
pub fn write_body(
    operation: &Operation,
    now: Option<&ObservedAnnotation>,
    permit: &Permit,
) -> Result<Option<Json>, Mismatch> {
    let Some(now) = now else {
        return posted(operation, permit);
    };
    permit.check(operation, now)?;
    check_maker(operation, now)?;
    match &operation.change {
        Change::Post { .. } => Err(Mismatch::Content),
        Change::Merge(edit)
        | Change::Remove(edit)
        | Change::Overwrite(edit)
        | Change::Replace(edit) => {
            check_user(&edit.observed.seen, now)?;
            changed(operation, &edit.after, now).map(Some)
        }
        Change::Finish {
            observed, after, ..
        } => {
            check_user(&observed.seen, now)?;
            finished(operation, after, &restored(now, &operation.id)).map(Some)
        }
        Change::Delete { observed, .. } => {
            check_user(&observed.seen, now)?;
            check_sides(operation, &now.content(), None)?;
            let rides = operation.bytes > 0 && !operation.is_clean_up();
            Ok(encode::whole_removal(&operation.input_id, now).filter(|_| rides))
        }
        // Data that annosync does not model cannot be shown; the fingerprint covers it.
        Change::Undo(_) => match operation.before() {
            Some(before) if is_exactly(before, now) => Ok(operation.body().cloned()),
            _ => Err(Mismatch::Content),
        },
    }
}

/// The body of an operation whose annotation does not exist: only a post has one.
fn posted(operation: &Operation, permit: &Permit) -> Result<Option<Json>, Mismatch> {
    let body = match &operation.change {
        Change::Post { after, .. } => {
            permit.check_post(operation)?;
            check_mask(after)?;
            encode::post(&operation.input_id, &operation.id, after)
        }
        Change::Undo(UndoChange::Post { body, .. }) => {
            permit.check_post(operation)?;
            body.clone()
        }
        _ => return Ok(None),
    };
    Ok(Some(body))
}

fn changed(
    operation: &Operation,
    after: &Content,
    now: &ObservedAnnotation,
) -> Result<Json, Mismatch> {
    let (before, after_all) = sides(after, now);
    check_sides(operation, &before, Some(&after_all))?;
    let difference = difference(after, now);
    if difference.geometry {
        check_mask(after)?;
    }
    match change::write(&operation.input_id, now, after, &difference) {
        Some(write) if write.kind.action() == operation.action() => Ok(write.body),
        Some(write) => Err(Mismatch::Action {
            needed: format!("{} {}", article(write.kind.action()), write.kind.action()),
        }),
        None => Err(Mismatch::Action {
            needed: "no write".to_owned(),
        }),
    }
}

/// The body of a replacement that an earlier run began. `held` is the annotation as its stand-in holds it.
fn finished(
    operation: &Operation,
    after: &Content,
    held: &ObservedAnnotation,
) -> Result<Json, Mismatch> {
    let changes = difference(after, held);
    if changes.is_empty() {
        check_sides(operation, &held.content(), Some(&held.content()))?;
        return Ok(as_held(operation, held));
    }
    let (before, after_all) = sides(after, held);
    check_sides(operation, &before, Some(&after_all))?;
    if changes.geometry {
        check_mask(after)?;
    }
    let input = &operation.input_id;
    Ok(encode::replacement(input, held, after, &changes))
}

/// The body of a replacement that a stand-in holds already; `None` if the stand-in holds something else.
pub fn body_of_stand_in(operation: &Operation, stand_in: &ObservedAnnotation) -> Option<Json> {
    if operation.is_undo() {
        return operation.body().cloned();
    }
    let held = restored(stand_in, &operation.id);
    let after = operation.after()?;
    difference(after, &held)
        .is_empty()
        .then(|| as_held(operation, &held))
}

fn as_held(operation: &Operation, held: &ObservedAnnotation) -> Json {
    let (nothing, same) = (Content::default(), Difference::default());
    encode::replacement(&operation.input_id, held, &nothing, &same)
}

fn check_maker(operation: &Operation, now: &ObservedAnnotation) -> Result<(), Mismatch> {
    match (now.maker, operation.action()) {
        (Maker::Model, _) => Err(Mismatch::ModelMade),
        (Maker::Input, Action::Delete | Action::Replace) => Err(Mismatch::InputLevel),
        (Maker::Input | Maker::User, _) => Ok(()),
    }
}

fn check_user(seen: &Seen, now: &ObservedAnnotation) -> Result<(), Mismatch> {
    let shown = seen.user.as_ref();
    if shown == now.user.as_ref() {
        return Ok(());
    }
    let name =
        |user: Option<&UserId>| user.map_or_else(|| "no user".to_owned(), ToString::to_string);
    Err(Mismatch::User {
        shown: name(shown),
        found: name(now.user.as_ref()),
    })
}

/// Compares what an operation shows with these.
fn check_sides(
    operation: &Operation,
    before: &Content,
    after: Option<&Content>,
) -> Result<(), Mismatch> {
    // As JSON, where a mask is its hash, with or without its file.
    let shown = |content: Option<&Content>| content.map(|it| serde_json::to_value(it).ok());
    if shown(operation.before()) == shown(Some(before)) && shown(operation.after()) == shown(after)
    {
        Ok(())
    } else {
        Err(Mismatch::Content)
    }
}

/// A mask is sent as its file or its URL.
fn check_mask(content: &Content) -> Result<(), Mismatch> {
    match &content.geometry {
        Some(Geometry::Mask(mask)) if mask.png().is_none() && mask.url().is_none() => {
            Err(Mismatch::Mask)
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

//! Whether a plan that undoes an apply sends what it shows.

use crate::api::wire;
use crate::model::{Interner, is_all_of};
use crate::observed;
use crate::plan::{Operation, Plan, Purpose};

/// Whether every body of a plan that undoes an apply, read as the service's annotations are, is what the plan says that
/// will be there: a file can be changed by anybody. Other plans are made of what they show, and reading them checks that.
pub fn is_as_shown(plan: &Plan) -> bool {
    plan.purpose != Purpose::Undo || plan.operations.iter().all(sends_what_it_shows)
}

fn sends_what_it_shows(operation: &Operation) -> bool {
    let Some(body) = &operation.body else {
        return true;
    };
    let Ok(wire) = serde_json::from_str::<wire::Annotation>(body.as_str()) else {
        return false;
    };
    let Ok((input, mut sent)) = observed::annotation(wire, &mut Interner::default()) else {
        return false;
    };
    let Some(after) = &operation.after else {
        return false;
    };
    // What is not sent stays, or is the caller's; all that is sent must show.
    let body = body.to_value();
    let sends = |field: &str| body.get(field).is_some();
    if !sends("status") {
        sent.status = after.status.unwrap_or(sent.status);
    }
    if !sends("user_id") {
        sent.user.clone_from(&after.user);
    }
    input == operation.input_id && sent.id == operation.id && is_all_of(after, &sent)
}

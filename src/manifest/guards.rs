//! The guards of a header: the limits that stop a plan.

use super::at::At;
use super::node::Node;
use super::words::quote;
use crate::model::{GuardLimit, Guards};

const GUARDS: [&str; 6] = [
    "max_deletes",
    "max_updates",
    "min_existing",
    "max_vanished_concepts",
    "max_doubles",
    "max_new_concepts",
];

pub(super) fn guards(at: At<'_, '_>) -> Guards {
    let mut guards = Guards::default();
    let Some(limits) = at.fields("`guards`", &GUARDS) else {
        return guards;
    };
    for (key, share) in [
        ("max_deletes", &mut guards.max_deletes),
        ("max_updates", &mut guards.max_updates),
    ] {
        let Some(at) = limits.get(key) else {
            continue;
        };
        let read = match at.node {
            Node::Text(text) => GuardLimit::parse(text),
            Node::Int(count) => u64::try_from(*count).ok().map(GuardLimit::Count),
            _ => None,
        };
        match read {
            Some(read) => *share = read,
            None => drop(at.wrong_type(&quote(key), "a percentage such as 30%, or a number")),
        }
    }
    let limit = |key| {
        let at = limits.get(key)?;
        at.whole_number(&quote(key), 0, u64::MAX)
    };
    for (key, value) in [
        ("min_existing", &mut guards.min_existing),
        ("max_vanished_concepts", &mut guards.max_vanished_concepts),
        ("max_doubles", &mut guards.max_doubles),
    ] {
        *value = limit(key).unwrap_or(*value);
    }
    guards.max_new_concepts = limit("max_new_concepts");
    guards
}

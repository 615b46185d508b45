//! What is said of an annotation: `status`, `user`, and the fields that are one line of text or one number.

use crate::manifest::fields::{as_number, filled, name, wrong_type};
use crate::manifest::finding::{Findings, Place};
use crate::manifest::node::Node;
use crate::manifest::words::{list as word_list, nearest, quote};
use crate::model::{Fraction, Interner, Status, UserId};

/// Reads `status`.
pub(in crate::manifest) fn status(
    node: &Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Status> {
    let text = match node {
        Node::Int(code) => code.to_string(),
        Node::Text(text) => text.to_string(),
        _ => {
            wrong_type(node, "`status`", "a name or a number", place, findings);
            return None;
        }
    };
    Status::parse(&text)
        .map_err(|_| {
            let near = nearest(&text, Status::names())
                .map(|near| format!("did you mean {}? ", quote(near)))
                .unwrap_or_default();
            findings
                .add(place.value(), format!("unknown status {}", quote(&text)))
                .hint(format!(
                    "{near}allowed: {}, or their numbers, 24000 to 24999",
                    word_list(Status::names())
                ));
        })
        .ok()
}

/// Reads `user`.
pub(in crate::manifest) fn user(
    node: &Node<'_>,
    interner: &mut Interner,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<UserId> {
    name(node, "`user`", place, findings, |id| {
        UserId::new(interner.intern(id))
    })
}

/// Reads a text that is not empty: `track`, `text`, `embed_model_version`. The service drops an empty one, so that it
/// could never be set.
pub(in crate::manifest) fn line(
    node: &Node<'_>,
    noun: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Box<str>> {
    let hint = "leave the key out if it does not apply";
    filled(node, noun, hint, place, findings).map(Box::from)
}

/// Reads `region_value`.
pub(in crate::manifest) fn region_value(
    node: &Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Fraction> {
    let value = as_number(node).and_then(|value| Fraction::new(value).ok());
    if value.is_none() {
        let expected = "a number from 0 to 1";
        wrong_type(node, "`region_value`", expected, place, findings);
    }
    value
}

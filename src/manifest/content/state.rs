//! `status`, `user`, and the fields that are one text or one number.

use crate::manifest::at::At;
use crate::manifest::node::Node;
use crate::manifest::words::{list as word_list, nearest, quote};
use crate::model::{Fraction, Interner, Status, UserId};

pub(in crate::manifest) fn status(at: At<'_, '_>) -> Option<Status> {
    let text = match at.node {
        Node::Int(code) => code.to_string(),
        Node::Text(text) => text.to_string(),
        _ => {
            at.wrong_type("`status`", "a name or a number");
            return None;
        }
    };
    Status::parse(&text)
        .map_err(|_| {
            let near = nearest(&text, Status::names())
                .map(|near| format!("did you mean {}? ", quote(near)))
                .unwrap_or_default();
            at.error(format!("unknown status {}", quote(&text)))
                .hint(format!(
                    "{near}allowed: {}, or their numbers, 24000 to 24999",
                    word_list(Status::names())
                ));
        })
        .ok()
}

pub(in crate::manifest) fn user(at: At<'_, '_>, interner: &mut Interner) -> Option<UserId> {
    at.id("`user`", |id| UserId::new(interner.intern(id)))
}

/// Reads `track`, `text` or `embed_model_version`. The service drops an empty text, so it could never be set.
pub(in crate::manifest) fn line(at: At<'_, '_>, noun: &str) -> Option<Box<str>> {
    at.nonempty_text(noun, "leave the key out if it does not apply")
        .map(Box::from)
}

pub(in crate::manifest) fn region_value(at: At<'_, '_>) -> Option<Fraction> {
    let value = at.as_number().and_then(|value| Fraction::new(value).ok());
    if value.is_none() {
        at.wrong_type("`region_value`", "a number from 0 to 1");
    }
    value
}

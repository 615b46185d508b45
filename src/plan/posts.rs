//! Plans the posts of one input: their ids, and the annotations of other users that they would double.

use super::batch::size_of_body;
use super::error::PlanError;
use super::links::key_of;
use super::operation::{Change, DoubledAnnotation, Operation};
use super::planner::{Part, Planner};
use crate::matching::{Matching, doubles};
use crate::model::{
    AnnotationId, DesiredAnnotation, DesiredInput, Identity, InputId, ObservedAnnotation,
    content_id, key_id,
};
use crate::wire::encode;
use std::collections::{HashMap, HashSet};

impl Planner<'_> {
    pub(super) fn posts(
        &self,
        part: &mut Part,
        input: &DesiredInput,
        observed: &[ObservedAnnotation],
        matching: &Matching,
    ) {
        if matching.missing.is_empty() {
            return;
        }
        let mut taken: HashSet<AnnotationId> = observed
            .iter()
            .map(|annotation| annotation.id.clone())
            .collect();
        // An invalid id cannot collide.
        let unreadable = self.observed.unreadable_on(&input.id).iter();
        taken.extend(unreadable.filter_map(|it| AnnotationId::new(&*it.id).ok()));
        // Declared ids and keys first: a generated id must not take theirs.
        let mut named: HashMap<usize, AnnotationId> = HashMap::new();
        for &at in &matching.missing {
            let desired = &input.annotations[at];
            let id = match &desired.identity {
                Identity::Id(id) => id.clone(),
                Identity::Key(key) => key_id(&self.claims.set, &input.id, key),
                Identity::InputLevel => {
                    part.errors.push(PlanError::NoInputLevel {
                        input: input.id.clone(),
                        origin: desired.origin,
                    });
                    continue;
                }
                Identity::Content => continue,
            };
            let (input, origin) = (input.id.clone(), desired.origin);
            if self.claims.is_of_another_set(&id) {
                part.errors
                    .push(PlanError::OfAnotherSet { input, id, origin });
            } else if taken.insert(id.clone()) {
                named.insert(at, id);
            } else if (self.observed.unreadable_on(&input).iter()).all(|it| *it.id != *id.as_str())
            {
                part.errors.push(PlanError::SameId { input, id, origin });
            }
        }
        // The next ordinal to try, by the id of ordinal 0: each of thousands of equal annotations would otherwise try
        // the ordinals of all before it.
        let mut ordinals: HashMap<AnnotationId, u32> = HashMap::new();
        let first = part.operations.len();
        let mut posted = Vec::with_capacity(matching.missing.len());
        for &at in &matching.missing {
            let desired = &input.annotations[at];
            if let Some(id) = named.remove(&at) {
                if post(part, &input.id, desired, id) {
                    posted.push(at);
                }
            } else if desired.identity == Identity::Content {
                let id_of =
                    |ordinal| content_id(&self.claims.set, &input.id, &desired.content, ordinal);
                let mut id = id_of(0);
                let ordinal = ordinals.entry(id.clone()).or_default();
                if *ordinal > 0 {
                    id = id_of(*ordinal);
                }
                while !taken.insert(id.clone()) {
                    *ordinal += 1;
                    id = id_of(*ordinal);
                }
                if post(part, &input.id, desired, id) {
                    posted.push(at);
                }
            }
        }
        let doubles = doubles(
            &self.claims,
            (&input.annotations, &posted),
            (observed, &matching.unclaimed),
        );
        for double in doubles {
            // Both are in declared order, and each post has one double at most.
            let at = posted.partition_point(|&posted| posted < double.desired);
            let there = &observed[double.observed];
            if let Change::Post { double: of, .. } = &mut part.operations[first + at].change {
                *of = Some(Box::new(DoubledAnnotation::new(there, double.is_equal)));
            }
        }
    }
}

/// The error of an annotation that is not in the app and declares no content to post.
fn nothing_to_post(
    input: &InputId,
    desired: &DesiredAnnotation,
    id: &AnnotationId,
) -> Option<PlanError> {
    let content = &desired.content;
    let key = match &desired.identity {
        Identity::Id(_) => None,
        Identity::Key(key) => Some(key.clone()),
        // A manifest without id and key requires content.
        Identity::Content | Identity::InputLevel => return None,
    };
    let has_content = content.geometry.is_some()
        || content.concepts.as_ref().is_some_and(|it| !it.is_empty())
        || content.text().is_some()
        || content.metadata.is_some()
        || content.info.is_some();
    (!has_content).then(|| PlanError::NothingDeclared {
        input: input.clone(),
        key,
        id: id.clone(),
        origin: desired.origin,
    })
}

/// Plans the post of an annotation. Returns false if there is nothing to post.
fn post(part: &mut Part, input: &InputId, desired: &DesiredAnnotation, id: AnnotationId) -> bool {
    if let Some(error) = nothing_to_post(input, desired, &id) {
        part.errors.push(error);
        return false;
    }
    let change = Change::Post {
        after: desired.content.clone(),
        double: None,
    };
    part.operations.push(Operation {
        key: key_of(desired),
        bytes: size_of_body(&encode::post(input, &id, &desired.content)),
        ..Operation::new(input.clone(), id, change)
    });
    true
}

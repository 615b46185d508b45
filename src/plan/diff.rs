//! The difference of two label sets, with the matching and the counts of a plan.
//!
//! The old side takes the place of the app, the new side that of the manifest, and everything may be matched, whoever made
//! it. What a side does not show in full is counted as unknown, never as added or removed.

use super::change::sides;
use super::classes::{ClassCount, Relabelled, classes, relabelled};
use super::moves::{self, Moves, Turned};
use super::operation::{Change, DeleteReason, Edit, Observed, Operation};
use crate::matching::{Claims, Matched, MatchedBy, Matching, match_input};
use crate::model::{
    AnnotationId, Content, DesiredAnnotation, DesiredState, Difference, Geometry, Identity,
    InputId, Json, Key, Maker, ObservedAnnotation, ObservedExtras, ObservedState, Origin, Owner,
    Policy, RegionId, Scope, SetName, Status, UserId, difference, hex, key_id, select_keys,
};
use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The version of the format of a diff.
pub const DIFF_VERSION: &str = "1.0";

/// One side of a diff.
#[derive(Debug, Clone, Default)]
pub struct LabelSet {
    /// Its name on the command line.
    pub name: String,
    /// What it is, such as `manifest` or `coco`. Fields of annotations that only one side has are compared between sides
    /// of the same kind.
    pub kind: &'static str,
    pub inputs: BTreeMap<InputId, Vec<DesiredAnnotation>>,
    /// Inputs with annotations that could not be read.
    pub incomplete: BTreeSet<InputId>,
    /// Inputs with objects that an import left out: why each was, sorted.
    pub left_out: BTreeMap<InputId, Vec<String>>,
    /// Whether it has all inputs. If not, labels on other inputs are unknown.
    pub is_whole: bool,
    /// Whether it names inputs without labels, too.
    pub names_all_inputs: bool,
}

impl LabelSet {
    fn count(&self) -> u64 {
        self.inputs.values().map(|all| all.len() as u64).sum()
    }

    /// Whether it shows all annotations of an input.
    fn is_complete(&self, input: &InputId) -> bool {
        let is_known = self.is_whole || self.inputs.contains_key(input);
        is_known && !self.incomplete.contains(input) && !self.left_out.contains_key(input)
    }

    /// Whether it is known not to have an input.
    fn lacks(&self, input: &InputId, annotations: usize) -> bool {
        self.is_whole
            && !self.inputs.contains_key(input)
            && (self.names_all_inputs || annotations > 0)
    }
}

/// The differences of two label sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diff {
    /// The version of this format: 1.0.
    pub format_version: String,
    /// The old side.
    pub old: DiffSide,
    /// The new side.
    pub new: DiffSide,
    /// The counts.
    pub summary: DiffSummary,
    /// The inputs that only the new side has, sorted by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added_inputs: Vec<InputLabels>,
    /// The inputs that only the old side has, sorted by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed_inputs: Vec<InputLabels>,
    /// The annotations that differ, sorted by input, then by kind.
    pub changes: Vec<DiffChange>,
    /// The equal annotations of inputs with changes, as on the new side. Not part of the document.
    #[serde(skip)]
    pub unchanged: BTreeMap<InputId, Vec<Content>>,
}

impl Diff {
    /// Whether no difference was found.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.added_inputs.is_empty() && self.removed_inputs.is_empty()
    }
}

/// One side of a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffSide {
    /// Its name on the command line.
    pub name: String,
    /// `manifest`, `listing`, or the name of a format.
    pub kind: &'static str,
    /// The number of its inputs.
    pub inputs: u64,
    /// The number of its annotations.
    pub annotations: u64,
}

/// The number of labels of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InputLabels {
    /// The input.
    pub input_id: InputId,
    /// The number of its annotations.
    pub annotations: u64,
}

/// The numbers of a diff. Every annotation is counted once; a pair counts as one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffSummary {
    /// Annotations that only the new side has.
    pub added: u64,
    /// Annotations that only the old side has.
    pub removed: u64,
    /// Annotations with other concepts in the same place.
    pub relabelled: u64,
    /// Annotations in another place.
    pub moved: u64,
    /// Annotations with other concepts in another place.
    pub moved_and_relabelled: u64,
    /// Annotations of pictures that were turned or mirrored.
    pub turned: u64,
    /// Annotations of which only attributes differ: status, user, metadata and others.
    pub attributes: u64,
    /// Annotations that are equal.
    pub unchanged: u64,
    /// Annotations of one side that have no counterpart, where the other side does not show everything.
    pub unknown: u64,
    /// Matches with a runner-up within 0.02.
    pub ambiguous: u64,
    /// The concepts that more or fewer annotations bear on the new side, sorted.
    pub classes: Vec<ClassCount>,
    /// Which concepts are replaced by which, most frequent first, then sorted.
    pub relabellings: Vec<Relabelled>,
    /// The moves, except turned annotations. An annotation without an id is named `number-3`, by its position in its input
    /// on the old side.
    pub moves: Moves,
    /// The turned annotations, by turn.
    pub turns: Vec<Turned>,
}

impl DiffSummary {
    /// Every kind of change with its count.
    pub fn each(&self) -> [(DiffKind, u64); 7] {
        [
            (DiffKind::Added, self.added),
            (DiffKind::Removed, self.removed),
            (DiffKind::Relabelled, self.relabelled),
            (DiffKind::Moved, self.moved),
            (DiffKind::MovedAndRelabelled, self.moved_and_relabelled),
            (DiffKind::Turned, self.turned),
            (DiffKind::Attributes, self.attributes),
        ]
    }

    fn count(&mut self, kind: DiffKind) {
        *match kind {
            DiffKind::Added => &mut self.added,
            DiffKind::Removed => &mut self.removed,
            DiffKind::Relabelled => &mut self.relabelled,
            DiffKind::Moved => &mut self.moved,
            DiffKind::MovedAndRelabelled => &mut self.moved_and_relabelled,
            DiffKind::Turned => &mut self.turned,
            DiffKind::Attributes => &mut self.attributes,
        } += 1;
    }
}

/// A kind of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DiffKind {
    /// Only the old side has it.
    Removed,
    /// The same place, other concepts.
    Relabelled,
    /// Another place.
    Moved,
    /// Another place and other concepts.
    MovedAndRelabelled,
    /// The picture was turned or mirrored.
    Turned,
    /// Only attributes differ: status, user, metadata and others.
    Attributes,
    /// Only the new side has it.
    Added,
}

/// An annotation that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffChange {
    /// The kind of the difference.
    pub kind: DiffKind,
    /// The input of the annotation.
    pub input_id: InputId,
    /// The id of the annotation, if a side gives it: the old one, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<AnnotationId>,
    /// The key that a manifest gives the annotation: the new one, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Why the two annotations are taken for the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<Matched>,
    /// The annotation on the old side, in the manifest's notation. Between sides of different kinds, only the fields that
    /// both have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Content>,
    /// The annotation on the new side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Content>,
}

/// The result for one input.
#[derive(Default)]
struct Part {
    /// With the id that a side gives.
    changes: Vec<(DiffKind, Operation, Option<AnnotationId>)>,
    unchanged: u64,
    /// Positions of equal annotations on the new side.
    equal: Vec<usize>,
    unknown: u64,
    ambiguous: u64,
}

/// Compares two label sets.
pub fn diff(old: &LabelSet, new: &LabelSet) -> Diff {
    let differ = Differ::new(old, new);
    let inputs: Vec<&InputId> = old
        .inputs
        .keys()
        .chain(new.inputs.keys())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let parts: Vec<Part> = inputs.par_iter().map(|input| differ.input(input)).collect();

    let mut summary = DiffSummary::default();
    let mut operations = Vec::new();
    let mut kinds = Vec::new();
    let mut unchanged = BTreeMap::new();
    for (input, mut part) in inputs.into_iter().zip(parts) {
        if !part.changes.is_empty()
            && !part.equal.is_empty()
            && let Some(all) = new.inputs.get(input)
        {
            let equal = part.equal.iter().map(|at| all[*at].content.clone());
            unchanged.insert(input.clone(), equal.collect());
        }
        summary.unchanged += part.unchanged;
        summary.unknown += part.unknown;
        summary.ambiguous += part.ambiguous;
        // The sort is stable: within one kind the order of the sides stays.
        part.changes.sort_by_key(|(kind, ..)| *kind);
        for (kind, operation, id) in part.changes {
            summary.count(kind);
            operations.push(operation);
            kinds.push((kind, id));
        }
    }
    summary.classes = classes(&operations, &[], &differ.observed);
    summary.relabellings = relabelled(&operations);
    summary.moves = Moves::of(&operations);
    summary.turns = moves::turned(&operations);
    let changes = operations.into_iter().zip(kinds);
    Diff {
        format_version: DIFF_VERSION.to_owned(),
        summary,
        added_inputs: only(new, old),
        removed_inputs: only(old, new),
        changes: changes
            .map(|(operation, (kind, id))| DiffChange::of(kind, operation, id))
            .collect(),
        unchanged,
        old: side(old),
        new: side(new),
    }
}

fn side(labels: &LabelSet) -> DiffSide {
    DiffSide {
        name: labels.name.clone(),
        kind: labels.kind,
        inputs: labels.inputs.len() as u64,
        annotations: labels.count(),
    }
}

/// The inputs that one side has and the other one lacks.
fn only(these: &LabelSet, others: &LabelSet) -> Vec<InputLabels> {
    let all = these.inputs.iter();
    all.filter(|(id, annotations)| others.lacks(id, annotations.len()))
        .map(|(id, annotations)| InputLabels {
            input_id: id.clone(),
            annotations: annotations.len() as u64,
        })
        .collect()
}

impl DiffChange {
    fn of(kind: DiffKind, operation: Operation, id: Option<AnnotationId>) -> Self {
        let Operation {
            input_id,
            key,
            change,
            ..
        } = operation;
        let (before, after, matched) = match change {
            Change::Post { after, .. } => (None, Some(after), None),
            Change::Delete { observed, .. } => (Some(observed.content), None, None),
            Change::Overwrite(edit) => (
                Some(edit.observed.content),
                Some(edit.after),
                Some(edit.matched),
            ),
            _ => unreachable!("a diff makes no other changes"),
        };
        Self {
            kind,
            input_id,
            id,
            key,
            matched,
            before,
            after,
        }
    }
}

struct Differ<'a> {
    old: &'a LabelSet,
    new: &'a LabelSet,
    /// The old side in the place of the app.
    observed: ObservedState,
    claims: Claims,
    /// Whether a field that only one side has is a difference.
    is_same_kind: bool,
}

impl<'a> Differ<'a> {
    fn new(old: &'a LabelSet, new: &'a LabelSet) -> Self {
        let set = SetName::new("diff").expect("a word is a valid set name");
        let user = UserId::new("diff").expect("a word is a valid user id");
        let inputs = old.inputs.iter();
        let observed = ObservedState {
            caller: user.clone(),
            app_owner: user,
            scope: Scope::WholeApp,
            unreadable: Vec::new(),
            inputs: inputs
                .map(|(id, all)| {
                    let numbered = all.iter().enumerate();
                    let observed = numbered.map(|(at, it)| as_observed(&set, id, at, it));
                    (id.clone(), observed.collect())
                })
                .collect(),
        };
        let by_anyone = DesiredState {
            set,
            policy: Policy::Sync,
            owners: BTreeSet::from([Owner::Any]),
            guards: crate::model::Guards::default(),
            renamed: BTreeMap::new(),
            adopts: BTreeSet::new(),
            inputs: Vec::new(),
        };
        Self {
            claims: Claims::new(&by_anyone, &observed).for_everything(),
            old,
            new,
            observed,
            is_same_kind: old.kind == new.kind,
        }
    }

    fn input(&self, input: &InputId) -> Part {
        let mut part = Part::default();
        let old = self.old.inputs.get(input).map_or(&[][..], Vec::as_slice);
        let new = self.new.inputs.get(input).map_or(&[][..], Vec::as_slice);
        let observed = self.observed.inputs.get(input);
        let observed = observed.map_or(&[][..], Vec::as_slice);
        let Matching {
            pairs,
            missing,
            unclaimed,
        } = match_input(&self.claims, input, &identified(new, observed), observed);
        for pair in pairs {
            part.ambiguous += u64::from(pair.matched.ambiguous);
            let (was, is) = (&old[pair.observed], &new[pair.desired]);
            let seen = &observed[pair.observed];
            let Some((kind, before, after)) = self.change(was, is, seen, pair.matched) else {
                part.unchanged += 1;
                part.equal.push(pair.desired);
                continue;
            };
            let change = Change::Overwrite(Edit {
                observed: Observed::with_content(seen, before),
                after,
                matched: pair.matched,
            });
            part.push(kind, input, seen.id.clone(), change, (Some(was), Some(is)));
        }
        let same = self.left_out_alike(input);
        part.unchanged += same;
        let is_complete = |side: &LabelSet| {
            side.is_complete(input) || same > 0 && !side.incomplete.contains(input)
        };
        let (old_is_complete, new_is_complete) = (is_complete(self.old), is_complete(self.new));
        for at in unclaimed {
            if !new_is_complete {
                part.unknown += 1;
                continue;
            }
            let change = Change::Delete {
                observed: Observed::with_content(&observed[at], old[at].content.clone()),
                reason: DeleteReason::NotDeclared,
            };
            let sides = (Some(&old[at]), None);
            let id = observed[at].id.clone();
            part.push(DiffKind::Removed, input, id, change, sides);
        }
        for at in missing {
            if !old_is_complete {
                part.unknown += 1;
                continue;
            }
            let change = Change::Post {
                after: new[at].content.clone(),
                double: None,
            };
            let sides = (None, Some(&new[at]));
            part.push(DiffKind::Added, input, numbered(at), change, sides);
        }
        part
    }

    /// How many objects of an input both sides leave out in the same way; 0 if they differ in any.
    fn left_out_alike(&self, input: &InputId) -> u64 {
        let [old, new] = [self.old, self.new].map(|side| side.left_out.get(input));
        match (old, new) {
            (Some(old), Some(new)) if self.old.kind == self.new.kind && old == new => {
                old.len() as u64
            }
            _ => 0,
        }
    }

    /// What differs between two paired annotations, with the contents to show; `None` if nothing does.
    fn change(
        &self,
        was: &DesiredAnnotation,
        is: &DesiredAnnotation,
        seen: &ObservedAnnotation,
        matched: Matched,
    ) -> Option<(DiffKind, Content, Content)> {
        let declared = if self.is_same_kind {
            is.content.clone()
        } else {
            common_fields(&is.content, &was.content)
        };
        let mut differences = vec![compare(&declared, seen)];
        if self.is_same_kind {
            // A field that the new side does not give is not managed in a plan, and here it is gone.
            differences.push(compare(&was.content, &observed_of(numbered(0), is)));
        }
        let any = |is: fn(&Difference) -> bool| differences.iter().any(is);
        let is_moved = any(|it| it.geometry || it.frame);
        let is_relabelled = any(|it| !it.added.is_empty() || !it.removed.is_empty());
        let kind = match (is_moved, is_relabelled) {
            _ if matched.by == MatchedBy::Turned => DiffKind::Turned,
            (true, true) => DiffKind::MovedAndRelabelled,
            (true, false) => DiffKind::Moved,
            (false, true) => DiffKind::Relabelled,
            (false, false) if any(|it| !it.is_empty()) => DiffKind::Attributes,
            (false, false) => return None,
        };
        let (before, after) = if self.is_same_kind {
            (was.content.clone(), declared)
        } else {
            sides(&declared, seen)
        };
        Some((kind, before, after))
    }
}

impl Part {
    fn push(
        &mut self,
        kind: DiffKind,
        input: &InputId,
        id: AnnotationId,
        change: Change,
        (was, is): (Option<&DesiredAnnotation>, Option<&DesiredAnnotation>),
    ) {
        let key = |it: &DesiredAnnotation| match &it.identity {
            Identity::Key(key) => Some(key.clone()),
            _ => None,
        };
        let given = |it: &DesiredAnnotation| match &it.identity {
            Identity::Id(id) => Some(id.clone()),
            _ => None,
        };
        let operation = Operation {
            key: is.and_then(key).or_else(|| was.and_then(key)),
            ..Operation::new(input.clone(), id, change)
        };
        let id = was.and_then(given).or_else(|| is.and_then(given));
        self.changes.push((kind, operation, id));
    }
}

/// The difference, with the same region for equal descriptions of one.
fn compare(declared: &Content, observed: &ObservedAnnotation) -> Difference {
    match &declared.geometry {
        Some(geometry @ Geometry::RegionOf(_)) => {
            let geometry = Some(comparable(geometry));
            let declared = Content {
                geometry,
                ..declared.clone()
            };
            difference(&declared, observed)
        }
        _ => difference(declared, observed),
    }
}

/// The fields that the other side gives, too. Of free JSON, the keys.
fn common_fields(content: &Content, other: &Content) -> Content {
    let json = |ours: &Option<Json>, theirs: &Option<Json>| {
        let (ours, theirs) = (ours.as_ref()?.to_value(), theirs.as_ref()?.to_value());
        Some(Json::from_value(&select_keys(&theirs, &ours)))
    };
    Content {
        status: content.status.filter(|_| other.status.is_some()),
        user: content.user.clone().filter(|_| other.user.is_some()),
        metadata: json(&content.metadata, &other.metadata),
        info: json(&content.info, &other.info),
        extras: content.extras_named_by(other),
        ..content.clone()
    }
}

/// The new side in the place of the manifest. An id or an input-level annotation that the old side does not have is
/// matched by content.
fn identified(
    new: &[DesiredAnnotation],
    observed: &[ObservedAnnotation],
) -> Vec<DesiredAnnotation> {
    let ids: HashSet<&AnnotationId> = observed.iter().map(|it| &it.id).collect();
    let has_input_level = observed.iter().any(|it| it.maker == Maker::Input);
    let annotation = |it: &DesiredAnnotation| DesiredAnnotation {
        identity: match &it.identity {
            Identity::Id(id) if !ids.contains(id) => Identity::Content,
            Identity::InputLevel if !has_input_level => Identity::Content,
            identity => identity.clone(),
        },
        content: Content {
            geometry: it.content.geometry.as_ref().map(comparable),
            ..it.content.clone()
        },
        origin: Origin::default(),
    };
    new.iter().map(annotation).collect()
}

/// An annotation of the old side, in the place of one of the app.
fn as_observed(
    set: &SetName,
    input: &InputId,
    at: usize,
    annotation: &DesiredAnnotation,
) -> ObservedAnnotation {
    let id = match &annotation.identity {
        Identity::Id(id) => id.clone(),
        Identity::Key(key) => key_id(set, input, key),
        Identity::InputLevel | Identity::Content => numbered(at),
    };
    observed_of(id, annotation)
}

fn observed_of(id: AnnotationId, annotation: &DesiredAnnotation) -> ObservedAnnotation {
    let content = &annotation.content;
    let geometry = content.geometry.as_ref().unwrap_or(&Geometry::Whole);
    let metadata = content.metadata.as_ref().map(Json::to_value);
    ObservedAnnotation {
        id,
        geometry: comparable(geometry),
        frame: content.frame,
        concepts: content.concepts.clone().unwrap_or_default(),
        status: content.status.unwrap_or(Status::SUCCESS),
        user: content.user.clone(),
        maker: match annotation.identity {
            Identity::InputLevel => Maker::Input,
            _ => Maker::User,
        },
        created_at: None,
        data: metadata.map(|it| Json::from_value(&serde_json::json!({ "metadata": it }))),
        info: content.info.clone(),
        extras: ObservedExtras {
            managed: content.extras.as_deref().cloned().unwrap_or_default(),
            ..ObservedExtras::default()
        }
        .boxed(),
    }
}

/// The geometry, with a described region as one with an id that is made from the description: such regions have no place
/// before a plan finds them.
fn comparable(geometry: &Geometry) -> Geometry {
    let Geometry::RegionOf(described) = geometry else {
        return geometry.clone();
    };
    let text = serde_json::to_string(described).expect("names and finite numbers can be written");
    let id = hex(&Sha256::digest(text.as_bytes()));
    Geometry::Region(RegionId::new(id).expect("hex digits are a valid id"))
}

/// The name of an annotation without an id.
fn numbered(at: usize) -> AnnotationId {
    AnnotationId::new(format!("number-{}", at + 1)).expect("plain characters are a valid id")
}

#[cfg(test)]
mod tests;

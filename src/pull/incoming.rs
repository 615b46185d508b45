//! Inputs that another tool's file declares, written over a manifest that is there.
//!
//! The file says where annotations lie and what they are; everything else that the manifest says of them (keys, ids,
//! metadata, users, comments) stays. Which annotation of the file is which of the manifest is found as a plan finds
//! it: by place and concepts. What the file's format cannot say at all, such as spans or frames, is left alone, and so
//! are inputs that the file does not name.

use super::error::PullError;
use super::input::{Entry, PulledInput};
use super::over::{Over, write_over};
use super::report::{Account, Pulled};
use super::writable::Png;
use crate::manifest::Image;
use crate::matching::{Claims, match_input};
use crate::model::{
    AnnotationId, Concepts, Content, DesiredAnnotation, DesiredInput, DesiredState, Geometry,
    Identity, Json, Kind, Maker, ObservedAnnotation, ObservedState, Origin, Owner, Scope, Status,
    Undeclared, UserId, difference,
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The key of `metadata` that says which annotations are one object.
const PART_OF: &str = "part_of";

/// An input of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// It with all its annotations, each found by what it is.
    pub input: DesiredInput,
    /// Its image; written for an input that is new to the manifest. Of another, its size replaces what the manifest
    /// states.
    pub image: Option<Image>,
}

/// What writing them over comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Inputs that the manifest did not declare.
    pub new_inputs: u64,
    /// Inputs of which something changed.
    pub changed_inputs: u64,
    /// Inputs that stay as they are.
    pub same_inputs: u64,
    /// Annotations that the manifest did not declare.
    pub added: u64,
    /// Annotations that changed.
    pub changed: u64,
    /// Annotations that the file does not have any more.
    pub dropped: u64,
    /// Annotations that the file's format cannot say, which stay.
    pub kept: u64,
}

/// The files that change so that the manifest declares these inputs. `kinds` are the kinds of places that the file's
/// format can say.
///
/// # Errors
///
/// Where the inputs do not fit the header, and where a file cannot be changed.
pub fn merge(
    over: &Over<'_>,
    incoming: &[Incoming],
    kinds: &[Kind],
) -> Result<(Pulled, Merged), PullError> {
    let desired = &over.manifest.desired;
    let claims = claims(desired);
    let mut merged = Merged::default();
    let mut inputs = Vec::with_capacity(incoming.len());
    for each in incoming {
        let id = &each.input.id;
        let declared = desired.inputs.binary_search_by(|it| it.id.cmp(id)).ok();
        let was = declared.map(|at| &desired.inputs[at]);
        let known = over.manifest.images.get(id);
        let image = match was {
            None => each.image.clone(),
            Some(_) => resized(known, each.image.as_ref()),
        };
        let entries = entries(&claims, each, was, kinds, image.is_some(), &mut merged);
        inputs.push(PulledInput {
            id: id.clone(),
            declared,
            undeclared: Undeclared::Managed,
            entries,
            dropped: Vec::new(),
            left_out: BTreeSet::new(),
            losses: Vec::new(),
            account: Account::default(),
            image,
            is_declared_empty: true,
        });
    }
    Ok((write_over(over, &inputs)?, merged))
}

/// The image as the manifest has it, with the size that the file says, where the manifest states another. What the
/// manifest leaves open stays open.
fn resized(known: Option<&Image>, new: Option<&Image>) -> Option<Image> {
    let (known, new) = (known?, new?);
    let size = |known: Option<u32>, new: Option<u32>| known.and(new).or(known);
    let resized = Image {
        width: size(known.width, new.width),
        height: size(known.height, new.height),
        ..known.clone()
    };
    (resized != *known).then_some(resized)
}

/// Claims under which everything may be what anything is: a file has no users.
fn claims(desired: &DesiredState) -> Claims {
    let anybody = DesiredState {
        set: desired.set.clone(),
        policy: desired.policy,
        owners: BTreeSet::from([Owner::Any]),
        guards: desired.guards,
        renamed: desired.renamed.clone(),
        adopts: desired.adopts.clone(),
        inputs: Vec::new(),
    };
    let nobody = UserId::new("import").expect("a plain word is a user id");
    let observed = ObservedState {
        caller: nobody.clone(),
        app_owner: nobody,
        scope: Scope::WholeApp,
        unreadable: Vec::new(),
        inputs: BTreeMap::new(),
    };
    Claims::new(&anybody, &observed)
}

/// The annotations of an input as they are to be: the declared ones in their order, then the new ones.
fn entries(
    claims: &Claims,
    each: &Incoming,
    was: Option<&DesiredInput>,
    kinds: &[Kind],
    has_new_image: bool,
    merged: &mut Merged,
) -> Vec<Entry> {
    let declared = was.map_or(&[][..], |was| &was.annotations);
    let incoming = &each.input.annotations;
    let can_say = |annotation: &DesiredAnnotation| {
        let content = &annotation.content;
        let is_placed = (content.geometry.as_ref()).is_some_and(|it| kinds.contains(&it.kind()));
        is_placed && content.frame.is_none() && content.track().is_none()
    };
    let said: Vec<usize> = (0..declared.len())
        .filter(|at| can_say(&declared[*at]))
        .collect();
    let seeking: Vec<DesiredAnnotation> = said
        .iter()
        .map(|at| DesiredAnnotation {
            identity: Identity::Content,
            content: declared[*at].content.clone(),
            origin: Origin::default(),
        })
        .collect();
    let observed: Vec<ObservedAnnotation> = incoming
        .iter()
        .enumerate()
        .map(|(at, annotation)| as_observed(at, &annotation.content))
        .collect();
    let matching = match_input(claims, &each.input.id, &seeking, &observed);
    let mut found: BTreeMap<usize, usize> = BTreeMap::new();
    for pair in &matching.pairs {
        found.insert(said[pair.desired], pair.observed);
    }
    let names = kept_names(declared, incoming, &found);

    let mut entries = Vec::with_capacity(incoming.len());
    let before = (merged.added, merged.changed, merged.dropped);
    for (at, annotation) in declared.iter().enumerate() {
        let mut entry = Entry {
            declared: Some(at),
            observed: found.get(&at).copied(),
            identity: annotation.identity.clone(),
            content: annotation.content.clone(),
            png: None,
        };
        match found.get(&at) {
            Some(&other) => {
                let new = renamed(&incoming[other].content, &names);
                update(&mut entry, &new, &observed[other]);
                merged.changed += u64::from(entry.content != annotation.content);
            }
            None if can_say(annotation) => {
                merged.dropped += 1;
                continue;
            }
            None => merged.kept += 1,
        }
        entries.push(entry);
    }
    for &other in &matching.unclaimed {
        let content = renamed(&incoming[other].content, &names);
        merged.added += 1;
        entries.push(Entry {
            declared: None,
            observed: Some(other),
            identity: Identity::Content,
            png: png_of(&content),
            content,
        });
    }
    match was {
        None => merged.new_inputs += 1,
        Some(was)
            if before == (merged.added, merged.changed, merged.dropped)
                && was.undeclared == Undeclared::Managed
                && !has_new_image =>
        {
            merged.same_inputs += 1;
        }
        Some(_) => merged.changed_inputs += 1,
    }
    entries
}

/// An annotation of the file in the words that matching compares.
fn as_observed(at: usize, content: &Content) -> ObservedAnnotation {
    ObservedAnnotation {
        id: AnnotationId::new(format!("import-{at:08}")).expect("plain characters are an id"),
        geometry: content.geometry.clone().unwrap_or(Geometry::Whole),
        frame: None,
        concepts: content.concepts.clone().unwrap_or_default(),
        status: Status::SUCCESS,
        user: None,
        maker: Maker::User,
        created_at: None,
        data: None,
        info: None,
        extras: None,
    }
}

/// Takes over what the file says: the place, the concepts, and keys of metadata.
fn update(entry: &mut Entry, new: &Content, observed: &ObservedAnnotation) {
    if difference(&entry.content, observed).geometry {
        entry.content.geometry.clone_from(&new.geometry);
        entry.png = png_of(new);
    }
    if let Some(concepts) = &new.concepts
        && !entry
            .content
            .concepts
            .as_ref()
            .is_some_and(|it| says(it, concepts))
    {
        entry.content.concepts = Some(concepts.clone());
    }
    let Value::Object(given) = object(new.metadata.as_ref()) else {
        return;
    };
    let Value::Object(mut metadata) = object(entry.content.metadata.as_ref()) else {
        return;
    };
    let before = metadata.clone();
    metadata.extend(given);
    if metadata != before {
        entry.content.metadata = Some(Json::from_value(&Value::Object(metadata)));
    }
}

/// Whether declared concepts say already what the file says: it says which ones are present, the manifest may say more.
fn says(declared: &Concepts, new: &Concepts) -> bool {
    new.iter().all(|new| {
        declared.iter().any(|concept| {
            let is_present = concept.value > 0.0 && new.value.to_bits() == 1.0_f32.to_bits();
            concept.id == new.id && (is_present || concept.value.to_bits() == new.value.to_bits())
        })
    })
}

fn object(json: Option<&Json>) -> Value {
    json.map_or_else(|| Value::Object(Map::new()), Json::to_value)
}

fn part_of(content: &Content) -> Option<String> {
    let metadata = content.metadata.as_ref()?.to_value();
    Some(metadata.get(PART_OF)?.as_str()?.to_owned())
}

/// The names under which the manifest knows objects of several pieces, by the names that the file's would have: an
/// object whose pieces moved keeps its name.
fn kept_names(
    declared: &[DesiredAnnotation],
    incoming: &[DesiredAnnotation],
    found: &BTreeMap<usize, usize>,
) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (at, other) in found {
        if let (Some(known), Some(new)) = (
            part_of(&declared[*at].content),
            part_of(&incoming[*other].content),
        ) {
            names.entry(new).or_insert(known);
        }
    }
    names
}

fn renamed(content: &Content, names: &BTreeMap<String, String>) -> Content {
    let mut content = content.clone();
    if let Some(known) = part_of(&content).and_then(|name| names.get(&name)) {
        let mut metadata = object(content.metadata.as_ref());
        metadata[PART_OF] = known.as_str().into();
        content.metadata = Some(Json::from_value(&metadata));
    }
    content
}

fn png_of(content: &Content) -> Option<Png> {
    match &content.geometry {
        Some(Geometry::Mask(mask)) => Png::of_mask(mask),
        _ => None,
    }
}

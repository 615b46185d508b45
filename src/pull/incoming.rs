//! Merges the inputs of another tool's file into an existing manifest.
//!
//! The file gives places and concepts; keys, ids, metadata, users and comments of the manifest stay. Annotations are matched
//! by place and concepts, as in a plan. Annotations that the file's format cannot express, such as spans or frames, and
//! inputs that the file does not name are left alone.

use super::error::PullError;
use super::input::{Entry, PulledInput};
use super::mask_file::MaskFile;
use super::over::{ExistingManifest, write_over};
use super::report::{Account, Pulled};
use crate::manifest::{Image, InputText, InputVideo};
use crate::matching::{Claims, match_input};
use crate::model::{
    AnnotationId, Concepts, Content, DesiredAnnotation, DesiredInput, DesiredState, Geometry,
    Identity, Json, Kind, ObservedAnnotation, ObservedExtras, ObservedState, Origin, Owner, Scope,
    Undeclared, UserId, difference,
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The key of `metadata` that links the annotations of one object.
const PART_OF: &str = "part_of";

/// An input of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The input with all its annotations, without keys and ids.
    pub input: DesiredInput,
    /// Its image. For an input that the manifest declares already, only the size is used, to correct the manifest's.
    pub image: Option<Image>,
    /// Its video or its text, if it is one. Ignored for an input that the manifest declares already.
    pub video: Option<InputVideo>,
    pub text: Option<InputText>,
}

/// What the file's format can express. Annotations of other kinds are left alone.
#[derive(Debug, Clone, Copy)]
pub struct Expressible {
    pub kinds: &'static [Kind],
    /// Whether it has frames and tracks.
    pub frames: bool,
}

impl Expressible {
    fn includes(self, annotation: &DesiredAnnotation) -> bool {
        let content = &annotation.content;
        let kind = match (&content.geometry, &annotation.identity) {
            (Some(geometry), _) => geometry.kind(),
            (None, Identity::Content | Identity::Key(_)) => Kind::Whole,
            // Its place is not declared.
            (None, Identity::Id(_) | Identity::InputLevel) => return false,
        };
        let is_timed = content.frame.is_some() || content.track().is_some();
        self.kinds.contains(&kind) && (self.frames || !is_timed)
    }
}

/// The counts of a merge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Inputs that were not declared.
    pub new_inputs: u64,
    /// Declared inputs that changed.
    pub changed_inputs: u64,
    /// Declared inputs without changes.
    pub same_inputs: u64,
    /// Annotations that were not declared.
    pub added: u64,
    /// Declared annotations that changed.
    pub changed: u64,
    /// Declared annotations that the file no longer has.
    pub dropped: u64,
    /// Declared annotations that the file's format cannot express.
    pub kept: u64,
}

/// The files to write so that the manifest declares these inputs. Annotations that the format cannot express are kept.
///
/// # Errors
///
/// If an input is purged, if the inputs do not fit the header, or if a file cannot be changed.
pub fn merge(
    over: &ExistingManifest<'_>,
    incoming: &[Incoming],
    expressible: Expressible,
) -> Result<(Pulled, Merged), PullError> {
    let desired = &over.manifest.desired;
    let claims = claims(desired);
    let mut merged = Merged::default();
    let mut inputs = Vec::with_capacity(incoming.len());
    for each in incoming {
        let each = &with_renames(&claims, each);
        let id = &each.input.id;
        let declared = desired.position(id);
        let was = declared.map(|at| &desired.inputs[at]);
        if was.is_some_and(|was| was.undeclared == Undeclared::Purged) {
            return Err(PullError::Purged { input: id.clone() });
        }
        let known = over.manifest.images.get(id);
        let image = match was {
            None => each.image.clone(),
            Some(_) => resized(known, each.image.as_ref()),
        };
        let entries = entries(
            &claims,
            each,
            was,
            expressible,
            image.is_some(),
            &mut merged,
        );
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
            video: was.is_none().then(|| each.video.clone()).flatten(),
            text: was.is_none().then(|| each.text.clone()).flatten(),
            is_declared_empty: true,
        });
    }
    Ok((write_over(over, &inputs)?, merged))
}

/// The input with the concepts that `renamed` of the header gives.
fn with_renames(claims: &Claims, each: &Incoming) -> Incoming {
    let mut each = each.clone();
    for annotation in &mut each.input.annotations {
        if let Some(concepts) = &mut annotation.content.concepts {
            *concepts = claims.apply_renames(concepts).into_owned();
        }
    }
    each
}

/// The manifest's image with the size of the file, if these differ. A size that the manifest does not declare stays
/// undeclared.
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

/// Claims that allow every match: a file has no users.
fn claims(desired: &DesiredState) -> Claims {
    let desired_by_anyone = DesiredState {
        set: desired.set.clone(),
        policy: desired.policy,
        owners: BTreeSet::from([Owner::Any]),
        guards: desired.guards,
        renamed: desired.renamed.clone(),
        adopts: desired.adopts.clone(),
        inputs: Vec::new(),
    };
    let user = UserId::new("import").expect("a plain word is a user id");
    let observed = ObservedState {
        caller: user.clone(),
        app_owner: user,
        scope: Scope::WholeApp,
        unreadable: Vec::new(),
        inputs: BTreeMap::new(),
    };
    Claims::new(&desired_by_anyone, &observed)
}

/// The entries of an input: declared annotations in their order, then new ones.
fn entries(
    claims: &Claims,
    each: &Incoming,
    was: Option<&DesiredInput>,
    expressible: Expressible,
    has_new_image: bool,
    merged: &mut Merged,
) -> Vec<Entry> {
    let declared = was.map_or(&[][..], |was| &was.annotations);
    let incoming = &each.input.annotations;
    let matched: Vec<usize> = (0..declared.len())
        .filter(|at| expressible.includes(&declared[*at]))
        .collect();
    let wanted: Vec<DesiredAnnotation> = matched
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
    let matching = match_input(claims, &each.input.id, &wanted, &observed);
    let mut found: BTreeMap<usize, usize> = BTreeMap::new();
    for pair in &matching.pairs {
        found.insert(matched[pair.desired], pair.observed);
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
            mask: None,
        };
        match found.get(&at) {
            Some(&other) => {
                let new = renamed(&incoming[other].content, &names);
                update(&mut entry, &new, &observed[other]);
                merged.changed += u64::from(entry.content != annotation.content);
            }
            None if expressible.includes(annotation) => {
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
        // A key names one annotation of an input; the one that the manifest has keeps it.
        let identity = match &incoming[other].identity {
            key @ Identity::Key(_) if entries.iter().all(|entry| entry.identity != *key) => {
                key.clone()
            }
            _ => Identity::Content,
        };
        entries.push(Entry {
            declared: None,
            observed: Some(other),
            identity,
            mask: mask_file(&content),
            content,
        });
    }
    match was {
        None => merged.new_inputs += 1,
        Some(_) if before == (merged.added, merged.changed, merged.dropped) && !has_new_image => {
            merged.same_inputs += 1;
        }
        Some(_) => merged.changed_inputs += 1,
    }
    entries
}

/// An annotation of the file, in the form that matching compares.
fn as_observed(at: usize, content: &Content) -> ObservedAnnotation {
    ObservedAnnotation {
        id: AnnotationId::new(format!("import-{at:08}")).expect("plain characters are an id"),
        geometry: content.geometry.clone().unwrap_or(Geometry::Whole),
        frame: content.frame,
        concepts: content.concepts.clone().unwrap_or_default(),
        created_at: None,
        data: None,
        provenance: Arc::default(),
        extras: ObservedExtras {
            managed: content.extras.clone(),
            ..ObservedExtras::default()
        }
        .boxed(),
    }
}

/// Takes over place, concepts and keys of metadata from the file.
fn update(entry: &mut Entry, new: &Content, observed: &ObservedAnnotation) {
    if difference(&entry.content, observed).geometry {
        entry.content.geometry.clone_from(&new.geometry);
        entry.mask = mask_file(new);
    }
    if let Some(concepts) = &new.concepts
        && !entry
            .content
            .concepts
            .as_ref()
            .is_some_and(|it| includes(it, concepts))
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
        let metadata = Json::from_value(&Value::Object(metadata));
        let rare = &mut entry.content.rare;
        rare.change(|rare| rare.metadata = Some(metadata));
    }
}

/// Whether the declared concepts include those of the file. A file has present concepts only; a manifest may have more, and
/// other values.
fn includes(declared: &Concepts, new: &Concepts) -> bool {
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

/// The manifest's names of objects with several parts, by their names in the file: an object keeps its name if its parts
/// moved.
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
        let metadata = Json::from_value(&metadata);
        content.rare.change(|rare| rare.metadata = Some(metadata));
    }
    content
}

fn mask_file(content: &Content) -> Option<MaskFile> {
    match &content.geometry {
        Some(Geometry::Mask(mask)) => MaskFile::of_mask(mask),
        _ => None,
    }
}

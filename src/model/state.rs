//! The two sides of a plan: the desired state that a manifest declares, and the observed state of the app.

use super::annotation::{Content, Extras, Frame, RareFields};
use super::concepts::Concepts;
use super::geometry::Geometry;
use super::ids::{AnnotationId, ConceptId, InputId, Key, RegionId, SetName, UserId};
use super::json::Json;
use super::packed_json::PackedJson;
use super::settings::{Guards, Owner, Policy};
use super::shapes::Fraction;
use super::shard::Shard;
use super::status::Status;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// The place of a declaration in the manifest. `manifest` turns it into a line and a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Index into the manifest's files.
    pub file: u32,
    /// Index of the input in that file.
    pub input: u32,
    /// Index of the annotation in that input, or [`Origin::INPUT_ITSELF`].
    pub annotation: u32,
}

impl Origin {
    /// The value of `annotation` for the declaration of the input itself.
    pub const INPUT_ITSELF: u32 = u32::MAX;
}

/// How a declared annotation identifies the remote annotation that it declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The id of the remote annotation.
    Id(AnnotationId),
    /// A stable name from which the id is derived.
    Key(Key),
    /// The annotation that the app created with the input.
    InputLevel,
    /// Only its content.
    Content,
}

/// One annotation as the manifest declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredAnnotation {
    pub identity: Identity,
    pub content: Content,
    pub origin: Origin,
}

impl DesiredAnnotation {
    /// The declared geometry; the whole input if none is declared.
    pub fn geometry(&self) -> &Geometry {
        self.content.geometry.as_ref().unwrap_or(&Geometry::Whole)
    }
}

/// One input as the manifest declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredInput {
    pub id: InputId,
    /// In declared order.
    pub annotations: Vec<DesiredAnnotation>,
    pub undeclared: Undeclared,
    pub origin: Origin,
}

/// The treatment of annotations on a declared input that the manifest does not declare.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Undeclared {
    /// Those in scope are deleted under `policy: sync`.
    #[default]
    Managed,
    /// All are deleted, whoever created them, except the input-level annotation (`purge: true`). Such an input
    /// declares no annotations.
    Purged,
}

/// The state of an app that a manifest declares.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredState {
    pub set: SetName,
    pub policy: Policy,
    /// Users: their undeclared annotations are in scope.
    pub owners: BTreeSet<Owner>,
    pub guards: Guards,
    /// Old concept id to new one.
    pub renamed: BTreeMap<ConceptId, ConceptId>,
    /// Earlier names of the set. Their annotations belong to this set.
    pub adopts: BTreeSet<SetName>,
    /// Sorted by id, without duplicates.
    pub inputs: Vec<DesiredInput>,
}

impl DesiredState {
    /// Sorts the inputs by id, the order that plans expect.
    pub fn sort(&mut self) {
        self.inputs.sort_by(|a, b| a.id.cmp(&b.id));
    }

    /// The index of a declared input.
    pub fn position(&self, id: &InputId) -> Option<usize> {
        self.inputs.binary_search_by(|it| it.id.cmp(id)).ok()
    }

    /// A declared input.
    pub fn input(&self, id: &InputId) -> Option<&DesiredInput> {
        Some(&self.inputs[self.position(id)?])
    }
}

/// The kind of creator of an observed annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// A person, or a program with a person's token.
    User,
    /// A model. The service lets no one edit these.
    Model,
    /// The app, which creates the input-level annotation with the input. It can be patched but not deleted.
    Input,
}

/// One annotation of the app. The fields of [`Provenance`] are read as if they were its own.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedAnnotation {
    pub id: AnnotationId,
    pub geometry: Geometry,
    pub frame: Option<Frame>,
    /// The concepts of the region; without a region, of the frame or segment; otherwise those at the top of `data`.
    pub concepts: Concepts,
    /// RFC 3339, as the service wrote it.
    pub created_at: Option<Arc<str>>,
    /// The complete stored `data`: an overwrite must include the fields that annosync does not model.
    pub data: Option<PackedJson>,
    /// Most annotations of an app share a few of these, which saves memory.
    pub provenance: Arc<Provenance>,
    pub extras: Option<Box<ObservedExtras>>,
}

/// The creator of an annotation, and what it says of its work.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    pub status: Status,
    /// The user that the annotation belongs to; `None` if the service reports none.
    pub user: Option<UserId>,
    pub maker: Maker,
    /// The stored `annotation_info`.
    pub info: Option<Json>,
}

impl Default for Provenance {
    /// Of an annotation of a person, of whom nothing else is known.
    fn default() -> Self {
        Self {
            status: Status::SUCCESS,
            user: None,
            maker: Maker::User,
            info: None,
        }
    }
}

impl Deref for ObservedAnnotation {
    type Target = Provenance;
    fn deref(&self) -> &Provenance {
        &self.provenance
    }
}

impl DerefMut for ObservedAnnotation {
    fn deref_mut(&mut self) -> &mut Provenance {
        Arc::make_mut(&mut self.provenance)
    }
}

/// Rarely used fields, boxed so that [`ObservedAnnotation`] stays small.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ObservedExtras {
    /// Fields that a manifest can declare.
    pub managed: Extras,
    /// The version of the model that created the annotation.
    pub model_version: Option<Box<str>>,
    /// RFC 3339, as the service wrote it; `None` if equal to `created_at`.
    pub modified_at: Option<Box<str>>,
    /// The id of the labelling task.
    pub task: Option<Box<str>>,
    /// Whether the annotation has `consensus_info`, which no call can write.
    pub has_consensus: bool,
}

impl ObservedExtras {
    /// `None` if no field is set.
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

impl ObservedAnnotation {
    pub fn managed_extras(&self) -> Option<&Extras> {
        self.extras.as_deref().map(|extras| &extras.managed)
    }

    pub fn track(&self) -> Option<&str> {
        self.managed_extras()?.track.as_deref()
    }

    pub fn text(&self) -> Option<&str> {
        self.managed_extras()?.text.as_deref()
    }

    /// See [`Extras::region_value`]; 0 if absent, because the service omits zeros.
    pub fn region_value(&self) -> f32 {
        self.managed_extras()
            .and_then(|extras| extras.region_value)
            .map_or(0.0, Fraction::get)
    }

    pub fn embed_model_version(&self) -> Option<&str> {
        self.managed_extras()?.embed_model_version.as_deref()
    }

    pub fn model_version(&self) -> Option<&str> {
        self.extras.as_deref()?.model_version.as_deref()
    }

    pub fn task(&self) -> Option<&str> {
        self.extras.as_deref()?.task.as_deref()
    }

    /// See [`ObservedExtras::has_consensus`].
    pub fn has_consensus(&self) -> bool {
        self.extras
            .as_deref()
            .is_some_and(|extras| extras.has_consensus)
    }

    /// RFC 3339, as the service wrote it; the time of creation if it was never modified.
    pub fn modified_at(&self) -> Option<&str> {
        let later = self
            .extras
            .as_deref()
            .and_then(|extras| extras.modified_at.as_deref());
        later.or(self.created_at.as_deref())
    }

    /// The parsed `data.metadata`.
    pub fn metadata(&self) -> Option<serde_json::Value> {
        #[derive(serde::Deserialize)]
        struct Data {
            metadata: Option<serde_json::Value>,
        }
        serde_json::from_str::<Data>(&self.data.as_ref()?.text())
            .ok()?
            .metadata
    }

    /// The id of its region. It is parsed out of `data` on demand, because few callers need it.
    pub fn region(&self) -> Option<RegionId> {
        if let Geometry::Region(id) = &self.geometry {
            return Some(id.clone());
        }
        RegionId::new(self.first_region()?.id?).ok()
    }

    /// The PNG file of its mask, if the annotation includes it.
    pub fn mask_png(&self) -> Option<Vec<u8>> {
        match (&self.data, &self.geometry) {
            (Some(data), _) => mask_png(&data.text()),
            // Not stored yet: the mask was read from a local file.
            (None, Geometry::Mask(mask)) => mask.png().map(|png| png.to_vec()),
            (None, _) => None,
        }
    }

    fn first_region(&self) -> Option<StoredRegion> {
        first_region(&self.data.as_ref()?.text())
    }

    /// All managed fields, in the manifest's notation.
    pub fn content(&self) -> Content {
        Content {
            frame: self.frame,
            geometry: match &self.geometry {
                Geometry::Whole | Geometry::Unmodelled => None,
                geometry => Some(geometry.clone()),
            },
            concepts: Some(self.concepts.clone()),
            rare: RareFields {
                status: Some(self.status),
                user: self.user.clone(),
                metadata: self.metadata().as_ref().map(Json::from_value),
                info: self.info.clone(),
                extras: self.managed_extras().cloned().unwrap_or_default(),
            }
            .into(),
        }
    }
}

/// The PNG file of the mask in an annotation's `data`, if it is included.
pub fn mask_png(data: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let image = first_region(data)?.region_info?.mask?.image?;
    let text: String = image.base64?.split_ascii_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

fn first_region(data: &str) -> Option<StoredRegion> {
    let mut data: StoredData = serde_json::from_str(data).ok()?;
    if let Some(frame) = data
        .frames
        .take()
        .and_then(|frames| frames.into_iter().next())
    {
        data = frame.data?;
    }
    data.regions?.into_iter().next()
}

/// The parts of the stored `data` that are parsed again.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct StoredData {
    regions: Option<Vec<StoredRegion>>,
    frames: Option<Vec<StoredFrame>>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct StoredFrame {
    data: Option<StoredData>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct StoredRegion {
    id: Option<String>,
    region_info: Option<StoredPlace>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct StoredPlace {
    mask: Option<StoredMask>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct StoredMask {
    image: Option<StoredImage>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct StoredImage {
    base64: Option<String>,
}

/// A listed annotation that cannot be parsed, or cannot be kept without loss. It is never written to. It could be any
/// annotation, including one that the manifest declares.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("annotation `{}` of input `{}` cannot be read: {why}", id.escape_debug(), input.escape_debug())]
pub struct Unreadable {
    /// As the service wrote it.
    pub input: Box<str>,
    /// As the service wrote it.
    pub id: Box<str>,
    pub maker: Maker,
    /// `None` if the service reports no user, or an invalid user id.
    pub user: Option<UserId>,
    /// A sentence fragment that follows "cannot be read: ".
    pub why: Box<str>,
}

/// The part of the app that a listing covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    WholeApp,
    /// Only these inputs; the others are unknown.
    Inputs(BTreeSet<InputId>),
    /// Only the inputs of this shard; the others are unknown.
    Shard(Shard),
}

impl Scope {
    pub fn covers(&self, input: &InputId) -> bool {
        match self {
            Self::WholeApp => true,
            Self::Inputs(listed) => listed.contains(input),
            Self::Shard(shard) => shard.covers(input),
        }
    }

    /// The part of it that belongs to a shard.
    #[must_use]
    pub fn within(self, shard: Shard) -> Self {
        match self {
            Self::WholeApp | Self::Shard(_) => Self::Shard(shard),
            Self::Inputs(mut listed) => {
                listed.retain(|input| shard.covers(input));
                Self::Inputs(listed)
            }
        }
    }
}

/// The annotations of an app, from a listing that was proved complete.
///
/// Outside of tests it is built from complete listings only, so a missed annotation cannot look like a deleted one.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedState {
    /// The user who made the listing.
    pub caller: UserId,
    pub app_owner: UserId,
    pub scope: Scope,
    /// The annotations of each input, sorted by (`created_at`, id), whatever the order of the pages.
    pub inputs: BTreeMap<InputId, Vec<ObservedAnnotation>>,
    /// Sorted by input and id.
    pub unreadable: Vec<Unreadable>,
}

impl ObservedState {
    /// Sorts all annotations into their canonical order.
    pub fn sort(&mut self) {
        self.unreadable
            .sort_by(|a, b| (&a.input, &a.id).cmp(&(&b.input, &b.id)));
        self.inputs.par_iter_mut().for_each(|(_, annotations)| {
            annotations.sort_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
        });
    }

    /// The unreadable annotations of one input.
    pub fn unreadable_on(&self, input: &InputId) -> &[Unreadable] {
        let start = self
            .unreadable
            .partition_point(|it| *it.input < *input.as_str());
        let length = self.unreadable[start..].partition_point(|it| *it.input == *input.as_str());
        &self.unreadable[start..start + length]
    }

    /// The number of readable annotations.
    pub fn len(&self) -> usize {
        self.inputs.values().map(Vec::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.inputs.values().all(Vec::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_stay_small() {
        // A million annotations on each side must fit into memory.
        assert!(size_of::<ObservedAnnotation>() <= 120);
        assert!(size_of::<Content>() <= 56);
        assert!(size_of::<DesiredAnnotation>() <= 96);
    }
}

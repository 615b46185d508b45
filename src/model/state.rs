//! The two sides of a plan: what the manifest wants, and what the app holds.

use super::annotation::{Content, Extras, Frame};
use super::concepts::Concepts;
use super::geometry::Geometry;
use super::ids::{AnnotationId, ConceptId, InputId, Key, RegionId, SetName, UserId};
use super::json::Json;
use super::settings::{Guards, Owner, Policy};
use super::shapes::Fraction;
use super::status::Status;
use std::collections::{BTreeMap, BTreeSet};

/// Where in the manifest something was declared: which file, which of its inputs, which annotation. The manifest
/// turns it into a line and a column when there is something to say about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Index into the manifest's files.
    pub file: u32,
    /// Index of the input in that file.
    pub input: u32,
    /// Index of the annotation in that input; [`Origin::INPUT_ITSELF`] for the input itself.
    pub annotation: u32,
}

impl Origin {
    /// What stands for an annotation's index where the input itself is meant.
    pub const INPUT_ITSELF: u32 = u32::MAX;
}

/// How a declared annotation says which remote one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// By the remote id.
    Id(AnnotationId),
    /// By a stable name, from which the id is made.
    Key(Key),
    /// As the annotation that the app made with the input.
    InputLevel,
    /// By what it is.
    Content,
}

/// One annotation as the manifest declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredAnnotation {
    /// Which remote annotation this is.
    pub identity: Identity,
    /// What it must be.
    pub content: Content,
    /// Where it was declared.
    pub origin: Origin,
}

/// One input as the manifest declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredInput {
    /// Which input.
    pub id: InputId,
    /// Its annotations, in declared order.
    pub annotations: Vec<DesiredAnnotation>,
    /// What happens to everything else on it.
    pub rest: Rest,
    /// Where it was declared.
    pub origin: Origin,
}

/// What happens to annotations of a declared input that the manifest does not declare.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rest {
    /// Those in scope go, under `sync`.
    #[default]
    Managed,
    /// Everything goes, whoever made it, but for the input-level annotation (`purge: true`). Such an input declares
    /// no annotation.
    Purged,
}

/// What a manifest wants of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredState {
    /// The label set's name.
    pub set: SetName,
    /// What a plan may do.
    pub policy: Policy,
    /// Whose undeclared annotations are in scope.
    pub owners: BTreeSet<Owner>,
    /// The limits that stop a plan.
    pub guards: Guards,
    /// Old concept id to new one.
    pub renamed: BTreeMap<ConceptId, ConceptId>,
    /// Sets whose annotations are this set's: its earlier names.
    pub adopts: BTreeSet<SetName>,
    /// The inputs, sorted by id, each at most once.
    pub inputs: Vec<DesiredInput>,
}

impl DesiredState {
    /// Sorts the inputs by id: plans and listings meet in that order.
    pub fn sort(&mut self) {
        self.inputs.sort_by(|a, b| a.id.cmp(&b.id));
    }
}

/// Who made an observed annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// A person, or a program with a person's token.
    User,
    /// A model. Nobody edits these.
    Model,
    /// The app, together with the input: the input-level annotation. It can be patched, and never deleted.
    Input,
}

/// One annotation as the app holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedAnnotation {
    /// Its id.
    pub id: AnnotationId,
    /// Where it lies.
    pub geometry: Geometry,
    /// The moment of the video it lies in.
    pub frame: Option<Frame>,
    /// Its concepts, wherever in `data` they stand: in the region, else in the frame, else at the top.
    pub concepts: Concepts,
    /// The state of the labelling work.
    pub status: Status,
    /// Whose it is; nothing for an annotation without a user.
    pub user: Option<UserId>,
    /// Who made it.
    pub maker: Maker,
    /// RFC 3339, as the service wrote it.
    pub created_at: Option<Box<str>>,
    /// The stored `data`, whole: an overwrite must carry what annosync does not model.
    pub data: Option<Json>,
    /// The stored `annotation_info`.
    pub info: Option<Json>,
    /// What few annotations have.
    pub extras: Option<Box<ObservedExtras>>,
}

/// What few observed annotations have, kept apart so that the many others stay small.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ObservedExtras {
    /// What a manifest can manage.
    pub managed: Extras,
    /// The version of the model that made it.
    pub model_version: Option<Box<str>>,
    /// When it was last written, where that was not when it was created: RFC 3339, as the service wrote it.
    pub modified_at: Option<Box<str>>,
    /// The labelling task that it belongs to.
    pub task: Option<Box<str>>,
    /// Whether the service keeps `consensus_info` with it, which no call can write.
    pub has_consensus: bool,
}

impl ObservedExtras {
    /// These, or nothing where none of them is given.
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

impl ObservedAnnotation {
    /// What few annotations have and a manifest can manage.
    pub fn managed_extras(&self) -> Option<&Extras> {
        self.extras.as_deref().map(|extras| &extras.managed)
    }

    /// See [`Extras::track`].
    pub fn track(&self) -> Option<&str> {
        self.managed_extras()?.track.as_deref()
    }

    /// See [`Extras::text`].
    pub fn text(&self) -> Option<&str> {
        self.managed_extras()?.text.as_deref()
    }

    /// See [`Extras::region_value`]; 0 where the service says nothing, as it leaves zeros out.
    pub fn region_value(&self) -> f32 {
        self.managed_extras()
            .and_then(|extras| extras.region_value)
            .map_or(0.0, Fraction::get)
    }

    /// See [`Extras::embed_model_version`].
    pub fn embed_model_version(&self) -> Option<&str> {
        self.managed_extras()?.embed_model_version.as_deref()
    }

    /// The version of the model that made it.
    pub fn model_version(&self) -> Option<&str> {
        self.extras.as_deref()?.model_version.as_deref()
    }

    /// The labelling task that it belongs to.
    pub fn task(&self) -> Option<&str> {
        self.extras.as_deref()?.task.as_deref()
    }

    /// See [`ObservedExtras::has_consensus`].
    pub fn has_consensus(&self) -> bool {
        self.extras
            .as_deref()
            .is_some_and(|extras| extras.has_consensus)
    }

    /// When it was last written: RFC 3339, as the service wrote it.
    pub fn modified_at(&self) -> Option<&str> {
        let later = self
            .extras
            .as_deref()
            .and_then(|extras| extras.modified_at.as_deref());
        later.or(self.created_at.as_deref())
    }

    /// `data.metadata`, parsed; nothing where there is none.
    pub fn metadata(&self) -> Option<serde_json::Value> {
        #[derive(serde::Deserialize)]
        struct Data {
            metadata: Option<serde_json::Value>,
        }
        serde_json::from_str::<Data>(self.data.as_ref()?.as_str())
            .ok()?
            .metadata
    }

    /// The id of its region, if it has one. It stands in `data` alone: few annotations are ever asked for it.
    pub fn region(&self) -> Option<RegionId> {
        if let Geometry::Region(id) = &self.geometry {
            return Some(id.clone());
        }
        RegionId::new(self.first_region()?.id?).ok()
    }

    /// The PNG file of its mask, if it has one and it travels with the annotation.
    pub fn mask_png(&self) -> Option<Vec<u8>> {
        match (&self.data, &self.geometry) {
            (Some(data), _) => mask_png(data),
            // It was made from a file that is at hand, and never stored.
            (None, Geometry::Mask(mask)) => mask.png().map(|png| png.to_vec()),
            (None, _) => None,
        }
    }

    fn first_region(&self) -> Option<StoredRegion> {
        first_region(self.data.as_ref()?)
    }

    /// Everything of it that annosync manages, in the manifest's notation.
    pub fn content(&self) -> Content {
        Content {
            frame: self.frame,
            geometry: match &self.geometry {
                Geometry::Whole | Geometry::Unmodelled => None,
                geometry => Some(geometry.clone()),
            },
            concepts: Some(self.concepts.clone()),
            status: Some(self.status),
            user: self.user.clone(),
            metadata: self.metadata().as_ref().map(Json::from_value),
            info: self.info.clone(),
            extras: self.managed_extras().cloned().and_then(Extras::boxed),
        }
    }
}

/// The PNG file of the mask in an annotation's `data`, if it has one and it travels with the annotation.
pub fn mask_png(data: &Json) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let image = first_region(data)?.region_info?.mask?.image?;
    let text: String = image.base64?.split_ascii_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

fn first_region(data: &Json) -> Option<StoredRegion> {
    let mut data: StoredData = serde_json::from_str(data.as_str()).ok()?;
    if let Some(frame) = data
        .frames
        .take()
        .and_then(|frames| frames.into_iter().next())
    {
        data = frame.data?;
    }
    data.regions?.into_iter().next()
}

/// As much of the stored `data` as is read of it again.
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

/// An annotation that was listed and that cannot be read, or not be carried without loss. Nothing is written to it, and
/// nothing is concluded from it: it may be anything, one that the manifest declares among them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("annotation `{}` of input `{}` cannot be read: {why}", id.escape_debug(), input.escape_debug())]
pub struct Unreadable {
    /// Its input, as the service writes it.
    pub input: Box<str>,
    /// Its id, as the service writes it.
    pub id: Box<str>,
    /// Who made it.
    pub maker: Maker,
    /// Whose it is; `None` if the service reports no user, or one that is no user's id.
    pub user: Option<UserId>,
    /// What is wrong with it.
    pub why: Box<str>,
}

/// Which part of the app a listing saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    WholeApp,
    /// These inputs alone; about the others nothing is known.
    Inputs(BTreeSet<InputId>),
}

/// What an app holds, from a listing that was proved complete.
///
/// Outside of tests it is made from a complete listing alone, so that nothing that was missed can look like
/// something that is not there.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedState {
    /// The user whose token made the listing.
    pub caller: UserId,
    /// The user who owns the app.
    pub app_owner: UserId,
    /// Which part of the app was listed.
    pub scope: Scope,
    /// The annotations of each input, sorted by (`created_at`, id), so that the order of pages does not show.
    pub inputs: BTreeMap<InputId, Vec<ObservedAnnotation>>,
    /// The annotations that were listed and cannot be read, sorted by input and id.
    pub unreadable: Vec<Unreadable>,
}

impl ObservedState {
    /// Brings the annotations of each input into their one order.
    pub fn sort(&mut self) {
        self.unreadable
            .sort_by(|a, b| (&a.input, &a.id).cmp(&(&b.input, &b.id)));
        for annotations in self.inputs.values_mut() {
            annotations.sort_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
        }
    }

    /// The annotations of an input that cannot be read.
    pub fn unreadable_on(&self, input: &InputId) -> &[Unreadable] {
        let start = self
            .unreadable
            .partition_point(|it| *it.input < *input.as_str());
        let length = self.unreadable[start..].partition_point(|it| *it.input == *input.as_str());
        &self.unreadable[start..start + length]
    }

    /// How many annotations were observed and can be read.
    pub fn len(&self) -> usize {
        self.inputs.values().map(Vec::len).sum()
    }

    /// Whether none were.
    pub fn is_empty(&self) -> bool {
        self.inputs.values().all(Vec::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_is_small() {
        // A million on each side have to fit into memory.
        assert!(size_of::<ObservedAnnotation>() <= 168);
        assert!(size_of::<Content>() <= 128);
    }
}

//! Pulls one input: annotations that are kept, changed, added or dropped.

use super::choice::{Choice, ModelMade};
use super::declare;
use super::mask_file::MaskFile;
use super::report::{Account, LossKind};
use crate::manifest::{Image, InputText, InputVideo};
use crate::matching::{Claims, match_input};
use crate::model::{
    AnnotationId, Content, DesiredAnnotation, DesiredInput, DesiredState, Geometry, Identity,
    InputId, Json, Maker, ObservedAnnotation, ObservedState, Origin, Undeclared, difference,
};
use crate::plan::named_region;
use crate::wire::encode::makes_all;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The context of a pull, the same for every input.
#[derive(Debug)]
pub(super) struct PullContext<'a> {
    pub(super) desired: &'a DesiredState,
    pub(super) observed: &'a ObservedState,
    pub(super) choice: &'a Choice,
    pub(super) claims: Claims,
}

/// An annotation of a pulled input.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Its index among the declared annotations; `None` if it is new.
    pub(super) declared: Option<usize>,
    /// Its index among the observed annotations; `None` if it has no match, and is kept because of the filters.
    pub(super) observed: Option<usize>,
    pub(super) identity: Identity,
    pub(super) content: Content,
    /// Its mask, if the manifest does not name a file of it yet.
    pub(super) mask: Option<MaskFile>,
}

/// An input as it will be declared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PulledInput {
    pub(super) id: InputId,
    /// Its index among the manifest's inputs; `None` if it is new.
    pub(super) declared: Option<usize>,
    pub(super) undeclared: Undeclared,
    /// Declared annotations in their order, then new ones in the order of the app.
    pub(super) entries: Vec<Entry>,
    /// Declared annotations that are removed, by index.
    pub(super) dropped: Vec<usize>,
    /// Annotations that the filters leave out.
    pub(super) left_out: BTreeSet<AnnotationId>,
    /// Annotations that are not written in full.
    pub(super) losses: Vec<(AnnotationId, LossKind)>,
    pub(super) account: Account,
    /// Its image, if it differs from the manifest's.
    pub(super) image: Option<Image>,
    /// The video and the text of a new input.
    pub(super) video: Option<InputVideo>,
    pub(super) text: Option<InputText>,
    /// Whether it is declared even without annotations.
    pub(super) is_declared_empty: bool,
}

impl PulledInput {
    /// Whether it will be declared.
    pub(super) fn is_declared(&self) -> bool {
        self.declared.is_some() || !self.entries.is_empty() || self.is_declared_empty
    }

    pub(super) fn desired(&self) -> DesiredInput {
        DesiredInput {
            id: self.id.clone(),
            annotations: self
                .entries
                .iter()
                .map(|entry| DesiredAnnotation {
                    identity: entry.identity.clone(),
                    content: entry.content.clone(),
                    origin: Origin::default(),
                })
                .collect(),
            undeclared: self.undeclared,
            origin: Origin::default(),
        }
    }

    /// Records the first kind of loss of an annotation, and returns whether there is one. `mask` is its mask, if that is
    /// written to a file.
    fn record_loss(
        &mut self,
        remote: &ObservedAnnotation,
        written: &Content,
        mask: Option<&MaskFile>,
    ) -> bool {
        let has_place = !matches!(remote.geometry, Geometry::Whole) && remote.maker != Maker::Input;
        let lacks_keys = |stored: Option<serde_json::Value>, written: Option<&Json>| {
            let count =
                |value: &serde_json::Value| value.as_object().map_or(0, serde_json::Map::len);
            stored.as_ref().map_or(0, count) > written.map_or(0, |json| count(&json.to_value()))
        };
        let kind = match &remote.geometry {
            Geometry::Mask(_) if written.geometry.is_none() => LossKind::Mask,
            _ if has_place && written.geometry.is_none() => LossKind::Place,
            _ if lacks_keys(remote.metadata(), written.metadata.as_ref())
                || lacks_keys(
                    remote.info.as_ref().map(Json::to_value),
                    written.info.as_ref(),
                ) =>
            {
                LossKind::Null
            }
            _ if remote.maker != Maker::Input && !self.is_complete(remote, written, mask) => {
                LossKind::Other
            }
            _ => return false,
        };
        self.losses.push((remote.id.clone(), kind));
        true
    }

    /// Whether the written content has everything of an annotation.
    fn is_complete(
        &self,
        remote: &ObservedAnnotation,
        written: &Content,
        mask: Option<&MaskFile>,
    ) -> bool {
        let mut written = written.clone();
        if let (Some(Geometry::Mask(written)), Some(file)) = (&mut written.geometry, mask) {
            let Some(pixels) = file.mask() else {
                return false;
            };
            **written = pixels;
        }
        makes_all(&self.id, remote, &written)
    }

    /// Declared annotations without a match that are kept. A plan may post that many.
    pub(super) fn kept_missing(&self) -> usize {
        let is_missing = |entry: &&Entry| entry.observed.is_none();
        self.entries.iter().filter(is_missing).count()
    }
}

impl PullContext<'_> {
    pub(super) fn observed_on(&self, input: &InputId) -> &[ObservedAnnotation] {
        self.observed.inputs.get(input).map_or(&[], Vec::as_slice)
    }

    /// Pulls one input. `declared` is its index among the manifest's inputs.
    pub(super) fn pull(&self, id: &InputId, declared: Option<usize>) -> PulledInput {
        let observed = self.observed_on(id);
        let was = declared.map(|at| &self.desired.inputs[at]);
        let mut pulled = PulledInput {
            id: id.clone(),
            declared,
            undeclared: Undeclared::Managed,
            entries: Vec::new(),
            dropped: Vec::new(),
            left_out: BTreeSet::new(),
            losses: Vec::new(),
            account: Account::default(),
            image: None,
            video: None,
            text: None,
            is_declared_empty: false,
        };
        if was.is_some_and(|was| was.undeclared == Undeclared::Purged)
            && observed.iter().all(|o| o.maker == Maker::Input)
        {
            pulled.undeclared = Undeclared::Purged;
            pulled.account.inputs = 1;
            return pulled;
        }
        let annotations = was.map_or(&[][..], |was| &was.annotations);
        let annotations = &*named_regions(id, annotations, observed);
        let matching = match_input(&self.claims, id, annotations, observed);
        let mut pairs = vec![None; annotations.len()];
        for pair in &matching.pairs {
            pairs[pair.desired] = Some(pair.observed);
        }
        for (at, annotation) in annotations.iter().enumerate() {
            let written = &was
                .expect("declared annotations belong to a declared input")
                .annotations[at];
            let remote = pairs[at].map(|at| (at, &observed[at]));
            match self.declared_entry(at, [written, annotation], remote, &mut pulled) {
                Some(entry) => pulled.entries.push(entry),
                None => pulled.dropped.push(at),
            }
        }
        let has_input_level = annotations
            .iter()
            .any(|annotation| annotation.identity == Identity::InputLevel);
        // If there are several, a plan uses the first.
        let input_level = observed
            .iter()
            .position(|o| o.maker == Maker::Input)
            .filter(|_| !has_input_level);
        for &at in &matching.unclaimed {
            let entry = self.new_entry(at, &observed[at], input_level, &mut pulled);
            pulled.entries.extend(entry);
        }
        pulled.account.inputs = u64::from(was.is_some() || !pulled.entries.is_empty());
        pulled.account.annotations = pulled.entries.len() as u64;
        pulled.account.dropped = pulled.dropped.len() as u64;
        pulled
    }

    /// The entry of a declared annotation, given as it is written and with its region named. `None` if it is dropped.
    fn declared_entry(
        &self,
        at: usize,
        [written, named]: [&DesiredAnnotation; 2],
        remote: Option<(usize, &ObservedAnnotation)>,
        pulled: &mut PulledInput,
    ) -> Option<Entry> {
        let mut entry = Entry {
            declared: Some(at),
            observed: remote.map(|(at, _)| at),
            identity: written.identity.clone(),
            content: written.content.clone(),
            mask: None,
        };
        let Some((_, remote)) = remote else {
            // The filters cannot have left out an input-level annotation, since there is none.
            let is_kept = self.choice.is_narrow()
                && entry.identity != Identity::InputLevel
                && !self.choice.would_match(&written.content, self.observed);
            return is_kept.then_some(entry);
        };
        if self.claims.is_of_another_set(&remote.id) {
            pulled.account.other_sets += 1;
            return None;
        }
        if !self.choice.matches(remote, self.observed) {
            pulled.account.left_out += 1;
            pulled.left_out.insert(remote.id.clone());
            return Some(entry);
        }
        let difference = difference(&named.content, remote);
        if difference.is_empty() {
            return Some(entry);
        }
        entry.content = declare::updated(&written.content, remote, &difference);
        if difference.geometry {
            entry.mask = MaskFile::of_observed(remote);
            let content = std::mem::take(&mut entry.content);
            entry.content = declare::writable_part(&entry.identity, content, entry.mask.as_ref());
        }
        if is_refused_by_manifest(&entry) {
            entry.mask = MaskFile::of_observed(remote);
            let content = declare::content(remote, &self.observed.app_owner);
            entry.content = declare::writable_part(&entry.identity, content, entry.mask.as_ref());
        }
        if is_refused_by_manifest(&entry) && entry.identity != Identity::InputLevel {
            entry.identity = Identity::Id(remote.id.clone());
        }
        if written.content.geometry.is_some()
            && entry.content.geometry.is_none()
            && pulled.record_loss(remote, &entry.content, entry.mask.as_ref())
        {
            entry = by_id_only(&entry, remote);
        }
        let is_empty =
            entry.identity == Identity::InputLevel && entry.content == Content::default();
        (!is_empty).then_some(entry)
    }

    /// The entry of an annotation that is not declared yet. `None` if it is not pulled.
    fn new_entry(
        &self,
        at: usize,
        remote: &ObservedAnnotation,
        input_level: Option<usize>,
        pulled: &mut PulledInput,
    ) -> Option<Entry> {
        if self.claims.is_of_another_set(&remote.id) {
            pulled.account.other_sets += 1;
            return None;
        }
        if remote.maker == Maker::Model && self.choice.model_made == ModelMade::LeaveOut {
            pulled.account.model_made += 1;
            return None;
        }
        let mut identity = if input_level == Some(at) {
            Identity::InputLevel
        } else {
            Identity::Id(remote.id.clone())
        };
        let mask = MaskFile::of_observed(remote);
        let content = declare::content(remote, &self.observed.app_owner);
        let content = declare::writable_part(&identity, content, mask.as_ref());
        let is_bare = remote.maker == Maker::Input && content == Content::default();
        if !self.choice.matches(remote, self.observed) {
            pulled.account.left_out += u64::from(!is_bare);
            pulled.left_out.insert(remote.id.clone());
            return None;
        }
        if is_bare {
            return None;
        }
        let is_partial = pulled.record_loss(remote, &content, mask.as_ref());
        if self.is_found_by_content(remote, &content) {
            identity = Identity::Content;
        }
        let entry = Entry {
            declared: None,
            observed: Some(at),
            mask: mask.filter(|_| content.geometry.is_some()),
            identity,
            content,
        };
        // Input-level annotations exist in every app, and are never posted.
        Some(if is_partial && entry.identity != Identity::InputLevel {
            by_id_only(&entry, remote)
        } else {
            entry
        })
    }

    /// Whether an annotation of this set may be declared without id. `check` verifies that a plan matches it.
    fn is_found_by_content(&self, remote: &ObservedAnnotation, content: &Content) -> bool {
        // Without its place, it would be declared as one of the whole input.
        let has_place = content.geometry.is_some() || remote.geometry == Geometry::Whole;
        remote.maker == Maker::User
            && self.claims.is_owned(&remote.id)
            && has_place
            && !content.would_post_empty()
    }
}

/// The entry with only its id, for an annotation that cannot be written in full. A plan for another app refuses it; a part
/// of its content would be posted as if it were complete.
fn by_id_only(entry: &Entry, remote: &ObservedAnnotation) -> Entry {
    Entry {
        identity: Identity::Id(remote.id.clone()),
        content: Content::default(),
        mask: None,
        declared: entry.declared,
        observed: entry.observed,
    }
}

/// Whether a manifest refuses an annotation because it has too little content for its identity.
fn is_refused_by_manifest(entry: &Entry) -> bool {
    match entry.identity {
        Identity::Id(_) => false,
        Identity::Key(_) | Identity::InputLevel => entry.content == Content::default(),
        Identity::Content => {
            let content = &entry.content;
            content.would_post_empty()
                || (content.geometry.is_none()
                    && content.concepts.is_none()
                    && content.text().is_none())
        }
    }
}

/// The annotations, with regions of a model replaced by their ids where those are unique.
fn named_regions<'a>(
    input: &InputId,
    annotations: &'a [DesiredAnnotation],
    observed: &[ObservedAnnotation],
) -> Cow<'a, [DesiredAnnotation]> {
    let mut named = Cow::Borrowed(annotations);
    for (at, annotation) in annotations.iter().enumerate() {
        if let Some(region) = named_region(input, annotation, observed) {
            named.to_mut()[at].content.geometry = Some(Geometry::Region(region));
        }
    }
    named
}

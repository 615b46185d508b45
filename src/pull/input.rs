//! One input: what of it stays as it is declared, what changes, what is new, and what goes.

use super::choice::{Choice, ModelMade};
use super::declare;
use super::report::{Account, LossKind};
use super::writable::{Png, declarable};
use crate::manifest::Image;
use crate::matching::{Claims, match_input};
use crate::model::{
    AnnotationId, Content, DesiredAnnotation, DesiredInput, DesiredState, Geometry, Identity,
    InputId, Json, Maker, ObservedAnnotation, ObservedState, Origin, Undeclared, difference,
};
use crate::plan::{makes_all, named_region};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What every input is pulled with.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) desired: &'a DesiredState,
    pub(super) observed: &'a ObservedState,
    pub(super) choice: &'a Choice,
    pub(super) claims: Claims,
}

/// An annotation of a pulled input.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Which one it is among the declared ones; nothing for a new one.
    pub(super) declared: Option<usize>,
    /// Which one it is on the remote; nothing for one that the filters keep from being dropped.
    pub(super) observed: Option<usize>,
    pub(super) identity: Identity,
    pub(super) content: Content,
    /// The file of its mask, where the manifest does not name it yet.
    pub(super) png: Option<Png>,
}

/// An input as it is to be declared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PulledInput {
    pub(super) id: InputId,
    /// Where it is among the manifest's inputs; nothing for a new one.
    pub(super) declared: Option<usize>,
    pub(super) undeclared: Undeclared,
    /// The declared ones in their order, then the new ones in the order of the remote.
    pub(super) entries: Vec<Entry>,
    /// Declared annotations that go.
    pub(super) dropped: Vec<usize>,
    /// What of it the filters leave out.
    pub(super) left_out: BTreeSet<AnnotationId>,
    /// Annotations that are not written in full.
    pub(super) losses: Vec<(AnnotationId, LossKind)>,
    pub(super) account: Account,
    /// What is written of its image, where that is not what the manifest says of it already.
    pub(super) image: Option<Image>,
    /// Whether it is declared where it has no annotations as well.
    pub(super) is_declared_empty: bool,
}

impl PulledInput {
    /// It in the model's words.
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

    /// Notes what of an annotation is not in the content that is written of it, and whether that is anything. `png` is
    /// its mask, if that is written into a file.
    fn note_losses(
        &mut self,
        remote: &ObservedAnnotation,
        written: &Content,
        png: Option<&Png>,
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
            _ if remote.maker != Maker::Input && !self.is_whole(remote, written, png) => {
                LossKind::Other
            }
            _ => return false,
        };
        self.losses.push((remote.id.clone(), kind));
        true
    }

    /// Whether what is written says all of an annotation.
    fn is_whole(&self, remote: &ObservedAnnotation, written: &Content, png: Option<&Png>) -> bool {
        let mut written = written.clone();
        if let (Some(Geometry::Mask(mask)), Some(png)) = (&mut written.geometry, png) {
            let Some(pixels) = png.mask() else {
                return false;
            };
            **mask = pixels;
        }
        makes_all(&self.id, remote, &written)
    }

    /// Declared annotations that the remote has not and that are kept all the same: what a plan may post.
    pub(super) fn kept_missing(&self) -> usize {
        let is_missing = |entry: &&Entry| entry.observed.is_none();
        self.entries.iter().filter(is_missing).count()
    }
}

impl World<'_> {
    pub(super) fn observed_on(&self, input: &InputId) -> &[ObservedAnnotation] {
        self.observed.inputs.get(input).map_or(&[], Vec::as_slice)
    }

    /// Pulls one input, `declared` being its place among the manifest's inputs.
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
                .expect("what is declared stands in an input")
                .annotations[at];
            let remote = pairs[at].map(|at| (at, &observed[at]));
            match self.declared(at, [written, annotation], remote, &mut pulled) {
                Some(entry) => pulled.entries.push(entry),
                None => pulled.dropped.push(at),
            }
        }
        let has_input_level = annotations
            .iter()
            .any(|annotation| annotation.identity == Identity::InputLevel);
        // Of several a plan takes the first.
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

    /// What becomes of a declared annotation, as it is written and with its region named; nothing where it goes.
    fn declared(
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
            png: None,
        };
        let Some((_, remote)) = remote else {
            // An input whose own annotation is not there has none that the filters could leave out.
            let is_kept = self.choice.is_narrow()
                && entry.identity != Identity::InputLevel
                && !self.choice.would_take(&written.content, self.observed);
            return is_kept.then_some(entry);
        };
        if self.claims.is_of_another_set(&remote.id) {
            pulled.account.other_sets += 1;
            return None;
        }
        if !self.choice.takes(remote, self.observed) {
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
            entry.png = Png::of(remote);
            let content = std::mem::take(&mut entry.content);
            entry.content = declarable(&entry.identity, content, entry.png.as_ref());
        }
        if says_too_little(&entry) {
            entry.png = Png::of(remote);
            let content = declare::content(remote, &self.observed.app_owner);
            entry.content = declarable(&entry.identity, content, entry.png.as_ref());
        }
        if says_too_little(&entry) && entry.identity != Identity::InputLevel {
            entry.identity = Identity::Id(remote.id.clone());
        }
        if written.content.geometry.is_some()
            && entry.content.geometry.is_none()
            && pulled.note_losses(remote, &entry.content, entry.png.as_ref())
        {
            entry = only_named(&entry, remote);
        }
        let is_void = entry.identity == Identity::InputLevel && entry.content == Content::default();
        (!is_void).then_some(entry)
    }

    /// An annotation that is not declared yet; nothing where it is not pulled.
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
        let png = Png::of(remote);
        let content = declare::content(remote, &self.observed.app_owner);
        let content = declarable(&identity, content, png.as_ref());
        let is_silent = remote.maker == Maker::Input && content == Content::default();
        if !self.choice.takes(remote, self.observed) {
            pulled.account.left_out += u64::from(!is_silent);
            pulled.left_out.insert(remote.id.clone());
            return None;
        }
        if is_silent {
            return None;
        }
        let is_partial = pulled.note_losses(remote, &content, png.as_ref());
        if self.is_found_by_content(remote, &content) {
            identity = Identity::Content;
        }
        let entry = Entry {
            declared: None,
            observed: Some(at),
            png: png.filter(|_| content.geometry.is_some()),
            identity,
            content,
        };
        // An input's own annotation is on every app, and nothing posts it.
        Some(if is_partial && entry.identity != Identity::InputLevel {
            only_named(&entry, remote)
        } else {
            entry
        })
    }

    /// Whether an annotation that this set made may be claimed by what it is. Which one a plan then claims is for the
    /// check to see.
    fn is_found_by_content(&self, remote: &ObservedAnnotation, content: &Content) -> bool {
        // A place that cannot be declared is no whole input.
        let has_its_place = content.geometry.is_some() || remote.geometry == Geometry::Whole;
        remote.maker == Maker::User
            && self.claims.is_owned(&remote.id)
            && has_its_place
            && !content.says_nothing()
    }
}

/// An annotation that cannot be written in full, by its id alone: a plan for another app refuses it, where a part of it
/// would be posted as if that were all.
fn only_named(entry: &Entry, remote: &ObservedAnnotation) -> Entry {
    Entry {
        identity: Identity::Id(remote.id.clone()),
        content: Content::default(),
        png: None,
        declared: entry.declared,
        observed: entry.observed,
    }
}

/// Whether a manifest refuses an annotation for saying neither what nor which it is.
fn says_too_little(entry: &Entry) -> bool {
    match entry.identity {
        Identity::Id(_) => false,
        Identity::Key(_) | Identity::InputLevel => entry.content == Content::default(),
        Identity::Content => {
            let content = &entry.content;
            content.says_nothing()
                || (content.geometry.is_none()
                    && content.concepts.is_none()
                    && content.text().is_none())
        }
    }
}

/// The annotations with the regions that are named by a model named by their ids, where that is one.
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

//! Pairs the annotations of the base, of the manifest and of the app, on one input.

use crate::matching::{Claims, Matched, MatchedBy, match_input};
use crate::model::{
    AnnotationId, Content, DesiredAnnotation, DesiredState, Geometry, Identity, InputId, Key,
    Maker, ObservedAnnotation, ObservedExtras, ObservedState, Owner, Provenance, SetName, Status,
    UserId, content_id, key_id,
};
use crate::wire::encode;
use std::collections::{BTreeSet, HashSet};

/// The pairs of the three sides, as indices.
pub(super) struct Links {
    pub(super) observed_of: Vec<Option<(usize, Matched)>>,
    pub(super) base_of: Vec<Option<usize>>,
    pub(super) observed_of_base: Vec<Option<(usize, Matched)>>,
    pub(super) base_of_observed: Vec<Option<usize>>,
    /// Whether an observed annotation has a declared one.
    pub(super) is_paired: Vec<bool>,
    /// Whether an annotation of the base has a declared one.
    pub(super) is_base_used: Vec<bool>,
    pub(super) base_ids: Vec<AnnotationId>,
    pub(super) observed_ids: HashSet<AnnotationId>,
}

impl Links {
    fn pair(&mut self, declared: usize, observed: usize, matched: Matched) {
        self.observed_of[declared] = Some((observed, matched));
        self.is_paired[observed] = true;
    }
}

/// Pairs the annotations of the three sides.
pub(super) struct Linker {
    /// The base's scope, with the owners of base and manifest.
    pub(super) base_claims: Claims,
    /// The manifest's scope.
    pub(super) claims: Claims,
    /// The manifest's scope, except that a declaration may match any annotation of the base.
    any_claims: Claims,
    /// The user who owns a post without `user`.
    poster: UserId,
}

impl Linker {
    pub(super) fn new(
        base: &DesiredState,
        desired: &DesiredState,
        observed: &ObservedState,
    ) -> Self {
        let scope = |of: &DesiredState, owners: BTreeSet<Owner>| {
            let scope = DesiredState {
                set: of.set.clone(),
                policy: of.policy,
                owners,
                guards: of.guards,
                renamed: of.renamed.clone(),
                adopts: &base.adopts | &desired.adopts,
                inputs: Vec::new(),
            };
            Claims::new(&scope, observed)
        };
        Self {
            base_claims: scope(base, &base.owners | &desired.owners),
            claims: Claims::new(desired, observed),
            any_claims: scope(desired, BTreeSet::from([Owner::Any])),
            poster: observed.app_owner.clone(),
        }
    }

    pub(super) fn link(
        &self,
        input: &InputId,
        base: &[DesiredAnnotation],
        declared: &[DesiredAnnotation],
        observed: &[ObservedAnnotation],
    ) -> Links {
        let mut links = Links {
            observed_of: vec![None; declared.len()],
            base_of: vec![None; declared.len()],
            observed_of_base: vec![None; base.len()],
            base_of_observed: vec![None; observed.len()],
            is_paired: vec![false; observed.len()],
            is_base_used: vec![false; base.len()],
            base_ids: Vec::new(),
            observed_ids: observed.iter().map(|it| it.id.clone()).collect(),
        };
        for pair in match_input(&self.base_claims, input, base, observed).pairs {
            links.observed_of_base[pair.desired] = Some((pair.observed, pair.matched));
            links.base_of_observed[pair.observed] = Some(pair.desired);
        }
        let base_as_observed = self.as_observed(input, base, &links, observed);
        for pair in match_input(&self.any_claims, input, declared, &base_as_observed).pairs {
            links.base_of[pair.desired] = Some(pair.observed);
        }
        links.base_ids = base_as_observed.into_iter().map(|it| it.id).collect();

        // A pair by id or key comes before a pair by way of the base.
        let direct = match_input(&self.claims, input, declared, observed);
        for pair in &direct.pairs {
            if matches!(
                pair.matched.by,
                MatchedBy::Id | MatchedBy::Key | MatchedBy::InputLevel
            ) {
                links.pair(pair.desired, pair.observed, pair.matched);
            }
        }
        for at in 0..declared.len() {
            let before = links.base_of[at].and_then(|base| links.observed_of_base[base]);
            if let (None, Some((found, matched))) = (links.observed_of[at], before)
                && !links.is_paired[found]
                && self.claims.is_claimable(&observed[found])
            {
                links.pair(at, found, matched);
            }
        }
        // New declarations first: a declaration whose annotation was deleted gets only what they leave.
        for is_new in [true, false] {
            self.pair_by_content(&mut links, input, (declared, observed), is_new);
        }

        // The base's declaration of an annotation counts for the declaration that has the annotation now.
        for at in 0..declared.len() {
            let found = links.observed_of[at].and_then(|(found, _)| links.base_of_observed[found]);
            if found.is_some() && !links.base_of.contains(&found) {
                links.base_of[at] = found;
            }
        }
        for base in links.base_of.iter().flatten() {
            links.is_base_used[*base] = true;
        }
        links
    }

    /// Pairs the remaining declarations by content: either those that are new since the base, or the others.
    fn pair_by_content(
        &self,
        links: &mut Links,
        input: &InputId,
        (declared, observed): (&[DesiredAnnotation], &[ObservedAnnotation]),
        is_new: bool,
    ) {
        let open: Vec<usize> = (0..declared.len())
            .filter(|&at| links.observed_of[at].is_none() && links.base_of[at].is_none() == is_new)
            .collect();
        let free: Vec<usize> = (0..observed.len())
            .filter(|&at| !links.is_paired[at])
            .collect();
        if open.is_empty() || free.is_empty() {
            return;
        }
        let declared: Vec<_> = open.iter().map(|at| declared[*at].clone()).collect();
        let observed: Vec<_> = free.iter().map(|at| observed[*at].clone()).collect();
        for pair in match_input(&self.claims, input, &declared, &observed).pairs {
            links.pair(open[pair.desired], free[pair.observed], pair.matched);
        }
    }

    /// The base's declarations as observed annotations, because matching pairs declared annotations with observed
    /// ones.
    fn as_observed(
        &self,
        input: &InputId,
        base: &[DesiredAnnotation],
        links: &Links,
        observed: &[ObservedAnnotation],
    ) -> Vec<ObservedAnnotation> {
        let mut taken: HashSet<AnnotationId> = observed.iter().map(|it| it.id.clone()).collect();
        (base.iter().enumerate())
            .map(|(at, annotation)| {
                let found = links.observed_of_base[at].map(|(found, _)| &observed[found]);
                let id = found.map_or_else(
                    || free_id(&self.claims.set, input, annotation, |id| taken.contains(id)),
                    |found| found.id.clone(),
                );
                taken.insert(id.clone());
                let mut made = as_posted(id, &annotation.content, &self.poster);
                // Fields that the base does not declare are as in the app.
                let content = &annotation.content;
                if let Some(found) = found {
                    if content.geometry.is_none() {
                        made.geometry = found.geometry.clone();
                    }
                    made.frame = content.frame.or(found.frame);
                    if content.concepts.is_none() {
                        made.concepts = found.concepts.clone();
                    }
                } else if content.geometry.is_none()
                    && matches!(annotation.identity, Identity::Id(_))
                {
                    made.geometry = Geometry::Unmodelled;
                }
                if annotation.identity == Identity::InputLevel {
                    made.maker = Maker::Input;
                }
                made
            })
            .collect()
    }
}

/// The id that a post of this annotation gets.
pub(super) fn free_id(
    set: &SetName,
    input: &InputId,
    annotation: &DesiredAnnotation,
    is_taken: impl Fn(&AnnotationId) -> bool,
) -> AnnotationId {
    let by_content = || {
        let mut ordinal = 0;
        loop {
            let id = content_id(set, input, &annotation.content, ordinal);
            if !is_taken(&id) {
                return id;
            }
            ordinal += 1;
        }
    };
    match &annotation.identity {
        Identity::Id(id) => id.clone(),
        Identity::Key(key) => key_id(set, input, key),
        Identity::InputLevel | Identity::Content => by_content(),
    }
}

/// A declared annotation as it is observed once it is posted.
pub(super) fn as_posted(
    id: AnnotationId,
    content: &Content,
    poster: &UserId,
) -> ObservedAnnotation {
    let metadata = content.metadata.as_ref();
    ObservedAnnotation {
        id,
        geometry: content.geometry.clone().unwrap_or(Geometry::Whole),
        frame: content.frame,
        concepts: content.concepts.clone().unwrap_or_default(),
        created_at: None,
        data: metadata.map(|it| encode::data_with_metadata(None, &it.to_value()).into()),
        provenance: Provenance {
            status: content.status.unwrap_or(Status::SUCCESS),
            user: Some(content.user.clone().unwrap_or_else(|| poster.clone())),
            maker: Maker::User,
            info: content.info.clone(),
        }
        .into(),
        extras: ObservedExtras {
            managed: content.extras.clone(),
            ..ObservedExtras::default()
        }
        .boxed(),
    }
}

pub(super) fn key_of(annotation: &DesiredAnnotation) -> Option<Key> {
    match &annotation.identity {
        Identity::Key(key) => Some(key.clone()),
        Identity::Id(_) | Identity::InputLevel | Identity::Content => None,
    }
}

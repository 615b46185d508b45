//! What is checked before each step of a replacement.
//!
//! A stand-in is deleted only while its original is seen, so that what it holds is not lost whoever else is at work.

use super::batch::{BatchRun, stale};
use super::queue::Group;
use super::replace::{Progress, StandIn};
use super::settle::Doubt;
use super::watch::ItemOutcome;
use crate::model::{AnnotationId, Fingerprint, Json, ObservedAnnotation, difference, fingerprint};
use crate::plan::{
    Call, Freshness, Touched, body_of_stand_in, freshness, is_as_wanted, is_stand_in_of,
    original_of, stand_in_body,
};
use crate::wire;
use std::sync::Arc;

/// An annotation and its stand-in, as they are now.
struct OriginalAndStandIn {
    at: u32,
    original: Option<ObservedAnnotation>,
    stand_in: Option<ObservedAnnotation>,
}

impl BatchRun {
    /// Keeps the replacements whose originals are as the plan saw them, and finds out how far another run has come with the
    /// rest.
    pub(super) async fn check_originals(&mut self, mut group: Group) -> Group {
        let operations = group.take_items();
        let originals = match self.read(Call::DeleteReplaced, &operations).await {
            Ok(now) => now,
            Err(error) => {
                self.fail_all(&operations, &error, Touched::Nothing);
                return group;
            }
        };
        let mut others = Vec::new();
        for (at, original) in operations.into_iter().zip(originals) {
            if freshness(self.operation(at), original.as_ref()) != Freshness::AsPlanned {
                others.push((at, original));
            } else if self.make_body(at, original.as_ref(), Touched::Nothing) {
                group.items.push(at);
            }
        }
        let with_others: Vec<u32> = others.iter().map(|(at, _)| *at).collect();
        if with_others.is_empty() {
            return group;
        }
        let stand_ins = match self.read(Call::PostStandIn, &with_others).await {
            Ok(now) => now,
            Err(error) => {
                self.fail_all(&with_others, &error, Touched::Nothing);
                return group;
            }
        };
        for ((at, original), stand_in) in others.into_iter().zip(stand_ins) {
            self.resume(at, original, stand_in.as_ref());
        }
        group
    }

    /// Handles stand-ins that were refused and do not exist. Another run may have finished the same replacements meanwhile:
    /// its stand-ins existed when these were posted, and are gone. Returns those whose originals are as planned.
    pub(super) async fn resume_refused(&mut self, refused: Vec<Doubt>) -> Vec<Doubt> {
        if refused.is_empty() {
            return refused;
        }
        let names: Vec<u32> = refused.iter().map(|(at, _)| *at).collect();
        let Ok(originals) = self.read(Call::DeleteReplaced, &names).await else {
            // The refusal says more than this error.
            return refused;
        };
        let mut left = Vec::new();
        for ((at, reason), original) in refused.into_iter().zip(originals) {
            if freshness(self.operation(at), original.as_ref()) == Freshness::AsPlanned {
                left.push((at, reason));
            } else {
                self.resume(at, original, None);
            }
        }
        left
    }

    /// Continues a replacement if its original is not as the plan saw it.
    fn resume(
        &mut self,
        at: u32,
        original: Option<ObservedAnnotation>,
        stand_in: Option<&ObservedAnnotation>,
    ) {
        let ours = stand_in.filter(|it| self.holds_replacement(at, it));
        let ours = ours.map(|it| StandIn::of_another_run(fingerprint(it)));
        let outcome = match freshness(self.operation(at), original.as_ref()) {
            Freshness::AsWanted => ItemOutcome::AlreadyUpToDate,
            _ => stale(original.clone(), Touched::Nothing),
        };
        match (original, ours) {
            (None, Some(seen)) => self.reach(at, Progress::Deleted(seen)),
            (Some(_), Some(seen)) => self.reach(at, Progress::Settled(seen, outcome)),
            (None, None) if stand_in.is_some() => {
                let reason =
                    "it is gone, and its stand-in differs from what the plan wants: plan again";
                self.fail(at, reason, Touched::Nothing);
            }
            (_, None) => self.end(at, outcome),
        }
    }

    /// Compares the answer to the post of a stand-in with what was sent: everything must be stored before the original is
    /// deleted.
    pub(super) fn compare_stand_in(&mut self, at: u32, wire: wire::Annotation) {
        let stored = match self.decode(wire) {
            Ok(stored) => stored,
            Err(error) => return self.fail(at, error.to_string(), Touched::Nothing),
        };
        let stand_in = self.posted_stand_in(at, fingerprint(&stored));
        if self.keeps_everything(at, &stored) {
            self.reach(at, Progress::StoodIn(stand_in));
        } else {
            let reason = "the service accepted its stand-in and stored something else, so the annotation itself was left alone";
            // The answer may show less than is stored: then the stand-in is recognised by what was posted.
            let outcome = ItemOutcome::failed(reason, Touched::Nothing);
            self.reach(at, Progress::Settled(stand_in, outcome));
        }
    }

    /// A stand-in that this run posted.
    fn posted_stand_in(&self, at: u32, seen: Fingerprint) -> StandIn {
        let body = self.bodies.get(&at).cloned();
        StandIn { seen, body }
    }

    /// Whether a stand-in of another run names this operation's original and holds its replacement.
    fn holds_replacement(&self, at: u32, stand_in: &ObservedAnnotation) -> bool {
        let operation = self.operation(at);
        let is_named = self.original(Call::PostStandIn, at, stand_in.info.as_ref())
            == Some(operation.id.clone());
        is_named
            && body_of_stand_in(operation, stand_in)
                .is_some_and(|body| is_stand_in_of(&self.plan.set, operation, &body, stand_in))
    }

    fn keeps_everything(&mut self, at: u32, stored: &ObservedAnnotation) -> bool {
        let Some(body) = self.bodies.get(&at) else {
            return false;
        };
        let body = stand_in_body(&self.plan.set, self.operation(at), body);
        let sent = serde_json::from_str::<wire::Annotation>(body.as_str())
            .ok()
            .and_then(|wire| self.decode(wire).ok());
        sent.is_some_and(|sent| difference(&sent.content(), stored).is_empty())
            && self.original(Call::PostStandIn, at, stored.info.as_ref())
                == Some(self.operation(at).id.clone())
    }

    /// Judges an annotation that already has the id of the stand-in to post.
    pub(super) fn found_stand_in(&mut self, at: u32, found: &ObservedAnnotation) {
        if self.is_posted(at, self.bodies.get(&at), found) {
            let stand_in = self.posted_stand_in(at, fingerprint(found));
            self.reach(at, Progress::StoodIn(stand_in));
        } else {
            let reason = format!(
                "another annotation has the id `{}` of its stand-in: run the same command again",
                found.id
            );
            self.fail(at, reason, Touched::Nothing);
        }
    }

    /// Whether this is the stand-in of a replacement that is posted as `body`.
    fn is_posted(&self, at: u32, body: Option<&Arc<Json>>, found: &ObservedAnnotation) -> bool {
        let is_it =
            |body: &Arc<Json>| is_stand_in_of(&self.plan.set, self.operation(at), body, found);
        body.is_some_and(is_it)
    }

    /// The id of the original that a stand-in names.
    fn original(&self, call: Call, at: u32, info: Option<&Json>) -> Option<AnnotationId> {
        let (input, id) = (&self.operation(at).input_id, self.id(call, at));
        original_of(&self.plan.set, input, &id, info)
    }

    /// Reads originals, each with its stand-in.
    async fn read_both(&mut self, group: &mut Group) -> Vec<OriginalAndStandIn> {
        let operations = group.take_items();
        let mut names = Vec::with_capacity(2 * operations.len());
        for &at in &operations {
            let input = &self.operation(at).input_id;
            let stand_in = match group.call {
                Call::DeleteLeftBehind => self.operation(at).id.clone(),
                _ => self.id(Call::DeleteStandIn, at),
            };
            names.push((input.clone(), self.original_behind(group.call, at)));
            names.push((input.clone(), stand_in));
        }
        let now = match self.read_names(names).await {
            Ok(now) => now,
            Err(error) => {
                self.fail_all(&operations, &error, group.touched);
                return Vec::new();
            }
        };
        let mut now = now.into_iter();
        let both = |at| OriginalAndStandIn {
            at,
            original: now.next().flatten(),
            stand_in: now.next().flatten(),
        };
        operations.into_iter().map(both).collect()
    }

    /// Keeps the originals that are as the plan saw them, if their stand-ins are as they were posted.
    pub(super) async fn check_deletes_of_originals(&mut self, mut group: Group) -> Group {
        for both in self.read_both(&mut group).await {
            let at = both.at;
            let is_unchanged = (both.stand_in.as_ref()).is_some_and(|it| self.is_unchanged(at, it));
            let outcome = match freshness(self.operation(at), both.original.as_ref()) {
                Freshness::AsPlanned if is_unchanged => {
                    group.items.push(at);
                    continue;
                }
                Freshness::AsPlanned => {
                    let reason = "somebody changed or deleted its stand-in, so the annotation itself was left alone: run the same command again";
                    ItemOutcome::failed(reason, Touched::Nothing)
                }
                Freshness::AsWanted if group.touched.is_nothing() => ItemOutcome::AlreadyUpToDate,
                // Whoever deleted it, the replacement is posted.
                Freshness::HalfReplaced | Freshness::AsWanted => ItemOutcome::Applied,
                Freshness::Stale => stale(both.original, group.touched),
            };
            self.end(at, outcome);
        }
        group
    }

    /// Keeps the posts that can be sent; of those that another run left, the ones whose stand-ins are as the plan saw them.
    pub(super) async fn check_posts(&mut self, mut group: Group) -> Group {
        let (left, others): (Vec<u32>, Vec<u32>) =
            (group.items.iter()).partition(|&&at| self.is_of_another_run(at));
        group.items = left;
        if !group.items.is_empty() {
            for both in self.read_both(&mut group).await {
                let at = both.at;
                let is_unchanged =
                    (both.stand_in.as_ref()).is_some_and(|it| self.is_unchanged(at, it));
                let outcome = match both.original {
                    None if is_unchanged => {
                        if self.make_body_of_stand_in(at, both.stand_in.as_ref(), group.touched) {
                            group.items.push(at);
                        }
                        continue;
                    }
                    Some(it) if is_as_wanted(self.operation(at), &it) => {
                        if group.touched.is_nothing() {
                            ItemOutcome::AlreadyUpToDate
                        } else {
                            ItemOutcome::Applied
                        }
                    }
                    Some(it) => stale(Some(it), group.touched),
                    None => stale(both.stand_in, group.touched),
                };
                self.end(at, outcome);
            }
        }
        for at in others {
            // The body of a replacement was made when its original was read.
            let made = self.stand_ins.get(&at).and_then(|it| it.body.clone());
            if let Some(body) = made {
                self.bodies.insert(at, body);
                group.items.push(at);
            } else if self.make_body(at, None, group.touched) {
                group.items.push(at);
            }
        }
        group.items.sort_unstable();
        group
    }

    /// Whether another run began this replacement.
    fn is_of_another_run(&self, at: u32) -> bool {
        let is_foreign = |it: &StandIn| it.body.is_none();
        self.operation(at).is_unfinished() || self.stand_ins.get(&at).is_some_and(is_foreign)
    }

    /// Makes, from its stand-in, the post of a replacement that another run began.
    fn make_body_of_stand_in(
        &mut self,
        at: u32,
        stand_in: Option<&ObservedAnnotation>,
        touched: Touched,
    ) -> bool {
        if self.operation(at).is_unfinished() {
            return self.make_body(at, stand_in, touched);
        }
        let body = stand_in.and_then(|it| body_of_stand_in(self.operation(at), it));
        let Some(body) = body else {
            let reason = "its stand-in differs from what the plan wants: plan again";
            self.fail(at, reason, touched);
            return false;
        };
        self.bodies.insert(at, Arc::new(body));
        true
    }

    /// Whether a stand-in is as it was last seen. The answer to its post may write it differently than a read does: then it
    /// is compared with what was sent.
    fn is_unchanged(&self, at: u32, stand_in: &ObservedAnnotation) -> bool {
        self.stand_ins.get(&at).is_some_and(|known| {
            known.seen == fingerprint(stand_in) || self.is_posted(at, known.body.as_ref(), stand_in)
        })
    }

    /// Keeps the stand-ins that are unchanged, if their originals exist.
    pub(super) async fn check_stand_ins(&mut self, mut group: Group) -> Group {
        for both in self.read_both(&mut group).await {
            let at = both.at;
            let is_unchanged = (both.stand_in.as_ref()).is_some_and(|it| match group.call {
                Call::DeleteStandIn => self.is_unchanged(at, it),
                _ => self.operation(at).fingerprint() == Some(fingerprint(it)),
            });
            match (both.original, both.stand_in) {
                (_, None) if group.call == Call::DeleteLeftBehind && group.touched.is_nothing() => {
                    self.end(at, ItemOutcome::AlreadyUpToDate);
                }
                (_, None) => self.end(at, ItemOutcome::Applied),
                (None, Some(_)) => {
                    self.fail(at, "its original is gone", Touched::Nothing);
                }
                (Some(_), Some(it)) if is_unchanged => {
                    if group.call == Call::DeleteStandIn
                        || self.make_body(at, Some(&it), Touched::Nothing)
                    {
                        group.items.push(at);
                    }
                }
                (Some(_), it) => self.end(at, stale(it, Touched::Nothing)),
            }
        }
        group
    }

    /// The id of the original of a stand-in that is to be deleted; its own id if it names none.
    fn original_behind(&self, call: Call, at: u32) -> AnnotationId {
        let operation = self.operation(at);
        if call != Call::DeleteLeftBehind {
            return operation.id.clone();
        }
        let info = operation.before().and_then(|it| it.info.as_ref());
        self.original(call, at, info)
            .unwrap_or_else(|| operation.id.clone())
    }
}

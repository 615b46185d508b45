//! Looks around the stand-ins of replacements: before one is posted, and before one is deleted.
//!
//! A stand-in is deleted only while its original is seen: whoever else is at work, what it holds is not lost.

use super::batch::{Ending, Group, Run, is_hopeless, stale};
use super::replace::{Progress, StandIn};
use super::settle::Doubt;
use crate::api::wire;
use crate::model::{AnnotationId, Fingerprint, Json, ObservedAnnotation, difference, fingerprint};
use crate::plan::{
    Call, Freshness, Touched, body_of_stand_in, freshness, is_as_wanted, is_stand_in_of,
    original_of, stand_in_body,
};
use std::sync::Arc;

/// An annotation and its stand-in, as they are now.
struct Both {
    at: u32,
    original: Option<ObservedAnnotation>,
    stand_in: Option<ObservedAnnotation>,
}

impl Run {
    /// Keeps the replacements whose originals are as the plan saw them, and finds out how far an earlier run, or another
    /// one, has come with the rest.
    pub(super) async fn look_at_originals(&mut self, mut group: Group) -> Group {
        let operations = std::mem::take(&mut group.operations);
        let originals = match self.read(Call::DeleteReplaced, &operations).await {
            Ok(now) => now,
            Err(error) => {
                self.fail_all(&operations, &error, Touched::Not);
                self.report.hopeless |= is_hopeless(&error);
                return group;
            }
        };
        let mut others = Vec::new();
        for (at, original) in operations.into_iter().zip(originals) {
            if freshness(self.operation(at), original.as_ref()) != Freshness::AsPlanned {
                others.push((at, original));
            } else if self.make_body(at, original.as_ref(), Touched::Not) {
                group.operations.push(at);
            }
        }
        let names: Vec<u32> = others.iter().map(|(at, _)| *at).collect();
        if names.is_empty() {
            return group;
        }
        let stand_ins = match self.read(Call::PostStandIn, &names).await {
            Ok(now) => now,
            Err(error) => {
                self.fail_all(&names, &error, Touched::Not);
                self.report.hopeless |= is_hopeless(&error);
                return group;
            }
        };
        for ((at, original), stand_in) in others.into_iter().zip(stand_ins) {
            self.resume(at, original, stand_in.as_ref());
        }
        group
    }

    /// Stand-ins that were refused and are not there. Another run may have come to the end of its replacements meanwhile:
    /// its stand-ins were there when these were posted, and are gone. Gives back those whose originals are as planned.
    pub(super) async fn resume_refused(&mut self, refused: Vec<Doubt>) -> Vec<Doubt> {
        if refused.is_empty() {
            return refused;
        }
        let names: Vec<u32> = refused.iter().map(|(at, _)| *at).collect();
        let Ok(originals) = self.read(Call::DeleteReplaced, &names).await else {
            // That they were refused says more.
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

    /// A replacement whose original is not as the plan saw it.
    fn resume(
        &mut self,
        at: u32,
        original: Option<ObservedAnnotation>,
        stand_in: Option<&ObservedAnnotation>,
    ) {
        let ours = stand_in.filter(|it| self.holds_it(at, it));
        let ours = ours.map(|it| StandIn::left(fingerprint(it)));
        let ending = match freshness(self.operation(at), original.as_ref()) {
            Freshness::AsWanted => Ending::AlreadySo,
            _ => stale(original.clone(), Touched::Not),
        };
        match (original, ours) {
            (None, Some(seen)) => self.reach(at, Progress::Deleted(seen)),
            (Some(_), Some(seen)) => self.reach(at, Progress::Settled(seen, ending)),
            (None, None) if stand_in.is_some() => {
                let reason =
                    "it is gone, and its stand-in holds something else than the plan: plan again";
                self.end(at, Ending::Failed(reason.to_owned(), Touched::Not));
            }
            (_, None) => self.end(at, ending),
        }
    }

    /// The service's answer shows what it stores of a stand-in: everything must be there, before the original goes.
    pub(super) fn compare_stand_in(&mut self, at: u32, wire: wire::Annotation) {
        let stored = match self.decode(wire) {
            Ok((_, stored)) => stored,
            Err(error) => {
                let ending = Ending::Failed(error.to_string(), Touched::Not);
                return self.end(at, ending);
            }
        };
        let stand_in = self.stood_in(at, fingerprint(&stored));
        if self.keeps_everything(at, &stored) {
            self.reach(at, Progress::StoodIn(stand_in));
        } else {
            let reason = "the service accepted its stand-in and stored something else, so that the annotation itself was left alone";
            let ending = Ending::Failed(reason.to_owned(), Touched::Not);
            // The answer may show less than is stored: what it is known by is what was posted.
            self.reach(at, Progress::Settled(stand_in, ending));
        }
    }

    /// A stand-in that this run posted.
    fn stood_in(&self, at: u32, seen: Fingerprint) -> StandIn {
        let body = self.bodies.get(&at).cloned();
        StandIn { seen, body }
    }

    /// Whether a stand-in that another run left holds what the replacement is to be, as it says itself.
    fn holds_it(&self, at: u32, stand_in: &ObservedAnnotation) -> bool {
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
        sent.is_some_and(|(_, sent)| difference(&sent.content(), stored).is_empty())
            && self.original(Call::PostStandIn, at, stored.info.as_ref())
                == Some(self.operation(at).id.clone())
    }

    /// Something stands under the id of a stand-in that was to be posted.
    pub(super) fn found_stand_in(&mut self, at: u32, found: &ObservedAnnotation) {
        if self.is_posted(at, self.bodies.get(&at), found) {
            let stand_in = self.stood_in(at, fingerprint(found));
            self.reach(at, Progress::StoodIn(stand_in));
        } else {
            let reason = format!(
                "`{}` is in the way, where its stand-in is to be: run the same command again",
                found.id
            );
            self.end(at, Ending::Failed(reason, Touched::Not));
        }
    }

    /// Whether this is the stand-in of a replacement that is posted as `body`.
    fn is_posted(&self, at: u32, body: Option<&Arc<Json>>, found: &ObservedAnnotation) -> bool {
        let is_it =
            |body: &Arc<Json>| is_stand_in_of(&self.plan.set, self.operation(at), body, found);
        body.is_some_and(is_it)
    }

    /// The annotation that a stand-in stands in for, as it says itself.
    fn original(&self, call: Call, at: u32, info: Option<&Json>) -> Option<AnnotationId> {
        let (input, id) = (&self.operation(at).input_id, self.id(call, at));
        original_of(&self.plan.set, input, &id, info)
    }

    /// Originals, each with its stand-in, as they are now.
    async fn look_at_both(&mut self, group: &mut Group) -> Vec<Both> {
        let operations = std::mem::take(&mut group.operations);
        let mut names = Vec::with_capacity(2 * operations.len());
        for &at in &operations {
            let input = self.operation(at).input_id.to_string();
            let stand_in = match group.call {
                Call::DeleteLeftBehind => self.operation(at).id.clone(),
                _ => self.id(Call::DeleteStandIn, at),
            };
            names.push((input.clone(), self.original_behind(group.call, at)));
            names.push((input, stand_in.to_string()));
        }
        let now = match self.read_names(names).await {
            Ok(now) => now,
            Err(error) => {
                self.fail_all(&operations, &error, group.touched);
                self.report.hopeless |= is_hopeless(&error);
                return Vec::new();
            }
        };
        let mut now = now.into_iter();
        let both = |at| Both {
            at,
            original: now.next().flatten(),
            stand_in: now.next().flatten(),
        };
        operations.into_iter().map(both).collect()
    }

    /// Keeps the originals that are as the plan saw them, and whose stand-ins are as they were posted.
    pub(super) async fn look_before_deletes(&mut self, mut group: Group) -> Group {
        for both in self.look_at_both(&mut group).await {
            let at = both.at;
            let holds = (both.stand_in.as_ref()).is_some_and(|it| self.is_unchanged(at, it));
            let ending = match freshness(self.operation(at), both.original.as_ref()) {
                Freshness::AsPlanned if holds => {
                    group.operations.push(at);
                    continue;
                }
                Freshness::AsPlanned => {
                    let reason = "somebody changed or deleted its stand-in, so that the annotation itself was left alone: run the same command again";
                    Ending::Failed(reason.to_owned(), Touched::Not)
                }
                Freshness::AsWanted if group.touched.is_not() => Ending::AlreadySo,
                // Whoever deleted it: it is posted again, as the plan wants it.
                Freshness::HalfReplaced | Freshness::AsWanted => Ending::Applied,
                Freshness::Stale => stale(both.original, group.touched),
            };
            self.end(at, ending);
        }
        group
    }

    /// Keeps the posts that go on; of those that an earlier run left, the ones whose stand-ins are as the plan saw them.
    pub(super) async fn look_before_posts(&mut self, mut group: Group) -> Group {
        let (left, others): (Vec<u32>, Vec<u32>) =
            (group.operations.iter()).partition(|&&at| self.is_of_another_run(at));
        group.operations = left;
        if !group.operations.is_empty() {
            for both in self.look_at_both(&mut group).await {
                let at = both.at;
                let holds = (both.stand_in.as_ref()).is_some_and(|it| self.is_unchanged(at, it));
                let ending = match both.original {
                    None if holds => {
                        if self.make_body_of_stand_in(at, both.stand_in.as_ref(), group.touched) {
                            group.operations.push(at);
                        }
                        continue;
                    }
                    Some(it) if is_as_wanted(self.operation(at), &it) => {
                        if group.touched.is_not() {
                            Ending::AlreadySo
                        } else {
                            Ending::Applied
                        }
                    }
                    Some(it) => stale(Some(it), group.touched),
                    None => stale(both.stand_in, group.touched),
                };
                self.end(at, ending);
            }
        }
        for at in others {
            // A replacement is posted as it was made when its original was looked at.
            let made = self.stand_ins.get(&at).and_then(|it| it.body.clone());
            if let Some(body) = made {
                self.bodies.insert(at, body);
                group.operations.push(at);
            } else if self.make_body(at, None, group.touched) {
                group.operations.push(at);
            }
        }
        group.operations.sort_unstable();
        group
    }

    /// Whether it is the post of a replacement that another run began.
    fn is_of_another_run(&self, at: u32) -> bool {
        let is_left = |it: &StandIn| it.body.is_none();
        self.operation(at).is_unfinished() || self.stand_ins.get(&at).is_some_and(is_left)
    }

    /// Makes the post of a replacement that another run began out of its stand-in.
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
            let reason = "its stand-in holds something else than the plan: plan again";
            self.end(at, Ending::Failed(reason.to_owned(), touched));
            return false;
        };
        self.bodies.insert(at, Arc::new(body));
        true
    }

    /// Whether a stand-in is what it was when it was last looked at. The answer to its post may spell it otherwise than a
    /// read does: then what was sent counts.
    fn is_unchanged(&self, at: u32, stand_in: &ObservedAnnotation) -> bool {
        self.stand_ins.get(&at).is_some_and(|known| {
            known.seen == fingerprint(stand_in) || self.is_posted(at, known.body.as_ref(), stand_in)
        })
    }

    /// Keeps the stand-ins that are as they were, and whose originals are there.
    pub(super) async fn look_at_stand_ins(&mut self, mut group: Group) -> Group {
        for both in self.look_at_both(&mut group).await {
            let at = both.at;
            let holds = (both.stand_in.as_ref()).is_some_and(|it| match group.call {
                Call::DeleteStandIn => self.is_unchanged(at, it),
                _ => self.operation(at).fingerprint() == Some(fingerprint(it)),
            });
            match (both.original, both.stand_in) {
                (_, None) if group.call == Call::DeleteLeftBehind && group.touched.is_not() => {
                    self.end(at, Ending::AlreadySo);
                }
                (_, None) => self.end(at, Ending::Applied),
                (None, Some(_)) => {
                    let reason = "the annotation that it stands in for is gone";
                    self.end(at, Ending::Failed(reason.to_owned(), Touched::Not));
                }
                (Some(_), Some(it)) if holds => {
                    if group.call == Call::DeleteStandIn
                        || self.make_body(at, Some(&it), Touched::Not)
                    {
                        group.operations.push(at);
                    }
                }
                (Some(_), it) => self.end(at, stale(it, Touched::Not)),
            }
        }
        group
    }

    /// The id of the annotation that a stand-in to be deleted stands in for; its own where it names none.
    fn original_behind(&self, call: Call, at: u32) -> String {
        let operation = self.operation(at);
        if call != Call::DeleteLeftBehind {
            return operation.id.to_string();
        }
        let info = operation.before().and_then(|it| it.info.as_ref());
        self.original(call, at, info)
            .unwrap_or_else(|| operation.id.clone())
            .to_string()
    }
}

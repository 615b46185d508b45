//! Purges as text: what they delete, and who made it. Always complete.

use super::change::ShownChange;
use super::notation;
use super::options::Detail;
use super::page::{Ink, Page};
use super::phrase::Phrase;
use crate::model::{UserId, counted, plural, thousands};
use crate::plan::{Purge, PurgedAnnotation};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Users that a heading names.
const NAMED: usize = 10;

/// One line per input; if everything is shown, one more per annotation, and its content with `Full`.
pub(super) fn write(page: &mut Page, purges: &[&Purge], detail: Detail) {
    for purge in purges {
        let heading = format!(
            "! purge {}: {} ({})",
            purge.input_id,
            extent(purge),
            makers(purge).text()
        );
        page.line(Ink::Removed, &heading);
        if matches!(detail, Detail::All | Detail::Full) {
            for annotation in &purge.annotations {
                write_annotation(page, purge, annotation);
                if detail == Detail::Full {
                    let content = notation::one_line(&annotation.before);
                    page.line(Ink::Removed, &format!("        {content}"));
                }
            }
        }
    }
}

/// What is deleted, as text.
pub(super) fn extent(purge: &Purge) -> String {
    match purge.annotations.len() as u64 {
        1 => "deletes its 1 annotation, whoever made it".to_owned(),
        count => format!(
            "deletes all {}, whoever made them",
            counted(count, "annotation")
        ),
    }
}

fn write_annotation(page: &mut Page, purge: &Purge, annotation: &PurgedAnnotation) {
    let change = ShownChange::of_purged(purge, annotation);
    let place = (change.place()).map_or_else(String::new, |place| format!(": {place}"));
    let words = format!("    - {}{place}", change.subject());
    let maker = match (&annotation.user, annotation.model_version.as_deref()) {
        (_, Some("")) => "made by a model".to_owned(),
        (_, Some(version)) => format!("made by model version {version}"),
        (Some(user), None) => format!("by {user}"),
        (None, None) => "author unknown".to_owned(),
    };
    page.put(Ink::Removed, &words)
        .put(Ink::Faint, &format!(" ({maker})"))
        .end();
}

/// Who made the annotations: users by falling count, then unknown authors, then models.
pub(super) fn makers(purge: &Purge) -> Phrase {
    let mut by_models = 0;
    let mut by_unknown = 0;
    let mut counts: BTreeMap<&UserId, u64> = BTreeMap::new();
    for annotation in &purge.annotations {
        match (&annotation.user, &annotation.model_version) {
            (_, Some(_)) => by_models += 1,
            (Some(user), None) => *counts.entry(user).or_default() += 1,
            (None, None) => by_unknown += 1,
        }
    }
    let mut users: Vec<(&UserId, u64)> = counts.into_iter().collect();
    users.sort_by_key(|(_, count)| Reverse(*count));
    let mut parts: Vec<Phrase> = users
        .iter()
        .take(NAMED)
        .map(|(user, count)| Phrase::from(format!("{} by ", thousands(*count))).name(user.as_str()))
        .collect();
    if let Some(rest) = users.get(NAMED..).filter(|rest| !rest.is_empty()) {
        let count: u64 = rest.iter().map(|(_, count)| count).sum();
        let others = counted(rest.len() as u64, "other user");
        parts.push(format!("{} by {others}", thousands(count)).into());
    }
    let anonymous = [
        (
            by_unknown,
            plural(by_unknown, "an unknown author", "unknown authors"),
        ),
        (by_models, plural(by_models, "a model", "models")),
    ];
    for (count, words) in anonymous.into_iter().filter(|(count, _)| *count > 0) {
        parts.push(format!("{} by {words}", thousands(count)).into());
    }
    Phrase::joined(parts, ", ")
}

#[cfg(test)]
mod tests {
    use crate::model::{AnnotationId, UserId};
    use crate::render::sample::{plan, posted, purge};
    use crate::render::{Detail, TextOptions, text};

    #[test]
    fn purges_come_first_and_name_the_users_whose_annotations_they_delete() {
        let makers = ["bea", "ann", "model", "bea", "nobody", "model", "bea"];
        let mut plan = plan(vec![posted("a", 1)]);
        plan.purges = vec![purge("street-0003", &makers), purge("z", &["ann"])];
        plan.summary.purge = 2;
        plan.summary.purged = 8;
        insta::assert_snapshot!(text(&plan, &TextOptions::default()), @r"
        Label set street on acme/street at https://api.clarifai.com, policy sync: 2 inputs to purge (8 annotations), 1 to post.
        App: https://clarifai.com/acme/street

        Warning: apply purges only with --allow-purge.

        ! purge street-0003: deletes all 7 annotations, whoever made them (3 by bea, 1 by ann, 1 by an unknown author, 2 by models)
        ! purge z: deletes its 1 annotation, whoever made it (1 by ann)

        a
          + post box [person] as-…-00000001…: top, 16 % of the image

        Plan: 2 inputs to purge (8 annotations), 1 to post; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
        ");
    }

    #[test]
    fn full_detail_lists_every_purged_annotation() {
        let mut plan = plan(Vec::new());
        plan.purges = vec![purge("a", &["bea", "model", "nobody"])];
        plan.purges[0].annotations[1].model_version = Some(String::new());
        plan.summary.purge = 1;
        plan.summary.purged = 3;
        let full = TextOptions {
            detail: Detail::Full,
            ..TextOptions::default()
        };
        insta::assert_snapshot!(text(&plan, &full), @r"
        Label set street on acme/street at https://api.clarifai.com, policy sync: 1 input to purge (3 annotations).
        App: https://clarifai.com/acme/street

        Warning: apply purges only with --allow-purge.

        ! purge a: deletes all 3 annotations, whoever made them (1 by bea, 1 by an unknown author, 1 by a model)
            - box [car] gone-0: top, 16 % of the image (by bea)
                {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [car]}
            - box [car] gone-1: top, 16 % of the image (made by a model)
                {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [car]}
            - box [car] gone-2: top, 16 % of the image (author unknown)
                {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [car]}

        Plan: 1 input to purge (3 annotations); 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
        ");
    }

    #[test]
    fn purges_are_never_left_out() {
        let mut plan = plan((0..300).map(|n| posted("b", n)).collect());
        plan.purges = (0..500)
            .map(|n| purge(&format!("in-{n:03}"), &["ann"]))
            .collect();
        let users: Vec<String> = (0..12).map(|n| format!("user-{n:02}")).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        plan.purges.push(purge("many", &users));
        let text = text(&plan, &TextOptions::default());
        assert_eq!(
            text.lines().filter(|l| l.starts_with("! purge ")).count(),
            501
        );
        assert!(text.contains("(1 by user-00, 1 by user-01, "), "{text}");
        assert!(
            text.contains(", 1 by user-09, 2 by 2 other users)"),
            "{text}"
        );
    }

    #[test]
    fn names_in_purges_are_escaped() {
        let mut plan = plan(Vec::new());
        plan.purges = vec![purge("a\u{200b}", &["ann"])];
        let gone = &mut plan.purges[0].annotations[0];
        gone.id = AnnotationId::new("b\u{feff}").unwrap();
        gone.user = Some(UserId::new("c\u{200b}").unwrap());
        let full = TextOptions {
            detail: Detail::Full,
            ..TextOptions::default()
        };
        let text = text(&plan, &full);
        assert!(!text.contains(['\u{200b}', '\u{feff}']), "{text:?}");
    }
}

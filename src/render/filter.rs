//! The changes of a plan that are shown. A filter does not limit what is applied.

use super::phrase::Phrase;
use crate::model::{ConceptId, Content, InputId};
use crate::plan::{Action, AppChange, AppChangeKind, Operation, Purge};
use crate::pull::InputPattern;
use std::collections::BTreeSet;

/// A kind of change, as `--only` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Deletes, purges, and replacements, which delete the original.
    Deletes,
    /// Posts of annotations and inputs.
    Posts,
    /// Changes in place: merges, overwrites, removes.
    Patches,
}

impl Kind {
    pub fn of(action: Action) -> Self {
        match action {
            Action::Delete | Action::Replace => Self::Deletes,
            Action::Overwrite | Action::Remove | Action::Merge => Self::Patches,
            Action::Post => Self::Posts,
        }
    }

    /// The value of `--only`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deletes => "deletes",
            Self::Posts => "posts",
            Self::Patches => "patches",
        }
    }
}

/// Conditions on the changes that are shown. An empty set excludes nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Kinds of changes.
    pub only: BTreeSet<Kind>,
    /// Inputs that match any of these patterns.
    pub inputs: Vec<InputPattern>,
    /// Annotations that have any of these concepts, before or after.
    pub concepts: BTreeSet<ConceptId>,
}

impl Filter {
    /// Whether the filter excludes nothing.
    pub fn is_everything(&self) -> bool {
        self.only.is_empty() && self.inputs.is_empty() && self.concepts.is_empty()
    }

    /// The filter as text: `deletes and posts on street-* naming car`. `None` if it excludes nothing.
    pub fn words(&self) -> Option<String> {
        self.phrase().map(|phrase| phrase.text())
    }

    pub(super) fn phrase(&self) -> Option<Phrase> {
        if self.is_everything() {
            return None;
        }
        let kinds: Vec<&str> = self.only.iter().map(|kind| kind.word()).collect();
        let kinds = if kinds.is_empty() {
            "changes".to_owned()
        } else {
            kinds.join(" and ")
        };
        let either = |names: Vec<&str>| {
            Phrase::joined(
                names.into_iter().map(|name| Phrase::new().name(name)),
                " or ",
            )
        };
        let mut parts = vec![Phrase::from(kinds)];
        if !self.inputs.is_empty() {
            let inputs = self.inputs.iter().map(InputPattern::text).collect();
            parts.push(Phrase::from("on ").then(either(inputs)));
        }
        if !self.concepts.is_empty() {
            let concepts = self.concepts.iter().map(ConceptId::as_str).collect();
            parts.push(Phrase::from("naming ").then(either(concepts)));
        }
        Some(Phrase::joined(parts, " "))
    }

    pub fn shows(&self, operation: &Operation) -> bool {
        let sides = [operation.before(), operation.after()];
        self.matches_kind(Kind::of(operation.action()))
            && self.matches_input(&operation.input_id)
            && self.matches_concepts(sides.into_iter().flatten())
    }

    pub fn shows_app_change(&self, change: &AppChange) -> bool {
        let kind = match change.kind {
            AppChangeKind::Added => Kind::Posts,
            AppChangeKind::Changed => Kind::Patches,
            AppChangeKind::Deleted => Kind::Deletes,
        };
        self.matches_kind(kind)
            && self.matches_input(&change.input_id)
            && self.matches_concepts([&change.content].into_iter())
    }

    pub fn shows_purge(&self, purge: &Purge) -> bool {
        let contents = purge
            .annotations
            .iter()
            .map(|annotation| &annotation.before);
        self.matches_kind(Kind::Deletes)
            && self.matches_input(&purge.input_id)
            && self.matches_concepts(contents)
    }

    /// Whether a result is shown, given the contents of its annotation.
    pub(super) fn shows_result<'a>(
        &self,
        kind: Kind,
        input: &InputId,
        contents: impl Iterator<Item = &'a Content>,
    ) -> bool {
        self.shows_failure(kind, input) && self.matches_concepts(contents)
    }

    /// Whether a result without recorded concepts is shown.
    pub(super) fn shows_failure(&self, kind: Kind, input: &InputId) -> bool {
        self.matches_kind(kind) && self.matches_input(input)
    }

    fn matches_kind(&self, kind: Kind) -> bool {
        self.only.is_empty() || self.only.contains(&kind)
    }

    fn matches_input(&self, input: &InputId) -> bool {
        self.inputs.is_empty() || self.inputs.iter().any(|pattern| pattern.matches(input))
    }

    fn matches_concepts<'a>(&self, contents: impl Iterator<Item = &'a Content>) -> bool {
        let mut named = contents
            .filter_map(|content| content.concepts.as_ref())
            .flatten();
        self.concepts.is_empty() || named.any(|concept| self.concepts.contains(&concept.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Cause;
    use crate::render::sample::{
        against_main, app_change, caused, deleted, moved, plan, posted, purge, relabelled,
    };
    use crate::render::{MarkdownOptions, TextOptions, markdown, text};

    fn filter(only: &[Kind], inputs: &[&str], concepts: &[&str]) -> Filter {
        Filter {
            only: only.iter().copied().collect(),
            inputs: inputs.iter().map(|text| InputPattern::new(text)).collect(),
            concepts: concepts
                .iter()
                .map(|id| ConceptId::new(*id).unwrap())
                .collect(),
        }
    }

    #[test]
    fn a_filter_is_described_in_words() {
        let words = |filter: Filter| filter.words();
        assert_eq!(words(Filter::default()), None);
        for (filter, words) in [
            (
                filter(&[Kind::Patches, Kind::Deletes], &[], &[]),
                "deletes and patches",
            ),
            (filter(&[], &["a*", "b"], &[]), "changes on a* or b"),
            (
                filter(&[Kind::Posts], &["a*"], &["car", "bus"]),
                "posts on a* naming bus or car",
            ),
        ] {
            assert_eq!(filter.words().unwrap(), words);
        }
    }

    #[test]
    fn hidden_changes_are_counted_and_totals_stay_complete() {
        let mut plan = plan(vec![posted("a", 1), deleted("a"), relabelled(), moved()]);
        plan.purges = vec![purge("b", &["ann"]), purge("c", &["ann"])];
        plan.summary.purge = 2;
        plan.summary.purged = 2;
        plan.summary.classes = vec![crate::render::sample::class("person", 0, 1)];
        let options = TextOptions {
            filter: filter(&[Kind::Deletes], &["[ab]"], &[]),
            ..TextOptions::default()
        };
        insta::assert_snapshot!(text(&plan, &options), @r"
        Label set street on acme/street at https://api.clarifai.com, policy sync: 2 inputs to purge (2 annotations), 1 to post, 1 to merge, 1 to overwrite, 1 to delete.
        App: https://clarifai.com/acme/street

        Warning: apply purges only with --allow-purge.

        Classes: person 0 -> 1 (+1)

        Only deletes on [ab]: 2 of 6 changes shown; apply carries out all of them.

        ! purge b: deletes its 1 annotation, whoever made it (1 by ann)

        a
          - delete box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b: top, 16 % of the image; by me (not declared)

        Plan: 2 inputs to purge (2 annotations), 1 to post, 1 to merge, 1 to overwrite, 1 to delete; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
        ");
        let options = MarkdownOptions {
            filter: options.filter,
            ..MarkdownOptions::default()
        };
        insta::assert_snapshot!(markdown(&plan, &options), @r#"
        <!-- annosync:plan street acme/street -->
        ## annosync plan: 2 inputs to purge (2 annotations), 1 to post, 1 to merge, 1 to overwrite, 1 to delete

        Label set `street` on `acme/street` at `https://api.clarifai.com`, policy `sync`. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.

        | post | merge | overwrite | delete | unchanged | unmanaged | inputs purged | annotations purged |
        | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
        | 1 | 1 | 1 | 1 | 1,815 | 7 | 2 | 2 |

        > **Warning:** apply purges only with --allow-purge.

        **Filtered.** Only deletes on `[ab]`: 2 of 6 changes shown; apply carries out all of them.

        ### Classes

        | class | before | after | change |
        | --- | ---: | ---: | ---: |
        | `person` | 0 | 1 | +1 |

        ### Deletes

        | input | change | user | reason |
        | --- | --- | --- | --- |
        | `b` | purge: deletes its 1 annotation, whoever made it | 1 by `ann` | `purge: true` |
        | `a` | delete `box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b` | `me` | not declared |

        ### Changes by input

        <details open><summary><a href="https://clarifai.com/acme/street/inputs/a"><code>a</code></a>: 1 to delete</summary>

        ```diff
        - delete box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b: top, 16 % of the image; by me (not declared)
        ```

        </details>
        "#);
    }

    #[test]
    fn a_filter_applies_to_app_changes_too() {
        let mut plan = plan(vec![
            caused(moved(), Cause::Drift, Some("bea")),
            caused(deleted("a"), Cause::Drift, Some("bea")),
        ]);
        let added = crate::plan::AppChangeKind::Added;
        plan.drift = vec![app_change(&relabelled(), added, None, Vec::new())];
        let options = TextOptions {
            filter: filter(&[], &["a"], &[]),
            ..TextOptions::default()
        };
        let plan = against_main(plan);
        let shown = text(&plan, &options);
        assert!(
            shown.contains("- delete") && !shown.contains("~ ") && !shown.contains("+ added"),
            "{shown}"
        );
        for sentence in [
            "Only changes on a: 1 of 2 changes shown; apply carries out all of them.\n",
            "Reverts changes made in the app since main (1a2b3c4): 2 changes (1 shown)\n",
            "Changed in the app since main (1a2b3c4): 1 annotation left alone.",
        ] {
            assert!(shown.contains(sentence), "{sentence} in\n{shown}");
        }
        // The total is shown even if no change is.
        let filter = filter(&[], &["z"], &[]);
        let markdown = markdown(
            &plan,
            &MarkdownOptions {
                filter,
                ..MarkdownOptions::default()
            },
        );
        assert!(markdown.contains("\n2 changes (0 shown).\n"), "{markdown}");
    }
}

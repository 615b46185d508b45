//! What a manifest says to the linter: the levels of the header's `lint`, and `ignore` of inputs and annotations.

use super::at::At;
use super::node::Node;
use super::words::{list, quote};
use crate::model::{Ignore, Level, Rule};
use std::collections::BTreeMap;

const IGNORE: [&str; 2] = ["rule", "reason"];

/// Reads the levels of rules.
pub(super) fn levels(at: At<'_, '_>) -> BTreeMap<Rule, Level> {
    let mut levels = BTreeMap::new();
    let Some(entries) = at.map("`lint`", "a map from rules to levels") else {
        return levels;
    };
    for (name, at) in at.text_entries(entries) {
        let Some(rule) = Rule::of(name) else {
            at.key_error(format!("unknown rule {}", quote(name)))
                .hint(unknown_hint(name));
            continue;
        };
        let level = level(at);
        if let Some(level) = level
            && rule.is_of_manifest()
            && level != Level::Error
        {
            at.error(format!(
                "{} must be `error`, found `{}`",
                quote(name),
                level.name()
            ))
            .hint("a manifest that breaks this rule is invalid; leave the rule out");
            continue;
        }
        levels.extend(level.map(|level| (rule, level)));
    }
    levels
}

fn level(at: At<'_, '_>) -> Option<Level> {
    let names = || list(Level::ALL.map(|(name, _)| name));
    // YAML 1.1 reads a plain `off` as false; annosync reads it as text.
    let Node::Text(text) = at.node else {
        at.wrong_type("a level", &format!("one of {}", names()));
        return None;
    };
    let known = Level::ALL.into_iter().find(|(name, _)| name == text);
    if known.is_none() {
        at.error(format!("unknown level {}", quote(text)))
            .hint(format!("allowed: {}", names()));
    }
    known.map(|(_, level)| level)
}

fn unknown_hint(name: &str) -> String {
    let all = "`annosync help lint-rules` lists the rules";
    match Rule::nearest(name) {
        Some(near) => format!("did you mean {}? {all}", quote(near.name())),
        None => all.to_owned(),
    }
}

/// Reads `ignore`. Elements with an error are left out: a manifest with errors is used for nothing else.
pub(super) fn ignores(at: At<'_, '_>) -> Vec<Ignore> {
    let expected = "a list of rules with reasons";
    let Some(elements) = at.list("`ignore`", expected) else {
        return Vec::new();
    };
    at.elements(elements).filter_map(ignore).collect()
}

fn ignore(at: At<'_, '_>) -> Option<Ignore> {
    let fields = at.fields("an `ignore`", &IGNORE)?;
    let hint =
        "write which rule and why: { rule: near-duplicate, reason: two panes of one window }";
    let rule = fields.require("rule", "an `ignore`", hint).and_then(rule);
    let reason = fields
        .require("reason", "an `ignore`", hint)
        .and_then(|at| at.nonempty_text("`reason`", "say why the finding is right as it is"));
    Some(Ignore {
        rule: rule?,
        reason: reason?.into(),
    })
}

fn rule(at: At<'_, '_>) -> Option<Rule> {
    let name = at.text("`rule`")?;
    let rule = Rule::of(name);
    match rule {
        None => {
            at.error(format!("unknown rule {}", quote(name)))
                .hint(unknown_hint(name));
        }
        Some(rule) if rule.is_of_manifest() || rule == Rule::UnusedIgnore => {
            at.error(format!("{} cannot be ignored", quote(name))).hint(
                if rule == Rule::UnusedIgnore {
                    "remove the `ignore` that matches no finding"
                } else {
                    "a manifest that breaks this rule is invalid; correct the annotation"
                },
            );
            return None;
        }
        Some(_) => {}
    }
    rule
}

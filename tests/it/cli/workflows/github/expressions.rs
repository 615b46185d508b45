//! The expressions of workflows that this model of GitHub knows.

use std::collections::BTreeMap;

/// A text with its expressions evaluated.
pub(super) fn filled(text: &str, context: &BTreeMap<String, String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").unwrap();
        let value = context.get(expression.trim());
        let value = value.unwrap_or_else(|| panic!("not known here: {expression}"));
        filled.extend([before, value]);
        rest = after;
    }
    filled + rest
}

/// Whether a step runs: with this condition, after steps that ended with this exit code.
pub(super) fn goes(condition: Option<&str>, code: i32, context: &BTreeMap<String, String>) -> bool {
    match condition {
        None => code == 0,
        Some("always()") => true,
        Some(all) => code == 0 && all.split(" && ").all(|one| holds(one, context)),
    }
}

/// Whether a condition, `a == b` or `a != b`, is true.
pub(super) fn holds(condition: &str, context: &BTreeMap<String, String>) -> bool {
    let value = |name: &str| {
        let literal = name
            .trim()
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''));
        literal.map_or_else(|| context[name.trim()].clone(), str::to_owned)
    };
    if let Some((left, right)) = condition.split_once(" == ") {
        return value(left) == value(right);
    }
    let (left, right) = condition.split_once(" != ").unwrap();
    value(left) != value(right)
}

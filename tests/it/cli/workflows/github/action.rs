//! Pull requests that are planned by `action.yml`.

use super::super::texts::{action, at, list, scalar};
use super::super::{LABELS, WHEEL};
use super::hub::GitHub;
use serde_yaml::Value;
use std::collections::BTreeMap;

/// Replaces the steps of the workflow for pull requests by the action's; only the checkout stays. The action has no
/// variables of the workflow.
pub(super) fn take_over(workflow: &mut Value) {
    workflow["env"] = Value::Null;
    let steps = &mut workflow["jobs"]["plan"]["steps"];
    let mut before = list(Some(steps)).iter();
    let checkout = before.find(|step| step.get("uses").is_some());
    let mut all = vec![checkout.unwrap().clone()];
    all.extend_from_slice(list(at(&action(), &["runs", "steps"])));
    *steps = Value::Sequence(all);
}

/// The inputs of the action: those that a workflow gives, and the defaults of the others.
pub(super) fn inputs(url: &str) -> BTreeMap<String, String> {
    let action = action();
    let mut inputs = BTreeMap::new();
    for (name, input) in action["inputs"].as_mapping().unwrap() {
        if input.get("required").is_none() {
            inputs.insert(scalar(name), scalar(&input["default"]));
        }
    }
    assert_eq!(inputs["endpoint"], "https://api.clarifai.com");
    assert_eq!(inputs["github-token"], "${{ github.token }}");
    for (name, value) in [
        ("package", WHEEL),
        ("plan", "true"),
        ("token", "owner-key"),
        ("endpoint", url),
        ("github-token", "github-token"),
    ] {
        inputs.insert(name.to_owned(), value.to_owned());
    }
    let named = |(name, value)| (format!("inputs.{name}"), value);
    inputs.into_iter().map(named).collect()
}

/// The action installs, plans, comments and fails as the workflow does; the plan that it stores is applied.
#[test]
fn a_pull_request_is_planned_by_the_action() {
    let Some(mut hub) = GitHub::new() else { return };
    hub.by_action = true;
    hub.project.guard_few();
    hub.project.branch("guards");
    hub.push(1, "guards").exits(0);
    hub.merge(1, "guards").exits(0);
    hub.project.branch("edit");
    hub.project
        .edit(LABELS, "concepts: [car]", "concepts: [person]");
    hub.project
        .edit(LABELS, "concepts: [car]", "concepts: [person]");
    let stopped = hub.push(2, "edit").exits(3);
    assert!(stopped.log.contains("annosync 0."), "{}", stopped.log);
    let comment = hub.comment(2);
    assert!(comment.starts_with("<!-- annosync:plan"), "{comment}");
    assert!(comment.contains("annosync-allow-guards"), "{comment}");
    let planned = hub.label(2, "annosync-allow-guards").exits(0);
    assert_ne!(hub.comment(2), comment);
    assert!(planned.summary.contains("person"), "{}", planned.summary);
    let artifact = |name: &str| hub.artifact(planned.id, name);
    assert!(
        artifact("annosync-pictures")
            .join("sheet-001.png")
            .is_file()
    );
    assert!(artifact("annosync-plan").join("plan.json").is_file());
    assert_eq!(hub.project.world.writes().len(), 0, "a plan writes nothing");
    hub.merge(2, "edit").exits(0);
    hub.project.is_settled();
}

//! Plan files whose drift somebody changed.

use super::{CAR, HERE, KEEP, REVERT, a, against};
use crate::support::{boxed, desired, observed, whole};
use annosync::plan;
use annosync::render;
use serde_json::{Value, json};

/// Changes to a plan file that would hide that drift is reverted, or the reverse.
#[test]
fn a_plan_file_with_inconsistent_drift_is_refused() {
    let seen = observed(&[
        boxed("a", "x", HERE, &["car", "tree"]),
        whole("a", "w", &[("night", 1.0)]),
    ]);
    let before = desired(&a(&[CAR, "concepts: [night]"]));
    let now = desired(&a(&[CAR, "concepts: [night, rain]"]));
    let read = |plan: &Value| plan::read(&plan.to_string());
    let refused = |decided, change: &dyn Fn(&mut Value)| {
        let plan = against(&before, &now, &seen, decided);
        let mut plan: Value = serde_json::from_str(&render::json(&plan)).unwrap();
        read(&plan).unwrap();
        change(&mut plan);
        match read(&plan) {
            Err(error) => assert!(
                error.to_string().contains("the plan was altered"),
                "{error}"
            ),
            Ok(_) => panic!("accepted: {plan:#}"),
        }
    };
    let keep = |change: &dyn Fn(&mut Value)| refused(KEEP, change);
    let all = |change: &dyn Fn(&mut Value)| refused(REVERT, change);
    keep(&|plan| plan["drift"][0]["decision"] = json!("reverted"));
    keep(&|plan| plan["drift"] = json!([]));
    keep(&|plan| plan["summary"]["held_back"]["drift"] = json!(2));
    keep(&|plan| {
        plan.as_object_mut().unwrap().remove("base");
    });
    keep(&|plan| {
        let twice = plan["drift"][0].clone();
        plan["drift"].as_array_mut().unwrap().push(twice);
        for count in ["drift", "drift_changed"] {
            plan["summary"][count] = json!(2);
        }
        plan["summary"]["held_back"]["drift"] = json!(2);
    });
    keep(&|plan| plan["operations"][0]["cause"] = json!("drift"));
    keep(&|plan| plan["guards"] = json!([{"guard": "drift", "count": 2}]));
    all(&|plan| {
        plan.as_object_mut().unwrap().remove("base");
    });
    all(&|plan| {
        plan["operations"][0]
            .as_object_mut()
            .unwrap()
            .remove("cause");
    });
    all(&|plan| {
        for operation in plan["operations"].as_array_mut().unwrap() {
            operation["cause"] = json!("intended");
        }
    });
    all(&|plan| plan["drift"][0]["decision"] = json!("kept"));
    all(&|plan| plan["summary"]["conflicts"] = json!(1));
    all(&|plan| {
        plan["summary"].as_object_mut().unwrap().remove("drift");
    });
}

//! The log of an apply: one line of JSON for each operation, purge and input when it ends.

use crate::model::{AnnotationId, InputId, Key};
use crate::plan::{Action, Plan};
use serde::Serialize;

/// The subject of a line, as an index into a list of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logged {
    Operation(u32),
    Purge(u32),
    /// An input that is posted or waited for.
    Input(u32),
    /// An input that an undo deletes.
    DeletedInput(u32),
}

#[derive(Serialize)]
struct OperationLine<'a, E> {
    #[serde(flatten)]
    ended: &'a E,
    operation: u32,
    action: Action,
    input_id: &'a InputId,
    id: &'a AnnotationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a Key>,
}

#[derive(Serialize)]
struct InputLine<'a, E> {
    #[serde(flatten)]
    ended: &'a E,
    input: u32,
    action: &'static str,
    input_id: &'a InputId,
}

#[derive(Serialize)]
struct PurgeLine<'a, E> {
    #[serde(flatten)]
    ended: &'a E,
    purge: u32,
    action: &'static str,
    input_id: &'a InputId,
    annotations: usize,
}

/// The start of every line. No other file of annosync starts with it.
pub const LOG_LINE_START: &str = r#"{"ended":"#;

/// A line with its line feed and without a time. `ended` is an object with the result, whose first field is `ended`.
pub fn log_line(plan: &Plan, what: Logged, ended: &impl Serialize) -> String {
    let line = match what {
        Logged::Operation(at) => {
            let operation = &plan.operations[at as usize];
            serde_json::to_string(&OperationLine {
                operation: at,
                action: operation.action(),
                input_id: &operation.input_id,
                id: &operation.id,
                key: operation.key.as_ref(),
                ended,
            })
        }
        Logged::Purge(at) => {
            let purge = &plan.purges[at as usize];
            serde_json::to_string(&PurgeLine {
                purge: at,
                action: "purge",
                input_id: &purge.input_id,
                annotations: purge.annotations.len(),
                ended,
            })
        }
        Logged::Input(at) => {
            let input = &plan.inputs[at as usize];
            serde_json::to_string(&InputLine {
                input: at,
                action: if input.is_posted() {
                    "post_input"
                } else {
                    "wait_for_input"
                },
                input_id: &input.input_id,
                ended,
            })
        }
        Logged::DeletedInput(at) => serde_json::to_string(&InputLine {
            input: at,
            action: "delete_input",
            input_id: &plan.deleted_inputs[at as usize],
            ended,
        }),
    };
    let mut line = line.expect("names and plain words are JSON");
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;
    use serde_json::json;

    #[test]
    fn a_line_has_the_change_and_its_result() {
        let mut plan = sample::plan(vec![sample::moved(), sample::deleted("z")]);
        plan.purges = vec![sample::purge("street-3", &["ann", "bea"])];
        let failed =
            json!({"ended": "failed", "reason": "no\nsuch thing\u{1b}[1A", "touched": "perhaps"});
        let mut lines = log_line(&plan, Logged::Operation(0), &json!({"ended": "applied"}));
        lines += &log_line(&plan, Logged::Operation(1), &failed);
        lines += &log_line(&plan, Logged::Purge(0), &json!({"ended": "not_attempted"}));
        assert!(lines.lines().all(|line| line.starts_with(LOG_LINE_START)));
        insta::assert_snapshot!(lines, @r#"
        {"ended":"applied","operation":0,"action":"overwrite","input_id":"street-1","id":"as-6008c26f-8351886876b0289205ee","key":"red-car"}
        {"ended":"failed","reason":"no\nsuch thing\u001b[1A","touched":"perhaps","operation":1,"action":"delete","input_id":"z","id":"300b8e39a65e4f33ae4e15e86eaf4a3b"}
        {"ended":"not_attempted","purge":0,"action":"purge","input_id":"street-3","annotations":2}
        "#);
    }
}

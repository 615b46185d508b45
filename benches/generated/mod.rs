//! Generated annotations, the same on every machine.

use annosync::plan::{Allowances, Context, Inventory, Target};
use std::fmt::Write as _;

/// Boxes on one input.
pub(crate) const PER_INPUT: usize = 20;

pub(crate) const HEADER: &str = "version: 1\nset: bench\npolicy: sync\n";
pub(crate) const CONCEPTS: [&str; 8] = [
    "car", "bus", "tree", "person", "sign", "bike", "dog", "lamp",
];

/// A fixed sequence that looks like chance: the same boxes on every machine.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }

    /// Top, left, bottom, right.
    fn edges(&mut self, side: f64) -> [f64; 4] {
        let (top, left) = (self.roll() * (1.0 - side), self.roll() * (1.0 - side));
        let length = side * (0.5 + self.roll() / 2.0);
        [top, left, top + length, left + length]
    }
}

/// Which part of the remote a declared box differs from.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    /// All boxes are as they were.
    None,
    /// One in ten was moved a little, one in a hundred is new, one in a hundred has another concept.
    Some,
}

/// The boxes of all inputs, as (input, edges, concept).
pub(crate) fn boxes(
    count: usize,
    per_input: usize,
    side: f64,
    change: Change,
) -> Vec<(usize, [f64; 4], &'static str)> {
    let mut dice = Dice(7);
    let mut all = Vec::with_capacity(count);
    for at in 0..count {
        let mut edges = dice.edges(side);
        let mut concept = CONCEPTS[at % CONCEPTS.len()];
        if let Change::Some = change {
            match at % 100 {
                0 => edges = [1.0 - edges[2], edges[1], 1.0 - edges[0], edges[3]],
                1 => concept = CONCEPTS[(at + 1) % CONCEPTS.len()],
                n if n % 10 == 2 => {
                    edges[0] = (edges[0] + side / 50.0).min(edges[2]);
                }
                _ => {}
            }
        }
        all.push((at / per_input, edges, concept));
    }
    all
}

pub(crate) fn yaml(boxes: &[(usize, [f64; 4], &str)]) -> String {
    let mut text = format!("{HEADER}inputs:\n");
    for group in boxes.chunk_by(|a, b| a.0 == b.0) {
        let _ = writeln!(text, "  - id: input-{:07}\n    annotations:", group[0].0);
        for (_, [top, left, bottom, right], concept) in group {
            let _ = writeln!(
                text,
                "      - {{ box: {{ top: {top:.6}, left: {left:.6}, bottom: {bottom:.6}, right: {right:.6} }}, concepts: [{concept}] }}"
            );
        }
    }
    text
}

pub(crate) fn json_lines(boxes: &[(usize, [f64; 4], &str)]) -> String {
    let mut text = String::new();
    for group in boxes.chunk_by(|a, b| a.0 == b.0) {
        let annotations: Vec<String> = group
            .iter()
            .map(|(_, [top, left, bottom, right], concept)| {
                format!(
                    r#"{{"box":{{"top":{top:.6},"left":{left:.6},"bottom":{bottom:.6},"right":{right:.6}}},"concepts":["{concept}"]}}"#
                )
            })
            .collect();
        let _ = writeln!(
            text,
            r#"{{"id":"input-{:07}","annotations":[{}]}}"#,
            group[0].0,
            annotations.join(",")
        );
    }
    text
}

/// A box as the service stores it: (input, edges, concept).
pub(crate) fn stored(
    at: usize,
    (input, [top, left, bottom, right], concept): &(usize, [f64; 4], &str),
) -> String {
    format!(
        r#"{{"id":"{at:032x}","input_id":"input-{input:07}","user_id":"ann","status":{{"code":24150}},"created_at":"2026-01-01T00:00:00Z","data":{{"regions":[{{"id":"{at:031x}r","region_info":{{"bounding_box":{{"top_row":{top:.6},"left_col":{left:.6},"bottom_row":{bottom:.6},"right_col":{right:.6}}}}},"data":{{"concepts":[{{"id":"{concept}","name":"{concept}","value":1}}]}}}}]}}}}"#
    )
}

/// The annotation that every input has.
pub(crate) fn of_input(input: usize) -> String {
    format!(
        r#"{{"id":"f{input:031x}","input_id":"input-{input:07}","user_id":"ann","input_level":true,"status":{{"code":24150}},"created_at":"2026-01-01T00:00:00Z"}}"#
    )
}

/// The call that posts these boxes, as one line.
pub(crate) fn post(boxes: &[(usize, [f64; 4], &str)]) -> String {
    let annotations: Vec<String> = boxes
        .iter()
        .enumerate()
        .map(|(at, (input, [top, left, bottom, right], concept))| {
            format!(
                r#"{{"id":"as-1b32c28c-{at:020x}","input_id":"input-{input:07}","data":{{"regions":[{{"region_info":{{"bounding_box":{{"top_row":{top:.6},"left_col":{left:.6},"bottom_row":{bottom:.6},"right_col":{right:.6}}}}},"data":{{"concepts":[{{"id":"{concept}","value":1.0}}]}}}}]}}}}"#
            )
        })
        .collect();
    format!("{{\"annotations\":[{}]}}\n", annotations.join(","))
}

pub(crate) fn listing(boxes: &[(usize, [f64; 4], &str)]) -> String {
    let annotations: Vec<String> = boxes
        .iter()
        .enumerate()
        .map(|(at, it)| stored(at, it))
        .collect();
    format!(
        r#"{{"format_version":"1.0","caller":"ann","app_owner":"ann","scope":"whole_app","annotations":[{}]}}"#,
        annotations.join(",")
    )
}

/// What a plan is made from, beside the two states.
pub(crate) fn context() -> Context {
    Context {
        target: Target {
            endpoint: "https://api.clarifai.com".into(),
            user_id: "ann".into(),
            app_id: "bench".into(),
        },
        manifest_hash: String::new(),
        rate_limit: 15,
        allowances: Allowances::default(),
        inventory: Inventory::default(),
        shard: None,
    }
}

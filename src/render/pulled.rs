//! What a pull says beside the files that it writes.

use super::page::{counted, thousands};
use crate::model::escape;
use crate::pull::{Account, Change, Layout, Pulled};
use std::fmt::Write as _;
use std::path::Path;

/// What was left out, what goes, and how much it all is.
pub fn pull_notes(pulled: &Pulled, path: &Path) -> String {
    let Account {
        inputs,
        annotations,
        // Which sets those are takes more than a count.
        other_sets: _,
        model_made,
        left_out,
        dropped,
    } = pulled.account;
    let mut text = String::new();
    for file in &pulled.files {
        if let Change::Changed {
            layout: Layout::Rewritten,
            ..
        } = file.change
        {
            let _ = writeln!(
                text,
                "note: {} is written anew: its layout does not let parts of it be changed in place",
                escape(&file.path.to_string_lossy())
            );
        }
    }
    for (count, one, many) in [
        (
            dropped,
            "declared annotation is not in the app, and goes",
            "declared annotations are not in the app, and go",
        ),
        (
            model_made,
            "annotation that a model made is left out (--model-made include)",
            "annotations that models made are left out (--model-made include)",
        ),
        (
            left_out,
            "annotation is left out by the filters",
            "annotations are left out by the filters",
        ),
    ] {
        if count > 0 {
            let what = if count == 1 { one } else { many };
            let _ = writeln!(text, "note: {} {what}", thousands(count));
        }
    }
    let _ = writeln!(
        text,
        "{} on {}; {}.",
        counted(annotations, "annotation"),
        counted(inputs, "input"),
        match pulled.files.len() {
            0 => format!(
                "the manifest {} says so already",
                escape(&path.to_string_lossy())
            ),
            1 => "1 file differs".to_owned(),
            count => format!("{} files differ", thousands(count as u64)),
        }
    );
    text
}

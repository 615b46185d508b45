//! What a pull says beside the files that it writes.

use super::page::{counted, thousands};
use crate::model::escape;
use crate::pull::{Account, Change, Layout, Loss, LossKind, Pulled};
use std::fmt::Write as _;
use std::path::Path;

/// What was left out, what goes, and how much it all is.
pub fn pull_notes(pulled: &Pulled, path: &Path, losses: Losses) -> String {
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
    for kind in LossKind::ALL {
        write_losses(&mut text, kind, &pulled.losses, losses);
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

/// How many annotations of one kind of loss are named.
const NAMED: usize = 10;

/// Which annotations are named that could not be written in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Losses {
    /// The first ones of each kind.
    First,
    /// All of them.
    All,
}

/// What was not written in full, by kind: how many annotations, and the first of them.
fn write_losses(text: &mut String, kind: LossKind, losses: &[Loss], which: Losses) {
    let named = match which {
        Losses::First => NAMED,
        Losses::All => usize::MAX,
    };
    let of: Vec<&Loss> = losses.iter().filter(|loss| loss.kind == kind).collect();
    if of.is_empty() {
        return;
    }
    let what = match kind {
        LossKind::Unreadable => "cannot be read and left alone",
        LossKind::Place => {
            "named by id alone, because a manifest cannot declare the place: what the app has stays as it is"
        }
        LossKind::Mask => {
            "named by id alone, because a manifest cannot declare the mask (no pixel is set, or its URL is not http or https): what the app has stays as it is"
        }
        LossKind::Other => {
            "named by id alone, because of fields that a manifest cannot declare: what the app has stays as it is"
        }
        LossKind::Null => {
            "named by id alone, because a manifest cannot declare a null in metadata or info: what the app has stays as it is"
        }
    };
    let _ = writeln!(
        text,
        "warning[{}]: {} {what}",
        kind.code(),
        counted(of.len() as u64, "annotation"),
    );
    for loss in of.iter().take(named) {
        let _ = writeln!(
            text,
            "  `{}` of input `{}`",
            escape(&loss.id),
            escape(&loss.input)
        );
    }
    if of.len() > named {
        let more = thousands((of.len() - named) as u64);
        let _ = writeln!(text, "  and {more} more (-v names them)");
    }
}

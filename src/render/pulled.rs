//! Notes and warnings of a pull.

use crate::model::{counted, escape, plural, thousands};
use crate::pull::{Account, Change, Layout, Loss, LossKind, Pulled};
use std::fmt::Write as _;
use std::path::Path;

/// Files that are rewritten, annotations that are dropped or left out, and the counts.
pub fn pull_notes(pulled: &Pulled, path: &Path, losses: Losses) -> String {
    let Account {
        inputs,
        annotations,
        // The caller names these sets.
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
                "note: {} is rewritten: its layout cannot be edited in place",
                escape(&file.path.to_string_lossy())
            );
        }
    }
    for (count, noun, note) in [
        (
            dropped,
            "declared annotation",
            "not in the app: removed from the manifest",
        ),
        (
            model_made,
            "annotation",
            "made by models left out (--model-made include)",
        ),
        (left_out, "annotation", "left out by the filters"),
    ] {
        if count > 0 {
            let _ = writeln!(text, "note: {} {note}", counted(count, noun));
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
                "the manifest {} is up to date",
                escape(&path.to_string_lossy())
            ),
            count => format!(
                "{} {}",
                counted(count as u64, "file"),
                plural(count as u64, "differs", "differ")
            ),
        }
    );
    text
}

/// Annotations of one kind of loss that are named.
const NAMED: usize = 10;

/// How many incompletely written annotations are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Losses {
    /// The first of each kind.
    First,
    /// All of them.
    All,
}

/// The annotations of one kind of loss: their number, and their ids.
fn write_losses(text: &mut String, kind: LossKind, losses: &[Loss], which: Losses) {
    let named = match which {
        Losses::First => NAMED,
        Losses::All => usize::MAX,
    };
    let found: Vec<&Loss> = losses.iter().filter(|loss| loss.kind == kind).collect();
    if found.is_empty() {
        return;
    }
    let what = match kind {
        LossKind::Unreadable => "cannot be read; left alone",
        LossKind::Place => {
            "declared by id only, because a manifest cannot declare the place; the app keeps its content"
        }
        LossKind::Mask => {
            "declared by id only, because a manifest cannot declare the mask (no pixel is set, or its URL is not http or https); the app keeps its content"
        }
        LossKind::Other => {
            "declared by id only, because of fields that a manifest cannot declare; the app keeps its content"
        }
        LossKind::Null => {
            "declared by id only, because a manifest cannot declare a null in metadata or info; the app keeps its content"
        }
    };
    let _ = writeln!(
        text,
        "warning[{}]: {} {what}",
        kind.code(),
        counted(found.len() as u64, "annotation"),
    );
    for loss in found.iter().take(named) {
        let _ = writeln!(
            text,
            "  `{}` of input `{}`",
            escape(&loss.id),
            escape(&loss.input)
        );
    }
    if found.len() > named {
        let more = thousands((found.len() - named) as u64);
        let _ = writeln!(text, "  and {more} more (-v names them)");
    }
}

//! `apply --undo-out`: the plan that undoes an apply, and what an undo may delete.
//!
//! The file is written before anything is sent, for every possible result, and once more after the run for the actual
//! result.

use super::exit::{Exit, Failure};
use super::input;
use super::output::{self, Place};
use crate::api::Reader;
use crate::apply::{self, Recorder, Watch};
use crate::plan::{self, ApplyStatuses, Before, Plan, Purpose, undo};
use crate::render;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An undo file, with the data to write it.
#[derive(Debug)]
pub(crate) struct UndoFile {
    path: PathBuf,
    plan: Arc<Plan>,
    before: Before,
    recorder: Arc<Recorder>,
}

impl UndoFile {
    /// Reads the current state of everything that the plan changes, and warns about what cannot be restored. Writes
    /// nothing.
    pub(crate) async fn prepare(
        path: &Path,
        plan: &Arc<Plan>,
        reader: &Reader,
    ) -> Result<Self, Failure> {
        let path = regular_file(path)?;
        existing(&path)?;
        let file = Self {
            path,
            plan: Arc::clone(plan),
            before: apply::before(plan, reader).await?,
            recorder: Arc::new(Recorder::new(plan)),
        };
        for spot in file.undo(&ApplyStatuses::unknown(plan)).blind_spots {
            let (path, spot) = (file.path.display().to_string(), render::escape(&spot));
            output::message(&format!(
                "Warning: {} will not restore: {spot}",
                render::escape(&path)
            ));
        }
        Ok(file)
    }

    /// Writes an empty undo for an apply without operations.
    pub(crate) fn write_empty(path: &Path, plan: &Arc<Plan>) -> Result<(), Failure> {
        let file = Self {
            path: regular_file(path)?,
            plan: Arc::clone(plan),
            before: Before {
                caller: plan.app_owner.clone(),
                operations: Vec::new(),
                purges: Vec::new(),
            },
            recorder: Arc::new(Recorder::new(plan)),
        };
        file.begin()
    }

    /// Writes the file for every possible result of the run. Nothing may be sent before.
    pub(crate) fn begin(&self) -> Result<(), Failure> {
        let kept = keep_existing(&self.path)?;
        let written = self.write(&ApplyStatuses::unknown(&self.plan));
        match (&kept, &written) {
            (Some(kept), Ok(())) => output::message(&format!(
                "{} existed, and was renamed to {}.",
                self.path.display(),
                kept.display()
            )),
            // Restore the old name.
            (Some(kept), Err(_)) => drop(std::fs::rename(kept, &self.path)),
            (None, _) => {}
        }
        written
    }

    /// Writes the file again for the actual result of the run. If that fails, the first version remains valid.
    pub(crate) fn end(&self) {
        if let Err(failure) = self.write(&self.recorder.statuses()) {
            output::message(&format!(
                "Warning: {}. The file from before the run is still there: it undoes what was applied, and skips the rest.",
                failure.message
            ));
        }
    }

    /// Records the progress of the run.
    pub(crate) fn watch(&self) -> Arc<dyn Watch> {
        Arc::clone(&self.recorder) as Arc<dyn Watch>
    }

    fn undo(&self, statuses: &ApplyStatuses) -> Plan {
        undo(&self.plan, &self.before, statuses)
    }

    fn write(&self, statuses: &ApplyStatuses) -> Result<(), Failure> {
        output::file(&self.path, &render::json(&self.undo(statuses))).map_err(|failure| {
            failure.hint(
                "nothing was sent; check that its folder exists, may be written to, and has space",
            )
        })
    }
}

/// The file that the path leads to. Pipes and devices are refused, since they do not store the undo.
fn regular_file(path: &Path) -> Result<PathBuf, Failure> {
    let why = match output::place(path) {
        Ok(Place::File(file)) => return Ok(file),
        Ok(Place::Stream(_)) => {
            "an undo must be written to a file, and this is a pipe or a device".to_owned()
        }
        Err(error) => error.to_string(),
    };
    let message = format!("cannot write {}: {why}", path.display());
    Err(Failure::new(message).hint("nothing was sent; name a file"))
}

/// What exists at the path. Files that are not undos are not overwritten.
enum Existing {
    Nothing,
    /// An undo without operations.
    EmptyUndo,
    Undo,
}

fn existing(path: &Path) -> Result<Existing, Failure> {
    if !path.exists() {
        return Ok(Existing::Nothing);
    }
    let text = input::text(path, input::MAX_BYTES).unwrap_or_default();
    match plan::read(&text) {
        Ok(Some(plan)) if plan.purpose == Purpose::Undo && plan.is_empty() => {
            Ok(Existing::EmptyUndo)
        }
        Ok(Some(plan)) if plan.purpose == Purpose::Undo => Ok(Existing::Undo),
        _ => Err(
            Failure::new(format!("{} exists and is not an undo file", path.display()))
                .hint("nothing was sent; name another file"),
        ),
    }
}

/// Renames an existing undo to the next free number: it may be the only copy of what it restores.
fn keep_existing(path: &Path) -> Result<Option<PathBuf>, Failure> {
    let Existing::Undo = existing(path)? else {
        return Ok(None);
    };
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    let kept = (1..=u32::MAX)
        .map(numbered)
        .find(|path| !path.exists())
        .expect("a folder holds fewer than 2^32 files");
    std::fs::rename(path, &kept).map_err(|error| {
        Failure::new(format!(
            "cannot keep {} as {}: {error}",
            path.display(),
            kept.display()
        ))
        .hint("nothing was sent; name another file")
    })?;
    Ok(Some(kept))
}

/// Refuses to delete more inputs than the flag allows: only the undo file says which inputs its apply posted.
pub(crate) fn check_deleted_inputs(plan: &Plan, allowed: u64) -> Result<(), Failure> {
    let count = plan.deleted_inputs.len() as u64;
    if count <= allowed {
        return Ok(());
    }
    let message = format!(
        "the undo deletes {}, and --allow-delete-inputs allows {}; nothing was sent",
        render::counted(count, "input"),
        render::thousands(allowed)
    );
    let hint =
        format!("review them with `annosync show`; --allow-delete-inputs {count} deletes them");
    Err(Failure {
        exit: Exit::Guarded,
        ..Failure::new(message).hint(hint)
    })
}

/// Removes the deletes of inputs from an undo, and prints a message about it.
pub(crate) fn keep_inputs(plan: &mut Plan) {
    const NAMED: usize = 10;
    if plan.deleted_inputs.is_empty() {
        return;
    }
    let all = plan.deleted_inputs.len();
    let names = plan.deleted_inputs.iter().take(NAMED);
    let names: Vec<String> = names
        .map(|id| render::escape(id.as_str()).into_owned())
        .collect();
    let more = if all > NAMED { ", …" } else { "" };
    output::message(&format!(
        "{} kept: {}{more}. --allow-delete-inputs {all} deletes what the apply posted.",
        render::counted(all as u64, "posted input"),
        names.join(", ")
    ));
    plan.keep_inputs();
}

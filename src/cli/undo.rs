//! `apply --undo-out`: the file that holds the plan that undoes an apply.
//!
//! It is whole at every moment: written before anything is sent, for all that may come, and once more after the run, for
//! what came.

use super::exit::Failure;
use super::input;
use super::output::{self, Place};
use crate::api::Reader;
use crate::apply::{self, Recorder, Watch};
use crate::plan::{self, Before, Fates, Plan, Purpose, undo};
use crate::render;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file, and what it takes to write it.
#[derive(Debug)]
pub(crate) struct UndoFile {
    path: PathBuf,
    plan: Arc<Plan>,
    before: Before,
    recorder: Arc<Recorder>,
}

impl UndoFile {
    /// Reads what is there now of everything that the plan touches, and says what could not be restored. Writes nothing.
    pub(crate) async fn prepare(
        path: &Path,
        plan: &Arc<Plan>,
        reader: &Reader,
    ) -> Result<Self, Failure> {
        let path = regular(path)?;
        former(&path)?;
        let file = Self {
            path,
            plan: Arc::clone(plan),
            before: apply::before(plan, reader).await?,
            recorder: Arc::new(Recorder::new(plan)),
        };
        for spot in file.undo(&Fates::open(plan)).blind_spots {
            let (path, spot) = (file.path.display().to_string(), render::escape(&spot));
            output::talk(&format!(
                "Warning: {} will not restore: {spot}",
                render::escape(&path)
            ));
        }
        Ok(file)
    }

    /// An apply that has nothing to do is undone by doing nothing.
    pub(crate) fn of_nothing(path: &Path, plan: &Arc<Plan>) -> Result<(), Failure> {
        let file = Self {
            path: regular(path)?,
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

    /// Writes the file for whatever may come of the run. Nothing may be sent before.
    pub(crate) fn begin(&self) -> Result<(), Failure> {
        let kept = make_room(&self.path)?;
        let written = self.write(&Fates::open(&self.plan));
        match (&kept, &written) {
            (Some(kept), Ok(())) => output::talk(&format!(
                "{} was there, and is kept as {}.",
                self.path.display(),
                kept.display()
            )),
            // It stays where it was.
            (Some(kept), Err(_)) => drop(std::fs::rename(kept, &self.path)),
            (None, _) => {}
        }
        written
    }

    /// Writes the file once more, for what came of the run. If that cannot be, the first one is still there, and right.
    pub(crate) fn end(&self) {
        if let Err(failure) = self.write(&self.recorder.fates()) {
            output::talk(&format!(
                "Warning: {}. The file from before the run is there: it undoes what was applied, and finds the rest to be \
                 already up to date.",
                failure.message
            ));
        }
    }

    /// Who is to be told of the run.
    pub(crate) fn watch(&self) -> Arc<dyn Watch> {
        Arc::clone(&self.recorder) as Arc<dyn Watch>
    }

    fn undo(&self, fates: &Fates) -> Plan {
        undo(&self.plan, &self.before, fates)
    }

    fn write(&self, fates: &Fates) -> Result<(), Failure> {
        output::file(&self.path, &render::json(&self.undo(fates))).map_err(|failure| {
            failure.hint(
                "nothing was sent; check that its folder exists, may be written to, and has space",
            )
        })
    }
}

/// The file that the path leads to. A pipe or a device would not keep what it gets.
fn regular(path: &Path) -> Result<PathBuf, Failure> {
    let why = match output::place(path) {
        Ok(Place::File(file)) => return Ok(file),
        Ok(Place::Stream(_)) => {
            "an undo is kept in a file, and this is a pipe or a device".to_owned()
        }
        Err(error) => error.to_string(),
    };
    let message = format!("cannot write {}: {why}", path.display());
    Err(Failure::new(message).hint("nothing was sent; name a file"))
}

/// What is at the path already: nothing, an undo that has nothing to do, or one that has. Anything else is not
/// overwritten.
enum Former {
    Nothing,
    Spent,
    Undo,
}

fn former(path: &Path) -> Result<Former, Failure> {
    if !path.exists() {
        return Ok(Former::Nothing);
    }
    let text = input::text(path, input::LARGEST).unwrap_or_default();
    match plan::read(&text) {
        Ok(Some(plan)) if plan.purpose == Purpose::Undo && plan.is_empty() => Ok(Former::Spent),
        Ok(Some(plan)) if plan.purpose == Purpose::Undo => Ok(Former::Undo),
        _ => Err(
            Failure::new(format!("{} exists and is not an undo file", path.display()))
                .hint("nothing was sent; name another file"),
        ),
    }
}

/// An undo that is there may be the only copy of what it restores: it gets the next number, and is kept under that.
fn make_room(path: &Path) -> Result<Option<PathBuf>, Failure> {
    let Former::Undo = former(path)? else {
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
        .expect("a folder does not hold four thousand million files");
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

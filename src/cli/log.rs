//! `apply --log`: writes a line for each change as soon as it ends.

use super::exit::Failure;
use super::output;
use crate::apply::{ItemOutcome, Stop, Subject, Watch};
use crate::plan::Plan;
use crate::render::{self, LOG_LINE_START, Logged};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The log of a run.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    plan: Arc<Plan>,
    stop: Stop,
    /// `None` after a line could not be written.
    file: Mutex<Option<File>>,
}

impl Log {
    /// Opens the file to append to it. If an earlier run left an incomplete line, it is ended.
    pub(crate) fn open(path: &Path, plan: &Arc<Plan>, stop: &Stop) -> Result<Self, Failure> {
        let file = open(path).map_err(|error| {
            Failure::new(format!("cannot write {}: {error}", path.display())).hint(
                "nothing was sent; check that its folder exists, may be written to, and has space",
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            plan: Arc::clone(plan),
            stop: stop.clone(),
            file: Mutex::new(Some(file)),
        })
    }

    /// Whether every line could be written so far.
    pub(crate) fn is_whole(&self) -> bool {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.is_some()
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut file = output::append(path)?;
    // Pipes and terminals have no last byte.
    if file.metadata()?.is_file() && file.seek(SeekFrom::End(0))? > 0 {
        let mut start = Vec::new();
        file.rewind()?;
        let most = LOG_LINE_START.len() as u64;
        (&file).take(most).read_to_end(&mut start)?;
        if !LOG_LINE_START.as_bytes().starts_with(&start) {
            let what = "it exists and is not a log that --log wrote";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
        }
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

impl Watch for Log {
    fn ended(&self, what: Subject, how: &ItemOutcome) {
        let what = match what {
            Subject::Operation(at) => Logged::Operation(at),
            Subject::Purge(at) => Logged::Purge(at),
            Subject::Input(at) => Logged::Input(at),
            Subject::DeletedInput(at) => Logged::DeletedInput(at),
        };
        let line = render::log_line(&self.plan, what, how);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = file.as_mut() else { return };
        // One write per line, so that a crash leaves whole lines.
        if let Err(error) = open.write_all(line.as_bytes()) {
            *file = None;
            self.stop.request();
            output::message(&format!(
                "Stopping: cannot write {}: {error}. Calls in flight are finished; their results are shown below, not in the log.",
                self.path.display()
            ));
        }
    }
}

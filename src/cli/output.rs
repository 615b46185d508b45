//! Where output goes: results to stdout, talk to stderr, files whole or not at all.

use super::exit::Failure;
use super::progress;
use crate::render::escape_lines;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::OnceLock;

/// Writes a result for people to stdout: lines, in which whatever a terminal would obey is escaped. A reader that has
/// seen enough (`| head`) is no error.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    styled_result(&escape_lines(text))
}

/// Writes a result whose text was made harmless when it was coloured, in colour if stdout takes colours.
pub(crate) fn styled_result(text: &str) -> Result<(), Failure> {
    write(anstream::stdout().lock(), text).map(|_| ())
}

/// Writes a result for programs to stdout, byte for byte: what takes colours away takes other control characters too.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    part(text).map(|_| ())
}

/// Whether somebody still reads stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    GoesOn,
    HasEnded,
}

/// Writes a part of a result, byte for byte.
pub(crate) fn part(text: &str) -> Result<Reading, Failure> {
    write(std::io::stdout().lock(), text)
}

fn write(mut stdout: impl Write, text: &str) -> Result<Reading, Failure> {
    // Stdout may be the same terminal as stderr.
    let written = progress::around(|| {
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    });
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reading::HasEnded),
        Err(error) => Err(Failure::new(format!("cannot write to stdout: {error}"))),
        Ok(()) => Ok(Reading::GoesOn),
    }
}

/// The token of this run. Whoever shows a server's text takes the token out of it; should anybody forget, this does.
static TOKEN: OnceLock<String> = OnceLock::new();

/// Shorter texts are no token of the service's, and would be found in words.
const SHORTEST_TOKEN: usize = 8;

/// Keeps the token out of everything that is said from now on.
pub(crate) fn conceal(token: &str) {
    if token.len() >= SHORTEST_TOKEN {
        // There is one token a run.
        let _ = TOKEN.set(token.to_owned());
    }
}

/// Says something to the person at the terminal: lines, in which whatever a terminal would obey is escaped, wherever it
/// came from. If nobody listens, the work goes on.
pub(crate) fn talk(text: &str) {
    match TOKEN.get() {
        Some(token) if text.contains(token) => {
            styled_talk(&escape_lines(&text.replace(token, "[token]")));
        }
        _ => styled_talk(&escape_lines(text)),
    }
}

/// Says something whose text was made harmless when it was coloured.
pub(crate) fn styled_talk(text: &str) {
    progress::around(|| {
        let mut stderr = anstream::stderr().lock();
        let _ = writeln!(stderr, "{}", text.trim_end_matches('\n'));
    });
}

/// Takes lines of a log, and says them.
pub(crate) struct Talk;

impl Write for Talk {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        talk(&String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether stderr takes colours.
pub(crate) fn is_styled() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Whether stdout takes colours.
pub(crate) fn stdout_is_styled() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// Writes a file so that it is there whole or as it was before: a temporary file beside it, synced, renamed.
pub(crate) fn file(path: &Path, content: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<()> {
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        temporary.write_all(content.as_ref())?;
        temporary.as_file().sync_all()?;
        keep_mode(&temporary, path)?;
        temporary.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| {
        Failure::new(format!("cannot write {}: {error}", path.display())).hint(
            "nothing was written; check that the folder exists, may be written to, and has space",
        )
    })
}

/// A temporary file is private; what replaces a file, or is new, gets the usual mode.
#[cfg(unix)]
fn keep_mode(temporary: &tempfile::NamedTempFile, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_or(0o644, |known| known.permissions().mode() & 0o777);
    temporary
        .as_file()
        .set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_mode(_: &tempfile::NamedTempFile, _: &Path) -> std::io::Result<()> {
    Ok(())
}

//! Writes output: results to stdout, messages to stderr, files atomically.

use super::exit::Failure;
use super::progress;
use crate::manifest;
use crate::render::escape_lines;
use std::collections::BTreeSet;
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::NamedTempFile;

/// Writes a result for people to stdout, with control characters escaped. A closed pipe (`| head`) is not an error.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    styled_result(&escape_lines(text))
}

/// Writes a result that is escaped and coloured already; colours are removed if stdout does not support them.
pub(crate) fn styled_result(text: &str) -> Result<(), Failure> {
    write(anstream::stdout().lock(), text).map(|_| ())
}

/// Writes a result for programs to stdout unchanged: removing colours would remove other control characters too.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    part(text).map(|_| ())
}

/// Whether stdout still has a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StdoutState {
    Open,
    Closed,
}

/// Writes a part of a result unchanged.
pub(crate) fn part(text: &str) -> Result<StdoutState, Failure> {
    write(std::io::stdout().lock(), text)
}

fn write(mut stdout: impl Write, text: &str) -> Result<StdoutState, Failure> {
    // Stdout may be the terminal with the progress line.
    let written = progress::suspend(|| {
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    });
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(StdoutState::Closed),
        Err(error) => Err(Failure::new(format!("cannot write to stdout: {error}"))),
        Ok(()) => Ok(StdoutState::Open),
    }
}

/// The token of this run. Texts of the server are shown without it; this is a second line of defence.
static TOKEN: OnceLock<String> = OnceLock::new();

/// Shorter tokens are not hidden: they could occur in ordinary words.
const SHORTEST_TOKEN: usize = 8;

/// Hides the token in all messages from now on.
pub(crate) fn hide_token(token: &str) {
    if token.len() >= SHORTEST_TOKEN {
        // A run has one token.
        let _ = TOKEN.set(token.to_owned());
    }
}

/// Prints a message to stderr, with control characters escaped. Errors of stderr are ignored.
pub(crate) fn message(text: &str) {
    match TOKEN.get() {
        Some(token) if text.contains(token) => {
            styled_message(&escape_lines(&text.replace(token, "[token]")));
        }
        _ => styled_message(&escape_lines(text)),
    }
}

/// Prints a message that is escaped and coloured already.
pub(crate) fn styled_message(text: &str) {
    progress::suspend(|| {
        let mut stderr = anstream::stderr().lock();
        let _ = writeln!(stderr, "{}", text.trim_end_matches('\n'));
    });
}

/// Prints log lines as messages.
pub(crate) struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        message(&String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether stderr shows colours.
pub(crate) fn is_styled() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Whether stdout shows colours.
pub(crate) fn stdout_is_styled() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// What an output path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A regular file, which may not exist yet, with links resolved.
    File(PathBuf),
    /// A pipe or a character device.
    Stream(PathBuf),
}

/// A longer chain of links is a circle.
const MOST_LINKS: usize = 40;

/// Whether a path leads into a folder `.git`, or to one. Some file systems ignore case.
pub(crate) fn is_in_git(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str().eq_ignore_ascii_case(".git"))
}

/// Follows the links of an output path. Anything but a file, a pipe or a character device is an error, and so is a file
/// of git's own.
pub(crate) fn place(path: &Path) -> io::Result<Place> {
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        let folder = folder_of(&at).canonicalize();
        if is_in_git(&at) || folder.is_ok_and(|folder| is_in_git(&folder)) {
            return Err(io::Error::other(
                "it is in a folder .git, whose files belong to git",
            ));
        }
        let known = match at.symlink_metadata() {
            Ok(known) => known,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Place::File(at)),
            Err(error) => return Err(error),
        };
        if !known.is_symlink() {
            return place_of(at, known.file_type());
        }
        let folder = folder_of(&at).canonicalize()?;
        if folder.starts_with("/proc") {
            // An open file of a process, such as /dev/stdout: a file renamed over it would not reach the reader.
            let kind = at.metadata()?.file_type();
            return match place_of(at, kind)? {
                Place::File(_) => Err(io::Error::other("it is an open file; name the file itself")),
                stream @ Place::Stream(_) => Ok(stream),
            };
        }
        at = folder.join(at.read_link()?);
    }
    Err(io::Error::other("its links form a circle"))
}

fn place_of(at: PathBuf, kind: FileType) -> io::Result<Place> {
    if kind.is_file() {
        Ok(Place::File(at))
    } else if takes_a_stream(kind) {
        Ok(Place::Stream(at))
    } else {
        let kind = manifest::kind_of(kind);
        Err(io::Error::other(format!("it is {kind}, not a file")))
    }
}

#[cfg(unix)]
fn takes_a_stream(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    kind.is_fifo() || kind.is_char_device()
}

#[cfg(not(unix))]
fn takes_a_stream(kind: FileType) -> bool {
    !kind.is_dir()
}

/// The folder that holds a path.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes an output file. A regular file is replaced atomically (a temporary file beside it is synced and renamed), at
/// the target of links. A pipe or a device is written to. All options that name an output file use this function or
/// [`append`].
pub(crate) fn file(path: &Path, content: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), Failure> {
    let mut written = 0;
    files(&[(path, content.as_ref())], &mut written)
}

/// Writes output files as [`file`] does, one after another, and counts them. Before the first is replaced, all are written
/// beside the old ones, and synced together: the disk takes about as long for many as for one. Each is open until then,
/// and has a thread.
pub(crate) fn files(files: &[(&Path, &[u8])], written: &mut usize) -> Result<(), Failure> {
    let prepared: Vec<io::Result<Prepared>> = match files {
        [(path, content)] => vec![prepare(path, content)],
        _ => std::thread::scope(|scope| {
            let start = |(path, content)| {
                let prepare = move || prepare(path, content);
                let thread = std::thread::Builder::new().spawn_scoped(scope, prepare);
                // The system may allow no more threads.
                thread.map_err(|_| prepare())
            };
            let started: Vec<_> = files.iter().copied().map(start).collect();
            let finish = |started: Result<std::thread::ScopedJoinHandle<'_, _>, _>| match started {
                Ok(thread) => thread.join().expect("writing a file does not panic"),
                Err(done) => done,
            };
            started.into_iter().map(finish).collect()
        }),
    };
    let mut folders = BTreeSet::new();
    let mut finish = |path: &Path, content: &[u8], prepared| {
        let failed = |error: io::Error| {
            Failure::new(format!("cannot write {}: {error}", path.display())).hint(
                "that file is unchanged; check that its folder exists, may be written to, and has space",
            )
        };
        match prepared {
            Err(error) => Err(failed(error)),
            Ok(Prepared::File(new)) => {
                folders.insert(folder_of(&new.at).to_owned());
                replace(*new, content).map_err(failed)
            }
            Ok(Prepared::Stream(at)) => OpenOptions::new()
                .write(true)
                .open(at)
                .and_then(|mut stream| stream.write_all(content))
                .map_err(|error| {
                    Failure::new(format!("cannot write to {}: {error}", path.display()))
                        .hint("it may have received a part; check the program that reads it")
                }),
        }
    };
    let mut result = Ok(());
    for ((path, content), prepared) in files.iter().zip(prepared) {
        result = finish(path, content, prepared);
        if result.is_err() {
            break;
        }
        *written += 1;
    }
    // A rename is durable once the folder is synced. Some systems cannot open folders.
    for folder in folders {
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
    }
    result
}

/// Opens an output file to append to it.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match place(path)? {
        Place::File(at) => options.read(true).append(true).create(true).open(at),
        // Opened for writing only: if this process held the read end too, data for a pipe without another reader
        // would be lost.
        Place::Stream(at) => options.write(true).open(at),
    }
}

/// An output file before it is changed.
enum Prepared {
    File(Box<New>),
    Stream(PathBuf),
}

/// The new content of a regular file, written and synced beside it.
struct New {
    at: PathBuf,
    /// What is there now.
    known: Option<Metadata>,
    beside: io::Result<Beside>,
}

enum Beside {
    Unnamed(File),
    Named(NamedTempFile),
}

fn prepare(path: &Path, content: &[u8]) -> io::Result<Prepared> {
    Ok(match place(path)? {
        Place::Stream(at) => Prepared::Stream(at),
        Place::File(at) => {
            let known = at.metadata().ok();
            let folder = folder_of(&at);
            let beside = match unnamed::write(folder, known.as_ref(), content) {
                Ok(Some(file)) => Ok(Beside::Unnamed(file)),
                Ok(None) => named(folder, known.as_ref(), content).map(Beside::Named),
                Err(error) => Err(error),
            };
            Prepared::File(Box::new(New { at, known, beside }))
        }
    })
}

fn named(folder: &Path, known: Option<&Metadata>, content: &[u8]) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".annosync-").suffix(".tmp");
    usual_mode(&mut builder);
    let mut temporary = builder.tempfile_in(folder)?;
    fill(temporary.as_file_mut(), known, content)?;
    Ok(temporary)
}

/// Replaces or creates a regular file. If the folder does not allow new files, the file is overwritten in place.
fn replace(new: New, content: &[u8]) -> io::Result<()> {
    let New { at, known, beside } = new;
    let put = |beside| {
        let file = match beside {
            Beside::Unnamed(file) => {
                if unnamed::put(&file, &at, known.is_some())? {
                    return Ok(());
                }
                named(folder_of(&at), known.as_ref(), content)?
            }
            Beside::Named(file) => file,
        };
        file.persist(&at).map_err(|error| error.error).map(drop)
    };
    let failed = match beside.and_then(put) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    // EBUSY: a file that is a mount point, as in containers, cannot be renamed over.
    let is_folders_fault = matches!(
        failed.kind(),
        ErrorKind::PermissionDenied | ErrorKind::ResourceBusy | ErrorKind::CrossesDevices
    );
    let open = || OpenOptions::new().write(true).open(&at).ok();
    let Some(mut file) = open().filter(|_| known.is_some() && is_folders_fault) else {
        return Err(failed);
    };
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()?;
    message(&format!(
        "Warning: {} was overwritten in place, because it cannot be replaced ({failed}).",
        at.display()
    ));
    Ok(())
}

fn fill(file: &mut File, known: Option<&Metadata>, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    if let Some(known) = known {
        keep_owner_and_mode(file, known)?;
    }
    file.sync_all()
}

/// Gives the temporary file the usual permissions instead of private ones.
#[cfg(unix)]
fn usual_mode(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(std::fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn usual_mode(_: &mut tempfile::Builder<'_, '_>) {}

#[cfg(unix)]
fn keep_owner_and_mode(file: &File, known: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (known.uid(), known.gid()) {
        // Only root can change the owner.
        let _ = fchown(file, Some(known.uid()), Some(known.gid()));
    }
    file.set_permissions(known.permissions())
}

#[cfg(not(unix))]
fn keep_owner_and_mode(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// A file without a name until it is complete, so that a killed process leaves no file behind.
#[cfg(target_os = "linux")]
mod unnamed {
    use super::{File, Metadata, fill, folder_of, io};
    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
    use rustix::io::Errno;
    use std::os::fd::AsRawFd as _;
    use std::path::Path;

    /// Writes and syncs the content; `None` if the system does not support this.
    pub(super) fn write(
        folder: &Path,
        known: Option<&Metadata>,
        content: &[u8],
    ) -> io::Result<Option<File>> {
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let mut file = match open(folder, flags, Mode::from_raw_mode(0o666)) {
            Ok(file) => File::from(file),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        fill(&mut file, known, content)?;
        Ok(Some(file))
    }

    /// Gives the file its name. Returns `false` if the system does not support this.
    pub(super) fn put(file: &File, at: &Path, is_known: bool) -> io::Result<bool> {
        let open_file = format!("/proc/self/fd/{}", file.as_raw_fd());
        let link = |name: &Path| linkat(CWD, &open_file, CWD, name, AtFlags::SYMLINK_FOLLOW);
        if !is_known {
            match link(at) {
                Ok(()) => return Ok(true),
                Err(Errno::NOENT) => return Ok(false),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // A temporary name before the rename, unique per process.
        let name = folder_of(at).join(format!(".annosync-{}.tmp", std::process::id()));
        match link(&name) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(false),
            Err(Errno::EXIST) => {
                // A killed process with the same id left it.
                std::fs::remove_file(&name)?;
                link(&name)?;
            }
            Err(error) => return Err(error.into()),
        }
        std::fs::rename(&name, at).inspect_err(|_| drop(std::fs::remove_file(&name)))?;
        Ok(true)
    }
}

#[cfg(not(target_os = "linux"))]
mod unnamed {
    use super::{File, Metadata, io};
    use std::path::Path;

    pub(super) fn write(_: &Path, _: Option<&Metadata>, _: &[u8]) -> io::Result<Option<File>> {
        Ok(None)
    }

    pub(super) fn put(_: &File, _: &Path, _: bool) -> io::Result<bool> {
        Ok(false)
    }
}

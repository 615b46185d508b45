//! A long plan on a terminal, page by page: through the pager that the person chose.
//!
//! Whatever becomes of the pager, nothing of the text is lost and the command ends as it would without one.

use super::exit::Failure;
use super::output;
use super::terminal::Stream;
use std::io::{ErrorKind, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};

/// What `less` is told where nobody else tells it: end at once when all fits the screen, show colours, and leave the text
/// on the screen.
const LESS: &str = "FRX";

/// What the command line says of paging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paging {
    Wanted,
    Off,
}

/// What shows the text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pager {
    /// Nothing but stdout.
    None,
    /// What is there on nearly every system. Where it is not, nobody asked for it.
    Less,
    /// What the environment names: a command of the shell, as for git.
    Chosen(String),
}

/// Decides what shows the text: the variables come in the order in which they count.
fn decide(
    paging: Paging,
    is_terminal: bool,
    variable: impl Fn(&'static str) -> Option<String>,
) -> Pager {
    // `less` asks whether it may go on where the terminal cannot move its cursor.
    let is_dumb = cfg!(unix) && matches!(variable("TERM").as_deref(), None | Some("" | "dumb"));
    if paging == Paging::Off || !is_terminal || is_dumb {
        return Pager::None;
    }
    let chosen = ["ANNOSYNC_PAGER", "PAGER"].into_iter().find_map(variable);
    match chosen.as_deref().map(str::trim) {
        None => Pager::Less,
        Some("" | "cat") => Pager::None,
        Some(command) => Pager::Chosen(command.to_owned()),
    }
}

/// Writes text whose colours were made here to stdout; page by page if that is a terminal.
pub(crate) fn show(text: &str, paging: Paging) -> Result<(), Failure> {
    let variable = |name| std::env::var(name).ok();
    let pager = decide(paging, Stream::Stdout.is_terminal(), variable);
    let plain;
    let for_pager = if output::stdout_is_styled() {
        text
    } else {
        plain = anstream::adapter::strip_str(text).to_string();
        &plain
    };
    // Ctrl-C is for the pager as long as it runs: without this it would outlive the command and keep the terminal.
    let _interrupts = (pager != Pager::None).then(super::interrupts::Interrupts::new);
    if through(&pager, for_pager) == Shown::Yes {
        return Ok(());
    }
    output::styled_result(text)
}

/// Whether a pager has shown the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Yes,
    No,
}

fn through(pager: &Pager, text: &str) -> Shown {
    let mut command = match pager {
        Pager::None => return Shown::No,
        Pager::Less => Command::new("less"),
        Pager::Chosen(command) => shell(command),
    };
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", LESS);
    }
    let ended = command
        .stdin(Stdio::piped())
        .spawn()
        .and_then(|pager| feed(pager, text));
    let why = match (&ended, pager) {
        (Ok(status), _) if is_done(*status) => return Shown::Yes,
        (Ok(status), _) => status.to_string(),
        // Nobody asked for it.
        (Err(_), Pager::None | Pager::Less) => return Shown::No,
        (Err(error), Pager::Chosen(_)) => error.to_string(),
    };
    let name = match pager {
        Pager::Chosen(command) => command,
        Pager::None | Pager::Less => "less",
    };
    output::talk(&format!(
        "Warning: the pager `{name}` failed ({why}); the plan follows without it."
    ));
    Shown::No
}

/// Gives the pager the text, and waits until the person has seen enough.
fn feed(mut pager: Child, text: &str) -> std::io::Result<ExitStatus> {
    let mut stdin = pager.stdin.take().expect("its stdin was asked for");
    let written = stdin.write_all(text.as_bytes());
    drop(stdin);
    let status = pager.wait()?;
    match written {
        // Who has seen enough reads no further; how the pager ended says whether that was it.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(status),
    }
}

/// Whether it ended as it should, or because of Ctrl-C, which a person pressed who has seen enough.
fn is_done(status: ExitStatus) -> bool {
    /// What a shell answers of a command that Ctrl-C ended.
    const INTERRUPTED: i32 = 130;
    #[cfg(unix)]
    let by_signal = {
        use std::os::unix::process::ExitStatusExt as _;
        status.signal() == Some(INTERRUPTED - 128)
    };
    #[cfg(not(unix))]
    let by_signal = false;
    status.success() || by_signal || status.code() == Some(INTERRUPTED)
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut words = command.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(variables: &[(&'static str, &str)]) -> Pager {
        on(Paging::Wanted, true, variables)
    }

    fn on(paging: Paging, is_terminal: bool, variables: &[(&'static str, &str)]) -> Pager {
        decide(paging, is_terminal, |name| {
            let known = [("TERM", "xterm")];
            let mut all = variables.iter().chain(&known);
            all.find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_pager_is_the_one_that_the_environment_names_else_less() {
        let chosen = |command: &str| Pager::Chosen(command.to_owned());
        assert_eq!(decided(&[]), Pager::Less);
        assert_eq!(decided(&[("PAGER", "less -S")]), chosen("less -S"));
        let both = [("PAGER", "more"), ("ANNOSYNC_PAGER", "most")];
        assert_eq!(decided(&both), chosen("most"));
        for off in ["", " ", "cat"] {
            assert_eq!(decided(&[("PAGER", off)]), Pager::None, "{off:?}");
            let ours = [("PAGER", "more"), ("ANNOSYNC_PAGER", off)];
            assert_eq!(decided(&ours), Pager::None, "{off:?}");
        }
    }

    #[test]
    fn only_a_terminal_that_can_be_paged_is() {
        let chosen = [("PAGER", "more")];
        assert_eq!(on(Paging::Off, true, &chosen), Pager::None);
        assert_eq!(on(Paging::Wanted, false, &chosen), Pager::None);
        for term in ["dumb", ""] {
            let dumb = [("PAGER", "more"), ("TERM", term)];
            assert_eq!(decided(&dumb), Pager::None);
        }
        assert_eq!(decide(Paging::Wanted, true, |_| None), Pager::None);
    }

    #[cfg(unix)]
    mod started {
        use super::super::*;

        fn chosen(command: &str) -> Pager {
            Pager::Chosen(command.to_owned())
        }

        #[test]
        fn a_pager_gets_every_byte_and_less_its_options() {
            let folder = tempfile::tempdir().unwrap();
            let (seen, told) = (folder.path().join("seen"), folder.path().join("told"));
            let pager = chosen(&format!(
                "printf %s \"$LESS\" > {}; cat > {}",
                told.display(),
                seen.display()
            ));
            let text = "\u{1b}[31ma long line\u{1b}[0m\n".repeat(50_000);
            assert_eq!(through(&pager, &text), Shown::Yes);
            assert!(std::fs::read_to_string(seen).unwrap() == text);
            let expected = std::env::var("LESS").unwrap_or_else(|_| LESS.to_owned());
            assert_eq!(std::fs::read_to_string(told).unwrap(), expected);
        }

        #[test]
        fn who_has_seen_enough_is_not_shown_the_rest() {
            let text = "a long line\n".repeat(50_000);
            for enough in [
                "head -n 1 > /dev/null",
                "exec 0<&-; exit 0",
                "kill -INT $$",
                "exit 130",
            ] {
                assert_eq!(through(&chosen(enough), &text), Shown::Yes, "{enough}");
            }
        }

        #[test]
        fn what_a_pager_that_fails_was_to_show_is_shown_without_it() {
            for text in ["short\n".to_owned(), "a long line\n".repeat(50_000)] {
                for broken in [
                    "/no/such/pager",
                    "exit 3",
                    "kill -KILL $$",
                    "head -n 1 > /dev/null; exit 1",
                    "if",
                ] {
                    assert_eq!(through(&chosen(broken), &text), Shown::No, "{broken}");
                }
            }
            assert_eq!(through(&Pager::None, "x"), Shown::No);
        }
    }
}

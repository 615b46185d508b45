//! Shows a long plan on a terminal through the pager of the user.
//!
//! If the pager fails, the text is printed without it, and the exit code is the same.

use super::exit::Failure;
use super::output;
use super::terminal::Stream;
use std::io::{ErrorKind, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Default of LESS: quit if everything fits on the screen, show colours, and leave the text on the screen.
const LESS: &str = "FRX";

/// Whether a pager may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paging {
    Wanted,
    Off,
}

/// The pager to use.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pager {
    /// No pager: stdout.
    None,
    /// The default. If it is not installed, stdout is used silently.
    Less,
    /// A shell command from the environment.
    Chosen(String),
}

/// Chooses the pager.
fn choose(
    paging: Paging,
    is_terminal: bool,
    variable: impl Fn(&'static str) -> Option<String>,
) -> Pager {
    // On a terminal without cursor movement, `less` asks whether to continue.
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

/// Writes escaped and coloured text to stdout, through a pager if that is a terminal.
pub(crate) fn show(text: &str, paging: Paging) -> Result<(), Failure> {
    let variable = |name| std::env::var(name).ok();
    let pager = choose(paging, Stream::Stdout.is_terminal(), variable);
    let plain;
    let for_pager = if output::stdout_is_styled() {
        text
    } else {
        plain = anstream::adapter::strip_str(text).to_string();
        &plain
    };
    // While the pager runs, Ctrl-C is for the pager: otherwise it would outlive this process and keep the terminal.
    let _interrupts = (pager != Pager::None).then(super::interrupts::Interrupts::new);
    if run_pager(&pager, for_pager) == PagerResult::Shown {
        return Ok(());
    }
    output::styled_result(text)
}

/// Whether the pager has shown the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PagerResult {
    Shown,
    NotShown,
}

fn run_pager(pager: &Pager, text: &str) -> PagerResult {
    let mut command = match pager {
        Pager::None => return PagerResult::NotShown,
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
        (Ok(status), _) if is_done(*status) => return PagerResult::Shown,
        (Ok(status), _) => status.to_string(),
        // The user did not ask for a pager.
        (Err(_), Pager::None | Pager::Less) => return PagerResult::NotShown,
        (Err(error), Pager::Chosen(_)) => error.to_string(),
    };
    let name = match pager {
        Pager::Chosen(command) => command,
        Pager::None | Pager::Less => "less",
    };
    output::message(&format!(
        "Warning: the pager `{name}` failed ({why}); the plan follows without it."
    ));
    PagerResult::NotShown
}

/// Writes the text to the pager and waits for it to end.
fn feed(mut pager: Child, text: &str) -> std::io::Result<ExitStatus> {
    let mut stdin = pager.stdin.take().expect("its stdin was asked for");
    let written = stdin.write_all(text.as_bytes());
    drop(stdin);
    let status = pager.wait()?;
    match written {
        // The user may quit before the end; the exit status tells whether the pager failed.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(status),
    }
}

/// Whether the pager ended normally, or by Ctrl-C.
fn is_done(status: ExitStatus) -> bool {
    /// Exit status of a shell whose command was ended by Ctrl-C.
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

    fn chosen_pager(variables: &[(&'static str, &str)]) -> Pager {
        on(Paging::Wanted, true, variables)
    }

    fn on(paging: Paging, is_terminal: bool, variables: &[(&'static str, &str)]) -> Pager {
        choose(paging, is_terminal, |name| {
            let known = [("TERM", "xterm")];
            let mut all = variables.iter().chain(&known);
            all.find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_chooses_the_pager() {
        let chosen = |command: &str| Pager::Chosen(command.to_owned());
        assert_eq!(chosen_pager(&[]), Pager::Less);
        assert_eq!(chosen_pager(&[("PAGER", "less -S")]), chosen("less -S"));
        let both = [("PAGER", "more"), ("ANNOSYNC_PAGER", "most")];
        assert_eq!(chosen_pager(&both), chosen("most"));
        for off in ["", " ", "cat"] {
            assert_eq!(chosen_pager(&[("PAGER", off)]), Pager::None, "{off:?}");
            let ours = [("PAGER", "more"), ("ANNOSYNC_PAGER", off)];
            assert_eq!(chosen_pager(&ours), Pager::None, "{off:?}");
        }
    }

    #[test]
    fn only_capable_terminals_are_paged() {
        let chosen = [("PAGER", "more")];
        assert_eq!(on(Paging::Off, true, &chosen), Pager::None);
        assert_eq!(on(Paging::Wanted, false, &chosen), Pager::None);
        for term in ["dumb", ""] {
            let dumb = [("PAGER", "more"), ("TERM", term)];
            assert_eq!(chosen_pager(&dumb), Pager::None);
        }
        assert_eq!(choose(Paging::Wanted, true, |_| None), Pager::None);
    }

    #[cfg(unix)]
    mod started {
        use super::super::*;

        fn chosen(command: &str) -> Pager {
            Pager::Chosen(command.to_owned())
        }

        #[test]
        fn the_pager_gets_the_whole_text_and_the_options_of_less() {
            let folder = tempfile::tempdir().unwrap();
            let (seen, options) = (folder.path().join("seen"), folder.path().join("options"));
            let pager = chosen(&format!(
                "printf %s \"$LESS\" > {}; cat > {}",
                options.display(),
                seen.display()
            ));
            let text = "\u{1b}[31ma long line\u{1b}[0m\n".repeat(50_000);
            assert_eq!(run_pager(&pager, &text), PagerResult::Shown);
            assert!(std::fs::read_to_string(seen).unwrap() == text);
            let expected = std::env::var("LESS").unwrap_or_else(|_| LESS.to_owned());
            assert_eq!(std::fs::read_to_string(options).unwrap(), expected);
        }

        #[test]
        fn quitting_the_pager_is_not_a_failure() {
            let text = "a long line\n".repeat(50_000);
            for enough in [
                "head -n 1 > /dev/null",
                "exec 0<&-; exit 0",
                "kill -INT $$",
                "exit 130",
            ] {
                assert_eq!(
                    run_pager(&chosen(enough), &text),
                    PagerResult::Shown,
                    "{enough}"
                );
            }
        }

        #[test]
        fn a_failed_pager_is_reported_as_not_shown() {
            for text in ["short\n".to_owned(), "a long line\n".repeat(50_000)] {
                for broken in [
                    "/no/such/pager",
                    "exit 3",
                    "kill -KILL $$",
                    "head -n 1 > /dev/null; exit 1",
                    "if",
                ] {
                    assert_eq!(
                        run_pager(&chosen(broken), &text),
                        PagerResult::NotShown,
                        "{broken}"
                    );
                }
            }
            assert_eq!(run_pager(&Pager::None, "x"), PagerResult::NotShown);
        }
    }
}

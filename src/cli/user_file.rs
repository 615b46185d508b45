//! The user's own file: targets, and where their tokens come from. It may run commands, so only its owner may write it.

use super::command_line::variable;
use super::exit::Failure;
use super::input;
use crate::api::{Endpoint, InsecureHttp};
use crate::manifest::TargetSpec;
use crate::model::UserId;
use crate::plan::Target;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names the file to use instead of the one in the user's folder.
const VARIABLE: &str = "ANNOSYNC_CONFIG";
const MAX_BYTES: u64 = 1 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserFile {
    /// Prints the token for the service itself.
    pat_command: Option<String>,
    /// By name.
    #[serde(default)]
    targets: BTreeMap<String, UserTarget>,
    #[serde(skip)]
    path: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserTarget {
    user_id: UserId,
    app_id: String,
    endpoint: Option<String>,
    rate_limit: Option<NonZeroU32>,
    /// Prints the token for this target.
    pat_command: Option<String>,
    /// Holds the token for this target.
    pat_file: Option<PathBuf>,
}

/// Where a token comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenSource<'f> {
    File(&'f Path),
    Command(&'f str),
}

impl UserFile {
    /// Reads the file; an empty one if there is none.
    pub(super) fn read() -> Result<Self, Failure> {
        let path = match variable(VARIABLE) {
            Some(path) => PathBuf::from(path),
            None => match default_path() {
                Some(path) if path.exists() => path,
                _ => return Ok(Self::default()),
            },
        };
        let text = input::text(&path, MAX_BYTES)?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: PathBuf) -> Result<Self, Failure> {
        if text.trim().is_empty() {
            return Ok(Self {
                path,
                ..Self::default()
            });
        }
        let wrong = |error: &serde_yaml::Error| {
            let at = error
                .location()
                .map_or_else(String::new, |at| format!(":{}:{}", at.line(), at.column()));
            Failure::new(format!("{}{at}: {error}", path.display())).hint(
                "it may have `pat_command`, and `targets` by name with user_id, app_id, endpoint, rate_limit, pat_command \
                 and pat_file",
            )
        };
        // A map of the standard library would take the last of equal keys.
        serde_yaml::from_str::<serde_yaml::Value>(text).map_err(|error| wrong(&error))?;
        let file: Self = serde_yaml::from_str(text).map_err(|error| wrong(&error))?;
        for (name, target) in &file.targets {
            if target.pat_command.is_some() && target.pat_file.is_some() {
                return Err(Failure::new(format!(
                    "{}: target {name} has both pat_command and pat_file",
                    path.display()
                ))
                .hint("keep one of them"));
            }
        }
        Ok(Self { path, ..file })
    }

    /// The file that was read, if there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        (!self.path.as_os_str().is_empty()).then_some(&*self.path)
    }

    pub(super) fn target(&self, name: &str) -> Option<TargetSpec> {
        let target = self.targets.get(name)?;
        Some(TargetSpec::App {
            user_id: target.user_id.clone(),
            app_id: target.app_id.clone(),
            endpoint: target.endpoint.clone(),
            rate_limit: target.rate_limit.map(NonZeroU32::get),
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.targets.keys().map(String::as_str)
    }

    /// Where the token for an app comes from. A token is used only for the app that it is written for, or for the service
    /// itself: a manifest, which names hosts, must not decide where it is sent.
    pub(super) fn token_for(&self, app: &Target) -> Option<TokenSource<'_>> {
        let is_at = |written: &str| {
            let written = Endpoint::new(written, InsecureHttp::Allow);
            written.is_ok_and(|it| it.to_string() == app.endpoint)
        };
        let of_target = self.targets.values().find_map(|target| {
            let is_meant = target.user_id.as_str() == app.user_id
                && target.app_id == app.app_id
                && is_at(target.endpoint.as_deref().unwrap_or(Endpoint::SERVICE));
            if !is_meant {
                return None;
            }
            let file = target.pat_file.as_deref().map(TokenSource::File);
            file.or(target.pat_command.as_deref().map(TokenSource::Command))
        });
        of_target.or_else(|| {
            let command = self
                .pat_command
                .as_deref()
                .filter(|_| is_at(Endpoint::SERVICE));
            command.map(TokenSource::Command)
        })
    }
}

impl TokenSource<'_> {
    pub(super) fn read(&self) -> Result<String, Failure> {
        match self {
            Self::File(path) => Ok(input::text(path, input::MAX_TOKEN_BYTES)?),
            Self::Command(command) => run(command),
        }
    }
}

/// What a command prints. It may ask at the terminal.
fn run(command: &str) -> Result<String, Failure> {
    let (shell, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let failed = |why: String| {
        Failure::new(format!("pat_command `{command}` gives no token: {why}"))
            .hint("run it in a shell: it must print the token, and nothing else")
    };
    let output = Command::new(shell)
        .args([flag, command])
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let text = String::from_utf8(output.stdout).unwrap_or_default();
    if text.trim().is_empty() {
        return Err(failed("it printed nothing, or no text".to_owned()));
    }
    Ok(text)
}

/// The file in the user's folder for settings.
fn default_path() -> Option<PathBuf> {
    let folder = if cfg!(windows) {
        PathBuf::from(variable("APPDATA")?)
    } else {
        match variable("XDG_CONFIG_HOME") {
            Some(folder) => PathBuf::from(folder),
            None => PathBuf::from(variable("HOME")?).join(".config"),
        }
    };
    Some(folder.join("annosync").join("config.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<UserFile, String> {
        UserFile::parse(text, PathBuf::from("config.yaml")).map_err(|failure| failure.message)
    }

    fn app(endpoint: &str, app_id: &str) -> Target {
        Target {
            endpoint: endpoint.to_owned(),
            user_id: "acme".to_owned(),
            app_id: app_id.to_owned(),
        }
    }

    #[test]
    fn a_token_is_used_for_its_own_app_and_host_only() {
        let file = parse(
            "pat_command: all\ntargets:\n  a: { user_id: acme, app_id: a, pat_command: one }\n  \
             b: { user_id: acme, app_id: b, endpoint: 'https://b.example', pat_file: b.txt }\n",
        )
        .unwrap();
        let command = |command| Some(TokenSource::Command(command));
        for (endpoint, app_id, expected) in [
            (Endpoint::SERVICE, "a", command("one")),
            ("https://api.clarifai.com", "a", command("one")),
            (Endpoint::SERVICE, "c", command("all")),
            (
                "https://b.example",
                "b",
                Some(TokenSource::File(Path::new("b.txt"))),
            ),
            ("https://b.example", "a", None),
            ("https://b.example:8443", "b", None),
            ("http://api.clarifai.com", "a", None),
        ] {
            assert_eq!(
                file.token_for(&app(endpoint, app_id)),
                expected,
                "{endpoint} {app_id}"
            );
        }
    }

    #[test]
    fn wrong_files_are_errors_with_a_place() {
        for (text, message) in [
            (
                "targets:\n  a: { user_id: acme }\n",
                "missing field `app_id`",
            ),
            ("target: {}\n", "unknown field `target`"),
            (
                "targets: { a: { user_id: x, app_id: y }, a: { user_id: x, app_id: z } }\n",
                "duplicate",
            ),
            (
                "targets: { a: { user_id: x, app_id: y, pat_file: f, pat_command: c } }\n",
                "both",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with("config.yaml"), "{error}");
            assert!(error.contains(message), "{error}");
        }
        assert_eq!(parse(" \n").unwrap().names().count(), 0);
    }
}

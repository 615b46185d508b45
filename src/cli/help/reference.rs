//! The reference of the command line as one Markdown document, made from the clap definitions.
//!
//! The result is committed as `src/cli/reference.md`; a test compares the two. `clap-markdown` was tried: it prints
//! `after_help` as running text, so examples lose their lines, and does not escape `<FILE>`.

use super::topics::{ENVIRONMENT, ENVIRONMENT_NOTES, LINT_NOTES, TOPICS, all, level};
use crate::cli::exit::Exit;
use crate::model::Rule;
use clap::{Arg, Command};
use std::fmt::Write as _;

pub(super) fn reference(mut root: Command) -> String {
    root.build();
    let mut text = String::from(
        "# annosync: the command line\n\n\
         `annosync help reference` prints this page; a test checks that it is current.\n",
    );
    for command in all(&root) {
        section(&mut text, command);
    }
    text.push_str("\n## Topics\n\n| `annosync help …` | |\n|---|---|\n");
    for (topic, meaning) in TOPICS {
        row(&mut text, &format!("`{topic}`"), meaning);
    }
    text.push_str("\n## Lint rules\n\n| rule | level | finds | `--fix` |\n|---|---|---|---|\n");
    for rule in Rule::ALL {
        let level = level(*rule);
        let (name, meaning) = (rule.name(), cell(rule.meaning(), " "));
        let fixed = rule.fixed_by().unwrap_or_default();
        line(
            &mut text,
            &format!("| `{name}` | {level} | {meaning} | {fixed} |"),
        );
    }
    let _ = write!(text, "\n```text\n{}```\n", LINT_NOTES.trim_start());
    text.push_str("\n## Exit codes\n\n| code | meaning | what to do |\n|---|---|---|\n");
    for exit in Exit::ALL {
        let (number, meaning, next) = (exit.number(), exit.meaning(), exit.next());
        line(&mut text, &format!("| {number} | {meaning} | {next} |"));
    }
    text.push_str("\n## Environment\n\n| variable | |\n|---|---|\n");
    for (name, meaning) in ENVIRONMENT {
        row(&mut text, &format!("`{name}`"), meaning);
    }
    let _ = write!(text, "\n```text\n{ENVIRONMENT_NOTES}```\n");
    text
}

fn section(text: &mut String, command: &Command) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let _ = write!(text, "\n## `{name}`\n\n{}\n", cell(&about, "\n"));
    if command.has_subcommands() {
        text.push_str("\n| command | |\n|---|---|\n");
        for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
            let about = below
                .get_about()
                .map(ToString::to_string)
                .unwrap_or_default();
            row(text, &format!("`{}`", below.get_name()), &about);
        }
    } else {
        let usage = command.clone().render_usage().to_string();
        let _ = write!(
            text,
            "\n```console\n{}\n```\n",
            usage.trim_start_matches("Usage: ")
        );
    }
    let is_shown = |argument: &&Arg| !argument.is_hide_set() && !is_global(argument, command);
    let arguments: Vec<&Arg> = command.get_arguments().filter(is_shown).collect();
    if !arguments.is_empty() {
        text.push_str("\n| argument | |\n|---|---|\n");
        for argument in arguments {
            row(text, &format!("`{}`", syntax(argument)), &meaning(argument));
        }
    }
    if let Some(examples) = command
        .get_after_help()
        .filter(|_| !command.has_subcommands())
    {
        let _ = write!(text, "\n```text\n{examples}\n```\n");
    }
}

/// Arguments of every command are listed once, at `annosync` itself.
fn is_global(argument: &Arg, command: &Command) -> bool {
    let is_general = matches!(argument.get_id().as_str(), "help" | "version");
    (is_general || argument.is_global_set()) && command.get_name() != "annosync"
}

fn syntax(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let values: Vec<String> = names.iter().map(|name| format!("<{name}>")).collect();
    let takes_value = argument.get_action().takes_values();
    let value = if takes_value {
        values.join(" ")
    } else {
        String::new()
    };
    let flags: Vec<String> = [
        argument.get_short().map(|short| format!("-{short}")),
        argument.get_long().map(|long| format!("--{long}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let flags = flags.join(", ");
    format!("{flags} {value}").trim().to_owned()
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help());
    let mut text = help.map(ToString::to_string).unwrap_or_default();
    let takes_value = argument.get_action().takes_values();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|value| takes_value && !value.is_hide_set())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !values.is_empty() {
        text = format!("{text}: {}", values.join(", "));
    }
    let defaults: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| format!("`{}`", value.to_string_lossy()))
        .collect();
    if takes_value && !defaults.is_empty() && !argument.is_hide_default_value_set() {
        text = format!("{text}; default {}", defaults.join(", "));
    }
    text
}

fn row(text: &mut String, name: &str, meaning: &str) {
    line(
        text,
        &format!("| {} | {} |", name.replace('|', "\\|"), cell(meaning, " ")),
    );
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Escapes the text of a table cell or a paragraph, and joins its lines.
fn cell(text: &str, line_break: &str) -> String {
    let escaped = text
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('*', "\\*");
    let lines: Vec<&str> = escaped.lines().collect();
    lines.join(line_break)
}

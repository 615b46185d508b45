//! Problems of a manifest and findings of the linter for programs: JSON, SARIF 2.1.0, and the workflow commands of GitHub.

use crate::manifest::{Problem, Problems};
use crate::model::{Level, Rule, escape, escape_json};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

/// The id of problems that no rule of the linter covers.
const INVALID: &str = "invalid-manifest";

/// Findings that are not listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unlisted {
    /// Excepted by `ignore`.
    pub ignored: u64,
    /// In the baseline.
    pub known: u64,
}

/// The version of the JSON.
const FORMAT_VERSION: &str = "1.0";

/// Problems of a manifest and findings of the linter.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
struct Document<'a> {
    /// The version of this format.
    format_version: &'static str,
    /// The counts. Counts of zero are left out.
    summary: Counts,
    /// The findings, sorted by file and line.
    findings: Vec<Finding<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
struct Counts {
    /// Findings of level `error`.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(default))]
    errors: u64,
    /// Findings of level `warning`.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(default))]
    warnings: u64,
    /// Findings that are not listed, because an `ignore` in the file matches them.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(default))]
    ignored: u64,
    /// Findings that are not listed, because the baseline has them.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(test, schemars(default))]
    known: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
struct Finding<'a> {
    /// The rule, or `invalid-manifest`.
    rule: &'static str,
    /// `error` or `warning`.
    level: &'static str,
    /// The file, relative to the current folder if it is below it, with `/` on every system.
    path: String,
    /// The line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The column in characters, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    /// What is wrong.
    message: &'a str,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    /// Identifies the finding when lines move; equal findings have equal identities.
    #[serde(skip_serializing_if = "str::is_empty")]
    #[cfg_attr(test, schemars(default))]
    identity: &'a str,
}

/// All findings as one JSON document.
pub fn findings_json(problems: &Problems, unlisted: Unlisted) -> String {
    let count = |level: Level| problems.iter().filter(|it| it.level == level).count() as u64;
    document(&json!(Document {
        format_version: FORMAT_VERSION,
        summary: Counts {
            errors: count(Level::Error),
            warnings: count(Level::Warn),
            ignored: unlisted.ignored,
            known: unlisted.known,
        },
        findings: problems.iter().map(finding).collect(),
    }))
}

fn finding(problem: &Problem) -> Finding<'_> {
    let (line, column) = problem.place().unzip();
    Finding {
        rule: rule_id(problem),
        level: word(problem.level),
        path: path(&problem.path),
        line,
        column,
        message: &problem.message,
        hint: problem.hint.as_deref(),
        identity: &problem.identity,
    }
}

/// All findings as SARIF, for code scanning.
pub fn findings_sarif(problems: &Problems) -> String {
    let ids: Vec<&str> = std::iter::once(INVALID)
        .chain(Rule::ALL.iter().map(|rule| rule.name()))
        .collect();
    let invalid = json!({
        "id": INVALID,
        "shortDescription": { "text": "a manifest that cannot be used" },
        "defaultConfiguration": { "level": "error" },
    });
    let rules = Rule::ALL.iter().map(|rule| {
        let level = rule.default_level();
        json!({
            "id": rule.name(),
            "shortDescription": { "text": rule.meaning() },
            "defaultConfiguration": { "level": word(level.max(Level::Warn)), "enabled": level != Level::Off },
        })
    });
    let rules: Vec<Value> = std::iter::once(invalid).chain(rules).collect();
    let mut seen: HashMap<&str, u64> = HashMap::new();
    let results: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let (line, column) = problem.place().unwrap_or((1, 1));
            let id = rule_id(problem);
            let mut result = json!({
                "ruleId": id,
                "ruleIndex": ids.iter().position(|it| *it == id),
                "level": word(problem.level),
                "message": { "text": text(problem) },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(&path(&problem.path)) },
                        "region": {
                            "startLine": line,
                            "startColumn": column,
                            "endColumn": column + problem.span.as_ref().map_or(1, |span| span.length),
                        },
                    },
                }],
            });
            if !problem.identity.is_empty() {
                // GitHub recognises a finding by it when lines move, and takes equal ones for one finding.
                let number = seen.entry(&problem.identity).or_default();
                *number += 1;
                let hash = format!("{}:{number}", problem.identity);
                result["partialFingerprints"] = json!({ "primaryLocationLineHash": hash });
            }
            result
        })
        .collect();
    document(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "annosync",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

/// A workflow command of GitHub for each finding, which shows it at its line of a pull request.
pub fn findings_github(problems: &Problems) -> String {
    let data = |text: &str| {
        let text = text.replace('%', "%25").replace('\r', "%0D");
        escape(&text.replace('\n', "%0A")).into_owned()
    };
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut commands = String::new();
    for problem in problems {
        let (line, column) = problem.place().unwrap_or((1, 1));
        // Writing to a string cannot fail.
        let _ = writeln!(
            commands,
            "::{} file={},line={line},col={column},title={}::{}",
            word(problem.level),
            property(&path(&problem.path)),
            property(&format!("annosync: {}", rule_id(problem))),
            data(&text(problem))
        );
    }
    commands
}

fn rule_id(problem: &Problem) -> &'static str {
    problem.rule.map_or(INVALID, Rule::name)
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn | Level::Off => "warning",
    }
}

/// Message and hint.
fn text(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{}\n{hint}", problem.message),
        None => problem.message.clone(),
    }
}

/// A path without `./`, and with `/` on every system.
fn path(path: &Path) -> String {
    let path = path.strip_prefix(".").unwrap_or(path);
    let path = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '\\' {
        return path.replace('\\', "/");
    }
    path.into_owned()
}

/// A path as a URI reference: bytes that may not stand in one are percent-encoded.
fn uri(path: &str) -> String {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~');
    let mut uri = String::new();
    for byte in path.bytes() {
        if is_plain(byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

fn document(value: &Value) -> String {
    escape_json(&format!("{value:#}\n")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn problems() -> Problems {
        Problems::new(vec![Problem {
            path: PathBuf::from("./a b,c:d%.yaml"),
            message: "100%,\r\nor: \u{1b}[2J less".to_owned(),
            hint: Some("second\nline".to_owned()),
            level: Level::Warn,
            rule: Some(Rule::Tiny),
            ..Problem::default()
        }])
    }

    #[test]
    fn the_committed_schema_is_up_to_date() {
        let mut schema = schemars::schema_for!(Document<'static>).to_value();
        schema["$id"] = format!("urn:annosync:schema:findings:{FORMAT_VERSION}").into();
        schema["title"] = format!("annosync findings, format {FORMAT_VERSION}").into();
        crate::schemas::check("findings", crate::schemas::FINDINGS, &schema);
    }

    #[test]
    fn workflow_commands_stay_on_one_line() {
        assert_eq!(
            findings_github(&problems()),
            "::warning file=a b%2Cc%3Ad%25.yaml,line=1,col=1,title=annosync%3A tiny::\
             100%25,%0D%0Aor: \\u001b[2J less%0Asecond%0Aline\n"
        );
    }

    #[test]
    fn paths_in_sarif_are_uris() {
        let sarif: Value = serde_json::from_str(&findings_sarif(&problems())).unwrap();
        let location = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], "a%20b%2Cc%3Ad%25.yaml");
        let index = sarif["runs"][0]["results"][0]["ruleIndex"]
            .as_u64()
            .unwrap();
        let rule = &sarif["runs"][0]["tool"]["driver"]["rules"][index as usize];
        assert_eq!(rule["id"], "tiny");
    }
}

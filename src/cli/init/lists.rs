//! What every new project has: a set name made from its folder's name, and lines of `.gitattributes` and `.gitignore`.

use crate::cli::exit::Failure;
use crate::cli::input;
use crate::model::SetName;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

/// Files to which missing lines are added if they exist.
const LISTS: [(&str, &str); 2] = [
    (".gitattributes", include_str!("gitattributes")),
    (".gitignore", include_str!("gitignore")),
];
/// The set's name if the folder's name has no usable character.
const DEFAULT_SET: &str = "labels";
const MAX_NAME_LENGTH: usize = 40;

/// A set name made from a folder's name: lower case, with `-` for each run of other characters.
pub(in crate::cli) fn named_after(folder: &str) -> SetName {
    let mut name = String::new();
    for character in folder.chars().map(|c| c.to_ascii_lowercase()) {
        if character.is_ascii_lowercase() || character.is_ascii_digit() {
            name.push(character);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(MAX_NAME_LENGTH);
    let name = match name.trim_matches('-') {
        "" => DEFAULT_SET,
        name => name,
    };
    SetName::new(name).expect("only valid characters were kept, up to the maximum")
}

/// The new content of a list file.
pub(in crate::cli) struct List {
    pub(in crate::cli) name: &'static str,
    pub(in crate::cli) after: Vec<u8>,
}

/// The lists of a project to which lines have to be added.
pub(in crate::cli) fn lists(folder: &Path) -> Result<Vec<List>, Failure> {
    let mut lists = Vec::new();
    for (name, lines) in LISTS {
        lists.extend(completed(folder, name, lines)?);
    }
    Ok(lists)
}

/// A list with its missing lines added; `None` if no line is missing.
fn completed(folder: &Path, name: &'static str, lines: &str) -> Result<Option<List>, Failure> {
    let path = folder.join(name);
    if path
        .symlink_metadata()
        .is_err_and(|error| error.kind() == ErrorKind::NotFound)
    {
        let after = lines.as_bytes().to_vec();
        return Ok(Some(List { name, after }));
    }
    let is_file = path.metadata().is_ok_and(|known| known.is_file());
    let before = if is_file {
        input::bytes(&path, input::MAX_BYTES)
    } else {
        Err(Failure::new(format!("{} is not a file", path.display())))
    };
    let before = before.map_err(|failure| failure.hint("nothing was written"))?;
    let there = String::from_utf8_lossy(&before).into_owned();
    let there: BTreeSet<&str> = there.lines().map(str::trim_end).collect();
    let lines: Vec<&str> = lines.lines().filter(|line| !there.contains(line)).collect();
    if lines.iter().all(|line| line.starts_with('#')) {
        return Ok(None);
    }
    let mut after = before.clone();
    if !after.is_empty() && !after.ends_with(b"\n") {
        after.push(b'\n');
    }
    for line in lines {
        after.extend_from_slice(line.as_bytes());
        after.push(b'\n');
    }
    Ok(Some(List { name, after }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_name_is_made_from_the_folders_name() {
        for (folder, set) in [
            ("street", "street"),
            ("Street Labels (2026)", "street-labels-2026"),
            ("__x__", "x"),
            ("äöü", "labels"),
            ("", "labels"),
            (
                &"ab-".repeat(20),
                "ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-a",
            ),
            (&format!("{}-b", "a".repeat(39)), &"a".repeat(39)),
        ] {
            assert_eq!(named_after(folder).as_str(), set, "{folder}");
        }
    }
}

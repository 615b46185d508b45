//! The contact sheets that go with a comment.

use super::blocks::{Align, Table};
use super::span::{code, prose};
use crate::model::{counted, thousands};
use crate::render::sheet_list::{ListedSheet, SheetList};
use std::fmt::Write as _;
use std::path::Path;
use url::Url;

/// Bytes for the tables of all sheets.
const TABLES: usize = 12_000;
/// Longer paths and URLs are not made links.
const LONGEST: usize = 1_500;

/// The section of the sheets; empty if there are none.
pub(super) fn section(list: &SheetList) -> String {
    if list.sheets.is_empty() {
        return String::new();
    }
    let changes: usize = list.sheets.iter().map(|sheet| sheet.changes.len()).sum();
    let mut text = format!(
        "### Pictures\n\n{} on {}. Before the change dashed, after it solid, removed red with a cross, unchanged thin.",
        counted(changes as u64, "change"),
        counted(list.sheets.len() as u64, "contact sheet"),
    );
    if list.left_out > 0 {
        let _ = write!(
            text,
            " {} more not drawn (`--max-sheets`).",
            thousands(list.left_out)
        );
    }
    text.push_str("\n\n");
    let limit = TABLES / list.sheets.len();
    for sheet in &list.sheets {
        let _ = write!(text, "{}\n\n{}\n", link(list, sheet), table(sheet, limit));
    }
    for note in &list.notes {
        let _ = write!(text, "{}.\n\n", prose(note));
    }
    text
}

fn table(sheet: &ListedSheet, limit: usize) -> String {
    const TITLES: [&str; 3] = ["number", "input", "change"];
    let rows = sheet.changes.iter().map(|change| {
        vec![
            thousands(change.number as u64),
            code(change.input_id.as_str()),
            code(&change.words),
        ]
    });
    let table = Table {
        titles: &TITLES,
        align: vec![Align::Right, Align::Left, Align::Left],
        rows: rows.collect(),
        more: 0,
        row_noun: "change",
    };
    table.write(limit)
}

/// The sheet itself if its URL is known, else a link to its file.
fn link(list: &SheetList, sheet: &ListedSheet) -> String {
    let numbers = match (sheet.changes.first(), sheet.changes.last()) {
        (Some(from), Some(to)) if from.number == to.number => format!("change {}", from.number),
        (Some(from), Some(to)) => format!("changes {} to {}", from.number, to.number),
        _ => "changes".to_owned(),
    };
    let below = |place: &str| {
        if place.is_empty() {
            sheet.file.clone()
        } else {
            format!("{}/{}", place.trim_end_matches('/'), sheet.file)
        }
    };
    // Nothing else ends a link in angle brackets.
    let is_linkable = |link: &str| {
        link.len() <= LONGEST
            && !link.contains(['<', '>', '\\'])
            && !link.contains(char::is_control)
    };
    if let Some(url) = list.url.as_deref().and_then(|url| within(url, &sheet.file))
        && is_linkable(url.as_str())
    {
        return format!("![{}: {numbers}](<{url}>)", sheet.file);
    }
    let path = below(&list.folder);
    if Path::new(&list.folder).is_absolute() {
        // Not a place that a reader could follow.
        format!("{}: {numbers}", code(&sheet.file))
    } else if is_linkable(&path) && !path.contains(':') {
        format!("[{}](<{path}>): {numbers}", sheet.file)
    } else {
        format!("{}: {numbers}", code(&path))
    }
}

/// The URL of a file in the folder at this URL. What follows a question mark stays at the end.
fn within(folder: &str, file: &str) -> Option<Url> {
    let mut url = Url::parse(folder).ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().push(file);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InputId;
    use crate::render::sheet_list::ListedChange;

    fn list(folder: &str, url: Option<&str>, words: &str) -> SheetList {
        let change = |number| ListedChange {
            number,
            input_id: InputId::new("street-1").unwrap(),
            words: words.to_owned(),
        };
        SheetList {
            folder: folder.to_owned(),
            url: url.map(str::to_owned),
            sheets: vec![ListedSheet {
                file: "sheet-001.png".to_owned(),
                changes: vec![change(1), change(2)],
            }],
            left_out: 1_200,
            notes: vec!["no picture was found for 1 input (a)".to_owned()],
        }
    }

    #[test]
    fn a_section_names_the_sheets_and_every_number() {
        let text = section(&list("out/sheets", None, "+ post box: car"));
        assert_eq!(
            text,
            "### Pictures\n\n2 changes on 1 contact sheet. Before the change dashed, after it solid, removed red with a cross, \
             unchanged thin. 1,200 more not drawn (`--max-sheets`).\n\n\
             [sheet-001.png](<out/sheets/sheet-001.png>): changes 1 to 2\n\n\
             | number | input | change |\n| ---: | --- | --- |\n\
             | 1 | `street-1` | `+ post box: car` |\n| 2 | `street-1` | `+ post box: car` |\n\n\
             no picture was found for 1 input &#40;a&#41;.\n\n"
        );
        let shown = section(&list(
            "out",
            Some("https://example.com/a b/"),
            "+ post box: car",
        ));
        let expected =
            "\n![sheet-001.png: changes 1 to 2](<https://example.com/a%20b/sheet-001.png>)\n";
        assert!(shown.contains(expected), "{shown}");
        for (url, expected) in [
            (
                "https://example.com/raw?ref=a/b",
                "https://example.com/raw/sheet-001.png?ref=a/b",
            ),
            (
                "https://example.com/?token=x#top",
                "https://example.com/sheet-001.png?token=x#top",
            ),
        ] {
            let shown = section(&list("out", Some(url), "+ post box: car"));
            assert!(shown.contains(&format!("](<{expected}>)")), "{shown}");
        }
        assert_eq!(section(&SheetList::default()), "");
    }

    #[test]
    fn hostile_words_and_folders_stay_text() {
        let text = section(&list("a>](javascript:x)<", None, "| <img> ` [x](y)\n# z"));
        assert!(!text.contains("](<a"), "{text}");
        assert!(!text.contains("\n# z"), "{text}");
        let text = section(&list("/home/ann/sheets", None, "x"));
        assert!(
            text.contains("\n`sheet-001.png`: changes 1 to 2\n"),
            "{text}"
        );
        let text = section(&list("javascript:alert(1)//", None, "x"));
        assert!(!text.contains("](<"), "{text}");
        let long = section(&list("out", None, &"x".repeat(90_000)));
        assert!(long.len() < 20_000, "{}", long.len());
    }
}

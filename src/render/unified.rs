//! The difference of two texts, in the form of `diff -u`.

use super::page::{Color, Ink, Page};
use crate::model::counted;
use similar::{ChangeTag, TextDiff};
use std::fmt::Display;

/// Lines of context around each change.
const CONTEXT: usize = 3;

/// Lines that are compared, from the first difference on. Comparing texts that have nothing in common takes the square of
/// their length.
const MAX_COMPARED: usize = 2_000;

/// The unified diff of two named texts, escaped; empty if they are equal.
pub fn unified(old: (&dyn Display, &str), new: (&dyn Display, &str), color: Color) -> String {
    let (is, wanted) = (lines(old.1), lines(new.1));
    if is == wanted {
        return String::new();
    }
    let same = is.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    let most = same + MAX_COMPARED;
    let (is_left, wanted_left) = if is.len() > most || wanted.len() > most {
        (
            is.len().saturating_sub(most),
            wanted.len().saturating_sub(most),
        )
    } else {
        (0, 0)
    };
    let (is, wanted) = (
        &is[..is.len() - is_left],
        &wanted[..wanted.len() - wanted_left],
    );
    let mut page = Page::new(color);
    page.line(Ink::Heading, &format!("--- {}", old.0));
    page.line(Ink::Heading, &format!("+++ {}", new.0));
    let diff = TextDiff::from_slices(is, wanted);
    for hunk in diff.grouped_ops(CONTEXT) {
        let header = similar::udiff::UnifiedHunkHeader::new(&hunk);
        page.line(Ink::Faint, &header.to_string());
        for change in hunk.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, ink) = match change.tag() {
                ChangeTag::Equal => (' ', Ink::Plain),
                ChangeTag::Delete => ('-', Ink::Removed),
                ChangeTag::Insert => ('+', Ink::Added),
            };
            let text = change.value();
            let line = text.strip_suffix('\n');
            page.line(ink, &format!("{sign}{}", line.unwrap_or(text)));
            if line.is_none() {
                page.line(Ink::Faint, "\\ No newline at end of file");
            }
        }
    }
    if is_left + wanted_left > 0 {
        let line = format!(
            "Not compared: the last {} of the first text and the last {} of the second.",
            counted(is_left as u64, "line"),
            counted(wanted_left as u64, "line")
        );
        page.line(Ink::Faint, &line);
    }
    page.finish()
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(old: &str, new: &str) -> String {
        unified((&"plan.txt", old), (&"now", new), Color::Never)
    }

    #[test]
    fn changes_are_shown_with_context() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        insta::assert_snapshot!(diff(old, &old.replace('5', "V\u{1b}[2J")), @r"
        --- plan.txt
        +++ now
        @@ -2,7 +2,7 @@
         2
         3
         4
        -5
        +V\u001b[2J
         6
         7
         8
        ");
        assert_eq!(diff(old, old), "");
        insta::assert_snapshot!(diff("a", "a\n"), @r"
        --- plan.txt
        +++ now
        @@ -1 +1 @@
        -a
        \ No newline at end of file
        +a
        ");
        insta::assert_snapshot!(diff("", "a\n"), @r"
        --- plan.txt
        +++ now
        @@ -0,0 +1 @@
        +a
        ");
    }

    #[test]
    fn colours_add_nothing() {
        let colored = unified((&"a", "x\ny\n"), (&"b", "x\nz\n"), Color::Always);
        assert!(colored.contains("\u{1b}[31m-y\u{1b}[0m\n"), "{colored:?}");
        assert_eq!(
            anstream::adapter::strip_str(&colored).to_string(),
            unified((&"a", "x\ny\n"), (&"b", "x\nz\n"), Color::Never)
        );
    }

    #[test]
    fn long_texts_without_common_lines_are_compared_in_part() {
        use std::fmt::Write as _;
        let text = |word: &str, lines: usize| {
            let mut text = "same\n".to_owned();
            for line in 0..lines {
                writeln!(text, "{word} {line}").unwrap();
            }
            text
        };
        let shown = diff(&text("old", 1_000_000), &text("new", MAX_COMPARED));
        let last = shown.lines().last().unwrap();
        assert_eq!(
            last,
            "Not compared: the last 998,000 lines of the first text and the last 0 lines of the second."
        );
        assert_eq!(
            shown
                .lines()
                .filter(|line| line.starts_with("-old"))
                .count(),
            MAX_COMPARED
        );
        let whole = diff(&text("old", MAX_COMPARED), &text("new", 3));
        assert!(!whole.contains("not compared"), "{whole}");
    }
}

//! Words of error messages: how a user's text is quoted, and which known word is nearest to an unknown one.
//!
//! Holds no messages of its own.

pub(super) use crate::model::nearest_word as nearest;

/// Texts longer than this are shortened in a message.
const LONGEST_QUOTE: usize = 60;

/// The text between backticks, on one line, shortened where it is long.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST_QUOTE {
            quoted.push('…');
            break;
        }
        if c.is_control() {
            quoted.extend(c.escape_default());
        } else {
            quoted.push(c);
        }
    }
    quoted.push('`');
    quoted
}

/// The words between backticks, separated by commas.
pub(super) fn list<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}

/// "did you mean `word`?" and then everything that is allowed.
pub(super) fn suggestion<'w>(
    word: &str,
    allowed: impl IntoIterator<Item = &'w str> + Clone,
) -> String {
    let all = format!("allowed: {}", list(allowed.clone()));
    match nearest(word, allowed) {
        Some(near) => format!("did you mean {}? {all}", quote(near)),
        None => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_whatever_the_case_and_nothing_far_is() {
        let words = ["concepts", "polygon", "box"];
        assert_eq!(nearest("concpets", words), Some("concepts"));
        assert_eq!(nearest("Box", words), Some("box"));
        assert_eq!(nearest("boz", words), Some("box"));
        assert_eq!(nearest("mask", words), None);
        assert_eq!(nearest("", words), None);
    }

    #[test]
    fn quotes_stay_on_one_line_and_short() {
        assert_eq!(quote("a\nb\u{1b}"), "`a\\nb\\u{1b}`");
        assert_eq!(quote(&"x".repeat(100)).chars().count(), 63);
    }
}

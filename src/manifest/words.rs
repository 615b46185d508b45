//! Parts of messages: quoted texts, lists of words, suggestions.

pub(super) use crate::model::nearest_word as nearest;

/// In characters. Longer texts are cut.
const MAX_QUOTE: usize = 60;

/// The text between backticks, on one line, cut if it is long.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == MAX_QUOTE {
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

/// "did you mean `word`? allowed: …"
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
    fn the_nearest_word_is_similar_and_ignores_case() {
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

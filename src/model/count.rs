//! Counts in words.

/// A count with a comma between thousands: `1,815`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The first word for a count of 1, else the second.
pub fn plural<'a>(count: u64, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// `1 call`, `1,815 calls`.
pub fn counted(count: u64, one: &str) -> String {
    format!("{} {one}{}", thousands(count), plural(count, "", "s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_and_nouns_agree() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(count), text);
        }
        assert_eq!(counted(1, "call"), "1 call");
        assert_eq!(counted(1_000, "call"), "1,000 calls");
        assert_eq!(plural(0, "is", "are"), "are");
    }
}

//! Paths of exported files.

use crate::formats::source::join;

/// A relative path that stays in its folder on every system: without `..`, control characters, characters and names
/// that Windows refuses, and dots at the start of a name, since an import does not read hidden files.
pub(super) fn safe_path(path: &str) -> String {
    let path = join("", path).unwrap_or_else(|| path.replace(['/', '\\', ':'], "_"));
    let parts: Vec<String> = path
        .split('/')
        .map(|part| {
            let part: String = part
                .chars()
                .map(|c| match c {
                    '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
                    c if c.is_control() => '_',
                    c => c,
                })
                .collect();
            let part = part.trim_end_matches(['.', ' ']);
            let stem = part.split('.').next().unwrap_or_default();
            let is_device = ["con", "prn", "aux", "nul"].contains(&stem.to_lowercase().as_str());
            if let Some(rest) = part.strip_prefix('.') {
                format!("_{rest}")
            } else if part.is_empty() || is_device {
                format!("_{part}")
            } else {
                part.to_owned()
            }
        })
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_folder() {
        for (path, safe) in [
            ("a/b.xml", "a/b.xml"),
            ("../../x", "_._.._x"),
            (".a/.b.xml", "_a/_b.xml"),
            ("a/../b", "b"),
            ("/etc/passwd", "_etc_passwd"),
            (r"C:\x.xml", "C__x.xml"),
            ("https://h/a?b=c", "https_/h/a_b=c"),
            ("a\u{1b}[31m\n.xml", "a_[31m_.xml"),
            ("nul.txt", "_nul.txt"),
            ("a. ", "a"),
            ("", "_"),
        ] {
            assert_eq!(safe_path(path), safe, "{path:?}");
        }
    }
}

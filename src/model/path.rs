//! Which ids can be a segment of a URL path.

/// Whether an id can be a segment of a path and keep its meaning. `.` and `..` mean other paths; slashes, backslashes and
/// percent signs are encoded, and some proxies decode them again.
pub fn is_path_segment(id: &str) -> bool {
    !matches!(id, "" | "." | "..")
        && !id
            .chars()
            .any(|c| matches!(c, '/' | '\\' | '%') || c.is_control())
}

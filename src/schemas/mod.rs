//! The committed JSON Schemas, draft 2020-12.
//!
//! They are derived from the types, or written beside the readers, in the tests of those modules; a test there checks
//! that they are the same. To write them: `ANNOSYNC_WRITE_SCHEMAS=1 cargo test schema`.

/// A file of a manifest. A line of a `.jsonl` file matches `$defs/input`.
pub const MANIFEST: &str = include_str!("manifest.json");
/// A plan file.
pub const PLAN: &str = include_str!("plan.json");
/// A saved listing.
pub const LISTING: &str = include_str!("listing.json");
/// What an apply prints as JSON.
pub const OUTCOME: &str = include_str!("outcome.json");
/// What a diff prints as JSON.
pub const DIFF: &str = include_str!("diff.json");
/// What `validate` prints as JSON.
pub const FINDINGS: &str = include_str!("findings.json");
/// Statistics as JSON.
pub const STATS: &str = include_str!("stats.json");

/// Checks that a schema is the committed one, or writes it.
///
/// # Panics
///
/// If it differs.
#[cfg(test)]
pub(crate) fn check(name: &str, committed: &str, schema: &serde_json::Value) {
    let text = format!("{schema:#}\n");
    if std::env::var_os("ANNOSYNC_WRITE_SCHEMAS").is_some() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schemas");
        std::fs::write(folder.join(format!("{name}.json")), text).unwrap();
    } else {
        assert!(
            text == committed,
            "src/schemas/{name}.json is outdated: run ANNOSYNC_WRITE_SCHEMAS=1 cargo test schema"
        );
    }
}

//! The calls that write to an app: `api` makes and sends them, and a dry run prints them.

/// The method of a call that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WriteMethod {
    Post,
    Patch,
    Delete,
}

/// A call that writes to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteCall {
    pub method: WriteMethod,
    /// The segments of the path below the app's, not encoded.
    pub path: Vec<String>,
    /// JSON.
    pub body: Option<String>,
}

impl WriteCall {
    pub(crate) fn new(method: WriteMethod, path: &[&str], body: Option<String>) -> Self {
        Self {
            method,
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
            body,
        }
    }
}

/// The segments of an app's path.
pub(crate) fn app_path<'a>(user_id: &'a str, app_id: &'a str) -> [&'a str; 5] {
    ["v2", "users", user_id, "apps", app_id]
}

//! The calls of a plan, as `apply --dry-run` prints them.

use crate::model::escape_json;
use crate::plan::Target;
use crate::wire::{WriteCall, WriteMethod, app_path};
use serde_json::value::RawValue;
use url::Url;

/// One JSON object per line, `{"method", "path", "body"}`, in the order of the calls, without token and host.
pub fn calls(target: &Target, calls: &[WriteCall]) -> String {
    let lines = calls.iter().map(|call| line(target, call));
    lines.fold(String::new(), |mut text, line| {
        text.push_str(&escape_json(&line));
        text.push('\n');
        text
    })
}

fn line(target: &Target, call: &WriteCall) -> String {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        method: WriteMethod,
        path: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<&'a RawValue>,
    }
    let body = call.body.as_deref();
    // Percent-encoded as it is sent.
    let mut url = Url::parse("http://localhost").expect("the literal is a URL");
    url.path_segments_mut()
        .expect("http URLs have a path")
        .pop_if_empty()
        .extend(app_path(&target.user_id, &target.app_id))
        .extend(&call.path);
    let line = Line {
        method: call.method,
        path: url.path(),
        body: body.map(|body| serde_json::from_str(body).expect("a body is JSON")),
    };
    serde_json::to_string(&line).expect("text always serialises")
}

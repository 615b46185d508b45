//! The call over REST that a call over gRPC corresponds to.

use super::call::RequestParts;
use super::endpoint::Endpoint;
use serde_json::Value;
use std::borrow::Cow;
use url::Url;
use url::form_urlencoded::Serializer;

/// A call over REST.
#[derive(Debug)]
pub(super) struct RestCall<'a> {
    pub(super) method: &'a str,
    pub(super) path: Cow<'a, str>,
    /// Without the question mark.
    pub(super) query: Cow<'a, str>,
    pub(super) body: Cow<'a, [u8]>,
}

/// The REST form of a message. What the path holds is in neither query nor body. `None` if the message lacks an id that
/// the path needs.
pub(super) fn rest_form(endpoint: Endpoint, sent: &RequestParts) -> Option<RestCall<'static>> {
    let text = |name: &str| {
        let text = sent.path.get(name).map(String::as_str);
        // URLs do not keep the other two as segments.
        text.filter(|text| !matches!(*text, "" | "." | ".."))
    };
    let app = text("user_id").zip(text("app_id"));
    let fill = |template: &'static str| {
        let mut used = Vec::new();
        let mut segments = Vec::new();
        if !template.starts_with("/v2/") {
            segments.push("v2");
            if let Some((user_id, app_id)) = app {
                segments.extend(["users", user_id, "apps", app_id]);
                used.extend(["user_id", "app_id"]);
            }
        }
        for segment in template.split('/').skip(1) {
            let name = segment
                .strip_prefix('{')
                .and_then(|it| it.strip_suffix('}'));
            segments.push(match name {
                Some(name) => {
                    used.push(name);
                    text(name)?
                }
                None => segment,
            });
        }
        Some((segments, used))
    };
    let mut routes = endpoint.routes().iter();
    let (method, (segments, used)) =
        routes.find_map(|(_, method, template)| Some((*method, fill(template)?)))?;
    let mut url = Url::parse("http://localhost").ok()?;
    url.path_segments_mut().ok()?.clear().extend(segments);
    let is_used = |name: &str| {
        let of_app = name == "user_app_id" || name.starts_with("user_app_id.");
        used.contains(&name) || of_app && used.contains(&"user_id")
    };
    let mut query = Serializer::new(String::new());
    query.extend_pairs(sent.query.pairs().filter(|(name, _)| !is_used(name)));
    let mut body = Vec::new();
    if endpoint.takes_body() {
        let mut rest = sent.body.clone();
        rest.retain(|name, _| !is_used(name));
        body = Value::Object(rest).to_string().into_bytes();
    }
    Some(RestCall {
        method,
        path: url.path().to_owned().into(),
        query: query.finish().into(),
        body: body.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::listing::Query;
    use super::*;
    use serde_json::json;

    fn form(endpoint: Endpoint, path: &[(&str, &str)], query: &str, body: Value) -> Option<String> {
        let Value::Object(body) = body else {
            unreachable!("a literal object")
        };
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let sent = RequestParts {
            path: path.iter().map(own).collect(),
            query: Query::parse(query),
            body,
            base_url: String::new(),
        };
        let call = rest_form(endpoint, &sent)?;
        let body = String::from_utf8_lossy(&call.body);
        Some(format!(
            "{} {}?{} {body}",
            call.method, call.path, call.query
        ))
    }

    #[test]
    fn ids_of_a_message_are_in_the_path() {
        let app = [("user_id", "me"), ("app_id", "a b")];
        let query = "user_app_id.user_id=me&user_app_id.app_id=a+b&page=2&ids=x%2Fy";
        assert_eq!(
            form(Endpoint::ListInputs, &app, query, json!({})).unwrap(),
            "GET /v2/users/me/apps/a%20b/inputs?page=2&ids=x%2Fy "
        );
        assert_eq!(
            form(
                Endpoint::ListInputs,
                &app[..1],
                "user_app_id.user_id=me",
                json!({})
            )
            .unwrap(),
            "GET /v2/inputs?user_app_id.user_id=me "
        );
        let body = json!({"user_app_id": {"user_id": "me"}, "task_id": "t", "status": 1});
        let path = [app[0], app[1], ("task_id", "t")];
        assert_eq!(
            form(Endpoint::PatchAnnotationsStatus, &path, "", body).unwrap(),
            "PATCH /v2/users/me/apps/a%20b/task/t/annotations/status? {\"status\":1}"
        );
        assert_eq!(
            form(Endpoint::GetApp, &[], "", json!({})).unwrap(),
            "GET /v2/app? "
        );
    }

    #[test]
    fn a_message_without_an_id_has_no_path() {
        for id in ["", ".", ".."] {
            let path = [("user_id", "me"), ("app_id", "a"), ("input_id", id)];
            assert_eq!(form(Endpoint::DeleteInput, &path, "", json!({})), None);
        }
        assert_eq!(form(Endpoint::GetInput, &[], "", json!({})), None);
    }
}

//! Addresses of an app and its inputs on the service's own pages.

use crate::model::{InputId, is_path_segment};
use crate::plan::Target;
use std::fmt::Write as _;

/// The endpoint of the service. Other endpoints have no pages that are known.
const ENDPOINT: &str = "https://api.clarifai.com";
const PAGES: &str = "https://clarifai.com";
/// Longer addresses are left out, in bytes.
const LONGEST: usize = 500;

/// The page of an app; `None` if the target is not an app of the service.
pub(super) fn of_app(target: &Target) -> Option<String> {
    // The service replaces `me` by the user of a token, which a page does not have.
    let is_known = target.endpoint == ENDPOINT && target.user_id != "me";
    let ids = [&target.user_id, &target.app_id];
    (is_known && ids.iter().all(|id| is_path_segment(id))).then_some(())?;
    let [user, app] = ids.map(|id| encoded(id));
    within_limit(format!("{PAGES}/{user}/{app}"))
}

/// The page of an input.
pub(super) fn of_input(target: &Target, input: &InputId) -> Option<String> {
    if !is_path_segment(input.as_str()) {
        return None;
    }
    let app = of_app(target)?;
    within_limit(format!("{app}/inputs/{}", encoded(input.as_str())))
}

fn within_limit(address: String) -> Option<String> {
    (address.len() <= LONGEST).then_some(address)
}

/// Percent-encodes everything except letters, digits, `-`, `.`, `_` and `~`, so that the address is harmless in any format.
fn encoded(id: &str) -> String {
    let mut safe = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            safe.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::plan;

    #[test]
    fn inputs_of_the_service_have_an_address() {
        let target = plan(Vec::new()).target;
        let of = |target: &Target, id: &str| of_input(target, &InputId::new(id).unwrap());
        assert_eq!(of_app(&target).unwrap(), "https://clarifai.com/acme/street");
        assert_eq!(
            of(&target, r#"a b?#"<é>&"#).unwrap(),
            "https://clarifai.com/acme/street/inputs/a%20b%3F%23%22%3C%C3%A9%3E%26"
        );
        for id in ["..", "a/b", "a%2Fb", "\\"] {
            assert_eq!(of(&target, id), None, "{id}");
        }
        assert_eq!(of(&target, &"x".repeat(70_000)), None);
    }

    #[test]
    fn other_endpoints_and_unknown_apps_have_none() {
        for (endpoint, user, app) in [
            ("https://api.clarifai.com.example", "acme", "street"),
            ("http://127.0.0.1:8080", "acme", "street"),
            ("embedded:.annosync/local.db", "acme", "street"),
            ("https://api.clarifai.com", "me", "street"),
            ("https://api.clarifai.com", "..", "street"),
            ("https://api.clarifai.com", "acme", ""),
            ("", "acme", ""),
        ] {
            let target = Target {
                endpoint: endpoint.to_owned(),
                user_id: user.to_owned(),
                app_id: app.to_owned(),
            };
            assert_eq!(of_app(&target), None, "{endpoint} {user} {app}");
        }
    }
}

//! The JSON of an input as it is sent.

use crate::model::{InputId, Json};
use serde_json::{Map, Value, json};

/// Where the service gets a medium from.
pub(crate) enum Source<'a> {
    /// A URL of a text, which the service fetches.
    TextUrl(&'a str),
    /// A URL of another medium. Several inputs may show the same one.
    Url(&'a str),
    /// A text itself.
    Raw(String),
    /// Bytes in base64.
    Base64(String),
}

/// A new input with its media, each under the API's name of its kind.
pub(crate) fn input<'a>(
    id: &InputId,
    media: impl IntoIterator<Item = (&'static str, Source<'a>)>,
) -> Json {
    let data: Map<String, Value> = media
        .into_iter()
        .map(|(kind, source)| {
            let value = match source {
                Source::TextUrl(url) => json!({ "url": url }),
                Source::Url(url) => json!({ "url": url, "allow_duplicate_url": true }),
                Source::Raw(text) => json!({ "raw": text }),
                Source::Base64(bytes) => json!({ "base64": bytes }),
            };
            (kind.to_owned(), value)
        })
        .collect();
    Json::from_value(&json!({ "id": id.as_str(), "data": data }))
}

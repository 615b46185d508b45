//! The media of inputs: checks of URLs, and uploaded files, which answers show as URLs of the emulator.
//!
//! URLs are not fetched. A URL with a host under the reserved top-level domain `.invalid` counts as unreachable.

use super::call::Call;
use super::hash::hex;
use super::input_table::MEDIA;
use super::reply::{ItemFailure, Refusal};
use super::session::Session;
use super::shared::Shared;
use super::store::Access;
use crate::wire::Code;
use base64::Engine as _;
use rusqlite::{OptionalExtension as _, params};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// In the database this stands before the hash of a file, instead of a URL: the emulator's address can change.
const UPLOADED: &str = "uploaded:";

/// A file that was uploaded with an input.
#[derive(Debug)]
pub(super) struct Upload {
    hash: String,
    bytes: Vec<u8>,
}

/// Checks a medium of a new input, and takes its bytes out of it. Returns the status of the download.
pub(super) fn take(
    session: &Session<'_>,
    call: &Call<'_>,
    kind: &str,
    medium: &mut Map<String, Value>,
    uploads: &mut Vec<Upload>,
) -> Result<Result<Code, ItemFailure>, rusqlite::Error> {
    let failure = |code, details: String| Ok(Err(ItemFailure { code, details }));
    if let Some(bytes) = medium.shift_remove("base64") {
        let text = bytes.as_str().unwrap_or_default();
        let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(text) else {
            let details = format!("`base64` of the {kind} is not valid");
            return failure(Code::INPUT_INVALID_ARGUMENT, details);
        };
        if bytes.is_empty() {
            let details = format!("the {kind} is empty");
            return failure(Code::INPUT_UNSUPPORTED_FORMAT, details);
        }
        let hash = hex(&Sha256::digest(&bytes));
        medium.insert("url".to_owned(), Value::from(format!("{UPLOADED}{hash}")));
        uploads.push(Upload { hash, bytes });
        return Ok(Ok(Code::INPUT_DOWNLOAD_SUCCESS));
    }
    let Some(url) = medium.get("url").and_then(Value::as_str) else {
        return Ok(Ok(Code::INPUT_DOWNLOAD_SUCCESS));
    };
    let host = match url::Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            url.host_str().unwrap_or_default().to_owned()
        }
        _ => {
            return failure(
                Code::INPUT_INVALID_URL,
                format!("`{url}` is not a valid URL"),
            );
        }
    };
    let allowed = medium.get("allow_duplicate_url") == Some(&Value::Bool(true));
    if !allowed && session.has_url(&call.app, kind, url)? {
        return failure(Code::INPUT_DUPLICATE, "Input has a duplicate URL.".into());
    }
    Ok(Ok(if host.ends_with(".invalid") {
        Code::INPUT_DOWNLOAD_FAILED
    } else {
        Code::INPUT_DOWNLOAD_SUCCESS
    }))
}

/// Stores the files of an input.
pub(super) fn store(
    session: &Session<'_>,
    call: &Call<'_>,
    input_id: &str,
    uploads: &[Upload],
) -> rusqlite::Result<()> {
    for Upload { hash, bytes } in uploads {
        session
            .transaction
            .prepare_cached(
                "INSERT INTO media (app, input_id, hash, bytes) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![call.app.key, input_id, hash, bytes])?;
    }
    Ok(())
}

/// Writes the URLs of uploaded files into an input's data.
pub(super) fn show(data: &mut Value, base_url: &str) {
    for kind in MEDIA {
        if let Some(Value::String(url)) = data.get_mut(kind).and_then(|it| it.get_mut("url"))
            && let Some(hash) = url.strip_prefix(UPLOADED)
        {
            *url = format!("{base_url}/media/{hash}");
        }
    }
}

/// The file with this hash.
pub(super) async fn read(shared: &Arc<Shared>, hash: String) -> Result<Option<Vec<u8>>, Refusal> {
    let read = shared.run(Access::Reads, move |session, _| {
        let found = session
            .transaction
            .prepare_cached("SELECT bytes FROM media WHERE hash = ?1 LIMIT 1")?
            .query_row([hash], |row| row.get(0))
            .optional()?;
        Ok(found)
    });
    read.await
}

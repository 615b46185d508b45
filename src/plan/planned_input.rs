//! Inputs that a plan posts or waits for.

use crate::model::{InputId, Json, is_web_url};
use crate::wire::encode::{self, Source};

/// A medium of an input.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Medium {
    /// The kind of the medium.
    pub kind: MediumKind,
    /// The source of the medium.
    pub source: MediumSource,
}

impl Medium {
    pub(super) fn is_declarable(&self) -> bool {
        match &self.source {
            MediumSource::File { .. } => true,
            MediumSource::Url { url } => is_web_url(url),
            MediumSource::Raw { .. } => self.kind == MediumKind::Text,
        }
    }
}

/// The kind of a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MediumKind {
    Image,
    Video,
    Text,
}

impl MediumKind {
    /// The name in the API and in the manifest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Text => "text",
        }
    }
}

/// The source of a medium.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", untagged)]
pub enum MediumSource {
    /// A file of the manifest's folder, read when it is sent.
    File {
        /// The path below the manifest's folder.
        path: String,
        /// SHA-256 of its bytes: 64 hex digits. A file with another hash is not sent.
        sha256: String,
        /// The size in bytes.
        bytes: u64,
    },
    /// A URL that the service fetches.
    Url {
        /// The URL.
        url: String,
    },
    /// A text in the manifest itself.
    Raw {
        /// The text.
        raw: String,
    },
}

/// An input that must exist before its annotations are written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlannedInput {
    /// The input.
    pub input_id: InputId,
    /// The media to post; empty for an input that exists and is still being processed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Medium>,
}

impl PlannedInput {
    /// Whether it is posted, rather than waited for.
    pub fn is_posted(&self) -> bool {
        !self.media.is_empty()
    }

    /// The input as it is sent. `read` returns a file's content by its path and SHA-256: in base64, or a text as it
    /// is.
    pub fn body<E>(
        &self,
        mut read: impl FnMut(&str, &str, MediumKind) -> Result<String, E>,
    ) -> Result<Json, E> {
        let media = self.media.iter().map(|medium| {
            let source = match (&medium.source, medium.kind) {
                (MediumSource::File { path, sha256, .. }, MediumKind::Text) => {
                    Source::Raw(read(path, sha256, medium.kind)?)
                }
                (MediumSource::File { path, sha256, .. }, _) => {
                    Source::Base64(read(path, sha256, medium.kind)?)
                }
                (MediumSource::Url { url }, MediumKind::Text) => Source::TextUrl(url),
                (MediumSource::Url { url }, _) => Source::Url(url),
                (MediumSource::Raw { raw }, _) => Source::Raw(raw.clone()),
            };
            Ok((medium.kind.word(), source))
        });
        let media: Vec<_> = media.collect::<Result<_, E>>()?;
        Ok(encode::input(&self.input_id, media))
    }
}

//! The service's JSON: the only module that reads and writes its fields. `decode` turns an annotation into the model's,
//! `encode` writes the model's as a request, and the types here are what annosync reads of answers.
//!
//! Unknown fields are ignored, except in [`Annotation::data`], which is kept as text. Any field may be missing, because the
//! service omits defaults. Sends nothing. Uses `model`.

pub(crate) mod body;
mod call;
mod code;
mod data;
pub mod decode;
pub mod encode;
mod lenient;
mod listed;

pub(crate) use call::app_path;
pub use call::{WriteCall, WriteMethod};
pub use code::Code;
pub use data::*;
pub use listed::{Listed, Page};

use lenient::nullable;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The status of a call or of one item.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    pub code: Code,
    /// One line, for people.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub description: String,
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub details: String,
    /// The request's id, for the service's support.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub req_id: String,
}

impl Status {
    /// Description and details, which are equal in some answers.
    pub fn text(&self) -> String {
        match (self.description.as_str(), self.details.as_str()) {
            (description, details) if details.is_empty() || details == description => {
                description.to_owned()
            }
            ("", details) => details.to_owned(),
            (description, details) => format!("{description}: {details}"),
        }
    }
}

/// Who made an annotation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Worker {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<WorkerUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Box<RawValue>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerUser {
    #[serde(deserialize_with = "nullable")]
    pub id: String,
}

/// An annotation that does not have the API's form.
#[derive(Debug, Clone)]
pub struct Broken {
    pub raw: Box<RawValue>,
    /// What is wrong.
    pub why: String,
}

/// An annotation. `data` and `annotation_info` are kept as text; [`Data`] is what annosync reads of `data`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Annotation {
    /// Unique within the input.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    #[serde(deserialize_with = "nullable")]
    pub input_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// The state of the labelling work; in the answer to a write, the result of that write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The owner. The service has deprecated it in favour of `worker`, but still writes it.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub user_id: String,
    /// The model that made it. Deprecated in favour of `worker`.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub model_version_id: String,
    /// The embedding model that it is linked to for training and search.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub embed_model_version_id: String,
    /// Any JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation_info: Option<Box<RawValue>>,
    /// What reviewers agreed on: any JSON object. Only the service writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consensus_info: Option<Box<RawValue>>,
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub task_id: String,
    /// Whether the service trusts it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub trusted: bool,
    /// Whether the app made it together with the input.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub input_level: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<Worker>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<String>,
    /// In a listing: an annotation that does not have the API's form. The other fields hold what can be read of it.
    #[serde(skip)]
    pub broken: Option<Box<Broken>>,
}

impl Annotation {
    /// The owner, from either field; empty if both are missing.
    pub fn user(&self) -> &str {
        match &self.worker {
            Some(Worker {
                user: Some(user), ..
            }) if !user.id.is_empty() => &user.id,
            _ => &self.user_id,
        }
    }

    /// The version of the model that made it, from either field; `None` if both are missing.
    pub fn model_version(&self) -> Option<String> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Model {
            #[serde(deserialize_with = "nullable")]
            model_version: ModelVersion,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct ModelVersion {
            #[serde(deserialize_with = "nullable")]
            id: String,
        }
        let worker = self.worker.as_ref().and_then(|w| w.model.as_ref());
        let worker = worker.and_then(|model| serde_json::from_str::<Model>(model.get()).ok());
        [
            worker.map_or_else(String::new, |model| model.model_version.id),
            self.model_version_id.clone(),
        ]
        .into_iter()
        .find(|id| !id.is_empty())
    }

    /// Whether a model or a workflow made it.
    pub fn is_model_made(&self) -> bool {
        !self.model_version_id.is_empty()
            || self
                .worker
                .as_ref()
                .is_some_and(|w| w.model.is_some() || w.workflow.is_some())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Annotations {
    pub status: Status,
    /// Missing means none, as defaults are omitted. `null` is an error: it must not pass for an empty page.
    pub annotations: Vec<Annotation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SingleAnnotation {
    pub status: Status,
    #[serde(deserialize_with = "nullable")]
    pub annotation: Annotation,
}

/// The calling user.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SingleUser {
    pub status: Status,
    #[serde(deserialize_with = "nullable")]
    pub user: WorkerUser,
}

/// An input or a concept, as far as annosync reads it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Resource {
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// Of an input, the state of its processing; in the answer to a write, the result of that write.
    #[serde(deserialize_with = "nullable")]
    pub status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Inputs {
    pub status: Status,
    /// See [`Annotations::annotations`].
    pub inputs: Vec<Resource>,
}

/// Inputs with their images.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct InputImages {
    pub status: Status,
    pub inputs: Vec<InputImage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct InputImage {
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    #[serde(deserialize_with = "nullable")]
    pub data: InputImageData,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct InputImageData {
    #[serde(deserialize_with = "nullable")]
    pub image: ImageUrl,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ImageUrl {
    #[serde(deserialize_with = "nullable")]
    pub url: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct InputCounts {
    pub status: Status,
    pub counts: Counts,
}

/// How many inputs are in which state of processing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Not begun.
    pub to_process: u64,
    pub processing: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Concepts {
    pub status: Status,
    /// See [`Annotations::annotations`].
    pub concepts: Vec<Resource>,
}

/// An answer of which only the status is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StatusOnly {
    pub status: Status,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

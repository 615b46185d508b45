//! The JSON of requests and responses, as far as annosync reads it. Unknown fields are ignored here and kept whole
//! in [`Annotation::data`]; anything may be missing, because the service leaves defaults out.

mod data;
mod listed;

pub use data::*;
pub use listed::{Broken, Listed, Page};

use super::code::Code;
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The status of a call or of one annotation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Which.
    pub code: Code,
    /// One line for people.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub description: String,
    /// More of it.
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
    /// What it says to people: the description and the details, which some answers repeat.
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
    /// A user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<WorkerUser>,
    /// A model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Box<RawValue>>,
    /// A workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Box<RawValue>>,
}

/// The user among the workers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerUser {
    /// Their id.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
}

/// An annotation. `data` and `annotation_info` are kept as text: see [`Data`] for what is read of the former.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Annotation {
    /// Its id; unique within the input.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// Its input.
    #[serde(deserialize_with = "nullable")]
    pub input_id: String,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// The state of the labelling work; in the answer to a write, how that write went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whose it is. Deprecated by the service in favour of `worker`, and still written.
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
    /// The embedding model that ties it to training and search.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub embed_model_version_id: String,
    /// Any JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation_info: Option<Box<RawValue>>,
    /// What reviewers agreed on: any JSON object, which only the service writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consensus_info: Option<Box<RawValue>>,
    /// The labelling task it belongs to.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub task_id: String,
    /// Whether the service trusts it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub trusted: bool,
    /// Whether it is the annotation that the app made with the input.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub input_level: bool,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<Worker>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<String>,
    /// Of a listing: what came instead of an annotation of this form. The other fields hold what can be read of it.
    #[serde(skip)]
    pub broken: Option<Box<Broken>>,
}

impl Annotation {
    /// Whose it is, from either field; empty where the service says neither.
    pub fn user(&self) -> &str {
        match &self.worker {
            Some(Worker {
                user: Some(user), ..
            }) if !user.id.is_empty() => &user.id,
            _ => &self.user_id,
        }
    }

    /// The version of the model that made it, from either field; nothing where the service says neither.
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

/// A response that carries annotations.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Annotations {
    /// How the call went.
    pub status: Status,
    /// The annotations. Missing means none, as every default that is left out; `null` is an error: it is no list, and
    /// must never pass for an empty page.
    pub annotations: Vec<Annotation>,
}

/// A response that carries one annotation.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SingleAnnotation {
    /// How the call went.
    pub status: Status,
    /// The annotation.
    #[serde(deserialize_with = "nullable")]
    pub annotation: Annotation,
}

/// A response that says who is calling.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SingleUser {
    /// How the call went.
    pub status: Status,
    /// The user.
    #[serde(deserialize_with = "nullable")]
    pub user: WorkerUser,
}

/// An input, or a concept, as far as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Named {
    /// Its id.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// Of an input, how far its processing is; in the answer to a write, how that went.
    #[serde(deserialize_with = "nullable")]
    pub status: Status,
}

/// A response that carries inputs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Inputs {
    /// How the call went.
    pub status: Status,
    /// The inputs; see [`Annotations::annotations`].
    pub inputs: Vec<Named>,
}

/// A response that counts inputs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct InputCounts {
    /// How the call went.
    pub status: Status,
    /// The counts.
    pub counts: Counts,
}

/// How many inputs are how far.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Their processing has not begun.
    pub to_process: u64,
    /// Their processing goes on.
    pub processing: u64,
}

/// A response that carries concepts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Concepts {
    /// How the call went.
    pub status: Status,
    /// The concepts; see [`Annotations::annotations`].
    pub concepts: Vec<Named>,
}

/// A response that carries nothing but how the call went.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StatusOnly {
    /// How the call went.
    pub status: Status,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// `null` reads as the default.
fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

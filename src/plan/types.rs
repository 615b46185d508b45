//! The plan itself: the plain data that is shown, written to a file, and executed.

use super::summary::Summary;
use super::trip::{Allowances, Trip};
use crate::matching::Matched;
use crate::model::{
    AnnotationId, Content, Fingerprint, InputId, Json, Key, ObservedAnnotation, Policy, SetName,
    UserId, is_web_url,
};
use std::collections::BTreeMap;
use std::fmt;

/// The version of the plan file's format.
pub const FORMAT_VERSION: &str = "2.0";

/// What is done to one annotation.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It goes.
    Delete,
    /// It goes, and comes back with what a patch cannot change; a stand-in holds it meanwhile.
    Replace,
    /// One patch that carries everything that is to stay.
    Overwrite,
    /// A patch that names the concepts that go.
    Remove,
    /// A patch with just the difference.
    Merge,
    /// It is made.
    Post,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Overwrite => "overwrite",
            Self::Remove => "remove",
            Self::Merge => "merge",
            Self::Post => "post",
        })
    }
}

/// Why an operation is in the plan.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Declared, and not on the remote.
    NotOnRemote,
    /// Declared, and different on the remote.
    Differs,
    /// On the remote, and not declared on an input that is.
    NotDeclared,
    /// On the remote, made by this set, and its input is not declared any more.
    InputNotDeclared,
    /// A stand-in that an earlier run left behind; the annotation that it stands in for is there.
    LeftBehind,
    /// An earlier run deleted it to replace it, and got no further; its stand-in is there.
    Unfinished,
    /// It undoes what an apply did. What such an operation shows before and after is the whole annotation: a field that is
    /// not there, the annotation does not have.
    Undone,
}

impl Reason {
    /// Whether it finishes or cleans up what an earlier run began: annosync's own work, and nobody's labels.
    pub(super) fn is_repair(self) -> bool {
        matches!(self, Self::LeftBehind | Self::Unfinished)
    }
}

/// What a plan is for.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The app is to be what a manifest declares.
    #[default]
    Manifest,
    /// The app is to be what it was before an apply.
    Undo,
}

/// Where a write comes from, where the plan was made against a base: the manifest as it was applied before.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The manifest changed since the base, and the app has what the base says.
    Intended,
    /// The app changed since the base, and the manifest did not: the write reverts that (`--on-drift apply`).
    Drift,
    /// Both changed the same field: the write replaces the app's change by the manifest's (`--conflicts manifest`).
    Conflict,
}

impl Cause {
    /// Whether the write reverts what was changed in the app.
    pub fn reverts(self) -> bool {
        match self {
            Self::Intended => false,
            Self::Drift | Self::Conflict => true,
        }
    }
}

/// What is known of who wrote an annotation, and when.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Seen {
    /// Whose it is; nothing where the service names nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// When it was last written: RFC 3339, as the service wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Box<str>>,
}

impl Seen {
    pub(super) fn of(annotation: &ObservedAnnotation) -> Self {
        Self {
            user: annotation.user.clone(),
            modified_at: annotation.modified_at().map(Box::from),
        }
    }
}

/// What the app has and the base does not say, of one annotation.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct AppChange {
    /// What happened to it.
    pub kind: AppChangeKind,
    /// Of which input.
    pub input_id: InputId,
    /// Its id: the observed one; of a deleted one, the id that a post of it has.
    pub id: AnnotationId,
    /// The name that the manifest, or the base, gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Its user and the time of the last write; `None` for a deleted one, of which the service says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// What the app has, in the manifest's notation; of a deleted one, what the base declares.
    pub content: Content,
    /// The fields that differ from the base. Empty for an added one, and for a deleted one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// Whether the manifest changed the same: the same field, or the annotation that one side deleted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conflict: bool,
    /// What the plan does about it.
    pub decision: Decision,
}

/// What happened to an annotation in the app since the base.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AppChangeKind {
    /// The base does not declare it.
    Added,
    /// The base declares it otherwise.
    Changed,
    /// The base declares it, and the app does not have it.
    Deleted,
}

/// What a plan does about a change that was made in the app.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It stays as the app has it.
    Kept,
    /// An operation or a purge of the plan reverts it.
    Reverted,
    /// A conflict that nobody decided: it stays as the app has it, and so does the manifest's change wait.
    Undecided,
}

/// A field that the app changed since the base, with the values of all sides; `None` where a side has no such field.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct FieldChange {
    /// Its name: `geometry`, `concepts.car`, `metadata.weather`, …
    pub field: String,
    /// What the base declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<serde_json::Value>,
    /// What the manifest declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<serde_json::Value>,
    /// What the app has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<serde_json::Value>,
    /// Whether the manifest changed it too, to another value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conflict: bool,
}

/// The manifest that was applied before, which tells what changed since.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Base {
    /// The revision as it was named.
    pub revision: String,
    /// The commit that it stood for.
    pub commit: String,
    /// SHA-256 of that manifest's files.
    pub manifest_hash: String,
}

/// One write to one annotation.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Operation {
    /// What is done.
    pub action: Action,
    /// To which input's annotation.
    pub input_id: InputId,
    /// Its id: the observed one, or the one that a post will give it.
    pub id: AnnotationId,
    /// The name that the manifest gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Why.
    pub reason: Reason,
    /// Whether the manifest or the remote changed, where the plan was made against a base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The user whose token this takes, if it is not the app owner's. Absent if any token that may write to the app will
    /// do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<UserId>,
    /// Whose it is, and when it was last written; nothing for what is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// Why the declared annotation was taken for this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<Matched>,
    /// Of a post: somebody else's annotation that says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub double: Option<Box<Double>>,
    /// What it is, in the manifest's notation: of a changed one the managed fields, of a deleted one everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Content>,
    /// What it is to be, in the manifest's notation: the managed fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Content>,
    /// What was observed; an annotation with another fingerprint is stale. Of a replacement that an earlier run did not
    /// finish, the stand-in's. Of an operation that undoes another one, nothing is known of it until that is done; `before`
    /// stands for it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// How many bytes it took in a call when it was planned: calls are packed by that. Absent for a delete, unless it
    /// shares a call with removals.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bytes: u32,
    /// Of an operation that undoes another one, and that posts or overwrites: the annotation as it is sent. Every other
    /// operation is sent as what it shows makes of what is stored then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Json>,
}

/// Somebody else's annotation that a post would double.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Double {
    /// Its id.
    pub id: AnnotationId,
    /// The user who made it; absent if the service reports none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// How close the two are.
    pub closeness: Likeness,
}

/// How much a post and another annotation say the same.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Likeness {
    /// Place and concepts are equal.
    Equal,
    /// The concepts are equal, and the places overlap by an IoU of at least 0.9.
    Near,
}

/// The kinds of calls, in the order in which they are made.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// POST of inputs.
    PostInputs,
    /// DELETE of stand-ins that earlier runs left behind.
    DeleteLeftBehind,
    /// POST of the stand-ins of replacements, which their deletes wait for.
    PostStandIn,
    /// The deletes of replacements, which their posts wait for.
    DeleteReplaced,
    /// PATCH with `merge`.
    Merge,
    /// PATCH with `remove`.
    Remove,
    /// PATCH with `overwrite`.
    Overwrite,
    /// POST.
    Post,
    /// PATCH with `remove` and `delete_if_empty_data`: concepts go, and with them the annotations that hold nothing
    /// else and are to be deleted.
    RemoveOrDelete,
    /// DELETE by pairs of ids.
    Delete,
    /// DELETE of the stand-ins of replacements that are done.
    DeleteStandIn,
    /// DELETE by input ids alone: everything on these inputs but their input-level annotations.
    Purge,
    /// DELETE of inputs.
    DeleteInputs,
}

/// One call: up to 128 operations of one kind.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Batch {
    /// Of which kind.
    pub call: Call,
    /// Indices into the plan's operations; of a purge, into its purges; of a call about inputs, into its inputs or deleted
    /// inputs.
    pub operations: Vec<u32>,
}

/// Everything on one input is to go, whoever made it, but its input-level annotation: the manifest says
/// `purge: true`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Purge {
    /// Which input.
    pub input_id: InputId,
    /// Whether the manifest or the remote changed, where the plan was made against a base. A purge is one write: this
    /// goes for all that goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The user whose token this takes, if it is not the app owner's. Absent if only models made what goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<UserId>,
    /// What goes, in observed order; at least one.
    pub annotations: Vec<PurgedAnnotation>,
}

/// An annotation that goes with a purge.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct PurgedAnnotation {
    /// Which.
    pub id: AnnotationId,
    /// Whose it is; nothing where a model made it, or nobody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Of what a model made, that model's version; empty where the service does not name it. Nothing for what a person
    /// made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// When it was last written: RFC 3339, as the service wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Box<str>>,
    /// What was observed; with another fingerprint, or with another annotation beside it, the purge is stale.
    pub fingerprint: Fingerprint,
    /// What it is, in the manifest's notation.
    pub before: Content,
}

/// What an input is made of: one of its media.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Medium {
    /// What it is.
    pub kind: MediumKind,
    /// Where it comes from.
    pub source: MediumSource,
}

impl Medium {
    /// Whether a manifest can declare it.
    pub(super) fn is_declarable(&self) -> bool {
        match &self.source {
            MediumSource::File { .. } => true,
            MediumSource::Url { url } => is_web_url(url),
            MediumSource::Raw { .. } => self.kind == MediumKind::Text,
        }
    }
}

/// What a medium is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MediumKind {
    /// An image.
    Image,
    /// A video.
    Video,
    /// A text.
    Text,
}

impl MediumKind {
    /// The API's name, and the manifest's.
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Text => "text",
        }
    }
}

/// Where a medium comes from.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case", untagged)]
pub enum MediumSource {
    /// A file of the manifest's folder. Its bytes are read when they are sent.
    File {
        /// Its path below the manifest's folder.
        path: String,
        /// SHA-256 of its bytes: 64 hex digits. A file with another one is not sent.
        sha256: String,
        /// How many bytes it has.
        bytes: u64,
    },
    /// A URL that the service fetches.
    Url {
        /// The URL.
        url: String,
    },
    /// A text that the manifest itself says.
    Raw {
        /// The text.
        raw: String,
    },
}

/// An input that has to be there before its annotations are written.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct PlannedInput {
    /// Which input.
    pub input_id: InputId,
    /// What is posted; empty for an input that exists and whose processing is waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Medium>,
}

impl PlannedInput {
    /// Whether it is posted; else it is waited for.
    pub fn is_posted(&self) -> bool {
        !self.media.is_empty()
    }

    /// The input as it is sent. `read` gives what a file holds by its path and its SHA-256: in base64, or as it is where it is
    /// a text.
    pub fn body<E>(
        &self,
        mut read: impl FnMut(&str, &str, MediumKind) -> Result<String, E>,
    ) -> Result<serde_json::Value, E> {
        let mut data = serde_json::Map::new();
        for medium in &self.media {
            let value = match &medium.source {
                MediumSource::File { path, sha256, .. } => match medium.kind {
                    MediumKind::Text => {
                        serde_json::json!({ "raw": read(path, sha256, medium.kind)? })
                    }
                    _ => serde_json::json!({ "base64": read(path, sha256, medium.kind)? }),
                },
                // The same file may be what several inputs show.
                MediumSource::Url { url } => match medium.kind {
                    MediumKind::Text => serde_json::json!({ "url": url }),
                    _ => serde_json::json!({ "url": url, "allow_duplicate_url": true }),
                },
                MediumSource::Raw { raw } => serde_json::json!({ "raw": raw }),
            };
            data.insert(medium.kind.word().to_owned(), value);
        }
        Ok(serde_json::json!({ "id": self.input_id.as_str(), "data": data }))
    }
}

/// The app that a plan is for.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Target {
    /// The base URL, or `embedded:` and the store's path as the manifest gives it.
    pub endpoint: String,
    /// The app's owner.
    pub user_id: String,
    /// The app.
    pub app_id: String,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What has to be done to make the app equal to the manifest.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Plan {
    /// The version of this format: 2.0.
    pub format_version: String,
    /// The version of annosync that made it.
    pub tool_version: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub purpose: Purpose,
    /// The app it is for.
    pub target: Target,
    /// The label set.
    pub set: SetName,
    /// What it may do.
    pub policy: Policy,
    /// The user who owns the app.
    pub app_owner: UserId,
    /// The users whose undeclared annotations are in scope, sorted; `any` for everybody. `me` is resolved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<UserId>,
    /// Sets whose annotations are this set's, from the manifest's `adopts` and from --adopt-set, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adopts: Vec<SetName>,
    /// SHA-256 of the manifest's files: 64 hex digits.
    pub manifest_hash: String,
    /// What it was compared with to tell what the manifest changed from what the remote did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// The counts.
    pub summary: Summary,
    /// The guards that stopped it; a plan with any is not applied.
    pub guards: Vec<Trip>,
    /// The guards that would have stopped it, and that a flag let pass. An apply of the file asks for the flag again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_guards: Vec<Trip>,
    /// What the listing did not see, in words; empty when it saw the whole app. Of an undo: what it does not restore.
    pub blind_spots: Vec<String>,
    /// The inputs that are posted, or waited for, before anything else, sorted by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<PlannedInput>,
    /// Of an undo: the inputs that the apply posted, sorted by id. They are deleted, after everything else, only with
    /// `--allow-delete-inputs N`, and only while nothing lies on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deleted_inputs: Vec<InputId>,
    /// The writes, sorted by input id, then destructive ones first, then in declared (deletes: observed) order.
    pub operations: Vec<Operation>,
    /// The PNG files of the masks that are sent, in base64, each by the SHA-256 of its pixels, by which the operations name
    /// them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub masks: BTreeMap<String, String>,
    /// The inputs that are emptied, sorted by input id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purges: Vec<Purge>,
    /// What the app has and the base does not say, sorted by input id, then by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<AppChange>,
    /// The calls, in the order in which they are made.
    pub batches: Vec<Batch>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
            && self.purges.is_empty()
            && self.inputs.is_empty()
            && self.deleted_inputs.is_empty()
    }

    /// Whether it undoes an apply.
    pub fn is_undo(&self) -> bool {
        self.purpose == Purpose::Undo
    }

    /// Leaves the inputs that an apply posted where they are.
    pub fn keep_inputs(&mut self) {
        self.deleted_inputs.clear();
        self.batches
            .retain(|batch| batch.call != Call::DeleteInputs);
        self.summary.count_inputs(&self.inputs, &[]);
        self.summary.forecast(&self.batches);
    }

    /// How many operations, purges and inputs there are.
    pub fn len(&self) -> usize {
        self.operations.len() + self.purges.len() + self.inputs.len() + self.deleted_inputs.len()
    }

    /// Lets the guards pass that these allowances let pass, and records it.
    pub fn pass_guards(&mut self, allowances: &Allowances) {
        let passed = self
            .guards
            .extract_if(.., |trip| trip.is_passed_by(allowances));
        self.passed_guards.extend(passed);
    }

    /// Whether both sides changed something, and nobody decided which change counts.
    pub fn has_undecided_conflicts(&self) -> bool {
        let is_undecided = |change: &AppChange| change.decision == Decision::Undecided;
        self.drift.iter().any(is_undecided)
    }
}

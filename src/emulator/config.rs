//! The configuration of an emulator: users, database, and the variants of the service's behaviour.
//!
//! Where the API's documentation leaves a choice open, there is a setting here, so that a client can be tested against
//! each variant.

use super::faults::Faults;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// `Config::default()` serves the app `app` of the user `owner` with the key `owner-key`, from memory, without limits and
/// faults.
#[derive(Clone)]
pub struct Config {
    pub database: Database,
    /// The user who owns the app.
    pub owner: String,
    /// The token that makes its bearer the owner.
    pub owner_key: String,
    /// The app that is created if the database does not have it, and the default of calls that name none. Other apps in the
    /// database are served too.
    pub app_id: String,
    pub collaborators: Vec<Collaborator>,
    /// Accept annotations for existing inputs only. Otherwise a post creates the input, and a listing of inputs by id shows
    /// any id.
    pub require_inputs: bool,
    /// How many reads show a new input as pending (30001) before it is processed; 0 means that it is processed immediately.
    pub processing_polls: u32,
    /// Requests per second for each key, 15 on the service. `None` means no limit.
    pub rate_limit: Option<u32>,
    /// The header `Retry-After` of throttled calls, in seconds. `None` means no header.
    pub retry_after: Option<u32>,
    /// A maximum page size below the API's 1,000, which the page numbers refer to then.
    pub page_cap: Option<u32>,
    /// The page size of listings that ask for none: 20 in one document, 128 in another.
    pub default_page: u32,
    pub missing_delete: MissingDelete,
    /// Refuse fields that the API does not have, by their names. Otherwise they are kept.
    pub strict: bool,
    /// Serve TLS instead of plain text.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    pub recording: Recording,
    /// Serve the paths below `/_annosync`, which fill, read and empty the app, for tests.
    pub control: bool,
    pub clock: Clock,
    /// Ids are hashes of the seed and a counter: the same seed gives the same ids.
    pub seed: u64,
    pub response_style: ResponseStyle,
    /// Random faults. See [`super::FaultControl`] for planned ones.
    pub faults: Faults,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: Database::Memory,
            owner: "owner".to_owned(),
            owner_key: "owner-key".to_owned(),
            app_id: "app".to_owned(),
            collaborators: Vec::new(),
            require_inputs: false,
            processing_polls: 0,
            rate_limit: None,
            retry_after: None,
            page_cap: None,
            default_page: 20,
            missing_delete: MissingDelete::default(),
            strict: false,
            tls: None,
            recording: Recording::default(),
            control: false,
            clock: Clock::System,
            seed: 0,
            response_style: ResponseStyle::default(),
            faults: Faults::default(),
        }
    }
}

impl fmt::Debug for Config {
    // Keys are secret and must not appear in output.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("database", &self.database)
            .field("owner", &self.owner)
            .field("app_id", &self.app_id)
            .field("collaborators", &self.collaborators)
            .finish_non_exhaustive()
    }
}

impl Config {
    pub(super) fn user_of_key(&self, key: &str) -> Option<&str> {
        if key == self.owner_key {
            return Some(&self.owner);
        }
        self.collaborators
            .iter()
            .find(|collaborator| collaborator.key == key)
            .map(|collaborator| collaborator.user.as_str())
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let others = self.collaborators.iter().map(|it| it.key.as_str());
        std::iter::once(self.owner_key.as_str()).chain(others)
    }

    pub(super) fn knows_user(&self, user: &str) -> bool {
        user == self.owner || self.collaborators.iter().any(|c| c.user == user)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file, which is created with its folder if it does not exist.
    File(PathBuf),
    Memory,
}

/// Whether calls are written to a recording, or answered from one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Recording {
    #[default]
    Off,
    /// Write all calls to a new file.
    Record {
        file: PathBuf,
        /// Pass calls on to this endpoint, with the caller's own token, instead of answering them.
        forward: Option<Url>,
    },
    /// Answer calls from a recording. Keys are not checked.
    Replay(PathBuf),
}

/// A user who does not own the app: reads everything, but changes only their own annotations.
#[derive(Clone, PartialEq, Eq)]
pub struct Collaborator {
    /// The user id.
    pub user: String,
    /// The token of this user.
    pub key: String,
}

impl fmt::Debug for Collaborator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collaborator")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// The answer to deleting an annotation that does not exist. The documentation does not specify it. The default is the
/// stricter variant, because a client that handles it handles both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingDelete {
    Succeeds,
    /// The missing ones are reported (11101); the others are deleted.
    #[default]
    Fails,
}

/// The source of the times of annotations. Times never decrease, even across restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    System,
    /// Starts at this many milliseconds after the Unix epoch and advances one millisecond with each writing call, so that
    /// the same calls give the same bytes.
    Ticking(i64),
}

/// How the server writes its answers. Servers of the same API differ in this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResponseStyle {
    pub floats: FloatEcho,
    pub zeros: Zeros,
    pub codes: Codes,
    pub wide_numbers: WideNumbers,
    pub authors: Authors,
    pub regions: RegionPlaces,
    pub listings: ListingOrder,
}

/// The order of listed annotations. Inputs are listed newest first with `NewestFirst`, otherwise oldest first. According to
/// the documentation, the oldest comes first; according to the SDK's tests, the newest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListingOrder {
    /// By creation, the oldest first.
    #[default]
    OldestFirst,
    /// By creation, the newest first.
    NewestFirst,
    /// By modification, the latest first.
    ModifiedFirst,
    /// By modification, the latest last.
    ModifiedLast,
}

impl ListingOrder {
    pub const ALL: [Self; 4] = [
        Self::OldestFirst,
        Self::NewestFirst,
        Self::ModifiedFirst,
        Self::ModifiedLast,
    ];

    /// The order as SQL; `None` for the order of the table.
    pub(super) fn sql(self) -> Option<&'static str> {
        match self {
            Self::OldestFirst => None,
            Self::NewestFirst => Some("seq DESC"),
            Self::ModifiedFirst => Some("modified_at DESC, seq DESC"),
            Self::ModifiedLast => Some("modified_at, seq"),
        }
    }
}

/// How 32-bit floats (coordinates and concept values) are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FloatEcho {
    /// `0.1`: the shortest digits that parse as the same 32-bit float.
    #[default]
    Shortest,
    /// `0.10000000149011612`: converted to 64 bits first.
    Widened,
}

/// Whether fields with protobuf's default (0, false, empty) are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Zeros {
    /// As the API's "show if empty" options require.
    #[default]
    Shown,
    /// As in protobuf's JSON format by default.
    Omitted,
}

/// How enums (status codes and visibilities) are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Codes {
    /// `24150`.
    #[default]
    Numbers,
    /// `"ANNOTATION_SUCCESS"`.
    Names,
}

/// How 64-bit integers (the time of a frame) are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WideNumbers {
    /// As strings, as in protobuf's JSON format.
    #[default]
    Text,
    Numbers,
}

/// Whether a region that is written with its id only has its geometry in answers. According to the documentation, such an
/// id refers to an existing region of the input; it does not specify the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RegionPlaces {
    /// The region stays as it was sent.
    #[default]
    AsSent,
    /// The region gets the geometry from the oldest annotation of its input that has a region with this id.
    FilledIn,
}

/// The fields that contain the creator of an annotation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authors {
    /// The deprecated ones and `worker`.
    #[default]
    Both,
    /// Only `user_id` and `model_version_id`. A workflow has no such field and is in `worker`.
    Plain,
    /// Only `worker`.
    Worker,
}

//! What an emulator is started with: who may call, where it stores, and which of the service's habits it shows.
//!
//! Plain data. Where the API's documents leave a choice open, the choice is a field here, so that a client can be
//! tested against a server of each habit.

use super::faults::Faults;
use std::fmt;
use std::path::PathBuf;

/// Everything that an emulator is started with. `Config::default()` serves the app `app` of the user `owner`, with
/// the key `owner-key`, from memory, without limits and faults.
#[derive(Clone)]
pub struct Config {
    /// Where annotations are kept.
    pub database: Database,
    /// The user who owns the app.
    pub owner: String,
    /// The token that makes its bearer the owner.
    pub owner_key: String,
    /// The app that is made, if the database does not hold it, and that a call means when it names none. Other apps
    /// that the database holds are served too.
    pub app_id: String,
    /// Users who may use the app without owning it.
    pub collaborators: Vec<Collaborator>,
    /// Annotations are only taken for inputs that exist. Otherwise every input that is named exists: a post makes it, and
    /// a listing that asks for it by its id shows it.
    pub require_inputs: bool,
    /// How many reads show a new input as waiting (30001) before it is processed; 0: it is processed at once.
    pub processing_polls: u32,
    /// Requests a second that each key may make; the service's default is 15. `None`: any number.
    pub rate_limit: Option<u32>,
    /// Seconds that a refusal for too many requests tells the client to wait, in `Retry-After`. `None`: no header.
    pub retry_after: Option<u32>,
    /// The largest page that is served, where it is less than the API's 1,000. Pages are counted in this size then.
    pub page_cap: Option<u32>,
    /// What deleting an annotation that does not exist answers.
    pub missing_delete: MissingDelete,
    /// Where the times of annotations come from.
    pub clock: Clock,
    /// Server-made ids are hashes of this and a counter: the same seed gives the same ids.
    pub seed: u64,
    /// How answers are written.
    pub habits: Habits,
    /// Faults by chance; see [`super::FaultControl`] for faults by plan.
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
            missing_delete: MissingDelete::default(),
            clock: Clock::System,
            seed: 0,
            habits: Habits::default(),
            faults: Faults::default(),
        }
    }
}

impl fmt::Debug for Config {
    // Keys are tokens, and tokens appear in no output.
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
    /// The user whom this token stands for.
    pub(super) fn user_of_key(&self, key: &str) -> Option<&str> {
        if key == self.owner_key {
            return Some(&self.owner);
        }
        self.collaborators
            .iter()
            .find(|collaborator| collaborator.key == key)
            .map(|collaborator| collaborator.user.as_str())
    }

    /// Whether this user has a key.
    pub(super) fn knows_user(&self, user: &str) -> bool {
        user == self.owner || self.collaborators.iter().any(|c| c.user == user)
    }
}

/// Where annotations are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In this `SQLite` file, which is made if it does not exist, with its folder.
    File(PathBuf),
    /// In memory, for as long as the emulator runs.
    Memory,
}

/// A user who may use the app without owning it: reads everything, changes their own annotations.
#[derive(Clone, PartialEq, Eq)]
pub struct Collaborator {
    /// Their id.
    pub user: String,
    /// The token that makes its bearer this user.
    pub key: String,
}

impl fmt::Debug for Collaborator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collaborator")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What deleting an annotation that does not exist answers. The documents do not say; the default is the stricter
/// one, because a client that copes with it copes with both, and a lenient stand-in would hide one that does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingDelete {
    /// Success: what was to be gone is gone.
    Succeeds,
    /// The missing ones are reported (11101); the others are deleted.
    #[default]
    Fails,
}

/// Where the times of annotations come from. Either way they never run backwards, also not over a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Every call that writes comes one millisecond after the one before, the first at this many milliseconds after
    /// the Unix epoch. The same calls give the same bytes.
    Ticking(i64),
}

/// How answers are written, where servers of the same API differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Habits {
    /// Coordinates and concept values.
    pub floats: FloatEcho,
    /// Members that hold protobuf's default.
    pub zeros: Zeros,
    /// Status codes, and how visible a point is.
    pub codes: Codes,
    /// Whole numbers of 64 bits (a frame's time).
    pub wide_numbers: WideNumbers,
    /// Who made an annotation.
    pub authors: Authors,
    /// Regions that a write names by id alone.
    pub regions: RegionPlaces,
    /// The order in which annotations are listed.
    pub listings: ListingOrder,
}

/// The order in which annotations are listed. The documents say oldest first; the SDK's tests fit newest first only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListingOrder {
    /// By creation, the oldest first.
    #[default]
    OldestFirst,
    /// By creation, the newest first.
    NewestFirst,
    /// By modification, the one that was modified last first.
    ModifiedFirst,
    /// By modification, the one that was modified last last.
    ModifiedLast,
}

impl ListingOrder {
    /// Every order.
    pub const ALL: [Self; 4] = [
        Self::OldestFirst,
        Self::NewestFirst,
        Self::ModifiedFirst,
        Self::ModifiedLast,
    ];

    /// As SQL; `None` for the order of the table.
    pub(super) fn sql(self) -> Option<&'static str> {
        match self {
            Self::OldestFirst => None,
            Self::NewestFirst => Some("seq DESC"),
            Self::ModifiedFirst => Some("modified_at DESC, seq DESC"),
            Self::ModifiedLast => Some("modified_at, seq"),
        }
    }
}

/// How a 32-bit float is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FloatEcho {
    /// `0.1`: the shortest digits that read back as the same 32 bits.
    #[default]
    Shortest,
    /// `0.10000000149011612`: widened to 64 bits first.
    Widened,
}

/// Whether members that hold protobuf's default (0, false, empty) are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Zeros {
    /// They are, as the API's "show if empty" marks ask for.
    #[default]
    Shown,
    /// They are left out, as protobuf's JSON does by itself.
    Omitted,
}

/// How status codes are written, and with them the API's other enum, how visible a point is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Codes {
    /// `24150`.
    #[default]
    Numbers,
    /// `"ANNOTATION_SUCCESS"`.
    Names,
}

/// How whole numbers of 64 bits are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WideNumbers {
    /// As text, as protobuf's JSON does.
    #[default]
    Text,
    /// As numbers.
    Numbers,
}

/// Whether a region that a write names by id alone says where it lies. The documents say that such an id refers to a
/// region that exists on the input, and not whether answers repeat its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RegionPlaces {
    /// It does not: it stays as it was sent.
    #[default]
    AsSent,
    /// It gets the place that the oldest annotation of its input holds for a region of this id.
    FilledIn,
}

/// In which fields an annotation says who made it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authors {
    /// In the deprecated ones and in `worker`.
    #[default]
    Both,
    /// In `user_id` and `model_version_id` alone; a workflow has no such field, and stands in `worker`.
    Plain,
    /// In `worker` alone.
    Worker,
}

//! The guards that can trip, and what lets each of them pass.
//!
//! [`Trip::pass`] is the one place that says so: the flag, the label on a pull request, and the number. A new guard needs
//! a variant, its line there, and its sentence in `render/warnings`. When a guard trips is decided in `guard`.

use super::summary::{Doubles, is_zero};

/// The label that lets guards with a number pass: someone sets it on the pull request, and the pipelines of
/// `examples/ci` hand it on as `--allow-guards`.
pub const GUARDS_LABEL: &str = "annosync-allow-guards";

/// The label that lets a plan revert work that was done in the app, read as [`GUARDS_LABEL`] is.
pub const REVERTS_LABEL: &str = "annosync-allow-reverts";

/// A guard that tripped: its number, and the limit that the number exceeds.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(tag = "guard", rename_all = "snake_case")]
pub enum Trip {
    /// Too many deletes.
    Deletes {
        /// How many there are.
        count: u64,
        /// Of how many existing annotations in scope.
        existing: u64,
        /// The limit, as the manifest gives it.
        limit: String,
    },
    /// Too many changes of existing annotations.
    Updates {
        /// How many there are.
        count: u64,
        /// Of how many existing annotations in scope.
        existing: u64,
        /// The limit, as the manifest gives it.
        limit: String,
    },
    /// Concepts that would be on no annotation any more.
    VanishedConcepts {
        /// Which, sorted.
        concepts: Vec<String>,
        /// The limit.
        limit: u64,
        /// Those of them that the plan relabels as one other concept; sorted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        renames: Vec<Rename>,
    },
    /// Posts that equal an annotation of a user outside `owners`, or of another set.
    Doubles {
        /// How many there are.
        count: u64,
        /// The limit.
        limit: u64,
        /// Whose annotations they equal, as in the summary.
        of: Vec<Doubles>,
    },
    /// The manifest declares no input at all, and the plan would delete.
    EmptyManifest {
        /// How many deletes there are.
        deletes: u64,
    },
    /// Concepts that the app does not have yet, and that the service cannot delete.
    NewConcepts {
        /// Which, sorted.
        concepts: Vec<String>,
        /// The limit.
        limit: u64,
    },
    /// The app was changed since the base: with `--on-drift fail` it stops the plan, with `apply` the plan reverts it.
    Drift {
        /// How many there are.
        count: u64,
        /// Of these, those that the plan reverts. A plan that reverts none is stopped by `--on-drift fail`.
        #[serde(default, skip_serializing_if = "is_zero")]
        reverted: u64,
    },
}

/// A concept that vanishes because most of its annotations get another one instead.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Rename {
    /// The concept that vanishes.
    pub from: String,
    /// The concept that takes its place.
    pub to: String,
    /// On how many annotations it does.
    pub annotations: u64,
}

/// What lets a guard pass.
enum Pass {
    /// A flag with a number that is large enough, or the label for guards.
    Number {
        flag: &'static str,
        count: u64,
        allowed: Option<u64>,
    },
    /// A flag without a number, and a label if there is one for it.
    Switch {
        flag: &'static str,
        label: Option<&'static str>,
        is_set: bool,
    },
}

impl Trip {
    fn pass(&self, allowances: &Allowances) -> Pass {
        let number = |flag, count, allowed| Pass::Number {
            flag,
            count,
            allowed,
        };
        match self {
            Self::Deletes { count, .. } => number("--allow-deletes", *count, allowances.deletes),
            Self::Updates { count, .. } => number("--allow-updates", *count, allowances.updates),
            Self::VanishedConcepts { concepts, .. } => number(
                "--allow-vanished",
                concepts.len() as u64,
                allowances.vanished,
            ),
            Self::Doubles { count, .. } => number("--allow-doubles", *count, allowances.doubles),
            Self::NewConcepts { concepts, .. } => number(
                "--allow-new-concepts",
                concepts.len() as u64,
                allowances.new_concepts,
            ),
            // An empty manifest is more often a mistake than an intention: no label lets it pass.
            Self::EmptyManifest { .. } => Pass::Switch {
                flag: "--allow-empty",
                label: None,
                is_set: allowances.empty == EmptyManifest::Passes,
            },
            // Whoever wants the app's changes kept lets no plan pass that reverts them, and the other way round.
            Self::Drift { reverted: 0, .. } => Pass::Switch {
                flag: "--on-drift keep",
                label: Some(REVERTS_LABEL),
                is_set: allowances.drift == Drift::Keep,
            },
            Self::Drift { .. } => Pass::Switch {
                flag: "--on-drift apply",
                label: Some(REVERTS_LABEL),
                is_set: allowances.drift == Drift::Revert,
            },
        }
    }

    /// The flag that lets exactly this plan pass.
    pub fn flag(&self) -> String {
        match self.pass(&Allowances::default()) {
            Pass::Number { flag, count, .. } => format!("{flag} {count}"),
            Pass::Switch { flag, .. } => flag.to_owned(),
        }
    }

    /// The label on a pull request that lets it pass in the pipelines of `examples/ci`; `None` if only a flag does.
    pub fn label(&self) -> Option<&'static str> {
        match self.pass(&Allowances::default()) {
            Pass::Number { .. } => Some(GUARDS_LABEL),
            Pass::Switch { label, .. } => label,
        }
    }

    /// Whether these allowances let it pass.
    pub fn is_passed_by(&self, allowances: &Allowances) -> bool {
        match self.pass(allowances) {
            Pass::Number { count, allowed, .. } => {
                allowances.numbers == Numbers::Pass || allowed.is_some_and(|most| count <= most)
            }
            Pass::Switch { is_set, .. } => is_set,
        }
    }
}

/// What a person let pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowances {
    /// Up to this many deletes.
    pub deletes: Option<u64>,
    /// Up to this many changes of existing annotations.
    pub updates: Option<u64>,
    /// Up to this many concepts that vanish.
    pub vanished: Option<u64>,
    /// Up to this many posts that equal somebody else's annotation.
    pub doubles: Option<u64>,
    /// Up to this many concepts that the app does not have yet.
    pub new_concepts: Option<u64>,
    /// Every guard that has a number, whatever the number.
    pub numbers: Numbers,
    /// A manifest that declares no input.
    pub empty: EmptyManifest,
    /// A plan that knows of changes in the app.
    pub drift: Drift,
}

/// Whether guards that have a number let every number pass. The plan records what they let pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Numbers {
    /// They stop the plan.
    #[default]
    Stop,
    /// They let it pass.
    Pass,
}

/// Which plans pass where the app was changed since the base.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Drift {
    /// None.
    #[default]
    Stop,
    /// Those that leave the app's changes as they are.
    Keep,
    /// Those that revert some of them.
    Revert,
}

/// Whether a manifest that declares no input may delete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmptyManifest {
    /// It may not.
    #[default]
    Stops,
    /// It may.
    Passes,
}

//! The guards, and what lets each of them pass.
//!
//! `TrippedGuard::pass` lists the flag and the label of each guard. A new guard needs a variant, its arm there, and its
//! sentence in `render/warnings`. `guard` decides when one trips.

use super::summary::{Doubles, is_zero};

/// The label on a pull request that lets guards with a number pass: the pipelines of `examples/ci` hand it on as
/// `--allow-guards`.
pub const GUARDS_LABEL: &str = "annosync-allow-guards";

/// The label on a pull request that lets a plan revert changes in the app.
pub const REVERTS_LABEL: &str = "annosync-allow-reverts";

/// A guard that tripped, with its number and its limit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "guard", rename_all = "snake_case")]
pub enum TrippedGuard {
    /// Too many deletes.
    Deletes {
        /// The number of them.
        count: u64,
        /// The number of existing annotations that the limit refers to.
        existing: u64,
        /// The limit, as in the manifest.
        limit: String,
    },
    /// Too many changes of existing annotations.
    Updates {
        /// The number of them.
        count: u64,
        /// The number of existing annotations that the limit refers to.
        existing: u64,
        /// The limit, as in the manifest.
        limit: String,
    },
    /// Concepts that no annotation would have any more.
    VanishedConcepts {
        /// The concepts, sorted.
        concepts: Vec<String>,
        /// The limit.
        limit: u64,
        /// Those of the concepts that the plan renames; sorted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        renames: Vec<Rename>,
    },
    /// Posts that equal an annotation of a user outside `owners`, or of another set.
    Doubles {
        /// The number of them.
        count: u64,
        /// The limit.
        limit: u64,
        /// The annotations that they equal, as in the summary.
        of: Vec<Doubles>,
    },
    /// The manifest declares no input at all, and the plan would delete.
    EmptyManifest {
        /// The number of deletes.
        deletes: u64,
    },
    /// Concepts that the app does not have yet, and that the service cannot delete.
    NewConcepts {
        /// The concepts, sorted.
        concepts: Vec<String>,
        /// The limit.
        limit: u64,
    },
    /// Changes made in the app since the base: `--on-drift fail` stops the plan, with `apply` the plan reverts them.
    Drift {
        /// The number of them.
        count: u64,
        /// The number that the plan reverts. A plan that reverts none is stopped by `--on-drift fail`.
        #[serde(default, skip_serializing_if = "is_zero")]
        reverted: u64,
    },
}

/// A concept that vanishes because another one replaces it on most of its annotations.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rename {
    /// The concept that vanishes.
    pub from: String,
    /// The concept that replaces it.
    pub to: String,
    /// The number of annotations on which it does.
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

impl TrippedGuard {
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
            // An empty manifest is usually a mistake: no label lets it pass.
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

    pub fn is_passed_by(&self, allowances: &Allowances) -> bool {
        match self.pass(allowances) {
            Pass::Number { count, allowed, .. } => {
                allowances.numbers == Numbers::Pass || allowed.is_some_and(|most| count <= most)
            }
            Pass::Switch { is_set, .. } => is_set,
        }
    }
}

/// The guards that the user lets pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowances {
    /// Up to this many deletes.
    pub deletes: Option<u64>,
    /// Up to this many changes of existing annotations.
    pub updates: Option<u64>,
    /// Up to this many concepts that vanish.
    pub vanished: Option<u64>,
    /// Up to this many posts that equal an annotation of another user or set.
    pub doubles: Option<u64>,
    /// Up to this many concepts that the app does not have yet.
    pub new_concepts: Option<u64>,
    /// Every guard that has a number.
    pub numbers: Numbers,
    /// A manifest that declares no input.
    pub empty: EmptyManifest,
    /// A plan that knows of changes in the app.
    pub drift: Drift,
}

/// Whether every guard that has a number passes. The plan records those that pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Numbers {
    #[default]
    Stop,
    Pass,
}

/// Which plans pass if the app was changed since the base.
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
    #[default]
    Stops,
    Passes,
}

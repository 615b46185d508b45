//! Operations counted by their action.

use super::operation::Action;

/// How many operations there are of each action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ActionCounts {
    /// Annotations to create.
    pub post: u64,
    /// Annotations to patch with just the difference.
    pub merge: u64,
    /// Annotations to patch with everything that is to stay.
    pub overwrite: u64,
    /// Annotations to remove concepts from.
    pub remove: u64,
    /// Annotations to delete and post again.
    pub replace: u64,
    /// Annotations to delete.
    pub delete: u64,
}

impl ActionCounts {
    pub(super) fn of(actions: impl Iterator<Item = Action>) -> Self {
        let mut counts = Self::default();
        actions.for_each(|action| counts.add(action));
        counts
    }

    /// Counts one more operation.
    pub fn add(&mut self, action: Action) {
        *match action {
            Action::Post => &mut self.post,
            Action::Merge => &mut self.merge,
            Action::Overwrite => &mut self.overwrite,
            Action::Remove => &mut self.remove,
            Action::Replace => &mut self.replace,
            Action::Delete => &mut self.delete,
        } += 1;
    }

    /// The counts of two plans together.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            post: self.post.saturating_add(other.post),
            merge: self.merge.saturating_add(other.merge),
            overwrite: self.overwrite.saturating_add(other.overwrite),
            remove: self.remove.saturating_add(other.remove),
            replace: self.replace.saturating_add(other.replace),
            delete: self.delete.saturating_add(other.delete),
        }
    }

    /// Every action with its count, the least destructive first.
    pub fn each(&self) -> [(Action, u64); 6] {
        [
            (Action::Post, self.post),
            (Action::Merge, self.merge),
            (Action::Overwrite, self.overwrite),
            (Action::Remove, self.remove),
            (Action::Replace, self.replace),
            (Action::Delete, self.delete),
        ]
    }

    /// Changes of existing annotations.
    pub fn updates(&self) -> u64 {
        self.merge + self.overwrite + self.remove + self.replace
    }

    pub fn total(&self) -> u64 {
        self.post + self.updates() + self.delete
    }
}

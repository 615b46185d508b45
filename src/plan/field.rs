//! The three-way merge of one field.
//!
//! | manifest and app | manifest and base | app and base | |
//! |---|---|---|---|
//! | the same | | | nothing to write |
//! | differ | the same | differ | drift: the app changed the field |
//! | differ | differ | the same | intended: the manifest changed it |
//! | differ | differ | differ | a conflict |
//!
//! A field that the base does not declare cannot drift: a manifest that begins to declare it intends its value.

use super::app_change::FieldChange;
use super::operation::Cause;
use crate::model::Content;
use serde_json::Value;

/// The side that a field gets its value from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Manifest,
    App,
}

/// The chosen side for a field that was changed in the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picks {
    /// If the manifest did not change the field.
    pub(super) drift: Side,
    /// If the manifest changed it too.
    pub(super) conflict: Side,
}

/// How the base declares an annotation.
#[derive(Debug, Clone, Copy)]
pub(super) enum BaseView<'a> {
    Declared(&'a Content),
    /// Not declared, and the manifest names it by its id: whoever wrote the id saw the annotation in the app.
    NamedSince,
    /// Not declared; both sides added it.
    AddedByBoth,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Intended,
    Drift,
    Conflict,
}

/// The values of one field on the three sides.
pub(super) struct Field<'a, T> {
    pub(super) name: &'a str,
    pub(super) base: Option<&'a T>,
    pub(super) manifest: Option<&'a T>,
    pub(super) app: Option<T>,
    /// Whether app and manifest differ.
    pub(super) differs: bool,
    /// Whether app and base differ.
    pub(super) changed: bool,
}

/// Decides field by field, and notes what was changed in the app.
pub(super) struct Merger<'a> {
    base: BaseView<'a>,
    picks: Picks,
    pub(super) fields: Vec<FieldChange>,
    pub(super) cause: Cause,
}

impl<'a> Merger<'a> {
    pub(super) fn new(base: BaseView<'a>, picks: Picks) -> Self {
        Self {
            base,
            picks,
            fields: Vec::new(),
            cause: Cause::Intended,
        }
    }

    pub(super) fn declared_by_base(&self) -> Option<&'a Content> {
        match self.base {
            BaseView::Declared(content) => Some(content),
            BaseView::NamedSince | BaseView::AddedByBoth => None,
        }
    }

    pub(super) fn verdict(&self, in_base: Option<bool>, changed: bool) -> Verdict {
        match (self.base, in_base) {
            (BaseView::AddedByBoth, _) => Verdict::Conflict,
            (_, Some(true)) => Verdict::Drift,
            (_, Some(false)) if changed => Verdict::Conflict,
            (_, None | Some(false)) => Verdict::Intended,
        }
    }

    /// Whether the manifest's value is written. Reports a change made in the app.
    pub(super) fn takes_manifest(
        &mut self,
        verdict: Verdict,
        field: impl FnOnce(bool) -> FieldChange,
    ) -> bool {
        let (side, cause) = match verdict {
            Verdict::Intended => return true,
            Verdict::Drift => (self.picks.drift, Cause::Drift),
            Verdict::Conflict => (self.picks.conflict, Cause::Conflict),
        };
        self.fields.push(field(verdict == Verdict::Conflict));
        if side == Side::Manifest && self.cause != Cause::Conflict {
            self.cause = cause;
        }
        side == Side::Manifest
    }

    pub(super) fn field<T: Clone + serde::Serialize>(
        &mut self,
        field: Field<'_, T>,
        same: impl Fn(&T, &T) -> bool,
    ) -> Option<T> {
        let change = |conflict| FieldChange {
            field: field.name.to_owned(),
            base: field.base.map(shown),
            manifest: field.manifest.map(shown),
            app: field.app.as_ref().map(shown),
            conflict,
        };
        let Some(manifest) = field.manifest else {
            if field.changed {
                self.fields.push(change(false));
            }
            return None;
        };
        if !field.differs {
            return Some(manifest.clone());
        }
        let verdict = self.verdict(field.base.map(|base| same(manifest, base)), field.changed);
        if self.takes_manifest(verdict, change) {
            Some(manifest.clone())
        } else {
            field.app
        }
    }
}

/// A value as the manifest writes it.
pub(super) fn shown(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

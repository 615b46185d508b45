//! A value of a file with its place: what every reader of a manifest's fields takes, and where it reports problems.
//!
//! [`super::fields`] reads maps, lists and scalars from it.

use super::finding::{Finding, Findings, Place, Pointer};
use super::node::Node;
use std::cell::{RefCell, RefMut};

/// A value, its place in the file, and the findings of that file.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'p, 'n> {
    pub(super) node: &'n Node<'n>,
    pub(super) place: Place<'p>,
    /// Shared by all cursors of a file, so that a cursor can be copied.
    pub(super) findings: &'p RefCell<Findings>,
}

impl<'p, 'n> At<'p, 'n> {
    /// Reports a problem with the value. Drop the result before reporting another problem.
    pub(super) fn error(&self, message: impl Into<String>) -> RefMut<'p, Finding> {
        self.report(self.place.value(), message)
    }

    /// Reports a problem with the key of the value.
    pub(super) fn key_error(&self, message: impl Into<String>) -> RefMut<'p, Finding> {
        self.report(self.place.key(), message)
    }

    /// Reports a problem at another place of the file.
    pub(super) fn report(
        &self,
        pointer: Pointer,
        message: impl Into<String>,
    ) -> RefMut<'p, Finding> {
        RefMut::map(self.findings.borrow_mut(), |findings| {
            findings.add(pointer, message)
        })
    }

    /// The value of the entry with this key.
    pub(super) fn entry<'s>(&'s self, key: &'static str, node: &'n Node<'n>) -> At<'s, 'n> {
        At {
            node,
            place: self.place.name(key),
            findings: self.findings,
        }
    }

    /// The element, or the value of the entry, at this index.
    pub(super) fn nth<'s>(&'s self, index: usize, node: &'n Node<'n>) -> At<'s, 'n> {
        At {
            node,
            place: self.place.nth(index),
            findings: self.findings,
        }
    }

    pub(super) fn elements<'s>(
        &'s self,
        elements: &'n [Node<'n>],
    ) -> impl Iterator<Item = At<'s, 'n>> {
        let elements = elements.iter().enumerate();
        elements.map(|(index, element)| self.nth(index, element))
    }
}

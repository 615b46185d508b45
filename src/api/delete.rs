//! What a delete may say: names of annotations, in pairs, and at least one.

use super::request::stands_in_a_path;
use serde::Serialize;

/// A delete without a name in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmptyName {
    /// No annotation at all.
    #[error("a delete has to name at least one annotation")]
    NoAnnotation,
    /// An annotation without its id, or without its input's.
    #[error("a delete has to name an input and an annotation in each pair")]
    NoId,
}

/// The annotations that a delete names: at least one, each by its input's id and its own.
///
/// The API reads a delete with input ids alone as "everything on these inputs". That form cannot be made of this
/// type: the two lists are written from the same pairs, and neither they nor the ids in them are ever empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletePairs(Vec<(String, String)>);

impl DeletePairs {
    /// Checks the names: (input id, annotation id).
    pub fn new(pairs: Vec<(String, String)>) -> Result<Self, EmptyName> {
        if pairs.is_empty() {
            return Err(EmptyName::NoAnnotation);
        }
        if pairs
            .iter()
            .any(|(input, id)| input.trim().is_empty() || id.trim().is_empty())
        {
            return Err(EmptyName::NoId);
        }
        Ok(Self(pairs))
    }

    /// The names, in the order given.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The pair that is deleted by a path of its own: the only one, of ids that can stand in a path.
    pub(super) fn alone(&self) -> Option<(&str, &str)> {
        match &self.0[..] {
            [(input, id)] if stands_in_a_path(input) && stands_in_a_path(id) => Some((input, id)),
            _ => None,
        }
    }

    pub(super) fn body(&self) -> String {
        #[derive(Serialize)]
        struct Body<'a> {
            input_ids: Vec<&'a str>,
            ids: Vec<&'a str>,
        }
        let (input_ids, ids) = self
            .0
            .iter()
            .map(|(input, id)| (input.as_str(), id.as_str()))
            .unzip();
        serde_json::to_string(&Body { input_ids, ids }).expect("text always serialises")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_always_names_annotations() {
        assert_eq!(DeletePairs::new(Vec::new()), Err(EmptyName::NoAnnotation));
        for (input, id) in [("in", ""), ("", "a"), ("in", " ")] {
            assert_eq!(
                DeletePairs::new(vec![("in".into(), "a".into()), (input.into(), id.into())]),
                Err(EmptyName::NoId)
            );
        }
    }
}

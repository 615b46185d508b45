//! The annotations that a delete names: at least one, each by its input's id and its own.

use crate::model::is_path_segment;
use crate::wire::{WriteCall, WriteMethod};
use serde::Serialize;

/// A delete that does not name each of its annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDelete {
    /// No annotation.
    #[error("a delete must name at least one annotation")]
    NoAnnotation,
    /// A pair without an input id or without an annotation id.
    #[error("each pair of a delete must name an input and an annotation")]
    NoId,
}

/// The annotations that a delete names: at least one pair of input id and annotation id.
///
/// The API reads a delete with only input ids as "everything on these inputs". This type cannot be written in that form:
/// the two lists come from the same pairs, and neither the lists nor their ids are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletePairs(Vec<(String, String)>);

impl DeletePairs {
    /// Pairs of input id and annotation id.
    pub fn new(pairs: Vec<(String, String)>) -> Result<Self, InvalidDelete> {
        if pairs.is_empty() {
            return Err(InvalidDelete::NoAnnotation);
        }
        if pairs
            .iter()
            .any(|(input, id)| input.trim().is_empty() || id.trim().is_empty())
        {
            return Err(InvalidDelete::NoId);
        }
        Ok(Self(pairs))
    }

    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The call that deletes them. A single annotation is deleted by its path, if its ids can be segments of one.
    pub fn call(&self) -> WriteCall {
        #[derive(Serialize)]
        struct Body<'a> {
            input_ids: Vec<&'a str>,
            ids: Vec<&'a str>,
        }
        if let [(input, id)] = &self.0[..]
            && is_path_segment(input)
            && is_path_segment(id)
        {
            let path = ["inputs", input, "annotations", id];
            return WriteCall::new(WriteMethod::Delete, &path, None);
        }
        let pairs = self.0.iter();
        let (input_ids, ids) = pairs
            .map(|(input, id)| (input.as_str(), id.as_str()))
            .unzip();
        let body = serde_json::to_string(&Body { input_ids, ids }).expect("text always serialises");
        WriteCall::new(WriteMethod::Delete, &["annotations"], Some(body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_always_names_annotations() {
        assert_eq!(
            DeletePairs::new(Vec::new()),
            Err(InvalidDelete::NoAnnotation)
        );
        for (input, id) in [("in", ""), ("", "a"), ("in", " ")] {
            assert_eq!(
                DeletePairs::new(vec![("in".into(), "a".into()), (input.into(), id.into())]),
                Err(InvalidDelete::NoId)
            );
        }
    }
}

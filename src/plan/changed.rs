//! Which inputs a manifest declares otherwise than its base.

use crate::model::{DesiredInput, DesiredState, InputId};
use std::collections::BTreeSet;

/// What changed between a base and a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Only declarations of these inputs. One that the manifest no longer declares is among them.
    Inputs(BTreeSet<InputId>),
    /// A key of the header that decides about every input.
    Header(&'static str),
}

/// What changed between a base and a manifest. The order of an input's annotations counts, because ties between equal
/// annotations go to the first.
pub fn changed(base: &DesiredState, desired: &DesiredState) -> Changed {
    let keys = [
        ("set", base.set == desired.set),
        ("policy", base.policy == desired.policy),
        ("owners", base.owners == desired.owners),
        ("adopts", base.adopts == desired.adopts),
        ("renamed", base.renamed == desired.renamed),
    ];
    if let Some((key, _)) = keys.into_iter().find(|(_, is_same)| !is_same) {
        return Changed::Header(key);
    }
    let new = (desired.inputs.iter())
        .filter(|input| !(base.input(&input.id)).is_some_and(|was| is_same(was, input)));
    let gone = (base.inputs.iter()).filter(|input| desired.input(&input.id).is_none());
    Changed::Inputs(new.chain(gone).map(|input| input.id.clone()).collect())
}

/// Whether two declarations of one input say the same, wherever they stand.
fn is_same(was: &DesiredInput, is: &DesiredInput) -> bool {
    was.undeclared == is.undeclared
        && was.annotations.len() == is.annotations.len()
        && (was.annotations.iter().zip(&is.annotations))
            .all(|(was, is)| was.identity == is.identity && was.content == is.content)
}

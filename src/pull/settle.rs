//! Chooses layouts of files that read back as intended.
//!
//! A file has several layouts; the first changes the least. All files are read back together. A file that is refused or reads
//! differently gets its next layout.

use super::error::PullError;
use super::report::{Account, Change, FileChange, Layout, Pulled};
use crate::manifest::{Manifest, Overlay, Problems};
use crate::model::{Content, DesiredInput, Geometry, InputId};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Reads the manifest as if these files were written.
pub type ReadBack<'a> = &'a dyn Fn(&Overlay) -> Result<Manifest, Problems>;

/// A layout of a file. `None` if it is not possible for the existing text.
pub(super) type WriteLayout<'a> = Box<dyn Fn() -> Option<String> + 'a>;

/// A file to write.
pub(super) struct Draft<'a> {
    pub(super) path: PathBuf,
    pub(super) change: Change,
    /// At least one; the first changes the least.
    pub(super) layouts: Vec<WriteLayout<'a>>,
    /// The inputs that the file will have.
    pub(super) inputs: Vec<InputId>,
}

/// A draft with the text of its current layout.
struct Candidate<'d, 'a> {
    draft: &'d Draft<'a>,
    layout: usize,
    text: String,
}

impl<'d, 'a> Candidate<'d, 'a> {
    /// The first possible layout from the index `first` on.
    fn from_layout(draft: &'d Draft<'a>, first: usize) -> Option<Self> {
        (first..draft.layouts.len()).find_map(|layout| {
            Some(Self {
                draft,
                layout,
                text: draft.layouts[layout]()?,
            })
        })
    }
}

/// The files of these drafts and masks. Their manifest declares `intended`, which is sorted by input.
pub(super) fn settle(
    drafts: &[Draft<'_>],
    masks: Overlay,
    intended: &[DesiredInput],
    account: Account,
    read_back: ReadBack<'_>,
) -> Result<Pulled, PullError> {
    let mut candidates = drafts
        .iter()
        .map(|draft| {
            Candidate::from_layout(draft, 0).ok_or_else(|| unsupported_layout(&draft.path))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let holders: HashMap<&InputId, usize> = drafts
        .iter()
        .enumerate()
        .flat_map(|(at, draft)| draft.inputs.iter().map(move |id| (id, at)))
        .collect();
    // The problems of the first layouts are reported: a file that is rewritten may lack its header.
    let mut refused: Option<Problems> = None;
    loop {
        let mut overlay = masks.clone();
        for candidate in &candidates {
            overlay.insert(
                candidate.draft.path.clone(),
                candidate.text.as_bytes().to_owned(),
            );
        }
        let (bad, problems, manifest_hash) = match read_back(&overlay) {
            Ok(manifest) => {
                let is_new = |it: &&Candidate<'_, '_>| matches!(it.draft.change, Change::New(_));
                let new = candidates.iter().filter(is_new).map(|it| &it.draft.path);
                if let Some(path) = left_out(new, &manifest) {
                    return Err(PullError::LeftOut { path });
                }
                (
                    differing(&manifest, intended, &holders, &candidates),
                    None,
                    manifest.hash,
                )
            }
            Err(problems) => {
                let has_problem = |at: &usize| {
                    let path = &candidates[*at].draft.path;
                    problems.iter().any(|problem| problem.path == *path)
                };
                let with_problems = (0..candidates.len()).filter(has_problem).collect();
                (with_problems, Some(problems), String::new())
            }
        };
        if bad.is_empty() && problems.is_none() {
            return Ok(pulled(candidates, masks, account, manifest_hash));
        }
        refused = refused.or(problems);
        let next: Option<Vec<_>> = bad
            .iter()
            .map(|at| {
                let candidate = &candidates[*at];
                Some((
                    *at,
                    Candidate::from_layout(candidate.draft, candidate.layout + 1)?,
                ))
            })
            .collect();
        match (next, refused.take()) {
            (Some(next), still) if !next.is_empty() => {
                refused = still;
                for (at, candidate) in next {
                    candidates[at] = candidate;
                }
            }
            (_, Some(problems)) => return Err(PullError::DoesNotFit(problems)),
            (_, None) => {
                let first = bad.first().expect("without problems some file differs");
                return Err(unsupported_layout(&candidates[*first].draft.path));
            }
        }
    }
}

/// The first of these files that does not belong to the manifest.
fn left_out<'p>(new: impl Iterator<Item = &'p PathBuf>, manifest: &Manifest) -> Option<PathBuf> {
    let files: BTreeSet<&Path> = manifest.files().collect();
    let mut new = new.filter(|path| !files.contains(path.as_path()));
    new.next().cloned()
}

fn unsupported_layout(path: &Path) -> PullError {
    PullError::Layout {
        path: path.to_owned(),
    }
}

/// The indices of drafts that do not read back as intended.
fn differing(
    manifest: &Manifest,
    intended: &[DesiredInput],
    holders: &HashMap<&InputId, usize>,
    candidates: &[Candidate<'_, '_>],
) -> BTreeSet<usize> {
    let read: HashMap<&InputId, &DesiredInput> = manifest
        .desired
        .inputs
        .iter()
        .map(|input| (&input.id, input))
        .collect();
    let mut bad: BTreeSet<usize> = intended
        .iter()
        .filter(|input| !read.get(&input.id).is_some_and(|read| same(input, read)))
        .filter_map(|input| holders.get(&input.id).copied())
        .collect();
    let intended_ids: BTreeSet<&InputId> = intended.iter().map(|input| &input.id).collect();
    let files: Vec<&Path> = manifest.files().collect();
    for stray in read
        .values()
        .filter(|read| !intended_ids.contains(&read.id))
    {
        let file = files.get(stray.origin.file as usize);
        bad.extend(
            (0..candidates.len())
                .filter(|at| file.is_some_and(|file| *file == candidates[*at].draft.path)),
        );
    }
    bad
}

/// Whether two inputs have equal declarations.
fn same(one: &DesiredInput, other: &DesiredInput) -> bool {
    one.undeclared == other.undeclared
        && one.annotations.len() == other.annotations.len()
        && one
            .annotations
            .iter()
            .zip(&other.annotations)
            .all(|(a, b)| a.identity == b.identity && same_content(&a.content, &b.content))
}

/// Masks are compared by their pixels, because only one that was read has the bytes of its file.
fn same_content(one: &Content, other: &Content) -> bool {
    match (&one.geometry, &other.geometry) {
        (Some(a @ Geometry::Mask(_)), Some(b @ Geometry::Mask(_))) => {
            let without = |content: &Content| Content {
                geometry: None,
                ..content.clone()
            };
            a.same(b) && without(one) == without(other)
        }
        _ => one == other,
    }
}

fn pulled(
    candidates: Vec<Candidate<'_, '_>>,
    masks: Overlay,
    account: Account,
    manifest_hash: String,
) -> Pulled {
    let masks = masks.into_iter().map(|(path, content)| FileChange {
        path,
        content,
        change: Change::Mask,
    });
    let texts = candidates.into_iter().map(|candidate| FileChange {
        path: candidate.draft.path.clone(),
        content: candidate.text.into_bytes(),
        change: match candidate.draft.change {
            Change::Changed {
                added,
                changed,
                dropped,
                ..
            } if candidate.layout > 0 => Change::Changed {
                added,
                changed,
                dropped,
                layout: Layout::Rewritten,
            },
            change => change,
        },
    });
    Pulled {
        files: masks.chain(texts).collect(),
        account,
        losses: Vec::new(),
        manifest_hash,
    }
}

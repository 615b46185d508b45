//! Texts become files only when they read back as what they are meant to say.
//!
//! A file can be laid out in more than one way, the gentlest first. All files are read back together, under the header
//! that decides about them; one that is refused or says something else is laid out in the next way.

use super::error::PullError;
use super::report::{Account, Change, FileChange, Layout, Pulled};
use crate::manifest::{Manifest, Overlay, Problems};
use crate::model::{Content, DesiredInput, Geometry, InputId};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Reads the manifest as it would be with these files written.
pub type ReadBack<'a> = &'a dyn Fn(&Overlay) -> Result<Manifest, Problems>;

/// One way of laying a file out; nothing where it does not fit what is there.
pub(super) type Way<'a> = Box<dyn Fn() -> Option<String> + 'a>;

/// A file that is to be written.
pub(super) struct Draft<'a> {
    pub(super) path: PathBuf,
    pub(super) change: Change,
    /// The ways, the gentlest first; at least one.
    pub(super) ways: Vec<Way<'a>>,
    /// The inputs that it is to hold as they are meant.
    pub(super) inputs: Vec<InputId>,
}

/// A draft with the text that it has come to.
struct Candidate<'d, 'a> {
    draft: &'d Draft<'a>,
    way: usize,
    text: String,
}

impl<'d, 'a> Candidate<'d, 'a> {
    /// The first of the ways from here on that fits.
    fn from(draft: &'d Draft<'a>, first: usize) -> Option<Self> {
        (first..draft.ways.len()).find_map(|way| {
            Some(Self {
                draft,
                way,
                text: draft.ways[way]()?,
            })
        })
    }
}

/// The files of these drafts and masks, whose manifest says `intended`, sorted by input.
pub(super) fn settle(
    drafts: &[Draft<'_>],
    masks: Overlay,
    intended: &[DesiredInput],
    account: Account,
    read_back: ReadBack<'_>,
) -> Result<Pulled, PullError> {
    let mut candidates = drafts
        .iter()
        .map(|draft| Candidate::from(draft, 0).ok_or_else(|| layout(&draft.path)))
        .collect::<Result<Vec<_>, _>>()?;
    let holders: HashMap<&InputId, usize> = drafts
        .iter()
        .enumerate()
        .flat_map(|(at, draft)| draft.inputs.iter().map(move |id| (id, at)))
        .collect();
    // What is said of the gentlest ways is what counts; a file written whole may lack its header.
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
                let is_blamed = |at: &usize| {
                    let path = &candidates[*at].draft.path;
                    problems.iter().any(|problem| problem.path == *path)
                };
                let blamed = (0..candidates.len()).filter(is_blamed).collect();
                (blamed, Some(problems), String::new())
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
                Some((*at, Candidate::from(candidate.draft, candidate.way + 1)?))
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
                return Err(layout(&candidates[*first].draft.path));
            }
        }
    }
}

/// The first of these files that is not among those of the manifest.
fn left_out<'p>(new: impl Iterator<Item = &'p PathBuf>, manifest: &Manifest) -> Option<PathBuf> {
    let files: BTreeSet<&Path> = manifest.files().collect();
    let mut new = new.filter(|path| !files.contains(path.as_path()));
    new.next().cloned()
}

fn layout(path: &Path) -> PullError {
    PullError::Layout {
        path: path.to_owned(),
    }
}

/// The drafts whose inputs do not read as they are meant.
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
        .filter(|meant| !read.get(&meant.id).is_some_and(|read| same(meant, read)))
        .filter_map(|meant| holders.get(&meant.id).copied())
        .collect();
    let meant: BTreeSet<&InputId> = intended.iter().map(|input| &input.id).collect();
    let files: Vec<&Path> = manifest.files().collect();
    for stray in read.values().filter(|read| !meant.contains(&read.id)) {
        let file = files.get(stray.origin.file as usize);
        bad.extend(
            (0..candidates.len())
                .filter(|at| file.is_some_and(|file| *file == candidates[*at].draft.path)),
        );
    }
    bad
}

/// Whether two inputs are declared alike, wherever they stand.
fn same(one: &DesiredInput, other: &DesiredInput) -> bool {
    one.undeclared == other.undeclared
        && one.annotations.len() == other.annotations.len()
        && one
            .annotations
            .iter()
            .zip(&other.annotations)
            .all(|(a, b)| a.identity == b.identity && same_content(&a.content, &b.content))
}

/// A mask that was read has its file's bytes, one that was observed has not: their pixels count.
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
            } if candidate.way > 0 => Change::Changed {
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

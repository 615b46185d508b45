//! What a plan without a network is made of: a listing that was saved, and no target. `plan --observed` and `test` share
//! it, so that a test case says what a plan would.

use super::exit::Failure;
use super::{input, kind};
use crate::manifest::Manifest;
use crate::model::{FileKind, ObservedState, Origin};
use crate::observed::{ObservedError, SavedListing};
use crate::plan::{PlanError, Target};
use crate::render::{counted, thousands};
use std::path::Path;

/// What a saved listing holds.
pub(crate) fn observed(file: &Path) -> Result<ObservedState, Failure> {
    kind::expect(file, &[FileKind::Listing], "a saved listing")?;
    let text = input::text(file, input::LARGEST)?;
    let saved = SavedListing::read(&text).map_err(|error| {
        let hint = error
            .hint()
            .unwrap_or("save a listing with `annosync list --all --format json > FILE`");
        match &error {
            ObservedError::NotJson(fault) => input::broken(file, fault),
            _ => Failure::new(format!("{}: {error}", file.display())),
        }
        .hint(hint)
    })?;
    // The text of a large app's listing is as large as the state.
    drop(text);
    Ok(saved.into_state())
}

/// The target of a plan that is only looked at: the owner of what was listed, and no app.
pub(crate) fn no_target(observed: &ObservedState) -> Target {
    Target {
        endpoint: String::new(),
        user_id: observed.app_owner.to_string(),
        app_id: String::new(),
    }
}

/// Errors of one kind that are shown each; of more, the others are counted.
const SHOWN: usize = 3;
/// Of inputs that the app lacks, each is a word to correct.
const MISSING: usize = 20;

/// Why no plan can be made: each error with its place in the manifest and what to do, and what it comes to.
pub(crate) fn refused(manifest: &Manifest, errors: &[PlanError]) -> (Vec<String>, Failure) {
    let mut kinds: Vec<Vec<&PlanError>> = Vec::new();
    for error in errors {
        let kind = std::mem::discriminant(error);
        match kinds
            .iter_mut()
            .find(|known| std::mem::discriminant(known[0]) == kind)
        {
            Some(known) => known.push(error),
            None => kinds.push(vec![error]),
        }
    }
    let mut said = Vec::new();
    for errors in kinds {
        let most = match errors[0] {
            PlanError::NoInput { .. } | PlanError::NothingToPost { .. } => MISSING,
            _ => SHOWN,
        };
        let shown = &errors[..errors.len().min(most)];
        let origins: Vec<Origin> = shown.iter().map(|error| error.origin()).collect();
        for (error, place) in shown.iter().zip(manifest.locate_all(&origins)) {
            let place = place.map_or_else(String::new, |place| {
                format!("{}:{}:{}: ", place.path.display(), place.line, place.column)
            });
            said.push(format!("error: {place}{error}\nhint: {}", error.hint()));
        }
        if errors.len() > most {
            said.push(format!(
                "error: and {} more like the last one",
                thousands((errors.len() - most) as u64)
            ));
        }
    }
    let failure = Failure::new(format!(
        "the manifest asks for {} that cannot be made",
        counted(errors.len() as u64, "change")
    ));
    (said, failure)
}

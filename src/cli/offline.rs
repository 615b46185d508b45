//! What a plan without a network is made of: a listing that was saved, and no target. `plan --observed` and `test` share
//! it, so that a test case says what a plan would.

use super::exit::Failure;
use crate::manifest::Manifest;
use crate::model::{ObservedState, Origin};
use crate::observed::SavedListing;
use crate::plan::{PlanError, Target};
use std::path::Path;

/// What a saved listing holds.
pub(crate) fn observed(file: &Path) -> Result<ObservedState, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))?;
    let saved = SavedListing::read(&text).map_err(|error| {
        Failure::new(format!("{}: {error}", file.display())).hint(
            error
                .hint()
                .unwrap_or("save a listing with `annosync list --all --format json > FILE`"),
        )
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

/// Why no plan can be made: each error with its place in the manifest and what to do, and what it comes to.
pub(crate) fn refused(manifest: &Manifest, errors: &[PlanError]) -> (Vec<String>, Failure) {
    let origins: Vec<Origin> = errors.iter().map(PlanError::origin).collect();
    let said = errors.iter().zip(manifest.locate_all(&origins));
    let said = said.map(|(error, place)| {
        let place = place.map_or_else(String::new, |place| {
            format!("{}:{}:{}: ", place.path.display(), place.line, place.column)
        });
        format!("error: {place}{error}\nhint: {}", error.hint())
    });
    let what = if errors.len() == 1 {
        "1 change".to_owned()
    } else {
        format!("{} changes", errors.len())
    };
    let failure = Failure::new(format!(
        "the manifest asks for {what} that cannot be made; nothing was sent"
    ));
    (said.collect(), failure)
}

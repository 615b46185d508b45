//! Plans without a network: a saved listing, and no target. `plan --observed` and `test` share it, so both give the
//! same plan.

use super::exit::Failure;
use super::{input, kind};
use crate::manifest::Manifest;
use crate::model::{
    Content, FileKind, Geometry, Mask, ObservedAnnotation, ObservedState, Origin, Shard,
};
use crate::observed::{ObservedError, SavedListing};
use crate::plan::{PlanError, Target};
use crate::render::{counted, thousands};
use std::path::Path;

/// Reads a saved listing; of a shard, only the annotations of its inputs.
pub(crate) fn read_listing(file: &Path, shard: Option<Shard>) -> Result<ObservedState, Failure> {
    kind::expect(file, &[FileKind::Listing], "a saved listing")?;
    let streamed = input::stream(file, input::MAX_BYTES, |file| {
        SavedListing::stream(file, shard)
    })?;
    if let Some(saved) = streamed {
        return Ok(saved.into_state());
    }
    // It is unusual or wrong.
    let text = input::text(file, input::MAX_BYTES)?;
    let saved = SavedListing::read_shard(&text, shard).map_err(|error| {
        let hint = error
            .hint()
            .unwrap_or("save a listing with `annosync list --all --format json > FILE`");
        match &error {
            ObservedError::NotJson(fault) => input::json_failure(file, fault),
            _ => Failure::new(format!("{}: {error}", file.display())),
        }
        .hint(hint)
    })?;
    // Frees the text, which is as large as the state.
    drop(text);
    Ok(saved.into_state())
}

/// The fields of an annotation of a listing. A mask has its pixels, which a listing keeps apart.
pub(crate) fn content(annotation: &ObservedAnnotation) -> Content {
    let mut content = annotation.content();
    if let (Some(Geometry::Mask(mask)), Some(png)) = (&mut content.geometry, annotation.mask_png())
        && let Ok(whole) = Mask::from_png(png)
    {
        **mask = whole;
    }
    content
}

/// The target of a plan without an app: only the owner is known.
pub(crate) fn no_target(observed: &ObservedState) -> Target {
    Target {
        endpoint: String::new(),
        user_id: observed.app_owner.to_string(),
        app_id: String::new(),
    }
}

/// How many errors of one kind are listed; the others are counted.
const MAX_LISTED: usize = 3;
/// How many missing inputs are listed: each may be a typing error of its own.
const MAX_MISSING: usize = 20;

/// Messages for errors of planning, with place and hint, and the failure that sums them up.
pub(crate) fn describe_errors(manifest: &Manifest, errors: &[PlanError]) -> (Vec<String>, Failure) {
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
    let mut messages = Vec::new();
    for errors in kinds {
        let most = match errors[0] {
            PlanError::NoInput { .. } | PlanError::NothingToPost { .. } => MAX_MISSING,
            _ => MAX_LISTED,
        };
        let shown = &errors[..errors.len().min(most)];
        let origins: Vec<Origin> = shown.iter().map(|error| error.origin()).collect();
        for (error, place) in shown.iter().zip(manifest.locate_all(&origins)) {
            let place = place.map_or_else(String::new, |place| {
                format!("{}:{}:{}: ", place.path.display(), place.line, place.column)
            });
            messages.push(format!("error: {place}{error}\nhint: {}", error.hint()));
        }
        if errors.len() > most {
            messages.push(format!(
                "error: and {} more like the last one",
                thousands((errors.len() - most) as u64)
            ));
        }
    }
    let failure = Failure::new(format!(
        "the manifest asks for {} that cannot be made",
        counted(errors.len() as u64, "change")
    ));
    (messages, failure)
}

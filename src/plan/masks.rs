//! The mask files of a plan. Operations name a mask by the hash of its pixels; the plan holds each file once.

use super::operation::Operation;
use super::plan::Plan;
use crate::model::{Geometry, Mask};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

/// The files of the masks that these operations send, in base64, by the hash of their pixels.
pub(super) fn of(operations: &[Operation]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for mask in operations.iter().filter_map(sent) {
        if let (Some(hash), Some(png)) = (mask.sha256(), mask.png()) {
            files.entry(hash).or_insert_with(|| STANDARD.encode(png));
        }
    }
    files
}

/// Adds the mask files to the operations of a plan file. The error says what is wrong with the files.
pub(super) fn restore(plan: &mut Plan) -> Result<(), &'static str> {
    let mut files: BTreeMap<&str, (Mask, bool)> = BTreeMap::new();
    for (hash, text) in &plan.masks {
        let png = STANDARD.decode(text).ok();
        let mask = png.and_then(|png| Mask::from_png(png).ok());
        let mask = mask.filter(|mask| mask.sha256().as_deref() == Some(&**hash));
        files.insert(
            hash,
            (
                mask.ok_or("the pixels of a mask do not match its hash")?,
                false,
            ),
        );
    }
    for operation in &mut plan.operations {
        if sent(operation).is_none() {
            continue;
        }
        if let Some(Geometry::Mask(shown)) =
            operation.after_mut().and_then(|it| it.geometry.as_mut())
            && let Some(hash) = shown.sha256()
        {
            let (file, is_used) = (files.get_mut(&*hash)).ok_or("the file of a mask is missing")?;
            if file.size() != shown.size() {
                return Err("a mask has a different size than its operation shows");
            }
            *is_used = true;
            let url = shown.url().map(Box::<str>::from);
            **shown = match url {
                Some(url) => file.clone().with_url(url),
                None => file.clone(),
            };
        }
    }
    if files.values().all(|(_, is_used)| *is_used) {
        Ok(())
    } else {
        Err("no operation sends one of its masks")
    }
}

/// The mask that an operation writes. An operation of an undo has a body instead.
fn sent(operation: &Operation) -> Option<&Mask> {
    let place = operation.after()?.geometry.as_ref()?;
    let before = operation.before().and_then(|it| it.geometry.as_ref());
    let stays = before.is_some_and(|it| it.same(place));
    match place {
        Geometry::Mask(mask) if !stays && operation.body().is_none() => Some(mask),
        _ => None,
    }
}

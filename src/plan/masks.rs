//! The files of masks in a plan: operations show a mask by the hash of its pixels, and the plan holds each file once.

use super::types::{Action, Operation, Plan};
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

/// Gives the operations of a plan file the files of their masks. Says what is wrong with them, if anything.
pub(super) fn restore(plan: &mut Plan) -> Result<(), &'static str> {
    let mut files: BTreeMap<&str, (Mask, bool)> = BTreeMap::new();
    for (hash, text) in &plan.masks {
        let png = STANDARD.decode(text).ok();
        let mask = png.and_then(|png| Mask::from_png(png).ok());
        let mask = mask.filter(|mask| mask.sha256().as_deref() == Some(&**hash));
        files.insert(
            hash,
            (mask.ok_or("a mask is not what it is called")?, false),
        );
    }
    for operation in &mut plan.operations {
        if sent(operation).is_none() {
            continue;
        }
        if let Some(Geometry::Mask(shown)) =
            operation.after.as_mut().and_then(|it| it.geometry.as_mut())
            && let Some(hash) = shown.sha256()
        {
            let (file, is_used) =
                (files.get_mut(&*hash)).ok_or("a mask that it sends is not in it")?;
            if file.size() != shown.size() {
                return Err("a mask is not of the size that it shows");
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
        Err("it holds a mask that nothing sends")
    }
}

/// The mask that an operation writes, if it writes one. What undoes an apply has its own body.
fn sent(operation: &Operation) -> Option<&Mask> {
    let place = operation.after.as_ref()?.geometry.as_ref()?;
    let before = operation
        .before
        .as_ref()
        .and_then(|it| it.geometry.as_ref());
    let stays = operation.action != Action::Post && before.is_some_and(|it| it.same(place));
    match place {
        Geometry::Mask(mask) if !stays && operation.body.is_none() => Some(mask),
        _ => None,
    }
}

//! The geometry of existing regions that are written with their id only, for example regions that a model found.
//!
//! Used for [`super::RegionPlaces::FilledIn`] only, because it reads all annotations of the input.

use super::rows::{App, Stored};
use super::session::Session;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Fills in missing geometries of regions from the oldest annotation of the input that has a region with the same id.
pub(super) fn fill_in(
    session: &Session<'_>,
    app: &App,
    stored: &mut Stored,
) -> rusqlite::Result<()> {
    let mut is_missing = false;
    each_region(stored.data_mut(), &mut |region| {
        is_missing |= place_of(region).is_none();
    });
    if !is_missing {
        return Ok(());
    }
    let mut known: HashMap<String, Value> = HashMap::new();
    for mut other in session.annotations_of(app, &stored.input_id)? {
        each_region(other.data_mut(), &mut |region| {
            if let (Some(Value::String(id)), Some(place)) = (region.get("id"), place_of(region)) {
                known.entry(id.clone()).or_insert_with(|| place.clone());
            }
        });
    }
    each_region(stored.data_mut(), &mut |region| {
        let id = region.get("id").and_then(Value::as_str);
        let place = id.and_then(|id| known.get(id)).cloned();
        if let (None, Some(place)) = (place_of(region), place) {
            region.insert("region_info".to_owned(), place);
        }
    });
    Ok(())
}

fn place_of(region: &Map<String, Value>) -> Option<&Value> {
    let place = region.get("region_info")?;
    place
        .as_object()
        .is_some_and(|p| !p.is_empty())
        .then_some(place)
}

/// Visits the regions of an annotation, including those in frames and time segments.
fn each_region(data: &mut Map<String, Value>, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    for (name, parts) in data.iter_mut() {
        let Value::Array(parts) = parts else {
            continue;
        };
        for part in parts.iter_mut().filter_map(Value::as_object_mut) {
            match name.as_str() {
                "regions" => visit(part),
                "frames" | "time_segments" => {
                    if let Some(Value::Object(inside)) = part.get_mut("data") {
                        each_region(inside, visit);
                    }
                }
                _ => {}
            }
        }
    }
}

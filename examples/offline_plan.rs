//! Plans from a manifest and a saved listing, without a network:
//!
//! ```console
//! annosync list --all --format json > listing.json
//! cargo run --example offline_plan -- examples/quickstart listing.json
//! ```

use annosync::plan::{Allowances, Context, Inventory, Target};
use annosync::{manifest, observed, plan, render};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [manifest_path, listing_path] = &arguments[..] else {
        return Err("usage: offline_plan MANIFEST LISTING".into());
    };

    // The desired state. Problems have file, line, column and the source line.
    let manifest = manifest::load(Path::new(manifest_path))
        .map_err(|problems| problems.render(false, manifest::ProblemsShown::First))?;

    // The observed state. A saved listing was proved complete when it was saved.
    let listing = std::fs::read_to_string(listing_path)?;
    let observed = observed::SavedListing::read(&listing)?.into_state();

    // The plan. Planning does no I/O: the same two states give the same plan.
    let context = Context {
        target: Target {
            endpoint: "https://api.clarifai.com".to_owned(),
            user_id: observed.app_owner.to_string(),
            app_id: "street".to_owned(),
        },
        manifest_hash: manifest.hash.clone(),
        rate_limit: 15,
        allowances: Allowances::default(),
        // Offline, only the listing shows which inputs and concepts the app has.
        inventory: Inventory::default(),
        shard: None,
    };
    let plan = plan::plan(&manifest.desired, &observed, &context).map_err(|errors| {
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    })?;

    anstream::print!("{}", render::text(&plan, &render::TextOptions::default()));
    Ok(())
}

//! A plan as an inline snapshot in a Rust test.
//!
//! ```console
//! cargo test --example snapshot_test
//! ```
//!
//! Copy `plan_text` and the test into a test of your own; `insta` is a dev-dependency. Without Rust, `annosync test`
//! does the same with files.

fn main() {
    anstream::println!("The example is its test: run `cargo test --example snapshot_test`.");
}

#[cfg(test)]
mod tests {
    use annosync::plan::{Allowances, Context, Inventory, Target};
    use annosync::{manifest, observed, plan, render};
    use std::path::PathBuf;

    /// The plan from a manifest and a listing, as text. It uses no network, files or clock, so the same input gives the same
    /// plan on every machine.
    fn plan_text(manifest: &str, listing: &str) -> String {
        let files = vec![(PathBuf::from("annosync.yaml"), manifest.to_owned())];
        let manifest = manifest::parse(files).unwrap_or_else(|problems| panic!("{problems}"));
        let observed = observed::SavedListing::read(listing)
            .expect("`annosync list --all --format json` wrote it")
            .into_state();
        let context = Context {
            target: Target {
                endpoint: "https://api.clarifai.com".to_owned(),
                user_id: observed.app_owner.to_string(),
                app_id: "street".to_owned(),
            },
            manifest_hash: manifest.hash.clone(),
            rate_limit: 15,
            allowances: Allowances::default(),
            inventory: Inventory::default(),
            shard: None,
        };
        let plan = plan::plan(&manifest.desired, &observed, &context)
            .unwrap_or_else(|errors| panic!("{errors:#?}"));
        render::text(&plan, &render::TextOptions::default())
    }

    #[test]
    fn a_car_is_found_to_be_a_taxi() {
        let manifest = "\
version: 1
set: street
policy: sync
inputs:
  - id: street-0001
    annotations:
      - box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }
        concepts: [car, taxi]
";
        let listing = r#"{
            "format_version": "1.0", "caller": "acme", "app_owner": "acme", "scope": "whole_app",
            "annotations": [{
                "id": "300b8e39a65e4f33ae4e15e86eaf4a3b", "input_id": "street-0001", "user_id": "acme",
                "data": {"regions": [{"id": "r1",
                    "region_info": {"bounding_box": {"top_row": 0.1, "left_col": 0.2, "bottom_row": 0.5, "right_col": 0.6}},
                    "data": {"concepts": [{"id": "car", "value": 1}]}}]}
            }]
        }"#;
        insta::assert_snapshot!(plan_text(manifest, listing), @r"
        Label set street on acme/street at https://api.clarifai.com, policy sync: 1 to merge.
        App: https://clarifai.com/acme/street

        Classes: taxi 0 -> 1 (+1)
        Relabelled: (none) -> taxi (1)

        street-0001
          ~ merge box [car -> car, taxi] 300b8e39…: top, 16 % of the image (matched: same place, other concepts)

        Plan: 1 to merge. 1 call (lower bound 1), about 0.1 s at 15 calls/s.
        ");
    }
}

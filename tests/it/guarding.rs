//! No manifest gets a mass delete past the guards: by removed inputs and files, empty lists, renames, values,
//! adoption by id, purges, or a listing of a part of the app. The deletes of a plan are counted here from the listing
//! itself.

use crate::support::{boxed, context, manifest_of, observed, purging, with};
use annosync::model::{GuardLimit, Scope};
use annosync::plan::{self, Action, TrippedGuard};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The owner of an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    Me,
    Set,
    OtherSet,
    Colleague,
    Model,
    InputLevel,
}

const MAKERS: [Maker; 8] = [
    Maker::Me,
    Maker::Me,
    Maker::Set,
    Maker::Set,
    Maker::OtherSet,
    Maker::Colleague,
    Maker::Model,
    Maker::InputLevel,
];

/// How the manifest declares an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ApplyStatus {
    Dropped,
    Kept,
    Renamed,
    Denied,
}

const FATES: [ApplyStatus; 6] = [
    ApplyStatus::Dropped,
    ApplyStatus::Dropped,
    ApplyStatus::Dropped,
    ApplyStatus::Kept,
    ApplyStatus::Renamed,
    ApplyStatus::Denied,
];

/// How the manifest declares an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declared {
    Not,
    Emptied,
    Listed,
    Purged,
}

const DECLARED: [Declared; 6] = [
    Declared::Not,
    Declared::Emptied,
    Declared::Listed,
    Declared::Listed,
    Declared::Listed,
    Declared::Purged,
];

#[derive(Debug, Clone)]
struct World {
    annotations: Vec<(usize, Maker, bool, ApplyStatus)>,
    declared: Vec<Declared>,
    renames: bool,
    whole_app: bool,
}

const INPUTS: usize = 4;

fn worlds() -> impl Strategy<Value = World> {
    let annotation = (
        0..INPUTS,
        prop::sample::select(&MAKERS[..]),
        any::<bool>(),
        prop::sample::select(&FATES[..]),
    );
    (
        prop::collection::vec(annotation, 0..60),
        prop::collection::vec(prop::sample::select(&DECLARED[..]), INPUTS),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(annotations, declared, renames, whole_app)| World {
            annotations,
            declared,
            renames,
            whole_app,
        })
}

impl World {
    fn id(&self, at: usize) -> String {
        match self.annotations[at].1 {
            Maker::Set => format!("as-6008c26f-{at:020x}"),
            Maker::OtherSet => format!("as-00000000-{at:020x}"),
            _ => format!("x{at}"),
        }
    }

    fn listing(&self) -> Vec<Value> {
        let annotations = self.annotations.iter().enumerate();
        annotations
            .map(|(at, (input, maker, is_precious, _))| {
                let concept = if *is_precious { "precious" } else { "car" };
                let top = (at % 10) as f64 / 20.0;
                let left = (at / 10) as f64 / 20.0;
                let edges = [top, left, top + 0.04, left + 0.04];
                let made = boxed(&format!("in-{input}"), &self.id(at), edges, &[concept]);
                match maker {
                    Maker::Me | Maker::OtherSet => made,
                    Maker::Set | Maker::Colleague => with(made, "user_id", json!("bea")),
                    Maker::Model => with(made, "model_version_id", json!("v1")),
                    Maker::InputLevel => with(made, "input_level", json!(true)),
                }
            })
            .collect()
    }

    fn manifest(&self) -> annosync::model::DesiredState {
        let renamed = if self.renames {
            "renamed: { precious: gone }\n"
        } else {
            ""
        };
        let mut text = format!("version: 1\nset: street\npolicy: sync\n{renamed}inputs:\n");
        // An input that is nowhere: the manifest is never empty.
        text.push_str("  - id: none\n    annotations: []\n");
        for (input, declared) in self.declared.iter().enumerate() {
            let listed: Vec<usize> = (0..self.annotations.len())
                .filter(|at| {
                    let (of, maker, _, status) = self.annotations[*at];
                    let is_mine = matches!(maker, Maker::Me | Maker::Set | Maker::Colleague);
                    of == input && is_mine && status != ApplyStatus::Dropped
                })
                .collect();
            match declared {
                Declared::Not | Declared::Purged => {}
                Declared::Listed if !listed.is_empty() => {
                    writeln!(text, "  - id: in-{input}\n    annotations:").unwrap();
                    for at in listed {
                        let concepts = match (self.annotations[at].2, self.annotations[at].3) {
                            (true, ApplyStatus::Renamed) => "[gone]",
                            // Where a concept is renamed, a manifest may not name it any more.
                            (true, ApplyStatus::Kept) if self.renames => "[gone]",
                            (true, ApplyStatus::Denied) if self.renames => "[car]",
                            (true, ApplyStatus::Denied) => "{ precious: false }",
                            (true, _) => "[precious]",
                            (false, _) => "[car]",
                        };
                        writeln!(
                            text,
                            "      - {{ id: {}, concepts: {concepts} }}",
                            self.id(at)
                        )
                        .unwrap();
                    }
                }
                _ => writeln!(text, "  - id: in-{input}\n    annotations: []").unwrap(),
            }
        }
        let mut manifest = manifest_of(&text);
        for (input, declared) in self.declared.iter().enumerate() {
            if *declared == Declared::Purged {
                manifest = purging(manifest, &format!("in-{input}"));
            }
        }
        manifest
    }
}

/// The number of users' annotations with a concept.
fn bearers(
    annotations: &BTreeMap<(String, String), (Maker, BTreeSet<String>)>,
    concept: &str,
) -> usize {
    let of_people = annotations
        .values()
        .filter(|(maker, _)| *maker != Maker::Model);
    of_people
        .filter(|(_, concepts)| concepts.contains(concept))
        .count()
}

proptest! {
    #[test]
    fn no_mass_delete_gets_past_the_guards(world in worlds()) {
        let mut observed = observed(&world.listing());
        let mut manifest = world.manifest();
        manifest.guards.max_updates = GuardLimit::Percent(100);
        if !world.whole_app {
            let declared = manifest.inputs.iter().map(|input| input.id.clone());
            observed.scope = Scope::Inputs(declared.collect());
            let Scope::Inputs(listed) = &observed.scope else { unreachable!() };
            let listed = listed.clone();
            observed.inputs.retain(|input, _| listed.contains(input));
        }
        let Ok(plan) = plan::plan(&manifest, &observed, &context()) else {
            return Ok(());
        };

        // What there is, and what of it a plan of this manifest could delete.
        let mut there: BTreeMap<(String, String), (Maker, BTreeSet<String>)> = BTreeMap::new();
        let mut deletable: BTreeSet<(String, String)> = BTreeSet::new();
        for (at, (input, maker, is_precious, _)) in world.annotations.iter().enumerate() {
            let input_id = format!("in-{input}");
            if !observed.inputs.keys().any(|it| it.as_str() == input_id) {
                continue;
            }
            let name = (input_id, world.id(at));
            let concept = if *is_precious { "precious" } else { "car" };
            let is_purged = world.declared[*input] == Declared::Purged && *maker != Maker::InputLevel;
            // On an input that is not declared, only what the set made is in scope.
            let is_declared = world.declared[*input] != Declared::Not;
            if *maker == Maker::Set || (*maker == Maker::Me && is_declared) || is_purged {
                deletable.insert(name.clone());
            }
            there.insert(name, (*maker, BTreeSet::from([concept.to_owned()])));
        }
        let before = bearers(&there, "precious");
        let mut after = there.clone();
        let (mut deleted, mut renamed) = (0, 0);
        for operation in &plan.operations {
            let name = (operation.input_id.to_string(), operation.id.to_string());
            if operation.action() == Action::Delete {
                prop_assert!(deletable.contains(&name), "{name:?} is not the plan's to delete");
                after.remove(&name);
                deleted += 1;
            } else if let Some(concepts) = operation.after().and_then(|it| it.concepts.as_ref()) {
                let said = concepts.iter().filter(|it| it.value > 0.0);
                let said: BTreeSet<String> = said.map(|it| it.id.to_string()).collect();
                renamed += usize::from(said.contains("gone"));
                after.get_mut(&name).unwrap().1 = said;
            }
        }
        for purge in &plan.purges {
            for gone in &purge.annotations {
                after.remove(&(purge.input_id.to_string(), gone.id.to_string()));
                deleted += 1;
            }
        }

        let of = deletable.len();
        let is_stopped = plan.guards.iter().any(|trip| matches!(trip, TrippedGuard::Deletes { .. }));
        prop_assert_eq!(is_stopped, of >= 10 && deleted * 100 > of * 30, "{} of {}", deleted, of);
        let is_excused = world.renames && renamed * 2 > before;
        let vanishes = before >= 10 && bearers(&after, "precious") == 0 && !is_excused;
        let is_said = plan.guards.iter().any(|trip| match trip {
            TrippedGuard::VanishedConcepts { concepts, .. } => concepts.iter().any(|it| it == "precious"),
            _ => false,
        });
        prop_assert_eq!(is_said, vanishes, "{} had it, {} were renamed", before, renamed);
    }
}

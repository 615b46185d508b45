//! The header as YAML.

use super::yaml;
use crate::manifest::header::{Header, VERSION, VOCABULARY_OF_APP, default_owners};
use crate::manifest::target::TargetSpec;
use crate::model::{GuardLimit, Guards, Owner};
use serde_json::{Map, Value, json};

/// The header as a YAML file, without defaults.
pub fn write_header(header: &Header) -> String {
    let mut text = String::new();
    for (key, value) in header_tree(header) {
        // One target a line.
        let style = if key == "targets" {
            yaml::Style::Block
        } else {
            yaml::Style::Short
        };
        yaml::entry(&mut text, 0, &key, &value, style);
    }
    text
}

fn header_tree(header: &Header) -> Map<String, Value> {
    let mut tree = Map::new();
    tree.insert("version".into(), json!(VERSION));
    tree.insert("set".into(), json!(header.set));
    tree.insert("policy".into(), json!(header.policy));
    if let Some(files) = &header.files {
        tree.insert("files".into(), json!(files));
    }
    if let Some(target) = &header.target {
        tree.insert("target".into(), json!(target));
    }
    if !header.targets.is_empty() {
        let targets = header
            .targets
            .iter()
            .map(|(name, target)| (name.clone(), target_tree(target)))
            .collect();
        tree.insert("targets".into(), Value::Object(targets));
    }
    if header.vocabulary_of_app {
        tree.insert("vocabulary".into(), json!(VOCABULARY_OF_APP));
    } else if let Some(vocabulary) = &header.vocabulary {
        tree.insert("vocabulary".into(), json!(vocabulary));
    }
    if header.owners != default_owners() {
        let owners = header.owners.iter().filter_map(|owner| match owner {
            // Only the default has it, and it cannot be written.
            Owner::AppOwner => None,
            Owner::Me => Some("me"),
            Owner::Any => Some("any"),
            Owner::User(user) => Some(user.as_str()),
        });
        tree.insert("owners".into(), owners.collect());
    }
    if header.create_inputs {
        tree.insert("create_inputs".into(), json!(true));
    }
    let guards = guards_tree(&header.guards);
    if !guards.is_empty() {
        tree.insert("guards".into(), Value::Object(guards));
    }
    if !header.renamed.is_empty() {
        let renamed = header
            .renamed
            .iter()
            .map(|(old, new)| (old.as_str().to_owned(), json!(new)))
            .collect();
        tree.insert("renamed".into(), Value::Object(renamed));
    }
    if !header.adopts.is_empty() {
        tree.insert("adopts".into(), json!(header.adopts));
    }
    if !header.lint.is_empty() {
        let levels = header.lint.iter();
        let levels = levels.map(|(rule, level)| (rule.name().to_owned(), json!(level.name())));
        tree.insert("lint".into(), Value::Object(levels.collect()));
    }
    tree
}

fn target_tree(target: &TargetSpec) -> Value {
    let mut tree = Map::new();
    match target {
        TargetSpec::Embedded { path } => {
            tree.insert("embedded".into(), json!(path.to_string_lossy()));
        }
        TargetSpec::App {
            user_id,
            app_id,
            endpoint,
            rate_limit,
        } => {
            tree.insert("user_id".into(), json!(user_id));
            tree.insert("app_id".into(), json!(app_id));
            tree.extend(endpoint.iter().map(|url| ("endpoint".into(), json!(url))));
            tree.extend(
                rate_limit
                    .iter()
                    .map(|limit| ("rate_limit".into(), json!(limit))),
            );
        }
    }
    Value::Object(tree)
}

fn guards_tree(guards: &Guards) -> Map<String, Value> {
    let default = Guards::default();
    let share = |share: GuardLimit| match share {
        GuardLimit::Percent(_) => json!(share.to_string()),
        GuardLimit::Count(count) => json!(count),
    };
    let mut tree = Map::new();
    for (key, value, default) in [
        ("max_deletes", guards.max_deletes, default.max_deletes),
        ("max_updates", guards.max_updates, default.max_updates),
    ] {
        if value != default {
            tree.insert(key.into(), share(value));
        }
    }
    for (key, value, default) in [
        ("min_existing", guards.min_existing, default.min_existing),
        (
            "max_vanished_concepts",
            guards.max_vanished_concepts,
            default.max_vanished_concepts,
        ),
        ("max_doubles", guards.max_doubles, default.max_doubles),
    ] {
        if value != default {
            tree.insert(key.into(), json!(value));
        }
    }
    if let Some(limit) = guards.max_new_concepts {
        tree.insert("max_new_concepts".into(), json!(limit));
    }
    tree
}

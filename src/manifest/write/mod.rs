//! The desired state -> manifest files: YAML, JSON, JSON Lines.
//!
//! What is written is canonical: the same state gives the same bytes, and reading it gives the same state. One builder
//! makes the tree of an input, and each format prints that tree. Opens no files.

mod annotation;
mod part;
mod scalar;
mod yaml;

pub use part::{annotation_fields, write_annotation, write_field, write_input};

use super::content::InputVideo;
use super::header::{Header, VERSION, VOCABULARY_OF_APP, default_owners};
use super::input::{Image, InputText};
use super::target::TargetSpec;
use crate::model::{Content, DesiredInput, Guards, Identity, InputId, Owner, Share, Undeclared};
pub use annotation::declarable;
use annotation::input_tree;
use serde_json::{Map, Value, json};

/// An input to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct WritableInput {
    /// Which input.
    pub id: InputId,
    /// What is known of its image.
    pub image: Option<Image>,
    /// Its video.
    pub video: Option<InputVideo>,
    /// What it says.
    pub text: Option<InputText>,
    /// Its annotations, in order.
    pub annotations: Vec<WritableAnnotation>,
    /// What happens to everything else on it. An input that is purged has no annotations to write.
    pub undeclared: Undeclared,
}

/// An annotation to be written. What a manifest cannot declare is left out: [`Geometry::Whole`] and
/// [`Geometry::Unmodelled`], a mask with neither a path nor a URL that begins with `http`, an empty text, what belongs
/// to a region where there is none, and a key of `metadata` or `info` whose value holds a null.
///
/// [`Geometry::Whole`]: crate::model::Geometry::Whole
/// [`Geometry::Unmodelled`]: crate::model::Geometry::Unmodelled
#[derive(Debug, Clone, PartialEq)]
pub struct WritableAnnotation {
    /// How it says which remote one it is.
    pub identity: Identity,
    /// What it is.
    pub content: Content,
    /// For a mask whose pixels are known: the path of the file that holds them, relative to the file that is written.
    pub mask_path: Option<Box<str>>,
}

impl From<&DesiredInput> for WritableInput {
    fn from(input: &DesiredInput) -> Self {
        Self {
            id: input.id.clone(),
            image: None,
            video: None,
            text: None,
            annotations: input
                .annotations
                .iter()
                .map(|annotation| WritableAnnotation {
                    identity: annotation.identity.clone(),
                    content: annotation.content.clone(),
                    mask_path: None,
                })
                .collect(),
            undeclared: input.undeclared,
        }
    }
}

/// JSON as one element of a YAML list that stands at the left edge: several of them one after the other are one list.
/// Text that some version of YAML would read as something else is quoted.
pub fn yaml_element(tree: &Value) -> String {
    let mut text = String::new();
    yaml::element(&mut text, tree);
    text
}

/// The inputs as a YAML file.
pub fn write_yaml(inputs: &[WritableInput]) -> String {
    let mut text = String::new();
    if inputs.is_empty() {
        text.push_str("inputs: []\n");
        return text;
    }
    text.push_str("inputs:\n");
    for input in inputs {
        yaml::input(&mut text, &input_tree(input));
    }
    text
}

/// The inputs as JSON Lines, one a line.
pub fn write_jsonl(inputs: &[WritableInput]) -> String {
    let mut text = String::new();
    for input in inputs {
        text.push_str(&input_tree(input).to_string());
        text.push('\n');
    }
    text
}

/// The inputs as a JSON file, one a line.
pub fn write_json(inputs: &[WritableInput]) -> String {
    let inputs: Vec<String> = inputs
        .iter()
        .map(|input| format!("\n  {}", input_tree(input)))
        .collect();
    format!("{{\"inputs\": [{}\n]}}\n", inputs.join(","))
}

/// The header as a YAML file; what is as it would be without being written is left out.
pub fn write_header(header: &Header) -> String {
    let mut text = String::new();
    for (key, value) in header_tree(header) {
        // One target a line, however few there are.
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
            // Only the default: it has no word of its own.
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
    let share = |share: Share| match share {
        Share::Percent(_) => json!(share.to_string()),
        Share::Count(count) => json!(count),
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

#[cfg(test)]
mod tests;

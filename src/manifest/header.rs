//! The header: the label set, the files that hold its inputs, and what a plan may do.

use super::at::At;
use super::fields::Fields;
use super::guards::guards;
use super::lint;
use super::node::Node;
use super::select;
use super::target::{TargetSpec, targets};
use super::vocabulary::{renamed, vocabulary};
use super::words::{list as word_list, quote, suggestion};
use crate::model::{ConceptId, Guards, Level, Owner, Policy, Rule, SetName, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// The keys of a header, in the order of writing.
pub(super) const HEADER: [&str; 13] = [
    "version",
    "set",
    "policy",
    "files",
    "target",
    "targets",
    "vocabulary",
    "owners",
    "create_inputs",
    "guards",
    "renamed",
    "adopts",
    "lint",
];
/// The other key of a manifest file, beside the header or alone.
pub(super) const INPUTS: &str = "inputs";
/// The required keys, each with a hint for when it is missing.
pub(super) const REQUIRED: [(&str, &str); 3] = [
    ("version", "write version: 1"),
    ("set", "name the label set: set: street"),
    (
        "policy",
        "write policy: sync (create, update, delete), upsert (create, update) or create",
    ),
];
/// The policies with their names.
pub(super) const POLICIES: [(&str, Policy); 3] = [
    ("sync", Policy::Sync),
    ("upsert", Policy::Upsert),
    ("create", Policy::Create),
];
/// The value of `vocabulary` that allows the concepts of the app.
pub(super) const VOCABULARY_OF_APP: &str = "app";
/// The version of the format.
pub(super) const VERSION: u64 = 1;

/// The header of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The label set.
    pub set: SetName,
    /// What a plan may do.
    pub policy: Policy,
    /// Which files hold inputs: globs, relative to the header's folder. `None` means all files.
    pub files: Option<Vec<String>>,
    /// The name of the default target.
    pub target: Option<String>,
    /// By name.
    pub targets: BTreeMap<String, TargetSpec>,
    /// The concepts that annotations may name. `None` means any.
    pub vocabulary: Option<Vec<ConceptId>>,
    /// Whether annotations may name only concepts that the app has (`vocabulary: app`).
    pub vocabulary_of_app: bool,
    /// The users; the manifest may claim and delete their undeclared annotations.
    pub owners: BTreeSet<Owner>,
    /// Whether to post the inputs that the app lacks.
    pub create_inputs: bool,
    /// The limits that stop a plan.
    pub guards: Guards,
    /// Old concept id to new concept id.
    pub renamed: BTreeMap<ConceptId, ConceptId>,
    /// Other sets, such as earlier names, that this set takes over.
    pub adopts: BTreeSet<SetName>,
    /// The levels of the linter's rules, where they are not the defaults.
    pub lint: BTreeMap<Rule, Level>,
}

impl Header {
    /// A header with the required keys only.
    pub fn new(set: SetName, policy: Policy) -> Self {
        Self {
            set,
            policy,
            files: None,
            target: None,
            targets: BTreeMap::new(),
            vocabulary: None,
            vocabulary_of_app: false,
            owners: default_owners(),
            create_inputs: false,
            guards: Guards::default(),
            renamed: BTreeMap::new(),
            adopts: BTreeSet::new(),
            lint: BTreeMap::new(),
        }
    }
}

/// The owners if the header has none.
pub(super) fn default_owners() -> BTreeSet<Owner> {
    BTreeSet::from([Owner::AppOwner])
}

/// The header's keys in one file, as far as they are valid.
#[derive(Debug)]
pub(super) struct ParsedHeader {
    /// The first of its keys.
    pub(super) first_key: &'static str,
    /// Whether it has at least two of the three required keys. Unrelated YAML in a repository may have one of them.
    pub(super) is_strong: bool,
    /// The required keys that it lacks, each with a hint.
    pub(super) missing: Vec<(&'static str, &'static str)>,
    /// The valid file patterns.
    pub(super) files: Option<Vec<String>>,
    /// Annotations are checked against these even if the rest of the header is invalid.
    pub(super) vocabulary: Option<Vec<ConceptId>>,
    pub(super) renamed: BTreeMap<ConceptId, ConceptId>,
    /// `None` if `set` or `policy` is missing or invalid.
    pub(super) header: Option<Header>,
}

/// Reads the header's keys from the map at the top of a file. `None` if it has none of them.
pub(super) fn header(at: At<'_, '_>) -> Option<ParsedHeader> {
    let mut keys: Vec<&'static str> = HEADER.to_vec();
    keys.push(INPUTS);
    let fields = &at.fields("a manifest", &keys)?;
    let first_key = fields
        .keys()
        .find_map(|key| HEADER.into_iter().find(|known| *known == key))?;
    let missing: Vec<(&str, &str)> = REQUIRED
        .into_iter()
        .filter(|(key, _)| !fields.has(key))
        .collect();
    check_version(fields);
    let set = set(fields);
    let policy = policy(fields);
    let files = fields.get("files").and_then(files);
    let targets = fields.get("targets").map(targets).unwrap_or_default();
    let target = default_target(fields, &targets);
    let vocabulary_of_app = fields
        .get("vocabulary")
        .is_some_and(|at| matches!(at.node, Node::Text(text) if text == VOCABULARY_OF_APP));
    let vocabulary = fields
        .get("vocabulary")
        .filter(|_| !vocabulary_of_app)
        .and_then(vocabulary);
    let owners = fields.get("owners").map_or_else(default_owners, owners);
    let create_inputs = fields
        .get("create_inputs")
        .is_some_and(|at| at.boolean("`create_inputs`"));
    let guards = fields.get("guards").map(guards).unwrap_or_default();
    let renamed = fields
        .get("renamed")
        .map(|at| renamed(at, vocabulary.as_deref()))
        .unwrap_or_default();
    let adopts = fields
        .get("adopts")
        .map(|at| adopts(at, set.as_ref()))
        .unwrap_or_default();
    let lint = fields.get("lint").map(lint::levels).unwrap_or_default();
    Some(ParsedHeader {
        first_key,
        is_strong: missing.len() <= 1,
        missing,
        files: files.clone(),
        vocabulary: vocabulary.clone(),
        renamed: renamed.clone(),
        header: set.zip(policy).map(|(set, policy)| Header {
            set,
            policy,
            files,
            target,
            targets,
            vocabulary,
            vocabulary_of_app,
            owners,
            create_inputs,
            guards,
            renamed,
            adopts,
            lint,
        }),
    })
}

fn check_version(fields: &Fields<'_, '_>) {
    if let Some(at) = fields.get("version")
        && *at.node != Node::Int(i128::from(VERSION))
    {
        at.error(format!(
            "`version` must be {VERSION}, found {}",
            at.node.describe_written()
        ))
        .hint(
            "this annosync reads version 1 of the format; install a later one for later versions",
        );
    }
}

fn set(fields: &Fields<'_, '_>) -> Option<SetName> {
    let at = fields.get("set")?;
    let text = at.text("`set`")?;
    SetName::new(text)
        .map_err(|_| {
            at.error(format!("{} is not a valid set name", quote(text)))
                .hint(
                    "1 to 40 of a-z, 0-9 and -; it goes into the ids of what the manifest creates",
                );
        })
        .ok()
}

fn policy(fields: &Fields<'_, '_>) -> Option<Policy> {
    let at = fields.get("policy")?;
    let text = at.text("`policy`")?;
    let known = POLICIES.into_iter().find(|(name, _)| *name == text);
    if known.is_none() {
        at.error(format!("unknown policy {}", quote(text)))
            .hint(suggestion(text, POLICIES.map(|(name, _)| name)));
    }
    known.map(|(_, policy)| policy)
}

fn files(at: At<'_, '_>) -> Option<Vec<String>> {
    // An empty list is neither "all files" nor "none": under `sync`, "none" would delete everything.
    let elements = match at.node {
        Node::List(elements) if !elements.is_empty() => elements,
        Node::List(_) => {
            at.error("`files` is empty")
                .hint("leave the key out to read every file of the folder");
            return None;
        }
        _ => {
            at.wrong_type("`files`", "a list of patterns");
            return None;
        }
    };
    let mut files = Vec::with_capacity(elements.len());
    for at in at.elements(elements) {
        let Some(pattern) = at.text("a pattern") else {
            continue;
        };
        match select::pattern(pattern) {
            Ok(_) => files.push(pattern.to_owned()),
            Err(error) => {
                at.error(format!(
                    "{} is not a valid pattern: {}",
                    quote(pattern),
                    error.kind()
                ))
                .hint(
                    "a pattern is a path below the header's folder, with *, **, ?, [ab] and {a,b}",
                );
            }
        }
    }
    Some(files)
}

fn default_target(
    fields: &Fields<'_, '_>,
    targets: &BTreeMap<String, TargetSpec>,
) -> Option<String> {
    let at = fields.get("target")?;
    let text = at.text("`target`")?;
    // All names as written: a target with an error is defined, too.
    let names: Vec<&str> = match fields.get("targets").map(|at| at.node) {
        Some(Node::Map(entries)) => entries
            .iter()
            .filter_map(|(key, _)| match key {
                Node::Text(text) => Some(&**text),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    if !names.contains(&text) {
        let hint = if names.is_empty() {
            format!("describe it: targets: {{ {text}: {{ user_id: …, app_id: … }} }}")
        } else {
            suggestion(text, names)
        };
        at.error(format!("{} is not among `targets`", quote(text)))
            .hint(hint);
        return None;
    }
    targets.contains_key(text).then(|| text.to_owned())
}

fn owners(at: At<'_, '_>) -> BTreeSet<Owner> {
    let hint = "write user ids, me (the token's user), or any: owners: [acme, labeler-1]";
    let mut owners = BTreeSet::new();
    match at.node {
        Node::List(elements) if !elements.is_empty() => {
            for at in at.elements(elements) {
                let user = at.id("an owner", |id| UserId::new(id));
                owners.extend(user.map(|user| match user.as_str() {
                    "me" => Owner::Me,
                    "any" => Owner::Any,
                    _ => Owner::User(user),
                }));
            }
        }
        Node::List(_) => {
            at.error("`owners` is empty").hint(hint);
        }
        _ => {
            at.wrong_type("`owners`", "a list").hint(hint);
        }
    }
    owners
}

fn adopts(at: At<'_, '_>, set: Option<&SetName>) -> BTreeSet<SetName> {
    let mut adopts = BTreeSet::new();
    let elements = at.list("`adopts`", "a list of sets").unwrap_or_default();
    for at in at.elements(elements) {
        let name = at.id("a set", |text| SetName::new(text));
        if name.is_some() && name.as_ref() == set {
            at.error("`adopts` names the set itself")
                .hint("name other sets that this set takes over, or leave it out");
        }
        adopts.extend(name);
    }
    adopts
}

/// The hint if no file has a header.
pub(super) fn no_header_hint() -> String {
    format!(
        "a header names the label set and what a plan may do; begin annosync.yaml with\n\
         version: {VERSION}\n\
         set: my-labels\n\
         policy: sync"
    )
}

/// The keys of a manifest file, for a message.
pub(super) fn known_keys() -> String {
    word_list(HEADER.into_iter().chain([INPUTS]))
}

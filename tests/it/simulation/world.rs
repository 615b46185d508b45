//! Small worlds: a manifest, and the initial annotations of the app.

use super::chance::Chance;
use super::editor::{moved, relabelled};
use super::remote::Remote;
use super::service::OWNER;
use super::team::{self, Appliers, COLLABORATORS};
use annosync::manifest;
use annosync::model::{AnnotationId, DesiredState, InputId, Key, SetName, key_id};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

pub(super) const CONCEPTS: [&str; 5] = ["car", "bus", "tree", "person", "water"];
/// The user who applies instead of the owner, if one user applies.
const COLLABORATOR: &str = "cem";

/// Whether the manifest changes users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Users {
    /// Annotations keep their users.
    Stay,
    /// Some get another user, and are replaced.
    Change,
}

/// A world.
#[derive(Debug)]
pub(super) struct World {
    pub(super) manifest: Value,
    pub(super) desired: DesiredState,
    pub(super) remote: Remote,
    pub(super) appliers: Appliers,
    /// The user who applies always, or most often.
    pub(super) regular: &'static str,
    seed: u64,
}

impl World {
    pub(super) fn of(seed: u64, appliers: Appliers) -> Self {
        match appliers {
            Appliers::One => Self::of_one(seed),
            Appliers::Team => Self::of_team(seed),
        }
    }

    /// A team applies. Some apps are nearly empty, so that there is much to post, which any token may do.
    fn of_team(seed: u64) -> Self {
        let mut chance = Chance::of(&[seed, 13]);
        let [bea, cem] = COLLABORATORS;
        let regular = *chance.pick(&[OWNER, bea, cem]);
        let owners = match chance.below(6) {
            0 => json!([OWNER, bea]),
            1 => json!(["any"]),
            2 => json!([OWNER]),
            _ => Value::Null,
        };
        let crowd = Creators::Team {
            regular,
            is_new: !chance.one_in(3),
        };
        Self::made(seed, chance, crowd, owners)
    }

    fn of_one(seed: u64) -> Self {
        let mut chance = Chance::of(&[seed, 1]);
        let caller = if chance.one_in(5) {
            COLLABORATOR
        } else {
            OWNER
        };
        let owners = match chance.below(4) {
            0 | 1 if caller == OWNER => json!(["me", "bea"]),
            2 if caller == OWNER => json!(["any"]),
            _ => json!(["me"]),
        };
        Self::made(seed, chance, Creators::One(caller), owners)
    }

    fn made(seed: u64, mut chance: Chance, crowd: Creators, owners: Value) -> Self {
        // An annotation given to a user outside `owners`, with an id that no set generated, is not matched by content again.
        let users = if owners == json!(["me"]) || owners == json!([OWNER]) || owners.is_null() {
            Users::Stay
        } else {
            Users::Change
        };
        let policy = *chance.pick(&["sync", "sync", "sync", "sync", "upsert", "create"]);
        let mut maker = Maker {
            chance,
            remote: Remote::default(),
            crowd,
            users,
            inputs: Vec::new(),
        };
        let most = *maker.chance.pick(&[0, 3, 6, 6, 12]);
        for number in 0..=maker.chance.below(4) {
            maker.input(&format!("in-{number}"), most, policy);
        }
        maker.undeclared();
        let Maker { remote, inputs, .. } = maker;
        let mut manifest = json!({
            "version": 1, "set": "street", "policy": policy, "inputs": inputs,
        });
        if !owners.is_null() {
            manifest["owners"] = owners;
        }
        let file = (PathBuf::from("m.json"), manifest.to_string());
        let desired = match manifest::parse(vec![file]) {
            Ok(manifest) => manifest.desired,
            Err(problems) => panic!("the world's manifest is wrong:\n{problems}\n{manifest}"),
        };
        Self {
            manifest,
            desired,
            remote,
            appliers: match crowd {
                Creators::One(_) => Appliers::One,
                Creators::Team { .. } => Appliers::Team,
            },
            regular: crowd.regular(),
            seed,
        }
    }

    /// The user of the token of the run with this number, during the runs with faults.
    pub(super) fn caller(&self, run: usize) -> &'static str {
        match self.appliers {
            Appliers::One => self.regular,
            Appliers::Team => team::caller(self.seed, self.regular, run),
        }
    }

    /// The user of the last runs' token.
    pub(super) fn last_caller(&self) -> &'static str {
        match self.appliers {
            Appliers::One => self.regular,
            Appliers::Team => OWNER,
        }
    }

    /// The declared annotations as the API's data, each with its input.
    pub(super) fn declared(&self) -> Vec<(String, Value)> {
        let inputs = self.manifest["inputs"].as_array().into_iter().flatten();
        inputs
            .flat_map(|input| {
                let id = input["id"].as_str().unwrap_or_default();
                let all = input["annotations"].as_array().into_iter().flatten();
                all.filter(|it| it["input_level"] != true)
                    .map(move |it| (id.to_owned(), data(it)))
            })
            .collect()
    }
}

/// The creators of the initial annotations.
#[derive(Debug, Clone, Copy)]
enum Creators {
    /// Mostly the user who applies.
    One(&'static str),
    /// Several users, one of them most often; few annotations if the app is new.
    Team { regular: &'static str, is_new: bool },
}

impl Creators {
    fn regular(self) -> &'static str {
        let (Self::One(user) | Self::Team { regular: user, .. }) = self;
        user
    }

    fn is_new(self) -> bool {
        matches!(self, Self::Team { is_new: true, .. })
    }
}

struct Maker {
    chance: Chance,
    remote: Remote,
    crowd: Creators,
    users: Users,
    inputs: Vec<Value>,
}

impl Maker {
    fn input(&mut self, input: &str, most: u64, policy: &str) {
        self.remote.inputs.push(input.to_owned());
        let mut level = row(input, &format!("level-{input}"), OWNER, &json!({}));
        level["input_level"] = json!(true);
        let may_all = match self.crowd {
            Creators::One(caller) => caller == OWNER,
            Creators::Team { .. } => true,
        };
        let declares_level = may_all && self.chance.one_in(6);
        self.store(level);
        let purges = may_all && policy == "sync" && self.chance.one_in(12);
        let mut annotations = Vec::new();
        for at in 0..self.chance.below(most + 1) {
            let declared = self.declared(input, at);
            self.seen(input, &declared);
            annotations.push(declared);
        }
        if declares_level {
            annotations.push(json!({"input_level": true, "concepts": {"car": 1}}));
        }
        for _ in 0..self.chance.below(4) {
            self.besides(input);
        }
        self.inputs.push(if purges {
            json!({"id": input, "purge": true})
        } else {
            json!({"id": input, "annotations": annotations})
        });
    }

    /// Inputs that the manifest does not declare, with annotations of users and former annotations of the set.
    fn undeclared(&mut self) {
        if self.chance.one_in(2) {
            return;
        }
        let input = "in-undeclared";
        self.remote.inputs.push(input.to_owned());
        for _ in 0..self.chance.below(4) {
            self.besides(input);
        }
    }

    fn declared(&mut self, input: &str, at: u64) -> Value {
        let mut declared = notation(&mut self.chance);
        match self.chance.below(10) {
            0..=4 => declared["key"] = json!(format!("k{at}")),
            5 => declared["id"] = json!(format!("adopted-{input}-{at}")),
            _ => {}
        }
        if self.chance.one_in(6) {
            declared["metadata"] = json!({"weather": self.chance.pick(&["rain", "sun"])});
        }
        if self.chance.one_in(6) {
            declared["status"] =
                json!(*self.chance.pick(&["success", "pending", "awaiting_review"]));
        }
        if self.users == Users::Change && self.chance.one_in(3) {
            declared["user"] = json!("bea");
        }
        declared
    }

    /// The initial state of a declared annotation: missing, equal, or similar.
    fn seen(&mut self, input: &str, declared: &Value) {
        if self.chance.one_in(3) || (self.crowd.is_new() && !self.chance.one_in(5)) {
            return;
        }
        let serial = self.remote.number();
        let id = match (declared["key"].as_str(), declared["id"].as_str()) {
            (Some(key), _) => set_id("street", input, key),
            (_, Some(id)) => id.to_owned(),
            _ => format!("{serial:032x}"),
        };
        let user = match self.crowd {
            Creators::One(caller) => caller,
            // An annotation made by a user outside `owners` doubles the declared one.
            Creators::Team { .. } if set_of(&id).is_none() && !self.chance.one_in(8) => OWNER,
            Creators::Team { .. } => self.somebody(),
        };
        let mut is = row(input, &id, user, &data(declared));
        if let Some(user) = declared["user"].as_str().filter(|_| self.chance.one_in(2)) {
            is["user_id"] = json!(user);
        }
        if self.chance.one_in(2) {
            is = match self.chance.below(3) {
                0 => relabelled(is, &mut self.chance),
                1 => moved(is, &mut self.chance),
                _ => {
                    is["status"] = json!({"code": 24_157});
                    is
                }
            };
        }
        if self.chance.one_in(5) {
            is["annotation_info"] = json!({"tool": "old"});
        }
        self.store(is);
    }

    /// An undeclared annotation of any maker.
    fn besides(&mut self, input: &str) {
        if self.crowd.is_new() && !self.chance.one_in(5) {
            return;
        }
        let serial = self.remote.number();
        let somebody = self.somebody();
        let (id, user) = match self.chance.below(6) {
            0 => (set_id("trees", input, &format!("t{serial}")), somebody),
            1 => (set_id("street", input, &format!("old-{serial}")), somebody),
            2 => (format!("{serial:032x}"), "bea"),
            _ => (format!("{serial:032x}"), somebody),
        };
        let mut is = row(input, &id, user, &drawn(&mut self.chance));
        if self.chance.one_in(6) {
            is["model_version_id"] = json!("v1");
        }
        self.store(is);
    }

    /// A user: the one who applies, or most often the regular one of a team.
    #[expect(
        clippy::explicit_auto_deref,
        reason = "the name outlives the array that it is picked from"
    )]
    fn somebody(&mut self) -> &'static str {
        match self.crowd {
            Creators::One(caller) => caller,
            Creators::Team { regular, .. } if !self.chance.one_in(4) => regular,
            Creators::Team { .. } => {
                *self
                    .chance
                    .pick(&[OWNER, COLLABORATORS[0], COLLABORATORS[1]])
            }
        }
    }

    /// Stores it, often with fields that no manifest here declares.
    fn store(&mut self, mut row: Value) {
        if self.chance.one_in(2) {
            let mark = self.remote.number();
            row["data"]["metadata"]["kept"] = json!(mark);
            row["data"]["unmodelled"] = json!({"left": mark});
        }
        self.remote.insert(row);
    }
}

pub(super) fn set_id(set: &str, input: &str, key: &str) -> String {
    let set = SetName::new(set).unwrap();
    key_id(&set, &InputId::new(input).unwrap(), &Key::new(key).unwrap()).to_string()
}

/// Which of the two label sets generated this id, if any.
pub(super) fn set_of(id: &str) -> Option<&'static str> {
    let id = AnnotationId::new(id).unwrap();
    ["street", "trees"]
        .into_iter()
        .find(|set| annosync::model::is_owned_by(&id, &SetName::new(*set).unwrap()))
}

/// An annotation as it is stored.
pub(super) fn row(input: &str, id: &str, user: &str, data: &Value) -> Value {
    json!({"id": id, "input_id": input, "user_id": user, "data": data, "status": {"code": 24_150}})
}

/// The data of an annotation.
pub(super) fn drawn(chance: &mut Chance) -> Value {
    data(&notation(chance))
}

fn concepts(chance: &mut Chance) -> Map<String, Value> {
    let mut named = Map::new();
    for _ in 0..=chance.below(3) {
        let value = *chance.pick(&[1.0, 1.0, 0.0, 0.5]);
        named.insert((*chance.pick(&CONCEPTS)).to_owned(), json!(value));
    }
    named
}

/// A place and concepts, in the manifest's notation.
fn notation(chance: &mut Chance) -> Value {
    let mut declared = match chance.below(12) {
        0..=2 => json!({}),
        3..=6 => {
            let (top, left) = (edge(chance), edge(chance));
            json!({"box": {"top": top, "left": left, "bottom": top + 0.2, "right": left + 0.3}})
        }
        7 => {
            let (row, col) = (edge(chance), edge(chance));
            json!({"polygon": [[row, col], [row + 0.3, col], [row, col + 0.3]]})
        }
        8 => json!({"point": [edge(chance), edge(chance)]}),
        9 => {
            let start = chance.below(40);
            json!({"span": {"start": start, "end": start + 4, "text": "word"}})
        }
        10 => {
            let begin = chance.below(10) as f64;
            json!({"segment": {"begin": begin, "end": begin + 1.5}})
        }
        _ => json!({
            "frame": {"time_ms": 40 * (1 + chance.below(5)), "number": 1},
            "box": {"top": 0.1, "left": edge(chance), "bottom": 0.6, "right": 0.9},
        }),
    };
    declared["concepts"] = concepts(chance).into();
    declared
}

fn edge(chance: &mut Chance) -> f64 {
    chance.below(6) as f64 / 10.0
}

/// A declared annotation as the API's data.
pub(super) fn data(declared: &Value) -> Value {
    let concepts: Value = declared["concepts"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(id, value)| json!({"id": id, "value": value}))
        .collect();
    let inside = json!({"concepts": concepts});
    let point = |pair: &Value| json!({"row": pair[0], "col": pair[1]});
    let info = if let Some(edges) = declared.get("box") {
        json!({"bounding_box": {
            "top_row": edges["top"], "left_col": edges["left"],
            "bottom_row": edges["bottom"], "right_col": edges["right"],
        }})
    } else if let Some(ring) = declared["polygon"].as_array() {
        json!({"polygon": {"points": ring.iter().map(point).collect::<Vec<_>>()}})
    } else if let Some(pair) = declared.get("point") {
        json!({"point": point(pair)})
    } else if let Some(span) = declared.get("span") {
        json!({"span": {
            "char_start": span["start"], "char_end": span["end"], "raw_text": span["text"],
        }})
    } else {
        Value::Null
    };
    let mut data = inside.clone();
    if !info.is_null() {
        data = json!({"regions": [{"region_info": info, "data": inside}]});
    }
    if let Some(segment) = declared.get("segment") {
        let time = json!({"begin_time": segment["begin"], "end_time": segment["end"]});
        data = json!({"time_segments": [{"time_info": time, "data": data}]});
    }
    if let Some(frame) = declared.get("frame") {
        let time = json!({"time": frame["time_ms"], "number": frame["number"]});
        data = json!({"frames": [{"frame_info": time, "data": data}]});
    }
    if let Some(metadata) = declared.get("metadata") {
        data["metadata"] = metadata.clone();
    }
    data
}

/// The list of concepts, at any level.
pub(super) fn concepts_of(data: &mut Value) -> &mut Value {
    for list in ["/frames/0/data", "/time_segments/0/data", "/regions/0/data"] {
        if data.pointer(list).is_some() {
            return concepts_of(data.pointer_mut(list).expect("it is there"));
        }
    }
    if !data["concepts"].is_array() {
        data["concepts"] = json!([]);
    }
    &mut data["concepts"]
}

/// The place and the concepts of an annotation in canonical form.
pub(super) fn gist(data: &Value) -> String {
    let mut data = data.clone();
    let mut listed: Vec<String> = concepts_of(&mut data)
        .as_array()
        .into_iter()
        .flatten()
        .map(|concept| {
            let value = concept["value"].as_f64().unwrap_or_default();
            format!("{}={value:.3}", concept["id"])
        })
        .collect();
    listed.sort();
    let mut place = String::new();
    place_of(&data, &mut place);
    format!("{place}{}", listed.join(","))
}

/// Every number of a place, in the order of the fields' names.
fn place_of(value: &Value, place: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            for name in names {
                let is_zero = fields[name].as_f64() == Some(0.0);
                let says = !matches!(name.as_str(), "concepts" | "metadata" | "unmodelled" | "id");
                if says && !is_zero {
                    place.push_str(name);
                    place.push(':');
                    place_of(&fields[name], place);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| place_of(item, place)),
        Value::Number(number) => {
            write!(place, "{:.4} ", number.as_f64().unwrap_or_default())
                .expect("writing to a string cannot fail");
        }
        _ => {}
    }
}

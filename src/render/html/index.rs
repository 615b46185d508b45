//! What the script needs to filter changes that are not markup: names as numbers into tables, and words to search.

use super::anchor::encoded;
use super::card::Card;
use crate::model::{AnnotationId, Content, Key, escape};
use crate::plan::Matched;
use crate::render::change::ShownChange;
use crate::render::notation::{cut, cut_to, flow};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Characters of metadata that are searched.
const LONGEST: usize = 1_000;

/// Texts, or lists, each with a number.
#[derive(Debug)]
struct Names<T>(Vec<T>, HashMap<T, usize>);

impl<T: Clone + Eq + std::hash::Hash> Names<T> {
    fn new() -> Self {
        Self(Vec::new(), HashMap::new())
    }

    fn number(&mut self, name: T) -> usize {
        if let Some(number) = self.1.get(&name) {
            return *number;
        }
        let number = self.0.len();
        self.0.push(name.clone());
        self.1.insert(name, number);
        number
    }
}

/// All changes of a page, in its order.
pub(super) struct Index<'a> {
    kinds: Names<&'static str>,
    users: Names<String>,
    reasons: Names<String>,
    in_app: Names<&'static str>,
    concepts: Names<&'a str>,
    lists: Names<Vec<usize>>,
    /// Of each card: block, position within it, changes, the input's first card, and its input.
    cards: Vec<[usize; 5]>,
    /// Of each input: its name, and the part of its links, unless that follows from the name.
    inputs: Vec<(String, Option<String>)>,
    /// Of each change: kind, user, reason, what was changed in the app, list of concepts.
    changes: [Vec<usize>; 5],
    texts: Vec<String>,
}

impl<'a> Index<'a> {
    pub(super) fn of(cards: &[Card<'a>], blocks: &[Range<usize>]) -> Self {
        let mut index = Self {
            kinds: Names::new(),
            users: Names::new(),
            reasons: Names::new(),
            in_app: Names::new(),
            concepts: Names::new(),
            lists: Names::new(),
            cards: Vec::new(),
            inputs: Vec::new(),
            changes: Default::default(),
            texts: Vec::new(),
        };
        for (block, range) in blocks.iter().enumerate() {
            for (nth, card) in cards[range.clone()].iter().enumerate() {
                let input = if card.has_picture() {
                    let id = card.input.input_id.as_str();
                    let name = escape(&cut(id)).into_owned();
                    let link = encoded(id);
                    let is_other = encoded(&name) != link;
                    index.inputs.push((name, is_other.then_some(link)));
                    index.inputs.len() - 1
                } else {
                    index.cards[card.first][4]
                };
                index
                    .cards
                    .push([block, nth, card.changes.len(), card.first, input]);
                for change in card.changes {
                    index.add(change);
                }
            }
        }
        index
    }

    fn add(&mut self, change: &ShownChange<'a>) {
        let kind = self.kinds.number(change.action);
        let user = match change.user {
            Some(user) => escape(&cut(user.as_str())).into_owned(),
            None => "unknown".to_owned(),
        };
        let user = self.users.number(user);
        let reason = self.reasons.number(reason(change));
        let in_app = change.in_app.as_ref();
        let in_app = (self.in_app).number(in_app.map_or("not changed", |it| it.decision));
        let contents = change.before.into_iter().chain(change.after);
        let concepts: BTreeSet<usize> = contents
            .filter_map(|content| content.concepts.as_ref())
            .flatten()
            .map(|concept| self.concepts.number(concept.id.as_str()))
            .collect();
        let list = self.lists.number(concepts.into_iter().collect());
        let numbers = [kind, user, reason, in_app, list];
        for (column, number) in self.changes.iter_mut().zip(numbers) {
            column.push(number);
        }
        self.texts.push(words(change));
    }

    pub(super) fn kinds(&self) -> Vec<String> {
        self.kinds.0.iter().map(ToString::to_string).collect()
    }

    pub(super) fn users(&self) -> Vec<String> {
        self.users.0.clone()
    }

    pub(super) fn reasons(&self) -> Vec<String> {
        self.reasons.0.clone()
    }

    pub(super) fn in_app(&self) -> Vec<String> {
        self.in_app.0.iter().map(ToString::to_string).collect()
    }

    pub(super) fn json(&self) -> String {
        let [kind, user, reason, in_app, list] = &self.changes;
        let concepts = self.concepts.0.iter();
        let links = self.inputs.iter().enumerate();
        let links: serde_json::Map<String, Value> = links
            .filter_map(|(at, (_, link))| Some((at.to_string(), json!(link.as_ref()?))))
            .collect();
        json!({
            "kinds": self.kinds.0,
            "users": self.users.0,
            "reasons": self.reasons.0,
            "apps": self.in_app.0,
            "concepts": concepts.map(|id| escape(&cut(id)).into_owned()).collect::<Vec<_>>(),
            "lists": self.lists.0,
            "cards": self.cards,
            "inputs": self.inputs.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "links": links,
            "kind": kind,
            "user": user,
            "reason": reason,
            "app": in_app,
            "list": list,
            "texts": self.texts,
        })
        .to_string()
    }
}

/// The reason without measured values.
fn reason(change: &ShownChange<'_>) -> String {
    let Some(matched) = change.matched else {
        let reason = change.why.split(';').next().unwrap_or_default();
        return match reason {
            "" => "none".to_owned(),
            reason => escape(&cut(reason)).into_owned(),
        };
    };
    let plain = Matched {
        overlap: None,
        runner_up: None,
        ..matched
    };
    plain.to_string()
}

/// The words of a change that are in no table, in lower case.
fn words(change: &ShownChange<'_>) -> String {
    let id = change.id.map(AnnotationId::as_str);
    let key = change.key.map(Key::as_str);
    let mut words = vec![change.words()];
    let names = id.into_iter().chain(key);
    words.extend(names.filter(|name| *name != change.name).map(cut));
    let content = change.after.or(change.before);
    words.extend(content.and_then(Content::text).map(cut));
    let values = |content: &Content| [content.metadata.clone(), content.info.clone()];
    let [before, after] = [change.before, change.after].map(|it| it.map(values));
    // Equal values of both sides are searched once.
    let before = before.filter(|it| after.as_ref() != Some(it));
    for json in before.into_iter().chain(after).flatten().flatten() {
        words.push(cut_to(&flow(&json.to_value()), LONGEST));
    }
    let in_app = change.in_app.iter().flat_map(|it| &it.lines);
    words.extend(in_app.map(|line| cut(line)));
    escape(&words.join(" ")).to_lowercase()
}

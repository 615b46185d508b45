//! Laws that hold for every run with any faults, checked against the journal of the remote and the outcomes of the runs.

mod account;

use super::remote::{Actor, Name, Write, WriteKind};
use super::run::Record;
use super::scene::{Exchanged, Scene};
use super::service::{OWNER, body};
use super::world::{set_id, set_of};
use annosync::api::Method;
use annosync::model::{Fingerprint, Interner, ObservedAnnotation, fingerprint};
use annosync::plan::{
    Action, Operation, Plan, Reason, is_as_wanted, stand_in_body, stand_in_id_for,
};
use annosync::wire::decode;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

/// A broken law, and the details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) law: &'static str,
    pub(super) how: String,
}

/// The scope of a manifest.
#[derive(Debug)]
pub(super) struct ManifestScope<'a> {
    pub(super) manifest: &'a Value,
    pub(super) caller: &'a str,
}

impl ManifestScope<'_> {
    fn owns(&self, user: &str) -> bool {
        let Some(listed) = self.manifest["owners"].as_array() else {
            return user == OWNER;
        };
        listed
            .iter()
            .map(|owner| owner.as_str().unwrap_or_default())
            .any(|owner| owner == "any" || owner == user || (owner == "me" && user == self.caller))
    }

    pub(super) fn input(&self, input: &str) -> Option<&Value> {
        let inputs = self.manifest["inputs"].as_array()?;
        inputs.iter().find(|declared| declared["id"] == *input)
    }

    fn purges(&self, input: &str) -> bool {
        self.input(input).is_some_and(|it| it["purge"] == true)
    }

    /// Whether the annotation belongs to the set, or to one of the owners and to no other set.
    pub(super) fn in_scope(&self, row: &Value) -> bool {
        is_a_persons(row)
            && match set_of(row["id"].as_str().unwrap_or_default()) {
                Some(set) => set == "street",
                None => self.owns(row["user_id"].as_str().unwrap_or_default()),
            }
    }

    /// The annotation that a declaration names by its id or key.
    pub(super) fn name_of(&self, input: &str, declared: &Value) -> Option<Name> {
        let set = self.manifest["set"].as_str().unwrap_or_default();
        let id = match (declared["id"].as_str(), declared["key"].as_str()) {
            (Some(id), _) => id.to_owned(),
            (None, Some(key)) => set_id(set, input, key),
            (None, None) => return None,
        };
        Some((input.to_owned(), id))
    }

    fn names_id(&self, input: &str, id: &str) -> bool {
        let all = self.input(input).map(|it| &it["annotations"]);
        let all = all.and_then(Value::as_array).into_iter().flatten();
        all.into_iter().any(|it| it["id"] == *id)
    }

    fn declares_level(&self, input: &str) -> bool {
        let all = self.input(input).map(|it| &it["annotations"]);
        let all = all.and_then(Value::as_array).into_iter().flatten();
        all.into_iter().any(|it| it["input_level"] == true)
    }
}

pub(super) fn is_a_persons(row: &Value) -> bool {
    row.get("model_version_id").is_none() && row.get("input_level").is_none()
}

pub(super) fn decoded(row: &Value) -> ObservedAnnotation {
    let wire = serde_json::from_value(row.clone()).unwrap();
    decode::annotation(wire, &mut Interner::default())
        .unwrap()
        .1
}

thread_local! {
    /// A cache: the laws compute the same fingerprints many times.
    static PRINTS: RefCell<HashMap<String, Fingerprint>> = RefCell::default();
}

fn print(row: &Value) -> Fingerprint {
    PRINTS.with_borrow_mut(|prints| {
        let made = || fingerprint(&decoded(row));
        *prints.entry(row.to_string()).or_insert_with(made)
    })
}

/// What an operation would have sent when it was planned.
fn planned<'a>(record: &'a Record, operation: &Operation) -> Option<&'a annosync::model::Json> {
    let name = (operation.input_id.to_string(), operation.id.to_string());
    record.bodies.get(&name)
}

/// One run, and what its laws are checked against.
pub(super) struct RunCheck<'a> {
    pub(super) scene: &'a Scene,
    pub(super) speaks: ManifestScope<'a>,
    pub(super) records: &'a [Record],
    pub(super) broken: Vec<Broken>,
}

impl RunCheck<'_> {
    fn hold(&mut self, law: &'static str, holds: bool, how: impl FnOnce() -> String) {
        if !holds {
            let how = how();
            self.broken.push(Broken { law, how });
        }
    }

    pub(super) fn judge(&mut self) {
        PRINTS.with_borrow_mut(HashMap::clear);
        let writes = self.scene.remote.journal.clone();
        for write in &writes {
            if let Actor::Run { run, exchange } = write.who {
                self.write(write, run, exchange);
            }
        }
        for record in self.records {
            self.listing(record);
            self.account(record, &writes);
        }
    }

    /// Laws of one write.
    fn write(&mut self, write: &Write, run: usize, exchange: usize) {
        let (input, id) = &write.name;
        let record = self.records.iter().find(|record| record.number == run);
        let plan = record.and_then(|record| record.plan.clone());
        let Some((record, plan)) = record.zip(plan) else {
            let how = || format!("run {run} wrote {input}/{id} without a plan");
            return self.hold("only planned writes are made", false, how);
        };
        let exchanged = &self.scene.exchanges[exchange];
        if let Some(operation) = stood_in(&plan, &write.name) {
            return self.stand_in(write, record, &plan, operation, exchanged);
        }
        self.scope(write, operation(&plan, &write.name));
        if write.how == WriteKind::Purge {
            return self.purged(write, record, &plan, exchanged);
        }
        let Some(operation) = operation(&plan, &write.name) else {
            let how = || format!("run {run} {:?} {input}/{id}: not planned", write.how);
            return self.hold("only planned writes are made", false, how);
        };
        self.said(write, record, operation, exchanged);
        if write.how != WriteKind::Post {
            self.looked(write, record, operation, exchanged);
        }
    }

    /// The stand-in of a replaced annotation is posted as planned, and deleted.
    fn stand_in(
        &mut self,
        write: &Write,
        record: &Record,
        plan: &Plan,
        operation: &Operation,
        by: &Exchanged,
    ) {
        let fits = matches!(write.how, WriteKind::Post | WriteKind::Delete);
        let how = || format!("{:?} of the stand-in {:?}", write.how, write.name);
        self.hold("only planned writes are made", fits, how);
        if write.how == WriteKind::Post {
            let planned = planned(record, operation)
                .map(|body| stand_in_body(&plan.set, operation, body).to_value());
            let same = sent(by, &write.name).iter().eq(planned.iter());
            self.hold("requests are as planned", same, how);
        }
    }

    /// The operation shows this write and its result.
    fn said(
        &mut self,
        write: &Write,
        record: &Record,
        operation: &Operation,
        exchanged: &Exchanged,
    ) {
        let fits = match write.how {
            WriteKind::Post => matches!(operation.action(), Action::Post | Action::Replace),
            WriteKind::Merge => operation.action() == Action::Merge,
            WriteKind::Overwrite => operation.action() == Action::Overwrite,
            WriteKind::Remove => matches!(operation.action(), Action::Remove | Action::Delete),
            WriteKind::Emptied => operation.action() == Action::Delete,
            WriteKind::Delete => matches!(operation.action(), Action::Delete | Action::Replace),
            WriteKind::Purge => false,
        };
        let named = || {
            format!(
                "{:?} {:?}: the plan says {}",
                write.how,
                write.name,
                operation.action()
            )
        };
        self.hold("only planned writes are made", fits, named);
        if write.how == WriteKind::Delete {
            return;
        }
        let planned = planned(record, operation).map(annosync::model::Json::to_value);
        let same = sent(exchanged, &write.name).iter().eq(planned.iter());
        self.hold("requests are as planned", same, named);
        let raced = match &write.before {
            Some(before) => Some(print(before)) != operation.fingerprint(),
            None => false,
        };
        if let (Some(after), false, true) = (&write.after, raced, operation.after().is_some()) {
            let wanted = is_as_wanted(operation, &decoded(after));
            self.hold("the stored result is as planned", wanted, || {
                format!("{:?} {:?}: {after}", write.how, write.name)
            });
        }
        if let (Some(before), Some(after)) = (&write.before, &write.after) {
            let kept = |row: &Value| {
                let data = &row["data"];
                (data["metadata"]["kept"].clone(), data["unmodelled"].clone())
            };
            let stays = raced || kept(before) == kept(after);
            self.hold("unmanaged data is kept", stays, || {
                format!("{:?} {:?}: {before} became {after}", write.how, write.name)
            });
        }
    }

    /// The annotation is in scope.
    fn scope(&mut self, write: &Write, operation: Option<&Operation>) {
        let (input, id) = &write.name;
        let Some(before) = &write.before else { return };
        let user = before["user_id"].as_str().unwrap_or_default();
        // A planned delete may be carried out by removing all concepts, and not every service then deletes the annotation.
        let deletes =
            write.after.is_none() || operation.is_some_and(|it| it.action() == Action::Delete);
        let ours = set_of(id) == Some("street");
        let is_left_behind = operation.is_some_and(|it| it.reason() == Reason::LeftBehind);
        let allowed = if is_left_behind {
            ours
        } else if write.how == WriteKind::Purge {
            self.speaks.purges(input) && before.get("input_level").is_none()
        } else if before.get("model_version_id").is_some() || set_of(id) == Some("trees") {
            false
        } else if before.get("input_level").is_some() {
            !deletes && self.speaks.declares_level(input)
        } else if self.speaks.input(input).is_none() {
            ours && deletes
        } else {
            self.speaks.owns(user) || self.speaks.names_id(input, id) || ours
        };
        self.hold("annotations out of scope are not changed", allowed, || {
            format!("{:?} of {before}", write.how)
        });
    }

    /// Before every patch and every delete the annotation was read, and it was as the plan saw it.
    fn looked(&mut self, write: &Write, record: &Record, operation: &Operation, by: &Exchanged) {
        let last_try = self
            .scene
            .exchanges
            .iter()
            .filter(|it| it.run == by.run && it.method != Method::GET && it.sent < by.sent)
            .filter(|it| it.subject.names.contains(&write.name))
            .map(|it| it.done.unwrap_or(u64::MAX))
            .max();
        let after = last_try.max(record.listed).unwrap_or_default();
        let look = self.scene.exchanges.iter().rfind(|it| {
            it.run == by.run
                && it.method == Method::GET
                && it.sent > after
                && it.done.is_some_and(|done| done < by.sent)
                && it.shown.contains(&write.name)
        });
        let Some(look) = look else {
            return self.hold("every write is preceded by a read", false, || {
                format!("{:?} {:?} by #{}", write.how, write.name, by.sent)
            });
        };
        let acted = look.acted.unwrap_or_default();
        let at_look = self.scene.remote.at(&write.name, acted);
        // An earlier write by this run itself (a removal that should have deleted it) is allowed.
        let last = self
            .scene
            .remote
            .journal
            .iter()
            .rfind(|it| it.name == write.name && it.tick <= acted);
        let mine = last.is_some_and(|it| matches!(it.who, Actor::Run { run, .. } if run == by.run));
        let as_planned = mine || at_look.as_ref().map(print) == operation.fingerprint();
        self.hold(
            "annotations changed since the plan are kept",
            as_planned,
            || {
                format!(
                    "{:?} {:?} although a look had shown {at_look:?}",
                    write.how, write.name
                )
            },
        );
    }

    /// A purged annotation was in the plan, or was created after the read.
    fn purged(&mut self, write: &Write, record: &Record, plan: &Plan, by: &Exchanged) {
        let purge = plan
            .purges
            .iter()
            .find(|it| it.input_id.as_str() == write.name.0);
        let Some(purge) = purge else {
            return self.hold("only planned writes are made", false, || {
                format!("{:?} was purged, and no purge was planned", write.name)
            });
        };
        let before = write.before.as_ref().map(print);
        let planned = purge
            .annotations
            .iter()
            .any(|it| it.id.as_str() == write.name.1 && Some(it.fingerprint) == before);
        let first_look = self
            .scene
            .exchanges
            .iter()
            .filter(|it| it.run == by.run && it.method == Method::GET)
            .filter(|it| Some(it.sent) > record.listed)
            .filter(|it| it.done.is_some_and(|done| done < by.sent))
            .filter(|it| it.subject.inputs.contains(&write.name.0))
            .filter_map(|it| it.acted)
            .min();
        let last = self
            .scene
            .remote
            .journal
            .iter()
            .rfind(|it| it.name == write.name && it.tick < write.tick);
        let raced = last.is_some_and(|it| first_look.is_some_and(|look| it.tick > look));
        let looked = first_look.is_some();
        self.hold("every write is preceded by a read", looked, || {
            format!("purge of {:?}", write.name)
        });
        self.hold(
            "annotations changed since the plan are kept",
            planned || raced,
            || format!("{:?} was purged, and was not planned so", write.name),
        );
    }

    /// A plan is never made from an incomplete listing.
    fn listing(&mut self, record: &Record) {
        let (Some(seen), Some(listed)) = (&record.seen, record.listed) else {
            return;
        };
        let journal = &self.scene.remote.journal;
        let mut names: BTreeSet<Name> = self
            .scene
            .remote
            .rows
            .iter()
            .map(super::remote::name_of)
            .collect();
        names.extend(journal.iter().map(|write| write.name.clone()));
        let mut broken = Vec::new();
        for name in names {
            let asked = record.whole_app || self.speaks.input(&name.0).is_some();
            let changes = journal
                .iter()
                .filter(|it| it.name == name && it.tick > record.from && it.tick < listed);
            let mut states = vec![self.scene.remote.at(&name, record.from)];
            states.extend(changes.map(|it| it.after.clone()));
            let always = states.iter().all(Option::is_some);
            match seen.get(&name) {
                None if always && asked => broken.push(format!("{name:?} was missed")),
                Some(shown) if !states.iter().flatten().any(|state| print(state) == *shown) => {
                    broken.push(format!("{name:?} was seen as it never was"));
                }
                _ => {}
            }
        }
        for how in broken {
            self.hold("no plan is made from an incomplete listing", false, || how);
        }
    }
}

/// The data sent for an annotation.
fn sent(by: &Exchanged, name: &Name) -> Vec<Value> {
    let body = body(&by.request);
    let items = body["annotations"].as_array().into_iter().flatten();
    items
        .filter(|item| super::remote::name_of(item) == *name)
        .cloned()
        .collect()
}

/// The replacement that this is the stand-in of.
fn stood_in<'a>(plan: &'a Plan, name: &Name) -> Option<&'a Operation> {
    plan.operations.iter().find(|it| {
        it.action() == Action::Replace
            && it.input_id.as_str() == name.0
            && stand_in_id_for(&plan.set, it).as_str() == name.1
    })
}

fn operation<'a>(plan: &'a Plan, name: &Name) -> Option<&'a Operation> {
    plan.operations
        .iter()
        .find(|it| it.input_id.as_str() == name.0 && it.id.as_str() == name.1)
}

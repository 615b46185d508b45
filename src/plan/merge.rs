//! The three-way merge of one annotation, field by field: what the base says, what the manifest says, what the app has.
//!
//! | manifest and app | manifest and base | app and base | |
//! |---|---|---|---|
//! | the same | | | nothing to write |
//! | differ | the same | differ | drift: the app changed the field |
//! | differ | differ | the same | intended: the manifest changed it |
//! | differ | differ | differ | a conflict |
//!
//! A field is: the geometry, the frame, each concept by its id, the status, the user, each key of the metadata and of
//! the info at any depth, the text, the track, the region's value, the embedding model. A field that the base does not
//! declare cannot drift: a manifest that begins to declare it means it. Concepts have one more rule: a relabelling
//! (concepts removed and others added) is one change, so that two different relabellings of one concept are a conflict
//! and never both written.

use super::types::{Cause, FieldChange};
use crate::matching::Claims;
use crate::model::{
    Concept, ConceptId, Concepts, Content, Difference, Extras, Fraction, Geometry, Json,
    ObservedAnnotation, difference, float, json_equal,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Whose value a field gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Manifest,
    App,
}

/// Whose value a field gets that the app changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picks {
    /// Where the manifest did not change it.
    pub(super) drift: Side,
    /// Where the manifest changed it too.
    pub(super) conflict: Side,
}

/// What the base says of an annotation.
#[derive(Debug, Clone, Copy)]
pub(super) enum BaseView<'a> {
    /// It declares it.
    Declared(&'a Content),
    /// It does not, and the manifest names it by its id: whoever wrote the id saw what the app has.
    NamedSince,
    /// It does not, and both sides added it.
    AddedByBoth,
}

/// The merged annotation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Merged {
    /// What the app is to have, of the fields that the manifest declares.
    pub(super) content: Content,
    /// The fields that the app changed, conflicts among them.
    pub(super) fields: Vec<FieldChange>,
    /// Where a write of it comes from: the worst of the fields that are written.
    pub(super) cause: Cause,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Intended,
    Drift,
    Conflict,
}

/// One field of the three sides.
struct Field<'a, T> {
    name: &'a str,
    base: Option<&'a T>,
    manifest: Option<&'a T>,
    app: Option<T>,
    /// Whether the app does not have what the manifest says.
    differs: bool,
    /// Whether the app does not have what the base says.
    changed: bool,
}

/// Merges one annotation.
pub(super) fn merge(
    base: BaseView<'_>,
    declared: &Content,
    observed: &ObservedAnnotation,
    claims: &Claims,
    picks: Picks,
) -> Merged {
    Merger {
        base,
        picks,
        fields: Vec::new(),
        cause: Cause::Intended,
    }
    .merge(declared, observed, claims)
}

/// The fields in which the app has something else than the base says.
pub(super) fn changed_fields(
    base: &Content,
    observed: &ObservedAnnotation,
    claims: &Claims,
) -> Vec<FieldChange> {
    let picks = Picks {
        drift: Side::App,
        conflict: Side::App,
    };
    merge(BaseView::Declared(base), base, observed, claims, picks).fields
}

struct Merger<'a> {
    base: BaseView<'a>,
    picks: Picks,
    fields: Vec<FieldChange>,
    cause: Cause,
}

impl<'a> Merger<'a> {
    fn declared_by_base(&self) -> Option<&'a Content> {
        match self.base {
            BaseView::Declared(content) => Some(content),
            BaseView::NamedSince | BaseView::AddedByBoth => None,
        }
    }

    fn merge(
        mut self,
        declared: &Content,
        observed: &ObservedAnnotation,
        claims: &Claims,
    ) -> Merged {
        let wanted = difference(declared, observed);
        let base = self.declared_by_base();
        let none = Content::default();
        let was = base.unwrap_or(&none);
        let since = difference(was, observed);
        let app = observed.content();
        let geometry = self.geometry(was, declared, observed, [&since, &wanted]);
        let frame = self.field(
            Field {
                name: "frame",
                base: was.frame.as_ref(),
                manifest: declared.frame.as_ref(),
                app: app.frame,
                differs: wanted.frame,
                changed: since.frame,
            },
            PartialEq::eq,
        );
        let concepts = self.concepts(
            was.concepts.as_ref(),
            declared.concepts.as_ref(),
            &observed.concepts,
            claims,
        );
        let status = self.field(
            Field {
                name: "status",
                base: was.status.as_ref(),
                manifest: declared.status.as_ref(),
                app: app.status,
                differs: wanted.status,
                changed: since.status,
            },
            PartialEq::eq,
        );
        let user = self.field(
            Field {
                name: "user",
                base: was.user.as_ref(),
                manifest: declared.user.as_ref(),
                app: app.user.clone(),
                differs: wanted.user,
                changed: since.user,
            },
            PartialEq::eq,
        );
        let metadata = self.json(
            "metadata",
            [was.metadata.as_ref(), declared.metadata.as_ref()],
            observed.metadata().as_ref(),
        );
        let info = self.json(
            "info",
            [was.info.as_ref(), declared.info.as_ref()],
            observed.info.as_ref().map(Json::to_value).as_ref(),
        );
        let extras = self.extras(was, declared, observed, [&since, &wanted]);
        Merged {
            content: Content {
                frame,
                geometry,
                concepts,
                status,
                user,
                metadata,
                info,
                extras,
            },
            fields: self.fields,
            cause: self.cause,
        }
    }

    fn verdict(&self, in_base: Option<bool>, changed: bool) -> Verdict {
        match (self.base, in_base) {
            (BaseView::AddedByBoth, _) => Verdict::Conflict,
            (_, Some(true)) => Verdict::Drift,
            (_, Some(false)) if changed => Verdict::Conflict,
            (_, None | Some(false)) => Verdict::Intended,
        }
    }

    /// Whether the manifest's value is written. What the app changed is reported.
    fn takes_manifest(
        &mut self,
        verdict: Verdict,
        field: impl FnOnce(bool) -> FieldChange,
    ) -> bool {
        let (side, cause) = match verdict {
            Verdict::Intended => return true,
            Verdict::Drift => (self.picks.drift, Cause::Drift),
            Verdict::Conflict => (self.picks.conflict, Cause::Conflict),
        };
        self.fields.push(field(verdict == Verdict::Conflict));
        if side == Side::Manifest && self.cause != Cause::Conflict {
            self.cause = cause;
        }
        side == Side::Manifest
    }

    fn field<T: Clone + serde::Serialize>(
        &mut self,
        field: Field<'_, T>,
        same: impl Fn(&T, &T) -> bool,
    ) -> Option<T> {
        let change = |conflict| FieldChange {
            field: field.name.to_owned(),
            base: field.base.map(shown),
            manifest: field.manifest.map(shown),
            app: field.app.as_ref().map(shown),
            conflict,
        };
        let Some(manifest) = field.manifest else {
            if field.changed {
                self.fields.push(change(false));
            }
            return None;
        };
        if !field.differs {
            return Some(manifest.clone());
        }
        let verdict = self.verdict(field.base.map(|base| same(manifest, base)), field.changed);
        if self.takes_manifest(verdict, change) {
            Some(manifest.clone())
        } else {
            field.app
        }
    }

    fn geometry(
        &mut self,
        was: &Content,
        declared: &Content,
        observed: &ObservedAnnotation,
        [since, wanted]: [&Difference; 2],
    ) -> Option<Geometry> {
        let app = match &declared.geometry {
            Some(Geometry::Region(_)) => observed.region().map(Geometry::Region),
            _ => observed.content().geometry,
        };
        self.field(
            Field {
                name: "geometry",
                base: was.geometry.as_ref(),
                manifest: declared.geometry.as_ref(),
                app,
                differs: wanted.geometry,
                changed: since.geometry,
            },
            Geometry::same,
        )
    }

    fn extras(
        &mut self,
        was: &Content,
        declared: &Content,
        observed: &ObservedAnnotation,
        [since, wanted]: [&Difference; 2],
    ) -> Option<Box<Extras>> {
        let own = |text: Option<&str>| text.map(Box::<str>::from);
        let mut text =
            |name, of: fn(&Content) -> Option<&str>, app: Option<&str>, differs, changed| {
                let (base, manifest) = (own(of(was)), own(of(declared)));
                self.field(
                    Field {
                        name,
                        base: base.as_ref(),
                        manifest: manifest.as_ref(),
                        app: own(app),
                        differs,
                        changed,
                    },
                    PartialEq::eq,
                )
            };
        let track = text(
            "track",
            Content::track,
            observed.track(),
            wanted.track,
            since.track,
        );
        let words = text(
            "text",
            Content::text,
            observed.text(),
            wanted.text,
            since.text,
        );
        let model = text(
            "embed_model_version",
            Content::embed_model_version,
            observed.embed_model_version(),
            wanted.embed_model_version,
            since.embed_model_version,
        );
        let number = |value: Option<f32>| value.map(float::shortest);
        let value = self.field(
            Field {
                name: "region_value",
                base: number(was.region_value()).as_ref(),
                manifest: number(declared.region_value()).as_ref(),
                app: number(Some(observed.region_value())),
                differs: wanted.region_value,
                changed: since.region_value,
            },
            |a, b| float::same(*a as f32, *b as f32),
        );
        Extras {
            track,
            text: words,
            region_value: value.and_then(|value| Fraction::new(value).ok()),
            embed_model_version: model,
        }
        .boxed()
    }

    /// Under their present names, so that a rename of concepts is no change of anybody's.
    fn concepts(
        &mut self,
        base: Option<&Concepts>,
        manifest: Option<&Concepts>,
        observed: &Concepts,
        claims: &Claims,
    ) -> Option<Concepts> {
        let app = claims.apply_renames(observed);
        let base = base.map(|base| claims.apply_renames(base));
        let Some(manifest) = manifest else {
            if let Some(base) = base {
                for id in ids([&base, &app]) {
                    if !same_value(base.get(id), app.get(id)) {
                        self.fields.push(concept_change(
                            id,
                            [base.get(id), None, app.get(id)],
                            false,
                        ));
                    }
                }
            }
            return None;
        };
        if manifest.same(&app) {
            return Some(manifest.clone());
        }
        let Some(base) = base else {
            let change = |conflict| FieldChange {
                field: "concepts".to_owned(),
                base: None,
                manifest: Some(shown(manifest)),
                app: Some(shown(&*app)),
                conflict,
            };
            let verdict = self.verdict(None, true);
            return Some(if self.takes_manifest(verdict, change) {
                manifest.clone()
            } else {
                app.into_owned()
            });
        };
        let relabelling = Relabelling::of(&base, manifest, &app);
        let mut merged = Vec::new();
        for id in ids([&base, manifest, &app]) {
            let [was, wanted, has] = [base.get(id), manifest.get(id), app.get(id)];
            let value = if same_value(wanted, has) {
                wanted
            } else {
                let mut verdict =
                    self.verdict(Some(same_value(wanted, was)), !same_value(has, was));
                if relabelling.conflicts.contains(id) {
                    verdict = Verdict::Conflict;
                }
                let change = |conflict| concept_change(id, [was, wanted, has], conflict);
                if self.takes_manifest(verdict, change) {
                    wanted
                } else {
                    has
                }
            };
            merged.extend(value.map(|value| Concept {
                id: id.clone(),
                value,
            }));
        }
        // Each id is there once.
        Concepts::new(merged).ok()
    }

    fn json(
        &mut self,
        name: &str,
        [base, manifest]: [Option<&Json>; 2],
        app: Option<&Value>,
    ) -> Option<Json> {
        let base = base.map(Json::to_value);
        let manifest = manifest.map(Json::to_value);
        self.value(name, base.as_ref(), manifest.as_ref(), app)
            .map(|value| Json::from_value(&value))
    }

    /// A value of free JSON. Objects are managed key by key.
    fn value(
        &mut self,
        name: &str,
        base: Option<&Value>,
        manifest: Option<&Value>,
        app: Option<&Value>,
    ) -> Option<Value> {
        let empty = Map::new();
        let app = app.filter(|value| !value.is_null());
        let is_object = |value: Option<&Value>| value.is_none_or(Value::is_object);
        let has_object = [base, manifest].into_iter().flatten().any(Value::is_object);
        if has_object && is_object(base) && is_object(manifest) && is_object(app) {
            let keys = |value: Option<&'_ Value>| {
                value
                    .and_then(Value::as_object)
                    .cloned()
                    .unwrap_or_default()
            };
            let (was, wanted) = (keys(base), keys(manifest));
            let has = app.and_then(Value::as_object).unwrap_or(&empty);
            let all: BTreeSet<&String> = was.keys().chain(wanted.keys()).collect();
            let mut merged = Map::new();
            for key in all {
                let path = format!("{name}.{key}");
                let value = self.value(&path, was.get(key), wanted.get(key), has.get(key));
                if let Some(value) = value {
                    merged.insert(key.clone(), value);
                }
            }
            return manifest.map(|_| Value::Object(merged));
        }
        let same = |a: Option<&Value>, b: Option<&Value>| match (a, b) {
            (Some(a), Some(b)) => json_equal(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let changed = base.is_some() && !same(base, app);
        let change = |conflict| FieldChange {
            field: name.to_owned(),
            base: base.cloned(),
            manifest: manifest.cloned(),
            app: app.cloned(),
            conflict,
        };
        let Some(wanted) = manifest else {
            if changed {
                self.fields.push(change(false));
            }
            return None;
        };
        if same(manifest, app) {
            return Some(wanted.clone());
        }
        let verdict = self.verdict(base.map(|base| json_equal(base, wanted)), changed);
        if self.takes_manifest(verdict, change) {
            Some(wanted.clone())
        } else {
            app.cloned()
        }
    }
}

/// The concepts of which two relabellings cannot both be right.
struct Relabelling<'a> {
    conflicts: BTreeSet<&'a ConceptId>,
}

impl<'a> Relabelling<'a> {
    fn of(base: &'a Concepts, manifest: &'a Concepts, app: &'a Concepts) -> Self {
        let minus = |these: &'a Concepts, those: &Concepts| -> BTreeSet<&'a ConceptId> {
            let gone = these.iter().filter(|it| those.get(&it.id).is_none());
            gone.map(|it| &it.id).collect()
        };
        let (removed, added) = (minus(base, manifest), minus(manifest, base));
        let (removed_by_app, added_by_app) = (minus(base, app), minus(app, base));
        let mut conflicts = BTreeSet::new();
        if removed.is_empty() || added.is_empty() {
            return Self { conflicts };
        }
        let mut all: BTreeSet<&ConceptId> = &removed | &added;
        let only_by_app = &added_by_app - &added;
        let relabels_the_same = !removed.is_disjoint(&removed_by_app)
            && !added.is_subset(&added_by_app)
            && !only_by_app.is_empty();
        // The app changed the value of what the manifest relabels.
        let changes_the_same = all.iter().any(|id| {
            let (was, wanted, has) = (base.get(id), manifest.get(id), app.get(id));
            !same_value(wanted, has) && !same_value(has, was)
        });
        if relabels_the_same {
            all.extend(&only_by_app);
        }
        if relabels_the_same || changes_the_same {
            conflicts = all;
        }
        Self { conflicts }
    }
}

fn ids<const N: usize>(of: [&Concepts; N]) -> BTreeSet<&ConceptId> {
    of.into_iter().flatten().map(|it| &it.id).collect()
}

fn same_value(a: Option<f32>, b: Option<f32>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => float::same(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn concept_change(
    id: &ConceptId,
    [base, manifest, app]: [Option<f32>; 3],
    conflict: bool,
) -> FieldChange {
    let value = |value: Option<f32>| value.map(|value| json!(float::shortest(value)));
    FieldChange {
        field: format!("concepts.{id}"),
        base: value(base),
        manifest: value(manifest),
        app: value(app),
        conflict,
    }
}

/// A value as the manifest writes it.
fn shown(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

//! The three-way merge of one annotation, field by field, of the base, the manifest and the app.
//!
//! A field is: the geometry, the frame, each concept by its id, the status, the user, each key of the metadata and of
//! the info at any depth, the text, the track, the region's value, the embedding model; `field` decides about one. A
//! relabelling (concepts removed and others added) is one change: two different relabellings of one concept are a
//! conflict and are never both written.

use super::app_change::FieldChange;
use super::field::{BaseView, Field, Merger, Picks, Side, Verdict, shown};
use super::operation::Cause;
use super::relabelling::{Relabelling, same_value};
use crate::matching::Claims;
use crate::model::{
    Concept, ConceptId, Concepts, Content, Difference, Extras, Fraction, Geometry, Json,
    ObservedAnnotation, RareFields, difference, float, json_equal,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Merged {
    /// The result, of the fields that the manifest declares.
    pub(super) content: Content,
    /// The fields that were changed in the app, including conflicts.
    pub(super) fields: Vec<FieldChange>,
    /// The cause of the write: the most serious cause among the written fields.
    pub(super) cause: Cause,
}

pub(super) fn merge(
    base: BaseView<'_>,
    declared: &Content,
    observed: &ObservedAnnotation,
    claims: &Claims,
    picks: Picks,
) -> Merged {
    Merger::new(base, picks).merge(declared, observed, claims)
}

/// The fields in which app and base differ.
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

impl Merger<'_> {
    fn merge(
        mut self,
        declared: &Content,
        observed: &ObservedAnnotation,
        claims: &Claims,
    ) -> Merged {
        let wanted = difference(declared, observed);
        let base = self.declared_by_base();
        let none = Content::default();
        let old = base.unwrap_or(&none);
        let since = difference(old, observed);
        let app = observed.content();
        let geometry = self.geometry(old, declared, observed, [&since, &wanted]);
        let frame = self.field(
            Field {
                name: "frame",
                base: old.frame.as_ref(),
                manifest: declared.frame.as_ref(),
                app: app.frame,
                differs: wanted.frame,
                changed: since.frame,
            },
            PartialEq::eq,
        );
        let concepts = self.concepts(
            old.concepts.as_ref(),
            declared.concepts.as_ref(),
            &observed.concepts,
            claims,
        );
        let status = self.field(
            Field {
                name: "status",
                base: old.status.as_ref(),
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
                base: old.user.as_ref(),
                manifest: declared.user.as_ref(),
                app: app.user.clone(),
                differs: wanted.user,
                changed: since.user,
            },
            PartialEq::eq,
        );
        let metadata = self.json(
            "metadata",
            [old.metadata.as_ref(), declared.metadata.as_ref()],
            observed.metadata().as_ref(),
        );
        let info = self.json(
            "info",
            [old.info.as_ref(), declared.info.as_ref()],
            observed.info.as_ref().map(Json::to_value).as_ref(),
        );
        let extras = self.extras(old, declared, observed, [&since, &wanted]);
        Merged {
            content: Content {
                frame,
                geometry,
                concepts,
                rare: RareFields {
                    status,
                    user,
                    metadata,
                    info,
                    extras,
                }
                .into(),
            },
            fields: self.fields,
            cause: self.cause,
        }
    }

    fn geometry(
        &mut self,
        old: &Content,
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
                base: old.geometry.as_ref(),
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
        old: &Content,
        declared: &Content,
        observed: &ObservedAnnotation,
        [since, wanted]: [&Difference; 2],
    ) -> Extras {
        let own = |text: Option<&str>| text.map(Box::<str>::from);
        let mut text =
            |name, of: fn(&Content) -> Option<&str>, app: Option<&str>, differs, changed| {
                let (base, manifest) = (own(of(old)), own(of(declared)));
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
                base: number(old.region_value()).as_ref(),
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
    }

    /// Compares concepts by their present names, so that a rename is not a change.
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
        // The ids are unique.
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

    /// Merges free JSON; objects key by key.
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
            let (old, wanted) = (keys(base), keys(manifest));
            let has = app.and_then(Value::as_object).unwrap_or(&empty);
            let all: BTreeSet<&String> = old.keys().chain(wanted.keys()).collect();
            let mut merged = Map::new();
            for key in all {
                let path = format!("{name}.{key}");
                let value = self.value(&path, old.get(key), wanted.get(key), has.get(key));
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

fn ids<const N: usize>(of: [&Concepts; N]) -> BTreeSet<&ConceptId> {
    of.into_iter().flatten().map(|it| &it.id).collect()
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

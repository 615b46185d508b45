//! Direct storing of annotations, including those of models and other users. Permissions and constraints are not checked,
//! because a database may contain annotations that no call could create.

use super::call::{take_status, take_text};
use super::config::Config;
use super::data::{self, MissingValue};
use super::error::EmulatorError;
use super::reply::{ItemFailure, Refusal};
use super::rows::{App, Stored};
use super::session::Session;
use crate::wire::Code;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Parses annotations: JSON Lines, a JSON list, or a JSON document with a list `annotations`, such as an answer of the API
/// or a saved listing.
pub fn annotations_in(text: &str) -> Result<Vec<Value>, EmulatorError> {
    let mut annotations = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let value = value.map_err(EmulatorError::NotJson)?;
        match value {
            Value::Array(list) => annotations.extend(list),
            Value::Object(mut document) => match document.get_mut("annotations") {
                Some(Value::Array(list)) => annotations.append(list),
                _ => annotations.push(Value::Object(document)),
            },
            other => {
                let what = format!("`{other}` is not an annotation");
                return Err(EmulatorError::NotAnnotations(what));
            }
        }
    }
    Ok(annotations)
}

/// The app that the emulator was started with.
pub(super) fn configured_app(session: &Session<'_>, config: &Config) -> Result<App, Refusal> {
    let app = session.app(&config.owner, &config.app_id)?;
    app.ok_or_else(|| Refusal::missing("the configured app does not exist"))
}

/// Stores annotations in the configured app. Their JSON may have fields that only the server sets.
pub(super) fn store_all(
    session: &Session<'_>,
    config: &Config,
    annotations: Vec<Value>,
) -> Result<(), Refusal> {
    let app = configured_app(session, config)?;
    let mut seeder = Seeder::new(session, &app);
    annotations
        .into_iter()
        .try_for_each(|annotation| seeder.store(annotation))
}

/// Stores annotations in one transaction.
pub(super) struct Seeder<'a, 'b> {
    session: &'a Session<'b>,
    app: &'a App,
    /// The inputs that it has created, with the ids of their input-level annotations.
    created: HashMap<String, String>,
}

impl<'a, 'b> Seeder<'a, 'b> {
    pub(super) fn new(session: &'a Session<'b>, app: &'a App) -> Self {
        Self {
            session,
            app,
            created: HashMap::new(),
        }
    }

    /// Stores an annotation, and creates its input if necessary.
    pub(super) fn store(&mut self, annotation: Value) -> Result<(), Refusal> {
        let (session, app) = (self.session, self.app);
        let mut new = read(annotation, app)?;
        if new.id.is_empty() {
            new.id = session.new_id()?;
        } else if session.has_annotation(app, &new.input_id, &new.id)? {
            return Err(Refusal::invalid(format!(
                "input `{}` already has an annotation `{}`",
                new.input_id, new.id
            )));
        }
        self.provide_input(&new)?;
        data::name_parts(new.data_mut(), &mut || session.new_id())?;
        session.insert(app, new)?;
        Ok(())
    }

    /// Creates the input of an annotation if necessary. If the annotation is input-level, removes the one that was created with
    /// the input.
    fn provide_input(&mut self, new: &Stored) -> Result<(), Refusal> {
        let (session, app, input_id) = (self.session, self.app, &new.input_id);
        if !session.has_input(app, input_id)? {
            if new.input_level {
                session.insert_bare_input(app, input_id, &json!({}))?;
                return Ok(());
            }
            session.insert_input(app, input_id, &app.owner, Map::new())?;
            let own = session.annotations_of(app, input_id)?;
            let own = own.into_iter().find(|annotation| annotation.input_level);
            self.created
                .extend(own.map(|annotation| (input_id.clone(), annotation.id)));
        } else if new.input_level {
            let Some(own) = self.created.remove(input_id) else {
                return Err(Refusal::invalid(format!(
                    "input `{input_id}` already has an input-level annotation"
                )));
            };
            if let Some(own) = session.annotation(app, input_id, &own)? {
                session.delete(&own)?;
            }
        }
        Ok(())
    }
}

/// Converts an annotation's JSON to a row.
fn read(annotation: Value, app: &App) -> Result<Stored, Refusal> {
    let refused = |failure: ItemFailure| Refusal::invalid(failure.details);
    let Value::Object(mut body) = annotation else {
        return Err(Refusal::format(format!(
            "`{annotation}` is not an annotation"
        )));
    };
    data::prepare(&mut body, MissingValue::Nothing).map_err(Refusal::format)?;
    let input_id = take_text(&mut body, "input_id");
    if input_id.is_empty() {
        return Err(Refusal::invalid(format!(
            "annotation `{}` has no `input_id`",
            take_text(&mut body, "id")
        )));
    }
    let model_made = is_model_made(&body);
    let mut user_id = take_text(&mut body, "user_id");
    if !model_made {
        let worker = body.shift_remove("worker").unwrap_or_default();
        let worker = worker.pointer("/user/id").and_then(Value::as_str);
        if user_id.is_empty() {
            worker.unwrap_or(&app.owner).clone_into(&mut user_id);
        }
    }
    Ok(Stored {
        id: take_text(&mut body, "id"),
        user_id,
        status: take_status(&mut body)
            .map_err(refused)?
            .unwrap_or(Code::ANNOTATION_SUCCESS),
        input_level: body.shift_remove("input_level") == Some(Value::Bool(true)),
        model_made,
        created_at: take_text(&mut body, "created_at"),
        modified_at: take_text(&mut body, "modified_at"),
        input_id,
        body,
        ..Stored::default()
    })
}

/// Whether a model or a workflow created it. Empty strings are ignored, because some servers write all fields.
fn is_model_made(body: &Map<String, Value>) -> bool {
    let names = |field: &str| {
        let text = body.get(field).and_then(Value::as_str);
        text.is_some_and(|text| !text.is_empty())
    };
    let worker = body.get("worker");
    names("model_version_id")
        || names("workflow_version_id")
        || worker.is_some_and(|w| w.get("model").is_some() || w.get("workflow").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_listing_is_parsed() {
        let found = vec![json!({"id": "a"}), json!({"id": "b"})];
        for text in [
            "{\"id\":\"a\"}\n{\"id\":\"b\"}\n",
            "[{\"id\":\"a\"},\n {\"id\":\"b\"}]",
            "{\"format_version\":\"1.0\",\"annotations\":[{\"id\":\"a\"},{\"id\":\"b\"}]}\n",
            "\n{\"annotations\":[{\"id\":\"a\"}]}\n{\"id\":\"b\"}",
        ] {
            assert_eq!(annotations_in(text).unwrap(), found, "{text}");
        }
        assert_eq!(annotations_in("").unwrap(), Vec::<Value>::new());
        for (text, why) in [
            ("{\"id\":\"a\"}\n{\"id\":", "line 2"),
            ("- id: a\n", "line 1"),
            ("7", "`7` is not an annotation"),
        ] {
            let error = annotations_in(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}

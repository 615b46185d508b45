//! Annotations of a listing, read one by one: one that does not have the API's form does not affect the others.

use super::{Annotation, Broken, Status, Worker};
use crate::model::JsonFault;
use serde::de::{DeserializeOwned, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

/// A page of a listing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Page {
    pub status: Status,
    /// See [`super::Annotations::annotations`].
    pub annotations: Vec<Listed<Annotation>>,
}

/// An annotation of a listing: read even if it does not have the API's form, and written unchanged.
#[derive(Debug)]
pub struct Listed<A>(pub A);

impl<'de> Deserialize<'de> for Listed<Annotation> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(match serde_json::from_str(raw.get()) {
            Ok(annotation) => annotation,
            Err(error) => broken(raw, JsonFault::from(error).message),
        }))
    }
}

impl Serialize for Listed<&Annotation> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.broken {
            Some(broken) => broken.raw.serialize(serializer),
            None => self.0.serialize(serializer),
        }
    }
}

/// What can be read of an annotation that does not have the API's form. An id of another type is kept as its JSON text. An input
/// id of another type is empty.
fn broken(raw: Box<RawValue>, why: String) -> Annotation {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
        #[serde(borrow)]
        input_id: Option<&'a RawValue>,
        #[serde(borrow)]
        user_id: Option<&'a RawValue>,
        #[serde(borrow)]
        model_version_id: Option<&'a RawValue>,
        #[serde(borrow)]
        input_level: Option<&'a RawValue>,
        #[serde(borrow)]
        worker: Option<&'a RawValue>,
        #[serde(borrow)]
        created_at: Option<&'a RawValue>,
        #[serde(borrow)]
        modified_at: Option<&'a RawValue>,
    }
    fn read<T: DeserializeOwned>(field: Option<&RawValue>) -> Option<T> {
        serde_json::from_str(field?.get()).ok()
    }
    let fields: Fields<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
    let id_text = || fields.id.map(|id| id.get().to_owned());
    let id: Option<String> = read(fields.id);
    let worker: Option<Worker> = read(fields.worker);
    // If its id or worker cannot be read, it may belong to this set or to anybody.
    let is_user_known = id.is_some() && (worker.is_some() || fields.worker.is_none());
    let annotation = Annotation {
        id: id.or_else(id_text).unwrap_or_default(),
        input_id: read(fields.input_id).unwrap_or_default(),
        user_id: read(fields.user_id)
            .filter(|_| is_user_known)
            .unwrap_or_default(),
        model_version_id: read(fields.model_version_id).unwrap_or_default(),
        input_level: read(fields.input_level).unwrap_or_default(),
        worker: worker.filter(|_| is_user_known),
        created_at: read(fields.created_at),
        modified_at: read(fields.modified_at),
        ..Annotation::default()
    };
    Annotation {
        broken: Some(Box::new(Broken { raw, why })),
        ..annotation
    }
}

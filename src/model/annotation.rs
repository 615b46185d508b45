//! What annosync manages of an annotation, each field of it optional.

use super::concepts::Concepts;
use super::geometry::Geometry;
use super::ids::UserId;
use super::json::Json;
use super::shapes::Fraction;
use super::status::Status;
use serde::Deserialize as _;

/// The moment of a video that an annotation lies in.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Milliseconds from the start.
    #[serde(default)]
    pub time_ms: u64,
    /// The number of the frame, from 0.
    #[serde(default)]
    pub number: u32,
}

/// The managed fields of an annotation, in the manifest's notation. A field that is `None` is unmanaged: it is left
/// as the remote has it, and compares equal to anything.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Content {
    /// The moment of a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<Frame>,
    /// Where in the input.
    #[serde(flatten)]
    pub geometry: Option<Geometry>,
    /// Which classes. When given, this is the whole list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concepts: Option<Concepts>,
    /// The state of the labelling work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whose annotation it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Any object, in `data.metadata`. Managed key by key: a key that is not given is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// Any object, in `annotation_info`. Managed key by key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<Json>,
    /// What few annotations have.
    #[serde(
        flatten,
        deserialize_with = "extras",
        skip_serializing_if = "Option::is_none"
    )]
    pub extras: Option<Box<Extras>>,
}

/// The fields that few annotations have, kept apart so that the many others stay small. Each is unmanaged where it is
/// `None`.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Extras {
    /// The track of a video that its region belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<Box<str>>,
    /// What is written there: of the region, else of the frame or segment, else of the whole input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Box<str>>,
    /// The region's own value, 0..=1: how sure its maker was that it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region_value: Option<Fraction>,
    /// The version of the embedding model that ties it to training and search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embed_model_version: Option<Box<str>>,
}

impl Extras {
    /// These, or nothing where none of them is given.
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

fn extras<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Box<Extras>>, D::Error> {
    Ok(Extras::deserialize(deserializer)?.boxed())
}

impl Content {
    /// Whether a post of it would make an annotation that says nothing: no place, no concept, no text, no state of the
    /// work, no user, and none of the team's own data.
    pub fn says_nothing(&self) -> bool {
        self.geometry.is_none()
            && self.concepts.as_ref().is_none_or(Concepts::is_empty)
            && self.text().is_none()
            && self.status.is_none()
            && self.user.is_none()
            && self.metadata.is_none()
            && self.info.is_none()
    }

    fn extra<'a, T: ?Sized>(
        &'a self,
        field: impl FnOnce(&'a Extras) -> Option<&'a T>,
    ) -> Option<&'a T> {
        self.extras.as_deref().and_then(field)
    }

    /// Those of the few fields that `wanted` names too.
    pub fn extras_named_by(&self, wanted: &Self) -> Option<Box<Extras>> {
        let (own, wanted) = (self.extras.as_deref()?, wanted.extras.as_deref()?);
        Extras {
            track: own.track.clone().filter(|_| wanted.track.is_some()),
            text: own.text.clone().filter(|_| wanted.text.is_some()),
            region_value: own.region_value.filter(|_| wanted.region_value.is_some()),
            embed_model_version: own
                .embed_model_version
                .clone()
                .filter(|_| wanted.embed_model_version.is_some()),
        }
        .boxed()
    }

    /// See [`Extras::track`].
    pub fn track(&self) -> Option<&str> {
        self.extra(|extras| extras.track.as_deref())
    }

    /// See [`Extras::text`].
    pub fn text(&self) -> Option<&str> {
        self.extra(|extras| extras.text.as_deref())
    }

    /// See [`Extras::region_value`].
    pub fn region_value(&self) -> Option<f32> {
        self.extra(|extras| extras.region_value.as_ref())
            .map(|value| value.get())
    }

    /// See [`Extras::embed_model_version`].
    pub fn embed_model_version(&self) -> Option<&str> {
        self.extra(|extras| extras.embed_model_version.as_deref())
    }
}

//! The fields of an annotation that annosync manages, all optional.

use super::concepts::Concepts;
use super::geometry::Geometry;
use super::ids::UserId;
use super::json::Json;
use super::shapes::Fraction;
use super::status::Status;
use serde::Deserialize as _;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// The video frame that an annotation belongs to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Milliseconds from the start.
    #[serde(default)]
    pub time_ms: u64,
    /// Frame number, counted from 0.
    #[serde(default)]
    pub number: u32,
}

/// The managed fields of an annotation, in the manifest's notation. A field that is `None` is unmanaged: its remote
/// value is left as it is, and compares equal to anything.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<Frame>,
    #[serde(flatten, deserialize_with = "geometry")]
    pub geometry: Option<Geometry>,
    /// The complete list of concepts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concepts: Option<Concepts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The user that the annotation belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// An object, stored as `data.metadata`. Managed key by key: keys that are not declared are left unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// An object, stored as `annotation_info`. Managed key by key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<Json>,
    /// Rarely used fields.
    #[serde(
        flatten,
        deserialize_with = "extras",
        skip_serializing_if = "Option::is_none"
    )]
    pub extras: Option<Box<Extras>>,
}

/// Rarely used fields, boxed so that [`Content`] stays small. `None` means unmanaged.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Extras {
    /// The id of the video track that the region belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<Box<str>>,
    /// The text of the region; without a region, of the frame or segment; otherwise of the whole input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Box<str>>,
    /// The confidence value of the region itself, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region_value: Option<Fraction>,
    /// The version of the embedding model that indexes the annotation for training and search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embed_model_version: Option<Box<str>>,
}

impl Extras {
    /// `None` if no field is set.
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// Reads at most one geometry. All other fields must be fields of [`Content`] or [`Extras`].
///
/// serde would read a flattened `Option` with an invalid value as `None`, so that an annotation with an invalid box would cover
/// the whole input.
fn geometry<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Geometry>, D::Error> {
    deserializer.deserialize_map(GeometryVisitor)
}

/// The names of the fields of [`Extras`].
const EXTRAS: [&str; 4] = ["track", "text", "region_value", "embed_model_version"];

struct GeometryVisitor;

impl<'de> Visitor<'de> for GeometryVisitor {
    type Value = Option<Geometry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an annotation with at most one geometry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found: Option<(String, Geometry)> = None;
        while let Some(key) = map.next_key::<String>()? {
            if EXTRAS.contains(&key.as_str()) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let geometry = match key.as_str() {
                "whole" => map.next_value().map(|()| Geometry::Whole),
                "box" => map.next_value().map(Geometry::Box),
                "polygon" => map.next_value().map(Geometry::Polygon),
                "point" => map.next_value().map(Geometry::Point),
                "keypoints" => map.next_value().map(Geometry::Keypoints),
                "mask" => map.next_value().map(Geometry::Mask),
                "span" => map.next_value().map(Geometry::Span),
                "segment" => map.next_value().map(Geometry::Segment),
                "region" => map.next_value().map(Geometry::Region),
                "region_of" => map.next_value().map(Geometry::RegionOf),
                "unmodelled" => map.next_value().map(|()| Geometry::Unmodelled),
                _ => Err(A::Error::custom("unknown field")),
            };
            let geometry =
                geometry.map_err(|error| A::Error::custom(format!("`{key}`: {error}")))?;
            if let Some((first, _)) = &found {
                let message = format!("`{first}` and `{key}`: an annotation has one geometry");
                return Err(A::Error::custom(message));
            }
            found = Some((key, geometry));
        }
        Ok(found.map(|(_, geometry)| geometry))
    }
}

fn extras<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Box<Extras>>, D::Error> {
    Ok(Extras::deserialize(deserializer)?.boxed())
}

impl Content {
    /// Whether a post of it would create an annotation without content: no geometry, concepts, text, status, user or free
    /// JSON.
    pub fn would_post_empty(&self) -> bool {
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

    /// The extras of `self` that `wanted` declares too.
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

    pub fn track(&self) -> Option<&str> {
        self.extra(|extras| extras.track.as_deref())
    }

    pub fn text(&self) -> Option<&str> {
        self.extra(|extras| extras.text.as_deref())
    }

    pub fn region_value(&self) -> Option<f32> {
        self.extra(|extras| extras.region_value.as_ref())
            .map(|value| value.get())
    }

    pub fn embed_model_version(&self) -> Option<&str> {
        self.extra(|extras| extras.embed_model_version.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Content, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn an_invalid_geometry_is_an_error() {
        for text in [
            r#"{"box": {"top": 0.7, "left": 0.2, "bottom": 0.5, "right": 0.6}}"#,
            r#"{"box": {"top": 0.1, "top": 0.1, "left": 0.2, "bottom": 0.5, "right": 0.6}}"#,
            r#"{"box": {"top": 0.1, "left": 0.2, "bottom": 0.5, "right": 0.6, "depth": 1}}"#,
            r#"{"box": "all"}"#,
            r#"{"boxx": {"top": 0.1, "left": 0.2, "bottom": 0.5, "right": 0.6}}"#,
            r#"{"polygon": [[0.1, 0.2], [0.3, 0.4]]}"#,
            r#"{"point": [2, 0.1]}"#,
            r#"{"point": [0.1, 0.1], "point": [0.2, 0.1]}"#,
            r#"{"point": [0.1, 0.1], "whole": null}"#,
            r#"{"span": {"start": 4, "end": 2, "text": "ab"}}"#,
            r#"{"text": "a", "text": "b"}"#,
            r#"{"weather": "rain"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn fields_survive_serialization() {
        let extras = Extras {
            track: Some("t7".into()),
            text: Some("GE".into()),
            region_value: Some(Fraction::new(0.5).unwrap()),
            embed_model_version: Some("e".into()),
        };
        let written = serde_json::to_value(&extras).unwrap();
        assert!(written.as_object().unwrap().keys().eq(EXTRAS));
        for geometry in [
            None,
            Some(Geometry::Whole),
            Some(Geometry::Point(
                super::super::Point::new(0.25, 0.5).unwrap(),
            )),
        ] {
            let content = Content {
                geometry,
                extras: extras.clone().boxed(),
                ..Content::default()
            };
            let text = serde_json::to_string(&content).unwrap();
            assert_eq!(read(&text).as_ref(), Ok(&content), "{text}");
        }
    }
}

//! The fields of an annotation that annosync manages, all optional.

use super::concepts::Concepts;
use super::geometry::Geometry;
use super::ids::UserId;
use super::json::Json;
use super::shapes::Fraction;
use super::status::Status;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use std::ops::Deref;
use std::sync::LazyLock;

/// The video frame that an annotation belongs to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
// With 8 bytes to align to, each annotation would take 8 more.
#[repr(Rust, packed(4))]
pub struct Frame {
    /// Milliseconds from the start.
    #[serde(default)]
    pub time_ms: u64,
    /// Frame number, counted from 0.
    #[serde(default)]
    pub number: u32,
}

/// The managed fields of an annotation, in the manifest's notation. A field that is `None` is unmanaged: its remote
/// value is left as it is, and compares equal to anything. [`RareFields`] are read as if they were fields of it.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(from = "ReadContent")]
pub struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<Frame>,
    #[serde(flatten)]
    pub geometry: Option<Geometry>,
    /// The complete list of concepts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concepts: Option<Concepts>,
    #[serde(flatten)]
    pub rare: Rare,
}

/// The [`RareFields`] in a box, so that [`Content`] stays small. Without a declared field there is no box.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Rare(Option<Box<RareFields>>);

/// Rarely declared fields. `None` means unmanaged.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct RareFields {
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
    #[serde(flatten)]
    pub extras: Extras,
}

/// Rarely used fields that are kept alike for declared and observed annotations. `None` means unmanaged.
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

impl Deref for Content {
    type Target = RareFields;

    fn deref(&self) -> &RareFields {
        static NONE: LazyLock<RareFields> = LazyLock::new(RareFields::default);
        self.rare.0.as_deref().unwrap_or(&NONE)
    }
}

impl Rare {
    /// Changes fields. A `DerefMut` would leave boxes without a field.
    pub fn change(&mut self, change: impl FnOnce(&mut RareFields)) {
        let mut fields = RareFields::from(std::mem::take(self));
        change(&mut fields);
        *self = fields.into();
    }
}

impl From<RareFields> for Rare {
    fn from(fields: RareFields) -> Self {
        Self((fields != RareFields::default()).then(|| Box::new(fields)))
    }
}

impl From<Rare> for RareFields {
    fn from(rare: Rare) -> Self {
        rare.0.map(|fields| *fields).unwrap_or_default()
    }
}

/// [`Content`] as it is read. [`RareFields`] are not grouped here: errors in a flattened struct lose their position.
#[derive(Default, serde::Deserialize)]
#[serde(default, expecting = "struct Content")]
struct ReadContent {
    frame: Option<Frame>,
    #[serde(flatten, deserialize_with = "geometry")]
    geometry: Option<Geometry>,
    concepts: Option<Concepts>,
    status: Option<Status>,
    user: Option<UserId>,
    metadata: Option<Json>,
    info: Option<Json>,
    #[serde(flatten)]
    extras: Extras,
}

impl From<ReadContent> for Content {
    fn from(read: ReadContent) -> Self {
        Self {
            frame: read.frame,
            geometry: read.geometry,
            concepts: read.concepts,
            rare: RareFields {
                status: read.status,
                user: read.user,
                metadata: read.metadata,
                info: read.info,
                extras: read.extras,
            }
            .into(),
        }
    }
}

/// Reads at most one geometry. All other fields must be fields of [`ReadContent`] or [`Extras`].
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

    /// The extras of `self` that `wanted` declares too.
    pub fn extras_named_by(&self, wanted: &Self) -> Extras {
        let (own, wanted) = (&self.extras, &wanted.extras);
        Extras {
            track: own.track.clone().filter(|_| wanted.track.is_some()),
            text: own.text.clone().filter(|_| wanted.text.is_some()),
            region_value: own.region_value.filter(|_| wanted.region_value.is_some()),
            embed_model_version: own
                .embed_model_version
                .clone()
                .filter(|_| wanted.embed_model_version.is_some()),
        }
    }

    pub fn track(&self) -> Option<&str> {
        self.extras.track.as_deref()
    }

    pub fn text(&self) -> Option<&str> {
        self.extras.text.as_deref()
    }

    pub fn region_value(&self) -> Option<f32> {
        self.extras.region_value.map(Fraction::get)
    }

    pub fn embed_model_version(&self) -> Option<&str> {
        self.extras.embed_model_version.as_deref()
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
                rare: RareFields {
                    extras: extras.clone(),
                    ..RareFields::default()
                }
                .into(),
                ..Content::default()
            };
            let text = serde_json::to_string(&content).unwrap();
            assert_eq!(read(&text).as_ref(), Ok(&content), "{text}");
        }
    }

    #[test]
    fn the_written_form_of_all_fields_is_fixed() {
        let text = r#"{"frame":{"time_ms":5,"number":1},"point":[0.25,0.5],"concepts":{"a":1},"status":"pending","user":"me","metadata":{"z":1.0,"a":2},"info":{},"track":"t7","text":"GE","region_value":0.5,"embed_model_version":"e"}"#;
        let content = read(text).unwrap();
        assert_eq!(serde_json::to_string(&content).unwrap(), text);
        assert_eq!(serde_json::to_string(&Content::default()).unwrap(), "{}");
    }

    #[test]
    fn errors_have_their_position() {
        for (text, fault) in [
            (
                r#"{"status": [], "track": "t"}"#,
                "invalid type: sequence, expected a string at line 1 column 11",
            ),
            (
                "[7]",
                "invalid type: sequence, expected struct Content at line 1 column 0",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), fault);
        }
    }

    #[test]
    fn a_removed_field_equals_an_undeclared_one() {
        let mut content = read(r#"{"status": "pending"}"#).unwrap();
        content.rare.change(|rare| rare.status = None);
        assert_eq!(content, Content::default());
        assert!(content.rare.0.is_none());
    }
}

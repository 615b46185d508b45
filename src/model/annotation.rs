//! What annosync manages of an annotation, each field of it optional.

use super::concepts::Concepts;
use super::geometry::Geometry;
use super::ids::UserId;
use super::json::Json;
use super::shapes::Fraction;
use super::status::Status;
use serde::Deserialize as _;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use std::fmt;

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
    #[serde(flatten, deserialize_with = "geometry")]
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

/// serde takes a flattened `Option` that does not parse for `None`; an annotation with a mistake in its box would then lie on
/// the whole input. So every field that is neither named in [`Content`] nor in [`Extras`] must be the one place.
fn geometry<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Geometry>, D::Error> {
    deserializer.deserialize_map(Place)
}

/// The names of the fields of [`Extras`].
const EXTRAS: [&str; 4] = ["track", "text", "region_value", "embed_model_version"];

struct Place;

impl<'de> Visitor<'de> for Place {
    type Value = Option<Geometry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an annotation with at most one place")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found: Option<(String, Geometry)> = None;
        while let Some(key) = map.next_key::<String>()? {
            if EXTRAS.contains(&key.as_str()) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let place = match key.as_str() {
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
            let place = place.map_err(|error| A::Error::custom(format!("`{key}`: {error}")))?;
            if let Some((first, _)) = &found {
                let message = format!("`{first}` and `{key}`: an annotation has one place");
                return Err(A::Error::custom(message));
            }
            found = Some((key, place));
        }
        Ok(found.map(|(_, place)| place))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Content, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_place_that_does_not_parse_is_an_error() {
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
    fn every_field_is_read_back() {
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

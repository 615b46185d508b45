//! Saved listings: written by `list --format json`, and read by `plan --observed FILE`.
//!
//! ```json
//! {"format_version":"1.0","caller":"ann","app_owner":"ann","scope":"whole_app","annotations":[…]}
//! ```
//!
//! `scope` is `whole_app`, `{"inputs": […]}`, or `filtered`. The annotations are wire types. Only complete listings are
//! saved. A listing with filters is marked as `filtered` and cannot be used for a plan.

use super::error::ObservedError;
use super::state::{Assembly, Decoded, scope_of};
use super::stream::{Sizes, stream};
use crate::api::CompleteListing;
use crate::model::{InputId, Interner, ObservedAnnotation, ObservedState, Scope, Shard, UserId};
use crate::wire;
use crate::wire::decode::annotation;
use rayon::prelude::*;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// The version of the file format.
pub const FORMAT_VERSION: &str = "1.0";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedScope {
    WholeApp,
    Inputs(BTreeSet<InputId>),
    Filtered,
}

/// The state from a saved listing.
#[derive(Debug)]
pub struct SavedListing(ObservedState);

impl SavedScope {
    fn of_a_state(self) -> Result<Scope, ObservedError> {
        match self {
            Self::WholeApp => Ok(Scope::WholeApp),
            Self::Inputs(inputs) => Ok(Scope::Inputs(inputs)),
            Self::Filtered => Err(ObservedError::Filtered),
        }
    }
}

#[derive(Serialize)]
struct Written<'a> {
    format_version: &'static str,
    caller: &'a UserId,
    app_owner: &'a UserId,
    scope: SavedScope,
    annotations: Vec<wire::Listed<&'a wire::Annotation>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "format_version")]
    _format_version: String,
    caller: UserId,
    app_owner: UserId,
    scope: SavedScope,
    annotations: DecodedList,
}

impl SavedListing {
    /// Writes a listing as a JSON document on one line.
    pub fn write(
        to: impl Write,
        listing: &CompleteListing<wire::Annotation>,
        caller: &UserId,
        app_owner: &UserId,
    ) -> Result<(), ObservedError> {
        let scope = match scope_of(listing.filter()) {
            Ok(Scope::WholeApp) => SavedScope::WholeApp,
            Ok(Scope::Inputs(inputs)) => SavedScope::Inputs(inputs),
            Ok(Scope::Shard(_)) | Err(ObservedError::Filtered) => SavedScope::Filtered,
            Err(error) => return Err(error),
        };
        let mut to = to;
        serde_json::to_writer(
            &mut to,
            &Written {
                format_version: FORMAT_VERSION,
                caller,
                app_owner,
                scope,
                annotations: listing.items().iter().map(wire::Listed).collect(),
            },
        )
        .map_err(io::Error::from)?;
        to.write_all(b"\n")?;
        Ok(())
    }

    /// # Errors
    ///
    /// If the file is incomplete, has no header, was made with filters, or contradicts its header.
    pub fn read(text: &str) -> Result<Self, ObservedError> {
        Self::read_shard(text, None)
    }

    /// [`SavedListing::read`], without what a shard does not cover.
    ///
    /// # Errors
    ///
    /// As [`SavedListing::read`].
    pub fn read_shard(text: &str, shard: Option<Shard>) -> Result<Self, ObservedError> {
        let read = document(text)?;
        let scope = read.scope.of_a_state()?;
        let mut assembly = Assembly::of(shard);
        let annotations = read.annotations.0.into_iter();
        annotations.for_each(|one| assembly.push(one));
        let state = assembly.finish(read.caller, read.app_owner, scope)?;
        check(&state)?;
        Ok(Self(state))
    }

    /// [`SavedListing::read_shard`] of a file that is decoded while it is read. `None` for a file that has to be read as a
    /// whole; that reading says what is wrong with it.
    pub fn stream(from: impl io::Read + Send, shard: Option<Shard>) -> io::Result<Option<Self>> {
        let sizes = shard.map_or_else(Sizes::default, |_| Sizes::small());
        Self::stream_with(from, sizes, shard)
    }

    pub(super) fn stream_with(
        from: impl io::Read + Send,
        sizes: Sizes,
        shard: Option<Shard>,
    ) -> io::Result<Option<Self>> {
        let streamed = stream(from, sizes, shard)?;
        Ok(streamed.and_then(|streamed| {
            let read = document(&streamed.document).ok()?;
            let scope = read.scope.of_a_state().ok()?;
            let assembly = streamed.assembly;
            let state = assembly.finish(read.caller, read.app_owner, scope).ok()?;
            check(&state).is_ok().then_some(Self(state))
        }))
    }

    pub fn into_state(self) -> ObservedState {
        self.0
    }
}

fn document(text: &str) -> Result<Read, ObservedError> {
    // The version is checked first, because other versions may have any other fields.
    #[derive(Deserialize)]
    struct Version {
        format_version: Option<String>,
    }
    let invalid = |error: serde_json::Error| ObservedError::NotJson(error.into());
    let version: Version = serde_json::from_str(text).map_err(invalid)?;
    match version.format_version {
        None => Err(ObservedError::NotAListing(
            "`format_version` is missing".to_owned(),
        )),
        Some(found) if found != FORMAT_VERSION => Err(ObservedError::Version {
            found: found.escape_debug().to_string(),
            supported: FORMAT_VERSION,
        }),
        Some(_) => serde_json::from_str(text).map_err(invalid),
    }
}

/// Converts annotations one by one, so that the wire types of a whole app are never in memory at once.
struct DecodedList(Vec<Decoded>);

impl<'de> Deserialize<'de> for DecodedList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Annotations;
        impl<'de> Visitor<'de> for Annotations {
            type Value = DecodedList;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of annotations")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<DecodedList, A::Error> {
                let mut interner = Interner::default();
                let mut decoded = Vec::new();
                while let Some(listed) = list.next_element::<wire::Listed<wire::Annotation>>()? {
                    decoded.push(annotation(listed.0, &mut interner));
                }
                Ok(DecodedList(decoded))
            }
        }
        deserializer.deserialize_seq(Annotations)
    }
}

/// Rejects contents that no complete listing has, because the file may have been edited.
fn check(state: &ObservedState) -> Result<(), ObservedError> {
    let of_input = |(input, annotations): (&InputId, &Vec<ObservedAnnotation>)| {
        let mut ids: Vec<&str> = annotations.iter().map(|it| it.id.as_str()).collect();
        ids.extend(state.unreadable_on(input).iter().map(|it| &*it.id));
        check_input(input.as_str(), ids, &state.scope).err()
    };
    if let Some(error) = state.inputs.par_iter().find_map_first(of_input) {
        return Err(error);
    }
    // There may be inputs of which none can be read.
    (state.unreadable.chunk_by(|a, b| a.input == b.input)).try_for_each(|unreadable| {
        let ids = unreadable.iter().map(|it| &*it.id).collect();
        check_input(&unreadable[0].input, ids, &state.scope)
    })
}

/// `ids` are those of all annotations of the input.
fn check_input(input: &str, mut ids: Vec<&str>, scope: &Scope) -> Result<(), ObservedError> {
    ids.sort_unstable();
    let is_covered = match scope {
        Scope::WholeApp => true,
        Scope::Inputs(inputs) => inputs.contains(input),
        Scope::Shard(shard) => shard.covers_text(input),
    };
    let twice = ids.windows(2).find(|pair| pair[0] == pair[1]);
    let (id, problem) = match (twice, ids.first()) {
        (Some(pair), _) => (pair[0], "is listed twice"),
        (None, Some(first)) if !is_covered => (*first, "belongs to an input outside the scope"),
        _ => return Ok(()),
    };
    Err(ObservedError::NotAListing(format!(
        "annotation `{}` of input `{}` {problem}",
        id.escape_debug(),
        input.escape_debug()
    )))
}

#[cfg(test)]
mod tests {
    use super::super::from_listing;
    use super::*;
    use crate::api::scripted::{Scripted, page_of};
    use crate::api::{Filter, Reader};

    fn user(id: &str) -> UserId {
        UserId::new(id).unwrap()
    }

    async fn listing(filter: &Filter) -> CompleteListing<wire::Annotation> {
        let all = vec![
            r#"{"id":"a","input_id":"in-1","data":{"concepts":[{"id":"car","value":0.1}],"geo":{"x":[1,2]}},"status":{"code":24151},"worker":{"user":{"id":"bea"}}}"#.to_owned(),
            r#"{"id":"b","input_id":"in-1","input_level":true,"annotation_info":{"k":"v"}}"#.to_owned(),
        ];
        let server = Scripted::start(move |call| page_of(&all, call, 1));
        Reader::new(&server.connection())
            .unwrap()
            .list(filter)
            .await
            .unwrap()
    }

    async fn saved(filter: &Filter) -> String {
        let mut text = Vec::new();
        SavedListing::write(
            &mut text,
            &listing(filter).await,
            &user("bea"),
            &user("ann"),
        )
        .unwrap();
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn a_saved_listing_has_the_same_state() {
        for filter in [
            Filter::everything(),
            Filter::inputs(["in-1".into(), "in-2".into()]),
        ] {
            let text = saved(&filter).await;
            let state = from_listing(listing(&filter).await, user("bea"), user("ann")).unwrap();
            assert_eq!(state.len(), 2);
            assert_eq!(SavedListing::read(&text).unwrap().into_state(), state);
        }
    }

    #[tokio::test]
    async fn a_filtered_listing_can_be_written_but_not_read() {
        let text = saved(&Filter {
            user_ids: vec!["ann".into()],
            ..Filter::everything()
        })
        .await;
        assert!(text.contains(r#""scope":"filtered""#));
        assert!(matches!(
            SavedListing::read(&text),
            Err(ObservedError::Filtered)
        ));
    }

    #[tokio::test]
    async fn incomplete_files_are_rejected() {
        let text = saved(&Filter::everything()).await;
        for end in 0..text.trim_end().len() {
            assert!(SavedListing::read(&text[..end]).is_err(), "{end}");
        }
        let error = SavedListing::read(&text[..text.len() / 2]).unwrap_err();
        assert_eq!(error.to_string(), "the file is cut off inside of an object");
        assert!(error.hint().unwrap().contains("list --format json"));
    }

    #[test]
    fn invalid_listings_are_rejected() {
        let header = r#""format_version":"1.0","caller":"a","app_owner":"a""#;
        let whole = format!(r#"{header},"scope":"whole_app""#);
        for (text, why) in [
            ("[]".to_owned(), "must be an object"),
            (
                r#"{"annotations":[]}"#.to_owned(),
                "`format_version` is missing",
            ),
            (r#"{"id":"a"}"#.to_owned() + "\n{}", "more text after"),
            (
                r#"{"format_version":"2.0","other":1}"#.to_owned(),
                "has format 2.0",
            ),
            (format!("{{{whole}}}"), "the key `annotations` is missing"),
            (
                format!(r#"{{{header},"annotations":[]}}"#),
                "the key `scope` is missing",
            ),
            (format!(r#"{{{whole},"annotations":null}}"#), "null"),
            (
                format!(r#"{{{whole},"filters":{{}},"annotations":[]}}"#),
                "unknown key `filters`",
            ),
            (
                format!(
                    r#"{{{whole},"annotations":[{{"id":"a","input_id":"i"}},{{"id":"a","input_id":"i"}}]}}"#
                ),
                "twice",
            ),
            (
                format!(
                    r#"{{{header},"scope":{{"inputs":["j"]}},"annotations":[{{"id":"a","input_id":"i"}}]}}"#
                ),
                "outside the scope",
            ),
            (
                format!(r#"{{{whole},"annotations":[{{"id":"a"}}]}}"#),
                "without an input",
            ),
        ] {
            let error = SavedListing::read(&text).unwrap_err();
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn an_empty_listing_is_valid() {
        let text = r#"{"format_version":"1.0","caller":"a","app_owner":"b","scope":"whole_app","annotations":[]}"#;
        let state = SavedListing::read(text).unwrap().into_state();
        assert!(state.is_empty());
        assert_eq!(state.scope, Scope::WholeApp);
    }
}

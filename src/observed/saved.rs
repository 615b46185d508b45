//! Listings as files: what `list --format json` writes, and `plan --observed FILE` reads.
//!
//! ```json
//! {"format_version":"1.0","caller":"ann","app_owner":"ann","scope":"whole_app","annotations":[…]}
//! ```
//!
//! `scope` is `whole_app`, `{"inputs": […]}`, or `filtered`. The annotations are in the wire's form. A file is written
//! of a complete listing alone, so that what it holds was proved when it was saved; one that was made with filters
//! says so, and no plan is made of it.

use super::decode::annotation;
use super::error::ObservedError;
use super::state::{Placed, assemble, scope_of};
use crate::api::{CompleteListing, wire};
use crate::model::{InputId, Interner, ObservedState, Scope, UserId};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::io::Write;

/// The version of the file's format.
pub const FORMAT_VERSION: &str = "1.0";

/// What the listing saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedScope {
    WholeApp,
    Inputs(BTreeSet<InputId>),
    Filtered,
}

/// A listing as it was saved.
#[derive(Debug)]
pub struct SavedListing(ObservedState);

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
    annotations: Decoded,
}

impl SavedListing {
    /// Writes a listing, as one JSON document in one line.
    pub fn write(
        to: impl Write,
        listing: &CompleteListing<wire::Annotation>,
        caller: &UserId,
        app_owner: &UserId,
    ) -> Result<(), ObservedError> {
        let scope = match scope_of(listing.filter()) {
            Ok(Scope::WholeApp) => SavedScope::WholeApp,
            Ok(Scope::Inputs(inputs)) => SavedScope::Inputs(inputs),
            Err(ObservedError::Filtered) => SavedScope::Filtered,
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
        .map_err(std::io::Error::from)?;
        to.write_all(b"\n")?;
        Ok(())
    }

    /// Reads a saved listing, whole: a file that breaks off, has no header, was made with filters, or holds what its
    /// header excludes is an error.
    pub fn read(text: &str) -> Result<Self, ObservedError> {
        // The version first: another one may hold anything else.
        #[derive(Deserialize)]
        struct Version {
            format_version: Option<String>,
        }
        let broken = |error: serde_json::Error| ObservedError::NotJson(error.into());
        let version: Version = serde_json::from_str(text).map_err(broken)?;
        match version.format_version {
            None => {
                return Err(ObservedError::NotSaved(
                    "it has no format_version".to_owned(),
                ));
            }
            Some(found) if found != FORMAT_VERSION => {
                return Err(ObservedError::Version {
                    found: found.escape_debug().to_string(),
                    known: FORMAT_VERSION,
                });
            }
            Some(_) => {}
        }
        let read: Read = serde_json::from_str(text).map_err(broken)?;
        let scope = match read.scope {
            SavedScope::WholeApp => Scope::WholeApp,
            SavedScope::Inputs(inputs) => Scope::Inputs(inputs),
            SavedScope::Filtered => return Err(ObservedError::Filtered),
        };
        let annotations = read.annotations.0;
        check(&annotations, &scope)?;
        assemble(annotations, read.caller, read.app_owner, scope).map(Self)
    }

    /// The state that it is of.
    pub fn into_state(self) -> ObservedState {
        self.0
    }
}

/// Annotations that became the model's one by one, so that the wire's form of a whole app is never in memory.
struct Decoded(Vec<Placed>);

impl<'de> Deserialize<'de> for Decoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Annotations;
        impl<'de> Visitor<'de> for Annotations {
            type Value = Decoded;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of annotations")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Decoded, A::Error> {
                let mut interner = Interner::default();
                let mut decoded = Vec::new();
                while let Some(listed) = list.next_element::<wire::Listed<wire::Annotation>>()? {
                    decoded.push(annotation(listed.0, &mut interner));
                }
                Ok(Decoded(decoded))
            }
        }
        deserializer.deserialize_seq(Annotations)
    }
}

/// A file may have been edited: what no complete listing holds is refused.
fn check(annotations: &[Placed], scope: &Scope) -> Result<(), ObservedError> {
    let mut seen = HashSet::with_capacity(annotations.len());
    for placed in annotations {
        let (input, id) = match placed {
            Ok((input, annotation)) => (input.as_str(), annotation.id.as_str()),
            Err(unreadable) => (&*unreadable.input, &*unreadable.id),
        };
        let problem = if !seen.insert((input, id)) {
            "is in it twice"
        } else if matches!(scope, Scope::Inputs(inputs) if !inputs.contains(input)) {
            "is of an input outside its scope"
        } else {
            continue;
        };
        return Err(ObservedError::NotSaved(format!(
            "annotation `{}` of input `{}` {problem}",
            id.escape_debug(),
            input.escape_debug()
        )));
    }
    Ok(())
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
    async fn a_saved_listing_reads_back_as_the_same_state() {
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
    async fn a_filtered_listing_is_written_and_not_read() {
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
    async fn no_part_of_a_file_passes_for_the_whole() {
        let text = saved(&Filter::everything()).await;
        for end in 0..text.trim_end().len() {
            assert!(SavedListing::read(&text[..end]).is_err(), "{end}");
        }
        let error = SavedListing::read(&text[..text.len() / 2]).unwrap_err();
        assert_eq!(error.to_string(), "the file is cut off inside of an object");
        assert!(error.hint().unwrap().contains("list --format json"));
    }

    #[test]
    fn what_is_no_saved_listing_is_refused() {
        let header = r#""format_version":"1.0","caller":"a","app_owner":"a""#;
        let whole = format!(r#"{header},"scope":"whole_app""#);
        for (text, why) in [
            ("[]".to_owned(), "must be an object"),
            (r#"{"annotations":[]}"#.to_owned(), "no format_version"),
            (r#"{"id":"a"}"#.to_owned() + "\n{}", "more text after"),
            (
                r#"{"format_version":"2.0","other":1}"#.to_owned(),
                "saved in format 2.0",
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
                "outside its scope",
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
    fn an_empty_app_is_a_saved_listing_too() {
        let text = r#"{"format_version":"1.0","caller":"a","app_owner":"b","scope":"whole_app","annotations":[]}"#;
        let state = SavedListing::read(text).unwrap().into_state();
        assert!(state.is_empty());
        assert_eq!(state.scope, Scope::WholeApp);
    }
}

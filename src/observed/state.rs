//! Conversion of a complete listing to the observed state.

use super::error::ObservedError;
use crate::api::{ApiError, CompleteListing, Filter, Reader, Selection};
use crate::model::{
    InputId, Interner, ObservedAnnotation, ObservedState, Scope, Shard, Unreadable, UserId,
};
use crate::wire;
use crate::wire::decode;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};

/// An annotation with its input, or an unreadable one.
pub(super) type Decoded = Result<(InputId, ObservedAnnotation), Unreadable>;

/// Lists the app or some of its inputs, proves that the listing is complete, and converts it. `app_owner` is the user id
/// of the target; `me` means the caller.
///
/// Annotations are converted page by page, so that the wire types of a whole app are never in memory at once.
pub async fn observe(
    reader: &Reader,
    app_owner: &str,
    scope: &Scope,
) -> Result<ObservedState, ObservedError> {
    let filter = match scope {
        Scope::WholeApp => Filter::everything(),
        Scope::Inputs(inputs) => Filter::inputs(inputs.iter().map(|id| id.as_str().to_owned())),
        Scope::Shard(shard) => all_pages(*shard),
    };
    list(reader, app_owner, &filter, scope.clone()).await
}

/// As [`observe`], for a whole app with about one of these numbers of annotations, which saves calls after its end.
pub async fn observe_about(
    reader: &Reader,
    app_owner: &str,
    expected: Vec<u64>,
) -> Result<ObservedState, ObservedError> {
    let filter = Filter {
        expected,
        ..Filter::everything()
    };
    list(reader, app_owner, &filter, Scope::WholeApp).await
}

/// What is known of an app before it is listed. It decides only how many calls a listing takes.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The inputs of the shard that are known.
    pub known: BTreeSet<InputId>,
    /// How many annotations these have.
    pub of_shard: u64,
    /// How many inputs the whole app has, and how many annotations.
    pub inputs: u64,
    pub annotations: u64,
}

/// As [`observe`], for the inputs of a shard: lists them by their ids, or reads all pages and keeps its own, whichever takes
/// fewer calls; by their ids as well if all pages change while they are read. For a listing by ids, the inputs that are not known
/// are found in the list of all inputs.
pub async fn observe_shard(
    reader: &Reader,
    app_owner: &str,
    shard: Shard,
    expected: &Expected,
) -> Result<ObservedState, ObservedError> {
    let known = || expected.known.iter().map(|id| id.as_str().to_owned());
    let pages = all_pages(shard);
    let by_ids = Filter::inputs(known()).calls_for(expected.of_shard)
        + Reader::calls_for_all_inputs(usize::try_from(expected.inputs).unwrap_or(usize::MAX))
            as u64;
    if pages.calls_for(expected.annotations) <= by_ids {
        let filter = Filter {
            expected: vec![expected.inputs, expected.annotations],
            ..pages
        };
        match list(reader, app_owner, &filter, Scope::Shard(shard)).await {
            // Applies of other shards meanwhile change the pages, but not this shard's inputs.
            Err(ObservedError::Api(ApiError::IncompleteListing { .. })) => {}
            ended => return ended,
        }
    }
    let mut ids = reader.inputs_of_shard(shard).await?;
    ids.extend(known());
    let filter = Filter {
        shard: Some(shard),
        expected: vec![expected.of_shard],
        ..Filter::inputs(ids)
    };
    list(reader, app_owner, &filter, Scope::Shard(shard)).await
}

/// All pages, of which only the annotations of a shard are kept.
fn all_pages(shard: Shard) -> Filter {
    Filter {
        shard: Some(shard),
        ..Filter::everything()
    }
}

async fn list(
    reader: &Reader,
    app_owner: &str,
    filter: &Filter,
    scope: Scope,
) -> Result<ObservedState, ObservedError> {
    let caller = reader.caller().await?;
    let mut interner = Interner::default();
    let listing = reader
        .list_with(filter, |wire| {
            Ok::<_, ObservedError>(decode::annotation(wire, &mut interner))
        })
        .await?;
    let (_, annotations) = listing.into_parts();
    let owner = if app_owner == "me" {
        &caller
    } else {
        app_owner
    };
    assemble(annotations, user(&caller)?, user(owner)?, scope)
}

/// Converts a listing of wire types. The scope follows from its filter.
///
/// # Errors
///
/// If the filter omits annotations of the listed inputs.
pub fn from_listing(
    listing: CompleteListing<wire::Annotation>,
    caller: UserId,
    app_owner: UserId,
) -> Result<ObservedState, ObservedError> {
    let (filter, annotations) = listing.into_parts();
    let mut interner = Interner::default();
    assemble(
        annotations
            .into_iter()
            .map(|wire| decode::annotation(wire, &mut interner)),
        caller,
        app_owner,
        scope_of(&filter)?,
    )
}

/// The scope of a listing with this filter; an error if the filter omits annotations of the scope.
pub(super) fn scope_of(filter: &Filter) -> Result<Scope, ObservedError> {
    if filter.narrows() {
        return Err(ObservedError::Filtered);
    }
    match &filter.selection {
        Selection::WholeApp => Ok(Scope::WholeApp),
        Selection::Inputs(inputs) => {
            let inputs: Result<BTreeSet<InputId>, ObservedError> =
                inputs.iter().map(|text| input(text)).collect();
            Ok(Scope::Inputs(inputs?))
        }
        Selection::Annotations(_) => Err(ObservedError::Filtered),
    }
}

/// Builds the state from all annotations of `scope`.
pub(super) fn assemble(
    annotations: impl IntoIterator<Item = Decoded>,
    caller: UserId,
    app_owner: UserId,
    scope: Scope,
) -> Result<ObservedState, ObservedError> {
    let mut assembly = Assembly::default();
    annotations.into_iter().for_each(|one| assembly.push(one));
    assembly.finish(caller, app_owner, scope)
}

/// Annotations that are sorted by input while they are read.
#[derive(Default)]
pub(super) struct Assembly {
    inputs: HashMap<InputId, Vec<ObservedAnnotation>>,
    /// Those of `last`, not yet in `inputs`: an input's annotations mostly follow each other.
    run: Vec<ObservedAnnotation>,
    last: Option<InputId>,
    unreadable: Vec<Unreadable>,
    /// Annotations of other shards are dropped.
    shard: Option<Shard>,
}

impl Assembly {
    pub(super) fn of(shard: Option<Shard>) -> Self {
        Self {
            shard,
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, decoded: Decoded) {
        match decoded {
            Ok((input, _)) if self.shard.is_some_and(|shard| !shard.covers(&input)) => {}
            Err(one)
                if !one.input.is_empty()
                    && self.shard.is_some_and(|it| !it.covers_text(&one.input)) => {}
            Ok((input, annotation)) => {
                if self.last.as_ref() != Some(&input) {
                    self.end_run();
                    self.last = Some(input);
                }
                self.run.push(annotation);
            }
            Err(one) => self.unreadable.push(one),
        }
    }

    fn end_run(&mut self) {
        let Some(input) = self.last.take() else {
            return;
        };
        let all = self.inputs.entry(input).or_default();
        // Vectors grow by doubling; this saves about a third of the memory if there is one run.
        if all.is_empty() {
            all.reserve_exact(self.run.len());
        }
        all.append(&mut self.run);
    }

    pub(super) fn finish(
        mut self,
        caller: UserId,
        app_owner: UserId,
        scope: Scope,
    ) -> Result<ObservedState, ObservedError> {
        self.end_run();
        // It could belong to any input, so no input would be certain.
        if let Some(one) = self.unreadable.iter().find(|one| one.input.is_empty()) {
            return Err(ObservedError::MissingInput(one.id.to_string()));
        }
        let mut inputs: Vec<_> = self.inputs.into_iter().collect();
        inputs.par_sort_unstable_by(|a, b| a.0.cmp(&b.0));
        inputs
            .par_iter_mut()
            .for_each(|(_, all)| all.shrink_to_fit());
        let mut state = ObservedState {
            caller,
            app_owner,
            scope: match self.shard {
                Some(shard) => scope.within(shard),
                None => scope,
            },
            inputs: inputs.into_iter().collect(),
            unreadable: self.unreadable,
        };
        state.sort();
        Ok(state)
    }
}

fn user(text: &str) -> Result<UserId, ObservedError> {
    UserId::new(text).map_err(|why| ObservedError::InvalidId {
        what: "user",
        text: text.to_owned(),
        why,
    })
}

fn input(text: &str) -> Result<InputId, ObservedError> {
    InputId::new(text).map_err(|why| ObservedError::InvalidId {
        what: "input",
        text: text.to_owned(),
        why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ModelMade;
    use crate::api::scripted::{Reply, Scripted, named, page_of};

    fn annotations() -> Vec<String> {
        let at = |id: &str, input: &str, time: u32| {
            format!(
                r#"{{"id":"{id}","input_id":"{input}","created_at":"2026-01-01T00:00:0{time}Z"}}"#
            )
        };
        vec![
            at("b", "in-2", 1),
            at("a", "in-1", 3),
            at("d", "in-1", 2),
            at("c", "in-1", 2),
        ]
    }

    fn server(all: Vec<String>) -> Scripted {
        Scripted::start(move |call| match call.path.as_str() {
            "/v2/users/me" => Reply::Text(
                200,
                r#"{"status":{"code":10000},"user":{"id":"bea"}}"#.into(),
            ),
            _ => page_of(&all, call, 3),
        })
    }

    fn reader(server: &Scripted) -> Reader {
        Reader::new(&server.connection()).unwrap()
    }

    fn names(state: &ObservedState) -> Vec<String> {
        state
            .inputs
            .iter()
            .flat_map(|(input, of)| of.iter().map(move |a| format!("{input}/{}", a.id)))
            .collect()
    }

    #[tokio::test]
    async fn a_state_is_sorted_and_has_the_caller() {
        let server = server(annotations());
        let state = observe(&reader(&server), "ann", &Scope::WholeApp)
            .await
            .unwrap();
        assert_eq!(names(&state), ["in-1/c", "in-1/d", "in-1/a", "in-2/b"]);
        assert_eq!(state.caller.as_str(), "bea");
        assert_eq!(state.app_owner.as_str(), "ann");
        assert_eq!(state.scope, Scope::WholeApp);
        let own = observe(&reader(&server), "me", &Scope::WholeApp)
            .await
            .unwrap();
        assert_eq!(own.app_owner.as_str(), "bea");
    }

    #[tokio::test]
    async fn a_shard_is_listed_by_its_inputs_if_others_change_the_app_meanwhile() {
        let inputs = ["in-1", "in-2", "in-3", "in-4"];
        let all: Vec<String> = inputs.map(|input| named(input, "a")).to_vec();
        let server = Scripted::start(move |call| match call.path.as_str() {
            "/v2/users/me" => Reply::Text(
                200,
                r#"{"status":{"code":10000},"user":{"id":"bea"}}"#.into(),
            ),
            "/v2/users/ann/apps/street/inputs/stream" => {
                let ids = inputs.map(|id| format!(r#"{{"id":"{id}"}}"#)).join(",");
                let is_first = call.all("last_id").is_empty();
                let ids = if is_first { &ids } else { "" };
                let body = format!(r#"{{"status":{{"code":10000}},"inputs":[{ids}]}}"#);
                Reply::Text(200, body)
            }
            _ => {
                let wanted = call.all("input_ids");
                let is_wanted = |it: &&String| wanted.iter().any(|id| it.contains(id));
                let mut listed: Vec<String> = all.iter().filter(is_wanted).cloned().collect();
                if wanted.is_empty() {
                    listed.push(named("in-9", &format!("made-before-{}", call.number)));
                    listed.extend_from_slice(&all[call.number % 2..]);
                }
                page_of(&listed, call, 1_000)
            }
        });
        let shard = Shard::new(0, 2).unwrap();
        // So many inputs take more calls to be listed than all pages.
        let expected = Expected {
            inputs: 100_000,
            ..Expected::default()
        };
        let state = observe_shard(&reader(&server), "ann", shard, &expected)
            .await
            .unwrap();
        let own = inputs.map(|input| InputId::new(input).unwrap());
        let own = own.iter().filter(|input| shard.covers(input));
        assert_eq!(
            names(&state),
            own.map(|it| format!("{it}/a")).collect::<Vec<_>>()
        );
        assert_eq!(state.scope, Scope::Shard(shard));
        let calls = server.calls();
        let mut listings = calls
            .iter()
            .filter(|call| call.path.ends_with("/annotations"));
        assert!(listings.any(|call| call.all("input_ids").is_empty()));
        assert!(!state.inputs.is_empty());
    }

    #[tokio::test]
    async fn from_listing_gives_the_same_state_as_observe() {
        let server = server(annotations());
        let reader = reader(&server);
        let observed = observe(&reader, "ann", &Scope::WholeApp).await.unwrap();
        let listing = reader.list(&Filter::everything()).await.unwrap();
        let state = from_listing(
            listing,
            UserId::new("bea").unwrap(),
            UserId::new("ann").unwrap(),
        )
        .unwrap();
        assert_eq!(state, observed);
    }

    #[tokio::test]
    async fn filtered_listings_are_rejected() {
        let server = server(annotations());
        for filter in [
            Filter {
                user_ids: vec!["ann".into()],
                ..Filter::everything()
            },
            Filter {
                statuses: vec![crate::wire::Code::ANNOTATION_PENDING],
                ..Filter::everything()
            },
            Filter {
                model_version_ids: vec!["m".into()],
                model_made: ModelMade::Include,
                ..Filter::default()
            },
        ] {
            let listing = reader(&server).list(&filter).await.unwrap();
            let user = UserId::new("ann").unwrap();
            assert!(matches!(
                from_listing(listing, user.clone(), user),
                Err(ObservedError::Filtered)
            ));
        }
    }

    #[tokio::test]
    async fn the_scope_follows_from_the_filter() {
        let server = server(vec![named("in-1", "a")]);
        let scope = Scope::Inputs(["in-1", "in-2"].map(|id| InputId::new(id).unwrap()).into());
        let state = observe(&reader(&server), "ann", &scope).await.unwrap();
        assert_eq!(state.scope, scope);
        assert_eq!(names(&state), ["in-1/a"]);
    }

    #[tokio::test]
    async fn unreadable_annotations_are_listed_separately() {
        let mut all = annotations();
        for odd in [
            r#"{"id":"e","input_id":"in-3","data":{"regions":7}}"#,
            r#"{"id":"f","input_id":"in-1","user_id":"bea","data":{"metadata":{"a":"\ud83d"}}}"#,
            r#"{"id":"g","input_id":"in-1","annotation_info":{"a":1e999}}"#,
            r#"{"id":"h","input_id":"in-1 "}"#,
            r#"{"id":"i\u0007","input_id":"in-1"}"#,
            r#"{"id":"j","input_id":"in-1","user_id":" bea"}"#,
        ] {
            all.push(odd.into());
        }
        let state = observe(&reader(&server(all)), "ann", &Scope::WholeApp)
            .await
            .unwrap();
        assert_eq!(names(&state), ["in-1/c", "in-1/d", "in-1/a", "in-2/b"]);
        let messages: Vec<String> = state.unreadable.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(messages.join("\n"), @r"
        annotation `f` of input `in-1` cannot be read: its data cannot be kept as JSON without loss: an escape that is not a character
        annotation `g` of input `in-1` cannot be read: its info cannot be kept as JSON without loss: a number too large to be read
        annotation `i\u{7}` of input `in-1` cannot be read: its id contains the control character U+0007
        annotation `j` of input `in-1` cannot be read: its user id begins or ends with white space
        annotation `h` of input `in-1 ` cannot be read: its input id begins or ends with white space
        annotation `e` of input `in-3` cannot be read: its data violates the API's schema: must be a list, found the number 7
        ");
        let input = InputId::new("in-1").unwrap();
        let on: Vec<&str> = state
            .unreadable_on(&input)
            .iter()
            .map(|it| &*it.id)
            .collect();
        assert_eq!(on, ["f", "g", "i\u{7}", "j"]);
        let f = &state.unreadable_on(&input)[0];
        assert_eq!(f.user.as_ref().unwrap().as_str(), "bea");
    }
}

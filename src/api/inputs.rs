//! Inputs and concepts of an app: which there are, how far inputs are processed, and the posts and deletes of inputs.
//!
//! As with annotations, every write is sent once: what a lost answer did has to be read back.

use super::code::Code;
use super::error::ApiError;
use super::exchange::HttpRequest;
use super::filter::{PER_PAGE, chunks, push};
use super::ordered::Ordered;
use super::reader::Reader;
use super::request::{Partial, Reply, Request};
use super::transport::Transport;
use super::wire::{Concepts, InputCounts, Inputs, Status};
use super::writer::{ItemError, ItemResult, Writer};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// How far the processing of an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Processing {
    /// It can be annotated.
    Done,
    /// It cannot be annotated yet.
    Waiting,
    /// It never will.
    Failed(ItemError),
}

/// An input that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputState {
    /// Its id.
    pub id: String,
    /// How far its processing is.
    pub processing: Processing,
}

/// The inputs that a delete names: 1 to 128, each by its id. Whatever lies on an input is deleted with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteInputs(Vec<String>);

impl DeleteInputs {
    /// As many as a call takes.
    pub const MOST: usize = 128;

    /// Checks the ids; `None` if there are none, too many, or an empty one.
    pub fn new(ids: Vec<String>) -> Option<Self> {
        let sound =
            (1..=Self::MOST).contains(&ids.len()) && ids.iter().all(|id| !id.trim().is_empty());
        sound.then_some(Self(ids))
    }

    fn body(&self) -> String {
        #[derive(Serialize)]
        struct Body<'a> {
            ids: &'a [String],
        }
        serde_json::to_string(&Body { ids: &self.0 }).expect("text always serialises")
    }
}

impl Reader {
    /// How many calls [`Reader::inputs`] makes at least for these ids.
    pub fn calls_for_inputs(ids: &BTreeSet<String>) -> usize {
        queries(ids).len()
    }

    /// How many calls [`Reader::all_inputs`] makes for an app of so many inputs.
    pub fn calls_for_all_inputs(inputs: usize) -> usize {
        inputs.div_ceil(PER_PAGE) + 1
    }

    /// Those of these inputs that exist (`GET /inputs?ids=`), sorted by id.
    pub async fn inputs(&self, ids: &BTreeSet<String>) -> Result<Vec<InputState>, ApiError> {
        let mut found = Vec::with_capacity(ids.len());
        let mut answers = Ordered::new(
            self.0.concurrency(),
            queries(ids).into_iter().map(|(query, asked)| {
                let transport = Arc::clone(&self.0);
                async move { inputs_of(&transport, &query, &asked).await }
            }),
        );
        while let Some(states) = answers.next().await {
            found.extend(states?);
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// The ids of all inputs of the app (`GET /inputs/stream`), by a cursor that inserts and deletes do not shift.
    pub async fn all_inputs(&self) -> Result<BTreeSet<String>, ApiError> {
        let mut all = BTreeSet::new();
        let mut last = String::new();
        for number in 1_u64.. {
            self.0.check_page(number)?;
            let mut query = format!("per_page={PER_PAGE}&order_by_id=true");
            if !last.is_empty() {
                push(&mut query, "last_id", &last);
            }
            let page: Inputs = get(&self.0, &["inputs", "stream"], &query).await?;
            let Some(end) = page.inputs.last() else {
                break;
            };
            last.clone_from(&end.id);
            let before = all.len();
            all.extend(page.inputs.into_iter().map(|input| input.id));
            if all.len() == before {
                return Err(ApiError::Malformed(
                    "a page of inputs holds nothing but what came before".to_owned(),
                ));
            }
        }
        Ok(all)
    }

    /// How many inputs of the app wait for their processing (`GET /inputs/status`).
    pub async fn waiting_inputs(&self) -> Result<u64, ApiError> {
        let reply: InputCounts = get(&self.0, &["inputs", "status"], "").await?;
        Ok(reply.counts.to_process + reply.counts.processing)
    }

    /// The ids of the app's concepts (`GET /concepts`); as soon as all of `wanted` have come, no more are asked for.
    pub async fn concepts(&self, wanted: &BTreeSet<String>) -> Result<BTreeSet<String>, ApiError> {
        let mut all = BTreeSet::new();
        for number in 1_u64.. {
            self.0.check_page(number)?;
            let query = format!("page={number}&per_page={PER_PAGE}");
            let page: Concepts = get(&self.0, &["concepts"], &query).await?;
            let before = all.len();
            all.extend(page.concepts.into_iter().map(|concept| concept.id));
            // Nothing deletes a concept, so that pages do not shift.
            if all.len() == before || wanted.is_subset(&all) {
                break;
            }
        }
        Ok(all)
    }
}

/// The queries that ask for these inputs, with the ids that each asks for.
fn queries(ids: &BTreeSet<String>) -> Vec<(String, BTreeSet<String>)> {
    chunks("", ids, |text, id: &String| push(text, "ids", id))
}

async fn inputs_of(
    transport: &Transport,
    query: &str,
    asked: &BTreeSet<String>,
) -> Result<Vec<InputState>, ApiError> {
    let mut found: HashMap<String, InputState> = HashMap::new();
    // A server may cap its pages: what comes counts, not what was asked for.
    for number in 1_u64.. {
        let query = format!("page={number}&per_page={PER_PAGE}{query}");
        let page: Inputs = get(transport, &["inputs"], &query).await?;
        let before = found.len();
        for input in page.inputs {
            if asked.contains(&input.id) {
                let processing = processing(transport, &input.status);
                let state = InputState {
                    id: input.id.clone(),
                    processing,
                };
                found.insert(input.id, state);
            }
        }
        if found.len() == before || found.len() == asked.len() {
            break;
        }
    }
    Ok(found.into_values().collect())
}

fn processing(transport: &Transport, status: &Status) -> Processing {
    match status.code {
        Code::INPUT_DOWNLOAD_SUCCESS | Code::SUCCESS => Processing::Done,
        // Left out, as every default: whoever lists it can be asked again.
        code if code == Code::default() => Processing::Done,
        Code::INPUT_DOWNLOAD_PENDING | Code::INPUT_DOWNLOAD_IN_PROGRESS => Processing::Waiting,
        code => Processing::Failed(ItemError {
            code,
            description: transport.shown(&status.text(), 500),
        }),
    }
}

async fn get<R: Reply>(transport: &Transport, path: &[&str], query: &str) -> Result<R, ApiError> {
    let mut url = transport.app_url(path);
    url.set_query(Some(query).filter(|query| !query.is_empty()));
    transport
        .send(Request {
            http: HttpRequest::get(url),
            about: transport.app(),
            partial: Partial::Fails,
        })
        .await
}

impl Writer {
    /// Posts inputs: JSON objects, each with an `id` of the client's choosing. What came of each: how far its processing
    /// is, that it exists already (30100 with its id), or why it was refused.
    pub async fn post_inputs(
        &self,
        inputs: &[&str],
    ) -> Result<Vec<ItemResult<Processing>>, ApiError> {
        #[derive(Deserialize)]
        struct Sent {
            id: String,
        }
        let mut ids = Vec::with_capacity(inputs.len());
        for text in inputs {
            let sent: Sent = serde_json::from_str(text)
                .map_err(|error| ApiError::Unsendable(format!("an input is not valid: {error}")))?;
            ids.push(sent.id);
        }
        let body = format!("{{\"inputs\":[{}]}}", inputs.join(","));
        let sent: Inputs = self.send_inputs(Method::POST, body).await?;
        let whole = sent.status.code;
        let mut answers: HashMap<String, Vec<Status>> = HashMap::new();
        for input in sent.inputs {
            answers.entry(input.id).or_default().push(input.status);
        }
        let result = |id: &String| match answers.remove(id).unwrap_or_default().pop() {
            // A call that failed as a whole wrote nothing for sure, and one that says nothing is to be read back.
            None => ItemResult::Unknown,
            Some(status) => match (status.code, processing(&self.0, &status)) {
                (code, _) if code == Code::default() && whole != Code::SUCCESS => {
                    ItemResult::Unknown
                }
                (_, Processing::Failed(error)) => ItemResult::Failed(error),
                (_, state) if whole != Code::FAILURE => ItemResult::Done(state),
                _ => ItemResult::Unknown,
            },
        };
        Ok(ids.iter().map(result).collect())
    }

    /// Deletes these inputs with everything on them. What the service has against it, where it does not say success:
    /// of which input, it does not say, so that what is left has to be listed.
    pub async fn delete_inputs(
        &self,
        inputs: &DeleteInputs,
    ) -> Result<Option<ItemError>, ApiError> {
        let sent: Inputs = self.send_inputs(Method::DELETE, inputs.body()).await?;
        let status = sent.status;
        Ok((status.code != Code::SUCCESS).then(|| self.complaint(&status)))
    }

    async fn send_inputs(&self, method: Method, body: String) -> Result<Inputs, ApiError> {
        self.0
            .send_once(&Request {
                http: HttpRequest {
                    method,
                    url: self.0.app_url(&["inputs"]),
                    body: Some(body),
                },
                about: self.0.app(),
                partial: Partial::Answers,
            })
            .await
    }
}

impl ItemError {
    /// Whether an input was refused because one with its id exists.
    pub fn is_duplicate_input(&self) -> bool {
        self.code == Code::INPUT_DUPLICATE && !self.description.to_lowercase().contains("url")
    }
}

#[cfg(test)]
mod tests {
    use super::super::connect;
    use super::super::scripted::{Reply as Said, Scripted};
    use super::*;

    fn ids(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn page(list: &str, ids: &[String]) -> Said {
        let items: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        let items = items.join(",");
        Said::Text(
            200,
            format!(r#"{{"status":{{"code":10000}},"{list}":[{items}]}}"#),
        )
    }

    #[tokio::test]
    async fn inputs_are_asked_for_by_their_ids_however_small_the_pages_are() {
        let server = Scripted::start(|call| {
            let there = ["a", "c", "d"].map(str::to_owned);
            let at = call.number("page") - 1;
            page("inputs", there.get(at..=at).unwrap_or_default())
        });
        let (reader, _) = connect(&server.connection()).unwrap();
        let found = reader.inputs(&ids(&["a", "b", "c", "d"])).await.unwrap();
        let found: Vec<&str> = found.iter().map(|input| input.id.as_str()).collect();
        assert_eq!(found, ["a", "c", "d"]);
        assert_eq!(server.calls()[0].all("ids"), ["a", "b", "c", "d"]);
        assert_eq!(server.calls()[0].path, "/v2/users/ann/apps/street/inputs");
    }

    #[tokio::test]
    async fn all_inputs_come_by_a_cursor() {
        let server = Scripted::start(|call| {
            let rest = match call.all("last_id").first() {
                None => vec!["a".to_owned(), "b c".to_owned()],
                Some(&"b c") => vec!["d".to_owned()],
                Some(_) => Vec::new(),
            };
            page("inputs", &rest)
        });
        let (reader, _) = connect(&server.connection()).unwrap();
        assert_eq!(reader.all_inputs().await.unwrap(), ids(&["a", "b c", "d"]));
        assert_eq!(server.calls().len(), 3);
        let stuck = Scripted::start(|_| page("inputs", &["a".to_owned()]));
        let (reader, _) = connect(&stuck.connection()).unwrap();
        let error = reader.all_inputs().await.unwrap_err();
        assert!(matches!(error, ApiError::Malformed(_)), "{error}");
    }

    #[tokio::test]
    async fn concepts_are_listed_until_all_that_are_wanted_have_come() {
        let server = Scripted::start(|call| match call.number("page") {
            1 => page("concepts", &["car".to_owned()]),
            2 => page("concepts", &["tree".to_owned()]),
            _ => page("concepts", &[]),
        });
        let (reader, _) = connect(&server.connection()).unwrap();
        let found = reader.concepts(&ids(&["car"])).await.unwrap();
        assert_eq!((found, server.calls().len()), (ids(&["car"]), 1));
        let all = reader.concepts(&ids(&["water"])).await.unwrap();
        assert_eq!((all, server.calls().len()), (ids(&["car", "tree"]), 4));
    }

    #[tokio::test]
    async fn each_input_of_an_answer_counts_for_itself() {
        let server = Scripted::start(|_| {
            Said::Text(
                200,
                r#"{"status":{"code":"MIXED_STATUS"},"inputs":[
                    {"id":"b","status":{"code":30100,"details":"Input has a duplicate ID."}},
                    {"id":"a","status":{"code":"INPUT_DOWNLOAD_PENDING"}},
                    {"id":"c","status":{"code":30106,"description":"no URL of \u001btopsecret"}}]}"#
                    .into(),
            )
        });
        let (_, writer) = connect(&server.connection()).unwrap();
        let sent = [
            r#"{"id":"a"}"#,
            r#"{"id":"b"}"#,
            r#"{"id":"c"}"#,
            r#"{"id":"d"}"#,
        ];
        let answer = writer.post_inputs(&sent).await.unwrap();
        let [
            ItemResult::Done(Processing::Waiting),
            ItemResult::Failed(twice),
            ItemResult::Failed(refused),
            ItemResult::Unknown,
        ] = &answer[..]
        else {
            panic!("{answer:?}");
        };
        assert!(twice.is_duplicate_input() && !refused.is_duplicate_input());
        assert_eq!(refused.description, "no URL of [token]");
        let call = server.calls().pop().unwrap();
        assert_eq!(call.method, "POST");
        assert_eq!(
            call.body,
            r#"{"inputs":[{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"}]}"#
        );
    }

    #[tokio::test]
    async fn a_delete_of_inputs_names_each() {
        assert_eq!(DeleteInputs::new(Vec::new()), None);
        assert_eq!(DeleteInputs::new(vec!["a".into(), " ".into()]), None);
        assert_eq!(DeleteInputs::new(vec!["a".into(); 129]), None);
        let server = Scripted::start(|_| Said::Text(200, r#"{"status":{"code":10000}}"#.into()));
        let (_, writer) = connect(&server.connection()).unwrap();
        let gone = DeleteInputs::new(vec!["a".into(), "b".into()]).unwrap();
        assert_eq!(writer.delete_inputs(&gone).await, Ok(None));
        let call = server.calls().pop().unwrap();
        assert_eq!(
            (call.method.as_str(), call.path.as_str(), call.body.as_str()),
            (
                "DELETE",
                "/v2/users/ann/apps/street/inputs",
                r#"{"ids":["a","b"]}"#
            )
        );
    }
}

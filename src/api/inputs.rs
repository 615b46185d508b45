//! Inputs and concepts of an app: which exist, the state of processing, and posts and deletes of inputs.
//!
//! As with annotations, every write is sent once: after a lost answer, read back what it did.

use super::error::ApiError;
use super::filter::{PER_PAGE, chunks, push};
use super::item::{ItemError, ItemResult};
use super::ordered::Ordered;
use super::reader::Reader;
use super::transport::Transport;
use super::writer::Writer;
use crate::model::{InputId, Json, Shard};
use crate::wire::Code;
use crate::wire::{Concepts, InputCounts, InputImages, Inputs, Status, WriteCall, WriteMethod};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The state of processing of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Processing {
    /// It can be annotated.
    Done,
    /// It cannot be annotated yet.
    Waiting,
    /// It can never be annotated.
    Failed(ItemError),
}

/// An input that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputState {
    pub id: String,
    pub processing: Processing,
}

/// The inputs that a delete names: 1 to 128 ids. The annotations of an input are deleted with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteInputs(Vec<String>);

impl DeleteInputs {
    /// The maximum number of inputs of a call.
    pub const MOST: usize = 128;

    /// `None` if there are no ids, too many, or an empty one.
    pub fn new(ids: Vec<String>) -> Option<Self> {
        let is_valid =
            (1..=Self::MOST).contains(&ids.len()) && ids.iter().all(|id| !id.trim().is_empty());
        is_valid.then_some(Self(ids))
    }

    /// The call that deletes them.
    pub fn call(&self) -> WriteCall {
        #[derive(Serialize)]
        struct Body<'a> {
            ids: &'a [String],
        }
        let body = serde_json::to_string(&Body { ids: &self.0 }).expect("text always serialises");
        WriteCall::new(WriteMethod::Delete, &["inputs"], Some(body))
    }
}

/// The call that posts these inputs.
pub fn inputs_call<'a>(inputs: impl IntoIterator<Item = &'a Json>) -> WriteCall {
    let inputs: Vec<&str> = inputs.into_iter().map(Json::as_str).collect();
    let body = format!("{{\"inputs\":[{}]}}", inputs.join(","));
    WriteCall::new(WriteMethod::Post, &["inputs"], Some(body))
}

impl Reader {
    /// The smallest number of calls that [`Reader::inputs`] makes for these ids.
    pub fn calls_for_inputs(ids: &BTreeSet<String>) -> usize {
        queries(ids).len()
    }

    /// The number of calls that [`Reader::all_inputs`] makes for an app with this many inputs.
    pub fn calls_for_all_inputs(inputs: usize) -> usize {
        inputs.div_ceil(PER_PAGE) + 1
    }

    /// The existing ones of these inputs (`GET /inputs?ids=`), sorted by id.
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

    /// The URLs of the images of these inputs (`GET /inputs?ids=`), as far as they have one.
    pub async fn image_urls(
        &self,
        ids: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, String>, ApiError> {
        let mut urls = BTreeMap::new();
        for (query, asked) in queries(ids) {
            let mut found = BTreeSet::new();
            for number in 1_u64.. {
                let query = format!("page={number}&per_page={PER_PAGE}{query}");
                let page: InputImages = self.0.get(&["inputs"], &query).await?;
                let before = found.len();
                for input in page.inputs {
                    if asked.contains(&input.id) && found.insert(input.id.clone()) {
                        urls.insert(input.id, input.data.image.url);
                    }
                }
                if found.len() == before || found.len() == asked.len() {
                    break;
                }
            }
        }
        urls.retain(|_, url| !url.is_empty());
        Ok(urls)
    }

    /// The ids of all inputs (`GET /inputs/stream`), by a cursor that inserts and deletes do not shift.
    pub async fn all_inputs(&self) -> Result<BTreeSet<String>, ApiError> {
        self.inputs_where(|_| true).await
    }

    /// Those of [`Reader::all_inputs`] that a shard covers.
    pub async fn inputs_of_shard(&self, shard: Shard) -> Result<BTreeSet<String>, ApiError> {
        self.inputs_where(|id| shard.covers_text(id)).await
    }

    async fn inputs_where(
        &self,
        keeps: impl Fn(&str) -> bool,
    ) -> Result<BTreeSet<String>, ApiError> {
        let mut all = BTreeSet::new();
        let mut last = String::new();
        for number in 1_u64.. {
            self.0.check_page(number)?;
            let mut query = format!("per_page={PER_PAGE}&order_by_id=true");
            if !last.is_empty() {
                push(&mut query, "last_id", &last);
            }
            let page: Inputs = self.0.get(&["inputs", "stream"], &query).await?;
            let Some(end) = page.inputs.last() else {
                break;
            };
            // The order of the service is not known, only that the next page begins after this id.
            if last == end.id {
                return Err(ApiError::Malformed(
                    "a page of inputs contains only inputs of earlier pages".to_owned(),
                ));
            }
            last.clone_from(&end.id);
            let ids = page.inputs.into_iter().map(|input| input.id);
            all.extend(ids.filter(|id| keeps(id)));
        }
        Ok(all)
    }

    /// How many inputs are not processed yet (`GET /inputs/status`).
    pub async fn waiting_inputs(&self) -> Result<u64, ApiError> {
        let reply: InputCounts = self.0.get(&["inputs", "status"], "").await?;
        Ok(reply.counts.to_process + reply.counts.processing)
    }

    /// The ids of the app's concepts (`GET /concepts`), until all of `wanted` are found.
    pub async fn concepts(&self, wanted: &BTreeSet<String>) -> Result<BTreeSet<String>, ApiError> {
        let mut all = BTreeSet::new();
        for number in 1_u64.. {
            self.0.check_page(number)?;
            let query = format!("page={number}&per_page={PER_PAGE}");
            let page: Concepts = self.0.get(&["concepts"], &query).await?;
            let before = all.len();
            all.extend(page.concepts.into_iter().map(|concept| concept.id));
            // Concepts are never deleted, so pages do not shift.
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
    // The server's pages may be smaller than requested.
    for number in 1_u64.. {
        let query = format!("page={number}&per_page={PER_PAGE}{query}");
        let page: Inputs = transport.get(&["inputs"], &query).await?;
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
        // A missing status: the input is listed, so it exists.
        code if code == Code::default() => Processing::Done,
        Code::INPUT_DOWNLOAD_PENDING | Code::INPUT_DOWNLOAD_IN_PROGRESS => Processing::Waiting,
        _ => Processing::Failed(transport.item_error(status)),
    }
}

impl Writer {
    /// Posts inputs, each with the id that its JSON names. Returns for each the state of processing, or why it was refused;
    /// see [`ItemError::is_duplicate_input`] for one that exists already.
    pub async fn post_inputs(
        &self,
        inputs: &[(InputId, Json)],
    ) -> Result<Vec<ItemResult<Processing>>, ApiError> {
        let call = inputs_call(inputs.iter().map(|(_, body)| body));
        let sent: Inputs = self.0.write(call).await?;
        let whole = sent.status.code;
        let mut answers: HashMap<String, Vec<Status>> = HashMap::new();
        for input in sent.inputs {
            answers.entry(input.id).or_default().push(input.status);
        }
        let result =
            |(id, _): &(InputId, Json)| match answers.remove(id.as_str()).unwrap_or_default().pop()
            {
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
        Ok(inputs.iter().map(result).collect())
    }

    /// Deletes these inputs with everything on them. Returns the service's objection, if any. The answer does not say which
    /// input it is about: list what is left.
    pub async fn delete_inputs(
        &self,
        inputs: &DeleteInputs,
    ) -> Result<Option<ItemError>, ApiError> {
        let sent: Inputs = self.0.write(inputs.call()).await?;
        Ok(self.0.objection(&sent.status))
    }
}

#[cfg(test)]
mod tests {
    use super::super::connect::connect;
    use super::super::scripted::{Reply as Answer, Scripted};
    use super::*;

    fn ids(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn page(list: &str, ids: &[String]) -> Answer {
        let items: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        let items = items.join(",");
        Answer::Text(
            200,
            format!(r#"{{"status":{{"code":10000}},"{list}":[{items}]}}"#),
        )
    }

    #[tokio::test]
    async fn inputs_are_read_by_id_with_any_page_size() {
        let server = Scripted::start(|call| {
            let existing = ["a", "c", "d"].map(str::to_owned);
            let at = call.number("page") - 1;
            page("inputs", existing.get(at..=at).unwrap_or_default())
        });
        let (reader, _) = connect(&server.connection()).unwrap();
        let found = reader.inputs(&ids(&["a", "b", "c", "d"])).await.unwrap();
        let found: Vec<&str> = found.iter().map(|input| input.id.as_str()).collect();
        assert_eq!(found, ["a", "c", "d"]);
        assert_eq!(server.calls()[0].all("ids"), ["a", "b", "c", "d"]);
        assert_eq!(server.calls()[0].path, "/v2/users/ann/apps/street/inputs");
    }

    #[tokio::test]
    async fn all_inputs_are_listed_by_a_cursor() {
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
    async fn concepts_are_listed_until_all_wanted_ones_are_found() {
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
    async fn each_input_of_an_answer_is_judged_by_its_status() {
        let server = Scripted::start(|_| {
            Answer::Text(
                200,
                r#"{"status":{"code":"MIXED_STATUS"},"inputs":[
                    {"id":"b","status":{"code":30100,"details":"Input has a duplicate ID."}},
                    {"id":"a","status":{"code":"INPUT_DOWNLOAD_PENDING"}},
                    {"id":"c","status":{"code":30106,"description":"no URL of \u001btopsecret"}}]}"#
                    .into(),
            )
        });
        let (_, writer) = connect(&server.connection()).unwrap();
        let sent = ["a", "b", "c", "d"].map(|id| {
            let body = Json::from_value(&serde_json::json!({ "id": id }));
            (InputId::new(id).unwrap(), body)
        });
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
    async fn a_delete_of_inputs_names_each_of_them() {
        assert_eq!(DeleteInputs::new(Vec::new()), None);
        assert_eq!(DeleteInputs::new(vec!["a".into(), " ".into()]), None);
        assert_eq!(DeleteInputs::new(vec!["a".into(); 129]), None);
        let server = Scripted::start(|_| Answer::Text(200, r#"{"status":{"code":10000}}"#.into()));
        let (_, writer) = connect(&server.connection()).unwrap();
        let inputs = DeleteInputs::new(vec!["a".into(), "b".into()]).unwrap();
        assert_eq!(writer.delete_inputs(&inputs).await, Ok(None));
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

//! The documents' snippets run by the official clients, each on the same annotations.

use super::super::{KEY, Server, config};
use super::documents::{Document, Language, Snippet, documents, fill, mend};
use super::{nodejs, python, script, secured};
use annosync::emulator::{Collaborator, Config};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

/// What the snippets do, in the order of each document: a call, and what it lists or changes.
const EFFECTS: &[(&str, Language, &[&str])] = &[
    ("000", Language::Python, PATCHES),
    ("001", Language::Python, ALL),
    ("001", Language::NodeJs, ALL),
    ("001", Language::Fetch, ALL_BY_FETCH),
    ("002", Language::Python, ALL),
    ("002", Language::NodeJs, ALL),
    ("004", Language::Python, DELETES),
    ("004", Language::NodeJs, DELETES),
    ("004", Language::Fetch, DELETES),
];

/// The files with documents; one has no snippets, only links to them.
const DOCUMENTS: &[&str] = &["000", "001", "002", "003", "004"];

const ALL: &[&str] = &[
    "PostAnnotations: 1 added",
    "PostAnnotations: 2 added",
    "PostAnnotations: 2 added",
    "PostAnnotations: 1 added",
    "ListAnnotations: 5 listed",
    "ListAnnotations: 7 listed",
    "ListAnnotations: 5 listed",
    "ListAnnotations: 2 listed",
    "ListAnnotations: 5 listed",
    "ListAnnotations: 2 listed",
    PATCHES[0],
    PATCHES[1],
    PATCHES[2],
    PATCHES[3],
    DELETES[0],
    DELETES[1],
    DELETES[2],
];

/// With `fetch`, the list by inputs names one input.
const ALL_BY_FETCH: &[&str] = &[
    ALL[0],
    ALL[1],
    ALL[2],
    ALL[3],
    ALL[4],
    ALL[5],
    "ListAnnotations: 3 listed",
    ALL[7],
    ALL[8],
    ALL[9],
    ALL[10],
    ALL[11],
    ALL[12],
    ALL[13],
    ALL[14],
    ALL[15],
    ALL[16],
];

const PATCHES: &[&str] = &[
    "PatchAnnotations: 1 changed",
    "PatchAnnotations: 1 changed",
    "PatchAnnotations: 1 changed",
    "PatchAnnotations: 1 changed",
];

const DELETES: &[&str] = &[
    "DeleteAnnotation: 1 deleted",
    "DeleteAnnotations: 2 deleted",
    "DeleteAnnotations: 5 deleted",
];

#[test]
fn every_call_of_the_documents_is_in_a_snippet() {
    let Some(documents) = documents() else {
        return;
    };
    let names: Vec<&str> = documents.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, DOCUMENTS);
    for document in &documents {
        let snippets = document.snippets();
        assert_eq!(document.calls(), snippets.len(), "{}", document.name);
        for language in [Language::Python, Language::NodeJs, Language::Fetch] {
            let is_row =
                |row: &&(&str, Language, &[&str])| row.0 == document.name && row.1 == language;
            let row = EFFECTS.iter().find(is_row);
            let found = snippets.iter().filter(|it| it.language == language);
            let expected = row.map_or(0, |(.., effects)| effects.len());
            assert_eq!(found.count(), expected, "{language:?} in {}", document.name);
        }
    }
    let mut snippets: Vec<Snippet> = documents.iter().flat_map(Document::snippets).collect();
    mend(&mut snippets);
    snippets.iter_mut().for_each(fill);
}

#[test]
fn the_documents_python_snippets_run() {
    if let Some(mut command) = python() {
        command.arg(script("driver.py"));
        run(&[Language::Python], command);
    }
}

#[test]
fn the_documents_nodejs_and_fetch_snippets_run() {
    if let Some(mut command) = nodejs() {
        command.arg(script("driver.js"));
        run(&[Language::NodeJs, Language::Fetch], command);
    }
}

/// Runs all snippets of some languages in one process, because its client takes long to load.
fn run(languages: &[Language], mut command: Command) {
    let Some(documents) = documents() else {
        return;
    };
    let mut snippets: Vec<Snippet> = documents.iter().flat_map(Document::snippets).collect();
    mend(&mut snippets);
    snippets.iter_mut().for_each(fill);

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        strict: true,
        control: true,
        collaborators: vec![Collaborator {
            user: "labeler".to_owned(),
            key: "labeler-key".to_owned(),
        }],
        ..config()
    };
    let server = runtime.block_on(secured(config, &mut command, folder.path()));
    let mut driver = Driver::start(command);
    let mut ran = 0;
    let wanted = EFFECTS
        .iter()
        .filter(|(_, language, _)| languages.contains(language));
    let wanted = wanted.flat_map(|(document, language, effects)| {
        let own = snippets
            .iter()
            .filter(|it| it.document == *document && it.language == *language);
        own.zip(*effects)
    });
    for (snippet, expected) in wanted {
        ran += 1;
        let before = runtime.block_on(prepare(&server));
        let ending = driver.run(snippet);
        assert_eq!(ending["code"], 10_000, "{snippet:?}\n{ending}");
        let after = runtime.block_on(stored(&server));
        let [call] = &server.emulator.calls()[..] else {
            panic!("{snippet:?}: {:?}", server.emulator.calls());
        };
        let listed = ending["annotations"].as_u64().unwrap();
        let effect = effect(call.endpoint.name(), listed, &before, &after);
        assert_eq!(effect, *expected, "{snippet:?}");
    }
    let all = snippets
        .iter()
        .filter(|it| languages.contains(&it.language));
    assert_eq!(ran, all.count());
    driver.stop();
    runtime.block_on(server.emulator.stop()).unwrap();
}

/// Annotations by the ids of input and annotation.
type Annotations = BTreeMap<(String, String), Value>;

/// Replaces what is stored by what the snippets name: two inputs with annotations of users and of models.
async fn prepare(server: &Server) -> Annotations {
    let reset = format!("{}/_annosync/reset", server.emulator.url());
    let reset = server.json.post(reset).header("authorization", KEY);
    assert_eq!(reset.send().await.unwrap().status(), 200);
    let place = |edge: f32| json!({"bounding_box": {"top_row": 0, "left_col": 0, "bottom_row": edge, "right_col": 1}});
    let region = |id: &str, concept: &str| {
        json!({"regions": [{
            "id": id, "region_info": place(0.25), "data": {"concepts": [{"id": concept, "value": 0}]},
        }]})
    };
    let of_model = |id: &str, version: &str| json!({"id": id, "input_id": "input-1", "model_version_id": version, "data": region(id, "thing")});
    let seed = vec![
        json!({
            "id": "annotation-1", "input_id": "input-1", "data": region("region-1", "bike"),
            "status": {"code": 24151},
        }),
        json!({"id": "annotation-2", "input_id": "input-2", "data": region("region-2", "tree")}),
        json!({"id": "another", "input_id": "input-1", "user_id": "labeler", "data": {"concepts": [{"id": "apple"}]}}),
        of_model("found-1", "version-1"),
        of_model("found-2", "version-2"),
    ];
    server.emulator.seed(seed).await.unwrap();
    server.emulator.forget_calls();
    stored(server).await
}

async fn stored(server: &Server) -> Annotations {
    let all = server.emulator.annotations().await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key = |it: &Value| (text(&it["input_id"]), text(&it["id"]));
    all.into_iter().map(|it| (key(&it), it)).collect()
}

/// The call, and what it changed; for a call that changes nothing, how many annotations its answer has.
fn effect(call: &str, listed: u64, before: &Annotations, after: &Annotations) -> String {
    let missing = |from: &Annotations, to: &Annotations| {
        from.keys().filter(|key| !to.contains_key(*key)).count()
    };
    let changed = before
        .iter()
        .filter(|(key, old)| after.get(*key).is_some_and(|new| new != *old));
    let counts = [
        (missing(after, before), "added"),
        (missing(before, after), "deleted"),
        (changed.count(), "changed"),
    ];
    let words = counts.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = words
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if words.is_empty() {
        return format!("{call}: {listed} listed");
    }
    format!("{call}: {}", words.join(", "))
}

/// A process with a client, which runs one snippet after another.
struct Driver {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Driver {
    fn start(mut command: Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    /// Returns the status and the number of annotations of the answer, or the error.
    fn run(&mut self, snippet: &Snippet) -> Value {
        let request = json!({"name": snippet.name, "code": snippet.code});
        writeln!(self.child.stdin.as_mut().unwrap(), "{request}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer)
            .unwrap_or_else(|error| panic!("{snippet:?}: {error}: {answer}"))
    }

    fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

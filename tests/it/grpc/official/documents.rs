//! The snippets of the service's documents for Python and NodeJS. The documents are not part of the project: they are read
//! where they lie beside it.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    NodeJs,
    /// JavaScript over REST, with `fetch`.
    Fetch,
}

/// A file with documents.
pub(super) struct Document {
    /// The number that its name begins with.
    pub(super) name: String,
    lines: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Snippet {
    pub(super) document: String,
    /// Document and line.
    pub(super) name: String,
    pub(super) language: Language,
    pub(super) code: String,
}

/// All documents, in order. `None` if they are not there.
pub(super) fn documents() -> Option<Vec<Document>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/seeds");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: {} has no documents", folder.display());
        return None;
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "txt"));
    paths.sort();
    let read = |path: &Path| Document {
        name: path.file_name().unwrap().to_str().unwrap()[..3].to_owned(),
        lines: std::fs::read_to_string(path)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect(),
    };
    Some(paths.iter().map(|path| read(path)).collect())
}

impl Document {
    /// How many calls of `fetch`, and of Python's or NodeJS's stub, the text has: methods of Java's begin with a small letter.
    pub(super) fn calls(&self) -> usize {
        let is_call = |line: &&String| {
            let called = line.split_once("stub.").map(|(_, method)| method);
            called.is_some_and(|it| it.starts_with(|first: char| first.is_ascii_uppercase()))
                || line.starts_with("fetch(")
        };
        self.lines.iter().filter(is_call).count()
    }

    pub(super) fn snippets(&self) -> Vec<Snippet> {
        let begins = (0..self.lines.len()).filter_map(|at| Some((at, self.language_at(at)?)));
        let snippet = |(at, language): (usize, Language)| {
            let end = self.end(at, language);
            let lines: Vec<&str> = self.lines[at..end].iter().map(String::as_str).collect();
            Snippet {
                document: self.name.clone(),
                name: format!("document {}, line {}", self.name, at + 1),
                language,
                code: match language {
                    Language::Python => indented(&lines),
                    // Where a comma is missing is found by the lines around it, which some documents indent.
                    Language::NodeJs | Language::Fetch => lines
                        .iter()
                        .map(|it| it.trim())
                        .collect::<Vec<_>>()
                        .join("\n"),
                },
            }
        };
        begins.map(snippet).collect()
    }

    /// The language of the snippet that begins in a line.
    fn language_at(&self, at: usize) -> Option<Language> {
        let [line, next] = [at, at + 1].map(|at| self.lines.get(at).map_or("", String::as_str));
        let is_banner = line.len() > 20 && line.bytes().all(|byte| byte == b'#');
        if line.starts_with("# Insert here the init")
            || (is_banner && next.starts_with("# In this section"))
        {
            return Some(Language::Python);
        }
        // Others begin with a comment.
        let is_first = at == 0 || !self.lines[at - 1].starts_with("//");
        let is_value = line.starts_with("const raw = JSON") || line.starts_with("const appId = '");
        let is_script = at > 0 && self.lines[at - 1] == "<script>";
        if is_script || (is_first && is_value) {
            return Some(Language::Fetch);
        }
        // Java's begin with the same comment.
        let mut below = self.lines.iter().skip(at + 1).filter(|it| !it.is_empty());
        let mut is_called = || below.nth(1).is_some_and(|it| it.starts_with("stub."));
        let is_node = line == "//index.js file"
            || (line.starts_with("// Insert here the init") && is_called());
        is_node.then_some(Language::NodeJs)
    }

    /// The line after the snippet that begins in a line.
    fn end(&self, begin: usize, language: Language) -> usize {
        let rest = self.lines.iter().enumerate().skip(begin);
        match language {
            Language::NodeJs | Language::Fetch => {
                let mut ends =
                    rest.filter(|(_, line)| *line == ");" || line.starts_with(".catch("));
                ends.next().map(|(at, _)| at + 1)
            }
            // After the check of the status, a loop may print what was listed.
            Language::Python => {
                let mut after = rest.skip_while(|(_, line)| !line.trim().starts_with("raise "));
                after.next();
                let mut ends = after.filter(|(_, line)| {
                    let line = line.trim();
                    !(line.is_empty() || line.starts_with("for ") || line.starts_with("print("))
                });
                ends.next().map(|(at, _)| at)
            }
        }
        .unwrap_or(self.lines.len())
    }
}

/// Some documents have lost the indentation of their snippets, which have blocks at the outermost level only.
fn indented(lines: &[&str]) -> String {
    let is_whole = lines.iter().any(|line| line.starts_with(' '));
    let mut is_in_block = false;
    let mut code = String::new();
    for line in lines {
        let begins = line.ends_with(':') && (line.starts_with("if ") || line.starts_with("for "));
        let indent = if is_in_block && !begins && !is_whole {
            "    "
        } else {
            ""
        };
        code.extend([indent, line, "\n"]);
        is_in_block = begins || (is_in_block && !line.starts_with("raise "));
    }
    code
}

/// What is wrong in the documents, what is right, and in how many snippets.
const MENDED: &[(Language, &str, &str, usize)] = &[
    (Language::Python, "}\". \"{", "}\", \"{", 4),
    (
        Language::Python,
        "}\"]\n        ids=",
        "}\"],\n        ids=",
        1,
    ),
    (Language::Python, "PatcchAnnotations", "PatchAnnotations", 4),
    (Language::Python, "metadta", "metadata", 1),
    (Language::Python, "data=status_pb2", "status=status_pb2", 2),
    (Language::Python, " annotation_id=[", " ids=[", 1),
    (Language::Python, "\nannotation_id=[", "\nids=[", 1),
    (Language::NodeJs, "\nannotation_ids:", "\nids:", 3),
    (Language::NodeJs, "}\n}\n// 1 means", "}\n},\n// 1 means", 4),
    (Language::NodeJs, "]\n}\nembed_", "]\n},\nembed_", 4),
    (Language::NodeJs, "}\" //", "}\", //", 4),
    (Language::NodeJs, "0.8\nright", "0.8,\nright", 2),
    (
        Language::Fetch,
        "\"input_id\": \"{{asset_id}}\"",
        "\"input_id\": \"input-1\", \"id\": \"annotation-1\"",
        1,
    ),
    (
        Language::Fetch,
        "]\n});\nconst requestOptions = {\nmethod: 'PATCH'",
        "], \"action\": \"overwrite\"\n});\nconst requestOptions = {\nmethod: 'PATCH'",
        1,
    ),
    // What is named twice here is two things elsewhere.
    (
        Language::Fetch,
        "ids=${modelVersionId1}`",
        "ids=${modelVersionId2}`",
        1,
    ),
    (
        Language::NodeJs,
        "INPUT_ID_2}\", \"",
        "INPUT_ID_1}\", \"",
        4,
    ),
];

/// Mends the documents' mistakes, each of which must be there.
pub(super) fn mend(snippets: &mut [Snippet]) {
    for (language, wrong, right, count) in MENDED {
        let mut found = 0;
        for snippet in snippets.iter_mut().filter(|it| it.language == *language) {
            found += usize::from(snippet.code.contains(wrong));
            snippet.code = snippet.code.replace(wrong, right);
        }
        assert_eq!(found, *count, "snippets with {wrong:?}");
    }
}

/// What takes the place of the documents' placeholders.
const FILLED: &[(&str, &str)] = &[
    ("YOUR_USER_ID_HERE", "owner"),
    ("YOUR_APP_ID_HERE", "app"),
    ("YOUR_PAT_HERE", "owner-key"),
    ("{YOUR_USER_ID}", "owner"),
    ("{YOUR_APP_ID}", "app"),
    ("{YOUR_PERSONAL_TOKEN}", "owner-key"),
    ("{{concept_id}}", "bike"),
    ("{YOUR_INPUT_ID}", "input-1"),
    ("{YOUR_INPUT_ID_1}", "input-1"),
    ("{YOUR_INPUT_ID_2}", "input-2"),
    ("{YOUR_ANNOTATION_ID}", "annotation-1"),
    ("{YOUR_ANNOTATION_ID_1}", "annotation-1"),
    ("{YOUR_ANNOTATION_ID_2}", "annotation-2"),
    ("{REGION_ID}", "region-1"),
    ("{REGION_ID_1}", "found-1"),
    ("{REGION_ID_2}", "found-2"),
    ("{USER_ID}", "labeler"),
    ("{USER_ID_1}", "owner"),
    ("{USER_ID_2}", "labeler"),
    ("{MODEL_VERSION_ID_1}", "version-1"),
    ("{MODEL_VERSION_ID_2}", "version-2"),
    ("{EMBED_MODEL_VERSION_ID}", "embed-1"),
];

/// The values of variables that name something in the authors' app.
const VARIABLES: &[(&str, &str)] = &[
    ("INPUT_ID", "input-1"),
    ("INPUT_ID_1", "input-1"),
    ("INPUT_ID_2", "input-2"),
    ("ANNOTATION_ID", "annotation-1"),
    ("ANNOTATION_ID_1", "annotation-1"),
    ("ANNOTATION_ID_2", "annotation-2"),
    ("REGION_ID", "region-1"),
];

/// Names what the test has seeded.
pub(super) fn fill(snippet: &mut Snippet) {
    // JavaScript's own placeholders stay.
    const OWN: (&str, &str) = ("${", "$\0");
    snippet.code = snippet.code.replace(OWN.0, OWN.1);
    for (placeholder, value) in FILLED {
        snippet.code = snippet.code.replace(placeholder, value);
    }
    snippet.code = snippet.code.replace(OWN.1, OWN.0);
    for (variable, value) in VARIABLES {
        let assigned = format!("{variable} = '");
        let Some((before, after)) = snippet.code.split_once(&assigned) else {
            continue;
        };
        let (_, after) = after.split_once('\'').unwrap();
        snippet.code = format!("{before}{assigned}{value}'{after}");
    }
    for left in ["\"{", "'{", "_HERE"] {
        assert!(!snippet.code.contains(left), "{snippet:?}");
    }
}

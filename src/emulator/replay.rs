//! Answers from a recording.

use super::recording::{Answer, Exchange, FORMAT, Header, RecordingError, Request};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How many differences of the nearest request are named.
const MAX_DIFFERENCES: usize = 3;

#[derive(Debug)]
pub(super) struct Replay {
    path: PathBuf,
    /// Each with the number of its line.
    exchanges: Vec<(usize, Exchange)>,
    /// The places of equal requests in `exchanges`, in order, by [`Request::key`].
    equal: HashMap<String, Vec<usize>>,
    /// How often a request was answered, by its key.
    answered: Mutex<HashMap<String, usize>>,
}

impl Replay {
    pub(super) fn read(path: &Path) -> Result<Self, RecordingError> {
        let failed = |source| RecordingError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let mut replay = Self {
            path: path.to_owned(),
            exchanges: Vec::new(),
            equal: HashMap::new(),
            answered: Mutex::default(),
        };
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            let size = file.read_until(b'\n', &mut text).map_err(failed)?;
            if size == 0 && line == 1 {
                let problem = "the file is empty; the first line has to be that of a recording";
                return Err(replay.fault(1, 1, problem.to_owned()));
            }
            if size == 0 {
                break;
            }
            if line == 1 {
                let header: Header = replay.parse(line, &text)?;
                if header.format_version != FORMAT {
                    let found = header.format_version;
                    let problem = format!(
                        "the recording has format {found}, but this version of annosync supports format {FORMAT}"
                    );
                    return Err(replay.fault(line, 1, problem));
                }
            } else if !text.trim_ascii().is_empty() {
                let exchange: Exchange = replay.parse(line, &text)?;
                let fault = exchange.request.fault().or(exchange.answer.fault());
                if let Some(problem) = fault {
                    return Err(replay.fault(line, 1, problem.to_owned()));
                }
                let places = replay.equal.entry(exchange.request.key()).or_default();
                places.push(replay.exchanges.len());
                replay.exchanges.push((line, exchange));
            }
        }
        Ok(replay)
    }

    fn parse<T: DeserializeOwned>(&self, line: usize, text: &[u8]) -> Result<T, RecordingError> {
        serde_json::from_slice(text).map_err(|error| {
            if error.is_eof() {
                let problem = "the line is cut off; delete it, or record again";
                return self.fault(line, text.trim_ascii_end().len().max(1), problem.to_owned());
            }
            // Its place is part of the message, but the line is always 1.
            let message = error.to_string();
            let problem = message.split(" at line 1 column ").next();
            self.fault(
                line,
                error.column().max(1),
                problem.unwrap_or_default().to_owned(),
            )
        })
    }

    fn fault(&self, line: usize, column: usize, problem: String) -> RecordingError {
        RecordingError::Line {
            path: self.path.clone(),
            line,
            column,
            problem,
        }
    }

    /// The next recorded answer to a request, or the last one again. The error says which request was not recorded.
    pub(super) fn answer(&self, request: &Request) -> Result<&Answer, String> {
        let key = request.key();
        let Some(places) = self.equal.get(&key) else {
            return Err(self.unknown(request));
        };
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let count = answered.entry(key).or_default();
        let place = places[(*count).min(places.len() - 1)];
        *count += 1;
        Ok(&self.exchanges[place].1.answer)
    }

    /// Begins with the first answers again.
    pub(super) fn rewind(&self) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.clear();
    }

    fn unknown(&self, request: &Request) -> String {
        let file = self.path.display();
        let summary = request.summary();
        let start = format!("not recorded in {file}: `{summary}`");
        let nearest = self.exchanges.iter().min_by_key(|(_, exchange)| {
            let recorded = &exchange.request;
            let same = recorded.method == request.method && recorded.path == request.path;
            let differences = if same {
                recorded.differences(request).len()
            } else {
                0
            };
            let distance = strsim::levenshtein(&recorded.path, &request.path);
            (recorded.method != request.method, distance, differences)
        });
        let Some((line, nearest)) = nearest else {
            return format!("{start}; the recording has no requests");
        };
        let nearest = &nearest.request;
        let mut differences = Vec::new();
        if nearest.method != request.method {
            differences.push("the method".to_owned());
        }
        if nearest.path != request.path {
            differences.push("the path".to_owned());
        }
        differences.extend(nearest.differences(request));
        let more = differences.len().saturating_sub(MAX_DIFFERENCES);
        differences.truncate(MAX_DIFFERENCES);
        if more > 0 {
            differences.push(format!("{more} more"));
        }
        format!(
            "{start}; the nearest request is in line {line}, `{}`, and differs in {}",
            nearest.summary(),
            differences.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::replacements::Replacements;
    use super::*;

    const HEADER: &str = r#"{"format_version":"1.0","recorded_from":"emulator"}"#;

    fn read(text: &str) -> Result<Replay, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.jsonl");
        std::fs::write(&path, text).unwrap();
        let place = format!("{}:", path.display());
        Replay::read(&path).map_err(|error| error.to_string().replace(&place, ""))
    }

    fn line(path: &str, query: &str, status: u16) -> String {
        format!(
            r#"{{"request":{{"method":"GET","path":"{path}","query":"{query}"}},"answer":{{"status":{status},"json":{{}}}}}}"#
        )
    }

    fn get(path: &str, query: &str) -> Request {
        Request::new("GET", path, query, b"", &Replacements::default())
    }

    #[test]
    fn equal_requests_are_answered_in_order_and_the_last_again_and_again() {
        let lines = [
            HEADER,
            &line("/a", "x=1&y=2", 200),
            "",
            &line("/b", "", 404),
            &line("/a", "y=2&x=1", 201),
        ];
        let replay = read(&lines.join("\n")).unwrap();
        let status = |request: &Request| replay.answer(request).map(|answer| answer.status);
        let order: Vec<_> = (0..4).map(|_| status(&get("/a", "x=1&y=2"))).collect();
        assert_eq!(order, [Ok(200), Ok(201), Ok(201), Ok(201)]);
        assert_eq!(status(&get("/b", "")), Ok(404));
        replay.rewind();
        assert_eq!(status(&get("/a", "y=2&x=1")), Ok(200));
    }

    #[test]
    fn an_unknown_request_is_named_with_the_nearest_one() {
        let lines = [
            HEADER,
            &line("/inputs", "page=1", 200),
            &line("/inputs", "page=2&per_page=9", 200),
            &line("/concepts", "", 200),
        ];
        let replay = read(&lines.join("\n")).unwrap();
        let why = replay
            .answer(&get("/inputs", "page=3&per_page=9"))
            .unwrap_err();
        assert!(why.contains("`GET /inputs?page=3&per_page=9`"), "{why}");
        let nearest =
            "in line 3, `GET /inputs?page=2&per_page=9`, and differs in the parameter `page`";
        assert!(why.ends_with(nearest), "{why}");
        let why = replay.answer(&get("/concept", "")).unwrap_err();
        assert!(
            why.ends_with("in line 4, `GET /concepts`, and differs in the path"),
            "{why}"
        );
        let why = read(HEADER).unwrap().answer(&get("/a", "")).unwrap_err();
        assert!(why.ends_with("the recording has no requests"), "{why}");
    }

    #[test]
    fn faults_of_a_file_name_line_and_column() {
        let whole = line("/a", "", 200);
        for (lines, why) in [
            (vec![""], "1:1: the file is empty"),
            (vec!["{}"], "1:2: missing field `format_version`"),
            (
                vec![r#"{"format_version":"2.0","recorded_from":"x"}"#],
                "1:1: the recording has format 2.0",
            ),
            (
                vec![HEADER, &whole, &whole[..30]],
                "3:30: the line is cut off",
            ),
            (vec![HEADER, "[]"], "2:"),
            (
                vec![HEADER, &whole.replace("query", "qury")],
                "2:45: unknown field `qury`",
            ),
            (vec![HEADER, &line("/a", "", 9)], "2:1: `status` is not"),
            (
                vec![HEADER, &line("a", "", 200)],
                "2:1: `path` does not begin",
            ),
        ] {
            let error = read(&lines.join("\n")).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
    }
}

//! A server for tests; its answers come from a closure. It writes raw bytes, so that it can break off, close early, and answer
//! something other than JSON.

use super::connection::{Connection, Endpoint, InsecureHttp, Token};
use super::retry::RetryPolicy;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The number of calls before it.
    pub(crate) number: usize,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

impl Call {
    /// All values of a query field.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.query
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    pub(crate) fn number(&self, name: &str) -> usize {
        self.all(name)[0].parse().unwrap()
    }
}

pub(crate) enum Reply {
    /// A status and a body.
    Text(u16, String),
    /// A status, further header lines, and a body.
    Headed(u16, &'static str, String),
    /// Announces more bytes than it sends.
    BreakOff(String),
    /// Closes the connection without an answer.
    Hangup,
    /// Does not answer for this time.
    Silence(Duration),
}

/// A success with these annotations.
pub(crate) fn success(annotations: &[String]) -> Reply {
    Reply::Text(
        200,
        format!(
            r#"{{"status":{{"code":10000,"description":"Ok"}},"annotations":[{}]}}"#,
            annotations.join(",")
        ),
    )
}

/// An annotation that has only its ids.
pub(crate) fn named(input: &str, id: &str) -> String {
    format!(r#"{{"id":"{id}","input_id":"{input}"}}"#)
}

/// One page of `all` as the request asks for it, of at most `cap` annotations.
pub(crate) fn page_of(all: &[String], call: &Call, cap: usize) -> Reply {
    let size = call.number("per_page").min(cap);
    let start = (call.number("page") - 1) * size;
    success(&all[start.min(all.len())..(start + size).min(all.len())])
}

/// A running server. It stops with the test's process.
pub(crate) struct Scripted {
    address: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Scripted {
    pub(crate) fn start(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let (script, seen) = (Arc::new(script), Arc::clone(&calls));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
                std::thread::spawn(move || {
                    // A client may hang up early.
                    let _ = serve(stream, &*script, &seen);
                });
            }
        });
        Self { address, calls }
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// A connection to it with short pauses.
    pub(crate) fn connection(&self) -> Connection {
        let endpoint = Endpoint::new(&self.address, InsecureHttp::Refuse).unwrap();
        Connection {
            rate_limit: 100_000,
            concurrency: 4,
            timeout: Duration::from_secs(20),
            retry: RetryPolicy {
                attempts: 4,
                first_pause: Duration::from_millis(1),
                max_pause: Duration::from_millis(2),
                max_wait: Duration::from_secs(1),
                seed: None,
            },
            ..Connection::new(
                endpoint,
                "ann".into(),
                "street".into(),
                Token::new("topsecret").unwrap(),
            )
        }
    }
}

fn serve(
    stream: TcpStream,
    script: &dyn Fn(&Call) -> Reply,
    seen: &Mutex<Vec<Call>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    // A connection that was opened in advance and not used is not a call.
    if reader.read_line(&mut line)? == 0 {
        return Ok(());
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim().split_once(": ") {
            None => break,
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap();
            }
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                value.clone_into(&mut authorization);
            }
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let url = url::Url::parse(&format!("http://host{target}")).unwrap();
    let call = {
        let mut seen = seen.lock().unwrap();
        let call = Call {
            number: seen.len(),
            method,
            path: url.path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
            authorization,
            body: String::from_utf8(body).unwrap(),
        };
        seen.push(call.clone());
        call
    };
    let mut stream = stream;
    let (http, headers, body, length) = match script(&call) {
        Reply::Text(http, body) => (http, "", body.clone(), body.len()),
        Reply::Headed(http, headers, body) => (http, headers, body.clone(), body.len()),
        Reply::BreakOff(body) => (200, "", body.clone(), body.len() + 100),
        Reply::Hangup => return Ok(()),
        Reply::Silence(time) => {
            std::thread::sleep(time);
            return Ok(());
        }
    };
    write!(
        stream,
        "HTTP/1.1 {http} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )?;
    stream.flush()
}

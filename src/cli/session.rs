//! An open connection to an app, or to an embedded store started for it.

use super::connection::{ConnectionArgs, Destination, EMBEDDED_APP, EMBEDDED_OWNER};
use super::exit::Failure;
use super::progress::Progress;
use crate::api::{self, Connection, Endpoint, InsecureHttp, Reader, Token, Writer};
use crate::emulator::{Config, Database, Emulator};
use crate::manifest::Manifest;
use crate::model::{DesiredInput, ObservedState, Scope, Shard, UserId, hex};
use crate::observed::{self, Expected};
use std::net::{Ipv4Addr, SocketAddr};

/// Whether inputs that the app lacks are posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CreateInputs {
    Yes,
    No,
}

pub(crate) struct Session {
    /// The app's owner as named by the target; may be `me`.
    owner: String,
    /// Both share one rate limit.
    clients: (Reader, Writer),
    emulator: Option<Emulator>,
}

impl Session {
    /// Opens a connection; an embedded store is started and runs until the session is closed.
    pub(crate) async fn open(
        args: &ConnectionArgs,
        destination: &Destination,
    ) -> Result<Self, Failure> {
        Self::open_for(args, destination, CreateInputs::No).await
    }

    /// As [`Self::open`]. An embedded store creates missing inputs by itself, unless they are to be posted.
    pub(crate) async fn open_for(
        args: &ConnectionArgs,
        destination: &Destination,
        create: CreateInputs,
    ) -> Result<Self, Failure> {
        let (mut connection, emulator) = match destination {
            Destination::App {
                endpoint,
                user_id,
                app_id,
                ..
            } => (
                Connection::new(
                    endpoint.clone(),
                    user_id.clone(),
                    app_id.clone(),
                    args.token(destination)?,
                ),
                None,
            ),
            Destination::Embedded { path, .. } => {
                // Other users of the machine can reach the port, so the key is a secret.
                let mut secret = [0; 16];
                getrandom::fill(&mut secret).map_err(|error| {
                    Failure::new(format!("the system gives no random numbers: {error}"))
                })?;
                let key = hex(&secret);
                let config = Config {
                    database: Database::File(path.clone()),
                    owner: EMBEDDED_OWNER.into(),
                    owner_key: key.clone(),
                    app_id: EMBEDDED_APP.into(),
                    require_inputs: create == CreateInputs::Yes,
                    ..Config::default()
                };
                let emulator = Emulator::start(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
                    .await
                    .map_err(|error| {
                        Failure::new(format!(
                            "cannot open the embedded store {}: {}",
                            path.display(),
                            chain(&error)
                        ))
                    })?;
                let endpoint = Endpoint::new(&emulator.url(), InsecureHttp::Refuse)?;
                let token = Token::new(&key)?;
                (
                    Connection::new(endpoint, EMBEDDED_OWNER.into(), EMBEDDED_APP.into(), token),
                    Some(emulator),
                )
            }
        };
        connection.rate_limit = destination.rate_limit();
        args.bound(&mut connection);
        Ok(Self {
            clients: api::connect(&connection)?,
            owner: connection.user_id,
            emulator,
        })
    }

    /// For plans; cannot write.
    pub(crate) fn reader(&self) -> &Reader {
        &self.clients.0
    }

    /// For applies.
    pub(crate) fn writer(&self) -> &Writer {
        &self.clients.1
    }

    /// Lists the app and decodes the complete listing.
    pub(crate) async fn observe(&self, scope: &Scope) -> Result<ObservedState, Failure> {
        let _progress = Progress::reading(self.reader());
        Ok(observed::observe(self.reader(), &self.owner, scope).await?)
    }

    /// [`Self::observe`], for the plan of a manifest: it says about how much there is to list.
    pub(crate) async fn observe_for(
        &self,
        manifest: &Manifest,
        scope: &Scope,
    ) -> Result<ObservedState, Failure> {
        let inputs = &manifest.desired.inputs;
        // Each input has an input-level annotation as well.
        let annotations = |input: &DesiredInput| input.annotations.len() as u64 + 1;
        let shard = match scope {
            Scope::Shard(shard) => *shard,
            Scope::WholeApp => {
                let _progress = Progress::reading(self.reader());
                // Before the first apply, an app has the input-level annotations only.
                let about = vec![inputs.len() as u64, inputs.iter().map(annotations).sum()];
                let observed = observed::observe_about(self.reader(), &self.owner, about).await;
                return Ok(observed?);
            }
            Scope::Inputs(_) => return self.observe(scope).await,
        };
        let mut expected = Expected::default();
        for input in inputs {
            let annotations = annotations(input);
            expected.inputs += 1;
            expected.annotations += annotations;
            if shard.covers(&input.id) {
                expected.known.insert(input.id.clone());
                expected.of_shard += annotations;
            }
        }
        if let Some(others) = &manifest.shard {
            expected.inputs += others.inputs;
            expected.annotations += others.annotations + others.inputs;
        }
        self.observe_shard(shard, &expected).await
    }

    /// Lists the inputs of a shard.
    pub(crate) async fn observe_shard(
        &self,
        shard: Shard,
        expected: &Expected,
    ) -> Result<ObservedState, Failure> {
        let _progress = Progress::reading(self.reader());
        Ok(observed::observe_shard(self.reader(), &self.owner, shard, expected).await?)
    }

    /// The user of the token.
    pub(crate) async fn caller(&self) -> Result<UserId, Failure> {
        let id = self.reader().caller().await?;
        UserId::new(id).map_err(|error| Failure::new(format!("the calling user: {error}")))
    }

    /// The app's owner as named by the target; `me` is the caller.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Closes the session and stops an embedded store.
    pub(crate) async fn close(self) {
        if let Some(emulator) = self.emulator {
            // All answered calls are committed already.
            let _ = emulator.stop().await;
        }
    }
}

/// The message of an error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    #[tokio::test]
    async fn the_embedded_store_listens_on_loopback_and_requires_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let destination = Destination::Embedded {
            path: folder.path().join("store.db"),
            rate_limit: 1_000,
        };
        let args = ConnectionArgs::default();
        let session = Session::open(&args, &destination).await.unwrap();
        let url = session.emulator.as_ref().unwrap().url();
        let address: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
        assert!(address.ip().is_loopback());
        let answers = tokio::task::spawn_blocking(move || {
            let answer = |key: &str| {
                let mut stream = TcpStream::connect(address).unwrap();
                let path = "/v2/users/local/apps/local/annotations";
                let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
                stream
                    .write_all(format!("{head}{key}\r\n").as_bytes())
                    .unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                answer
            };
            let keys = ["", "owner-key", "local", "0", &"0".repeat(32)];
            let line = |key: &str| format!("Authorization: Key {key}\r\n");
            let mut answers: Vec<String> = keys.map(|key| answer(&line(key))).into();
            answers.push(answer(""));
            answers
        });
        for answer in answers.await.unwrap() {
            assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        }
        session.close().await;
    }
}

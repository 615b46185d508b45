//! A connection that is open: to an app, or to an embedded store that was started for it.

use super::connection::{ConnectionArgs, Destination, EMBEDDED_APP, EMBEDDED_OWNER};
use super::exit::Failure;
use super::inventory::CreateInputs;
use super::progress::Progress;
use crate::api::{self, Connection, Endpoint, InsecureHttp, Reader, Token, Writer};
use crate::emulator::{Config, Database, Emulator};
use crate::model::{ObservedState, Scope, UserId};
use crate::observed;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, SocketAddr};

pub(crate) struct Session {
    /// The app's owner as the target names it.
    owner: String,
    /// Both share one pace: what a plan's listing used up of a second, an apply does not use again.
    clients: (Reader, Writer),
    emulator: Option<Emulator>,
}

impl Session {
    /// Opens a connection; an embedded store is started for as long as the session lasts.
    pub(crate) async fn open(
        args: &ConnectionArgs,
        destination: &Destination,
    ) -> Result<Self, Failure> {
        Self::open_for(args, destination, CreateInputs::No).await
    }

    /// The same. An embedded store makes inputs by itself, unless they are to be posted.
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
                    args.token()?,
                ),
                None,
            ),
            Destination::Embedded { path, .. } => {
                // Other users of the machine can reach the port: the key is a secret of this process.
                let key = format!("{:016x}{:016x}", secret(), secret());
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

    /// What a plan gets: nothing that could write.
    pub(crate) fn reader(&self) -> &Reader {
        &self.clients.0
    }

    /// What an apply gets.
    pub(crate) fn writer(&self) -> &Writer {
        &self.clients.1
    }

    /// Lists the app, proves the listing complete, and makes the observed state of it.
    pub(crate) async fn observe(&self, scope: &Scope) -> Result<ObservedState, Failure> {
        let _progress = Progress::reading(self.reader());
        Ok(observed::observe(self.reader(), &self.owner, scope).await?)
    }

    /// The user whose token this is.
    pub(crate) async fn caller(&self) -> Result<UserId, Failure> {
        let id = self.reader().caller().await?;
        UserId::new(id).map_err(|error| Failure::new(format!("the calling user: {error}")))
    }

    /// The app's owner as the target names it; `me` stands for the caller.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Ends the session; an embedded store is closed.
    pub(crate) async fn close(self) {
        if let Some(emulator) = self.emulator {
            // Everything was answered, hence committed, before.
            let _ = emulator.stop().await;
        }
    }
}

/// 64 bits that others cannot guess: the keys of the standard library's hash maps come from the operating system.
fn secret() -> u64 {
    RandomState::new().hash_one(0_u8)
}

/// An error with its causes.
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
    async fn the_embedded_store_is_on_this_machine_alone_and_refuses_who_has_no_key() {
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
        let asked = tokio::task::spawn_blocking(move || {
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
        for answer in asked.await.unwrap() {
            assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        }
        session.close().await;
    }
}

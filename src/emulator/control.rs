//! Paths for tests, which are not part of the API: whether the emulator is ready, and to fill, read and empty its app.
//! Only with [`super::Config::control`].

use super::config::{Database, ListingOrder};
use super::dispatch::{self, Reply};
use super::listing::{Filter, Page};
use super::media;
use super::reply::{self, Answer, Refusal};
use super::seed::{annotations_in, configured_app, store_all};
use super::shared::{Mode, Shared};
use super::shown;
use super::store::Access;
use crate::wire::Code;
use axum::http::HeaderMap;
use axum::routing::MethodFilter;
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Ready,
    Seed,
    Dump,
    Reset,
}

impl Action {
    pub(super) const ALL: [(Self, MethodFilter, &'static str); 4] = [
        (Self::Ready, MethodFilter::GET, "/_annosync/ready"),
        (Self::Seed, MethodFilter::POST, "/_annosync/seed"),
        (Self::Dump, MethodFilter::GET, "/_annosync/dump"),
        (Self::Reset, MethodFilter::POST, "/_annosync/reset"),
    ];
}

/// Carries out an action. `address` is the emulator's as the caller knows it.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    action: Action,
    headers: &HeaderMap,
    body: &[u8],
    address: String,
) -> Reply {
    let done = carry_out(shared, action, headers, body, address).await;
    dispatch::finish(shared, done.unwrap_or_else(Refusal::into_answer))
}

/// The answer to a body that was not read completely.
pub(super) fn too_large(shared: &Shared, most: usize) -> Reply {
    let details = format!("the body has more than {most} bytes");
    let refusal = Refusal::new(413, Code::CONN_BAD_REQUEST_FORMAT, details);
    dispatch::finish(shared, refusal.into_answer())
}

async fn carry_out(
    shared: &Arc<Shared>,
    action: Action,
    headers: &HeaderMap,
    body: &[u8],
    address: String,
) -> Result<Answer, Refusal> {
    if action != Action::Ready && dispatch::caller(&shared.config, headers)? != shared.config.owner
    {
        let details = "only the app's owner may do this";
        return Err(Refusal::new(403, Code::CONN_INSUFFICIENT_SCOPES, details));
    }
    match (action, &shared.mode) {
        (Action::Ready, _) => {
            let read = shared.run(Access::Reads, |session, config| {
                configured_app(session, config)
            });
            read.await.map(|_| Answer::success(None))
        }
        (Action::Reset, Mode::Replay(replay)) => {
            replay.rewind();
            Ok(Answer::success(None))
        }
        (_, Mode::Replay(_)) => Err(conflict(
            "a recording is being replayed: only reset is possible, and starts the replay again",
        )),
        (
            _,
            Mode::Record {
                forward: Some(_), ..
            },
        ) => Err(conflict(
            "calls are forwarded, and the emulator has no data of its own",
        )),
        (Action::Seed, _) => seed(shared, body).await,
        (Action::Dump, _) => dump(shared, address).await,
        (Action::Reset, _) => reset(shared).await,
    }
}

fn conflict(details: &str) -> Refusal {
    Refusal::new(409, Code::CONN_INVALID_REQUEST, details)
}

async fn seed(shared: &Arc<Shared>, body: &[u8]) -> Result<Answer, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::format("the body is not UTF-8"))?;
    let annotations = annotations_in(text).map_err(|error| Refusal::format(error.to_string()))?;
    let stored = shared.run(Access::Writes, move |session, config| {
        store_all(session, config, annotations)
    });
    stored.await.map(|()| Answer::success(None))
}

/// All annotations, inputs and concepts of the configured app, oldest first.
async fn dump(shared: &Arc<Shared>, address: String) -> Result<Answer, Refusal> {
    let read = shared.run(Access::Reads, move |session, config| {
        let app = configured_app(session, config)?;
        let style = config.response_style;
        let annotations = session.list(&app, &Filter::everything(), 0, u64::MAX)?;
        let annotations = annotations
            .into_iter()
            .map(|it| shown::annotation(it, style));
        let mut inputs = Vec::new();
        for mut input in session.inputs(&app, &[], ListingOrder::OldestFirst, Page::ALL)? {
            media::show(&mut input.data, &address);
            let datasets = session.datasets_of(&app, &input.id)?;
            inputs.push(reply::input(input, datasets, style));
        }
        let concepts = session.concepts(&app, 0, u64::MAX)?;
        let concepts = concepts.iter().map(|it| reply::concept(it, &app));
        Ok(
            Answer::success(Some(("annotations", annotations.collect())))
                .and("inputs", inputs.into())
                .and("concepts", concepts.collect()),
        )
    });
    read.await
}

/// Empties a store in memory. One in a file may hold labels that are wanted.
async fn reset(shared: &Arc<Shared>) -> Result<Answer, Refusal> {
    if shared.config.database != Database::Memory {
        return Err(conflict(
            "the store is a file, and only one in memory can be reset; start with --db :memory:",
        ));
    }
    let cleared = shared.run(Access::Writes, |session, config| {
        Ok(session.clear(&config.owner, &config.app_id)?)
    });
    cleared.await.map(|()| Answer::success(None))
}

//! `--notify`: posts the outcome of an apply to a webhook. The apply does not depend on it.

use super::command_line::variable;
use super::exit::Failure;
use super::output;
use crate::api::{Token, Webhook};
use crate::plan::OutcomeDocument;
use crate::render;

/// The bearer token of the webhook, if it needs one.
const TOKEN: &str = "ANNOSYNC_NOTIFY_TOKEN";

/// The webhook, checked before anything is sent to the app.
pub(super) fn webhook(url: &str) -> Result<Webhook, Failure> {
    let token = variable(TOKEN).map(|text| Token::new(&text)).transpose();
    let token = token.map_err(|error| Failure::usage(format!("{TOKEN}: {error}")))?;
    Webhook::new(url, token).map_err(|error| {
        let hint = error.hint().unwrap_or_default();
        Failure::usage(format!("--notify: {error}")).hint(hint)
    })
}

/// Posts an outcome. If the webhook does not accept it, a warning is printed.
pub(super) async fn notify(webhook: &Webhook, outcome: &OutcomeDocument) {
    if let Err(why) = webhook.post(&render::notice_json(outcome)).await {
        output::message(&format!("Warning: the webhook was not notified: {why}"));
    }
}

//! Which app a command talks to: flags beat the environment, which beats the manifest.

use super::exit::Failure;
use crate::api::{Connection, Endpoint, InsecureHttp, Token};
use crate::manifest::{Manifest, TargetSpec};
use std::path::{Path, PathBuf};

/// The service, where no endpoint is given.
const SERVICE: &str = "https://api.clarifai.com";

#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// A target of the manifest
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Option<String>,
    /// Base URL of the API [env: CLARIFAI_API_BASE]
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The app's owner [env: CLARIFAI_USER_ID]
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// The app [env: CLARIFAI_APP_ID]
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// The embedded store in this file, instead of an app
    #[arg(long, value_name = "FILE", conflicts_with_all = ["endpoint", "user_id", "app_id"])]
    embedded: Option<PathBuf>,
    /// File that holds the token; else CLARIFAI_PAT
    #[arg(long, value_name = "FILE")]
    pat_file: Option<PathBuf>,
    /// Allow plain http to other machines: token and labels travel unprotected
    #[arg(long)]
    insecure_http: bool,
    /// Calls a second that the target takes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate_limit: Option<u32>,
    /// Calls at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) concurrency: u16,
}

/// Where a command goes.
#[derive(Debug)]
pub(crate) enum Destination {
    /// The store inside this program.
    Embedded(PathBuf),
    /// An app.
    App(Box<Connection>),
}

impl ConnectionArgs {
    /// Decides where to go. The environment names an app of the service: it does not lead away from an embedded
    /// store that the manifest names, nor from a target that a flag names.
    pub(crate) fn destination(&self, manifest: Option<&Manifest>) -> Result<Destination, Failure> {
        if let Some(path) = &self.embedded {
            return Ok(Destination::Embedded(path.clone()));
        }
        let named = self.named_target(manifest)?;
        let flags_name_an_app = self.endpoint.is_some() || self.user_id.is_some() || self.app_id.is_some();
        if let (Some((_, TargetSpec::Embedded { path }, root)), false) = (&named, flags_name_an_app) {
            return Ok(Destination::Embedded(root.join(path)));
        }
        let from_manifest = match &named {
            Some((_, TargetSpec::App { user_id, app_id, endpoint, rate_limit }, _)) => {
                (Some(user_id.to_string()), Some(app_id.clone()), endpoint.clone(), *rate_limit)
            }
            _ => (None, None, None, None),
        };
        let environment = |name: &str| match &self.target {
            Some(_) => None,
            None => std::env::var(name).ok().filter(|value| !value.is_empty()),
        };
        let choose = |flag: &Option<String>, name, manifest| flag.clone().or_else(|| environment(name)).or(manifest);
        let missing = |what: &str, flag: &str| {
            Failure::usage(format!("no {what} is given")).hint(match manifest.map(|m| &m.targets) {
                Some(targets) if !targets.is_empty() => {
                    let names: Vec<&str> = targets.keys().map(String::as_str).collect();
                    format!("name a target of the manifest with --target ({}), or give {flag}", names.join(", "))
                }
                _ => format!("give {flag}, or name a target of a manifest with --target"),
            })
        };
        let user_id = choose(&self.user_id, "CLARIFAI_USER_ID", from_manifest.0)
            .ok_or_else(|| missing("user", "--user-id and --app-id"))?;
        let app_id = choose(&self.app_id, "CLARIFAI_APP_ID", from_manifest.1)
            .ok_or_else(|| missing("app", "--app-id"))?;
        let endpoint = choose(&self.endpoint, "CLARIFAI_API_BASE", from_manifest.2).unwrap_or_else(|| SERVICE.into());
        let insecure = if self.insecure_http { InsecureHttp::Allow } else { InsecureHttp::Refuse };
        let endpoint = Endpoint::new(&endpoint, insecure).map_err(Failure::from)?;
        let mut connection = Connection::new(endpoint, user_id, app_id, self.token()?);
        connection.concurrency = usize::from(self.concurrency);
        if let Some(rate) = self.rate_limit.or(from_manifest.3) {
            connection.rate_limit = rate;
        }
        Ok(Destination::App(Box::new(connection)))
    }

    fn named_target<'a>(
        &self,
        manifest: Option<&'a Manifest>,
    ) -> Result<Option<(&'a str, &'a TargetSpec, &'a Path)>, Failure> {
        let Some(manifest) = manifest else {
            return match &self.target {
                Some(name) => Err(Failure::usage(format!("--target {name} names a target of a manifest, and none was read"))
                    .hint("give the manifest's path")),
                None => Ok(None),
            };
        };
        let Some(name) = self.target.as_ref().or(manifest.default_target.as_ref()) else { return Ok(None) };
        match manifest.targets.get_key_value(name) {
            Some((name, spec)) => Ok(Some((name, spec, &manifest.root))),
            None => {
                let names: Vec<&str> = manifest.targets.keys().map(String::as_str).collect();
                let hint = match names.is_empty() {
                    true => "the manifest has no targets: add `targets:` to its header".to_owned(),
                    false => format!("the manifest has: {}", names.join(", ")),
                };
                Err(Failure::usage(format!("no target `{name}`")).hint(hint))
            }
        }
    }

    fn token(&self) -> Result<Token, Failure> {
        let text = match &self.pat_file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| Failure::new(format!("cannot read the token from {}: {error}", path.display())))?,
            None => std::env::var("CLARIFAI_PAT").map_err(|_| {
                Failure::new("no token").hint("set CLARIFAI_PAT to a personal access token, or name a file with --pat-file")
            })?,
        };
        Token::new(&text).map_err(Failure::from)
    }
}

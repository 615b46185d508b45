//! Which app a command uses: flags override the environment, which overrides the manifest.

use super::command_line::variable;
use super::exit::Failure;
use super::input;
use super::output;
use super::user_file::UserFile;
use crate::api::{Connection, Endpoint, InsecureHttp, Token};
use crate::manifest::{Manifest, TargetSpec};
use crate::model::Shard;
use crate::plan::Target;
use crate::render::escape;
use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// Prefix of the endpoint of an embedded store.
const EMBEDDED: &str = "embedded:";
/// Owner and app of every embedded store.
pub(super) const EMBEDDED_OWNER: &str = "local";
pub(super) const EMBEDDED_APP: &str = "local";
/// Calls per second of the embedded store by default: it is as fast as the disk, but forecasts need a finite number.
const EMBEDDED_RATE: u32 = 1_000;

#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// A target of the manifest, or of your own file (`annosync help environment`)
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
    /// Use the embedded store in this file instead of an app
    #[arg(long, value_name = "FILE", conflicts_with_all = ["endpoint", "user_id", "app_id"])]
    embedded: Option<PathBuf>,
    /// File that contains the token; default: CLARIFAI_PAT, then your own file
    #[arg(long, value_name = "FILE")]
    pat_file: Option<PathBuf>,
    /// Allow plain HTTP to other machines; the token and the labels are sent unencrypted
    #[arg(long)]
    insecure_http: bool,
    /// Calls per second that the target accepts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate_limit: Option<u32>,
    /// Timeout of one call, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
    /// Time limit of the whole run, in seconds. After it, reading fails; an apply finishes the calls in flight and
    /// starts no new ones
    #[arg(long, value_name = "SECONDS", default_value_t = 21_600, value_parser = clap::value_parser!(u64).range(1..=2_592_000))]
    deadline: u64,
    /// Size limit of one answer, in megabytes after decompression
    #[arg(long, value_name = "MB", default_value_t = Connection::DEFAULT_MAX_ANSWER_BYTES >> 20, value_parser = clap::value_parser!(u64).range(1..=16_384))]
    max_answer: u64,
    /// Page limit of one listing
    #[arg(long, value_name = "N", default_value_t = Connection::DEFAULT_MAX_PAGES, value_parser = clap::value_parser!(u64).range(1..))]
    max_pages: u64,
    /// Number of concurrent calls
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) concurrency: u16,
    /// How many runs share the rate; 0 means that it is not shared.
    #[arg(skip)]
    rate_shares: u32,
}

/// The time limit of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    seconds: u64,
    at: Instant,
}

impl Deadline {
    /// Runs a future that only reads, until the deadline.
    pub(crate) async fn limit<T>(
        self,
        reading: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::time::timeout_at(self.at, reading)
            .await
            .unwrap_or_else(|_| {
                Err(Failure::new(format!("{self}; nothing was written"))
                    .hint("raise --deadline, or read less (--declared-only, --input)"))
            })
    }

    /// Waits until the deadline.
    pub(crate) async fn wait(self) {
        tokio::time::sleep_until(self.at).await;
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the run took longer than {} s (--deadline)",
            self.seconds
        )
    }
}

/// The app or store that a command uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A store in this process.
    Embedded { path: PathBuf, rate_limit: u32 },
    /// An app.
    App {
        endpoint: Endpoint,
        user_id: String,
        app_id: String,
        rate_limit: u32,
    },
}

impl Destination {
    /// The target in a plan.
    pub(crate) fn target(&self) -> Target {
        match self {
            Self::Embedded { path, .. } => Target {
                endpoint: format!("{EMBEDDED}{}", path.display()),
                user_id: EMBEDDED_OWNER.to_owned(),
                app_id: EMBEDDED_APP.to_owned(),
            },
            Self::App {
                endpoint,
                user_id,
                app_id,
                ..
            } => Target {
                endpoint: endpoint.to_string(),
                user_id: user_id.clone(),
                app_id: app_id.clone(),
            },
        }
    }

    pub(crate) fn rate_limit(&self) -> u32 {
        match self {
            Self::Embedded { rate_limit, .. } | Self::App { rate_limit, .. } => *rate_limit,
        }
    }
}

impl ConnectionArgs {
    /// Sets the limits of a connection.
    pub(super) fn bound(&self, connection: &mut Connection) {
        connection.concurrency = usize::from(self.concurrency);
        connection.rate_shares = self.rate_shares.max(1);
        connection.timeout = Duration::from_secs(self.timeout);
        connection.max_answer_bytes = self.max_answer << 20;
        connection.max_pages = self.max_pages;
    }

    /// Takes a shard's part of the rate.
    pub(super) fn share_rate(&mut self, shard: Option<Shard>) {
        self.rate_shares = shard.map_or(0, Shard::count);
    }

    /// The deadline of a run that starts now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline {
            seconds: self.deadline,
            at: Instant::now() + Duration::from_secs(self.deadline),
        }
    }

    /// Chooses the destination. Variables name an app of the service: they override neither an embedded store in the
    /// manifest nor a target chosen by flag.
    pub(crate) fn destination(&self, manifest: Option<&Manifest>) -> Result<Destination, Failure> {
        if let Some(path) = &self.embedded {
            return Ok(self.embedded_at(path.clone()));
        }
        let chosen = self.chosen_target(manifest)?;
        if let (Some(TargetSpec::Embedded { path }), Some(manifest), false) =
            (chosen.as_deref(), manifest, self.names_an_app())
        {
            return Ok(self.embedded_at(manifest.root.join(path)));
        }
        let (user_id, app_id, endpoint, rate_limit) = match chosen.as_deref() {
            Some(TargetSpec::App {
                user_id,
                app_id,
                endpoint,
                rate_limit,
            }) => (
                Some(user_id.to_string()),
                Some(app_id.clone()),
                endpoint.clone(),
                *rate_limit,
            ),
            _ => (None, None, None, None),
        };
        let environment = |name: &str| match &self.target {
            Some(_) => None,
            None => variable(name),
        };
        self.check_target_host(endpoint.as_deref())?;
        let choose = |flag: &Option<String>, name, manifest| {
            flag.clone().or_else(|| environment(name)).or(manifest)
        };
        let missing = |what: &str| {
            let targets = manifest
                .map(|manifest| &manifest.targets)
                .filter(|targets| !targets.is_empty());
            let names = targets.map(|targets| {
                targets
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            });
            Failure::usage(format!("no {what} is given")).hint(match names {
                Some(names) => format!("name a target of the manifest with --target ({names}), or give --user-id and --app-id"),
                None => "give --user-id and --app-id, or --embedded FILE".to_owned(),
            })
        };
        let user_id =
            choose(&self.user_id, "CLARIFAI_USER_ID", user_id).ok_or_else(|| missing("user"))?;
        let app_id =
            choose(&self.app_id, "CLARIFAI_APP_ID", app_id).ok_or_else(|| missing("app"))?;
        let endpoint = choose(&self.endpoint, "CLARIFAI_API_BASE", endpoint)
            .unwrap_or_else(|| Endpoint::SERVICE.to_owned());
        Ok(Destination::App {
            endpoint: self.parse_endpoint(&endpoint)?,
            user_id,
            app_id,
            rate_limit: self
                .rate_limit
                .or(rate_limit)
                .unwrap_or(Connection::DEFAULT_RATE_LIMIT),
        })
    }

    /// Refuses a target of the manifest whose host is not that of --endpoint: a pull request may have changed it.
    fn check_target_host(&self, of_target: Option<&str>) -> Result<(), Failure> {
        let (Some(name), Some(flag), Some(endpoint)) = (&self.target, &self.endpoint, of_target)
        else {
            return Ok(());
        };
        let [flag, endpoint] = [self.parse_endpoint(flag)?, self.parse_endpoint(endpoint)?];
        if flag == endpoint {
            return Ok(());
        }
        Err(Failure::new(format!(
            "--endpoint names {flag}, and target {name} of the manifest names {endpoint}; nothing was sent"
        ))
        .hint("if the manifest is right, leave --endpoint out, or give it the same URL"))
    }

    /// The destination of a plan file. Flags that name another target are an error.
    ///
    /// A plan file is not trusted: the token is sent to its host only if a flag, the environment or the manifest names
    /// that host, or if it is the service's own.
    pub(crate) fn destination_of_plan(
        &self,
        target: &Target,
        manifest: Option<&Manifest>,
    ) -> Result<Destination, Failure> {
        if !self.agrees_with_flags(target, manifest)? {
            return Err(Failure::usage(
                "the plan file is for one target, and the flags name another",
            )
            .hint(
                "leave out --target, --endpoint, --user-id, --app-id and --embedded, and their variables, such as \
                 ANNOSYNC_TARGET",
            ));
        }
        if let Some(path) = target.endpoint.strip_prefix(EMBEDDED) {
            return Ok(self.embedded_at(PathBuf::from(path)));
        }
        if target.app_id.is_empty() {
            return Err(Failure::usage("the plan was made offline, for no target")
                .hint("plan again with --target, or with --user-id and --app-id"));
        }
        let endpoint = self.parse_endpoint(&target.endpoint)?;
        self.check_plan_host(&endpoint, manifest)?;
        Ok(Destination::App {
            endpoint,
            user_id: target.user_id.clone(),
            app_id: target.app_id.clone(),
            rate_limit: self.rate_limit.unwrap_or(Connection::DEFAULT_RATE_LIMIT),
        })
    }

    /// Whether all flags agree with this target. If no flag names the app, the manifest, if given, must have it as a
    /// target.
    fn agrees_with_flags(
        &self,
        target: &Target,
        manifest: Option<&Manifest>,
    ) -> Result<bool, Failure> {
        let same_user = |user: &str| user == target.user_id || user == "me";
        let is_app = |spec: &TargetSpec| match spec {
            TargetSpec::Embedded { .. } => target.endpoint.starts_with(EMBEDDED),
            TargetSpec::App {
                user_id, app_id, ..
            } => same_user(user_id.as_str()) && *app_id == target.app_id,
        };
        // The host is checked separately, unless a flag chooses a target with a host.
        let has_host = |spec: &TargetSpec| match spec {
            TargetSpec::App { endpoint, .. } if self.endpoint.is_none() => {
                let endpoint = endpoint.as_deref().unwrap_or(Endpoint::SERVICE);
                self.parse_endpoint(endpoint)
                    .is_ok_and(|it| it.to_string() == target.endpoint)
            }
            _ => true,
        };
        if let Some(path) = &self.embedded
            && self.embedded_at(path.clone()).target() != *target
        {
            return Ok(false);
        }
        if let (Some(_), Some(_)) = (&self.target, manifest) {
            let chosen = self.chosen_target(manifest)?;
            let is_chosen = chosen.is_some_and(|spec| is_app(&spec) && has_host(&spec));
            return Ok(is_chosen && self.endpoint_agrees(target)?);
        }
        let flags_fit = self.user_id.as_deref().is_none_or(same_user)
            && self
                .app_id
                .as_deref()
                .is_none_or(|app| app == target.app_id);
        if self.target.is_some() || !flags_fit || !self.endpoint_agrees(target)? {
            return Ok(false);
        }
        let known = manifest.map(|it| &it.targets).filter(|it| !it.is_empty());
        let names_it = self.user_id.is_some() || self.app_id.is_some() || self.embedded.is_some();
        let (false, Some(known)) = (names_it, known) else {
            return Ok(true);
        };
        if known.values().any(is_app) {
            return Ok(true);
        }
        Err(Failure::new(format!(
            "the plan is for app {} of {}, and no target of the manifest is that app",
            escape(&target.app_id),
            escape(&target.user_id)
        ))
        .hint("if that app is right, name it with --user-id and --app-id"))
    }

    fn endpoint_agrees(&self, target: &Target) -> Result<bool, Failure> {
        match &self.endpoint {
            Some(endpoint) => Ok(self.parse_endpoint(endpoint)?.to_string() == target.endpoint),
            None => Ok(true),
        }
    }

    /// Refuses a host that only the plan file names.
    fn check_plan_host(
        &self,
        endpoint: &Endpoint,
        manifest: Option<&Manifest>,
    ) -> Result<(), Failure> {
        let (names, by) = if let Some(flag) = &self.endpoint {
            (vec![flag.clone()], "--endpoint names")
        } else if let Some(base) = variable("CLARIFAI_API_BASE") {
            (vec![base], "CLARIFAI_API_BASE names")
        } else {
            let targets = manifest.into_iter().flat_map(|it| it.targets.values());
            let endpoints = targets.filter_map(|spec| match spec {
                TargetSpec::App { endpoint, .. } => Some(
                    endpoint
                        .clone()
                        .unwrap_or_else(|| Endpoint::SERVICE.to_owned()),
                ),
                TargetSpec::Embedded { .. } => None,
            });
            let endpoints: Vec<String> = endpoints.collect();
            if endpoints.is_empty() {
                (vec![Endpoint::SERVICE.to_owned()], "the default is")
            } else {
                (endpoints, "the manifest names")
            }
        };
        for name in &names {
            if self.parse_endpoint(name)?.to_string() == endpoint.to_string() {
                return Ok(());
            }
        }
        Err(Failure::new(format!(
            "the token is not sent to {}, which only the plan file names: {by} {}",
            escape(&endpoint.to_string()),
            escape(&names.join(", "))
        ))
        .hint(format!(
            "nothing was sent. If that host is right, pass --endpoint {}",
            escape(&endpoint.to_string())
        )))
    }

    fn embedded_at(&self, path: PathBuf) -> Destination {
        Destination::Embedded {
            path,
            rate_limit: self.rate_limit.unwrap_or(EMBEDDED_RATE),
        }
    }

    /// Whether a flag names an app, a store or a target.
    pub(crate) fn names_a_place(&self) -> bool {
        self.target.is_some() || self.names_an_app() || self.embedded.is_some()
    }

    /// Whether a manifest is needed to find the app: a flag names one of its targets, or nothing names an app.
    pub(crate) fn needs_a_manifest(&self) -> Result<bool, Failure> {
        if let Some(name) = &self.target {
            return Ok(UserFile::read()?.target(name).is_none());
        }
        Ok(!self.names_a_place() && variable("CLARIFAI_APP_ID").is_none())
    }

    fn names_an_app(&self) -> bool {
        self.endpoint.is_some() || self.user_id.is_some() || self.app_id.is_some()
    }

    fn parse_endpoint(&self, endpoint: &str) -> Result<Endpoint, Failure> {
        let insecure = if self.insecure_http {
            InsecureHttp::Allow
        } else {
            InsecureHttp::Refuse
        };
        Ok(Endpoint::new(endpoint, insecure)?)
    }

    /// The target of `--target`, or else the manifest's default, as the manifest or else the user's file describes it.
    fn chosen_target<'a>(
        &self,
        manifest: Option<&'a Manifest>,
    ) -> Result<Option<Cow<'a, TargetSpec>>, Failure> {
        let of_manifest = manifest.and_then(|it| it.default_target.as_ref());
        let Some(name) = self.target.as_ref().or(of_manifest) else {
            return Ok(None);
        };
        if let Some(spec) = manifest.and_then(|it| it.targets.get(name)) {
            return Ok(Some(Cow::Borrowed(spec)));
        }
        let own = UserFile::read()?;
        if let Some(spec) = own.target(name) {
            return Ok(Some(Cow::Owned(spec)));
        }
        let mut places = Vec::new();
        match manifest {
            None => places.push("no manifest was read: give its path".to_owned()),
            Some(manifest) if manifest.targets.is_empty() => {
                places.push("the manifest has no targets: add `targets:` to its header".to_owned());
            }
            Some(manifest) => {
                let names: Vec<&str> = manifest.targets.keys().map(String::as_str).collect();
                places.push(format!("the manifest has: {}", names.join(", ")));
            }
        }
        if let Some(path) = own.path() {
            let names: Vec<&str> = own.names().collect();
            places.push(format!("{} has: {}", path.display(), names.join(", ")));
        }
        Err(Failure::usage(format!("no target `{name}`")).hint(places.join("; ")))
    }

    /// The token for a destination: from a file, the environment, or the user's file.
    pub(crate) fn token(&self, destination: &Destination) -> Result<Token, Failure> {
        let text = match (&self.pat_file, std::env::var("CLARIFAI_PAT")) {
            (Some(path), _) => input::text(path, input::MAX_TOKEN_BYTES)?,
            (None, Ok(token)) => token,
            (None, Err(_)) => {
                let own = UserFile::read()?;
                let source = own.token_for(&destination.target()).ok_or_else(|| {
                    Failure::new("no token").hint(
                        "set CLARIFAI_PAT to a personal access token, or name a file with --pat-file",
                    )
                })?;
                source.read()?
            }
        };
        output::hide_token(text.trim());
        Ok(Token::new(&text)?)
    }
}

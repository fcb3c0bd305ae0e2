//! What an operator gives of a server's configuration.
//!
//! The same keys stand in the file, in the environment and in flags. A flag wins over the environment,
//! that over the file, that over the default. Plugins are given in the file, or all of them by flags.

mod audit;
mod change;
mod group;
mod http;
mod tls;

pub use audit::Audit;
pub use group::{Acl, Deadlines, Log, Secrets};
pub use http::Http;
pub use tls::Tls;

use super::{AUDIT_FILE, Config, Count, PluginConfig, Queues};
use crate::csi;
use crate::error::StatusStyle;
use crate::id::Namespace;
use crate::server::BUILTIN;
use serde::{Deserialize, Deserializer, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The documented example of the file: every key, each with its default.
pub const EXAMPLE: &str = include_str!("saddlebag.toml");

const DATA_DIR: &str = "/var/lib/saddlebag";
const BIND: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PORT: u16 = 4646;

/// Values that cannot stand together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Unfit {
    /// The key whose value would have to be another.
    pub key: &'static str,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// What is given; what is not counts as its default. [`EXAMPLE`] says more about each key.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where data is kept. [default: /var/lib/saddlebag]
    #[arg(long, value_name = "DIR", env = "SADDLEBAG_DATA_DIR")]
    pub data_dir: Option<PathBuf>,

    /// The address to answer on. [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS", env = "SADDLEBAG_BIND")]
    pub bind: Option<IpAddr>,

    /// The port to answer on; 0 picks a free one. [default: 4646]
    #[arg(long, env = "SADDLEBAG_PORT")]
    pub port: Option<u16>,

    /// Let others on the network in, without TLS or without access control. [default: false]
    #[arg(long, value_name = "BOOL", env = "SADDLEBAG_LISTEN_UNPROTECTED_ON_THE_NETWORK",
        num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub listen_unprotected_on_the_network: Option<bool>,

    /// The region's name. [default: global]
    #[arg(long, value_name = "NAME", env = "SADDLEBAG_REGION")]
    pub region: Option<String>,

    /// A namespace to have besides `default`; may be repeated.
    #[arg(long = "namespace", value_name = "NAME", env = "SADDLEBAG_NAMESPACES",
        value_delimiter = ',', value_parser = Namespace::parse)]
    #[serde(default, deserialize_with = "parsed_namespaces")]
    pub namespaces: Option<Vec<Namespace>>,

    /// A host name by which browsers may call this server; may be repeated.
    #[arg(
        long = "host-name",
        value_name = "NAME",
        env = "SADDLEBAG_HOST_NAMES",
        value_delimiter = ','
    )]
    pub host_names: Option<Vec<String>>,

    /// Which statuses failures are answered with: true ones, or those of a real Nomad. [default: true]
    #[arg(long, value_enum, env = "SADDLEBAG_STATUS")]
    pub status: Option<StatusStyle>,

    /// Check every request and answer against the document, and log what goes against it. [default: false]
    #[arg(long, value_name = "BOOL", env = "SADDLEBAG_CHECK_TRUTH",
        num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub check_truth: Option<bool>,

    /// Run the built-in driver, as plugin `local`. [default: false]
    #[arg(long, value_name = "BOOL", env = "SADDLEBAG_BUILTIN_DRIVER",
        num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub builtin_driver: Option<bool>,

    /// The most calls that one plugin gets at once. [default: 16]
    #[arg(long, value_name = "N", env = "SADDLEBAG_CALLS_AT_ONCE")]
    pub calls_at_once: Option<Count<1>>,

    /// The most operations of one plugin that may be under way or wait, and the most questions that may
    /// wait for it; one more is answered 503. [default: 10000]
    #[arg(long, value_name = "N", env = "SADDLEBAG_QUEUED_PER_PLUGIN")]
    pub queued_per_plugin: Option<Count<1>>,

    /// The most requests that may wait for an operation on one volume; one more is answered 503. [default: 100]
    #[arg(long, value_name = "N", env = "SADDLEBAG_QUEUED_PER_VOLUME")]
    pub queued_per_volume: Option<Count<1>>,

    /// A folder below which a claim's TargetPath may lie; may be repeated.
    #[arg(
        long = "target-root",
        value_name = "DIR",
        env = "SADDLEBAG_TARGET_ROOTS",
        value_delimiter = ','
    )]
    pub target_roots: Option<Vec<PathBuf>>,

    /// How long a stop may take. [default: 20s]
    #[arg(long, value_name = "TIME", env = "SADDLEBAG_SHUTDOWN_TIMEOUT")]
    pub shutdown_timeout: Option<super::Period>,

    /// What is logged.
    #[command(flatten)]
    #[serde(default)]
    pub log: Log,

    /// Who may do what.
    #[command(flatten)]
    #[serde(default)]
    pub acl: Acl,

    /// What is recorded of requests.
    #[command(flatten)]
    #[serde(default)]
    pub audit: Audit,

    /// How secrets are kept.
    #[command(flatten)]
    #[serde(default)]
    pub secrets: Secrets,
    /// What requests are encrypted with.
    #[command(flatten)]
    #[serde(default)]
    pub tls: Tls,

    /// What bounds connections and requests.
    #[command(flatten)]
    #[serde(default)]
    pub http: Http,

    /// How long one call to a driver may take.
    #[command(flatten)]
    #[serde(default)]
    pub deadlines: Deadlines,

    /// A driver, in place of those in the file; may be repeated. As of `saddlebag dev --plugin`.
    #[arg(long = "plugin", value_name = "PLUGIN")]
    #[serde(rename = "plugin")]
    pub plugins: Option<Vec<PluginConfig>>,
}

impl Settings {
    /// Every key that has a default, with it.
    pub fn defaults() -> Self {
        let config = Config::new(DATA_DIR);
        let http = Http::of(&config);
        Self {
            data_dir: Some(config.data_dir),
            bind: Some(BIND),
            port: Some(PORT),
            listen_unprotected_on_the_network: Some(false),
            region: Some(config.region),
            namespaces: Some(config.namespaces),
            host_names: Some(config.host_names),
            status: Some(config.status),
            check_truth: Some(config.check_truth),
            builtin_driver: Some(config.builtin_driver),
            calls_at_once: Some(Count::known(config.calls_at_once)),
            queued_per_plugin: Some(Count::known(config.queues.of_plugin)),
            queued_per_volume: Some(Count::known(config.queues.of_volume)),
            target_roots: Some(config.target_roots),
            shutdown_timeout: Some(config.shutdown_timeout.into()),
            log: Log::defaults(),
            acl: Acl::of(config.failed_logins),
            audit: Audit::of(crate::audit::Settings::new(AUDIT_FILE)),
            secrets: Secrets::defaults(),
            tls: Tls::defaults(),
            http,
            deadlines: Deadlines::of(config.deadlines),
            plugins: Some(config.plugins),
        }
    }

    /// These, and where they say nothing, those.
    #[must_use]
    pub fn or(self, those: Self) -> Self {
        Self {
            data_dir: self.data_dir.or(those.data_dir),
            bind: self.bind.or(those.bind),
            port: self.port.or(those.port),
            listen_unprotected_on_the_network: self
                .listen_unprotected_on_the_network
                .or(those.listen_unprotected_on_the_network),
            region: self.region.or(those.region),
            namespaces: self.namespaces.or(those.namespaces),
            host_names: self.host_names.or(those.host_names),
            status: self.status.or(those.status),
            check_truth: self.check_truth.or(those.check_truth),
            builtin_driver: self.builtin_driver.or(those.builtin_driver),
            calls_at_once: self.calls_at_once.or(those.calls_at_once),
            queued_per_plugin: self.queued_per_plugin.or(those.queued_per_plugin),
            queued_per_volume: self.queued_per_volume.or(those.queued_per_volume),
            target_roots: self.target_roots.or(those.target_roots),
            shutdown_timeout: self.shutdown_timeout.or(those.shutdown_timeout),
            log: self.log.or(those.log),
            acl: self.acl.or(those.acl),
            audit: self.audit.or(those.audit),
            secrets: self.secrets.or(those.secrets),
            tls: self.tls.or(those.tls),
            http: self.http.or(those.http),
            deadlines: self.deadlines.or(those.deadlines),
            plugins: self.plugins.or(those.plugins),
        }
    }

    /// The address to answer on. The error: it is one that others on the network reach, they are not
    /// kept out, and that was not asked for by its name.
    pub fn address(&self) -> Result<SocketAddr, Unfit> {
        let bind = self.bind.unwrap_or(BIND);
        let lacks = [
            (self.tls.http, "tls.http", "encryption"),
            (self.acl.enabled, "acl.enabled", "access control"),
        ];
        let lacks = lacks.iter().filter(|(given, ..)| *given != Some(true));
        let (keys, lacks): (Vec<String>, Vec<&str>) = lacks
            .map(|(_, key, what)| (format!("{key} = true"), *what))
            .unzip();
        let is_asked_for = self.listen_unprotected_on_the_network == Some(true);
        if bind.is_loopback() || lacks.is_empty() || is_asked_for {
            return Ok(SocketAddr::new(bind, self.port.unwrap_or(PORT)));
        }
        Err(Unfit {
            key: "bind",
            problem: format!(
                "{bind} lets others on the network in, without {}: set {}, or bind 127.0.0.1, \
                 or have it all the same with listen_unprotected_on_the_network = true",
                lacks.join(" and "),
                keys.join(" and "),
            ),
        })
    }

    /// What a server is told. Paths are seen from the working directory. The error says what cannot
    /// stand together.
    pub fn config(&self) -> Result<Config, Unfit> {
        let given = self.clone().or(Self::defaults());
        let data_dir = given.data_dir.unwrap_or_default();
        let absolute = |key: &'static str, path: &Path| {
            std::path::absolute(path).map_err(|error| Unfit {
                key,
                problem: format!("{}: {error}", path.display()),
            })
        };
        let target_roots = given.target_roots.unwrap_or_default();
        let file = |key, file: Option<PathBuf>| file.map(|file| absolute(key, &file)).transpose();
        let standard = Config::new(absolute("data_dir", &data_dir)?);
        let audit_file = match file("audit.file", given.audit.file.clone())? {
            Some(file) => file,
            None => standard.data_dir.join(AUDIT_FILE),
        };
        let config = Config {
            builtin_driver: given.builtin_driver.unwrap_or_default(),
            plugins: given.plugins.unwrap_or_default(),
            namespaces: given.namespaces.unwrap_or_default(),
            acl_enabled: given.acl.enabled.unwrap_or_default(),
            failed_logins: given.acl.over(standard.failed_logins),
            audit: given.audit.over(crate::audit::Settings::new(audit_file))?,
            tls: given.tls.files()?,
            status: given.status.unwrap_or_default(),
            region: given.region.unwrap_or(standard.region),
            host_names: given.host_names.unwrap_or_default(),
            check_truth: given.check_truth.unwrap_or_default(),
            calls_at_once: given.calls_at_once.map_or(csi::CALLS_AT_ONCE, Count::get),
            deadlines: given.deadlines.over(standard.deadlines),
            target_roots: target_roots
                .iter()
                .map(|root| absolute("target_roots", root))
                .collect::<Result<_, _>>()?,
            connections: given.http.connections_over(standard.connections),
            bodies: given.http.bodies_over(standard.bodies),
            requests: given.http.requests_over(standard.requests),
            queues: Queues {
                of_plugin: given
                    .queued_per_plugin
                    .map_or(standard.queues.of_plugin, Count::get),
                of_volume: given
                    .queued_per_volume
                    .map_or(standard.queues.of_volume, Count::get),
            },
            shutdown_timeout: given
                .shutdown_timeout
                .map_or(standard.shutdown_timeout, Into::into),
            key_file: file("secrets.key_file", given.secrets.key_file)?,
            previous_key_file: file("secrets.previous_key_file", given.secrets.previous_key_file)?,
            sources: csi::Sources {
                folders: given.secrets.from_folders.unwrap_or_default(),
                variables: given.secrets.from_variables.unwrap_or_default(),
                credentials: given.secrets.from_credentials.unwrap_or_default(),
            },
            boot_id: standard.boot_id,
            testing: standard.testing,
            chance: standard.chance,
            data_dir: standard.data_dir,
        };
        if config.hides_builtin() {
            return Err(Unfit {
                key: "plugin",
                problem: format!(
                    "plugin id {BUILTIN:?} is the built-in driver's: choose another, or set builtin_driver = false"
                ),
            });
        }
        Ok(config)
    }
}

fn parsed_namespaces<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Namespace>>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let parsed: Result<_, _> = names.iter().map(|name| Namespace::parse(name)).collect();
    parsed.map(Some).map_err(serde::de::Error::custom)
}

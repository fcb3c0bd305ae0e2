//! What a server is told: one struct per concern, each with its defaults.
//!
//! [`Config`] is what [`Server::start`](crate::server::Server::start) takes. [`Settings`] is what an
//! operator gives of it: in a file ([`mod@file`]), in the environment or by flags.

mod count;
pub mod file;
mod log;
mod period;
mod plugin;
mod settings;

pub use count::Count;
pub use log::{LogFormat, LogLevel};
pub use period::Period;
pub use plugin::{BaseDir, Launch, PluginConfig};
pub use settings::{EXAMPLE, Settings, Unfit};

use crate::chance::Chance;
use crate::csi::Sources;
use crate::error::StatusStyle;
use crate::http::{edge, limits, listen};
use crate::id::Namespace;
use crate::server::BUILTIN;
use crate::{acl, audit, tls};
use std::path::PathBuf;
use std::time::Duration;

/// Everything that a server is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where data is kept. The folder is made if it is not there.
    pub data_dir: PathBuf,
    /// The file with the key that opens all secrets of the store. Default: `secrets.key` in the data
    /// folder, which is made for a store without secrets.
    pub key_file: Option<PathBuf>,
    /// The key file of before: what it opens is made to open with [`Self::key_file`] at the start.
    pub previous_key_file: Option<PathBuf>,
    /// What secrets by reference may name. Default: nothing.
    pub sources: Sources,
    /// Whether the built-in driver runs, as plugin `local`.
    pub builtin_driver: bool,
    /// The plugins besides it.
    pub plugins: Vec<PluginConfig>,
    /// The namespaces besides `default`; one that is there already stays.
    pub namespaces: Vec<Namespace>,
    /// Whether access control is on: then a token says what its holder may do. Default: no, as Nomad.
    pub acl_enabled: bool,
    /// How failed logins are slowed, while it is on.
    pub failed_logins: acl::Limits,
    /// How it is recorded who asked for what. Default: it is not.
    pub audit: Option<audit::Settings>,
    /// Where the certificates are, if requests are answered over TLS. Default: they are not.
    pub tls: Option<tls::Files>,
    /// Which statuses failures are answered with. Default: the true ones.
    pub status: StatusStyle,
    /// The region's name. Default: `global`, as Nomad's.
    pub region: String,
    /// The host names, besides `localhost` and addresses, by which browsers may call this server.
    pub host_names: Vec<String>,
    /// Whether every request and answer is checked against the document. Default: no.
    pub check_truth: bool,
    /// The most calls that one plugin gets at once. Default: [`crate::csi::CALLS_AT_ONCE`].
    pub calls_at_once: usize,
    /// How long one call to a driver may take, by kind.
    pub deadlines: crate::csi::Deadlines,
    /// Below which folders a claim's TargetPath may lie. Default: none.
    pub target_roots: Vec<PathBuf>,
    /// What bounds connections and heads of requests.
    pub connections: listen::Limits,
    /// What bounds bodies of requests.
    pub bodies: edge::body::Limits,
    /// What bounds requests otherwise.
    pub requests: limits::Limits,
    /// How much may wait for drivers.
    pub queues: Queues,
    /// How long a stop may take: a quarter each for requests under way, driver calls under way, the
    /// drivers that we started, and the built-in one. What is not done then is left to be taken up by
    /// the next start. Default 20 s.
    pub shutdown_timeout: Duration,
    /// What tells one boot of this host from another. Default: what Linux says; elsewhere nothing is
    /// known, and no reboot is ever concluded.
    pub boot_id: Option<String>,
    /// Whether it is a server for tests: it has the routes of tag `testing`. Default: no.
    pub testing: bool,
    /// What decides all that is otherwise left to chance, for tests. Default: nothing does.
    pub chance: Chance,
}

impl Config {
    /// The defaults, with data here.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            key_file: None,
            previous_key_file: None,
            sources: Sources::default(),
            builtin_driver: false,
            plugins: Vec::new(),
            namespaces: Vec::new(),
            acl_enabled: false,
            failed_logins: acl::Limits::default(),
            audit: None,
            tls: None,
            status: StatusStyle::default(),
            region: "global".to_owned(),
            host_names: Vec::new(),
            check_truth: false,
            calls_at_once: crate::csi::CALLS_AT_ONCE,
            deadlines: crate::csi::Deadlines::default(),
            target_roots: Vec::new(),
            connections: listen::Limits::default(),
            bodies: edge::body::Limits::default(),
            requests: limits::Limits::default(),
            queues: Queues::default(),
            shutdown_timeout: Duration::from_secs(20),
            boot_id: None,
            testing: false,
            chance: Chance::default(),
        }
    }

    /// Whether one of these plugins has the built-in driver's id while that driver runs.
    pub fn hides_builtin(&self) -> bool {
        let is_builtin = |plugin: &PluginConfig| plugin.plugin.as_str() == BUILTIN;
        self.builtin_driver && self.plugins.iter().any(is_builtin)
    }

    /// Where the keys of the store's secrets are.
    pub fn key_files(&self) -> KeyFiles {
        let standard = || self.data_dir.join(KEY_FILE);
        KeyFiles {
            file: self.key_file.clone().unwrap_or_else(standard),
            previous: self.previous_key_file.clone(),
        }
    }

    /// How long each part of a stop may take.
    pub fn part_of_stop(&self) -> Duration {
        self.shutdown_timeout / 4
    }
}

/// How much may wait for drivers. What is more is refused with
/// [`Fault::PluginCrowded`](crate::error::Fault::PluginCrowded) or
/// [`Fault::OperationCrowded`](crate::error::Fault::OperationCrowded).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queues {
    /// The most operations of one plugin that are under way, and the most questions that wait for their
    /// turn at it. Default 10,000.
    pub of_plugin: usize,
    /// The most requests that wait for an operation on one volume. Default 100.
    pub of_volume: usize,
}

impl Default for Queues {
    fn default() -> Self {
        Self {
            of_plugin: 10_000,
            of_volume: 100,
        }
    }
}

/// The key file that a data folder has of its own.
pub const KEY_FILE: &str = "secrets.key";

/// The audit log that a data folder has of its own.
pub const AUDIT_FILE: &str = "audit.log";

/// The files with the keys that data keys are wrapped with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFiles {
    /// The one in use.
    pub file: PathBuf,
    /// The one of before, if it has been replaced.
    pub previous: Option<PathBuf>,
}

/// The name among those that are known that this one was probably meant to be.
pub fn closest<'k>(unknown: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    const CLOSE: f64 = 0.75;
    known
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(likeness, _)| *likeness >= CLOSE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

//! What a server is told: one struct per concern, each with its defaults.

mod plugin;

pub use plugin::{BaseDir, Launch, PluginConfig};

use crate::error::StatusStyle;
use crate::id::Namespace;
use std::path::PathBuf;

/// Everything that a server is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where data is kept. The folder is made if it is not there.
    pub data_dir: PathBuf,
    /// Whether the built-in driver runs, as plugin `local`.
    pub builtin_driver: bool,
    /// The plugins besides it.
    pub plugins: Vec<PluginConfig>,
    /// The namespaces besides `default`; one that is there already stays.
    pub namespaces: Vec<Namespace>,
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
    /// Below which folders of this host clients may name target paths. Default: none.
    pub target_roots: Vec<PathBuf>,
    /// What tells one boot of this host from another. Default: what Linux says; elsewhere nothing is
    /// known, and no reboot is ever concluded.
    pub boot_id: Option<String>,
}

impl Config {
    /// The defaults, with data here.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            builtin_driver: false,
            plugins: Vec::new(),
            namespaces: Vec::new(),
            status: StatusStyle::default(),
            region: "global".to_owned(),
            host_names: Vec::new(),
            check_truth: false,
            calls_at_once: crate::csi::CALLS_AT_ONCE,
            deadlines: crate::csi::Deadlines::default(),
            target_roots: Vec::new(),
            boot_id: None,
        }
    }
}

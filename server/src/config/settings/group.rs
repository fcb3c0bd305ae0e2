//! Keys that stand together in a table of the file.

use crate::acl;
use crate::config::{Count, LogFormat, LogLevel, Period};
use crate::csi;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The keys of `[log]`.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// What is logged: off, error, warn, info, debug or trace; for some modules
    /// `info,saddlebag::work=debug`. [default: info]
    #[arg(long = "log-level", value_name = "LEVEL", env = "SADDLEBAG_LOG_LEVEL")]
    pub level: Option<LogLevel>,

    /// How log lines look. [default: auto]
    #[arg(
        long = "log-format",
        value_enum,
        value_name = "FORMAT",
        env = "SADDLEBAG_LOG_FORMAT"
    )]
    pub format: Option<LogFormat>,

    /// The most warnings from one place of the program within 10 s; of more, how many there were is logged.
    /// [default: 20]
    #[arg(long = "log-repeats", value_name = "N", env = "SADDLEBAG_LOG_REPEATS")]
    pub repeats: Option<Count<1>>,
}

/// The default of `log.repeats`.
const REPEATS: usize = 20;

impl Log {
    pub(super) fn defaults() -> Self {
        Self {
            level: Some(LogLevel::default()),
            format: Some(LogFormat::default()),
            repeats: Some(Count::known(REPEATS)),
        }
    }

    /// The most warnings from one place within a while.
    pub fn repeats(&self) -> usize {
        self.repeats.map_or(REPEATS, Count::get)
    }

    pub(super) fn or(self, those: Self) -> Self {
        Self {
            level: self.level.or(those.level),
            format: self.format.or(those.format),
            repeats: self.repeats.or(those.repeats),
        }
    }
}

/// The keys of `[secrets]`.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// The file with the key that secrets in the store are encrypted under. [default: secrets.key in the
    /// data folder]
    #[arg(
        long = "secrets-key-file",
        value_name = "FILE",
        env = "SADDLEBAG_SECRETS_KEY_FILE"
    )]
    pub key_file: Option<PathBuf>,

    /// The key file of before, when it is replaced: needed at one start.
    #[arg(
        long = "secrets-previous-key-file",
        value_name = "FILE",
        env = "SADDLEBAG_SECRETS_PREVIOUS_KEY_FILE"
    )]
    pub previous_key_file: Option<PathBuf>,

    /// A folder below whose files SecretsFrom may name; may be repeated.
    #[arg(
        long = "secrets-from-folder",
        value_name = "DIR",
        env = "SADDLEBAG_SECRETS_FROM_FOLDERS",
        value_delimiter = ','
    )]
    pub from_folders: Option<Vec<PathBuf>>,

    /// A variable that SecretsFrom may name, or the beginning of some with a `*`; may be repeated.
    #[arg(
        long = "secrets-from-variable",
        value_name = "NAME",
        env = "SADDLEBAG_SECRETS_FROM_VARIABLES",
        value_delimiter = ','
    )]
    pub from_variables: Option<Vec<String>>,

    /// A systemd credential that SecretsFrom may name, likewise; may be repeated.
    #[arg(
        long = "secrets-from-credential",
        value_name = "NAME",
        env = "SADDLEBAG_SECRETS_FROM_CREDENTIALS",
        value_delimiter = ','
    )]
    pub from_credentials: Option<Vec<String>>,
}

impl Secrets {
    pub(super) fn defaults() -> Self {
        Self {
            from_folders: Some(Vec::new()),
            from_variables: Some(Vec::new()),
            from_credentials: Some(Vec::new()),
            ..Self::default()
        }
    }

    pub(super) fn or(self, those: Self) -> Self {
        Self {
            key_file: self.key_file.or(those.key_file),
            previous_key_file: self.previous_key_file.or(those.previous_key_file),
            from_folders: self.from_folders.or(those.from_folders),
            from_variables: self.from_variables.or(those.from_variables),
            from_credentials: self.from_credentials.or(those.from_credentials),
        }
    }
}

/// The keys of `[acl]`.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acl {
    /// Let each caller do only what its token allows. [default: false]
    #[arg(long = "acl-enabled", value_name = "BOOL", env = "SADDLEBAG_ACL_ENABLED",
        num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub enabled: Option<bool>,

    /// How many requests with what is no token an address may send before it has to wait. [default: 10]
    #[arg(
        long = "acl-failed-logins",
        value_name = "N",
        env = "SADDLEBAG_ACL_FAILED_LOGINS"
    )]
    pub failed_logins: Option<Count<1>>,

    /// The longest that it has to wait until the next. [default: 1m]
    #[arg(
        long = "acl-failed-login-pause",
        value_name = "TIME",
        env = "SADDLEBAG_ACL_FAILED_LOGIN_PAUSE"
    )]
    pub failed_login_pause: Option<Period>,

    /// How long after the last one it is forgotten. [default: 10m]
    #[arg(
        long = "acl-failed-login-memory",
        value_name = "TIME",
        env = "SADDLEBAG_ACL_FAILED_LOGIN_MEMORY"
    )]
    pub failed_login_memory: Option<Period>,
}

impl Acl {
    pub(super) fn of(limits: acl::Limits) -> Self {
        Self {
            enabled: Some(false),
            failed_logins: Some(Count::known(limits.free)),
            failed_login_pause: Some(limits.longest_pause.into()),
            failed_login_memory: Some(limits.forgotten_after.into()),
        }
    }

    pub(super) fn or(self, those: Self) -> Self {
        Self {
            enabled: self.enabled.or(those.enabled),
            failed_logins: self.failed_logins.or(those.failed_logins),
            failed_login_pause: self.failed_login_pause.or(those.failed_login_pause),
            failed_login_memory: self.failed_login_memory.or(those.failed_login_memory),
        }
    }

    pub(super) fn over(&self, standard: acl::Limits) -> acl::Limits {
        acl::Limits {
            free: self.failed_logins.map_or(standard.free, Count::get),
            longest_pause: self
                .failed_login_pause
                .map_or(standard.longest_pause, Into::into),
            forgotten_after: self
                .failed_login_memory
                .map_or(standard.forgotten_after, Into::into),
        }
    }
}

/// The keys of `[deadlines]`.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadlines {
    /// The longest that a Probe may take. [default: 5s]
    #[arg(
        long = "deadline-probe",
        value_name = "TIME",
        env = "SADDLEBAG_DEADLINES_PROBE"
    )]
    pub probe: Option<Period>,

    /// The longest that asking a driver what it is may take, a call. [default: 5s]
    #[arg(
        long = "deadline-info",
        value_name = "TIME",
        env = "SADDLEBAG_DEADLINES_INFO"
    )]
    pub info: Option<Period>,

    /// The longest that a list, or a question that changes nothing, may take. [default: 1m]
    #[arg(
        long = "deadline-list",
        value_name = "TIME",
        env = "SADDLEBAG_DEADLINES_LIST"
    )]
    pub list: Option<Period>,

    /// The longest that a change at a controller may take. [default: 2m]
    #[arg(
        long = "deadline-controller",
        value_name = "TIME",
        env = "SADDLEBAG_DEADLINES_CONTROLLER"
    )]
    pub controller: Option<Period>,

    /// The longest that a change on a node may take. [default: 2m]
    #[arg(
        long = "deadline-node",
        value_name = "TIME",
        env = "SADDLEBAG_DEADLINES_NODE"
    )]
    pub node: Option<Period>,
}

impl Deadlines {
    pub(super) fn of(deadlines: csi::Deadlines) -> Self {
        Self {
            probe: Some(deadlines.probe.into()),
            info: Some(deadlines.info.into()),
            list: Some(deadlines.list.into()),
            controller: Some(deadlines.controller.into()),
            node: Some(deadlines.node.into()),
        }
    }

    pub(super) fn or(self, those: Self) -> Self {
        Self {
            probe: self.probe.or(those.probe),
            info: self.info.or(those.info),
            list: self.list.or(those.list),
            controller: self.controller.or(those.controller),
            node: self.node.or(those.node),
        }
    }

    pub(super) fn over(&self, standard: csi::Deadlines) -> csi::Deadlines {
        csi::Deadlines {
            probe: self.probe.map_or(standard.probe, Into::into),
            info: self.info.map_or(standard.info, Into::into),
            list: self.list.map_or(standard.list, Into::into),
            controller: self.controller.map_or(standard.controller, Into::into),
            node: self.node.map_or(standard.node, Into::into),
        }
    }
}

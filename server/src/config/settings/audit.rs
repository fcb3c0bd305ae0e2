//! The keys of `[audit]`.

use super::Unfit;
use crate::audit;
use crate::config::Count;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The keys of `[audit]`.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Record who asked for what, and what came of it. [default: false]
    #[arg(id = "audit_enabled", long = "audit-enabled", value_name = "BOOL", env = "SADDLEBAG_AUDIT_ENABLED",
        num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub enabled: Option<bool>,

    /// The file that it is recorded in. [default: audit.log in the data folder]
    #[arg(
        id = "audit_file",
        long = "audit-file",
        value_name = "FILE",
        env = "SADDLEBAG_AUDIT_FILE"
    )]
    pub file: Option<PathBuf>,

    /// Neither begin nor answer a change that cannot be recorded. [default: false]
    #[arg(long = "audit-enforce", value_name = "BOOL", env = "SADDLEBAG_AUDIT_ENFORCE",
        num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub enforce: Option<bool>,

    /// Bring each line to disk before it counts as written. [default: false]
    #[arg(long = "audit-fsync", value_name = "BOOL", env = "SADDLEBAG_AUDIT_FSYNC",
        num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub fsync: Option<bool>,

    /// From which size on the file is put aside, in bytes; 0: never. [default: 104857600]
    #[arg(
        long = "audit-rotate-bytes",
        value_name = "BYTES",
        env = "SADDLEBAG_AUDIT_ROTATE_BYTES"
    )]
    pub rotate_bytes: Option<Count<0>>,

    /// How many files that were put aside are kept. [default: 10]
    #[arg(long = "audit-keep", value_name = "N", env = "SADDLEBAG_AUDIT_KEEP")]
    pub keep: Option<Count<1>>,
}

impl Audit {
    pub(super) fn of(standard: audit::Settings) -> Self {
        let bytes = usize::try_from(standard.rotate_bytes).unwrap_or(usize::MAX);
        Self {
            enabled: Some(false),
            file: None,
            enforce: Some(standard.enforce),
            fsync: Some(standard.fsync),
            rotate_bytes: Some(Count::known(bytes)),
            keep: Some(Count::known(standard.keep)),
        }
    }

    pub(super) fn or(self, those: Self) -> Self {
        Self {
            enabled: self.enabled.or(those.enabled),
            file: self.file.or(those.file),
            enforce: self.enforce.or(those.enforce),
            fsync: self.fsync.or(those.fsync),
            rotate_bytes: self.rotate_bytes.or(those.rotate_bytes),
            keep: self.keep.or(those.keep),
        }
    }

    /// How the log is kept, if it is. The error: it is to be enforced, and is not kept.
    pub(super) fn over(&self, standard: audit::Settings) -> Result<Option<audit::Settings>, Unfit> {
        let enforce = self.enforce.unwrap_or(standard.enforce);
        match self.enabled == Some(true) {
            false if enforce => Err(Unfit {
                key: "audit.enforce",
                problem:
                    "nothing is recorded, so nothing can be enforced, unless audit.enabled is true"
                        .to_owned(),
            }),
            false => Ok(None),
            true => Ok(Some(audit::Settings {
                enforce,
                fsync: self.fsync.unwrap_or(standard.fsync),
                rotate_bytes: match self.rotate_bytes {
                    Some(bytes) => bytes.get() as u64,
                    None => standard.rotate_bytes,
                },
                keep: self.keep.map_or(standard.keep, Count::get),
                file: standard.file,
            })),
        }
    }
}

//! Backups: all rows of a store in one file that any saddlebag of the same or a newer format reads.
//!
//! A backup is text, gzipped. `zcat BACKUP | less` shows it:
//!
//! ```text
//! {"saddlebag_backup":1,"format":1,"index":42,"taken_at":"2026-11-21T17:00:00Z"}
//! {"key":"volume/default\u0000db","created":7,"modified":9,"value":{…}}
//! …                                                          one line a row, in the order of keys
//! {"rows":12,"sha256":"…"}                                   of all lines before it, with their ends
//! ```
//!
//! `saddlebag_backup` is the version of this layout, `format` that of the rows (see
//! [`Formats`]). Values are byte for byte what is stored.
//!
//! Secrets in it are sealed, as they are in the store, with data keys that are in it as the key file
//! wrapped them; the key file is not in it.

mod lines;
mod read;
mod write;

pub use read::read;
pub use write::{WriteError, write};

use super::{Formats, Index};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The version of the layout that is written, and the newest that is read.
const VERSION: u64 = 1;

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct About {
    /// The version of the layout.
    saddlebag_backup: u64,
    /// The format of the rows.
    pub format: u64,
    /// The newest commit in it.
    pub index: Index,
    /// When it was taken.
    pub taken_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct RowLine<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    created: Index,
    modified: Index,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct End {
    rows: u64,
    sha256: String,
}

impl About {
    fn now(index: Index, taken_at: Timestamp) -> Self {
        Self {
            saddlebag_backup: VERSION,
            format: Formats::KNOWN.newest(),
            index,
            taken_at,
        }
    }
}

//! The formats that rows were ever written in, and how a row of one becomes one of the next.
//!
//! A file, and a backup, states the format of its rows. A change of what is stored that the newest
//! code cannot read as it is gets a new format and a [`Migration`] here. A newer format than these
//! is refused; an older one is migrated when a store is opened, or a backup restored.

use super::Key;
use bytes::Bytes;

/// Makes the value of a row, as one format has it, what the next format has. The error says what is
/// wrong with the row.
pub type Migration = fn(&Key, Bytes) -> Result<Bytes, String>;

/// The formats that are known: the first, and one more for each migration.
#[derive(Clone, Copy, Debug)]
pub struct Formats(&'static [Migration]);

impl Formats {
    /// Those of this saddlebag.
    pub const KNOWN: Formats = Formats(&[]);

    /// The first format, and those to which these migrations lead, in order.
    pub const fn new(migrations: &'static [Migration]) -> Self {
        Self(migrations)
    }

    /// The format that is written, and the newest that is read.
    pub fn newest(self) -> u64 {
        1 + self.0.len() as u64
    }

    /// The value of a row of format `from` as the newest format has it.
    pub fn migrate(self, from: u64, key: &Key, value: Bytes) -> Result<Bytes, String> {
        let steps = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut migrations = self.0.iter().skip(steps);
        migrations.try_fold(value, |value, migrate| migrate(key, value))
    }
}

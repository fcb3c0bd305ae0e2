//! All rows, as they are read.

use super::{Index, Key, Row, StoreError};

/// Rows, in the order of their keys.
pub type Batch = Vec<(Key, Row)>;

/// All rows as one commit left them, some at a time, so that nobody has to hold them all.
///
/// Taking the next rows blocks its thread. Rows are verified as they are read; that none is missing
/// is known at the end only. So what was read counts once the batches ended without an error, which
/// is the last item if there is one.
pub struct Reading {
    /// The newest commit in it.
    pub index: Index,
    /// The format that the rows had; they come as the newest one has them.
    pub format: u64,
    /// The rows.
    pub batches: Box<dyn Iterator<Item = Result<Batch, StoreError>> + Send>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Reading");
        shown.field("index", &self.index);
        shown.field("format", &self.format).finish_non_exhaustive()
    }
}

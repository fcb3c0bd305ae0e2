//! Having the kernel read a file before it is asked for.

use rustix::fs::{Advice, fadvise};
use std::{fs::File, num::NonZeroU64, path::Path};

/// What is asked for at once. The kernel leaves out what is more than a disk's usual reading ahead.
const STEP: NonZeroU64 = NonZeroU64::new(128 * 1_024).expect("it is not zero");

/// Has all of a file brought into the kernel's memory, from its beginning to its end, beside whoever
/// reads it: redb goes from page to page as its tree does, which on a file that nobody has read since
/// the machine started is a wait for the disk each time. It is advice: if it fails, nothing is lost.
pub(super) fn read_ahead(path: &Path) {
    let Ok(file) = File::open(path) else { return };
    let reader = std::thread::Builder::new().name("read-ahead".into());
    let _ = reader.spawn(move || advise(&file));
}

fn advise(file: &File) {
    let end = file.metadata().map_or(0, |about| about.len());
    for offset in (0..end).step_by(STEP.get() as usize) {
        if fadvise(file, offset, Some(STEP), Advice::WillNeed).is_err() {
            return;
        }
    }
}

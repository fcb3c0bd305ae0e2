//! `saddlebag store backup`.

use super::DataDir;
use super::source::{Source, refused};
use crate::clock::Clock;
use crate::config::KEY_FILE;
use crate::store::backup::{read, write};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// What is backed up, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to write. It must not be there yet; its folder must.
    file: PathBuf,

    #[command(flatten)]
    at: DataDir,
}

pub(super) fn run(Args { file, at }: Args) -> Result<String, String> {
    let failed = |error: io::Error| format!("{}: {error}", file.display());
    if file.exists() {
        return Err(format!(
            "{} is there already: name another file, or remove it first",
            file.display()
        ));
    }
    let folder = folder_of(&file);
    let mut unfinished = NamedTempFile::new_in(folder).map_err(failed)?;
    copy(Source::of(&at.data_dir)?, unfinished.as_file_mut())
        .map_err(|error| format!("the backup was not made: {error}"))?;
    unfinished.as_file().sync_all().map_err(failed)?;

    let (about, rows) = verified(&file, unfinished.path())?;
    let written = unfinished
        .persist_noclobber(&file)
        .map_err(|error| failed(error.error))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    let bytes = written.metadata().map_err(failed)?.len();
    let (path, key) = (file.display(), at.data_dir.join(KEY_FILE));
    Ok(format!(
        "Wrote {path}: {rows} rows at index {about}, {bytes} bytes.\n\
         Secrets in it are encrypted with data keys that only the key in {} (or in the key_file that the\n\
         configuration names) opens, which is not in it: keep a copy of that, too.\n",
        key.display()
    ))
}

/// Writes the backup, or takes the one that the server writes.
fn copy(source: Source, to: &mut File) -> Result<(), String> {
    match source {
        Source::File(place) => {
            let reading = place.read().map_err(|error| refused(&error))?;
            let mut to = BufWriter::new(to);
            write(reading, Clock::default().now(), &mut to).map_err(|error| error.to_string())?;
            to.flush()
        }
        Source::Server { mut sent, .. } => io::copy(&mut sent, to).map(drop),
    }
    .map_err(|error| error.to_string())
}

/// The index of the backup, and how many rows are in it.
fn verified(file: &Path, unfinished: &Path) -> Result<(u64, usize), String> {
    let not_whole = |error: &dyn std::fmt::Display| {
        format!("the backup was not made: it was broken off or is not right: {error}")
    };
    let from = File::open(unfinished).map_err(|error| not_whole(&error))?;
    let (about, reading) = read(file, from).map_err(|error| not_whole(&error))?;
    let mut rows = 0;
    for batch in reading.batches {
        rows += batch.map_err(|error| not_whole(&error))?.len();
    }
    Ok((about.index.0, rows))
}

fn folder_of(file: &Path) -> &Path {
    file.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

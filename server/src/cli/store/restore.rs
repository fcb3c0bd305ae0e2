//! `saddlebag store restore`.

use super::DataDir;
use super::source::{self, refused};
use crate::config::KEY_FILE;
use crate::server::make_private_folder;
use crate::state::readable;
use crate::store::backup::{About, read};
use crate::store::{Batch, Place, Reading, StoreError, There};
use std::fs::File;
use std::path::{Path, PathBuf};

/// What is restored, and where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The backup.
    file: PathBuf,

    /// Replace the store that is there. It is kept aside.
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    at: DataDir,
}

pub(super) fn run(args: Args) -> Result<String, String> {
    let Args { file, force, at } = args;
    let data_dir = &at.data_dir;
    let (about, reading) = open(&file)?;
    make_private_folder(data_dir).map_err(|error| error.to_string())?;
    let place = Place::hold(&source::file(data_dir)).map_err(|error| refused(&error))?;
    let keep = kept(&place, data_dir, force)?;
    let rows = readable_rows(&file, reading);
    let index = place
        .restore(rows, keep.as_deref())
        .map_err(|error| format!("nothing was changed: {error}"))?;

    let (from, to) = (file.display(), source::file(data_dir));
    let mut text = format!(
        "Restored {} from {from}, taken at {:.0} at index {}. The index is now {index}.\n",
        to.display(),
        about.taken_at,
        about.index
    );
    if let Some(keep) = keep {
        text.push_str(&format!("What was there is kept as {}.\n", keep.display()));
    }
    let key = data_dir.join(KEY_FILE);
    if !key.exists() {
        text.push_str(&format!(
            "{} is not there: unless the configuration names another key_file, put the key of the server that\n\
             was backed up there. Without it no server starts on what was restored.\n",
            key.display()
        ));
    }
    Ok(text)
}

fn open(file: &Path) -> Result<(About, Reading), String> {
    let from = File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
    read(file, from).map_err(|error| format!("nothing was changed: {error}"))
}

/// Where to keep what is there; nothing if nothing is lost. An error if it must not be replaced.
fn kept(place: &Place, data_dir: &Path, force: bool) -> Result<Option<PathBuf>, String> {
    let what = match place.look() {
        There::Nothing | There::Store(0, _) => return Ok(None),
        There::Store(rows, index) => format!("holds {rows} rows at index {index}"),
        There::Unreadable(error) => format!("cannot be read ({error})"),
    };
    if force {
        return Ok(Some(place.unused(".before-restore")));
    }
    let file = source::file(data_dir);
    Err(format!(
        "nothing was changed: {} {what}. Give --force to put the backup in its place; it is then kept aside",
        file.display()
    ))
}

/// The same rows, up to the first that this saddlebag cannot read.
fn readable_rows(file: &Path, reading: Reading) -> Reading {
    let file = file.to_owned();
    let check = move |batch: Batch| {
        for (key, row) in &batch {
            readable(key, row).map_err(|row| StoreError::Corrupt {
                file: file.clone(),
                key: row.key.to_string(),
                detail: row.detail,
            })?;
        }
        Ok(batch)
    };
    let batches = reading.batches.map(move |batch| batch.and_then(&check));
    Reading {
        batches: Box::new(batches),
        ..reading
    }
}

//! `saddlebag volume init`: an example of a volume specification.

use crate::cli::failure::{Exit, Failure, word};
use crate::cli::screen::Screen;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

/// What the file says.
pub(super) const EXAMPLE: &str = include_str!("example.hcl");

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write; - is standard output.
    #[arg(value_name = "FILE", default_value = "volume.hcl")]
    file: PathBuf,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let screen = Screen::new();
    let name = args.file.display().to_string();
    if name == "-" {
        screen.show(EXAMPLE);
        return Ok(());
    }
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file);
    let written = opened.and_then(|mut file| file.write_all(EXAMPLE.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::new(
            Exit::Conflict,
            format!("{name} is there already, and is left as it is"),
            &["Give another name: saddlebag volume init FILE"],
        ),
        _ => Failure::new(
            Exit::Failed,
            format!("{name} cannot be written: {error}"),
            &[],
        ),
    })?;
    let file = word(&name);
    screen.show(&format!(
        "Wrote {name}. Edit it, then: saddlebag volume create {file}\n"
    ));
    Ok(())
}

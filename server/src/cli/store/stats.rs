//! `saddlebag store stats`.

use super::DataDir;
use super::source::{self, Source, refused};
use super::survey::Survey;

/// What is counted.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    at: DataDir,
}

pub(super) fn run(Args { at }: Args) -> Result<String, String> {
    let data_dir = &at.data_dir;
    let source = Source::of(data_dir)?;
    let holder = source.holder().unwrap_or("nobody").to_owned();
    let reading = source.read(data_dir)?;
    let (index, format) = (reading.index, reading.format);
    let survey = Survey::of(reading).map_err(|error| refused(&error))?;
    let file = source::file(data_dir);
    let size = std::fs::metadata(&file)
        .map_err(|error| format!("{}: {error}", file.display()))?
        .len();
    Ok(format!(
        "  {:<16}{}\n  {:<16}{size} bytes\n  {:<16}{format}\n  {:<16}{index}\n  {:<16}{holder}\n\n{}",
        "file",
        file.display(),
        "size",
        "format",
        "index",
        "in use by",
        survey.table()
    ))
}

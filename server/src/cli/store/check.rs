//! `saddlebag store check`.

use super::DataDir;
use super::source::{self, Source, refused};
use super::survey::Survey;
use crate::store::Formats;
use std::fmt::Write;

/// What is checked.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    at: DataDir,
}

pub(super) fn run(Args { at }: Args) -> Result<String, String> {
    let data_dir = &at.data_dir;
    let source = Source::of(data_dir)?;
    let looked_at = match source.holder() {
        None => "the checksum of every page, of every row and of all rows together; that this saddlebag can read every row".to_owned(),
        Some(holder) => format!(
            "the checksum of every row and of all rows together; that this saddlebag can read every row.\n\
             Read through {holder}: stop it to check the pages that hold no rows, too"
        ),
    };
    let reading = source.read(data_dir)?;
    let (index, format) = (reading.index, reading.format);
    let survey = Survey::of(reading).map_err(|error| refused(&error))?;
    let file = source::file(data_dir);
    let file = file.display();
    if !survey.unreadable.is_empty() {
        let mut text = format!("{file} is whole, but this saddlebag cannot read all of it:\n");
        for row in &survey.unreadable {
            let _ = writeln!(text, "  {row}"); // writing to a String does not fail
        }
        text.push_str("Use the saddlebag that wrote it, or a newer one.");
        return Err(text);
    }
    let older = match format < Formats::KNOWN.newest() {
        true => " (older: the next server migrates it)",
        false => "",
    };
    let rows = survey.rows();
    Ok(format!(
        "{file} is whole: {rows} rows at index {index}, format {format}{older}.\n\
         Looked at: {looked_at}.\n\n{}",
        survey.table()
    ))
}

//! Reading the configuration file: what is wrong in it is told with its place and what would be right.

mod place;

use super::{Settings, Unfit, closest};
use place::{LINE_MARK, Place};
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// Why a configuration file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// It is no TOML, or says what cannot be.
    #[error("{}:{line}:{column}: {problem}\n{excerpt}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1, in characters.
        column: usize,
        /// What is wrong.
        problem: String,
        /// The line, a mark below the place, and, if `problem` does not say it, what would be right.
        excerpt: String,
    },
}

/// The settings in this file.
pub fn read(path: &Path) -> Result<Settings, FileError> {
    let text = std::fs::read_to_string(path).map_err(|error| FileError::Unreadable {
        path: path.to_owned(),
        error: error.to_string(),
    })?;
    parse(path, &text)
}

/// The settings in this text of a file.
pub fn parse(path: &Path, text: &str) -> Result<Settings, FileError> {
    toml::from_str(text).map_err(|error| {
        let place = Place::of(text, error.span().unwrap_or_default());
        let is_syntax = text.parse::<toml::Table>().is_err();
        let (problem, advice) = told(error.message(), &place, is_syntax);
        wrong(path, &place, problem, &advice)
    })
}

/// The place in this file that gives a value which does not fit; nothing if the file does not give it.
pub fn place_of(path: &Path, unfit: &Unfit) -> Option<FileError> {
    let text = std::fs::read_to_string(path).ok()?;
    let table = DeTable::parse(&text).ok()?;
    let mut keys = unfit.key.split('.');
    let outer = table.get_ref().get(keys.next()?)?;
    let value = keys.try_fold(outer, |value, key| value.get_ref().as_table()?.get(key))?;
    let place = Place::of(&text, value.span());
    Some(wrong(path, &place, unfit.problem.clone(), ""))
}

fn wrong(path: &Path, place: &Place<'_>, problem: String, advice: &str) -> FileError {
    let mut excerpt = format!("{LINE_MARK}{}\n{LINE_MARK}{}", place.text, place.mark());
    if !advice.is_empty() {
        excerpt = format!("{excerpt}\n{advice}");
    }
    FileError::Wrong {
        path: path.to_owned(),
        line: place.line,
        column: place.column,
        problem,
        excerpt,
    }
}

/// What is wrong, and what would be right.
fn told(message: &str, place: &Place<'_>, is_syntax: bool) -> (String, String) {
    if let Some(rest) = message.strip_prefix("unknown field `")
        && let Some((unknown, expected)) = rest.split_once('`')
    {
        let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        let advice = match closest(unknown, known.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        return (format!("unknown key `{unknown}`"), advice);
    }
    let message = message
        .replace("expected u16", "expected a number up to 65535")
        .replace("expected u32", "expected a number")
        .replace('\n', ", ");
    let advice = place
        .key()
        .filter(|_| !is_syntax)
        .and_then(|key| default_of(&key))
        .map_or_else(String::new, |default| format!("the default: {default}"));
    (message, advice)
}

/// `key = value`, as it could stand in the file, of a key that has a default.
fn default_of(key: &str) -> Option<String> {
    let defaults = Settings::defaults().by_key().ok()?;
    let value = defaults.get(key)?;
    let name = key.rsplit('.').next()?;
    Some(format!("{name} = {value}"))
}

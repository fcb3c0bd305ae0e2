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

#[cfg(test)]
mod tests {
    use super::{FileError, parse};
    use crate::config::EXAMPLE;
    use crate::mangled::{assert_linear, texts};
    use std::path::Path;

    const PLUGIN: &str = "[[plugin]]\nid = \"ceph\"\ntype = \"node\"\nendpoint = \"unix:///run/csi.sock\"\nsecrets_from = { key = { file = \"/s/k\" } }\nhealth = { interval = \"30s\" }\nbase_dir = { host = \"/a\", driver = \"/b\" }\n";

    /// The lines of the example that set something, set, each below its table.
    fn settings() -> Vec<String> {
        let mut table = String::new();
        let mut settings = vec![PLUGIN.to_owned()];
        for line in EXAMPLE.lines() {
            let line = line.trim_start_matches("# ").trim_start_matches('#');
            if line.starts_with('[') {
                table = format!("{line}\n");
            } else if line.contains(" = ") {
                settings.push(format!("{table}{line}\n"));
            }
        }
        settings
    }

    #[test]
    fn a_hundred_thousand_mangled_configurations_are_read_or_refused() {
        let whole = settings();
        let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
        let (mut read, mut refused) = (0, 0);
        for text in texts(&whole, 200) {
            match parse(Path::new("f"), &text) {
                Ok(_) => read += 1,
                Err(FileError::Wrong {
                    line,
                    column,
                    problem,
                    ..
                }) => {
                    assert!(line <= text.matches('\n').count() + 1, "{text:?}: {line}");
                    assert!(line >= 1 && column >= 1 && !problem.is_empty(), "{text:?}");
                    refused += 1;
                }
                Err(unreadable) => panic!("{unreadable}"),
            }
        }
        assert!(read > 1_000 && refused > 10_000, "{read} {refused}");
    }

    #[test]
    fn a_long_configuration_costs_no_more_than_its_length() {
        for shape in [
            ("", PLUGIN, ""),
            ("", "# \n", "port = x"),
            ("port = ", "[", ""),
            ("port = ", "{a=", ""),
            ("port = ", "9", ""),
            ("", "a.", "b = 1"),
            ("[", "a.", "b]"),
            ("", "[a]\n", ""),
            ("region = \"", "\\n", "\""),
            ("region = \"\"\"", "\n", ""),
            ("host_names = [", "\"a\",", "]"),
            ("namespaces = [", "\"a\",", "1]"),
            ("", "k", " = 1"),
        ] {
            assert_linear(50, shape, |text| {
                let _ = parse(Path::new("f"), text);
            });
        }
    }
}

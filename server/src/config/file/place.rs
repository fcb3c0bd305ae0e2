//! A place in a TOML file, as people find it.

use std::ops::Range;

/// What stands before a line that is shown.
pub(super) const LINE_MARK: &str = "  | ";

/// A place in a text.
pub(super) struct Place<'t> {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The whole line.
    pub text: &'t str,
    /// How many characters of the line are meant.
    width: usize,
    before: &'t str,
}

impl<'t> Place<'t> {
    /// The place of these bytes, of which only the first line is shown.
    pub fn of(text: &'t str, span: Range<usize>) -> Self {
        let at = text.floor_char_boundary(span.start.min(text.len()));
        let end = text.ceil_char_boundary(span.end.clamp(at, text.len()));
        let start_of_line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[start_of_line..].lines().next().unwrap_or_default();
        let meant = text[at..end].lines().next().unwrap_or_default();
        Self {
            line: text[..at].matches('\n').count() + 1,
            column: text[start_of_line..at].chars().count() + 1,
            text: line,
            width: meant.chars().count().max(1),
            before: &text[..at],
        }
    }

    /// What points at the place from the line below.
    pub fn mark(&self) -> String {
        format!("{}{}", " ".repeat(self.column - 1), "^".repeat(self.width))
    }

    /// The key whose value is here, as `table.key`; nothing inside of a plugin.
    pub fn key(&self) -> Option<String> {
        let (key, _) = self.text.split_once('=')?;
        let table = self
            .before
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| line.starts_with('['));
        match table {
            None => Some(key.trim().to_owned()),
            Some(header) if header.starts_with("[[") => None,
            Some(header) => {
                let table = header.trim_start_matches('[').split(']').next()?;
                Some(format!("{}.{}", table.trim(), key.trim()))
            }
        }
    }
}

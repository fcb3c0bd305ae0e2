//! Tables and lists of facts, in columns that line up whatever the script of their text.

use crate::cli::failure::printable;
use unicode_width::UnicodeWidthStr;

/// Rows below a heading.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(columns: &[&str]) -> Self {
        let heading = columns.iter().map(|column| (*column).to_owned());
        Self {
            rows: vec![heading.collect()],
        }
    }

    /// Adds a row, with a text for each column. An empty one is shown as `-`.
    pub fn row(&mut self, texts: impl IntoIterator<Item: AsRef<str>>) {
        let cells = texts
            .into_iter()
            .map(|text| cell(text.as_ref()).replace('\n', " "));
        self.rows.push(cells.collect());
    }

    /// Whether there is nothing below the heading.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// The table as lines; columns are two spaces apart.
    pub fn text(&self) -> String {
        let columns = self.rows[0].len();
        let width = |column: usize| {
            let texts = self.rows.iter().filter_map(|row| row.get(column));
            texts.map(|text| text.width()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let lines = self.rows.iter().map(|row| {
            let cells = row
                .iter()
                .zip(&widths)
                .map(|(text, width)| padded(text, *width));
            let line = cells.collect::<Vec<_>>().join("  ");
            format!("{}\n", line.trim_end())
        });
        lines.collect()
    }
}

/// Facts, each with its name: `Name = text`.
#[derive(Default)]
pub struct Facts {
    facts: Vec<(&'static str, String)>,
}

impl Facts {
    /// Adds a fact. An empty one is shown as `-`.
    pub fn add(&mut self, name: &'static str, text: impl AsRef<str>) {
        self.facts.push((name, cell(text.as_ref())));
    }

    /// Adds a fact if there is something to tell.
    pub fn add_if_any(&mut self, name: &'static str, text: impl AsRef<str>) {
        if !text.as_ref().is_empty() {
            self.add(name, text);
        }
    }

    /// The facts as lines.
    pub fn text(&self) -> String {
        let names = self.facts.iter().map(|(name, _)| name.width());
        let width = names.max().unwrap_or(0);
        let lines = self.facts.iter().map(|(name, text)| {
            let indented = text.replace('\n', &format!("\n{}", " ".repeat(width + 3)));
            format!("{} = {indented}\n", padded(name, width))
        });
        lines.collect()
    }
}

/// A section: a heading and what is below it, after an empty line.
pub fn section(heading: &str, text: &str) -> String {
    format!("\n{heading}\n{text}")
}

/// A map as `key=value, key=value`.
pub fn pairs<'a>(map: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let pairs = map.into_iter().map(|(key, value)| format!("{key}={value}"));
    pairs.collect::<Vec<_>>().join(", ")
}

fn cell(text: &str) -> String {
    match text {
        "" => "-".to_owned(),
        text => printable(text),
    }
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        let mut table = Table::new(&["ID", "Name"]);
        table.row(["数据库", "wide"]);
        table.row(["e\u{301}te\u{301}", ""]);
        assert_eq!(
            table.text(),
            "ID      Name\n数据库  wide\ne\u{301}te\u{301}     -\n"
        );
    }

    #[test]
    fn what_could_drive_a_terminal_is_shown_harmless() {
        let mut facts = Facts::default();
        facts.add("Name", "a\u{1b}[2Jb");
        facts.add("Error", "one\ntwo");
        assert_eq!(
            facts.text(),
            "Name  = a\\u{1b}[2Jb\nError = one\n        two\n"
        );
    }
}

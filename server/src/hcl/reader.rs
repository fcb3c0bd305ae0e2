//! Reads the union of HCL 1 and 2 for values: quoted keys, `:` for `=`, several entries in one line and blocks within
//! them, commas or none. No kept crate reads all of that: those for HCL 2 refuse quoted keys and nested one-line blocks.

use super::DEEPEST;
use super::escape;
use super::node::{Entry, Node, Value};
use super::place::{Place, Problem};
use std::iter::Peekable;
use std::str::Chars;

/// The entries of a text. A text that begins with `{` is JSON: what is between its braces.
pub(crate) fn parse(text: &str) -> Result<Vec<Entry>, Problem> {
    Reader::new(text, Labels::Refused).whole()
}

/// The entries of a text whose blocks may have labels: `key "label" { … }` reads as `key { label { … } }`.
pub(crate) fn parse_labelled(text: &str) -> Result<Vec<Entry>, Problem> {
    Reader::new(text, Labels::Taken).whole()
}

/// Whether blocks may have labels.
#[derive(Clone, Copy, PartialEq)]
enum Labels {
    Refused,
    Taken,
}

/// Reads a text, and knows where.
pub(super) struct Reader<'t> {
    rest: Peekable<Chars<'t>>,
    place: Place,
    labels: Labels,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, labels: Labels) -> Self {
        Self {
            rest: text.chars().peekable(),
            place: Place { line: 1, column: 1 },
            labels,
        }
    }

    fn whole(mut self) -> Result<Vec<Entry>, Problem> {
        let reader = &mut self;
        reader.skip()?;
        let is_json = reader.peek() == Some('{');
        let entries = match is_json {
            true => {
                reader.next();
                let entries = reader.entries(Some('}'), 0)?;
                reader.skip()?;
                entries
            }
            false => reader.entries(None, 0)?,
        };
        match reader.peek() {
            None => Ok(entries),
            Some(c) => {
                Err(reader.problem(format!("nothing more is expected here, but there is {c:?}")))
            }
        }
    }

    pub fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    pub fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        match c {
            '\n' => {
                self.place.line += 1;
                self.place.column = 1;
            }
            _ => self.place.column += 1,
        }
        Some(c)
    }

    /// Something is wrong at what comes next.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::at(self.place, message)
    }

    /// Takes this character if it comes next.
    fn take(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.next();
        }
        is_next
    }

    /// Takes what satisfies this.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.peek().filter(|c| wanted(*c)) {
            taken.push(c);
            self.next();
        }
        taken
    }

    /// Skips white space and comments: `#`, `//` and `/* */`.
    fn skip(&mut self) -> Result<(), Problem> {
        loop {
            match self.peek() {
                Some(c) if c.is_whitespace() => {
                    self.next();
                }
                Some('#') => self.skip_line(),
                Some('/') => self.skip_comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) {
        self.take_while(|c| c != '\n');
    }

    fn skip_comment(&mut self) -> Result<(), Problem> {
        let start = self.place;
        self.next();
        match self.next() {
            Some('/') => self.skip_line(),
            Some('*') => loop {
                self.take_while(|c| c != '*');
                if self.next().is_none() {
                    return Err(Problem::at(start, "this comment has no end: */"));
                }
                if self.take('/') {
                    return Ok(());
                }
            },
            _ => return Err(Problem::at(start, "a comment begins with #, // or /*")),
        }
        Ok(())
    }

    /// Entries until `end`, which is taken; until the end of the text without one.
    fn entries(&mut self, end: Option<char>, depth: usize) -> Result<Vec<Entry>, Problem> {
        let start = self.place;
        let mut entries = Vec::new();
        loop {
            self.skip()?;
            match (self.peek(), end) {
                (None, None) => return Ok(entries),
                (None, Some(_)) => {
                    return Err(Problem::at(
                        start,
                        "this block is not closed: a } is missing",
                    ));
                }
                (Some(c), Some(end)) if c == end => {
                    self.next();
                    return Ok(entries);
                }
                (Some(','), _) if !entries.is_empty() => {
                    self.next();
                }
                (Some(_), _) => entries.push(self.entry(depth)?),
            }
        }
    }

    /// `key = value`, `key: value` or `key { … }`.
    fn entry(&mut self, depth: usize) -> Result<Entry, Problem> {
        let place = self.place;
        let key = self.key()?;
        self.skip()?;
        let node = match self.peek() {
            Some('=' | ':') => {
                self.next();
                self.skip()?;
                self.node(depth)?
            }
            Some('{') => self.node(depth)?,
            Some(c) if self.labels == Labels::Taken && begins_key(c) => self.labelled(depth)?,
            Some('"') => {
                return Err(self.problem(format!(
                    "a block of a specification has no label: write {key} {{ … }}, or {key} = \"…\""
                )));
            }
            _ => {
                return Err(Problem::at(
                    place,
                    format!("`{key}` has no value: write {key} = \"…\", or {key} {{ … }}"),
                ));
            }
        };
        Ok(Entry { place, key, node })
    }

    /// `"label" { … }`, or `label { … }`, as a block that holds the labelled one.
    fn labelled(&mut self, depth: usize) -> Result<Node, Problem> {
        let place = self.place;
        if depth >= DEEPEST {
            return Err(self.problem("this is nested too deeply"));
        }
        let key = self.key()?;
        self.skip()?;
        let node = match self.peek() {
            Some(c) if begins_key(c) => self.labelled(depth + 1)?,
            Some('{') => self.node(depth + 1)?,
            _ => return Err(self.problem("a block is expected behind its label: { … }")),
        };
        let value = Value::Object(vec![Entry { place, key, node }]);
        Ok(Node { place, value })
    }

    fn key(&mut self) -> Result<String, Problem> {
        match self.peek() {
            Some('"') => self.text(),
            Some(c) if begins_key(c) => Ok(self.word()),
            Some(c) => Err(self.problem(format!("a key is expected here, but there is {c:?}"))),
            None => Err(self.problem("a key is expected here, but the text ends")),
        }
    }

    fn word(&mut self) -> String {
        self.take_while(|c| c.is_alphanumeric() || "_-.".contains(c))
    }

    fn node(&mut self, depth: usize) -> Result<Node, Problem> {
        let place = self.place;
        if depth >= DEEPEST {
            return Err(self.problem("this is nested too deeply"));
        }
        let value = match self.peek() {
            Some('"') => Value::Text(self.text()?),
            Some('{') => {
                self.next();
                Value::Object(self.entries(Some('}'), depth + 1)?)
            }
            Some('[') => Value::List(self.list(depth + 1)?),
            Some('<') => Value::Text(escape::heredoc(self)?),
            Some(c) if c.is_ascii_digit() || "-+.".contains(c) => self.number()?,
            Some(c) if c.is_alphabetic() || c == '_' => match self.word().as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                // It may be a secret: it is not repeated.
                _ => {
                    return Err(Problem::at(
                        place,
                        "text stands in quotes: \"…\"; there are no variables",
                    ));
                }
            },
            Some(c) => {
                return Err(self.problem(format!("a value is expected here, but there is {c:?}")));
            }
            None => return Err(self.problem("a value is expected here, but the text ends")),
        };
        Ok(Node { place, value })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Problem> {
        let start = self.place;
        self.next();
        let mut items = Vec::new();
        loop {
            self.skip()?;
            if self.take(']') {
                return Ok(items);
            }
            if self.peek().is_none() {
                return Err(Problem::at(
                    start,
                    "this list is not closed: a ] is missing",
                ));
            }
            items.push(self.node(depth)?);
            self.skip()?;
            if !self.take(',') && self.peek().is_some_and(|c| c != ']') {
                return Err(self.problem("a comma is missing between the items of this list"));
            }
        }
    }

    fn number(&mut self) -> Result<Value, Problem> {
        let place = self.place;
        let written = self.take_while(|c| c.is_alphanumeric() || "+-.".contains(c));
        let hexadecimal = written
            .strip_prefix("0x")
            .map(|digits| i64::from_str_radix(digits, 16));
        match hexadecimal {
            Some(Ok(number)) => Ok(Value::Number(number.to_string())),
            None if written.parse::<f64>().is_ok() => Ok(Value::Number(written)),
            _ => Err(Problem::at(
                place,
                "this is no number: text stands in quotes, \"…\"",
            )),
        }
    }

    /// What is between quotes.
    fn text(&mut self) -> Result<String, Problem> {
        let start = self.place;
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(escape::escaped(self)?),
                Some('\n') | None => {
                    return Err(Problem::at(start, "this text has no closing quote"));
                }
                Some(c) => text.push(c),
            }
        }
    }
}

/// Whether a key, or a label, begins so.
fn begins_key(c: char) -> bool {
    c.is_alphanumeric() || "_\"".contains(c)
}

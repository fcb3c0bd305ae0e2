//! Where in a text its reader is, and what could have stood where it stopped.

/// A place in a text.
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
    /// The furthest place at which something was expected, and what.
    furthest: usize,
    expected: Vec<&'static str>,
}

impl<'t> Cursor<'t> {
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            furthest: 0,
            expected: Vec::new(),
        }
    }

    /// Where it is; [`Cursor::back_to`] goes there again.
    pub fn at(&self) -> usize {
        self.at
    }

    pub fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    pub fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Takes this text if it stands here.
    pub fn take(&mut self, wanted: &'static str) -> Option<()> {
        if self.rest().starts_with(wanted) {
            self.at += wanted.len();
            return Some(());
        }
        self.expect(wanted)
    }

    /// Takes this word if it stands here, and is not the beginning of a longer one.
    pub fn word(&mut self, wanted: &'static str) -> Option<()> {
        let before = self.at;
        self.take(wanted)?;
        match self.rest().bytes().next().is_some_and(is_part_of_name) {
            false => Some(()),
            true => {
                self.at = before;
                self.expect(wanted)
            }
        }
    }

    /// Takes the bytes that are so, none too.
    pub fn run(&mut self, is: impl Fn(u8) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.bytes().position(|byte| !is(byte));
        let (run, _) = rest.split_at(end.unwrap_or(rest.len()));
        self.at += run.len();
        run
    }

    /// Takes so many bytes.
    pub fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Takes white space; there may be none.
    pub fn space(&mut self) {
        self.run(is_space);
    }

    /// Takes white space; there has to be some.
    pub fn some_space(&mut self) -> Option<()> {
        match self.run(is_space) {
            "" => self.expect("white space"),
            _ => Some(()),
        }
    }

    /// Notes what could have stood here.
    pub fn expect<T>(&mut self, wanted: &'static str) -> Option<T> {
        if self.at > self.furthest {
            self.furthest = self.at;
            self.expected.clear();
        }
        if self.at == self.furthest && !self.expected.contains(&wanted) {
            self.expected.push(wanted);
        }
        None
    }

    /// What is wrong at the furthest place that was reached.
    pub fn complaint(mut self) -> String {
        self.expected.sort_unstable();
        let before = &self.text[..self.furthest];
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |it| it.chars().count())
            + 1;
        let found = match self.text[self.furthest..].chars().next() {
            Some(found) => format!("found {found:?}"),
            None => "the expression ends".to_owned(),
        };
        let expected = self.expected.join(", ");
        format!("line {line}, column {column}: {found}, expected one of: {expected}")
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

pub(super) fn is_part_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'/'
}

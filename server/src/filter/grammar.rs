//! From a text to an expression.
//!
//! ```text
//! or         := and (" or " or)?            and   := not (" and " and)?
//! not        := "not " not | "(" or ")" | collection | comparison
//! collection := ("any" | "all") selector "as" name ("," name)? "{" or "}"
//! comparison := selector ("==" | "!=" | "contains" | "not contains" | "matches" | "not matches") value
//!             | selector "is" "not"? ("empty" | "nil")
//!             | value "not"? "in" selector
//! selector   := name ("." name | "." digits | "[" string "]")* | "\"" ("/" part)+ "\""
//! value      := selector | number | string
//! ```
//!
//! Words stand between white space. A value that is written as a selector is its text: `ID == v1`.

use super::cursor::{Cursor, is_part_of_name, is_space};
use super::expression::{Collection, Comparison, Expression, Operator, Selector};
use super::literal::Literal;

/// How deep parentheses, `not` and collections may lie in each other.
const DEEPEST: usize = 100;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    let mut reader = Reader {
        cursor: Cursor::new(text),
        depth: 0,
        is_too_deep: false,
    };
    let expression = reader.whole();
    match expression {
        Some(expression) => Ok(expression),
        None if reader.is_too_deep => Err(format!("it is nested deeper than {DEEPEST} levels")),
        None => Err(reader.cursor.complaint()),
    }
}

struct Reader<'t> {
    cursor: Cursor<'t>,
    depth: usize,
    is_too_deep: bool,
}

impl Reader<'_> {
    fn whole(&mut self) -> Option<Expression> {
        self.cursor.space();
        let expression = self.or()?;
        self.cursor.space();
        match self.cursor.is_at_end() {
            true => Some(expression),
            false => self.cursor.expect("the end"),
        }
    }

    fn or(&mut self) -> Option<Expression> {
        let mut terms = vec![self.and()?];
        while self.joined_by("or").is_some() {
            terms.push(self.and()?);
        }
        Some(match terms.len() {
            1 => terms.remove(0),
            _ => Expression::Any(terms),
        })
    }

    fn and(&mut self) -> Option<Expression> {
        let mut terms = vec![self.not()?];
        while self.joined_by("and").is_some() {
            terms.push(self.not()?);
        }
        Some(match terms.len() {
            1 => terms.remove(0),
            _ => Expression::All(terms),
        })
    }

    /// Takes a word between white space; what is not there stays untouched.
    fn joined_by(&mut self, word: &'static str) -> Option<()> {
        self.or_back(|it| {
            it.cursor.some_space()?;
            it.cursor.word(word)?;
            it.cursor.some_space()
        })
    }

    fn not(&mut self) -> Option<Expression> {
        if self.depth == DEEPEST {
            self.is_too_deep = true;
            return None;
        }
        self.depth += 1;
        let read = self.term();
        self.depth -= 1;
        read
    }

    fn term(&mut self) -> Option<Expression> {
        let negated = self.or_back(|it| {
            it.cursor.word("not")?;
            it.cursor.some_space()?;
            it.not()
        });
        if let Some(inner) = negated {
            return Some(Expression::Not(Box::new(inner)));
        }
        if self.is_too_deep {
            return None;
        }
        if self.cursor.take("(").is_some() {
            self.cursor.space();
            let inner = self.or()?;
            self.cursor.space();
            self.cursor.take(")")?;
            return Some(inner);
        }
        for (word, all) in [("any", false), ("all", true)] {
            if let Some(collection) = self.or_back(|it| it.collection(word, all)) {
                return Some(Expression::Each(Box::new(collection)));
            }
            if self.is_too_deep {
                return None;
            }
        }
        self.comparison().map(Expression::Compare)
    }

    fn collection(&mut self, word: &'static str, all: bool) -> Option<Collection> {
        self.cursor.word(word)?;
        self.cursor.some_space()?;
        let selector = self.selector()?;
        self.cursor.some_space()?;
        self.cursor.word("as")?;
        self.cursor.some_space()?;
        let name = self.binding()?;
        self.cursor.space();
        let value = match self.cursor.take(",") {
            Some(()) => {
                self.cursor.space();
                Some(self.binding()?)
            }
            None => None,
        };
        self.cursor.space();
        self.cursor.take("{")?;
        self.cursor.space();
        let body = self.or()?;
        self.cursor.space();
        self.cursor.take("}")?;
        Some(Collection {
            all,
            selector,
            name,
            value,
            body,
        })
    }

    /// A name; none for `_`, which names nothing.
    fn binding(&mut self) -> Option<Option<String>> {
        match self.cursor.word("_") {
            Some(()) => Some(None),
            None => Some(Some(self.name()?.to_owned())),
        }
    }

    fn comparison(&mut self) -> Option<Comparison> {
        if let Some(comparison) = self.or_back(Self::selector_first) {
            return Some(comparison);
        }
        let text = self.value()?;
        self.cursor.some_space()?;
        let negated = self.negation();
        self.cursor.word("in")?;
        self.cursor.some_space()?;
        Some(Comparison {
            selector: self.selector()?,
            operator: Operator::Contains,
            negated,
            literal: Literal::new(text),
        })
    }

    fn selector_first(&mut self) -> Option<Comparison> {
        let selector = self.selector()?;
        for (sign, negated) in [("==", false), ("!=", true)] {
            let is_there = self.or_back(|it| {
                it.cursor.space();
                it.cursor.take(sign)
            });
            if is_there.is_some() {
                self.cursor.space();
                let text = self.value()?;
                return Some(Comparison {
                    selector,
                    operator: Operator::Equal,
                    negated,
                    literal: Literal::new(text),
                });
            }
        }
        self.cursor.some_space()?;
        if self.cursor.word("is").is_some() {
            self.cursor.some_space()?;
            let negated = self.negation();
            let empty = self.cursor.word("empty").map(|()| Operator::IsEmpty);
            let operator = match empty {
                Some(operator) => operator,
                None => self.cursor.word("nil").map(|()| Operator::IsNil)?,
            };
            return Some(Comparison {
                selector,
                operator,
                negated,
                literal: Literal::new(String::new()),
            });
        }
        let negated = self.negation();
        let contains = self.cursor.word("contains").map(|()| Operator::Contains);
        let operator = match contains {
            Some(operator) => operator,
            None => self.cursor.word("matches").map(|()| Operator::Matches)?,
        };
        self.cursor.some_space()?;
        let text = self.value()?;
        Some(Comparison {
            selector,
            operator,
            negated,
            literal: match operator {
                Operator::Matches => Literal::pattern(text),
                _ => Literal::new(text),
            },
        })
    }

    fn negation(&mut self) -> bool {
        let not = self.or_back(|it| {
            it.cursor.word("not")?;
            it.cursor.some_space()
        });
        not.is_some()
    }

    fn selector(&mut self) -> Option<Selector> {
        if self.cursor.rest().starts_with('"') {
            return self.or_back(Self::pointer);
        }
        let mut parts = vec![self.name()?.to_owned()];
        loop {
            let next = self.or_back(Self::part);
            match next {
                Some(part) => parts.push(part),
                None => return Some(Selector(parts)),
            }
        }
    }

    /// What follows in a selector.
    fn part(&mut self) -> Option<String> {
        if self.cursor.take(".").is_some() {
            return match self.cursor.run(|byte| byte.is_ascii_digit()) {
                "" => self.name().map(str::to_owned),
                index => Some(index.to_owned()),
            };
        }
        self.cursor.take("[")?;
        self.cursor.space();
        let key = self.string()?;
        self.cursor.space();
        self.cursor.take("]")?;
        Some(key)
    }

    fn pointer(&mut self) -> Option<Selector> {
        self.cursor.take("\"")?;
        let mut parts = Vec::new();
        while self.cursor.take("/").is_some() {
            let is_part = |letter: char| letter.is_alphanumeric() || "-_.~:|".contains(letter);
            let rest = self.cursor.rest();
            let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            if end == 0 {
                return self.cursor.expect("a name");
            }
            self.cursor.skip(end);
            parts.push(rest[..end].replace("~1", "/").replace("~0", "~"));
        }
        if parts.is_empty() {
            return self.cursor.expect("/");
        }
        self.cursor.take("\"")?;
        Some(Selector(parts))
    }

    fn name(&mut self) -> Option<&str> {
        match self.cursor.rest().bytes().next() {
            Some(first) if first.is_ascii_alphabetic() => Some(self.cursor.run(is_part_of_name)),
            _ => self.cursor.expect("a name"),
        }
    }

    /// What is compared with, as its text.
    fn value(&mut self) -> Option<String> {
        let is_pointer = self.cursor.rest().starts_with('"');
        if let Some(Selector(parts)) = self.or_back(Self::selector) {
            return Some(match is_pointer {
                true => Selector(parts).pointer(),
                false => parts.join("."),
            });
        }
        match self.cursor.rest().bytes().next() {
            Some(b'"' | b'`') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.cursor.expect("a value"),
        }
    }

    fn number(&mut self) -> Option<String> {
        let start = self.cursor.at();
        let text = self.cursor.rest();
        let _ = self.cursor.take("-");
        let whole = self.cursor.run(|byte| byte.is_ascii_digit());
        if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
            return self.cursor.expect("a number");
        }
        if self.cursor.take(".").is_some() && self.cursor.run(|it| it.is_ascii_digit()).is_empty() {
            return self.cursor.expect("a digit");
        }
        let is_over = |byte: u8| is_space(byte) || matches!(byte, b')' | b'}');
        match self.cursor.rest().bytes().next().is_none_or(is_over) {
            true => Some(text[..self.cursor.at() - start].to_owned()),
            false => self.cursor.expect("the end of the number"),
        }
    }

    /// A string between back quotes as it is, or between quotes with Go's escapes.
    fn string(&mut self) -> Option<String> {
        if self.cursor.take("`").is_some() {
            let raw = self.cursor.run(|byte| byte != b'`').to_owned();
            self.cursor.take("`")?;
            return Some(raw);
        }
        self.cursor.take("\"")?;
        let mut text = String::new();
        loop {
            text.push_str(
                self.cursor
                    .run(|byte| !matches!(byte, b'"' | b'\\' | b'\n')),
            );
            if self.cursor.take("\"").is_some() {
                return Some(text);
            }
            self.cursor.take("\\")?;
            text.push(self.escaped()?);
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let code = self.cursor.rest().chars().next();
        let letter = match code {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('a') => '\u{7}',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('v') => '\u{b}',
            Some(same @ ('\\' | '"')) => same,
            Some('x') => return self.numbered(2),
            Some('u') => return self.numbered(4),
            Some('U') => return self.numbered(8),
            _ => return self.cursor.expect("an escape of Go's strings"),
        };
        self.cursor.skip(1);
        Some(letter)
    }

    /// A letter by its number, in so many hexadecimal digits.
    fn numbered(&mut self, digits: usize) -> Option<char> {
        let number = self.cursor.rest().get(1..=digits);
        let number = number.and_then(|it| u32::from_str_radix(it, 16).ok());
        match number.and_then(char::from_u32) {
            Some(letter) => {
                self.cursor.skip(1 + digits);
                Some(letter)
            }
            None => self.cursor.expect("an escape of Go's strings"),
        }
    }

    /// Reads something, or nothing at all.
    fn or_back<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let start = self.cursor.at();
        let found = read(self);
        if found.is_none() {
            self.cursor.back_to(start);
        }
        found
    }
}

//! YAML: the same keys and values, in its notation.

use crate::hcl::DEEPEST;
use crate::hcl::{Entry, Node, Value};
use crate::hcl::{Place, Problem};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

/// The entries of a text of one document.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, Problem> {
    let mut reader = Reader {
        events: Parser::new_from_str(text),
    };
    let Some(first) = reader.first()? else {
        return Ok(Vec::new());
    };
    let node = reader.node(first, 0)?;
    if let Some((_, span)) = reader.first()? {
        return Err(Problem::at(
            place(&span),
            "one document is enough: write several volumes as a list below `volumes:`",
        ));
    }
    match node.value {
        Value::Object(entries) => Ok(entries),
        Value::Null => Ok(Vec::new()),
        _ => Err(node.problem("a specification consists of keys with values: `id: pgdata`")),
    }
}

struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
}

type Happened<'t> = (Event<'t>, Span);

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Option<Happened<'t>>, Problem> {
        let next = self.events.next_event().transpose();
        next.map_err(|error| {
            let marker = error.marker();
            let at = Place {
                line: marker.line(),
                column: marker.col() + 1,
            };
            Problem::at(at, format!("this is no YAML: {}", error.info()))
        })
    }

    /// What the next document begins with, if there is one more.
    fn first(&mut self) -> Result<Option<Happened<'t>>, Problem> {
        while let Some(next) = self.next()? {
            match next.0 {
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
                _ => return Ok(Some(next)),
            }
        }
        Ok(None)
    }

    /// What comes next within a list or a mapping.
    fn within(&mut self, span: &Span) -> Result<Happened<'t>, Problem> {
        let next = self.next()?;
        next.ok_or_else(|| Problem::at(place(span), "this has no end"))
    }

    fn node(&mut self, (event, span): Happened<'t>, depth: usize) -> Result<Node, Problem> {
        let refuse = |message: &str| Err(Problem::at(place(&span), message));
        if depth >= DEEPEST {
            return refuse("this is nested too deeply for a specification");
        }
        let value = match event {
            Event::Scalar(text, style, ..) => scalar(&text, style),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.within(&span)? {
                        (Event::SequenceEnd, _) => break Value::List(items),
                        next => items.push(self.node(next, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    match self.within(&span)? {
                        (Event::MappingEnd, _) => break Value::Object(entries),
                        next => entries.push(self.entry(next, depth + 1)?),
                    }
                }
            }
            Event::Alias(_) => {
                return refuse("a specification takes no aliases: write the value out");
            }
            _ => return refuse("a value is expected here"),
        };
        let place = place(&span);
        Ok(Node { place, value })
    }

    fn entry(&mut self, (key, span): Happened<'t>, depth: usize) -> Result<Entry, Problem> {
        let Event::Scalar(key, ..) = key else {
            return Err(Problem::at(place(&span), "a key is plain text"));
        };
        let value = self.within(&span)?;
        let node = self.node(value, depth)?;
        Ok(Entry {
            place: place(&span),
            key: key.into_owned(),
            node,
        })
    }
}

/// The value of a scalar; what is in quotes is text whatever it looks like.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        text if text.parse::<f64>().is_ok() => Value::Number(text.to_owned()),
        text => Value::Text(text.to_owned()),
    }
}

fn place(span: &Span) -> Place {
    Place {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

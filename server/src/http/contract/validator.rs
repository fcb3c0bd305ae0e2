//! A compiled schema, and problems that a person can read.
//!
//! - A problem names its place in the value and, shortened, the value itself.
//! - What stands below a key that holds secrets is never shown, nor is a secret inside a larger
//!   value.
use super::{
    document::Document,
    exact,
    schema::{Reading, as_nomad_reads, json_schema},
    violation,
};
use boon::{CompileError, Compiler, Draft, InstanceToken, SchemaIndex, Schemas, SchemeUrlLoader};
use serde_json::Value;
use std::fmt;

/// Keys, in lower case, whose values are never shown: Nomad's and CSI's own, and ACL tokens.
const CONFIDENTIAL: [&str; 5] = [
    "authtoken",
    "csisecrets",
    "publishcontext",
    "secretid",
    "secrets",
];

/// The longest text of a value that is shown, in characters.
const SHOWN: usize = 120;

/// The most problems that are told of one value; the first ones say enough.
const TOLD: usize = 10;

/// Something wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the value, as `Volumes[0] / Capacity`; empty for the value itself.
    pub place: String,
    /// What is wrong, in a sentence that shows the value.
    pub problem: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => f.write_str(&self.problem),
            place => write!(f, "{place}: {}", self.problem),
        }
    }
}

/// The name under which a schema is compiled; nothing is looked up there.
const LOCATION: &str = "document:schema";

/// A schema of a document, compiled for one reading of values.
pub struct Validator {
    compiled: Schemas,
    whole: SchemaIndex,
    reading: Reading,
}

impl Validator {
    /// Compiles `schema`, a schema of `document`.
    ///
    /// # Errors
    /// When it is no schema: a type that does not exist, a pattern that is no regular expression.
    pub fn new(document: &Document, schema: &Value, reading: Reading) -> Result<Self, Problem> {
        let unusable = |error: CompileError| Problem {
            place: String::new(),
            problem: format!("this is no usable schema: {error:#}"),
        };
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.use_loader(Box::new(SchemeUrlLoader::new()));
        compiler.enable_format_assertions();
        for format in exact::FORMATS {
            compiler.register_format(format);
        }
        let mut compiled = Schemas::new();
        compiler
            .add_resource(LOCATION, json_schema(document, schema, reading))
            .map_err(unusable)?;
        let whole = compiler
            .compile(LOCATION, &mut compiled)
            .map_err(unusable)?;
        Ok(Self {
            compiled,
            whole,
            reading,
        })
    }

    /// Whether the value is as the schema demands.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        self.problems(value).is_empty()
    }

    /// What is wrong with the value: nothing, or up to ten problems. The bounds of 64-bit integers are
    /// exact. A `minimum` or `maximum` that a schema states itself is compared as `f64`, so it has to be
    /// within 2^53, up to which that is exact too.
    #[must_use]
    pub fn problems(&self, value: &Value) -> Vec<Problem> {
        let folded;
        let value = match self.reading {
            Reading::Request => {
                folded = as_nomad_reads(value.clone());
                &folded
            }
            Reading::ShownRequest | Reading::Answer => value,
        };
        let Err(violated) = self.compiled.validate(value, self.whole) else {
            return vec![];
        };
        violation::all(&violated)
            .into_iter()
            .take(TOLD)
            .map(|violation| {
                let at = &violation.instance_location.tokens;
                let shown = match at.iter().any(is_confidential) {
                    true => "(hidden)".to_owned(),
                    false => shown(found(value, at)),
                };
                Problem {
                    place: place(at),
                    problem: violation::said(&violation.kind, &shown),
                }
            })
            .collect()
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator")
            .field("reading", &self.reading)
            .finish_non_exhaustive()
    }
}

/// A value as text, shortened, with its secrets left out.
#[must_use]
pub fn shown(value: &Value) -> String {
    let text = without_secrets(value).to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Whether values of this name, be it a key's, a header's or a parameter's, are never shown.
#[must_use]
pub fn is_confidential_name(name: &str) -> bool {
    let name = name.to_lowercase();
    CONFIDENTIAL.contains(&name.as_str())
        || name == "authorization"
        || name == "cookie"
        || name.starts_with("x-") && (name.ends_with("-token") || name.ends_with("-secrets"))
}

fn without_secrets(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| match is_confidential_name(key) {
                true => (key.clone(), "(hidden)".into()),
                false => (key.clone(), without_secrets(member)),
            })
            .collect(),
        Value::Array(members) => members.iter().map(without_secrets).collect(),
        plain => plain.clone(),
    }
}

fn is_confidential(token: &InstanceToken<'_>) -> bool {
    matches!(token, InstanceToken::Prop(name) if is_confidential_name(name))
}

/// The part of a value that a violation is about.
fn found<'v>(value: &'v Value, at: &[InstanceToken<'_>]) -> &'v Value {
    at.iter().fold(value, |value, token| match token {
        InstanceToken::Prop(name) => &value[&**name],
        InstanceToken::Item(index) => &value[*index],
    })
}

fn place(tokens: &[InstanceToken<'_>]) -> String {
    let mut place = String::new();
    for token in tokens {
        match token {
            InstanceToken::Item(index) => place += &format!("[{index}]"),
            InstanceToken::Prop(name) if place.is_empty() => place += name,
            InstanceToken::Prop(name) => place += &format!(" / {name}"),
        }
    }
    place
}

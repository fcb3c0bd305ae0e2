//! Turns `openapi.yaml` into Rust, before anything else compiles.
//!
//! ```text
//! openapi.yaml --+--> $OUT_DIR/client.rs      typed client   (progenitor)
//!                `--> $OUT_DIR/operations.rs  route table    (ours; the server matches on it)
//! ```
//!
//! A document that lacks something fails the build, with a message that names the operation.
#![allow(
    clippy::unwrap_used,
    reason = "a build script that fails should fail loudly"
)]
use openapiv3::{OpenAPI, Operation};
use progenitor::{GenerationSettings, Generator, InterfaceStyle, TypeImpl};
use schemars::schema::{InstanceType, NumberValidation, SchemaObject};
use serde::Deserialize;
use std::{
    env,
    fmt::{Debug, Write as _},
    fs,
    path::{Path, PathBuf},
};

fn main() {
    let document = Path::new("openapi.yaml");
    println!("cargo::rerun-if-changed={}", document.display());
    let text = fs::read_to_string(document)
        .unwrap_or_else(|error| panic!("{}: {error}", document.display()));
    let spec: OpenAPI = yaml_serde::from_str(&text)
        .unwrap_or_else(|error| panic!("{}: {error}", document.display()));

    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    fs::write(out.join("operations.rs"), operations(&spec)).unwrap();
    fs::write(out.join("client.rs"), client(&spec)).unwrap();
}

/// The typed client. One builder per operation, since most take a handful of optional parameters.
fn client(spec: &OpenAPI) -> String {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_map_type("::std::collections::BTreeMap")
        .with_derive("PartialEq")
        .with_conversion(
            string("date-time"),
            "::jiff::Timestamp",
            [TypeImpl::Display].into_iter(),
        )
        .with_conversion(
            string("uuid"),
            "::std::string::String",
            [TypeImpl::Display].into_iter(),
        )
        .with_conversion(from_zero_up(), "u64", [TypeImpl::Display].into_iter())
        .with_replacement(
            "GoDuration",
            "crate::GoDuration",
            [TypeImpl::Display].into_iter(),
        );
    let tokens = Generator::new(&settings)
        .generate_tokens(spec)
        .unwrap_or_else(|error| panic!("openapi.yaml: {error}"));
    let client = prettyplease::unparse(&syn::parse2(tokens).unwrap());
    // What the crate itself makes clients with; the generator's own has no cryptography.
    let (theirs, ours) = ("reqwest::ClientBuilder::new()", "crate::http()");
    assert!(
        client.contains(theirs),
        "the generated client is made otherwise now"
    );
    client.replace(theirs, ours)
}

/// The schema of a string of one format, as the generator looks it up.
fn string(format: &str) -> SchemaObject {
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        format: Some(format.to_owned()),
        ..SchemaObject::default()
    }
}

/// The schema of a whole number that is never negative. (`uint64` is not written: Java's generator makes 32 bits of it.)
fn from_zero_up() -> SchemaObject {
    SchemaObject {
        instance_type: Some(InstanceType::Integer.into()),
        format: Some("int64".to_owned()),
        number: Some(Box::new(NumberValidation {
            minimum: Some(0.0),
            ..NumberValidation::default()
        })),
        ..SchemaObject::default()
    }
}

/// One row of the route table.
struct Row {
    variant: String,
    method: String,
    path: String,
    id: String,
    tag: String,
    summary: String,
    capability: Capability,
}

/// `x-capability` of an operation: what a caller needs once access control is on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Capability {
    /// Any one of these, in the namespace that is checked.
    #[serde(default)]
    namespace: Vec<String>,
    /// What a policy has to allow on plugins.
    plugin: Option<Plugin>,
    /// What a policy has to allow on nodes.
    node: Option<Node>,
    /// What a policy has to allow on agents.
    agent: Option<Agent>,
    /// Whose namespace is checked.
    checked: Option<Checked>,
    /// Whose token it takes.
    token: Option<Token>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
enum Plugin {
    List,
    Read,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
enum Node {
    Read,
    Write,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
enum Agent {
    Read,
    Write,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
enum Checked {
    Request,
    Volume,
    Path,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
enum Token {
    Any,
    Own,
    Management,
}

impl Row {
    /// The row of one operation.
    ///
    /// # Panics
    /// Panics when the operation lacks something, and says which operation and what.
    fn new(method: &str, path: &str, operation: &Operation) -> Row {
        let method = method.to_uppercase();
        let id = operation
            .operation_id
            .clone()
            .unwrap_or_else(|| panic!("openapi.yaml: {method} {path} has no operationId"));
        let lacks = |what: &str| -> ! { panic!("openapi.yaml: {id} ({method} {path}) {what}") };

        let word = |word: &str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase());
        if !id.split('_').all(word) {
            lacks("has an operationId that is not lower_case_words");
        }
        let [tag] = operation.tags.as_slice() else {
            lacks("has to have exactly one tag")
        };
        let filled = |text: &Option<String>, what: &str| match text {
            Some(text) if !text.trim().is_empty() => text.trim().to_owned(),
            _ => lacks(what),
        };
        let summary = filled(&operation.summary, "has no summary");
        filled(&operation.description, "has no description");
        let Some(capability) = operation.extensions.get("x-capability") else {
            lacks(
                "has no x-capability: {namespace, plugin, node, agent, checked, token}, or {} if nothing is needed",
            )
        };
        let capability = Capability::deserialize(capability)
            .unwrap_or_else(|error| lacks(&format!("has a wrong x-capability: {error}")));
        if capability.namespace.is_empty() != capability.checked.is_none() {
            lacks("has an x-capability with only one of `namespace` and `checked`");
        }

        Row {
            variant: pascal(&id),
            method,
            path: path.to_owned(),
            tag: tag.clone(),
            summary,
            capability,
            id,
        }
    }
}

impl Capability {
    /// The Rust expression for it.
    fn expression(&self) -> String {
        fn some<T: Debug>(kind: &str, value: Option<&T>) -> String {
            value.map_or("None".to_owned(), |it| format!("Some({kind}::{it:?})"))
        }
        format!(
            "Capability {{ namespace: &{:?}, plugin: {}, node: {}, agent: {}, checked: {}, token: {} }}",
            self.namespace,
            some("PluginPolicy", self.plugin.as_ref()),
            some("NodePolicy", self.node.as_ref()),
            some("AgentPolicy", self.agent.as_ref()),
            some("Checked", self.checked.as_ref()),
            some("TokenNeeded", self.token.as_ref()),
        )
    }
}

/// `read_volume` as `ReadVolume`.
fn pascal(id: &str) -> String {
    id.split('_')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect()
}

/// One enum variant per operation in the document, so that the server can match exhaustively.
fn operations(spec: &OpenAPI) -> String {
    let rows: Vec<Row> = spec
        .operations()
        .map(|(path, method, operation)| Row::new(method, path, operation))
        .collect();
    let mut code = String::from(
        "/// An operation of the document.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n\
         pub enum Operation {\n",
    );
    for Row {
        variant,
        method,
        path,
        summary,
        ..
    } in &rows
    {
        writeln!(code, "    /// {summary}: `{method} {path}`\n    {variant},").unwrap();
    }
    code += "}\n\nimpl Operation {\n    /// Every operation, in the order of the document.\n";
    code += "    pub const ALL: &'static [Operation] = &[\n";
    for Row { variant, .. } in &rows {
        writeln!(code, "        Operation::{variant},").unwrap();
    }
    code += "    ];\n";

    let mut column = |doc: &str, name: &str, kind: &str, value: &dyn Fn(&Row) -> String| {
        writeln!(
            code,
            "\n    /// {doc}\n    pub const fn {name}(self) -> {kind} {{\n        match self {{"
        )
        .unwrap();
        for row in &rows {
            writeln!(
                code,
                "            Operation::{} => {},",
                row.variant,
                value(row)
            )
            .unwrap();
        }
        code += "        }\n    }\n";
    };
    let text = |value: &str| format!("{value:?}");
    column(
        "The HTTP method, in capitals.",
        "method",
        "&'static str",
        &|row| text(&row.method),
    );
    column(
        "The path, its parameters in braces.",
        "path",
        "&'static str",
        &|row| text(&row.path),
    );
    column(
        "The name: `operationId`, client method and handler.",
        "id",
        "&'static str",
        &|row| text(&row.id),
    );
    column("The tag it belongs to.", "tag", "&'static str", &|row| {
        text(&row.tag)
    });
    column(
        "What it does, in a few words.",
        "summary",
        "&'static str",
        &|row| text(&row.summary),
    );
    column(
        "What a caller needs once access control is on.",
        "capability",
        "Capability",
        &|row| row.capability.expression(),
    );
    code += "}\n";
    code
}

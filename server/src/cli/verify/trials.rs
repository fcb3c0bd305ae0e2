//! What is sent to an operation, made from the document: its examples, and for each parameter and each
//! field of its body values that try the schema.
//!
//! Ids are `{{placeholders}}`, which the [`stage`](super::stage) fills in when a request is sent.

use super::reach::Reach;
use super::trial::Trial;
use super::values::{json_values, named, places, texts, with};
use crate::http::contract::document::{self, Document};
use crate::http::contract::examples::Case;
use saddlebag_client::operations::Operation;
use serde_json::{Value, json};

/// What every made-up text begins with.
const FRESH: &str = "{{fresh}}";

/// Larger than any body that a saddlebag reads by default, in bytes.
const TOO_LARGE: usize = (1 << 20) + 1;

/// Every request to an operation, the right ones first.
pub fn trials(
    document: &Document,
    operation: Operation,
    reach: Reach,
    cases: &[Case],
) -> Vec<Trial> {
    let Some(documented) = document.operation(operation.id()) else {
        return Vec::new();
    };
    let bodies = bodies(&documented);
    let base = base(operation, &documented, bodies.first());
    match reach {
        Reach::Not(_) => Vec::new(),
        Reach::Unreadable => unreadable(&documented, &base).collect(),
        Reach::Whole => {
            let mut trials = vec![base.clone()];
            trials.extend(bodies.iter().skip(1).enumerate().map(|(number, body)| {
                base.with_body(
                    &format!("as in example {}", number + 2),
                    Some(body.to_string()),
                )
            }));
            trials.extend(shown(operation, cases));
            trials.extend(callers(&base));
            trials.extend(parameters(document, operation, &documented, &base));
            // What is the same by another method is read by the same code.
            if let Some(body) = bodies.first().filter(|_| !is_a_twin(operation)) {
                trials.extend(fields(document, &documented, &base, body));
            }
            trials.extend(unreadable(&documented, &base));
            trials
        }
    }
}

/// Whether an operation is another one by another method or path.
fn is_a_twin(operation: Operation) -> bool {
    operation.id().ends_with("_by_post")
        || matches!(
            operation,
            Operation::CreateSnapshotOf | Operation::RegisterVolume
        )
}

/// The request that others are variations of.
fn base(operation: Operation, documented: &document::Operation<'_>, body: Option<&Value>) -> Trial {
    let mut trial = Trial {
        name: "as shown".to_owned(),
        path: Vec::new(),
        query: Vec::new(),
        headers: vec![("Accept".to_owned(), "application/json".to_owned())],
        body: body.map(Value::to_string),
    };
    for parameter in &documented.parameters {
        let value = standing(operation, parameter);
        match parameter.location {
            "path" => trial.path.push((
                parameter.name.to_owned(),
                value.unwrap_or("{{fresh}}").to_owned(),
            )),
            "query" => trial
                .query
                .extend(value.map(|value| (parameter.name.to_owned(), value.to_owned()))),
            _ => {}
        }
    }
    trial
}

/// What a parameter is while another one is tried; `None` where it is left out.
fn standing(operation: Operation, parameter: &document::Parameter<'_>) -> Option<&'static str> {
    use Operation::*;
    let reads = operation.method() == "GET";
    Some(match (parameter.location, parameter.name) {
        ("path", "volume_id") => match operation {
            CreateVolume | RegisterVolume => FRESH,
            ClaimVolume | ListClaims | ReadClaim | ReleaseClaim | RetryClaims | DetachVolume => {
                "{{claimed}}"
            }
            _ => "{{volume}}",
        },
        ("path", "plugin_id" | "job_id") => "{{plugin}}",
        ("path", "alloc_id") => "{{claim}}",
        ("path", "node_id") if reads => "{{node}}",
        ("path", "operation_id") if reads => "{{operation}}",
        ("path", "node_id" | "operation_id") => "{{uuid}}",
        ("path", "accessor_id") => "{{token}}",
        ("path", "role_id") => "{{role}}",
        ("path", "role_name") => "{{role name}}",
        ("path", "policy_name") if operation.method() != "GET" && operation != DeletePolicy => {
            FRESH
        }
        ("path", "policy_name") => "{{policy}}",
        ("path", "namespace_name") if reads => "{{namespace}}",
        ("path", "namespace_name") if operation == DeleteNamespace => "{{spare namespace}}",
        ("path", "namespace_name") => FRESH,
        ("query", "type") => "csi",
        ("query", "namespace") => "{{namespace}}",
        ("query", "plugin_id") if parameter.required => "{{plugin}}",
        ("query", "snapshot_id") => "{{snapshot}}",
        ("query", "node") => "{{node}}",
        ("query", "reason") => "tried by saddlebag verify",
        ("query", "wait") if operation == StreamEvents => "20ms",
        ("query", "wait") if !reads => "20s",
        _ => return None,
    })
}

/// The bodies that the document shows, with ids of ours.
fn bodies(documented: &document::Operation<'_>) -> Vec<Value> {
    let Some(json) = documented
        .body
        .as_ref()
        .and_then(|body| body.content.get("application/json"))
    else {
        return Vec::new();
    };
    let shown = json.object["examples"].as_object().into_iter().flatten();
    let mut bodies: Vec<Value> = shown.map(|(_, example)| ours(&example["value"])).collect();
    if bodies.is_empty() {
        bodies.push(json!({}));
    }
    bodies
}

/// A body of the document about what is ours.
fn ours(body: &Value) -> Value {
    match body {
        Value::Object(members) => members
            .iter()
            .filter(|(key, _)| key.as_str() != "Namespace")
            .map(|(key, value)| {
                (
                    key.clone(),
                    named_ours(key, value).unwrap_or_else(|| ours(value)),
                )
            })
            .collect(),
        Value::Array(items) => items.iter().map(ours).collect(),
        plain => plain.clone(),
    }
}

fn named_ours(key: &str, value: &Value) -> Option<Value> {
    let placeholder = match key {
        // Of a token they are names, of a role objects with one.
        "Policies" if value[0].is_object() => return Some(json!([{ "Name": "{{policy}}" }])),
        "Policies" => return Some(json!(["{{policy}}"])),
        "ID" | "Name" => FRESH,
        "ExternalID" => "{{external}}",
        "PluginID" => "{{plugin}}",
        "SourceVolumeID" => "{{volume}}",
        "SnapshotID" => "{{snapshot}}",
        "AllocationID" | "BootstrapSecret" => "{{uuid}}",
        "NodeID" => "{{node}}",
        "AccessorID" => "{{token}}",
        _ => return None,
    };
    Some(placeholder.into())
}

/// The reads that the document shows, those that stand by themselves.
fn shown(operation: Operation, cases: &[Case]) -> Vec<Trial> {
    let own = cases
        .iter()
        .filter(|case| case.operation == operation.id() && operation.method() == "GET");
    own.filter_map(|case| {
        let sent = &case.example.request;
        let pairs = |pairs: &std::collections::BTreeMap<String, Value>| -> Vec<(String, String)> {
            let plain = |value: &Value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            };
            pairs
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect()
        };
        let mut trial = Trial {
            name: format!("example `{}`", case.example.name),
            path: pairs(&sent.path),
            query: pairs(&sent.query),
            headers: pairs(&sent.headers),
            body: None,
        };
        let says = |name: &str| {
            trial
                .headers
                .iter()
                .any(|(it, _)| it.eq_ignore_ascii_case(name))
        };
        if !says("accept") {
            trial.headers.push(("Accept".to_owned(), "*/*".to_owned()));
        }
        (!trial.mentions("{{")).then(|| patient(trial))
    })
    .collect()
}

/// The same request of other callers: of one who takes texts alone, one with a token that nobody has, and
/// a web page of another site.
fn callers(base: &Trial) -> impl Iterator<Item = Trial> {
    [
        ("header Accept: text/plain", "Accept", "text/plain"),
        (
            "header X-Nomad-Token: of nobody",
            "X-Nomad-Token",
            "{{uuid}}",
        ),
        (
            "header Sec-Fetch-Site: another site",
            "Sec-Fetch-Site",
            "cross-site",
        ),
    ]
    .map(|(name, header, value)| {
        let mut trial = base.with("header", header, "", Some(value));
        trial.name = name.to_owned();
        trial
    })
    .into_iter()
}

fn parameters(
    document: &Document,
    operation: Operation,
    documented: &document::Operation<'_>,
    base: &Trial,
) -> Vec<Trial> {
    let mut trials = vec![base.with("query", "unheard_of", "unknown", Some("1"))];
    for parameter in &documented.parameters {
        let (location, name) = (parameter.location, parameter.name);
        if location != "path" {
            trials.push(base.with(location, name, "missing", None));
        }
        for (particular, text) in texts(document, parameter.schema, FRESH) {
            // Such a path is another route's.
            let is_lost = location == "path" && text.is_empty();
            // Nobody can send it: no header holds a line end.
            let is_broken = location == "header" && text.chars().any(char::is_control);
            if !is_lost && !is_broken {
                trials.push(base.with(location, name, &particular, Some(&text)));
            }
        }
    }
    if operation.method() == "GET" {
        trials = trials.into_iter().map(patient).collect();
    }
    trials
}

/// A read that waits does so for a moment only.
fn patient(mut trial: Trial) -> Trial {
    let says = |name: &str| trial.query.iter().any(|(it, _)| it == name);
    if says("index") && !says("wait") {
        trial.query.push(("wait".to_owned(), "20ms".to_owned()));
    }
    trial
}

fn fields(
    document: &Document,
    documented: &document::Operation<'_>,
    base: &Trial,
    body: &Value,
) -> Vec<Trial> {
    let Some(json) = documented
        .body
        .as_ref()
        .and_then(|body| body.content.get("application/json"))
    else {
        return Vec::new();
    };
    let mut trials = Vec::new();
    for (at, schema) in places(document, json.schema) {
        let place = named(&at);
        let changed = |value: Option<Value>| Some(with(body, &at, value).to_string());
        trials.push(base.with_body(&format!("{place}: missing"), changed(None)));
        for (particular, value) in json_values(document, schema, FRESH) {
            trials.push(base.with_body(&format!("{place}: {particular}"), changed(Some(value))));
        }
    }
    trials.push(base.with_body("{}", Some("{}".to_owned())));
    trials.push(base.with_body("null", Some("null".to_owned())));
    trials
}

/// Bodies that nobody can carry out.
fn unreadable(documented: &document::Operation<'_>, base: &Trial) -> impl Iterator<Item = Trial> {
    let mut bodies = Vec::new();
    if let Some(body) = &documented.body {
        let texts = [
            "{",
            "nonsense",
            "{\"",
            "\u{1}",
            "[]",
            "5",
            "\"text\"",
            "{\"a\": 1e}",
        ];
        bodies.extend(texts.map(|text| (text.escape_debug().to_string(), text.to_owned())));
        bodies.push((
            "too large".to_owned(),
            format!("{{{}", " ".repeat(TOO_LARGE)),
        ));
        if body.required {
            bodies.push(("missing".to_owned(), String::new()));
        }
    }
    let base = base.clone();
    bodies
        .into_iter()
        .map(move |(name, body)| base.with_body(&name, Some(body)))
}

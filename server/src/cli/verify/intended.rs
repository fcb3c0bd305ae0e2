//! Where a real Nomad is known to answer otherwise than the document says.
//!
//! Each reason is a matter of the page `http/differences.md`, or says that a route is saddlebag's alone.

use super::probe::Answer;
use super::trial::Trial;
use crate::http::contract::truth::Violation;
use axum::http::StatusCode;
use saddlebag_client::operations::Operation;
use serde_json::Value;

/// The routes that no Nomad has: what its servers and clients do among themselves, and this document.
pub const OURS_ALONE: &str = "routes of saddlebag alone";

/// The reason for a difference of a Nomad, if it is one that is meant to be.
#[must_use]
pub fn of_a_nomad(
    operation: Operation,
    trial: &Trial,
    answer: Option<&Answer>,
    violation: &Violation,
) -> Option<&'static str> {
    let Some(answer) = answer else {
        return (operation == Operation::StreamEvents && trial.sends("wait"))
            .then_some("a malformed `wait` of the event stream");
    };
    let is_absent =
        answer.status == StatusCode::NOT_FOUND || answer.status == StatusCode::METHOD_NOT_ALLOWED;
    let place = violation.place.as_str();
    let asks = |kinds: &[Operation]| kinds.contains(&operation);
    if is_ours_alone(operation) {
        return is_absent.then_some(OURS_ALONE);
    }
    if is_a_draft(operation) && is_absent {
        return Some("routes of the first published drafts");
    }
    if answer.status == StatusCode::INTERNAL_SERVER_ERROR {
        return Some("status codes");
    }
    if asks(&[Operation::ListPlugins]) && answer.body.is_empty() {
        return Some("`/v1/plugins` of another or an empty `type`");
    }
    if asks(&[Operation::ReadNode, Operation::ListNodes]) && place.starts_with("response 200 ") {
        return Some("what a node is to a scheduler");
    }
    if asks(&[Operation::ReadJob, Operation::ListJobs]) && place.starts_with("response 200 ") {
        return Some("plugin jobs");
    }
    let is_allocation = asks(&[
        Operation::ListJobAllocations,
        Operation::ListNodeAllocations,
    ]) || place.contains(" / Allocations[");
    if is_allocation && place.starts_with("response 200 ") {
        return Some("allocations");
    }
    if place.ends_with("header X-Nomad-Nexttoken") {
        return Some("page tokens");
    }
    if asks(&[Operation::ListVolumes])
        && trial.sends("filter")
        && place.starts_with("request query filter")
    {
        return Some("filters that are no expressions, or hold no regular expression");
    }
    if place == "request query reverse" {
        return Some("`reverse` that is no boolean");
    }
    if asks(&[Operation::ListTokens]) && place == "request query global" {
        return Some("`global` of the list of tokens");
    }
    if place == "request query wait" && operation.method() != "GET" {
        return Some("`wait` of a change");
    }
    if place.starts_with("request body ") && place.contains(" / secretsfrom") {
        return Some("`SecretsFrom` in requests");
    }
    if place.starts_with("request body ") && place.contains(" / topologies[") {
        return Some("topologies of requests without `Segments`");
    }
    if place == "request query index" && trial.query.iter().any(is_an_index_too_far) {
        return Some("an `index` above 2^63 - 1");
    }
    None
}

/// An index that only an unsigned number holds.
fn is_an_index_too_far((name, value): &(String, String)) -> bool {
    name == "index"
        && value
            .parse::<u64>()
            .is_ok_and(|it| i64::try_from(it).is_err())
}

/// Whether this request would end the agent of a Nomad, and with it the plugins that it runs for others: 2.0.5 follows a
/// `null` in a list of capabilities. So it is not sent to one.
#[must_use]
pub fn ends_a_nomad(trial: &Trial) -> bool {
    fn lists_null(value: &Value) -> bool {
        match value {
            Value::Array(items) => items.iter().any(|item| item.is_null() || lists_null(item)),
            Value::Object(members) => members.values().any(lists_null),
            _ => false,
        }
    }
    let body = trial.body.as_deref().unwrap_or_default();
    serde_json::from_str(body).is_ok_and(|body| lists_null(&body))
}

fn is_ours_alone(operation: Operation) -> bool {
    matches!(
        operation.tag(),
        "claims" | "operations" | "contract" | "testing"
    ) || matches!(operation, Operation::FenceNode | Operation::UnfenceNode)
}

fn is_a_draft(operation: Operation) -> bool {
    operation.path().starts_with("/v1/csi/")
        || matches!(
            operation,
            Operation::SnapshotVolume | Operation::CreateSnapshotOf
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::contract::truth::{RequestParts, ResponseParts, Routed, Truth};
    use axum::http::{HeaderMap, HeaderName};
    use std::collections::BTreeSet;

    /// What a real Nomad answered; `tests/replay` says how it was asked.
    const RECORDED: [&str; 2] = [
        include_str!("../../../tests/replay/recorded/open.jsonl"),
        include_str!("../../../tests/replay/recorded/claims.jsonl"),
    ];

    /// Path parameters, if a path is one of this template.
    fn matched(template: &str, path: &str) -> Option<Vec<(String, String)>> {
        let (template, path): (Vec<_>, Vec<_>) =
            (template.split('/').collect(), path.split('/').collect());
        let is_it = template.len() == path.len()
            && template
                .iter()
                .zip(&path)
                .all(|(name, value)| name == value || name.starts_with('{') && !value.is_empty());
        let named = template.iter().zip(&path).filter_map(|(name, value)| {
            let name = name.strip_prefix('{')?.strip_suffix('}')?;
            Some((name.to_owned(), (*value).to_owned()))
        });
        is_it.then(|| named.collect())
    }

    fn operation(method: &str, path: &str) -> Option<(Operation, Vec<(String, String)>)> {
        let fitting = Operation::ALL.iter().filter(|it| it.method() == method);
        let mut found: Vec<_> = fitting
            .filter_map(|it| Some((*it, matched(it.path(), path)?)))
            .collect();
        // A path without parameters comes before one with.
        found.sort_by_key(|(_, parameters)| parameters.len());
        found.into_iter().next()
    }

    /// What is wrong with a recorded answer, with what is known of it.
    /// None of what the document has no operation for, or was not answered.
    fn judged(line: &Value, truth: &Truth) -> Option<Vec<(String, Option<&'static str>)>> {
        let (request, response) = (&line["request"], &line["response"]);
        let target = request["path"].as_str().unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let method = request["method"].as_str().unwrap();
        let (operation, path) = operation(method, path)?;
        let status = response["status"].as_u64()?;
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query: Vec<(String, String)> = pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut headers = HeaderMap::new();
        for (name, value) in response["headers"].as_object().into_iter().flatten() {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, value.as_str().unwrap().parse().unwrap());
        }
        let body = match (&response["json"], &response["text"]) {
            (Value::Null, Value::String(text)) => text.clone().into_bytes(),
            (Value::Null, _) => Vec::new(),
            (json, _) => json.to_string().into_bytes(),
        };
        let answer = Answer {
            status: StatusCode::from_u16(status.try_into().unwrap()).unwrap(),
            headers,
            body: body.into(),
        };
        let sent = RequestParts {
            path: &path,
            query: &query,
            headers: &HeaderMap::new(),
            body: None,
        };
        let got = ResponseParts {
            status: answer.status,
            headers: &answer.headers,
            body: Some(&answer.body),
        };
        let trial = Trial {
            name: target.to_owned(),
            path: path.clone(),
            query: query.clone(),
            headers: Vec::new(),
            body: None,
        };
        let violations = truth
            .check(Routed::from(operation), &sent, &got)
            .into_iter();
        let judged = violations.map(|violation| {
            let known = of_a_nomad(operation, &trial, Some(&answer), &violation);
            (format!("{target}: {violation}"), known)
        });
        Some(judged.collect())
    }

    fn trial(name: &str, value: &str, body: Option<&str>) -> Trial {
        Trial {
            name: name.to_owned(),
            path: Vec::new(),
            query: vec![(name.to_owned(), value.to_owned())],
            headers: Vec::new(),
            body: body.map(str::to_owned),
        }
    }

    #[test]
    fn what_a_live_nomad_takes_is_known_to_be_taken() {
        use Operation::{CreateVolume, ListTokens, ListVolumes, ReadNode, StreamEvents};
        let taken = Answer {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: "[]".into(),
        };
        let page = include_str!("../../http/differences.md");
        for (operation, name, value, place) in [
            (ReadNode, "index", "9223372036854775808", "query index"),
            (ListVolumes, "reverse", "maybe", "query reverse"),
            (ListTokens, "reverse", "maybe", "query reverse"),
            (ListTokens, "global", "maybe", "query global"),
            (CreateVolume, "wait", "10", "query wait"),
            (CreateVolume, "", "", "body / volumes[0] / secretsfrom"),
            (
                CreateVolume,
                "",
                "",
                "body / volumes[0] / topologies[0] / key",
            ),
        ] {
            let violation = Violation {
                operation: operation.id().to_owned(),
                place: format!("request {place}"),
                problem: "accepted invalid input".to_owned(),
            };
            let known = of_a_nomad(
                operation,
                &trial(name, value, None),
                Some(&taken),
                &violation,
            );
            let known = known.unwrap_or_else(|| panic!("{place}"));
            assert!(page.contains(&format!("| {known} |")), "{known}");
            let of_a_read = of_a_nomad(
                ReadNode,
                &trial("wait", "10", None),
                Some(&taken),
                &violation,
            );
            let is_of_any = place.starts_with("body") || place == "query reverse";
            assert_eq!(of_a_read.is_some(), is_of_any, "{place}");
        }
        let violation = Violation {
            operation: StreamEvents.id().to_owned(),
            place: "response".to_owned(),
            problem: "the connection ended without one".to_owned(),
        };
        let known = |trial| of_a_nomad(StreamEvents, &trial, None, &violation);
        assert!(page.contains(known(trial("wait", "10", None)).unwrap()));
        assert_eq!(known(trial("index", "1", None)), None);
    }

    #[test]
    fn what_would_end_a_nomad_has_a_null_in_a_list() {
        for (body, ends) in [
            (r#"{"Volumes":[{"RequestedCapabilities":[null]}]}"#, true),
            (r#"{"Volumes":[null]}"#, true),
            (r#"{"Volumes":[{"Secrets":null}],"Region":null}"#, false),
            ("null", false),
            ("[nul", false),
        ] {
            assert_eq!(ends_a_nomad(&trial("", "", Some(body))), ends, "{body}");
        }
        assert!(!ends_a_nomad(&trial("", "", None)));
    }

    #[test]
    fn all_that_a_real_nomad_answered_is_as_documented_or_known_to_differ() {
        let truth = Truth::of_the_contract().unwrap();
        let lines = RECORDED.iter().flat_map(|file| file.lines());
        let judged: Vec<_> = lines
            .filter_map(|line| judged(&serde_json::from_str(line).unwrap(), &truth))
            .collect();
        assert!(judged.len() > 250, "{}", judged.len());
        let (known, unknown): (Vec<_>, Vec<_>) = judged
            .into_iter()
            .flatten()
            .partition(|(_, known)| known.is_some());
        let unknown: Vec<String> = unknown.into_iter().map(|(told, _)| told).collect();
        assert!(unknown.is_empty(), "{}", unknown.join("\n"));
        let known: BTreeSet<&str> = known.into_iter().filter_map(|(_, known)| known).collect();
        assert!(known.len() > 1, "{known:?}");
        let page = include_str!("../../http/differences.md");
        for matter in known {
            assert!(
                matter == OURS_ALONE || page.contains(&format!("| {matter} |")),
                "{matter}"
            );
        }
    }
}

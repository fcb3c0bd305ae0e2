//! Where a real Nomad is known to answer otherwise than the document says.
//!
//! Each reason is a matter of the page `http/differences.md`, or says that a route is saddlebag's alone.

use super::probe::Answer;
use super::trial::Trial;
use crate::http::contract::truth::Violation;
use axum::http::StatusCode;
use saddlebag_client::operations::Operation;

/// The routes that no Nomad has: what its servers and clients do among themselves, and this document.
pub const OURS_ALONE: &str = "routes of saddlebag alone";

/// The reason for a difference of a Nomad, if it is one that is meant to be.
#[must_use]
pub fn of_a_nomad(
    operation: Operation,
    trial: &Trial,
    answer: &Answer,
    violation: &Violation,
) -> Option<&'static str> {
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
    let is_flag = |name: &str| {
        trial
            .query
            .iter()
            .any(|(it, value)| it == name && !value.is_empty())
    };
    if asks(&[Operation::ListVolumes])
        && is_flag("filter")
        && place.starts_with("request query filter")
    {
        return Some("filters that are no expressions, or hold no regular expression");
    }
    None
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
    use serde_json::Value;
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
            let known = of_a_nomad(operation, &trial, &answer, &violation);
            (format!("{target}: {violation}"), known)
        });
        Some(judged.collect())
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

//! The routes of tag `search`.

use super::declared::{At, BodyErrors, InNamespace, ReadErrors, Region};
use super::edge::ReadOptions;
use super::front::Asking;
use super::reply::{Reply, json};
use super::request::{FuzzySearchRequest, SearchRequest};
use super::wire::{FuzzyMatch, FuzzySearchAnswer, SearchAnswer};
use crate::acl::Caller;
use crate::acl::capability::ANY;
use crate::control::ControlPlane;
use crate::error::Fault;
use crate::id::Namespace;
use crate::state::{Order, State, VolumeQuery};
use saddlebag_client::operations::{NodePolicy, PluginPolicy};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The most ids of one kind.
const MOST: usize = 20;
/// The least that a fuzzy search is about, in characters.
const SHORTEST: usize = 2;
/// Every kind of thing that Nomad knows.
const KINDS: [&str; 12] = [
    "allocs",
    "jobs",
    "nodes",
    "node_pools",
    "evals",
    "deployment",
    "plugins",
    "volumes",
    "scaling_policy",
    "vars",
    "namespaces",
    "host_volumes",
];

#[utoipa::path(
    put, path = "/v1/search", tag = "search",
    request_body = SearchRequest,
    params(InNamespace, Region),
    responses(At<SearchAnswer<'static>>, BodyErrors, ReadErrors),
)]
pub(super) async fn search(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let request = SearchRequest::decode(asking.body()?)?;
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let kinds = allowed(kinds(&request.context)?, &options.namespace, &asking.caller)?;
    let state = cp.state();
    let (mut matches, mut truncations) = (BTreeMap::new(), BTreeMap::new());
    for kind in kinds {
        let begins = |found: &Found<'_>| found.id.starts_with(&request.prefix);
        let (found, is_cut) = first(
            all(
                &state,
                kind,
                &options.namespace,
                &request.prefix,
                &asking.caller,
            ),
            begins,
        );
        let ids: Vec<_> = found.into_iter().map(|found| found.id).collect();
        matches.insert(kind, (!ids.is_empty()).then_some(ids));
        truncations.insert(kind, is_cut);
    }
    Ok(json(&SearchAnswer {
        index: state.index.0,
        known_leader: true,
        last_contact: 0,
        matches,
        next_token: "",
        truncations,
    })
    .at(state.index))
}

#[utoipa::path(
    post, path = "/v1/search", tag = "search",
    request_body = SearchRequest,
    params(InNamespace, Region),
    responses(At<SearchAnswer<'static>>, BodyErrors, ReadErrors),
)]
pub(super) async fn search_by_post(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    search(cp, asking).await
}

#[utoipa::path(
    put, path = "/v1/search/fuzzy", tag = "search",
    request_body = FuzzySearchRequest,
    params(InNamespace, Region),
    responses(At<FuzzySearchAnswer<'static>>, BodyErrors, ReadErrors),
)]
pub(super) async fn fuzzy_search(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let request = FuzzySearchRequest::decode(asking.body()?)?;
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let kinds = allowed(kinds(&request.context)?, &options.namespace, &asking.caller)?;
    let count = request.text.chars().count();
    if count < SHORTEST {
        let text =
            format!("fuzzy search query must be at least {SHORTEST} characters, got {count}");
        return Err(Fault::BadItems(text).into());
    }
    let state = cp.state();
    let text = request.text.to_lowercase();
    let (mut matches, mut truncations) = (BTreeMap::new(), BTreeMap::new());
    for kind in kinds {
        let contains = |found: &Found<'_>| found.id.to_lowercase().contains(&text);
        let (found, is_cut) = first(
            all(&state, kind, &options.namespace, "", &asking.caller),
            contains,
        );
        let names: Vec<_> = found
            .into_iter()
            .map(|found| FuzzyMatch {
                id: found.id,
                scope: found.namespace.map(|namespace| vec![namespace]),
            })
            .collect();
        matches.insert(kind, (!names.is_empty()).then_some(names));
        truncations.insert(kind, is_cut);
    }
    Ok(json(&FuzzySearchAnswer {
        index: state.index.0,
        known_leader: true,
        last_contact: 0,
        matches,
        next_token: "",
        truncations,
    })
    .at(state.index))
}

#[utoipa::path(
    post, path = "/v1/search/fuzzy", tag = "search",
    request_body = FuzzySearchRequest,
    params(InNamespace, Region),
    responses(At<FuzzySearchAnswer<'static>>, BodyErrors, ReadErrors),
)]
pub(super) async fn fuzzy_search_by_post(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    fuzzy_search(cp, asking).await
}

/// The kinds of a context.
fn kinds(context: &str) -> Result<Vec<&'static str>, Fault> {
    if context == "all" {
        return Ok(KINDS.to_vec());
    }
    let known = KINDS.iter().find(|kind| **kind == context);
    known.map(|kind| vec![*kind]).ok_or_else(|| {
        let kinds = KINDS.join(" ");
        Fault::BadItems(format!(
            "context must be one of [{kinds}] or 'all' for all contexts; got {context:?}"
        ))
    })
}

/// Any one of these lets the volumes of a namespace be looked through.
const VOLUMES: &[&str] = &[
    "csi-list-volume",
    "csi-read-volume",
    "list-jobs",
    "read-job",
];
/// Likewise its jobs.
const JOBS: &[&str] = &["list-jobs", "read-job"];

/// The kinds among these that the caller may list something of; refused if there is none.
fn allowed(
    mut kinds: Vec<&'static str>,
    namespace: &str,
    caller: &Caller,
) -> Result<Vec<&'static str>, Fault> {
    let access = &caller.access;
    kinds.retain(|kind| match *kind {
        "volumes" => access.in_namespace(namespace, VOLUMES),
        "jobs" => access.in_namespace(namespace, JOBS),
        "plugins" => access.plugin(PluginPolicy::List),
        "nodes" => access.node(NodePolicy::Read),
        _ => access.is_everything() || access.in_namespace(namespace, &[ANY]),
    });
    match kinds.is_empty() {
        true => Err(Fault::PermissionDenied),
        false => Ok(kinds),
    }
}

/// Something that may be looked for.
struct Found<'s> {
    id: Cow<'s, str>,
    namespace: Option<Cow<'s, str>>,
}

/// Everything of a kind that is in this namespace, or in none, in order; of volumes only those that
/// begin so.
fn all<'s>(
    state: &'s State,
    kind: &str,
    namespace: &str,
    prefix: &str,
    caller: &Caller,
) -> Box<dyn Iterator<Item = Found<'s>> + 's> {
    let named = (namespace != "*").then(|| Namespace::known(namespace));
    match kind {
        "volumes" => {
            let query = VolumeQuery {
                among: caller.namespaces(state, VOLUMES),
                namespace: named,
                prefix: prefix.to_owned(),
                ..VolumeQuery::default()
            };
            let found = state.select(&query, Order::Ascending, None);
            let keys: Vec<_> = found.map(|(key, _)| key.clone()).collect();
            Box::new(keys.into_iter().map(|key| Found {
                id: key.id.as_str().to_owned().into(),
                namespace: Some(key.namespace.as_str().to_owned().into()),
            }))
        }
        "plugins" => Box::new(state.plugins().map(|plugin| Found {
            id: plugin.id.as_str().into(),
            namespace: None,
        })),
        "jobs" => Box::new(
            state
                .jobs()
                .map(|stored| &stored.row)
                .filter(move |job| named.as_ref().is_none_or(|named| *named == job.namespace))
                .filter({
                    let among = caller.namespaces(state, JOBS);
                    move |job| {
                        among
                            .as_ref()
                            .is_none_or(|among| among.contains(&job.namespace))
                    }
                })
                .map(|job| Found {
                    id: job.id.as_str().into(),
                    namespace: Some(job.namespace.as_str().into()),
                }),
        ),
        "nodes" => Box::new(state.nodes().map(|stored| Found {
            id: stored.row.id.as_str().into(),
            namespace: None,
        })),
        _ => Box::new(std::iter::empty()),
    }
}

/// The first of these that are wanted, and whether there are more.
fn first<'s>(
    all: impl Iterator<Item = Found<'s>>,
    is_wanted: impl Fn(&Found<'s>) -> bool,
) -> (Vec<Found<'s>>, bool) {
    let mut wanted = all.filter(is_wanted);
    let found = wanted.by_ref().take(MOST).collect();
    (found, wanted.next().is_some())
}

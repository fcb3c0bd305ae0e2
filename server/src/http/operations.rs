//! The routes of tag `operations`.

use super::declared::{
    At, ChangeErrors, List, NotFound, OperationFilter, OperationPath, Page, Pages, Read,
    ReadErrors, Region,
};
use super::edge::{ReadOptions, WriteOptions};
use super::front::Asking;
use super::reply::{Reply, json, missing};
use super::wire;
use crate::control::ControlPlane;
use crate::error::{Error, Fault};
use crate::operation::{Operation, verbs};
use crate::picture;
use crate::state::Stored;
use crate::store::Index;
use saddlebag_client::operations::Operation as Route;
use std::sync::Arc;
use uuid::Uuid;

/// Any one of these lets the operations of a namespace be listed.
const LISTING: &[&str] = Route::ListOperations.capability().namespace;

#[utoipa::path(
    get, path = "/v1/operations", tag = "operations",
    params(OperationFilter, Pages, Read),
    responses(Page<List<wire::Operation<'static>>>, ReadErrors),
)]
pub(super) async fn list_operations(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let options = ReadOptions::read(asking.query, &asking.settings.region)?;
    let wanted = |name| asking.query.filled(name);
    if wanted("state").is_some_and(|state| !picture::STATES.contains(&state)) {
        let states = picture::STATES.join(", ");
        return Err(Fault::Malformed(format!("`state` has to be one of {states}")).into());
    }
    let state = cp.state();
    let namespace = wanted("namespace").filter(|name| *name != "*");
    let is = |wanted: Option<&str>, is: &str| wanted.is_none_or(|wanted| wanted == is);
    let seen = |operation: &Stored<Operation>| {
        let volume = operation.row.volume();
        let namespace = volume.map_or("*", |volume| volume.namespace.as_str());
        asking.caller.access.in_namespace(namespace, LISTING)
    };
    let mut operations: Vec<&Arc<Stored<Operation>>> = state
        .operations()
        .filter(|operation| seen(operation))
        .collect();
    operations.sort_by_key(|operation| place(operation));
    let first = parse_token(&options.next_token);
    let mut shown = operations
        .into_iter()
        .skip_while(|operation| place(operation) < first)
        .map(|found| picture::operation(&state, found, cp.running.contains(found.row.id)))
        .filter(|operation| {
            is(namespace, &operation.namespace)
                && is(wanted("volume_id"), &operation.volume_id)
                && is(wanted("plugin_id"), &operation.plugin_id)
                && is(wanted("state"), &operation.state)
        });
    let page: Vec<_> = shown.by_ref().take(options.page_size()).collect();
    let next = (options.per_page != 0).then(|| shown.next()).flatten();
    let token = next.map(|operation| format!("{}.{}", operation.create_index, operation.id));
    Ok(json(&page)
        .at(state.operations_index)
        .next_page(token.as_deref()))
}

/// Where an operation stands in lists: by the commit that intended it.
fn place(operation: &Stored<Operation>) -> (Index, Uuid) {
    let intended = operation.row.intended.unwrap_or(operation.created);
    (intended, operation.row.id)
}

/// Where a page begins: `INDEX.UUID`. A token that was never given begins at the first operation.
fn parse_token(token: &str) -> (Index, Uuid) {
    let (intended, id) = token.split_once('.').unwrap_or((token, ""));
    let intended = intended.parse().unwrap_or_default();
    (Index(intended), Uuid::try_parse(id).unwrap_or_default())
}

#[utoipa::path(
    get, path = "/v1/operation/{operation_id}", tag = "operations",
    params(OperationPath, Read),
    responses(At<wire::Operation<'static>>, NotFound, ReadErrors),
)]
pub(super) async fn read_operation(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    ReadOptions::read(asking.query, &asking.settings.region)?;
    let id = parse(asking)?;
    read(cp, id)
}

#[utoipa::path(
    put, path = "/v1/operation/{operation_id}/retry", tag = "operations",
    params(OperationPath, Region),
    responses(At<wire::Operation<'static>>, ChangeErrors),
)]
pub(super) async fn retry_operation(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    WriteOptions::read(asking.query, &asking.settings.region)?;
    let id = parse(asking)?;
    verbs::retry(cp, id).await?;
    read(cp, id)
}

#[utoipa::path(
    delete, path = "/v1/operation/{operation_id}", tag = "operations",
    params(OperationPath, ("reason" = String, Query), Region),
    responses(At<wire::Operation<'static>>, ChangeErrors),
)]
pub(super) async fn abandon_operation(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    WriteOptions::read(asking.query, &asking.settings.region)?;
    let reason = asking.query.get("reason").unwrap_or_default().trim();
    let id = parse(asking)?;
    verbs::abandon(cp, id, reason).await?;
    read(cp, id)
}

/// What is no UUID names no operation.
fn parse(asking: &Asking<'_>) -> Result<Uuid, Error> {
    let id = asking.param("operation_id");
    Uuid::try_parse(id).map_err(|_| Error::from(Fault::OperationNotFound).operation(id))
}

fn read(cp: &ControlPlane, id: Uuid) -> Reply {
    let state = cp.state();
    match state.operation(id) {
        Some(found) => {
            let shown = picture::operation(&state, found, cp.running.contains(id));
            Ok(json(&shown).at(state.operations_index))
        }
        None => {
            let error = Error::from(Fault::OperationNotFound).operation(id);
            Err(missing(error, state.operations_index))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse_token;
    use crate::mangled::{assert_linear, texts};
    use uuid::Uuid;

    #[test]
    fn a_hundred_thousand_mangled_page_tokens_name_a_place_or_the_beginning() {
        let whole = [
            "12.4f2d1c9e-8a67-4d3b-9a55-0c6f1d2e3b4a",
            "18446744073709551615.",
            "7",
            "0.",
        ];
        let mut at_an_operation = 0;
        for text in texts(&whole, 60) {
            let (index, id) = parse_token(&text);
            let again = format!("{}.{id}", index.0);
            assert_eq!(parse_token(&again), (index, id), "{text:?}");
            at_an_operation += usize::from(id != Uuid::nil());
        }
        assert!(at_an_operation > 1_000, "{at_an_operation}");
    }

    #[test]
    fn a_long_page_token_costs_no_more_than_its_length() {
        for shape in [("", "9", "."), ("1.", "a-", ""), ("", ".", "")] {
            assert_linear(1_000, shape, |text| {
                parse_token(text);
            });
        }
    }
}

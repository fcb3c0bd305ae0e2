//! The routes of tag `status`: the server itself, and its document.

use super::contract::swagger;
use super::declared::{Always, Json, ReadErrors, Region};
use super::edge::{Answer, ReadOptions};
use super::front::Asking;
use super::reply::{self, Reply, json};
use super::wire::{AgentHealth, AgentPartHealth};
use crate::control::ControlPlane;
use axum::http::StatusCode;

#[utoipa::path(
    get, path = "/v1/status/leader", tag = "status",
    params(Region),
    responses(Json<String>, ReadErrors),
)]
pub(super) async fn read_leader(_: &ControlPlane, asking: &Asking<'_>) -> Reply {
    ReadOptions::read(asking.query, &asking.settings.region)?;
    Ok(json(&asking.settings.address))
}

#[utoipa::path(
    get, path = "/v1/agent/health", tag = "status",
    responses(Json<AgentHealth<'static>>, Always),
)]
pub(super) async fn read_agent_health(_: &ControlPlane, _: &Asking<'_>) -> Reply {
    let well = || {
        Some(AgentPartHealth {
            message: "ok".into(),
            ok: true,
        })
    };
    Ok(json(&AgentHealth {
        client: well(),
        server: well(),
    }))
}

#[utoipa::path(
    get, path = "/openapi.yaml", tag = "contract",
    responses((status = 200, content_type = "application/yaml", body = String), Always),
)]
pub(super) async fn read_document_yaml(_: &ControlPlane, _: &Asking<'_>) -> Reply {
    Ok(document("/openapi.yaml"))
}

#[utoipa::path(
    get, path = "/openapi.json", tag = "contract",
    responses((status = 200, body = Object), Always),
)]
pub(super) async fn read_document_json(_: &ControlPlane, _: &Asking<'_>) -> Reply {
    Ok(document("/openapi.json"))
}

fn document(path: &str) -> Answer {
    match swagger::answer(path) {
        Some(page) => reply::page(page),
        None => Answer::empty(StatusCode::NOT_FOUND),
    }
}

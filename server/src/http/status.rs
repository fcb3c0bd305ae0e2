//! The routes of tag `status`: the server itself, and its document.

use super::contract::swagger;
use super::declared::{Always, Json, ReadErrors, Region};
use super::edge::{Answer, ReadOptions};
use super::front::Asking;
use super::reply::{self, Reply, json};
use super::wire::{AgentHealth, AgentPartHealth, AgentSelf};
use crate::control::ControlPlane;
use crate::picture;
use axum::http::StatusCode;
use serde_json::Value;

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
    get, path = "/v1/status/peers", tag = "status",
    params(Region),
    responses(Json<Vec<String>>, ReadErrors),
)]
pub(super) async fn list_peers(_: &ControlPlane, asking: &Asking<'_>) -> Reply {
    ReadOptions::read(asking.query, &asking.settings.region)?;
    Ok(json(&[&asking.settings.address]))
}

#[utoipa::path(
    get, path = "/v1/regions", tag = "status",
    responses(Json<Vec<String>>, Always),
)]
pub(super) async fn list_regions(_: &ControlPlane, asking: &Asking<'_>) -> Reply {
    Ok(json(&[&asking.settings.region]))
}

#[utoipa::path(
    get, path = "/v1/agent/self", tag = "status",
    params(Region),
    responses(Json<AgentSelf>, ReadErrors),
)]
pub(super) async fn read_agent(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let settings = asking.settings;
    ReadOptions::read(asking.query, &settings.region)?;
    let state = cp.state();
    let name = format!("{}.{}", state.name_of(&cp.node), settings.region);
    let port = settings
        .address
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    let object = |fields: &[(&str, Value)]| -> Value {
        let fields = fields.iter().cloned();
        Value::Object(
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    };
    let yes = Value::from("true");
    Ok(json(&AgentSelf {
        config: object(&[
            ("ACL", object(&[("Enabled", cp.acl_enabled.into())])),
            ("Datacenter", "dc1".into()),
            ("Region", settings.region.as_str().into()),
            ("TLSConfig", object(&[("EnableHTTP", settings.tls.into())])),
            (
                "UI",
                object(&[("Enabled", false.into()), ("ShowCLIHints", false.into())]),
            ),
            (
                "Version",
                object(&[("Version", env!("CARGO_PKG_VERSION").into())]),
            ),
        ]),
        member: object(&[
            ("Addr", picture::host(&settings.address).into()),
            ("Name", name.into()),
            ("Port", port.unwrap_or(0u16).into()),
            ("Status", "alive".into()),
            (
                "Tags",
                object(&[
                    ("dc", "dc1".into()),
                    ("region", settings.region.as_str().into()),
                    ("role", "nomad".into()),
                ]),
            ),
        ]),
        stats: object(&[("nomad", object(&[("leader", yes.clone()), ("server", yes)]))]),
    }))
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

//! The routes of tag `testing`, which only a server for tests has.

use super::declared::{Always, BodyErrors, Changed, Json, ReadErrors, TestErrors};
use super::front::Asking;
use super::reply::{Reply, empty, json};
use super::request::{ClockRequest, FaultsRequest};
use super::wire;
use crate::control::ControlPlane;
use crate::error::{Error, Fault as Wrong};
use crate::testing::{Fault, Outcome, Place, Testing};
use std::borrow::Cow;

#[utoipa::path(
    put,
    path = "/v1/testing/reset",
    tag = "testing",
    responses(Changed, TestErrors)
)]
pub(super) async fn reset(cp: &ControlPlane, _: &Asking<'_>) -> Reply {
    let index = testing(cp)?.reset().await?;
    Ok(empty().changed_at(index))
}

#[utoipa::path(
    get, path = "/v1/testing/faults", tag = "testing",
    responses(Json<wire::FaultList<'static>>, Always),
)]
pub(super) async fn list_faults(cp: &ControlPlane, _: &Asking<'_>) -> Reply {
    Ok(show(&testing(cp)?.faults.list()))
}

#[utoipa::path(
    put, path = "/v1/testing/faults", tag = "testing",
    request_body = FaultsRequest,
    responses(Json<wire::FaultList<'static>>, BodyErrors, ReadErrors),
)]
pub(super) async fn set_faults(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let mut faults = Vec::new();
    for (at, said) in FaultsRequest::decode(asking.body()?)?
        .faults
        .into_iter()
        .enumerate()
    {
        let fault = Fault::said(said);
        faults.push(fault.map_err(|wrong| Wrong::UnfitTest(format!("Faults[{at}]: {wrong}")))?);
    }
    let testing = testing(cp)?;
    testing.change(cp, faults).await;
    Ok(show(&testing.faults.list()))
}

#[utoipa::path(
    delete, path = "/v1/testing/faults", tag = "testing",
    responses(Json<wire::FaultList<'static>>, Always),
)]
pub(super) async fn clear_faults(cp: &ControlPlane, _: &Asking<'_>) -> Reply {
    Ok(show(&testing(cp)?.change(cp, Vec::new()).await))
}

#[utoipa::path(
    put, path = "/v1/testing/clock", tag = "testing",
    request_body = ClockRequest,
    responses(Json<wire::ClockNow>, BodyErrors, ReadErrors),
)]
pub(super) async fn move_clock(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let ClockRequest { advance } = ClockRequest::decode(asking.body()?)?;
    cp.clock.advance(advance);
    Ok(json(&wire::ClockNow {
        now: cp.clock.now(),
    }))
}

/// What tests may do. A server that is none for tests has no route that leads here.
fn testing(cp: &ControlPlane) -> Result<&Testing, Error> {
    let none = || Wrong::NoSuchRoute(String::new());
    cp.testing.as_ref().ok_or_else(|| none().into())
}

fn show(faults: &[(Fault, u64)]) -> super::edge::Answer {
    let faults = faults.iter().map(|(fault, struck)| picture(fault, *struck));
    json(&wire::FaultList {
        faults: faults.collect(),
    })
}

fn picture(fault: &Fault, fired: u64) -> wire::Fault<'_> {
    let delay = match fault.delay.is_zero() {
        true => Cow::default(),
        false => saddlebag_client::GoDuration::from(fault.delay)
            .to_string()
            .into(),
    };
    let all = wire::Fault {
        after_work: fault.after_work,
        count: fault.count,
        delay,
        fired,
        hang: fault.hang,
        message: fault.message.as_str().into(),
        ..wire::Fault::default()
    };
    match &fault.place {
        Place::Operation {
            operation,
            volume,
            plugin,
            outcome,
        } => wire::Fault {
            operation: operation.id().into(),
            volume: volume.as_str().into(),
            plugin: plugin.as_str().into(),
            status: match outcome {
                Some(Outcome::Status(status)) => u64::from(*status),
                Some(Outcome::Drop) | None => 0,
            },
            drop: *outcome == Some(Outcome::Drop),
            ..all
        },
        Place::Call { call, plugin, code } => wire::Fault {
            call: call.to_string().into(),
            plugin: plugin.as_str().into(),
            code: code.map(|code| code.to_string().into()).unwrap_or_default(),
            ..all
        },
        Place::Node(node) => wire::Fault {
            node: node.as_str().into(),
            ..all
        },
    }
}

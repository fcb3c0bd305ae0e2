//! Where saddlebag answers otherwise about one volume.

use crate::differences::{Rule, number};
use crate::exchange::Exchange;
use serde_json::{Value, json};

pub const RULES: &[Rule] = &[
    Rule {
        matter: "what register and create answer",
        nomad: "the request: indexes, health and users of a new volume are 0, those of an update from before it",
        saddlebag: "the volume as it is stored now",
        why: "a client that asked for a change wants to see it",
        covers: |exchange, it| {
            const STALE: [&str; 9] = [
                "Allocations",
                "ControllerRequired",
                "ControllersExpected",
                "ControllersHealthy",
                "CreateIndex",
                "ModifyIndex",
                "NodesExpected",
                "NodesHealthy",
                "Schedulable",
            ];
            changes_volumes(exchange)
                && it.at.starts_with("body/Volumes/*/")
                && it.ours.is_some()
                && it
                    .at
                    .split('/')
                    .nth(3)
                    .is_some_and(|field| STALE.contains(&field))
        },
    },
    Rule {
        matter: "`ModifyIndex` of a volume",
        nomad: "moves with each claim of it",
        saddlebag: "the last change of the volume itself; `X-Nomad-Index` moves with claims too",
        why: "a claim is a row of its own, with an index of its own",
        covers: |exchange, it| {
            exchange.asks("GET", "/v1/volume")
                && ["body/ModifyIndex", "body/*/ModifyIndex"].contains(&it.at.as_str())
                && number(&it.ours) > 0
        },
    },
    Rule {
        matter: "`CreateTime` and `ModifyTime` of a volume",
        nomad: "0, as nothing sets them",
        saddlebag: "when it was made and when it last changed",
        why: "that is what the fields are for",
        covers: |exchange, it| {
            ["CreateTime", "ModifyTime"].contains(&it.field())
                && !it.at.contains("Allocations")
                && exchange.route().starts_with("/v1/volume")
                && number(&it.nomad) == 0
                && number(&it.ours) > 0
        },
    },
    Rule {
        matter: "topologies of a created volume",
        nomad: "as many `null` as topologies, then the topologies",
        saddlebag: "the topologies",
        why: "there is nothing at a `null`",
        covers: |_, it| {
            let real: Vec<&Value> = it.nomad_list().iter().filter(|it| !it.is_null()).collect();
            it.field() == "Topologies"
                && it.nomad.is_some()
                && real == it.our_list().iter().collect::<Vec<_>>()
        },
    },
    Rule {
        matter: "an empty list of mount flags",
        nomad: "shown as `[]`, and none as `null`",
        saddlebag: "both are `null`",
        why: "they mean the same",
        covers: |_, it| {
            it.field() == "MountFlags"
                && it.nomad == Some(json!([]))
                && it.ours == Some(Value::Null)
        },
    },
    Rule {
        matter: "a name that was used before",
        nomad: "asks the driver for the volume of that name: two ids get one backing store",
        saddlebag: "each create makes a volume of its own at the driver",
        why: "two volumes never share data unasked",
        covers: |exchange, it| {
            exchange.asks("PUT", "/v1/volume/csi/alias/create")
                && it.field() == "ExternalID"
                && !it.our_text().is_empty()
        },
    },
    Rule {
        matter: "a second volume for one external id",
        nomad: "is registered",
        saddlebag: "is 409, unless both ask only for modes that many nodes may share",
        why: "two volumes never share data unasked",
        covers: |exchange, it| {
            let is_absent = ["external ID", "volume not found"]
                .iter()
                .any(|text| it.our_text().starts_with(text));
            exchange.route() == "/v1/volume/csi/v1-alias" && (it.at != "body" || is_absent)
        },
    },
    Rule {
        matter: "detach",
        nomad: "always fails with `Unknown allocation`",
        saddlebag: "releases the finished claims of the node; live ones are 409 and stay",
        why: "that is what the route is for",
        covers: |exchange, it| {
            let is_told = it.our_text().is_empty() || it.our_text().contains("is in use on node");
            exchange.text() == "Unknown allocation" && (it.at != "body" || is_told)
        },
    },
    Rule {
        matter: "deleting a volume in use",
        nomad: "has the driver delete it, then refuses",
        saddlebag: "refuses before the driver is asked",
        why: "data in use is not destroyed",
        covers: |exchange, it| {
            exchange.name == "external after the refused delete"
                && it.at == "body/Volumes"
                && it.our_list().len() == it.nomad_list().len() + 1
        },
    },
    Rule {
        matter: "volumes whose plugin is gone",
        nomad: "show how many controllers and nodes were expected once",
        saddlebag: "show that none are",
        why: "nothing brings the plugin any more",
        covers: |exchange, it| {
            const EXPECTED: [&str; 2] = ["ControllersExpected", "NodesExpected"];
            exchange.section == "plugin job stopped"
                && EXPECTED.contains(&it.field())
                && it.ours == Some(json!(0))
        },
    },
];

/// Whether it registers or creates volumes.
fn changes_volumes(exchange: &Exchange) -> bool {
    let is_change = ["PUT", "POST"].contains(&exchange.request.method.as_str());
    is_change && exchange.route().starts_with("/v1/volume") && exchange.response.status == Some(200)
}

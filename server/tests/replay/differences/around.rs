//! Where saddlebag answers otherwise about what stands around volumes.

use crate::differences::{Rule, number};
use serde_json::json;

pub const RULES: &[Rule] = &[
    Rule {
        matter: "`X-Nomad-Index`",
        nomad: "the last write to one table: health and claims change without it, and a table that was never written is at 0",
        saddlebag: "the newest change to anything that the answer shows",
        why: "a client that loops with `index=` misses nothing",
        covers: |_, it| {
            it.at == "header X-Nomad-Index" && number(&it.ours) > 0 && it.nomad.is_some()
        },
    },
    Rule {
        matter: "topologies of a plugin",
        nomad: "only in each node's info",
        saddlebag: "the union of its nodes' as `Topologies` too, as an old page has it",
        why: "clients were written after that page, and an unknown key hurts nobody",
        covers: |exchange, it| {
            exchange.asks("GET", "/v1/plugin/") && it.at == "body/Topologies" && it.nomad.is_none()
        },
    },
    Rule {
        matter: "`ModifyTime` of a plugin",
        nomad: "when it was first seen, always",
        saddlebag: "when it last changed",
        why: "that is what the field is for",
        covers: |exchange, it| {
            exchange.asks("GET", "/v1/plugin/")
                && it.at == "body/ModifyTime"
                && number(&it.ours) > 0
        },
    },
    Rule {
        matter: "routes of the first published drafts",
        nomad: "404",
        saddlebag: "answered as they were described",
        why: "clients were written after those pages",
        covers: |exchange, _| {
            let route = exchange.route();
            let is_draft = route.starts_with("/v1/csi/")
                || route == "/v1/volume/csi/x/snapshot"
                || route == "/v1/volumes/snapshot/x";
            is_draft && exchange.response.status == Some(404)
        },
    },
    Rule {
        matter: "nodes",
        nomad: "ids have 36 hexadecimal characters, and what does not look like one is an error",
        saddlebag: "an id that nobody has is found nowhere",
        why: "not every store of nodes names them so",
        covers: |exchange, it| {
            let is_none = ["[]", "node not found", ""].contains(&it.our_text()) || it.at != "body";
            exchange.text().starts_with("node lookup failed") && is_none
        },
    },
    Rule {
        matter: "what a node is to a scheduler",
        nomad: "its class, its version, its keys, and when its status changed",
        saddlebag: "empty, or the version of saddlebag; `BootID` tells one start of the host from the next",
        why: "saddlebag places nothing",
        covers: |exchange, it| {
            const SCHEDULED: [&str; 7] = [
                "BootID",
                "ComputedClass",
                "HostNetworks",
                "IdentitySigningKeyID",
                "LastAllocUpdateIndex",
                "StatusUpdatedAt",
                "Version",
            ];
            exchange.asks("GET", "/v1/node") && SCHEDULED.contains(&it.field()) && it.ours.is_some()
        },
    },
    Rule {
        matter: "plugin jobs",
        nomad: "what was submitted: tasks with their resources, restarts, updates, networks and programs",
        saddlebag: "one task with its plugin, in Nomad's default folders; what only a scheduler reads is `null` or empty. `CSIPlugin` is added",
        why: "a driver is named in the configuration, and never placed",
        covers: |exchange, it| {
            let says_nothing = [json!(null), json!(0), json!("")]
                .iter()
                .any(|blank| it.ours.as_ref() == Some(blank));
            const NAMED: [&str; 3] = ["Driver", "Name", "StagePublishBaseDir"];
            let is_named = NAMED.contains(&it.field()) && it.at.starts_with("body/TaskGroups");
            let is_added = it.at == "body/CSIPlugin" && it.nomad.is_none();
            exchange.asks("GET", "/v1/job/") && (says_nothing || is_named || is_added)
        },
    },
    Rule {
        matter: "`Index` of a search",
        nomad: "0",
        saddlebag: "the newest change to anything",
        why: "it costs nothing to be told",
        covers: |exchange, it| {
            exchange.asks("POST", "/v1/search") && it.at == "body/Index" && number(&it.ours) > 0
        },
    },
    Rule {
        matter: "allocations",
        nomad: "what a scheduler placed: its evaluation, its group and tasks with their states and events",
        saddlebag: "a volume's are its claims, a plugin's are its drivers, a node's are both; what only a scheduler knows is empty",
        why: "saddlebag places nothing",
        covers: |exchange, it| {
            const SCHEDULED: [&str; 11] = [
                "ClientDescription",
                "CreateIndex",
                "CreateTime",
                "DeploymentStatus",
                "EvalID",
                "JobType",
                "ModifyIndex",
                "ModifyTime",
                "Name",
                "TaskGroup",
                "TaskStates",
            ];
            let is_allocation = it.at.starts_with("body/Allocations/*/")
                || (exchange.route().ends_with("/allocations") && it.at.starts_with("body/*/"));
            is_allocation && SCHEDULED.contains(&it.field()) && it.ours.is_some()
        },
    },
];

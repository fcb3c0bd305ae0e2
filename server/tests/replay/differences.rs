//! Where saddlebag answers otherwise than Nomad, on purpose: one table, checked by replaying, and a page of
//! the documentation (`server/src/http/differences.md`) made from it.

use crate::compare::Difference;
use crate::exchange::Exchange;
use saddlebag::error::StatusStyle;
use serde_json::{Value, json};

/// One way in which answers differ.
pub struct Rule {
    /// What it is about.
    pub matter: &'static str,
    /// What Nomad does.
    pub nomad: &'static str,
    /// What saddlebag does.
    pub saddlebag: &'static str,
    /// Why.
    pub why: &'static str,
    /// Whether a difference is of this kind.
    pub covers: fn(&Exchange, &Difference) -> bool,
}

/// The rule that does not hold for `--status nomad`.
pub const STATUSES: Rule = Rule {
    matter: "status codes",
    nomad: "500 for most failures",
    saddlebag: "400, 404, 409, 501 to 504 and 507, as fits; `--status nomad` answers Nomad's",
    why: "a client can tell what to do next without matching texts",
    covers: |exchange, it| {
        const TRUE: [u64; 8] = [400, 404, 409, 501, 502, 503, 504, 507];
        it.at == "status"
            && exchange.response.status == Some(500)
            && TRUE.contains(&number(&it.ours))
    },
};

/// Every other way in which answers differ.
pub const RULES: &[Rule] = &[
    Rule {
        matter: "bodies that are not what they should be",
        nomad: "the texts of Go's JSON decoder, with the names of Go's types",
        saddlebag: "the same status, and a text that names the place in the body and what belongs there",
        why: "the text is for whoever wrote the body",
        covers: |exchange, it| {
            const GO: [&str; 3] = [
                "json: cannot unmarshal",
                "invalid character",
                "unexpected EOF",
            ];
            it.at == "body"
                && exchange.response.status == Some(400)
                && GO.iter().any(|text| exchange.text().starts_with(text))
                && !it.our_text().is_empty()
        },
    },
    Rule {
        matter: "`null` in place of a volume",
        nomad: "closes the connection without an answer",
        saddlebag: "400",
        why: "what a client sends must not end anything but its request",
        covers: |exchange, it| {
            let is_refused = it.at != "status" || number(&it.ours) == 400;
            exchange.response.status.is_none() && is_refused
        },
    },
    Rule {
        matter: "fields that only the server sets (indexes, health, times, claims) in a request",
        nomad: "reads them: a wrong type is 400, and on a first registration they are stored",
        saddlebag: "accepts anything there, and ignores it",
        why: "an answer can be edited and sent back, and nobody can make a volume look claimed",
        covers: |exchange, _| {
            const READ: [&str; 3] = [
                "json: cannot unmarshal number -1 into Go struct field CSIVolume.Volumes.CreateIndex",
                "Time.UnmarshalJSON",
                "parsing time",
            ];
            READ.iter().any(|text| exchange.text().starts_with(text))
        },
    },
    Rule {
        matter: "a negative size",
        nomad: "asks the driver",
        saddlebag: "refuses it as invalid",
        why: "no driver can do it, and not every driver says so",
        covers: |exchange, it| {
            exchange.text().contains("cannot have negative capacity")
                && it.at == "body"
                && it.our_text() == "validation: requested capacity must not be negative"
        },
    },
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
        matter: "`X-Nomad-Index`",
        nomad: "the last write to one table: health and claims change without it, and a table that was never written is at 0",
        saddlebag: "the newest change to anything that the answer shows",
        why: "a client that loops with `index=` misses nothing",
        covers: |_, it| {
            it.at == "header X-Nomad-Index" && number(&it.ours) > 0 && it.nomad.is_some()
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
        matter: "empty node ids in `PublishedExternalNodeIDs`",
        nomad: "shown as the driver sent them",
        saddlebag: "left out",
        why: "nobody has that id",
        covers: |_, it| {
            it.field() == "PublishedExternalNodeIDs"
                && it.nomad == Some(json!([""]))
                && it.our_list().is_empty()
        },
    },
    Rule {
        matter: "`/v1/plugins` of another or an empty `type`",
        nomad: "200 without a body",
        saddlebag: "200 `[]`",
        why: "a list without elements is a list",
        covers: |exchange, it| {
            let is_list = it.at == "header Content-Type" || it.our_text() == "[]";
            exchange.asks("GET", "/v1/plugins?type=") && exchange.text().is_empty() && is_list
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
        matter: "page tokens",
        nomad: "hold ids as they are, bytes beyond ASCII too",
        saddlebag: "hold them percent-encoded",
        why: "header values are ASCII to many clients; a token is only sent back",
        covers: |_, it| {
            it.at == "header X-Nomad-Nexttoken"
                && !it.nomad_text().is_ascii()
                && it.our_text().contains('%')
        },
    },
    Rule {
        matter: "`reverse=true` on volumes",
        nomad: "changes nothing but what a page token means",
        saddlebag: "reverses the list",
        why: "that is what the parameter says",
        covers: |exchange, it| exchange.has("reverse=true") && it.at.starts_with("body/*/"),
    },
    Rule {
        matter: "`plugin_id` with `prefix` or `namespace=*`",
        nomad: "ignores the prefix, lists nothing, or lists what does not begin so",
        saddlebag: "lists the volumes that fit all of them",
        why: "each parameter narrows the list",
        covers: |exchange, it| {
            let is_both = exchange.has("prefix=") || exchange.has("namespace=*");
            let fits = |volume: &Value| {
                let id = volume["ID"].as_str().unwrap_or_default();
                let query = &exchange.request.path;
                let prefix = query.split("prefix=").nth(1).unwrap_or_default();
                let namespace = volume["Namespace"] == "default" || exchange.has("namespace=*");
                volume["PluginID"] == "hp0" && id.starts_with(prefix) && namespace
            };
            exchange.has("plugin_id=hp0")
                && is_both
                && it.at == "body"
                && !it.our_list().is_empty()
                && it.our_list().iter().all(fits)
        },
    },
    Rule {
        matter: "`node_id` with the volumes of a job's single allocations (`web[0]`)",
        nomad: "lists what the job's groups ask for by name: `web` is no volume, so the list ends there",
        saddlebag: "lists the volumes with claims on the node",
        why: "that is what was asked",
        covers: |exchange, it| {
            exchange.has("node_id=")
                && it.at == "body"
                && it.nomad_list().is_empty()
                && it.our_list().iter().all(|it| {
                    it["CurrentReaders"].as_u64() > Some(0)
                        || it["CurrentWriters"].as_u64() > Some(0)
                })
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
    Rule {
        matter: "filters that are no expressions, or hold no regular expression",
        nomad: "the texts of the parser's generator and of Go's regexp package",
        saddlebag: "the same status and beginning, and a text that says what stands where, and what could",
        why: "the text is for whoever wrote the filter",
        covers: |exchange, it| {
            const BEGINNINGS: [&str; 2] = [
                "failed to create result paginator: failed to read filter expression: ",
                "failed to read result page: failed to compile regular expression ",
            ];
            let alike = |text: &&&str| {
                exchange.text().starts_with(**text) && it.our_text().starts_with(**text)
            };
            it.at == "body" && BEGINNINGS.iter().any(|text| alike(&text))
        },
    },
    Rule {
        matter: "filters on secrets",
        nomad: "are asked of the secrets, so that these can be guessed",
        saddlebag: "find none",
        why: "nothing shows a secret",
        covers: |exchange, it| {
            exchange.has("filter=Secrets")
                && it.at == "body"
                && it.our_list().is_empty()
                && it.ours == Some(json!([]))
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
        saddlebag: "one task with its plugin; what only a scheduler reads is `null` or empty. `CSIPlugin` is added",
        why: "a driver is named in the configuration, and never placed",
        covers: |exchange, it| {
            let says_nothing = [json!(null), json!(0), json!("")]
                .iter()
                .any(|blank| it.ours.as_ref() == Some(blank));
            let is_named =
                ["Driver", "Name"].contains(&it.field()) && it.at.starts_with("body/TaskGroups");
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
        saddlebag: "a volume's are its claims, a plugin's are its drivers; what only a scheduler knows is empty",
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

fn number(side: &Option<Value>) -> u64 {
    side.as_ref().and_then(Value::as_u64).unwrap_or_default()
}

/// Whether it registers or creates volumes.
fn changes_volumes(exchange: &Exchange) -> bool {
    let is_change = ["PUT", "POST"].contains(&exchange.request.method.as_str());
    is_change && exchange.route().starts_with("/v1/volume") && exchange.response.status == Some(200)
}

/// The rules that hold with these statuses.
pub fn rules(style: StatusStyle) -> impl Iterator<Item = &'static Rule> {
    let statuses = (style == StatusStyle::True).then_some(&STATUSES);
    statuses.into_iter().chain(RULES)
}

/// The page of the documentation.
pub fn page() -> String {
    let mut page = String::from(PAGE);
    for rule in std::iter::once(&STATUSES).chain(RULES) {
        let Rule {
            matter,
            nomad,
            saddlebag,
            why,
            ..
        } = rule;
        page.push_str(&format!("| {matter} | {nomad} | {saddlebag} | {why} |\n"));
    }
    page
}

const PAGE: &str = "\
Where saddlebag answers otherwise than a real Nomad, on purpose.

Everything else is equal: the test `replay` asks saddlebag what a real Nomad was asked, and fails at each
answer that differs by none of these rules. This page is made from the rules that it checks by.

| matter | Nomad | saddlebag | why |
|---|---|---|---|
";

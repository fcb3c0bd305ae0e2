//! Where saddlebag answers otherwise about many at once.

use crate::differences::Rule;
use serde_json::{Value, json};

pub const RULES: &[Rule] = &[
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
];

//! Where saddlebag answers otherwise about access control.

use crate::differences::{Rule, number};
use serde_json::json;

pub const RULES: &[Rule] = &[
    Rule {
        matter: "secrets of tokens",
        nomad: "shown to whoever may read the token",
        saddlebag: "shown when the token is made, and in `token/self` to who has it; empty otherwise",
        why: "what is stored is a hash: nobody who reads the store can act as a token",
        covers: |exchange, it| {
            exchange.asks("GET", "/v1/acl/token/")
                && exchange.route() != "/v1/acl/token/self"
                && it.at == "body/SecretID"
                && it.ours == Some(json!(""))
        },
    },
    Rule {
        matter: "tokens that are no UUID, in `token/self`",
        nomad: "500, with the text of its JWT library",
        saddlebag: "403, and a text that says what a token is; `--status nomad` answers 500",
        why: "there are no JWTs here, and whoever sent it did wrong",
        covers: |exchange, it| {
            let is_told = match it.at.as_str() {
                "status" => number(&it.ours) == 403,
                at => {
                    at == "body"
                        && it
                            .our_text()
                            .starts_with("the token is no secret of a token")
                }
            };
            exchange.route() == "/v1/acl/token/self"
                && exchange
                    .text()
                    .starts_with("failed to parse signed token: ")
                && is_told
        },
    },
    Rule {
        matter: "rules of policies that are no HCL",
        nomad: "the texts of its HCL parser",
        saddlebag: "the same status and beginning, the place, and a text that says what is wrong there",
        why: "the text is for whoever wrote the policy",
        covers: |exchange, it| {
            const BEGINNING: &str = "policy 0 invalid: 1 error occurred:\n\t* failed to parse rules: \
                                     Failed to parse ACL Policy: At ";
            it.at == "body"
                && exchange.text().starts_with(BEGINNING)
                && it.our_text().starts_with(BEGINNING)
        },
    },
    Rule {
        matter: "volumes with `namespace=*`",
        nomad: "those of all namespaces, to who may list those of one",
        saddlebag: "those of the namespaces in which the token may list volumes",
        why: "a token sees what its policies name, and nothing else",
        covers: |exchange, it| {
            let ids = |list: &[serde_json::Value]| -> Vec<_> {
                let id = |volume: &serde_json::Value| {
                    (volume["Namespace"].clone(), volume["ID"].clone())
                };
                list.iter().map(id).collect()
            };
            let (theirs, ours) = (ids(it.nomad_list()), ids(it.our_list()));
            exchange.asks("GET", "/v1/volumes?type=csi&namespace=*")
                && exchange.request.headers.contains_key("X-Nomad-Token")
                && it.at == "body"
                && !ours.is_empty()
                && ours.len() < theirs.len()
                && ours.iter().all(|id| theirs.contains(id))
        },
    },
];

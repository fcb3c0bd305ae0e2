//! Where saddlebag reads a request otherwise.

use crate::differences::{Rule, number};

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
];

//! Where saddlebag answers otherwise than Nomad, on purpose: one table, checked by replaying, and a page of
//! the documentation (`server/src/http/differences.md`) made from it.

use crate::compare::Difference;
use crate::exchange::Exchange;
use saddlebag::error::StatusStyle;
use serde_json::Value;

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
    /// Whether it plays no part where Nomad's statuses are answered.
    pub only_true: bool,
    /// Whether a difference is of this kind.
    pub covers: fn(StatusStyle, &Exchange, &Difference) -> bool,
}

/// Every way in which answers differ.
pub const RULES: &[Rule] = &[
    Rule {
        matter: "status codes",
        nomad: "500 for most failures",
        saddlebag: "400, 404, 409, 501 to 504 and 507 as fits; `--status nomad` answers Nomad's",
        why: "a client can tell what to do next without reading texts",
        only_true: true,
        covers: |style, exchange, difference| {
            style == StatusStyle::True
                && difference.at == "status"
                && exchange.response.status == Some(500)
                && difference.ours.as_ref().and_then(Value::as_u64).is_some_and(|it| {
                    [400, 404, 409, 501, 502, 503, 504, 507].contains(&it)
                })
        },
    },
];

//! Where saddlebag answers otherwise than Nomad, on purpose: one table, checked by replaying, and a page of
//! the documentation (`server/src/http/differences.md`) made from it.

mod access;
mod around;
mod bodies;
mod lists;
mod unrecorded;
mod volumes;

pub use unrecorded::UNRECORDED;

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

/// What is there, if it is a number.
fn number(side: &Option<Value>) -> u64 {
    side.as_ref().and_then(Value::as_u64).unwrap_or_default()
}

/// The rules that hold with these statuses.
pub fn rules(style: StatusStyle) -> impl Iterator<Item = &'static Rule> {
    let statuses = (style == StatusStyle::True).then_some(&STATUSES);
    statuses.into_iter().chain(others())
}

/// Every other way in which answers differ.
fn others() -> impl Iterator<Item = &'static Rule> {
    let groups = [
        bodies::RULES,
        volumes::RULES,
        lists::RULES,
        access::RULES,
        around::RULES,
    ];
    groups.into_iter().flatten()
}

/// The page of the documentation.
pub fn page() -> String {
    let mut page = String::from(PAGE);
    for rule in std::iter::once(&STATUSES).chain(others()) {
        let Rule {
            matter,
            nomad,
            saddlebag,
            why,
            ..
        } = rule;
        page.push_str(&format!("| {matter} | {nomad} | {saddlebag} | {why} |\n"));
    }
    page.push_str(BEYOND);
    for unrecorded::Unrecorded {
        matter,
        nomad,
        saddlebag,
        why,
        ..
    } in UNRECORDED
    {
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

const BEYOND: &str = "
What nobody asked of that Nomad, but is known of its code; a test of its own shows what saddlebag does:

| matter | Nomad | saddlebag | why |
|---|---|---|---|
";

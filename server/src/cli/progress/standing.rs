//! What something unfinished is at, in one line.

use crate::cli::screen::human_time;
use jiff::Timestamp;
use saddlebag_client::types::{Claim, Operation};

/// What an operation is at, in one line.
pub(in crate::cli) fn of_operation(operation: &Operation, now: Timestamp) -> String {
    let subject = match operation.volume_id.as_str() {
        "" => format!("snapshot {}", operation.snapshot_id),
        id => format!("volume {id}"),
    };
    let mut text = format!("{} of {subject}: ", operation.kind);
    let plugin = &operation.plugin_id;
    text += &match (operation.attempts, operation.state.as_str()) {
        (0, "running") => format!("plugin {plugin} is at it"),
        (0, _) => "not tried yet".to_owned(),
        (tries, "running") => format!("try {}, plugin {plugin} is at it", tries + 1),
        (tries, _) => format!("try {tries} failed"),
    };
    match (operation.next_try, &operation.waits_for) {
        (Some(next), _) if operation.state == "waiting" => {
            text += &format!(", next try {}", human_time(next, now));
        }
        (_, Some(what)) if operation.state == "waiting" => text += &format!(", waits for {what}"),
        _ => {}
    }
    if let Some(error) = &operation.last_error {
        let said = said(error, operation.last_error_code.as_deref());
        text += &format!("; plugin {plugin}: {said}");
    }
    text
}

/// What a claim is at: the next step and what it waits for; its state, if there is no step.
pub(in crate::cli) fn of_claim(claim: &Claim, now: Timestamp) -> String {
    let waits_for = claim.waits_for.as_deref().unwrap_or("its turn");
    let mut text = match (claim.step.as_str(), claim.state.as_str()) {
        ("", "published") => return format!("published at {}", claim.target_path),
        ("", "gone") => return "released".to_owned(),
        ("", state) => state.to_owned(),
        (step, _) => match claim.next_try {
            Some(next) if next > now || waits_for.starts_with("the next try") => {
                let tries = claim.attempts;
                format!(
                    "{step}: try {tries} failed, next try {}",
                    human_time(next, now)
                )
            }
            _ => format!("{step}: waits for {waits_for}"),
        },
    };
    if let Some(error) = &claim.last_error {
        let said = said(error, claim.last_error_code.as_deref());
        text += &format!("; plugin {}: {said}", claim.plugin_id);
    }
    text
}

/// What a driver said: its code and its own words.
pub(in crate::cli) fn said(error: &str, code: Option<&str>) -> String {
    format!("{}: {}", code.unwrap_or("no answer"), cause(error))
}

/// What the driver itself said, without who said it on the way.
fn cause(error: &str) -> &str {
    match error.rsplit_once(" desc = ") {
        Some((_, cause)) => cause,
        None => error,
    }
}

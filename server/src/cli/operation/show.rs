//! How operations are shown.

use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use crate::cli::table::{Facts, Table, section};
use saddlebag_client::types::Operation;

/// Operations as a table, oldest first.
pub(super) fn table(operations: &[Operation], screen: &Screen) -> String {
    let mut table = Table::new(&[
        "ID",
        "Kind",
        "Namespace",
        "Volume ID",
        "Plugin ID",
        "State",
        "Tries",
        "Since",
        "Next Try",
        "Why",
    ]);
    for operation in operations {
        let next = operation.next_try.filter(|_| operation.state == "waiting");
        table.row([
            &operation.id,
            &operation.kind,
            &operation.namespace,
            &operation.volume_id,
            &operation.plugin_id,
            &operation.state,
            &operation.attempts.to_string(),
            &screen.time(Some(operation.create_time)),
            &screen.time(next),
            why(operation),
        ]);
    }
    table.text()
}

/// Why it is in its state: what it waits for, what failed, or who gave it up.
fn why(operation: &Operation) -> &str {
    let words = match operation.state.as_str() {
        "abandoned" => &operation.reason,
        _ if operation.last_error.is_some() => &operation.last_error,
        _ => &operation.waits_for,
    };
    words.as_deref().unwrap_or_default()
}

/// One operation, with what may be done about it.
pub(super) fn one(operation: &Operation, json: bool, verbose: bool) -> Result<(), Failure> {
    let screen = Screen::new().exact(verbose);
    if json {
        return screen.show_json(operation);
    }
    let mut text = facts(operation, &screen).text();
    if operation.end_time.is_none() {
        let id = &operation.id;
        let next = format!(
            "  Try it now, say after its driver was repaired:  saddlebag operation retry {id}\n  \
               Give it up, if its storage is gone for good:    saddlebag operation abandon --reason 'why' {id}\n"
        );
        text += &section("What you can do", &next);
    }
    screen.show(&text);
    Ok(())
}

fn facts(operation: &Operation, screen: &Screen) -> Facts {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut facts = Facts::default();
    facts.add("ID", &operation.id);
    facts.add("Kind", &operation.kind);
    facts.add("State", &operation.state);
    facts.add_if_any("Volume ID", &operation.volume_id);
    facts.add_if_any("Namespace", &operation.namespace);
    facts.add_if_any("Snapshot ID", &operation.snapshot_id);
    facts.add("Plugin ID", &operation.plugin_id);
    facts.add("Tries", operation.attempts.to_string());
    facts.add_if_any("Last Error", text(&operation.last_error));
    facts.add_if_any("Last Error Code", text(&operation.last_error_code));
    match operation.next_try.filter(|_| operation.state == "waiting") {
        Some(next) => facts.add("Next Try", screen.time(Some(next))),
        None => facts.add_if_any("Waits For", text(&operation.waits_for)),
    }
    facts.add_if_any("Given Up Because", text(&operation.reason));
    facts.add_if_any("Name At Driver", &operation.name);
    facts.add_if_any("External ID", &operation.external_id);
    facts.add("Asked By", &operation.by);
    facts.add("Since", screen.time(Some(operation.create_time)));
    if let Some(end) = operation.end_time {
        facts.add("Ended", screen.time(Some(end)));
    }
    facts
}

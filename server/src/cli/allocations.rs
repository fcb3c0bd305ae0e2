//! Allocations: who uses a volume, or runs a plugin.

use crate::cli::screen::Screen;
use crate::cli::table::Table;
use saddlebag_client::types::AllocationStub;

/// A table of allocations; with all columns and whole ids if `verbose`; `none` if there are none.
pub(super) fn text(
    allocations: &[AllocationStub],
    none: &str,
    verbose: bool,
    screen: &Screen,
) -> String {
    if allocations.is_empty() {
        return none.to_owned();
    }
    let mut columns = vec![
        "ID",
        "Node ID",
        "Task Group",
        "Version",
        "Desired",
        "Status",
        "Created",
        "Modified",
    ];
    if verbose {
        columns.extend(["Node Name", "Eval ID", "Job ID"]);
    }
    let mut table = Table::new(&columns);
    for allocation in allocations {
        let short = [
            id(&allocation.id, verbose),
            id(&allocation.node_id, verbose),
            allocation.task_group.clone(),
            allocation.job_version.to_string(),
            allocation.desired_status.clone(),
            allocation.client_status.clone(),
            screen.nanoseconds(allocation.create_time),
            screen.nanoseconds(allocation.modify_time),
        ];
        let long = [
            allocation.node_name.clone(),
            allocation.eval_id.clone(),
            allocation.job_id.clone(),
        ];
        table.row(
            short
                .into_iter()
                .chain(long.into_iter().filter(|_| verbose)),
        );
    }
    table.text()
}

/// An id as long as it has to be: of a UUID the first eight characters, as Nomad shows it.
pub(super) fn id(id: &str, verbose: bool) -> String {
    let is_uuid = uuid::Uuid::try_parse(id).is_ok();
    match is_uuid && !verbose {
        true => id.chars().take(8).collect(),
        false => id.to_owned(),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn allocation() -> AllocationStub {
        serde_json::from_value(serde_json::json!({
            "ClientDescription": "", "ClientStatus": "running", "CreateIndex": 1,
            "CreateTime": 1_795_277_335_000_000_000i64, "DeploymentStatus": null, "DesiredDescription": "",
            "DesiredStatus": "run", "DesiredTransition": {}, "EvalID": "23163f97-5dc1-b86c-0a08-9b1417683c57",
            "FollowupEvalID": "", "ID": "c2dc147f-8849-d100-e301-566b7196f29c", "JobID": "db", "JobType": "service",
            "JobVersion": 0, "ModifyIndex": 1, "ModifyTime": 0, "Name": "db.g[0]", "Namespace": "default",
            "NextAllocation": "", "NodeID": "070d3fee-37a8-144f-084e-6f6188a098e7", "NodeName": "vm",
            "PreemptedAllocations": null, "PreemptedByAllocation": "", "RescheduleTracker": null,
            "TaskGroup": "g", "TaskStates": null
        }))
        .unwrap()
    }

    #[test]
    fn what_nomad_shows_of_an_allocation_is_shown() {
        let shown = text(&[allocation()], "", false, &Screen::new().exact(true));
        assert_eq!(
            shown,
            "ID        Node ID   Task Group  Version  Desired  Status   Created               Modified\n\
             c2dc147f  070d3fee  g           0        run      running  2026-11-21T16:08:55Z  -\n"
        );
        let whole = text(&[allocation()], "", true, &Screen::new().exact(true));
        for part in [
            "Node Name",
            "Eval ID",
            "23163f97-5dc1-b86c-0a08-9b1417683c57",
            "vm",
        ] {
            assert!(whole.contains(part), "{part}: {whole}");
        }
    }
}

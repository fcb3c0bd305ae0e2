//! Takes away what a run made, by its name, however the run ended.

use super::made::Kind;
use super::probe::Probe;
use super::stage::Stage;
use crate::cli::failure::Failure;
use saddlebag_client::operations::Operation;
use serde_json::Value;
use std::collections::BTreeSet;

/// Takes away everything whose name begins as that of this run; what is left behind, a line each.
///
/// # Errors
/// No server answers any more.
pub async fn sweep(probe: &mut Probe, stage: &Stage) -> Result<Vec<String>, Failure> {
    if !stage.write {
        return Ok(Vec::new());
    }
    let mut left = Vec::new();
    if let Some(external) = stage.made.id(Kind::External) {
        let id = format!("{}-external", stage.prefix);
        stage.adopt(probe, &id, external).await?;
    }
    for volume in volumes(probe, stage).await? {
        snapshots(probe, stage, &volume, &mut left).await?;
        claims(probe, &volume).await?;
        let (id, namespace) = (text(&volume, "ID"), text(&volume, "Namespace"));
        let (path, query) = ([("volume_id", id)], [("namespace", namespace)]);
        let deleted = probe
            .call(Operation::DeleteVolume, &path, &query, None)
            .await?;
        if deleted.is_none() {
            left.push(format!("volume {id} in namespace {namespace}"));
        }
    }
    for (list, key, delete, parameter, what) in [
        (
            Operation::ListTokens,
            "AccessorID",
            Operation::DeleteToken,
            "accessor_id",
            "token",
        ),
        (
            Operation::ListRoles,
            "ID",
            Operation::DeleteRole,
            "role_id",
            "role",
        ),
        (
            Operation::ListPolicies,
            "Name",
            Operation::DeletePolicy,
            "policy_name",
            "policy",
        ),
        (
            Operation::ListNamespaces,
            "Name",
            Operation::DeleteNamespace,
            "namespace_name",
            "namespace",
        ),
    ] {
        let listed = probe.call(list, &[], &[], None).await?.unwrap_or_default();
        let ours = listed.as_array().into_iter().flatten();
        for thing in ours.filter(|thing| text(thing, "Name").starts_with(&stage.prefix)) {
            let id = text(thing, key);
            if probe
                .call(delete, &[(parameter, id)], &[], None)
                .await?
                .is_none()
            {
                left.push(format!("{what} {id}"));
            }
        }
    }
    Ok(left)
}

async fn volumes(probe: &mut Probe, stage: &Stage) -> Result<Vec<Value>, Failure> {
    let mut found = Vec::new();
    // Not every server lists all namespaces together with a prefix.
    for namespace in BTreeSet::from([stage.namespace.as_str(), "default"]) {
        let query = [
            ("type", "csi"),
            ("namespace", namespace),
            ("prefix", &stage.prefix),
        ];
        let listed = probe
            .call(Operation::ListVolumes, &[], &query, None)
            .await?;
        if let Some(Value::Array(listed)) = listed {
            let ours = listed
                .into_iter()
                .filter(|it| text(it, "ID").starts_with(&stage.prefix));
            found.extend(ours);
        }
    }
    Ok(found)
}

async fn claims(probe: &mut Probe, volume: &Value) -> Result<(), Failure> {
    let (id, namespace) = (text(volume, "ID"), text(volume, "Namespace"));
    let query = [("namespace", namespace)];
    let path = [("volume_id", id)];
    let claims = probe
        .call(Operation::ListClaims, &path, &query, None)
        .await?;
    for claim in claims.unwrap_or_default().as_array().into_iter().flatten() {
        if text(claim, "State") != "gone" {
            let path = [("volume_id", id), ("alloc_id", text(claim, "AllocationID"))];
            probe
                .call(Operation::ReleaseClaim, &path, &query, None)
                .await?;
        }
    }
    Ok(())
}

async fn snapshots(
    probe: &mut Probe,
    stage: &Stage,
    volume: &Value,
    left: &mut Vec<String>,
) -> Result<(), Failure> {
    let (plugin, source) = (text(volume, "PluginID"), text(volume, "ExternalID"));
    let query = [("plugin_id", plugin), ("namespace", &stage.namespace)];
    let listed = probe
        .call(Operation::ListSnapshots, &[], &query, None)
        .await?
        .unwrap_or_default();
    for snapshot in listed["Snapshots"].as_array().into_iter().flatten() {
        if !source.is_empty() && text(snapshot, "ExternalSourceVolumeID") == source {
            let id = text(snapshot, "ID");
            let query = [("plugin_id", plugin), ("snapshot_id", id)];
            if probe
                .call(Operation::DeleteSnapshot, &[], &query, None)
                .await?
                .is_none()
            {
                left.push(format!("snapshot {id} of plugin {plugin}"));
            }
        }
    }
    Ok(())
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

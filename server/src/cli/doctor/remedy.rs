//! The commands that see to a finding.

use crate::cli::connection::Session;
use crate::cli::failure::{Failure, word};
use crate::cli::node;
use saddlebag_client::types::Finding;
use serde_json::json;

/// What can be done about something.
pub(super) struct Remedy {
    /// What it is for, or when it is right.
    pub when: String,
    /// The commands, in order; none where it takes more than commands.
    pub commands: Vec<String>,
}

/// What can be done about findings.
pub(super) struct Remedies {
    /// The nodes that are known here, by their ids.
    nodes: Vec<String>,
}

/// The kind of a finding that names a node as the driver does, if nobody knows it here.
const FOREIGN_PUBLICATION: &str = "foreign-publication";

impl Remedies {
    /// Gets ready to tell what can be done about these.
    ///
    /// # Errors
    /// The server does not tell its nodes.
    pub async fn new(session: &Session, findings: &[Finding]) -> Result<Self, Failure> {
        let is_asked = findings.iter().any(|it| it.kind == FOREIGN_PUBLICATION);
        let nodes = match is_asked {
            true => node::nodes(session, None).await?,
            false => Vec::new(),
        };
        let nodes = nodes.into_iter().map(|node| node.id).collect();
        Ok(Self { nodes })
    }

    /// What can be done about this; in the server's words where no command is known for it.
    pub fn of(&self, finding: &Finding) -> Vec<Remedy> {
        let known = match finding.kind.as_str() {
            "unregistered-volume" => unregistered(finding),
            "missing-volume" => missing(finding),
            FOREIGN_PUBLICATION => self.foreign(finding),
            "abandoned-create" => abandoned_create(finding),
            "abandoned-delete" => abandoned_delete(finding),
            "stuck-operation" => stuck_operation(finding),
            "stuck-claim" => stuck_claim(finding),
            "stuck-expansion" => stuck_expansion(finding),
            "silent-driver" => Some(vec![remedy(
                "See what is wrong with it, and in its log",
                [format!(
                    "saddlebag plugin status {}",
                    word(&finding.plugin_id)
                )],
            )]),
            _ => None,
        };
        known.unwrap_or_else(|| vec![remedy(&finding.remedy, [])])
    }

    fn foreign(&self, finding: &Finding) -> Option<Vec<Remedy>> {
        let node = finding.node_id.as_deref()?;
        let is_known = self.nodes.iter().any(|known| known == node);
        if !is_known {
            return None;
        }
        let (claim, release) = (volume(finding, "claim")?, volume(finding, "release")?);
        Some(vec![remedy(
            "To take it away, claim it there and release the claim; if somebody else put it there, ask him",
            [format!("{claim} --node {}", word(node)), release],
        )])
    }
}

fn remedy(when: &str, commands: impl IntoIterator<Item = String>) -> Remedy {
    Remedy {
        when: when.to_owned(),
        commands: commands.into_iter().collect(),
    }
}

/// A command about the finding's volume: `saddlebag volume delete pgdata`.
fn volume(finding: &Finding, verb: &str) -> Option<String> {
    let id = word(finding.volume_id.as_deref()?);
    let namespace = match finding.namespace.as_deref() {
        None | Some("default") => String::new(),
        Some(namespace) => format!(" --namespace {}", word(namespace)),
    };
    Some(format!("saddlebag volume {verb}{namespace} {id}"))
}

/// The command that registers what the driver has, under the driver's own name for it.
fn register(plugin: &str, external_id: &str) -> String {
    let specification = json!({
        "id": external_id,
        "plugin_id": plugin,
        "external_id": external_id,
        "capability": [{"access_mode": "single-node-writer", "attachment_mode": "file-system"}],
    });
    format!(
        "echo {} | saddlebag volume register -",
        word(&specification.to_string())
    )
}

fn unregistered(finding: &Finding) -> Option<Vec<Remedy>> {
    let external_id = finding.external_id.as_deref()?;
    let register = register(&finding.plugin_id, external_id);
    let delete = format!("saddlebag volume delete {}", word(external_id));
    Some(vec![
        remedy(
            "To use it, register it, with the id and the modes that you want",
            [register.clone()],
        ),
        remedy(
            "To destroy it and its data, if it is nobody else's",
            [register, delete],
        ),
    ])
}

fn missing(finding: &Finding) -> Option<Vec<Remedy>> {
    Some(vec![remedy(
        "Look for it at the storage; if it is gone for good, forget it",
        [volume(finding, "deregister")?],
    )])
}

fn abandoned_create(finding: &Finding) -> Option<Vec<Remedy>> {
    let plugin = word(&finding.plugin_id);
    let operation = finding.operation_id.as_deref()?;
    Some(vec![remedy(
        "Look for its name at the storage; what you find can be registered, and then used or deleted",
        [
            format!("saddlebag operation status {operation}"),
            format!("saddlebag volume list --external --plugin {plugin}"),
        ],
    )])
}

fn abandoned_delete(finding: &Finding) -> Option<Vec<Remedy>> {
    Some(vec![
        remedy("To destroy it", [volume(finding, "delete")?]),
        remedy(
            "To keep it, see that its data is whole, and register it again from its file",
            ["saddlebag volume register FILE".to_owned()],
        ),
    ])
}

fn stuck_operation(finding: &Finding) -> Option<Vec<Remedy>> {
    let id = finding.operation_id.as_deref()?;
    Some(vec![
        remedy(
            "Repair what is wrong, and try it now",
            [format!("saddlebag operation retry {id}")],
        ),
        remedy(
            "Give it up, if its storage is gone for good",
            [format!("saddlebag operation abandon --reason 'why' {id}")],
        ),
    ])
}

fn stuck_claim(finding: &Finding) -> Option<Vec<Remedy>> {
    let (retry, release) = (volume(finding, "retry")?, volume(finding, "release")?);
    let allocation = finding.allocation_id.as_deref()?;
    let node = word(finding.node_id.as_deref()?);
    Some(vec![
        remedy("Repair what is wrong, and try it now", [retry]),
        remedy(
            "Give it back, if nobody needs it any more",
            [format!("{release} {allocation}")],
        ),
        remedy(
            "If its host is gone for good",
            [format!(
                "saddlebag node fence --reason 'how you know' {node}"
            )],
        ),
    ])
}

fn stuck_expansion(finding: &Finding) -> Option<Vec<Remedy>> {
    Some(vec![remedy(
        "Repair what is wrong, and try it now; else it is tried when the volume is next staged there",
        [volume(finding, "retry")?],
    )])
}

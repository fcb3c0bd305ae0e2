//! What requests are about: what is there for reads, and what a run makes for itself and takes away again.
//!
//! - Everything that a run makes has a name that begins with [`Stage::prefix`], which no other run has.
//!   Without leave to write nothing is made, and changes are about names that nothing has.
//! - [`Stage::fill`] gives the `{{placeholders}}` of a trial their values, [`Stage::prepare`] makes what they
//!   need, [`Stage::after`] keeps up with what an answer changed.
//! - [`sweep`](super::sweep) finds what is left by its name: it does not matter how a run ended.

use super::made::{Kind, Made};
use super::probe::{Answer, Probe};
use super::trial::Trial;
use crate::cli::failure::Failure;
use axum::http::StatusCode;
use saddlebag_client::operations::Operation;
use serde_json::{Value, json};
use uuid::Uuid;

/// What the trials of one run are about.
pub struct Stage {
    /// What the name of everything that this run makes begins with.
    pub prefix: String,
    /// Whether it may make things.
    pub write: bool,
    /// Where volumes are made and looked for.
    pub namespace: String,
    /// The plugin that is asked, if there is one.
    pub plugin: Option<String>,
    /// A node, if there is one.
    pub node: Option<String>,
    /// A volume and an operation that are there already, for reads.
    pub there: Vec<(&'static str, String)>,
    pub(super) made: Made,
    number: usize,
}

impl Stage {
    /// Looks around on the server, and makes a namespace if it may and can.
    ///
    /// # Errors
    /// No server answers.
    pub async fn set(probe: &mut Probe, write: bool, namespace: &str) -> Result<Self, Failure> {
        let id = Uuid::new_v4().simple().to_string();
        let mut stage = Self {
            prefix: format!("saddlebag-verify-{}", &id[..8]),
            write,
            namespace: namespace.to_owned(),
            plugin: None,
            node: None,
            there: Vec::new(),
            made: Made::default(),
            number: 0,
        };
        let query = [("type", "csi")];
        let plugins = probe
            .call(Operation::ListPlugins, &[], &query, None)
            .await?
            .unwrap_or_default();
        stage.plugin = plugins.as_array().and_then(|plugins| {
            let healthy = |plugin: &&Value| plugin["ControllersHealthy"].as_u64() > Some(0);
            let best = plugins.iter().find(healthy).or(plugins.first())?;
            Some(best["ID"].as_str()?.to_owned())
        });
        let nodes = probe
            .call(Operation::ListNodes, &[], &[], None)
            .await?
            .unwrap_or_default();
        stage.node = nodes[0]["ID"].as_str().map(str::to_owned);
        if write {
            let own = stage.prefix.clone();
            let body = json!({ "Name": own, "Description": "made by saddlebag verify" });
            let path = [("namespace_name", own.as_str())];
            if probe
                .call(Operation::ApplyNamespace, &path, &[], Some(body))
                .await?
                .is_some()
            {
                stage.namespace = own;
            } else {
                "default".clone_into(&mut stage.namespace);
            }
        }
        let query = [("type", "csi"), ("namespace", stage.namespace.as_str())];
        let volumes = probe
            .call(Operation::ListVolumes, &[], &query, None)
            .await?
            .unwrap_or_default();
        let operations = probe
            .call(Operation::ListOperations, &[], &[], None)
            .await?
            .unwrap_or_default();
        let found = [
            ("{{volume}}", &volumes[0]["ID"]),
            ("{{operation}}", &operations[0]["ID"]),
        ];
        let found = found
            .into_iter()
            .filter_map(|(name, id)| Some((name, id.as_str()?.to_owned())));
        stage.there = found.collect();
        Ok(stage)
    }

    /// The trial with every placeholder filled in; a name of ours that nothing has where there is nothing.
    pub fn fill(&mut self, operation: Operation, trial: &Trial) -> Trial {
        self.number += 1;
        let fresh = format!("{}-{}", self.prefix, self.number);
        let uuid = Uuid::new_v4().to_string();
        let there = |name: &str| {
            let found = self.there.iter().find(|(it, _)| *it == name);
            found
                .filter(|_| operation.method() == "GET")
                .map(|(_, id)| id.as_str())
        };
        // Without leave to write, a change is about nothing that is there.
        let may_name = self.write || operation.method() == "GET";
        let known = |id: &Option<String>| id.clone().filter(|_| may_name);
        let (plugin, node) = (known(&self.plugin), known(&self.node));
        let volume = self
            .made
            .id(Kind::Volume)
            .or(there("{{volume}}"))
            .unwrap_or(&fresh);
        let values = [
            ("{{uuid}}", uuid.as_str()),
            ("{{namespace}}", &self.namespace),
            ("{{plugin}}", plugin.as_deref().unwrap_or(&fresh)),
            ("{{node}}", node.as_deref().unwrap_or(&uuid)),
            ("{{operation}}", there("{{operation}}").unwrap_or(&uuid)),
            ("{{volume}}", volume),
            (
                "{{external}}",
                self.made.id(Kind::External).unwrap_or(&fresh),
            ),
            ("{{claimed}}", self.made.id(Kind::Claimed).unwrap_or(volume)),
            ("{{claim}}", self.made.id(Kind::Claim).unwrap_or(&uuid)),
            (
                "{{snapshot}}",
                self.made.id(Kind::Snapshot).unwrap_or(&fresh),
            ),
            ("{{token}}", self.made.id(Kind::Token).unwrap_or(&uuid)),
            ("{{role}}", self.made.id(Kind::Role).unwrap_or(&uuid)),
            (
                "{{role name}}",
                self.made.id(Kind::RoleName).unwrap_or(&fresh),
            ),
            ("{{policy}}", self.made.id(Kind::Policy).unwrap_or(&fresh)),
            (
                "{{spare namespace}}",
                self.made.id(Kind::Namespace).unwrap_or(&fresh),
            ),
            ("{{fresh}}", &fresh),
        ];
        trial.filled(|text| {
            let fill = |text: String, (name, value): &(&str, &str)| text.replace(name, value);
            values.iter().fold(text.to_owned(), fill)
        })
    }

    /// Makes what the placeholders of a trial need, as far as it may and the server lets it.
    ///
    /// # Errors
    /// No server answers any more.
    pub async fn prepare(
        &mut self,
        probe: &mut Probe,
        operation: Operation,
        trial: &Trial,
    ) -> Result<(), Failure> {
        if !self.write {
            return Ok(());
        }
        if operation == Operation::ClaimVolume {
            // A claim that is held would refuse every other.
            self.release(probe).await?;
        }
        for kind in Kind::ALL {
            if trial.mentions(kind.placeholder()) && !self.made.was_tried(kind) {
                self.make(probe, kind).await?;
            }
        }
        Ok(())
    }

    /// The answer that tells how a change ended: of one that goes on after its answer, that of the same request
    /// with more patience.
    ///
    /// # Errors
    /// No server answers any more.
    pub async fn outcome(
        &self,
        probe: &mut Probe,
        operation: Operation,
        trial: &Trial,
        answer: Answer,
    ) -> Result<Answer, Failure> {
        if operation.method() == "GET" || answer.status != StatusCode::GATEWAY_TIMEOUT {
            return Ok(answer);
        }
        let patient = trial.with("query", "wait", "until it is over", Some("2m"));
        Ok(probe.ask(operation, &patient).await?.unwrap_or(answer))
    }

    /// Sees to what an answer changed: what is gone is to be made again, and what is new is taken away.
    ///
    /// # Errors
    /// No server answers any more.
    pub async fn after(
        &mut self,
        probe: &mut Probe,
        operation: Operation,
        trial: &Trial,
        answer: &Answer,
    ) -> Result<(), Failure> {
        use Operation::*;
        // Who asks again after a deletion went on is told that there is nothing any more.
        let is_gone = matches!(operation, DeleteVolume | DeleteSnapshot)
            && answer.status == StatusCode::NOT_FOUND;
        if !self.write || !(answer.status.is_success() || is_gone) {
            return Ok(());
        }
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match operation {
            DeregisterVolume => {
                let ours = self.made.id(Kind::Volume).map(str::to_owned);
                let is_asked = |id: &str| trial.path.iter().any(|(_, value)| value == id);
                if let (Some(id), Some(external)) = (ours, self.made.external.clone())
                    && is_asked(&id)
                {
                    self.adopt(probe, &id, &external).await?;
                }
            }
            DeleteVolume | ReleaseClaim | DeleteSnapshot | DeleteToken | DeleteRole
            | DeletePolicy | DeleteNamespace => {
                let ids = trial
                    .path
                    .iter()
                    .chain(&trial.query)
                    .map(|(_, value)| value);
                ids.for_each(|id| self.made.forget(id));
            }
            CreateVolume | RegisterVolume | RegisterVolumes | RegisterVolumesByPost => {
                for volume in said["Volumes"].as_array().into_iter().flatten() {
                    let (id, namespace) = (text(&volume["ID"]), text(&volume["Namespace"]));
                    let undo = match operation {
                        CreateVolume => DeleteVolume,
                        _ => DeregisterVolume,
                    };
                    let query = [("namespace", namespace.as_str())];
                    probe
                        .call(undo, &[("volume_id", &id)], &query, None)
                        .await?;
                }
            }
            ClaimVolume => {
                let (volume, id) = (text(&said["VolumeID"]), text(&said["AllocationID"]));
                let namespace = text(&said["Namespace"]);
                let path = [("volume_id", volume.as_str()), ("alloc_id", &id)];
                probe
                    .call(ReleaseClaim, &path, &[("namespace", &namespace)], None)
                    .await?;
            }
            CreateSnapshots | CreateSnapshotsByPost | CreateSnapshotOf | SnapshotVolume => {
                for snapshot in said["Snapshots"].as_array().into_iter().flatten() {
                    let (plugin, id) = (text(&snapshot["PluginID"]), text(&snapshot["ID"]));
                    let query = [("plugin_id", plugin.as_str()), ("snapshot_id", &id)];
                    probe.call(DeleteSnapshot, &[], &query, None).await?;
                }
            }
            CreateToken | CreateTokenByPost => {
                let id = text(&said["AccessorID"]);
                probe
                    .call(DeleteToken, &[("accessor_id", &id)], &[], None)
                    .await?;
            }
            CreateRole | CreateRoleByPost => {
                let id = text(&said["ID"]);
                probe
                    .call(DeleteRole, &[("role_id", &id)], &[], None)
                    .await?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Probe {
    /// Asks for something by itself, and judges the answer as any other; what it said, if it was done.
    ///
    /// # Errors
    /// No server answers any more.
    pub(super) async fn call(
        &mut self,
        operation: Operation,
        path: &[(&str, &str)],
        query: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<Option<Value>, Failure> {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            pairs.collect()
        };
        let trial = Trial {
            name: "to set the stage".to_owned(),
            path: owned(path),
            query: owned(query),
            headers: vec![("Accept".to_owned(), "application/json".to_owned())],
            body: body.map(|body| body.to_string()),
        };
        let answer = self.ask(operation, &trial).await?;
        let done = answer.filter(|answer| answer.status.is_success());
        Ok(done.map(|answer| serde_json::from_slice(&answer.body).unwrap_or_default()))
    }
}

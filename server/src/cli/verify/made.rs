//! The things that a run makes for its requests to be about: one of each kind at a time.

use super::probe::Probe;
use super::stage::Stage;
use crate::cli::failure::Failure;
use saddlebag_client::operations::Operation;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A volume that nobody uses.
    Volume,
    /// What the driver calls a volume that nobody registered.
    External,
    /// A volume that is claimed now and then.
    Claimed,
    /// A claim of it.
    Claim,
    Snapshot,
    Policy,
    Token,
    /// A role, by its id.
    Role,
    /// The same role, by its name.
    RoleName,
    /// A namespace beside the one that volumes are made in.
    Namespace,
}

impl Kind {
    /// Every kind, those before that others need.
    pub const ALL: [Kind; 10] = [
        Kind::Volume,
        Kind::External,
        Kind::Claimed,
        Kind::Claim,
        Kind::Snapshot,
        Kind::Policy,
        Kind::Token,
        Kind::Role,
        Kind::RoleName,
        Kind::Namespace,
    ];

    /// What stands for its id in a trial.
    pub fn placeholder(self) -> &'static str {
        match self {
            Kind::Volume => "{{volume}}",
            Kind::External => "{{external}}",
            Kind::Claimed => "{{claimed}}",
            Kind::Claim => "{{claim}}",
            Kind::Snapshot => "{{snapshot}}",
            Kind::Policy => "{{policy}}",
            Kind::Token => "{{token}}",
            Kind::Role => "{{role}}",
            Kind::RoleName => "{{role name}}",
            Kind::Namespace => "{{spare namespace}}",
        }
    }
}

/// What is made, by kind; `None` is what could not be.
#[derive(Debug, Default)]
pub(super) struct Made {
    things: BTreeMap<Kind, Option<String>>,
    /// What the driver calls the volume that nobody uses.
    pub external: Option<String>,
}

impl Made {
    /// The id of what was made.
    pub fn id(&self, kind: Kind) -> Option<&str> {
        self.things.get(&kind)?.as_deref()
    }

    /// Whether it is made, or cannot be.
    pub fn was_tried(&self, kind: Kind) -> bool {
        self.things.contains_key(&kind)
    }

    /// What has this id is gone, and is to be made again when it is needed.
    pub fn forget(&mut self, id: &str) {
        self.things.retain(|_, thing| thing.as_deref() != Some(id));
        // A role is known by both, and gone with either.
        if !(self.was_tried(Kind::Role) && self.was_tried(Kind::RoleName)) {
            self.things.remove(&Kind::Role);
            self.things.remove(&Kind::RoleName);
        }
    }

    fn keep(&mut self, kind: Kind, id: Option<String>) {
        self.things.insert(kind, id);
    }
}

impl Stage {
    /// Makes a thing of this kind, or learns that it cannot be made.
    ///
    /// # Errors
    /// No server answers any more.
    pub(super) async fn make(&mut self, probe: &mut Probe, kind: Kind) -> Result<(), Failure> {
        use Operation::*;
        let id = format!(
            "{}-{:?}-{}",
            self.prefix,
            kind,
            &Uuid::new_v4().simple().to_string()[..6]
        );
        let id = id.to_lowercase();
        let namespace = self.namespace.clone();
        let within = [("namespace", namespace.as_str())];
        let known = |made: &Made, kind: Kind| made.id(kind).unwrap_or_default().to_owned();
        let made = match kind {
            Kind::Volume | Kind::Claimed => {
                let body = json!({ "Volumes": [self.volume(&id)] });
                let path = [("volume_id", id.as_str())];
                let answer = probe.call(CreateVolume, &path, &within, Some(body)).await?;
                if let (Kind::Volume, Some(said)) = (kind, &answer) {
                    let external = said["Volumes"][0]["ExternalID"].as_str();
                    self.made.external = external.map(str::to_owned);
                }
                answer.map(|_| id)
            }
            Kind::External => {
                let body = json!({ "Volumes": [self.volume(&id)] });
                let path = [("volume_id", id.as_str())];
                let made = probe.call(CreateVolume, &path, &within, Some(body)).await?;
                let made = made.unwrap_or_default();
                let external = made["Volumes"][0]["ExternalID"].as_str();
                if external.is_some() {
                    probe.call(DeregisterVolume, &path, &within, None).await?;
                }
                external.map(str::to_owned)
            }
            Kind::Claim => {
                let (volume, claim) =
                    (known(&self.made, Kind::Claimed), Uuid::new_v4().to_string());
                let body = json!({ "AllocationID": claim, "NodeID": self.node });
                let path = [("volume_id", volume.as_str())];
                probe
                    .call(ClaimVolume, &path, &within, Some(body))
                    .await?
                    .map(|_| claim)
            }
            Kind::Snapshot => {
                let volume = known(&self.made, Kind::Volume);
                let body = json!({ "Snapshots": [{ "SourceVolumeID": volume, "Name": id }] });
                let answer = probe
                    .call(CreateSnapshots, &[], &within, Some(body))
                    .await?;
                answer.and_then(|said| Some(said["Snapshots"][0]["ID"].as_str()?.to_owned()))
            }
            Kind::Policy => {
                let body =
                    json!({ "Name": id, "Rules": "namespace \"default\" { policy = \"read\" }" });
                let path = [("policy_name", id.as_str())];
                probe
                    .call(ApplyPolicy, &path, &[], Some(body))
                    .await?
                    .map(|_| id)
            }
            Kind::Token => {
                let policy = known(&self.made, Kind::Policy);
                let body = json!({ "Name": id, "Type": "client", "Policies": [policy] });
                let answer = probe.call(CreateToken, &[], &[], Some(body)).await?;
                answer.and_then(|said| Some(said["AccessorID"].as_str()?.to_owned()))
            }
            Kind::Role | Kind::RoleName => {
                let policy = known(&self.made, Kind::Policy);
                let body = json!({ "Name": id, "Policies": [{ "Name": policy }] });
                let answer = probe.call(CreateRole, &[], &[], Some(body)).await?;
                let role = answer.and_then(|said| Some(said["ID"].as_str()?.to_owned()));
                self.made.keep(Kind::RoleName, role.as_ref().map(|_| id));
                self.made.keep(Kind::Role, role);
                return Ok(());
            }
            Kind::Namespace => {
                let body = json!({ "Name": id });
                let path = [("namespace_name", id.as_str())];
                probe
                    .call(ApplyNamespace, &path, &[], Some(body))
                    .await?
                    .map(|_| id)
            }
        };
        self.made.keep(kind, made);
        Ok(())
    }

    /// Lets go of the claim that is held.
    ///
    /// # Errors
    /// No server answers any more.
    pub(super) async fn release(&mut self, probe: &mut Probe) -> Result<(), Failure> {
        let (Some(volume), Some(claim)) = (self.made.id(Kind::Claimed), self.made.id(Kind::Claim))
        else {
            return Ok(());
        };
        let (volume, claim) = (volume.to_owned(), claim.to_owned());
        let path = [("volume_id", volume.as_str()), ("alloc_id", &claim)];
        let query = [("namespace", self.namespace.as_str())];
        probe
            .call(Operation::ReleaseClaim, &path, &query, None)
            .await?;
        self.made.forget(&claim);
        Ok(())
    }

    /// Registers what the driver has of us, so that it can be deleted as a volume.
    ///
    /// # Errors
    /// No server answers any more.
    pub(super) async fn adopt(
        &self,
        probe: &mut Probe,
        id: &str,
        external: &str,
    ) -> Result<(), Failure> {
        let mut volume = self.volume(id);
        volume["ExternalID"] = external.into();
        let body = json!({ "Volumes": [volume] });
        let path = [("volume_id", id)];
        let query = [("namespace", self.namespace.as_str())];
        probe
            .call(Operation::RegisterVolume, &path, &query, Some(body))
            .await?;
        Ok(())
    }

    /// What a volume of ours is to be.
    fn volume(&self, id: &str) -> Value {
        json!({
            "ID": id,
            "Name": id,
            "PluginID": self.plugin.as_deref().unwrap_or("none"),
            "RequestedCapabilities": [
                { "AccessMode": "single-node-writer", "AttachmentMode": "file-system" }
            ],
        })
    }
}

//! What a server has on record, and whether that is what its driver has.

use crate::strict_driver::{OnNode, Storage, StrictDriver};
use crate::world::World;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// What a server shows of its volumes, claims and operations.
#[derive(Debug, Default)]
pub struct Records {
    /// Volumes by id, with their ExternalIDs and sizes; 0 for one that was only registered.
    pub volumes: BTreeMap<String, (String, i64)>,
    /// The states and target paths of claims, by volume and AllocationID.
    pub claims: BTreeMap<(String, String), (String, String)>,
    /// Operations under way.
    pub under_way: Vec<Value>,
    /// What the doctor finds, by kind.
    pub findings: Vec<String>,
}

impl Records {
    /// As they are now; `None` if the server is gone.
    pub async fn read(world: &World) -> Option<Self> {
        let mut records = Self::default();
        let operations = ok(world.get("/v1/operations").await?);
        let operations = operations.as_array().unwrap().iter();
        let is_under_way = |operation: &&Value| operation["EndTime"].is_null();
        records.under_way = operations.filter(is_under_way).cloned().collect();
        let volumes = ok(world.get("/v1/volumes?type=csi").await?);
        for stub in volumes.as_array().unwrap() {
            let id = text(&stub["ID"]);
            let volume = match world.get(&format!("/v1/volume/csi/{id}")).await? {
                (404, _) => continue, // deleted meanwhile
                answered => ok(answered),
            };
            let size = volume["Capacity"].as_i64().unwrap();
            let external = text(&volume["ExternalID"]);
            records.volumes.insert(id.clone(), (external, size));
            let claims = match world.get(&format!("/v1/volume/csi/{id}/claims")).await? {
                (404, _) => continue,
                answered => ok(answered),
            };
            for claim in claims.as_array().unwrap() {
                let key = (id.clone(), text(&claim["AllocationID"]));
                let state = (text(&claim["State"]), text(&claim["TargetPath"]));
                records.claims.insert(key, state);
            }
        }
        let diagnosis = ok(world.get("/v1/doctor").await?);
        let findings = diagnosis["Findings"].as_array().unwrap().iter();
        records.findings = findings.map(|finding| text(&finding["Kind"])).collect();
        records.findings.sort();
        Some(records)
    }

    /// Whether nothing is under way, and the driver has what is recorded and no more but `left` volumes.
    pub fn agree_with(&self, storage: &Storage, left: usize) -> Result<(), String> {
        expect("operations under way", &self.under_way, &Vec::new())?;
        let recorded = self.volumes.values();
        let recorded: BTreeSet<&String> = recorded.map(|(external, _)| external).collect();
        let at_driver: BTreeSet<&String> = storage.disks.keys().collect();
        let unknown = at_driver.difference(&recorded).count();
        expect("volumes that only the driver knows", &unknown, &left)?;
        let missing: Vec<_> = recorded.difference(&at_driver).collect();
        expect(
            "volumes that the driver does not know",
            &missing,
            &Vec::new(),
        )?;
        for (external, size) in self.volumes.values().filter(|(_, size)| *size > 0) {
            expect("the size of a volume", size, &storage.disks[external].bytes)?;
        }
        let mut published: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for ((volume, allocation), (state, path)) in &self.claims {
            match state.as_str() {
                "published" => {
                    let (external, _) = &self.volumes[volume];
                    published.entry(external).or_default().insert(path);
                }
                "gone" => {}
                _ => return Err(format!("the claim of {volume} by {allocation} is {state}")),
            }
        }
        let node = StrictDriver::node_id(0);
        for (id, disk) in &storage.disks {
            let should = published.get(id.as_str()).cloned().unwrap_or_default();
            let is_used = !should.is_empty();
            let is_attached = disk.published.contains_key(&node);
            expect("whether a volume is attached", &is_attached, &is_used)?;
            let here = disk.nodes.get(&node).cloned().unwrap_or_default();
            let OnNode { staged, targets } = here;
            expect("whether a volume is staged", &staged.is_some(), &is_used)?;
            let targets: BTreeSet<&str> = targets.keys().map(String::as_str).collect();
            expect("where a volume is published", &targets, &should)?;
        }
        Ok(())
    }
}

/// An error that says what is otherwise than it should be.
pub fn expect<T: PartialEq + Debug>(what: &str, is: &T, should: &T) -> Result<(), String> {
    match is == should {
        true => Ok(()),
        false => Err(format!("{what}: {is:?} instead of {should:?}")),
    }
}

fn ok((status, answer): (u16, Value)) -> Value {
    assert_eq!(status, 200, "{answer}");
    answer
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

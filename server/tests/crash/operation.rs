//! The operations that are interrupted: what is there before, the request, and what has to be there
//! after.

use crate::points::{Passing, is_of_a_change, is_of_work};
use crate::records::{Records, expect};
use crate::strict_driver::{Fault, StrictDriver};
use crate::world::{Answered, PATIENCE, World, allocation, claim, volume};
use saddlebag::csi::Call;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tonic::Code;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Create,
    CreateFromSnapshot,
    Expand,
    ExpandClaimed,
    Snapshot,
    DeleteSnapshot,
    Delete,
    Register,
    Deregister,
    Claim,
    ClaimBlock,
    ClaimSecond,
    Release,
    ReleaseLast,
    Detach,
    Fence,
    FenceFalsely,
    Abandon,
    Start,
}

impl Operation {
    pub const ALL: [Self; 19] = [
        Self::Create,
        Self::CreateFromSnapshot,
        Self::Expand,
        Self::ExpandClaimed,
        Self::Snapshot,
        Self::DeleteSnapshot,
        Self::Delete,
        Self::Register,
        Self::Deregister,
        Self::Claim,
        Self::ClaimBlock,
        Self::ClaimSecond,
        Self::Release,
        Self::ReleaseLast,
        Self::Detach,
        Self::Fence,
        Self::FenceFalsely,
        Self::Abandon,
        Self::Start,
    ];

    /// Which points count as its own.
    pub fn counts(self) -> fn(&str) -> bool {
        match self {
            Self::Start => is_of_work,
            _ => is_of_a_change,
        }
    }

    /// Whether it passes this whatever goes on side by side, and before it is done.
    pub fn is_sure_of(self, at: &Passing) -> bool {
        // What a fence passed over is asked of a dead node again and again, once the volume is free.
        let goes_on = at.point.contains(" NodeUn") || at.point.ends_with(" commit attachment");
        self != Self::Fence || !goes_on || (at.point.contains("commit") && at.nth < 2)
    }

    /// How many of the calls that it makes, from the first, are interrupted while the driver does them.
    pub fn calls(self, passed: &[Passing]) -> usize {
        let is_call = |at: &&Passing| {
            let mut calls = CHANGING.iter();
            calls.any(|call| at.point == format!("before {call}"))
        };
        match self {
            // They begin with faults of their own, or with what another does, too.
            Self::Detach | Self::Abandon | Self::Start | Self::Fence => 0,
            Self::ClaimBlock | Self::ClaimSecond | Self::Release => 0,
            _ => passed.iter().filter(is_call).count(),
        }
    }

    /// What is there before.
    pub async fn prepare(self, world: &mut World) -> Request {
        let here = || world.create("v", json!({}));
        match self {
            Self::Create => Request::of("PUT", "/v1/volume/csi/v/create", volume("v", json!({}))),
            Self::CreateFromSnapshot => {
                here().await;
                let taken = world.done("PUT", SNAPSHOT, Some(&snapshot())).await;
                let of_it = json!({"SnapshotID": taken["Snapshots"][0]["ID"]});
                Request::of("PUT", "/v1/volume/csi/w/create", volume("w", of_it))
            }
            Self::Expand => {
                here().await;
                Request::of("PUT", "/v1/volume/csi/v/create", volume("v", larger()))
            }
            Self::ExpandClaimed => {
                here().await;
                world.claim("v", "a").await;
                Request::of("PUT", "/v1/volume/csi/v/create", volume("v", larger()))
            }
            Self::Snapshot => {
                here().await;
                Request::of("PUT", SNAPSHOT, snapshot())
            }
            Self::DeleteSnapshot => {
                here().await;
                let taken = world.done("PUT", SNAPSHOT, Some(&snapshot())).await;
                let id = taken["Snapshots"][0]["ID"].as_str().unwrap();
                let path = format!("{SNAPSHOT}?plugin_id=disk&snapshot_id={id}");
                Request::without_body("DELETE", path)
            }
            Self::Delete => {
                here().await;
                Request::without_body("DELETE", "/v1/volume/csi/v/delete")
            }
            Self::Register => {
                let external = here().await;
                world.done("DELETE", VOLUME, None).await;
                let again = volume("v", json!({"ExternalID": external}));
                Request::of("PUT", VOLUME, again)
            }
            Self::Deregister => {
                here().await;
                Request::without_body("DELETE", VOLUME)
            }
            Self::Claim => {
                here().await;
                Request::of("PUT", CLAIM, claim("a", "file-system"))
            }
            Self::ClaimBlock => {
                here().await;
                Request::of("PUT", CLAIM, claim("a", "block-device"))
            }
            Self::ClaimSecond => {
                here().await;
                world.claim("v", "a").await;
                Request::of("PUT", CLAIM, claim("b", "file-system"))
            }
            Self::Release => {
                here().await;
                world.claim("v", "a").await;
                world.claim("v", "b").await;
                Request::without_body("DELETE", claim_of("a"))
            }
            Self::ReleaseLast => {
                here().await;
                world.claim("v", "a").await;
                Request::without_body("DELETE", claim_of("a"))
            }
            Self::Detach => {
                here().await;
                world.claim("v", "a").await;
                release_that_fails(world).await;
                let node = world.node().await;
                let path = format!("/v1/volume/csi/v/detach?node={node}");
                Request::without_body("DELETE", path)
            }
            Self::Fence | Self::FenceFalsely => {
                here().await;
                world.claim("v", "a").await;
                let node = world.node().await;
                match self {
                    Self::Fence => world.driver.power_off(0),
                    _ => world.driver.vouch(0),
                }
                let path = format!("/v1/node/{node}/fence?reason=scrapped");
                Request::without_body("PUT", path)
            }
            Self::Abandon => {
                let id = create_that_fails(world).await;
                let path = format!("/v1/operation/{id}?reason=scrapped");
                Request::without_body("DELETE", path)
            }
            Self::Start => {
                here().await;
                world.claim("v", "a").await;
                world.stop().await;
                Request::without_body("GET", VOLUME)
            }
        }
    }

    /// Whether this answer says that the request was obeyed before.
    pub fn is_done_by(self, status: u16) -> bool {
        match self {
            Self::Delete | Self::Deregister => status == 404,
            Self::Abandon => status == 409,
            _ => false,
        }
    }

    /// Whether everything is as it should be in the end, and at rest.
    pub fn is_done(self, records: &Records, driver: &StrictDriver) -> Result<(), String> {
        let left = usize::from(matches!(self, Self::Deregister | Self::Abandon));
        records.agree_with(&driver.storage(), left)?;
        let found: Vec<&str> = records.findings.iter().map(String::as_str).collect();
        let findings: &[&str] = match self {
            Self::Deregister => &["unregistered-volume"],
            Self::Abandon => &["abandoned-create", "unregistered-volume"],
            _ => &[],
        };
        expect("what the doctor finds", &found.as_slice(), &findings)?;
        let volumes: Vec<&str> = records.volumes.keys().map(String::as_str).collect();
        let should: &[&str] = match self {
            Self::Delete | Self::Deregister | Self::Abandon => &[],
            Self::CreateFromSnapshot => &["v", "w"],
            _ => &["v"],
        };
        expect("volumes", &volumes.as_slice(), &should)?;
        let claims = records.claims.iter();
        let claims = claims.map(|((_, by), (state, _))| (by.clone(), state.as_str()));
        let should: &[(&str, &str)] = match self {
            Self::Claim | Self::ClaimBlock | Self::ExpandClaimed | Self::Start => {
                &[("a", "published")]
            }
            Self::ClaimSecond => &[("a", "published"), ("b", "published")],
            Self::Release => &[("a", "gone"), ("b", "published")],
            Self::ReleaseLast | Self::Detach | Self::Fence | Self::FenceFalsely => &[("a", "gone")],
            _ => &[],
        };
        let should = should
            .iter()
            .map(|(name, state)| (allocation(name), *state));
        let should: BTreeMap<String, &str> = should.collect();
        expect("claims", &claims.collect(), &should)?;
        let snapshots = match self {
            Self::Snapshot | Self::CreateFromSnapshot => 1,
            _ => 0,
        };
        expect("snapshots", &driver.storage().snapshots.len(), &snapshots)?;
        if matches!(self, Self::Expand | Self::ExpandClaimed) {
            let size = records.volumes["v"].1;
            expect("the size", &size, &LARGER)?;
        }
        let growths = driver.count(Call::NodeExpandVolume);
        expect(
            "whether a node grew it",
            &(growths > 0),
            &(self == Self::ExpandClaimed),
        )?;
        Ok(())
    }
}

/// What a client asks for.
pub struct Request {
    method: &'static str,
    path: String,
    body: Option<Value>,
}

impl Request {
    fn of(method: &'static str, path: impl Into<String>, body: Value) -> Self {
        let body = Some(body);
        Self {
            body,
            ..Self::without_body(method, path)
        }
    }

    fn without_body(method: &'static str, path: impl Into<String>) -> Self {
        let (path, body) = (path.into(), None);
        Self { method, path, body }
    }

    /// Sends it once.
    pub async fn send(&self, world: &World) -> Answered {
        world.ask(self.method, &self.path, self.body.as_ref()).await
    }
}

/// What an answer says that has to stay so: the id or path that was given out.
pub fn given_out(answer: &Value) -> Option<&Value> {
    let places = [
        "/Volumes/0/ExternalID",
        "/Snapshots/0/SnapshotID",
        "/Snapshots/0/ID",
        "/TargetPath",
    ];
    places.iter().find_map(|place| answer.pointer(place))
}

/// The calls in the middle of which a driver can be.
const CHANGING: [Call; 12] = [
    Call::CreateVolume,
    Call::DeleteVolume,
    Call::CreateSnapshot,
    Call::DeleteSnapshot,
    Call::ControllerExpandVolume,
    Call::ControllerPublishVolume,
    Call::ControllerUnpublishVolume,
    Call::NodeStageVolume,
    Call::NodeUnstageVolume,
    Call::NodePublishVolume,
    Call::NodeUnpublishVolume,
    Call::NodeExpandVolume,
];
const VOLUME: &str = "/v1/volume/csi/v";
const CLAIM: &str = "/v1/volume/csi/v/claim";
const SNAPSHOT: &str = "/v1/volumes/snapshot";
const LARGER: i64 = 2 << 20;
/// More tries than there are.
const MANY: usize = 100;

fn snapshot() -> Value {
    json!({"Snapshots": [{"SourceVolumeID": "v", "PluginID": "disk", "Name": "nightly"}]})
}

fn larger() -> Value {
    json!({"RequestedCapacityMin": LARGER, "MountOptions": {"FSType": ""}})
}

fn claim_of(name: &str) -> String {
    format!("{CLAIM}/{}", allocation(name))
}

/// A release that the driver does not do at first.
async fn release_that_fails(world: &World) {
    world.driver.fail_next(Fault::Before(Code::Unavailable));
    let path = format!("{}?wait=0s", claim_of("a"));
    world.done("DELETE", &path, None).await;
    until(world, &claim_of("a"), |claim| !claim["LastError"].is_null()).await;
}

/// A create that the driver does, and always says that it did not; the operation's id.
async fn create_that_fails(world: &World) -> String {
    let made = Fault::After(Code::Unavailable);
    (0..MANY).for_each(|_| world.driver.fail_next(made));
    let path = "/v1/volume/csi/v/create?wait=0s";
    let body = volume("v", json!({}));
    let (status, answer) = world.ask("PUT", path, Some(&body)).await.unwrap();
    assert!(status >= 500, "{answer}");
    let operations = "/v1/operations?volume_id=v";
    let found = until(world, operations, |found| !found[0]["LastError"].is_null()).await;
    found[0]["ID"].as_str().unwrap().to_owned()
}

async fn until(world: &World, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = world.done("GET", path, None).await;
        if is_so(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "{path}: {answer}");
        // Not each of these paths blocks, and the process may be killed while one does.
        sleep(Duration::from_millis(5)).await;
    }
}

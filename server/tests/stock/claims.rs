//! The life of claims on a stock driver, seen from between: a proxy keeps every call and knows CSI's order.

use crate::recording_proxy::{Proxy, Record};
use crate::rig::{Driver, create, delete, mocked, plugin};
use crate::server::{self, PATIENCE, TestServer, refusal};
use saddlebag::csi::Call;
use saddlebag_client::{Error, types};
use serde_json::json;
use tonic::Code;
use uuid::Uuid;

const GIB: i64 = 1 << 30;

/// What brings a volume to its first user, and what takes it from its last.
const UP: [Call; 3] = [
    Call::ControllerPublishVolume,
    Call::NodeStageVolume,
    Call::NodePublishVolume,
];
const DOWN: [Call; 3] = [
    Call::NodeUnpublishVolume,
    Call::NodeUnstageVolume,
    Call::ControllerUnpublishVolume,
];

/// A driver behind proxies, and a server that has it as plugin `mock`.
struct Watched {
    server: TestServer,
    record: Record,
    _proxies: Vec<Proxy>,
    _driver: Driver,
}

impl Watched {
    async fn start(driver: Driver) -> Self {
        let record = Record::default();
        let proxies: Vec<Proxy> = driver
            .sockets()
            .into_iter()
            .map(|socket| Proxy::before(socket, &record))
            .collect();
        let plugins = match proxies.as_slice() {
            [both] => vec![proxied("", both)],
            [controller, node] => vec![
                proxied("type=controller,", controller),
                proxied("type=node,", node),
            ],
            _ => panic!("a driver has one socket or two"),
        };
        let server = TestServer::start_with(|config| config.plugins = plugins).await;
        Self {
            server,
            record,
            _proxies: proxies,
            _driver: driver,
        }
    }

    async fn claim(&self, volume: &str, name: &str) -> Result<types::Claim, Error<types::Error>> {
        let body = json!({"AllocationID": allocation(name)});
        let body: types::ClaimRequest = serde_json::from_value(body).unwrap();
        let claim = self.server.client.claim_volume().volume_id(volume);
        Ok(claim.wait(PATIENCE).body(body).send().await?.into_inner())
    }

    /// Claims a volume, and finds it published.
    async fn claimed(&self, volume: &str, name: &str) -> types::Claim {
        let claim = self.claim(volume, name).await.unwrap();
        assert_eq!(claim.state, "published");
        assert!(std::path::Path::new(&claim.target_path).is_dir());
        claim
    }

    async fn release(&self, volume: &str, name: &str) {
        let release = self.server.client.release_claim().volume_id(volume);
        let release = release.alloc_id(allocation(name)).wait(PATIENCE);
        assert_eq!(release.send().await.unwrap().state, "gone");
    }

    /// What the driver did since this was asked last.
    fn done(&self) -> Vec<Call> {
        self.record.in_order();
        let done = self.record.done();
        self.record.forget();
        done
    }

    /// Waits until nothing is attached any more.
    async fn all_detached(&self) {
        let is_detached = |state: &saddlebag::state::State| state.attachments().count() == 0;
        self.server.until("all to be detached", is_detached).await;
    }
}

fn proxied(kind: &str, proxy: &Proxy) -> saddlebag::config::PluginConfig {
    let socket = proxy.socket();
    plugin(&format!(
        "id=mock,{kind}endpoint=unix://{}",
        socket.display()
    ))
}

fn allocation(name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

/// The driver answers the next calls at these moments with these codes.
fn hooks(codes: &[(&str, &[u32])]) -> String {
    let globals: Vec<String> = codes
        .iter()
        .map(|(moment, codes)| format!("var {moment} = {codes:?};"))
        .collect();
    let scripts = codes
        .iter()
        .map(|(moment, _)| format!("{moment}: '{moment}.length ? {moment}.shift() : OK'\n"));
    format!(
        "globals: '{}'\n{}",
        globals.concat(),
        scripts.collect::<String>()
    )
}

/// From creation to deletion, with two users at once, a growth and a snapshot in between.
async fn lives_in_the_order_of_csi(driver: Driver, node_expands: bool) {
    let watched = Watched::start(driver).await;
    create(&watched.server, "db").await;
    assert_eq!(watched.done(), [Call::CreateVolume]);

    let first = watched.claimed("db", "first").await;
    assert_eq!(watched.done(), UP);
    watched.claimed("db", "second").await;
    assert_eq!(watched.done(), [Call::NodePublishVolume]);

    let mut larger = mocked("db");
    larger.requested_capacity_min = Some(GIB);
    larger.mount_options = serde_json::from_value(json!({})).unwrap();
    let grown = server::create(&watched.server.client, larger)
        .await
        .unwrap();
    assert_eq!(grown.volumes[0].capacity, GIB);
    let is_grown = |state: &saddlebag::state::State| {
        let mut attachments = state.attachments();
        attachments.all(|stored| stored.row.expansion.is_none())
    };
    watched.server.until("the node to grow it", is_grown).await;
    let mut growth = vec![Call::ControllerExpandVolume];
    growth.extend(node_expands.then_some(Call::NodeExpandVolume));
    assert_eq!(watched.done(), growth);

    let snapshot = types::SnapshotRequest::builder()
        .source_volume_id("db".to_owned())
        .name("while claimed".to_owned());
    let snapshots = watched.server.client.create_snapshots();
    snapshots
        .body_map(|body| body.snapshots(vec![snapshot.try_into().unwrap()]))
        .send()
        .await
        .unwrap();
    assert_eq!(watched.done(), [Call::CreateSnapshot]);

    let deletion = watched.server.client.delete_volume().volume_id("db");
    assert_eq!(refusal(deletion.send().await).0, 409);
    watched.release("db", "first").await;
    assert_eq!(watched.done(), [Call::NodeUnpublishVolume]);
    assert!(!std::path::Path::new(&first.target_path).exists());
    watched.release("db", "second").await;
    assert_eq!(watched.done(), DOWN);
    delete(&watched.server, "db").await;
    assert_eq!(watched.done(), [Call::DeleteVolume]);
    watched.record.at_rest();
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_claimed_volume_lives_in_the_order_of_csi() {
    let driver = Driver::start(&["-attach-limit=7", "-node-expand-required"]);
    lives_in_the_order_of_csi(driver, true).await;
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_claimed_volume_of_a_driver_on_two_sockets_lives_in_the_order_of_csi() {
    lives_in_the_order_of_csi(Driver::start_split(), false).await;
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_node_gets_no_more_volumes_than_its_driver_says() {
    let watched = Watched::start(Driver::start(&["-attach-limit=1"])).await;
    for id in ["one", "two"] {
        create(&watched.server, id).await;
    }
    watched.claimed("one", "first").await;
    watched.claimed("one", "second").await;
    watched.done();
    let (status, error) = refusal(watched.claim("two", "third").await);
    assert_eq!((status, error.code.as_str()), (409, "claim_refused"));
    assert!(
        error.message.contains("maximum number of volumes"),
        "{}",
        error.message
    );
    assert_eq!(watched.done(), [], "the driver was asked all the same");
    for name in ["first", "second"] {
        watched.release("one", name).await;
    }
    watched.claimed("two", "fourth").await;
    watched.release("two", "fourth").await;
    watched.record.at_rest();
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn what_a_driver_refuses_on_the_way_up_is_taken_down_again() {
    for (moment, call, code, status) in [
        (
            "controllerPublishVolumeStart",
            UP[0],
            Code::ResourceExhausted,
            507,
        ),
        ("nodeStageVolumeStart", UP[1], Code::InvalidArgument, 400),
        (
            "nodePublishVolumeStart",
            UP[2],
            Code::FailedPrecondition,
            409,
        ),
        ("nodePublishVolumeEnd", UP[2], Code::Internal, 502),
    ] {
        let number = [i32::from(code).cast_unsigned()];
        let driver = Driver::start_with_hooks(&hooks(&[(moment, &number)]));
        let watched = Watched::start(driver).await;
        create(&watched.server, "db").await;
        let (answered, error) = refusal(watched.claim("db", "first").await);
        assert_eq!(answered, status, "{moment}: {error:?}");
        assert!(
            error.message.contains("returned non-OK code"),
            "{moment}: {error:?}"
        );
        watched.all_detached().await;
        assert!(watched.record.ended().contains(&(call, code)), "{moment}");
        watched.record.at_rest();
        watched.claimed("db", "second").await;
        watched.release("db", "second").await;
        watched.record.at_rest();
    }
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn what_a_driver_leaves_unclear_is_tried_again_and_nothing_overtakes_it() {
    let unclear: &[u32] = &[14, 10];
    let moments = [
        "controllerPublishVolumeStart",
        "nodeStageVolumeStart",
        "nodePublishVolumeStart",
        "nodeUnpublishVolumeStart",
        "nodeUnstageVolumeStart",
        "controllerUnpublishVolumeStart",
    ];
    let driver = Driver::start_with_hooks(&hooks(&moments.map(|moment| (moment, unclear))));
    let watched = Watched::start(driver).await;
    create(&watched.server, "db").await;
    watched.record.forget();
    watched.claimed("db", "first").await;
    watched.release("db", "first").await;
    watched.record.at_rest();
    let asked: Vec<(Call, Code)> = [UP, DOWN]
        .concat()
        .into_iter()
        .flat_map(|call| [Code::Unavailable, Code::Aborted, Code::Ok].map(|code| (call, code)))
        .collect();
    assert_eq!(watched.record.ended(), asked);
}

/// A release has no final error.
#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn a_node_that_cannot_unmount_keeps_its_volume_attached() {
    let refused: &[u32] = &[13, 9];
    let driver = Driver::start_with_hooks(&hooks(&[("nodeUnpublishVolumeStart", refused)]));
    let watched = Watched::start(driver).await;
    create(&watched.server, "db").await;
    watched.claimed("db", "first").await;
    watched.record.forget();
    watched.release("db", "first").await;
    let expected: Vec<(Call, Code)> = [
        (DOWN[0], Code::Internal),
        (DOWN[0], Code::FailedPrecondition),
    ]
    .into_iter()
    .chain(DOWN.map(|call| (call, Code::Ok)))
    .collect();
    assert_eq!(watched.record.ended(), expected);
    watched.record.at_rest();
}

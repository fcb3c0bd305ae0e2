//! What a stock driver refuses, and how its clients are told.

use crate::rig::{self, Driver, create, external, mocked};
use crate::server::{self, refusal};

/// Every create of the driver ends with the next of these gRPC codes; with none left, it goes well.
fn codes_of_creates(codes: &[u32]) -> String {
    format!(
        "globals: 'var codes = {codes:?}'\ncreateVolumeStart: 'codes.length ? codes.shift() : OK'\n"
    )
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn what_a_driver_refuses_reaches_the_client_by_its_code() {
    let refusals = [
        (2, 502, "Unknown"),
        (3, 400, "InvalidArgument"),
        (5, 404, "NotFound"),
        (6, 409, "AlreadyExists"),
        (7, 502, "PermissionDenied"),
        (8, 507, "ResourceExhausted"),
        (9, 409, "FailedPrecondition"),
        (11, 400, "OutOfRange"),
        (12, 501, "Unimplemented"),
        (13, 502, "Internal"),
        (15, 502, "DataLoss"),
        (16, 502, "Unauthenticated"),
    ];
    let driver = Driver::start_with_hooks(&codes_of_creates(&refusals.map(|(code, ..)| code)));
    let server = rig::serve(&driver).await;
    for (_, status, name) in refusals {
        let refused = server::create(&server.client, mocked("db")).await;
        let (answered, error) = refusal(refused);
        assert_eq!(answered, status, "{name}: {error:?}");
        let said = format!(
            "rpc error: code = {name} desc = Exec hook CreateVolumeStart returned non-OK code"
        );
        assert!(error.message.contains(&said), "{name}: {}", error.message);
        assert_eq!(refusal(server.read("db").await).0, 404, "{name}");
    }
    assert_eq!(create(&server, "db").await.external_id, "4");
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn what_a_driver_leaves_unclear_is_tried_until_it_is_done() {
    let driver = Driver::start_with_hooks(&codes_of_creates(&[14, 10, 4]));
    let server = rig::serve(&driver).await;
    let created = create(&server, "db").await;
    assert_eq!(created.external_id, "4");
    let operations = server.client.list_operations().send().await.unwrap();
    let [operation] = operations.as_slice() else {
        panic!("not one operation: {operations:?}");
    };
    assert_eq!((operation.kind.as_str(), operation.attempts), ("create", 4));
    assert_eq!(external(&server).await.len(), 3 + 1);
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn more_than_the_driver_can_hold_is_refused_with_its_own_words() {
    let driver = Driver::start(&[]);
    let server = rig::serve(&driver).await;
    let mut huge = mocked("huge");
    huge.requested_capacity_min = Some(1 << 40);
    let (status, error) = refusal(server::create(&server.client, huge).await);
    assert_eq!(status, 400, "{error:?}");
    let said = "unsupported capacity_range for volume \"huge\": rpc error: code = OutOfRange \
                desc = Requested capacity 1099511627776 exceeds maximum allowed 1099511627776";
    assert!(error.message.contains(said), "{}", error.message);
}

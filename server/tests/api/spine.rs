//! One volume from its creation to its deletion.

use crate::server::{TestServer, refusal};

#[tokio::test]
async fn a_volume_is_created_read_listed_and_deleted() {
    let server = TestServer::start().await;
    let created = server.create("db").await;
    assert_eq!(created.id, "db");
    assert_eq!(created.capacity, 1 << 20);
    assert!(created.schedulable);
    assert_eq!(server.read("db").await.unwrap(), created);

    let listed = server
        .client
        .list_volumes()
        .type_("csi")
        .send()
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].external_id, created.external_id);

    server
        .client
        .delete_volume()
        .volume_id("db")
        .send()
        .await
        .unwrap();
    let (status, error) = refusal(server.read("db").await);
    assert_eq!((status, error.message.as_str()), (404, "volume not found"));
    assert_eq!(error.code, "volume_not_found");
}

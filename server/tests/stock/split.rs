//! A stock driver whose controller and node services have a socket each: two jobs of one plugin.

use crate::rig::{Driver, create, delete, external, mocked, read_plugin};
use crate::server::{self, TestServer};

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn two_jobs_make_one_plugin() {
    let driver = Driver::start_split();
    let server = TestServer::start_with(|config| {
        config.plugins = vec![driver.controller(), driver.node()];
    })
    .await;
    let plugin = read_plugin(&server).await;
    assert!(plugin.controller_required);
    assert_eq!(
        (plugin.controllers_healthy, plugin.controllers_expected),
        (1, 1)
    );
    assert_eq!((plugin.nodes_healthy, plugin.nodes_expected), (1, 1));
    assert!(
        plugin
            .controllers
            .values()
            .all(|instance| instance.node_info.is_none())
    );
    assert!(
        plugin
            .nodes
            .values()
            .all(|instance| instance.controller_info.is_none())
    );
    assert!(
        plugin
            .controller_jobs
            .values()
            .any(|jobs| jobs.contains_key("mock-controller"))
    );
    assert!(
        plugin
            .node_jobs
            .values()
            .any(|jobs| jobs.contains_key("mock-node"))
    );

    assert!(create(&server, "db").await.schedulable);
    let mut larger = mocked("db");
    larger.requested_capacity_min = Some(1 << 30);
    let grown = server::create(&server.client, larger).await.unwrap();
    assert_eq!(grown.volumes[0].capacity, 1 << 30);
    assert_eq!(external(&server).await.len(), 3 + 1);
    delete(&server, "db").await;
    assert_eq!(external(&server).await.len(), 3);
}

#[tokio::test]
#[ignore = "needs the mock-driver of csi-test; .ci/mock-driver runs it"]
async fn without_its_node_half_volumes_are_made_and_not_schedulable() {
    let driver = Driver::start_split();
    let server = TestServer::start_with(|config| config.plugins = vec![driver.controller()]).await;
    let created = create(&server, "db").await;
    assert!(!created.schedulable);
    assert_eq!((created.nodes_healthy, created.controllers_healthy), (0, 1));
    delete(&server, "db").await;
}

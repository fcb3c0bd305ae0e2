//! The requests of Terraform's Nomad provider, and what it makes of the answers.
//!
//! It asks again for minutes, whatever a failure's status is, unless the text holds one of a few phrases: so what can
//! never succeed has to say one of them.

use crate::go_client::{GoClient, Outcome, encoded};
use crate::server::TestServer;
use serde_json::{Value, json};

/// What makes the provider give up.
const FINAL: [&str; 10] = [
    "already exist",
    "requested capacity",
    "LimitBytes cannot be less than",
    "cannot be updated",
    "not compatible with existing",
    "can not update mount options while volume is in use",
    "validation:",
    "missing volume definition",
    "plugin has no controller",
    "does not support creating volumes",
];

/// The provider in one namespace, which it always names.
struct Provider<'s>(GoClient<'s>);

impl<'s> Provider<'s> {
    fn new(server: &'s TestServer) -> Self {
        Self(GoClient::in_namespace(server, "default"))
    }

    /// Creates or updates a `nomad_csi_volume`.
    async fn apply(&self, id: &str, more: &Value) -> Outcome {
        let path = format!("/v1/volume/csi/{id}/create");
        self.0.put(&path, &[], &encoded(id, "local", more)).await
    }

    /// The same of a `nomad_csi_volume_registration`; the deprecated `nomad_volume` sets modes of the first capability too.
    async fn register(&self, id: &str, more: &Value) -> Outcome {
        let path = format!("/v1/volume/csi/{id}");
        self.0.put(&path, &[], &encoded(id, "local", more)).await
    }

    /// Reads one: `None` if it is gone.
    async fn refresh(&self, id: &str) -> Option<Value> {
        match self.0.get(&format!("/v1/volume/csi/{id}"), &[]).await {
            Ok(found) => Some(found.body),
            Err(error) if error.contains("404") => None,
            Err(error) => panic!("{error}"),
        }
    }

    async fn list(&self, query: &[(&str, &str)]) -> Vec<String> {
        let query = [&[("type", "csi")], query].concat();
        let found = self.0.get("/v1/volumes", &query).await.unwrap();
        let ids = found.body.as_array().unwrap().iter();
        ids.map(|it| it["ID"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Whether it gives up.
fn gives_up(outcome: Outcome) -> bool {
    let error = outcome.err().unwrap_or_else(|| panic!("was not refused"));
    FINAL.iter().any(|phrase| error.contains(phrase))
}

#[tokio::test]
async fn resources_and_data_are_planned_applied_and_destroyed() {
    let server = TestServer::start().await;
    let provider = Provider::new(&server);
    let plugin = provider
        .0
        .get("/v1/plugin/csi/local", &[])
        .await
        .unwrap()
        .body;
    for service in ["Controllers", "Nodes"] {
        let healthy = &plugin[format!("{service}Healthy")];
        assert_eq!(
            healthy,
            &plugin[format!("{service}Expected")],
            "so it waits no longer"
        );
    }
    let missing = provider
        .0
        .get("/v1/plugin/csi/nope", &[])
        .await
        .err()
        .unwrap();
    assert!(missing.contains("404"), "so it waits: {missing}");
    let plugins = provider
        .0
        .get("/v1/plugins", &[("type", "csi")])
        .await
        .unwrap();
    assert_eq!(plugins.body[0]["ID"], "local");

    assert_eq!(provider.refresh("db").await, None);
    let size = |min: u64| json!({"RequestedCapacityMin": min, "MountOptions": {"FSType": "ext4", "MountFlags": ["noatime"]}});
    provider.apply("db", &size(1 << 20)).await.unwrap();
    let planned = provider.refresh("db").await.unwrap();
    assert_eq!(planned["Capacity"], 1 << 20);
    assert_eq!(planned["MountOptions"]["FSType"], "ext4");
    provider.apply("db", &size(2 << 20)).await.unwrap();
    assert_eq!(provider.refresh("db").await.unwrap()["Capacity"], 2 << 20);
    assert_eq!(provider.list(&[]).await, ["db"]);
    assert_eq!(provider.list(&[("plugin_id", "local")]).await, ["db"]);
    let nobody = [
        ("node_id", "11111111-2222-3333-4444-555555555555"),
        ("plugin_id", "local"),
    ];
    assert_eq!(provider.list(&nobody).await, [] as [&str; 0]);

    let modes = json!({
        "ExternalID": planned["ExternalID"], "AccessMode": "single-node-writer", "AttachmentMode": "file-system",
    });
    let force = [("force", "true")];
    provider
        .0
        .delete("/v1/volume/csi/db", &force)
        .await
        .unwrap();
    provider.register("db", &modes).await.unwrap();
    assert_eq!(
        provider.refresh("db").await.unwrap()["ExternalID"],
        planned["ExternalID"]
    );
    provider
        .0
        .delete_with("/v1/volume/csi/db/delete", &[], "")
        .await
        .unwrap();
    assert_eq!(provider.refresh("db").await, None);
}

#[tokio::test]
async fn what_can_never_succeed_is_told_in_words_that_end_its_patience() {
    let server = TestServer::start().await;
    let provider = Provider::new(&server);
    let made = provider
        .apply("db", &json!({"RequestedCapacityMin": 1 << 20}))
        .await
        .unwrap();
    let external = made.body["Volumes"][0]["ExternalID"].clone();
    for more in [
        json!({"RequestedCapacityMin": 2 << 20, "RequestedCapacityMax": 1 << 20}),
        json!({"RequestedCapacityMax": 1 << 10}),
        json!({"ExternalID": "another"}),
        json!({"CloneID": "another"}),
        json!({"Parameters": {"tier": "gold"}}),
        json!({"RequestedCapabilities": []}),
        json!({"RequestedTopologies": {"Required": [{"Segments": {"zone": "a"}}]}}),
    ] {
        assert!(gives_up(provider.apply("db", &more).await), "{more}");
    }
    let taken = provider
        .register("second", &json!({"ExternalID": external}))
        .await;
    assert!(gives_up(taken), "a backing store that is another volume's");
    let nothing = json!({"Volumes": []});
    let path = "/v1/volume/csi/x/create";
    assert!(gives_up(provider.0.put(path, &[], &nothing).await));

    let claim = json!({
        "AllocationID": "0b7f6d0e-5a2c-4f1e-9d6b-4e0c9b1a7f6f", "AccessMode": "single-node-writer",
        "AttachmentMode": "file-system",
    });
    provider
        .0
        .put("/v1/volume/csi/db/claim", &[], &claim)
        .await
        .unwrap();
    for more in [
        json!({"MountOptions": {"FSType": "xfs"}}),
        json!({"RequestedCapabilities": [{"AccessMode": "multi-node-multi-writer", "AttachmentMode": "file-system"}]}),
    ] {
        assert!(gives_up(provider.apply("db", &more).await), "{more}");
    }
    let deleted = provider
        .0
        .delete_with("/v1/volume/csi/db/delete", &[], "")
        .await;
    assert!(!gives_up(deleted), "its user may go");
    let early = provider.apply("early", &json!({"PluginID": "nope"})).await;
    assert!(!gives_up(early), "its plugin may come");
}

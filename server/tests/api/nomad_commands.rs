//! The requests of the `nomad` command line, in its order, and what it does with the answers.

use crate::go_client::{Found, GoClient, Outcome, encoded};
use crate::server::TestServer;
use serde_json::{Value, json};

const VOLUMES: &str = "/v1/volumes";
const PLUGINS: &str = "/v1/plugins";
const SNAPSHOTS: &str = "/v1/volumes/snapshot";

/// Its commands.
struct Nomad<'s>(GoClient<'s>);

impl Nomad<'_> {
    /// `volume status`: host volumes first, then the rows that it prints.
    async fn volume_status(&self) -> Result<Vec<String>, String> {
        let host = self.0.get(VOLUMES, &[("type", "host")]).await?;
        assert_eq!(rows(&host), &[] as &[Value]);
        let csi = self.0.get(VOLUMES, &[("type", "csi")]).await?;
        let row = |volume: &Value| {
            let columns = ["ID", "Name", "Namespace", "PluginID"].map(|name| text(volume, name));
            let schedulable = volume["Schedulable"].as_bool().unwrap();
            let mode = text(volume, "AccessMode");
            format!("{}|{schedulable}|{mode}", columns.join("|"))
        };
        let mut printed: Vec<String> = rows(&csi).iter().map(row).collect();
        printed.sort();
        Ok(printed)
    }

    /// `volume status -verbose` goes on with what the drivers have.
    async fn external(&self) -> Result<Vec<String>, String> {
        let plugins = self.0.get(PLUGINS, &[("type", "csi")]).await?;
        let mut ids = Vec::new();
        for plugin in rows(&plugins) {
            if plugin["ControllerRequired"] != true || plugin["ControllersHealthy"] == 0 {
                continue;
            }
            let mut next = String::new();
            loop {
                let mut query = vec![("per_page", "30"), ("plugin_id", text(plugin, "ID"))];
                if !next.is_empty() {
                    query.push(("next_token", &next));
                }
                let page = self.0.get("/v1/volumes/external", &query).await?;
                let volumes = page.body["Volumes"].as_array().unwrap();
                ids.extend(volumes.iter().map(|it| text(it, "ExternalID").to_owned()));
                next = text(&page.body, "NextToken").to_owned();
                if next.is_empty() {
                    break;
                }
            }
        }
        Ok(ids)
    }

    /// What is meant by the beginning of an id.
    async fn meant(&self, path: &str, what: &str, prefix: &str) -> Result<String, String> {
        let found = self
            .0
            .get(path, &[("prefix", prefix), ("type", "csi")])
            .await?;
        let ids: Vec<&str> = rows(&found).iter().map(|it| text(it, "ID")).collect();
        match ids[..] {
            [] => Err(format!("no {what} with prefix or ID {prefix:?} found")),
            [id] => Ok(id.to_owned()),
            _ if ids.contains(&prefix) => Ok(prefix.to_owned()),
            _ => Err(format!("{} are meant by {prefix:?}", ids.join(" and "))),
        }
    }

    /// `volume status ID`.
    async fn volume(&self, prefix: &str) -> Outcome {
        let host = self
            .0
            .get(VOLUMES, &[("prefix", prefix), ("type", "host")])
            .await?;
        assert_eq!(rows(&host), &[] as &[Value]);
        let id = self.meant(VOLUMES, "volumes", prefix).await?;
        self.0.get(&format!("/v1/volume/csi/{id}"), &[]).await
    }

    /// `plugin status ID`.
    async fn plugin(&self, prefix: &str) -> Outcome {
        let id = self.meant(PLUGINS, "plugins", prefix).await?;
        self.0.get(&format!("/v1/plugin/csi/{id}"), &[]).await
    }

    /// `volume create FILE` and, without the last part of the path, `volume register FILE`.
    async fn create(&self, id: &str, more: Value) -> Outcome {
        let path = format!("/v1/volume/csi/{id}/create");
        self.0.put(&path, &[], &encoded(id, "local", &more)).await
    }

    async fn register(&self, id: &str, more: Value) -> Outcome {
        let path = format!("/v1/volume/csi/{id}");
        self.0.put(&path, &[], &encoded(id, "local", &more)).await
    }

    /// `volume deregister [-force] ID`.
    async fn deregister(&self, prefix: &str, force: &str) -> Outcome {
        let id = self.meant(VOLUMES, "volumes", prefix).await?;
        let path = format!("/v1/volume/csi/{id}");
        self.0.delete(&path, &[("force", force)]).await
    }

    /// `volume delete [-secret KEY=VALUE] ID`.
    async fn delete(&self, prefix: &str, secrets: &str) -> Outcome {
        let id = self.meant(VOLUMES, "volumes", prefix).await?;
        let path = format!("/v1/volume/csi/{id}/delete");
        self.0.delete_with(&path, &[], secrets).await
    }

    /// `volume detach VOLUME NODE`: of a node that is not listed it looks for one among the volume's allocations.
    async fn detach(&self, volume: &str, node: &str) -> Outcome {
        let digits = &node[..node.len() - node.len() % 2];
        let nodes = self.0.get("/v1/nodes", &[("prefix", digits)]).await?;
        let id = match rows(&nodes) {
            [found] => text(found, "ID").to_owned(),
            [] => {
                let id = self.meant(VOLUMES, "volumes", volume).await?;
                let found = self.0.get(&format!("/v1/volume/csi/{id}"), &[]).await?;
                let allocations = found.body["Allocations"].as_array().unwrap();
                let mut there = allocations.iter().map(|it| text(it, "NodeID"));
                let named = there.find(|it| it.starts_with(node));
                named.unwrap_or(node).to_owned()
            }
            _ => return Err("several nodes".to_owned()),
        };
        let path = format!("/v1/volume/csi/{volume}/detach");
        self.0.delete(&path, &[("node", &id)]).await
    }
}

fn rows(found: &Found) -> &[Value] {
    found.body.as_array().unwrap()
}

fn text<'v>(of: &'v Value, field: &str) -> &'v str {
    of[field].as_str().unwrap()
}

fn refused(outcome: Outcome) -> String {
    outcome.err().unwrap_or_else(|| panic!("was not refused"))
}

#[tokio::test]
async fn volumes_are_made_found_by_the_beginning_of_their_ids_and_deleted() {
    let server = TestServer::start().await;
    let nomad = Nomad(GoClient::new(&server));
    assert_eq!(nomad.volume_status().await.unwrap(), [] as [&str; 0]);
    for id in ["pgdata", "pg", "logs[0]"] {
        let size = json!({"RequestedCapacityMin": 1 << 20, "Secrets": {"password": "xyzzy"}});
        let made = nomad.create(id, size).await.unwrap();
        assert_eq!(made.body["Volumes"][0]["ID"], id);
        assert_ne!(made.body["Volumes"][0]["ExternalID"], "");
        assert!(made.index > 0);
    }
    let printed = [
        "logs[0]|logs[0]|default|local|true|",
        "pgdata|pgdata|default|local|true|",
        "pg|pg|default|local|true|",
    ];
    assert_eq!(nomad.volume_status().await.unwrap(), printed);
    assert_eq!(nomad.external().await.unwrap().len(), 3);

    let read = nomad.volume("pgd").await.unwrap();
    assert_eq!(text(&read.body, "ID"), "pgdata");
    assert_eq!(read.body["Secrets"], Value::Null);
    assert_eq!(text(&nomad.volume("pg").await.unwrap().body, "ID"), "pg");
    assert_eq!(
        refused(nomad.volume("p").await),
        "pg and pgdata are meant by \"p\""
    );
    let none = "no volumes with prefix or ID \"x\" found";
    assert_eq!(refused(nomad.volume("x").await), none);

    let external = text(&read.body, "ExternalID").to_owned();
    nomad.deregister("pgd", "false").await.unwrap();
    nomad
        .register("again", json!({"ExternalID": external}))
        .await
        .unwrap();
    nomad.delete("again", "").await.unwrap();
    nomad.delete("logs", "password=xyzzy").await.unwrap();
    nomad.deregister("pg", "true").await.unwrap();
    assert_eq!(nomad.volume_status().await.unwrap(), [] as [&str; 0]);
    let empty = nomad
        .register("empty", json!({"RequestedCapabilities": null}))
        .await;
    assert_eq!(
        refused(empty),
        "Unexpected response code: 400 (validation: must include at least one capability block)"
    );
}

#[tokio::test]
async fn a_volume_is_detached_from_a_node_that_is_named_by_the_beginning_of_its_id() {
    let server = TestServer::start().await;
    let nomad = Nomad(GoClient::new(&server));
    nomad.create("db", json!({})).await.unwrap();
    let claim = "0b7f6d0e-5a2c-4f1e-9d6b-4e0c9b1a7f6f";
    let body = json!({"AllocationID": claim, "AccessMode": "single-node-writer", "AttachmentMode": "file-system"});
    nomad
        .0
        .put("/v1/volume/csi/db/claim", &[], &body)
        .await
        .unwrap();

    let all = nomad.0.get("/v1/nodes", &[]).await.unwrap();
    let node = text(&rows(&all)[0], "ID");
    let there = [("namespace", "*"), ("node_id", node), ("type", "csi")];
    let on_node = nomad.0.get(VOLUMES, &there).await.unwrap();
    assert_eq!(
        text(&rows(&on_node)[0], "ID"),
        "db",
        "as `node status` asks"
    );
    let read = nomad.volume("db").await.unwrap();
    assert_eq!(text(&read.body["Allocations"][0], "NodeID"), node);

    let in_use = refused(nomad.detach("db", &node[..5]).await);
    assert!(
        in_use.starts_with("Unexpected response code: 409 ("),
        "{in_use}"
    );
    let in_use = refused(nomad.delete("db", "").await);
    assert_eq!(in_use, "Unexpected response code: 409 (volume in use: db)");
    let path = format!("/v1/volume/csi/db/claim/{claim}");
    nomad.0.delete(&path, &[]).await.unwrap();
    nomad.detach("db", &node[..5]).await.unwrap();
    nomad.detach("db", "ffff-no-such-node").await.unwrap();
    let nothing = refused(nomad.detach("nope", node).await);
    assert_eq!(nothing, "Unexpected response code: 404 (no such volume)");
}

#[tokio::test]
async fn snapshots_and_plugins_are_listed_as_the_commands_read_them() {
    let server = TestServer::start().await;
    let nomad = Nomad(GoClient::new(&server));
    nomad.create("db", json!({})).await.unwrap();
    let body = json!({
        "Snapshots": [{
            "ID": "", "ExternalSourceVolumeID": "", "SizeBytes": 0, "CreateTime": 0, "IsReady": false,
            "SourceVolumeID": "db", "PluginID": "", "Name": "nightly", "Secrets": {"password": "xyzzy"}, "Parameters": null,
        }],
        "Region": "", "Namespace": "", "SecretID": "",
    });
    let made = nomad.0.put(SNAPSHOTS, &[], &body).await.unwrap();
    let snapshot = text(&made.body["Snapshots"][0], "ID").to_owned();

    let plugin = nomad.meant(PLUGINS, "plugins", "lo").await.unwrap();
    let query = [("per_page", "30"), ("plugin_id", plugin.as_str())];
    let listed = nomad.0.get(SNAPSHOTS, &query).await.unwrap();
    assert_eq!(text(&listed.body["Snapshots"][0], "ID"), snapshot);
    assert_eq!(text(&listed.body, "NextToken"), "");
    let query = [("plugin_id", "local"), ("snapshot_id", snapshot.as_str())];
    nomad
        .0
        .delete_with(SNAPSHOTS, &query, "password=xyzzy")
        .await
        .unwrap();

    let read = nomad.plugin("lo").await.unwrap();
    assert_eq!(text(&read.body, "ID"), "local");
    assert_eq!(read.body["Controllers"].as_object().unwrap().len(), 1);
    let none = refused(nomad.plugin("x").await);
    assert_eq!(none, "no plugins with prefix or ID \"x\" found");

    // completion of a word, and what `operator debug` gathers
    let typed = json!({"Prefix": "d", "Context": "volumes"});
    let found = nomad.0.put("/v1/search", &[], &typed).await.unwrap();
    assert_eq!(found.body["Matches"]["volumes"], json!(["db"]));
    assert_eq!(found.body["Truncations"]["volumes"], false);
    for (list, read) in [(PLUGINS, "/v1/plugin/csi"), (VOLUMES, "/v1/volume/csi")] {
        let all = nomad.0.get(list, &[("type", "csi")]).await.unwrap();
        for one in rows(&all) {
            let path = format!("{read}/{}", text(one, "ID"));
            let read = nomad.0.get(&path, &[]).await.unwrap();
            assert_eq!(read.body["ID"], one["ID"]);
        }
    }
}

#[tokio::test]
async fn in_all_namespaces_a_volume_is_found_but_not_read() {
    let server = TestServer::start().await;
    let nomad = Nomad(GoClient::new(&server));
    nomad.create("db", json!({})).await.unwrap();
    let everywhere = Nomad(GoClient::in_namespace(&server, "*"));
    assert_eq!(everywhere.volume_status().await.unwrap().len(), 1);
    let read = refused(everywhere.volume("db").await);
    assert_eq!(read, "Unexpected response code: 404 (volume not found)");
    let deregistered = refused(everywhere.deregister("db", "false").await);
    assert_eq!(
        deregistered,
        "Unexpected response code: 404 (volume not found: db)"
    );
}

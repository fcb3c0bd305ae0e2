//! What the doctor finds, each thing made for real.

use crate::driven::{Driven, NOT_AT_ALL, described};
use crate::scripted_driver::{Reply, controller_capabilities};
use crate::server::refusal;
use saddlebag::csi::{Call, v1};
use saddlebag::doctor::{MOST_PAGES, MOST_VOLUMES};
use saddlebag_client::types;
use serde_json::json;
use std::time::Duration;
use tonic::Code;
use v1::list_volumes_response::{Entry, VolumeStatus};

/// What the driver's node calls itself.
const NODE: &str = "node-of-the-driver";

/// A page with these volumes, each attached to these nodes.
fn page(volumes: &[(&str, &[&str])], next_token: &str) -> Reply {
    let entry = |(id, nodes): &(&str, &[&str])| Entry {
        volume: Some(v1::Volume {
            volume_id: (*id).to_owned(),
            ..v1::Volume::default()
        }),
        status: Some(VolumeStatus {
            published_node_ids: nodes.iter().map(|node| (*node).to_owned()).collect(),
            volume_condition: None,
        }),
    };
    Reply::answer(v1::ListVolumesResponse {
        entries: volumes.iter().map(entry).collect(),
        next_token: next_token.to_owned(),
    })
}

impl Driven {
    /// Has the driver list these, each attached to these nodes, from now on.
    pub fn lists(&self, volumes: &[(&str, &[&str])]) {
        self.driver.always(Call::ListVolumes, page(volumes, ""));
    }

    /// Registers a volume that the driver calls so.
    pub async fn register_as(&self, id: &str, external_id: &str) {
        let volume = types::VolumeRequest {
            external_id: Some(external_id.to_owned()),
            ..described(id)
        };
        self.register(volume).await.unwrap().unwrap();
    }

    /// What the doctor says.
    pub async fn diagnosis(&self) -> types::Diagnosis {
        let doctor = self.server.client.doctor();
        doctor.send().await.unwrap().into_inner()
    }

    /// What is found of one kind.
    pub async fn found(&self, kind: &str) -> Vec<types::Finding> {
        let mut findings = self.diagnosis().await.findings;
        findings.retain(|finding| finding.kind == kind);
        findings
    }

    /// The only thing that is found.
    pub async fn only_finding(&self) -> types::Finding {
        let mut findings = self.diagnosis().await.findings;
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.remove(0)
    }
}

#[tokio::test]
async fn where_nothing_differs_nothing_is_found_and_nothing_is_changed() {
    let driven = Driven::start().await;
    driven.register_as("db", "e").await;
    driven.lists(&[("e", &[])]);
    driven.driver.forget();
    let index = driven.server.control_plane.state().index;
    let diagnosis = driven.diagnosis().await;
    assert_eq!(diagnosis.findings, []);
    let [plugin] = diagnosis.plugins.as_slice() else {
        panic!("{:?}", diagnosis.plugins)
    };
    assert_eq!(plugin.plugin_id, "scripted");
    assert_eq!(
        (plugin.asked, plugin.complete, plugin.volumes),
        (true, true, 1)
    );
    assert_eq!(driven.driver.calls(), [Call::ListVolumes]);
    assert_eq!(driven.server.control_plane.state().index, index);
}

#[tokio::test]
async fn a_volume_that_nobody_registered_is_found_and_can_be_adopted() {
    let driven = Driven::start().await;
    driven.lists(&[("e", &["somewhere"])]);
    let found = driven.only_finding().await;
    assert_eq!(found.kind, "unregistered-volume");
    assert_eq!(found.plugin_id, "scripted");
    assert_eq!(found.external_id.as_deref(), Some("e"));
    assert_eq!(found.volume_id, None);
    assert!(found.meaning.contains("attached to somewhere"), "{found:?}");
    assert!(found.remedy.contains("ExternalID \"e\""), "{found:?}");

    driven.register_as("adopted", "e").await;
    assert_eq!(driven.found("unregistered-volume").await, []);
}

#[tokio::test]
async fn a_volume_that_its_driver_does_not_list_is_found() {
    let driven = Driven::start().await;
    driven.register_as("db", "e").await;
    driven.lists(&[]);
    let found = driven.only_finding().await;
    assert_eq!(found.kind, "missing-volume");
    assert_eq!(found.volume_id.as_deref(), Some("db"));
    assert_eq!(found.namespace.as_deref(), Some("default"));
    assert_eq!(found.external_id.as_deref(), Some("e"));
    assert!(
        found.remedy.contains("DELETE /v1/volume/csi/db"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_volume_is_not_missing_while_its_driver_has_not_told_all() {
    let driven = Driven::start().await;
    driven.register_as("db", "e").await;
    driven.driver.script(Call::ListVolumes, page(&[], "more"));
    driven.refuse(Call::ListVolumes, Code::Internal, "lost my place");
    let found = driven.only_finding().await;
    assert_eq!(found.kind, "silent-driver");
    assert!(found.meaning.contains("lost my place"), "{found:?}");
}

#[tokio::test]
async fn every_page_is_read_from_where_the_one_before_ended() {
    let driven = Driven::start().await;
    for (id, external_id) in [("db", "e"), ("web", "f")] {
        driven.register_as(id, external_id).await;
    }
    driven
        .driver
        .script(Call::ListVolumes, page(&[("e", &[])], "2"));
    driven
        .driver
        .script(Call::ListVolumes, page(&[("f", &[])], ""));
    assert_eq!(driven.diagnosis().await.findings, []);
    let asked: Vec<v1::ListVolumesRequest> = driven.driver.questions(Call::ListVolumes);
    let tokens: Vec<&str> = asked.iter().map(|it| it.starting_token.as_str()).collect();
    assert_eq!(tokens, ["", "2"]);
}

#[tokio::test]
async fn pages_that_go_round_or_do_not_end_are_left() {
    let driven = Driven::start().await;
    driven.driver.always(Call::ListVolumes, page(&[], "again"));
    let found = driven.only_finding().await;
    assert_eq!(found.kind, "silent-driver");
    assert!(found.meaning.contains("circle"), "{found:?}");

    driven.driver.as_usual(Call::ListVolumes);
    driven.driver.forget();
    for number in 0..=MOST_PAGES {
        let next = page(&[], &number.to_string());
        driven.driver.script(Call::ListVolumes, next);
    }
    let found = driven.only_finding().await;
    assert!(found.meaning.contains("more than 100 pages"), "{found:?}");
    let asked: Vec<v1::ListVolumesRequest> = driven.driver.questions(Call::ListVolumes);
    assert_eq!(asked.len(), MOST_PAGES);
}

#[tokio::test]
async fn of_a_list_that_is_too_long_the_beginning_is_compared() {
    let driven = Driven::start().await;
    let ids: Vec<String> = (0..=MOST_VOLUMES).map(|id| id.to_string()).collect();
    let all: Vec<(&str, &[&str])> = ids.iter().map(|id| (id.as_str(), &[][..])).collect();
    driven.lists(&all);
    let diagnosis = driven.diagnosis().await;
    assert_eq!(diagnosis.plugins[0].volumes, MOST_VOLUMES as i64);
    assert!(!diagnosis.plugins[0].complete);
    assert_eq!(diagnosis.findings.len(), MOST_VOLUMES + 1);
    let silent = &diagnosis.findings[0];
    assert_eq!(silent.kind, "silent-driver");
    assert!(
        silent.meaning.contains("more than 100000 volumes"),
        "{silent:?}"
    );
}

#[tokio::test]
async fn what_is_attached_where_nobody_claimed_it_is_found() {
    let driven = Driven::start().await;
    driven.register_as("db", "e").await;
    driven.lists(&[("e", &["elsewhere", NODE])]);
    let found = driven.found("foreign-publication").await;
    let here = driven.server.control_plane.node.as_str();
    let mut nodes: Vec<_> = found.iter().map(|it| it.node_id.as_deref()).collect();
    nodes.sort_unstable();
    let mut expected = [Some(here), Some("elsewhere")];
    expected.sort_unstable();
    assert_eq!(nodes, expected);
    for found in found {
        assert_eq!(found.volume_id.as_deref(), Some("db"));
        let known = found.node_id.as_deref() == Some(here);
        let remedy = "PUT /v1/volume/csi/db/claim";
        assert_eq!(found.remedy.contains(remedy), known, "{found:?}");
    }
}

#[tokio::test]
async fn a_driver_that_does_not_answer_is_a_finding_and_holds_up_no_other() {
    let driven = Driven::start_with(|config| config.builtin_driver = true).await;
    driven.driver.always(Call::ListVolumes, Reply::Hang);
    let doctor = driven.server.client.doctor();
    let diagnosis = doctor.wait(Duration::from_millis(300)).send().await;
    let diagnosis = diagnosis.unwrap().into_inner();
    let [found] = diagnosis.findings.as_slice() else {
        panic!("{:?}", diagnosis.findings)
    };
    assert_eq!(
        (found.kind.as_str(), found.plugin_id.as_str()),
        ("silent-driver", "scripted")
    );
    assert!(found.meaning.contains("did not answer"), "{found:?}");
    let told: Vec<_> = diagnosis
        .plugins
        .iter()
        .map(|it| (it.plugin_id.as_str(), it.asked, it.complete))
        .collect();
    assert_eq!(told, [("local", true, true), ("scripted", true, false)]);
}

#[tokio::test]
async fn a_driver_that_never_said_what_it_can_do_is_a_finding() {
    let driver = crate::scripted_driver::ScriptedDriver::absent();
    let plugin = crate::rig::plugin("late", saddlebag::plugin::PluginType::Monolith, &driver);
    let server =
        crate::server::TestServer::start_unready(|config| config.plugins = vec![plugin]).await;
    let diagnosis = server.client.doctor().send().await.unwrap().into_inner();
    let [found] = diagnosis.findings.as_slice() else {
        panic!("{:?}", diagnosis.findings)
    };
    assert_eq!(
        (found.kind.as_str(), found.plugin_id.as_str()),
        ("silent-driver", "late")
    );
    assert!(found.meaning.contains("no healthy controller"), "{found:?}");
}

/// csi-driver-host-path lists a node without a name for what is attached nowhere.
#[tokio::test]
async fn a_node_without_a_name_is_no_node() {
    let driven = Driven::start().await;
    driven.register_for("db", &["single-node-writer"]).await;
    driven.lists(&[("of-db", &[""])]);
    assert_eq!(driven.found("foreign-publication").await, []);
}

#[tokio::test]
async fn a_driver_that_cannot_list_is_not_asked() {
    let driver = crate::scripted_driver::ScriptedDriver::start();
    let create_delete = controller_capabilities(&[1]);
    driver.always(
        Call::ControllerGetCapabilities,
        Reply::answer(create_delete),
    );
    let plugin = crate::rig::plugin("simple", saddlebag::plugin::PluginType::Monolith, &driver);
    let server =
        crate::server::TestServer::start_with(|config| config.plugins = vec![plugin]).await;
    let diagnosis = server.client.doctor().send().await.unwrap().into_inner();
    assert_eq!(diagnosis.findings, []);
    assert!(!diagnosis.plugins[0].asked && !diagnosis.plugins[0].complete);
    assert!(!driver.calls().contains(&Call::ListVolumes));
}

#[tokio::test]
async fn an_operation_that_waits_is_found_with_its_last_error() {
    let driven = Driven::start().await;
    driven.refuse(Call::CreateVolume, Code::Unavailable, "out of reach");
    let client = driven.create("db");
    let create = driven.waiting("db").await;
    let found = driven.only_finding().await;
    assert_eq!(found.kind, "stuck-operation");
    assert_eq!(found.operation_id.as_deref(), Some(create.id.as_str()));
    assert_eq!(found.since, Some(create.create_time));
    assert!(found.meaning.contains("out of reach"), "{found:?}");
    let retry = format!("PUT /v1/operation/{}/retry", create.id);
    assert!(found.remedy.contains(&retry), "{found:?}");

    driven.retry(&create.id).await.unwrap();
    client.await.unwrap().unwrap();
    assert_eq!(driven.found("stuck-operation").await, []);
}

#[tokio::test]
async fn an_operation_that_is_only_being_done_is_not_stuck() {
    let driven = Driven::start().await;
    let held = driven.hold(Call::CreateVolume);
    let client = driven.create("db");
    driven.driver.asked(Call::CreateVolume, 1).await;
    let (status, _) = refusal(driven.create_within("db", NOT_AT_ALL).await);
    assert_eq!(status, 504);
    assert_eq!(driven.found("stuck-operation").await, []);
    held.go_on();
    client.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_growth_that_a_node_refuses_is_found_until_it_is_done() {
    let driven = Driven::start().await;
    driven.create("db").await.unwrap().unwrap();
    let server = &driven.server;
    server.put_claim("db", json!({})).await.unwrap();
    driven.refuse(Call::NodeExpandVolume, Code::OutOfRange, "no such size");
    let larger = json!({
        "PluginID": "scripted",
        "RequestedCapacityMin": 2 << 20,
        "MountOptions": {"FSType": ""},
    });
    let larger = crate::rig::described("db", larger);
    driven.create_as(larger).await.unwrap().unwrap();
    let expansion = |state: &saddlebag::state::State| {
        state
            .attachments()
            .any(|stored| stored.row.expansion.is_some())
    };
    server
        .until("the refusal", |state| {
            state.attachments().any(|stored| {
                let expansion = stored.row.expansion.as_ref();
                expansion.is_some_and(|expansion| expansion.refused.is_some())
            })
        })
        .await;
    let found = driven.found("stuck-expansion").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].volume_id.as_deref(), Some("db"));
    assert!(found[0].meaning.contains("no such size"), "{found:?}");
    let retry = server.client.retry_claims().volume_id("db");
    retry.send().await.unwrap();
    server.until("the growth", |state| !expansion(state)).await;
    assert_eq!(driven.found("stuck-expansion").await, []);
}

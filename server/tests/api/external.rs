//! Listing what drivers have.

use crate::rig::Rig;
use crate::scripted_driver::{Reply, controller_capabilities};
use crate::server::{TestServer, refusal};
use saddlebag::csi::{Call, v1};
use saddlebag_client::types;
use std::collections::HashMap;
use tonic::Code;
use v1::list_volumes_response::{Entry, VolumeStatus};

const PREFIX: &str = "controller list volumes: CSI.ControllerListVolumes: ";

fn entry(id: &str) -> Entry {
    Entry {
        volume: Some(v1::Volume {
            volume_id: id.to_owned(),
            ..v1::Volume::default()
        }),
        status: None,
    }
}

/// Conformance case 47, without Nomad's loss: what a driver gives beyond the page is shown, since its token goes on
/// behind it (weakness W28). An entry without a volume is left out.
#[tokio::test]
async fn a_page_is_shown_as_the_driver_gives_it() {
    let rig = Rig::start().await;
    let mut full = entry("full");
    let volume = full.volume.as_mut().unwrap();
    volume.capacity_bytes = 4096;
    volume.volume_context = HashMap::from([("pool".to_owned(), "fast".to_owned())]);
    volume.content_source = Some(v1::VolumeContentSource {
        r#type: Some(v1::volume_content_source::Type::Snapshot(
            v1::volume_content_source::SnapshotSource {
                snapshot_id: "s".to_owned(),
            },
        )),
    });
    full.status = Some(VolumeStatus {
        published_node_ids: vec!["n1".to_owned()],
        volume_condition: Some(v1::VolumeCondition {
            abnormal: true,
            message: "disk is dying".to_owned(),
        }),
    });
    let nothing = Entry {
        volume: None,
        status: None,
    };
    let answer = v1::ListVolumesResponse {
        entries: vec![full, nothing, entry("second"), entry("third")],
        next_token: "page 2".to_owned(),
    };
    rig.driver.script(Call::ListVolumes, Reply::answer(answer));
    let call = rig
        .client()
        .list_external_volumes()
        .plugin_id("disk")
        .per_page(2);
    let listed = call.next_token("page 1").send().await.unwrap();
    let told: v1::ListVolumesRequest = rig.driver.last(Call::ListVolumes);
    assert_eq!(
        (told.max_entries, told.starting_token.as_str()),
        (2, "page 1")
    );

    assert_eq!(listed.headers()["x-nomad-index"], "0");
    assert_eq!(listed.headers()["x-nomad-knownleader"], "false");
    assert!(listed.headers().get("x-nomad-nexttoken").is_none());
    let listed = listed.into_inner();
    assert_eq!(
        (
            listed.next_token.as_str(),
            listed.index,
            listed.known_leader
        ),
        ("page 2", 0, false)
    );
    let volumes = listed.volumes.unwrap();
    let ids: Vec<_> = volumes
        .iter()
        .map(|volume| volume.external_id.as_str())
        .collect();
    assert_eq!(ids, ["full", "second", "third"]);
    let types::ExternalVolume {
        capacity_bytes,
        snapshot_id,
        is_abnormal,
        status,
        ..
    } = &volumes[0];
    assert_eq!(
        (
            *capacity_bytes,
            snapshot_id.as_str(),
            *is_abnormal,
            status.as_str()
        ),
        (4096, "s", true, "disk is dying")
    );
    assert_eq!(
        volumes[0].published_external_node_i_ds.as_deref(),
        Some(&["n1".to_owned()][..])
    );
    assert_eq!(volumes[0].volume_context.as_ref().unwrap()["pool"], "fast");
}

/// Conformance case 48, and what else is refused.
#[tokio::test]
async fn what_cannot_be_listed_is_refused_with_nomads_texts() {
    let rig = Rig::start().await;
    rig.driver.always(
        Call::ListVolumes,
        Reply::refuse(Code::Aborted, "no such page"),
    );
    for (query, status, text) in [
        (
            "?plugin_id=disk&per_page=-1",
            400,
            format!("{PREFIX}MaxEntries cannot be negative"),
        ),
        (
            "?plugin_id=disk&per_page=x",
            400,
            "Expect a number for `per_page` query string parameter".to_owned(),
        ),
        (
            "?plugin_id=disk&next_token=junk",
            400,
            format!(
                r#"{PREFIX}invalid starting token "junk": rpc error: code = Aborted desc = no such page"#
            ),
        ),
        ("?plugin_id=nope", 404, "no such plugin".to_owned()),
        ("", 404, "no such plugin".to_owned()),
        ("?plugin_id=dis", 404, "no such plugin".to_owned()),
    ] {
        let path = format!("/v1/volumes/external{query}");
        let answer = rig.server.ask("GET", &path).send().await;
        assert_eq!(
            (answer.status, answer.text()),
            (status, text.as_str()),
            "{query}"
        );
        assert_eq!(answer.header("x-nomad-index"), None);
    }
    assert_eq!(rig.driver.calls(), [Call::ListVolumes]);

    let rig = Rig::scripted(|driver| {
        driver.always(
            Call::ControllerGetCapabilities,
            Reply::answer(controller_capabilities(&[1])),
        );
    })
    .await;
    let (status, error) = refusal(
        rig.client()
            .list_external_volumes()
            .plugin_id("disk")
            .send()
            .await,
    );
    assert_eq!(
        (status, error.message.as_str()),
        (501, "unimplemented for this plugin")
    );
}

#[tokio::test]
async fn pages_of_the_built_in_driver_show_each_volume_once_whatever_is_registered() {
    let server = TestServer::start().await;
    let mut expected = Vec::new();
    for id in ["a", "b", "c", "d", "e"] {
        expected.push(server.create(id).await.external_id);
    }
    server
        .client
        .deregister_volume()
        .volume_id("c")
        .send()
        .await
        .unwrap();
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let call = server
            .client
            .list_external_volumes()
            .plugin_id("local")
            .per_page(2);
        let page = call.next_token(&token).send().await.unwrap().into_inner();
        let volumes = page.volumes.unwrap();
        assert!(volumes.len() <= 2);
        found.extend(volumes.into_iter().map(|volume| volume.external_id));
        token = page.next_token;
        if token.is_empty() {
            break;
        }
    }
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let answer = server
        .ask(
            "GET",
            "/v1/volumes/external?plugin_id=local&index=99999&wait=300s",
        )
        .send()
        .await;
    assert_eq!(answer.status, 200, "an index never blocks here");
}

//! Backing stores: one volume each, unless all ask to share, and of one driver.

use crate::rig::{Rig, shared};
use crate::scripted_driver::Reply;
use crate::server::refusal;
use saddlebag::csi::{Call, v1};
use saddlebag::id::Namespace;
use serde_json::json;

/// Weakness W35.
#[tokio::test]
async fn one_backing_store_is_one_volume_unless_all_ask_only_to_be_shared() {
    let rig = Rig::start_with(
        |_| {},
        |config| config.namespaces = vec![Namespace::known("team")],
    )
    .await;
    rig.register("one", json!({"ExternalID": "alone"}))
        .await
        .unwrap();
    let taken = |holder: &str, external: &str| {
        format!("external ID {external:?} of plugin \"disk\" already exists as volume {holder:?}")
    };
    for more in [
        json!({"ExternalID": "alone"}),
        shared("alone"),
        json!({"ExternalID": "alone", "Namespace": "team"}),
    ] {
        let (status, error) = refusal(rig.register("two", more).await);
        assert_eq!((status, error.code.as_str()), (409, "external_id_taken"));
        assert_eq!(error.message, taken("one", "alone"));
    }
    let (status, error) = refusal(rig.register("alone", json!({})).await);
    assert_eq!(
        (status, error.message),
        (409, taken("one", "alone")),
        "the id stands in for it"
    );

    rig.register("first", shared("many")).await.unwrap();
    rig.register("second", shared("many")).await.unwrap();
    for (id, holder) in [("third", "first"), ("first", "second")] {
        let (status, error) = refusal(rig.register(id, json!({"ExternalID": "many"})).await);
        assert_eq!((status, error.message), (409, taken(holder, "many")));
    }
    let (status, error) = refusal(
        rig.register(
            "second",
            json!({"ExternalID": "many", "RequestedCapacityMin": 5000}),
        )
        .await,
    );
    assert_eq!(
        (status, error.message),
        (409, taken("first", "many")),
        "growing is no way around it"
    );

    let delete = |id: &'static str| rig.client().delete_volume().volume_id(id).send();
    let (status, error) = refusal(delete("first").await);
    assert_eq!((status, error.code.as_str()), (409, "external_id_taken"));
    assert!(
        error.message.contains(r#"is shared with "second""#),
        "{}",
        error.message
    );
    assert_eq!(rig.count(Call::DeleteVolume), 0);
    rig.client()
        .deregister_volume()
        .volume_id("second")
        .send()
        .await
        .unwrap();
    delete("first").await.unwrap();
    assert_eq!(rig.count(Call::DeleteVolume), 1);

    rig.register("new", json!({"ExternalID": "many"}))
        .await
        .unwrap();
}

/// Conformance cases 22 and 23, and the identity that a plugin's driver gives (nomad-http.md §4.3, step 14).
#[tokio::test]
async fn a_volume_stays_with_its_plugin_and_its_driver() {
    let mut rig = Rig::start().await;
    let first = rig
        .register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    let again = rig
        .register("db", json!({"ExternalID": "e"}))
        .await
        .unwrap();
    assert_eq!(again.create_index, first.create_index);
    assert!(again.modify_index > first.modify_index);

    let other = rig.register("db", json!({"PluginID": "nope"})).await;
    assert_eq!(refusal(other).0, 404);

    rig.driver.leave();
    let renamed = v1::GetPluginInfoResponse {
        name: "another.example".to_owned(),
        ..Default::default()
    };
    rig.driver
        .always(Call::GetPluginInfo, Reply::answer(renamed));
    rig.driver.come_back();
    rig.server
        .until("the other driver", |state| {
            state.plugins().all(|plugin| {
                plugin.is_provided_by("another.example")
                    && !plugin.is_provided_by("scripted.example")
            })
        })
        .await;
    rig.server.all_healthy().await;
    let (status, error) = refusal(rig.register("db", json!({"ExternalID": "e"})).await);
    assert_eq!((status, error.code.as_str()), (409, "volume_conflict"));
    assert_eq!(error.message, "volume identity cannot be updated: db");
}

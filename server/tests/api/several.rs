//! Several volumes in one request.

use crate::rig::{Rig, described, one_error};
use crate::scripted_driver::Reply;
use crate::server::refusal;
use saddlebag::csi::Call;
use serde_json::json;
use tonic::Code;

const PREFIX: &str = "controller create volume: CSI.ControllerCreateVolume: ";

/// Weakness W24.
#[tokio::test]
async fn of_several_volumes_those_that_can_be_made_are_made_and_the_first_failure_gives_the_status()
{
    let rig = Rig::start().await;
    let unnamed = |id| described(id, json!({"Name": ""}));
    let full = r#"unable to provision "full" in accessible_topology: rpc error: code = ResourceExhausted desc = no"#;

    let all = vec![described("good", json!({})), unnamed("bad")];
    let (status, error) = refusal(rig.server.create_all(all).await);
    assert_eq!((status, &error.done[..]), (400, &["good".to_owned()][..]));
    assert_eq!(error.message, one_error(&format!("{PREFIX}missing Name")));
    assert_eq!(
        (error.errors.len(), error.errors[0].volume.as_deref()),
        (1, Some("bad"))
    );
    assert_eq!(rig.server.ids().await, ["good"]);

    rig.driver.always(
        Call::CreateVolume,
        Reply::refuse(Code::ResourceExhausted, "no"),
    );
    for (reversed, status) in [(false, 507), (true, 400)] {
        let mut all = vec![described("full", json!({})), unnamed("bad")];
        let mut texts = [format!("{PREFIX}{full}"), format!("{PREFIX}missing Name")];
        if reversed {
            all.reverse();
            texts.reverse();
        }
        let (answered, error) = refusal(rig.server.create_all(all).await);
        let text = format!("2 errors occurred:\n\t* {}\n\t* {}\n\n", texts[0], texts[1]);
        assert_eq!((answered, error.message), (status, text));
        let named: Vec<_> = error
            .errors
            .iter()
            .map(|error| error.message.clone())
            .collect();
        assert_eq!(named, texts);
        assert_eq!(error.done, [""; 0]);
    }
    assert_eq!(rig.server.ids().await, ["good"]);
}

#[tokio::test]
async fn a_request_holds_at_most_32_volumes_and_none_of_them_twice() {
    let rig = Rig::start_with(
        |_| {},
        |config| config.namespaces = vec![saddlebag::id::Namespace::known("team")],
    )
    .await;
    let many = |count: usize| {
        (0..count)
            .map(|n| described(&format!("v{n:02}"), json!({})))
            .collect()
    };
    let (status, error) = refusal(rig.server.create_all(many(33)).await);
    assert_eq!(
        (status, error.message.as_str()),
        (400, "the request holds 33 volumes, more than 32")
    );
    let twice = vec![described("db", json!({})), described("db", json!({}))];
    let (status, error) = refusal(rig.server.create_all(twice).await);
    assert_eq!(
        (status, error.message.as_str()),
        (400, r#"volume "db" is in the request twice"#)
    );
    let twice = ["a", "b"].map(|id| described(id, json!({"ExternalID": "x"})));
    let (status, error) = refusal(rig.server.create_all(twice.into()).await);
    assert_eq!(
        (status, error.message.as_str()),
        (400, r#"external id "x" is in the request twice"#)
    );
    assert_eq!(rig.driver.calls(), []);

    assert_eq!(
        rig.server.create_all(many(32)).await.unwrap().volumes.len(),
        32
    );
    let namesakes = ["default", "team"].map(|name| described("db", json!({"Namespace": name})));
    rig.server.create_all(namesakes.into()).await.unwrap();
    assert_eq!(rig.server.ids().await.len(), 34);
}

#[tokio::test]
async fn several_volumes_are_registered_all_or_none() {
    let rig = Rig::start().await;
    rig.create("small", json!({"RequestedCapacityMin": 1000}))
        .await
        .unwrap();
    let good = || described("good", json!({"ExternalID": "e"}));

    let bad = described("bad", json!({"PluginID": "nope"}));
    let (status, _) = refusal(rig.server.register_all(vec![good(), bad]).await);
    assert_eq!(status, 404);
    assert_eq!(rig.server.ids().await, ["small"]);

    rig.driver.script(
        Call::ControllerExpandVolume,
        Reply::refuse(Code::OutOfRange, "no"),
    );
    let grow = || described("small", json!({"RequestedCapacityMin": 5000}));
    let (status, error) = refusal(rig.server.register_all(vec![good(), grow()]).await);
    assert_eq!(status, 400);
    assert!(
        error
            .message
            .starts_with("unable to update volume: unable to expand volume: ")
    );
    assert_eq!(rig.server.ids().await, ["small"]);

    let all = rig.server.register_all(vec![good(), grow()]).await.unwrap();
    let read = [
        rig.server.read("good").await.unwrap(),
        rig.server.read("small").await.unwrap(),
    ];
    assert_eq!(all.volumes, read);
    assert_eq!(read[1].capacity, 5000);
    assert!(all.index >= read[0].modify_index.max(read[1].modify_index));
}

//! Bodies: every malformed one that was recorded, and where and what a refusal says.

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use saddlebag::http::{
    edge::{
        Reason,
        body::{self, Limits},
    },
    request::{SnapshotsRequest, TopologySegmentsRequest, VolumeRequest, VolumesRequest},
};
use std::{collections::BTreeMap, io, time::Duration};

fn refused(body: &[u8]) -> String {
    let refusal = VolumesRequest::decode(body).unwrap_err();
    assert_eq!(refusal.reason, Reason::Malformed);
    refusal.message.into_owned()
}

fn volume(fields: &str) -> VolumeRequest {
    let body = format!("{{\"Volumes\":[{{{fields}}}]}}");
    let mut request = VolumesRequest::decode(body.as_bytes()).unwrap();
    assert_eq!(request.volumes.len(), 1);
    request.volumes.remove(0)
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn what_nomad_refuses_is_refused_with_its_place() {
    for (body, text) in [
        ("", "Request body is empty"),
        (" \r\n", "Request body is empty"),
        (
            "{\"Volumes\":[",
            "the request body ends inside a JSON value (line 1, column 12)",
        ),
        (
            "{\"Volumes\":[{\"ID\":\"v",
            "the request body ends inside a JSON value (line 1, column 20)",
        ),
        (
            "nope",
            "the request body is not JSON: expected ident at line 1 column 2",
        ),
        (
            "{\"a\" 1}",
            "the request body is not JSON: expected `:` at line 1 column 6",
        ),
        ("[]", "the request body: expected an object, got a list"),
        (
            "\"x\"",
            "the request body: expected an object, got a string",
        ),
        ("7", "the request body: expected an object, got a number"),
        ("true", "the request body: expected an object, got true"),
        (
            "{\"Volumes\":{}}",
            "Volumes: expected a list, got an object",
        ),
        (
            "{\"Volumes\":[null]}",
            "Volumes[0]: expected an object, got null",
        ),
        (
            "{\"Volumes\":[{},[[]]]}",
            "Volumes[1]: expected an object, got a list",
        ),
        (
            "{\"volumes\":[{\"id\":1}]}",
            "Volumes[0].ID: expected a string, got a number",
        ),
        (
            "{\"Volumes\":[{\"RequestedCapacityMin\":\"1GB\"}]}",
            "Volumes[0].RequestedCapacityMin: expected an integer (bytes), got the string \"1GB\"",
        ),
        (
            "{\"Volumes\":[{\"RequestedCapacityMin\":1.5}]}",
            "Volumes[0].RequestedCapacityMin: expected an integer (bytes), got the number 1.5",
        ),
        (
            "{\"Volumes\":[{\"RequestedCapacityMax\":99999999999999999999}]}",
            "Volumes[0].RequestedCapacityMax: expected an integer (bytes), got the number 1e+20",
        ),
        (
            "{\"Volumes\":[{\"RequestedCapacityMax\":9223372036854775808}]}",
            "Volumes[0].RequestedCapacityMax: expected an integer (bytes), got the number 9223372036854775808",
        ),
        (
            "{\"Volumes\":[{\"RequestedCapabilities\":[{\"AccessMode\":[]}]}]}",
            "Volumes[0].RequestedCapabilities[0].AccessMode: expected a string, got a list",
        ),
        (
            "{\"Volumes\":[{\"MountOptions\":{\"MountFlags\":[\"ro\",null]}}]}",
            "Volumes[0].MountOptions.MountFlags[1]: expected a string, got null",
        ),
        (
            "{\"Volumes\":[{\"Parameters\":{\"a\\nb\":1}}]}",
            "Volumes[0].Parameters[\"a\\nb\"]: expected a string, got a number",
        ),
        (
            "{\"Volumes\":[{\"RequestedTopologies\":{\"Required\":[{\"Segments\":{\"z\":1}}]}}]}",
            "Volumes[0].RequestedTopologies.Required[0].Segments[\"z\"]: expected a string, got a number",
        ),
        (
            "{\"Volumes\":[{\"Topologies\":[{\"z\":1}]}]}",
            "Volumes[0].Topologies[0][\"z\"]: expected a string, got a number",
        ),
        (
            "{\"PolicyOverride\":\"yes\"}",
            "PolicyOverride: expected true or false, got the string \"yes\"",
        ),
    ] {
        assert_eq!(refused(body.as_bytes()), text, "{body}");
    }
}

#[test]
fn a_body_that_is_too_deep_is_refused_and_not_walked() {
    for depth in [65, 200, 500_000] {
        let body = format!("{{\"Volumes\":{}", "[".repeat(depth));
        let text = refused(body.as_bytes());
        assert!(
            text.starts_with("the request body is nested deeper than 64 levels"),
            "{text}"
        );
    }
    let unknown = format!("{{\"x\":{}{}}}", "[".repeat(63), "]".repeat(63));
    assert!(VolumesRequest::decode(unknown.as_bytes()).is_ok());
}

#[test]
fn a_refusal_repeats_little_and_nothing_of_secrets() {
    let long = refused(format!("{{\"PolicyOverride\":\"{}\"}}", "\u{e9}".repeat(500)).as_bytes());
    assert!(long.chars().count() < 150, "{long}");
    for secrets in [
        "\"c4n4ry\"",
        "4242",
        "[\"c4n4ry\"]",
        "{\"c4n4ry\":4242}",
        "{\"k\":\"v\",\"c4n4ry\":{\"c4n4ry\":4242}}",
        "{\"k\":null}",
    ] {
        let volumes = format!("{{\"Volumes\":[{{\"secrets\":{secrets}}}]}}");
        let snapshots = format!("{{\"Snapshots\":[{{\"SECRETS\":{secrets}}}]}}");
        for (text, place) in [
            (
                refused(volumes.as_bytes()),
                "Volumes[0].Secrets: expected an object of strings, got ",
            ),
            (
                SnapshotsRequest::decode(snapshots.as_bytes())
                    .unwrap_err()
                    .to_string(),
                "Snapshots[0].Secrets: expected an object of strings, got ",
            ),
        ] {
            assert!(text.starts_with(place), "{text}");
            assert!(!text.contains("c4n4ry") && !text.contains("4242"), "{text}");
        }
    }
}

#[test]
fn what_nomad_lets_pass_passes() {
    for body in [
        &b"null"[..],
        b"{}",
        b"{\"Volumes\":null}",
        b"{\"Volumes\":[]} trailing",
        b"{\"Volumes\":[{\"ID\":\"a\"}],\"Volumes\":[]}",
        b"{\"Volumes\":[],\"Colour\":\"red\"}",
    ] {
        assert!(VolumesRequest::decode(body).unwrap().volumes.is_empty());
    }
    let mut named = VolumesRequest::decode(b"{\"Volumes\":[{\"ID\":\"\xff\xfe\"}]}").unwrap();
    assert_eq!(named.volumes.remove(0).id, "\u{fffd}\u{fffd}");
    assert_eq!(volume("\"id\":\"a\",\"ID\":\"b\"").id, "b");
    assert_eq!(volume("\"ID\":\"a\",\"iD\":\"b\"").id, "b");
    assert_eq!(volume("\"ID\":null").id, "");
    assert_eq!(volume("\"ID\":\"\\u00e9\\n\"").id, "\u{e9}\n");
}

#[test]
fn what_a_client_may_set_is_read() {
    let read = volume(
        r#""ID":"v2","name":"n","PluginID":"hp0","ExternalID":"e","Namespace":"team","SnapshotID":"s","CloneID":"c",
           "RequestedCapabilities":[{"AccessMode":"single-node-writer","AttachmentMode":"file-system"}],
           "RequestedCapacityMin":-1,"RequestedCapacityMax":9223372036854775807,
           "MountOptions":{"FsType":"ext4","MountFlags":["noatime","ro"]},
           "Parameters":{"a":"1","a":"2"},"Secrets":{"password":"c4n4ry"},"Context":{},
           "RequestedTopologies":{"Required":[{"Segments":{"zone":"a"}}],"Preferred":[{},null,{"zone":"a"}]},
           "Topologies":[{"foo":"bar"},{"segments":{"zone":"b"}},{},null,{"Segments":null},{"Segments":{}}]"#,
    );
    assert_eq!(
        [
            &read.id,
            &read.name,
            &read.plugin_id,
            &read.external_id,
            &read.snapshot_id,
            &read.clone_id
        ],
        ["v2", "n", "hp0", "e", "s", "c"]
    );
    assert_eq!(read.namespace.as_deref(), Some("team"));
    let capabilities = read.requested_capabilities.as_deref().unwrap();
    assert_eq!(capabilities.len(), 1);
    assert_eq!(capabilities[0].access_mode, "single-node-writer");
    assert_eq!(capabilities[0].attachment_mode, "file-system");
    assert_eq!(
        (read.requested_capacity_min, read.requested_capacity_max),
        (-1, i64::MAX)
    );
    let mount = read.mount_options.as_ref().unwrap();
    assert_eq!(mount.fs_type, "ext4");
    assert_eq!(
        mount.mount_flags.as_deref(),
        Some(&["noatime".to_owned(), "ro".to_owned()][..])
    );
    assert_eq!(read.parameters, Some(map(&[("a", "2")])));
    assert_eq!(read.context, Some(map(&[])));
    let zone = |segments| TopologySegmentsRequest { segments };
    let wanted = read.requested_topologies.as_ref().unwrap();
    assert_eq!(
        wanted.required,
        Some(vec![zone(Some(map(&[("zone", "a")])))])
    );
    assert_eq!(
        wanted.preferred,
        Some(vec![zone(None), zone(None), zone(None)])
    );
    assert_eq!(
        read.topologies,
        Some(vec![
            zone(Some(map(&[("foo", "bar")]))),
            zone(Some(map(&[("zone", "b")]))),
            zone(None),
            zone(None),
            zone(None),
            zone(Some(map(&[]))),
        ])
    );
    let printed = format!("{read:?}");
    assert!(
        !printed.contains("c4n4ry") && !printed.contains("noatime"),
        "{printed}"
    );
    let secrets = read.secrets.unwrap();
    assert_eq!(secrets.get("password").unwrap().expose(), "c4n4ry");
}

#[test]
fn what_only_the_server_sets_is_accepted_and_dropped() {
    // As Nomad's own Go client sends it, and then anything at all.
    let read = volume(
        r#""ID":"v1","Allocations":null,"ReadAllocs":{"a":null},"WriteAllocs":[1],"Secrets":null,"Context":null,
           "ResourceExhausted":"0001-01-01T00:00:00Z","CreateIndex":18446744073709551615,"ModifyIndex":0,
           "Schedulable":"maybe","ControllersHealthy":-3.5,"Provider":{},"CreateTime":"x","AccessMode":7,"Capacity":[]"#,
    );
    assert_eq!(read.id, "v1");
    assert!(read.secrets.is_none() && read.context.is_none());
    let printed = format!("{read:?}");
    let bare = format!("{:?}", volume("\"ID\":\"v1\""));
    assert_eq!(printed, bare);
    volume("\"ResourceExhausted\":0,\"CreateIndex\":-1,\"ModifyIndex\":\"\"");
}

#[test]
fn the_envelope_is_read_and_empty_is_absent() {
    let sent = r#"{"Region":"global","Namespace":"team","AuthToken":"c4n4ry","IdempotencyToken":"i","PolicyOverride":true}"#;
    let request = VolumesRequest::decode(sent.as_bytes()).unwrap();
    assert_eq!(request.envelope.region.as_deref(), Some("global"));
    assert_eq!(request.envelope.namespace.as_deref(), Some("team"));
    assert_eq!(request.envelope.idempotency_token.as_deref(), Some("i"));
    assert_eq!(
        request
            .envelope
            .auth_token
            .as_ref()
            .map(|token| token.expose()),
        Some("c4n4ry")
    );
    assert!(request.policy_override);
    assert!(!format!("{request:?}").contains("c4n4ry"));
    let empty = r#"{"Region":"","Namespace":"","SecretID":"","AuthToken":"","Snapshots":null}"#;
    let request = SnapshotsRequest::decode(empty.as_bytes()).unwrap();
    assert!(
        request.envelope.region.is_none()
            && request.envelope.namespace.is_none()
            && request.envelope.auth_token.is_none()
    );
    assert!(request.snapshots.is_empty());
}

#[test]
fn a_snapshot_is_read_and_null_is_none() {
    let sent =
        br#"{"Snapshots":[{"SourceVolumeID":"v","PluginID":"p","Name":"n","Secrets":{"k":"s"},
        "Parameters":{"class":"cold"},"ID":7,"CreateTime":"then","IsReady":0}]}"#;
    let mut request = SnapshotsRequest::decode(sent).unwrap();
    let snapshot = request.snapshots.remove(0);
    assert_eq!(
        [
            &snapshot.source_volume_id,
            &snapshot.plugin_id,
            &snapshot.name
        ],
        ["v", "p", "n"]
    );
    assert_eq!(snapshot.parameters, Some(map(&[("class", "cold")])));
    let secrets = snapshot.secrets.unwrap();
    assert_eq!(secrets.get("k").unwrap().expose(), "s");
    let nil = SnapshotsRequest::decode(b"{\"Snapshots\":[null]}").unwrap_err();
    assert_eq!(nil.message, "snapshot cannot be nil");
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit() {
    let limits = Limits {
        bytes: 8,
        ..Limits::default()
    };
    assert_eq!(
        body::read(Body::from("12345678"), limits).await.unwrap(),
        "12345678"
    );
    assert_eq!(body::read(Body::empty(), limits).await.unwrap(), "");
    let announced = body::read(Body::from("123456789"), limits)
        .await
        .unwrap_err();
    assert_eq!(announced.reason, Reason::BodyTooLarge);
    assert_eq!(announced.message, "the request body is larger than 8 bytes");
    let chunks = [Ok::<_, io::Error>("12345"), Ok("6789")];
    let streamed = body::read(Body::from_stream(stream::iter(chunks)), limits).await;
    assert_eq!(streamed.unwrap_err(), announced);
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let limits = Limits {
        time: Duration::from_millis(50),
        ..Limits::default()
    };
    let never = Body::from_stream(stream::pending::<Result<Bytes, io::Error>>());
    let refusal = body::read(never, limits).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::BodyTooSlow);
    assert_eq!(
        refusal.message,
        "the request body did not arrive within 0.05 s"
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_malformed() {
    let broken = [Ok("{"), Err(io::Error::other("reset"))];
    let refusal = body::read(Body::from_stream(stream::iter(broken)), Limits::default()).await;
    assert_eq!(refusal.unwrap_err().reason, Reason::Malformed);
}

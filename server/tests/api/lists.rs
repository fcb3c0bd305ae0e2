//! Lists of volumes: order, filters, and pages right across namespaces.

use crate::rig::{Rig, described, writer};
use crate::server::TestServer;
use crate::wire::Answer;
use saddlebag::id::Namespace;
use saddlebag_client::types;
use serde_json::{Value, json};

const NAMESPACES: [&str; 4] = ["alpha", "alpha-2", "beta", "alpha-10"];

/// A server with volumes in namespaces whose names begin alike.
async fn populated() -> Rig {
    let rig = Rig::start_with(
        |_| {},
        |config| config.namespaces = NAMESPACES.map(Namespace::known).to_vec(),
    )
    .await;
    let volumes: Vec<types::VolumeRequest> = NAMESPACES
        .into_iter()
        .chain(["default"])
        .flat_map(|namespace| ["db-1", "db-2", "db-3", "web[0]", "v é"].map(|id| (namespace, id)))
        .map(|(namespace, id)| {
            let external = format!("{namespace} {id}");
            described(id, json!({"Namespace": namespace, "ExternalID": external}))
        })
        .collect();
    rig.server.register_all(volumes).await.unwrap();
    rig
}

async fn list(server: &TestServer, query: &str) -> Answer {
    let path = format!("/v1/volumes?type=csi{query}");
    server.ask("GET", &path).send().await
}

/// `namespace.id` of each, in the order of the answer.
fn names(answer: &Answer) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = answer.json();
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{}.{}", text(&row["Namespace"]), text(&row["ID"])))
        .collect()
}

/// Every page of a query, each as names.
async fn pages(server: &TestServer, query: &str, size: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut token = String::new();
    loop {
        let escaped: String = form(&token);
        let answer = list(
            server,
            &format!("{query}&per_page={size}&next_token={escaped}"),
        )
        .await;
        pages.push(names(&answer));
        match answer.header("x-nomad-nexttoken") {
            Some(next) => token = next.to_owned(),
            None => return pages,
        }
        assert!(
            pages.len() <= 100,
            "the pages of {query} go round in a circle"
        );
    }
}

/// As in a query string.
fn form(text: &str) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Conformance case 44.
#[tokio::test]
async fn a_list_of_nothing_is_empty_and_not_null() {
    let server = TestServer::start().await;
    for query in [
        "",
        "&namespace=*",
        "&namespace=nope",
        "&namespace=..",
        "&prefix=x",
        "&plugin_id=nope",
        "&node_id=ab",
    ] {
        let answer = list(&server, query).await;
        assert_eq!((answer.status, answer.text()), (200, "[]"), "{query}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.index() > 0);
        assert_eq!(answer.header("x-nomad-knownleader"), Some("true"));
        assert_eq!(answer.header("x-nomad-lastcontact"), Some("0"));
        assert_eq!(answer.header("x-nomad-nexttoken"), None);
    }
    for (path, status, text) in [
        ("/v1/volumes", 200, "[]"),
        ("/v1/volumes?type=host", 200, "[]"),
        ("/v1/volumes?type=", 404, "resource not found"),
        ("/v1/volumes?type=CSI", 404, "resource not found"),
    ] {
        let answer = server.ask("GET", path).send().await;
        assert_eq!((answer.status, answer.text()), (status, text), "{path}");
        let tells_index = answer.header("x-nomad-index").is_some();
        assert_eq!(tells_index, path.ends_with("host"), "{path}");
    }
}

/// Conformance case 45, without tokens. Nomad ignores the prefix beside a plugin and shows nothing of it under `*`.
#[tokio::test]
async fn namespace_prefix_and_plugin_choose_what_is_shown() {
    let rig = populated().await;
    let server = &rig.server;
    let in_order = ["db-1", "db-2", "db-3", "v é", "web[0]"];
    let of = |namespace: &str, ids: &[&str]| -> Vec<String> {
        ids.iter().map(|id| format!("{namespace}.{id}")).collect()
    };
    let everywhere = |ids: &[&str]| -> Vec<String> {
        let mut namespaces = [&NAMESPACES[..], &["default"]].concat();
        namespaces.sort_unstable();
        namespaces
            .into_iter()
            .flat_map(|namespace| of(namespace, ids))
            .collect()
    };
    let databases = ["db-1", "db-2", "db-3"];
    let backwards: Vec<&str> = in_order.iter().rev().copied().collect();
    for (query, expected) in [
        ("", of("default", &in_order)),
        ("&reverse=true", of("default", &backwards)),
        ("&namespace=alpha", of("alpha", &in_order)),
        ("&namespace=*", everywhere(&in_order)),
        ("&prefix=db", of("default", &databases)),
        ("&prefix=d", of("default", &databases)),
        ("&prefix=DB", vec![]),
        ("&prefix=web%5B", of("default", &["web[0]"])),
        ("&namespace=*&prefix=db-", everywhere(&databases)),
        ("&plugin_id=disk", of("default", &in_order)),
        ("&plugin_id=dis", vec![]),
        ("&plugin_id=disk&prefix=web", of("default", &["web[0]"])),
        ("&plugin_id=disk&namespace=*", everywhere(&in_order)),
        (
            "&plugin_id=disk&namespace=*&prefix=db-2",
            everywhere(&["db-2"]),
        ),
        ("&plugin_id=nope&namespace=*", vec![]),
    ] {
        assert_eq!(names(&list(server, query).await), expected, "{query}");
    }

    let mut claim = writer("db-2", "alloc-1");
    claim.node = saddlebag::id::NodeId::known("3c0ffee0-aaaa");
    server.claim(&claim).await;
    for (query, expected) in [
        ("&node_id=3c0", of("default", &["db-2"])),
        ("&node_id=3C0FF", of("default", &["db-2"])),
        ("&node_id=3c0&prefix=web", vec![]),
        ("&node_id=4", vec![]),
    ] {
        let answer = list(server, query).await;
        assert_eq!(names(&answer), expected, "{query}");
    }
    let listed = list(server, "&prefix=db-2").await.json();
    assert_eq!(
        (&listed[0]["CurrentWriters"], &listed[0]["CurrentReaders"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(listed[0]["AccessMode"], "single-node-writer");
}

/// A real Nomad goes round for ever at `alpha` and `alpha-2`.
#[tokio::test]
async fn pages_of_every_size_show_each_volume_once_and_in_order() {
    let rig = populated().await;
    for query in [
        "",
        "&namespace=*",
        "&namespace=*&prefix=db",
        "&namespace=*&plugin_id=disk",
        "&namespace=*&plugin_id=disk&prefix=db-3",
        "&namespace=alpha-2",
    ] {
        let whole = names(&list(&rig.server, query).await);
        assert!(!whole.is_empty());
        for size in [1, 2, 3, 7, 25, 100] {
            let pages = pages(&rig.server, query, size).await;
            let (last, full) = pages.split_last().unwrap();
            assert!(full.iter().all(|page| page.len() == size) && !last.is_empty());
            assert_eq!(pages.concat(), whole, "{query} by {size}");
        }
    }
}

/// Conformance case 46.
#[tokio::test]
async fn a_token_names_the_next_volume_and_leads_on_when_that_is_gone() {
    let rig = Rig::start().await;
    let volumes = (0..10).map(|n| described(&format!("vol-{n:02}"), json!({})));
    rig.server.register_all(volumes.collect()).await.unwrap();
    let first = list(&rig.server, "&per_page=4").await;
    assert_eq!(first.header("x-nomad-nexttoken"), Some("default.vol-04"));
    let second = list(&rig.server, "&per_page=2&next_token=default.vol-04").await;
    assert_eq!(names(&second), ["default.vol-04", "default.vol-05"]);
    assert_eq!(second.header("x-nomad-nexttoken"), Some("default.vol-06"));

    rig.client()
        .deregister_volume()
        .volume_id("vol-06")
        .send()
        .await
        .unwrap();
    let third = list(&rig.server, "&per_page=2&next_token=default.vol-06").await;
    assert_eq!(names(&third), ["default.vol-07", "default.vol-08"]);
    let last = list(&rig.server, "&per_page=2&next_token=default.vol-09").await;
    assert_eq!(
        (names(&last), last.header("x-nomad-nexttoken")),
        (vec!["default.vol-09".to_owned()], None)
    );

    for (query, ids, token) in [
        ("&next_token=z", &[][..], None),
        ("&next_token=default.vol-085", &["default.vol-09"], None),
        (
            "&per_page=1&next_token=!!",
            &["default.vol-00"],
            Some("default.vol-01"),
        ),
        ("&per_page=0", &["default.vol-00"], None),
        ("&per_page=-1", &[], Some("default.vol-00")),
    ] {
        let answer = list(&rig.server, query).await;
        let names = names(&answer);
        assert_eq!(
            names.get(..ids.len()),
            Some(&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()[..]),
            "{query}"
        );
        assert_eq!(names.is_empty(), ids.is_empty());
        assert_eq!(answer.header("x-nomad-nexttoken"), token, "{query}");
    }
}

/// nomad-http.md §1.10: the first that is wrong decides.
#[tokio::test]
async fn parameters_that_cannot_be_read_are_refused_with_nomads_texts() {
    let server = TestServer::start().await;
    for (query, status, text) in [
        (
            "&per_page=abc",
            400,
            "Expect a number for `per_page` query string parameter",
        ),
        ("&index=abc", 400, "Invalid index"),
        ("&index=-1", 400, "Invalid index"),
        ("&wait=10", 400, "Invalid wait time"),
        (
            "&stale=maybe",
            400,
            "Expect `true` or `false` for `stale` query string parameter",
        ),
        ("&region=mars", 400, "No path to region"),
        (
            "&region=mars&stale=maybe&per_page=x",
            400,
            "No path to region",
        ),
        (
            "&stale=maybe&per_page=x&wait=1&index=x",
            400,
            "Expect `true` or `false` for `stale` query string parameter",
        ),
        (
            "&per_page=x&wait=1&index=x",
            400,
            "Expect a number for `per_page` query string parameter",
        ),
        ("&wait=1&index=x", 400, "Invalid wait time"),
        (
            "&region=global&stale&index=0&wait=10s&per_page=0",
            200,
            "[]",
        ),
    ] {
        for path in ["/v1/volumes?type=csi", "/v1/plugins?type=csi&prefix=nope"] {
            let answer = server.ask("GET", &format!("{path}{query}")).send().await;
            assert_eq!(
                (answer.status, answer.text()),
                (status, text),
                "{path}{query}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_listed_is_what_is_read_and_pretty_only_adds_space() {
    let rig = Rig::start().await;
    rig.create("db", json!({"RequestedCapacityMin": 1000}))
        .await
        .unwrap();
    let listed = list(&rig.server, "").await;
    let read = rig.server.ask("GET", "/v1/volume/csi/db").send().await;
    assert_eq!(listed.index(), read.index());
    let (stub, read) = (listed.json()[0].clone(), read.json());
    for (key, value) in stub.as_object().unwrap() {
        if !["CurrentReaders", "CurrentWriters"].contains(&key.as_str()) {
            assert_eq!(value, &read[key], "{key}");
        }
    }
    let pretty = list(&rig.server, "&pretty").await;
    assert_eq!(pretty.json(), listed.json());
    assert!(pretty.text().starts_with("[\n    {\n        \"") && pretty.text().ends_with("]\n"));

    let zipped = rig
        .server
        .ask("GET", "/v1/volumes?type=csi")
        .header("Accept-Encoding", "gzip")
        .send()
        .await;
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    assert_eq!(zipped.header("vary"), Some("Accept-Encoding"));
    let mut unzipped = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::GzDecoder::new(&zipped.body[..]),
        &mut unzipped,
    )
    .unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&unzipped).unwrap(),
        listed.json()
    );
}

/// Nothing that was kept from a client can be guessed by asking for it.
#[tokio::test]
async fn a_filter_sees_no_secret_and_no_mount_flag() {
    let rig = Rig::start().await;
    let kept = json!({
        "ExternalID": "e",
        "Secrets": {"password": "hunter2"},
        "MountOptions": {"FSType": "cifs", "MountFlags": ["password=hunter2"]},
    });
    rig.register("db", kept).await.unwrap();
    for (filter, shown) in [
        ("Secrets.password == hunter2", 0),
        ("Secrets is empty", 1),
        ("hunter2 in Secrets", 0),
        ("any Secrets as k, v { v contains h }", 0),
        ("MountOptions.MountFlags contains `password=hunter2`", 0),
        ("MountOptions.MountFlags contains `[REDACTED]`", 1),
    ] {
        let asked = rig.server.http.get(rig.server.at("/v1/volumes"));
        let asked = asked.query(&[("type", "csi"), ("filter", filter)]);
        let listed: Value = asked.send().await.unwrap().json().await.unwrap();
        assert_eq!(listed.as_array().map(Vec::len), Some(shown), "{filter}");
    }
}

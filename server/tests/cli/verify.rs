//! `saddlebag verify` finds nothing at a server of ours, names each lie of another one, and leaves nothing behind.

use crate::process::soon;
use crate::story::{Said, Story};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;

/// Runs the command, which sends some thousand requests, to its end.
async fn verify(story: &Story, args: &[&str]) -> Said {
    const PATIENCE: Duration = Duration::from_secs(400);
    let mut command = story.command(&[&["verify"], args].concat());
    let ended = tokio::time::timeout(PATIENCE, command.output()).await;
    Said::from(ended.expect("the run should end").unwrap())
}

/// What a run found, as JSON.
#[track_caller]
fn found(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{said:?}"))
}

/// The operations that were answered with this status, by how often.
fn answered(found: &Value, status: &str) -> usize {
    let operations = found["Operations"].as_array().unwrap().iter();
    operations
        .filter(|it| it["Statuses"][status].as_u64() > Some(0))
        .count()
}

#[tokio::test]
async fn a_server_of_ours_answers_every_operation_as_documented_and_nothing_changes() {
    let story = Story::begin().await;
    let said = verify(&story, &["--json"]).await;
    let found = found(&said);
    assert_eq!(found["Differences"], json!([]), "{said:?}");
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    assert_eq!(found["Nomad"], false);
    let asked = found["Operations"].as_array().unwrap().iter();
    assert!(asked.filter(|it| it["Requests"].as_u64() > Some(5)).count() >= 80);
    assert!(
        found["Requests"].as_u64() > Some(3000),
        "{}",
        found["Requests"]
    );
    for (status, operations) in [
        ("200", 30),
        ("400", 70),
        ("403", 60),
        ("404", 25),
        ("413", 25),
    ] {
        assert!(answered(&found, status) >= operations, "{status}: {found}");
    }
    assert_eq!(
        story.told(&["volume", "list", "--namespace", "*"]).await,
        "No volumes\n"
    );
    assert_eq!(story.told(&["operation", "list", "--quiet"]).await, "");
    story.dev.stop().await;
}

#[tokio::test]
async fn what_it_makes_is_as_documented_too_and_is_taken_away_again() {
    let story = Story::begin_with(&["--acl-enabled"]).await;
    let token = story.told(&["acl", "bootstrap", "--json"]).await;
    let token: Value = serde_json::from_str(&token).unwrap();
    let token = token["SecretID"].as_str().unwrap();
    let only = "read_volume,register_volumes_by_post,deregister_volume,delete_volume,claim_volume,read_claim,\
                release_claim,create_snapshots_by_post,delete_snapshot,apply_namespace_by_post,delete_namespace,\
                create_token_by_post,read_token,delete_token,create_role_by_post,read_role_by_name,apply_policy,\
                bootstrap_acl";
    let said = verify(
        &story,
        &["--write", "--json", "--token", token, "--only", only],
    )
    .await;
    let found = found(&said);
    assert_eq!(found["Differences"], json!([]), "{said:?}");
    assert_eq!(found["LeftBehind"], json!([]), "{said:?}");
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    for operation in found["Operations"].as_array().unwrap() {
        match operation["Operation"].as_str().unwrap() {
            "bootstrap_acl" => assert!(operation["LeftOut"].is_string(), "{operation}"),
            asked if only.split(',').any(|asked_for| asked_for == asked) => assert!(
                operation["Statuses"]["200"].as_u64() > Some(0),
                "{operation}"
            ),
            _ => {} // what others need first
        }
    }
    for (command, left) in [
        (&["volume", "list", "--namespace", "*"][..], "No volumes\n"),
        (
            &["volume", "list", "--external", "--plugin", "local"],
            "No volumes\n",
        ),
        (
            &["volume", "snapshot", "list", "--plugin", "local"],
            "No snapshots\n",
        ),
        (&["acl", "policy", "list"], "No policies\n"),
        (&["namespace", "list", "--quiet"], "default\n"),
    ] {
        assert_eq!(
            story.told(&[command, &["--token", token]].concat()).await,
            left
        );
    }
    story.dev.stop().await;
}

#[tokio::test]
async fn what_goes_on_after_its_answer_is_awaited() {
    let story = Story::begin().await;
    let slow = ["DeleteVolume", "CreateSnapshot", "DeleteSnapshot"]
        .map(|call| json!({ "Call": call, "Delay": "50ms", "Count": 1_000_000 }));
    let faults = json!({ "Faults": slow });
    let answer = story
        .dev
        .ask(Method::PUT, "/v1/testing/faults", Some(faults))
        .await;
    assert_eq!(answer.0, 200, "{answer:?}");
    let tried = [
        "delete_volume",
        "create_snapshots_by_post",
        "delete_snapshot",
    ];
    let only = tried.join(",");
    let said = verify(&story, &["--write", "--json", "--only", &only]).await;
    let found = found(&said);
    assert_eq!(found["Differences"], json!([]), "{said:?}");
    assert_eq!(found["LeftBehind"], json!([]), "{said:?}");
    for operation in found["Operations"].as_array().unwrap() {
        if tried.contains(&operation["Operation"].as_str().unwrap()) {
            let times = |status: &str| operation["Statuses"][status].as_u64() > Some(0);
            assert!(times("200") && times("504"), "{operation}");
        }
    }
    story.dev.stop().await;
}

#[tokio::test]
async fn what_it_made_is_taken_away_after_ctrl_c() {
    let story = Story::begin().await;
    let mut command = story.command(&["verify", "--write"]);
    let run = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    soon("a volume of the run", async {
        while story.told(&["volume", "list", "--namespace", "*"]).await == "No volumes\n" {}
    })
    .await;
    let pid = Pid::from_raw(run.id().unwrap().cast_signed()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let output = soon("the run to end", run.wait_with_output())
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(
        story.told(&["volume", "list", "--namespace", "*"]).await,
        "No volumes\n"
    );
    assert_eq!(
        story.told(&["namespace", "list", "--quiet"]).await,
        "default\n"
    );
    story.dev.stop().await;
}

/// A server that answers so; what is not in it is 404. Its address.
async fn liar(routes: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

fn answer(body: Value) -> impl IntoResponse + Clone {
    (
        [(header::CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
}

/// JSON with the headers of a list.
fn listed(body: Value) -> impl IntoResponse {
    let headers = [
        ("X-Nomad-Index", "7"),
        ("X-Nomad-Knownleader", "true"),
        ("X-Nomad-Lastcontact", "0"),
    ];
    (headers, answer(body))
}

#[tokio::test]
async fn each_lie_is_named_with_the_request_that_shows_it() {
    let agent = json!({ "config": { "ACL": { "Enabled": true } }, "member": {}, "stats": {} });
    let routes = Router::new()
        .route("/v1/agent/self", get(answer(agent)))
        .route("/v1/regions", get(answer(json!(["global"]))))
        .route("/v1/plugins", get(async || listed(json!([{ "ID": 5 }]))))
        .route("/v1/volumes", get(StatusCode::IM_A_TEAPOT))
        .route("/v1/nodes", get(answer(json!([]))))
        .route("/v1/operations", get(Html("<p>none</p>")))
        .route("/v1/namespaces", get(async || listed(json!([]))));
    let address = liar(routes).await;
    let story = Story::begin().await;
    let only = "list_regions,list_plugins,list_nodes,list_volumes,list_operations,list_namespaces";
    let junit = story.path("found.xml");
    let said = verify(
        &story,
        &[
            &address,
            "--json",
            "--token",
            "hush",
            "--only",
            only,
            "--junit",
            junit.to_str().unwrap(),
        ],
    )
    .await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(!said.stdout.contains("hush"), "{said:?}");
    let found = found(&said);
    let of = |operation: &str| -> Vec<&Value> {
        let differences = found["Differences"].as_array().unwrap().iter();
        differences
            .filter(|it| it["Operation"] == operation)
            .collect()
    };
    for (operation, place, problem) in [
        (
            "list_plugins",
            "response 200 application/json / [0] / ID",
            "5 is not of type \"string\"",
        ),
        (
            "list_volumes",
            "response 418",
            "the document has no such status",
        ),
        (
            "list_nodes",
            "response 200 header X-Nomad-Index",
            "it is required and was not sent",
        ),
        (
            "list_operations",
            "response 200",
            "content type text/html is not documented",
        ),
        (
            "list_namespaces",
            "request query index",
            "accepted invalid input: ",
        ),
    ] {
        let is_it = |it: &&Value| {
            it["Place"] == place && it["Problem"].as_str().unwrap().starts_with(problem)
        };
        let told = of(operation).into_iter().find(is_it);
        let told = told.unwrap_or_else(|| panic!("{operation}: {:#?}", of(operation)));
        let curl = told["Curl"].as_str().unwrap();
        assert!(
            curl.contains("-H \"X-Nomad-Token: $NOMAD_TOKEN\" "),
            "{curl}"
        );
        assert!(curl.contains(&address), "{curl}");
    }
    assert_eq!(of("list_regions"), Vec::<&Value>::new());

    let junit = std::fs::read_to_string(junit).unwrap();
    for part in [
        "tests=\"7\" failures=\"5\"",
        "<testcase classname=\"status\" name=\"list_regions\"/>",
        "<failure message=\"response 418: the document has no such status\">",
    ] {
        assert!(junit.contains(part), "{part}: {junit}");
    }
    let table = verify(&story, &[&address, "--only", "list_volumes"]).await;
    assert_eq!(table.code, Some(1), "{table:?}");
    for part in [
        "list_volumes: response 418: ",
        "\n  documented  one of 200, 400, 403, 404, 429, 500\n",
        "\n  again       curl -i ",
    ] {
        assert!(table.stdout.contains(part), "{part}: {}", table.stdout);
    }
    story.dev.stop().await;
}

#[tokio::test]
async fn what_a_nomad_is_known_to_do_otherwise_is_told_apart() {
    let version = json!({ "Revision": "4f4ba6f", "Version": "2.0.0" });
    let agent = json!({
        "config": { "ACL": { "Enabled": false }, "Version": version }, "member": {}, "stats": {},
    });
    let routes = Router::new()
        .route("/v1/agent/self", get(answer(agent)))
        .route("/v1/regions", get(answer(json!(["global"]))))
        .route(
            "/v1/plugins",
            get(async || ([(header::CONTENT_TYPE, "application/json")], "[]")),
        )
        .fallback(async || (StatusCode::NOT_FOUND, "404 page not found"));
    let address = liar(routes).await;
    let story = Story::begin().await;
    let run = async |only| verify(&story, &[&address, "--json", "--only", only]).await;
    let said = run("list_regions,list_claims,doctor,list_csi_plugins,read_document_json").await;
    let told = found(&said);
    assert_eq!(
        (told["Nomad"].clone(), told["Version"].clone()),
        (json!(true), json!("2.0.0"))
    );
    let reasons: Vec<&str> = told["IntendedDifferences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["Intended"].as_str().unwrap())
        .collect();
    for reason in [
        "routes of saddlebag alone",
        "routes of the first published drafts",
    ] {
        assert!(reasons.contains(&reason), "{reasons:?}");
    }
    let bare = told["Differences"].as_array().unwrap().iter();
    let bare: Vec<&Value> = bare.map(|it| &it["Operation"]).collect();
    // To set the stage it looked for plugins, nodes and volumes, which this Nomad does not have.
    assert!(
        bare.iter().all(
            |it| ["list_plugins", "list_nodes", "list_volumes"].contains(&it.as_str().unwrap())
        ),
        "{bare:?}"
    );
    story.dev.stop().await;
}

#[tokio::test]
async fn who_is_not_there_or_not_meant_is_told_as_by_every_command() {
    let story = Story::begin().await;
    let nobody = verify(&story, &["http://127.0.0.1:1"]).await;
    assert_eq!(nobody.code, Some(5), "{nobody:?}");
    assert!(
        nobody
            .stderr
            .contains("no server answers at http://127.0.0.1:1"),
        "{nobody:?}"
    );
    for wrong in [&["ftp://host"][..], &["--only", "nonsense"]] {
        assert_eq!(verify(&story, wrong).await.code, Some(2), "{wrong:?}");
    }
    story.dev.stop().await;
}

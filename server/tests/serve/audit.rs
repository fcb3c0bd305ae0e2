//! The audit log: what is in it of each request, and what becomes of requests when it cannot be written.

use crate::process::{Running, soon};
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::site::{Site, healthy, reload};
use reqwest::Method;
use saddlebag::csi::Call;
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt, symlink};
use tokio::sync::watch;

/// The secret of the first token.
const MANAGEMENT: &str = "aaaaaaaa-1111-4222-8333-aaaaaaaaaaaa";

impl Site {
    /// Configures an audit log at `log`, with these more keys of it, and this before it.
    pub fn audited(&self, before: &str, more: &str) {
        self.configure(&format!(
            "builtin_driver = true\n{before}\n[audit]\nenabled = true\nfile = \"log\"\n{more}"
        ));
    }

    /// The lines of a file, each of which is whole.
    pub fn lines(&self, file: &str) -> Vec<Value> {
        let told = std::fs::read_to_string(self.at(file)).unwrap();
        assert!(told.is_empty() || told.ends_with('\n'), "{told}");
        let line =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        told.lines().map(line).collect()
    }

    /// Puts the log where nothing can be written, and the server to it.
    async fn fill_up(&self, running: &mut Running) {
        std::fs::rename(self.at("log"), self.at("log.before")).unwrap();
        symlink("/dev/full", self.at("log")).unwrap();
        reload(running, "the audit log was opened again").await;
    }

    /// Takes that back.
    async fn make_room(&self, running: &mut Running) {
        std::fs::remove_file(self.at("log")).unwrap();
        std::fs::rename(self.at("log.before"), self.at("log")).unwrap();
        let before = running.stderr.so_far().matches(REOPENED).count();
        running.signal(rustix::process::Signal::HUP);
        soon(REOPENED, async {
            while running.stderr.so_far().matches(REOPENED).count() == before {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

pub const REOPENED: &str = "the audit log was opened again";

/// Asks with a token, or without; the status and the JSON of the answer.
async fn ask(
    running: &Running,
    token: &str,
    method: &str,
    path: &str,
    body: Value,
) -> (u16, Value) {
    let url = format!("{}{path}", running.url);
    let client = saddlebag_client::http().build().unwrap();
    let mut request = client.request(method.parse().unwrap(), url);
    request = request.header("Accept", "application/json");
    if !token.is_empty() {
        request = request.header("X-Nomad-Token", token);
    }
    if !body.is_null() {
        request = request.json(&body);
    }
    let answer = soon("an answer", request.send()).await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

/// What a line says, but for times and ids that nobody knows before.
fn said(line: &Value) -> Value {
    json!([
        line["token"],
        line["method"],
        line["operation"],
        line["namespace"],
        line["objects"],
        line["status"]
    ])
}

#[tokio::test]
async fn each_request_has_a_line_that_says_who_asked_for_what_and_what_came_of_it() {
    let site = Site::new();
    site.audited("[acl]\nenabled = true", "");
    let serve = site.start(&[]).await;
    let first = json!({ "BootstrapSecret": MANAGEMENT });
    let (_, first) = ask(&serve, "", "PUT", "/v1/acl/bootstrap", first).await;
    let first = first["AccessorID"].as_str().unwrap();
    let volume = crate::process::volume("db", "local");
    let foreign = "bbbbbbbb-9999-4222-8333-bbbbbbbbbbbb";
    let claim = json!({"AllocationID": "5a2c3f1e-0d6b-4e0c-9b1a-7f6f2f0f9c11"});
    let snapshot = json!({"Snapshots": [{"SourceVolumeID": "db", "Name": "s"}]});
    let role = json!({"Name": "r", "Policies": [{"Name": "p"}]});
    let policy = json!({"Name": "p", "Rules": "namespace \"*\" { policy = \"read\" }"});
    let mut answers = Vec::new();
    for (token, method, path, body) in [
        (MANAGEMENT, "PUT", "/v1/volume/csi/other/create", volume),
        (
            MANAGEMENT,
            "GET",
            "/v1/volume/csi/db?secret=hush&filter=hush",
            Value::Null,
        ),
        (
            "",
            "GET",
            "/v1/volume/csi/db?namespace=default",
            Value::Null,
        ),
        (
            foreign,
            "DELETE",
            "/v1/volume/csi/db?namespace=no%20namespace",
            Value::Null,
        ),
        ("hush", "GET", "/v1/nodes", Value::Null),
        (MANAGEMENT, "GET", "/v1/hush?hush=hush", Value::Null),
        (MANAGEMENT, "PUT", "/v1/volume/csi/db/claim?wait=20s", claim),
        (MANAGEMENT, "PUT", "/v1/volumes/snapshot", snapshot),
        (
            MANAGEMENT,
            "GET",
            "/v1/volumes/snapshot?plugin_id=local",
            Value::Null,
        ),
        (MANAGEMENT, "PUT", "/v1/acl/policy/p", policy),
        (MANAGEMENT, "PUT", "/v1/acl/role", role),
        // A token's secret where its accessor belongs.
        (
            MANAGEMENT,
            "GET",
            &format!("/v1/acl/token/{MANAGEMENT}"),
            Value::Null,
        ),
        (
            MANAGEMENT,
            "DELETE",
            &format!("/v1/acl/token/{first}"),
            Value::Null,
        ),
    ] {
        answers.push(ask(&serve, token, method, path, body).await);
    }
    serve.stop().await;
    let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(
        statuses,
        [
            200, 200, 403, 403, 403, 404, 200, 200, 200, 200, 200, 404, 200
        ]
    );
    let lines = site.lines("log");
    let local = json!({"kind": "plugin", "id": "local"});
    let db = json!({"kind": "volume", "id": "db"});
    let in_default = json!({"kind": "volume", "namespace": "default", "id": "db"});
    let claim = json!({"kind": "claim", "id": "5a2c3f1e-0d6b-4e0c-9b1a-7f6f2f0f9c11"});
    let taken = json!({"kind": "snapshot", "id": answers[7].1["Snapshots"][0]["ID"]});
    let role = json!({"kind": "role", "id": answers[10].1["ID"]});
    let token = json!({"kind": "token", "id": first});
    let policy = json!({"kind": "policy", "id": "p"});
    let expected = [
        json!(["anonymous", "PUT", "bootstrap_acl", null, [token], 200]),
        json!([first, "PUT", "create_volume", null, [in_default], 200]),
        json!([first, "GET", "read_volume", "default", [db], 200]),
        json!(["anonymous", "GET", "read_volume", "default", [db], 403]),
        json!(["unknown", "DELETE", "deregister_volume", null, [db], 403]),
        json!(["unknown", "GET", "list_nodes", null, [], 403]),
        json!([null, "GET", null, null, [], 404]),
        json!([first, "PUT", "claim_volume", "default", [db, claim], 200]),
        json!([
            first,
            "PUT",
            "create_snapshots",
            null,
            [in_default, taken],
            200
        ]),
        json!([first, "GET", "list_snapshots", "default", [local], 200]),
        json!([first, "PUT", "apply_policy", null, [policy], 200]),
        json!([first, "PUT", "create_role", null, [role], 200]),
        json!([first, "GET", "read_token", null, [], 404]),
        json!([first, "DELETE", "delete_token", null, [token], 200]),
    ];
    assert_eq!(lines.iter().map(said).collect::<Vec<_>>(), expected);
    for line in &lines {
        assert_eq!(
            (&line["client"], &line["stage"]),
            (&json!("127.0.0.1"), &json!("complete"))
        );
        line["time"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap();
        assert!(line["duration_us"].as_u64().unwrap() > 0);
    }
    let told = std::fs::read_to_string(site.at("log")).unwrap();
    assert!(
        !told.contains("hush") && !told.contains(MANAGEMENT),
        "{told}"
    );
    let mode = std::fs::metadata(site.at("log"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn an_enforced_change_is_in_the_log_before_it_is_begun_and_before_it_is_answered() {
    let site = Site::new();
    site.audited("", "enforce = true\nfsync = true");
    let serve = site.start(&[]).await;
    let (status, _) = serve.create("db", "local").await;
    assert_eq!(status, 200);
    let (status, _) = serve
        .ask(Method::DELETE, "/v1/volume/csi/none/delete", None)
        .await;
    assert_eq!(status, 404);
    serve.kill().await;
    let lines = site.lines("log");
    let of = |operation: &str| -> Vec<&Value> {
        let is = |line: &&Value| line["operation"] == operation;
        lines.iter().filter(is).collect()
    };
    for (operation, status) in [("create_volume", 200), ("delete_volume", 404)] {
        let [received, complete] = of(operation)[..] else {
            panic!("{lines:?}");
        };
        assert_eq!(
            (&received["stage"], &received["status"]),
            (&json!("received"), &Value::Null)
        );
        assert_eq!(
            (&complete["stage"], &complete["status"]),
            (&json!("complete"), &json!(status))
        );
        assert_eq!(received["request"], complete["request"]);
    }
}

#[tokio::test]
async fn an_enforced_change_that_cannot_be_recorded_is_not_begun_and_reads_go_on() {
    let site = Site::new();
    site.configure(
        "builtin_driver = true\n[audit]\nenabled = true\nenforce = true\nfile = \"/dev/full\"\n",
    );
    let serve = site.start(&[]).await;
    for _ in 0..2 {
        let (status, refused) = serve.create("db", "local").await;
        assert_eq!(
            (status, &refused["code"]),
            (500, &json!("not_recorded")),
            "{refused}"
        );
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.contains("nothing was begun: /dev/full: No space left"),
            "{message}"
        );
        assert_eq!(refused["retryable"], true);
    }
    let (status, volumes) = serve.get("/v1/volumes?type=csi").await;
    assert_eq!((status, volumes), (200, json!([])));
    let (_, operations) = serve.get("/v1/operations").await;
    assert_eq!(operations, json!([]));
    let log = serve.stop().await.stderr;
    assert_eq!(
        log.matches("the audit log cannot be written").count(),
        1,
        "{log}"
    );
}

#[tokio::test]
async fn an_enforced_change_whose_outcome_cannot_be_recorded_is_not_answered_as_done() {
    let (site, driver) = (Site::new(), ScriptedDriver::start());
    let (go_on, told) = watch::channel(false);
    driver.always(
        Call::CreateVolume,
        Reply::Once(told, Box::new(Reply::Usual)),
    );
    let disk = format!(
        "[[plugin]]\nid = \"disk\"\nendpoint = \"{}\"\n",
        driver.endpoint()
    );
    site.audited("", &format!("enforce = true\n{disk}"));
    let mut serve = site.start(&[]).await;
    healthy(&serve, "disk").await;
    let create = saddlebag_client::http()
        .build()
        .unwrap()
        .put(format!("{}/v1/volume/csi/db/create", serve.url))
        .json(&crate::process::volume("db", "disk"))
        .send();
    let create = tokio::spawn(create);
    soon("a create", driver.asked(Call::CreateVolume, 1)).await;
    site.fill_up(&mut serve).await;
    go_on.send_replace(true);
    let answer = soon("an answer", create).await.unwrap().unwrap();
    assert_eq!(answer.status(), 500);
    let message = answer.text().await.unwrap();
    assert!(
        message.contains("what came of this is not told; it may be done"),
        "{message}"
    );
    assert_eq!(serve.get("/v1/volume/csi/db").await.0, 200, "it was done");
    site.make_room(&mut serve).await;
    assert_eq!(serve.create("other", "local").await.0, 200);
    serve.stop().await;
    let lines = site.lines("log");
    let stages = lines
        .iter()
        .filter(|line| line["operation"] != "read_volume");
    let stages: Vec<Value> = stages
        .map(|line| json!([line["stage"], line["status"]]))
        .collect();
    let gap = json!(["gap", null]);
    let at = stages.iter().position(|stage| *stage == gap).unwrap();
    assert_eq!(
        stages[at - 1..],
        [
            json!(["received", null]),
            gap,
            json!(["received", null]),
            json!(["complete", 200]),
        ]
    );
    // The end of the create, and the read after it.
    let gap = lines.iter().find(|line| line["stage"] == "gap").unwrap();
    assert_eq!(gap["lost"], 2);
}

#[tokio::test]
async fn unless_it_is_enforced_nothing_waits_for_the_log_and_it_says_what_it_lost() {
    let site = Site::new();
    site.audited("", "");
    let mut serve = site.start(&[]).await;
    site.fill_up(&mut serve).await;
    assert_eq!(serve.create("db", "local").await.0, 200);
    assert_eq!(serve.get("/v1/volume/csi/db").await.0, 200);
    serve
        .stderr
        .until("the audit log cannot be written: No space left")
        .await;
    site.make_room(&mut serve).await;
    assert_eq!(serve.get("/v1/plugins?type=csi").await.0, 200);
    serve.stop().await;
    let lines = site.lines("log");
    let [.., gap, last] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!((&gap["stage"], &gap["lost"]), (&json!("gap"), &json!(2)));
    assert_eq!(last["operation"], "list_plugins");
}

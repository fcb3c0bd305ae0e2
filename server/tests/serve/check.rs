//! What configuration says: the example, what wins, and what is refused with its place.

use crate::locked::Locked;
use crate::process::{output, soon};
use crate::site::Site;
use saddlebag::config::{EXAMPLE, Settings, file};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::process::Command;

/// The example without its keys being comments.
fn uncommented() -> String {
    let is_key = |line: &str| line.starts_with('#') && !line.starts_with("# ") && line.len() > 1;
    let line = |line: &'static str| if is_key(line) { &line[1..] } else { line };
    EXAMPLE
        .lines()
        .map(|text| format!("{}\n", line(text)))
        .collect()
}

fn parse(text: &str) -> Settings {
    file::parse(Path::new("saddlebag.toml"), text).unwrap_or_else(|error| panic!("{error}"))
}

/// What a command prints, if it is content.
async fn printed(command: &mut Command) -> String {
    let output = soon("an answer", command.output()).await.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_example_as_it_is_says_nothing() {
    assert_eq!(parse(EXAMPLE), Settings::default());
}

#[test]
fn the_example_names_every_key_and_each_default_in_it_is_the_real_one() {
    let before_plugins = uncommented();
    let (before_plugins, _) = before_plugins.split_once("[[plugin]]").unwrap();
    let mut defaults = Settings::defaults();
    defaults.plugins = None;
    assert_eq!(
        parse(before_plugins).by_key().unwrap(),
        defaults.by_key().unwrap()
    );
}

#[test]
fn the_example_names_every_key_of_a_plugin_and_each_default_in_it_is_the_real_one() {
    let whole = uncommented();
    let shown: toml::Table = whole
        .lines()
        .filter(|line| !line.starts_with("command"))
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        .parse()
        .unwrap();
    let shown = shown["plugin"][0].as_table().unwrap();
    let unknown = file::parse(Path::new("f"), "[[plugin]]\nxxx = 1").unwrap_err();
    let known = unknown.to_string();
    let (_, known) = known.split_once("known here: ").unwrap();
    for key in known.split(", ") {
        assert!(shown.contains_key(key) || key == "command", "{key}");
    }
    let least = "[[plugin]]\nid = \"nfs\"\nendpoint = \"unix:///run/nfs/csi.sock\"\n";
    let least = toml::Table::try_from(parse(least)).unwrap();
    for (key, value) in least["plugin"][0].as_table().unwrap() {
        assert_eq!(shown[key], *value, "{key}");
    }
    assert!(whole.contains("\ncommand = ["));
}

#[tokio::test]
async fn the_example_is_printed_and_checked_as_it_is_and_with_every_key() {
    let site = Site::new();
    let example = output(&["config", "example"]).await;
    assert_eq!(String::from_utf8(example.stdout).unwrap(), EXAMPLE);
    for (name, text) in [("as-it-is", EXAMPLE), ("empty", "")] {
        let file = site.at(name);
        std::fs::write(&file, text).unwrap();
        let checked = printed(&mut site.check(&["-c", file.to_str().unwrap()])).await;
        assert_eq!(parse(&checked), Settings::defaults());
    }
}

impl Site {
    fn check(&self, args: &[&str]) -> Command {
        let mut command = crate::process::saddlebag(self.path(), &["config", "check"]);
        command.args(args);
        command
    }
}

#[tokio::test]
async fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let site = Site::new();
    site.configure("region = \"file\"\nnamespaces = [\"file\"]\n[log]\nlevel = \"warn\"\n[deadlines]\nlist = \"3m\"\nnode = \"3m\"");
    let mut command = site.check(&[
        "-c",
        "saddlebag.toml",
        "--region=flag",
        "--deadline-node",
        "5m",
    ]);
    command
        .env("SADDLEBAG_REGION", "environment")
        .env("SADDLEBAG_NAMESPACES", "one,two")
        .env("SADDLEBAG_LOG_LEVEL", "debug")
        .env("SADDLEBAG_BUILTIN_DRIVER", "true")
        .env("SADDLEBAG_DEADLINES_NODE", "4m");
    let used = parse(&printed(&mut command).await).by_key().unwrap();
    for (key, value) in [
        ("region", "\"flag\""),
        ("namespaces", "[\"one\", \"two\"]"),
        ("log.level", "\"debug\""),
        ("builtin_driver", "true"),
        ("deadlines.list", "\"3m\""),
        ("deadlines.node", "\"5m\""),
        ("deadlines.info", "\"5s\""),
        ("data_dir", "\"data\""),
    ] {
        assert_eq!(used[key].to_string(), value, "{key}");
    }
}

#[tokio::test]
async fn plugins_of_flags_stand_in_place_of_those_in_the_file() {
    let site = Site::new();
    site.configure("[[plugin]]\nid = \"in-file\"\nendpoint = \"/in/file\"\n");
    let args = ["-c", "saddlebag.toml", "--plugin", "id=flag,endpoint=/flag"];
    let used = parse(&printed(&mut site.check(&args)).await);
    let ids: Vec<_> = used
        .plugins
        .iter()
        .flatten()
        .map(|plugin| plugin.plugin.as_str())
        .collect();
    assert_eq!(ids, ["flag"]);
}

#[tokio::test]
async fn a_variable_that_is_almost_one_of_ours_is_refused() {
    let site = Site::new();
    let mut command = site.check(&[]);
    let output = command
        .env("SADDLEBAG_DATADIR", "/d")
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("did you mean SADDLEBAG_DATA_DIR?"), "{told}");
}

#[tokio::test]
async fn every_key_but_plugins_can_be_given_in_the_environment_by_its_name() {
    let Locked(site) = Locked::new().await;
    let given: toml::Table = r#"
        data_dir = "/d"
        bind = "::1"
        port = 1
        listen_unprotected_on_the_network = true
        region = "r"
        namespaces = ["n"]
        host_names = ["h"]
        status = "nomad"
        check_truth = true
        builtin_driver = true
        calls_at_once = 2
        queued_per_plugin = 3
        queued_per_volume = 4
        target_roots = ["/t"]
        shutdown_timeout = "3s"
        log.level = "trace"
        log.format = "text"
        acl.enabled = true
        acl.failed_logins = 5
        acl.failed_login_pause = "2s"
        acl.failed_login_memory = "4s"
        audit.enabled = true
        audit.file = "/dev/null"
        audit.enforce = true
        audit.fsync = true
        audit.rotate_bytes = 5000
        audit.keep = 3
        tls.http = true
        tls.cert_file = "global-server-saddlebag.pem"
        tls.key_file = "global-server-saddlebag-key.pem"
        tls.ca_file = "saddlebag-agent-ca.pem"
        tls.verify_https_client = true
        secrets.key_file = "/k"
        secrets.previous_key_file = "/p"
        secrets.from_folders = ["/f"]
        secrets.from_variables = ["V_*"]
        secrets.from_credentials = ["c"]
        http.connections = 4
        http.connections_per_address = 3
        http.head_bytes = 9000
        http.head_time = "5s"
        http.body_bytes = 6000
        http.body_time = "7s"
        http.url_bytes = 5000
        http.handshake_time = "6s"
        http.untaken_time = "4s"
        http.json_depth = 9
        http.items = 7
        http.blocked_queries = 6
        http.blocked_queries_per_address = 5
        log.repeats = 2
        deadlines.probe = "8s"
        deadlines.info = "9s"
        deadlines.list = "10s"
        deadlines.controller = "11s"
        deadlines.node = "12s"
    "#
    .parse()
    .unwrap();
    let given = parse(&toml::to_string(&given).unwrap());
    let mut command = site.check(&[]);
    for (key, value) in given.by_key().unwrap() {
        let name = format!("SADDLEBAG_{}", key.replace('.', "_").to_uppercase());
        let value = value.to_string();
        command.env(name, value.trim_matches(['[', ']']).trim_matches('"'));
    }
    let used = parse(&printed(&mut command).await);
    let differing = used.differences(&given).unwrap();
    assert_eq!(differing, ["plugin"]);
    let all = Settings::defaults().by_key().unwrap();
    let named = given.by_key().unwrap();
    let unnamed: Vec<_> = all.keys().filter(|key| !named.contains_key(*key)).collect();
    assert_eq!(unnamed, ["plugin"]);
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place_and_what_would_be_right() {
    let mut told = String::new();
    for text in [
        "prot = 4646",
        "data-dir = \"/d\"",
        "something = 1",
        "port = 70000",
        "port = \"4646\"",
        "port = 1\nport = 2",
        "port =",
        "bind = \"localhost\"",
        "bind = \"0.0.0.0\"",
        "status = \"odd\"",
        "calls_at_once = 0",
        "namespaces = [\"a b\"]",
        "shutdown_timeout = 20",
        "[deadlines]\nprobe = \"soon\"",
        "[deadlines]\nprobe = \"0s\"",
        "[deadlines]\ncreate = \"1m\"",
        "[log]\nlevel = \"verbose\"",
        "[http]\nhead_bytes = 1",
        "[http]\njson_depth = 65",
        "[[plugin]]\nid = \"nfs\"\nendpont = \"/run/nfs.sock\"",
        "[[plugin]]\nid = \"nfs\"",
        "[[plugin]]\nendpoint = \"/run/nfs.sock\"",
        "[[plugin]]\nid = \"n/f/s\"\nendpoint = \"/run/nfs.sock\"",
        "[[plugin]]\nid = \"nfs\"\nendpoint = \"tcp://host:1\"",
        "[[plugin]]\nid = \"nfs\"\nendpoint = \"/run/nfs.sock\"\ncommand = \"nfs\"",
        "[[plugin]]\nid = \"nfs\"\ncommand = []",
        "[[plugin]]\nid = \"nfs\"\ncommand = 5",
        "[[plugin]]\nid = \"nfs\"\ncommand = \"nfs\"\ntype = \"both\"",
        "[[plugin]]\nid = \"nfs\"\ncommand = \"nfs\"\nbase_dir = { host = \"/h\" }",
        "[[plugin]]\nid = \"nfs\"\ncommand = \"nfs\"\nbase_dir = { host = \"h\", driver = \"/d\" }",
        "[[plugin]]\nid = \"nfs\"\ncommand = \"nfs\"\nhealth = { interval = \"often\" }",
        "builtin_driver = true\n[[plugin]]\nid = \"local\"\ncommand = \"nfs\"",
    ] {
        let site = Site::new();
        std::fs::write(site.at("saddlebag.toml"), text).unwrap();
        let mut command = site.check(&["-c", "saddlebag.toml"]);
        let output = soon("an answer", command.output()).await.unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        let said = String::from_utf8(output.stderr).unwrap();
        writeln!(told, "{said}").unwrap();
    }
    expectorate::assert_contents("tests/serve/refusals.txt", &told);
}

#[tokio::test]
async fn serve_refuses_what_check_refuses_in_the_same_words() {
    let site = Site::new();
    for (text, problem) in [
        ("prot = 4646", "did you mean `port`?"),
        ("bind = \"0.0.0.0\"", "listen_unprotected_on_the_network"),
    ] {
        std::fs::write(site.at("saddlebag.toml"), text).unwrap();
        let (code, told) = site.refused(&[]).await;
        assert_eq!(code, Some(1), "{told}");
        assert!(
            told.starts_with("saddlebag serve: ") && told.contains(problem),
            "{told}"
        );
    }
    std::fs::remove_file(site.at("saddlebag.toml")).unwrap();
    let (code, told) = site.refused(&[]).await;
    assert_eq!(code, Some(1));
    assert!(told.contains("saddlebag.toml: No such file"), "{told}");
}

#[tokio::test]
async fn secrets_are_read_and_never_printed() {
    let site = Site::new();
    let secrets = site.at("secrets.json");
    site.configure(
        "[[plugin]]\nid = \"nfs\"\ncommand = [\"nfs\", \"--password=hunter2hunter2\"]\nsecrets = \"secrets.json\"\n",
    );
    let check = || site.check(&["-c", "saddlebag.toml"]);
    let refused = |told: &str| told.contains("secrets.json");
    let output = check().output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(refused(&String::from_utf8(output.stderr).unwrap()));

    std::fs::write(&secrets, r#"{"password": "hunter2hunter2"}"#).unwrap();
    std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = String::from_utf8(check().output().await.unwrap().stderr).unwrap();
    assert!(told.contains("set its mode to 0600"), "{told}");

    std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o600)).unwrap();
    let printed = printed(&mut check()).await;
    assert!(printed.contains("--password=[REDACTED]"), "{printed}");
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[tokio::test]
async fn others_on_the_network_are_let_in_only_when_that_is_said() {
    let site = Site::new();
    let tls = "[tls]\nhttp = true\ncert_file = \"c\"\nkey_file = \"k\"\n";
    let acl = "[acl]\nenabled = true\n";
    for (config, says) in [
        (
            "",
            "without encryption and access control: set tls.http = true and acl.enabled = true, or bind 127.0.0.1",
        ),
        (tls, "without access control: set acl.enabled = true,"),
        (acl, "without encryption: set tls.http = true,"),
        (&[tls, acl].concat(), "c: No such file"),
    ] {
        site.configure(&format!("bind = \"0.0.0.0\"\n{config}"));
        let (code, told) = site.refused(&[]).await;
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains(says), "{told}");
    }
    site.configure("bind = \"0.0.0.0\"\nlisten_unprotected_on_the_network = true\n");
    let serve = site.start(&[]).await;
    assert!(serve.url.starts_with("http://0.0.0.0:"), "{}", serve.url);
    serve.stop().await;
}

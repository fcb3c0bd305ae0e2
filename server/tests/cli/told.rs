//! What every command says, in a pipe and in a terminal.

use crate::story::Story;

const COMMANDS: [&str; 46] = [
    "volume list",
    "plugin list",
    "operation list",
    "volume init db.hcl",
    "volume init db.hcl",
    "volume create db.hcl",
    "volume create db.hcl",
    "volume create --quiet db.hcl",
    "volume list",
    "volume list --verbose",
    "volume list --quiet",
    "volume list pg --plugin local --per-page 5",
    "volume list --namespace '*' --reverse",
    "volume list --external --plugin local",
    "volume status",
    "volume status pgdata",
    "volume status --verbose pg",
    "volume snapshot list --plugin local",
    "volume snapshot create pgdata nightly",
    "volume snapshot list --plugin local --verbose",
    "plugin list",
    "plugin list --quiet",
    "plugin status",
    "plugin status local",
    "plugin status --verbose local",
    "operation list --volume pgdata --state done --plugin local",
    "node list",
    "node list --quiet",
    "node status",
    "volume claim pgdata",
    "volume claims pgdata",
    "volume claims --quiet --state published pgdata",
    "volume status pgdata",
    "volume retry pgdata",
    "volume release pgdata",
    "volume release pgdata",
    "volume claims pgdata",
    "doctor",
    "volume detach pgdata 11111111-2222-3333-4444-555555555555",
    "volume deregister pgdata",
    "volume register archive.hcl",
    "volume list",
    "volume delete archive",
    "volume status archive",
    "operation list --state waiting",
    "volume list --json",
];

/// A server with a volume specification `archive.hcl` for the volume that `db.hcl` made.
async fn story() -> Story {
    Story::begin().await
}

/// Runs all commands but for the registration's, which needs to know what the storage called the volume.
async fn run(is_terminal: bool) -> String {
    let story = story().await;
    let mut text = String::new();
    for command in COMMANDS {
        if command == "volume deregister pgdata" {
            let volume = story.told(&["volume", "status", "--json", "pgdata"]).await;
            let volume: serde_json::Value = serde_json::from_str(&volume).unwrap();
            let external = volume["ExternalID"].as_str().unwrap();
            story.write(
                "archive.hcl",
                &format!(
                    "id = \"archive\"\nplugin_id = \"local\"\nexternal_id = \"{external}\"\ncapability {{\n  \
                     access_mode = \"single-node-writer\"\n  attachment_mode = \"file-system\"\n}}\n"
                ),
            );
        }
        text += &match is_terminal {
            true => story.in_terminal(&[command]).await,
            false => story.piped(&[command]).await,
        };
    }
    let (_, nodes) = story.dev.get("/v1/nodes").await;
    let host = regex::escape(nodes[0]["Name"].as_str().unwrap());
    story.dev.stop().await;
    // Names of hosts and paths differ in length, and so does what is padded to them.
    for (pattern, mask) in [
        (format!(r"  {host} +(eligible)"), "  HOST  $1"),
        (r"Name +Eligibility".to_owned(), "Name  Eligibility"),
        (r"/\S+/claims/[0-9a-f]{32}".to_owned(), "/DATA/claims/HEX"),
        (r"Path +Next".to_owned(), "Path  Next"),
    ] {
        let pattern = regex::Regex::new(&pattern).unwrap();
        text = pattern.replace_all(&text, mask).into_owned();
    }
    text
}

/// Weakness W31: what a plugin can do is printed from its flags.
#[tokio::test]
async fn every_command_says_in_a_pipe_what_its_file_says() {
    expectorate::assert_contents("tests/cli/piped.txt", &run(false).await);
}

#[tokio::test]
async fn every_command_says_in_a_terminal_what_its_file_says() {
    expectorate::assert_contents("tests/cli/terminal.txt", &run(true).await);
}

#[tokio::test]
async fn json_is_the_answer_of_the_api() {
    let story = Story::begin().await;
    story.told(&["volume", "init", "db.hcl"]).await;
    let created = story.told(&["volume", "create", "--json", "db.hcl"]).await;
    let created: serde_json::Value = serde_json::from_str(&created).unwrap();
    let (_, read) = story.dev.get("/v1/volume/csi/pgdata").await;
    assert_eq!(created[0], read);
    for (args, path) in [
        ("volume list --json", "/v1/volumes?type=csi"),
        ("volume status --json", "/v1/volumes?type=csi"),
        ("volume status --json pg", "/v1/volume/csi/pgdata"),
        (
            "volume list --external --plugin local --json",
            "/v1/volumes/external?plugin_id=local",
        ),
        (
            "volume snapshot list --plugin local --json",
            "/v1/volumes/snapshot?plugin_id=local",
        ),
        ("plugin list --json", "/v1/plugins?type=csi"),
        ("plugin status --json local", "/v1/plugin/csi/local"),
        ("operation list --json", "/v1/operations"),
        (
            "volume claims --json pgdata",
            "/v1/volume/csi/pgdata/claims",
        ),
    ] {
        let told = story.told(&crate::story::words(args)).await;
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let (_, answer) = story.dev.get(path).await;
        assert_eq!(told, answer, "{args}");
    }
    // of a node, what only a scheduler knows says nothing, and is left out
    let (_, answer) = story.dev.get("/v1/nodes").await;
    let known: Vec<saddlebag_client::types::NodeStub> = serde_json::from_value(answer).unwrap();
    for args in [["node", "list", "--json"], ["node", "status", "--json"]] {
        let told: serde_json::Value = serde_json::from_str(&story.told(&args).await).unwrap();
        assert_eq!(told, serde_json::to_value(&known).unwrap(), "{args:?}");
    }
    story.dev.stop().await;
}

#[tokio::test]
async fn a_page_says_how_to_see_the_next_one() {
    let story = Story::begin().await;
    for id in ["a", "b", "c"] {
        story.dev.create(id, "local").await;
    }
    let first = story
        .run(&["volume", "list", "-q", "--per-page", "2"])
        .await;
    assert_eq!(first.stdout, "a\nb\n");
    let token = first
        .stderr
        .strip_prefix("There is more: --page-token ")
        .unwrap();
    let next = ["volume", "list", "-quiet", "-page-token", token.trim()];
    assert_eq!(story.told(&next).await, "c\n");
    story.dev.stop().await;
}

#[tokio::test]
async fn nobody_has_to_read_to_the_end() {
    let story = Story::begin().await;
    story.dev.create("a", "local").await;
    let mut command = story.command(&["volume", "list"]);
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let status = crate::process::soon("a command to end", child.wait())
        .await
        .unwrap();
    assert_eq!(status.code(), Some(0));
    story.dev.stop().await;
}

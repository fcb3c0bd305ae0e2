//! The doctor's commands do what the doctor says of them.

use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::story::{Said, Story};
use clap::CommandFactory;
use saddlebag::cli::Command;
use saddlebag::csi::Call;
use tonic::Code;

/// The commands that were told, each below the words that say when it is right.
fn commands(said: &Said) -> Vec<&str> {
    let lines = said.stdout.lines();
    lines.filter_map(|line| line.strip_prefix("    ")).collect()
}

/// Runs a command as a shell would: `saddlebag …`, or `echo '…' | saddlebag …`.
async fn run(story: &Story, command: &str) -> String {
    let (input, command) = match command.strip_prefix("echo '") {
        Some(rest) => rest.split_once("' | ").unwrap(),
        None => ("", command),
    };
    let args: Vec<&str> = command.split(' ').skip(1).collect();
    let said = story.run_with_input(&args, input).await;
    assert_eq!(
        (said.code, said.stderr.as_str()),
        (Some(0), ""),
        "{command}: {said:?}"
    );
    said.stdout
}

#[tokio::test]
async fn an_orphan_is_adopted_or_destroyed_by_the_commands_that_are_told() {
    let story = Story::begin().await;
    story.dev.create("a", "local").await;
    let well = story.told(&["doctor"]).await;
    assert!(well.starts_with("Nothing was found\n"), "{well}");
    assert!(well.contains("  plugin local has 1 volume\n"), "{well}");

    story.told(&["volume", "deregister", "a"]).await;
    let said = story.run(&["doctor"]).await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(1), ""), "{said:?}");
    let [adopt, register, delete] = commands(&said)[..] else {
        panic!("{said:?}");
    };
    assert_eq!(adopt, register);
    run(&story, adopt).await;
    story.told(&["doctor"]).await;
    run(&story, delete).await;
    let left = story
        .told(&["volume", "list", "--external", "--plugin", "local"])
        .await;
    assert_eq!(left, "No volumes\n");
    let json = story.told(&["doctor", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["Findings"], serde_json::json!([]));
    story.dev.stop().await;
}

#[tokio::test]
async fn a_stuck_claim_is_explained_and_given_back() {
    let driver = ScriptedDriver::start();
    let plugin = format!("id=scripted,endpoint={}", driver.endpoint());
    let namespace = ["--no-local", "--namespace", "prod", "--plugin", &plugin];
    let story = Story::begin_with(&namespace).await;
    story.write("db.hcl", "id = \"db\"\nname = \"db\"\nnamespace = \"prod\"\nplugin_id = \"scripted\"\ncapability {\n  access_mode = \"single-node-writer\"\n  attachment_mode = \"file-system\"\n}\n");
    story.told(&["volume", "create", "db.hcl"]).await;
    let refusal = Reply::refuse(Code::Unavailable, "the array restarts");
    driver.always(Call::ControllerPublishVolume, refusal);
    let claim = [
        "volume",
        "claim",
        "--namespace",
        "prod",
        "--wait",
        "1s",
        "db",
    ];
    let claimed = story.run(&claim).await;
    assert_eq!(claimed.code, Some(6), "{claimed:?}");

    let said = crate::process::soon("a finding", async {
        loop {
            let said = story.run(&["doctor", "--wait", "2s"]).await;
            if said
                .stdout
                .contains("stuck-claim: volume db, plugin scripted, node ")
            {
                return said;
            }
        }
    })
    .await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("the array restarts"), "{said:?}");
    let commands = commands(&said);
    for command in &commands {
        let quoted = command.replace("'how you know'", "known");
        let words = quoted.split(' ');
        if let Err(error) = Command::command().try_get_matches_from(words) {
            panic!("{command}: {error}");
        }
    }
    let of = |start: &str| *commands.iter().find(|it| it.starts_with(start)).unwrap();
    run(&story, of("saddlebag volume retry --namespace prod db")).await;
    driver.as_usual(Call::ControllerPublishVolume);
    run(&story, of("saddlebag volume release --namespace prod db ")).await;
    let claims = [
        "volume",
        "claims",
        "--namespace",
        "prod",
        "--state",
        "gone",
        "-q",
        "db",
    ];
    assert_ne!(story.told(&claims).await, "");
    story.dev.stop().await;
}

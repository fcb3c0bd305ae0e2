//! Claims from the command line: a path and nothing else where a script reads, and why where a person waits.

use crate::process::soon;
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::story::{Said, Story, WIPE, masked};
use crate::terminal::Terminal;
use saddlebag::csi::Call;
use saddlebag::csi::v1::volume_capability::AccessType;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::sync::watch;
use tonic::Code;

const SPECIFICATION: &str = "id = \"db\"\nname = \"db\"\nplugin_id = \"scripted\"\ncapability {\n  \
    access_mode = \"multi-node-multi-writer\"\n  attachment_mode = \"file-system\"\n}\n";

/// A server with a volume `db` at a driver that does as it is told.
struct Scripted {
    story: Story,
    driver: ScriptedDriver,
}

impl Scripted {
    async fn begin() -> Self {
        let driver = ScriptedDriver::start();
        let plugin = format!("id=scripted,endpoint={}", driver.endpoint());
        let story = Story::begin_with(&["--no-local", "--plugin", &plugin]).await;
        story.write("db.hcl", SPECIFICATION);
        story.told(&["volume", "create", "db.hcl"]).await;
        Self { story, driver }
    }

    /// Whose driver cannot do this now.
    async fn begin_without(call: Call) -> Self {
        let scripted = Self::begin().await;
        scripted.refuses(call);
        scripted
    }

    fn refuses(&self, call: Call) {
        let reply = Reply::refuse(Code::Unavailable, "the array restarts");
        self.driver.always(call, reply);
    }

    async fn node(&self) -> String {
        let ids = self.story.told(&["node", "list", "--quiet"]).await;
        ids.trim().to_owned()
    }

    /// What `volume claims` says, once it says this.
    async fn until_claims_say(&self, part: &str) -> String {
        soon(part, async {
            loop {
                let told = self.story.told(&["volume", "claims", "db"]).await;
                if told.contains(part) {
                    return told;
                }
            }
        })
        .await
    }
}

fn assert_unfinished(said: &Said, parts: &[&str]) {
    assert_eq!((said.code, said.stdout.as_str()), (Some(6), ""), "{said:?}");
    for part in parts {
        assert!(said.stderr.contains(part), "{part:?}: {said:?}");
    }
}

#[tokio::test]
async fn a_script_gets_the_path_alone_and_what_it_writes_there_stays() {
    let story = Story::begin().await;
    story.dev.create("data", "local").await;
    for text in ["", "written"] {
        let path = story.told(&["volume", "claim", "data"]).await;
        let file = std::path::Path::new(path.trim_end()).join("file");
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(found, text, "{path}");
        std::fs::write(&file, "written").unwrap();
        let released = story.told(&["volume", "release", "data"]).await;
        assert_eq!(
            masked(&released),
            "Released claim UUID................................ of volume data\n"
        );
        assert!(!file.exists(), "{}", file.display());
    }
    story.dev.stop().await;
}

#[tokio::test]
async fn every_field_of_the_request_has_a_flag() {
    let scripted = Scripted::begin().await;
    let node = scripted.node().await;
    let allocation = "0b7f6d0e-6a31-4c53-9a7d-0c8f2f1f6a11";
    let claim = [
        "volume",
        "claim",
        "--allocation",
        allocation,
        "--node",
        &node[..6],
        "--read-only",
        "--access-mode",
        "multi-node-multi-writer",
        "--attachment-mode",
        "file-system",
        "--fs-type",
        "xfs",
        "--mount-flag",
        "noatime",
        "--mount-flag",
        "ro",
        "--on-reboot",
        "release",
        "--name",
        "web.db[0]",
        "--job",
        "web",
        "--json",
        "db",
    ];
    let told = scripted.story.told(&claim).await;
    // The same command is the same claim.
    assert_eq!(scripted.story.told(&claim).await, told);
    let claim: serde_json::Value = serde_json::from_str(&told).unwrap();
    for (field, value) in [
        ("AllocationID", allocation),
        ("NodeID", node.as_str()),
        ("AccessMode", "multi-node-multi-writer"),
        ("AttachmentMode", "file-system"),
        ("OnReboot", "release"),
        ("Name", "web.db[0]"),
        ("JobID", "web"),
        ("State", "published"),
    ] {
        assert_eq!(claim[field], value, "{field}: {told}");
    }
    assert_eq!(claim["ReadOnly"], true);
    let published: saddlebag::csi::v1::NodePublishVolumeRequest =
        scripted.driver.last(Call::NodePublishVolume);
    assert!(published.readonly);
    let capability = published.volume_capability.unwrap();
    let Some(AccessType::Mount(mount)) = capability.access_type else {
        panic!("{capability:?}");
    };
    assert_eq!(mount.fs_type, "xfs");
    assert_eq!(mount.mount_flags, ["noatime", "ro"]);
    scripted.story.dev.stop().await;
}

#[tokio::test]
async fn a_terminal_says_what_a_slow_claim_is_at_and_how_to_give_it_back() {
    let scripted = Scripted::begin_without(Call::NodeStageVolume).await;
    let command = scripted.story.command(&["volume", "claim", "db"]);
    let mut terminal = Terminal::start(command);
    terminal.until(" failed, next try ").await; // in 1s, or now
    let seen = terminal
        .until("; plugin scripted: Unavailable: the array")
        .await;
    assert!(seen.contains("claim of volume db: stage: try "), "{seen}");
    scripted.driver.as_usual(Call::NodeStageVolume);
    scripted.story.told(&["volume", "retry", "db"]).await;
    let (code, seen) = terminal.ended().await;
    assert_eq!(code, Some(0), "{seen}");
    let (_, outcome) = seen.rsplit_once(WIPE).unwrap();
    let (path, line) = outcome.split_once('\n').unwrap();
    assert!(path.starts_with('/'), "{seen}");
    let start = "To give it back: saddlebag volume release db ";
    assert!(line.starts_with(start), "{seen}");
    scripted.story.dev.stop().await;
}

#[tokio::test]
async fn who_follows_is_told_each_step_with_its_time() {
    let scripted = Scripted::begin().await;
    let steps = [
        ("attach", Call::ControllerPublishVolume),
        ("stage", Call::NodeStageVolume),
        ("publish", Call::NodePublishVolume),
    ];
    let gates = steps.map(|(_, call)| {
        let gate = Arc::new(Notify::new());
        let reply = Reply::When(gate.clone(), Box::new(Reply::Usual));
        scripted.driver.always(call, reply);
        gate
    });
    let command = scripted
        .story
        .command(&["volume", "claim", "--follow", "db"]);
    let mut terminal = Terminal::start(command);
    for ((step, _), gate) in steps.iter().zip(&gates) {
        let line = format!("Z  {step}: waits for the answer of plugin \"scripted\"");
        terminal.until(&line).await;
        gate.notify_one();
    }
    let (code, seen) = terminal.ended().await;
    assert_eq!(code, Some(0), "{seen}");
    let path = seen.lines().find(|line| line.starts_with('/')).unwrap();
    let last = format!("YYYY-MM-DDTHH:MM:SSZ  published at {path}");
    let masked = masked(&seen);
    let told: Vec<&str> = masked
        .lines()
        .filter(|line| line.starts_with("YYYY"))
        .collect();
    assert_eq!(told.len(), 4, "{seen}");
    assert_eq!(told[3], last);
    scripted.story.dev.stop().await;
}

#[tokio::test]
async fn a_claim_that_takes_longer_than_it_is_waited_for_goes_on() {
    let scripted = Scripted::begin_without(Call::ControllerPublishVolume).await;
    let story = &scripted.story;
    let said = story.run(&["volume", "claim", "--wait", "1s", "db"]).await;
    let id = story.told(&["volume", "claims", "-q", "db"]).await;
    let id = id.trim();
    assert_unfinished(
        &said,
        &[
            "saddlebag: volume db is not published yet: attach: ",
            "Unavailable: the array restarts",
            &format!("\n  It goes on, and the same command with --allocation {id} waits for it\n"),
            "\n  See how it is: saddlebag volume claims db\n",
            &format!("\n  Give it back: saddlebag volume release db {id}\n"),
        ],
    );
    let told = scripted.until_claims_say("the array restarts").await;
    assert!(
        told.contains("attach") && told.contains("waits for the next try"),
        "{told}"
    );
    let status = story.told(&["volume", "status", "db"]).await;
    let (_, under_way) = status.split_once("\nUnder way\n").unwrap();
    assert!(
        under_way.starts_with(&format!("claim {id}: attach: ")),
        "{status}"
    );
    scripted.driver.as_usual(Call::ControllerPublishVolume);
    story.told(&["volume", "retry", "db"]).await;
    let path = story
        .told(&["volume", "claim", "--allocation", id, "db"])
        .await;
    assert!(path.starts_with('/'), "{path}");
    scripted.story.dev.stop().await;
}

#[tokio::test]
async fn who_does_not_wait_gets_the_name_of_the_claim() {
    let scripted = Scripted::begin_without(Call::NodePublishVolume).await;
    let id = scripted
        .story
        .told(&["volume", "claim", "--detach", "db"])
        .await;
    let claims = scripted.story.told(&["volume", "claims", "-q", "db"]).await;
    assert_eq!(id, claims);
    scripted.story.dev.stop().await;
}

#[tokio::test]
async fn ctrl_c_leaves_a_claim_going_and_says_how_to_give_it_back() {
    let scripted = Scripted::begin().await;
    scripted.driver.always(Call::NodeStageVolume, Reply::Hang);
    let command = scripted.story.command(&["volume", "claim", "db"]);
    let mut terminal = Terminal::start(command);
    terminal.until("claim of volume db: stage: ").await;
    terminal.interrupt();
    let (code, seen) = terminal.ended().await;
    assert_eq!(code, Some(130), "{seen}");
    let id = scripted.story.told(&["volume", "claims", "-q", "db"]).await;
    let (_, told) = seen.rsplit_once(WIPE).unwrap();
    assert_eq!(
        told,
        format!(
            "saddlebag: left; the claim goes on\n  See how it is: saddlebag volume claims db\n  \
             Give it back: saddlebag volume release db {id}"
        )
    );
    scripted.story.dev.stop().await;
}

#[tokio::test]
async fn what_the_driver_refuses_for_good_fails_and_is_listed() {
    let scripted = Scripted::begin().await;
    let refusal = Reply::refuse(Code::FailedPrecondition, "attached to host-7");
    scripted
        .driver
        .always(Call::ControllerPublishVolume, refusal);
    let said = scripted.story.run(&["volume", "claim", "db"]).await;
    assert_eq!(said.stdout, "", "{said:?}");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("attached to host-7"), "{said:?}");
    let told = scripted.until_claims_say("failed").await;
    assert!(
        told.contains("FailedPrecondition: attached to host-7"),
        "{told}"
    );
    let id = scripted.story.told(&["volume", "claims", "-q", "db"]).await;
    let told = scripted
        .story
        .told(&["volume", "release", "db", id.trim()])
        .await;
    assert!(
        told.ends_with("had failed; nothing is left of it\n"),
        "{told}"
    );
    scripted.story.dev.stop().await;
}

#[tokio::test]
async fn a_release_names_its_claim_by_the_beginning_or_needs_no_name() {
    let scripted = Scripted::begin().await;
    let story = &scripted.story;
    let ids = [
        "aaaa0000-0000-4000-8000-000000000001",
        "aaaa0000-0000-4000-8000-000000000002",
    ];
    for id in ids {
        let claim = ["volume", "claim", "--allocation", id, "db"];
        story.told(&claim).await;
    }
    let which = story.run(&["volume", "release", "db"]).await;
    assert_eq!(which.code, Some(2), "{which:?}");
    let both = story.run(&["volume", "release", "db", "aaaa"]).await;
    assert_eq!(both.code, Some(3), "{both:?}");
    for said in [which, both] {
        assert!(said.stderr.contains("aaaa0000  "), "{said:?}");
    }
    let none = story.run(&["volume", "release", "db", "bbbb"]).await;
    assert_eq!(none.code, Some(3), "{none:?}");
    let whole = story.told(&["volume", "release", "db", ids[0]]).await;
    assert!(whole.contains(ids[0]), "{whole}");
    // One is left, and one has ended and begins so too.
    let only = story.told(&["volume", "release", "db", "aaaa0000"]).await;
    assert!(only.contains(ids[1]), "{only}");
    let again = story.told(&["volume", "release", "db", ids[1]]).await;
    assert_eq!(again, only);
    let nothing = story.told(&["volume", "release", "db"]).await;
    assert_eq!(nothing, "Volume db has no claim to release\n");
    scripted.story.dev.stop().await;
}

#[tokio::test]
async fn a_volume_is_detached_once_its_users_are_done() {
    let scripted = Scripted::begin().await;
    let (story, node) = (&scripted.story, scripted.node().await);
    let detach = ["volume", "detach", "--wait", "1s", "db", &node];
    let nothing = story.told(&detach).await;
    assert_eq!(
        nothing,
        format!("There was nothing of volume db to release from node {node}\n")
    );
    story.told(&["volume", "claim", "db"]).await;
    let in_use = story.run(&detach).await;
    assert_eq!(in_use.code, Some(4), "{in_use:?}");
    assert!(
        in_use
            .stderr
            .contains("See who uses it: saddlebag volume claims db\n"),
        "{in_use:?}"
    );

    scripted.refuses(Call::NodeUnpublishVolume);
    let released = story
        .run(&["volume", "release", "--wait", "1s", "db"])
        .await;
    assert_unfinished(
        &released,
        &[
            "volume db is not released yet: unpublish: ",
            &format!("saddlebag node fence --reason 'how you know' {node}\n"),
        ],
    );
    scripted.until_claims_say("the array restarts").await;
    let waits = story.run(&detach).await;
    assert_unfinished(
        &waits,
        &[
            "the array restarts",
            "\n  It is tried again, and the same command again waits for it\n",
            "\n  See how it is: saddlebag volume claims db\n",
        ],
    );
    scripted.driver.as_usual(Call::NodeUnpublishVolume);
    let detach = ["volume", "detach", "db", &node];
    assert_eq!(
        story.told(&detach).await,
        format!("Released volume db from node {node}: 1 claim\n")
    );
    scripted.story.dev.stop().await;
}

#[tokio::test]
async fn what_is_claimed_at_a_host_that_is_gone_is_released_on_the_operators_word() {
    let scripted = Scripted::begin().await;
    let (story, node) = (&scripted.story, scripted.node().await);
    story.told(&["volume", "claim", "db"]).await;
    let volumes = story.told(&["node", "status", &node[..4]]).await;
    assert!(volumes.contains("\nVolumes\nID  Name"), "{volumes}");
    let (host, is_back) = watch::channel(false);
    for call in [Call::NodeUnpublishVolume, Call::NodeUnstageVolume] {
        let reply = Reply::Once(is_back.clone(), Box::new(Reply::Usual));
        scripted.driver.always(call, reply);
    }
    let fence = ["node", "fence", "--reason", "the host burnt down", &node];
    let told = story.told(&fence).await;
    assert!(told.contains(": the host burnt down\n"), "{told}");
    scripted.until_claims_say("gone").await;
    let status = story.told(&["node", "status", &node]).await;
    for part in [
        "Eligibility    = ineligible\n",
        "Fenced Because = the host burnt down\n",
        "\nVolumes\nNo volumes are used there\n",
    ] {
        assert!(status.contains(part), "{part:?}: {status}");
    }
    let refused = story.run(&["volume", "claim", "db"]).await;
    assert_eq!(refused.code, Some(4), "{refused:?}");
    let see = format!("See why: saddlebag node status {node}\n");
    assert!(refused.stderr.contains(&see), "{refused:?}");
    // The host is there again, and takes down what the fence passed over before anything else.
    host.send(true).unwrap();
    story.told(&["node", "unfence", &node]).await;
    let path = story.told(&["volume", "claim", "db"]).await;
    assert!(path.starts_with('/'), "{path}");
    scripted.story.dev.stop().await;
}

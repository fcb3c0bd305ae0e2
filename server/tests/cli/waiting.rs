//! What is told while a slow change is waited for.

use crate::process::soon;
use crate::scripted_driver::{Reply, ScriptedDriver};
use crate::story::{Story, WIPE};
use crate::terminal::Terminal;
use saddlebag::csi::Call;
use std::time::Duration;
use tonic::Code;

const SPECIFICATION: &str = "id = \"db\"\nname = \"db\"\nplugin_id = \"scripted\"\ncapability {\n  \
    access_mode = \"single-node-writer\"\n  attachment_mode = \"file-system\"\n}\n";

/// A server whose driver is restarting, with a file `db.hcl` to create a volume from, and a `larger.hcl`.
pub struct Restarting {
    pub story: Story,
    driver: ScriptedDriver,
}

impl Restarting {
    pub async fn begin() -> Self {
        Self::begin_with(Reply::refuse(Code::Unavailable, "the array restarts")).await
    }

    /// Whose driver replies so to a create.
    pub async fn begin_with(reply: Reply) -> Self {
        let driver = ScriptedDriver::start();
        driver.always(Call::CreateVolume, reply);
        let plugin = format!("id=scripted,endpoint={}", driver.endpoint());
        let story = Story::begin_with(&["--no-local", "--plugin", &plugin]).await;
        story.write("db.hcl", SPECIFICATION);
        story.write(
            "larger.hcl",
            &format!("{SPECIFICATION}\ncapacity_min = \"1GiB\""),
        );
        Self { story, driver }
    }

    pub fn comes_back(&self) {
        self.driver.as_usual(Call::CreateVolume);
    }

    /// The id of the operation that is under way, once there is one.
    pub async fn operation(&self) -> String {
        soon("an operation", async {
            loop {
                let ids = self.story.told(&["operation", "list", "--quiet"]).await;
                if let Some(id) = ids.lines().next() {
                    return id.to_owned();
                }
            }
        })
        .await
    }

    /// What is told of an operation, once a try of it has failed.
    pub async fn until_tried(&self, id: &str) -> String {
        soon("a try", async {
            loop {
                let status = self.story.told(&["operation", "status", id]).await;
                if status.contains("Last Error") && status.contains("Next Try") {
                    return status;
                }
            }
        })
        .await
    }

    pub async fn end(self) {
        self.story.dev.stop().await;
    }
}

#[tokio::test]
async fn a_terminal_says_what_a_slow_create_is_at_and_nothing_of_it_stays() {
    let restarting = Restarting::begin().await;
    let command = restarting.story.command(&["volume", "create", "db.hcl"]);
    let mut terminal = Terminal::start(command);
    terminal.until(" failed, next try ").await; // in 1s, or now
    let seen = terminal
        .until("; plugin scripted: Unavailable: the array ")
        .await;
    assert!(seen.contains("create of volume db: try "), "{seen}");
    for line in seen.split(WIPE).filter(|line| !line.is_empty()) {
        assert!(line.chars().count() < 100, "{line}");
    }
    restarting.comes_back(); // and is asked again within seconds
    let (code, seen) = terminal.ended().await;
    assert_eq!(code, Some(0), "{seen}");
    // What was drawn is wiped, and the outcome stands at the beginning of its line.
    let (_, outcome) = seen.rsplit_once(WIPE).unwrap();
    assert!(
        outcome.starts_with("Created volume db at plugin scripted"),
        "{seen}"
    );
    restarting.end().await;
}

#[tokio::test]
async fn ctrl_c_leaves_the_work_going_and_says_how_to_look_at_it() {
    let restarting = Restarting::begin_with(Reply::Hang).await;
    let command = restarting.story.command(&["volume", "create", "db.hcl"]);
    let mut terminal = Terminal::start(command);
    terminal.until("create of volume db: ").await;
    let id = restarting.operation().await;
    terminal.interrupt();
    let (code, seen) = terminal.ended().await;
    assert_eq!(code, Some(130), "{seen}");
    let (_, told) = seen.rsplit_once(WIPE).unwrap();
    assert_eq!(
        told,
        format!(
            "saddlebag: left; the create goes on\n  See how it is: saddlebag operation status {id}\n  \
             The same command again waits for it\n"
        )
    );
    let status = restarting.story.told(&["operation", "status", &id]).await;
    assert!(status.contains("= running\n"), "{status}");
    restarting.end().await;
}

#[tokio::test]
async fn a_pipe_is_told_the_outcome_alone() {
    let restarting = Restarting::begin().await;
    let create = ["volume", "create", "--wait", "1s", "db.hcl"];
    let began = std::time::Instant::now();
    let said = restarting.story.run(&create).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "{said:?}");
    assert_eq!((said.code, said.stdout.as_str()), (Some(6), ""), "{said:?}");
    let id = restarting.operation().await;
    let lines: Vec<&str> = said.stderr.lines().collect();
    assert!(lines[0].starts_with("saddlebag: "), "{said:?}");
    assert_eq!(
        lines[1..],
        [
            "  It goes on, and the same command again waits for it",
            &format!("  See why: saddlebag operation status {id}"),
        ]
    );
    let status = restarting.story.told(&["volume", "status"]).await;
    assert_eq!(status, "No volumes\n");
    restarting.end().await;
}

#[tokio::test]
async fn a_volume_that_is_being_deleted_says_what_is_under_way() {
    let restarting = Restarting::begin().await;
    restarting.comes_back();
    let story = &restarting.story;
    story.told(&["volume", "create", "db.hcl"]).await;
    restarting.driver.always(Call::DeleteVolume, Reply::Hang);
    let left = story.run(&["volume", "delete", "--wait", "0s", "db"]).await;
    assert_eq!(left.code, Some(6), "{left:?}");
    let status = story.told(&["volume", "status", "db"]).await;
    assert!(
        status.contains("Schedulable          = false: it is being deleted\n"),
        "{status}"
    );
    let (_, under_way) = status.split_once("\nUnder way\n").unwrap();
    assert!(under_way.starts_with("delete of volume db: "), "{status}");
    assert!(
        under_way.contains("\n  saddlebag operation status "),
        "{status}"
    );
    restarting.end().await;
}

#[tokio::test]
async fn a_snapshot_that_is_not_taken_yet_goes_on_as_a_create_does() {
    let restarting = Restarting::begin().await;
    restarting.comes_back();
    let story = &restarting.story;
    story.told(&["volume", "create", "db.hcl"]).await;
    let unavailable = Reply::refuse(Code::Unavailable, "the array restarts");
    restarting.driver.always(Call::CreateSnapshot, unavailable);
    let take = [
        "volume", "snapshot", "create", "--wait", "1s", "db", "nightly",
    ];
    let left = story.run(&take).await;
    assert_eq!(left.code, Some(6), "{left:?}");
    assert!(
        left.stderr.contains("saddlebag operation status "),
        "{left:?}"
    );
    restarting.end().await;
}

#[tokio::test]
async fn a_question_that_the_driver_does_not_answer_is_over() {
    let restarting = Restarting::begin().await;
    let unavailable = Reply::refuse(Code::Unavailable, "the array restarts");
    restarting.driver.always(Call::ListVolumes, unavailable);
    let list = ["volume", "list", "--external", "--plugin", "scripted"];
    let said = restarting.story.run(&list).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("the array restarts"), "{said:?}");
    assert!(
        said.stderr.contains("saddlebag plugin status scripted"),
        "{said:?}"
    );
    restarting.end().await;
}

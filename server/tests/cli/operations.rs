//! Why something waits is answered in one command, and so is what to do about it.

use crate::story::masked;
use crate::waiting::Restarting;

#[tokio::test]
async fn a_create_that_waits_is_explained_retried_and_done() {
    let restarting = Restarting::begin().await;
    let story = &restarting.story;
    let left = story
        .run(&["volume", "create", "--wait", "0s", "db.hcl"])
        .await;
    assert_eq!(left.code, Some(6), "{left:?}");
    let id = restarting.operation().await;
    assert!(
        left.stderr
            .contains(&format!("saddlebag operation status {id}")),
        "{left:?}"
    );

    let status = restarting.until_tried(&id).await;
    for part in [
        "Kind            = create\n",
        "Volume ID       = db\n",
        "Plugin ID       = scripted\n",
        "the array restarts",
        "Last Error Code = Unavailable\n",
        "Next Try        = YYYY-MM-DDTHH:MM:SSZ\n",
        "\nWhat you can do\n  Try it now, say after its driver was repaired:  saddlebag operation retry UUID",
        "saddlebag operation abandon --reason 'why' UUID",
    ] {
        assert!(masked(&status).contains(part), "{part:?}:\n{status}");
    }
    let listed = story.told(&["operation", "list"]).await;
    assert!(
        listed.contains("the array restarts") && listed.contains(&id),
        "{listed}"
    );

    // It would be over if the array came back first: it is tried by itself, too.
    story.told(&["operation", "retry", &id]).await;
    restarting.comes_back();
    // The same command again joins it.
    let joined = story.told(&["volume", "create", "db.hcl"]).await;
    assert!(joined.contains("volume db at plugin scripted"), "{joined}");
    let ended = story.told(&["operation", "status", &id]).await;
    assert!(
        ended.contains("= done\n") && ended.contains("Ended"),
        "{ended}"
    );
    assert!(!ended.contains("What you can do"), "{ended}");
    let again = story.run(&["operation", "retry", &id]).await;
    assert_eq!(again.code, Some(4), "{again:?}");
    restarting.end().await;
}

#[tokio::test]
async fn who_waits_for_what_is_given_up_is_told_so() {
    let restarting = Restarting::begin().await;
    let story = &restarting.story;
    let (waited, ()) = tokio::join!(story.run(&["volume", "create", "db.hcl"]), async {
        let id = restarting.operation().await;
        let busy = story.run(&["volume", "create", "larger.hcl"]).await;
        assert_eq!(busy.code, Some(4), "{busy:?}");
        assert!(
            busy.stderr
                .contains(&format!("saddlebag operation status {id}")),
            "{busy:?}"
        );
        let reason = [
            "operation",
            "abandon",
            "-reason",
            "the array was scrapped",
            &id,
        ];
        let told = story.told(&reason).await;
        assert!(
            told.contains("= abandoned\n") && told.contains("= the array was scrapped\n"),
            "{told}"
        );
    });
    assert_eq!(waited.code, Some(4), "{waited:?}");
    assert!(
        waited.stderr.contains("saddlebag operation status "),
        "{waited:?}"
    );
    let listed = story
        .told(&["operation", "list", "--state", "abandoned"])
        .await;
    assert!(listed.contains("the array was scrapped"), "{listed}");
    restarting.end().await;
}

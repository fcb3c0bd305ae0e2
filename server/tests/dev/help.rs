//! What `--help` says, kept as files. `EXPECTORATE=overwrite` accepts a change.

use crate::process::output;

async fn help(args: &[&str]) -> String {
    let output = output(args).await;
    assert!(output.status.success());
    assert!(output.stderr.is_empty());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\nExample:\n  saddlebag "), "{text}");
    text
}

#[tokio::test]
async fn the_program_says_what_it_can_do() {
    let text = help(&["--help"]).await;
    expectorate::assert_contents("tests/dev/help.txt", &text);
}

#[tokio::test]
async fn dev_says_what_it_takes() {
    let text = help(&["dev", "--help"]).await;
    expectorate::assert_contents("tests/dev/help-dev.txt", &text);
}

#[tokio::test]
async fn driver_says_what_it_takes() {
    let text = help(&["driver", "--help"]).await;
    expectorate::assert_contents("tests/dev/help-driver.txt", &text);
}

#[tokio::test]
async fn store_says_what_it_can_do() {
    let text = help(&["store", "--help"]).await;
    expectorate::assert_contents("tests/dev/help-store.txt", &text);
    for command in ["backup", "restore", "check", "stats"] {
        let text = help(&["store", command, "--help"]).await;
        let file = format!("tests/dev/help-store-{command}.txt");
        expectorate::assert_contents(file, &text);
    }
}

//! What `--help` says, kept as files. `EXPECTORATE=overwrite` accepts a change.

use crate::process::output;

#[tokio::test]
async fn each_command_says_what_it_takes() {
    for (args, file) in [
        (&["serve", "--help"][..], "help-serve.txt"),
        (&["config", "--help"], "help-config.txt"),
        (&["config", "check", "-h"], "help-check.txt"),
        (&["config", "systemd", "--help"], "help-systemd.txt"),
    ] {
        let output = output(args).await;
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("\nExample:\n  saddlebag "), "{text}");
        expectorate::assert_contents(format!("tests/serve/{file}"), &text);
    }
}

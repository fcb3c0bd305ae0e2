//! What `--help` says, kept as files. `EXPECTORATE=overwrite` accepts a change.

use crate::process::output;

#[tokio::test]
async fn each_command_says_what_it_takes() {
    for (args, file) in [
        (&["serve", "--help"][..], "help-serve.txt"),
        (&["config", "--help"], "help-config.txt"),
        (&["config", "check", "-h"], "help-check.txt"),
    ] {
        let output = output(args).await;
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("\nExample:\n  saddlebag "), "{text}");
        expectorate::assert_contents(format!("tests/serve/{file}"), &text);
    }
}

#[tokio::test]
async fn the_systemd_unit_starts_what_tells_systemd_how_it_is() {
    let output = output(&["config", "systemd"]).await;
    assert!(output.status.success());
    let unit = String::from_utf8(output.stdout).unwrap();
    for line in [
        "Type=notify",
        "ExecStart=/usr/local/bin/saddlebag serve -c /etc/saddlebag/saddlebag.toml",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "StateDirectory=saddlebag",
    ] {
        assert!(unit.lines().any(|told| told == line), "{line}: {unit}");
    }
    assert!(unit.contains("\nWatchdogSec="), "{unit}");
}

//! What `--help` and `completion` say.

use crate::process::output;
use clap::CommandFactory;
use saddlebag::cli::Command;
use std::fmt::Write;

/// The words of every command that has no commands below it, or has some.
fn all(command: &clap::Command, before: &[&str]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for below in command
        .get_subcommands()
        .filter(|it| it.get_name() != "help")
    {
        let words = [before, &[below.get_name()]].concat();
        found.push(words.iter().map(|word| (*word).to_owned()).collect());
        found.extend(all(below, &words));
    }
    found
}

async fn help(words: &[String]) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
    let output = output(&words).await;
    assert_eq!(
        (output.status.code(), output.stderr.len()),
        (Some(0), 0),
        "{words:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn every_command_has_an_example_that_is_a_command_line_of_its_own() {
    let found = all(&Command::command(), &[]);
    assert!(found.len() > 20, "{found:?}");
    for words in found {
        let text = help(&words).await;
        let (_, examples) = text
            .split_once("\nExample:\n")
            .unwrap_or_else(|| panic!("{words:?}: {text}"));
        let own = format!("  saddlebag {}", words.join(" "));
        assert!(
            examples.lines().any(|line| line.starts_with(&own)),
            "{words:?}: {examples}"
        );
    }
}

#[tokio::test]
async fn every_example_is_understood() {
    for words in all(&Command::command(), &[]) {
        let text = help(&words).await;
        let (_, examples) = text.split_once("\nExample:\n").unwrap();
        for line in examples
            .lines()
            .filter_map(|line| line.strip_prefix("  saddlebag "))
        {
            let line = line.split(" > ").next().unwrap();
            let mut typed = vec!["saddlebag".to_owned()];
            for (at, part) in line.split('\'').enumerate() {
                match at % 2 {
                    0 => typed.extend(part.split_whitespace().map(str::to_owned)),
                    _ => typed.push(part.to_owned()),
                }
            }
            if let Err(error) = Command::command().try_get_matches_from(typed) {
                panic!("{line}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn the_commands_of_users_say_what_they_take() {
    let mut text = String::new();
    for words in all(&Command::command(), &[]) {
        if [
            "volume",
            "plugin",
            "node",
            "operation",
            "namespace",
            "acl",
            "tls",
            "doctor",
            "completion",
        ]
        .contains(&words[0].as_str())
        {
            let told = help(&words).await;
            writeln!(text, "$ saddlebag {} --help\n{told}", words.join(" ")).unwrap();
        }
    }
    expectorate::assert_contents("tests/cli/help.txt", &text);
}

#[tokio::test]
async fn the_top_tells_what_exit_codes_mean() {
    let text = help(&[]).await;
    for code in [
        "\n  0 ", "\n  1 ", "\n  2 ", "\n  3 ", "\n  4 ", "\n  5 ", "\n  6 ", "\n  130 ",
    ] {
        assert!(text.contains(code), "{code:?}: {text}");
    }
}

#[tokio::test]
async fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = output(&["completion", shell]).await;
        let script = String::from_utf8(script.stdout).unwrap();
        for word in [
            "saddlebag",
            "deregister",
            "snapshot",
            "abandon",
            "release",
            "unfence",
            "doctor",
            "page-token",
        ] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let unknown = output(&["completion", "tcsh"]).await;
    assert_eq!(unknown.status.code(), Some(2));
}

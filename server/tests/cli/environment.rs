//! Which server is spoken to, and as whom: flags, then our variables, then Nomad's.

use crate::process::soon;
use crate::story::{Said, Story, command, ended, masked};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that refuses everything, and what it was asked.
async fn asked_by(args: &[&str], variables: &[(&str, &str)]) -> (String, Said) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            connection.read_buf(&mut request).await.unwrap();
        }
        let text = "Permission denied";
        let length = text.len();
        let answer = format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
        );
        connection.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    };
    let mut command = command(Path::new("."), args);
    for (name, value) in variables {
        command.env(name, value.replace("SERVER", &address));
    }
    if args.contains(&"--address") {
        command.arg(&address);
    }
    soon("a request", async { tokio::join!(serving, ended(command)) }).await
}

#[tokio::test]
async fn the_token_namespace_and_region_of_the_environment_are_sent() {
    let (asked, said) = asked_by(
        &["volume", "status", "db"],
        &[
            ("NOMAD_ADDR", "http://SERVER"),
            ("NOMAD_TOKEN", "nomads"),
            ("NOMAD_NAMESPACE", "prod"),
            ("NOMAD_REGION", "mars"),
        ],
    )
    .await;
    assert!(asked.starts_with("GET /v1/volume/csi/db?"), "{asked}");
    for part in ["namespace=prod", "region=mars", "x-nomad-token: nomads\r\n"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    // A real Nomad refuses in plain text.
    assert_eq!(
        (said.code, said.stderr.as_str()),
        (Some(1), "saddlebag: Permission denied\n")
    );
}

#[tokio::test]
async fn ours_come_before_nomads_and_flags_before_both() {
    let (asked, _) = asked_by(
        &[
            "plugin",
            "status",
            "local",
            "--namespace",
            "flag",
            "-token=flags",
            "--address",
        ],
        &[
            ("SADDLEBAG_ADDR", "http://127.0.0.1:1"),
            ("NOMAD_TOKEN", "nomads"),
            ("SADDLEBAG_TOKEN", "ours"),
            ("SADDLEBAG_NAMESPACE", "ours"),
        ],
    )
    .await;
    assert!(
        asked.contains("namespace=flag") && asked.contains("x-nomad-token: flags\r\n"),
        "{asked}"
    );
    let (asked, _) = asked_by(
        &["operation", "list"],
        &[
            ("SADDLEBAG_ADDR", "SERVER"),
            ("NOMAD_ADDR", "http://127.0.0.1:1"),
            ("NOMAD_TOKEN", "nomads"),
            ("SADDLEBAG_TOKEN", "ours"),
            ("http_proxy", "http://127.0.0.1:1"),
        ],
    )
    .await;
    assert!(asked.contains("x-nomad-token: ours\r\n"), "{asked}");
}

#[tokio::test]
async fn without_a_server_it_is_told_how_to_start_one() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for args in [
        &["volume", "list"][..],
        &["volume", "status", "a"],
        &["volume", "delete", "a"],
        &["plugin", "list"],
        &["operation", "list"],
        &["volume", "claim", "a"],
        &["node", "list"],
        &["doctor"],
    ] {
        let mut command = command(Path::new("."), args);
        command.env("NOMAD_ADDR", closed.to_string());
        let said = ended(command).await;
        assert_eq!((said.code, said.stdout.as_str()), (Some(5), ""));
        assert_eq!(
            masked(&said.stderr),
            "saddlebag: no server answers at http://SERVER: Connection refused (os error 111)\n  \
             Start one: saddlebag dev\n  Or say where one is: --address URL, or SADDLEBAG_ADDR\n"
        );
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_before_anything_is_sent() {
    for (address, problem) in [
        ("ftp://127.0.0.1:1", "`ftp` is not spoken, only `http` and"),
        (
            "unix:///run/nomad.sock",
            "`unix` is not spoken, only `http`",
        ),
        ("http://[::1", "invalid IPv6 address"),
    ] {
        let said = ended(command(
            Path::new("."),
            &["volume", "list", "--address", address],
        ))
        .await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(
            said.stderr.contains(problem) && said.stderr.contains(address),
            "{said:?}"
        );
    }
}

#[tokio::test]
async fn what_is_no_saddlebag_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            connection.read_buf(&mut request).await.unwrap();
        }
        let page = "<html>hello</html>";
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        );
        connection.write_all(answer.as_bytes()).await.unwrap();
        connection
    };
    let command = command(Path::new("."), &["volume", "list", "--address", &address]);
    let (_, said) = soon("an answer", async { tokio::join!(serving, ended(command)) }).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.stderr.contains("is not understood") && said.stderr.contains("--address"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_volume_is_looked_for_in_the_namespace_that_was_named() {
    let story = Story::begin_with(&["--namespace", "prod"]).await;
    story.told(&["volume", "init", "db.hcl"]).await;
    story
        .told(&["volume", "create", "--namespace", "prod", "db.hcl"])
        .await;
    assert_eq!(
        story.run(&["volume", "status", "pgdata"]).await.code,
        Some(3)
    );
    let found = story
        .told(&["volume", "-namespace=prod", "status", "pgdata"])
        .await;
    assert!(found.contains("Namespace            = prod\n"), "{found}");
    assert_eq!(
        story
            .told(&["volume", "list", "-q", "-namespace", "*"])
            .await,
        "pgdata\n"
    );
    story
        .told(&["volume", "delete", "--namespace", "prod", "pgdata"])
        .await;
    story.dev.stop().await;
}

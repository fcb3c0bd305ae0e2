//! The file of the audit log: put aside when it is full, moved away by others, or none that can be used.

use crate::audit::REOPENED;
use crate::process::{names, soon, text};
use crate::site::{Site, reload};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn a_full_file_is_put_aside_no_line_is_lost_and_the_oldest_file_goes() {
    const MOST: u64 = 2000;
    let site = Site::new();
    site.audited("", &format!("rotate_bytes = {MOST}\nkeep = 3"));
    let serve = site.start(&[]).await;
    for number in 100..160 {
        let (status, _) = serve.get(&format!("/v1/volume/csi/v{number}")).await;
        assert_eq!(status, 404);
    }
    serve.stop().await;
    let files: Vec<String> = names(site.path())
        .into_iter()
        .filter(|name| name.starts_with("log"))
        .collect();
    assert_eq!(files, ["log", "log.1", "log.2", "log.3"]);
    let oldest_first = ["log.3", "log.2", "log.1", "log"];
    let ids: Vec<String> = oldest_first
        .iter()
        .flat_map(|file| site.lines(file))
        .map(|line| line["objects"][0]["id"].as_str().unwrap().to_owned())
        .collect();
    let first: usize = ids[0][1..].parse().unwrap();
    let expected: Vec<String> = (first..160).map(|number| format!("v{number}")).collect();
    assert!(first > 100, "{first}");
    assert_eq!(ids, expected);
    for file in files {
        let about = std::fs::metadata(site.at(&file)).unwrap();
        assert!(about.len() <= MOST, "{file}");
        assert_eq!(about.permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_file_that_was_moved_away_is_followed_until_sighup_opens_a_new_one() {
    let site = Site::new();
    std::fs::write(site.at("log"), "half a li").unwrap();
    site.audited("", "enforce = true");
    let mut serve = site.start(&[]).await;
    std::fs::rename(site.at("log"), site.at("moved")).unwrap();
    assert_eq!(serve.create("one", "local").await.0, 200);
    reload(&mut serve, REOPENED).await;
    assert_eq!(serve.create("two", "local").await.0, 200);
    std::fs::create_dir(site.at("folder")).unwrap();
    std::fs::rename(site.at("log"), site.at("second")).unwrap();
    std::fs::rename(site.at("folder"), site.at("log")).unwrap();
    reload(&mut serve, "the audit log that was open stays in use").await;
    assert_eq!(serve.create("three", "local").await.0, 200);
    serve.stop().await;
    let moved = std::fs::read_to_string(site.at("moved")).unwrap();
    let whole = moved.strip_prefix("half a li\n").unwrap();
    std::fs::write(site.at("whole"), whole).unwrap();
    let created = |file: &str| -> Vec<Value> {
        let lines = site.lines(file).into_iter();
        let done =
            lines.filter(|line| line["operation"] == "create_volume" && line["status"] == 200);
        done.map(|line| line["objects"][0]["id"].clone()).collect()
    };
    assert_eq!(created("whole"), ["one"]);
    assert_eq!(created("second"), ["two", "three"]);
}

#[tokio::test]
async fn a_log_that_cannot_be_used_stops_the_start_and_is_told_by_check() {
    let site = Site::new();
    for (config, says) in [
        (
            "[audit]\nenabled = true\nfile = \"none/log\"",
            "the audit log cannot be used: ",
        ),
        ("[audit]\nenabled = true\nfile = \"/dev\"", "Is a directory"),
        ("[audit]\nenforce = true", "audit.enabled"),
    ] {
        site.configure(config);
        let args = ["config", "check", "-c", "saddlebag.toml"];
        let checked = crate::process::saddlebag(site.path(), &args).output();
        let checked = soon("an answer", checked).await.unwrap();
        let checked = (
            checked.status.code(),
            String::from_utf8(checked.stderr).unwrap(),
        );
        for (code, told) in [checked, site.refused(&[]).await] {
            assert_eq!(code, Some(1), "{config}: {told}");
            assert!(told.contains(says), "{config}: {told}");
        }
    }
    let data = site.at("data");
    site.configure("[audit]\nenabled = true");
    site.start(&[]).await.stop().await;
    assert!(data.join("audit.log").exists(), "{}", text(&data));
}

//! `saddlebag version`.

use crate::process::output;

#[tokio::test]
async fn it_says_what_it_was_built_from_and_nothing_of_when_and_where() {
    let short = output(&["version"]).await;
    let version = format!("saddlebag {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(short.stdout).unwrap(), version);
    let long = String::from_utf8(output(&["version", "-verbose"]).await.stdout).unwrap();
    let lines: Vec<&str> = long.strip_prefix(&version).unwrap().lines().collect();
    let (what, known): (Vec<&str>, Vec<&str>) = lines.iter().map(|line| line.split_at(10)).unzip();
    let what: Vec<&str> = what.into_iter().map(str::trim).collect();
    assert_eq!(
        what,
        ["commit", "target", "compiler", "profile", "features"]
    );
    assert!(known[1].contains(std::env::consts::ARCH), "{long}");
    assert!(known[2].starts_with("rustc 1."), "{long}");
    assert!(["debug", "release"].contains(&known[3]), "{long}");
    assert_eq!(known[4], "none");
    assert!(!long.contains(env!("CARGO_MANIFEST_DIR")), "{long}");
}

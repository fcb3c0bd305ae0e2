//! What `dev` says when it cannot do what it is told.

use crate::process::{Dev, Folders, output, text};

/// Its exit code and what it says on standard error.
async fn refused(args: &[&str]) -> (Option<i32>, String) {
    let output = output(&[&["dev"], args].concat()).await;
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let told = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), told)
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_what_to_try() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (code, told) = refused(&["--port", &address.port().to_string()]).await;
    assert_eq!(code, Some(1));
    assert!(
        told.starts_with(&format!("saddlebag dev: {address} ")),
        "{told}"
    );
    assert!(
        told.contains("Address already in use") && told.contains("Try --port 0"),
        "{told}"
    );
}

#[tokio::test]
async fn a_flag_that_is_wrong_is_named_with_what_is_wrong_in_it() {
    for (args, problem) in [
        (&["--port", "70000"][..], "70000"),
        (&["--plugin", "nfs"], "\"nfs\" is not KEY=VALUE"),
        (&["--plugin", "endpoint=unix:///a"], "id= is missing"),
        (&["--plugin", "id=a"], "either endpoint= or command="),
        (
            &["--plugin", "id=a,endpoint=tcp://a:1"],
            "only unix sockets",
        ),
        (
            &["--plugin", "id=a,endpoint=unix://csi.sock"],
            "must be absolute",
        ),
        (
            &["--plugin", "id=a,endpoint=unix:///a,type=both"],
            "\"both\" is not controller",
        ),
        (&["--plugin", "id=a,command="], "names no program"),
        (&["--namespace", "a b"], "invalid namespace"),
        (&["--status", "odd"], "possible values: true, nomad"),
        (&["--colour", "red"], "unexpected argument '--colour'"),
    ] {
        let (code, told) = refused(args).await;
        assert_eq!(code, Some(2), "{args:?}: {told}");
        assert!(told.contains(problem), "{args:?}: {told}");
        assert!(told.contains(args[0]), "{args:?}: {told}");
    }
}

#[tokio::test]
async fn the_built_in_drivers_id_is_taken_unless_it_is_left_out() {
    let (code, told) = refused(&["--port", "0", "--plugin", "id=local,endpoint=unix:///a"]).await;
    assert_eq!(code, Some(1));
    assert!(
        told.contains("--plugin id=local") && told.contains("--no-local"),
        "{told}"
    );
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_told_who_has_it() {
    let folders = Folders::new();
    let data = folders.own("data");
    let args = ["--port", "0", "--data-dir", text(&data)];
    let dev = Dev::start(folders.temporary.path(), &args[2..]).await;
    let (code, told) = refused(&args).await;
    assert_eq!(code, Some(1));
    let holder = format!("process {} on ", dev.pid().as_raw_nonzero());
    for part in [
        text(&data),
        &holder,
        "saddlebag dev --port 0 ",
        ", since 20",
    ] {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
    assert_eq!(dev.create("db", "local").await.0, 200);
    dev.stop().await;
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_is_named() {
    let folders = Folders::new();
    let file = folders.own("file");
    std::fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below"), "/proc/saddlebag".into()] {
        let (code, told) = refused(&["--port", "0", "--data-dir", text(&path)]).await;
        assert_eq!(code, Some(1));
        assert!(
            told.starts_with("saddlebag dev: ") && told.contains(text(&path)),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_store_that_is_none_is_refused_and_left_as_it_is() {
    let folders = Folders::new();
    let data = folders.own("data");
    std::fs::create_dir(&data).unwrap();
    let store = data.join("store.redb");
    std::fs::write(&store, "no store at all").unwrap();
    let (code, told) = refused(&["--port", "0", "--data-dir", text(&data)]).await;
    assert_eq!(code, Some(1));
    assert!(told.contains(text(&store)), "{told}");
    assert_eq!(std::fs::read_to_string(&store).unwrap(), "no store at all");
}

//! The systemd units that are printed: that systemd takes them, and that a server which is held as tightly as they
//! hold it does its work.

use crate::process::{Running, SADDLEBAG, output, saddlebag, soon, text};
use crate::scripted_driver::ScriptedDriver;
use crate::site::{Site, healthy};
use reqwest::Method;
use rustix::process::{Signal, getuid};
use saddlebag::csi::{Call, v1};
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use tokio::process::Command;

/// Who the server is, where the test may choose.
const NOBODY: u32 = 65534;

async fn printed(args: &[&str]) -> String {
    let output = output(&[&["config", "systemd"], args].concat()).await;
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_units_start_what_tells_systemd_how_it_is() {
    for args in [&[][..], &["--with-drivers"]] {
        let unit = printed(args).await;
        for line in [
            "Type=notify",
            "ExecStart=/usr/local/bin/saddlebag serve -c /etc/saddlebag/saddlebag.toml",
            "ExecReload=/bin/kill -HUP $MAINPID",
            "StateDirectory=saddlebag",
            "StateDirectoryMode=0700",
            "#LoadCredential=ceph:/etc/saddlebag/ceph.secret",
        ] {
            assert!(unit.lines().any(|told| told == line), "{line}: {unit}");
        }
        assert!(unit.contains("\nWatchdogSec="), "{unit}");
    }
    assert!(printed(&[]).await.contains("\nUser=saddlebag\n"));
}

/// Where systemd is at hand, it says itself what it thinks.
#[tokio::test]
async fn systemd_takes_the_units_and_finds_little_exposed_by_the_one_without_drivers() {
    let site = Site::new();
    for (args, name, judged) in [
        (&[][..], "saddlebag.service", true),
        (&["--with-drivers"], "saddlebag-with-drivers.service", false),
    ] {
        let unit = printed(args).await;
        let file = site.at(name);
        std::fs::write(&file, unit.replace("/usr/local/bin/saddlebag", SADDLEBAG)).unwrap();
        let mut asked = vec![vec!["verify", "--man=no"]];
        if judged {
            asked.push(vec![
                "security",
                "--offline=true",
                "--threshold=20",
                "--no-pager",
            ]);
        }
        for args in asked {
            let mut analyze = Command::new("systemd-analyze");
            analyze.args(&args).arg(&file).kill_on_drop(true);
            let Ok(judged) = soon("systemd's word", analyze.output()).await else {
                return;
            };
            let told = [judged.stdout, judged.stderr].concat();
            let told = String::from_utf8_lossy(&told);
            // Of systemd before 252 it cannot be asked without an installed unit.
            let is_old = told.contains("unrecognized option");
            assert!(judged.status.success() || is_old, "{args:?}: {told}");
        }
    }
}

/// What the unit asks of systemd, as far as others can do it: another user without any rights, a file system that
/// cannot be written but for its folder, and where mounts are seen and not made.
fn sandboxed(site: &Site) -> Command {
    let serve = saddlebag(site.path(), &[]);
    let is_root = getuid().is_root();
    let mut held = match is_root {
        true => {
            let mut unshare = Command::new("unshare");
            let script =
                "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro / && shift && exec \"$@\"";
            unshare.args([
                "--mount",
                "--propagation",
                "slave",
                "sh",
                "-c",
                script,
                "sh",
            ]);
            unshare.arg(site.path()).arg("setpriv");
            for set in ["--reuid", "--regid"] {
                unshare.arg(set).arg(NOBODY.to_string());
            }
            unshare.args(["--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]);
            unshare
        }
        false => Command::new("setpriv"),
    };
    held.args(["--no-new-privs", SADDLEBAG, "serve", "-c", "saddlebag.toml"]);
    for (name, value) in serve.as_std().get_envs() {
        match value {
            Some(value) => held.env(name, value),
            None => held.env_remove(name),
        };
    }
    held.current_dir(site.path()).kill_on_drop(true);
    held.stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    held
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_server_that_is_held_as_the_unit_holds_it_gives_out_the_volumes_of_a_driver_outside() {
    let site = Site::new();
    let socket = site.at("csi.sock");
    let endpoint = format!("unix://{}", text(&socket));
    let (volumes, state) = (site.at("volumes"), site.at("state"));
    let args = ["driver", "--endpoint", &endpoint, "--root", text(&volumes)];
    let driver = Running::begin(saddlebag(site.path(), &args));
    soon("the driver's socket", async {
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    site.configure(&format!(
        "[audit]\nenabled = true\n[[plugin]]\nid = \"disk\"\nendpoint = \"{endpoint}\"\n"
    ));
    let config = std::fs::read_to_string(site.at("saddlebag.toml")).unwrap();
    let config = config.replace("data_dir = \"data\"", "data_dir = \"state/data\"");
    std::fs::write(site.at("saddlebag.toml"), config).unwrap();
    std::fs::create_dir(&state).unwrap();
    if getuid().is_root() {
        // As systemd and an administrator do it.
        chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
        chown(site.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        chown(&socket, Some(NOBODY), None).unwrap();
    }
    let mut probe = sandboxed(&site);
    if probe.arg("--help").output().await.is_err() {
        return; // no setpriv, or no unshare
    }
    let serve = Running::begin_ready(site.path(), sandboxed(&site)).await;
    healthy(&serve, "disk").await;
    assert_eq!(serve.create("db", "disk").await.0, 200);
    let claim = "/v1/volume/csi/db/claim";
    let (status, claimed) = serve
        .ask(Method::PUT, &format!("{claim}?wait=20s"), Some(json!({})))
        .await;
    assert_eq!(
        (status, &claimed["State"]),
        (200, &json!("published")),
        "{claimed}"
    );
    let path = Path::new(claimed["TargetPath"].as_str().unwrap()).join("note");
    std::fs::write(&path, "still here").unwrap();
    let allocation = claimed["AllocationID"].as_str().unwrap();
    let release = format!("{claim}/{allocation}?wait=20s");
    let (status, released) = serve.ask(Method::DELETE, &release, None).await;
    assert_eq!(
        (status, &released["State"]),
        (200, &json!("gone")),
        "{released}"
    );
    assert!(!path.exists());
    let (status, _) = serve
        .ask(Method::DELETE, "/v1/volume/csi/db/delete", None)
        .await;
    assert_eq!(status, 200);
    let data = state.join("data");
    assert_eq!(mode(&data), 0o700);
    for private in ["secrets.key", "audit.log"] {
        assert_eq!(mode(&data.join(private)), 0o600, "{private}");
    }
    serve.stop().await;
    driver.signal(Signal::TERM);
    driver.ended().await;
}

#[tokio::test]
async fn a_credential_of_the_unit_is_read_at_each_call_and_no_other_may_be_named() {
    let (site, driver) = (Site::new(), ScriptedDriver::start());
    site.configure(&format!(
        "[secrets]\nfrom_credentials = [\"disk-*\"]\n[[plugin]]\nid = \"disk\"\nendpoint = \"{}\"\n",
        driver.endpoint()
    ));
    let credentials = site.at("credentials");
    std::fs::create_dir(&credentials).unwrap();
    let put = |name: &str, value: &str| std::fs::write(credentials.join(name), value).unwrap();
    put("disk-password", "first-c4n4ry\n");
    put("other", "other-c4n4ry");
    let volume = |name: &str| {
        let mut body = crate::process::volume("db", "disk");
        body["Volumes"][0]["SecretsFrom"] = json!({"key": {"Credential": name}});
        Some(body)
    };
    let create = "/v1/volume/csi/db/create";
    let refused = |answer: (u16, Value), problem: &str| {
        assert_eq!(answer.0, 400, "{}", answer.1);
        assert!(
            answer.1["message"].as_str().unwrap().contains(problem),
            "{}",
            answer.1
        );
    };

    let without = site.start(&[]).await;
    let answer = without
        .ask(Method::PUT, create, volume("disk-password"))
        .await;
    refused(answer, "this server has no $CREDENTIALS_DIRECTORY");
    without.stop().await;

    let mut command = site.serve(&[]);
    command.env("CREDENTIALS_DIRECTORY", &credentials);
    let serve = Running::begin_ready(site.path(), command).await;
    healthy(&serve, "disk").await;
    for (name, problem) in [
        ("other", "secrets.from_credentials"),
        ("disk-none", "No such file"),
        ("disk-/../other", ""),
    ] {
        refused(serve.ask(Method::PUT, create, volume(name)).await, problem);
    }
    let (status, created) = serve
        .ask(Method::PUT, create, volume("disk-password"))
        .await;
    assert_eq!(status, 200, "{created}");
    let asked: v1::CreateVolumeRequest = driver.last(Call::CreateVolume);
    assert_eq!(asked.secrets["key"], "first-c4n4ry");
    put("disk-password", "second-c4n4ry");
    let (status, _) = serve
        .ask(Method::DELETE, "/v1/volume/csi/db/delete", None)
        .await;
    assert_eq!(status, 200);
    let asked: v1::DeleteVolumeRequest = driver.last(Call::DeleteVolume);
    assert_eq!(asked.secrets["key"], "second-c4n4ry");
    let log = serve.stop().await.stderr;
    assert!(!log.contains("c4n4ry"), "{log}");
}

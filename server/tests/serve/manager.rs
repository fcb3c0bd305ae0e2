//! What a service manager hears, over a real datagram socket.

use crate::process::{Running, soon};
use crate::site::Site;
use rustix::process::Signal;
use rustix::time::{ClockId, clock_gettime};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use tokio::net::UnixDatagram;

/// A service manager, and the name of its socket.
struct Manager {
    socket: UnixDatagram,
    name: String,
}

impl Manager {
    fn at_path(site: &Site) -> Self {
        let path = site.at("notify");
        Self {
            socket: UnixDatagram::bind(&path).unwrap(),
            name: path.to_str().unwrap().to_owned(),
        }
    }

    fn abstractly(site: &Site) -> Self {
        let name = format!("saddlebag-test{}", site.path().display());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = std::os::unix::net::UnixDatagram::bind_addr(&address).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self {
            socket: UnixDatagram::from_std(socket).unwrap(),
            name: format!("@{name}"),
        }
    }

    /// A server that this one has started, once it runs.
    fn start(&self, site: &Site, watchdog_micros: &str) -> Running {
        let mut command = site.serve(&[]);
        command.env("NOTIFY_SOCKET", &self.name);
        command.env("WATCHDOG_USEC", watchdog_micros);
        Running::begin(command)
    }

    /// The next message that has this.
    async fn until(&self, part: &str) -> String {
        soon(part, async {
            loop {
                let mut bytes = [0; 4096];
                let read = self.socket.recv(&mut bytes).await.unwrap();
                let text = String::from_utf8(bytes[..read].to_vec()).unwrap();
                if text.contains(part) {
                    return text;
                }
            }
        })
        .await
    }
}

fn url_in(status: &str) -> &str {
    let (_, url) = status.split_once("answering at ").unwrap();
    url.split(',').next().unwrap()
}

#[tokio::test]
async fn it_says_when_it_is_ready_how_its_plugins_are_and_when_it_stops() {
    let site = Site::new();
    let missing = "[[plugin]]\nid = \"missing\"\nendpoint = \"/nowhere/csi.sock\"\n";
    site.configure(&format!("builtin_driver = true\n{missing}"));
    for manager in [Manager::at_path(&site), Manager::abstractly(&site)] {
        let serve = manager.start(&site, "0");
        let ready = manager.until("READY=1").await;
        assert!(
            ready.contains("\nSTATUS=answering at http://127.0.0.1:"),
            "{ready}"
        );
        assert!(ready.contains("1 of 2 plugins healthy"), "{ready}");
        let health = format!("{}/v1/agent/health", url_in(&ready));
        assert_eq!(
            saddlebag_client::http()
                .build()
                .unwrap()
                .get(health)
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
        serve.signal(Signal::TERM);
        manager.until("STOPPING=1").await;
        assert_eq!(serve.ended().await.code, Some(0));
    }
}

#[tokio::test]
async fn a_reload_is_told_with_its_time_and_so_is_its_end() {
    let site = Site::new();
    site.configure("");
    let manager = Manager::at_path(&site);
    let serve = manager.start(&site, "0");
    manager.until("READY=1").await;
    for (more, status) in [
        ("", "no plugins"),
        ("prot = 1", "the configuration is wrong"),
        ("", "no plugins"),
    ] {
        site.configure(more);
        let before = clock_gettime(ClockId::Monotonic);
        serve.signal(Signal::HUP);
        let reloading = manager.until("RELOADING=1").await;
        let (_, micros) = reloading.split_once("\nMONOTONIC_USEC=").unwrap();
        let micros: i64 = micros.trim().parse().unwrap();
        let after = clock_gettime(ClockId::Monotonic);
        assert!(before.tv_sec <= micros / 1_000_000 && micros / 1_000_000 <= after.tv_sec);
        let ready = manager.until("READY=1").await;
        assert!(ready.contains(status), "{ready}");
    }
    serve.stop().await;
}

#[tokio::test]
async fn the_watchdog_hears_that_it_is_alive_until_it_is_not() {
    let site = Site::new();
    site.configure("builtin_driver = true");
    let manager = Manager::at_path(&site);
    let serve = manager.start(&site, "200000");
    for _ in 0..3 {
        manager.until("WATCHDOG=1").await;
    }
    serve.signal(Signal::STOP);
    soon("silence", async {
        let quiet = std::time::Duration::from_secs(1);
        while tokio::time::timeout(quiet, manager.until("WATCHDOG=1"))
            .await
            .is_ok()
        {}
    })
    .await;
    serve.signal(Signal::CONT);
    manager.until("WATCHDOG=1").await;
    serve.stop().await;
}

#[tokio::test]
async fn a_watchdog_of_another_process_is_not_answered() {
    let site = Site::new();
    site.configure("");
    let manager = Manager::at_path(&site);
    let mut command = site.serve(&[]);
    command.env("NOTIFY_SOCKET", &manager.name);
    command
        .env("WATCHDOG_USEC", "10000")
        .env("WATCHDOG_PID", "1");
    let serve = Running::begin(command);
    manager.until("READY=1").await;
    serve.signal(Signal::TERM);
    let next = manager.until("").await;
    assert!(next.contains("STOPPING=1"), "{next}");
    assert_eq!(serve.ended().await.code, Some(0));
}

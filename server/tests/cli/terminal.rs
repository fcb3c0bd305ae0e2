//! A terminal with a process in it.

use crate::process::{PATIENCE, soon};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::Stdio;
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// A process whose standard output and error are a terminal of 100 columns.
pub struct Terminal {
    child: Child,
    seen: watch::Receiver<String>,
}

impl Terminal {
    /// Starts a process in a new terminal.
    pub fn start(mut command: Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name)
            .unwrap();
        let size = Winsize {
            ws_row: 40,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&theirs, size).unwrap();
        command
            .stdout(Stdio::from(theirs.try_clone().unwrap()))
            .stderr(Stdio::from(theirs));
        let child = command.spawn().unwrap();
        // It holds our copies of their end, without which the terminal ends with the process.
        drop(command);
        Self {
            child,
            seen: follow(File::from(ours)),
        }
    }

    /// What is on it, once it holds this.
    pub async fn until(&mut self, part: &str) -> String {
        let seen = soon(part, self.seen.wait_for(|seen| seen.contains(part))).await;
        seen.expect("it ended before").clone()
    }

    /// As Ctrl-C does.
    pub fn interrupt(&self) {
        let pid = self.child.id().expect("it runs").cast_signed();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::INT).unwrap();
    }

    /// Waits for the process to end: its exit code, and what is on the terminal, in lines.
    pub async fn ended(mut self) -> (Option<i32>, String) {
        let status = soon("a command to end", self.child.wait()).await.unwrap();
        let ended = async { while self.seen.changed().await.is_ok() {} };
        tokio::time::timeout(PATIENCE, ended).await.unwrap();
        let seen = self.seen.borrow().replace("\r\n", "\n");
        (status.code(), seen)
    }
}

/// All that comes from a terminal, until nobody is left at its other end.
fn follow(mut ours: File) -> watch::Receiver<String> {
    let (tell, seen) = watch::channel(String::new());
    std::thread::spawn(move || {
        let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
        // Linux ends it with EIO.
        while let Ok(read @ 1..) = ours.read(&mut part) {
            bytes.extend_from_slice(&part[..read]);
            tell.send_replace(String::from_utf8_lossy(&bytes).into_owned());
        }
    });
    seen
}

//! Clients that only cost: what a server has to bear while it answers others.
//!
//! They come from addresses of their own in 127.0.0.0/8, as many from each as one may have.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

/// How many connections one address may have.
const OF_ONE_ADDRESS: usize = 100;

/// A kind of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    /// They connect, and say nothing.
    Silent,
    /// They say half of a head.
    Slow,
    /// They wait for a change that does not come.
    Blocked,
    /// They ask for something large, and read nothing of it.
    Deaf,
    /// They connect and leave, every second one after asking.
    Fleeting,
    /// They create volumes at a driver that hangs.
    Creating,
}

impl Flood {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Silent,
        Self::Slow,
        Self::Blocked,
        Self::Deaf,
        Self::Fleeting,
        Self::Creating,
    ];

    /// Lets so many come. Those who stay do so until their connections are dropped.
    pub async fn begin(self, server: SocketAddr, count: usize) -> Vec<TcpStream> {
        let mut staying = Vec::with_capacity(count);
        for number in 0..count {
            let mut stream = connect(server, number, self == Self::Deaf).await;
            let said = self.says(number);
            stream.write_all(said.as_bytes()).await.unwrap();
            if self != Self::Fleeting {
                staying.push(stream);
            }
        }
        staying
    }

    /// What the client of this number says.
    fn says(self, number: usize) -> String {
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        match self {
            Self::Silent => String::new(),
            Self::Slow => "GET /v1/plugins?type=csi HTTP/1.1\r\nHost: loc".to_owned(),
            Self::Blocked => get("/v1/volumes?type=csi&index=1000000000&wait=300s"),
            // Each of these is indented anew.
            Self::Deaf => get("/openapi.json?pretty"),
            Self::Fleeting if number.is_multiple_of(2) => String::new(),
            Self::Fleeting => get("/v1/plugins?type=csi"),
            Self::Creating => {
                let body = format!(
                    r#"{{"Volumes": [{{"ID": "v{number}", "Name": "v{number}", "PluginID": "hung",
                    "RequestedCapabilities": [{{"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}}]}}]}}"#
                );
                let length = body.len();
                format!(
                    "PUT /v1/volume/csi/v{number}/create?wait=300s HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
                )
            }
        }
    }
}

/// A connection of the client of this number, which takes little before it reads if it is deaf.
async fn connect(server: SocketAddr, number: usize, is_deaf: bool) -> TcpStream {
    let address = u32::try_from(number / OF_ONE_ADDRESS).unwrap();
    let address = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + address);
    let socket = TcpSocket::new_v4().unwrap();
    if is_deaf {
        socket.set_recv_buffer_size(4096).unwrap();
    }
    socket.bind(SocketAddr::new(address.into(), 0)).unwrap();
    socket.connect(server).await.unwrap()
}

/// How many file descriptors a process has open.
pub fn descriptors(process: u32) -> usize {
    let open = std::fs::read_dir(Path::new("/proc").join(process.to_string()).join("fd"));
    open.unwrap().count()
}

/// The memory of a process that is resident, in bytes.
pub fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() << 10
}

//! How many connections each address has, and what one too many is told: what Nomad tells.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const TEXT: &str =
    "Your IP is issuing too many concurrent connections, please rate limit your calls\n";

/// How many are told at once why they are turned away; of more the connection is closed without a word.
const TOLD_AT_ONCE: usize = 100;

/// How long one is told.
const TELLING: Duration = Duration::from_secs(1);

/// The addresses that have connections. Clones count together.
#[derive(Clone, Default)]
pub(super) struct Crowd(Arc<Mutex<Counted>>);

#[derive(Default)]
struct Counted {
    connections: HashMap<IpAddr, usize>,
    told: usize,
}

/// One connection of an address, until this is dropped.
pub(super) struct Place {
    crowd: Crowd,
    address: IpAddr,
}

impl Crowd {
    /// Counts one more connection of an address; none if it has so many already. An IPv4 address is the
    /// same in the clothes of IPv6.
    pub fn admit(&self, address: IpAddr, most: usize) -> Option<Place> {
        let address = address.to_canonical();
        let mut counted = self.lock();
        let connections = counted.connections.entry(address).or_default();
        if *connections >= most {
            return None;
        }
        *connections += 1;
        let crowd = self.clone();
        Some(Place { crowd, address })
    }

    /// Tells a client that it has too many connections, beside everything else, and closes this one.
    pub fn turn_away(&self, stream: TcpStream) {
        {
            let mut counted = self.lock();
            if counted.told >= TOLD_AT_ONCE {
                return;
            }
            counted.told += 1;
        }
        let crowd = self.clone();
        tokio::spawn(async move {
            // Whoever does not listen is not waited for.
            let _ = timeout(TELLING, tell(stream)).await;
            crowd.lock().told -= 1;
        });
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counted = self.crowd.lock();
        if let Some(connections) = counted.connections.get_mut(&self.address) {
            *connections -= 1;
            if *connections == 0 {
                counted.connections.remove(&self.address);
            }
        }
    }
}

/// Says it, and reads what the client says until it leaves: a connection that is closed over unread bytes
/// takes along what was written to it.
async fn tell(mut stream: TcpStream) -> std::io::Result<()> {
    let answer = format!(
        "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{TEXT}",
        TEXT.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    let mut unread = [0; 1024];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Crowd;

    #[test]
    fn each_address_is_counted_by_itself_and_forgotten_when_it_has_left() {
        let crowd = Crowd::default();
        let of = |address: &str| crowd.admit(address.parse().unwrap(), 2);
        let (first, _second) = (of("192.0.2.1").unwrap(), of("::ffff:192.0.2.1").unwrap());
        assert!(of("192.0.2.1").is_none());
        assert!(of("192.0.2.2").is_some());
        drop(first);
        assert!(of("192.0.2.1").is_some());
        assert_eq!(crowd.lock().connections.len(), 1);
    }
}

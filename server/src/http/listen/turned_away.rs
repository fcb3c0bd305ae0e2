//! What one connection too many of an address is told: what Nomad tells.

use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

const TEXT: &str =
    "Your IP is issuing too many concurrent connections, please rate limit your calls\n";

/// How many are told at once; of more the connection is closed without a word.
const TOLD_AT_ONCE: usize = 100;

/// How long one is told.
const TELLING: Duration = Duration::from_secs(1);

/// Those who are being told.
pub(super) struct TurnedAway(Arc<Semaphore>);

impl Default for TurnedAway {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TOLD_AT_ONCE)))
    }
}

impl TurnedAway {
    /// Tells a client that it has too many connections, beside everything else, and closes this one.
    pub fn tell(&self, stream: TcpStream) {
        let Ok(turn) = Arc::clone(&self.0).try_acquire_owned() else {
            return;
        };
        tokio::spawn(async move {
            // Whoever does not listen is not waited for.
            let _ = timeout(TELLING, tell(stream)).await;
            drop(turn);
        });
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

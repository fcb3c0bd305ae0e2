//! From a TCP connection to one that HTTP is spoken over.

use super::stream::Stream;
use crate::tls::Certificates;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// The first byte of every TLS connection: a record of a handshake.
const HANDSHAKE: u8 = 0x16;

/// What Go's servers say, too.
const REFUSAL: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\
     Content-Length: 48\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// How long a client that is refused may take to read why.
const PARTING: Duration = Duration::from_secs(1);

/// The connection, with TLS around it if there are certificates. Nothing if the client said it all in
/// plain HTTP, and was told so.
///
/// # Errors
/// The handshake came to nothing.
pub(super) async fn shake(
    mut stream: TcpStream,
    certificates: Option<&Arc<Certificates>>,
) -> io::Result<Option<Stream>> {
    let Some(certificates) = certificates else {
        return Ok(Some(Stream::Plain(stream)));
    };
    let mut first = [0];
    let seen = stream.peek(&mut first).await?;
    if seen == 1 && first[0] != HANDSHAKE && first[0].is_ascii_alphabetic() {
        refuse(&mut stream).await?;
        return Ok(None);
    }
    let acceptor = TlsAcceptor::from(certificates.current().await);
    match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => Ok(Some(Stream::Tls(Box::new(stream)))),
        Err((error, mut stream)) => {
            part(&mut stream).await?;
            Err(error)
        }
    }
}

async fn refuse(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(REFUSAL.as_bytes()).await?;
    part(stream).await
}

/// Closes after the client has read why. A connection that is closed with something unread takes what was
/// said with it, so what the client says is read, for a while.
async fn part(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut unread = [0; 4096];
    let reading = async { while stream.read(&mut unread).await.is_ok_and(|read| read > 0) {} };
    let _ = timeout(PARTING, reading).await;
    Ok(())
}

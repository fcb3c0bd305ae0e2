//! From a TCP connection to one that HTTP is spoken over.

use super::patient::Patient;
use super::stream::Stream;
use crate::tls::Certificates;
use std::io;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

/// The first byte of every TLS connection: a record of a handshake.
const HANDSHAKE: u8 = 0x16;

/// What Go's servers say, too.
const REFUSAL: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\
     Content-Length: 48\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// The connection, with TLS around it if there are certificates. Nothing if the client said it all in
/// plain HTTP, and was told so.
///
/// # Errors
/// The handshake came to nothing.
pub(super) async fn shake(
    mut stream: Patient,
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
            stream.shutdown().await?;
            Err(error)
        }
    }
}

async fn refuse(stream: &mut Patient) -> io::Result<()> {
    stream.write_all(REFUSAL.as_bytes()).await?;
    stream.shutdown().await
}

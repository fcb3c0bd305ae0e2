//! What a driver that we started prints.

use super::{Confided, DriverCommand, Secrets};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tracing::info;

/// The longest line that is logged, in bytes. Of a longer one nothing is: its end could be the rest of
/// a secret.
const MOST_LINE_BYTES: usize = 64 * 1024;

/// Logs each line under the target `saddlebag::driver`, without the driver's secrets and what it was told, until the
/// driver and all that inherited its output have closed it.
pub(super) fn log(stream: impl AsyncRead + Send + Unpin + 'static, command: &DriverCommand) {
    let (plugin_id, secrets) = (command.plugin_id.clone(), command.secrets.clone());
    let confided = command.confided.clone();
    tokio::spawn(async move {
        let mut lines = Lines::new(stream);
        while let Some(line) = lines.next(&secrets, &confided).await {
            info!(target: "saddlebag::driver", { plugin.id = plugin_id }, "{line}");
        }
    });
}

struct Lines<Stream> {
    stream: BufReader<Stream>,
    line: Vec<u8>,
}

impl<Stream: AsyncRead + Unpin> Lines<Stream> {
    fn new(stream: Stream) -> Self {
        Self {
            stream: BufReader::new(stream),
            line: Vec::new(),
        }
    }

    /// The next line as it may be logged; `None` at the end, or when the stream cannot be read.
    async fn next(&mut self, secrets: &Secrets, confided: &Confided) -> Option<String> {
        if !self.read_some().await? {
            while !self.read_some().await.unwrap_or(true) {}
            return Some(format!("(a line of more than {MOST_LINE_BYTES} bytes)"));
        }
        let line = String::from_utf8_lossy(&self.line);
        Some(confided.with(secrets).redact(line.trim_end()))
    }

    /// Reads up to the end of the line, or as much as a line may hold; says whether the line ended.
    async fn read_some(&mut self) -> Option<bool> {
        self.line.clear();
        let read = (&mut self.stream)
            .take(MOST_LINE_BYTES as u64)
            .read_until(b'\n', &mut self.line)
            .await
            .ok()?;
        (read > 0).then(|| self.line.ends_with(b"\n") || read < MOST_LINE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn logged(printed: &[u8], secrets: &Secrets) -> Vec<String> {
        let mut lines = Lines::new(printed);
        let mut logged = Vec::new();
        while let Some(line) = lines.next(secrets, &Confided::default()).await {
            logged.push(line);
        }
        logged
    }

    #[tokio::test]
    async fn lines_are_logged_without_secrets() {
        let secrets = Secrets::from_plain([("key".to_owned(), "hunter2".to_owned())]);
        let printed = b"start\r\nuser hunter2\n\xff\nend";
        let expected = ["start", "user [REDACTED]", "\u{fffd}", "end"];
        assert_eq!(logged(printed, &secrets).await, expected);
    }

    #[tokio::test]
    async fn an_endless_line_is_left_out_and_the_next_one_is_logged() {
        let mut printed = vec![b'x'; 3 * MOST_LINE_BYTES + 5];
        printed.extend(b"\nnext\n");
        let lines = logged(&printed, &Secrets::none()).await;
        assert_eq!(lines, ["(a line of more than 65536 bytes)", "next"]);
    }
}

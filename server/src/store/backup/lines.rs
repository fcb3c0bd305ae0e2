//! Lines that are summed up as they go by.

use sha2::{Digest, Sha256};
use std::io::{self, BufRead, Read, Write};

/// The longest line: a row's value and key, however they are spelt.
const MOST_BYTES: u64 = 4 * 1_024 * 1_024;

/// The checksum of the lines so far.
#[derive(Default)]
pub(super) struct Sum(Sha256);

impl Sum {
    pub(super) fn add(&mut self, line: &[u8]) {
        self.0.update(line);
    }

    pub(super) fn hex(self) -> String {
        let digits = self.0.finalize();
        digits.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Writes one line of JSON; its bytes are left in `line`.
pub(super) fn write(
    out: &mut impl Write,
    line: &mut Vec<u8>,
    value: &impl serde::Serialize,
) -> io::Result<()> {
    line.clear();
    serde_json::to_writer(&mut *line, value)?;
    line.push(b'\n');
    out.write_all(line)
}

/// Reads one line, with its end, into `line`; `false` at the end of the file.
pub(super) fn read(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    from.take(MOST_BYTES).read_until(b'\n', line)?;
    match line.last() {
        None => Ok(false),
        Some(b'\n') => Ok(true),
        Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "it is cut off")),
    }
}

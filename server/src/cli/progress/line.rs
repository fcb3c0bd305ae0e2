//! The line on a terminal that says what goes on.

use crate::cli::failure::printable;
use crate::cli::say;
use std::io::stderr;
use unicode_width::UnicodeWidthChar;

/// The line that is drawn again and again, and wiped at its end.
#[derive(Default)]
pub(super) struct Line {
    drawn: usize,
}

impl Line {
    /// Draws it anew, as much of the text as fits.
    pub fn draw(&mut self, text: &str) {
        const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
        const UNKNOWN: u16 = 0;
        let columns = match rustix::termios::tcgetwinsize(stderr()).map(|size| size.ws_col) {
            Err(_) | Ok(UNKNOWN) => 80,
            Ok(columns) => usize::from(columns),
        };
        let text = printable(text).replace('\n', " ");
        let text = cut(&text, columns.saturating_sub(3));
        let frame = FRAMES[self.drawn % FRAMES.len()];
        say(stderr(), &format!("{WIPE}{frame} {text}"));
        self.drawn += 1;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.drawn > 0 {
            say(stderr(), WIPE);
        }
    }
}

/// Goes to the beginning of the line and clears it.
const WIPE: &str = "\r\u{1b}[K";

/// As much of a text as fits.
fn cut(text: &str, columns: usize) -> String {
    let mut left = columns;
    let fits = |c: &char| match left.checked_sub(c.width().unwrap_or(0)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    text.chars().take_while(fits).collect()
}

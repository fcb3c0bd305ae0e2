//! Texts that are nearly right, for the tests of whatever reads what others wrote.
//!
//! - [`texts`] makes [`MANY`] of them from whole ones, the same at every run.
//! - [`assert_linear`] compares what a text and one of 16 times its size cost. It counts the processor time of its own
//!   thread, so that a machine with much else to do does not count.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// How many mangled texts each parser is fed.
pub(crate) const MANY: usize = 100_000;

/// What parsers trip over: ends of everything, signs, numbers that do not fit, letters of several bytes.
const STRANGE: [&str; 40] = [
    "\"",
    "'",
    "`",
    "\\",
    "\\u",
    "\\ud800",
    "\\x",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "<<A\n",
    "<<-A\n A\n",
    "/*",
    "*/",
    "//",
    "#",
    ",",
    ";",
    ":",
    "=",
    "==",
    "|\n ",
    "- ",
    "&a ",
    "*a ",
    "%",
    "%ff",
    "%2",
    ".",
    "-",
    "99999999999999999999999",
    "1e400",
    "0x",
    "\0",
    "\u{feff}",
    "\u{e9}",
    "\u{1f600}",
];

/// Many texts of at most `most` bytes and a bit, each of pieces of these whole ones: cut, joined, repeated, and sprinkled
/// with what is strange.
pub(crate) fn texts(whole: &[&str], most: usize) -> impl Iterator<Item = String> {
    let mut random = StdRng::seed_from_u64(20_261_122);
    (0..MANY).map(move |_| {
        let mut text = String::new();
        for _ in 0..random.random_range(1..4) {
            let chosen = whole[random.random_range(0..whole.len())];
            let from = match random.random_bool(0.5) {
                true => 0,
                false => random.random_range(0..=chosen.len()),
            };
            let to = match random.random_bool(0.4) {
                true => chosen.len(),
                false => random.random_range(from..=chosen.len()),
            };
            let from = chosen.floor_char_boundary(from);
            text.push_str(&chosen[from..chosen.ceil_char_boundary(to)]);
            if text.len() > most {
                break;
            }
            if random.random_bool(0.4) {
                let strange = STRANGE[random.random_range(0..STRANGE.len())];
                let at = text.floor_char_boundary(random.random_range(0..=text.len()));
                text.insert_str(at, &strange.repeat(random.random_range(1..4)));
            }
            if random.random_bool(0.1) {
                text.push(random.random());
            }
        }
        text
    })
}

/// Fails if reading `head`, `size` times `unit` and `tail` costs more than in proportion to `size`.
pub(crate) fn assert_linear(
    size: usize,
    (head, unit, tail): (&str, &str, &str),
    read: impl Fn(&str),
) {
    const TIMES: usize = 16;
    const AT_MOST: u32 = 64; // as much as a square would cost is 256
    const NOISE: Duration = Duration::from_micros(50);
    let cost = |size: usize| {
        let text = [head, &unit.repeat(size), tail].concat();
        let once = || {
            let before = processor_time();
            read(&text);
            processor_time() - before
        };
        [once(), once(), once()]
            .into_iter()
            .min()
            .unwrap_or_default()
    };
    let (small, large) = (cost(size), cost(size * TIMES));
    assert!(
        large <= small.max(NOISE) * AT_MOST,
        "{head:?} {unit:?} {tail:?}: {size} of them cost {small:?}, {TIMES} times as many {large:?}"
    );
}

/// How long this thread has been computing.
fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

//! How long to wait between tries: exponential, with jitter, and bounded.

use crate::chance::Chance;
use jiff::SignedDuration;

const FIRST: SignedDuration = SignedDuration::from_millis(500);
const LONGEST: SignedDuration = SignedDuration::from_secs(60);

/// The wait after this many tries (1 and up): half a second, doubling up to a minute, less up to a
/// quarter of it by chance, so that things that failed together are not tried together.
pub fn after(chance: &Chance, tries: u32) -> SignedDuration {
    let doublings = tries.saturating_sub(1).min(16);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    full.mul_f64(1.0 - chance.part() / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_bounded() {
        for (tries, longest) in [
            (1, 500),
            (2, 1_000),
            (5, 8_000),
            (8, 60_000),
            (u32::MAX, 60_000),
        ] {
            let wait = after(&Chance::default(), tries).as_millis();
            assert!(
                wait <= longest && wait >= longest * 3 / 4,
                "{tries} tries: {wait} ms"
            );
        }
    }
}

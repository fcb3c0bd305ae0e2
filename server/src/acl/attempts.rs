//! Failed logins by the address that they came from: after a few, the address has to wait between two tries.
//!
//! - A pause is a second at first, and twice as long after each further failure, up to [`Limits::longest_pause`].
//! - During a pause no token from that address is looked at, so a right guess is told as little as a wrong one. But
//!   a token that was let in from there before goes on being let in: a stale token that something sends again and
//!   again locks out nobody else on its host, or behind its proxy.
//! - An address is forgotten [`Limits::forgotten_after`] its last failure.
//! - Memory is bounded: of too many addresses the one that failed longest ago is forgotten; of an IPv6 address
//!   the first 64 bits count, of which its owner may have all the rest.

use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The first pause.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// Of how many addresses it is known that they failed.
const MOST_ADDRESSES: usize = 4096;

/// Of how many tokens, each from one address, it is known that they were let in.
const MOST_LET_IN: usize = 16_384;

/// How failed logins are slowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many failures of an address slow nothing. Default 10.
    pub free: usize,
    /// The longest pause between two tries of an address. Default 1 min.
    pub longest_pause: Duration,
    /// How long after its last failure an address is forgotten. Default 10 min.
    pub forgotten_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            free: 10,
            longest_pause: Duration::from_secs(60),
            forgotten_after: Duration::from_secs(600),
        }
    }
}

/// Who failed, and who did not.
#[derive(Debug)]
pub struct Attempts {
    limits: Limits,
    seen: Mutex<Seen>,
    /// Keyed by chance: what is kept of a token says nothing of it.
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Seen {
    failed: HashMap<IpAddr, Failures>,
    let_in: HashSet<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: usize,
    last: Timestamp,
}

impl Attempts {
    /// Nobody has tried yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            seen: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Whether this secret from this address may be looked at now.
    ///
    /// # Errors
    /// Not yet: how long it has to wait.
    pub fn may_try(
        &self,
        address: IpAddr,
        secret: &str,
        now: Timestamp,
    ) -> Result<(), SignedDuration> {
        let address = network(address);
        let seen = self.seen();
        let Some(failures) = seen.failed.get(&address) else {
            return Ok(());
        };
        let left = self.left(failures, now);
        match left.is_positive() && !seen.let_in.contains(&self.mark(address, secret)) {
            true => Err(left),
            false => Ok(()),
        }
    }

    /// This secret from this address is a token's.
    pub fn succeeded(&self, address: IpAddr, secret: &str) {
        let mark = self.mark(network(address), secret);
        let mut seen = self.seen();
        if seen.let_in.len() >= MOST_LET_IN && !seen.let_in.contains(&mark) {
            seen.let_in.clear();
        }
        seen.let_in.insert(mark);
    }

    /// What came from this address was no token.
    pub fn failed(&self, address: IpAddr, now: Timestamp) {
        let address = network(address);
        let mut seen = self.seen();
        let is_remembered = |failures: &Failures| !self.is_forgotten(failures, now);
        let before = seen.failed.get(&address).copied().filter(is_remembered);
        let failures = Failures {
            count: before.map_or(0, |before| before.count).saturating_add(1),
            last: now,
        };
        seen.failed.insert(address, failures);
        if seen.failed.len() > MOST_ADDRESSES {
            seen.failed.retain(|_, failures| is_remembered(failures));
        }
        if seen.failed.len() > MOST_ADDRESSES {
            let oldest = seen.failed.iter().min_by_key(|(_, failures)| failures.last);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                seen.failed.remove(&oldest);
            }
        }
    }

    /// How much of the pause is left. A clock that was set back makes none longer.
    fn left(&self, failures: &Failures, now: Timestamp) -> SignedDuration {
        let longest = SignedDuration::try_from(self.limits.longest_pause);
        let longest = longest.unwrap_or(SignedDuration::MAX);
        let pause = match failures
            .count
            .checked_sub(self.limits.free.saturating_add(1))
        {
            None => SignedDuration::ZERO,
            Some(doubled) => {
                let doubled = u32::try_from(doubled).unwrap_or(u32::MAX);
                let times = 2_i32.checked_pow(doubled).unwrap_or(i32::MAX);
                FIRST_PAUSE.saturating_mul(times).min(longest)
            }
        };
        pause
            .saturating_sub(now.duration_since(failures.last))
            .min(longest)
    }

    fn is_forgotten(&self, failures: &Failures, now: Timestamp) -> bool {
        let since = now.duration_since(failures.last);
        Duration::try_from(since).is_ok_and(|since| since >= self.limits.forgotten_after)
    }

    fn mark(&self, address: IpAddr, secret: &str) -> u64 {
        self.hasher.hash_one((address, secret))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & !u128::from(u64::MAX);
            Ipv6Addr::from(prefix).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(limits: Limits, addresses: impl Iterator<Item = u32>, now: Timestamp) -> Attempts {
        let attempts = Attempts::new(limits);
        for address in addresses {
            attempts.failed(std::net::Ipv4Addr::from(address).into(), now);
        }
        attempts
    }

    #[test]
    fn of_too_many_addresses_the_one_that_failed_longest_ago_is_forgotten() {
        let limits = Limits {
            free: 0,
            ..Limits::default()
        };
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let attempts = failing(limits, 0..MOST_ADDRESSES as u32, start);
        let second = start + SignedDuration::from_millis(1);
        let (first, another) = ([0, 0, 0, 0].into(), [1, 1, 1, 1].into());
        attempts.failed(first, second);
        attempts.failed(another, second);
        assert_eq!(attempts.seen().failed.len(), MOST_ADDRESSES);
        for address in [first, another] {
            assert!(attempts.may_try(address, "", second).is_err());
        }
    }

    #[test]
    fn of_many_tokens_that_were_let_in_only_so_many_are_remembered() {
        let attempts = Attempts::new(Limits::default());
        for number in 0..=MOST_LET_IN {
            attempts.succeeded([127, 0, 0, 1].into(), &number.to_string());
        }
        assert_eq!(attempts.seen().let_in.len(), 1);
    }

    #[test]
    fn an_ipv6_address_counts_with_its_network_and_an_ipv4_address_alone() {
        let limits = Limits {
            free: 0,
            ..Limits::default()
        };
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let attempts = Attempts::new(limits);
        for failed in ["2001:db8:0:1::1", "::ffff:192.0.2.1"] {
            attempts.failed(failed.parse().unwrap(), now);
        }
        let waits = |address: &str| attempts.may_try(address.parse().unwrap(), "", now).is_err();
        assert!(waits("2001:db8:0:1:ffff::2") && waits("192.0.2.1"));
        assert!(!waits("2001:db8:0:2::1") && !waits("192.0.2.2"));
    }

    #[test]
    fn a_clock_that_is_set_back_or_a_great_many_failures_make_no_pause_longer_than_the_longest() {
        let limits = Limits {
            free: 0,
            ..Limits::default()
        };
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let attempts = failing(limits, std::iter::repeat_n(7, 100), now);
        let earlier = now - SignedDuration::from_hours(24);
        let waits = |now| attempts.may_try([0, 0, 0, 7].into(), "", now);
        assert_eq!(waits(earlier), Err(SignedDuration::from_secs(60)));
        assert_eq!(waits(now), Err(SignedDuration::from_secs(60)));
        assert_eq!(waits(now + SignedDuration::from_secs(60)), Ok(()));
    }
}
